//! What debuggers print of .NET: `clrstack -all` of dotnet-dump and SOS, `~*e !clrstack` of WinDbg, with the tables of
//! `syncblk` and the trees of `pstacks`.
//!
//! Source: dotnet/diagnostics src/SOS/Strike/strike.cpp (ClrStack, SyncBlk), 5 to 9; the extension pstacks of
//! chrisnas/DebuggingExtensions, which dotnet-dump took over.

mod pstacks;
mod syncblk;

use super::dotnet;
use super::text::{self, BlockLine, Body, Dumps, Grammar, Head, InBlock, Outside, Section, SeenIds, Site};
use super::{About, Format, Reader};
use crate::model::{FormatId, Snapshot, StackEnd, Thread, ThreadId, lossy};

/// The row of this format.
pub const FORMAT: Format = Format {
    id: FormatId::new("clrstack"),
    name: "stacks of .NET by SOS",
    looked_for: "lines `OS Thread Id: 0x1a2b (3)`, the table of syncblk, or `~~~~` of pstacks",
    about: About {
        producer: "dotnet-dump 5 to 9 (clrstack -all, syncblk, pstacks), SOS in WinDbg and lldb (~*e !clrstack, !syncblk)",
        reads: "threads with the id of the operating system and their managed frames; monitors with owner and number of waiters, where syncblk was printed; groups of threads of pstacks",
        never: "locks that nobody waits for (thin locks); which of several contended monitors a thread waits for; names and states of threads",
        capture: "dotnet-dump collect -p PID; dotnet-dump analyze FILE -c 'clrstack -all' -c syncblk -c exit",
    },
    reader: Reader::Text { anchors: &["Thread ", "SyncBlock MonitorHeld", "~~~~ "], confirm, parse },
};

fn parse(section: &Section<'_>) -> Vec<Snapshot> {
    text::read(&ClrStack, FORMAT.id, section)
}

fn confirm(site: &Site<'_>) -> Option<usize> {
    // Other formats have threads as well.
    let rest = site.rest();
    if rest.starts_with(b"Thread ") && !rest.starts_with(b"Thread Id: 0x") {
        return None;
    }
    let line = lossy(site.line());
    match line.get(..1)? {
        "T" => {
            let is_header = line.starts_with("Thread Id: 0x") && site.before()?.ends_with(b"OS ");
            header(&format!("OS {line}"), site.following(1).next().unwrap_or_default())
                .filter(|_| is_header)?;
            Some(site.at - "OS ".len())
        }
        // `Index         SyncBlock MonitorHeld Recursion Owning Thread Info …`
        "S" => {
            let before = site.before()?;
            let start = memchr::memmem::find(before, b"Index ")?;
            Some(site.at - (before.len() - start))
        }
        _ => {
            let next = lossy(site.following(1).next()?).into_owned();
            (pstacks::is_marker(&line) && pstacks::is_frame(&next))
                .then(|| site.indented(text::LONGEST_PREFIX))
        }
    }
}

/// `OS Thread Id: 0x1a2c (3)`. `more`: what follows the line.
fn header(line: &str, more: &[u8]) -> Option<Head> {
    let rest = line.strip_prefix("OS Thread Id: ")?;
    let (id, rest) = rest.split_once(' ').unwrap_or((rest, ""));
    let tid = u32::from_str_radix(id.strip_prefix("0x")?, 16).ok()?;
    let mut thread = Thread::new(ThreadId::Text(id.into()));
    thread.tid = Some(tid);
    let mut head = Head::of(thread);
    // The debugger's number, which is -1 or XXX for a thread that has ended.
    let field = match rest.strip_prefix('(').and_then(|rest| rest.split_once(')')) {
        Some((_, after)) => after.trim(),
        None if rest.starts_with('(') => "",
        None => rest.trim(),
    };
    // A field of a release that is not known yet, or prose that names a header and goes on: below a header a stack begins.
    if !field.is_empty() {
        if !begins_stack(more) {
            return None;
        }
        head.unknown = Some(field.to_owned());
    }
    Some(head)
}

/// Whether a stack begins with the first of these lines: with its columns, a frame, or why there is none.
fn begins_stack(more: &[u8]) -> bool {
    let line = lossy(more.split(|b| *b == b'\n').next().unwrap_or_default());
    let text = line.trim();
    COLUMNS.iter().any(|start| text.starts_with(start))
        || call_site(text).is_some()
        || ENDS_OF_STACKS.iter().any(|(start, _)| text.starts_with(start))
}

