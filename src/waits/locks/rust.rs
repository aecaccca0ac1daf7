//! `std::sync::Mutex` and `RwLock` of Rust on Linux: a `u32` each (0, 1 locked, 2 contended; the
//! rwlock counts readers and has a second word for writers). They store no owner.

use super::super::kinds::{LockKind, State};
use super::futex_call::Command;
use super::{Decoded, FutexSite, LockRow, Recognized};
use crate::normalize::WaitKind;

const NO_OWNER: &str = "the lock word of Rust's standard library stores no owner";

/// `std::sync::Mutex`.
pub const MUTEX: LockRow = LockRow {
    kind: LockKind::RustMutex,
    noun: "mutex",
    source: "Rust 1.95 library/std/src/sys/sync/mutex/futex.rs",
    has_holder: true,
    prints_holder: false,
    is_reentrant: false,
    is_shared_object: true,
    recognize: recognize_mutex,
    arguments: &["self", "futex"],
    decode: |_, _, _| Decoded::nobody(NO_OWNER),
};

/// `std::sync::RwLock`.
pub const RWLOCK: LockRow = LockRow {
    kind: LockKind::RustRwlock,
    noun: "read-write lock",
    source: "Rust 1.95 library/std/src/sys/sync/rwlock/futex.rs",
    has_holder: true,
    prints_holder: false,
    is_reentrant: false,
    is_shared_object: true,
    recognize: recognize_rwlock,
    arguments: &["self", "futex"],
    decode: |_, _, _| Decoded::nobody(NO_OWNER),
};

/// `futex(m, WAIT_BITSET|PRIVATE, 2)` without a timeout: only Rust waits so (glibc's
/// `pthread_mutex_clocklock` always has one).
fn recognize_mutex(site: &FutexSite<'_>) -> Option<Recognized> {
    let call = site.call;
    let is_fingerprint = call.command == Command::WaitBitset
        && call.is_private
        && !call.is_realtime
        && !call.has_timeout
        && call.value == 2;
    let may_be = matches!(site.named, None | Some(WaitKind::Mutex | WaitKind::Futex));
    (is_fingerprint && may_be).then_some(Recognized { object: call.word, state: State::LockWait })
}

/// Readers wait on the first word, writers on the second, which only the names tell apart from
/// a condition variable.
fn recognize_rwlock(site: &FutexSite<'_>) -> Option<Recognized> {
    let call = site.call;
    if !site.is_rust || call.command != Command::WaitBitset {
        return None;
    }
    let object = match site.named {
        Some(WaitKind::RwLockRead) => call.word,
        Some(WaitKind::RwLockWrite) => call.word.checked_sub(4)?,
        _ => return None,
    };
    Some(Recognized { object, state: State::LockWait })
}
