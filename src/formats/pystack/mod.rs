//! What pystack prints of a Python process or core: `pystack remote`, `pystack core`.
//!
//! Source: pystack 1.1-1.5 src/pystack/traceback_formatter.py, process.py.

use super::python;
use super::text::{self, BlockLine, Body, Dumps, Grammar, Head, InBlock, Outside, Section, SeenIds, Site};
use super::{About, Format, Reader};
use crate::model::{
    FormatId, Frame, FrameKind, ReportedState, Signal, Snapshot, StackEnd, Thread, ThreadId, lossy,
};

/// The row of this format.
pub const FORMAT: Format = Format {
    id: FormatId::new("pystack"),
    name: "a pystack report",
    looked_for: "lines `Traceback for thread N … (most recent call last):`",
    about: About {
        producer: "pystack 1.1 to 1.5: remote and core, also with --native, --native-all and --locals",
        reads: "threads with kernel id and name; frames of Python with their source lines, and of C; who has the GIL and who waits for it; garbage collection; of cores the executable and the signal",
        never: "which lock a thread waits for, beyond the source line; who has it; CPU times",
        capture: "pystack remote --native-all PID",
    },
    reader: Reader::Text { anchors: &[HEADER, EMPTY], confirm, parse },
};

/// How a header begins.
const HEADER: &str = "Traceback for thread ";

/// How the line of a thread without frames begins.
const EMPTY: &str = "The frame stack for thread ";

fn parse(section: &Section<'_>) -> Vec<Snapshot> {
    text::read(&Pystack, FORMAT.id, section)
}

fn confirm(site: &Site<'_>) -> Option<usize> {
    let line = lossy(site.line());
    let is_header = header(&line).is_some() || {
        let next = site.following_text(1).next().unwrap_or_default();
        newer_header(&line).is_some() && (is_whole(&line) || frame(&next).is_some())
    };
    is_header.then_some(site.at)
}

struct Pystack;

/// What is remembered between threads.
#[derive(Default)]
struct Memory {
    seen: SeenIds,
}

impl Grammar for Pystack {
    type Memory = Memory;
    const MASKS_HEX: bool = false;

    fn may_begin(&self, line: &[u8]) -> bool {
        line.starts_with(HEADER.as_bytes()) || line.starts_with(EMPTY.as_bytes())
    }

    fn head(&self, line: &str, more: &[u8]) -> Option<Head> {
        header(line).or_else(|| newer_header(line).filter(|_| is_whole(line) || goes_on(more)))
    }

    fn in_block(&self, line: &str) -> InBlock {
        if is_outside(line) {
            return InBlock::Ends;
        }
        let is_body = frame(line).is_some()
            || line.starts_with("  In ")
            || line.starts_with("        ")
            || line.starts_with(LOCALS)
            || line.starts_with(ARGUMENTS)
            || line.trim_start().starts_with(UNMERGED);
        if is_body { InBlock::Body } else { InBlock::Unknown }
    }

    fn outside(&self, line: &str, _section: Option<&'static str>) -> Outside {
        if is_outside(line) { Outside::Event } else { Outside::Unknown }
    }

