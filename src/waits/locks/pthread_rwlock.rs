//! `pthread_rwlock_t` of glibc ≥ 2.25: `__readers` at 0, `__writers` 4, `__wrphase_futex` 8,
//! `__writers_futex` 12, `__cur_writer` 24, `__flags` 48. Readers have no identity anywhere.

use super::super::kinds::{LockKind, State};
use super::super::lock::Holder;
use super::super::threads::ThreadMap;
use super::futex_call::Command;
use super::{Decoded, FutexSite, LockRow, Recognized};
use crate::model::{AddressSpace, Certainty, Evidence, ThreadNumber};
use crate::normalize::WaitKind;

const WRITER: u64 = 24;
/// Where the number of readers begins in `__readers`. The bit "write-locked" (2) below it is set
/// for a writer that is only queued, too: 18 is two readers and a writer that waits for them.
const READER_SHIFT: u32 = 3;

/// The row of this kind.
pub const ROW: LockRow = LockRow {
    kind: LockKind::PthreadRwlock,
    noun: "read-write lock",
    source: "glibc 2.36 nptl/pthread_rwlock_common.c",
    has_holder: true,
    prints_holder: false,
    is_reentrant: false,
    is_shared_object: true,
    recognize,
    arguments: &["rwlock", "__rwlock", "rw", "this"],
    decode,
};

fn recognize(site: &FutexSite<'_>) -> Option<Recognized> {
    let call = site.call;
    let is_named = matches!(site.named, Some(WaitKind::RwLockRead | WaitKind::RwLockWrite));
    if site.is_rust || call.command != Command::WaitBitset {
        return None;
    }
    // The object is aligned to 8: the word at 8 k is the phase's (or the readers'), at 8 k + 4
    // that of the writers.
    let object = match (call.value, call.word % 8) {
        (2 | 3, 0) => call.word.checked_sub(8)?,
        (3, 4) => call.word.checked_sub(12)?,
        (_, 0) if is_named => call.word,
        _ => return None,
    };
    let is_rwlock = is_named
        || (matches!(site.named, None | Some(WaitKind::Futex))
            && !call.has_timeout
            && is_plausible(object, site.memory, site.threads).unwrap_or(false));
    is_rwlock.then_some(Recognized { object, state: State::LockWait })
}

fn is_plausible(object: u64, memory: &dyn AddressSpace, threads: &ThreadMap) -> Option<bool> {
    let writer = memory.half(object.checked_add(WRITER)?)?;
    let readers = memory.half(object)?;
    Some(match writer {
        0 => readers >> READER_SHIFT > 0,
        tid => threads.by_tid(u64::from(tid)).is_some(),
    })
}

fn decode(address: u64, memory: &dyn AddressSpace, threads: &ThreadMap) -> Decoded {
    let word = |offset: u64| memory.half(address.checked_add(offset)?);
    let (Some(readers), Some(writer)) = (word(0), word(WRITER)) else {
        return Decoded::nobody("the memory of the lock is not in the dump");
    };
    if writer != 0 {
        let evidence = vec![Evidence::read(format!("its __cur_writer field holds {writer}"))];
        let owner_id = u64::from(writer);
        let holder = match threads.by_tid(owner_id) {
            Some(thread) => Holder::Thread { thread, certainty: Certainty::Read },
            None => Holder::EndedThread {
                owner: Some(ThreadNumber::Decimal(owner_id)),
                certainty: Certainty::Read,
            },
        };
        return Decoded { holder, evidence };
    }
    let count = readers >> READER_SHIFT;
    let evidence = vec![Evidence::read(format!("its __readers field says {count} readers, no writer"))];
    let holder = if count > 0 {
        Holder::unknown(format!("{count} readers hold it, and a read-write lock does not store who reads"))
    } else {
        Holder::unknown("its owner is not written: it was being taken or released at this moment")
    };
    Decoded { holder, evidence }
}
