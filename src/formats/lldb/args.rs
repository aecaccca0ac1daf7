//! What stands behind the backtick of a frame: name, argument values, place.

use crate::formats::text::HEX;
use crate::model::{ArgSlot, SlotKind};

/// A frame's text in its parts.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Parts {
    /// The name, with its parameters where it has some.
    pub name: String,
    /// What stands behind it: ` + 12 at f.c:3:1`.
    pub after: String,
    pub slots: Vec<(ArgSlot, usize)>,
}

/// Takes a frame's text apart: `f(futex=0x#, private=0) at x.c:49:7`, `std::map<int, int>::find(int) const + 12`. The
/// group in brackets with values is the last one in which a name stands before a `=`; all others belong to the name.
pub(super) fn split(text: &str, first_slot: usize) -> Parts {
    let mut scan = Scan::default();
    scan.groups(text);
    let values = scan
        .groups
        .iter()
        .rev()
        .find(|(open, close)| has_values(text.get(open + 1..*close).unwrap_or_default()));
    let (name, after, slots) = match values {
        Some(&(open, close)) => {
            let after = text.get(close + 1..).unwrap_or_default();
            let name_goes_on = end_of_name(after);
            let mut name = text.get(..open).unwrap_or_default().to_owned();
            name.push_str(after.get(..name_goes_on).unwrap_or_default().trim_end());
            let before = text.get(..open).unwrap_or_default().matches(HEX).count();
            let inside = text.get(open + 1..close).unwrap_or_default();
            (name, after.get(name_goes_on..).unwrap_or_default(), slots(inside, first_slot + before))
        }
        None => {
            let end = scan.groups.last().map_or(0, |(_, close)| close + 1);
            let end = end + end_of_name(text.get(end..).unwrap_or_default());
            (text.get(..end).unwrap_or_default().to_owned(), text.get(end..).unwrap_or_default(), Vec::new())
        }
    };
    let name = name
        .trim()
        .strip_suffix("()")
        .filter(|n| values.is_some() || !n.contains('<'))
        .map(str::to_owned)
        .unwrap_or(name);
    Parts { name: name.trim().to_owned(), after: after.to_owned(), slots }
}

/// Where in the text behind the last group the name ends: ` const + 12 at f.c:3`.
fn end_of_name(text: &str) -> usize {
    [" + ", " at "].iter().filter_map(|mark| text.find(mark)).min().unwrap_or(text.len())
}

/// Whether a name and a value stand there: `futex=0x#`, of a block `.block_descriptor=0x#`.
fn has_values(inside: &str) -> bool {
    let inside = inside.strip_prefix('.').unwrap_or(inside);
    let name = inside.bytes().take_while(|b| b.is_ascii_alphanumeric() || *b == b'_' || *b == b'$').count();
    name > 0 && inside.as_bytes().get(name) == Some(&b'=') && inside.as_bytes().get(name + 1) != Some(&b'=')
}

/// Arguments whose value is a number that was masked: `futex=0x#`.
fn slots(inside: &str, first: usize) -> Vec<(ArgSlot, usize)> {
    let mut slots = Vec::new();
    let mut scan = Scan::default();
    scan.groups(inside);
    let mut at = 0;
    let mut seen = 0;
    for end in scan.commas.iter().copied().chain([inside.len()]) {
        let piece = inside.get(at..end).unwrap_or_default();
        if let Some((name, value)) = piece.trim_start().split_once('=')
            && value.starts_with(HEX)
        {
            let slot = ArgSlot { name: name.into(), kind: SlotKind::Hex, symbol: None };
            slots.push((slot, first + seen));
        }
        seen += piece.matches(HEX).count();
        at = end + 1;
    }
    slots
}

/// Brackets and commas of the outermost level; what stands in quotes is passed over.
#[derive(Default)]
struct Scan {
    groups: Vec<(usize, usize)>,
    commas: Vec<usize>,
}

impl Scan {
    fn groups(&mut self, text: &str) {
        let bytes = text.as_bytes();
        let mut depth = 0usize;
        let mut open = 0;
        let mut at = 0;
        while let Some(&byte) = bytes.get(at) {
            match byte {
                b'"' => at = past_quote(bytes, at),
                // `c='('`, and not the digits of C++ or the lifetimes of Rust.
                b'\'' if at > 0 && bytes.get(at - 1) == Some(&b'=') => at = past_quote(bytes, at),
                b'(' => {
                    if depth == 0 {
                        open = at;
                    }
                    depth += 1;
                }
                b')' if depth == 1 => {
                    depth = 0;
                    self.groups.push((open, at));
                }
                b')' => depth = depth.saturating_sub(1),
                b'{' if depth == 0 => {}
                b',' if depth == 0 => self.commas.push(at),
                _ => {}
            }
            at += 1;
        }
    }
}

/// The place of the quote that closes the one at `at`; the end of the text where there is none.
fn past_quote(bytes: &[u8], at: usize) -> usize {
    let quote = bytes.get(at).copied();
    let mut next = at + 1;
    while let Some(byte) = bytes.get(next) {
        match byte {
            b'\\' => next += 1,
            _ if Some(*byte) == quote => return next,
            _ => {}
        }
        next += 1;
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(text: &str) -> (String, String, Vec<(String, usize)>) {
        let parts = split(text, 0);
        (parts.name, parts.after, parts.slots.into_iter().map(|(s, n)| (s.name.to_string(), n)).collect())
    }

    #[test]
    fn names_values_and_places() {
        assert_eq!(
            parts("__GI___lll_lock_wait(futex=0x#, private=0) at l.c:49:7"),
            ("__GI___lll_lock_wait".into(), " at l.c:49:7".into(), vec![("futex".into(), 0)])
        );
        assert_eq!(
            parts("log(text=\"a, (b=0x#\", m=0x#) at f.c:1"),
            ("log".into(), " at f.c:1".into(), vec![("m".into(), 1)])
        );
        assert_eq!(parts("do_rd at l.c:29:73"), ("do_rd".into(), " at l.c:29:73".into(), vec![]));
        assert_eq!(parts("_start + 33"), ("_start".into(), " + 33".into(), vec![]));
        assert_eq!(
            parts("std::f(int, char) const + 3"),
            ("std::f(int, char) const".into(), " + 3".into(), vec![])
        );
        assert_eq!(
            parts("A::run() const [inlined] lock(__mutex=0x#) at g.h:7:1"),
            ("A::run() const [inlined] lock".into(), " at g.h:7:1".into(), vec![("__mutex".into(), 0)])
        );
        assert_eq!(
            parts("A::f(this=0x#, n=1) const at a.h:7:1"),
            ("A::f const".into(), " at a.h:7:1".into(), vec![("this".into(), 0)])
        );
        assert_eq!(
            parts("__40-[Log add:]_block_invoke(.block_descriptor=0x#) at Log.m:357"),
            (
                "__40-[Log add:]_block_invoke".into(),
                " at Log.m:357".into(),
                vec![(".block_descriptor".into(), 0)]
            )
        );
        assert_eq!(parts("f(...) at f.c:1"), ("f(...)".into(), " at f.c:1".into(), vec![]));
        assert_eq!(parts("f(s=\"cut"), ("f(s=\"cut".into(), String::new(), vec![]));
    }
}