    fn body(&self, block: &[BlockLine<'_>]) -> Body {
        body(block)
    }

    fn on_thread(&self, memory: &mut Memory, dumps: &mut Dumps, thread: &Thread, offset: u64) -> bool {
        if !memory.seen.insert(&thread.id) {
            dumps.end();
            memory.seen.clear();
            memory.seen.insert(&thread.id);
        }
        dumps.current(offset);
        true
    }

    fn on_event(&self, memory: &mut Memory, dumps: &mut Dumps, line: &str, offset: u64) {
        // How it died stands below what is told of the core, or above the threads alone.
        let has_begun = dumps.open().is_some_and(|b| b.snapshot.threads.is_empty());
        if line == CORE || signal(line).is_some() && !has_begun {
            memory.seen.clear();
            dumps.begin(offset);
        }
        if line == CORE {
            return;
        }
        // What is told of a core stands before its threads.
        let Some(building) = dumps.open().filter(|b| b.snapshot.threads.is_empty()) else { return };
        let process = &mut building.snapshot.process;
        if let Some(rest) = line.strip_prefix("pid: ") {
            process.pid = rest.split(' ').next().and_then(|pid| pid.parse().ok());
        } else if let Some(rest) = line.strip_prefix("executable: ") {
            let (name, arguments) = rest.split_once(" arguments: ").unwrap_or((rest, ""));
            process.name = Some(name.trim().into());
            process.command_line = (!arguments.is_empty()).then(|| arguments.trim().into());
        } else {
            process.signal = signal(line);
        }
    }

    fn on_end(&self, _memory: &mut Memory, dumps: &mut Dumps) {
        dumps.end();
    }
}

/// What a report of a core begins with.
const CORE: &str = "Core file information:";

/// How the line about the end of a process begins.
const DIED: &str = "The process died due ";

/// Lines between threads.
fn is_outside(line: &str) -> bool {
    let is_of_core =
        ["state: ", "pid: ", "uid: ", "executable: "].iter().any(|start| line.starts_with(start));
    line == CORE || is_of_core || line.starts_with(DIED)
}

/// `The process died due receiving signal SIGSEGV`, `The process died due a segmentation fault accessing address: 0x…`.
fn signal(line: &str) -> Option<Signal> {
    let rest = line.strip_prefix(DIED)?;
    let rest = rest.strip_prefix("to ").unwrap_or(rest);
    if rest.starts_with("a segmentation fault") {
        let address = rest.split_once("0x").and_then(|(_, hex)| u64::from_str_radix(hex.trim(), 16).ok());
        return Some(Signal { name: "SIGSEGV".into(), address, ..Signal::default() });
    }
    let name = rest.strip_prefix("receiving signal ")?.split(' ').next()?.trim_end_matches(['.', ',']);
    // A debugger or gcore stopped it for the core: it did not die.
    let is_stop = matches!(name, "SIGSTOP" | "SIGTSTP" | "SIGCONT" | "SIGTRAP");
    (name.starts_with("SIG") && !is_stop).then(|| Signal { name: name.into(), ..Signal::default() })
}

/// What pystack says of a thread and the interpreter.
static FLAGS: &[(&str, Flag)] = &[
    ("Has the GIL", Flag::Holds),
    ("Waiting for the GIL", Flag::Waits),
    ("Garbage collecting", Flag::State(ReportedState::Runtime)),
    ("Dropping the GIL", Flag::Nothing),
];

#[derive(Clone, Copy)]
enum Flag {
    Holds,
    Waits,
    State(ReportedState),
    Nothing,
}

/// Reads a header.
///
/// ```text
/// Traceback for thread 96600 (python) [Has the GIL] (most recent call last):
/// Traceback for thread 17404 [] (most recent call last):                              a core
/// Traceback for thread 392464 (InterpreterPool) (most recent call last):              flags with the interpreters
/// The frame stack for thread 140 is empty
/// ```
fn header(line: &str) -> Option<Head> {
    if let Some(rest) = line.strip_prefix(EMPTY) {
        let (id, rest) = rest.split_once(' ')?;
        return rest.starts_with("is empty").then_some(Head::of(thread(id)?));
    }
    let rest = line.strip_prefix(HEADER)?.strip_suffix(LAST_CALL_LAST)?.strip_suffix(' ')?;
    let (rest, flags) = match rest.strip_suffix(']').and_then(|r| r.rsplit_once(" [")) {
        Some((rest, flags)) => (rest, flags),
        None => (rest, ""),
    };
    let (id, name) = match rest.split_once(' ') {
        Some((id, name)) => (id, Some(name.strip_prefix('(')?.strip_suffix(')')?)),
        None => (rest, None),
    };
    let mut head = Head::of(thread(id)?);
    head.thread.name = name.map(Into::into);
    read_flags(flags, &mut head);
    Some(head)
}

/// How a header ends.
const LAST_CALL_LAST: &str = "(most recent call last):";

/// Whether the line ends as headers do: no talk of a thread does.
fn is_whole(line: &str) -> bool {
    line.starts_with(HEADER) && line.ends_with(LAST_CALL_LAST)
}

/// Whether a frame follows a header.
fn goes_on(more: &[u8]) -> bool {
    let line = text::first_line(more);
    frame(lossy(line.get(..line.len().min(text::LONGEST_LINE)).unwrap_or(line)).trim_end()).is_some()
}

/// Reads a header of another form, which begins a thread all the same: what is known of it, and what is left.
///
/// ```text
/// Traceback for thread 96601 (python) [Has the GIL] {core 3} (most recent call last):
/// ```
fn newer_header(line: &str) -> Option<Head> {
    let rest = line.strip_prefix(HEADER)?;
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let (id, rest) = rest.split_at_checked(digits)?;
    let mut head = Head::of(thread(id)?);
    let rest = rest.strip_suffix(LAST_CALL_LAST).unwrap_or(rest).trim();
    let is_flags = |text: &str| {
        text.is_empty() || text.split(',').any(|flag| FLAGS.iter().any(|(words, _)| *words == flag.trim()))
    };
    let mut groups = rest.match_indices('[').filter_map(|(start, _)| {
        let inside = rest.get(start + 1..)?.split_once(']')?.0;
        is_flags(inside).then_some((start, inside))
    });
    let (before, after) = match groups.next_back() {
        Some((start, inside)) => {
            read_flags(inside, &mut head);
            (rest.get(..start)?, rest.get(start + inside.len() + 2..)?)
        }
        None => (rest, ""),
    };
    let named = before.strip_prefix('(').and_then(|name| name.rsplit_once(')'));
    let before = match named {
        Some((name, left)) => {
            head.thread.name = Some(name.into());
            left
        }
        None => before,
    };
    let unknown: Vec<&str> =
        [before, after].into_iter().map(str::trim).filter(|text| !text.is_empty()).collect();
    if !unknown.is_empty() {
        head.unknown = Some(unknown.join(" "));
    }
    Some(head)
}

fn read_flags(flags: &str, head: &mut Head) {
    for flag in flags.split(',').map(str::trim).filter(|f| !f.is_empty()) {
        match FLAGS.iter().find(|(words, _)| *words == flag) {
            Some((_, Flag::Holds)) => head.holds.push(python::gil_hold()),
            Some((_, Flag::Waits)) => {
                head.thread.reported = Some(ReportedState::Runtime);
                head.wait = Some(python::gil_wait());
            }
            Some((_, Flag::State(state))) => head.thread.reported = Some(*state),
            Some((_, Flag::Nothing)) => {}
            // It may be a state: then what the thread does is not known, but for what its frames say.
            None => {
                head.thread.reported = head.thread.reported.or(Some(ReportedState::Unclear));
                head.unknown = Some(flag.to_owned());
                continue;
            }
        }
        head.keeps_state = true;
    }
}

fn thread(id: &str) -> Option<Thread> {
    let id: u64 = id.parse().ok()?;
    let mut thread = Thread::new(ThreadId::Number(id));
    thread.tid = u32::try_from(id).ok();
    Some(thread)
}

const ARGUMENTS: &str = "      Arguments:";
const LOCALS: &str = "      Locals:";
const UNMERGED: &str = "* - Unable to merge native stack";

/// Frames come oldest first, and below each Python frame its source line and its variables.
fn body(block: &[BlockLine<'_>]) -> Body {
    let mut body = Body::default();
    let mut lines = block.iter().peekable();
    let mut said = None;
    while let Some(line) = lines.next() {
        if let Some(frame) = frame(line.text) {
            let is_python = line.text.starts_with("    (Python)");
            body.frames.push(frame.into());
            // The variables are deeper in, behind a line of their own.
            let source = lines.next_if(|l| l.text.starts_with("        "));
            said = source.filter(|_| is_python).and_then(|l| python::source_says(l.text));
        } else if let Some(rest) = line.text.strip_prefix("  In ") {
            let flags = rest.rsplit_once(" [").and_then(|(_, flags)| flags.strip_suffix(']'));
            let mut head = Head::of(Thread::new(ThreadId::Number(0)));
            read_flags(flags.unwrap_or_default(), &mut head);
            body.holds.append(&mut head.holds);
            body.wait = head.wait.or(body.wait);
            body.state = head.thread.reported.or(body.state);
        } else if line.text.trim_start().starts_with(UNMERGED) {
            body.end = StackEnd::Reported;
        }
    }
    body.frames.reverse();
    body.state = body.state.or(said);
    body
}

/// Reads a frame.
///
/// ```text
///     (Python) File "/srv/app/service.py", line 15, in rec
///     (C) File "./nptl/pthread_create.c", line 442, in start_thread (/usr/lib/x86_64-linux-gnu/libc.so.6)
///     (C) File "Modules/gcmodule.c", line 495, in move_unreachable (inlined) (/usr/lib/libpython3.8.so.1.0)
///     (C) File "???", line 0, in _start ()
/// ```
fn frame(line: &str) -> Option<Frame> {
    let text = line.strip_prefix("    ")?;
    if let Some(text) = text.strip_prefix("(Python) ") {
        let place = python::place(text)?;
        return Some(python::frame(place.rest.strip_prefix(", in ")?, place.file, place.line));
    }
    let place = python::place(text.strip_prefix("(C) ")?)?;
    let (function, module) = place.rest.strip_prefix(", in ")?.strip_suffix(')')?.rsplit_once(" (")?;
    let (function, kind) = match function.strip_suffix(" (inlined)") {
        Some(function) => (function, FrameKind::Inlined),
        None => (function, FrameKind::Normal),
    };
    let mut frame = python::frame(function, place.file, place.line);
    // Where there is no line, the file is the module again.
    if frame.line.is_none() {
        frame.file = None;
    }
    // Of what has no name the module says nothing.
    frame.module = (frame.function.is_some() && !module.is_empty()).then(|| module.into());
    frame.kind = kind;
    Some(frame)
}

#[cfg(test)]
mod tests;
