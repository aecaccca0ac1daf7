//! Threads by the functions in their stacks.

use rustc_hash::FxHashMap;

use crate::model::{Snapshot, StackEnd, StackIx, Str, Thread, ThreadIx};
use crate::normalize::Meanings;

/// Stacks by the names in them, and threads by their stacks.
pub(super) struct ByName {
    pub stacks: FxHashMap<Str, Vec<StackIx>>,
    pub threads: Vec<Vec<ThreadIx>>,
    /// How many threads have a stack that is not whole.
    pub cut_off: usize,
}

impl ByName {
    pub fn of(snapshot: &Snapshot, meanings: &Meanings) -> Self {
        let mut threads = vec![Vec::new(); snapshot.stacks.stack_count()];
        let mut cut_off = 0;
        for (ix, thread) in (0u32..).map(ThreadIx).zip(&snapshot.threads) {
            threads[thread.stack.at()].push(ix);
            cut_off += usize::from(is_cut(thread));
        }
        let mut stacks: FxHashMap<Str, Vec<StackIx>> = FxHashMap::default();
        for stack in (0..threads.len() as u32).map(StackIx).filter(|stack| !threads[stack.at()].is_empty()) {
            // Whoever is in a section has called something there.
            for frame in snapshot.stacks.frames_of(stack).iter().skip(1) {
                let named = stacks.entry(meanings.get(*frame).name.clone()).or_default();
                if named.last() != Some(&stack) {
                    named.push(stack);
                }
            }
        }
        Self { stacks, threads, cut_off }
    }
}

/// Whether a thread's stack is not whole.
pub(super) fn is_cut(thread: &Thread) -> bool {
    matches!(
        thread.stack_end,
        StackEnd::MemoryMissing | StackEnd::NoRule | StackEnd::NotUnwound | StackEnd::Reported
    )
}
