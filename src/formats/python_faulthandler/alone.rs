//! A fatal error of the interpreter with no thread below it: whoever asked for something without the interpreter lock
//! has no stack of Python, and then no thread is printed.
//!
//! ```text
//! Fatal Python error: PyThreadState_Get: the function must be called with the GIL held, but the GIL is released
//! Python runtime state: initialized
//! ```
//!
//! The two lines together are no talk of an error: the second one is written by nobody else.
//!
//! Source: CPython 3.8-3.14 Python/pylifecycle.c (`fatal_error`, `fatal_error_dump_runtime`).

use std::borrow::Cow;

use super::failure::{self, End, FATAL};
use crate::formats::text::{Dumps, Section, Site, is_limited};
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

/// How many lines below are looked at for a thread.
const LINES_LOOKED_AT: usize = 4;

/// Where the first line begins, if the second one stands below it and no thread does.
pub(super) fn confirm(site: &Site<'_>) -> Option<usize> {
    end(site).map(|(start, _)| start)
}

/// The same, and what the first line says.
fn end(site: &Site<'_>) -> Option<(usize, End)> {
    let before = site.before()?;
    let mut below = site.following_text(LINES_LOOKED_AT);
    let next = below.next()?;
    let at = next.find(STATE)?;
    let is_thread = |line: Cow<'_, str>| HEADERS.iter().any(|part| line.contains(part));
    if !is_state(next.get(at + STATE.len()..)?) || below.any(is_thread) {
        return None;
    }
    // A log has the like before both lines, a test runner what it wrote so far before the first one.
    let is_logged = at > 0 && !before.is_empty() || site.string_start().is_some();
    let (start, line) = match is_logged {
        true => (site.at, Cow::Borrowed(site.line())),
        false => (site.at - before.len(), Cow::Owned([before, site.line()].concat())),
    };
    Some((start, failure::read(&lossy(&line)).filter(|_| is_logged || at == 0)?))
}

/// What headers of threads have in them.
static HEADERS: &[&str] = &[super::FIRST_CALL_FIRST, super::bare::CURRENT];

fn is_state(text: &str) -> bool {
    let text = text.trim_end();
    STATES.iter().any(|known| if known.ends_with('=') { text.starts_with(known) } else { text == *known })
}

/// The dump of a text that has such an error and no thread.
pub(super) fn read(section: &Section<'_>, format: FormatId) -> Vec<Snapshot> {
    let text: &[u8] = &section.text;
    let mut sites = memchr::memmem::find_iter(text, FATAL.as_bytes()).map(|at| Site { text, at });
    let Some((at, end)) = sites.find_map(|site| end(&site)) else { return Vec::new() };
    let offset = section.offset(at);
    let mut dumps = Dumps::new(section, format);
    let building = dumps.begin(offset);
    is_limited(&mut building.snapshot, NO_THREAD, Some(offset));
    super::tell(end, building);
    dumps.snapshots()
}

#[cfg(test)]
mod tests {
    use crate::formats::testing::{functions, read_bytes, read_one};
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
