//! The traceback of an exception that nobody caught: what a Python process writes last.
//!
//! ```text
//! Traceback (most recent call last):
//!   File "/srv/app.py", line 256, in <module>
//!     main()
//!     ~~~~^^                                                          carets since 3.11
//!   File "/srv/app.py", line 110, in resolve
//!     return resolve(name + ".parent", depth + 1)
//!   [Previous line repeated 994 more times]
//! RecursionError: maximum recursion depth exceeded
//! ```
//!
//! Logs are full of tracebacks of exceptions that somebody caught and logged: a traceback says that a process died
//! only where nothing follows it but what a shell or a service manager writes when a program has ended, where it goes
//! back to what the interpreter ran ([`is_uncaught`]), and where no log record that tells of an error stands above
//! it. Of a chain (`During handling of the above exception, …`) the last one is what the process died of. A thread
//! whose function raises (`Exception in thread …`) does not end its process, and Ctrl-C is no failure.
//!
//! Source: CPython 3.6-3.14 Lib/traceback.py, Python/pythonrun.c, Lib/threading.py (`excepthook`), Lib/runpy.py,
//! Lib/multiprocessing/process.py (`_bootstrap`), Lib/logging/__init__.py (`Formatter.format`).

use super::group;
use crate::formats::python;
use crate::formats::text::{Body, Dumps, Section, Site};
use crate::model::{
    Failure, FailureKind, FormatId, GapKind, Snapshot, StackEnd, Thread, ThreadId, ThreadIx, lossy,
};

/// The line that begins one.
pub(super) const HEADER: &str = "Traceback (most recent call last):";

/// How far from the end of a text the last traceback may begin, bytes.
const LONGEST: usize = 256 << 10;

/// Lines that follow the end of a process.
static AFTERWORDS: &[&str] = &[
    "exited with code",
    "exit status",
    "exit code",
    "Main process exited",
    "Failed with result",
    "Consumed ",
    "Command exited",
    "make: ***",
    "command terminated",
    "npm ERR!",
];

/// The line that ends a block of Markdown.
const FENCE: &str = "```";

/// Whether a line is one of these.
pub(super) fn is_afterword(line: &str) -> bool {
    AFTERWORDS.iter().any(|words| line.contains(words))
}

/// How many such lines are looked at.
const MOST_AFTERWORDS: usize = 6;

/// The traceback at this site, if it is the last of its text, and of an exception that nobody caught.
pub(super) fn that_ends_the_text(site: &Site<'_>) -> Option<Traceback> {
    let before = site.before()?;
    if site.rest().len() > LONGEST {
        return None;
    }
    // What stands before the header stands before each line, but for what a terminal shows of the key that ended it.
    let before = without_keys(before);
    let prefix = before.strip_suffix(group::MARK.as_bytes()).unwrap_or(before);
    let lines = site.following(usize::MAX).map(|line| {
        let text = line.get(prefix.len().min(line.len())..).unwrap_or_default();
        lossy(text).into_owned()
    });
    let read = match prefix.len() == before.len() {
        true => Traceback::read(lines, Vec::new())?,
        false => group::read(lines)?,
    };
    (read.is_last && is_uncaught(&read, &line_above(site, prefix.len()))).then_some(read)
}

/// What a terminal shows of Ctrl-C: `^CTraceback (most recent call last):`.
const KEYS: &[u8] = b"^C";

fn without_keys(mut before: &[u8]) -> &[u8] {
    while let Some(rest) = before.strip_suffix(KEYS) {
        before = rest;
    }
    before
}

/// The line above a traceback; of a chain, above its first one.
fn line_above(site: &Site<'_>, prefix: usize) -> String {
    let mut at = site.at;
    let mut end = begin_of_line(site.text, at);
    for _ in 0..LONGEST_CHAIN {
        let above = lines_above(site.text, end, prefix + LONGEST_LINK);
        let is_link = LINKS.iter().any(|link| above.contains(link));
        let window = site.text.get(at.saturating_sub(LONGEST)..at).unwrap_or_default();
        let Some(first) = memchr::memmem::rfind(window, HEADER.as_bytes()).filter(|_| is_link) else { break };
        at = at - window.len() + first;
        end = begin_of_line(site.text, at);
    }
    lines_above(site.text, end, LONGEST_RECORD).lines().last().unwrap_or_default().to_owned()
}

