//! Processes of which a text shows the stack of the runtime and no goroutine, among others of which it shows some.
//!
//! ```text
//! fatal error: runtime: cannot allocate heap metadata          before there was a goroutine
//!
//! runtime stack:
//! runtime.throw({0x4a1c60, 0x2a})
//!     /usr/local/go/src/runtime/panic.go:1023 +0x5c
//! runtime.schedinit()
//!     /usr/local/go/src/runtime/proc.go:785 +0x99
//! till 7 opened                                                the next process
//! panic: no drawer
//!
//! goroutine 7 [running]:
//! ```
//!
//! Below its own stack the runtime prints all goroutines, and no other thread of the process prints a panic or a signal
//! before that: each waits for its turn (`paniclk`). It says `fatal error: …` before it waits, and the rest when its turn
//! has come: such a line is that of another thread only where the stack goes on below it, where it lacks the signal that
//! it needs, or where one more stack stands behind the goroutines. What fails while a stack is printed says `panic during
//! panic`.
//!
//! Source: Go 1.5-1.25 src/runtime/panic.go (`throw`, `startpanic_m`, `dopanic_m`, `gopanic`, `printpanics`), proc.go
//! (`checkdead`, `schedinit`), signal_unix.go (`sighandler`, `sigpanic`), traceback.go (`tracebackothers`).

use std::ops::Range;

use rustc_hash::FxHashSet;

use super::{ANCHOR, CGO, OVER, QUOTES, TURN, cut, frame, header, signals};
use crate::formats::text::{Section, Site, first_line};
use crate::model::lossy;

/// What a line begins like with which the runtime says why a process ends.
static STARTS: &[(&str, Start)] = &[
    ("panic: ", Start::Own),
    // It is not looked for while a thread fails.
    ("fatal error: all goroutines are asleep", Start::Own),
    ("fatal error: ", Start::Any),
    (CGO, Start::Cgo),
];

/// Whose such a line below the stack of a runtime may be.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Start {
    /// That of another process.
    Own,
    /// The same, unless the runtime failed while it printed the stack.
    Signal,
    /// Perhaps that of another thread of the same process.
    Any,
    /// The same; a signal follows.
    Cgo,
}

/// Fatal errors below which the signal stands, as soon as it is the thread's turn.
static OF_SIGNALS: &[&str] =
    &["fatal error: unexpected signal during runtime execution", "fatal error: fault"];

/// What stands below the header of a goroutine that runs on another thread; where that fails as well, it comes again.
const ELSEWHERE: &str = "goroutine running on other thread";

/// What is said where something fails while a stack is printed.
const DURING: &str = "panic during panic";

/// The same, where that fails in turn, and before other threads are made to print theirs.
static NESTED: &[&str] = &[DURING, "stack trace unavailable", TURN];

/// What runs before there is a goroutine, or a second thread.
const BEFORE_GOROUTINES: &str = "runtime.schedinit(";

/// Where the lines begin that say what failed while a stack was printed: they are no end of a process.
///
/// ```text
/// fatal error: unknown caller pc          panic during panic
/// panic during panic                      SIGSEGV: segmentation violation
/// ```
pub(super) fn nested(section: &Section<'_>) -> Vec<u64> {
    if !section.has(DURING) {
        return Vec::new();
    }
    let text: &[u8] = &section.text;
    let mut lines = Vec::new();
    for at in memchr::memmem::find_iter(text, DURING.as_bytes()) {
        let site = Site { text, at };
        if site.before() != Some(b"") || site.line() != DURING.as_bytes() {
            continue;
        }
        let above = text.get(..at.saturating_sub(1)).unwrap_or_default();
        let above = memchr::memrchr(b'\n', above).map_or(0, |n| n + 1);
        let below = at + first_line(site.rest()).len() + 1;
        let is_start =
            |at: &usize| start(first_line(text.get(*at..).unwrap_or_default()).trim_ascii_end()).is_some();
        lines.extend([above, below].into_iter().filter(is_start).map(|at| section.offset(at)));
    }
    lines
}

