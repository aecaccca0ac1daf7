//! Frame lines, interned by what does not differ between threads.
//!
//! Ten thousand threads have thousands of different lines but some dozens of templates. A line is
//! compared with the template that followed last time; only a line that is not predicted is
//! scanned and looked up. The two ways agree: tokens are read by the same function, and literal
//! text that is equal holds the same tokens.

use std::hash::Hasher;
use std::ops::Range;
use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHasher};
use smallvec::SmallVec;

use super::args::Source;
use super::frame::{self, ParsedFrame};
use super::scan::Scan;
use super::token::{TokenKind, decimal_at, hex_at, token_at};
use crate::formats::text::Hole;

/// Index of a template.
pub(super) type TemplateIx = u32;

/// No template.
const NONE: TemplateIx = TemplateIx::MAX;

/// A frame line with its tokens left open.
#[derive(Debug)]
pub(super) struct Template {
    /// What the line says.
    pub parsed: ParsedFrame,
    hash: u64,
    /// The literal text, without the tokens.
    literal: Box<[u8]>,
    /// The tokens: where the literal text before each ends, and its kind.
    tokens: Box<[(usize, TokenKind)]>,
}

impl Template {
    /// Whether the line is one of this template; its tokens' values are pushed.
    fn matches(&self, line: &[u8], values: &mut Vec<u64>) -> bool {
        let mut at = 0;
        let mut from = 0;
        for &(literal_end, kind) in &self.tokens {
            let literal = self.literal.get(from..literal_end).unwrap_or_default();
            if !line.get(at..).is_some_and(|l| l.starts_with(literal)) {
                return false;
            }
            match token_at(line, at + literal.len()) {
                Some(token) if token.kind == kind => {
                    if kind.has_value() {
                        values.push(token.value);
                    }
                    at = token.end;
                }
                _ => return false,
            }
            from = literal_end;
        }
        line.get(at..) == self.literal.get(from..)
    }
}

impl Hole for TokenKind {
    fn read(self, text: &[u8], at: usize, values: &mut Vec<u64>) -> Option<usize> {
        let number = match self {
            Self::Hex => Some(hex_at(text, at)?),
            Self::Decimal => Some(decimal_at(text, at)?),
            Self::Number | Self::Text => None,
        };
        if let Some((value, end)) = number {
            values.push(value);
            return Some(end);
        }
        let token = token_at(text, at).filter(|token| token.kind == self)?;
        // A quote that nothing closes in its line closes in another one.
        if self == Self::Text && text.get(at..token.end)?.contains(&b'\n') {
            return None;
        }
        Some(token.end)
    }
}

/// The templates of a piece of text.
#[derive(Clone, Debug, Default)]
pub(super) struct Templates {
    /// Pieces of a text share those that they begin with.
    all: Vec<Arc<Template>>,
    /// The templates that followed each of them last.
    next: Vec<[TemplateIx; 2]>,
    by_hash: FxHashMap<u64, SmallVec<[TemplateIx; 1]>>,
    scan: Scan,
    line_values: Vec<u64>,
}

impl Templates {
    /// Makes room for so many.
    pub fn reserve(&mut self, count: usize) {
        self.all.reserve(count);
        self.next.reserve(count);
        self.by_hash.reserve(count);
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.all.len()
    }

    /// A template.
    pub fn get(&self, ix: TemplateIx) -> Option<&Template> {
        self.all.get(ix as usize).map(|template| &**template)
    }

    /// Adds the templates of what follows; how they are numbered here.
    pub fn append(&mut self, next: &Self) -> Vec<TemplateIx> {
        let number = |of_next: &Arc<Template>| {
            let found = self.by_hash.entry(of_next.hash).or_default();
            let known = found
                .iter()
                .copied()
                .find(|&ix| self.all.get(ix as usize).is_some_and(|t| t.is_same(of_next)));
            known.unwrap_or_else(|| {
                let ix = self.all.len() as TemplateIx;
                found.push(ix);
                self.all.push(of_next.clone());
                self.next.push([NONE; 2]);
                ix
            })
        };
        let numbers: Vec<TemplateIx> = next.all.iter().map(number).collect();
        for (&ix, after) in numbers.iter().zip(&next.next) {
            if let Some(own) = self.next.get_mut(ix as usize) {
                *own = after.map(|of_next| numbers.get(of_next as usize).copied().unwrap_or(NONE));
            }
        }
        numbers
    }

