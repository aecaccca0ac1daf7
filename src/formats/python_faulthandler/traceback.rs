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
//! only where nothing follows it but what a shell or a service manager writes when a program has ended. Of a chain
//! (`During handling of the above exception, …`) the last one is what the process died of. A thread whose function
//! raises (`Exception in thread …`) does not end its process, and Ctrl-C is no failure.
//!
//! Source: CPython 3.6-3.14 Lib/traceback.py, Python/pythonrun.c, Lib/threading.py (`excepthook`).

use crate::formats::python;
use crate::formats::text::{Body, Dumps, Section, Site, first_line};
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

/// How many such lines are looked at.
const MOST_AFTERWORDS: usize = 6;

/// Whether the traceback at this site is the last of its text, and of an exception that nobody caught.
pub(super) fn ends_the_text(site: &Site<'_>) -> bool {
    let Some(before) = site.before() else { return false };
    if site.rest().len() > LONGEST || previous_line(site, before.len()).is_some_and(|l| is_of_thread(&l)) {
        return false;
    }
    // What stands before the header stands before each line.
    let lines = site.following(usize::MAX).map(|line| {
        let text = line.get(before.len().min(line.len())..).unwrap_or_default();
        lossy(text).into_owned()
    });
    let Some(read) = Traceback::read(lines) else { return false };
    read.is_last
}

fn previous_line(site: &Site<'_>, before: usize) -> Option<String> {
    let end = site.at.checked_sub(before + 1)?;
    let text = site.text.get(end.saturating_sub(4096)..end)?;
    let start = memchr::memrchr(b'\n', text).map_or(0, |n| n + 1);
    Some(lossy(text.get(start..)?).into_owned())
}

/// `Exception in thread Thread-3 (worker):`, `Exception ignored in: <…>`: the process goes on.
fn is_of_thread(line: &str) -> bool {
    line.contains("Exception in thread ") || line.contains("Exception ignored in")
}

/// A traceback, as far as it was read.
struct Traceback {
    body: Body,
    exception: String,
    is_last: bool,
    is_cut: bool,
}

impl Traceback {
    /// Reads the lines after the header.
    fn read(lines: impl Iterator<Item = String>) -> Option<Self> {
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
            let is_afterword = AFTERWORDS.iter().any(|words| line.contains(words));
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
        Some(Self { body, exception: exception.trim().to_owned(), is_last, is_cut })
    }
}

/// `RecursionError: maximum recursion depth exceeded`, `KeyboardInterrupt`, `app.errors.Broken: …`.
fn is_exception(line: &str) -> bool {
    let name = line.split(':').next().unwrap_or(line).trim_end();
    !name.is_empty()
        && !name.ends_with('.')
        && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '.' | '<' | '>'))
}

/// The traceback that ends the text, if it ends with one.
pub(super) fn read(section: &Section<'_>, format: FormatId) -> Vec<Snapshot> {
    let text: &[u8] = &section.text;
    let from = text.len().saturating_sub(LONGEST);
    let Some(last) = text.get(from..).and_then(|tail| memchr::memmem::rfind(tail, HEADER.as_bytes())) else {
        return Vec::new();
    };
    let site = Site { text, at: from + last };
    if site.before().is_none_or(|before| !before.is_empty()) || !ends_the_text(&site) {
        return Vec::new();
    }
    let lines = site.following(usize::MAX).map(|line| lossy(line).into_owned());
    let Some(read) = Traceback::read(lines) else { return Vec::new() };
    debug_assert!(!first_line(site.rest()).is_empty());
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
