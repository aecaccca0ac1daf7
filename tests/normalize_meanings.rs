//! What single frames mean, and what they do not mean.

use logjam::model::{Frame, StackTable};
use logjam::normalize::{Meaning, Meanings, ResourceClass, Role, WaitKind, class_of_name};

fn meaning(frame: Frame) -> Meaning {
    let mut stacks = StackTable::default();
    let ix = stacks.frame(&frame, std::iter::empty());
    Meanings::of(&stacks).get(ix).clone()
}

fn named(function: &str) -> Frame {
    Frame { function: Some(function.into()), ..Frame::default() }
}

fn in_module(function: &str, module: &str) -> Frame {
    Frame { module: Some(module.into()), ..named(function) }
}

fn in_file(function: &str, file: &str) -> Frame {
    Frame { file: Some(file.into()), ..named(function) }
}

#[test]
fn roles_by_name() {
    use Role::*;
    for (function, role) in [
        ("___pthread_mutex_lock", Lock),
        ("futex_wait", Wait),
        ("std::mutex::lock", Lock),
        ("std::lock_guard<std::mutex>::lock_guard", Lock),
        ("std::unique_lock<std::mutex>::unique_lock(std::mutex&)", Lock),
        ("__gthread_mutex_lock", Lock),
        ("pthread_spin_lock", Spin),
        ("std::sys::sync::mutex::futex::Mutex::lock_contended", Lock),
        ("parking_lot_core::parking_lot::park::{{closure}}", Wait),
        ("sync.(*Mutex).lockSlow(0xc000010000)", Lock),
        ("java.util.concurrent.locks.LockSupport.park", Wait),
        ("System.Threading.Monitor.Enter(Object, Boolean ByRef)", Lock),
        ("take_gil", Lock),
        ("RtlEnterCriticalSection", Lock),
        ("__psynch_mutexwait", Lock),
        ("rwsem_down_write_slowpath", Lock),
        ("epoll_wait", Idle),
        ("start_thread", Base),
        ("execute_native_thread_routine", Base),
        ("__pthread_kill_implementation", Abort),
        ("core::panicking::panic_fmt", Abort),
        ("testing::Test::Run()", Test),
        ("duckdb::TaskScheduler::ExecuteForever", Idle),
        ("handle_request", User),
        ("main", User),
    ] {
        assert_eq!(meaning(named(function)).role, role, "{function}");
    }
}

#[test]
fn words_count_only_in_the_c_library() {
    let libc = "/lib/x86_64-linux-gnu/libc.so.6";
    assert_eq!(meaning(in_module("read", libc)).role, Role::Io);
    assert_eq!(meaning(in_module("__read", libc)).name.as_ref(), "read");
    assert_eq!(meaning(in_module("poll", "/usr/bin/static-server")).role, Role::Idle);
    assert_eq!(meaning(named("poll")).role, Role::Idle);
    assert_eq!(meaning(in_file("read", "../sysdeps/unix/sysv/linux/read.c")).role, Role::Io);
    assert_eq!(meaning(in_file("raise", "./nptl/raise.c")).role, Role::Abort);
    assert_eq!(meaning(in_file("poll", "/usr/include/x86_64-linux-gnu/bits/poll2.h")).role, Role::Idle);
    for frame in [
        in_module("read", "/usr/lib/libparser.so.2"),
        in_file("read", "/src/app/reader.c"),
        in_file("lock", "/src/app/door.cpp"),
        in_file("wait", "src/main.c"),
        in_file("poll", "/src/app/io/poll.c"),
        named("parser::read"),
        named("db_read"),
        named("Door::lock"),
        named("my_pthread_mutex_lock_stats"),
        named("read64"),
        named("__my_fn"),
        named("waiting_room"),
        named("abort_transaction"),
        named("Foo::select"),
        named("std::read"),
    ] {
        let got = meaning(frame.clone());
        assert_eq!(got.role, Role::User, "{frame:?}");
        assert_eq!(got.name, frame.function.unwrap());
    }
}

#[test]
fn bare_members_of_the_standard_library_are_known_by_their_header() {
    let header = "/usr/include/c++/12/bits/std_mutex.h";
    assert_eq!(meaning(in_file("lock", header)).wait, Some(WaitKind::Mutex));
    let header = "/usr/include/c++/5.1.1/condition_variable";
    assert_eq!(
        meaning(in_file("wait_until<std::chrono::duration<long> >", header)).wait,
        Some(WaitKind::Condition)
    );
    assert_eq!(meaning(in_file("operator()", "/usr/include/c++/5.1.1/functional")).role, Role::Base);
    assert_eq!(meaning(in_file("operator()", "/src/app/functional.cpp")).role, Role::User);
}

