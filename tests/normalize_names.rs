//! Names as producers print them, and what is left of them.

use logjam::normalize::normalize;

fn check(table: &[(&str, &str)]) {
    let wrong: Vec<_> = table
        .iter()
        .filter_map(|&(name, expected)| {
            let got = normalize(name);
            (got != expected).then(|| format!("{name}\n  expected {expected}\n  got      {got}"))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    for (_, expected) in table {
        assert_eq!(normalize(expected), *expected, "a normalized name stays as it is");
    }
}

#[test]
fn aliases_of_the_c_library_become_its_public_names() {
    check(&[
        ("__GI___lll_lock_wait", "lll_lock_wait"),
        ("__lll_lock_wait", "lll_lock_wait"),
        ("__lll_lock_wait_private", "lll_lock_wait_private"),
        ("___pthread_mutex_lock", "pthread_mutex_lock"),
        ("__pthread_mutex_lock", "pthread_mutex_lock"),
        ("_GI__pthread_mutex_lock", "pthread_mutex_lock"),
        ("__GI___pthread_mutex_lock", "pthread_mutex_lock"),
        ("__pthread_mutex_lock_full", "pthread_mutex_lock_full"),
        ("__pthread_mutex_cond_lock", "pthread_mutex_cond_lock"),
        ("__futex_abstimed_wait_common64", "futex_abstimed_wait_common"),
        ("__futex_abstimed_wait_common", "futex_abstimed_wait_common"),
        ("__GI___futex_abstimed_wait_cancelable64", "futex_abstimed_wait_cancelable"),
        ("__futex_lock_pi64", "futex_lock_pi"),
        ("futex_wait_cancelable", "futex_wait_cancelable"),
        ("___pthread_cond_wait", "pthread_cond_wait"),
        ("__pthread_cond_wait_common", "pthread_cond_wait_common"),
        ("pthread_cond_wait@@GLIBC_2.3.2", "pthread_cond_wait"),
        ("pthread_cond_timedwait@@GLIBC_2.3.2", "pthread_cond_timedwait"),
        ("___pthread_cond_clockwait64", "pthread_cond_clockwait"),
        ("__pthread_clockjoin_ex", "pthread_clockjoin_ex"),
        ("__new_sem_wait", "sem_wait"),
        ("__new_sem_wait_slow64", "sem_wait_slow"),
        ("__new_sem_wait_slow.constprop.0", "sem_wait_slow"),
        ("___pthread_rwlock_wrlock", "pthread_rwlock_wrlock"),
        ("__pthread_rwlock_rdlock_full64", "pthread_rwlock_rdlock_full"),
        ("__pthread_once_slow.isra.0", "pthread_once_slow"),
        ("__io_getevents_0_4", "io_getevents_0_4"),
        ("__libc_start_main_impl", "libc_start_main_impl"),
        ("__libc_start_main@@GLIBC_2.34", "libc_start_main"),
        ("__libc_start_call_main", "libc_start_call_main"),
        ("__clone3", "clone3"),
        ("__GI_raise", "raise"),
        ("__GI_abort", "abort"),
        ("__GI___assert_fail", "assert_fail"),
        ("__pthread_kill_implementation", "pthread_kill_implementation"),
    ]);
}

#[test]
fn system_calls_in_disguise() {
    check(&[
        ("__GI___libc_write", "write"),
        ("__libc_write", "write"),
        ("__write", "write"),
        ("__write_nocancel", "write"),
        ("__GI___libc_read", "read"),
        ("__poll", "poll"),
        ("__poll_chk", "poll"),
        ("__GI_epoll_pwait", "epoll_pwait"),
        ("epoll_pwait2_time64", "epoll_pwait2"),
        ("__GI___clock_nanosleep", "clock_nanosleep"),
        ("__clock_nanosleep_time64", "clock_nanosleep"),
        ("clock_nanosleep@GLIBC_2.2.5", "clock_nanosleep"),
        ("__nanosleep_nocancel", "nanosleep"),
        ("__libc_pread64", "pread"),
        ("pwrite64", "pwrite"),
        ("__libc_accept", "accept"),
        ("ZwWaitForSingleObject", "NtWaitForSingleObject"),
        ("ntdll!_ZwWaitForSingleObject+0xb", "NtWaitForSingleObject"),
        ("ntdll!_RtlEnterCriticalSection+0x48", "RtlEnterCriticalSection"),
    ]);
}

#[test]
fn the_underscores_of_programs_stay() {
    check(&[
        ("__my_fn", "__my_fn"),
        ("_process", "_process"),
        ("_read", "_read"),
        ("read64", "read64"),
        ("my_read", "my_read"),
        ("db_read", "db_read"),
        ("_lock", "_lock"),
        ("_wait", "_wait"),
        ("select64", "select64"),
        ("new_lock", "new_lock"),
        ("__reader", "__reader"),
        ("int_free", "int_free"),
        ("_int_free", "_int_free"),
        ("", ""),
        ("x", "x"),
    ]);
}

#[test]
fn cxx_arguments_and_templates() {
    check(&[
        ("duckdb::ClientContext::LockContext()", "duckdb::ClientContext::LockContext"),
        (
            "node::(anonymous namespace)::PlatformWorkerThread(void*)",
            "node::(anonymous namespace)::PlatformWorkerThread",
        ),
        (
            "node::ThreadPoolWork::ScheduleWork()::{lambda(uv_work_s*)#1}::_FUN(uv_work_s*)",
            "node::ThreadPoolWork::ScheduleWork::{lambda()#1}::_FUN",
        ),
        ("Pool::run() const::{lambda()#1}::operator()() const", "Pool::run::{lambda()#1}::operator()"),
        (
            "duckdb::TaskScheduler::ExecuteForever(std::atomic<bool>*)",
            "duckdb::TaskScheduler::ExecuteForever",
        ),
        ("std::__cxx11::basic_string<char>::append(char const*)", "std::basic_string::append"),
        (
            "void std::__1::condition_variable::wait<f()::'lambda'()>(std::__1::unique_lock<std::__1::mutex>&, \
             f()::'lambda'())",
            "std::condition_variable::wait",
        ),
        ("void* std::__1::__thread_proxy[abi:ne200100]<std::__1::tuple<int> >(void*)", "std::__thread_proxy"),
        (
            "decltype(*std::declval<T*>().*std::declval<void (T::*)()>()()) \
             std::__1::__invoke[abi:ne200100]<void (T::*)(), T*, void>(void (T::*&&)(), T*&&)",
            "std::__invoke",
        ),
        ("boost::shared_ptr<Tango::AttributeProxy>::~shared_ptr", "boost::shared_ptr::~shared_ptr"),
        (
            "boost::python::objects::pointer_holder<boost::shared_ptr<Tango::AttributeProxy>, \
             Tango::AttributeProxy>::~pointer_holder",
            "boost::python::objects::pointer_holder::~pointer_holder",
        ),
        (
            "wait_until<std::unique_lock<bmalloc::Mutex>, std::chrono::_V2::system_clock, \
             std::chrono::duration<long, std::ratio<1l, 1000000000l> > >",
            "wait_until",
        ),
        (
            "wait_for<std::unique_lock<bmalloc::Mutex>, long int, std::ratio<1l>, bmalloc::AsyncTask<Object, \
             Function>::entryPoint() [with Object = bmalloc::Heap; Function = void \
             (bmalloc::Heap::*)()]::<lambda()> >",
            "wait_for",
        ),
        (
            "bmalloc::AsyncTask<bmalloc::Heap, void (bmalloc::Heap::*)()>::entryPoint",
            "bmalloc::AsyncTask::entryPoint",
        ),
        ("(anonymous namespace)::_push_event<Tango::EventData>", "(anonymous namespace)::_push_event"),
        ("void (anonymous namespace)::push<int>(int)", "(anonymous namespace)::push"),
        ("f[abi:cxx11](int) const &", "f"),
        ("foo(int) [clone .isra.0]", "foo"),
        ("foo(int) (.cold)", "foo"),
        ("Foo::bar() volatile", "Foo::bar"),
        ("cut::off<std::vector<int, std::alloc", "cut::off"),
        ("_ZN14QWaitCondition4waitEP6QMutex14QDeadlineTimer", "QWaitCondition::wait"),
        ("_ZNK3QV413QObjectMethod12callInternalEPKNS_5ValueES3_i", "QV4::QObjectMethod::callInternal"),
        ("Foo<(anonymous enum)1>::get<&Foo::operator< >()", "Foo::get"),
        ("enable_if<(a > b), int>::f()", "enable_if::f"),
    ]);
}

#[test]
fn cxx_operators() {
    check(&[
        ("operator()", "operator()"),
        ("Foo::operator()(int) const", "Foo::operator()"),
        ("Foo<int>::operator()<long>(long)", "Foo::operator()"),
        ("bool operator< <int>(A<int> const&, A<int> const&)", "operator<"),
        ("Foo::operator<(Foo const&) const", "Foo::operator<"),
        ("std::ostream& operator<< <char>(std::ostream&, char)", "operator<<"),
        ("Ptr<T>::operator->() const", "Ptr::operator->"),
        ("Ptr<T>::operator->*(int)", "Ptr::operator->*"),
        ("V::operator[](unsigned long)", "V::operator[]"),
        ("A::operator<=>(A const&) const", "A::operator<=>"),
        ("operator new(unsigned long)", "operator new"),
        ("operator new[](unsigned long)", "operator new[]"),
        ("operator delete(void*)", "operator delete"),
        ("Foo::operator bool() const", "Foo::operator bool"),
        ("Foo::operator std::vector<int>() const", "Foo::operator std::vector"),
        ("operators::run(int)", "operators::run"),
    ]);
}

#[test]
fn rust_names() {
    check(&[
        (
            "std::sys::sync::mutex::futex::Mutex::lock_contended::h0123456789abcdef",
            "std::sys::sync::mutex::futex::Mutex::lock_contended",
        ),
        ("app::main::{{closure}}::h0123456789abcdef", "app::main::{{closure}}"),
        ("app::main::{closure#0}", "app::main::{{closure}}"),
        ("app::main::{closure_env#3}", "app::main::{{closure}}"),
        (
            "core::ops::function::FnOnce::call_once{{vtable.shim}}::h0123456789abcdef",
            "core::ops::function::FnOnce::call_once{vtable.shim}",
        ),
        (
            "<alloc::boxed::Box<F,A> as core::ops::function::FnOnce<Args>>::call_once",
            "<alloc::boxed::Box as core::ops::function::FnOnce>::call_once",
        ),
        ("<std::sync::poison::mutex::Mutex<i32>>::lock", "std::sync::poison::mutex::Mutex::lock"),
        (
            "core::fmt::num::<impl core::fmt::Display for u32>::fmt",
            "core::fmt::num::<impl core::fmt::Display for u32>::fmt",
        ),
        (
            "core::iter::traits::Iterator::collect::<alloc::vec::Vec<u8>>",
            "core::iter::traits::Iterator::collect",
        ),
        ("std::thread::spawn::<app::main::{closure#0}, ()>", "std::thread::spawn"),
        ("core::ptr::drop_in_place<std::sync::MutexGuard<()>>", "core::ptr::drop_in_place"),
        ("<[u8]>::concat", "<[u8]>::concat"),
        ("_RNvCskwGfYPst2Cb_3foo3bar", "foo::bar"),
        ("_ZN3std6thread4park17h0123456789abcdefE", "std::thread::park"),
    ]);
}

#[test]
fn go_java_and_dotnet_names() {
    check(&[
        ("sync.(*Mutex).Lock(...)", "sync.(*Mutex).Lock"),
        ("main.(*SimManager).Add.func1()", "main.(*SimManager).Add.func1"),
        (
            "github.com/x/sentry_multi_client.pumpStreamLoop[...].func2",
            "github.com/x/sentry_multi_client.pumpStreamLoop.func2",
        ),
        ("main.(*Sim).Run.gowrap1", "main.(*Sim).Run"),
        ("main.(*T).f-fm", "main.(*T).f"),
        (
            "gopkg.in/natefinch/lumberjack%2ev2.(*Logger).millRun",
            "gopkg.in/natefinch/lumberjack.v2.(*Logger).millRun",
        ),
        ("main.main.func1.2", "main.main.func1.2"),
        ("java.base@17.0.9/java.lang.Object.wait(Native Method)", "java.lang.Object.wait"),
        ("java.base/jdk.internal.misc.Unsafe.park", "jdk.internal.misc.Unsafe.park"),
        ("a.b.Foo$$Lambda/0x00001ff80134e400.run", "a.b.Foo$$Lambda.run"),
        ("a.b.Foo$$Lambda$14/0x0000000800c03000.run", "a.b.Foo$$Lambda.run"),
        ("sun.reflect.GeneratedMethodAccessor12.invoke", "sun.reflect.GeneratedMethodAccessor.invoke"),
        ("com.sun.proxy.$Proxy7.call", "com.sun.proxy.$Proxy.call"),
        ("a.b.Foo.<init>", "a.b.Foo.<init>"),
        ("a.b.Door.part", "a.b.Door.part"),
        (
            "System.Runtime.CompilerServices.TaskAwaiter<System.__Canon>.GetResult()",
            "System.Runtime.CompilerServices.TaskAwaiter.GetResult",
        ),
        (
            "System.Runtime.CompilerServices.AsyncTaskMethodBuilder`1[System.__Canon].Start",
            "System.Runtime.CompilerServices.AsyncTaskMethodBuilder.Start",
        ),
        (
            "Deadlock.DirectFunctionExecutor+<ExecuteAsync>d__3.MoveNext()",
            "Deadlock.DirectFunctionExecutor+<ExecuteAsync>d__3.MoveNext",
        ),
        (
            "System.Private.CoreLib!System.Threading.Monitor.Wait(class System.Object,int32)",
            "System.Threading.Monitor.Wait",
        ),
    ]);
}

#[test]
fn names_of_other_producers() {
    check(&[
        ("-[NSLock lock]", "-[NSLock lock]"),
        (
            "__52-[NSApplication(NSAppleEventHandling) _handleAEQuit]_block_invoke",
            "__52-[NSApplication(NSAppleEventHandling) _handleAEQuit]_block_invoke",
        ),
        ("closure #1 in MLXArray.eval()", "closure #1 in MLXArray.eval"),
        ("static Sampler.sample(logits:params:previousTokens:)", "static Sampler.sample"),
        ("runApp<A>(_:)", "runApp"),
        ("<module>", "<module>"),
        ("<signal handler called>", "<signal handler called>"),
        ("rt_mutex_slowlock.constprop.14+0x17d/0x3e0", "rt_mutex_slowlock"),
        ("subtype_dealloc.lto_priv.61", "subtype_dealloc"),
        ("_PyEval_EvalFrameDefault.cold", "_PyEval_EvalFrameDefault"),
        ("do_work.llvm.1234567890", "do_work"),
        ("malloc@plt", "malloc"),
        ("libfoo.so+0x1234", "libfoo.so+0x1234"),
    ]);
}

#[test]
fn hostile_names_end_soon() {
    let deep = "<".repeat(50_000);
    let mixed = "f<(a".repeat(20_000);
    let kept = format!("{}T as U{}", "<".repeat(2_000), ">".repeat(2_000));
    let parens = "(".repeat(50_000);
    let operators = "operator<".repeat(20_000);
    let names = [&deep, &mixed, &kept, &parens, &operators];
    for name in names.map(String::as_str).into_iter().chain([
        "operator",
        "operator<",
        "(",
        ")",
        ">",
        "{",
        "'",
        "::<",
        "é<ü>(ß)",
        "<>",
        "()",
        "[]",
        "@",
        "!",
        "+0x",
        ".cold",
    ]) {
        assert!(normalize(name).len() <= name.len() + 64);
    }
}

#[test]
fn any_mixture_of_marks_is_read_without_a_panic() {
    let parts = [
        "<",
        ">",
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        "::",
        "operator",
        " as ",
        "impl ",
        "lambda(",
        "'",
        "é",
        "a",
        " ",
        "$",
        "$$Lambda",
        "@",
        "!",
        "+0x1",
        ".cold",
        ".isra.0",
        "_Z",
        "_ZN1a1bE",
        "_R",
        "__GI_",
        "64",
        "~",
        "*",
        "&",
        "#1",
        "::h0123456789abcdef",
        "->",
        "app//",
        "java.base/",
        "Zw",
        "_",
    ];
    let mut state = 1u64;
    for _ in 0..20_000 {
        let mut name = String::new();
        for _ in 0..8 {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            name.push_str(parts[(state >> 33) as usize % parts.len()]);
        }
        let once = normalize(&name).into_owned();
        assert!(once.len() <= 4 * name.len() + 64, "{name}");
    }
}
