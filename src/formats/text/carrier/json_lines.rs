//! A log in which each line is an object of JSON, and the string of one key is the line that was written.
//!
//! ```text
//! {"log":"Thread 2 (LWP 91455):\n","stream":"stdout","time":"…"}                              Docker
//! {"@timestamp": "…", "level": "info", "message": "#3 \"main\"", "kubernetes": {"pod": "x"}}  a logger
//! ```
//!
//! Which key it is does not matter: it is the one in whose string the first header stands.

use std::borrow::Cow;

use rustc_hash::FxHashMap;

use super::pieces::Pieces;
use super::{Carried, lines};
use crate::formats::detect::Header;
use crate::formats::text::escaped::unescaped;
use crate::formats::text::{contains, has_escapes, without_escapes};

/// The key under which a log has its lines.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Key {
    /// As it is written, with the quote that opens its string: `"log": "`.
    written: Vec<u8>,
    /// The first key of each object: what begins with another one is no line of this log.
    first: Vec<u8>,
}

/// The key in whose string a header stands. Of a text without headers those under which most is said, most of all first.
pub(super) fn keys(text: &[u8], near: &[Header]) -> Vec<Key> {
    if near.is_empty() {
        return of_first_lines(text);
    }
    let of = |header: &Header| {
        let before = text.get(header.line..header.start)?;
        let (written, _) = strings(before).last().filter(|_| before.ends_with(b"\""))?;
        let is_open = written.as_ptr_range().end == before.as_ptr_range().end;
        let first = first_key(before).filter(|_| is_open)?;
        Some(Key { written: written.to_vec(), first: first.to_vec() })
    };
    near.iter().find_map(of).into_iter().collect()
}

fn of_first_lines(text: &[u8]) -> Vec<Key> {
    const LOOKED_AT: usize = 1 << 20;
    const LINES: usize = 256;
    const OF_EACH: usize = 1 << 14;
    const MOST: usize = 4;
    let begin = text.get(..text.len().min(LOOKED_AT)).unwrap_or_default();
    // How much is said, and what was said last: the same in each line says nothing.
    type Said<'t> = (usize, &'t [u8]);
    let mut said: FxHashMap<(&[u8], &[u8]), Said<'_>> = FxHashMap::default();
    for (_, line) in lines(begin).filter(|(_, line)| line.starts_with(b"{")).take(LINES) {
        let line = line.get(..OF_EACH).unwrap_or(line);
        let Some(first) = first_key(line) else { continue };
        for (written, value) in strings(line).filter(|(written, _)| !is_of_exception(written)) {
            let (length, last) = said.entry((written, first)).or_default();
            if *last != value {
                *length += value.len();
                *last = value;
            }
        }
    }
    let mut keys: Vec<_> = said.into_iter().collect();
    keys.sort_unstable_by_key(|(key, (length, _))| (std::cmp::Reverse(*length), *key));
    let key =
        |((written, first), _): ((&[u8], &[u8]), _)| Key { written: written.to_vec(), first: first.to_vec() };
    keys.into_iter().take(MOST).map(key).collect()
}

/// Whether a key has the stack of an exception that a logger was given: `exc_info`, `stack_trace`. Somebody caught it, and
/// where no header was found it is no dump.
fn is_of_exception(key: &[u8]) -> bool {
    [b"exc".as_slice(), b"stack", b"trace", b"error"]
        .iter()
        .any(|part| memchr::memmem::find(key, part).is_some())
}

/// The text under a key; lines that are none of the log stay.
pub(super) fn unwrapped(text: &[u8], key: &Key) -> Carried {
    let cut = Cut::of(text, key);
    let mut out = Carried { text: Vec::with_capacity(text.len() / 2), places: Vec::new() };
    let mut pieces = Pieces::default();
    for (at, line) in lines(text) {
        let told = value(line, key).map(|value| with_fields(line, key, with_level(line, value)));
        let Some(value) = told else {
            out.add_line(line, at);
            continue;
        };
        let is_last = !cut.is_piece(line, &value);
        match cut {
            Cut::Never => out.add_line(&value, at),
            Cut::Unended | Cut::Marked => {
                pieces.add(&mut out, string_of(line, b"\"stream\"").unwrap_or_default(), &value, at, is_last);
            }
        }
    }
    pieces.end(&mut out);
    out
}

