//! What `sample` and `spindump` of macOS saw of a process over some seconds: for each thread a tree of calls with the
//! number of samples in each.
//!
//! A thread's stack is the heaviest path of its tree. With all samples on it the thread is stuck there.
//!
//! Source: sample 6 and 7 (Mac OS X 10.6 to macOS 15), spindump 15 to 56 (10.7 to macOS 15) and hang reports.

mod blocked;
mod header;
mod tree;

use super::apple;
use super::text::{
    self, BlockLine, Body, Building, Dumps, Grammar, Head, InBlock, Outside, OwnerRef, Section, Site,
};
use super::{About, Format, Reader};
use crate::model::{Arch, FormatId, GapKind, LockId, Snapshot, Str, Thread, ThreadId, ThreadIx, lossy};

/// The row of this format.
pub const FORMAT: Format = Format {
    id: FormatId::new("apple-sample"),
    name: "a sample or spindump of macOS",
    looked_for: "a line `Analysis of sampling …`, or lines `Thread 0xeac … 101 samples (1-101)`",
    about: About {
        producer: "sample 6 and 7 (Mac OS X 10.6 to macOS 15), spindump 15 to 56, hang and shutdown-stall reports",
        reads: "threads with names and queues, the path on which they were most often; CPU time, and the owner of what a thread is blocked by, where spindump says so",
        never: "which lock it is; what threads hold; idle work queue threads, which spindump leaves out",
        capture: "sudo spindump PID 10 -o FILE (with owners), or sample PID 10 -file FILE",
    },
    reader: Reader::Text { anchors: &["Analysis of sampling ", " Thread_", THREAD], confirm, parse },
};

fn parse(section: &Section<'_>) -> Vec<Snapshot> {
    text::read(&Sample, FORMAT.id, section)
}

fn confirm(site: &Site<'_>) -> Option<usize> {
    let before = site.before()?;
    let rest = site.rest();
    if rest.starts_with(b"Analysis") {
        return Some(site.at);
    }
    let line = lossy(site.line()).into_owned();
    let known = lossy(before).into_owned();
    let is_of_sample = rest.starts_with(b" Thread_");
    let start = match is_of_sample {
        // `    825 Thread_15758523   DispatchQueue_1: …`
        true => known.trim_end_matches(|c: char| c.is_ascii_digit()).len(),
        // `  Thread 0xeac    DispatchQueue "com.apple.main-thread"(1)    101 samples (1-101)`
        false => known.len() + 1,
    };
    let text = format!("{known}{line}");
    let indentation = text.get(..start)?.bytes().rev().take_while(|b| *b == b' ').count().min(4);
    header::read(text.get(start - indentation..)?)?;
    // `  Thread 0xaccef1   DispatchQueue 1          priority 46`, with a tree below
    let is_above_tree = || site.following(2).filter_map(|line| line.get(before.len()..)).any(is_tree);
    if !is_of_sample && !header::counts_samples(&line) && !is_above_tree() {
        return None;
    }
    // Text that is no UTF-8 is longer once it is shown.
    (known.len() == before.len()).then(|| site.at - before.len() + start - indentation)
}

/// How the header of a thread of spindump begins.
const THREAD: &str = " Thread 0x";

fn is_tree(line: &[u8]) -> bool {
    tree::is_node(&lossy(line.get(..line.len().min(400)).unwrap_or(line)))
}

/// Lines of the header.
fn is_of_header(text: &str) -> bool {
    text.starts_with("Analysis of sampling ") || FIELDS.iter().any(|(field, _)| text.starts_with(field))
}

/// What begins the sections behind the threads.
fn is_behind(text: &str) -> bool {
    TITLES.iter().any(|title| text.starts_with(title))
}

struct Sample;

/// What is remembered between threads.
#[derive(Default)]
struct Memory {
    /// Of the whole report.
    time: Option<String>,
    os: Option<Str>,
    /// Of the process.
    name: Option<Str>,
    pid: Option<u32>,
    path: Option<String>,
    arch: Option<Arch>,
    /// Idle threads that were left out.
    omitted: u64,
    /// Whether the system says that the process did not respond: its main thread, which is listed first.
    is_unresponsive: bool,
}

/// Sections outside of threads.
const HEADER: &str = "header";
const OTHER: &str = "other sections";

impl Grammar for Sample {
    type Memory = Memory;
    const MASKS_HEX: bool = false;

    fn may_begin(&self, line: &[u8]) -> bool {
        line.starts_with(b" ") && {
            let text = line.trim_ascii_start();
            text.starts_with(b"Thread 0x")
                || text.first().is_some_and(u8::is_ascii_digit)
                    && memchr::memmem::find(text, b" Thread_").is_some()
        }
    }

    fn head(&self, line: &str, _more: &[u8]) -> Option<Head> {
        header::read(line)
    }

    fn in_block(&self, line: &str) -> InBlock {
        if tree::is_node(line) {
            return InBlock::Body;
        }
        // `  <thread QoS user initiated (requested user initiated), process suppressed, timers tier 5 (throttled)>`
        let text = line.trim();
        if text.starts_with('<') && text.ends_with('>') {
            return InBlock::Noise;
        }
        // Lines of a log stand in between too.
        let is_title = apple::is_title(line) || line.starts_with("---") || is_of_header(line);
        if is_title || is_behind(text) { InBlock::Ends } else { InBlock::Unknown }
    }