struct ClrStack;

/// What is remembered between threads.
#[derive(Default)]
struct Memory {
    seen: SeenIds,
    blocks: syncblk::Reader,
    groups: pstacks::Reader,
}

/// Sections outside of threads.
const SYNCBLK: &str = "syncblk";
const PSTACKS: &str = "pstacks";

impl Grammar for ClrStack {
    type Memory = Memory;
    const MASKS_HEX: bool = false;

    fn may_begin(&self, line: &[u8]) -> bool {
        line.starts_with(b"OS Thread Id: 0x")
    }

    fn head(&self, line: &str, more: &[u8]) -> Option<Head> {
        header(line, more)
    }

    fn in_block(&self, line: &str) -> InBlock {
        let text = line.trim_start();
        if call_site(text).is_some() || ENDS_OF_STACKS.iter().any(|(start, _)| text.starts_with(start)) {
            return InBlock::Body;
        }
        if is_outside(text) {
            return InBlock::Ends;
        }
        let is_noise = |starts: &[&str]| starts.iter().any(|start| text.starts_with(start));
        if is_noise(COLUMNS) || is_noise(NOISE) || is_rest_of_message(text) || is_value(text) {
            InBlock::Noise
        } else {
            InBlock::Unknown
        }
    }

    fn outside(&self, line: &str, section: Option<&'static str>) -> Outside {
        let text = line.trim_start();
        if syncblk::is_head(text) {
            return Outside::Section(SYNCBLK);
        }
        if pstacks::is_total(text) || pstacks::is_marker(text) {
            return Outside::Section(PSTACKS);
        }
        match section {
            Some(SYNCBLK) if syncblk::is_row(text) => Outside::Event,
            Some(SYNCBLK) if text.starts_with("---") || text.starts_with("Total") || text.contains("   ") => {
                Outside::Noise
            }
            Some(PSTACKS) if pstacks::is_frame(text) => Outside::Event,
            _ if is_prompt(text) || OTHERS.iter().any(|start| text.starts_with(start)) => Outside::Noise,
            _ => Outside::Unknown,
        }
    }

