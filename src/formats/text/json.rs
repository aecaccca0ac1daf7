//! Dumps that are JSON: documents inside a text, whole or cut.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::building::Building;
use super::site::{Site, first_line};
use crate::model::GapKind;

/// A document that was found in a text.
#[derive(Debug)]
pub struct Document<T> {
    /// What it says.
    pub value: T,
    /// Where in the text it begins.
    pub at: usize,
    /// How many bytes of the text it has.
    pub length: usize,
    /// The text ends before the document does.
    pub is_cut: bool,
    /// Lines of a log inside it, which were passed over.
    pub foreign: u64,
}

impl<T> Document<T> {
    /// Says in the snapshot what is missing of the document.
    pub fn tell(&self, building: &mut Building, offset: u64) {
        let snapshot = &mut building.snapshot;
        if self.foreign > 0 {
            let message = "lines inside the document are none of it and were passed over";
            snapshot.gaps.add_many(GapKind::SkippedText, message, self.foreign, Some(offset));
        }
        if self.is_cut {
            let message = "the document ends before its last bracket: threads may be missing";
            snapshot.gaps.add(GapKind::Truncated, message, Some(offset));
            snapshot.is_complete = false;
        }
    }
}

/// A kind of documents, which may borrow from their text.
pub trait Kind {
    /// What is read of one.
    type Document<'d>: Deserialize<'d>;
}

/// A kind of documents that borrow nothing.
struct Owned<T>(PhantomData<T>);

impl<T: for<'d> Deserialize<'d>> Kind for Owned<T> {
    type Document<'d> = T;
}

/// All documents in a text that are a `T` which `is_meant` accepts: see [`each_document`].
pub fn documents<T, F>(text: &[u8], first: usize, is_meant: F) -> Vec<Document<T>>
where
    T: for<'d> Deserialize<'d>,
    F: Fn(&T) -> bool,
{
    let mut documents = Vec::new();
    each_document::<Owned<T>>(text, first, |document| {
        let is_meant = is_meant(&document.value);
        if is_meant {
            documents.push(document);
        }
        is_meant
    });
    documents
}

/// All documents of a kind that begin at a line's first character or behind a log's words. `take` says whether it is one
/// that is meant; what is none is passed over. `first`: where the first one's header was seen.
pub fn each_document<K: Kind>(
    text: &[u8],
    first: usize,
    mut take: impl for<'d> FnMut(Document<K::Document<'d>>) -> bool,
) {
    let mut at = begin_before(text, first);
    let mut attempts = 0;
    while at < text.len() {
        let rest = text.get(at..).unwrap_or_default();
        let line = first_line(rest);
        let Some(open) = line.iter().position(|b| matches!(b, b'{' | b'[')) else {
            at += line.len() + 1;
            continue;
        };
        let start = at + open;
        let rest = text.get(start..).unwrap_or_default();
        let is_alone = line.get(open + 1..).unwrap_or_default().trim_ascii().is_empty();
        let found = read::<K, _>(rest, |value, length, is_cut| {
            take(Document { value, at: start, length, is_cut, foreign: 0 }).then_some(length)
        });
        let found = match found {
            None if is_alone && attempts < MOST_ATTEMPTS => {
                attempts += 1;
                let (own, foreign, end) = without_foreign(text, at, start);
                let length = end - start;
                let again = (foreign > 0).then(|| {
                    read::<K, _>(&own, |value, _, is_cut| {
                        take(Document { value, at: start, length, is_cut, foreign }).then_some(length)
                    })
                });
                again.flatten()
            }
            found => found,
        };
        at = start + found.flatten().unwrap_or(0).max(1);
    }
}

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
    Some((key_start(site), Cow::Borrowed(value)))
}

/// Whether a site begins with this key, its quotes escaped or not.
pub fn is_key(site: &Site<'_>, name: &str) -> bool {
    let rest = site.rest();
    let inside = rest.strip_prefix(b"\\\"").or_else(|| rest.strip_prefix(b"\""));
    inside.is_some_and(|inside| inside.starts_with(name.as_bytes()))
}

/// Where the text of a document begins in the line of one of its keys, without what a log put before it: a log puts
/// one blank between, more of them are the document's indentation.
fn key_start(site: &Site<'_>) -> usize {
    let before = site.before().unwrap_or_default();
    // `{"threads":[{"name":…` in one line; else the key stands alone, or behind its bracket.
    let inner = match memchr::memmem::find(before, b"{\"") {
        Some(at) => before.get(..at + 1),
        None => Some(before.trim_ascii_end()),
    };
    let inner = inner.unwrap_or_default();
    let opening = inner.iter().rev().take_while(|b| matches!(b, b'{' | b'[' | b' ' | b'\t')).count();
    let prefix = inner.get(..inner.len() - opening).unwrap_or_default();
    let blank = usize::from(!prefix.is_empty() && before.get(prefix.len()) == Some(&b' '));
    site.at - before.len() + prefix.len() + blank
}

