//! Lines of blocks, interned by what does not differ between threads.
//!
//! Ten thousand threads have a hundred thousand lines but some dozens of different ones, once their addresses are
//! taken out. So a line is classified once, and a block is a sequence of numbers.

use std::ops::Range;
use std::sync::Arc;

use super::grammar::{HEX, InBlock, Masked};
use super::site::LONGEST_LINE;
use crate::model::{Pool, lossy};

/// Index of a template.
pub(super) type TemplateIx = u32;

/// A line with its numbers left open.
#[derive(Clone, Copy, Debug)]
struct Template {
    slots: u32,
    class: InBlock,
    /// Where in the text [`HEX`] stands: `holes[start..end]` of the list that it is in.
    holes: (u32, u32),
}

/// Templates with their holes.
#[derive(Clone, Debug, Default)]
struct List {
    all: Vec<Template>,
    holes: Vec<u32>,
}

impl List {
    fn push(&mut self, slots: u32, class: InBlock, holes: impl Iterator<Item = u32>) {
        let first = self.holes.len() as u32;
        self.holes.extend(holes);
        self.all.push(Template { slots, class, holes: (first, self.holes.len() as u32) });
    }

    fn get(&self, at: usize) -> Option<(Template, &[u32])> {
        let template = *self.all.get(at)?;
        Some((template, self.holes.get(template.holes.0 as usize..template.holes.1 as usize)?))
    }
}

/// The templates of a piece of text.
#[derive(Clone, Debug, Default)]
pub(super) struct Templates {
    texts: Pool<u8>,
    /// Those of the first piece, which all have, and those that are new.
    first: Arc<List>,
    own: List,
    /// For each the template of the line that followed last time.
    next: Vec<TemplateIx>,
    key: Vec<u8>,
    /// The template of the line before.
    last: Option<TemplateIx>,
}

impl Templates {
    /// The template of a line; the values of its numbers are pushed. Lines that are not understood are not kept.
    pub fn intern(
        &mut self,
        line: &[u8],
        masked: Masked,
        values: &mut Vec<u64>,
        classify: impl FnOnce(&str) -> InBlock,
    ) -> Option<(TemplateIx, InBlock)> {
        let line = line.get(..LONGEST_LINE).unwrap_or(line);
        let mark = values.len();
        // Threads that do the same follow each other: a line is compared with what followed last time, and looked up
        // only where that fails. Both ways agree: equal literals have their numbers at the same places.
        let is_plain = matches!(masked, Masked::Nothing | Masked::Prefixed(0));
        if let Some(known) =
            self.last.filter(|_| is_plain).and_then(|last| self.predicted(last, line, values))
        {
            return Some(known);
        }
        values.truncate(mark);
        let key = match masked {
            Masked::Nothing => line,
            Masked::Prefixed(from) => mask(line, from, &mut self.key, values),
            Masked::Words(range) | Masked::Columns(range) => mask_words(line, range, &mut self.key, values),
        };
        if let Some(ix) = self.texts.find(key) {
            return self.follows(ix);
        }
        let class = classify(&lossy(key));
        if class == InBlock::Unknown {
            values.truncate(mark);
            return None;
        }
        let slots = (values.len() - mark) as u32;
        let holes = memchr::memchr_iter(b'#', key).filter_map(|end| {
            let at = end.checked_sub(HEX.len() - 1)?;
            key.get(at..)?.starts_with(HEX.as_bytes()).then_some(at as u32)
        });
        self.own.push(slots, class, holes);
        let ix = self.texts.add(key);
        self.next.push(ix);
        self.follows(ix)
    }

    fn get(&self, ix: TemplateIx) -> Option<(Template, &[u32])> {
        match (ix as usize).checked_sub(self.first.all.len()) {
            None => self.first.get(ix as usize),
            Some(own) => self.own.get(own),
        }
    }

    /// Remembers that this template followed the one before.
    fn follows(&mut self, ix: TemplateIx) -> Option<(TemplateIx, InBlock)> {
        if let Some(next) = self.last.and_then(|last| self.next.get_mut(last as usize)) {
            *next = ix;
        }
        self.last = Some(ix);
        Some((ix, self.get(ix)?.0.class))
    }

    /// The template that followed last time, if the line is one of it.
    fn predicted(
        &mut self,
        last: TemplateIx,
        line: &[u8],
        values: &mut Vec<u64>,
    ) -> Option<(TemplateIx, InBlock)> {
        let ix = *self.next.get(last as usize)?;
        let (template, holes) = self.get(ix)?;
        let is_it =
            template.slots as usize == holes.len() && matches(self.texts.get(ix)?, holes, line, values);
        if is_it {
            self.last = Some(ix);
        }
        is_it.then_some((ix, template.class))
    }

