//! Where the numbers of a block stand, and what may stand there in a block that repeats it.

use std::ops::Range;

use super::chunk::trimmed;
use super::grammar::{Grammar, Masked};
use super::repeats::Hole;
use super::templates::{bare_hex, hex, numbers, word, words};

/// A number that differs from thread to thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Number {
    /// `0x7f1c`.
    Prefixed,
    /// `5ffa9f9c`, of any length.
    Word,
    /// The same with so many digits.
    Column(u8),
    /// Two halves of eight digits: `00007ffb`0e6c2b4e`.
    Halves,
}

/// How long [`Number::Halves`] is, and where its backtick stands.
const HALVES: (usize, usize) = (17, 8);

impl Hole for Number {
    fn read(self, text: &[u8], at: usize, values: &mut Vec<u64>) -> Option<usize> {
        let rest = text.get(at..)?;
        let (value, length) = match self {
            Self::Prefixed => {
                let (value, digits) = hex(rest.strip_prefix(b"0x")?)?;
                (value, digits + 2)
            }
            Self::Word => {
                let word = word(rest);
                (bare_hex(word)?, word.len())
            }
            Self::Column(digits) => {
                let word = rest.get(..digits.into())?;
                let is_plain = !word.contains(&b'`');
                (bare_hex(word).filter(|_| is_plain)?, word.len())
            }
            Self::Halves => {
                let word = rest.get(..HALVES.0).filter(|word| are_halves(word))?;
                (bare_hex(word)?, word.len())
            }
        };
        values.push(value);
        Some(at + length)
    }
}

fn are_halves(word: &[u8]) -> bool {
    word.len() == HALVES.0 && word.iter().position(|b| *b == b'`') == Some(HALVES.1)
}

/// Where the numbers of a block's lines stand, from its first byte on. `None`: where they stand depends on them.
pub(super) fn holes<G: Grammar>(grammar: &G, block: &[u8]) -> Option<Vec<(Range<usize>, Number)>> {
    let mut holes = Vec::new();
    let mut at = 0;
    for line in block.split_inclusive(|b| *b == b'\n') {
        let text = trimmed(line.strip_suffix(b"\n").unwrap_or(line));
        let mut push = |hole: Range<usize>, number| holes.push((at + hole.start..at + hole.end, number));
        match grammar.masked(text) {
            Masked::Nothing => {}
            Masked::Prefixed(from) => numbers(text, from).for_each(|(hole, _)| push(hole, Number::Prefixed)),
            Masked::Words(range) => words(text, range).for_each(|(hole, _)| push(hole, Number::Word)),
            Masked::Columns(range) => {
                for (hole, _) in words(text, range) {
                    let number = column(text.get(hole.clone())?)?;
                    push(hole, number);
                }
            }
        }
        at += line.len();
    }
    Some(holes)
}

fn column(word: &[u8]) -> Option<Number> {
    match word.contains(&b'`') {
        true => are_halves(word).then_some(Number::Halves),
        false => u8::try_from(word.len()).ok().map(Number::Column),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fits_into_a_hole() {
        let read = |hole: Number, text: &str| {
            let mut values = Vec::new();
            let end = hole.read(text.as_bytes(), 1, &mut values);
            assert_eq!(end.is_some(), !values.is_empty());
            end.map(|end| (end, values.pop()))
        };
        assert_eq!(read(Number::Prefixed, "(0x1f)"), Some((5, Some(0x1f))));
        assert_eq!(read(Number::Prefixed, "(1f)"), None);
        assert_eq!(read(Number::Word, "(1f)"), Some((3, Some(0x1f))));
        assert_eq!(read(Number::Word, "(1fx)"), None, "a name");
        assert_eq!(read(Number::Column(2), "(1f)"), Some((3, Some(0x1f))));
        assert_eq!(read(Number::Column(2), "(1`)"), None);
        assert_eq!(read(Number::Column(2), "(1)"), None, "what has fewer digits is no column");
        assert_eq!(read(Number::Halves, "(00007ffb`0e6c2b4e"), Some((18, Some(0x7ffb_0e6c_2b4e))));
        assert_eq!(read(Number::Halves, "(0007ffb`00e6c2b4e"), None);
    }
}
