//! From what a stack means to what its thread does.

use super::kinds::{LockKind, State};
use crate::normalize::{Role, StackMeaning, WaitKind};

/// What a wait of this kind makes of a thread, and the kind of its lock where it is one.
///
/// A condition variable is never contention by itself, and a poller is idle as it should be.
const WAITS: &[(WaitKind, State, Option<LockKind>)] = &[
    (WaitKind::Mutex, State::LockWait, Some(LockKind::PthreadMutex)),
    (WaitKind::RwLockRead, State::LockWait, Some(LockKind::PthreadRwlock)),
    (WaitKind::RwLockWrite, State::LockWait, Some(LockKind::PthreadRwlock)),
    (WaitKind::Once, State::LockWait, Some(LockKind::Once)),
    (WaitKind::StdioFile, State::LockWait, Some(LockKind::StdioFile)),
    (WaitKind::Allocator, State::LockWait, Some(LockKind::MallocArena)),
    (WaitKind::Loader, State::LockWait, Some(LockKind::Loader)),
    (WaitKind::SpinLock, State::Spinning, Some(LockKind::Spinlock)),
    (WaitKind::Condition, State::CondWait, Some(LockKind::Condvar)),
    (WaitKind::Semaphore, State::CondWait, Some(LockKind::Semaphore)),
    (WaitKind::Barrier, State::CondWait, Some(LockKind::Barrier)),
    (WaitKind::Future, State::CondWait, None),
    (WaitKind::Futex, State::CondWait, Some(LockKind::Futex)),
    (WaitKind::Join, State::JoinWait, None),
    (WaitKind::Child, State::JoinWait, None),
    (WaitKind::Poll, State::Idle, None),
    (WaitKind::Accept, State::Idle, None),
    (WaitKind::Signal, State::Idle, None),
    (WaitKind::Work, State::Idle, None),
    (WaitKind::Sleep, State::Sleeping, None),
    (WaitKind::Read, State::IoWait, None),
    (WaitKind::Write, State::IoWait, None),
    (WaitKind::Sync, State::IoWait, None),
    (WaitKind::OtherIo, State::IoWait, None),
];

/// The state that a wait of this kind means.
pub(super) fn state_of(kind: WaitKind) -> State {
    WAITS.iter().find(|(k, ..)| *k == kind).map_or(State::Unknown, |(_, state, _)| *state)
}

/// The kind of lock that a wait of this kind is for.
pub(super) fn lock_kind_of(kind: WaitKind) -> Option<LockKind> {
    WAITS.iter().find(|(k, ..)| *k == kind).and_then(|(.., lock)| *lock)
}

/// The state of a thread of which only the stack is known.
pub(super) fn state_of_stack(stack: &StackMeaning, has_frames: bool) -> State {
    match stack.wait {
        _ if stack.is_abort => State::Running,
        Some(kind) => refine(state_of(kind), stack),
        None => match stack.role {
            Role::Io => State::IoWait,
            Role::Sleep => State::Sleeping,
            Role::Idle => State::Idle,
            Role::Runtime if stack.class.is_some() => State::Runtime,
            _ if has_frames && !stack.is_nameless => State::Running,
            _ => State::Unknown,
        },
    }
}

/// A worker that waits for work is idle, whatever it sleeps on.
pub(super) fn refine(state: State, stack: &StackMeaning) -> State {
    match state {
        State::CondWait | State::IoWait | State::Sleeping | State::Unknown if stack.is_idle_pool => {
            State::Idle
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_wait_has_one_row() {
        for (n, (kind, ..)) in WAITS.iter().enumerate() {
            assert!(WAITS[n + 1..].iter().all(|(other, ..)| other != kind), "{kind:?} twice");
        }
    }
}
