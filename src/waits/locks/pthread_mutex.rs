//! `pthread_mutex_t` of glibc: normal, recursive, errorcheck, adaptive, robust, PI, shared.
//!
//! Layout (x86-64 and aarch64, all versions of glibc): `__lock` at 0, `__count` 4, `__owner` 8,
//! `__nusers` 12, `__kind` 16.

use super::super::kinds::{LockKind, State};
use super::super::lock::Holder;
use super::super::threads::ThreadMap;
use super::futex_call::Command;
use super::{Decoded, FutexSite, LockRow, Recognized};
use crate::model::{AddressSpace, Certainty, Evidence, ThreadNumber};
use crate::normalize::WaitKind;

const OWNER: u64 = 8;
const USERS: u64 = 12;
const KIND: u64 = 16;

/// `PTHREAD_MUTEX_ROBUST_NORMAL_NP`, `…_PRIO_INHERIT_NP`, `…_PRIO_PROTECT_NP`, shared: bits of
/// `__kind` in glibc's `pthreadP.h`.
const KIND_ROBUST: u32 = 16;
const KIND_PI: u32 = 32;
const KIND_SHARED: u32 = 128;
/// All bits that `__kind` may have; 256 and 512 are for lock elision.
const KIND_BITS: u32 = 0x3ff;

/// `FUTEX_TID_MASK`: the owner in the word of robust and PI mutexes.
const TID_MASK: u32 = 0x3fff_ffff;

/// The row of this kind.
pub const ROW: LockRow = LockRow {
    kind: LockKind::PthreadMutex,
    noun: "mutex",
    source: "glibc 2.36 sysdeps/nptl/bits/struct_mutex.h, nptl/pthread_mutex_lock.c",
    has_holder: true,
    prints_holder: false,
    is_reentrant: false,
    is_shared_object: true,
    recognize,
    arguments: &["mutex", "__mutex", "m", "__m", "this", "futex", "futex_word"],
    decode,
};

fn recognize(site: &FutexSite<'_>) -> Option<Recognized> {
    let call = site.call;
    let is_named = site.named == Some(WaitKind::Mutex);
    if !is_named && !matches!(site.named, None | Some(WaitKind::Futex)) {
        return None;
    }
    // futex(m, WAIT|PRIVATE, 2): the low-level lock. With a timeout (and then WAIT_BITSET) it is
    // pthread_mutex_timedlock. A robust one waits for `TID | WAITERS`, a PI one in LOCK_PI.
    let is_fingerprint = match call.command {
        Command::Wait => call.value == 2 || call.value & 0x8000_0000 != 0,
        Command::WaitBitset => call.value == 2 && call.has_timeout,
        Command::LockPi => true,
        Command::Other => false,
    };
    let is_mutex =
        is_fingerprint && (is_named || is_plausible(call.word, site.memory, site.threads).unwrap_or(false));
    is_mutex.then_some(Recognized { object: call.word, state: State::LockWait })
}

/// Whether a mutex lies here: the kind is one, and a thread of this process owns it. `None`: the
/// memory is not in the dump.
fn is_plausible(address: u64, memory: &dyn AddressSpace, threads: &ThreadMap) -> Option<bool> {
    let word = |offset| memory.half(address.checked_add(offset)?);
    let (lock, owner, users, kind) = (word(0)?, word(OWNER)?, word(USERS)?, word(KIND)?);
    let is_kind = kind & !KIND_BITS == 0;
    Some(lock != 0 && is_kind && users >= 1 && threads.by_tid(u64::from(owner)).is_some())
}

fn decode(address: u64, memory: &dyn AddressSpace, threads: &ThreadMap) -> Decoded {
    let word = |offset| memory.half(address.checked_add(offset)?);
    let Some(lock) = word(0) else {
        return Decoded::nobody("the memory of the mutex is not in the dump");
    };
    let kind = word(KIND).unwrap_or(0);
    let names_owner_in_word = kind & (KIND_ROBUST | KIND_PI) != 0;
    let owner = if names_owner_in_word { lock & TID_MASK } else { word(OWNER).unwrap_or(0) };
    let field = if names_owner_in_word { "its lock word" } else { "its __owner field" };
    let mut evidence = Vec::new();
    let holder = match (lock, owner) {
        (0, _) => {
            evidence.push(Evidence::read("its lock word is 0: nobody has it"));
            Holder::Free
        }
        // The owner is written after the word: it was taken or released a moment ago.
        (_, 0) => {
            evidence.push(Evidence::read(format!("its lock word is {lock}, its __owner 0")));
            Holder::unknown(
                "the mutex was being taken or released at this moment: its owner is not written yet",
            )
        }
        (_, owner) => {
            evidence.push(Evidence::read(format!("{field} holds {owner}")));
            let owner_id = u64::from(owner);
            match threads.by_tid(owner_id) {
                Some(thread) => Holder::Thread { thread, certainty: Certainty::Read },
                // glibc sets the shared bit on every robust mutex (656 = 512 + 128 + 16).
                None if kind & KIND_SHARED != 0 && kind & KIND_ROBUST == 0 => {
                    Holder::OtherProcess { owner: ThreadNumber::Decimal(owner_id), pid: None }
                }
                None if kind & !KIND_BITS == 0 => Holder::EndedThread {
                    owner: Some(ThreadNumber::Decimal(owner_id)),
                    certainty: Certainty::Read,
                },
                None => Holder::unknown(format!(
                    "its memory does not look like a mutex: owner {owner}, kind {kind:#x}"
                )),
            }
        }
    };
    Decoded { holder, evidence }
}
