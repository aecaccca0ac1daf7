//! What Python's `faulthandler` prints: on a fatal signal, after a timeout, on a signal that was registered, with the
//! headers of old releases too ([`bare`]); a fatal error without threads ([`alone`]); the traceback with which a process
//! ends ([`traceback`]); the stacks of pytest-timeout ([`pytest_timeout`]) and of programs that print their threads
//! themselves ([`recipe`]).
//!
//! Source: CPython 3.6-3.14 Python/traceback.c (`_Py_DumpTracebackThreads`), Modules/faulthandler.c,
//! Python/pylifecycle.c (`fatal_error`).

mod alone;
mod bare;
mod below;
mod c_stack;
mod cut;
mod failure;
mod fields;
mod group;
mod oldest_first;
mod pytest_timeout;
mod recipe;
mod traceback;

use std::sync::OnceLock;

use super::python;
use super::text::{
    self, BlockLine, Body, Building, Dumps, Grammar, Head, InBlock, Outside, Section, SeenIds, Site,
    is_limited,
};
use super::{About, Format, Reader};
use crate::model::{
    FormatId, Frame, GapKind, ReportedState, Signal, Snapshot, StackEnd, StackIx, Thread, ThreadId, ThreadIx,
    lossy,
};
use alone::Alone;
use failure::End;

/// The row of this format.
pub const FORMAT: Format = Format {
    id: FormatId::new("python-faulthandler"),
    name: "a Python faulthandler dump",
    looked_for: "lines `Thread 0x… (most recent call first):`, `~~~ Stack of … ~~~` or `# ThreadID: …`, or a traceback at the end of the text",
    about: About {
        producer: "faulthandler of CPython 3.6 to 3.14: fatal signals, dump_traceback, dump_traceback_later, register; the stacks of pytest-timeout 1 and 2, and of programs that print sys._current_frames() themselves; the traceback that ends a process",
        reads: "threads with the pthread address and frames (file, line, function), names with 3.14; the signal or fatal error; the exception of a traceback",
        never: "kernel thread ids; more than 100 threads or 100 frames; states; locks and who has them; what a call into C does. A traceback that is followed by more log is no dump: the process lived on",
        capture: "python -X faulthandler, then faulthandler.register(signal.SIGUSR1) in the program and kill -USR1 PID; better: py-spy dump --pid PID",
    },
    reader: Reader::Text {
        anchors: &[
            FIRST_CALL_FIRST,
            bare::CURRENT,
            failure::FATAL,
            traceback::HEADER,
            pytest_timeout::TITLE,
            recipe::ID,
            recipe::SPACED_ID,
            recipe::NAMED,
            recipe::NUMBERED,
            recipe::STARTED,
        ],
        confirm,
        parse,
    },
};

/// How each header ends.
const FIRST_CALL_FIRST: &str = "(most recent call first):";

fn parse(section: &Section<'_>) -> Vec<Snapshot> {
    let grammar =
        Faulthandler { section, fatal: alone::all(section, failure::FATAL), exceptions: OnceLock::new() };
    let mut all = text::read(&grammar, FORMAT.id, section);
    if let (Some(last), Some(at)) = (all.last_mut(), cut::place(&section.text)) {
        last.is_complete = false;
        if !last.gaps.has(GapKind::Truncated) {
            last.gaps.add(GapKind::Truncated, cut::MESSAGE, Some(section.offset(at)));
        }
    }
    let ended = traceback::read(section, FORMAT.id);
    let exceptions = grammar.exceptions.into_inner().unwrap_or_default();
    all.extend(alone::read(grammar.fatal, !ended.is_empty(), section, FORMAT.id));
    all.extend(alone::read(exceptions, false, section, FORMAT.id));
    all.extend(ended);
    all
}

