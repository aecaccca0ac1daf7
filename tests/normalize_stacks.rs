//! What whole stacks mean. Stacks are written newest first, `function` or `function @ file`.

use logjam::model::{Frame, FrameKind, StackTable};
use logjam::normalize::{Meanings, ResourceClass, Role, StackMeaning, WaitKind, read};

struct Read {
    names: Vec<String>,
    meaning: StackMeaning,
}

fn stack(frames: &[&str]) -> Read {
    let mut stacks = StackTable::default();
    let ixs: Vec<_> = frames
        .iter()
        .map(|text| {
            let (function, file) = text.split_once(" @ ").map_or((*text, None), |(f, at)| (f, Some(at)));
            let kind =
                if function.starts_with("<signal") { FrameKind::SignalHandler } else { FrameKind::Normal };
            let frame = Frame {
                function: Some(function.into()),
                file: file.map(Into::into),
                kind,
                ..Frame::default()
            };
            stacks.frame(&frame, std::iter::empty())
        })
        .collect();
    let meanings = Meanings::of(&stacks);
    Read {
        names: ixs.iter().map(|&ix| meanings.get(ix).name.to_string()).collect(),
        meaning: read(&ixs, &stacks, &meanings),
    }
}

impl Read {
    fn name(&self, at: Option<usize>) -> &str {
        at.map_or("", |at| self.names[at].as_str())
    }

    fn signature(&self) -> String {
        self.meaning
            .meaningful
            .iter()
            .map(|&at| self.names[at as usize].as_str())
            .collect::<Vec<_>>()
            .join(" < ")
    }
}

/// The frames of the program under each wait.
const PROGRAM: [&str; 4] = ["log_message", "handle", "worker", "start_thread"];

#[test]
fn one_lock_in_many_shapes_is_one_wait() {
    for wait in [
        &["__GI___lll_lock_wait", "___pthread_mutex_lock"][..],
        &["futex_wait", "__GI___lll_lock_wait", "lll_mutex_lock_optimized", "___pthread_mutex_lock"],
        &[
            "__lll_lock_wait",
            "_L_lock_909",
            "__GI___pthread_mutex_lock",
            "__gthread_mutex_lock",
            "std::mutex::lock",
        ],
        &[
            "syscall",
            "__lll_lock_wait",
            "pthread_mutex_lock",
            "lock @ /usr/include/c++/12/bits/std_mutex.h",
            "std::lock_guard<std::mutex>::lock_guard",
        ],
        &[
            "__lll_lock_wait",
            "pthread_mutex_lock",
            "std::unique_lock<std::mutex>::lock",
            "std::unique_lock<std::mutex>::unique_lock",
        ],
        &[
            "syscall",
            "std::sys::pal::unix::futex::futex_wait",
            "std::sys::sync::mutex::futex::Mutex::lock_contended",
            "std::sync::poison::mutex::Mutex<T>::lock",
        ],
        &["__psynch_mutexwait", "_pthread_mutex_firstfit_lock_wait", "_pthread_mutex_firstfit_lock_slow"],
        &[
            "runtime.gopark",
            "runtime.goparkunlock",
            "runtime.semacquire1",
            "sync.runtime_SemacquireMutex",
            "sync.(*Mutex).lockSlow",
            "sync.(*Mutex).Lock",
        ],
        &[
            "jdk.internal.misc.Unsafe.park",
            "java.util.concurrent.locks.LockSupport.park",
            "java.util.concurrent.locks.AbstractQueuedSynchronizer.acquire",
            "java.util.concurrent.locks.ReentrantLock.lock",
        ],
        &[
            "java.lang.Object.wait",
            "java.lang.Thread.parkFor$",
            "sun.misc.Unsafe.park",
            "java.util.concurrent.locks.LockSupport.park",
            "java.util.concurrent.locks.AbstractQueuedSynchronizer.acquire",
            "java.util.concurrent.locks.ReentrantLock.lock",
        ],
        &[
            "jrockit.vm.Threads.waitForUnblockSignal",
            "jrockit.vm.Locks.fatLockBlockOrSpin",
            "jrockit.vm.Locks.monitorEnter",
        ],
    ] {
        let frames: Vec<&str> = wait.iter().chain(&PROGRAM).copied().collect();
        let got = stack(&frames);
        assert_eq!((got.meaning.role, got.meaning.wait), (Role::Lock, Some(WaitKind::Mutex)), "{wait:?}");
        assert_eq!(got.meaning.wait_frame, Some(wait.len() - 1), "{wait:?}");
        assert_eq!(got.signature(), "log_message < handle < worker", "{wait:?}");
        assert_eq!(got.name(got.meaning.caller), "log_message");
        assert_eq!(got.meaning.class, Some(ResourceClass::Logging));
        assert!(!got.meaning.is_idle_pool && !got.meaning.is_abort);
    }
}

