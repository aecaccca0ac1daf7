//! Ids and numbers as the report writes them. None of them allocates: lists are long.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Serialize, Serializer};

use crate::cluster::ClusterIx;
use crate::model::{ThreadId, ThreadIx};
use crate::waits::LockIx;

/// Describes a type as a string of a pattern.
macro_rules! string_schema {
    ($type:ty, $name:literal, $about:literal $(, $pattern:literal)?) => {
        impl JsonSchema for $type {
            fn schema_name() -> Cow<'static, str> {
                $name.into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({ "type": "string", "description": $about $(, "pattern": $pattern)? })
            }
        }
    };
}

/// Serializes a type as what it displays.
macro_rules! serialize_display {
    ($type:ty) => {
        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
    };
}

/// Writes `c17` without the machinery of `fmt`, which takes three times as long: each thread has some ids.
fn numbered<S: Serializer>(letter: u8, number: u64, serializer: S) -> Result<S::Ok, S::Error> {
    let mut digits = itoa::Buffer::new();
    let digits = digits.format(number);
    let mut text = [letter; 21];
    text[1..=digits.len()].copy_from_slice(digits.as_bytes());
    serializer.serialize_str(std::str::from_utf8(&text[..=digits.len()]).unwrap_or_default())
}

/// `c1`, `c2`, …: a cluster of the snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ClusterId(pub ClusterIx);

impl ClusterId {
    fn number(self) -> u64 {
        u64::from(self.0.0) + 1
    }
}

impl fmt::Display for ClusterId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "c{}", self.number())
    }
}

impl Serialize for ClusterId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        numbered(b'c', self.number(), serializer)
    }
}

string_schema!(
    ClusterId,
    "ClusterId",
    "A cluster: `c1`, `c2`, … in its snapshot's order. Its `fingerprint` is the key across snapshots.",
    "^c[1-9][0-9]*$"
);

/// `l1`, `l2`, …: a lock of the snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LockId(pub LockIx);

impl LockId {
    fn number(self) -> u64 {
        u64::from(self.0.0) + 1
    }
}

impl fmt::Display for LockId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "l{}", self.number())
    }
}

impl Serialize for LockId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        numbered(b'l', self.number(), serializer)
    }
}

string_schema!(
    LockId,
    "LockId",
    "A lock: `l1`, `l2`, … in its snapshot's order. Its `fingerprint` is the key across snapshots.",
    "^l[1-9][0-9]*$"
);

/// An address of the process: `0x55f0ce1aa140`. A JSON number would lose bits in JavaScript.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Hex(pub u64);

impl fmt::Display for Hex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#x}", self.0)
    }
}

serialize_display!(Hex);

string_schema!(
    Hex,
    "Address",
    "An address: lower-case hexadecimal without leading zeros, `0x55f0ce1aa140`.",
    "^0x(0|[1-9a-f][0-9a-f]*)$"
);

/// A build id: hexadecimal without prefix, as `file` and `eu-unstrip` print it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BuildId<'a>(pub &'a [u8]);

impl fmt::Display for BuildId<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

serialize_display!(BuildId<'_>);

string_schema!(
    BuildId<'_>,
    "BuildId",
    "A build id: two lower-case hexadecimal digits for each byte.",
    "^([0-9a-f]{2})+$"
);

/// What the dump calls a thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IdText<'a>(pub &'a ThreadId);

impl IdText<'_> {
    /// Whether the dump calls the thread so.
    pub fn is(self, id: &str) -> bool {
        match self.0 {
            ThreadId::Number(number) => id.parse() == Ok(*number),
            ThreadId::Text(text) => **text == *id,
        }
    }
}

impl fmt::Display for IdText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Serialize for IdText<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            ThreadId::Number(number) => serializer.serialize_str(itoa::Buffer::new().format(*number)),
            ThreadId::Text(text) => serializer.serialize_str(text),
        }
    }
}

string_schema!(
    IdText<'_>,
    "ThreadId",
    "What the dump calls the thread: a TID, an LWP, a debugger's number, a goroutine's number. It may repeat."
);

/// Threads as places in `thread_list`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ixs<'a>(pub &'a [ThreadIx]);

impl Serialize for Ixs<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(|ix| ix.0))
    }
}

impl JsonSchema for Ixs<'_> {
    fn schema_name() -> Cow<'static, str> {
        "ThreadIndexes".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "array",
            "description": "Threads: places in `thread_list` of the finding's or cluster's snapshot, ascending.",
            "items": { "type": "integer", "minimum": 0 }
        })
    }
}

/// A share of all threads, 0–1, with four digits.
pub fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { (part as f64 / whole as f64 * 1e4).round() / 1e4 }
}

/// Microseconds as seconds.
pub fn seconds(microseconds: u64) -> f64 {
    microseconds as f64 / 1e6
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_what_their_numbers_say() {
        assert_eq!(ClusterId(ClusterIx(0)).to_string(), "c1");
        assert_eq!(LockId(LockIx(u32::MAX)).to_string(), "l4294967296");
        assert_eq!(Hex(0x55f0_ce1a_a140).to_string(), "0x55f0ce1aa140");
        assert_eq!(BuildId(&[0, 0xab]).to_string(), "00ab");
        for n in [0, 9, u32::MAX] {
            let written = serde_json::to_string(&(ClusterId(ClusterIx(n)), LockId(LockIx(n)))).expect("JSON");
            assert_eq!(written, format!(r#"["{}","{}"]"#, ClusterId(ClusterIx(n)), LockId(LockIx(n))));
        }
        let ids = [ThreadId::Number(u64::MAX), ThreadId::Number(0), ThreadId::Text("\"7\"".into())];
        for id in &ids {
            let written: String =
                serde_json::from_str(&serde_json::to_string(&IdText(id)).expect("JSON")).expect("a string");
            assert_eq!(written, id.to_string());
        }
        assert!(IdText(&ThreadId::Number(7)).is("7") && !IdText(&ThreadId::Text("0x7".into())).is("7"));
        assert_eq!((share(4499, 5001), share(0, 0)), (0.8996, 0.0));
    }
}
