//! A place in a text where an anchor of a format stands.

use std::borrow::Cow;

use rayon::prelude::*;

use crate::model::lossy;

/// The longest prefix of a log before a header, bytes.
pub const LONGEST_PREFIX: usize = 200;

/// As much of a line as is looked at, bytes.
pub const LONGEST_LINE: usize = 1 << 16;

/// A place where an anchor stands.
#[derive(Clone, Copy, Debug)]
pub struct Site<'a> {
    /// The whole text.
    pub text: &'a [u8],
    /// Where in it the anchor begins.
    pub at: usize,
}

impl<'a> Site<'a> {
    /// The text from the anchor on.
    pub fn rest(&self) -> &'a [u8] {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// The line from the anchor on, without its end; of a line inside a JSON string, up to the escaped line break.
    pub fn line(&self) -> &'a [u8] {
        let rest = self.rest();
        let rest = rest.get(..rest.len().min(LONGEST_LINE)).unwrap_or_default();
        let line = first_line(rest);
        let is_json = self.before().is_some_and(|b| b.trim_ascii_start().starts_with(b"{"));
        let is_inside = self.at.checked_sub(1).and_then(|before| self.text.get(before)) == Some(&b'\\');
        let end = if is_json { string_line_end(line, usize::from(is_inside)) } else { line.len() };
        line.get(..end).unwrap_or_default().trim_ascii_end()
    }

    /// The whole line as the format wrote it, and where in the text it begins: behind the quote of a JSON string,
    /// unescaped, else the line as it stands, prefix included.
    pub fn whole_line(&self) -> Option<(usize, Cow<'a, str>)> {
        let before = self.before()?;
        let line = self.at - before.len();
        if before.trim_ascii_start().starts_with(b"{") {
            let key = memchr::memmem::rfind(before, b"\":")?;
            let quote = key + 2 + before.get(key + 2..)?.iter().position(|b| *b == b'"')?;
            let bytes = self.text.get(line + quote..)?;
            let bytes = bytes.get(..bytes.len().min(LONGEST_LINE))?;
            let value = serde_json::Deserializer::from_slice(bytes).into_iter::<String>().next()?.ok()?;
            let first = value.lines().next().unwrap_or_default().to_owned();
            return Some((line + quote + 1, first.into()));
        }
        Some((line, lossy(first_line(self.text.get(line..)?))))
    }

    /// The lines after this one: at most `count`, each without its end.
    pub fn following(&self, count: usize) -> impl Iterator<Item = &'a [u8]> {
        let rest = self.rest();
        let start = memchr::memchr(b'\n', rest).map_or(rest.len(), |n| n + 1);
        let mut rest = rest.get(start..).unwrap_or_default();
        std::iter::from_fn(move || {
            let line = first_line(rest);
            if rest.is_empty() {
                return None;
            }
            rest = rest.get(line.len() + 1..).unwrap_or_default();
            Some(line.get(..line.len().min(LONGEST_LINE)).unwrap_or_default().trim_ascii_end())
        })
        .take(count)
    }

    /// The same as text; where the line is one of JSON, what its string says on the lines after.
    pub fn following_text(&self, count: usize) -> impl Iterator<Item = Cow<'a, str>> {
        let before = self.before().unwrap_or_default();
        let key = before.trim_ascii_start().strip_prefix(b"{").and_then(|_| {
            let colon = memchr::memmem::rfind(before, b"\":")?;
            let quote = memchr::memrchr(b'"', before.get(..colon)?)?;
            before.get(quote..colon + 2)
        });
        let value = move |line: &[u8]| {
            let key = key?;
            let at = memchr::memmem::find(line, key)? + key.len();
            let text =
                serde_json::Deserializer::from_slice(line.get(at..)?).into_iter::<String>().next()?.ok()?;
            Some(Cow::Owned(text.trim_end().to_owned()))
        };
        self.following(count).map(move |line| value(line).unwrap_or_else(|| lossy(line)))
    }

    /// What stands before the anchor in its line, if that is short enough for a prefix. What stands further in a
    /// line is nothing to look at: a line of megabytes may hold a million anchors.
    pub fn before(&self) -> Option<&'a [u8]> {
        let window = self.text.get(self.at.saturating_sub(LONGEST_PREFIX)..self.at)?;
        let begin = || (self.at <= LONGEST_PREFIX).then_some(0);
        let start = memchr::memrchr(b'\n', window).map(|n| n + 1).or_else(begin)?;
        window.get(start..)
    }

    /// Where the JSON string begins in which the anchor stands, if its line is JSON. A key is no such string.
    pub fn string_start(&self) -> Option<usize> {
        let before = self.before()?;
        if !before.trim_ascii_start().starts_with(b"{") {
            return None;
        }
        let mut open = None;
        let mut is_escaped = false;
        for (at, byte) in before.iter().enumerate() {
            match byte {
                _ if is_escaped => is_escaped = false,
                b'\\' => is_escaped = true,
                b'"' => open = if open.is_some() { None } else { Some(at + 1) },
                _ => {}
            }
        }
        let at = open?;
        let is_value = before.get(..at - 1)?.trim_ascii_end().ends_with(b":");
        is_value.then(|| self.at - before.len() + at)
    }

    /// Where a line begins that its own format indents by at most `most` blanks.
    pub fn indented(&self, most: usize) -> usize {
        let blanks = self.before().unwrap_or_default().iter().rev().take_while(|b| **b == b' ').count();
        self.at - blanks.min(most)
    }
}