#[test]
fn python_functions_are_known_by_their_file() {
    assert_eq!(meaning(in_file("wait", "/usr/lib/python3.12/threading.py")).wait, Some(WaitKind::Condition));
    assert_eq!(meaning(in_file("get", "queue.py")).wait, Some(WaitKind::Condition));
    let acquire = meaning(in_file("acquire", "/usr/lib/python3.8/logging/__init__.py"));
    assert_eq!((acquire.role, acquire.class), (Role::Lock, Some(ResourceClass::Logging)));
    for frame in [
        in_file("wait", "/app/my_threading.py"),
        in_file("get", "/app/cache.py"),
        in_file("acquire", "app.py"),
    ] {
        assert_eq!(meaning(frame.clone()).role, Role::User, "{frame:?}");
    }
}

#[test]
fn an_alias_with_a_role_speaks_for_the_frame() {
    let frame =
        Frame { aliases: ["__GI___poll".into()].into(), ..in_module("local_poll_alias", "libc.so.6") };
    let got = meaning(frame);
    assert_eq!((got.role, got.name.as_ref()), (Role::Idle, "poll"));
}

#[test]
fn functions_without_a_name() {
    let unnamed = |module: Option<&str>, offset| Frame {
        module: module.map(Into::into),
        module_offset: offset,
        function: Some("??".into()),
        ..Frame::default()
    };
    assert_eq!(meaning(unnamed(Some("/opt/lib/libfoo.so"), Some(0x1234))).name.as_ref(), "libfoo.so+0x1234");
    assert_eq!(meaning(unnamed(Some("libfoo.so"), None)).name.as_ref(), "libfoo.so!??");
    assert_eq!(meaning(unnamed(None, Some(7))).name.as_ref(), "??");
    assert_eq!(meaning(Frame::default()).name.as_ref(), "??");
}

#[test]
fn logging_is_recognized_by_whole_words() {
    for function in [
        "log_message",
        "write_log",
        "logging::Sink::flush",
        "spdlog::sinks::base_sink<std::mutex>::log(spdlog::details::log_msg const&)",
        "google::LogMessage::SendToLog",
        "log4cxx::Logger::forcedLog",
        "g_log_structured",
        "vsyslog",
        "AppLogger::write",
        "MyLogSink::append",
        "Logger::info",
        "org.apache.log4j.Category.callAppenders",
        "LogMessage",
        "server_log",
        "app::log::Writer::write",
        "com.acme.LogManager.publish",
        "java.util.logging.LogManager.getLogManager",
        "org.slf4j.LoggerFactory.getLogger",
        "go.uber.org/zap.(*Logger).Info",
        "tracing_subscriber::fmt::Layer::on_event",
        "Log::append",
    ] {
        let got = meaning(named(function));
        assert_eq!((got.role, got.class), (Role::User, Some(ResourceClass::Logging)), "{function}");
    }
    for function in [
        "login",
        "do_login",
        "Logic::run",
        "logout_user",
        "catalog_read",
        "Dialog::show",
        "analog_input",
        "blog::post",
        "logarithm",
        "prolog_emit",
        "topology_scan",
        "log2",
        "log10",
        "logf",
        "log",
        "log1p",
        "std::log",
        "logical_and",
        "loghub_fetch",
        "UserLogin",
        "on_login",
        "redo_log_write",
        "binlog_commit",
        "log_softmax",
        "math::logDensity",
        "logLikelihood",
        "Psychologist::see",
        "loggia",
        "technology",
        "handle",
        "log_in",
        "logits_processor",
        "com.acme.till.Drawer.getLogger",
        "com.acme.till.LogFactory.getLog",
    ] {
        assert_eq!(meaning(named(function)).class, None, "{function}");
    }
}

#[test]
fn locks_say_what_they_guard() {
    use ResourceClass::*;
    for (name, class) in [
        ("g_log_mutex", Some(Logging)),
        ("logging::g_log_mutex", Some(Logging)),
        ("_IO_stdfile_1_lock", Some(Stdio)),
        ("main_arena", Some(Allocator)),
        ("main_arena+96", Some(Allocator)),
        ("init_malloc_mutex", Some(Allocator)),
        ("_dl_load_lock", Some(Loader)),
        ("_rtld_global+2568", Some(Loader)),
        ("tzset_lock", Some(Locale)),
        ("_PyRuntime+424", Some(Gil)),
        ("gil_mutex", Some(Gil)),
        ("org.apache.log4j.spi.RootLogger", Some(Logging)),
        ("java.io.PrintStream", Some(Stdio)),
        ("qemu_global_mutex", None),
        ("login_mutex", None),
        ("catalog_lock", None),
        ("dialog_lock", None),
        ("agile_lock", None),
        ("java.lang.Object", None),
        ("", None),
    ] {
        assert_eq!(class_of_name(name), class, "{name}");
    }
}
