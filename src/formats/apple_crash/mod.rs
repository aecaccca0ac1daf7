//! Crash reports of macOS, iOS and their relatives as text, up to macOS 11 and iOS 14, and what tools and libraries
//! (KSCrash, PLCrashReporter, Console) still write like them.
//!
//! Source: reports of the versions 4, 6 to 12 and 104; Apple's "Examining the fields in a crash report".

mod fields;
mod header;

use rustc_hash::FxHashMap;

use fields::{FIRST, TERMINATION, number};

use super::apple::{self, Exception, Termination, frame, thrown};
use super::text::{self, BlockLine, Body, Dumps, Grammar, Head, InBlock, Outside, Section, Site};
use super::{About, Format, Reader};
use crate::model::{
    Failure, FailureKind, FormatId, Frame, GapKind, Process, Snapshot, Thread, ThreadId, ThreadIx, lossy,
};

/// The row of this format.
pub const FORMAT: Format = Format {
    id: FormatId::new("apple-crash"),
    name: "a crash report of Apple's systems",
    looked_for: "`Crashed Thread:`, `Triggered by Thread:`, or lines `Thread 0 Crashed:`",
    about: About {
        producer: "ReportCrash of Mac OS X 10.4 to macOS 11 and iOS 4 to 14; KSCrash, PLCrashReporter; .ips reports translated to text",
        reads: "threads with names and queues, frames with images, symbols, files and lines; the exception, its address, messages of the process, the reason of a termination",
        never: "who holds a lock; states and CPU time of threads; names of functions that were not symbolicated",
        capture: "~/Library/Logs/DiagnosticReports; for a hang: sample PID, or sudo spindump PID",
    },
    reader: Reader::Text { anchors: &["Crashed Thread:", "Triggered by Thread:", "Thread "], confirm, parse },
};

fn parse(section: &Section<'_>) -> Vec<Snapshot> {
    text::read(&Crash, FORMAT.id, section)
}

/// How the headers of gdb and py-spy go on: `Thread 3 (Thread 0x7f…`, `Thread 10726 (idle)`.
const FOREIGN: [&[u8]; 5] = [b" (Thread ", b" (LWP ", b" (process ", b" (idle", b" (active"];

fn confirm(site: &Site<'_>) -> Option<usize> {
    let rest = site.rest();
    if !rest.starts_with(b"Thread ") {
        return Some(site.at);
    }
    let digits = rest.iter().skip(b"Thread ".len()).take_while(|b| b.is_ascii_digit()).count();
    let behind = rest.get(b"Thread ".len() + digits..)?;
    if digits == 0 || behind.starts_with(b"x") || FOREIGN.iter().any(|start| behind.starts_with(start)) {
        return None;
    }
    header::read(&lossy(site.line()), b"")?;
    // Of a line of JSON the string is read, which has no prefix.
    let prefix = if site.string_start().is_some() { 0 } else { site.before()?.len() };
    let is_frame = |line: &[u8]| {
        let line = line.get(prefix.min(line.len())..).unwrap_or_default();
        let line = lossy(line.get(..line.len().min(4096)).unwrap_or_default());
        frame::read(line.trim_start()).is_some()
    };
    site.following_text(2).any(|line| is_frame(line.as_bytes())).then_some(site.at)
}

struct Crash;

/// What is remembered between threads.
#[derive(Default)]
struct Memory {
    process: Process,
    exception: Exception,
    crashed: Option<u64>,
    stack_pointer: Option<u64>,
    termination: Termination,
    /// The lines are reasons of the termination.
    is_reason: bool,
    /// There is the backtrace of the last exception.
    has_exception: bool,
    /// The backtrace of an exception, and whether its lines are at hand.
    thrown: Vec<Frame>,
    is_thrown: bool,
    /// Which thread crashed, as the title of its registers says.
    registers_of: Option<u64>,
    /// A header says that its thread crashed.
    says_crashed: bool,
    /// The places of threads by their numbers.
    place: FxHashMap<u64, u32>,
}

