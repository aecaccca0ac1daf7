//! Thread dumps of Android's runtime: what ART writes on SIGQUIT for "Application Not Responding", and what debuggerd
//! writes in its place for a process whose runtime does not answer. The older Dalvik wrote the same headers.
//!
//! Source: Android 4 to 15 art/runtime/thread.cc, thread_list.cc, monitor.cc, signal_catcher.cc, native_stack_dump.cc;
//! system/core/debuggerd/libdebuggerd/backtrace.cpp; dalvik/vm/Thread.cpp.

mod frame;
mod header;

use super::java;
use super::text::{
    self, BlockLine, Body, BodyWait, Building, Dumps, Grammar, Head, InBlock, Outside, OwnerRef, Section,
    SeenIds, Site,
};
use super::{About, Format, Reader};
use crate::model::{
    Arch, FormatId, Frame, GapKind, ReportedState, Snapshot, StackEnd, Thread, ThreadId, ThreadIx, lossy,
};

/// The row of this format.
pub const FORMAT: Format = Format {
    id: FormatId::new("android-anr"),
    name: "an Android ANR trace",
    looked_for: "lines `\"main\" prio=5 tid=1 Blocked`, or `\"name\" sysTid=N`",
    about: About {
        producer: "ART and Dalvik on SIGQUIT (Android 4 to 15), debuggerd's native stacks of a process, Play Console",
        reads: "threads with ART's id and the kernel's, state, CPU time, native and Java frames; monitors that are waited for, with the thread that holds them, and monitors that are held",
        never: "who holds a lock of java.util.concurrent or a native one; which process answers a binder call",
        capture: "adb shell kill -3 PID, then adb bugreport (or /data/anr/)",
    },
    reader: Reader::Text { anchors: &[" tid=", "sysTid="], confirm, parse },
};

fn parse(section: &Section<'_>) -> Vec<Snapshot> {
    let mut all = text::read(&Art, FORMAT.id, section);
    // Of a process whose stacks are shown as well they say nothing new.
    let with_stacks: Vec<u32> =
        all.iter().filter(|s| !is_of_channels(s)).filter_map(|s| s.process.pid).collect();
    all.retain(|s| !is_of_channels(s) || s.process.pid.is_none_or(|pid| !with_stacks.contains(&pid)));
    all
}

/// Whether nothing but waiting channels is shown of a process.
fn is_of_channels(snapshot: &Snapshot) -> bool {
    snapshot.gaps.iter().any(|gap| gap.message == NO_STACKS)
}

const NO_STACKS: &str =
    "the process gave no stacks: of each thread only the function of the kernel is known in which it waits";

fn confirm(site: &Site<'_>) -> Option<usize> {
    let before = site.before()?;
    let line = site.line();
    if line.starts_with(b"sysTid=") {
        // `  | sysTid=28957 nice=-20 cgrp=top-app`
        if before.ends_with(b"  | ") {
            return Some(site.at - 4);
        }
        // `sysTid=28945     do_epoll_wait`, below the title of such lines
        let above = site.text.get(site.at.saturating_sub(TITLE_WITHIN)..site.at)?;
        let is_below = || memchr::memmem::find(above, WAITING.as_bytes()).is_some();
        let is_quoted = before.contains(&b'"') && site.string_start().is_none();
        if header::channel(&lossy(line)).is_some() && !is_quoted && is_below() {
            return Some(site.at);
        }
    } else if !line.get(5..).unwrap_or_default().first().is_some_and(u8::is_ascii_digit)
        || line.starts_with(b" tid=0x")
    {
        return None;
    }
    let start = memchr::memchr(b'"', before)?;
    let line = line.get(..line.len().min(200)).unwrap_or_default();
    let whole = [before.get(start..)?, line].concat();
    header::is_header(&lossy(&whole)).then(|| site.at - (before.len() - start))
}

/// The title of waiting channels and the command line fit in so many bytes before the first of them.
const TITLE_WITHIN: usize = 1024;

struct Art;

/// What is remembered between threads.
#[derive(Default)]
struct Memory {
    seen: SeenIds,
    pid: Option<u32>,
    time: Option<String>,
    command: Option<String>,
    arch: Option<Arch>,
    /// How many threads the runtime says that it has.
    announced: Option<usize>,
    /// The threads are those of waiting channels, which have no stacks.
    is_channels: bool,
}

/// What stands before the threads: numbers of the collector and the compiler.
const PREAMBLE: &str = "before the threads";
/// What stands before the pid: `----- Waiting Channels: pid 9955 at …`
const WAITING: &str = "----- Waiting Channels: pid ";
/// The section that it begins.
const CHANNELS: &str = "waiting channels";

impl Grammar for Art {
    type Memory = Memory;
    const MASKS_HEX: bool = true;

    fn may_begin(&self, line: &[u8]) -> bool {
        line.starts_with(b"\"") || line.starts_with(header::CHANNEL.as_bytes())
    }

    fn head(&self, line: &str, more: &[u8]) -> Option<Head> {
        header::read(line, more)
    }