/// The parts of a text, if it is to be read in parts: those of such processes, and what stands between.
pub(super) fn parts<'a>(section: &Section<'a>) -> Vec<Section<'a>> {
    let text: &[u8] = &section.text;
    if !section.has(cut::RUNTIME) || !cut::has_goroutine(text) {
        return Vec::new();
    }
    let alone = alone(text);
    if alone.is_empty() {
        return Vec::new();
    }
    let mut ends: Vec<usize> = alone.iter().flat_map(|range| [range.start, range.end]).collect();
    ends.push(text.len());
    ends.dedup();
    let mut from = 0;
    let ranges = ends.into_iter().map(|end| std::mem::replace(&mut from, end)..end);
    ranges.filter(|range| !range.is_empty()).map(|range| part(section, range)).collect()
}

fn part<'a>(section: &Section<'a>, range: Range<usize>) -> Section<'a> {
    let text = section.text.get(range.clone()).unwrap_or_default();
    let behind = memchr::memchr_iter(b'\n', text).map(|at| at + 1);
    let lines = std::iter::once(0).chain(behind).filter(|at| *at < text.len());
    let places = lines.map(|at| (at, range.start + at)).collect();
    section.rewritten(text.to_vec(), places)
}

/// Where such processes begin and end, in the order of the text. What stands between the goroutines of others is passed
/// over: there may be millions of lines.
fn alone(text: &[u8]) -> Vec<Range<usize>> {
    let mut reader = Reader::default();
    let mut at = 0;
    while let Some(stack) = next_stack(text, at) {
        at = cut::last_goroutine(text, at..stack).unwrap_or(at);
        while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
            if at > stack && reader.stack.is_none() {
                break;
            }
            let line = first_line(rest);
            reader.line(&Site { text, at }, line.trim_ascii_end());
            at += line.len() + 1;
        }
    }
    if reader.stack.is_some() {
        reader.keep(text.len());
    }
    reader.alone
}

/// The next line above a stack of the runtime.
fn next_stack(text: &[u8], from: usize) -> Option<usize> {
    let mut found = memchr::memmem::find_iter(text.get(from..)?, cut::RUNTIME.as_bytes());
    found.find_map(|n| Some(from + n).filter(|&at| is_stack(&Site { text, at })))
}

fn is_stack(site: &Site<'_>) -> bool {
    site.before().is_some_and(<[u8]>::is_empty) && cut::is_runtime_stack(site)
}

#[derive(Default)]
struct Reader {
    alone: Vec<Range<usize>>,
    /// Where the first line stands that says why a process ended of which no goroutine was shown yet.
    begin: Option<usize>,
    /// Its stack of the runtime was shown.
    stack: Option<Stack>,
}

/// What is known below a stack of the runtime.
#[derive(Default)]
struct Stack {
    /// Where the next process may begin.
    next: Option<(usize, Start)>,
    is_nested: bool,
    /// The process had no goroutine.
    had_none: bool,
    /// The process has ended.
    is_over: bool,
    /// The last line that says why a process ended is one of [`OF_SIGNALS`], and no signal followed.
    lacks_signal: bool,
    /// Below such a line frames follow without a header.
    goes_on: bool,
}

impl Reader {
    fn line(&mut self, site: &Site<'_>, line: &[u8]) {
        if cut::is_goroutine(site) {
            if let Some(end) = self.stack.take().and_then(|stack| stack.end(site)) {
                self.keep(end);
            }
            self.begin = None;
        } else if line == cut::RUNTIME.as_bytes() && is_stack(site) {
            self.runtime_stack();
        } else if let Some(start) = start(line) {
            self.begin.get_or_insert(site.at);
            if let Some(stack) = &mut self.stack {
                stack.start(site.at, start);
                stack.lacks_signal = OF_SIGNALS.iter().any(|known| line == known.as_bytes());
            }
        } else if let Some(stack) = &mut self.stack {
            stack.line(line);
        }
    }

