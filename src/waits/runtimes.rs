//! Which kind of lock a lock function of a runtime takes, as its name or file tells.

use super::kinds::LockKind;
use crate::model::Frame;

/// Beginnings of normalized names: the runtime's mutex and its read-write lock.
const NAMES: &[(&str, LockKind, LockKind)] = &[
    ("sync.", LockKind::GoMutex, LockKind::GoRwmutex),
    ("internal/sync.", LockKind::GoMutex, LockKind::GoRwmutex),
    ("runtime.sem", LockKind::GoMutex, LockKind::GoRwmutex),
    ("internal/poll.", LockKind::GoMutex, LockKind::GoRwmutex),
    ("java.", LockKind::JavaSynchronizer, LockKind::JavaSynchronizer),
    ("jdk.", LockKind::JavaSynchronizer, LockKind::JavaSynchronizer),
    ("RtlEnterCriticalSection", LockKind::CriticalSection, LockKind::CriticalSection),
    ("RtlpEnterCriticalSection", LockKind::CriticalSection, LockKind::CriticalSection),
    ("RtlpWaitForCriticalSection", LockKind::CriticalSection, LockKind::CriticalSection),
    ("RtlpWaitOnCriticalSection", LockKind::CriticalSection, LockKind::CriticalSection),
    ("EnterCriticalSection", LockKind::CriticalSection, LockKind::CriticalSection),
    ("RtlAcquireSRWLock", LockKind::NamedLock, LockKind::NamedLock),
    ("RtlpAcquireSRWLock", LockKind::NamedLock, LockKind::NamedLock),
    ("AcquireSRWLock", LockKind::NamedLock, LockKind::NamedLock),
    ("JIT_Mon", LockKind::DotnetMonitor, LockKind::DotnetMonitor),
    ("JITutil_Mon", LockKind::DotnetMonitor, LockKind::DotnetMonitor),
    ("AwareLock::", LockKind::DotnetMonitor, LockKind::DotnetMonitor),
    ("_dispatch_", LockKind::NamedLock, LockKind::NamedLock),
    ("dispatch_sync", LockKind::NamedLock, LockKind::NamedLock),
    ("__DISPATCH_WAIT_FOR_QUEUE__", LockKind::NamedLock, LockKind::NamedLock),
    ("mutex_wait_contended_lock", LockKind::NamedLock, LockKind::NamedLock),
    ("System.Threading.", LockKind::DotnetMonitor, LockKind::DotnetMonitor),
];

/// Ends of files in which functions of a language stand.
const FILES: &[(&str, LockKind)] = &[
    (".py", LockKind::PythonLock),
    ("<frozen importlib._bootstrap>", LockKind::PythonLock),
    (".java", LockKind::JavaMonitor),
    (".kt", LockKind::JavaMonitor),
    (".scala", LockKind::JavaMonitor),
    (".groovy", LockKind::JavaMonitor),
    (".rb", LockKind::RubyMutex),
    (".js", LockKind::NamedLock),
    (".mjs", LockKind::NamedLock),
    (".cjs", LockKind::NamedLock),
    (".ts", LockKind::NamedLock),
];

/// The kind of a lock that a function with this name takes, where a runtime has its own; `base`: what the name
/// alone means.
pub(super) fn lock_kind(base: LockKind, name: &str, frame: &Frame) -> Option<LockKind> {
    let is_rw = match base {
        LockKind::PthreadMutex => false,
        LockKind::PthreadRwlock => true,
        _ => return None,
    };
    if let Some(&(_, mutex, rwlock)) = NAMES.iter().find(|(start, ..)| name.starts_with(start)) {
        return Some(if is_rw { rwlock } else { mutex });
    }
    let file = frame.file.as_deref()?;
    FILES.iter().find(|(end, _)| file.ends_with(end)).map(|(_, kind)| *kind)
}

/// The kind of a lock that a task of a kernel waits for.
pub(super) fn kernel_lock(base: LockKind) -> Option<LockKind> {
    match base {
        LockKind::PthreadMutex => Some(LockKind::KernelMutex),
        LockKind::PthreadRwlock => Some(LockKind::KernelRwsem),
        LockKind::Semaphore => Some(LockKind::KernelSemaphore),
        _ => None,
    }
}