fn confirm(site: &Site<'_>) -> Option<usize> {
    if site.rest().starts_with(traceback::HEADER.as_bytes()) {
        let is_group = site.before()?.ends_with(group::MARK.as_bytes());
        let start = site.at - if is_group { group::MARK.len() } else { 0 };
        return traceback::that_ends_the_text(site).map(|_| start);
    }
    if site.rest().starts_with(pytest_timeout::TITLE.as_bytes()) {
        let fill = site.before()?.iter().rev().take_while(|b| **b == b'~').count();
        return pytest_timeout::header(&lossy(site.line())).map(|_| site.at - fill);
    }
    if site.rest().starts_with(failure::FATAL.as_bytes()) {
        return alone::confirm(site);
    }
    if !site.rest().starts_with(FIRST_CALL_FIRST.as_bytes()) {
        return bare::confirm(site).or_else(|| recipe::confirm(site));
    }
    let before = lossy(site.before()?);
    let start = HEADERS.iter().filter_map(|start| before.rfind(start)).min()?;
    let line = format!("{}{FIRST_CALL_FIRST}", before.get(start..)?);
    header(&line)?;
    Some(site.at.saturating_sub(before.len() - start))
}

/// How headers begin.
const HEADERS: &[&str] = &["Current thread 0x", "Thread 0x", "Stack "];

struct Faulthandler<'s> {
    section: &'s Section<'s>,
    /// Errors without threads, in the order of the text.
    fatal: Vec<Alone>,
    /// The same of Windows: looked for once one is met.
    exceptions: OnceLock<Vec<Alone>>,
}

impl Faulthandler<'_> {
    /// The error on the line that begins here, if it has no threads.
    fn alone(&self, line: &str, offset: u64) -> Option<&Alone> {
        let all = match line.contains(failure::EXCEPTION) {
            true => self.exceptions.get_or_init(|| alone::all(self.section, failure::EXCEPTION)),
            false => &self.fatal,
        };
        all.binary_search_by_key(&offset, |error| error.line).ok().and_then(|n| all.get(n))
    }
}

/// What is remembered between threads.
#[derive(Default)]
struct Memory {
    seen: SeenIds,
    /// What the line before the threads says.
    end: Option<End>,
    /// The thread that ran or wrote the dump.
    current: Option<ThreadIx>,
    /// The list of threads has been cut off.
    is_over: bool,
    /// The functions of C of the current thread, newest first, and whether there are more.
    c_stack: (Vec<Frame>, bool),
    /// Errors above of which nothing says whether the next threads are their own, and where they stand.
    doubtful: Vec<(u64, End)>,
    /// The last of them is the last word above the next threads.
    is_doubtful: bool,
}

/// The stack of C functions that 3.14 prints behind the threads.
const C_STACK: &str = "C stack";