    /// A stack of the runtime. A second one without a goroutine before it is that of another process: another thread
    /// of the same one would have waited until all goroutines were printed.
    fn runtime_stack(&mut self) {
        let Some(stack) = &self.stack else {
            self.stack = self.begin.map(|_| Stack::default());
            return;
        };
        if let Some((next, _)) = stack.next.filter(|_| !stack.is_nested) {
            self.keep(next);
            self.stack = Some(Stack::default());
        }
    }

    /// Keeps the process whose stack was shown, which ends here.
    fn keep(&mut self, end: usize) {
        if let Some(begin) = self.begin.replace(end) {
            self.alone.push(begin..end);
        }
    }
}

impl Stack {
    fn start(&mut self, at: usize, start: Start) {
        // `panic: …` and `fatal error: panic holding locks` are one failure.
        let (first, before) = self.next.unwrap_or((at, start));
        let is_another = before == Start::Any && !matches!(start, Start::Any | Start::Cgo);
        self.next = Some((if is_another { at } else { first }, start));
    }

    fn line(&mut self, line: &[u8]) {
        self.is_nested |= NESTED.iter().any(|words| line == words.as_bytes());
        self.is_over |= line.starts_with(OVER.as_bytes());
        self.had_none |= line.starts_with(BEFORE_GOROUTINES.as_bytes());
        self.lacks_signal &= !line.starts_with(signals::BRACKET.as_bytes());
        self.goes_on |= self.next.is_some() && frame::is_place(lossy(line).trim_start());
    }

    /// Where the process ended, if the goroutine at this site is another one's.
    fn end(&self, goroutine: &Site<'_>) -> Option<usize> {
        let is_another = match self.next.map(|(_, start)| start) {
            _ if self.is_over || self.had_none && !self.is_nested => true,
            Some(Start::Own) => true,
            Some(Start::Signal) => !self.is_nested,
            Some(Start::Any | Start::Cgo) => {
                !self.is_nested && !self.goes_on && !self.lacks_signal && !has_stack_behind(goroutine)
            }
            None => false,
        };
        is_another.then(|| self.next.map_or(goroutine.at, |(at, _)| at))
    }
}

/// Whether a stack of another thread of the process stands behind its goroutines, which begin here: that of the runtime,
/// or that of a goroutine which ran elsewhere.
fn has_stack_behind(goroutine: &Site<'_>) -> bool {
    let text = goroutine.text;
    let mut elsewhere = FxHashSet::default();
    let mut last = None;
    let mut at = goroutine.at;
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        let line = first_line(rest);
        let site = Site { text, at };
        at += line.len() + 1;
        let line = line.trim_ascii_end();
        if line.starts_with(ANCHOR.as_bytes()) {
            last = header::parts(&lossy(line)).map(|(id, _)| id);
            if last.is_some_and(|id| elsewhere.contains(&id)) {
                return true;
            }
        } else if line.trim_ascii_start().starts_with(ELSEWHERE.as_bytes()) {
            elsewhere.extend(last.take());
        } else if line == cut::RUNTIME.as_bytes() && is_stack(&site) {
            return true;
        } else if line.starts_with(OVER.as_bytes()) || start(line).is_some() {
            return false;
        }
    }
    false
}

/// Reads a line that says why a process ends.
fn start(line: &[u8]) -> Option<Start> {
    let quotes = line.iter().take_while(|b| QUOTES.contains(&char::from(**b))).count();
    let line = line.get(quotes..).unwrap_or_default();
    let known = STARTS.iter().find(|(start, _)| line.starts_with(start.as_bytes()));
    let signal = || (line.starts_with(b"SIG") && signals::is_signal(&lossy(line))).then_some(Start::Signal);
    known.map(|(_, start)| *start).or_else(signal)
}

#[cfg(test)]
mod tests;
