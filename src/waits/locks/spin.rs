//! Spin locks: no futex leads to them; `waits/spin.rs` finds their words.

use super::super::kinds::LockKind;
use super::{Decoded, LockRow, never};

const NO_OWNER: &str = "a spin lock stores no owner";

/// `pthread_spinlock_t`.
pub const PTHREAD: LockRow = LockRow {
    kind: LockKind::PthreadSpinlock,
    noun: "spin lock",
    source: "glibc 2.36 sysdeps/x86_64/nptl/pthread_spin_lock.S: 1 free, 0 or less held",
    has_holder: true,
    prints_holder: false,
    is_reentrant: false,
    is_shared_object: true,
    recognize: never,
    arguments: &["lock", "__lock"],
    decode: |_, _, _| Decoded::nobody(NO_OWNER),
};

/// A spin lock of another kind.
pub const OTHER: LockRow = LockRow {
    kind: LockKind::Spinlock,
    noun: "spin lock",
    source: "the loop's own instructions",
    has_holder: true,
    prints_holder: false,
    is_reentrant: false,
    is_shared_object: true,
    recognize: never,
    arguments: &["lock", "__lock", "l", "this", "self", "w"],
    decode: |_, _, _| Decoded::nobody(NO_OWNER),
};
