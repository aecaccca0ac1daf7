//! What stands below the line of a fatal error, and says whose the threads are that come next.
//!
//! ```text
//! Fatal Python error: Segmentation fault
//!
//! Current thread 0x00007f2b1c8a5740 (most recent call first):          its own: nothing stands between
//! ```
//!
//! ```text
//! Fatal Python error: Segmentation fault
//!
//! Extension modules: numpy (total: 1)                                  it has none: this comes behind them
//! ```
//!
//! ```text
//! Fatal Python error: Segmentation fault
//!
//! till: 3 orders                                                       … and more of a log: nobody knows
//! ```
//!
//! The handler of a signal writes the error and the threads at once, but for an interpreter that is gone, and for a
//! thread without Python where the others were not asked for.
//!
//! Source: CPython 3.6-3.14 Modules/faulthandler.c (`faulthandler_fatal_error`, `faulthandler_dump_traceback`),
//! Python/pylifecycle.c (`fatal_error`), Python/traceback.c (`_Py_DumpTracebackThreads`).

use std::borrow::Cow;

use super::{bare, failure, traceback};

/// Whose threads follow an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Below {
    /// Its own.
    Threads,
    /// Those of another process, if any: it has none.
    NoThread,
    /// The text does not say.
    Unknown,
}

/// How many lines below are looked at for a thread: an exception and an empty line may stand above it.
const LINES_LOOKED_AT: usize = 4;

/// The same where an exception without a traceback stands above it, of which each line belongs to the message.
///
/// ```text
/// Python runtime state: core initialized
/// ModuleNotFoundError: No module named 'encodings'
///
/// Current thread 0x00007f2b1c8a5740 (most recent call first):
/// ```
pub(super) const LINES_OF_AN_EXCEPTION: usize = 24;

/// How names of exceptions end.
static EXCEPTIONS: &[&str] = &["Error", "Exception"];

/// What stands behind the threads, or where they would be.
pub(super) static BEHIND: &[&str] = &["Current thread's C stack trace ", "Extension modules: "];

/// What headers of threads have in them.
static HEADERS: &[&str] = &[super::FIRST_CALL_FIRST, bare::CURRENT];

/// How those of other threads begin where the header says no more.
const BARE: &str = "Thread 0x";

/// What a shell writes when a process has dumped core.
const DUMPED: &str = "core dumped)";

/// What the lines below an error say. `first`: how far below the first of them stands; `prefix`: how much a log has
/// before each.
pub(super) fn read<'t>(lines: impl Iterator<Item = Cow<'t, str>>, first: usize, prefix: usize) -> Below {
    let mut is_below_exception = false;
    for (n, line) in (first..).zip(lines) {
        let text = line.get(prefix..).unwrap_or_default();
        let is_over = line.contains(DUMPED) || traceback::is_afterword(&line);
        if is_over || BEHIND.iter().any(|part| line.contains(part)) {
            return Below::NoThread;
        }
        // Below the traceback of the exception that was set no thread is printed.
        if n == first && text.starts_with(traceback::HEADER) {
            return Below::NoThread;
        }
        if [failure::FATAL, failure::EXCEPTION].iter().any(|begin| line.contains(begin)) {
            return Below::Unknown;
        }
        if HEADERS.iter().any(|part| line.contains(part)) || text.starts_with(BARE) {
            let is_near = n <= LINES_LOOKED_AT || is_below_exception;
            return if is_near { Below::Threads } else { Below::Unknown };
        }
        if !text.trim().is_empty() {
            let name = text.split(':').next().unwrap_or_default();
            is_below_exception =
                traceback::is_exception(text) && EXCEPTIONS.iter().any(|end| name.ends_with(end));
        }
    }
    Below::Unknown
}

#[cfg(test)]
mod tests {
    use crate::formats::testing::{read, read_bytes};
    use crate::model::{GapKind, Snapshot};

    const SIGNAL: &str = "Fatal Python error: Segmentation fault\n\n";
    const HEALTHY: &str = "Thread 0x02 (most recent call first):\n  File \"a.py\", line 3 in work\n\n\
                           Current thread 0x01 (most recent call first):\n  File \"a.py\", line 9 in <module>\n";

    /// Why a process ended, how many threads are shown, and whether something of it is not known.
    fn told(snapshot: &Snapshot) -> (Option<String>, usize, bool) {
        let process = &snapshot.process;
        let signal = process.signal.as_ref().map(|s| s.name.to_string());
        let end = signal.or_else(|| process.failure.as_ref().map(|f| f.message.to_string()));
        (end, snapshot.threads.len(), snapshot.gaps.has(GapKind::Limit))
    }

