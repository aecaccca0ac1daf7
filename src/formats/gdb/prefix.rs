//! What a log, a mail or a quotation put before each line.
//!
//! ```text
//!     Thread 1 (Thread 0x7f34ee738d80 (LWP 11212)):                     a commit message
//! > #0  0x00007f2d in poll () at ../sysdeps/unix/syscall-template.S:84  mail
//! 2025-05-01T10:00:00.123Z host gdb[77]: Thread 2 (LWP 91455):          syslog
//! {"log":"Thread 2 (LWP 91455):\n","stream":"stdout","time":"…"}        container
//! ```

use std::borrow::Cow;

use super::header;
use super::recognize;

/// The longest prefix.
const LONGEST: usize = 200;

/// How many lines after a header its first frame is looked for.
const LINES_TO_FRAME: usize = 4;

/// The text without prefixes. A line that does not have the prefix in force stays as it is.
pub(super) fn strip(text: Cow<'_, [u8]>) -> Cow<'_, [u8]> {
    match first(&text) {
        Some(prefix) => Cow::Owned(stripped(&text, prefix)),
        None => text,
    }
}

/// The prefix of the first header that has one, or of the first frames of a text without headers.
fn first(text: &[u8]) -> Option<Prefix> {
    let mut has_headers = false;
    for at in memchr::memmem::find_iter(text, b"Thread ") {
        let Some(rest) = text.get(at..).filter(|r| header::is_header(r)) else { continue };
        has_headers = true;
        if let Some(prefix) = before(text, at).and_then(|p| Prefix::of(p, rest)) {
            return Some(prefix);
        }
    }
    if has_headers {
        return None;
    }
    memchr::memmem::find_iter(text, b"#0 ").find_map(|at| {
        let rest = text.get(at..)?;
        let prefix = before(text, at)?;
        recognize::is_first_frame(line_of(rest)).then(|| Prefix::of(prefix, b"#0"))?
    })
}

/// What stands before `at` in its line, if that is short enough for a prefix. What stands further
/// in a line is nothing to look at: a line of megabytes may hold a million headers.
pub(super) fn line_before(text: &[u8], at: usize) -> Option<&[u8]> {
    let window = text.get(at.saturating_sub(LONGEST)..at)?;
    let start = memchr::memrchr(b'\n', window).map(|n| n + 1).or_else(|| (at <= LONGEST).then_some(0))?;
    window.get(start..)
}

/// What stands before `at` in its line, if that may be a prefix.
fn before(text: &[u8], at: usize) -> Option<&[u8]> {
    line_before(text, at).filter(|prefix| !prefix.is_empty() && !prefix.ends_with(b"(gdb) "))
}

fn line_of(rest: &[u8]) -> &[u8] {
    rest.split(|b| *b == b'\n').next().unwrap_or_default()
}

/// The shape of a prefix: numbers and words differ from line to line.
#[derive(Debug, PartialEq, Eq)]
enum Prefix {
    Shape(Vec<Piece>),
    /// The key of a JSON string that holds the line, with the quote that opens it: `"log":"`.
    Json(Vec<u8>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Piece {
    Word,
    Blanks,
    Byte(u8),
}

impl Prefix {
    /// The shape of `prefix`, if what follows it is a dump: the header's frame has it too.
    fn of(prefix: &[u8], rest: &[u8]) -> Option<Self> {
        if prefix.trim_ascii_start().starts_with(b"{") && prefix.ends_with(b"\"") {
            let from = prefix.iter().rposition(|b| matches!(b, b'{' | b',')).map_or(0, |n| n + 1);
            return Some(Self::Json(prefix.get(from..)?.trim_ascii_start().to_vec()));
        }
        let shape = Self::Shape(pieces(prefix));
        let is_frame = |line: &[u8]| {
            shape.split(line).is_some_and(|n| {
                let rest = line.get(n..).unwrap_or_default();
                rest.starts_with(b"#0") || rest.starts_with(b"#1")
            })
        };
        let is_dump = rest == b"#0" || rest.split(|b| *b == b'\n').skip(1).take(LINES_TO_FRAME).any(is_frame);
        is_dump.then_some(shape)
    }

    /// How many bytes of the line are prefix.
    fn split(&self, line: &[u8]) -> Option<usize> {
        let Self::Shape(pieces) = self else { return None };
        let mut at = 0;
        for piece in pieces {
            let rest = line.get(at..)?;
            at += match piece {
                Piece::Byte(byte) => usize::from(rest.first() == Some(byte)),
                Piece::Word => rest.iter().take_while(|b| is_word(**b)).count(),
                Piece::Blanks => rest.iter().take_while(|b| **b == b' ').count(),
            };
            if line.len() < at || line.get(at..).map(<[u8]>::len) == Some(rest.len()) {
                return None;
            }
        }
        Some(at)
    }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// Blanks at the end are taken one by one: more of them are indentation, which has a meaning.
fn pieces(prefix: &[u8]) -> Vec<Piece> {
    let body = prefix.trim_ascii_end().len();
    let mut pieces = Vec::new();
    for (n, &byte) in prefix.iter().enumerate() {
        let piece = match byte {
            b' ' if n < body && body > 0 && pieces_begun(&pieces) => Piece::Blanks,
            _ if is_word(byte) => Piece::Word,
            _ => Piece::Byte(byte),
        };
        if matches!(piece, Piece::Byte(_)) || pieces.last() != Some(&piece) {
            pieces.push(piece);
        }
    }
    pieces
}

fn pieces_begun(pieces: &[Piece]) -> bool {
    pieces.iter().any(|p| *p != Piece::Byte(b' '))
}

fn stripped(text: &[u8], mut prefix: Prefix) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    for line in text.split(|b| *b == b'\n') {
        if let Some(content) = content(&prefix, line) {
            out.extend_from_slice(&content);
        } else {
            // Another writer may have taken over.
            let window = line.get(..line.len().min(LONGEST + 100)).unwrap_or_default();
            let header = memchr::memmem::find_iter(window, b"Thread ")
                .find(|at| window.get(*at..).is_some_and(header::is_header));
            let other = header.and_then(|at| Some((shape_of(window.get(..at)?)?, at)));
            match other {
                Some((found, at)) => {
                    prefix = found;
                    let whole = content(&prefix, line);
                    out.extend_from_slice(whole.as_deref().or_else(|| line.get(at..)).unwrap_or_default());
                }
                None => out.extend_from_slice(line),
            }
        }
        out.push(b'\n');
    }
    // The last piece has no line break, or is the nothing behind one.
    out.pop();
    out
}

/// The shape of a prefix that is not empty, unverified.
fn shape_of(prefix: &[u8]) -> Option<Prefix> {
    let follows: &[u8] = b"#0";
    (!prefix.is_empty()).then(|| Prefix::of(prefix, follows)).flatten()
}

/// The line without its prefix; `None` if it does not have it.
fn content<'l>(prefix: &Prefix, line: &'l [u8]) -> Option<Cow<'l, [u8]>> {
    match prefix {
        Prefix::Shape(pieces) => {
            if let Some(length) = prefix.split(line) {
                return line.get(length..).map(Cow::Borrowed);
            }
            // An empty line often lost the blanks at its end.
            let trailing = pieces.iter().rev().take_while(|p| **p == Piece::Byte(b' ')).count();
            let bare = Prefix::Shape(pieces.get(..pieces.len() - trailing)?.to_vec());
            let bare_length = bare.split(line.trim_ascii_end())?;
            (trailing > 0 && bare_length == line.trim_ascii_end().len()).then_some(Cow::Borrowed(&[]))
        }
        Prefix::Json(key) => {
            let at = memchr::memmem::find(line, key)? + key.len() - 1;
            let mut values = serde_json::Deserializer::from_slice(line.get(at..)?).into_iter::<String>();
            let mut value = values.next()?.ok()?.into_bytes();
            if value.ends_with(b"\n") {
                value.pop();
            }
            Some(Cow::Owned(value))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn without(text: &str) -> String {
        String::from_utf8(strip(Cow::Borrowed(text.as_bytes())).into_owned()).unwrap()
    }

    const PLAIN: &str =
        "Thread 2 (LWP 91455):\n#0  poll () at x.c:1\n        pd = 1\n\nThread 1 (LWP 7):\n#0  main ()\n";

    fn with(prefix: impl Fn(usize) -> String) -> String {
        PLAIN.lines().enumerate().map(|(n, l)| format!("{}{l}\n", prefix(n))).collect()
    }

    #[test]
    fn plain_text_is_not_copied() {
        assert!(matches!(strip(Cow::Borrowed(PLAIN.as_bytes())), Cow::Borrowed(_)));
        assert!(matches!(strip(Cow::Borrowed(b"see Thread 1 (LWP 3): it hangs\nyes\n")), Cow::Borrowed(_)));
    }

    #[test]
    fn prefixes_of_logs_and_mail() {
        assert_eq!(without(&with(|_| "> ".into())), PLAIN);
        assert_eq!(without(&with(|_| "    ".into())), PLAIN);
        assert_eq!(without(&with(|_| "web_1  | ".into())), PLAIN);
        assert_eq!(without(&with(|n| format!("<6>[  125.{n}][  T{}] ", 140 + n))), PLAIN);
        assert_eq!(without(&with(|n| format!("2025-05-01T10:00:0{n}.123Z host gdb[77]: "))), PLAIN);
        assert_eq!(without(&with(|n| format!("02-03 13:05:40.57{n} 28556 12681 F DEBUG   : "))), PLAIN);
    }

    #[test]
    fn blank_lines_may_have_lost_their_blanks() {
        let mailed = with(|_| "> ".into()).replace("> \n", ">\n");
        assert_eq!(without(&mailed), PLAIN);
        let indented = with(|_| "    ".into()).replace("\n    \n", "\n\n");
        assert_eq!(without(&indented), PLAIN);
    }

    #[test]
    fn json_of_containers() {
        let json: String = PLAIN
            .lines()
            .map(|l| format!("{{\"log\":{},\"stream\":\"stdout\"}}\n", serde_json::json!(format!("{l}\n"))))
            .collect();
        assert_eq!(without(&json), PLAIN);
    }

    #[test]
    fn interleaved_lines_stay() {
        let mixed = with(|_| "gdb: ".into()).replace("gdb: \n", "GET /index 200\ngdb: \n");
        assert!(without(&mixed).contains("GET /index 200\n"));
    }
}