/// Keys under which a logger has the level of a record.
const LEVEL_KEYS: &[&[u8]] = &[b"\"level\"", b"\"levelname\"", b"\"log.level\"", b"\"lvl\"", b"\"severity\""];

/// What Python's logging puts below a message that tells of an exception: whoever wrote it caught that one. A process that
/// ends writes the same.
///
/// Source: Lib/logging/__init__.py `Formatter.format`.
const TOLD: &[u8] = b"\nTraceback (most recent call last):";

/// A record of several lines with its level above an exception, as a logger that writes text has it there.
///
/// ```text
/// {"levelname": "ERROR", "message": "task failed\nTraceback (most recent call last):\n…"}
/// ```
fn with_level<'l>(line: &'l [u8], value: Cow<'l, [u8]>) -> Cow<'l, [u8]> {
    let begins = value.starts_with(TOLD.trim_ascii_start()) && value.trim_ascii_end().contains(&b'\n');
    let at = if begins { Some(0) } else { memchr::memmem::find(&value, TOLD).map(|at| at + 1) };
    let level = || LEVEL_KEYS.iter().find_map(|key| string_of(line, key));
    let Some((at, level)) = at.and_then(|at| Some((at, level()?))) else { return value };
    let (before, told) = value.split_at(at);
    Cow::Owned([before, b"level=", level, b"\n", told].concat())
}

/// Fields that the journal has beside a message, of which somebody who reads the message has to know.
///
/// ```text
/// {"__CURSOR":"s=…","COREDUMP_SIGNAL":"11","MESSAGE":"Process 6023 (shop) of user 0 dumped core.\n…","COREDUMP_PID":"6023"}
/// ```
const FIELDS: &[&str] = &["COREDUMP_PID", "COREDUMP_SIGNAL"];

/// A message of the journal below these fields, as `journalctl -o verbose` writes them.
fn with_fields<'l>(line: &'l [u8], key: &Key, value: Cow<'l, [u8]>) -> Cow<'l, [u8]> {
    if !key.written.starts_with(b"\"MESSAGE\"") {
        return value;
    }
    let field = |name: &&str| {
        let said = string_of(line, format!("\"{name}\"").as_bytes())?;
        Some([b"    ", name.as_bytes(), b"=", said, b"\n"].concat())
    };
    let mut told: Vec<u8> = FIELDS.iter().filter_map(field).flatten().collect();
    if told.is_empty() {
        return value;
    }
    told.extend_from_slice(&value);
    Cow::Owned(told)
}

/// What the string of a key says, without colours.
fn value<'l>(line: &'l [u8], key: &Key) -> Option<Cow<'l, [u8]>> {
    let inner = line.trim_ascii_start().strip_prefix(b"{")?.trim_ascii_start();
    if !inner.starts_with(&key.first) {
        return None;
    }
    // Inside a string the quotes of a key are escaped: what stands here is one.
    let begin = memchr::memmem::find(line, &key.written)? + key.written.len();
    let end = string_end(line, begin);
    let raw = line.get(begin..end.unwrap_or(line.len()))?;
    if memchr::memchr(b'\\', raw).is_none() {
        return Some(Cow::Borrowed(raw));
    }
    let quoted = line.get(begin - 1..end.unwrap_or(line.len()) + 1);
    let value = quoted.and_then(|quoted| serde_json::from_slice::<String>(quoted).ok());
    // One that was cut, or that holds half of a character.
    let value = value.map_or_else(|| unescaped(raw), String::into_bytes);
    Some(Cow::Owned(if has_escapes(&value) { without_escapes(&value) } else { value }))
}

