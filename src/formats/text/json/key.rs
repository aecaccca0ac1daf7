//! Keys of documents as anchors, and where the document's text begins in the line of one.
//!
//! ```text
//! till_1  |     "pid": 14479, "thread_id": 140278625572544, "owns_gil": false,
//! INFO dump: {"threads": [{"threadId": 31, "threadName": "http-1", "threadState": "BLOCKED"
//! ```
//!
//! A log's words and the keys before the anchor both stand before it. What reads as JSON up to the anchor is the
//! document's; the rest is a log's if it stands before an opening bracket, or before other lines too. What is neither
//! may be damaged, and stays: whoever reads the document says so.

use std::borrow::Cow;

use super::super::prefix::Prefix;
use super::super::site::Site;

/// A key of a document at a site that begins with its quote: where the document's text begins in the line, and what
/// follows the key, at most `near` bytes. A log that is JSON itself has the quotes escaped.
pub fn key<'a>(site: &Site<'a>, name: &str, near: usize) -> Option<(usize, Cow<'a, [u8]>)> {
    let rest = site.rest();
    let rest = rest.get(..rest.len().min(near))?;
    if let Some(inside) = rest.strip_prefix(b"\\\"") {
        let value = inside.strip_prefix(name.as_bytes())?.strip_prefix(b"\\\"")?;
        return Some((site.at, Cow::Owned(value.iter().copied().filter(|b| *b != b'\\').collect())));
    }
    let value = rest.strip_prefix(b"\"")?.strip_prefix(name.as_bytes())?.strip_prefix(b"\"")?;
    Some((start(site), Cow::Borrowed(value)))
}

/// Whether a site begins with this key, its quotes escaped or not.
pub fn is_key(site: &Site<'_>, name: &str) -> bool {
    let rest = site.rest();
    let inside = rest.strip_prefix(b"\\\"").or_else(|| rest.strip_prefix(b"\""));
    inside.is_some_and(|inside| inside.starts_with(name.as_bytes()))
}

/// Where the text of a document begins in the line of one of its keys, without what a log put before it: a log puts
/// one blank between, more of them are the document's indentation.
fn start(site: &Site<'_>) -> usize {
    let before = site.before().unwrap_or_default();
    let line = site.at - before.len();
    let own = own_begin(before);
    // Behind something damaged: the first bracket that holds a key.
    let open = memchr::memmem::find(before.get(..own).unwrap_or_default(), b"{\"");
    let own = open.map_or(own, |at| at - openings(before.get(..at).unwrap_or_default()));
    let prefix = before.get(..own).unwrap_or_default().trim_ascii_end().len();
    let start = prefix + usize::from(prefix > 0 && before.get(prefix) == Some(&b' '));
    let is_opening = || matches!(before.get(own), Some(b'{' | b'['));
    let is_log = || has_neighbour(site, before.get(..start).unwrap_or_default());
    if prefix == 0 || !is_opening() && !is_log() { line } else { line + start }
}

/// How many bytes at the end of a text are opening brackets, and blanks between them.
fn openings(text: &[u8]) -> usize {
    text.len() - text.trim_ascii_end().len()
        + text.trim_ascii_end().iter().rev().take_while(|b| matches!(b, b'{' | b'[')).count()
}

/// How many lines below and above are looked at for the same prefix.
const LINES_LOOKED_AT: usize = 4;

/// Whether a line nearby has the same before its text.
fn has_neighbour(site: &Site<'_>, prefix: &[u8]) -> bool {
    let Some(prefix) = Prefix::of(prefix) else { return false };
    let has = |line: &[u8]| !line.trim_ascii().is_empty() && prefix.content(line).is_some();
    let line = site.at - site.before().unwrap_or_default().len();
    let above = site.text.get(line.saturating_sub(LONGEST_ABOVE)..line).unwrap_or_default();
    let mut above = above.rsplit(|b| *b == b'\n').skip(1).take(LINES_LOOKED_AT);
    site.following(LINES_LOOKED_AT).any(has) || above.any(has)
}

/// As much above a line is looked at, bytes.
const LONGEST_ABOVE: usize = 4096;

/// What a piece of a document is, for what may stand before it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Piece {
    Key,
    Colon,
    /// A text, a number, a word, an opening bracket.
    Value,
    Comma,
    /// A closing bracket.
    Close,
}

/// The first place from which on the line of a key is JSON up to the key.
fn own_begin(before: &[u8]) -> usize {
    let mut begin = before.len();
    let mut left = before.trim_ascii_end();
    let mut behind = Piece::Key;
    while let Some((piece, length)) = last_piece(left, behind) {
        let at = left.len() - length;
        let is_opening = matches!(left.get(at), Some(b'{' | b'['));
        left = left.get(..at).unwrap_or_default();
        // Words of a log have numbers, colons and commas too.
        let is_parted = left.last().is_none_or(u8::is_ascii_whitespace);
        if is_opening || is_parted && matches!(piece, Piece::Key | Piece::Comma | Piece::Close) {
            begin = at;
        }
        behind = piece;
        left = left.trim_ascii_end();
    }
    if left.is_empty() { 0 } else { begin }
}

