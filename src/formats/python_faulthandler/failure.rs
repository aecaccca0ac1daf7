//! The line before the threads: why they are printed.
//!
//! ```text
//! Fatal Python error: Segmentation fault
//! Fatal Python error: _enter_buffered_busy: could not acquire lock for <_io.BufferedWriter name='<stderr>'> …
//! Windows fatal exception: access violation
//! Windows fatal exception: code 0xc0000374
//! Timeout (0:00:05)!
//! ```
//!
//! Source: CPython 3.6-3.14 Modules/faulthandler.c: `faulthandler_handlers`, `faulthandler_exc_handler`,
//! `format_timeout`; Python/pylifecycle.c.

use crate::model::{Failure, FailureKind};

/// Why the threads were printed.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum End {
    /// The process got this signal.
    Signal(&'static str),
    /// It ends, with a message.
    Failure(Failure),
    /// Somebody wanted to see them.
    Nothing,
}

/// Signals in faulthandler's words.
static SIGNALS: &[(&str, &str)] = &[
    ("Segmentation fault", "SIGSEGV"),
    ("Floating-point exception", "SIGFPE"),
    ("Floating point exception", "SIGFPE"),
    ("Aborted", "SIGABRT"),
    ("Bus error", "SIGBUS"),
    ("Illegal instruction", "SIGILL"),
];

/// Codes of Windows that say more than their number (ntstatus.h).
static CODES: &[(&str, &str)] = &[
    ("code 0xc0000374", "the heap is damaged"),
    ("code 0xc0000409", "a check failed fast (stack buffer overrun)"),
    ("code 0xc000001d", "illegal instruction"),
    ("code 0xc00000fd", "the stack overflowed"),
    ("code 0xe06d7363", "a C++ exception"),
];

/// Reads such a line.
pub(super) fn read(line: &str) -> Option<End> {
    if let Some(message) = line.strip_prefix("Fatal Python error: ") {
        let message = message.trim();
        return Some(match SIGNALS.iter().find(|(words, _)| message == *words) {
            Some((_, signal)) => End::Signal(signal),
            None => End::Failure(failure(FailureKind::FatalError, message)),
        });
    }
    if let Some(message) = line.strip_prefix("Windows fatal exception: ") {
        let message = message.trim();
        // Exceptions that are no faults (RPC and COM: 0x800706ba, 0x8001010d) are seen by the handler before the
        // code that catches them: the process goes on.
        if message.starts_with("code 0x8") || message.starts_with("code 0x4") {
            return Some(End::Nothing);
        }
        let words = CODES.iter().find(|(code, _)| message == *code).map(|(_, words)| *words);
        let told = words.map_or_else(|| message.to_owned(), |words| format!("{message}: {words}"));
        return Some(End::Failure(failure(FailureKind::System, &told)));
    }
    let timeout = line.strip_prefix("Timeout (")?.trim_end().strip_suffix(")!")?;
    timeout.bytes().all(|b| b.is_ascii_digit() || matches!(b, b':' | b'.')).then_some(End::Nothing)
}

fn failure(kind: FailureKind, message: &str) -> Failure {
    Failure { kind, message: message.into(), thread: None }
}