impl Grammar for Faulthandler<'_> {
    type Memory = Memory;
    const MASKS_HEX: bool = false;

    fn may_begin(&self, line: &[u8]) -> bool {
        line.starts_with(b"~")
            || HEADERS.iter().any(|start| line.starts_with(start.as_bytes()))
            || recipe::may_be(line)
    }

    fn head(&self, line: &str, more: &[u8]) -> Option<Head> {
        header(line)
            .or_else(|| bare::header(line).filter(|_| bare::goes_on(more)))
            .or_else(|| Some(Head::of(recipe::header(line).filter(|_| recipe::goes_on(more))?)))
            .or_else(|| fields::head(line.strip_suffix(':')?).filter(|_| bare::goes_on(more)))
    }

    fn is_attribute(&self, line: &[u8]) -> bool {
        oldest_first::is_source(line) && !REMARKS.iter().any(|(start, ..)| line.starts_with(start.as_bytes()))
    }

    fn attribute(&self, thread: &mut Thread, _line: &str) -> bool {
        oldest_first::is_own(thread)
    }

    fn in_block(&self, line: &str) -> InBlock {
        if is_outside(line) {
            return InBlock::Ends;
        }
        let is_known = frame(line).is_some()
            || oldest_first::is_body(line)
            || REMARKS.iter().any(|(start, ..)| line.starts_with(start));
        if is_known { InBlock::Body } else { InBlock::Unknown }
    }

    fn outside(&self, line: &str, section: Option<&'static str>) -> Outside {
        match section {
            _ if line.starts_with(c_stack::TITLE) => Outside::Section(C_STACK),
            _ if line.starts_with("Extension modules: ") || line.starts_with(alone::STATE) => Outside::Noise,
            Some(C_STACK) if line.starts_with(c_stack::BEGIN) || line.starts_with("  <") => Outside::Event,
            _ if is_outside(line) => Outside::Event,
            _ => Outside::Unknown,
        }
    }

    fn body(&self, block: &[BlockLine<'_>]) -> Body {
        if let Some(body) = oldest_first::body(block) {
            return body;
        }
        let mut body = Body::default();
        for line in block {
            if let Some(frame) = frame(line.text) {
                body.frames.push(frame.into());
            } else if let Some(&(_, end, state)) =
                REMARKS.iter().find(|(start, ..)| line.text.starts_with(start))
            {
                body.left_out += u32::from(end == StackEnd::DepthLimit);
                body.end = if body.end == StackEnd::Complete { end } else { body.end };
                body.state = state.or(body.state);
            }
        }
        body
    }

    fn on_thread(&self, memory: &mut Memory, dumps: &mut Dumps, thread: &Thread, offset: u64) -> bool {
        let is_open = dumps.open().is_some_and(|b| !b.snapshot.threads.is_empty());
        let is_new = memory.end.is_some()
            || memory.is_over
            || memory.seen.contains(&thread.id)
            || !oldest_first::is_own(thread) && dumps.open().is_some_and(|b| ends_with_main(&b.snapshot));
        if is_open && is_new {
            let end = memory.end.take();
            close(memory, dumps);
            memory.end = end;
        }
        alone::tell_doubtful(&mut memory.doubtful, true, dumps);
        memory.seen.insert(&thread.id);
        let building = dumps.current(offset);
        if std::mem::take(&mut memory.is_doubtful) {
            building.snapshot.gaps.add(GapKind::Limit, alone::PERHAPS_FAILED, Some(offset));
        }
        if thread.is_running {
            memory.current = Some(ThreadIx(building.snapshot.threads.len() as u32));
        }
        if let Some(end) = memory.end.take() {
            tell(end, building);
        }
        true
    }

    fn on_event(&self, memory: &mut Memory, dumps: &mut Dumps, line: &str, offset: u64) {
        if let Some(end) = failure::read(line) {
            let alone = self.alone(line, offset).map(|error| error.is_doubtful);
            memory.is_doubtful = alone == Some(true);
            if memory.is_doubtful {
                memory.doubtful.push((offset, end));
                memory.end = Some(End::Nothing);
                return;
            }
            // A report of an error has it as its title, too.
            memory.doubtful.pop_if(|(_, title)| *title == end);
            // Whoever prints threads later is another process.
            memory.end = Some(if alone.is_some() { End::Nothing } else { end });
        } else if pytest_timeout::is_begin(line) || recipe::is_begin(line) {
            memory.is_doubtful = false;
            memory.end = Some(End::Nothing);
        } else if line == "..." && dumps.open().is_some() {
            let snapshot = &mut dumps.current(offset).snapshot;
            is_limited(snapshot, "faulthandler prints no more than 100 threads", Some(offset));
            memory.is_over = true;
        } else if let Some(frame) = c_stack::frame(line).filter(|_| dumps.open().is_some()) {
            memory.c_stack.0.push(frame);
        } else if line.starts_with(CUT_STACK) {
            memory.c_stack.1 = true;
        }
    }

    fn on_end(&self, memory: &mut Memory, dumps: &mut Dumps) {
        let mut doubtful = std::mem::take(&mut memory.doubtful);
        close(memory, dumps);
        alone::tell_doubtful(&mut doubtful, false, dumps);
    }
}

/// The main thread comes last: threads are listed from the newest on.
fn ends_with_main(snapshot: &Snapshot) -> bool {
    let stack = snapshot.threads.last().map_or(StackIx::EMPTY, |t| t.stack);
    let outermost = snapshot.stacks.frames_of(stack).last();
    outermost.is_some_and(|&f| snapshot.stacks.get(f).function.as_deref() == Some("<module>"))
}

/// What the line before the threads says of the process.
fn tell(end: End, building: &mut Building) {
    let process = &mut building.snapshot.process;
    match end {
        End::Signal(name) => process.signal = Some(Signal { name: name.into(), ..Signal::default() }),
        End::Failure(failure) => process.failure = Some(failure),
        End::Nothing => {}
    }
}

