//! What the dumps of Java's runtimes have in common (HotSpot, JMX, Android's ART): frames, and the lines below a
//! frame that say which locks the thread has or wants.

mod annotation;
mod frame;

pub use annotation::{Note, note};
pub use frame::{class_name, frame};

use super::text::{BlockLine, Body, BodyHold, BodyLock, BodyWait, OwnerRef};
use crate::model::{ReportedLockKind, ReportedState, WaitMode};

/// Adds what a line below a frame says. False: it is no such line.
pub fn add_note(body: &mut Body, line: &BlockLine<'_>) -> bool {
    let Some(note) = note(line) else { return false };
    let depth = (body.frames.len() as u32).checked_sub(1);
    match note {
        Note::Locked(lock) => {
            body.holds.push(BodyHold { lock, depth });
        }
        Note::Waits { lock, mode, owner } => {
            // The first of a stack is what it waits for now.
            if body.wait.is_none() {
                body.wait = Some(BodyWait { lock, mode, owner });
            }
        }
        Note::Sleeps => body.state = Some(ReportedState::Sleeping),
        Note::HeldBy(owner) => {
            if let Some(wait) = &mut body.wait {
                wait.owner = Some(owner);
            }
        }
        Note::Nothing => {}
    }
    true
}

/// The word behind `java.lang.Thread.State: `, and in the headers of other writers.
pub fn state(word: &str) -> Option<ReportedState> {
    let (name, detail) = match word.trim().split_once(' ') {
        Some((name, detail)) => (name, detail),
        None => (word.trim(), ""),
    };
    Some(match name {
        "RUNNABLE" => ReportedState::RunningOrNative,
        "BLOCKED" => ReportedState::Blocked,
        "TIMED_WAITING" if detail.contains("sleeping") => ReportedState::Sleeping,
        "WAITING" | "TIMED_WAITING" | "PARKED" | "TIMED_PARKED" | "PINNED" | "TIMED_PINNED" => {
            ReportedState::Waiting
        }
        "NEW" | "TERMINATED" => ReportedState::Idle,
        _ => return None,
    })
}

/// A lock by token: `java.lang.Object@7b836878`, whose class is the part before the sign.
pub fn token_lock(token: &str, mode: WaitMode) -> BodyLock {
    let name = token.split('@').next().filter(|n| !n.is_empty());
    let kind = match mode {
        WaitMode::Park => ReportedLockKind::JavaSynchronizer,
        _ => ReportedLockKind::JavaMonitor,
    };
    BodyLock { id: super::text::LockRef::Token(token.into()), name: name.map(class_name), kind }
}

/// An owner by its name.
pub fn owner_named(name: &str) -> OwnerRef {
    OwnerRef::Name(name.into())
}