    fn all(text: &str) -> Vec<(Option<String>, usize, bool)> {
        read(text).iter().map(told).collect()
    }

    fn of(end: &str, threads: usize, is_doubtful: bool) -> (Option<String>, usize, bool) {
        (Some(end.to_owned()), threads, is_doubtful)
    }

    #[test]
    fn threads_right_below_are_its_own() {
        for between in ["", "till: 3 orders\n\n", "[New Thread 0x7f03 (LWP 7)]\n"] {
            assert_eq!(all(&format!("{SIGNAL}{between}{HEALTHY}")), [of("SIGSEGV", 2, false)], "{between}");
        }
    }

    #[test]
    fn a_process_that_is_over_has_no_threads_below() {
        for over in [
            "Extension modules: numpy (total: 1)\n",
            "Current thread's C stack trace (most recent call first):\n  Binary file \"/opt/python\"\n",
            "Segmentation fault (core dumped)\n",
            "[1]    344 segmentation fault (core dumped)  python till.py\n",
            "till_1 exited with code 139\n",
            "systemd[1]: till.service: Main process exited, code=dumped, status=11/SEGV\n",
        ] {
            let both = [of("SIGSEGV", 0, true), (None, 2, false)];
            assert_eq!(all(&format!("{SIGNAL}{over}{HEALTHY}")), both, "{over}");
            let logged: String = format!("{SIGNAL}{over}{HEALTHY}")
                .lines()
                .map(|line| format!("till_1  | {line}\n"))
                .collect();
            assert_eq!(all(&logged), both, "{logged}");
        }
        let windows = "Windows fatal exception: access violation\n\ntill.exe exited with code 5\n";
        let both = [of("access violation", 0, true), (None, 2, false)];
        assert_eq!(all(&format!("{windows}{HEALTHY}")), both);
        // Between two dumps, and behind them.
        let text = format!("{HEALTHY}{SIGNAL}Extension modules: numpy (total: 1)\n{HEALTHY}");
        assert_eq!(all(&text), [(None, 2, false), of("SIGSEGV", 0, true), (None, 2, false)]);
        // Before 3.8 there is no second line.
        let old = "Fatal Python error: no room\nTraceback (most recent call last):\n  File \"a.py\", line 3, in f\n\
                   ImportError: no abc\n";
        assert_eq!(all(&format!("{old}\n{HEALTHY}")), [of("no room", 0, true), (None, 2, false)]);
    }

    #[test]
    fn what_an_error_ends_with_makes_it_one_without_threads_too() {
        let text = format!("{SIGNAL}Extension modules: numpy (total: 1)\n");
        assert_eq!(all(&text), [of("SIGSEGV", 0, true)]);
        let logged: String = text.lines().map(|line| format!("till_1  | {line}\n")).collect();
        assert_eq!(all(&logged), [of("SIGSEGV", 0, true)]);
        for talk in [
            SIGNAL.to_owned(),
            format!("{SIGNAL}It names Extension modules: numpy\n"),
            format!("I get {SIGNAL}Extension modules: numpy (total: 1)\n"),
        ] {
            assert!(read_bytes(talk.as_bytes()).is_empty(), "{talk}");
        }
    }

    #[test]
    fn where_nobody_knows_it_is_said() {
        let log = "till: 3 orders\n".repeat(7);
        let both = [of("SIGSEGV", 0, true), (None, 2, true)];
        assert_eq!(all(&format!("{SIGNAL}{log}{HEALTHY}")), both);
        // Threads that somebody asked for are not those of whoever failed.
        let text = format!("{SIGNAL}{log}Timeout (0:00:05)!\n{HEALTHY}");
        assert_eq!(all(&text), [of("SIGSEGV", 0, true), (None, 2, false)]);
        let text = format!("{HEALTHY}{SIGNAL}{log}{HEALTHY}");
        assert_eq!(all(&text), [(None, 2, false), of("SIGSEGV", 0, true), (None, 2, true)]);
        assert_eq!(all(&format!("{HEALTHY}{SIGNAL}{log}")), [(None, 2, false), of("SIGSEGV", 0, true)]);
        // One that failed otherwise has its own threads.
        let text = format!("{SIGNAL}{log}Fatal Python error: Aborted\n\n{HEALTHY}");
        assert_eq!(all(&text), [of("SIGSEGV", 0, true), of("SIGABRT", 2, false)]);
    }

    #[test]
    fn the_title_of_a_report_is_no_process() {
        let text = format!("{SIGNAL}{}{SIGNAL}{HEALTHY}", "It happens once a day.\n".repeat(7));
        assert_eq!(all(&text), [of("SIGSEGV", 2, false)]);
    }
}
