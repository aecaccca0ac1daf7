//! Blocks that were there before, compared as a whole.
//!
//! Threads that do the same print the same lines but for some numbers, and most threads of a large dump do the same.
//! So a block is first compared with the one before and with the one that followed that one last time: as bytes, with
//! holes where its numbers are. What is found so is what its lines would give one by one.

use std::ops::Range;

use rustc_hash::FxHashMap;

use super::chunk::BlockIx;
use super::templates::hex;

/// The blocks of a piece of text that may be recognized as a whole.
#[derive(Debug, Default)]
pub(super) struct Repeats {
    seen: Vec<Seen>,
    holes: Vec<Hole>,
    seen_of: FxHashMap<BlockIx, usize>,
    /// The one that was seen last.
    last: Option<usize>,
}

/// A block, and where it stands.
#[derive(Debug)]
struct Seen {
    block: BlockIx,
    text: Range<usize>,
    /// Its numbers in [`Repeats::holes`].
    holes: Range<usize>,
    /// The one that followed last time.
    next: usize,
}

/// A number in a block, from the block's first byte on.
#[derive(Clone, Copy, Debug)]
struct Hole {
    start: u32,
    end: u32,
}

impl Repeats {
    /// Keeps a new block for those that follow. `holes`: where its numbers stand, from its first byte on, ascending and
    /// apart from each other.
    pub fn keep(&mut self, block: BlockIx, text: Range<usize>, holes: &[Range<usize>]) {
        let first = self.holes.len();
        let place = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        self.holes.extend(holes.iter().map(|hole| Hole { start: place(hole.start), end: place(hole.end) }));
        let next = self.seen.len();
        self.seen.push(Seen { block, text, holes: first..self.holes.len(), next });
        self.seen_of.insert(block, next);
        self.follows(next);
    }

    /// A known block, which was read line by line.
    pub fn again(&mut self, block: BlockIx) {
        match self.seen_of.get(&block) {
            Some(&known) => self.follows(known),
            None => self.forget(),
        }
    }

    /// The block that begins at `at`, where it is one of those before, and where it ends. Its numbers are pushed.
    pub fn find(&mut self, text: &[u8], at: usize, values: &mut Vec<u64>) -> Option<(BlockIx, usize)> {
        let last = self.last?;
        let after = self.seen.get(last)?.next;
        let mark = values.len();
        for candidate in [after, last] {
            if let Some(end) = self.matches(candidate, text, at, values) {
                self.follows(candidate);
                return Some((self.seen.get(candidate)?.block, end));
            }
            values.truncate(mark);
        }
        None
    }

    /// The next block is none of those before.
    pub fn forget(&mut self) {
        self.last = None;
    }

    fn follows(&mut self, next: usize) {
        if let Some(last) = self.last.and_then(|last| self.seen.get_mut(last)) {
            last.next = next;
        }
        self.last = Some(next);
    }

    /// Where the block at `at` ends, if it is this one but for its numbers, which are pushed.
    fn matches(&self, candidate: usize, text: &[u8], at: usize, values: &mut Vec<u64>) -> Option<usize> {
        let seen = self.seen.get(candidate)?;
        let known = text.get(seen.text.clone())?;
        let mut from = 0;
        let mut rest = text.get(at..)?;
        for hole in self.holes.get(seen.holes.clone())? {
            let literal = known.get(from..hole.start as usize)?;
            rest = rest.strip_prefix(literal)?.strip_prefix(b"0x")?;
            let (value, length) = hex(rest)?;
            values.push(value);
            rest = rest.get(length..)?;
            from = hole.end as usize;
        }
        rest = rest.strip_prefix(known.get(from..)?)?;
        Some(text.len() - rest.len())
    }
}