    /// Adds the templates of what follows; how they are numbered here.
    pub fn append(&mut self, next: &Self) -> Vec<TemplateIx> {
        let mut numbers = Vec::with_capacity(next.next.len());
        for of_next in 0..next.next.len() as u32 {
            let (Some(ix), Some((template, holes))) =
                (self.texts.add_of(&next.texts, of_next), next.get(of_next))
            else {
                break;
            };
            if ix as usize == self.next.len() {
                self.own.push(template.slots, template.class, holes.iter().copied());
                self.next.push(ix);
            }
            numbers.push(ix);
        }
        let number = |of_next: TemplateIx| numbers.get(of_next as usize).copied();
        for (&ix, &after) in numbers.iter().zip(&next.next) {
            if let (Some(own), Some(after)) = (self.next.get_mut(ix as usize), number(after)) {
                *own = after;
            }
        }
        self.last = next.last.and_then(number).or(self.last);
        numbers
    }

    /// The same texts for these templates and all that are cloned from them.
    pub fn share(&mut self) {
        self.texts.share();
        if self.first.all.is_empty() {
            self.first = Arc::new(std::mem::take(&mut self.own));
        }
    }

    /// Their texts, numbered as they are.
    pub fn texts(&self) -> &Pool<u8> {
        &self.texts
    }

    /// How many slots each has.
    pub fn slots(&self) -> impl Iterator<Item = usize> {
        self.first.all.iter().chain(&self.own.all).map(|template| template.slots as usize)
    }
}

/// Whether a line is this text with numbers in its holes; the numbers are pushed.
fn matches(text: &[u8], holes: &[u32], line: &[u8], values: &mut Vec<u64>) -> bool {
    let (mut at, mut from) = (0, 0);
    for &hole in holes {
        let hole = hole as usize;
        let literal = text.get(from..hole).unwrap_or_default();
        let number = line.get(at..).and_then(|rest| rest.strip_prefix(literal)?.strip_prefix(b"0x"));
        let Some((value, length)) = number.filter(|_| !literal.is_empty() || at == 0).and_then(hex) else {
            return false;
        };
        values.push(value);
        at += literal.len() + 2 + length;
        from = hole + HEX.len();
    }
    line.get(at..) == text.get(from..)
}

/// The line with [`HEX`] for each `0x…` from a place on, whose values are pushed. The line itself where it has none.
fn mask<'l>(line: &'l [u8], start: usize, key: &'l mut Vec<u8>, values: &mut Vec<u64>) -> &'l [u8] {
    key.clear();
    let mut from = 0;
    for (at, value) in numbers(line, start) {
        key.extend_from_slice(line.get(from..at.start).unwrap_or_default());
        key.extend_from_slice(HEX.as_bytes());
        values.push(value);
        from = at.end;
    }
    if from == 0 {
        return line;
    }
    key.extend_from_slice(line.get(from..).unwrap_or_default());
    key
}

/// Each `0x…` of a line from a place on: where it stands, and its value. A text that is [`HEX`] by itself counts as a
/// number, so that slots keep their places.
pub(super) fn numbers(line: &[u8], start: usize) -> impl Iterator<Item = (Range<usize>, u64)> {
    let mut from = 0;
    memchr::memchr_iter(b'x', line).filter_map(move |x| {
        let is_prefix = x > from.max(start) && line.get(x - 1) == Some(&b'0');
        // `Java_0x1f` is a name.
        let is_in_word = x >= 2 && line.get(x - 2).is_some_and(|b| b.is_ascii_alphanumeric() || *b == b'_');
        if !is_prefix || is_in_word {
            return None;
        }
        let digits = line.get(x + 1..).unwrap_or_default();
        let literal = digits.starts_with(b"#").then_some((0, 1));
        let (value, length) = hex(digits).or(literal)?;
        from = x + 1 + length;
        Some((x - 1..from, value))
    })
}

/// The line with [`HEX`] for each hexadecimal word of a range, whose values are pushed.
fn mask_words<'l>(
    line: &'l [u8],
    range: Range<usize>,
    key: &'l mut Vec<u8>,
    values: &mut Vec<u64>,
) -> &'l [u8] {
    key.clear();
    let mut from = 0;
    for (word, value) in words(line, range) {
        key.extend_from_slice(line.get(from..word.start).unwrap_or_default());
        key.extend_from_slice(HEX.as_bytes());
        values.push(value);
        from = word.end;
    }
    key.extend_from_slice(line.get(from..).unwrap_or_default());
    key
}

/// Each hexadecimal word of a range of a line: where it stands, and its value. The two halves of a 64-bit number may be
/// parted by a backtick.
pub(super) fn words(line: &[u8], range: Range<usize>) -> impl Iterator<Item = (Range<usize>, u64)> {
    let end = range.end.min(line.len());
    let mut at = range.start;
    std::iter::from_fn(move || {
        while let Some(inside) = line.get(at..end).filter(|inside| !inside.is_empty()) {
            let start = at;
            let word = word(inside);
            at += word.len().max(1);
            if let Some(value) = bare_hex(word) {
                return Some((start..at, value));
            }
        }
        None
    })
}

