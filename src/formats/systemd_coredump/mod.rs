//! What systemd-coredump writes into the journal, and `coredumpctl info` prints.
//!
//! Source: systemd 215 to 257 src/coredump/coredump.c (`submit_coredump`), coredumpctl.c (`print_info`),
//! src/shared/elf-util.c (`frame_callback`, `thread_callback`): at most 64 threads of at most 64 frames.

mod journal;

use super::elf_core;
use super::text::words::{file_name, hex, last_group, number};
use super::text::{
    self, BlockLine, Body, BodyFrame, Building, Dumps, Grammar, Head, InBlock, Outside, Section, SeenIds,
    Site, is_limited,
};
use super::{About, Format, Reader};
use crate::model::{
    Arch, Failure, FailureKind, FormatId, Frame, GapKind, Process, Signal, Snapshot, StackEnd, Str, Thread,
    ThreadId, ThreadIx, lossy,
};

/// The row of this format.
pub const FORMAT: Format = Format {
    id: FormatId::new("systemd-coredump"),
    name: "a message of systemd-coredump",
    looked_for: "lines `Stack trace of thread N:`",
    about: About {
        producer: "systemd-coredump 215 to 257: the journal's message, coredumpctl info",
        reads: "threads with TID, frames with module and offset; signal, command line, executable and time where coredumpctl printed them",
        never: "threads after the 64th, frames after the 64th, arguments, sources, names of threads, which lock a thread waits for",
        capture: "coredumpctl info PID; the core itself says much more: coredumpctl dump PID -o core",
    },
    reader: Reader::Text { anchors: &["Stack trace of thread "], confirm, parse },
};

fn parse(section: &Section<'_>) -> Vec<Snapshot> {
    text::read(&Coredump, FORMAT.id, section)
}

/// `                Stack trace of thread 6023:`, at the end of a line.
fn confirm(site: &Site<'_>) -> Option<usize> {
    thread(&lossy(site.line()))?;
    Some(site.indented(usize::MAX))
}

/// Threads and frames that systemd prints (`THREADS_MAX`, `FRAMES_MAX`).
const MOST_THREADS: usize = 64;
const MOST_FRAMES: usize = 64;

struct Coredump;

#[derive(Default)]
struct Memory {
    process: Process,
    signal: Option<Signal>,
    /// Said beside the message: pid and signal.
    dying: Option<(u64, i32)>,
    entry: journal::Entry,
    /// The core itself was cut.
    is_truncated: bool,
    seen: SeenIds,
}

impl Grammar for Coredump {
    type Memory = Memory;
    const MASKS_HEX: bool = false;

    fn may_begin(&self, line: &[u8]) -> bool {
        line.trim_ascii_start().starts_with(b"Stack trace of thread ")
    }

    fn head(&self, line: &str, _more: &[u8]) -> Option<Head> {
        thread(line.trim_start()).map(Head::of)
    }

    fn in_block(&self, line: &str) -> InBlock {
        let text = line.trim_start();
        if is_frame(text) {
            return InBlock::Body;
        }
        if is_event(text) || FIELDS.iter().any(|f| text.starts_with(f)) {
            return InBlock::Ends;
        }
        InBlock::Unknown
    }

    fn breaks_off(&self, line: &str) -> bool {
        is_frame(line.trim_start()) && !line.ends_with(')')
    }

    fn outside(&self, line: &str, _section: Option<&'static str>) -> Outside {
        let text = line.trim_start();
        if is_event(text) {
            return Outside::Event;
        }
        let is_noise = FIELDS.iter().any(|f| text.starts_with(f));
        if is_noise { Outside::Noise } else { Outside::Unknown }
    }

