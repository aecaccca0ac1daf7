//! A piece of a folded text, read by itself: names have numbers there, each once.

use std::borrow::Cow;
use std::ops::Range;

use rustc_hash::FxHashMap;

use super::before::{Before, Common};
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
        let other =
            || (!line.trim().is_empty() && !line.starts_with('#')).then_some(Content::Other(whole.len()));
        let content = match line::split(&line) {
            Some((_, 0)) if line::stack(&line).is_some() => None,
            Some((frames, count)) => {
                let (length, other) = (frames.len(), other());
                reader.stack(line, length).map(|end| Content::Stack { end, count }).or(other)
            }
            None => other(),
        };
        reader.piece.lines.extend(content.map(|content| Line { at, content }));
        at += whole.len() + 1;
    }
    // All at once: they are large, and a list that grows is copied again and again.
    reader.piece.names = reader.texts.iter().map(|name| Name::of(name)).collect();
    reader.piece
}

#[derive(Default)]
struct Reader<'t> {
    piece: Piece,
    /// The names as they stand there.
    texts: Vec<Cow<'t, str>>,
    numbers: FxHashMap<Cow<'t, str>, u32>,
    /// Which of the names are ones ([`line::is_name`]), and not numbers or signs.
    are_names: Vec<bool>,
    /// The stack before.
    before: Before<'t>,
}

impl<'t> Reader<'t> {
    /// Adds the stack with which a line begins, `length` bytes; where it ends. `None`: it is none.
    fn stack(&mut self, line: Cow<'t, str>, length: usize) -> Option<usize> {
        match line {
            Cow::Borrowed(line) => {
                let frames = line.get(..length)?;
                let common = self.before.common(frames);
                self.add(frames, &common, Cow::Borrowed)?;
                self.before.replace(frames, &common);
            }
            Cow::Owned(line) => {
                let frames = line.get(..length)?;
                self.add(frames, &Common::none(frames), |name| Cow::Owned(name.to_owned()))?;
                self.before.clear();
            }
        }
        Some(self.piece.stacks.len())
    }

    /// Adds the frames of a stack, which has names in common with the one before; what is in common was looked at then.
    fn add<'n>(
        &mut self,
        frames: &'n str,
        common: &Common,
        kept: impl Fn(&'n str) -> Cow<'t, str>,
    ) -> Option<()> {
        let end = self.piece.stacks.len();
        let before = end.checked_sub(self.before.len())?;
        let (first, last) = (before..before + common.first, end - common.last..end);
        let between = frames.get(common.between.clone())?;
        let may_be_html = line::may_be_html(between);
        let shared = self.piece.stacks.get(first.clone())?.iter().chain(self.piece.stacks.get(last.clone())?);
        let is_name = |n: &&u32| self.are_names.get(**n as usize).copied().unwrap_or_default();
        let mut named = shared.filter(is_name).take(line::FEWEST_NAMES).count();
        for (n, name) in line::names(between).enumerate() {
            if line::is_other(name, common.first + n > 0, may_be_html) {
                return None;
            }
            named += usize::from(named < line::FEWEST_NAMES && line::is_name(name));
        }
        if named < line::FEWEST_NAMES {
            return None;
        }
        self.piece.stacks.extend_from_within(first);
        for name in line::names(between) {
            let number = match self.numbers.get(name) {
                Some(&known) => known,
                None => self.new_name(kept(name)),
            };
            self.piece.stacks.push(number);
        }
        self.piece.stacks.extend_from_within(last);
        Some(())
    }

    fn new_name(&mut self, name: Cow<'t, str>) -> u32 {
        let number = self.texts.len() as u32;
        self.are_names.push(line::is_name(&name));
        self.texts.push(name.clone());
        self.numbers.insert(name, number);
        number
    }
}
