//! Locks of the `parking_lot` crate: sleepers wait on a word of their own (value 1), in their
//! `ThreadData`; the lock's address is the `key` beside it.

use super::super::kinds::{LockKind, State};
use super::futex_call::Command;
use super::{Decoded, FutexSite, LockRow, Recognized};
use crate::normalize::WaitKind;

/// The row of this kind.
pub const ROW: LockRow = LockRow {
    kind: LockKind::ParkingLot,
    noun: "lock",
    source: "parking_lot_core 0.9 src/thread_parker/linux.rs, src/parking_lot.rs",
    has_holder: true,
    prints_holder: false,
    is_reentrant: false,
    is_shared_object: false,
    recognize,
    arguments: &["key", "self"],
    decode: |_, _, _| Decoded::nobody("a lock of parking_lot stores no owner"),
};

fn recognize(site: &FutexSite<'_>) -> Option<Recognized> {
    let call = site.call;
    if !site.is_parking_lot || call.command != Command::Wait || call.value != 1 {
        return None;
    }
    let state = match site.named {
        Some(WaitKind::Mutex | WaitKind::RwLockRead | WaitKind::RwLockWrite) => State::LockWait,
        _ => State::CondWait,
    };
    Some(Recognized { object: call.word, state })
}
