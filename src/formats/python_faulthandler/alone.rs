//! A fatal error of the interpreter with no thread below it: whoever asked for something without the interpreter lock
//! has no stack of Python, and then no thread is printed.
//!
//! ```text
//! Fatal Python error: PyThreadState_Get: the function must be called with the GIL held, but the GIL is released
//! Python runtime state: initialized
//! ```
//!
//! ```text
//! Fatal Python error: Segmentation fault
//!
//! Extension modules: numpy (total: 1)
//! ```
//!
//! The two lines together are no talk of an error: the second one is written by nobody else. An error by itself is one
//! only where Python's threads stand in the same text.
//!
//! Source: CPython 3.8-3.14 Python/pylifecycle.c (`fatal_error`, `fatal_error_dump_runtime`), Modules/faulthandler.c
//! (`faulthandler_fatal_error`).

use std::borrow::Cow;

use super::below::{self, Below, LINES_OF_AN_EXCEPTION};
use super::failure::{self, End};
use super::traceback;
use crate::formats::text::{Building, Dumps, Section, Site, is_limited};
use crate::model::{FormatId, Snapshot, lossy};

/// What the second line begins with.
pub(super) const STATE: &str = "Python runtime state: ";

/// What it says; of what ends in a sign, the begin.
static STATES: &[&str] = &[
    "finalizing (tstate=",
    "initialized",
    "core initialized",
    "preinitialized",
    "preinitializing",
    "unknown",
];

/// What is said of such a text.
const NO_THREAD: &str = "Python printed no thread: the one that failed ran none of its code";

/// The same where the error has no second line: a signal, a Python before 3.8.
const NONE_BELOW: &str = "Python printed no thread below the error: which one failed is not known";

/// What is said of an error where others stand between it and the next threads.
const NOT_KNOWN: &str = "no thread stands right below the error: whether those further below are of the same process is not known";

/// What is said of those threads.
pub(super) const PERHAPS_FAILED: &str =
    "a fatal error stands further above, and whether it is that of these threads is not known";

/// An error without threads.
pub(super) struct Alone {
    /// Where in the decoded input its line begins.
    pub line: u64,
    /// Where it begins itself.
    offset: u64,
    end: End,
    /// Where in the text of the section it begins.
    at: usize,
    /// What is said of it.
    message: &'static str,
    /// Nothing says that the next threads are not its own.
    pub is_doubtful: bool,
}

/// Where the first line begins, if the second one stands below it and no thread does.
pub(super) fn confirm(site: &Site<'_>) -> Option<usize> {
    end(site).map(|(start, _)| start)
}

/// The same, and what the first line says.
fn end(site: &Site<'_>) -> Option<(usize, End)> {
    let before = site.before()?;
    let mut lines = site.following_text(LINES_OF_AN_EXCEPTION);
    let next = lines.next()?;
    let at = match next.find(STATE) {
        Some(at) => {
            let has_threads = below::read(lines, 2, at) == Below::Threads;
            (is_state(next.get(at + STATE.len()..)?) && !has_threads).then_some(at)?
        }
        None => {
            // Behind an empty line, before which a log may have its words.
            let behind = lines.next()?;
            let at = below::BEHIND.iter().find_map(|part| behind.find(part))?;
            (next.len() <= at).then_some(at)?
        }
    };
    // A log has the like before both lines, a test runner what it wrote so far before the first one.
    let is_logged = at > 0 && !before.is_empty() || site.string_start().is_some();
    let (start, line) = match is_logged {
        true => (site.at, Cow::Borrowed(site.line())),
        false => (site.at - before.len(), Cow::Owned([before, site.line()].concat())),
    };
    Some((start, failure::read(&lossy(&line)).filter(|_| is_logged || at == 0)?))
}

/// An error whose second line is missing, or that never had one, and what stands below it.
fn without_state(site: &Site<'_>) -> Option<(usize, End, Below)> {
    let before = site.before()?;
    let end = failure::read(&lossy(&[before, site.line()].concat())).filter(|end| *end != End::Nothing)?;
    let has_state = || site.following_text(1).next().is_some_and(|line| line.starts_with(STATE));
    let below = below::read(site.following_text(LINES_OF_AN_EXCEPTION), 1, 0);
    (below != Below::Threads && !has_state()).then(|| (site.at - before.len(), end, below))
}

fn is_state(text: &str) -> bool {
    let text = text.trim_end();
    STATES.iter().any(|known| if known.ends_with('=') { text.starts_with(known) } else { text == *known })
}

