//! Texts that were written into something else and copied from there as they stood: HTML, a log that keeps a message in
//! one line, a string of JSON, a mail. They are looked for where no dump was found without, and where what was found looks
//! so: a first header may have nothing that is written otherwise there.

use std::borrow::Cow;

use super::quoted_printable;
use super::site::{contains, has_any};

/// A way to write a text into something else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Escaped {
    /// `"main" prio=3D5 tid=3D0x082f9c00`, lines that go on behind a `=` at the end.
    QuotedPrintable,
    /// `&lt;0x00000000d6098c30&gt;`, `thread #&#8203;1`.
    Html,
    /// rsyslog writes a message of several lines as one: `dumped core.#012#012Stack trace of thread 27696:`.
    ///
    /// Source: rsyslog 8 `$EscapeControlCharactersOnReceive`: `#` and three octal digits.
    Syslog,
    /// `"Full thread dump …\n\n\"main\" prio\u003d5"`.
    Json,
}

/// All ways.
const ALL: [Escaped; 4] = [Escaped::QuotedPrintable, Escaped::Html, Escaped::Syslog, Escaped::Json];

/// The text as it was, for each way in which it may have been written. `first`: where the first header's line begins.
pub fn undone(text: &[u8], first: usize) -> impl Iterator<Item = Vec<u8>> {
    // Most texts that hold no dump have none of their marks.
    let may_be = quoted_printable::is_it(begin(text, first)) || has_any(text, *b"&#\\");
    ALL.into_iter().filter(move |_| may_be).filter_map(move |way| way.undone(text, first))
}

/// As much of a text as is looked at behind its first header.
fn begin(text: &[u8], first: usize) -> &[u8] {
    const LOOKED_AT: usize = 1 << 16;
    text.get(first..text.len().min(first + LOOKED_AT)).unwrap_or_default()
}

/// Whether a dump whose first header's line begins at `first` was written into something else.
pub fn is_written(text: &[u8], first: usize) -> bool {
    let begin = begin(text, first);
    let has = |part: &[u8]| memchr::memmem::find(begin, part).is_some();
    let breaks = || memchr::memmem::find_iter(begin, b"#012").count();
    has(b"&lt;") && has(b"&gt;")
        || breaks() > memchr::memchr_iter(b'\n', begin).count()
        || quoted_printable::is_it(begin)
        || is_html(text.get(first..).unwrap_or_default())
}

/// Whether most brackets or quotes of a text are written as HTML writes them. A long one is looked at here and there: the
/// header of a javacore has none for hundreds of lines.
fn is_html(text: &[u8]) -> bool {
    const PLACES: usize = 32;
    const OF_EACH: usize = 1 << 13;
    const FEWEST: usize = 4;
    let step = (text.len() / PLACES).max(OF_EACH);
    let places = (0..text.len()).step_by(step);
    let places = || places.clone().map(|at| text.get(at..text.len().min(at + OF_EACH)).unwrap_or_default());
    let count =
        |what: &[u8]| places().map(|place| memchr::memmem::find_iter(place, what).count()).sum::<usize>();
    [(b"&quot;".as_slice(), b"\"".as_slice()), (b"&lt;", b"<")].iter().any(|(written, plain)| {
        let written = count(written);
        written >= FEWEST && written > count(plain)
    })
}

/// Names of characters that HTML has: those that occur in dumps, and blanks.
const ENTITIES: &[(&str, &str)] =
    &[("lt", "<"), ("gt", ">"), ("amp", "&"), ("quot", "\""), ("apos", "'"), ("nbsp", " ")];

/// The longest entity: `&#x1F600;`.
const LONGEST_ENTITY: usize = 10;

/// A text of one line so long as this is one for the sake of the line.
const BREAKS_A_LINE: usize = 8;

impl Escaped {
    /// The text as it was; `None` if it was not written so.
    fn undone(self, text: &[u8], first: usize) -> Option<Vec<u8>> {
        let has = |what: &[u8]| contains(text, what);
        match self {
            Self::QuotedPrintable => {
                quoted_printable::is_it(begin(text, first)).then(|| quoted_printable::undone(text))
            }
            Self::Html => {
                let is_html = has(b"&lt;") || has(b"&quot;") || has(b"&#");
                is_html.then(|| replaced(text, b'&', entity))
            }
            Self::Syslog => has(b"#012").then(|| replaced(text, b'#', octal)),
            Self::Json if !has(b"\\n") => None,
            Self::Json => {
                let breaks = memchr::memmem::find_iter(text, b"\\n").count();
                let lines = memchr::memchr_iter(b'\n', text).count();
                (breaks > BREAKS_A_LINE * (lines + 1)).then(|| replaced(text, b'\\', escape))
            }
        }
    }
}

