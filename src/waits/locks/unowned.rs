//! Bare locks of glibc that only the names in the stack tell apart, and that store no owner.

use super::super::kinds::{LockKind, State};
use super::futex_call::Command;
use super::{Decoded, FutexSite, LockRow, Recognized};
use crate::normalize::WaitKind;

/// The lock of a malloc arena: a low-level `int`.
pub const ARENA: LockRow = LockRow {
    kind: LockKind::MallocArena,
    noun: "lock of a malloc arena",
    source: "glibc 2.36 malloc/arena.c",
    has_holder: true,
    prints_holder: false,
    is_reentrant: false,
    is_shared_object: true,
    recognize: |site| named(site, WaitKind::Allocator, State::LockWait, 0),
    arguments: &["futex", "futex_word"],
    decode: |_, _, _| Decoded::nobody("the lock of a malloc arena stores no owner"),
};

/// The locks of the dynamic linker.
pub const LOADER: LockRow = LockRow {
    kind: LockKind::Loader,
    noun: "lock of the dynamic linker",
    source: "glibc 2.36 elf/dl-open.c",
    has_holder: true,
    prints_holder: false,
    is_reentrant: false,
    is_shared_object: true,
    recognize: |site| named(site, WaitKind::Loader, State::LockWait, 0),
    arguments: &["mutex", "futex", "futex_word"],
    decode: super::pthread_mutex::ROW.decode,
};

/// A one-time initialization that another thread runs.
pub const ONCE: LockRow = LockRow {
    kind: LockKind::Once,
    noun: "one-time initialization",
    source: "glibc 2.36 nptl/pthread_once.c; libstdc++ 12 libsupc++/guard.cc",
    has_holder: true,
    prints_holder: false,
    is_reentrant: false,
    is_shared_object: true,
    recognize: recognize_once,
    arguments: &["once_control", "__once_control", "g", "futex_word"],
    decode: |_, _, _| Decoded::nobody("a one-time initialization does not store who runs it"),
};

/// `pthread_barrier_t`: the futex word is `current_round` at 4.
pub const BARRIER: LockRow = LockRow {
    kind: LockKind::Barrier,
    noun: "barrier",
    source: "glibc 2.36 nptl/pthread_barrier_wait.c",
    has_holder: false,
    prints_holder: false,
    is_reentrant: false,
    is_shared_object: true,
    recognize: |site| named(site, WaitKind::Barrier, State::CondWait, 4),
    arguments: &["barrier", "__barrier"],
    decode: |_, _, _| Decoded::nobody("a barrier has no holder: threads are missing at it"),
};

fn named(site: &FutexSite<'_>, kind: WaitKind, state: State, offset: u64) -> Option<Recognized> {
    let object = site.call.word.checked_sub(offset)?;
    (site.named == Some(kind)).then_some(Recognized { object, state })
}

/// By name, or `futex(guard, WAIT, 0x10100)`, which only `__cxa_guard_acquire` calls.
fn recognize_once(site: &FutexSite<'_>) -> Option<Recognized> {
    let call = site.call;
    let is_guard = call.command == Command::Wait && !call.is_private && call.value == 0x10100;
    let is_once = site.named == Some(WaitKind::Once) || is_guard;
    is_once.then_some(Recognized { object: call.word, state: State::LockWait })
}
