//! What the tests of this format have in common.

use crate::model::{LockId, Snapshot, WaitMode};

/// What a thread waits for, and how.
pub(super) fn wait(snapshot: &Snapshot, thread: usize) -> Option<(LockId, WaitMode)> {
    let wait = snapshot.threads[thread].reported_wait?;
    Some((snapshot.named_locks[wait.lock.at()].id.clone(), wait.mode))
}

/// A lock by what the text calls it.
pub(super) fn token(text: &str) -> LockId {
    LockId::Token(text.into())
}
