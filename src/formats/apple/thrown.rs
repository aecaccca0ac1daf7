//! The backtrace of an exception that nobody caught, which a report has beside the stacks of its threads.
//!
//! ```text
//! Last Exception Backtrace:                                              iOS, and macOS since 12
//! 0   CoreFoundation                      0x19bc6596c __exceptionPreprocess + 220
//! 3   Desk                                0x102afb3d0 -[Letter print] + 62 (Letter.m:231)
//!
//! Application Specific Backtrace 0:                                      macOS
//! 0   CoreFoundation                      0x00007ff813cb27b3 __exceptionPreprocess + 242
//! ```
//!
//! The loop of an application catches what is thrown below it and throws it again: the thread that ends is in abort below that
//! loop, and says nothing of the place. So that of the exception is its stack here, as in most collectors of crashes.

use crate::model::{FailureKind, Frame, GapKind, Snapshot, StackEnd};

/// Whether a line begins such a backtrace.
pub fn is_title(line: &str) -> bool {
    TITLES.iter().any(|title| line.starts_with(title))
}

/// Whether a line begins the one of the last exception, which others do not replace.
pub fn is_last(line: &str) -> bool {
    line.starts_with(TITLES[0])
}

static TITLES: [&str; 2] = ["Last Exception Backtrace:", "Application Specific Backtrace"];

/// Gives the thread that ended by an exception the stack of that exception; `frames`: newest first.
pub fn tell(snapshot: &mut Snapshot, frames: &[Frame]) {
    if frames.is_empty() {
        return;
    }
    // Old reports have nothing but addresses here.
    let is_named = frames.iter().any(|frame| frame.function.is_some() || frame.module.is_some());
    let failure = snapshot.process.failure.as_ref();
    let is_cause = failure.is_some_and(|failure| failure.kind == FailureKind::UncaughtException) && is_named;
    let thread = failure.and_then(|failure| failure.thread).filter(|_| is_cause);
    let Some(thread) = thread.and_then(|thread| snapshot.threads.get_mut(thread.at())) else {
        let message = "frames of an exception's backtrace, which is the stack of no thread, were left out";
        snapshot.gaps.add_many(GapKind::SkippedText, message, frames.len() as u64, None);
        return;
    };
    let stacks = &mut snapshot.stacks;
    let left_out = stacks.frames_of(thread.stack).len() as u64;
    let frames: Vec<_> = frames.iter().map(|frame| stacks.frame(frame, std::iter::empty())).collect();
    thread.stack = stacks.stack(&frames);
    thread.stack_end = StackEnd::Complete;
    let message = "frames in which a thread ended were left out: its stack is the one in which its exception was thrown";
    snapshot.gaps.add_many(GapKind::SkippedText, message, left_out, None);
}