/// How a log says that a line was cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cut {
    Never,
    /// Docker ends each line inside its string, and cuts one after 16 KiB: what does not end goes on.
    Unended,
    /// One of [`MARKS`].
    Marked,
}

/// Nobody cuts a line that is shorter: without an end it is the last that a program said.
const SHORTEST_PIECE: usize = 1 << 10;

/// A key with its quotes, and the string under it.
type Field = [&'static [u8]; 2];

/// Keys with which a piece is marked, and those of the last piece.
///
/// Source: Docker daemon/logger/fluentd and journald, Fluent Bit's parser `cri`.
const MARKS: &[(Field, Option<Field>)] = &[
    ([b"\"partial_message\"", b"true"], Some([b"\"partial_last\"", b"true"])),
    ([b"\"CONTAINER_PARTIAL_MESSAGE\"", b"true"], None),
    ([b"\"logtag\"", b"P"], None),
];

impl Cut {
    fn of(text: &[u8], key: &Key) -> Self {
        if MARKS.iter().any(|([mark, _], _)| contains(text, mark)) {
            Self::Marked
        } else if key.written.starts_with(b"\"log\"") && contains(text, b"\\n\"") {
            Self::Unended
        } else {
            Self::Never
        }
    }

    fn is_piece(self, line: &[u8], value: &[u8]) -> bool {
        let says = |[key, value]: [&[u8]; 2]| string_of(line, key) == Some(value);
        match self {
            Self::Never => false,
            Self::Unended => !value.ends_with(b"\n") && value.len() >= SHORTEST_PIECE,
            Self::Marked => MARKS.iter().any(|(mark, last)| says(*mark) && !last.is_some_and(&says)),
        }
    }
}

/// The string of a key, as it is written.
fn string_of<'l>(line: &'l [u8], key: &[u8]) -> Option<&'l [u8]> {
    let rest = line.get(memchr::memmem::find(line, key)? + key.len()..)?;
    let value = rest.trim_ascii_start().strip_prefix(b":")?.trim_ascii_start().strip_prefix(b"\"")?;
    value.get(..string_end(value, 0)?)
}

/// The first key of the object with its quotes: `"log"`.
fn first_key(line: &[u8]) -> Option<&[u8]> {
    let inner = line.trim_ascii_start().strip_prefix(b"{")?.trim_ascii_start();
    inner.starts_with(b"\"").then(|| inner.get(..string_end(inner, 1)? + 1))?
}

/// The strings under the keys of an object and of those in it: the key as it is written, with the quote that opens the
/// string, and what stands in it; of the last one up to where the text ends.
fn strings(object: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    let mut at = 0;
    // Where the string before stands, quotes included.
    let mut before: Option<(usize, usize)> = None;
    std::iter::from_fn(move || {
        loop {
            let open = at + memchr::memchr(b'"', object.get(at..)?)?;
            let end = string_end(object, open + 1);
            at = end.map_or(object.len(), |end| end + 1);
            let is_value = |(_, close): &(usize, usize)| {
                object.get(*close..open).is_some_and(|between| between.trim_ascii() == b":")
            };
            match before.take().filter(is_value) {
                Some((key, _)) => {
                    return Some((
                        object.get(key..=open)?,
                        object.get(open + 1..end.unwrap_or(object.len()))?,
                    ));
                }
                None => before = Some((open, at)),
            }
        }
    })
}