/// Messages of the process.
const MESSAGES: &str = "messages";
/// Reasons of the termination.
const REASONS: &str = "reasons";
/// The backtrace of an exception.
const THROWN: &str = "backtrace of an exception";
/// Registers of the thread that crashed.
const REGISTERS: &str = "registers";
/// Sections that say nothing of threads.
const OTHER: &str = "other sections";
/// The lines at the begin.
const HEADER: &str = "header";

impl Grammar for Crash {
    type Memory = Memory;
    const MASKS_HEX: bool = false;

    fn may_begin(&self, line: &[u8]) -> bool {
        line.starts_with(b"Thread ")
    }

    fn head(&self, line: &str, more: &[u8]) -> Option<Head> {
        header::read(line, more)
    }

    fn in_block(&self, line: &str) -> InBlock {
        if frame::read(line.trim_start()).is_some() {
            return InBlock::Body;
        }
        // `Thread 0 crashed with X86 Thread State (64-bit):`, `Binary Images:`; lines of a log stand in between too.
        if is_title(line) || fields::field(line).is_some() || apple::is_title(line) {
            InBlock::Ends
        } else {
            InBlock::Unknown
        }
    }

    fn outside(&self, line: &str, section: Option<&'static str>) -> Outside {
        if TITLES.iter().any(|title| line.starts_with(title)) {
            return Outside::Section(MESSAGES);
        }
        if is_registers(line) {
            return Outside::Section(REGISTERS);
        }
        if thrown::is_title(line) {
            return Outside::Section(THROWN);
        }
        if OTHERS.iter().any(|title| line.starts_with(title)) {
            return Outside::Section(OTHER);
        }
        if TERMINATION.iter().any(|field| line.starts_with(field)) {
            return Outside::Section(REASONS);
        }
        if fields::field(line).is_some() {
            return Outside::Section(HEADER);
        }
        match section {
            Some(MESSAGES | REGISTERS | REASONS | THROWN) => Outside::Event,
            Some(OTHER | HEADER) => Outside::Noise,
            _ => Outside::Unknown,
        }
    }