/// Where the document may begin in which a header stands at `first`: the first line before it that begins with an
/// opening bracket and is indented less than all lines between, else the header's own line.
fn begin_before(text: &[u8], first: usize) -> usize {
    let line_of = |at: usize| memchr::memrchr(b'\n', text.get(..at).unwrap_or_default()).map_or(0, |n| n + 1);
    let indent = |start: usize| {
        let line = first_line(text.get(start..).unwrap_or_default());
        line.iter().take_while(|b| matches!(b, b' ' | b'\t')).count()
    };
    let own = line_of(first.min(text.len()));
    let (mut begin, mut least, mut start) = (own, indent(own), own);
    for _ in 0..MOST_LINES_BEFORE {
        if start == 0 || least == 0 {
            break;
        }
        start = line_of(start - 1);
        let blanks = indent(start);
        let byte = text.get(start + blanks);
        if blanks < least && !matches!(byte, None | Some(b'\n' | b'\r')) {
            least = blanks;
            if matches!(byte, Some(b'{' | b'[')) {
                begin = start;
            }
        }
    }
    begin
}

/// How many lines of a pretty-printed document may stand before its header.
const MOST_LINES_BEFORE: usize = 2_000;

/// Gives away the document at the begin of `bytes`, how many bytes it has, and whether it is cut.
fn read<K: Kind, R>(bytes: &[u8], take: impl for<'d> FnOnce(K::Document<'d>, usize, bool) -> R) -> Option<R> {
    let mut stream = serde_json::Deserializer::from_slice(bytes).into_iter::<K::Document<'_>>();
    match stream.next()? {
        Ok(value) => {
            let length = stream.byte_offset();
            Some(take(value, length, false))
        }
        Err(error) if error.is_eof() => {
            let completed = completed(bytes);
            let value = serde_json::from_slice(&completed).ok()?;
            Some(take(value, bytes.len(), true))
        }
        Err(_) => None,
    }
}

/// How many pretty-printed documents of a text are read a second time, without the lines of a log in them.
const MOST_ATTEMPTS: usize = 64;

/// A pretty-printed document whose first line begins at `line` and whose bracket stands at `start`, without the lines
/// that others wrote into the same stream meanwhile; how many these are, and where it ends: with the bracket that stands
/// below the first one.
fn without_foreign(text: &[u8], line: usize, start: usize) -> (Vec<u8>, u64, usize) {
    let indent = start - line;
    let mut own = Vec::new();
    let mut foreign = 0;
    let mut at = line;
    while at < text.len() {
        let next = first_line(text.get(at..).unwrap_or_default());
        let content = next.trim_ascii();
        if is_of_document(content) {
            own.extend_from_slice(content);
            own.push(b'\n');
        } else {
            foreign += 1;
        }
        at += next.len() + 1;
        let blanks = next.iter().take_while(|b| **b == b' ').count();
        if blanks == indent && matches!(content.first(), Some(b'}' | b']')) {
            break;
        }
    }
    (own, foreign, at.min(text.len()))
}

/// Whether a line may be one of a pretty-printed document: a key, a value, a bracket.
fn is_of_document(line: &[u8]) -> bool {
    let bare = line.strip_suffix(b",").unwrap_or(line);
    match bare.first() {
        None => true,
        Some(b'"') => {
            matches!(bare.last(), Some(b'"' | b'{' | b'[' | b'}' | b']' | b'e' | b'l' | b'0'..=b'9'))
        }
        Some(b'{' | b'[' | b'}' | b']') => {
            let inner = bare.get(1..).unwrap_or_default().trim_ascii_start();
            matches!(inner.first(), None | Some(b'"' | b'{' | b'[' | b'}' | b']' | b'-' | b'0'..=b'9'))
        }
        Some(_) => serde_json::from_slice::<serde_json::Value>(bare).is_ok(),
    }
}

/// A cut document without its last, unfinished element, and with its brackets closed.
fn completed(bytes: &[u8]) -> Vec<u8> {
    let mut open: Vec<u8> = Vec::new();
    let mut is_in_text = false;
    let mut is_escaped = false;
    let mut safe = (0, 0);
    for (at, &byte) in bytes.iter().enumerate() {
        if is_in_text {
            match byte {
                _ if is_escaped => is_escaped = false,
                b'\\' => is_escaped = true,
                b'"' => is_in_text = false,
                _ => {}
            }
            continue;
        }
        match byte {
            b'"' => is_in_text = true,
            b'{' | b'[' => {
                open.push(if byte == b'{' { b'}' } else { b']' });
                safe = (at + 1, open.len());
            }
            b'}' | b']' => {
                open.pop();
                safe = (at + 1, open.len());
            }
            b',' => safe = (at, open.len()),
            _ => {}
        }
    }
    let mut out = bytes.get(..safe.0).unwrap_or_default().to_vec();
    out.extend(open.get(..safe.1).unwrap_or_default().iter().rev());
    out
}

