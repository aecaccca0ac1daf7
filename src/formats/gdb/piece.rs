//! The pieces of a text, each read by one worker, but for the first one, which all read together.

use std::ops::Range;
use std::sync::Arc;

use rayon::prelude::*;

use super::chunk::{self, Chunk};
use super::items::Item;
use super::learned::{self, Learned};
use super::split::Cutter;
use super::template::{TemplateIx, Templates};
use crate::formats::text::{learned_from, part_of_first};
use crate::model::{Pool, Values};

/// A piece that has been read, with its lines and stacks.
#[derive(Debug)]
pub(super) struct Piece {
    /// What stands in it.
    pub items: Vec<Item>,
    /// Its frame lines. The first ones may be those of the first piece.
    pub templates: Templates,
    /// Its stacks, each once, likewise: templates, newest first.
    pub stacks: Pool<TemplateIx>,
    /// How many of `templates` and of `stacks` are those of the first piece.
    pub learned: (usize, usize),
    /// Values of all its stacks.
    pub values: Arc<Vec<u64>>,
    /// How many values the pieces before have.
    pub values_before: u32,
}

impl Piece {
    /// The piece that follows those whose values are `all`; its own are added to them.
    fn after(all: &mut Values, chunk: Chunk, known: Learned, learned: (usize, usize)) -> Self {
        let values = Arc::new(chunk.values);
        let values_before = all.share(values.clone());
        let Learned { templates, stacks, .. } = known;
        Self { items: chunk.items, templates, stacks, learned, values, values_before }
    }
}

/// Reads a text in pieces of about so many bytes; and the values of all of them.
pub(super) fn read_all(text: &[u8], chunk_size: usize, has_locks: bool) -> (Vec<Piece>, Values) {
    let read = |range: Range<usize>, learned| {
        let is_last = range.end == text.len();
        chunk::read(text, range, (is_last, has_locks), learned)
    };
    let cutter = Cutter::of(text);
    // The first piece is a small one: all others know what stands in it.
    let first = if chunk_size < text.len() { chunk_size.min(learned_from(text)) } else { chunk_size };
    let first = cutter.end_of(0, first);
    let parts = cutter.cut(0..first, part_of_first(first).min(chunk_size));
    let (first_chunk, learned) = learned::first(parts, read);
    // Of one size: no worker has more to do than another.
    let rest = text.len() - first;
    let size = rest / rest.div_ceil(chunk_size.max(1)).max(1) + 1;
    let rest = cutter.cut(first..text.len(), size.min(chunk_size));
    let rest: Vec<_> = rest.into_par_iter().map(|range| read(range, learned.clone())).collect();
    let known = (learned.templates.len(), learned.stacks.len());
    let mut values = Values::default();
    let mut pieces = vec![Piece::after(&mut values, first_chunk, learned, known)];
    pieces.extend(rest.into_iter().map(|(chunk, all)| Piece::after(&mut values, chunk, all, known)));
    (pieces, values)
}
