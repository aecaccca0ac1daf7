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
//! before that: each waits for its turn (`paniclk`). It says `fatal error: …` before it waits, so that this line alone
//! does not say that another process began. What fails while a stack is printed says `panic during panic`.
//!
//! Source: Go 1.5-1.25 src/runtime/panic.go (`throw`, `startpanic_m`, `dopanic_m`, `printpanics`), proc.go (`checkdead`,
//! `schedinit`), signal_unix.go (`sighandler`).

use std::ops::Range;

use super::{CGO, QUOTES, TURN, cut, signals};
use crate::formats::text::{Section, Site, first_line};
use crate::model::lossy;

/// What a line begins like with which the runtime says why a process ends.
static STARTS: &[(&str, Start)] = &[
    ("panic: ", Start::Own),
    // It is not looked for while a thread fails.
    ("fatal error: all goroutines are asleep", Start::Own),
    ("fatal error: ", Start::Any),
    (CGO, Start::Any),
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
}

/// What is said where something fails while a stack is printed, and before other threads are made to print theirs.
static NESTED: &[&str] = &["panic during panic", "stack trace unavailable", TURN];

/// What `go run` and `go test` say when a process has ended.
const OVER: &str = "exit status ";

/// What runs before there is a goroutine, or a second thread.
const BEFORE_GOROUTINES: &str = "runtime.schedinit(";

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
}

