//! Tombstones of Android, and the backtraces of `debuggerd -b`.
//!
//! Source: AOSP 4.4 to 15 system/core/debuggerd/libdebuggerd: tombstone.cpp, tombstone_proto_to_text.cpp,
//! backtrace.cpp; libunwindstack/Unwinder.cpp (`FormatFrame`).

mod frame;
mod head;

use super::text::words::number;
use super::text::{
    self, BlockLine, Body, Building, Dumps, Grammar, Head, InBlock, Outside, Section, SeenIds, Site,
    is_limited,
};
use super::{About, Format, Reader};
use crate::model::{
    Arch, Failure, FailureKind, FormatId, Process, Signal, Snapshot, Str, Thread, ThreadIx, lossy,
};

/// The row of this format.
pub const FORMAT: Format = Format {
    id: FormatId::new("tombstone"),
    name: "a tombstone of Android",
    looked_for: "lines `pid: N, tid: N, name: …  >>> … <<<` or `\"…\" sysTid=N`",
    about: About {
        producer: "debuggerd of Android 4.4 to 15: tombstones in files and in logcat, debuggerd -b, ANR traces of native processes",
        reads: "threads with TID and name, frames with module and offset, signal, fault address, abort message, command",
        never: "arguments and sources, which lock a thread waits for, who holds it; in logcat any thread but the one that crashed",
        capture: "debuggerd -b PID; adb pull /data/tombstones",
    },
    reader: Reader::Text { anchors: &["pid: ", " sysTid="], confirm, parse },
};

fn parse(section: &Section<'_>) -> Vec<Snapshot> {
    text::read(&Tombstone, FORMAT.id, section)
}

/// A header of a thread, not the `| sysTid=` of ART's.
fn confirm(site: &Site<'_>) -> Option<usize> {
    let line = lossy(site.line());
    if line.starts_with("pid: ") {
        return head::tombstone(&line).map(|_| site.at);
    }
    let before = lossy(site.before()?).into_owned();
    let start = before.find('"')?;
    head::backtrace(&format!("{}{line}", before.get(start..)?))?;
    let is_frame = |line: &[u8]| memchr::memmem::find(line, b"#00 pc ").is_some();
    site.following(3).any(is_frame).then(|| site.at - site.before().unwrap_or_default().len() + start)
}

struct Tombstone;

#[derive(Default)]
struct Memory {
    process: Process,
    /// What the header of the thread says that comes next.
    death: Option<head::Death>,
    /// What libc said of a thread before.
    fatal: Option<(u64, Signal)>,
    /// What ran, as the header of a thread names it.
    command: Option<Str>,
    seen: SeenIds,
    pid: Option<u64>,
    /// A file has sections after the first thread, logcat has none.
    is_file: bool,
}

impl Grammar for Tombstone {
    type Memory = Memory;
    const MASKS_HEX: bool = false;

    fn may_begin(&self, line: &[u8]) -> bool {
        matches!(line.trim_ascii_start().first(), Some(b'p' | b'"'))
    }

    fn head(&self, line: &str, more: &[u8]) -> Option<Head> {
        let line = line.trim_start();
        if let Some(title) = head::tombstone(line) {
            let (death, more, unknown) = head::death(&title, more);
            return Some(Head { more, event: Some(death), unknown, ..Head::of(title.thread) });
        }
        head::backtrace(line).map(Head::of)
    }

    fn in_block(&self, line: &str) -> InBlock {
        if frame::is_frame(line) {
            return InBlock::Body;
        }
        if is_event(line) {
            return InBlock::Ends;
        }
        if is_known(line) { InBlock::Noise } else { InBlock::Unknown }
    }

    fn breaks_off(&self, line: &str) -> bool {
        frame::is_frame(line) && !line.ends_with(')')
    }

