//! `pthread_cond_t` of glibc: a wait for an event, never contention by itself.
//!
//! Waiters of one condition variable sleep on two words: `__g_signals` at 40 and 44 (glibc
//! 2.25–2.40), 32 and 36 (from 2.41). `__wrefs` (waiters × 8) lies at 36, from 2.41 on at 28.

use super::super::kinds::{LockKind, State};
use super::futex_call::Command;
use super::{Decoded, FutexSite, LockRow, Recognized};
use crate::model::AddressSpace;
use crate::normalize::WaitKind;

/// A layout: where the two words and the number of waiters lie.
struct Layout {
    words: u64,
    waiters: u64,
}

const LAYOUTS: &[Layout] = &[Layout { words: 40, waiters: 36 }, Layout { words: 32, waiters: 28 }];

/// The row of this kind.
pub const ROW: LockRow = LockRow {
    kind: LockKind::Condvar,
    noun: "condition variable",
    source: "glibc 2.36 sysdeps/nptl/bits/thread-shared-types.h; glibc 2.41 nptl/pthread_cond_wait.c",
    has_holder: false,
    prints_holder: false,
    is_reentrant: false,
    is_shared_object: true,
    recognize,
    arguments: &["cond", "__cond", "condvar"],
    decode: |_, _, _| Decoded::nobody("a condition variable has no holder: somebody has to signal it"),
};

fn recognize(site: &FutexSite<'_>) -> Option<Recognized> {
    let call = site.call;
    let is_named = site.named == Some(WaitKind::Condition);
    let is_fingerprint = call.command == Command::WaitBitset && call.value == 0;
    let is_unnamed = matches!(site.named, None | Some(WaitKind::Futex));
    if !(is_named || is_fingerprint && is_unnamed) {
        return None;
    }
    let object = object(site).or_else(|| is_named.then_some(call.word))?;
    Some(Recognized { object, state: State::CondWait })
}

/// The condition variable in which the futex word lies, if there is one.
pub(super) fn object(site: &FutexSite<'_>) -> Option<u64> {
    LAYOUTS.iter().find_map(|layout| fits(site.call.word, layout, site.memory))
}

/// The object, if its number of waiters is possible. The object is aligned to 8, so the word
/// tells by its address which of the two it is.
fn fits(word: u64, layout: &Layout, memory: &dyn AddressSpace) -> Option<u64> {
    let object = word.checked_sub(layout.words + word % 8)?;
    let waiters = memory.half(object.checked_add(layout.waiters)?)? >> 3;
    (1..=1 << 20).contains(&waiters).then_some(object)
}