#[test]
fn kinds_of_waits() {
    use WaitKind::*;
    for (frames, role, wait) in [
        (
            &[
                "__futex_abstimed_wait_common64",
                "__futex_abstimed_wait_common",
                "__pthread_cond_wait_common",
                "___pthread_cond_wait",
                "f",
            ][..],
            Role::Wait,
            Condition,
        ),
        (&["__lll_lock_wait", "__pthread_mutex_cond_lock", "pthread_cond_wait", "f"], Role::Lock, Mutex),
        (
            &["__lll_lock_wait", "pthread_mutex_lock", "g_mutex_lock", "g_async_queue_pop", "f"],
            Role::Lock,
            Mutex,
        ),
        (&["do_futex_wait", "__new_sem_wait_slow64", "__new_sem_wait", "f"], Role::Wait, Semaphore),
        (
            &[
                "__ulock_wait",
                "_dispatch_ulock_wait",
                "_dispatch_thread_event_wait_slow",
                "_dispatch_barrier_sync_f_slow",
                "f",
            ],
            Role::Lock,
            Mutex,
        ),
        (&["__ulock_wait", "_dlock_wait", "_dispatch_group_wait_slow", "f"], Role::Wait, Future),
        (&["WaitForSingleObjectExImplementation", "WaitForSingleObject", "f"], Role::Wait, Futex),
        (
            &["futex_wait", "__pthread_rwlock_wrlock_full", "___pthread_rwlock_wrlock", "f"],
            Role::Lock,
            RwLockWrite,
        ),
        (
            &["futex_wait", "pthread_rwlock_rdlock", "std::shared_mutex::lock_shared()", "f"],
            Role::Lock,
            RwLockRead,
        ),
        (
            &["__futex_abstimed_wait_common64", "__pthread_clockjoin_ex", "std::thread::join()", "f"],
            Role::Wait,
            Join,
        ),
        (
            &[
                "syscall",
                "std::__atomic_futex_unsigned_base::_M_futex_wait_until",
                "std::__future_base::_State_baseV2::wait",
                "f",
            ],
            Role::Wait,
            Future,
        ),
        (&["syscall", "__cxa_guard_acquire", "f"], Role::Lock, Once),
        (&["futex_wait", "__pthread_once_slow", "std::call_once<void (&)()>", "f"], Role::Lock, Once),
        (&["pthread_spin_lock", "f"], Role::Spin, SpinLock),
        (&["sched_yield", "SpinLock::lock", "f"], Role::Spin, SpinLock),
        (&["__GI___libc_write", "log_sink_write", "f"], Role::Io, Write),
        (&["__GI___clock_nanosleep", "__GI___nanosleep", "__sleep", "f"], Role::Sleep, Sleep),
        (&["epoll_wait", "f"], Role::Idle, Poll),
        (&["__libc_accept", "f"], Role::Idle, Accept),
        (&["__lll_lock_wait_private", "_int_free", "__GI___libc_free", "f"], Role::Lock, Allocator),
        (&["__lll_lock_wait_private", "__GI__IO_puts", "f"], Role::Lock, StdioFile),
        (
            &["__lll_lock_wait", "___pthread_mutex_lock", "__GI___dl_iterate_phdr", "_Unwind_Find_FDE", "f"],
            Role::Lock,
            Loader,
        ),
        (
            &["std::sys::sync::thread_parking::futex::Parker::park", "std::thread::park", "f"],
            Role::Wait,
            Future,
        ),
        (&["syscall", "io_loop", "f"], Role::Wait, Futex),
        (&["syscall", "my_epoll_wait", "f"], Role::Idle, Poll),
        (&["sem_wait", "PyThread_acquire_lock_timed", "lock_PyThread_acquire_lock", "f"], Role::Lock, Mutex),
        (
            &[
                "sem_wait",
                "PyThread_acquire_lock_timed",
                "lock_PyThread_acquire_lock",
                "wait @ threading.py",
                "f",
            ],
            Role::Wait,
            Condition,
        ),
        (
            &["pthread_cond_timedwait", "take_gil", "PyEval_RestoreThread", "time_sleep", "f"],
            Role::Lock,
            Mutex,
        ),
    ] {
        let got = stack(frames);
        assert_eq!((got.meaning.role, got.meaning.wait), (role, Some(wait)), "{frames:?}");
    }
}

