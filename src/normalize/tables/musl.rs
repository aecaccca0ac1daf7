//! musl and bionic: the names that differ from glibc's.

use super::row::*;
use crate::normalize::ResourceClass::Stdio;
use crate::normalize::WaitKind::*;

/// All rows.
pub static TABLE: &[Source] = &[
    source(
        "musl 1.2.3 src/thread/__timedwait.c, __wait.c, pthread_mutex_timedlock.c",
        &[
            wait("timedwait", Futex),
            wait("timedwait_cp", Futex),
            wait("futexwait", Futex),
            wait("futex4_cp", Futex),
            lock("pthread_mutex_timedlock_pi", Mutex),
            lock("lockfile", StdioFile).of(Stdio),
        ],
    ),
    only(
        Scope::Libc,
        "musl 1.2.3 src/thread/__lock.c, __wait.c: bare words behind two underscores",
        &[lock("lock", Mutex), wait("__wait", Futex)],
    ),
    source(
        "musl 1.2.3 src/thread/x86_64/syscall_cp.s, src/thread/pthread_cancel.c",
        &[
            runtime("syscall_cp"),
            runtime("syscall_cp_c"),
            runtime("syscall_cp_asm"),
            runtime("cp_end"),
            runtime("cp_begin"),
        ],
    ),
    source(
        "musl 1.2.3 src/stdio/: what printf and its kin are made of",
        &[
            runtime("stdio_write").of(Stdio),
            runtime("stdio_read").of(Stdio),
            runtime("stdout_write").of(Stdio),
            runtime("fwritex").of(Stdio),
            runtime("printf_core").of(Stdio),
            runtime("ofl_lock").of(Stdio),
        ],
    ),
    source(
        "Android bionic libc/bionic/pthread_mutex.cpp, pthread_cond.cpp, bionic_futex.cpp, arch-arm64/syscalls",
        &[
            lock("NonPI::MutexLockWithTimeout", Mutex),
            lock("PIMutexTimedLock", Mutex),
            // Android 5 to 7.
            lock("pthread_mutex_lock_with_timeout", Mutex),
            lock("NonPI::NormalMutexLock", Mutex),
            lock("NonPI::RecursiveOrErrorcheckMutexWait", Mutex),
            wait("pthread_cond_timedwait_relative_np", Condition),
            wait("futex_wait_ex", Futex),
            wait("FutexWithTimeout", Futex),
        ],
    ),
];
