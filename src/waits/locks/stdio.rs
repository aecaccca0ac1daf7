//! The lock of a `FILE` of glibc: `{int lock, int count, void *owner}`; the owner is the address of
//! the thread's control block, not its id.

use super::super::kinds::{LockKind, State};
use super::super::lock::Holder;
use super::super::threads::ThreadMap;
use super::{Decoded, FutexSite, LockRow, Recognized};
use crate::model::{AddressSpace, Certainty, Evidence, ThreadNumber};
use crate::normalize::WaitKind;

const OWNER: u64 = 8;

/// The row of this kind.
pub const ROW: LockRow = LockRow {
    kind: LockKind::StdioFile,
    noun: "lock of a stdio stream",
    source: "glibc 2.36 sysdeps/nptl/stdio-lock.h",
    has_holder: true,
    prints_holder: false,
    is_reentrant: true,
    is_shared_object: true,
    recognize,
    arguments: &["futex", "futex_word"],
    decode,
};

fn recognize(site: &FutexSite<'_>) -> Option<Recognized> {
    (site.named == Some(WaitKind::StdioFile))
        .then_some(Recognized { object: site.call.word, state: State::LockWait })
}

fn decode(address: u64, memory: &dyn AddressSpace, threads: &ThreadMap) -> Decoded {
    let owner = address.checked_add(OWNER).and_then(|at| memory.word(at));
    match owner {
        None => Decoded::nobody("the memory of the lock is not in the dump"),
        Some(0) => Decoded::nobody("the stream was being locked or unlocked at this moment"),
        Some(block) => {
            let evidence =
                vec![Evidence::read(format!("its owner field holds the control block {block:#x}"))];
            let holder = match threads.by_handle(block) {
                Some(thread) => Holder::Thread { thread, certainty: Certainty::Read },
                None => {
                    Holder::EndedThread { owner: Some(ThreadNumber::Hex(block)), certainty: Certainty::Read }
                }
            };
            Decoded { holder, evidence }
        }
    }
}