#[test]
fn a_lock_inside_of_a_wait_is_the_frame_that_waits() {
    let got = stack(&["__lll_lock_wait", "__pthread_mutex_cond_lock", "pthread_cond_wait", "f"]);
    assert_eq!(got.name(got.meaning.wait_frame), "pthread_mutex_cond_lock");
    let got = stack(&["pthread_cond_timedwait", "take_gil", "PyEval_RestoreThread", "time_sleep", "f"]);
    assert_eq!(got.name(got.meaning.wait_frame), "PyEval_RestoreThread");
    assert_eq!(got.meaning.class, Some(ResourceClass::Gil));
    assert_eq!(got.signature(), "f");
}

#[test]
fn what_waits_for_work() {
    for frames in [
        &["pthread_cond_wait", "ThreadPool::worker()", "start_thread"][..],
        &["pthread_cond_wait", "BlockingQueue<Job>::pop()", "serve", "start_thread"],
        &[
            "futex_wait",
            "pthread_cond_wait",
            "std::condition_variable::wait",
            "ThreadPool::ThreadPool(unsigned)::{lambda()#1}::operator()() const",
            "execute_native_thread_routine",
        ],
        &["pthread_cond_wait", "cv_wait", "wait_for_job", "run", "start_thread"],
        &["pthread_cond_wait", "idle", "start_thread"],
        &["pthread_cond_timedwait", "stats_thread", "start_thread"],
        &["do_futex_wait", "sem_wait", "duckdb::TaskScheduler::ExecuteForever", "start_thread"],
        &["epoll_wait", "uv__io_poll", "uv_run", "main"],
        &["poll", "g_main_context_poll", "g_main_context_iterate.isra.24", "g_main_loop_run", "main"],
        &[
            "jdk.internal.misc.Unsafe.park",
            "java.util.concurrent.locks.LockSupport.park",
            "java.util.concurrent.locks.AbstractQueuedSynchronizer$ConditionObject.await",
            "java.util.concurrent.LinkedBlockingQueue.take",
            "java.util.concurrent.ThreadPoolExecutor.getTask",
            "java.util.concurrent.ThreadPoolExecutor.runWorker",
            "java.util.concurrent.ThreadPoolExecutor$Worker.run",
            "java.lang.Thread.run",
        ],
        &[
            "sun.misc.Unsafe.park",
            "scala.concurrent.forkjoin.ForkJoinPool.scan",
            "scala.concurrent.forkjoin.ForkJoinPool.runWorker",
            "scala.concurrent.forkjoin.ForkJoinWorkerThread.run",
        ],
        &[
            "java.lang.Object.wait",
            "java.lang.ref.ReferenceQueue.remove",
            "java.lang.ref.Finalizer$FinalizerThread.run",
        ],
        &[
            "wait @ threading.py",
            "get @ queue.py",
            "_worker @ concurrent/futures/thread.py",
            "run @ threading.py",
        ],
    ] {
        let got = stack(frames);
        assert!(got.meaning.is_idle_pool, "{frames:?}");
        assert!(!got.meaning.meaningful.is_empty(), "{frames:?}");
    }
}

