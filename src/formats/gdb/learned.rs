//! What was read of the first piece of a text, for the others: most threads do what others do too.

use std::ops::Range;

use rayon::prelude::*;
use rustc_hash::FxHashMap;

use super::chunk::Chunk;
use super::items::{Item, LocalStack, StackItem};
use super::template::{TemplateIx, Templates};
use super::token::TokenKind;
use crate::formats::text::Repeats;
use crate::model::Pool;

/// What a piece begins with, and what is known when it has been read.
#[derive(Clone, Debug, Default)]
pub(super) struct Learned {
    pub templates: Templates,
    /// Stacks: templates, newest first.
    pub stacks: Pool<TemplateIx>,
    pub repeats: Repeats<TokenKind>,
    /// The number of the last frame of each stack that may be recognized.
    pub last_of: FxHashMap<LocalStack, u64>,
}

/// Reads the first piece, of which each worker reads a part as if it were a piece; `parts` follow each other.
pub(super) fn first(
    parts: Vec<Range<usize>>,
    read: impl Fn(Range<usize>, Learned) -> (Chunk, Learned) + Sync,
) -> (Chunk, Learned) {
    let read: Vec<(Chunk, Learned)> =
        parts.into_par_iter().with_max_len(1).map(|part| read(part, Learned::default())).collect();
    let joined = read.into_iter().reduce(|(mut all, mut learned), (next, of_next)| {
        append(&mut all, next, &learned.append(of_next));
        (all, learned)
    });
    let (chunk, mut learned) = joined.unwrap_or_default();
    learned.stacks.share();
    (chunk, learned)
}

impl Learned {
    /// Adds what follows, which was read by itself; its stacks as they are numbered here.
    fn append(&mut self, next: Self) -> Vec<LocalStack> {
        let lines = self.templates.append(&next.templates);
        let stacks = self.stacks.append(&next.stacks, &lines);
        self.repeats.append(next.repeats, |stack| stacks.get(stack as usize).copied());
        for (of_next, last) in next.last_of {
            if let Some(&stack) = stacks.get(of_next as usize) {
                self.last_of.entry(stack).or_insert(last);
            }
        }
        stacks
    }
}

/// Adds the items of what follows. `stacks`: how its stacks are numbered here.
fn append(all: &mut Chunk, mut next: Chunk, stacks: &[LocalStack]) {
    let before = all.values.len();
    let place = |item: &mut StackItem| {
        item.stack = stacks.get(item.stack as usize).copied().unwrap_or_default();
        item.values = (item.values.0 + before, item.values.1 + before);
    };
    for item in &mut next.items {
        match item {
            Item::Stack(stack) => place(stack),
            Item::Row(row) => place(&mut row.1),
            Item::Event(..) | Item::Lock(_) | Item::Skipped { .. } => {}
        }
    }
    all.items.append(&mut next.items);
    all.values.append(&mut next.values);
}
