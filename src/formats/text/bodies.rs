//! What blocks say, each read once however many pieces of the text have it.

use rayon::prelude::*;

use super::chunk::Chunk;
use super::grammar::{BlockLine, Body, Grammar};
use crate::model::{FrameIx, Pool, StackIx, lossy};

/// Index of a body.
pub(super) type BodyIx = u32;

/// All blocks of a text so far.
#[derive(Default)]
pub(super) struct Bodies {
    lines: Pool<u8>,
    /// How many slots each line has.
    slots: Vec<usize>,
    /// Blocks as numbers of lines.
    blocks: Pool<u32>,
    bodies: Vec<Known>,
}

/// A body, and what it is in the snapshot in which it was last used.
pub struct Known {
    pub(super) body: Body,
    pub(super) slots: Slots,
    pub(super) placed: Option<Placed>,
}

impl Known {
    pub(super) fn new(body: Body) -> Self {
        let slots = Slots::of(&body);
        Self { body, slots, placed: None }
    }
}

/// The slots of a body's block that its frames take their values from, frame by frame.
pub(super) enum Slots {
    /// The first ones, each once: what most formats have, and what can be copied.
    First(usize),
    /// These.
    These(Vec<usize>),
}

impl Slots {
    pub fn of(body: &Body) -> Self {
        let slots = || body.frames.iter().flat_map(|frame| &frame.slots).map(|(_, slot)| *slot);
        match slots().enumerate().all(|(n, slot)| n == slot) && body.lowest == 0 {
            true => Self::First(slots().count()),
            false => Self::These(slots().collect()),
        }
    }
}

/// The blocks of a chunk among the bodies.
pub(super) struct Places {
    pub bodies: Vec<BodyIx>,
    /// How many frames those have that are new.
    pub new_frames: usize,
}

/// What a body is in a snapshot.
#[derive(Clone, Copy)]
pub(super) struct Placed {
    /// The number of the snapshot.
    pub generation: u32,
    pub stack: StackIx,
    pub creator: Option<FrameIx>,
}

impl Bodies {
    /// The body of each block of a chunk, which is read where it is new.
    pub fn of<G: Grammar>(&mut self, grammar: &G, chunk: &Chunk) -> Places {
        let known = self.blocks.len() as u32;
        // A block may have no lines.
        let is_first = self.lines.is_empty() && self.blocks.is_empty();
        let blocks = if is_first { self.begin(chunk) } else { self.add(chunk) };
        let new: Vec<u32> = (known..self.blocks.len() as u32).collect();
        let read: Vec<Known> =
            new.into_par_iter().with_min_len(64).map(|block| Known::new(self.read(grammar, block))).collect();
        let new_frames = read.iter().map(|known| known.body.frames.len()).sum();
        self.bodies.extend(read);
        Places { bodies: blocks, new_frames }
    }

    /// The lines and blocks of the first chunk are ours as they are.
    fn begin(&mut self, chunk: &Chunk) -> Vec<BodyIx> {
        self.lines = chunk.templates.texts().clone();
        self.slots = chunk.templates.slots().collect();
        self.blocks = chunk.blocks.clone();
        (0..self.blocks.len() as u32).collect()
    }

    /// Adds what is new in another chunk. What it has of the first one has the same numbers.
    fn add(&mut self, chunk: &Chunk) -> Vec<BodyIx> {
        let texts = chunk.templates.texts();
        let (learned_lines, learned_blocks) = chunk.learned;
        let mut lines: Vec<u32> = (0..learned_lines as u32).collect();
        for (ix, slots) in (0u32..).zip(chunk.templates.slots()).skip(learned_lines) {
            let line = self.lines.add_of(texts, ix).unwrap_or_default();
            if line as usize == self.slots.len() {
                self.slots.push(slots);
            }
            lines.push(line);
        }
        let mut blocks: Vec<BodyIx> = (0..learned_blocks as u32).collect();
        let mut block = Vec::new();
        for ix in learned_blocks as u32..chunk.blocks.len() as u32 {
            block.clear();
            let own = chunk.blocks.get(ix).unwrap_or_default().iter();
            block.extend(own.filter_map(|&ix| lines.get(ix as usize)));
            blocks.push(self.blocks.add(&block));
        }
        blocks
    }

    fn read<G: Grammar>(&self, grammar: &G, block: u32) -> Body {
        let lines = self.blocks.get(block).unwrap_or_default();
        let text = |line: &u32| lossy(self.lines.get(*line).unwrap_or_default());
        let texts: Vec<_> = lines.iter().map(text).collect();
        let mut slot = 0;
        let lines = lines.iter().zip(&texts).map(|(&line, text)| {
            let read = BlockLine { text, slot };
            slot += self.slots.get(line as usize).copied().unwrap_or(0);
            read
        });
        grammar.body(&lines.collect::<Vec<_>>())
    }

    /// A body.
    pub fn get_mut(&mut self, ix: BodyIx) -> Option<&mut Known> {
        self.bodies.get_mut(ix as usize)
    }
}
