//! Goroutines as the Go runtime prints them: a traceback on SIGQUIT, panic or fatal error, and
//! `/debug/pprof/goroutine?debug=2`.
//!
//! Source: src/runtime/traceback.go, panic.go, src/runtime/pprof/pprof.go of Go 1.19 to 1.25.

mod cut;
mod frame;
mod header;
mod locks;
mod panics;
mod processes;
mod signals;
mod states;

use std::sync::OnceLock;

use rustc_hash::FxHashSet;

use super::text::{
    self, BlockLine, Body, Building, Dumps, Grammar, Head, InBlock, Masked, Outside, Section, Site,
    is_limited,
};
use super::{About, Format, Reader};
use crate::model::{
    Failure, FailureKind, FormatId, GapKind, ReportedState, Signal, Snapshot, StackEnd, Thread, ThreadId,
    ThreadIx, lossy,
};
use panics::Panics;

/// The row of this format.
pub const FORMAT: Format = Format {
    id: FormatId::new("go"),
    name: "a Go traceback",
    looked_for: "lines `goroutine N [state]:`, or `runtime stack:` with frames",
    about: About {
        producer: "the Go runtime 1.5 to 1.27: SIGQUIT, panics, fatal errors, /debug/pprof/goroutine?debug=2",
        reads: "goroutines with state, minutes of waiting, frames and creator; the address of a mutex where the runtime prints a live one; why the process ended",
        never: "who holds a mutex (Go stores no owner); CPU times; the OS thread of a goroutine before 1.23; which lock, where arguments are stale (`0x0?`)",
        capture: "kill -QUIT PID with GOTRACEBACK=system in its environment, or curl 'localhost:6060/debug/pprof/goroutine?debug=2'",
    },
    reader: Reader::Text { anchors: &[ANCHOR, cut::RUNTIME], confirm, parse },
};

const ANCHOR: &str = "goroutine ";

fn parse(section: &Section<'_>) -> Vec<Snapshot> {
    let parts = processes::parts(section);
    let mut snapshots = match parts.is_empty() {
        true => read(section),
        false => parts.iter().flat_map(read).collect(),
    };
    if let Some(first) = snapshots.first_mut().filter(|_| cut::begins_within_a_stack(&section.text)) {
        first.is_complete = false;
        first.gaps.add(GapKind::Truncated, cut::HEADLESS, Some(section.offset(0)));
    }
    snapshots
}

fn read(section: &Section<'_>) -> Vec<Snapshot> {
    // Where goroutines are shown it is not one of them, and says nothing of them.
    let is_runtime_read = section.has(cut::RUNTIME) && !cut::has_goroutine(&section.text);
    text::read(&Go { is_runtime_read, section, nested: OnceLock::new() }, FORMAT.id, section)
}

/// `goroutine 20 [sync.Mutex.Lock, 34 minutes]:` and not `in goroutine 1` or the talk of a log.
fn confirm(site: &Site<'_>) -> Option<usize> {
    if site.rest().starts_with(cut::RUNTIME.as_bytes()) {
        return cut::is_runtime_stack(site).then_some(site.at);
    }
    // Most places name a creator: `created by main.main in goroutine 1`.
    let number = site.rest().get(ANCHOR.len()..)?;
    let digits = number.iter().take_while(|b| b.is_ascii_digit()).count();
    if !number.get(digits..)?.starts_with(b" ") {
        return None;
    }
    header::parts(&lossy(site.line()))?;
    Some(site.at)
}

struct Go<'s> {
    /// The stack of the runtime is a thread.
    is_runtime_read: bool,
    section: &'s Section<'s>,
    /// Where the lines begin, in the order of the text, that say what failed while a stack was printed. Most texts have
    /// one end, and nobody asks.
    nested: OnceLock<Vec<u64>>,
}

/// What is remembered between goroutines.
#[derive(Default)]
struct Memory {
    seen: FxHashSet<u64>,
    failure: Option<(FailureKind, String)>,
    /// What its message is made of, where it is a panic.
    panics: Panics,
    /// What cgo said before it aborted.
    cgo: Option<String>,
    signal: Option<Signal>,
    /// GOTRACEBACK=crash lets each thread of the process print its goroutine in turn, after a line `-----`.
    is_turn: bool,
    /// In such a turn goroutines come again.
    in_turns: bool,
    /// Lines may have been left out since the last goroutine.
    is_parted: bool,
    /// The process has ended.
    is_over: bool,
    /// Why processes ended of which no goroutine is shown, and where that stands.
    unshown: Vec<(String, u64)>,
}