/// All such errors of a text that begin so, in its order.
pub(super) fn all(section: &Section<'_>, begin: &str) -> Vec<Alone> {
    if !section.has(begin) {
        return Vec::new();
    }
    let text: &[u8] = &section.text;
    let sites = memchr::memmem::find_iter(text, begin.as_bytes()).map(|at| Site { text, at });
    sites.filter_map(|site| error_at(&site, section)).collect()
}

fn error_at(site: &Site<'_>, section: &Section<'_>) -> Option<Alone> {
    let line = section.offset(site.at - site.before()?.len());
    let has_state = || site.following_text(1).next().is_some_and(|line| line.contains(STATE));
    let ((start, end), message, is_doubtful) = match end(site) {
        Some(known) => (known, if has_state() { NO_THREAD } else { NONE_BELOW }, false),
        None => {
            let (start, end, below) = without_state(site)?;
            ((start, end), NONE_BELOW, below == Below::Unknown)
        }
    };
    Some(Alone { line, offset: section.offset(start), end, at: site.at, message, is_doubtful })
}

/// A dump of each of these errors, of which nothing says whether the threads below are their own.
pub(super) fn tell_doubtful(errors: &mut Vec<(u64, End)>, has_threads_below: bool, dumps: &mut Dumps) {
    for (offset, end) in errors.drain(..) {
        let building = dumps.begin(offset);
        let message = if has_threads_below { NOT_KNOWN } else { NONE_BELOW };
        tell(offset, end, message, building);
        dumps.end();
    }
}

/// Says all that is known of an error, in a dump without threads.
fn tell(offset: u64, end: End, message: &str, building: &mut Building) {
    is_limited(&mut building.snapshot, message, Some(offset));
    // Nothing else says that there is a dump at all.
    if let End::Signal(name) = &end {
        building.snapshot.process.failure = Some(failure::of_signal(name));
    }
    super::tell(end, building);
}

/// Whether the text ends with the traceback of the exception that was set, alone or in a chain.
fn is_told(text: &[u8], at: usize) -> bool {
    let site = Site { text, at };
    let mut below = site.following(2).skip_while(|line| line.starts_with(STATE.as_bytes()));
    let is_traceback = below.next().is_some_and(|line| line.starts_with(traceback::HEADER.as_bytes()));
    let count = |what: &str| memchr::memmem::find_iter(site.rest(), what.as_bytes()).count();
    let links = || traceback::LINKS.iter().map(|link| count(link)).sum::<usize>();
    is_traceback && count(traceback::HEADER) == 1 + links()
}

/// A dump of each that is not doubtful. `has_traceback`: that which ends the text was read.
pub(super) fn read(
    mut alone: Vec<Alone>,
    has_traceback: bool,
    section: &Section<'_>,
    format: FormatId,
) -> Vec<Snapshot> {
    alone.pop_if(|last| has_traceback && is_told(&section.text, last.at));
    let mut dumps = Dumps::new(section, format);
    for error in alone.into_iter().filter(|error| !error.is_doubtful) {
        let building = dumps.begin(error.offset);
        tell(error.offset, error.end, error.message, building);
    }
    dumps.snapshots()
}

#[cfg(test)]
mod tests {
    use crate::formats::testing::{functions, read, read_bytes, read_one};
    use crate::model::{FailureKind, GapKind, ThreadIx};

    const ERROR: &str = "Fatal Python error: PyThreadState_Get: the GIL is released\n";
    const STATE: &str = "Python runtime state: initialized\n";

    #[test]
    fn an_error_with_no_thread_ends_the_process_all_the_same() {
        for text in [
            format!("{ERROR}{STATE}"),
            format!("till 7 opened\n{ERROR}{STATE}\n[1]    344 abort      python till.py\n"),
            format!("```\n{ERROR}{}\n```\n", STATE.replace("initialized", "unknown")),
            format!("{ERROR}{STATE}").lines().map(|line| format!("till_1  | {line}\n")).collect(),
            format!("collecting ... {ERROR}{STATE}"),
        ] {
            let snapshot = read_one(&text);
            let failure = snapshot.process.failure.as_ref().unwrap();
            let message = "PyThreadState_Get: the GIL is released";
            assert_eq!((failure.kind, &*failure.message), (FailureKind::FatalError, message), "{text}");
            assert_eq!(failure.thread, None);
            assert!(snapshot.gaps.has(GapKind::Limit) && !snapshot.is_complete);
            assert!(snapshot.threads.is_empty(), "none is made up");
        }
    }

    #[test]
    fn where_threads_follow_they_are_the_dump() {
        let thread = "Current thread 0x01 (most recent call first):\n  File \"a.py\", line 3 in work\n";
        let snapshot = read_one(&format!("{ERROR}{STATE}\n{thread}"));
        assert_eq!(functions(&snapshot, ThreadIx(0)), ["work"]);
        assert_eq!(snapshot.process.failure.unwrap().thread, Some(ThreadIx(0)));
        assert!(snapshot.gaps.is_empty());
    }

