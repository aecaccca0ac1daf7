//! What the dumps of Java's runtimes have in common (HotSpot, JMX, Android's ART): frames, and the lines below a
//! frame that say which locks the thread has or wants.

mod annotation;
mod class_init;
mod frame;

pub use annotation::{Note, is_token, note, owned_by};
pub use class_init::name_initializers;
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

/// What a thread does of which nothing is said, or a word that is not known here: what its stack says, and that a frame of
/// the program is the innermost one does not say that it runs.
pub const UNTOLD: ReportedState = ReportedState::Unclear;

/// Whether a word may be a state, be it a new one: `DOZING`.
pub fn is_state_word(word: &str) -> bool {
    const SHORTEST: usize = 3;
    word.len() >= SHORTEST && word.bytes().all(|b| b.is_ascii_uppercase() || b == b'_')
}

/// The word behind `java.lang.Thread.State: `, and in the headers of other writers.
pub fn state(word: &str) -> Option<ReportedState> {
    let (name, detail) = match word.trim().split_once(' ') {
        Some((name, detail)) => (name, detail),
        None => (word.trim(), ""),
    };
    Some(match name {
        "RUNNABLE" => ReportedState::RunningOrNative,
        "BLOCKED" => ReportedState::Entering,
        "TIMED_WAITING" if detail.contains("sleeping") => ReportedState::Sleeping,
        "WAITING" | "TIMED_WAITING" | "PARKED" | "TIMED_PARKED" | "PINNED" | "TIMED_PINNED" => {
            ReportedState::Waiting
        }
        "NEW" | "TERMINATED" => ReportedState::Idle,
        // What the JVM writes of a state that it does not know itself.
        "UNKNOWN" => UNTOLD,
        _ => return None,
    })
}

/// A lock by token: `java.lang.Object@7b836878`, whose class is the part before the sign. What a thread does that
/// is said to wait *on* an object, the class says: a synchronizer is parked for.
pub fn token_lock(token: &str, mode: WaitMode) -> (BodyLock, WaitMode) {
    let name = token.split('@').next().filter(|n| !n.is_empty());
    let is_synchronizer = mode != WaitMode::Enter && name.is_some_and(is_synchronizer);
    let (kind, mode) = match mode {
        WaitMode::Park => (ReportedLockKind::JavaSynchronizer, mode),
        _ if is_synchronizer => (ReportedLockKind::JavaSynchronizer, WaitMode::Park),
        _ => (ReportedLockKind::JavaMonitor, mode),
    };
    let id = super::text::LockRef::Token(token.into());
    (BodyLock { id, name: name.map(class_name), kind }, mode)
}

/// Whether a class is one for which threads park: over `AbstractOwnableSynchronizer`, or one that hands itself to
/// `LockSupport.park`.
pub fn is_synchronizer(class: &str) -> bool {
    class.starts_with("java.util.concurrent.") || class.ends_with("Sync")
}

/// An owner by its name.
pub fn owner_named(name: &str) -> OwnerRef {
    OwnerRef::Name(name.into())
}