impl Memory {
    /// What was said so far is another process's, of which no goroutine was shown.
    fn forget(&mut self, offset: u64) {
        let said = self.failure.take().map(|(_, message)| message).or(self.cgo.take());
        let signal = self.signal.take().map(|signal| signal.name.to_string());
        self.unshown.extend(said.or(signal).map(|said| (said, offset)));
    }
}

impl Grammar for Go<'_> {
    type Memory = Memory;
    const MASKS_HEX: bool = true;

    /// Places are the same for all who are there, but where the runtime prints the registers behind them:
    ///
    /// ```text
    ///     /src/main.go:7 +0x7c
    ///     /src/main.go:7 +0x7c fp=0xc00003a7e0 sp=0xc00003a7c8 pc=0x481af9
    /// ```
    fn masked(&self, line: &[u8]) -> Masked {
        let is_plain_place = line.starts_with(b"\t") && memchr::memchr(b'=', line).is_none();
        if is_plain_place { Masked::Nothing } else { Masked::Prefixed(0) }
    }

    fn may_begin(&self, line: &[u8]) -> bool {
        line.starts_with(b"goroutine ") || self.is_runtime_read && line == cut::RUNTIME.as_bytes()
    }

    fn head(&self, line: &str, _more: &[u8]) -> Option<Head> {
        if line == cut::RUNTIME {
            return Some(header::runtime());
        }
        header::read(line)
    }

    fn in_block(&self, line: &str) -> InBlock {
        if is_ending(line) || line == cut::PARTED {
            return InBlock::Ends;
        }
        if cut::is_of_stack(line) || is_remark(line) || text::is_left_out(line) {
            return InBlock::Body;
        }
        if is_register(line) || line.starts_with("# labels:") { InBlock::Noise } else { InBlock::Unknown }
    }

    fn outside(&self, line: &str, section: Option<&'static str>) -> Outside {
        if is_ending(line) && !line.starts_with("runtime stack:") {
            return Outside::Event;
        }
        match section {
            _ if line == cut::PARTED => Outside::Section(cut::PARTED),
            Some(cut::PARTED) if cut::is_of_stack(line) => Outside::Event,
            _ if line.starts_with("runtime stack:") => Outside::Section(RUNTIME_STACK),
            _ if line.trim() == RUNNING_TESTS => Outside::Section(RUNNING_TESTS),
            Some(RUNNING_TESTS) if line.trim_end().ends_with("s)") => Outside::Event,
            Some(_) if frame::is_place(line) || frame::is_call(line) => Outside::Noise,
            None if line.trim_start().starts_with("panic: ") => Outside::Event,
            _ if is_register(line) => Outside::Noise,
            _ => Outside::Unknown,
        }
    }

    fn body(&self, block: &[BlockLine<'_>]) -> Body {
        body(block)
    }

    fn breaks_off(&self, line: &str) -> bool {
        // `… +0x15a fp=0xf7c569d1670 sp=0xf7c`
        let is_place = frame::is_place(line)
            && line.contains(':')
            && (!line.contains(" fp=") || line.contains(" pc=0x"));
        !is_place && !frame::is_call(line) && !line.starts_with("created by ")
    }

    fn on_thread(&self, memory: &mut Memory, dumps: &mut Dumps, thread: &Thread, offset: u64) -> bool {
        let ThreadId::Number(id) = thread.id else { return true };
        if std::mem::take(&mut memory.is_parted) {
            cut::tell_parted(dumps, offset);
        }
        // Every thread of the operating system has a goroutine 0.
        if id != 0 && !memory.seen.insert(id) {
            if memory.in_turns {
                return false;
            }
            self.close(memory, dumps);
            memory.seen.insert(id);
        }
        if std::mem::take(&mut memory.is_over) && dumps.open().is_none() {
            memory.forget(offset);
        }
        let building = dumps.current(offset);
        for (said, offset) in memory.unshown.drain(..) {
            let message = "a process ended before this one, and the text shows no goroutine of it";
            building.snapshot.gaps.add_like(GapKind::SkippedText, message, &said, offset);
        }
        self.tell(memory, building, thread);
        true
    }

    fn on_event(&self, memory: &mut Memory, dumps: &mut Dumps, line: &str, offset: u64) {
        if line.starts_with(OVER) {
            memory.is_over = true;
            return;
        }
        let line = line.trim_start_matches(QUOTES);
        let is_new =
            signals::is_signal(line) || matches!(line.split(':').next(), Some("panic" | "fatal error"));
        if let Some(building) = dumps.open().filter(|_| is_new && self.is_nested(offset)) {
            let message = "the runtime failed once more while it printed this: goroutines may be missing";
            building.snapshot.gaps.add_like(GapKind::Truncated, message, line, offset);
            building.snapshot.is_complete = false;
            return;
        }
        if line == cut::PARTED {
            memory.is_parted = true;
        } else if std::mem::take(&mut memory.is_parted) && cut::is_of_stack(line) {
            cut::tell_parted(dumps, offset);
            return;
        }
        if line == TURN {
            memory.is_turn = true;
        } else if is_new && std::mem::take(&mut memory.is_turn) {
            memory.in_turns = true;
            return;
        }
        if is_new && dumps.open().is_some_and(|b| !b.snapshot.threads.is_empty()) && memory.failure.is_none()
        {
            self.close(memory, dumps);
        }
        if is_new && std::mem::take(&mut memory.is_over) {
            memory.forget(offset);
        }
        if let Some(message) = line.strip_prefix("panic: ") {
            if memory.failure.is_none() {
                memory.panics = Panics::default();
                memory.failure = Some((FailureKind::Panic, memory.panics.add(message)));
            }
        } else if let Some(message) = line.strip_prefix("fatal error: ") {
            memory.failure.get_or_insert((FailureKind::FatalError, message.trim().to_owned()));
        } else if let (Some(then), Some((FailureKind::Panic, message))) =
            (line.trim_start().strip_prefix("panic: "), &mut memory.failure)
        {
            // What a deferred function panics with in turn is indented.
            *message = memory.panics.add(then);
        } else if line.starts_with(CGO) {
            memory.cgo = Some(line.trim().to_owned());
        } else if let Some(signal) = signals::read(line) {
            if let Some(message) = memory.cgo.take().filter(|_| &*signal.name == "SIGABRT") {
                memory.failure.get_or_insert((FailureKind::Abort, message));
            }
            memory.signal.get_or_insert(signal);
        } else if let Some((_, message)) = memory.failure.as_mut().filter(|_| line.ends_with("s)")) {
            // `        TestTransfer (10m0s)`
            message.push_str(&format!("; running: {}", line.trim()));
        }
    }

    fn on_end(&self, memory: &mut Memory, dumps: &mut Dumps) {
        self.close(memory, dumps);
    }
}

