//! Threads by their stacks: what is asked of each thread of a lock is mostly a question to its stack.

use rayon::prelude::*;

use crate::model::{Snapshot, StackIx, ThreadIx};

/// Threads that one worker looks up in one go: they lie apart in memory, and that is what takes the time.
const THREADS_A_CHUNK: usize = 4_096;

/// The stacks of these threads, ascending, and how many threads each stands for.
pub(super) fn by_stack(threads: &[ThreadIx], snapshot: &Snapshot) -> Vec<(StackIx, u64)> {
    let stack_of = |thread: &ThreadIx| {
        let thread = &snapshot.threads[thread.at()];
        (thread.stack, thread.weight)
    };
    let mut all: Vec<(StackIx, u64)> =
        threads.par_iter().with_min_len(THREADS_A_CHUNK).map(stack_of).collect();
    // Most locks have few waiters; of those with many, many have the same stack.
    if threads.len() * FEW < snapshot.stacks.stack_count() {
        all.sort_unstable();
        all.dedup_by(|next, kept| {
            let is_same = next.0 == kept.0;
            kept.1 += if is_same { next.1 } else { 0 };
            is_same
        });
        return all;
    }
    let mut counts = vec![0; snapshot.stacks.stack_count()];
    for (stack, weight) in all {
        counts[stack.at()] += weight;
    }
    let mut stacks = Vec::with_capacity(threads.len().min(counts.len()));
    stacks.extend((0u32..).map(StackIx).zip(counts).filter(|&(_, count)| count > 0));
    stacks
}

/// Where there are so many stacks for each thread, threads are sorted.
const FEW: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{FormatId, Frame, Source, Thread, ThreadId};

    #[test]
    fn both_ways_count_the_same() {
        let mut snapshot = Snapshot::new(Source {
            path: "x".into(),
            format: FormatId::new("go"),
            producer: None,
            bytes: 0,
            offset: 0,
        });
        let frame = |n: u64| Frame { address: Some(n), ..Frame::default() };
        for n in 0..400 {
            let frame = snapshot.stacks.frame(&frame(n), std::iter::empty());
            let stack = snapshot.stacks.stack(&[frame]);
            let thread = Thread { stack, weight: n + 1, ..Thread::new(ThreadId::Number(n)) };
            snapshot.threads.extend([thread.clone(), thread]);
        }
        let all: Vec<ThreadIx> = (0..800).map(ThreadIx).collect();
        let few = by_stack(&all[10..15], &snapshot);
        let many = by_stack(&all, &snapshot);
        assert_eq!(few.iter().map(|(_, count)| *count).collect::<Vec<_>>(), [12, 14, 8]);
        assert!(few[..2].iter().all(|stack| many.contains(stack)));
        assert_eq!(many.len(), 400);
    }
}
