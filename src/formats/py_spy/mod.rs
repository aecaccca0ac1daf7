//! What py-spy prints of a Python process: `py-spy dump`, as text and as JSON.
//!
//! Source: py-spy 0.3-0.4 src/dump.rs, src/stack_trace.rs, src/python_threading.rs.

mod json;

use super::python;
use super::text::json::is_key;
use super::text::words::{rsplit_once, split_once};
use super::text::{self, BlockLine, Body, Dumps, Grammar, Head, InBlock, Outside, Section, SeenIds, Site};
use super::{About, Format, Reader};
use crate::model::{FormatId, Frame, ReportedState, Snapshot, Str, Thread, ThreadId, lossy};

/// The row of this format.
pub const FORMAT: Format = Format {
    id: FormatId::new("py-spy"),
    name: "a py-spy dump",
    looked_for: "lines `Thread N (idle): \"name\"`, or JSON with `owns_gil`",
    about: About {
        producer: "py-spy 0.3 and 0.4: dump, also with --native, --locals, --subprocesses and --json",
        reads: "threads with id, name, idle or active, who has the GIL; frames of Python and, with --native, of C; pid, command line, version",
        never: "which lock a thread waits for and who has it; what `idle` waits for beyond its frames; with the GIL of 3.12 and newer often no owner",
        capture: "py-spy dump --native --pid PID",
    },
    reader: Reader::Text {
        anchors: &[
            "(idle)",
            "(active)",
            "(active+gil)",
            "(idle+gil)",
            VERSION,
            json::QUOTED,
            "\\\"owns_gil\\\"",
        ],
        confirm,
        parse,
    },
};

fn parse(section: &Section<'_>) -> Vec<Snapshot> {
    let mut all = text::read(&PySpy, FORMAT.id, section);
    all.extend(json::read(section, FORMAT.id));
    all
}

fn confirm(site: &Site<'_>) -> Option<usize> {
    if is_key(site, json::KEY) {
        return json::confirm(site);
    }
    let before = site.before()?;
    if site.rest().starts_with(VERSION.as_bytes()) {
        return introduces_newer(site).then_some(site.at);
    }
    let start = memchr::memmem::rfind(before, BEGIN.as_bytes())?;
    let begin = site.at - (before.len() - start);
    let line = lossy(site.text.get(begin..site.at + site.line().len())?);
    // Inside the JSON of a container the quotes are escaped.
    match memchr::memchr(b'\\', line.as_bytes()) {
        Some(_) => header(&line.replace("\\\"", "\""))?,
        None => header(&line)?,
    };
    Some(begin)
}

/// Whether the line with the version stands above threads of which the first has a header of another form: then no
/// other anchor may be there.
fn introduces_newer(site: &Site<'_>) -> bool {
    let prefix = site.before().map_or(0, <[u8]>::len);
    if version(&lossy(site.line())).is_none() {
        return false;
    }
    let mut lines = site.following_text(2 + LINES_ABOVE_THREADS).filter_map(|line| {
        let own = line.get(prefix.min(line.len())..)?.to_owned();
        (!own.trim().is_empty()).then_some(own)
    });
    let Some(first) = lines.next() else { return false };
    header(&first).is_none() && newer_header(&first, lines.next().as_deref()).is_some()
}

/// Empty lines between the version and the first thread.
const LINES_ABOVE_THREADS: usize = 2;

struct PySpy;

/// What is remembered between threads.
#[derive(Default)]
struct Memory {
    seen: SeenIds,
}

impl Grammar for PySpy {
    type Memory = Memory;
    const MASKS_HEX: bool = false;

    fn may_begin(&self, line: &[u8]) -> bool {
        line.starts_with(BEGIN.as_bytes())
    }

    fn head(&self, line: &str, more: &[u8]) -> Option<Head> {
        header(line).or_else(|| {
            let next = text::first_line(more);
            let next = lossy(next.get(..next.len().min(text::LONGEST_LINE)).unwrap_or(next));
            newer_header(line, Some(next.trim_end()))
        })
    }