    fn body(&self, block: &[BlockLine<'_>]) -> Body {
        let frames =
            block.iter().filter_map(|line| frame::read(line.text.trim_start())).map(Into::into).collect();
        Body { frames, ..Body::default() }
    }

    fn on_thread(&self, memory: &mut Memory, dumps: &mut Dumps, thread: &Thread, offset: u64) -> bool {
        let ThreadId::Number(number) = thread.id else { return true };
        if memory.place.contains_key(&number) {
            self.close(memory, dumps);
        }
        let next = memory.place.len() as u32;
        memory.place.insert(number, next);
        memory.is_thrown = false;
        if thread.is_running {
            memory.crashed = Some(number);
        }
        dumps.current(offset);
        true
    }

    fn on_event(&self, memory: &mut Memory, dumps: &mut Dumps, line: &str, _offset: u64) {
        if line == header::CRASHED {
            memory.says_crashed = true;
            return;
        }
        if memory.is_thrown
            && let Some(frame) = frame::read(line.trim_start())
        {
            memory.thrown.push(frame);
            return;
        }
        let is_of_reason = std::mem::take(&mut memory.is_reason);
        let Some((name, text, fact)) = fields::field(line) else {
            if is_registers(line) {
                memory.registers_of = memory
                    .registers_of
                    .or_else(|| number(line.strip_prefix("Thread ")?.split_once(" crashed with ")?.0));
            } else if is_of_reason && !is_title(line) {
                memory.termination.line(line);
                memory.is_reason = true;
            }
            memory.has_exception |= thrown::is_last(line);
            if thrown::is_title(line) {
                // Of several the first, which the others only wrap.
                memory.is_thrown = memory.thrown.is_empty() || thrown::is_last(line);
                if memory.is_thrown {
                    memory.thrown.clear();
                }
            } else if is_title(line) {
                memory.is_thrown = false;
            }
            memory.stack_pointer = memory.stack_pointer.or_else(|| stack_pointer(line));
            // A line of the messages.
            if let Some(failure) = apple::failure(line) {
                memory.process.failure.get_or_insert(failure);
            }
            return;
        };
        memory.is_thrown = false;
        if FIRST.contains(&name) && !memory.place.is_empty() {
            self.close(memory, dumps);
        }
        fact(memory, text);
    }

    fn on_end(&self, memory: &mut Memory, dumps: &mut Dumps) {
        self.close(memory, dumps);
    }
}

impl Crash {
    fn close(&self, memory: &mut Memory, dumps: &mut Dumps) {
        let memory = std::mem::take(memory);
        if let Some(building) = dumps.open() {
            let crashed = memory.crashed.or(memory.registers_of);
            let thread = crashed.and_then(|number| memory.place.get(&number).copied()).map(ThreadIx);
            for thread in &mut building.snapshot.threads {
                thread.is_running = false;
            }
            let mut process = memory.process;
            process.signal = memory.exception.signal();
            if let Some(signal) = &mut process.signal {
                signal.thread = thread;
                signal.stack_pointer = memory.stack_pointer;
            }
            process.failure = memory.termination.failure().or(process.failure);
            process.failure = process.failure.or_else(|| memory.exception.failure());
            process.failure = memory.exception.settle(process.failure);
            if memory.has_exception && process.failure.is_none() {
                process.failure = apple::uncaught(process.signal.as_ref());
            }
            let unexplained_of = memory.registers_of.or(memory.crashed.filter(|_| memory.says_crashed));
            if let (Some(_), true, None) =
                (unexplained_of, memory.exception.name.is_empty(), &process.failure)
            {
                process.failure = Some(unexplained());
                let message = "the begin of the report is missing, which says why";
                building.snapshot.gaps.add(GapKind::Truncated, message, None);
            }
            if let Some(failure) = &mut process.failure {
                failure.thread = thread;
                // The watchdog waits for the main thread.
                let is_watched = apple::is_of_watchdog(failure);
                process.unresponsive = memory.place.get(&0).copied().map(ThreadIx).filter(|_| is_watched);
            }
            building.snapshot.process = process;
            thrown::tell(&mut building.snapshot, &memory.thrown);
        }
        dumps.end();
    }
}

/// What begins the messages of the process.
static TITLES: &[&str] = &[
    "Application Specific Information:",
    "Application Specific Signatures:",
    "Dyld Error Message:",
    "Additional Diagnostic Information:",
];

/// Titles of sections that say nothing of threads.
static OTHERS: &[&str] = &[
    "Binary Images:",
    "Binary Images Description:",
    "VM Regions Near",
    "VM Region Info:",
    "VM Region Summary:",
    "External Modification Summary:",
    "Model:",
    "Logical CPU:",
    "Error Code:",
    "Trap Number:",
    "Thread State",
    "Kernel Triage:",
    "Filtered syslog:",
    "Extra Information:",
    "Stack Dump",
    "Notable Addresses:",
    "CrashDoctor Diagnosis:",
    "Full Report",
    "Bulk crash",
    "EOF",
];

/// Whether a line begins a section whose title is known.
fn is_title(line: &str) -> bool {
    is_registers(line)
        || thrown::is_title(line)
        || [TITLES, OTHERS].into_iter().flatten().any(|title| line.starts_with(title))
}

/// `Thread 0 crashed with X86 Thread State (64-bit):`.
fn is_registers(line: &str) -> bool {
    line.starts_with("Thread ") && line.contains("Thread State")
}

/// `  rdi: 0x0000010000000203  rsi: 0x…  rbp: 0x…  rsp: 0x00007fff65026e60`.
fn stack_pointer(line: &str) -> Option<u64> {
    let mut words = line.split_ascii_whitespace();
    words.find(|word| matches!(*word, "rsp:" | "sp:" | "esp:"))?;
    u64::from_str_radix(words.next()?.strip_prefix("0x")?, 16).ok()
}

/// `Thread 0 crashed with X86 Thread State (64-bit):` of a report whose begin is missing.
fn unexplained() -> Failure {
    Failure { kind: FailureKind::Crashed, message: "".into(), thread: None }
}

#[cfg(test)]
mod tests;
