//! The line before the threads: why they are printed.
//!
//! ```text
//! Fatal Python error: Segmentation fault
//! Fatal Python error: _enter_buffered_busy: could not acquire lock for <_io.BufferedWriter name='<stderr>'> …
//! Windows fatal exception: access violation
//! Windows fatal exception: code 0xc0000374
//! Timeout (0:00:05)!
//! collecting ... Windows fatal exception: access violation                            behind what pytest wrote so far
//! tests/test_till.py ..FsFatal Python error: Segmentation fault
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

/// The message of an error that a signal made.
pub(super) fn of_signal(name: &str) -> Failure {
    let words = SIGNALS.iter().find(|(_, signal)| *signal == name).map_or(name, |(words, _)| words);
    failure(FailureKind::FatalError, words)
}

/// Codes of Windows that say more than their number (ntstatus.h).
static CODES: &[(&str, &str)] = &[
    ("code 0xc0000374", "the heap is damaged"),
    ("code 0xc0000409", "a check failed fast (stack buffer overrun)"),
    ("code 0xc000001d", "illegal instruction"),
    ("code 0xc00000fd", "the stack overflowed"),
    ("code 0xe06d7363", "a C++ exception"),
];

/// How a line begins with which a process ends.
pub(super) const FATAL: &str = "Fatal Python error: ";
pub(super) const EXCEPTION: &str = "Windows fatal exception: ";

/// Reads such a line.
pub(super) fn read(line: &str) -> Option<End> {
    at_begin(line).or_else(|| at_begin(behind_progress(line)?))
}

/// The message behind what a test runner has written of the line when the process ends.
///
/// ```text
/// collecting ... Windows fatal exception: access violation
/// tests/test_till.py ..FsFatal Python error: Segmentation fault
/// tests/test_till.py::test_pay Fatal Python error: Segmentation fault
/// ..Fatal Python error: Segmentation fault
/// test_pay (tests.test_till.Till.test_pay) ... Fatal Python error: Segmentation fault          unittest
/// (Till pid=344) Fatal Python error: Segmentation fault                                        Ray
/// ```
///
/// Source: pytest 3-8 _pytest/terminal.py `write_ensure_prefix`, `report_collect`; CPython unittest/runner.py; Ray 2.x
/// python/ray/_private/worker.py (`print_worker_logs`).
fn behind_progress(line: &str) -> Option<&str> {
    let at = [FATAL, EXCEPTION].iter().find_map(|start| line.find(start))?;
    let (before, message) = line.split_at_checked(at)?;
    is_progress(before).then_some(message)
}

/// What pytest writes for each test that has ended.
const RESULTS: [char; 7] = ['.', 'F', 'E', 's', 'x', 'X', 'R'];

/// Whether this is what a test runner writes before a test ends, and no sentence.
fn is_progress(text: &str) -> bool {
    if let Some(what) = text.strip_suffix(" ... ") {
        return what == "collecting" || what.starts_with("test") && what.ends_with(')');
    }
    if is_worker(text) {
        return true;
    }
    let of = text.trim_end_matches(RESULTS);
    match of.strip_suffix(' ') {
        Some(test) => !test.contains(' ') && (test.ends_with(".py") || test.contains(".py::")),
        None => of.is_empty() && !text.is_empty(),
    }
}

/// `(Till pid=344) `, `(Till pid=344, ip=10.0.0.7) `, `(pid=344) `: the process of which Ray shows a line. It is taken
/// away where all lines have it; the first one may have less before it than those of the threads.
fn is_worker(text: &str) -> bool {
    let inside = text.strip_prefix('(').and_then(|text| text.strip_suffix(") "));
    inside.and_then(|inside| inside.split_once("pid=")).is_some_and(|(_, pid)| {
        pid.split(',').next().is_some_and(|pid| !pid.is_empty() && pid.bytes().all(|b| b.is_ascii_digit()))
    })
}

/// Reads such a line that nothing stands before.
fn at_begin(line: &str) -> Option<End> {
    if let Some(message) = line.strip_prefix(FATAL) {
        let message = message.trim();
        return Some(match SIGNALS.iter().find(|(words, _)| message == *words) {
            Some((_, signal)) => End::Signal(signal),
            None => End::Failure(failure(FailureKind::FatalError, message)),
        });
    }
    if let Some(message) = line.strip_prefix(EXCEPTION) {
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
