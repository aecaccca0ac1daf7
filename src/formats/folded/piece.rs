//! A piece of a folded text, read by itself: names have numbers there, each once.

use std::borrow::Cow;
use std::ops::Range;

use rustc_hash::FxHashMap;

use super::line;
use super::name::Name;
use crate::formats::text;
use crate::model::lossy;

/// The lines of a piece that say something.
#[derive(Default)]
pub(super) struct Piece {
    /// Names of frames.
    pub names: Vec<Name>,
    /// Stacks: numbers of names, root first.
    pub stacks: Vec<u32>,
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
    /// A stack, which ends there in [`Piece::stacks`], and how many samples have it.
    Stack { end: usize, count: u64 },
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
pub(super) fn read(text: &[u8], range: Range<usize>) -> Piece {
    let mut reader = Reader::default();
    let mut at = range.start;
    while at < range.end {
        let whole = text::first_line(text.get(at..).unwrap_or_default());
        let line = lossy(whole.get(..whole.len().min(text::LONGEST_LINE)).unwrap_or_default());
        let content = match line::stack(&line) {
            Some((_, 0)) => None,
            Some((frames, count)) => {
                let length = frames.len();
                Some(Content::Stack { end: reader.stack(line, length), count })
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
    piece: Piece,
    /// The names as they stand there.
    texts: Vec<Cow<'t, str>>,
    numbers: FxHashMap<Cow<'t, str>, u32>,
    /// Where in [`Piece::stacks`] the stack before begins.
    before: usize,
}

impl<'t> Reader<'t> {
    /// Adds the stack with which a line begins, `length` bytes; where it ends.
    fn stack(&mut self, line: Cow<'t, str>, length: usize) -> usize {
        let (before, start) = (self.before, self.piece.stacks.len());
        match line {
            Cow::Borrowed(line) => {
                for (n, name) in line::names(line.get(..length).unwrap_or_default()).enumerate() {
                    self.name(name, (before + n, start), || Cow::Borrowed(name));
                }
            }
            Cow::Owned(line) => {
                for (n, name) in line::names(line.get(..length).unwrap_or_default()).enumerate() {
                    self.name(name, (before + n, start), || Cow::Owned(name.to_owned()));
                }
            }
        }
        self.before = start;
        self.piece.stacks.len()
    }

    /// Adds a name. Most are those of the stack before: at `expected`, if that is before `end`.
    fn name(&mut self, name: &str, (expected, end): (usize, usize), kept: impl Fn() -> Cow<'t, str>) {
        let expected = self.piece.stacks.get(expected).copied().filter(|_| expected < end);
        let is_it = |n: &u32| self.texts.get(*n as usize).is_some_and(|known| *known == name);
        let known = expected.filter(is_it).or_else(|| self.numbers.get(name).copied());
        let number = known.unwrap_or_else(|| {
            let number = self.texts.len() as u32;
            self.texts.push(kept());
            self.numbers.insert(kept(), number);
            self.piece.names.push(Name::of(name));
            number
        });
        self.piece.stacks.push(number);
    }
}