    /// The template of this line if it is one of those that followed `after` last time. The
    /// values of its slots are pushed.
    pub fn predicted(
        &mut self,
        line: &[u8],
        after: Option<TemplateIx>,
        values: &mut Vec<u64>,
    ) -> Option<TemplateIx> {
        let next = *self.next.get(after? as usize)?;
        for (n, ix) in next.into_iter().enumerate() {
            let template = self.all.get(ix as usize)?;
            let mark = values.len();
            if template.matches(line, values) {
                if let Some(sources) = &template.parsed.sources {
                    self.line_values.clear();
                    self.line_values.extend(values.drain(mark..));
                    push_values(sources, &self.line_values, values);
                }
                if n > 0 {
                    self.follows(after, ix);
                }
                return Some(ix);
            }
            values.truncate(mark);
        }
        None
    }

    /// The template of this line, which is added when it is new. The values of its slots are
    /// pushed.
    pub fn intern(&mut self, line: &[u8], after: Option<TemplateIx>, values: &mut Vec<u64>) -> TemplateIx {
        self.scan.read(line);
        let hash = hash(line, &self.scan);
        let known = self.by_hash.get(&hash).and_then(|found| {
            found.iter().copied().find(|&ix| self.get(ix).is_some_and(|t| t.is_of(line, &self.scan)))
        });
        let ix = known.unwrap_or_else(|| self.add(line, hash));
        self.line_values.clear();
        self.line_values.extend(self.scan.tokens.iter().filter(|t| t.kind.has_value()).map(|t| t.value));
        match self.all.get(ix as usize).and_then(|t| t.parsed.sources.as_deref()) {
            Some(sources) => push_values(sources, &self.line_values, values),
            None => values.extend_from_slice(&self.line_values),
        }
        self.follows(after, ix);
        ix
    }

    /// Where the tokens of a stack's frame lines stand, from its first byte on. `None`: their values are not those of its
    /// frames, one by one.
    pub fn holes(&mut self, lines: &[u8], frames: &[TemplateIx]) -> Option<Vec<(Range<usize>, TokenKind)>> {
        let mut holes = Vec::new();
        let (mut at, mut frames) = (0, frames.iter());
        for line in lines.split_inclusive(|b| *b == b'\n') {
            if self.get(*frames.next()?)?.parsed.sources.is_some() {
                return None;
            }
            // `#12 0x0000…`
            let number = line.iter().skip(1).take_while(|b| b.is_ascii_digit()).count() + 1;
            let body = line.get(number..)?;
            let start = number + (body.len() - body.trim_ascii_start().len());
            self.scan.read(line.get(start..)?.trim_ascii_end());
            holes.extend(self.scan.tokens.iter().map(|t| (at + start + t.start..at + start + t.end, t.kind)));
            at += line.len();
        }
        frames.next().is_none().then_some(holes)
    }

    fn follows(&mut self, after: Option<TemplateIx>, ix: TemplateIx) {
        let next = after.and_then(|a| self.next.get_mut(a as usize));
        if let Some(next) = next.filter(|next| next[0] != ix) {
            *next = [ix, next[0]];
        }
    }

    fn add(&mut self, line: &[u8], hash: u64) -> TemplateIx {
        let ix = self.all.len() as TemplateIx;
        let mut literal = Vec::with_capacity(line.len());
        let mut tokens = Vec::with_capacity(self.scan.tokens.len());
        let mut at = 0;
        for token in &self.scan.tokens {
            literal.extend_from_slice(line.get(at..token.start).unwrap_or_default());
            tokens.push((literal.len(), token.kind));
            at = token.end;
        }
        literal.extend_from_slice(line.get(at..).unwrap_or_default());
        self.all.push(Arc::new(Template {
            parsed: frame::parse(line, &self.scan),
            hash,
            literal: literal.into(),
            tokens: tokens.into(),
        }));
        self.next.push([NONE; 2]);
        self.by_hash.entry(hash).or_default().push(ix);
        ix
    }
}