impl Reader {
    fn line(&mut self, site: &Site<'_>, line: &[u8]) {
        if cut::is_goroutine(site) {
            if let Some(end) = self.stack.take().and_then(|stack| stack.end(site.at)) {
                self.keep(end);
            }
            self.begin = None;
        } else if line == cut::RUNTIME.as_bytes() && is_stack(site) {
            self.runtime_stack();
        } else if let Some(start) = start(line) {
            self.begin.get_or_insert(site.at);
            if let Some(stack) = &mut self.stack {
                stack.start(site.at, start);
            }
        } else if let Some(stack) = &mut self.stack {
            stack.is_nested |= NESTED.iter().any(|words| line == words.as_bytes());
            stack.is_over |= line.starts_with(OVER.as_bytes());
            stack.had_none |= line.starts_with(BEFORE_GOROUTINES.as_bytes());
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
        let is_another = before == Start::Any && start != Start::Any;
        self.next = Some((if is_another { at } else { first }, start));
    }

    /// Where the process ended, if the goroutine at this place is another one's.
    fn end(&self, goroutine: usize) -> Option<usize> {
        let is_another = match self.next.map(|(_, start)| start) {
            _ if self.is_over || self.had_none && !self.is_nested => true,
            Some(Start::Own) => true,
            Some(Start::Signal) => !self.is_nested,
            Some(Start::Any) | None => false,
        };
        is_another.then(|| self.next.map_or(goroutine, |(at, _)| at))
    }
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
mod tests {
    use crate::formats::testing::{functions, read, survives_logs};
    use crate::model::{FailureKind, GapKind, Snapshot, ThreadIx};

    const AT_START: &str = "fatal error: runtime: cannot allocate heap metadata

runtime stack:
runtime.throw({0x4a1c60, 0x2a})
\t/usr/local/go/src/runtime/panic.go:1023 +0x5c
runtime.mallocinit()
\t/usr/local/go/src/runtime/malloc.go:441 +0x1d2
runtime.schedinit()
\t/usr/local/go/src/runtime/proc.go:785 +0x99
";

    const LATER: &str = "fatal error: unexpected signal during runtime execution
[signal SIGSEGV: segmentation violation code=0x1 addr=0x10 pc=0x46ab01]

runtime stack:
runtime.throw({0x4a1c60, 0x2a})
\t/usr/local/go/src/runtime/panic.go:1023 +0x5c
runtime.sigpanic()
\t/usr/local/go/src/runtime/signal_unix.go:895 +0x285
";

    const GOROUTINE: &str = "
goroutine 7 [running]:
main.pay(...)
\t/src/till/main.go:31
main.main()
\t/src/till/main.go:12 +0x20
";

    /// Why each of them ended, whether a goroutine did it, and how many threads it has.
    fn ends(snapshots: &[Snapshot]) -> Vec<(Option<String>, Option<ThreadIx>, usize)> {
        let end = |s: &Snapshot| {
            let failure = s.process.failure.as_ref();
            (failure.map(|f| f.message.to_string()), failure.and_then(|f| f.thread), s.threads.len())
        };
        snapshots.iter().map(end).collect()
    }

    fn of(message: &str, thread: Option<ThreadIx>) -> (Option<String>, Option<ThreadIx>, usize) {
        (Some(message.to_owned()), thread, 1)
    }

    const METADATA: &str = "runtime: cannot allocate heap metadata";
    const SIGNAL: &str = "unexpected signal during runtime execution";

    #[test]
    fn the_next_process_has_its_own_panic() {
        for (first, message) in [(AT_START, METADATA), (LATER, SIGNAL)] {
            let text = format!("{first}till 7 opened\npanic: no drawer\n{GOROUTINE}exit status 2\n");
            let snapshots = read(&text);
            assert_eq!(ends(&snapshots), [of(message, None), of("no drawer", Some(ThreadIx(0)))]);
            assert_eq!(snapshots[1].process.failure.as_ref().map(|f| f.kind), Some(FailureKind::Panic));
            assert_eq!(functions(&snapshots[1], ThreadIx(0)), ["main.pay", "main.main"]);
            assert!(!snapshots[1].gaps.has(GapKind::Truncated));
            assert_eq!(functions(&snapshots[0], ThreadIx(0))[0], "runtime.throw");
            assert!(!snapshots[0].is_complete && snapshots[0].gaps.has(GapKind::Truncated));
            let at = text.find("goroutine 7").unwrap() as u64;
            assert_eq!(snapshots[1].source.offset, at);
        }
    }

    #[test]
    fn whoever_is_asked_later_did_not_fail() {
        let asked = format!("SIGQUIT: quit\nPC=0x46ab01 m=0 sigcode=0\n{GOROUTINE}");
        let snapshots = read(&format!("{LATER}{asked}"));
        assert_eq!(ends(&snapshots), [of(SIGNAL, None), (None, None, 1)]);
        assert_eq!(snapshots[0].process.signal.as_ref().map(|s| &*s.name), Some("SIGSEGV"));
        assert_eq!(snapshots[1].process.signal.as_ref().map(|s| &*s.name), Some("SIGQUIT"));
        // Of a process that had no goroutine yet there is none to come.
        assert_eq!(ends(&read(&format!("{AT_START}{GOROUTINE}"))), [of(METADATA, None), (None, None, 1)]);
    }

    #[test]
    fn fatal_errors_one_after_the_other() {
        let asleep = "all goroutines are asleep - deadlock!";
        let second = format!("fatal error: {asleep}\n{}", GOROUTINE.replace("running", "chan receive"));
        let both = [of(SIGNAL, None), of(asleep, None)];
        assert_eq!(ends(&read(&format!("{LATER}{second}"))), both);
        // Each with a stack of its own.
        let text = format!("{AT_START}{AT_START}{LATER}{GOROUTINE}");
        let last = of(SIGNAL, Some(ThreadIx(0)));
        assert_eq!(ends(&read(&text)), [of(METADATA, None), of(METADATA, None), last]);
        // After `go run` has said that the process is over, another one follows.
        let memory = format!("fatal error: out of memory\n{GOROUTINE}");
        let both = [of(SIGNAL, None), of("out of memory", Some(ThreadIx(0)))];
        assert_eq!(ends(&read(&format!("{LATER}exit status 2\n{memory}"))), both);
        // And one at the end of a text.
        let text = format!("panic: no drawer\n{GOROUTINE}exit status 2\n{AT_START}");
        assert_eq!(ends(&read(&text)), [of("no drawer", Some(ThreadIx(0))), of(METADATA, None)]);
    }

    #[test]
    fn one_process_stays_one() {
        let nested = "fatal error: unknown caller pc\npanic during panic\n";
        let stack = LATER.split_once("\n\n").unwrap().1;
        for text in [
            format!("{LATER}{GOROUTINE}"),
            format!("panic: a [recovered]\n\tpanic: b\n\n{stack}{GOROUTINE}"),
            format!("panic: a\nfatal error: panic holding locks\n\n{stack}{GOROUTINE}"),
            format!("{LATER}{nested}\n{stack}{GOROUTINE}"),
            format!("{LATER}panic during panic\nSIGSEGV: segmentation violation\nPC=0x1 m=0\n{GOROUTINE}"),
            // Another thread of the same process, before it waits for its turn.
            format!("{LATER}fatal error: unexpected signal during runtime execution\n{GOROUTINE}"),
            format!("{LATER}\n-----\n\nSIGQUIT: quit\nPC=0x1 m=1\n{GOROUTINE}"),
        ] {
            let snapshots = read(&text);
            assert_eq!(snapshots.len(), 1, "{text}");
            assert_eq!(functions(&snapshots[0], ThreadIx(0)), ["main.pay", "main.main"], "{text}");
            assert!(snapshots[0].process.failure.is_some());
            survives_logs(&text);
        }
    }
}
