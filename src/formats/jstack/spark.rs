//! What Spark's REST interface (`applications/ID/executors/ID/threads`) and Celeborn's write otherwise than ThreadInfo:
//! stacks as text, and locks by what they are.
//!
//! ```text
//! [ { "threadId" : 61, "threadName" : "Executor task launch worker for task 12", "threadState" : "BLOCKED",
//!     "stackTrace" : "app.Blocks.get(Blocks.scala:70)\njava.lang.Thread.run(Thread.java:748)",            oldest
//!     "stackTrace" : { "elems" : [ "app.Blocks.get(Blocks.scala:70) => holding Monitor(app.Block@27})" ] },  to 3
//!     "stackTrace" : { "elems" : [ "app.Blocks.get(Blocks.scala:70)\n\t-  blocked on app.Block@1b\n" ] },    4
//!     "blockedByThreadId" : 62, "blockedByLock" : "Lock(java.lang.Object@380286413})",
//!     "holdingLocks" : [ "Lock(java.util.concurrent.ThreadPoolExecutor$Worker@1699637904})" ],
//!     "synchronizers" : [ "app.Sync@1b" ], "monitors" : [ "app.Block@2c" ] } ]                            4
//! ```
//!
//! The hash is a decimal number where a brace stands behind it, which is a slip of older releases.
//!
//! Source: Spark util/Utils.scala `threadInfoToThreadStackTrace` and `lockString` in three states (a text, `elems`, locks
//! below frames), status/api/v1/api.scala `ThreadStackTrace`, whose `holdingLocks` are deprecated since 4.0; apache/spark
//! pull request 20474; Celeborn ApiUtils.scala and the description of its interface, where `stackTrace` is a list.

use serde::de::Error;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::actuator::Element;
use super::java;
use crate::formats::text::json::Lenient;
use crate::formats::text::{BlockLine, Body, BodyHold, BodyLock};
use crate::model::WaitMode;

/// The stack of a thread.
#[derive(Debug)]
pub(super) enum Stack {
    /// Frame by frame, as ThreadInfo has it.
    Elements(Vec<Lenient<Element>>),
    /// As text, each of one line or several.
    Lines(Vec<String>),
}

#[derive(Deserialize)]
struct Elems {
    elems: Vec<String>,
}

impl<'d> Deserialize<'d> for Stack {
    fn deserialize<D: Deserializer<'d>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <&RawValue>::deserialize(deserializer)?.get();
        let is_of_texts = || text.strip_prefix('[').is_some_and(|list| list.trim_start().starts_with('"'));
        let stack = match text.bytes().next() {
            Some(b'"') => serde_json::from_str(text).map(|text: String| Self::Lines(vec![text])),
            Some(b'{') => serde_json::from_str(text).map(|stack: Elems| Self::Lines(stack.elems)),
            _ if is_of_texts() => serde_json::from_str(text).map(Self::Lines),
            _ => serde_json::from_str(text).map(Self::Elements),
        };
        stack.map_err(D::Error::custom)
    }
}

/// What stands between a frame and the lock that it took.
const HOLDING: &str = " => holding ";

/// Adds the lines of a stack to a body. Those that were not understood.
pub(super) fn add_lines<'t>(body: &mut Body, texts: &'t [String]) -> Vec<&'t str> {
    let mut unknown = Vec::new();
    for line in texts.iter().flat_map(|text| text.lines()) {
        let text = line.trim();
        let (place, held) = match text.split_once(HOLDING) {
            Some((place, held)) => (place, Some(held)),
            None => (text, None),
        };
        let is_known = if let Some(frame) = java::frame(place.strip_prefix("at ").unwrap_or(place)) {
            body.frames.push(frame.into());
            let depth = (body.frames.len() as u32).checked_sub(1);
            held.is_none_or(|held| hold(body, held, WaitMode::Enter, depth))
        } else {
            text.is_empty() || text.starts_with('-') && java::add_note(body, &BlockLine { text, slot: 0 })
        };
        if !is_known {
            unknown.push(text);
        }
    }
    unknown
}

/// No thread holds as many locks.
const MOST_COMPARED: usize = 256;

/// What stands around a lock, and how a thread holds such a one.
static KINDS: &[(&str, WaitMode)] = &[("Lock(", WaitMode::Park), ("Monitor(", WaitMode::Enter)];

/// The thread holds a lock, which may be known of a frame; `mode`: where the text does not say how. False: it was not
/// understood.
pub(super) fn hold(body: &mut Body, text: &str, mode: WaitMode, depth: Option<u32>) -> bool {
    let said = KINDS.iter().find(|(kind, _)| text.starts_with(kind));
    let Some((lock, _)) = lock(text, said.map_or(mode, |(_, mode)| *mode)) else { return false };
    // Of a damaged text with thousands not all are compared with all.
    if body.holds.iter().rev().take(MOST_COMPARED).all(|hold| hold.lock.id != lock.id) {
        body.holds.push(BodyHold { lock, depth });
    }
    true
}

/// `Lock(C@380286413})`, `Monitor(C@16aab7cd)`, `C@16aab7cd`.
pub(super) fn lock(text: &str, mode: WaitMode) -> Option<(BodyLock, WaitMode)> {
    let inside = KINDS.iter().find_map(|(kind, _)| text.strip_prefix(kind)?.strip_suffix(')'));
    let token = inside.unwrap_or(text);
    match token.strip_suffix('}') {
        Some(token) => {
            let (class, hash) = token.rsplit_once('@')?;
            // A Java int: negative ones are written as they are in memory.
            let hash: i32 = hash.parse().ok()?;
            Some(java::token_lock(&format!("{class}@{:x}", hash as u32), mode))
        }
        None => java::is_token(token).then(|| java::token_lock(token, mode)),
    }
}