/// Where the line begins in which this place is.
fn begin_of_line(text: &[u8], at: usize) -> usize {
    text.get(..at).and_then(|before| memchr::memrchr(b'\n', before)).map_or(0, |n| n + 1)
}

/// The last bytes above a line, without the empty lines.
fn lines_above(text: &[u8], end: usize, most: usize) -> String {
    let text = text.get(end.saturating_sub(most)..end).unwrap_or_default();
    lossy(text).trim_end().to_owned()
}

/// What parts the tracebacks of a chain (Lib/traceback.py `_cause_message`, `_context_message`).
pub(super) static LINKS: &[&str] = &[
    "During handling of the above exception, another exception occurred:",
    "The above exception was the direct cause of the following exception:",
];

/// How many bytes the words between two tracebacks have at most, and a log record above one.
const LONGEST_LINK: usize = 96;
const LONGEST_RECORD: usize = 4096;
/// How many tracebacks of a chain are gone back.
const LONGEST_CHAIN: usize = 64;

/// What an interpreter runs: a program, `-m`, `-c`. Whoever catches an exception and logs it stands below: the traceback
/// goes back to the function that caught it.
static ROOTS: &[&str] = &["<module>", "_run_module_as_main", "_run_code"];

/// What a process of `multiprocessing` runs, below the line `Process Process-3:`.
const CHILD_ROOT: &str = "_bootstrap";

/// Whether nobody caught an exception: `Exception in thread Thread-3 (worker):`, `Exception ignored in: <…>` and what a
/// log record tells of somebody did.
fn is_uncaught(read: &Traceback, above: &str) -> bool {
    let root = read.body.frames.last().and_then(|f| f.frame.function.as_deref()).unwrap_or_default();
    let is_child = || root == CHILD_ROOT && above.contains("Process ") && above.ends_with(':');
    let is_of_thread = above.contains("Exception in thread ") || above.contains("Exception ignored in");
    (ROOTS.contains(&root) || is_child()) && !is_of_thread && !is_record_of_error(above)
}

/// Levels of records that have an exception with them (Lib/logging/__init__.py `Logger.exception`, `exc_info`).
static LEVELS: &[&str] = &["ERROR", "CRITICAL", "FATAL", "WARNING", "WARN"];

/// `[2026-03-01 10:00:00,328: ERROR/MainProcess] Task handler raised error`, `level=error msg="…"`, `[error    ] …`.
fn is_record_of_error(line: &str) -> bool {
    let mut before = "";
    line.split_inclusive(|c: char| !c.is_alphanumeric()).any(|piece| {
        let word = piece.trim_end_matches(|c: char| !c.is_alphanumeric());
        let is_field = before.ends_with(['[', '=', '"']);
        before = piece;
        LEVELS.iter().any(|level| word == *level || is_field && word.eq_ignore_ascii_case(level))
    })
}

/// A traceback, as far as it was read.
pub(super) struct Traceback {
    body: Body,
    exception: String,
    is_last: bool,
    is_cut: bool,
}