/// Fields of an object that are not known: their names, nothing of their values. For `#[serde(flatten)]`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Unknown(pub Vec<String>);

impl<'d> Deserialize<'d> for Unknown {
    fn deserialize<D: Deserializer<'d>>(deserializer: D) -> Result<Self, D::Error> {
        struct Names;
        impl<'d> Visitor<'d> for Names {
            type Value = Unknown;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("fields")
            }
            fn visit_map<A: MapAccess<'d>>(self, mut map: A) -> Result<Unknown, A::Error> {
                let mut names = Vec::new();
                while let Some((name, _)) = map.next_entry::<String, IgnoredAny>()? {
                    names.push(name);
                }
                Ok(Unknown(names))
            }
        }
        deserializer.deserialize_map(Names)
    }
}

/// A number that some producers write as a text: `12`, `"12"`, and `None` for what is neither.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Number(pub Option<u64>);

impl<'d> Deserialize<'d> for Number {
    fn deserialize<D: Deserializer<'d>>(deserializer: D) -> Result<Self, D::Error> {
        let value = serde_json::Value::deserialize(deserializer)?;
        Ok(Self(match &value {
            serde_json::Value::Number(n) => n.as_u64(),
            serde_json::Value::String(s) => s.trim().parse().ok(),
            _ => None,
        }))
    }
}

/// A value of a kind that is expected, `None` where the producer wrote another kind: a field that a new release
/// changes must not cost the whole document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lenient<T>(pub Option<T>);

impl<T> Default for Lenient<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<'d, T: for<'t> Deserialize<'t>> Deserialize<'d> for Lenient<T> {
    fn deserialize<D: Deserializer<'d>>(deserializer: D) -> Result<Self, D::Error> {
        // As text, which is read once more: values within values are not built anew at each level.
        let value = <&RawValue>::deserialize(deserializer)?;
        Ok(Self(serde_json::from_str(value.get()).ok()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(text: &str) -> Vec<(serde_json::Value, bool)> {
        let first = text.find("id").unwrap_or(0);
        let found = documents(text.as_bytes(), first, |v: &serde_json::Value| v.get("id").is_some());
        found.into_iter().map(|d| (d.value, d.is_cut)).collect()
    }

    #[test]
    fn documents_in_a_log() {
        let text = "start {x}\n2025 INFO {\"id\": 1}\nmore [1]\n{\n \"id\": 2,\n \"a\": [{}]\n}\nend\n{\"other\": 3}\n";
        let found = values(text);
        assert_eq!(found.iter().map(|(v, _)| v["id"].clone()).collect::<Vec<_>>(), [1, 2]);
    }

    #[test]
    fn a_cut_document_keeps_what_is_whole() {
        let text = "{\"id\": 1, \"list\": [{\"a\": \"x,]\\\"y\"}, {\"a\": \"cut";
        let found = values(text);
        assert_eq!(found, [(serde_json::json!({"id": 1, "list": [{"a": "x,]\"y"}, {}]}), true)]);
        for end in 1..text.len() {
            let _ = values(text.get(..end).unwrap_or_default());
        }
    }

    #[test]
    fn lines_of_a_log_inside_a_document() {
        let text = "GET / 200\n{\n  \"id\": 1,\nqueue depth 23\n  \"list\": [\n    1,\n[info] ok\n    true\n  ]\n}\nGET /\n{\n  \"id\": 2\n}\n";
        let found = documents(text.as_bytes(), text.find("id").unwrap(), |v: &serde_json::Value| {
            v.get("id").is_some()
        });
        let found: Vec<_> = found.into_iter().map(|d| (d.value, d.foreign, d.is_cut)).collect();
        let [one, two] = [serde_json::json!({"id": 1, "list": [1, true]}), serde_json::json!({"id": 2})];
        assert_eq!(found, [(one, 2, false), (two, 0, false)]);
    }

    #[test]
    fn a_quoted_document_begins_at_its_own_bracket() {
        let text =
            "see below:\n\n    {\n      \"x\": {\n        \"y\": 1\n      },\n      \"id\": 1\n    }\n";
        assert_eq!(values(text), [(serde_json::json!({"x": {"y": 1}, "id": 1}), false)]);
    }

    #[test]
    fn unknown_fields_and_kinds() {
        #[derive(serde::Deserialize)]
        struct T {
            n: Number,
            #[serde(default)]
            name: Lenient<String>,
            #[serde(flatten)]
            unknown: Unknown,
        }
        let t: T = serde_json::from_str("{\"n\": \"12\", \"name\": 5, \"new\": {\"x\": 1}}").unwrap();
        assert_eq!((t.n.0, t.name.0, t.unknown.0), (Some(12), None, vec!["new".to_owned()]));
    }
}