    fn in_block(&self, line: &str) -> InBlock {
        if process(line).is_some() || version(line).is_some() {
            return InBlock::Ends;
        }
        // Eight blanks and more: the values of locals.
        if line.starts_with("        ") {
            return InBlock::Noise;
        }
        if frame(line).is_some() { InBlock::Body } else { InBlock::Unknown }
    }

    fn outside(&self, line: &str, _section: Option<&'static str>) -> Outside {
        if process(line).is_some() || version(line).is_some() { Outside::Event } else { Outside::Unknown }
    }

    fn body(&self, block: &[BlockLine<'_>]) -> Body {
        Body { frames: block.iter().filter_map(|l| Some(frame(l.text)?.into())).collect(), ..Body::default() }
    }

    fn on_thread(&self, memory: &mut Memory, dumps: &mut Dumps, thread: &Thread, offset: u64) -> bool {
        if !memory.seen.insert(&thread.id) {
            dumps.end();
            memory.seen.clear();
            memory.seen.insert(&thread.id);
        }
        let threads = dumps.current(offset).snapshot.threads.len();
        debug_assert!(threads < memory.seen.len());
        true
    }

    fn on_event(&self, memory: &mut Memory, dumps: &mut Dumps, line: &str, offset: u64) {
        if let Some((pid, command)) = process(line) {
            memory.seen.clear();
            let process = &mut dumps.begin(offset).snapshot.process;
            process.pid = Some(pid);
            process.command_line = Some(command.into());
        } else if let (Some(version), Some(building)) = (version(line), dumps.open()) {
            building.snapshot.process.runtime = Some(format!("Python {version}").into());
        }
    }
}

/// `Process 96595: python f.py 2`.
fn process(line: &str) -> Option<(u32, &str)> {
    let (pid, command) = line.strip_prefix("Process ")?.split_once(": ")?;
    Some((pid.parse().ok()?, command.trim()))
}

/// How the line with the version begins.
const VERSION: &str = "Python v";

/// `Python v3.11.2 (/usr/bin/python3.11)`.
fn version(line: &str) -> Option<&str> {
    let (version, _) = line.strip_prefix(VERSION)?.split_once(" (")?;
    Some(version)
}

/// What py-spy says a thread does. `idle` is whoever does not run: lock, sleep and input alike. A thread that wakes up
/// and tries for the GIL every five milliseconds is `active` in whatever call it sleeps.
static STATES: &[(&str, ReportedState)] = &[
    ("idle", ReportedState::Asleep),
    ("active", ReportedState::RunningOrNative),
    ("active+gil", ReportedState::Running),
    ("idle+gil", ReportedState::Asleep),
];

/// What a word for a state has behind it where the thread has the GIL.
const WITH_GIL: &str = "gil";

/// Reads a header.
///
/// ```text
/// Thread 96600 (active+gil): "spin"
/// Thread 0x7F768F77C740 (idle): "MainThread"                the pthread address, where the kernel's id is not known
/// Thread 14479 (idle)                                       without a name
/// ```
fn header(line: &str) -> Option<Head> {
    let (id, rest) = split_once(line.strip_prefix(BEGIN)?, " (")?;
    let (words, rest) = rest.split_once(')')?;
    let (_, state) = STATES.iter().find(|(word, _)| *word == words)?;
    let name = match rest {
        "" => None,
        _ => Some(rest.strip_prefix(": \"")?),
    };
    let mut thread = thread(id)?;
    thread.name = name.map(unquoted);
    thread.reported = Some(*state);
    let holds = if words.ends_with("+gil") { vec![python::gil_hold()] } else { Vec::new() };
    Some(Head { holds, ..Head::of(thread) })
}

/// How a header begins.
const BEGIN: &str = "Thread ";

/// Reads a header of another form, which begins a thread all the same: what is known of it, and what is left. `next`:
/// the line below, which is a frame unless the header differs in the word for the state alone.
///
/// ```text
/// Thread 96602 (dozing+gil): "worker"
/// Thread 96602 [core 3] (idle): "worker"
/// ```
fn newer_header(line: &str, next: Option<&str>) -> Option<Head> {
    let (id, rest) = line.strip_prefix(BEGIN)?.split_once(' ')?;
    let mut thread = thread(id)?;
    let (fields, name) = rest.split_once(": \"").map_or((rest, None), |(fields, name)| (fields, Some(name)));
    thread.name = name.map(unquoted);
    let is_word = |text: &str| {
        !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'_'))
    };
    let only =
        fields.strip_prefix('(').and_then(|words| words.strip_suffix(')')).filter(|words| is_word(words));
    if only.is_none() && frame(next?).is_none() {
        return None;
    }
    let in_brackets = |text: &str| fields.find(&format!("({text})")).map(|at| (at, text.len() + 2));
    let (words, left) = match (only, STATES.iter().find_map(|(words, _)| Some((*words, in_brackets(words)?))))
    {
        (Some(words), _) => (words, String::new()),
        (None, Some((words, (at, length)))) => {
            (words, [fields.get(..at)?.trim(), fields.get(at + length..)?.trim()].join(" ").trim().to_owned())
        }
        (None, None) => ("", fields.to_owned()),
    };
    let state = |words: &str| STATES.iter().find(|(word, _)| *word == words).map(|(_, state)| *state);
    let (first, flags) = words.split_once('+').unwrap_or((words, ""));
    let has_gil = flags.split('+').any(|flag| flag == WITH_GIL);
    thread.reported = state(words).or_else(|| state(first)).or(Some(ReportedState::Unclear));
    let unknown = if state(words).is_some() { left } else { format!("{words} {left}").trim().to_owned() };
    let holds = if has_gil { vec![python::gil_hold()] } else { Vec::new() };
    Some(Head { holds, unknown: (!unknown.is_empty()).then_some(unknown), ..Head::of(thread) })
}