impl Traceback {
    /// Reads the lines after the header. `parts`: the exceptions of a group.
    pub fn read(lines: impl Iterator<Item = String>, parts: Vec<String>) -> Option<Self> {
        let mut oldest_first = Vec::new();
        let mut repeated = 0u32;
        let mut lines = lines.peekable();
        while let Some(line) = lines.next_if(|l| l.starts_with(' ') || l.is_empty()) {
            let text = line.trim_start();
            let place = line.strip_prefix("  ").and_then(python::place);
            if let Some(place) = place {
                let function = place.rest.strip_prefix(", in ").unwrap_or_default();
                oldest_first.push(python::frame(function, place.file, place.line));
            } else if let Some(count) = text.strip_prefix("[Previous line repeated ") {
                repeated += count.split(' ').next().and_then(|n| n.parse().ok()).unwrap_or(1);
            }
        }
        if oldest_first.is_empty() {
            return None;
        }
        let exception = lines.next().unwrap_or_default();
        let is_cut = exception.is_empty();
        let mut after = 0;
        let mut is_last = is_cut || is_exception(&exception);
        for line in lines {
            if line.trim().is_empty() {
                continue;
            }
            // What stands below the block is about it.
            if line.trim_start().starts_with(FENCE) {
                break;
            }
            let is_afterword = is_afterword(&line);
            // A message may have several lines; a log's line has a time or begins a new thing.
            after += 1;
            if !is_afterword || after > MOST_AFTERWORDS {
                is_last = false;
                break;
            }
        }
        oldest_first.reverse();
        let frames = oldest_first.into_iter().map(Into::into).collect();
        let end = if repeated > 0 { StackEnd::DepthLimit } else { StackEnd::Complete };
        let body = Body { frames, end, left_out: repeated, ..Body::default() };
        let words: Vec<&str> =
            std::iter::once(exception.trim()).chain(parts.iter().map(String::as_str)).collect();
        Some(Self { body, exception: words.join("; "), is_last, is_cut })
    }
}

/// `RecursionError: maximum recursion depth exceeded`, `KeyboardInterrupt`, `app.errors.Broken: …`.
pub(super) fn is_exception(line: &str) -> bool {
    let name = line.split(':').next().unwrap_or(line).trim_end();
    !name.is_empty()
        && !name.ends_with('.')
        && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '.' | '<' | '>'))
}

/// The traceback that ends the text, if it ends with one.
pub(super) fn read(section: &Section<'_>, format: FormatId) -> Vec<Snapshot> {
    let text: &[u8] = &section.text;
    let from = text.len().saturating_sub(LONGEST);
    let tail = text.get(from..).unwrap_or_default();
    // The last ones may be parts of a group.
    let mut sites =
        memchr::memmem::rfind_iter(tail, HEADER.as_bytes()).map(|at| Site { text, at: from + at });
    let is_own = |site: &Site<'_>| {
        site.before()
            .map(without_keys)
            .is_some_and(|before| before.is_empty() || before == group::MARK.as_bytes())
    };
    let Some(site) = sites.find(is_own) else { return Vec::new() };
    let Some(read) = that_ends_the_text(&site) else { return Vec::new() };
    let offset = section.offset(site.at);
    let mut dumps = Dumps::new(section, format);
    let building = dumps.begin(offset);
    building.push(Thread::new(ThreadId::Number(0)), &read.body, &[], offset);
    // Of the other threads nothing is printed.
    building.snapshot.is_complete = false;
    if read.is_cut {
        building.snapshot.gaps.add(GapKind::Truncated, "the traceback breaks off", Some(offset));
    }
    let is_wish = ["KeyboardInterrupt", "SystemExit"].iter().any(|name| read.exception.starts_with(name));
    if !read.exception.is_empty() && !is_wish {
        building.snapshot.process.failure = Some(Failure {
            kind: FailureKind::UncaughtException,
            message: read.exception.into(),
            thread: Some(ThreadIx(0)),
        });
    }
    dumps.snapshots()
}

#[cfg(test)]
mod tests {
    use crate::formats::testing::{functions, read_bytes, read_one};
    use crate::model::ThreadIx;

    /// A terminal shows the keys that somebody pressed.
    #[test]
    fn the_key_that_ended_it_stands_before_it() {
        let text = "Traceback (most recent call last):\n  File \"/srv/till.py\", line 9, in <module>\n    \
                    drawer.join()\n  File \"/srv/drawer.py\", line 11, in join\n    wait()\nKeyboardInterrupt\n";
        for keys in ["", "^C", "^C^C"] {
            let snapshot = read_one(&format!("till 7 opened\n{keys}{text}"));
            assert_eq!(functions(&snapshot, ThreadIx(0)), ["join", "<module>"], "{keys}");
            assert!(snapshot.process.failure.is_none(), "Ctrl-C is no failure");
        }
        assert!(read_bytes(format!("the till says: {text}").as_bytes()).is_empty());
    }
}