    fn outside(&self, line: &str, section: Option<&'static str>) -> Outside {
        match section {
            _ if is_section(line) || is_history(line) => Outside::Section(REST),
            _ if is_event(line) => Outside::Event,
            Some(_) => Outside::Noise,
            None if NOISE.iter().any(|start| line.starts_with(start)) => Outside::Noise,
            None => Outside::Unknown,
        }
    }

    fn body(&self, block: &[BlockLine<'_>]) -> Body {
        Body { frames: block.iter().filter_map(|line| frame::read(line.text)).collect(), ..Body::default() }
    }

    fn on_thread(&self, memory: &mut Memory, dumps: &mut Dumps, thread: &Thread, offset: u64) -> bool {
        if !memory.seen.insert(&thread.id) {
            close(memory, dumps);
            memory.seen.insert(&thread.id);
        }
        let building = dumps.current(offset);
        tell(memory, building, thread);
        true
    }

    fn on_event(&self, memory: &mut Memory, dumps: &mut Dumps, line: &str, _offset: u64) {
        if let Some(death) = head::Death::read(line) {
            if memory.pid.is_some_and(|pid| pid != death.pid) {
                close(memory, dumps);
            }
            memory.pid = Some(death.pid);
            memory.process.pid = u32::try_from(death.pid).ok();
            memory.command = death.command.clone().or(memory.command.take());
            memory.death = Some(death);
            return;
        }
        if let Some(fatal) = head::fatal(line) {
            memory.fatal = Some(fatal);
            return;
        }
        let text = line.trim_start();
        let is_begin = text.starts_with("*** *** ***") || text.starts_with("----- pid ");
        if is_begin && dumps.open().is_some() {
            close(memory, dumps);
        }
        if is_section(text) {
            memory.is_file = true;
        }
        preamble(&mut memory.process, text);
    }

    fn on_end(&self, memory: &mut Memory, dumps: &mut Dumps) {
        close(memory, dumps);
    }
}

const REST: &str = "rest";

/// Sections of a file that have lines of any kind.
fn is_section(line: &str) -> bool {
    ["memory map", "open files", "--------- log ", "--------- tail end of log ", "log main", "log system"]
        .iter()
        .any(|start| line.starts_with(start))
}

/// What comes before the stack in which the memory of a fault was allocated or freed.
fn is_history(line: &str) -> bool {
    let text = line.trim_start();
    text.starts_with("deallocated by thread ") || text.starts_with("allocated by thread ")
}

/// Lines of a thread that are no frames.
fn is_known(line: &str) -> bool {
    is_data(line) || NOISE.iter().any(|start| line.starts_with(start))
}

/// Registers, words of the stack, memory: `    x0  0000000000000000`, `         fff783e8  edbbf050`, `    #00  fff78428`.
fn is_data(line: &str) -> bool {
    let Some(text) = line.strip_prefix("  ").map(str::trim_start) else { return false };
    let mut words = text.split_ascii_whitespace();
    let (first, second) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let is_hex = |word: &str| {
        word.len() >= 8 && word.bytes().all(|b| b.is_ascii_hexdigit() || matches!(b, b'\'' | b'-'))
    };
    let is_register = first.len() <= 5 && is_hex(second);
    is_hex(first)
        || is_register
        || first.starts_with("....")
        || text.starts_with("NOTE: ")
        || text.starts_with("Note: ")
}

/// Lines that say something of the process, or end a thread.
fn is_event(line: &str) -> bool {
    const STARTS: &[&str] = &[
        "*** *** ***",
        "--- --- ---",
        "----- pid ",
        "----- end ",
        "ABI: ",
        "Timestamp: ",
        "Cmdline: ",
        "Cmd line: ",
    ];
    let text = line.trim_start();
    is_section(line)
        || is_history(line)
        || line.contains(head::FATAL)
        || STARTS.iter().any(|start| text.starts_with(start))
}

/// Lines that say nothing of what is asked.
static NOISE: &[&str] = &[
    "Build fingerprint: ",
    "Build: ",
    "Hardware: ",
    "Revision: ",
    "Bootloader: ",
    "Radio: ",
    "Kernel: ",
    "isPrevious: ",
    "Process uptime: ",
    "Executable: ",
    "Page size: ",
    "uid: ",
    "tagged_addr_ctrl: ",
    "pac_enabled_keys: ",
    "esr: ",
    "backtrace:",
    "stack:",
    "memory near ",
    "code around ",
    "signal ",
    "Cause: ",
    "Abort message: ",
    "Note: ",
    "libc++abi: ",
    "Guest architecture: ",
];

fn preamble(process: &mut Process, text: &str) {
    if let Some(rest) = text.strip_prefix("----- pid ") {
        // `----- pid 9611 at 2016-07-19 08:23:16 -----`
        let Some((pid, rest)) = number(rest) else { return };
        process.pid = u32::try_from(pid).ok();
        let time = rest.strip_prefix(" at ").map(|time| time.trim_end_matches('-').trim());
        process.captured_at = time.map(Into::into);
        return;
    }
    let Some((field, value)) = text.split_once(": ") else { return };
    let value = value.trim();
    match field {
        "ABI" => process.arch = arch_of(value.trim_matches('\'')),
        "Timestamp" => process.captured_at = Some(value.into()),
        "Cmdline" | "Cmd line" => process.command_line = Some(value.into()),
        _ => {}
    }
}

fn arch_of(abi: &str) -> Option<Arch> {
    const NAMES: &[(&str, Arch)] = &[
        ("arm", Arch::Arm),
        ("arm64", Arch::Aarch64),
        ("x86", Arch::X86),
        ("x86_64", Arch::X86_64),
        ("riscv64", Arch::RiscV64),
    ];
    NAMES.iter().find(|(name, _)| *name == abi).map(|(_, arch)| *arch)
}

/// What stands before a thread: of the process for the first, of its end for the one that has a signal.
fn tell(memory: &mut Memory, building: &mut Building, thread: &Thread) {
    let snapshot = &mut building.snapshot;
    let next = ThreadIx(snapshot.threads.len() as u32);
    let process = &mut snapshot.process;
    if next.at() == 0 {
        *process = std::mem::take(&mut memory.process);
        process.os = Some("android".into());
        if process.name.is_none() {
            let command = process.command_line.as_deref().or(memory.command.as_deref());
            let path = command.and_then(|c| c.split_ascii_whitespace().next());
            process.name = path.map(|path| text::words::file_name(path).into());
        }
    }
    let Some(death) = memory.death.take() else { return };
    let fatal = memory.fatal.take_if(|(tid, _)| thread.tid.map(u64::from) == Some(*tid));
    if let Some(signal) = death.signal.or(fatal.map(|(_, signal)| signal)) {
        process.signal.get_or_insert(Signal { thread: Some(next), ..signal });
    }
    let thread = Some(next);
    // That a pointer was null the address says as well.
    let cause = death.cause.filter(|cause| cause != "null pointer dereference");
    if let Some(message) = death.abort {
        let message = message.into();
        process.failure = Some(Failure { kind: FailureKind::Abort, message, thread });
    } else if let Some(cause) = cause {
        let message = cause.into();
        process.failure.get_or_insert(Failure { kind: FailureKind::FatalError, message, thread });
    }
}

fn close(memory: &mut Memory, dumps: &mut Dumps) {
    if let Some(building) = dumps.open() {
        let snapshot = &mut building.snapshot;
        if snapshot.threads.len() == 1 && snapshot.process.signal.is_some() && !memory.is_file {
            let message = "logcat has the thread that crashed; the file in /data/tombstones has all of them";
            is_limited(snapshot, message, None);
        }
    }
    dumps.end();
    memory.seen.clear();
    memory.pid = None;
    memory.is_file = false;
    memory.command = None;
    memory.process = Process::default();
}

#[cfg(test)]
mod tests;
