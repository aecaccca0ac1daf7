//! Ids and numbers as the report writes them. None of them allocates: lists are long.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Serialize, Serializer};

use crate::cluster::ClusterIx;
use crate::model::{ThreadId, ThreadIx};
use crate::waits::LockIx;

/// Serializes a type as what it displays, and describes it as a string of a pattern.
macro_rules! string_like {
    ($type:ty, $name:literal, $about:literal $(, $pattern:literal)?) => {
        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

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

/// `c1`, `c2`, …: a cluster of the snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ClusterId(pub ClusterIx);

impl fmt::Display for ClusterId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "c{}", u64::from(self.0.0) + 1)
    }
}

string_like!(
    ClusterId,
    "ClusterId",
    "A cluster: `c1`, `c2`, … in its snapshot's order. Its `fingerprint` is the key across snapshots.",
    "^c[1-9][0-9]*$"
);

/// `l1`, `l2`, …: a lock of the snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LockId(pub LockIx);

impl fmt::Display for LockId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "l{}", u64::from(self.0.0) + 1)
    }
}

string_like!(
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

string_like!(
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

string_like!(
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

string_like!(
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
pub fn share(part: usize, whole: usize) -> f64 {
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
        assert!(IdText(&ThreadId::Number(7)).is("7") && !IdText(&ThreadId::Text("0x7".into())).is("7"));
        assert_eq!((share(4499, 5001), share(0, 0)), (0.8996, 0.0));
    }
}