/// What is meant, and how many bytes are written for it.
type Written = (Cow<'static, str>, usize);

/// The text with what `read` makes of each place that begins with the mark: what stands there, and how many bytes it has.
fn replaced(text: &[u8], mark: u8, read: fn(&[u8]) -> Option<Written>) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = memchr::memchr(mark, rest) {
        out.extend_from_slice(rest.get(..at).unwrap_or_default());
        let place = rest.get(at..).unwrap_or_default();
        let length = match read(place) {
            Some((by, length)) => {
                out.extend_from_slice(by.as_bytes());
                length
            }
            None => {
                out.push(mark);
                1
            }
        };
        rest = place.get(length..).unwrap_or_default();
    }
    out.extend_from_slice(rest);
    out
}

/// What a string of JSON says, as far as it can be read.
pub fn unescaped(string: &[u8]) -> Vec<u8> {
    replaced(string, b'\\', escape)
}

fn entity(place: &[u8]) -> Option<Written> {
    let end = place.iter().take(LONGEST_ENTITY + 1).position(|b| *b == b';')?;
    let name = std::str::from_utf8(place.get(1..end)?).ok()?;
    let by = match name.strip_prefix('#') {
        Some(number) => {
            let code = match number.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                None => number.parse().ok()?,
            };
            shown(char::from_u32(code)?)
        }
        None => Cow::Borrowed(ENTITIES.iter().find(|(known, _)| *known == name)?.1),
    };
    Some((by, end + 1))
}

/// Characters without a width keep an issue tracker from making a link of `#1`.
fn shown(c: char) -> Cow<'static, str> {
    match c {
        '\u{200b}' | '\u{feff}' | '\u{200c}' | '\u{200d}' => Cow::Borrowed(""),
        '\u{a0}' => Cow::Borrowed(" "),
        c => Cow::Owned(c.to_string()),
    }
}

fn octal(place: &[u8]) -> Option<Written> {
    let by = match place.get(1..4)? {
        b"011" => "\t",
        b"012" => "\n",
        b"015" => "",
        b"033" => "\x1b",
        _ => return None,
    };
    Some((Cow::Borrowed(by), 4))
}

fn escape(place: &[u8]) -> Option<Written> {
    let by = match place.get(1)? {
        b'n' => "\n",
        b't' => "\t",
        b'r' => "",
        b'"' => "\"",
        b'/' => "/",
        b'\\' => "\\",
        b'u' => {
            let hex = std::str::from_utf8(place.get(2..6)?).ok()?;
            return Some((shown(char::from_u32(u32::from_str_radix(hex, 16).ok()?)?), 6));
        }
        _ => return None,
    };
    Some((Cow::Borrowed(by), 2))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn undone(way: Escaped, text: &str) -> Option<String> {
        way.undone(text.as_bytes(), 0).map(|text| String::from_utf8(text).unwrap())
    }

    #[test]
    fn each_way() {
        let html = "- locked &lt;0xd6&gt; (a Q&amp;A) &quot;x&quot; thread #&#8203;1 &unknown; & &#x41;";
        assert_eq!(
            undone(Escaped::Html, html).as_deref(),
            Some("- locked <0xd6> (a Q&A) \"x\" thread #1 &unknown; & A")
        );
        let syslog = "dumped core.#012#011Stack trace of thread 7:#012#0  0x7f main (a + 0x7)";
        assert_eq!(
            undone(Escaped::Syslog, syslog).as_deref(),
            Some("dumped core.\n\tStack trace of thread 7:\n#0  0x7f main (a + 0x7)")
        );
        let json = format!("{{\"dump\":\"{}\"}}", "\\\"main\\\" prio\\u003d5\\n".repeat(9));
        assert_eq!(
            undone(Escaped::Json, &json),
            Some(format!("{{\"dump\":\"{}\"}}", "\"main\" prio=5\n".repeat(9)))
        );
        let mail = "\"main\" prio=3D5 tid=3D0xd6 nid=3D0x=\n7 waiting\n";
        assert_eq!(
            undone(Escaped::QuotedPrintable, mail).as_deref(),
            Some("\"main\" prio=5 tid=0xd6 nid=0x7 waiting\n")
        );
        for way in ALL {
            assert_eq!(undone(way, "#0  0x7f in main () at C:\\new\\main.c:3\n"), None);
        }
    }

    #[test]
    fn html_far_behind_the_first_header_is_seen() {
        let header = "1CIUSERARG  -Dx=y\n".repeat(9000);
        let threads = "3XMTHREADINFO  &quot;a&quot; J9VMThread:0x7\n".repeat(2000);
        assert!(is_written(format!("{header}{threads}").as_bytes(), 0));
        // A page that a program had in its hand.
        let frame = "#1  0x7f in show (page=0x7f \"&lt;b&gt;\", n=<optimized out>) at a.c:1\n";
        assert!(!is_html(frame.repeat(2000).as_bytes()));
    }
}