#[test]
fn what_waits_for_something_else_is_not_idle() {
    for frames in [
        &["pthread_cond_wait", "wait_for_reply", "call_server", "worker", "start_thread"][..],
        &["pthread_cond_wait", "ConnectionPool::acquire", "handle_request", "worker", "start_thread"],
        &["pthread_cond_wait", "ThreadPool::wait_all_done", "main"],
        &["pthread_cond_wait", "Queue::push", "worker", "start_thread"],
        &["pthread_cond_wait", "Latch::wait", "compute", "worker", "start_thread"],
        &["__lll_lock_wait", "pthread_mutex_lock", "ThreadPool::worker", "start_thread"],
        &["pthread_clockjoin_ex", "worker_pool_stop", "main"],
        &["pthread_cond_wait", "transfer_funds", "start_thread"],
        &["wait4", "worker", "start_thread"],
        &["pthread_cond_wait", "main"],
        &["compute", "worker", "start_thread"],
    ] {
        assert!(!stack(frames).meaning.is_idle_pool, "{frames:?}");
    }
}

#[test]
fn abort_plumbing_is_cut() {
    for (frames, signature) in [
        (
            &["KiBugCheckDebugBreak", "KeBugCheck2", "KeBugCheckEx", "MiSystemFault", "read_disk"][..],
            "read_disk",
        ),
        (
            &[
                "node::OOMErrorHandler(char const*, v8::OOMDetails const&)",
                "v8::internal::V8::FatalProcessOutOfMemory(v8::internal::Isolate*, char const*)",
                "v8::internal::Heap::CollectGarbage(v8::internal::AllocationSpace)",
                "v8::internal::Factory::NewFillerObject(int)",
            ],
            "v8::internal::Heap::CollectGarbage",
        ),
        (
            &[
                "__pthread_kill_implementation",
                "__pthread_kill_internal",
                "__GI___pthread_kill",
                "__GI_raise",
                "__GI_abort",
                "check",
                "main",
                "__libc_start_call_main",
            ][..],
            "check < main",
        ),
        (
            &[
                "__GI_raise",
                "__GI_abort",
                "__gnu_cxx::__verbose_terminate_handler()",
                "??",
                "std::terminate()",
                "__cxa_throw",
                "parse",
                "main",
            ],
            "parse < main",
        ),
        (
            &[
                "__GI_raise",
                "__GI_abort",
                "my_terminate_handler()",
                "__cxxabiv1::__terminate(void (*)())",
                "std::terminate()",
                "parse",
                "main",
            ],
            "parse < main",
        ),
        (
            &[
                "abort",
                "std::sys::pal::unix::abort_internal",
                "std::process::abort",
                "rust_begin_unwind",
                "core::panicking::panic_fmt",
                "core::result::unwrap_failed",
                "app::run",
                "app::main",
            ],
            "app::run < app::main",
        ),
        (
            &["raise", "abort", "crash_handler(int)", "<signal handler called>", "strlen_of_null", "main"],
            "strlen_of_null < main",
        ),
        (
            &[
                "wait4",
                "google_breakpad::ExceptionHandler::GenerateDump",
                "google_breakpad::ExceptionHandler::SignalHandler",
                "<signal handler called>",
                "f",
                "main",
            ],
            "f < main",
        ),
    ] {
        let got = stack(frames);
        assert!(got.meaning.is_abort, "{frames:?}");
        assert_eq!(got.signature(), signature, "{frames:?}");
    }
}

