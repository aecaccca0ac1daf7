//! A futex of which nothing better is known.

use super::super::kinds::{LockKind, State};
use super::futex_call::Command;
use super::{Decoded, FutexSite, LockRow, Recognized};
use crate::normalize::WaitKind;

/// The row of this kind.
pub const ROW: LockRow = LockRow {
    kind: LockKind::Futex,
    noun: "futex",
    source: "linux/futex.h",
    has_holder: true,
    prints_holder: false,
    is_reentrant: false,
    is_shared_object: true,
    recognize,
    arguments: &["futex_word", "futex", "uaddr"],
    decode: |_, _, _| Decoded::nobody("nothing around the futex word looks like a lock with an owner"),
};

/// Value 2 in a plain wait is glibc's low-level lock (`0 free, 1 held, 2 held with waiters`); any
/// other value says only that the thread waits for somebody to change the word.
fn recognize(site: &FutexSite<'_>) -> Option<Recognized> {
    let call = site.call;
    let is_own_word = site.thread_pointer.is_some_and(|tp| tp.abs_diff(call.word) < 4_096)
        || (call.word > site.sp && call.word - site.sp < 64 << 10);
    let is_lock = call.command == Command::LockPi
        || (call.command == Command::Wait && call.is_private && call.value == 2 && !is_own_word);
    let state = match site.named {
        Some(WaitKind::Futex) | None if is_lock => State::LockWait,
        Some(WaitKind::Mutex | WaitKind::RwLockRead | WaitKind::RwLockWrite) => State::LockWait,
        _ => State::CondWait,
    };
    Some(Recognized { object: call.word, state })
}