    fn outside(&self, line: &str, section: Option<&'static str>) -> Outside {
        let text = line.trim_start();
        if is_of_header(text) {
            return Outside::Section(HEADER);
        }
        if is_behind(text) {
            return Outside::Section(OTHER);
        }
        if section.is_some() { Outside::Noise } else { Outside::Unknown }
    }

    fn body(&self, block: &[BlockLine<'_>]) -> Body {
        tree::body(block)
    }

    fn breaks_off(&self, line: &str) -> bool {
        !line.ends_with([')', ']'])
    }

    fn on_thread(&self, memory: &mut Memory, dumps: &mut Dumps, _thread: &Thread, offset: u64) -> bool {
        tell(memory, dumps.current(offset), offset);
        true
    }

    fn on_event(&self, memory: &mut Memory, dumps: &mut Dumps, line: &str, _offset: u64) {
        let text = line.trim_start();
        if text.starts_with("Analysis of sampling ") {
            self.close(memory, dumps);
            *memory = Memory::default();
        }
        let Some((name, fact)) = FIELDS.iter().find(|(field, _)| text.starts_with(field)) else { return };
        if *name == "Process:" {
            self.close(memory, dumps);
        }
        fact(memory, text.get(name.len()..).unwrap_or_default().trim());
    }

    fn on_end(&self, memory: &mut Memory, dumps: &mut Dumps) {
        self.close(memory, dumps);
    }
}

impl Sample {
    fn close(&self, memory: &mut Memory, dumps: &mut Dumps) {
        if let Some(building) = dumps.open() {
            once_each(building);
            rings(building);
            if memory.is_unresponsive {
                building.snapshot.process.unresponsive = Some(ThreadIx(0));
            }
        }
        dumps.end();
        let of_report = Memory { time: memory.time.take(), os: memory.os.take(), ..Memory::default() };
        *memory = of_report;
    }
}

/// spindump lists a thread once for each queue that it worked for, the one with the most samples first.
fn once_each(building: &mut Building) {
    let mut seen = rustc_hash::FxHashSet::default();
    building.snapshot.threads.retain(|thread| match &thread.id {
        ThreadId::Text(id) => seen.insert(id.clone()),
        ThreadId::Number(_) => true,
    });
}

/// The kernel says of each member of a ring that it is part of a deadlock.
fn rings(building: &mut Building) {
    let snapshot = &building.snapshot;
    let in_ring = |thread: &&Thread| {
        let lock = thread.reported_wait.and_then(|wait| snapshot.named_locks.get(wait.lock.at()));
        lock.is_some_and(|lock| matches!(&lock.id, LockId::Token(token) if &**token == blocked::RING))
    };
    let members: Vec<OwnerRef> =
        snapshot.threads.iter().filter(in_ring).map(|t| OwnerRef::Id(t.id.clone())).collect();
    if members.len() > 1 {
        building.ring(members);
    }
}

/// Reads a field behind its name.
type Fact = fn(&mut Memory, &str);

/// Fields of the header and of each process.
static FIELDS: &[(&str, Fact)] = &[
    ("Process:", |m, text| (m.name, m.pid) = apple::process(text)),
    ("Command:", |m, text| m.name = m.name.take().or_else(|| Some(text.into()))),
    ("Path:", |m, text| m.path = Some(text.to_owned())),
    ("Code Type:", |m, text| m.arch = apple::arch(text)),
    ("Architecture:", |m, text| m.arch = apple::arch(text)),
    ("Date/Time:", |m, text| m.time = Some(text.to_owned())),
    ("OS Version:", |m, text| m.os = apple::system(text).map(Str::from)),
    // `12 idle work queue threads omitted`
    ("Note:", |m, text| {
        // `Unresponsive for 77 seconds before sampling`, `Unresponsive`
        m.is_unresponsive |= text.starts_with("Unresponsive");
        if text.contains("omitted") {
            m.omitted += text.split(' ').next().and_then(|n| n.parse::<u64>().ok()).unwrap_or(1);
        }
    }),
];

static TITLES: &[&str] = &[
    "Binary Images:",
    "Total number in stack",
    "Sort by top of stack",
    "Call graph:",
    "Heaviest stack",
    "Sample analysis",
];

fn tell(memory: &mut Memory, building: &mut Building, offset: u64) {
    let snapshot = &mut building.snapshot;
    let process = &mut snapshot.process;
    process.name = process.name.take().or_else(|| memory.name.take());
    process.pid = process.pid.or(memory.pid.take());
    process.arch = process.arch.or(memory.arch.take());
    process.command_line = process.command_line.take().or_else(|| memory.path.take().map(Str::from));
    process.os = process.os.take().or_else(|| memory.os.clone());
    process.captured_at = process.captured_at.take().or_else(|| memory.time.clone().map(Str::from));
    if memory.omitted > 0 {
        // They wait for work: nothing can hide in them, but the counts are lower bounds.
        snapshot.is_complete = false;
        let message = "idle work queue threads were left out by the producer";
        snapshot.gaps.add_many(GapKind::Limit, message, memory.omitted, Some(offset));
        memory.omitted = 0;
    }
}

#[cfg(test)]
mod tests;
