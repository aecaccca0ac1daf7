//! From what locks store of their owners to threads: kernel ids, thread control blocks.

use std::sync::OnceLock;

use rustc_hash::FxHashMap;

use crate::model::{AddressSpace, Thread, ThreadIx};

/// Where glibc 2.34 to 2.4x keeps the kernel's thread id in `struct pthread` on x86-64
/// (`_thread_db_pthread_tid`); the offset that is tried first.
const GLIBC_TID_OFFSET: u64 = 720;

/// A `struct pthread` is smaller than this.
const LARGEST_CONTROL_BLOCK: u64 = 4_096;

/// Threads of which the control block is searched for their own id.
const SAMPLE: usize = 16;

/// The threads of a process by the ids that memory holds of them.
#[derive(Debug)]
pub(super) struct ThreadMap<'a> {
    threads: &'a [Thread],
    /// Made when it is first asked for, as the next one: in most texts nobody asks.
    by_tid: OnceLock<FxHashMap<u64, ThreadIx>>,
    /// Control blocks and their threads, sorted by address.
    blocks: OnceLock<Vec<(u64, ThreadIx)>>,
    /// Where a control block holds the thread's id.
    tid_offset: Option<u64>,
}

impl<'a> ThreadMap<'a> {
    /// Of the threads of a snapshot; `memory` finds out where a control block holds the id.
    pub fn of(threads: &'a [Thread], memory: Option<&dyn AddressSpace>) -> Self {
        let tid_offset = memory.and_then(|m| tid_offset(threads, m));
        Self { threads, by_tid: OnceLock::new(), blocks: OnceLock::new(), tid_offset }
    }

    fn each(&self) -> impl Iterator<Item = (ThreadIx, &'a Thread)> {
        (0u32..).map(ThreadIx).zip(self.threads)
    }

    fn blocks(&self) -> &[(u64, ThreadIx)] {
        self.blocks.get_or_init(|| {
            let of_thread = |(ix, t): (ThreadIx, &Thread)| Some((t.handle.filter(|&h| h != 0)?, ix));
            let mut blocks: Vec<_> = self.each().filter_map(of_thread).collect();
            blocks.sort_unstable();
            blocks.dedup_by_key(|(address, _)| *address);
            blocks
        })
    }

    /// The thread with this kernel id.
    pub fn by_tid(&self, tid: u64) -> Option<ThreadIx> {
        let of_thread = |(ix, t): (ThreadIx, &Thread)| Some((u64::from(t.tid?), ix));
        self.by_tid.get_or_init(|| self.each().filter_map(of_thread).collect()).get(&tid).copied()
    }

    /// The thread whose control block lies at this address (its `pthread_t`).
    pub fn by_handle(&self, handle: u64) -> Option<ThreadIx> {
        let blocks = self.blocks();
        let at = blocks.binary_search_by_key(&handle, |(address, _)| *address).ok()?;
        Some(blocks[at].1)
    }

    /// The thread in whose control block this address lies.
    pub fn by_block(&self, address: u64) -> Option<(ThreadIx, u64)> {
        let blocks = self.blocks();
        let after = blocks.partition_point(|(start, _)| *start <= address);
        let (start, thread) = *blocks.get(after.checked_sub(1)?)?;
        (address - start < LARGEST_CONTROL_BLOCK).then_some((thread, address - start))
    }

    /// Where a control block holds the thread's id, bytes.
    pub fn tid_offset(&self) -> Option<u64> {
        self.tid_offset
    }
}

/// The one place at which all sampled control blocks hold their own thread's id.
fn tid_offset(threads: &[Thread], memory: &dyn AddressSpace) -> Option<u64> {
    let sample: Vec<(u64, u32)> =
        threads.iter().filter_map(|t| Some((t.handle.filter(|&h| h != 0)?, t.tid?))).take(SAMPLE).collect();
    if sample.len() < 2 {
        return None;
    }
    let fits = |offset: u64| {
        sample.iter().all(|&(block, tid)| {
            block.checked_add(offset).and_then(|at| memory.half(at)).is_some_and(|word| word == tid)
        })
    };
    std::iter::once(GLIBC_TID_OFFSET)
        .chain((0..LARGEST_CONTROL_BLOCK).step_by(4))
        .find(|&offset| fits(offset))
}
