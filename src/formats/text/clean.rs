//! From what an editor, a terminal or Windows made of a text back to what its producer printed.

use std::borrow::Cow;

/// Whether there are terminal escapes in a text.
pub fn has_escapes(text: &[u8]) -> bool {
    memchr::memchr(ESCAPE, text).is_some()
}

const ESCAPE: u8 = 0x1b;

/// The text without a byte order mark, as UTF-8 where it is UTF-16. Borrowed when nothing was to do. UTF-16 with a byte order mark, or without one if every other byte of the begin is 0.
pub fn decoded(bytes: &[u8]) -> Cow<'_, [u8]> {
    match bytes {
        [0xef, 0xbb, 0xbf, rest @ ..] => Cow::Borrowed(rest),
        [0xff, 0xfe, rest @ ..] => Cow::Owned(utf16(rest, u16::from_le_bytes)),
        [0xfe, 0xff, rest @ ..] => Cow::Owned(utf16(rest, u16::from_be_bytes)),
        _ => {
            let head = bytes.get(..bytes.len().min(64)).unwrap_or_default();
            let zeros = |odd: usize| head.iter().skip(odd).step_by(2).filter(|b| **b == 0).count();
            let half = head.len() / 2;
            match half {
                8.. if zeros(1) == half && zeros(0) == 0 => Cow::Owned(utf16(bytes, u16::from_le_bytes)),
                8.. if zeros(0) == half && zeros(1) == 0 => Cow::Owned(utf16(bytes, u16::from_be_bytes)),
                _ => Cow::Borrowed(bytes),
            }
        }
    }
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Vec<u8> {
    let units = bytes.chunks_exact(2).map(|pair| match pair {
        [a, b] => unit([*a, *b]),
        _ => 0,
    });
    char::decode_utf16(units)
        .map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER))
        .collect::<String>()
        .into_bytes()
}

/// `\x1b[33m` colours, `\x1b]…\x07` titles.
pub fn without_escapes(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut at = 0;
    while let Some(found) = text.get(at..).and_then(|rest| memchr::memchr(ESCAPE, rest)) {
        out.extend_from_slice(text.get(at..at + found).unwrap_or_default());
        at += found + 1;
        at += escape_length(text.get(at..).unwrap_or_default());
    }
    out.extend_from_slice(text.get(at..).unwrap_or_default());
    out
}

/// How many bytes after ESC belong to the sequence. None goes on over a line's end.
fn escape_length(rest: &[u8]) -> usize {
    let line = rest.get(..rest.len().min(512)).unwrap_or_default();
    let line = line.split(|b| *b == b'\n').next().unwrap_or_default();
    match line.first() {
        Some(b'[') => {
            line.iter().skip(1).position(|b| (0x40..=0x7e).contains(b)).map_or(line.len(), |n| n + 2)
        }
        Some(b']') => line.iter().position(|b| matches!(b, 7 | 0x1b)).map_or(line.len(), |n| n + 1),
        Some(b'(' | b')') => line.len().min(2),
        Some(_) => 1,
        None => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clean(bytes: &[u8]) -> Cow<'_, [u8]> {
        let text = decoded(bytes);
        if has_escapes(&text) { Cow::Owned(without_escapes(&text)) } else { text }
    }

    fn cleaned(text: &str) -> String {
        String::from_utf8(clean(text.as_bytes()).into_owned()).unwrap()
    }

    #[test]
    fn clean_text_is_not_copied() {
        assert!(matches!(clean(b"#0  f ()\n"), Cow::Borrowed(_)));
    }

    #[test]
    fn encodings_and_colours() {
        assert_eq!(cleaned("\u{feff}#0  f ()\n"), "#0  f ()\n");
        assert_eq!(cleaned("#0  \x1b[33mf\x1b[m (\x1b[36ma\x1b[m=1)\n"), "#0  f (a=1)\n");
        assert_eq!(cleaned("\x1b]0;title\x07#0  f ()\n"), "#0  f ()\n");
        let units: Vec<u8> = "\u{feff}#0  main ()\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(clean(&units), b"#0  main ()\n".as_slice());
        let units: Vec<u8> = "#0  main () at x.c\n".encode_utf16().flat_map(u16::to_be_bytes).collect();
        assert_eq!(clean(&units), b"#0  main () at x.c\n".as_slice());
    }
}
