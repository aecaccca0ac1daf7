//! Locks of runtimes and kernels that only texts show: their memory is not read, the text names them.

use super::super::kinds::LockKind;
use super::{Decoded, LockRow, never};

/// A row of a lock that a text names. `has_holder`: whether somebody can hold it; `prints_holder`: whether the
/// producer prints with each thread what it holds, so that nobody is to be guessed.
const fn row(
    kind: LockKind,
    noun: &'static str,
    source: &'static str,
    has_holder: bool,
    prints_holder: bool,
) -> LockRow {
    LockRow {
        kind,
        noun,
        source,
        has_holder,
        prints_holder,
        is_reentrant: false,
        is_shared_object: true,
        recognize: never,
        arguments: &[],
        decode: |_, _, _| Decoded::nobody("the dump does not say who holds it"),
    }
}

/// A lock that its holder may take again. Those of `java.util.concurrent` nearly all are.
const fn reentrant(row: LockRow) -> LockRow {
    LockRow { is_reentrant: true, ..row }
}

/// A monitor of a JVM.
pub const JAVA_MONITOR: LockRow = reentrant(row(
    LockKind::JavaMonitor,
    "monitor",
    "OpenJDK 8-25 runtime/vframe.cpp: javaVFrame::print_lock_info_on",
    true,
    true,
));

/// A lock of `java.util.concurrent`: owners are printed with `jstack -l` only.
pub const JAVA_SYNCHRONIZER: LockRow = reentrant(row(
    LockKind::JavaSynchronizer,
    "lock",
    "OpenJDK 8-25 java/util/concurrent/locks/: classes over AbstractQueuedSynchronizer",
    true,
    false,
));

/// The initialization of a class.
pub const CLASS_INIT: LockRow = reentrant(row(
    LockKind::ClassInit,
    "class initialization",
    "OpenJDK 17-25 runtime/vframe.cpp: waiting on the Class initialization monitor for",
    true,
    false,
));

/// Go's mutex, which stores no owner.
pub const GO_MUTEX: LockRow =
    row(LockKind::GoMutex, "mutex", "Go 1.19-1.25 src/sync/mutex.go: state and sema, no owner", true, false);

/// Go's read-write mutex.
pub const GO_RWMUTEX: LockRow =
    row(LockKind::GoRwmutex, "read-write mutex", "Go 1.19-1.25 src/sync/rwmutex.go: no owner", true, false);

/// Go's wait group: threads are missing at it.
pub const GO_WAIT_GROUP: LockRow =
    row(LockKind::GoWaitGroup, "wait group", "Go 1.19-1.25 src/sync/waitgroup.go", false, false);

/// Go's channel.
pub const GO_CHANNEL: LockRow =
    row(LockKind::GoChannel, "channel", "Go 1.19-1.25 src/runtime/chan.go", false, false);

/// Python's `threading.Lock` and `RLock`.
pub const PYTHON_LOCK: LockRow = row(
    LockKind::PythonLock,
    "lock",
    "CPython 3.11 Modules/_threadmodule.c: texts print no owner",
    true,
    false,
);

/// Ruby's `Mutex` and `Monitor`.
pub const RUBY_MUTEX: LockRow =
    row(LockKind::RubyMutex, "mutex", "Ruby 3.1 thread_sync.c: texts print no owner", true, false);

/// A monitor of .NET.
pub const DOTNET_MONITOR: LockRow =
    reentrant(row(LockKind::DotnetMonitor, "monitor", ".NET SOS syncblk: owner and waiters", true, false));

/// `CRITICAL_SECTION` of Windows.
pub const CRITICAL_SECTION: LockRow = reentrant(row(
    LockKind::CriticalSection,
    "critical section",
    "winnt.h: RTL_CRITICAL_SECTION.OwningThread",
    true,
    false,
));

/// A mutex of a kernel.
pub const KERNEL_MUTEX: LockRow = row(
    LockKind::KernelMutex,
    "mutex",
    "Linux 4.19-6.18 kernel/hung_task.c, kernel/locking/lockdep.c",
    true,
    false,
);

/// A read-write semaphore of a kernel.
pub const KERNEL_RWSEM: LockRow = row(
    LockKind::KernelRwsem,
    "read-write semaphore",
    "Linux 4.19-6.18 kernel/hung_task.c, kernel/locking/lockdep.c",
    true,
    false,
);

/// A semaphore of a kernel.
pub const KERNEL_SEMAPHORE: LockRow =
    row(LockKind::KernelSemaphore, "semaphore", "Linux 4.19-6.18 kernel/hung_task.c", true, false);

/// A lock of which the text names the owner only.
pub const TURNSTILE: LockRow =
    row(LockKind::Turnstile, "lock", "macOS spindump: blocked by turnstile waiting for", true, true);

/// Another lock that a text names.
pub const OTHER: LockRow = row(LockKind::NamedLock, "lock", "the text names it", true, false);