/// Where the string ends whose text begins at `at`.
fn string_end(text: &[u8], mut at: usize) -> Option<usize> {
    loop {
        let found = at + memchr::memchr2(b'"', b'\\', text.get(at..)?)?;
        if text.get(found) == Some(&b'"') {
            return Some(found);
        }
        at = found + 2;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text_of(log: &str, key: &Key) -> String {
        String::from_utf8(unwrapped(log.as_bytes(), key).text).unwrap()
    }

    fn first_of(log: &str, near: &[Header]) -> Key {
        keys(log.as_bytes(), near).into_iter().next().unwrap()
    }

    #[test]
    fn the_key_is_that_of_the_header_or_of_what_says_most() {
        let line = |text: &str| {
            let text = serde_json::json!(text);
            format!(
                "{{\"time\":\"10:00, x\",\"k\": {{\"pod\": \"a\"}}, \"msg\": {text}, \"by\": {{\"z\": \"{}\"}}}}\n",
                "a".repeat(99)
            )
        };
        let log = format!(
            "{}other\n{}{}",
            line("#3 \"main\""),
            line("  \u{1b}[31mat a.b\u{1b}[0m\n"),
            "{\"a\":\"b\"}"
        );
        let header = Header { line: 0, start: log.find("#3").unwrap() };
        let key = first_of(&log, &[header]);
        assert_eq!(key.written, b"\"msg\": \"");
        assert_eq!(first_of(&log.replace(&"a".repeat(99), ""), &[]), key);
        assert_eq!(text_of(&log, &key), "#3 \"main\"\nother\n  at a.b\n{\"a\":\"b\"}\n");
        let at_key = Header { line: 0, start: log.find("\"msg").unwrap() };
        assert!(keys(log.as_bytes(), &[at_key]).is_empty(), "the object itself is the dump");
    }

    #[test]
    fn what_docker_cut_is_put_together() {
        let line = |text: &str, stream: &str| format!("{{\"log\":\"{text}\",\"stream\":\"{stream}\"}}\n");
        let piece = "a".repeat(SHORTEST_PIECE);
        let log = [
            line("whole\\n", "stderr"),
            line(&piece, "stdout"),
            line("between\\n", "stderr"),
            line("end\\n", "stdout"),
            line("said last", "stdout"),
            line("next\\n", "stdout"),
        ];
        let key = Key { written: b"\"log\":\"".to_vec(), first: b"\"log\"".to_vec() };
        assert_eq!(text_of(&log.concat(), &key), format!("whole\nbetween\n{piece}end\nsaid last\nnext\n"));
        let carried = unwrapped(log.concat().as_bytes(), &key);
        let end = carried.text.windows(4).position(|w| w == b"end\n").unwrap();
        assert!(carried.places.contains(&(end, log[..3].concat().len())));
        // Whoever ends no line inside the string cuts none either.
        let unended = format!("{}{}", line(&piece, "stdout"), line("b", "stdout"));
        assert_eq!(text_of(&unended, &key), format!("{piece}\nb\n"));
    }

    #[test]
    fn what_is_marked_as_a_piece_is_put_together() {
        let key = Key { written: b"\"log\":\"".to_vec(), first: b"\"log\"".to_vec() };
        let cri = "{\"log\":\"a\",\"logtag\": \"P\"}\n{\"log\":\"b\",\"logtag\": \"F\"}\n{\"log\":\"c\",\"logtag\":\"F\"}\n";
        assert_eq!(text_of(cri, &key), "ab\nc\n");
        let part = |text: &str, last: bool| {
            format!("{{\"log\":\"{text}\",\"partial_message\":\"true\",\"partial_last\":\"{last}\"}}\n")
        };
        let fluentd = [part("a", false), part("b", true), "{\"log\":\"c\"}\n".into()].concat();
        assert_eq!(text_of(&fluentd, &key), "ab\nc\n");
    }

    #[test]
    fn damaged_strings_are_read_as_far_as_they_go() {
        let key = Key { written: b"\"log\":\"".to_vec(), first: b"\"log\"".to_vec() };
        assert_eq!(
            text_of("{\"log\":\"a \\\"b\\\" \\ud83d\"}\n{\"log\":\"c\\td", &key),
            "a \"b\" \\ud83d\nc\td\n"
        );
        assert_eq!(text_of("{\"log\":\"c\\", &key), "c\\\n");
        assert!(strings(b"{\"a\":\"").eq([(b"\"a\":\"".as_slice(), b"".as_slice())]));
    }
}
