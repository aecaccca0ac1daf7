//! How to find who holds a lock of which a text does not tell it: by kind of lock, what shows the owner.

use super::Case;
use crate::waits::{Holder, Lock, LockKind};

/// What shows the owner of a lock.
struct Row {
    kind: LockKind,
    /// The formats of whose tools it speaks; [`ANY`]: of none.
    formats: &'static [&'static str],
    /// With `{address}` it is for locks that have one.
    advice: &'static str,
}

const ANY: &[&str] = &[];

const LOCKDEP: &str = "A kernel built with CONFIG_PROVE_LOCKING lists who has which lock: echo d > /proc/sysrq-trigger, or the \
                       hung-task report itself.";

static BY_KIND: &[Row] = &[
    Row {
        kind: LockKind::JavaSynchronizer,
        formats: &["jstack", "jcmd-json"],
        advice: "Take the dump with jstack -l (or jcmd PID Thread.print -l): it lists who owns the locks of java.util.concurrent.",
    },
    Row {
        kind: LockKind::GoMutex,
        formats: ANY,
        advice: "Go keeps no owner: look for a way out of a function that has called Lock and not Unlock (an early return, a \
               panic that was recovered from), and defer the Unlock.",
    },
    Row {
        kind: LockKind::GoRwmutex,
        formats: ANY,
        advice: "Go keeps no owner: look for a way out of a function that has called Lock or RLock and does not give it back, \
               and defer that. One reader that stays stops all writers, and they all later readers.",
    },
    Row {
        kind: LockKind::PthreadMutex,
        formats: &["gdb"],
        advice: "Ask gdb for its owner, an LWP: p ((pthread_mutex_t *) {address})->__data.__owner, or read a core of the process \
               (gcore PID), in which owners stand.",
    },
    Row {
        kind: LockKind::PthreadRwlock,
        formats: &["gdb"],
        advice: "Ask gdb for its writer, an LWP: p ((pthread_rwlock_t *) {address})->__data.__cur_writer (0: readers have it), or \
               read a core of the process (gcore PID).",
    },
    Row {
        kind: LockKind::DotnetMonitor,
        formats: ANY,
        advice: "Let SOS tell its owner: dotnet-dump collect -p PID, dotnet-dump analyze, and there syncblk beside clrstack -all.",
    },
    Row {
        kind: LockKind::CriticalSection,
        formats: ANY,
        advice: "Let the debugger tell its owner: !locks or !cs -l -o beside the stacks.",
    },
    Row {
        kind: LockKind::PythonLock,
        formats: ANY,
        advice: "Python prints no owner: look for an acquire() that a way out leaves without release(), and use with.",
    },
    Row { kind: LockKind::KernelMutex, formats: ANY, advice: LOCKDEP },
    Row { kind: LockKind::KernelRwsem, formats: ANY, advice: LOCKDEP },
];

/// Of a dump that lists all owners, a lock that nobody owns.
const NO_OWNER: &str = "The dump lists who owns locks, and nobody owns this one: readers have it, or a stamp or permit \
                        that has no owner. Look for a readLock().lock() that a way out leaves without unlock().";

/// What to do where nothing better is known.
fn general(lock: &str) -> String {
    format!(
        "Find who takes {lock} and does not give it back: a second dump, or a breakpoint on its unlock, shows it."
    )
}

/// What shows the owner of a lock, `name` in a sentence.
pub(super) fn of(case: &Case<'_>, lock: &Lock, name: &str) -> String {
    let is_text = case.snapshot.image.is_none();
    if !matches!(lock.holder, Holder::Unknown { .. }) {
        return general(name);
    }
    if lock.kind == LockKind::JavaSynchronizer && case.snapshot.lists_owners {
        return NO_OWNER.into();
    }
    let format = case.snapshot.source.format.id();
    let is_meant =
        |row: &&Row| row.kind == lock.kind && (row.formats.is_empty() || row.formats.contains(&format));
    let row = BY_KIND.iter().find(|row| is_text && is_meant(row));
    match (row.map(|row| row.advice), lock.address) {
        (Some(advice), Some(address)) => advice.replace("{address}", &format!("{address:#x}")),
        (Some(advice), None) if !advice.contains("{address}") => advice.into(),
        _ => general(name),
    }
}