fn close(memory: &mut Memory, dumps: &mut Dumps) {
    if let Some(building) = dumps.open() {
        let snapshot = &mut building.snapshot;
        c_stack::join(snapshot, memory.current, &memory.c_stack.0, memory.c_stack.1);
        if let Some(signal) = &mut snapshot.process.signal {
            signal.thread = memory.current;
        }
        if let Some(failure) = &mut snapshot.process.failure {
            failure.thread = memory.current;
        }
        // `Current` is whoever the signal reached: it need not have run.
        if let Some(thread) = memory.current.and_then(|ix| snapshot.threads.get_mut(ix.at())) {
            thread.is_running = false;
        }
    }
    dumps.end();
    let (doubtful, is_doubtful) = (std::mem::take(&mut memory.doubtful), memory.is_doubtful);
    *memory = Memory { doubtful, is_doubtful, ..Memory::default() };
}

/// How a line begins that says that a stack goes on.
const CUT_STACK: &str = "  <truncated ";

/// Lines of a stack that are no frames, without their place: how they begin, how the stack ends then, and what the
/// thread does.
static REMARKS: &[(&str, StackEnd, Option<ReportedState>)] = &[
    ("  ...", StackEnd::DepthLimit, None),
    ("  Garbage-collecting", StackEnd::Complete, Some(ReportedState::Runtime)),
    ("  <no Python frame>", StackEnd::Complete, None),
    ("  <tstate is freed>", StackEnd::Reported, None),
    ("  <invalid frame>", StackEnd::Reported, None),
    (CUT_STACK, StackEnd::DepthLimit, None),
];

/// Lines that no stack has.
fn is_outside(line: &str) -> bool {
    const STARTS: &[&str] = &[c_stack::TITLE, "Extension modules: ", alone::STATE];
    line == "..."
        || pytest_timeout::is_rule(line)
        || recipe::is_rule(line)
        || STARTS.iter().any(|start| line.starts_with(start))
        || failure::read(line).is_some()
}

/// `  File "/srv/app.py", line 14 in rec`; no comma before `in`. A text that was copied may have lost its indentation.
fn frame(line: &str) -> Option<Frame> {
    let place = python::place(line.strip_prefix("  ").unwrap_or(line))?;
    let function = place.rest.strip_prefix(" in ")?;
    Some(python::frame(function, place.file, place.line))
}

/// Reads a header.
///
/// ```text
/// Thread 0x00007f0258f816c0 (most recent call first):
/// Current thread 0x0000e690 (most recent call first):
/// Thread 0x00007f0258f816c0 [worker-3] (most recent call first):          3.14
/// Stack (most recent call first):                                        dump_traceback(all_threads=False)
/// ```
fn header(line: &str) -> Option<Head> {
    if let Some(thread) = pytest_timeout::header(line) {
        return Some(Head::of(thread));
    }
    let rest = line.strip_suffix(FIRST_CALL_FIRST)?.strip_suffix(' ')?;
    if rest == "Stack" {
        let mut thread = Thread::new(ThreadId::Number(0));
        thread.is_running = true;
        return Some(Head::of(thread));
    }
    thread(rest).map(Head::of).or_else(|| fields::head(rest))
}

/// The thread of a header: `Thread 0x00007f0258f816c0 [worker-3]`, `Current thread 0x0000e690`.
fn thread(text: &str) -> Option<Thread> {
    let (rest, is_current) = match text.strip_prefix("Current thread ") {
        Some(rest) => (rest, true),
        None => (text.strip_prefix("Thread ")?, false),
    };
    let (id, name) = match rest.split_once(' ') {
        Some((id, name)) => (id, Some(name.strip_prefix('[')?.strip_suffix(']')?)),
        None => (rest, None),
    };
    let handle = u64::from_str_radix(id.strip_prefix("0x")?, 16).ok()?;
    let mut thread = Thread::new(ThreadId::Text(id.into()));
    thread.handle = Some(handle);
    thread.name = name.map(Into::into);
    thread.is_running = is_current;
    Some(thread)
}

#[cfg(test)]
mod tests;
