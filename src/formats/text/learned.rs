//! What was read of the first piece of a text, for the others: most threads do what others do too, and whoever begins
//! with nothing reads their lines once more.

use std::ops::Range;

use rayon::prelude::*;

use super::chunk::{self, BlockIx, Chunk, Item};
use super::grammar::Grammar;
use super::holes::Number;
use super::repeats::Repeats;
use super::templates::{TemplateIx, Templates};
use crate::model::Pool;

/// What the pieces of a text begin with.
#[derive(Default)]
pub(super) struct Learned {
    pub blocks: Pool<TemplateIx>,
    pub templates: Templates,
    pub repeats: Repeats<Number>,
    /// How many bytes were read for how many threads and values.
    pub bytes: usize,
    pub threads: usize,
    pub values: usize,
}

impl Learned {
    /// Reads the first piece of a text, and what the others may know of it. All workers read it together, each a part of
    /// it as if it were a piece: `parts` follow each other. `is_last` if the text ends with them.
    pub fn from<G: Grammar>(
        grammar: &G,
        text: &[u8],
        parts: Vec<Range<usize>>,
        is_last: bool,
    ) -> (Chunk, Self) {
        let bytes = parts.iter().map(ExactSizeIterator::len).sum();
        let last = parts.len().saturating_sub(1);
        let nothing = Self::default();
        let read = |(n, part)| chunk::read_with(grammar, text, part, is_last && n == last, &nothing);
        let read: Vec<(Chunk, Repeats<Number>)> =
            parts.into_par_iter().enumerate().with_max_len(1).map(read).collect();
        let joined = read.into_iter().reduce(|(mut all, mut repeats), (next, of_next)| {
            let blocks = all.append(next);
            repeats.append(of_next, |block| blocks.get(block as usize).copied());
            (all, repeats)
        });
        let (mut chunk, repeats) = joined.unwrap_or_default();
        chunk.blocks.share();
        chunk.templates.share();
        let (blocks, templates) = (chunk.blocks.clone(), chunk.templates.clone());
        let (threads, values) = (chunk.threads.len(), chunk.values.len());
        (chunk, Self { blocks, templates, repeats, bytes, threads, values })
    }
}

impl Chunk {
    /// Adds what follows, which was read by itself; its blocks as they are numbered here.
    fn append(&mut self, mut next: Self) -> Vec<BlockIx> {
        let lines = self.templates.append(&next.templates);
        let blocks = self.blocks.append(&next.blocks, &lines);
        let before = self.values.len();
        for thread in &mut next.threads {
            thread.block = blocks.get(thread.block as usize).copied().unwrap_or_default();
            thread.values = (thread.values.0 + before, thread.values.1 + before);
        }
        self.threads.append(&mut next.threads);
        self.values.append(&mut next.values);
        let mut items = next.items.into_iter().peekable();
        if let (Some(Item::Threads(count)), Some(Item::Threads(more))) = (self.items.last_mut(), items.peek())
        {
            *count += more;
            items.next();
        }
        self.items.extend(items);
        blocks
    }
}
