//! Dumps that are JSON: documents inside a text, whole or cut.

mod key;

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::building::Building;
use super::json_repair::{completed, offset_of, without_damaged, without_foreign};
use super::site::first_line;
use crate::model::GapKind;

pub use key::{is_key, key};

/// A document that was found in a text.
#[derive(Debug)]
pub struct Document<T> {
    /// What it says.
    pub value: T,
    /// Where in the text it begins.
    pub at: usize,
    /// How many bytes of the text it has.
    pub length: usize,
    /// What is missing of it.
    pub missing: Missing,
}

/// What is missing of a document.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Missing {
    /// The text ends before the document does.
    pub is_cut: bool,
    /// Lines of a log inside it, which were passed over: they are no part of it.
    pub foreign: u64,
    /// Elements of it that are damaged, and were passed over as well.
    pub damaged: u64,
    /// Lists in which only commas were missing.
    pub mended: u64,
    /// From some place on it cannot be read.
    pub is_broken: bool,
}

impl<T> Document<T> {
    /// One that is whole.
    fn new(value: T, at: usize, length: usize) -> Self {
        Self { value, at, length, missing: Missing::default() }
    }
}

impl Missing {
    /// Says it in the snapshot of a document that begins at `offset`.
    pub fn tell(self, building: &mut Building, offset: u64) {
        let gaps = &mut building.snapshot.gaps;
        if self.foreign > 0 {
            let message = "lines inside the document are none of it and were passed over";
            gaps.add_many(GapKind::SkippedText, message, self.foreign, Some(offset));
        }
        if self.damaged > 0 {
            let message = "elements of the document are damaged and were passed over: threads may be missing";
            gaps.add_many(GapKind::Damaged, message, self.damaged, Some(offset));
        }
        if self.mended > 0 {
            let message = "commas are missing between elements of the document, which were read all the same";
            gaps.add_many(GapKind::Damaged, message, self.mended, Some(offset));
        }
        if self.is_broken {
            let message =
                "the document is damaged, and what follows could not be read: threads may be missing";
            gaps.add(GapKind::Damaged, message, Some(offset));
        }
        if self.is_cut {
            let message = "the document ends before its last bracket: threads may be missing";
            gaps.add(GapKind::Truncated, message, Some(offset));
        }
        building.snapshot.is_complete &= self.damaged == 0 && !self.is_broken && !self.is_cut;
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
        let found = match read::<K, _>(rest, |value, length, is_cut| {
            let missing = Missing { is_cut, ..Missing::default() };
            take(Document { missing, ..Document::new(value, start, length) }).then_some(length)
        }) {
            Ok(found) => found,
            Err(Unread::OfAnotherKind) => None,
            Err(Unread::Broken(error)) => {
                let mut repaired = None;
                if is_alone && attempts < MOST_ATTEMPTS {
                    attempts += 1;
                    repaired = repair::<K>(text, (at, start), &mut take);
                }
                repaired.or_else(|| {
                    let begin = completed(rest.get(..error).unwrap_or_default());
                    let value = serde_json::from_slice(&begin).ok()?;
                    let missing = Missing { is_broken: true, ..Missing::default() };
                    take(Document { missing, ..Document::new(value, start, error) }).then_some(error)
                })
            }
        };
        at = start + found.unwrap_or(0).max(1);
    }
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

/// Why there is no document.
enum Unread {
    /// It is none of this kind.
    OfAnotherKind,
    /// It is no JSON from this place on.
    Broken(usize),
}

/// Gives away the document at the begin of `bytes`, how many bytes it has, and whether it is cut.
fn read<K: Kind, R>(
    bytes: &[u8],
    take: impl for<'d> FnOnce(K::Document<'d>, usize, bool) -> R,
) -> Result<R, Unread> {
    let mut stream = serde_json::Deserializer::from_slice(bytes).into_iter::<K::Document<'_>>();
    match stream.next() {
        Some(Ok(value)) => {
            let length = stream.byte_offset();
            Ok(take(value, length, false))
        }
        Some(Err(error)) if error.is_eof() => {
            let completed = completed(bytes);
            let value = serde_json::from_slice(&completed).map_err(|error| unread(&completed, &error))?;
            Ok(take(value, bytes.len(), true))
        }
        Some(Err(error)) => Err(unread(bytes, &error)),
        None => Err(Unread::OfAnotherKind),
    }
}

fn unread(bytes: &[u8], error: &serde_json::Error) -> Unread {
    if error.is_syntax() { Unread::Broken(offset_of(bytes, error)) } else { Unread::OfAnotherKind }
}

/// A pretty-printed document whose first line and bracket stand there, without what others wrote into it and without its
/// damaged elements; how many bytes it has.
fn repair<K: Kind>(
    text: &[u8],
    (line, start): (usize, usize),
    mut take: impl for<'d> FnMut(Document<K::Document<'d>>) -> bool,
) -> Option<usize> {
    let (mut own, foreign, end) = without_foreign(text, line, start);
    let length = end - start;
    let (mut damaged, mut mended) = (0, 0);
    for _ in 0..MOST_ROUNDS {
        let read = read::<K, _>(&own, |value, _, is_cut| {
            let missing = Missing { is_cut, foreign, damaged, mended, is_broken: false };
            take(Document { missing, ..Document::new(value, start, length) }).then_some(length)
        });
        match read {
            Ok(taken) => return taken,
            Err(Unread::OfAnotherKind) => return None,
            Err(Unread::Broken(error)) => {
                let (rest, count) = without_damaged(&own, error)?;
                mended += u64::from(count == 0);
                (own, damaged) = (rest, damaged + count);
            }
        }
    }
    None
}

/// So many lists of a document may have damaged elements.
const MOST_ROUNDS: usize = 8;

/// How many pretty-printed documents of a text are read a second time, without the lines of a log in them.
const MOST_ATTEMPTS: usize = 64;

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
        found.into_iter().map(|d| (d.value, d.missing.is_cut)).collect()
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
        let found: Vec<_> =
            found.into_iter().map(|d| (d.value, d.missing.foreign, d.missing.is_cut)).collect();
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