    fn body(&self, block: &[BlockLine<'_>]) -> Body {
        let frames: Vec<BodyFrame> = block.iter().filter_map(|l| frame(l.text.trim_start())).collect();
        let end = if frames.len() >= MOST_FRAMES { StackEnd::DepthLimit } else { StackEnd::Complete };
        Body { frames, end, ..Body::default() }
    }

    fn on_thread(&self, memory: &mut Memory, dumps: &mut Dumps, thread: &Thread, offset: u64) -> bool {
        if !memory.seen.insert(&thread.id) {
            close(memory, dumps);
            memory.seen.insert(&thread.id);
        }
        let is_first = dumps.open().is_none();
        let building = dumps.current(offset);
        if is_first {
            tell(memory, building);
        }
        true
    }

    fn on_event(&self, memory: &mut Memory, dumps: &mut Dumps, line: &str, _offset: u64) {
        let text = line.trim_start();
        if let Some(said) = memory.entry.line(text) {
            memory.dying = Some(said);
            settle(memory, dumps);
        }
        if let Some(arch) = text.strip_prefix("ELF object binary architecture: ") {
            if let Some(building) = dumps.open() {
                // In JSON other fields follow.
                building.snapshot.process.arch = arch_of(arch.split('"').next().unwrap_or(arch).trim());
            }
            return;
        }
        if let Some((pid, signal)) = terminated(text) {
            memory.dying = Some((pid, signal));
            return;
        }
        let is_begin = text.starts_with("PID: ") || dumped(text).is_some();
        if is_begin && dumps.open().is_some() {
            close(memory, dumps);
        }
        event(memory, text);
    }

    fn on_end(&self, memory: &mut Memory, dumps: &mut Dumps) {
        close(memory, dumps);
    }
}

/// Gives the dump that is being read its signal, where that is said behind the message.
fn settle(memory: &mut Memory, dumps: &mut Dumps) {
    let Some(building) = dumps.open() else { return };
    let process = &mut building.snapshot.process;
    let is_unknown = process.failure.as_ref().is_some_and(|f| f.kind == FailureKind::DumpedCore);
    let said = memory.dying.filter(|(pid, _)| is_unknown && process.pid.map(u64::from) == Some(*pid));
    if let Some((_, number)) = said {
        process.signal = Some(Signal { thread: Some(ThreadIx(0)), ..signal(number, None) });
        process.failure = None;
        memory.dying = None;
    }
}

fn close(memory: &mut Memory, dumps: &mut Dumps) {
    if let Some(building) = dumps.open()
        && building.snapshot.threads.len() >= MOST_THREADS
    {
        is_limited(&mut building.snapshot, "systemd-coredump prints the first 64 threads", None);
    }
    dumps.end();
    let dying = memory.dying.take();
    *memory = Memory { dying, entry: memory.entry, ..Memory::default() };
}

/// What the lines before the first thread say of the process.
fn tell(memory: &mut Memory, building: &mut Building) {
    let snapshot = &mut building.snapshot;
    snapshot.process = std::mem::take(&mut memory.process);
    snapshot.process.os = Some("linux".into());
    let dying = memory.dying.take().filter(|(pid, _)| snapshot.process.pid.map(u64::from) == Some(*pid));
    let said = dying.map(|(_, number)| signal(number, None));
    let thread = Some(ThreadIx(0));
    match memory.signal.take().or(said) {
        Some(signal) => snapshot.process.signal = Some(Signal { thread, ..signal }),
        // Without its begin a text may be of anything: the first thread is the one that died only where it is the first.
        None if snapshot.process.pid.is_none() => {
            let message = "the begin of the message is missing, which says that a process died";
            snapshot.gaps.add(GapKind::Truncated, message, None);
        }
        // The message in the journal does not name the signal.
        None => {
            let message = Str::default();
            snapshot.process.failure = Some(Failure { kind: FailureKind::DumpedCore, message, thread });
        }
    }
    if memory.is_truncated {
        is_limited(snapshot, "systemd-coredump cut the core: threads and frames may be missing", None);
    }
}

fn signal(number: i32, word: Option<&str>) -> Signal {
    let name = match word {
        Some(word) => format!("SIG{}", word.trim_start_matches("SIG")),
        None => elf_core::signal_name(number),
    };
    Signal { number: Some(number), name: name.into(), ..Signal::default() }
}

/// `Stack trace of thread 6023:`
fn thread(text: &str) -> Option<Thread> {
    let (tid, rest) = number(text.strip_prefix("Stack trace of thread ")?)?;
    if rest.trim_end() != ":" {
        return None;
    }
    let mut thread = Thread::new(ThreadId::Number(tid));
    thread.tid = u32::try_from(tid).ok();
    Some(thread)
}

/// Fields of `coredumpctl info`, and lines of the message, that say nothing of what is asked.
static FIELDS: &[&str] = &[
    "UID: ",
    "GID: ",
    "Control Group: ",
    "Unit: ",
    "User Unit: ",
    "Slice: ",
    "Session: ",
    "Owner UID: ",
    "Boot ID: ",
    "Machine ID: ",
    "Hostname: ",
    "Container: ",
    "Size on Disk: ",
    "Disk Size: ",
    "Package: ",
    "build-id: ",
    "Metadata for module ",
    "Found module ",
    "Module ",
    "Code: ",
];

/// Fields that say something of the process.
static EVENTS: &[&str] = &[
    "PID: ",
    "TID: ",
    "Signal: ",
    "Reason: ",
    "Timestamp: ",
    "Command Line: ",
    "Executable: ",
    "Storage: ",
    "Message: ",
    "Coredump: ",
    "ELF object binary architecture: ",
];

fn is_event(text: &str) -> bool {
    EVENTS.iter().any(|event| text.starts_with(event))
        || dumped(text).is_some()
        || terminated(text).is_some()
        || journal::is_field(text)
}

/// `Process 6023 (kwin_wayland) of user 1000 dumped core.`, after `Message: ` or a sign of newer versions: pid, name.
fn dumped(text: &str) -> Option<(u64, &str)> {
    let (pid, name, rest) = process(text)?;
    rest.contains(" dumped core").then_some((pid, name))
}

/// `Process 77 (shop) of user 33 terminated abnormally with signal 11/SEGV, processing...`: pid, signal.
fn terminated(text: &str) -> Option<(u64, i32)> {
    let (pid, _, rest) = process(text)?;
    let (signal, _) = number(rest.split_once(" terminated abnormally with signal ")?.1)?;
    Some((pid, i32::try_from(signal).ok()?))
}

fn process(text: &str) -> Option<(u64, &str, &str)> {
    // Printed as JSON, other fields stand before it.
    let text = text.rsplit_once("\"MESSAGE\"").map_or(text, |(_, message)| message);
    let at = text.find("Process ").filter(|at| *at <= LONGEST_LEAD)?;
    let (pid, rest) = number(text.get(at + "Process ".len()..)?)?;
    let rest = rest.strip_prefix(" (")?;
    // A name may hold brackets.
    let (name, after) = rest.rsplit_once(") of user ")?;
    Some((pid, name, after))
}

/// What may stand before the sentence: `Message: `, `[🡕] `, the begin of a line of the journal.
const LONGEST_LEAD: usize = text::LONGEST_PREFIX;

fn event(memory: &mut Memory, text: &str) {
    if let Some((pid, name)) = dumped(text) {
        memory.process.pid = u32::try_from(pid).ok();
        memory.process.name = Some(name.into());
        return;
    }
    let Some((field, value)) = text.split_once(": ") else { return };
    let value = value.trim();
    match field {
        "PID" => {
            let (pid, rest) = number(value).unwrap_or_default();
            memory.process.pid = u32::try_from(pid).ok();
            let name = rest.trim().strip_prefix('(').and_then(|n| n.strip_suffix(')'));
            memory.process.name = name.map(Into::into);
        }
        "Signal" => {
            if let Some((n, rest)) = number(value) {
                let word = rest.trim().strip_prefix('(').and_then(|n| n.strip_suffix(')'));
                memory.signal = i32::try_from(n).ok().map(|n| signal(n, word));
            }
        }
        "Timestamp" => {
            // `Sat 2026-11-28 19:51:06 UTC (582ms ago)`
            let time = value.rsplit_once(" (").map_or(value, |(time, _)| time);
            memory.process.captured_at = Some(time.into());
        }
        "Command Line" => memory.process.command_line = Some(value.into()),
        "Executable" => {
            memory.process.name.get_or_insert_with(|| file_name(value).into());
        }
        "Storage" | "Coredump" => memory.is_truncated = value.ends_with("(truncated)"),
        _ => {}
    }
}

fn arch_of(text: &str) -> Option<Arch> {
    // `dwelf_elf_e_machine_string` of elfutils.
    const NAMES: &[(&str, Arch)] = &[
        ("AMD x86-64", Arch::X86_64),
        ("AArch64", Arch::Aarch64),
        ("ARM", Arch::Arm),
        ("Intel 80386", Arch::X86),
        ("RISC-V", Arch::RiscV64),
        ("PowerPC 64-bit", Arch::PowerPc64),
        ("IBM S/390", Arch::S390x),
    ];
    NAMES.iter().find(|(name, _)| text.eq_ignore_ascii_case(name)).map(|(_, arch)| *arch)
}

fn is_frame(text: &str) -> bool {
    text.strip_prefix('#').and_then(number).is_some_and(|(_, rest)| rest.trim_start().starts_with("0x"))
}

/// Reads a frame.
///
/// ```text
/// #0  0x00007f2d08aa412b __GI___lll_lock_wait (libc.so.6 + 0x8612b)      250 and later
/// #2  0x00007fb8acb391ca n/a (/usr/lib64/libpthread-2.28.so)             before; nobody knows its name
/// ```
fn frame(text: &str) -> Option<BodyFrame> {
    let (_, rest) = number(text.strip_prefix('#')?)?;
    let rest = rest.trim();
    let (address, rest) = rest.split_once(' ').unwrap_or((rest, ""));
    let address = Some(hex(address)?);
    let open = last_group(rest);
    let name = open.and_then(|open| rest.get(..open)).unwrap_or(rest).trim();
    let inside = open.and_then(|open| rest.get(open + 1..rest.len() - 1)).unwrap_or_default();
    let (module, offset) = match inside.rsplit_once(" + ") {
        Some((module, offset)) if hex(offset).is_some() => (module, hex(offset)),
        _ => (inside, None),
    };
    let known = |word: &str| (!word.is_empty() && word != "n/a").then(|| Str::from(word));
    let frame = Frame {
        function: known(name),
        module: known(module),
        module_offset: offset,
        address,
        ..Frame::default()
    };
    Some(frame.into())
}

#[cfg(test)]
mod tests;