/// The last piece of a text, and how many bytes it has, if it may stand before another one.
fn last_piece(text: &[u8], behind: Piece) -> Option<(Piece, usize)> {
    let is_end = matches!(behind, Piece::Comma | Piece::Close);
    match text.last()? {
        b'{' => matches!(behind, Piece::Key | Piece::Close).then_some((Piece::Value, 1)),
        b'[' => matches!(behind, Piece::Value | Piece::Close).then_some((Piece::Value, 1)),
        b',' => matches!(behind, Piece::Key | Piece::Value).then_some((Piece::Comma, 1)),
        b':' => (behind == Piece::Value).then_some((Piece::Colon, 1)),
        b'}' | b']' => is_end.then_some((Piece::Close, 1)),
        b'"' => {
            let piece = if behind == Piece::Colon { Piece::Key } else { Piece::Value };
            (piece == Piece::Key || is_end).then_some((piece, text_length(text)?))
        }
        _ => {
            let length = text.iter().rev().take_while(|b| is_of_word(**b)).count();
            let word = text.get(text.len() - length..)?;
            (is_end && is_value(word)).then_some((Piece::Value, length))
        }
    }
}

/// How long the text in quotes is that ends here.
fn text_length(text: &[u8]) -> Option<usize> {
    let inside = text.get(..text.len().checked_sub(1)?)?;
    let is_escaped = |at: usize| {
        inside.get(..at).unwrap_or_default().iter().rev().take_while(|b| **b == b'\\').count() % 2 == 1
    };
    let open = memchr::memrchr_iter(b'"', inside).find(|at| !is_escaped(*at))?;
    Some(text.len() - open)
}

fn is_of_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'+' | b'.')
}

fn is_value(word: &[u8]) -> bool {
    matches!(word, b"true" | b"false" | b"null") || serde_json::from_slice::<serde_json::Number>(word).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::testing::{read, survives_logs};
    use crate::model::{GapKind, ThreadId};

    /// How much of a line is no part of a document.
    fn cut(line: &str, below: &str) -> String {
        let text = format!("{line}\"key\": 1\n{below}\n");
        let site = Site { text: text.as_bytes(), at: line.len() };
        text[..key(&site, "key", 64).unwrap().0].to_owned()
    }

    #[test]
    fn keys_before_the_anchor_are_the_documents() {
        for line in [
            "",
            "    ",
            "\t{ ",
            "    \"pid\": 14479, \"thread_id\": 140278625572544, ",
            "  {\"pid\": -1.5e3, \"name\":\"a \\\"b\\\\\", \"frames\": [ {}, [ ] , true,null, \"x\"], ",
            "  }, { \"threads\" : [[{",
            "  ], ",
            "  , \"pid\": 1, ",
        ] {
            assert_eq!(cut(line, "    }"), "", "{line}");
            for log in ["till_1  | ", "> ", "2025-05-01 10:00:00,123 INFO [main] (dump) - "] {
                let below = format!("{log}    }}");
                assert_eq!(cut(&format!("{log}{line}"), &below), log, "{line}");
            }
        }
        for (log, line) in [
            ("INFO dump: ", "{"),
            ("INFO dump:", "[{\"pid\": 1, "),
            ("[12.5] [main], ", "{\"threads\":[{"),
            ("GET \"/dump\" 200 ", "{ \"threads\" : [ { "),
        ] {
            assert_eq!(cut(&format!("{log}{line}"), ""), log, "{line}");
        }
    }

    #[test]
    fn what_is_damaged_stays() {
        for line in [
            "    \"pid\": 14479, \"thread_id: 2, ",
            "    \"pid\": 14479, thread_id\": 2, ",
            "    {\"pid\": 1 \"thread_id\": 2, ",
            "    {\"pid\": 1, \"thread_id: 2, \"frames\": [{",
        ] {
            assert_eq!(cut(line, "    \"frames\": []").trim(), "", "{line}");
        }
    }

    #[test]
    fn a_thread_of_several_keys_in_a_line_keeps_them_all() {
        let text = "[
  {
    \"pid\": 7, \"thread_id\": 140278625572544, \"thread_name\": \"till-1\", \"os_thread_id\": 12,
    \"active\": true, \"owns_gil\": true, \"frames\": [{\"name\": \"pay\", \"filename\": \"till.py\", \"line\": 3}]
  },
  {
    \"pid\": 7, \"os_thread_id\": 13, \"thread_name\": \"till-2\", \"active\": false, \"owns_gil\": false,
    \"frames\": []
  }
]
";
        let logged: String = text.lines().map(|line| format!("till_1  | {line}\n")).collect();
        for text in [text, &*logged] {
            let snapshots = read(text);
            let ids: Vec<_> = snapshots.iter().flat_map(|s| &s.threads).map(|t| &t.id).collect();
            assert_eq!(ids, [&ThreadId::Number(12), &ThreadId::Number(13)], "{text}");
            assert!(snapshots.iter().all(|s| s.gaps.is_empty() && s.process.pid == Some(7)), "{text}");
        }
        survives_logs(text);
        // What cannot be read is said.
        let damaged = text.replace("\"os_thread_id\": 13", "\"os_thread_id: 13");
        assert!(read(&damaged).iter().any(|s| s.gaps.has(GapKind::Damaged) && !s.is_complete));
    }
}