    fn is_attribute(&self, line: &[u8]) -> bool {
        // Pages that keep dumps take the indentation away.
        line.starts_with(b"  | ") || line.starts_with(b"| ")
    }

    fn attribute(&self, thread: &mut Thread, line: &str) -> bool {
        header::attribute(thread, line.trim_start().get(2..).unwrap_or_default())
    }

    fn in_block(&self, line: &str) -> InBlock {
        let text = line.trim_start();
        // The fields below a header that is not known are those of another thread.
        if line.starts_with('"') || OUTSIDE.iter().any(|(start, _)| line.starts_with(start)) {
            return InBlock::Ends;
        }
        if line.starts_with(header::WAITS_IN) {
            return InBlock::Body;
        }
        if text.starts_with("at ") || frame::is_native(text) || text.starts_with("held by ") {
            return InBlock::Body;
        }
        // Pasted into a forum the dash may be gone.
        let note = java::note(&BlockLine { text: line, slot: 0 });
        if note.is_some_and(|note| text.starts_with("- ") || note.names_something()) {
            return InBlock::Body;
        }
        if NOISE.iter().any(|start| text.starts_with(start)) { InBlock::Noise } else { InBlock::Unknown }
    }

    fn outside(&self, line: &str, section: Option<&'static str>) -> Outside {
        if let Some((_, class)) = OUTSIDE.iter().find(|(start, _)| line.starts_with(start)) {
            return *class;
        }
        match section {
            Some(PREAMBLE) if line.starts_with("Cmd line: ") || line.starts_with("ABI: ") => Outside::Event,
            Some(PREAMBLE) => Outside::Noise,
            Some(CHANNELS) if line.starts_with("Cmd line: ") => Outside::Event,
            _ => Outside::Unknown,
        }
    }

