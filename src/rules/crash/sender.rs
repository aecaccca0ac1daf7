//! Who raised a signal that is no fault: the process itself by `abort`, or somebody else. systemd's watchdog, supervisors and
//! operators send `SIGABRT` to a process that hangs, and a text rarely says who it was.

use crate::model::{FrameIx, Signal, ThreadIx};
use crate::rules::Case;

/// Who raised a signal, as far as the dump shows.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Sender {
    /// A fault, or the process itself: `abort()`, `raise()`.
    Own,
    /// Another process, which the dump may name.
    Outside,
    /// This process, of which the dump does not say whether it is the one that got it.
    Named(i32),
    /// Nobody says, and the thread is in no function that ends a process.
    NotInStack,
    /// Nobody says, and the stack of the thread has no names, or there is none.
    Unknown,
}

impl Sender {
    pub fn of(case: &Case<'_>, signal: &Signal) -> Self {
        if signal.code.is_some_and(|code| code <= 0) {
            return match signal.sender_pid {
                Some(pid) if is_of_process(case, pid) => Self::Own,
                // `abort` sends it to its own thread, as any `tkill`.
                Some(_) if case.snapshot.process.pid.is_none() && is_abort(case, signal) => Self::Own,
                Some(pid) if case.snapshot.process.pid.is_none() => Self::Named(pid),
                _ => Self::Outside,
            };
        }
        let is_told = signal.code.is_some() || case.snapshot.process.failure.is_some();
        if &*signal.name != "SIGABRT" || is_told || is_abort(case, signal) {
            return Self::Own;
        }
        match signal.thread.map(|thread| names(case, thread)) {
            Some(Names::OfOthers) => Self::NotInStack,
            _ => Self::Unknown,
        }
    }

    /// Why the process ended, where it did not end itself for sure.
    pub fn reason(self, signal: &Signal) -> Option<String> {
        let name = &signal.name;
        match (self, signal.sender_pid) {
            (Self::Own, _) => None,
            (Self::Outside, Some(pid)) => Some(format!("{name} was sent by process {pid}")),
            (Self::Outside, None) => Some(format!("{name} was sent from outside")),
            (Self::Named(pid), _) => {
                Some(format!("it was sent by process {pid}, and no abort stands in the stack of the thread"))
            }
            (Self::NotInStack, _) => {
                Some("it was sent or raised, and no abort stands in the stack of the thread".into())
            }
            (Self::Unknown, _) => {
                Some("the process ended itself (abort), or somebody sent it: the stack does not say".into())
            }
        }
    }

    /// What to do about a signal that the thread did not raise itself.
    pub fn next_step(self) -> Option<&'static str> {
        match self {
            Self::Own | Self::Unknown => None,
            Self::Outside => Some(
                "Somebody asked for this dump or ended the process: the other findings say what it was doing.",
            ),
            Self::Named(_) | Self::NotInStack => Some(
                "Look for who ended the process: systemd's watchdog, a supervisor or an operator sends SIGABRT to one that hangs, and its journal says so. Then look at what this thread was doing or waiting for.",
            ),
        }
    }
}

/// The process itself is the one with this pid; on Linux its first thread has the same number.
fn is_of_process(case: &Case<'_>, pid: i32) -> bool {
    let Ok(pid) = u32::try_from(pid) else { return false };
    match case.snapshot.process.pid {
        Some(own) => own == pid,
        None => case.snapshot.threads.iter().any(|thread| thread.tid == Some(pid)),
    }
}

/// Whether the thread is in a function that ends a process.
pub(super) fn is_abort(case: &Case<'_>, signal: &Signal) -> bool {
    signal.thread.is_some_and(|t| case.readings.get(case.snapshot.threads[t.at()].stack).is_abort)
}

/// The functions through which `abort` raises its signal are no more than these: `raise`, `pthread_kill` and its parts.
pub(super) const MOST_ABOVE_ABORT: usize = 8;

/// Of a function in these frames the name must be known, to say that the thread is not in one that raises a signal: what
/// raises it is the first, or a system call that it makes.
const MUST_HAVE_NAMES: usize = 3;

/// Parts of names of functions that end a process, of programs that have their own.
const ENDS: &[&str] = &["abort", "raise", "terminate", "panic"];

/// What the innermost frames of a stack are called.
enum Names {
    /// None of them ends a process.
    OfOthers,
    /// The first have no names, or one looks like a function that ends a process, which no table knows.
    Unclear,
}

fn names(case: &Case<'_>, thread: ThreadIx) -> Names {
    let frames = case.snapshot.stacks.frames_of(case.snapshot.threads[thread.at()].stack);
    let is_clear = |(n, frame): (usize, &FrameIx)| {
        let has_name = case.snapshot.stacks.get(*frame).function.is_some();
        let name = case.meanings.get(*frame).name.to_ascii_lowercase();
        if has_name { !ENDS.iter().any(|end| name.contains(end)) } else { n >= MUST_HAVE_NAMES }
    };
    match frames.iter().take(MOST_ABOVE_ABORT).enumerate().all(is_clear) {
        true if !frames.is_empty() => Names::OfOthers,
        _ => Names::Unclear,
    }
}
