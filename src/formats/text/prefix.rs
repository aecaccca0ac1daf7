//! What a log, a mail or a quotation put before each line.
//!
//! ```text
//!     Thread 1 (Thread 0x7f34ee738d80 (LWP 11212)):                     a commit message
//! > #0  0x00007f2d in poll () at ../sysdeps/unix/syscall-template.S:84  mail
//! 2025-05-01T10:00:00.123Z host gdb[77]: Thread 2 (LWP 91455):          syslog
//! {"log":"Thread 2 (LWP 91455):\n","stream":"stdout","time":"…"}        container
//! ```

use std::borrow::Cow;

/// The shape of a prefix: numbers and words differ from line to line.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Prefix {
    Shape(Vec<Piece>),
    /// The key of a JSON string that holds the line, with the quote that opens it: `"log":"`.
    Json(Vec<u8>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Piece {
    Word,
    Blanks,
    Byte(u8),
    /// A number with blanks before it, together so many bytes or, where it has more digits, the number alone:
    /// `    99` and `   100` of `cat -n`.
    Aligned(usize),
}

impl Prefix {
    /// The shape of what stands before a header.
    pub fn of(prefix: &[u8]) -> Option<Self> {
        if prefix.is_empty() {
            return None;
        }
        if prefix.trim_ascii_start().starts_with(b"{") && prefix.ends_with(b"\"") {
            let from = prefix.iter().rposition(|b| matches!(b, b'{' | b',')).map_or(0, |n| n + 1);
            return Some(Self::Json(prefix.get(from..)?.trim_ascii_start().to_vec()));
        }
        Some(Self::Shape(pieces(prefix)))
    }

    /// How many bytes of the line are prefix.
    fn split(&self, line: &[u8]) -> Option<usize> {
        let Self::Shape(pieces) = self else { return None };
        split(pieces, line)
    }

    /// The prefix that a line has.
    pub fn of_line<'l>(&self, line: &'l [u8]) -> Option<&'l [u8]> {
        line.get(..self.split(line)?)
    }

    /// The line without its prefix; `None` if it does not have it.
    pub fn content<'l>(&self, line: &'l [u8]) -> Option<Cow<'l, [u8]>> {
        match self {
            Self::Shape(pieces) => {
                if let Some(length) = self.split(line) {
                    return line.get(length..).map(Cow::Borrowed);
                }
                // An empty line often lost the blanks at its end.
                let trailing = pieces.iter().rev().take_while(|p| **p == Piece::Byte(b' ')).count();
                let bare = line.trim_ascii_end();
                let length = split(pieces.get(..pieces.len() - trailing)?, bare)?;
                (trailing > 0 && length == bare.len()).then_some(Cow::Borrowed(&[]))
            }
            Self::Json(key) => {
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
}

fn split(pieces: &[Piece], line: &[u8]) -> Option<usize> {
    let mut at = 0;
    for piece in pieces {
        let rest = line.get(at..)?;
        let length = match piece {
            Piece::Byte(byte) => usize::from(rest.first() == Some(byte)),
            Piece::Word => rest.iter().take_while(|b| is_word(**b)).count(),
            Piece::Blanks => rest.iter().take_while(|b| **b == b' ').count(),
            Piece::Aligned(width) => aligned(rest).filter(|length| length >= width).unwrap_or(0),
        };
        if length == 0 {
            return None;
        }
        at += length;
    }
    Some(at)
}

/// How many bytes have the blanks at the begin and the number behind them.
fn aligned(text: &[u8]) -> Option<usize> {
    let blanks = text.iter().take_while(|b| **b == b' ').count();
    let digits = text.iter().skip(blanks).take_while(|b| b.is_ascii_digit()).count();
    let is_number = digits > 0 && !text.get(blanks + digits).is_some_and(|b| is_word(*b));
    is_number.then_some(blanks + digits)
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// Blanks at the end are taken one by one: more of them are indentation, which has a meaning.
fn pieces(prefix: &[u8]) -> Vec<Piece> {
    let body = prefix.trim_ascii_end().len();
    let mut pieces = Vec::new();
    let number = aligned(prefix).filter(|_| prefix.starts_with(b" "));
    pieces.extend(number.map(Piece::Aligned));
    for (n, &byte) in prefix.iter().enumerate().skip(number.unwrap_or(0)) {
        let piece = match byte {
            b' ' if n < body && body > 0 && has_begun(&pieces) => Piece::Blanks,
            _ if is_word(byte) => Piece::Word,
            _ => Piece::Byte(byte),
        };
        if matches!(piece, Piece::Byte(_)) || pieces.last() != Some(&piece) {
            pieces.push(piece);
        }
    }
    pieces
}

fn has_begun(pieces: &[Piece]) -> bool {
    pieces.iter().any(|p| *p != Piece::Byte(b' '))
}