#[test]
fn a_handler_that_locks_waits_for_the_lock() {
    let got = stack(&[
        "__lll_lock_wait",
        "pthread_mutex_lock",
        "log_message",
        "on_sigusr1",
        "<signal handler called>",
        "log_message",
        "worker",
        "start_thread",
    ]);
    assert_eq!((got.meaning.role, got.meaning.wait), (Role::Lock, Some(WaitKind::Mutex)));
    assert!(!got.meaning.is_abort);
    assert_eq!(got.signature(), "log_message < on_sigusr1 < <signal handler called> < log_message < worker");
}

#[test]
fn a_near_miss_of_an_abort() {
    for frames in [
        &["compute", "main"][..],
        &[
            "__lll_lock_wait",
            "pthread_mutex_lock",
            "dl_iterate_phdr",
            "_Unwind_Find_FDE",
            "_Unwind_RaiseException",
            "__cxa_throw",
            "f",
            "main",
        ],
        &["abort_transaction", "main"],
    ] {
        assert!(!stack(frames).meaning.is_abort, "{frames:?}");
    }
}

#[test]
fn frames_that_run() {
    let got = stack(&["_int_malloc", "__GI___libc_malloc", "operator new(unsigned long)", "build", "main"]);
    assert_eq!(
        (got.meaning.wait, got.meaning.role, got.meaning.class),
        (None, Role::Runtime, Some(ResourceClass::Allocator))
    );
    assert_eq!(got.signature(), "operator new < build < main");
    assert_eq!(got.name(got.meaning.caller), "build");
    let got = stack(&[
        "compute",
        "worker",
        "std::thread::_State_impl<std::thread::_Invoker<int> >::_M_run()",
        "execute_native_thread_routine",
        "start_thread",
        "clone3",
        "??",
    ]);
    assert_eq!((got.meaning.wait, got.meaning.role), (None, Role::User));
    assert_eq!(got.signature(), "compute < worker");
}

#[test]
fn something_is_always_kept() {
    for frames in [
        &["epoll_wait", "start_thread", "clone3"][..],
        &["__lll_lock_wait"],
        &["start_thread", "clone3"],
        &["??", "??"],
        &["raise", "abort"],
        &["<signal handler called>"],
    ] {
        let got = stack(frames);
        assert_eq!(got.meaning.meaningful.len(), 1, "{frames:?}");
    }
    assert_eq!(stack(&[]).meaning, StackMeaning::default());
    assert_eq!(stack(&["epoll_wait", "start_thread"]).signature(), "epoll_wait");
}

#[test]
fn stdio_between_a_lock_and_the_program() {
    let got = stack(&[
        "__psynch_mutexwait",
        "_pthread_mutex_lock_wait",
        "_pthread_mutex_lock_slow",
        "flockfile",
        "vfprintf_l",
        "printf",
        "consumer_routine",
        "_pthread_body",
        "_pthread_start",
        "thread_start",
    ]);
    assert_eq!((got.meaning.role, got.meaning.wait), (Role::Lock, Some(WaitKind::StdioFile)));
    assert_eq!(got.meaning.class, Some(ResourceClass::Stdio));
    assert_eq!(got.signature(), "printf < consumer_routine");
    assert_eq!(got.name(got.meaning.caller), "consumer_routine");
}

/// Kernel stacks begin with how the task left its processor, and end with how it died.
#[test]
fn the_kernel_s_own_frames_are_passed_over() {
    let read = stack(&[
        "__switch_to",
        "__schedule",
        "schedule",
        "schedule_preempt_disabled",
        "__mutex_lock",
        "mutex_lock",
        "log_append",
    ]);
    assert_eq!((read.meaning.wait, read.name(read.meaning.caller)), (Some(WaitKind::Mutex), "log_append"));
    assert_eq!(read.signature(), "log_append");
    assert_eq!(stack(&["__switch_to", "log_append", "log_write"]).signature(), "log_append < log_write");
    let read = stack(&["vpanic", "panic", "handle_bad_stack", "log_append", "log_write"]);
    assert_eq!((read.signature().as_str(), read.meaning.is_abort), ("log_append < log_write", true));
    assert_eq!(stack(&["__arm64_sys_futex", "el0_svc_common"]).meaning.wait, Some(WaitKind::Futex));
}