    fn body(&self, block: &[BlockLine<'_>]) -> Body {
        body(block)
    }

    fn breaks_off(&self, line: &str) -> bool {
        let is_line = ["at ", "- ", "native: ", "#"].iter().any(|start| line.trim_start().starts_with(start));
        is_line && line.contains('(') && !line.ends_with(')') && !line.contains(" held by thread ")
    }

    fn on_thread(&self, memory: &mut Memory, dumps: &mut Dumps, thread: &Thread, offset: u64) -> bool {
        if !memory.seen.insert(&thread.id) {
            self.close(memory, dumps);
            memory.seen.insert(&thread.id);
        }
        tell(memory, dumps.current(offset));
        true
    }

    fn on_event(&self, memory: &mut Memory, dumps: &mut Dumps, line: &str, _offset: u64) {
        let of_channels = line.strip_prefix(WAITING);
        if let Some(rest) = of_channels.or_else(|| line.strip_prefix("----- pid ")) {
            self.close(memory, dumps);
            memory.is_channels = of_channels.is_some();
            let (pid, time) = rest.split_once(" at ").unwrap_or((rest, ""));
            memory.pid = pid.trim().parse().ok();
            let time = time.trim().trim_end_matches('-').trim();
            memory.time = (!time.is_empty()).then(|| time.to_owned());
        } else if line.starts_with("----- ") {
            self.close(memory, dumps);
        } else if let Some(command) =
            line.strip_prefix("Cmd line: ").or_else(|| line.strip_prefix("Cmdline: "))
        {
            memory.command = Some(command.trim().to_owned());
        } else if let Some(abi) = line.strip_prefix("ABI: ") {
            let abi = abi.trim().trim_matches('\'');
            memory.arch = ABIS.iter().find(|(name, _)| *name == abi).map(|(_, arch)| *arch);
        } else if let Some(count) = line.strip_prefix("DALVIK THREADS") {
            let digits: String =
                count.chars().skip_while(|c| !c.is_ascii_digit()).take_while(char::is_ascii_digit).collect();
            memory.announced = digits.parse().ok();
        }
    }

    fn on_end(&self, memory: &mut Memory, dumps: &mut Dumps) {
        self.close(memory, dumps);
    }
}

impl Art {
    fn close(&self, memory: &mut Memory, dumps: &mut Dumps) {
        if let Some(building) = dumps.open() {
            let snapshot = &mut building.snapshot;
            snapshot.process.unresponsive = main_thread(snapshot);
            if memory.is_channels {
                snapshot.gaps.add(GapKind::Limit, NO_STACKS, None);
            }
        }
        if let (Some(building), Some(announced)) = (dumps.open(), memory.announced) {
            let snapshot = &mut building.snapshot;
            let count = snapshot.threads.len();
            if count < announced && count > 0 {
                snapshot.is_complete = false;
                let missing = (announced - count) as u64;
                let message = "threads that the runtime counts are not in the text";
                snapshot.gaps.add_many(GapKind::Truncated, message, missing, None);
            }
        }
        dumps.end();
        *memory = Memory::default();
    }
}

/// The thread that draws: that it does not respond is what such a dump is made for. Without names it is the first one of
/// the process.
fn main_thread(snapshot: &Snapshot) -> Option<ThreadIx> {
    let pid = snapshot.process.pid;
    let is_main = |thread: &Thread| match &thread.name {
        Some(name) => &**name == "main",
        None => pid.is_some() && thread.tid == pid,
    };
    snapshot.threads.iter().position(is_main).map(|at| ThreadIx(at as u32))
}

/// Lines outside of threads, by how they begin.
static OUTSIDE: &[(&str, Outside)] = &[
    ("----- pid ", Outside::Section(PREAMBLE)),
    (WAITING, Outside::Section(CHANNELS)),
    ("----- end ", Outside::Event),
    ("DALVIK THREADS", Outside::Section(PREAMBLE)),
    ("NATIVE THREADS:", Outside::Noise),
    ("suspend all histogram:", Outside::Noise),
    ("(mutexes: ", Outside::Noise),
    ("libdebuggerd_client: ", Outside::Noise),
];

/// Lines of a block without a meaning, without their indentation.
static NOISE: &[&str] = &["(no managed stack frames)", "(suspended", "native: (", "native: ???", "kernel: "];

/// Names of processors.
static ABIS: &[(&str, Arch)] = &[
    ("arm64", Arch::Aarch64),
    ("arm64-v8a", Arch::Aarch64),
    ("arm", Arch::Arm),
    ("armeabi-v7a", Arch::Arm),
    ("x86_64", Arch::X86_64),
    ("x86", Arch::X86),
    ("riscv64", Arch::RiscV64),
];

fn tell(memory: &mut Memory, building: &mut Building) {
    let process = &mut building.snapshot.process;
    process.os.get_or_insert("android".into());
    process.pid = process.pid.or(memory.pid.take());
    process.arch = process.arch.or(memory.arch.take());
    if let Some(time) = memory.time.take() {
        process.captured_at.get_or_insert(time.into());
    }
    if let Some(command) = memory.command.take() {
        process.command_line.get_or_insert(command.into());
    }
}

fn body(block: &[BlockLine<'_>]) -> Body {
    let mut body = Body::default();
    for line in block {
        let text = line.text.trim_start();
        if let Some(function) = text.strip_prefix(header::WAITS_IN) {
            body.frames.push(Frame { function: Some(function.into()), ..Frame::default() }.into());
            body.end = StackEnd::Reported;
        } else if let Some(frame) =
            text.strip_prefix("at ").and_then(java::frame).or_else(|| frame::native(text))
        {
            body.frames.push(frame.into());
        } else if text.starts_with("held by ") {
            held_by(&mut body.wait, text);
        } else {
            java::add_note(&mut body, line);
        }
    }
    unpark(&mut body);
    if body.frames.iter().any(|f| f.frame.function.as_deref() == Some(GC_DAEMON)) {
        body.state = Some(ReportedState::Idle);
    }
    // A sleeper has the lock that it sleeps on, which nobody else knows: Thread.sleep(Object lock, …).
    if body.state == Some(ReportedState::Sleeping) {
        let sleeps_on =
            body.frames.iter().take_while(|f| is_sleep(f.frame.function.as_deref())).count() as u32;
        body.holds.retain(|hold| hold.depth.is_none_or(|depth| depth >= sleeps_on));
    }
    body
}

/// Up to Android 8 a thread parks by a wait on an object of its own, which is no lock; what it parks for say the frames
/// below.
///
/// ```text
///   at java.lang.Object.wait!(Native method)
///   - waiting on <0x085f1fbb> (a java.lang.Object)
///   at java.lang.Thread.parkFor$(Thread.java:2127)                Thread.parkFor up to Android 6
///   - locked <0x085f1fbb> (a java.lang.Object)
///   at sun.misc.Unsafe.park(Unsafe.java:325)
///   at java.util.concurrent.locks.LockSupport.park(LockSupport.java:161)
/// ```
///
/// Source: Android 4 to 8 libcore luni/src/main/java/java/lang/Thread.java `parkFor`.
fn unpark(body: &mut Body) {
    let name = |at: usize| body.frames.get(at)?.frame.function.as_deref();
    let waits = (0..body.frames.len()).take_while(|at| name(*at) == Some("java.lang.Object.wait")).count();
    if waits == 0 || !name(waits).is_some_and(|name| name.starts_with("java.lang.Thread.parkFor")) {
        return;
    }
    body.wait = None;
    body.holds.retain(|hold| hold.depth.is_none_or(|depth| depth as usize > waits));
}

/// Where the thread that collects in the background waits for a request in Android 5, `Blocked` as the runtime counts it
/// (art/runtime/gc/heap.cc `WaitForConcurrentGCRequest`, libcore/libart Daemons.java).
const GC_DAEMON: &str = "dalvik.system.VMRuntime.waitForConcurrentGCRequest";

fn is_sleep(function: Option<&str>) -> bool {
    function == Some("java.lang.Thread.sleep")
}

/// Reports of the Play Console break the line before `held by thread 5`.
fn held_by(wait: &mut Option<BodyWait>, text: &str) {
    let digits: String =
        text.chars().skip_while(|c| !c.is_ascii_digit()).take_while(char::is_ascii_digit).collect();
    if let (Some(wait), Ok(id)) = (wait, digits.parse()) {
        wait.owner = Some(OwnerRef::Id(ThreadId::Number(id)));
    }
}

#[cfg(test)]
mod tests;
