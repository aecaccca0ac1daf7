//! Headers as `ThreadInfo.toString` writes them, and what prints threads like it.
//!
//! ```text
//! "pool-1-thread-2" Id=76 WAITING on C@5a679233 owned by "x" Id=3
//! "pool-1-thread-2" daemon prio=5 Id=76 WAITING on C@5a679233 owned by "x" Id=3                  newer
//! "Executor #1" Id=47 Group=main BLOCKED on C@5a679233 owned by "x" Id=3                         Jenkins
//! "Executor #1" Id=47 in group "main" BLOCKED on C@5a679233 owned by "x" Id=3
//! ```
//!
//! Source: OpenJDK 8-25 java/lang/management/ThreadInfo.java.

use super::header::{named_thread, names};
use crate::formats::java;
use crate::formats::text::{BodyWait, Head};
use crate::model::{Thread, ThreadId, WaitMode};

/// Reads a header of which the name's first quote is gone.
pub(super) fn head(text: &str) -> Option<Head> {
    let (name, rest) = names(text).find_map(|(name, rest)| {
        let rest = rest.strip_prefix("daemon ").unwrap_or(rest);
        let rest = match rest.strip_prefix("prio=") {
            Some(prio) => prio.split_once(' ')?.1,
            None => rest,
        };
        Some((name, rest.strip_prefix("Id=")?))
    })?;
    let (id, rest) = rest.split_once(' ').unwrap_or((rest, ""));
    let group = rest.strip_prefix("Group=").or_else(|| rest.strip_prefix("in group \""));
    let mut head = Head::of(named_thread(Thread::new(ThreadId::Number(id.parse().ok()?)), name));
    let (new, rest) = match (said(group.unwrap_or(rest)), group) {
        (Some((_, rest)), Some(_)) => ("", rest),
        (Some(said), None) => said,
        // A state of a newer release.
        (None, None) if java::is_state_word(first_word(rest)) => (first_word(rest), rest),
        (None, _) => return None,
    };
    let word = first_word(rest);
    head.unknown = (!new.is_empty()).then(|| new.to_owned());
    head.thread.reported = Some(java::state(word).unwrap_or(java::UNTOLD));
    if let Some((_, lock)) = rest.split_once(" on ") {
        let token = lock.split(' ').next().unwrap_or_default();
        let owner = lock.split_once("owned by \"").and_then(|(_, rest)| java::owned_by(rest));
        let mode = if word == "BLOCKED" { WaitMode::Enter } else { WaitMode::Notify };
        let (lock, mode) = java::token_lock(token, mode);
        head.wait = Some(BodyWait { lock, mode, owner });
    }
    Some(head)
}

fn first_word(text: &str) -> &str {
    text.split(' ').next().unwrap_or_default()
}

/// `main BLOCKED on …`, `Web workers RUNNABLE`: what stands before a state, and the text from the state on. Before it
/// stands nothing, the name of a thread group, which may have blanks, or a field of a newer release.
fn said(text: &str) -> Option<(&str, &str)> {
    let blanks = memchr::memchr_iter(b' ', text.as_bytes()).map(|at| at + 1);
    let mut starts = std::iter::once(0).chain(blanks);
    starts.find_map(|at| {
        let rest = text.get(at..)?;
        java::state(first_word(rest)).map(|_| (text.get(..at).unwrap_or_default().trim_end(), rest))
    })
}