    fn body(&self, block: &[BlockLine<'_>]) -> Body {
        body(block)
    }

    fn breaks_off(&self, line: &str) -> bool {
        call_site(line).is_some() && !line.ends_with([')', ']'])
    }

    fn on_thread(&self, memory: &mut Memory, dumps: &mut Dumps, thread: &Thread, _offset: u64) -> bool {
        if !memory.seen.insert(&thread.id) {
            self.close(memory, dumps);
            memory.seen.insert(&thread.id);
        }
        true
    }

    fn on_event(&self, memory: &mut Memory, dumps: &mut Dumps, line: &str, offset: u64) {
        let text = line.trim_start();
        if pstacks::is_total(text) {
            memory.groups.total(text);
        } else if syncblk::is_head(text) {
            if !memory.blocks.is_empty() {
                self.close(memory, dumps);
            }
        } else if pstacks::is_marker(text) || pstacks::is_frame(text) {
            if pstacks::is_marker(text) && memory.groups.has_ended() {
                self.close(memory, dumps);
            }
            // A row of syncblk is told by its columns.
            match syncblk::is_row(text) {
                true => memory.blocks.row(text, offset),
                false => memory.groups.line(line, offset),
            }
        } else {
            memory.blocks.row(text, offset);
        }
    }

    fn on_end(&self, memory: &mut Memory, dumps: &mut Dumps) {
        self.close(memory, dumps);
    }
}

impl ClrStack {
    fn close(&self, memory: &mut Memory, dumps: &mut Dumps) {
        let offset = memory.groups.offset().or(memory.blocks.offset());
        if dumps.open().is_some() || offset.is_some() {
            let building = dumps.current(offset.unwrap_or(0));
            if let (true, Some(offset)) = (building.snapshot.threads.is_empty(), offset) {
                building.snapshot.source.offset = offset;
            }
            memory.groups.settle(building);
            memory.blocks.settle(building);
        }
        dumps.end();
        *memory = Memory::default();
    }
}

/// What stands behind the columns of a frame: two numbers of 8 or 16 hex digits, of which the second may be missing.
fn call_site(text: &str) -> Option<&str> {
    let (stack_pointer, rest) = text.split_once(' ')?;
    let is_number = |word: &str| matches!(word.len(), 8 | 16) && word.bytes().all(|b| b.is_ascii_hexdigit());
    if !is_number(stack_pointer) {
        return None;
    }
    let rest = rest.trim_start();
    match rest.split_once(' ') {
        Some((word, after)) if is_number(word) => Some(after.trim()),
        _ if is_number(rest) => Some(""),
        _ => Some(rest),
    }
}

/// Lines that say why a stack could not be walked.
static ENDS_OF_STACKS: &[(&str, StackEnd)] = &[
    ("Unable to walk the managed stack", StackEnd::NotUnwound),
    ("GetFrameContext failed", StackEnd::Reported),
    ("Failed to start stack walk", StackEnd::NotUnwound),
    ("<failed>", StackEnd::Reported),
];

/// Whether a line goes on with why a stack could not be walked (strike.cpp, `ClrStackImpl::ClrStack`).
///
/// ```text
/// Unable to walk the managed stack. The current thread is likely not a
/// managed thread. You can run !clrthreads to get a list of managed threads in
/// the process
/// ```
fn is_rest_of_message(text: &str) -> bool {
    text.starts_with("managed thread. You can run ") || text.trim_end() == "the process"
}

/// How the line begins that names the columns of a stack.
static COLUMNS: &[&str] = &["Child SP", "Child-SP", "ESP ", "RSP ", "SP "];

/// Lines of a block without a meaning, without their indentation.
static NOISE: &[&str] = &["PARAMETERS:", "LOCALS:", "<no data>", "Stack walk complete", "---", "==="];

/// How the outputs of other commands begin.
static OTHERS: &[&str] = &[
    "---",
    "___",
    "Total ",
    "CCW ",
    "RCW ",
    "ComClassFactory ",
    "Free ",
    "ThreadCount:",
    "UnstartedThread:",
    "BackgroundThread:",
    "PendingThread:",
    "DeadThread:",
    "Hosted Runtime:",
    "DBG ",
    "Loading core dump",
    "Ready to process",
    "Type 'help'",
    "Statistics:",
    "MT ",
    "Address ",
    "Number of GC Heaps",
    "Exception object:",
    "SyncBlocks to be cleaned up:",
    "Heap ",
    "generation ",
    "logStart:",
    "Thread pool",
];

/// Whether a line belongs to another command.
fn is_outside(text: &str) -> bool {
    syncblk::is_head(text)
        || pstacks::is_total(text)
        || pstacks::is_marker(text)
        || is_prompt(text)
        || OTHERS.iter().any(|start| !start.starts_with('-') && text.starts_with(start))
}

/// `> syncblk`, `0:000> !syncblk`, `(lldb) clrstack`.
fn is_prompt(text: &str) -> bool {
    let debugger =
        text.split_once("> ").is_some_and(|(p, _)| p.bytes().all(|b| b.is_ascii_digit() || b == b':'));
    debugger || text == ">" || text.starts_with("(lldb)")
}

/// Registers and arguments of `clrstack -a -r`: `rsp=000000d729dff8a8 rbp=…`, `this (0x…) = 0x…`.
fn is_value(text: &str) -> bool {
    let is_register = |word: &str| word.split_once('=').is_some_and(|(name, _)| name.len() <= 4);
    text.contains(") = ")
        || text.contains(" = 0x")
        || text.contains(" = <no data>")
        || text.split(' ').all(is_register)
}

fn body(block: &[BlockLine<'_>]) -> Body {
    let mut body = Body::default();
    for line in block {
        let text = line.text.trim_start();
        if let Some((_, end)) = ENDS_OF_STACKS.iter().find(|(start, _)| text.starts_with(start)) {
            body.end = *end;
        } else if let Some(frame) = call_site(text).and_then(dotnet::frame) {
            // Tables of other commands have two such columns as well.
            let is_call =
                frame.module.is_some() || frame.function.as_deref().is_some_and(|f| f.contains('('));
            body.frames.extend(is_call.then(|| frame.into()));
        }
    }
    body
}

#[cfg(test)]
mod tests;
