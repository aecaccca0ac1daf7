//! All threads: each becomes a vector of pcs, and equal vectors become one.

use rayon::prelude::*;
use rustc_hash::FxHashMap;

use super::walk::{FrameState, WalkCache, Walker};
use crate::model::{Registers, StackEnd, Trust};

/// Threads that one worker walks at a time.
const THREADS_A_CHUNK: usize = 256;

/// Frames kept at the innermost end of a stack that is too deep to be kept whole.
const NEWEST_KEPT: usize = 4_000;

/// Frames kept at the outermost end of such a stack.
const OLDEST_KEPT: usize = 100;

/// Frames that all threads together may have, before each one is held to its share.
const MOST_FRAMES: usize = 40_000_000;

/// One frame of a vector.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RawFrame {
    /// Program counter: exact, or the return address.
    pub pc: u64,
    /// How it was found.
    pub trust: Trust,
    /// See [`FrameState::is_exact`].
    pub is_exact: bool,
    /// The kernel's signal frame.
    pub is_signal: bool,
}

impl RawFrame {
    fn of(state: &FrameState) -> Self {
        Self {
            pc: state.context.pc,
            trust: state.trust,
            is_exact: state.is_exact,
            is_signal: state.is_signal,
        }
    }

    /// The address to look up: of the call, for a return address.
    pub fn lookup_address(&self) -> u64 {
        if self.is_exact { self.pc } else { self.pc.wrapping_sub(1) }
    }
}

/// One vector, newest frame first.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RawStack {
    /// The frames that are kept.
    pub frames: Box<[RawFrame]>,
    /// How many frames were left out between the newest and the oldest kept ones.
    pub left_out: u64,
    /// Before which of the kept frames they were.
    pub left_out_at: usize,
    /// Why it ends.
    pub end: StackEnd,
}

/// The vectors of all threads.
#[derive(Clone, Debug, Default)]
pub struct Unwound {
    /// Different vectors, in the order of the first thread that has each.
    pub stacks: Vec<RawStack>,
    /// The vector of each thread, an index into `stacks`.
    pub stack_of: Vec<u32>,
}

/// Walks all threads, in parallel; the result does not depend on how many workers there are.
pub fn unwind_all(walker: &Walker<'_>, threads: &[Registers]) -> Unwound {
    let most_frames = (MOST_FRAMES / threads.len().max(1)).clamp(4_096, 400_000);
    let chunks: Vec<(Vec<RawStack>, Vec<u32>)> = threads
        .par_chunks(THREADS_A_CHUNK)
        .map_init(WalkCache::default, |cache, chunk| {
            let mut interner = Interner::default();
            let mut frames = Vec::with_capacity(64);
            let indexes = chunk
                .iter()
                .map(|t| interner.intern(walk(walker, t, most_frames, cache, &mut frames)))
                .collect();
            (interner.stacks, indexes)
        })
        .collect();
    let mut all = Interner::default();
    let mut stack_of = Vec::with_capacity(threads.len());
    for (stacks, indexes) in chunks {
        let places: Vec<u32> = stacks.into_iter().map(|s| all.intern(s)).collect();
        stack_of.extend(indexes.into_iter().map(|ix: u32| places[ix as usize]));
    }
    Unwound { stacks: all.stacks, stack_of }
}

fn walk(
    walker: &Walker<'_>,
    registers: &Registers,
    most_frames: usize,
    cache: &mut WalkCache,
    frames: &mut Vec<RawFrame>,
) -> RawStack {
    frames.clear();
    let mut oldest = std::collections::VecDeque::new();
    let mut count = 0usize;
    let end = walker.walk(registers, most_frames, cache, &mut |state| {
        count += 1;
        if frames.len() < NEWEST_KEPT {
            frames.push(RawFrame::of(state));
        } else {
            if oldest.len() == OLDEST_KEPT {
                oldest.pop_front();
            }
            oldest.push_back(RawFrame::of(state));
        }
    });
    let left_out_at = frames.len();
    frames.extend(oldest);
    let left_out = (count - frames.len()) as u64;
    RawStack { frames: frames.as_slice().into(), left_out, left_out_at, end }
}

#[derive(Default)]
struct Interner {
    stacks: Vec<RawStack>,
    index: FxHashMap<RawStack, u32>,
}

impl Interner {
    fn intern(&mut self, stack: RawStack) -> u32 {
        if let Some(&known) = self.index.get(&stack) {
            return known;
        }
        let ix = self.stacks.len() as u32;
        self.stacks.push(stack.clone());
        self.index.insert(stack, ix);
        ix
    }
}
