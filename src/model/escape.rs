//! Text from a dump or a file name, made safe for a terminal.

use std::borrow::Cow;
use std::fmt::Write;

/// The text with every character made visible that could steer a terminal or deceive the eye:
/// control characters (C0, DEL, C1), line and paragraph separators, marks without width, marks
/// that turn the direction of writing. `\n`, `\r` and `\t` are written so, other characters of one
/// byte as `\x1b`, the rest as `\u{202e}`. Clean text is lent, not copied.
pub fn escape_terminal(text: &str) -> Cow<'_, str> {
    if text.bytes().all(|b| (0x20..0x7f).contains(&b)) || !text.chars().any(is_hidden) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            _ if !is_hidden(c) => out.push(c),
            // Writing to a `String` does not fail.
            _ if c.is_ascii() => drop(write!(out, "\\x{:02x}", u32::from(c))),
            _ => drop(write!(out, "\\u{{{:x}}}", u32::from(c))),
        }
    }
    Cow::Owned(out)
}

/// Whether a character is not what it looks like. `char::is_control` is C0, DEL and C1.
fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(u32::from(c),
            0x00ad                  // soft hyphen
            | 0x061c                // Arabic letter mark
            | 0x180e                // Mongolian vowel separator
            | 0x200b..=0x200f       // zero-width characters, direction marks
            | 0x2028..=0x202e       // line and paragraph separator, embeddings and overrides
            | 0x2060..=0x206f       // word joiner, invisible operators, isolates
            | 0xfe00..=0xfe0f       // variation selectors
            | 0xfeff                // byte order mark
            | 0xfff9..=0xfffb       // annotations
            | 0xe0000..=0xe0fff     // tags, variation selectors
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clean_text_is_lent() {
        for clean in ["", "log_message(int) [clone .isra.0]", "größe Ω 日本語 ← %", "C:\\dumps\\a"] {
            assert!(matches!(escape_terminal(clean), Cow::Borrowed(t) if t == clean), "{clean:?}");
        }
    }

    #[test]
    fn what_steers_a_terminal_becomes_visible() {
        for (raw, shown) in [
            ("\x1b[31mred\x1b]0;title\x07", "\\x1b[31mred\\x1b]0;title\\x07"),
            ("a\nb\r\tc\0", "a\\nb\\r\\tc\\x00"),
            ("\u{7f}\u{9b}31m", "\\x7f\\u{9b}31m"),
            ("gnp\u{202e}exe", "gnp\\u{202e}exe"),
            ("\u{2066}a\u{2069}\u{200b}\u{2028}\u{feff}", "\\u{2066}a\\u{2069}\\u{200b}\\u{2028}\\u{feff}"),
            ("ü\u{1b}", "ü\\x1b"),
        ] {
            assert_eq!(escape_terminal(raw), shown);
        }
    }
}