    const HEALTHY: &str = "Thread 0x02 (most recent call first):\n  File \"a.py\", line 3 in work\n\n\
                           Current thread 0x01 (most recent call first):\n  File \"a.py\", line 9 in <module>\n";

    /// Why each of them ended, and how many threads it has.
    fn ends(text: &str) -> Vec<(Option<String>, usize)> {
        let all = read(text);
        all.iter()
            .map(|s| (s.process.failure.as_ref().map(|f| f.message.to_string()), s.threads.len()))
            .collect()
    }

    #[test]
    fn whoever_prints_its_threads_later_did_not_fail() {
        let failed = |what: &str| (Some(format!("{what}: the GIL is released")), 0);
        let first = failed("PyThreadState_Get");
        let log = "till: starts again\n".repeat(7);
        assert_eq!(ends(&format!("{ERROR}{STATE}\n{log}{HEALTHY}")), [first.clone(), (None, 2)]);
        // What else an error ends with says that no thread is to come.
        for behind in [
            "Extension modules: numpy (total: 1)\n",
            "Current thread's C stack trace (most recent call first):\n  Binary file \"/opt/python\"\n",
        ] {
            let text = format!("{ERROR}{STATE}\n{behind}{HEALTHY}");
            assert_eq!(ends(&text), [first.clone(), (None, 2)], "{text}");
        }
        // Between two dumps, and several.
        let other = ERROR.replace("PyThreadState_Get", "PyEval_SaveThread");
        let text = format!("{HEALTHY}{ERROR}{STATE}\n{log}{other}{STATE}\n{log}{HEALTHY}");
        let second = failed("PyEval_SaveThread");
        assert_eq!(ends(&text), [(None, 2), first.clone(), second.clone(), (None, 2)]);
        let logged: String = text.lines().map(|line| format!("till_1  | {line}\n")).collect();
        assert_eq!(ends(&logged), ends(&text));
        assert_eq!(ends(&format!("{ERROR}{STATE}\n{log}{other}{STATE}")), [first.clone(), second]);
        // One of them has threads.
        let text = format!("{ERROR}{STATE}\n{log}{other}{STATE}\n{HEALTHY}");
        assert_eq!(ends(&text), [first, (Some("PyEval_SaveThread: the GIL is released".into()), 2)]);
    }

    /// An exception that has no traceback yet stands between the error and its threads.
    #[test]
    fn an_exception_stands_above_the_threads() {
        let current = "\nCurrent thread 0x01 (most recent call first):\n  <no Python frame>\n";
        for exception in [
            "ModuleNotFoundError: No module named 'encodings'\n",
            "  File \"/srv/till/site.py\", line 3\n    pay till\n        ^\nSyntaxError: invalid syntax\n",
        ] {
            let text = format!("{ERROR}{STATE}{exception}{current}Timeout (0:00:05)!\n{HEALTHY}");
            let message = Some("PyThreadState_Get: the GIL is released".to_owned());
            assert_eq!(ends(&text), [(message, 1), (None, 2)], "{text}");
        }
    }

    /// With a traceback no thread is printed: it is the stack of the error.
    #[test]
    fn the_traceback_of_the_error_is_no_other_process() {
        let traceback = "Traceback (most recent call last):\n  File \"/srv/till/io.py\", line 52, in <module>\n    \
                         import abc\nImportError: no abc\n";
        let during = "\nDuring handling of the above exception, another exception occurred:\n\n";
        let own = |text: &str| ends(text).into_iter().map(|(end, _)| end.unwrap()).collect::<Vec<_>>();
        let import = "ImportError: no abc";
        assert_eq!(own(&format!("{ERROR}{STATE}{traceback}")), [import]);
        assert_eq!(own(&format!("{ERROR}{STATE}{traceback}{during}{traceback}")), [import]);
        // That of another process.
        let text = format!("{ERROR}{STATE}\ntill: starts again\n{traceback}");
        assert_eq!(own(&text), ["PyThreadState_Get: the GIL is released", import]);
    }

    #[test]
    fn talk_of_such_an_error_is_none() {
        for text in [
            ERROR.to_owned(),
            STATE.to_owned(),
            format!("I get {ERROR}{STATE}"),
            format!("{ERROR}till: ready\n{STATE}"),
            format!("{ERROR}It says Python runtime state: initialized\n"),
            format!("{ERROR}Python runtime state: initialized is what it says\n"),
            format!("{ERROR}Python runtime state: calm\n"),
        ] {
            assert!(read_bytes(text.as_bytes()).is_empty(), "{text}");
        }
    }
}