impl Go<'_> {
    /// Whether the line here says what failed while a stack was printed.
    fn is_nested(&self, offset: u64) -> bool {
        let nested = self.nested.get_or_init(|| processes::nested(self.section));
        nested.binary_search(&offset).is_ok()
    }

    /// What the lines before the first goroutine say of the process.
    fn tell(&self, memory: &mut Memory, building: &mut Building, first: &Thread) {
        // The goroutine that failed comes first, but for failures of the runtime (`all goroutines are asleep`, `thread
        // exhaustion`): whoever comes first then waits for something. A signal may come in the midst of a C function.
        // The runtime's own stack is nobody's who failed.
        let is_running = first.reported == Some(ReportedState::Running) && !self.is_runtime_read;
        let is_in_c = memory.signal.is_some() && first.reported == Some(ReportedState::Io);
        let is_alarm = memory.failure.as_ref().is_some_and(|(_, message)| message.starts_with(TEST_TIMEOUT));
        let is_first = building.snapshot.threads.is_empty() && (is_running || is_in_c) && !is_alarm;
        let process = &mut building.snapshot.process;
        if let Some((kind, message)) = memory.failure.take() {
            let thread = is_first.then_some(ThreadIx(0));
            process.failure = Some(Failure { kind, message: message.into(), thread });
        }
        if let Some(signal) = memory.signal.take() {
            // Who asked for a traceback got it in whatever goroutine came first.
            let thread = (is_first && &*signal.name != "SIGQUIT").then_some(ThreadIx(0));
            process.signal = Some(Signal { thread, ..signal });
        }
    }

    fn close(&self, memory: &mut Memory, dumps: &mut Dumps) {
        if let Some(building) = dumps.open() {
            let snapshot = &mut building.snapshot;
            cut::tell_left_out(snapshot);
            let is_one = snapshot.threads.len() == 1;
            if self.is_runtime_read {
                snapshot.is_complete = false;
                snapshot.gaps.add(GapKind::Truncated, cut::NO_GOROUTINE, None);
            } else if is_one
                && snapshot.process.failure.as_ref().is_some_and(|f| f.kind == FailureKind::Panic)
            {
                is_limited(snapshot, "a panic prints one goroutine unless GOTRACEBACK=all is set", None);
            }
        }
        dumps.end();
        *memory = Memory::default();
    }
}

