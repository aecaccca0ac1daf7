//! `sem_t` of glibc (64-bit): the value at 0 is the futex word, the number of waiters at 4.

use super::super::kinds::{LockKind, State};
use super::futex_call::Command;
use super::{Decoded, FutexSite, LockRow, Recognized};
use crate::normalize::WaitKind;

/// The row of this kind.
pub const ROW: LockRow = LockRow {
    kind: LockKind::Semaphore,
    noun: "semaphore",
    source: "glibc 2.36 nptl/sem_waitcommon.c",
    has_holder: false,
    prints_holder: false,
    is_reentrant: false,
    is_shared_object: true,
    recognize,
    arguments: &["sem", "__sem", "futex_word"],
    decode: |_, _, _| Decoded::nobody("a semaphore does not store who took it"),
};

fn recognize(site: &FutexSite<'_>) -> Option<Recognized> {
    let call = site.call;
    let is_named = site.named == Some(WaitKind::Semaphore);
    let is_fingerprint = call.command == Command::WaitBitset && call.value == 0 && call.is_realtime;
    let has_waiters =
        || site.memory.half(call.word.checked_add(4)?).map(|waiters| (1..=1 << 20).contains(&waiters));
    let is_semaphore = is_named
        || (is_fingerprint
            && matches!(site.named, None | Some(WaitKind::Futex))
            && call.word.is_multiple_of(8)
            && has_waiters().unwrap_or(false)
            && site.memory.half(call.word) == Some(0));
    is_semaphore.then_some(Recognized { object: call.word, state: State::CondWait })
}
