//! The argument list of a frame: which value slots it has.

use crate::model::{ArgSlot, SlotKind, lossy};

use super::scan::{Scan, symbol_end};
use super::token::{Token, TokenKind};

/// Where a slot's value comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// The line's n-th token that has a value.
    Token(usize),
    /// Nothing was printed but a symbol (`print address off`): 0.
    Nothing,
}

/// What stands between `<` and `>` in place of a value, and is no symbol.
static NO_SYMBOL: &[&[u8]] = &[
    b"optimized out",
    b"synthetic pointer",
    b"error",
    b"Address",
    b"incomplete",
    b"repeats",
    b"unavailable",
    b"not saved",
    b"unrepresentable",
    b"No data fields",
    b"invalid",
    b"data variable",
    b"variable",
    b"function at remote",
    b"unnamed",
];

/// The slots of a scanned line, in order, with the source of each.
///
/// ```text
/// (futex=futex@entry=0x558efcd69060 <m>, private=0)         gdb 13: futex → m, private
/// (futex_word=<g_log>, abstime=abstime@entry=, op=393)      gdb 13, print address off
/// (now=<optimized out>, now@entry=1567697671)               gdb 7.12
/// (e=@0x7f76e6fb9938: {tv_sec = 14, data = {0x0, 0x1}})     a reference, nested fields
/// ```
pub(super) fn slots(line: &[u8], scan: &Scan) -> (Vec<ArgSlot>, Vec<Source>) {
    let mut walk =
        Walk { line, names: Vec::new(), name: "", piece: 0, slots: Vec::new(), sources: Vec::new() };
    if let Some((start, end)) = scan.args {
        walk.piece = start + 1;
        walk.list(start + 1, end.saturating_sub(1), &scan.tokens);
    }
    (walk.slots, walk.sources)
}

struct Walk<'a> {
    line: &'a [u8],
    /// The names of the enclosing `{ … }`.
    names: Vec<&'a str>,
    /// The name in force.
    name: &'a str,
    /// Where the text that may become a name begins.
    piece: usize,
    slots: Vec<ArgSlot>,
    sources: Vec<Source>,
}

impl<'a> Walk<'a> {
    fn list(&mut self, start: usize, end: usize, tokens: &[Token]) {
        let mut tokens = tokens.iter().peekable();
        let mut ordinal = 0;
        // Everything before it is inside a `<…>` that holds no value.
        let mut ignored_until = 0;
        let mut at = start;
        while at < end {
            if let Some(token) = tokens.next_if(|t| t.start == at) {
                at = token.end;
                if token.kind.has_value() {
                    if token.start >= ignored_until && !self.is_index(token) {
                        at = self.value(token, ordinal);
                    }
                    ordinal += 1;
                }
                continue;
            }
            let byte = self.line.get(at).copied().unwrap_or_default();
            at += 1;
            match byte {
                b'=' => self.name_ends(at - 1, at),
                // Rust: `{data_ptr: 0x55d9…, length: 3}`.
                b':' if !self.names.is_empty() && self.line.get(at) == Some(&b' ') => {
                    self.name_ends(at - 1, at)
                }
                b'{' => {
                    self.names.push(self.name);
                    self.piece = at;
                }
                b'}' => self.name = self.names.pop().unwrap_or_default(),
                b',' => {
                    self.name = self.names.last().copied().unwrap_or_default();
                    self.piece = at;
                }
                b'<' if at > ignored_until => {
                    if let Some(close) = symbol_end(self.line, at - 1) {
                        let is_value = matches!(self.line.get(at.wrapping_sub(2)), Some(b'='))
                            || self.line.get(at.wrapping_sub(3)..at - 1) == Some(b"= ");
                        let content = self.line.get(at..close - 1).unwrap_or_default();
                        if is_value && is_symbol(content) {
                            self.push(SlotKind::Hex, Some(content), Source::Nothing);
                            at = close;
                        } else {
                            ignored_until = close;
                        }
                    }
                }
                _ => {}
            }
        }
    }