/// The word at the begin of a text.
pub(super) fn word(text: &[u8]) -> &[u8] {
    let is_part = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'`');
    let end = text.iter().position(|b| !is_part(b)).unwrap_or(text.len());
    text.get(..end).unwrap_or_default()
}

/// `5ffa9f9c`, `00007ffb`0e6c2b4e`.
pub(super) fn bare_hex(word: &[u8]) -> Option<u64> {
    let mut value = 0u64;
    let mut digits = 0;
    for &byte in word.iter().filter(|b| **b != b'`') {
        let digit = *DIGITS.get(usize::from(byte)).filter(|digit| **digit != NO_DIGIT)?;
        value = value << 4 | u64::from(digit);
        digits += 1;
    }
    (1..=16).contains(&digits).then_some(value)
}

/// A hexadecimal number and how many digits it has; none with more than 16.
pub(super) fn hex(digits: &[u8]) -> Option<(u64, usize)> {
    let mut value = 0u64;
    let mut length = 0;
    // A table: which of its branches a comparison takes is what no processor can guess here.
    while let Some(&digit) = digits.get(length).and_then(|byte| DIGITS.get(usize::from(*byte))) {
        if digit == NO_DIGIT {
            break;
        }
        if length == 16 {
            return None;
        }
        value = value << 4 | u64::from(digit);
        length += 1;
    }
    (length > 0).then_some((value, length))
}

/// What each byte is worth as a hexadecimal digit.
static DIGITS: [u8; 256] = {
    let mut digits = [NO_DIGIT; 256];
    let mut n = 0;
    while n < 16 {
        digits[b"0123456789abcdef"[n] as usize] = n as u8;
        digits[b"0123456789ABCDEF"[n] as usize] = n as u8;
        n += 1;
    }
    digits
};

const NO_DIGIT: u8 = u8::MAX;

#[cfg(test)]
mod tests {
    use super::*;

    /// What is predicted is what would be looked up.
    #[test]
    fn prediction_agrees_with_the_lookup() {
        let lines: &[&str] = &[
            "f(0x1, 0x2)",
            "\t/a.go:1 +0x3",
            "f(0x12, 0x2)",
            "\t/a.go:1 +0x3",
            "f(0x12, 0x2?)",
            "g()",
            "f(0x1234567890abcdef1, 0x2)",
            "\t/a.go:1 +0x",
            "0x10x2",
            "f(0x#, 0x2)",
            "Java_0x1(0x2)",
            "g()",
        ];
        let mut predicting = Templates::default();
        let mut plain = Templates::default();
        let (mut v1, mut v2) = (Vec::new(), Vec::new());
        for line in lines.iter().chain(lines).chain(lines) {
            let got = predicting.intern(line.as_bytes(), Masked::Prefixed(0), &mut v1, |_| InBlock::Body);
            plain.last = None;
            let expected = plain.intern(line.as_bytes(), Masked::Prefixed(0), &mut v2, |_| InBlock::Body);
            assert_eq!((got, &v1), (expected, &v2), "{line}");
        }
    }

    #[test]
    fn numbers_are_taken_out() {
        let mut values = Vec::new();
        let mut key = Vec::new();
        let masked = |line: &str, key: &mut Vec<u8>, values: &mut Vec<u64>| {
            String::from_utf8(mask(line.as_bytes(), 0, key, values).to_vec()).unwrap()
        };
        assert_eq!(masked("- locked <0x00ff> (a C)", &mut key, &mut values), "- locked <0x#> (a C)");
        assert_eq!(masked("f(0x1, {0xAb?, ...}) +0x7c", &mut key, &mut values), "f(0x#, {0x#?, ...}) +0x#");
        assert_eq!(values, [0xff, 1, 0xab, 0x7c]);
        values.clear();
        for same in ["a10x5", "0xg", "x", "0x", "", "0x12345678901234567"] {
            assert_eq!(masked(same, &mut key, &mut values), same);
        }
        assert!(values.is_empty());
        assert_eq!(masked("0x5 0x#", &mut key, &mut values), "0x# 0x#");
        assert_eq!(values, [5, 0]);
    }

    #[test]
    fn words_are_taken_out() {
        let mut values = Vec::new();
        let mut key = Vec::new();
        let line = b"0556fcb8 00007ffb`0e6c2b4e -- (add, 7g, 1) add!f";
        let masked = mask_words(line, 0..41, &mut key, &mut values).to_vec();
        assert_eq!(String::from_utf8(masked).unwrap(), "0x# 0x# -- (0x#, 7g, 0x#) add!f");
        assert_eq!(values, [0x0556_fcb8, 0x7ffb_0e6c_2b4e, 0xadd, 1]);
    }
}