/// Where the string of JSON or its line ends in which `line` stands. Quotes of its text are escaped:
/// `(idle): \"MainThread\""}`.
fn string_line_end(line: &[u8], mut at: usize) -> usize {
    while let Some(found) = line.get(at..).and_then(|rest| memchr::memchr2(b'"', b'\\', rest)) {
        at += found;
        if line.get(at) == Some(&b'"') || line.get(at + 1) == Some(&b'n') {
            return at;
        }
        at += 2;
    }
    line.len()
}

/// How much of a long text one worker looks through at a time.
const PIECE: usize = 1 << 20;

/// Whether one of these bytes stands in a text, which may be long.
pub fn has_any(text: &[u8], [a, b, c]: [u8; 3]) -> bool {
    text.par_chunks(PIECE).any(|piece| memchr::memchr3(a, b, c, piece).is_some())
}

/// Whether something stands in a text, which may be long.
pub fn contains(text: &[u8], what: &[u8]) -> bool {
    let is_in = |n: usize| {
        let end = text.len().min((n + 1) * PIECE + what.len());
        text.get(n * PIECE..end).is_some_and(|piece| memchr::memmem::find(piece, what).is_some())
    };
    (0..text.len().div_ceil(PIECE)).into_par_iter().any(is_in)
}

/// The text up to its first line break.
pub fn first_line(text: &[u8]) -> &[u8] {
    text.get(..memchr::memchr(b'\n', text).unwrap_or(text.len())).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{Site, contains};

    #[test]
    fn a_line_in_json_ends_with_its_string() {
        let line = |text: &str, anchor: &str| {
            let site = Site { text: text.as_bytes(), at: text.find(anchor).unwrap() };
            String::from_utf8(site.line().to_vec()).unwrap()
        };
        let log = r#"{"message": "Thread 7 (idle): \"a\"", "by": "x\n"}"#;
        assert_eq!(line(log, "(idle)"), r#"(idle): \"a\""#);
        assert_eq!(line(r#"{"log":"\"a\" prio=5\n"}"#, "\" prio"), "\" prio=5");
        assert_eq!(line("> (idle): \"a\"\n", "(idle)"), "(idle): \"a\"");
    }

    #[test]
    fn what_stands_across_two_pieces_is_found() {
        let mut text = vec![b'.'; (1 << 20) - 2];
        text.extend_from_slice(b"mark");
        assert!(contains(&text, b"mark"));
        text.pop();
        assert!(!contains(&text, b"mark") && !contains(b"", b"mark"));
    }
}
