//! A piece of a folded text, read by itself: names and stacks have numbers there, each once.

use std::borrow::Cow;
use std::ops::Range;

use rustc_hash::FxHashMap;

use super::line;
use crate::formats::text;
use crate::model::{Pool, lossy};

/// The lines of a piece that say something.
#[derive(Default)]
pub(super) struct Piece<'t> {
    /// Names of frames.
    pub names: Vec<Cow<'t, str>>,
    /// Stacks: numbers of names, root first.
    pub stacks: Pool<u32>,
    pub lines: Vec<Line>,
}

/// A line.
pub(super) struct Line {
    /// Where it begins in the text.
    pub at: usize,
    pub content: Content,
}

/// What a line is.
pub(super) enum Content {
    /// A stack, and how many samples have it.
    Stack(u32, u64),
    /// Something else, so many bytes.
    Other(usize),
}

/// Pieces of a text that begin and end with a line.
pub(super) fn cut(text: &[u8], size: usize) -> Vec<Range<usize>> {
    let mut pieces = Vec::new();
    let mut from = 0;
    while from < text.len() {
        let rest = text.get(from + size.max(1)..).unwrap_or_default();
        let to = memchr::memchr(b'\n', rest).map_or(text.len(), |at| from + size.max(1) + at + 1);
        pieces.push(from..to);
        from = to;
    }
    pieces
}

/// Reads a piece.
pub(super) fn read(text: &[u8], range: Range<usize>) -> Piece<'_> {
    let mut reader = Reader::default();
    let mut at = range.start;
    while at < range.end {
        let whole = text::first_line(text.get(at..).unwrap_or_default());
        let line = lossy(whole.get(..whole.len().min(text::LONGEST_LINE)).unwrap_or_default());
        let content = match line::stack(&line) {
            Some((frames, count)) => {
                let length = frames.len();
                Some(Content::Stack(reader.stack(line, length), count))
            }
            None if line.trim().is_empty() || line.starts_with('#') => None,
            None => Some(Content::Other(whole.len())),
        };
        reader.piece.lines.extend(content.map(|content| Line { at, content }));
        at += whole.len() + 1;
    }
    reader.piece
}

#[derive(Default)]
struct Reader<'t> {
    piece: Piece<'t>,
    numbers: FxHashMap<Cow<'t, str>, u32>,
    stack: Vec<u32>,
    /// The stack before.
    last: Vec<u32>,
}

impl<'t> Reader<'t> {
    /// The number of the stack with which a line begins, `length` bytes.
    fn stack(&mut self, line: Cow<'t, str>, length: usize) -> u32 {
        std::mem::swap(&mut self.stack, &mut self.last);
        self.stack.clear();
        match line {
            Cow::Borrowed(line) => {
                for name in line::names(line.get(..length).unwrap_or_default()) {
                    self.name(name, || Cow::Borrowed(name));
                }
            }
            Cow::Owned(line) => {
                for name in line::names(line.get(..length).unwrap_or_default()) {
                    self.name(name, || Cow::Owned(name.to_owned()));
                }
            }
        }
        self.piece.stacks.add(&self.stack)
    }

    fn name(&mut self, name: &str, kept: impl Fn() -> Cow<'t, str>) {
        // Most frames are those of the line before.
        let expected = self.last.get(self.stack.len()).copied();
        let is_it = |n: &u32| self.piece.names.get(*n as usize).is_some_and(|known| *known == name);
        let known = expected.filter(is_it).or_else(|| self.numbers.get(name).copied());
        let number = known.unwrap_or_else(|| {
            let number = self.piece.names.len() as u32;
            self.piece.names.push(kept());
            self.numbers.insert(kept(), number);
            number
        });
        self.stack.push(number);
    }
}