/// What `go run` and `go test` say when a process has ended.
const OVER: &str = "exit status ";

/// What stands between the turns of the threads with GOTRACEBACK=crash.
const TURN: &str = "-----";

const RUNTIME_STACK: &str = "runtime stack";

/// What `go test` says before it ends a test run, and the line above the tests that ran then (Go 1.20 and newer;
/// since Go 1.23 a panic indents all lines of its message but the first). The goroutine that comes first is its alarm.
const TEST_TIMEOUT: &str = "test timed out after ";
const RUNNING_TESTS: &str = "running tests:";

/// How the C half of the runtime begins what it says before it calls `abort`.
///
/// ```text
/// runtime/cgo: pthread_create failed: Resource temporarily unavailable
/// SIGABRT: abort
/// ```
///
/// Source: Go 1.5-1.25 src/runtime/cgo/gcc_util.c, gcc_fatalf.c `fatalf`.
const CGO: &str = "runtime/cgo: ";

/// What stands before the first line where it was copied out of Markdown.
const QUOTES: [char; 1] = ['`'];

/// Lines that stand before a dump, and end the one before.
fn is_ending(line: &str) -> bool {
    const STARTS: &[&str] =
        &["panic: ", "fatal error: ", signals::BRACKET, "runtime stack:", "runtime: goroutine stack ", CGO];
    let line = line.trim_start_matches(QUOTES);
    line == TURN
        || line.starts_with(OVER)
        || signals::is_signal(line)
        || STARTS.iter().any(|start| line.starts_with(start))
}

/// What the runtime writes for the frames that it leaves out of deep stacks.
///
/// ```text
/// ...additional frames elided...                          up to Go 1.20
/// ...23 frames elided...                                  from Go 1.21 on
/// ```
const ELIDED: &str = " elided...";

/// Lines of a stack that are no frames.
fn is_remark(line: &str) -> bool {
    line.starts_with("...") && line.ends_with(ELIDED)
        || line.starts_with("goroutine running on other thread")
        || line.starts_with("[originating from goroutine ")
}

/// `rax    0xfffffffffffffffc`: the registers after a crash.
fn is_register(line: &str) -> bool {
    let mut words = line.split_ascii_whitespace();
    let (Some(name), Some(value), None) = (words.next(), words.next(), words.next()) else { return false };
    name.len() <= 6 && name.bytes().all(|b| b.is_ascii_alphanumeric()) && value.starts_with("0x")
}

fn body(block: &[BlockLine<'_>]) -> Body {
    let mut body = Body::default();
    // A frame is two lines.
    body.frames.reserve(block.len().div_ceil(2));
    let mut doubted = Vec::with_capacity(body.frames.capacity());
    let mut lines = block.iter().peekable();
    while let Some(line) = lines.next() {
        if text::is_left_out(line.text) {
            body.end = text::CUT;
            continue;
        }
        let is_place = |l: &&BlockLine<'_>| frame::is_place(l.text) && !text::is_left_out(l.text);
        let place = lines.next_if(is_place).map(|l| l.text);
        if let Some(creator) = line.text.strip_prefix("created by ") {
            body.creator = Some(frame::creator(creator, place));
        } else if line.text.starts_with("[originating from goroutine ") {
            break;
        } else if line.text.starts_with("goroutine running on other thread") {
            body.state = Some(ReportedState::Running);
            body.end = StackEnd::Reported;
        } else if let Some(count) = line.text.strip_prefix("...") {
            let digits: String = count.chars().take_while(char::is_ascii_digit).collect();
            body.left_out += digits.parse().unwrap_or(1);
            body.end = StackEnd::DepthLimit;
        } else if let Some(call) = frame::call(line, place) {
            body.frames.push(call.frame);
            doubted.push(call.doubted);
        }
    }
    body.wait = locks::wait(&body.frames).or_else(|| locks::doubted(&body.frames, &doubted));
    body
}

#[cfg(test)]
mod tests;