    /// `[0] = 5`: an index, not a value.
    fn is_index(&self, token: &Token) -> bool {
        token.start.checked_sub(1).and_then(|i| self.line.get(i)) == Some(&b'[')
    }

    /// A value, and the symbol that may follow it: the index after both.
    fn value(&mut self, token: &Token, ordinal: usize) -> usize {
        let kind = if token.kind == TokenKind::Hex { SlotKind::Hex } else { SlotKind::Decimal };
        let mut end = token.end;
        let mut symbol = None;
        if kind == SlotKind::Hex
            && self.line.get(end..).is_some_and(|r| r.starts_with(b" <"))
            && let Some(close) = symbol_end(self.line, end + 1)
        {
            let content = self.line.get(end + 2..close - 1).unwrap_or_default();
            if is_symbol(content) {
                symbol = Some(content);
                end = close;
            }
        }
        self.push(kind, symbol, Source::Token(ordinal));
        end
    }

    fn push(&mut self, kind: SlotKind, symbol: Option<&[u8]>, source: Source) {
        let symbol = symbol.map(|s| lossy(s).into());
        self.slots.push(ArgSlot { name: self.name.into(), kind, symbol });
        self.sources.push(source);
    }

    /// `mutex@entry`, ` static _M_max_size `: the name before a `=` or `:`.
    fn name_ends(&mut self, end: usize, next: usize) {
        let piece = self.line.get(self.piece..end).unwrap_or_default().trim_ascii();
        let piece = piece.strip_suffix(b"@entry").unwrap_or(piece);
        let word = piece.rsplit(|&b| b == b' ').next().unwrap_or_default();
        if !word.is_empty()
            && !word.ends_with(b">")
            && !word.ends_with(b"]")
            && let Ok(name) = std::str::from_utf8(word)
        {
            self.name = name;
        }
        self.piece = next;
    }
}

fn is_symbol(content: &[u8]) -> bool {
    !content.is_empty() && !NO_SYMBOL.iter().any(|no| content.starts_with(no))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(line: &str) -> Vec<(String, Option<String>, Source)> {
        let mut scan = Scan::default();
        scan.read(line.as_bytes());
        let (slots, sources) = slots(line.as_bytes(), &scan);
        slots
            .into_iter()
            .zip(sources)
            .map(|(s, source)| (s.name.to_string(), s.symbol.map(|s| s.to_string()), source))
            .collect()
    }

    fn names(line: &str) -> Vec<String> {
        list(line).into_iter().map(|(n, s, _)| s.map_or(n.clone(), |s| format!("{n}<{s}>"))).collect()
    }

    #[test]
    fn names_and_symbols() {
        assert_eq!(names("f (futex=futex@entry=0x558 <m>, private=0)"), ["futex<m>", "private"]);
        assert_eq!(names("f (a=<optimized out>, a@entry=5, b=0x1 <sym+40>)"), ["a", "b<sym+40>"]);
        assert_eq!(
            names("f (e=@0x7f: {tv_sec = 14, data = {0x0, 0x1}}, z=1)"),
            ["e", "tv_sec", "data", "data", "z"]
        );
        assert_eq!(names("f (x=<error reading variable: Cannot access memory at address 0x7f>, y=2)"), ["y"]);
        assert_eq!(names("f (b=0x5 \"abc\", '\\000' <repeats 26 times>, c=1)"), ["b", "c"]);
        assert_eq!(names("f (s={<B<int>> = {v = 1}, static m = 16})"), ["v", "m"]);
    }

    #[test]
    fn a_symbol_without_an_address_is_a_slot() {
        assert_eq!(
            list("futex_wait (private=0, expected=2, futex_word=<g_log+40>)"),
            [
                ("private".into(), None, Source::Token(0)),
                ("expected".into(), None, Source::Token(1)),
                ("futex_word".into(), Some("g_log+40".into()), Source::Nothing),
            ]
        );
    }

    #[test]
    fn a_value_that_is_not_one_keeps_its_place_in_the_count() {
        assert_eq!(
            list("f (x=<error reading variable: Cannot access memory at address 0x7f>, y=2)"),
            [("y".into(), None, Source::Token(1))]
        );
    }
}