impl Template {
    fn is_same(&self, other: &Self) -> bool {
        self.literal == other.literal && self.tokens == other.tokens
    }

    /// Whether a scanned line is one of this template.
    fn is_of(&self, line: &[u8], scan: &Scan) -> bool {
        let mut at = 0;
        let mut from = 0;
        self.tokens.len() == scan.tokens.len()
            && self.tokens.iter().zip(&scan.tokens).all(|(&(end, kind), token)| {
                let same = kind == token.kind && line.get(at..token.start) == self.literal.get(from..end);
                (at, from) = (token.end, end);
                same
            })
            && line.get(at..) == self.literal.get(from..)
    }
}

fn push_values(sources: &[Source], line_values: &[u64], values: &mut Vec<u64>) {
    values.extend(sources.iter().map(|source| match source {
        Source::Token(n) => line_values.get(*n).copied().unwrap_or_default(),
        Source::Nothing => 0,
    }));
}

fn hash(line: &[u8], scan: &Scan) -> u64 {
    let mut hasher = FxHasher::default();
    let mut at = 0;
    for token in &scan.tokens {
        hasher.write(line.get(at..token.start).unwrap_or_default());
        hasher.write_u8(token.kind as u8);
        at = token.end;
    }
    hasher.write(line.get(at..).unwrap_or_default());
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_share_templates() {
        let mut templates = Templates::default();
        let mut values = Vec::new();
        let a = templates.intern(b"f (n=-1, s=0x7f \"a\", c=97 'a', d=1.5) at x.c:5", None, &mut values);
        let b = templates.intern(b"f (n=20, s=0x8e \"bc (\", c=10 '\\n', d=2) at x.c:5", None, &mut values);
        let c =
            templates.intern(b"f (n=20, s=0x8e \"bc (\", c=10 '\\n', d=2.25) at x.c:5", None, &mut values);
        let d =
            templates.intern(b"f (n=20, s=0x8e \"bc (\", c=10 '\\n', d=2.25) at x.c:6", None, &mut values);
        assert_eq!((a, c), (0, 0));
        assert!(b != a && d != a && d != b);
        assert_eq!(values[..3], [u64::MAX, 0x7f, 97]);
    }

    #[test]
    fn template_arguments_are_not_masked() {
        let mut templates = Templates::default();
        let mut values = Vec::new();
        let a = templates.intern(b"f<1, void (*)(int), 2> (n=1)", None, &mut values);
        let b = templates.intern(b"f<1, void (*)(int), 3> (n=1)", None, &mut values);
        assert_ne!(a, b);
        assert_eq!(values, [1, 1]);
    }

    #[test]
    fn prediction_agrees_with_the_scan() {
        let lines: &[&[u8]] = &[
            b"f (a=0x1 <s>, b=2) at x.c:1",
            b"g (a=<error reading variable: Cannot access memory at address 0x7f>, b=<sym>, c=3)",
            b"f (a=0x2 <s>, b=-5) at x.c:1",
            b"g (a=<error reading variable: Cannot access memory at address 0x8f>, b=<sym>, c=4)",
            b"f (a=0x2 <t>, b=-5) at x.c:1",
            b"f (a=0x22 <s>, b=7) at x.c:1",
            b"g (a=<error reading variable: Cannot access memory at address 0x8f>, b=<sym>, c=12a)",
        ];
        let (mut plain, mut predicting) = (Templates::default(), Templates::default());
        let (mut v1, mut v2) = (Vec::new(), Vec::new());
        let mut last = None;
        for line in lines.iter().chain(lines) {
            let expected = plain.intern(line, None, &mut v1);
            let ix = match predicting.predicted(line, last, &mut v2) {
                Some(ix) => ix,
                None => predicting.intern(line, last, &mut v2),
            };
            assert_eq!((ix, &v2), (expected, &v1));
            last = Some(ix);
        }
    }
}