/// A name without the quote behind it; it may go on in the next line.
fn unquoted(name: &str) -> Str {
    name.strip_suffix('"').unwrap_or(name).into()
}

/// The thread with this id: the kernel's, or the pthread address.
fn thread(id: &str) -> Option<Thread> {
    let Some(hex) = id.strip_prefix("0x") else { return Some(with_kernel_id(id.parse().ok()?)) };
    let mut thread = Thread::new(ThreadId::Text(id.into()));
    thread.handle = Some(u64::from_str_radix(hex, 16).ok()?);
    Some(thread)
}

fn with_kernel_id(id: u64) -> Thread {
    let mut thread = Thread::new(ThreadId::Number(id));
    thread.tid = u32::try_from(id).ok();
    thread
}

/// Reads a frame.
///
/// ```text
///     Condition.wait (threading.py:320)
///     PyThread_acquire_lock_timed (libpython3.11.so.1.0)
///     0x7f52da8a3f16 (libc.so.6)
/// ```
fn frame(line: &str) -> Option<Frame> {
    let (function, place) = rsplit_once(line.strip_prefix("    ")?.strip_suffix(')')?, " (")?;
    if function.is_empty() || function.starts_with(' ') {
        return None;
    }
    let (file, number) = match place.rsplit_once(':') {
        Some((file, number)) if number.parse::<u32>().is_ok() => (file, number.parse().ok()),
        _ => (place, None),
    };
    let is_source = number.is_some() || file.ends_with(".py");
    let address = function.strip_prefix("0x").and_then(|hex| u64::from_str_radix(hex, 16).ok());
    let name = if address.is_some() { "" } else { function };
    let mut frame = python::frame(name, is_source.then_some(file), number);
    frame.module = (!is_source).then(|| file.into());
    frame.address = address;
    Some(frame)
}

#[cfg(test)]
mod tests;
