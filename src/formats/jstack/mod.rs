//! Thread dumps of HotSpot: jstack, `jcmd Thread.print`, SIGQUIT, `jhsdb jstack`, and what JMX, VisualVM and JRockit
//! print like them.
//!
//! Source: OpenJDK 8-25 runtime/threads.cpp, thread.cpp, vframe.cpp, services/threadService.cpp;
//! java/lang/management/ThreadInfo.java; sun/jvm/hotspot/tools/StackTrace.java.

mod actuator;
mod deadlocks;
mod header;

use super::java;
use super::text::words::{number, rsplit_once, split_once};
use super::text::{
    self, BlockLine, Body, Dumps, Grammar, HEX, Head, InBlock, Outside, Section, SeenIds, Site,
};
use super::{About, Format, Reader};
use crate::model::{FormatId, ReportedState, Snapshot, StackEnd, Thread, ThreadId, ThreadKind, lossy};

/// The row of this format.
pub const FORMAT: Format = Format {
    id: FormatId::new("jstack"),
    name: "a Java thread dump",
    looked_for: "a line `Full thread dump …`, lines `java.lang.Thread.State: …`, or JSON with `threadState`",
    about: About {
        producer: "HotSpot 6 to 25: jstack (-l, -F), jcmd Thread.print, kill -QUIT, jhsdb jstack; ThreadInfo of JMX, also as JSON (Spring Boot actuator, Jolokia); VisualVM; JRockit",
        reads: "threads with kernel id, state, CPU time, frames; monitors that are waited for and held; synchronizers that are waited for, and held ones with -l; deadlocks that the JVM found",
        never: "virtual threads that no thread carries; who holds a ReentrantLock without -l; read locks; what a RUNNABLE thread does in native code beyond its frames",
        capture: "jstack -l PID (or jcmd PID Thread.print -l); three times, ten seconds apart",
    },
    reader: Reader::Text {
        anchors: &[
            "Full thread dump ",
            "FULL THREAD DUMP",
            "java.lang.Thread.State: ",
            " Id=",
            "(state = ",
            "\"threadState\"",
            "\"threadName\"",
            "\\\"threadState\\\"",
            "\\\"threadName\\\"",
        ],
        confirm,
        parse,
    },
};

fn parse(section: &Section<'_>) -> Vec<Snapshot> {
    let mut all = text::read(&Jstack, FORMAT.id, section);
    all.extend(actuator::read(section, FORMAT.id));
    all
}

fn confirm(site: &Site<'_>) -> Option<usize> {
    if actuator::is_key(site) {
        return actuator::confirm(site);
    }
    let line = lossy(site.line());
    let before = site.before()?;
    match line.get(..5)? {
        "Full " => line.trim_end().ends_with(':').then_some(site.at),
        "FULL " => before.ends_with(b"===== ").then(|| site.at - "===== ".len()),
        "java." => {
            let state = line.strip_prefix("java.lang.Thread.State: ")?;
            java::state(state)?;
            Some(site.indented(3))
        }
        // `Thread 12345: (state = BLOCKED)`
        "(stat" => header_in(site, "Thread "),
        // `"pool-1-thread-2" Id=76 WAITING on …`
        _ => header_in(site, "\""),
    }
}

/// A header as `ThreadInfo.toString` writes it, which other formats quote: `"main" Id=1 WAITING on C@5a67`.
pub(super) fn thread_info(line: &str) -> Option<Head> {
    header::read(line, b"").filter(|_| line.contains(" Id="))
}

/// Where in a line the header begins that begins so.
fn header_in(site: &Site<'_>, begins: &str) -> Option<usize> {
    let (line, text) = site.whole_line()?;
    let start = text.find(begins)?;
    header::read(text.get(start..)?, b"")?;
    Some(line + start)
}

struct Jstack;

/// What is remembered between threads.
#[derive(Default)]
struct Memory {
    time: Option<String>,
    pid: Option<u32>,
    /// What threads of this dump are called: JMX and jhsdb print nothing before a dump.
    seen: SeenIds,
    seen_virtual: SeenIds,
    deadlocks: deadlocks::Reader,
}

impl Memory {
    /// Adds a thread; whether the dump has had none of this name.
    fn is_new(&mut self, thread: &Thread) -> bool {
        match thread.kind {
            ThreadKind::Virtual => self.seen_virtual.insert(&thread.id),
            _ => self.seen.insert(&thread.id),
        }
    }

    /// Begins a dump.
    fn begin(&mut self) {
        self.seen.clear();
        self.seen_virtual.clear();
    }
}

/// Sections outside of threads.
const DEADLOCK: &str = "deadlock";
const DEADLOCK_STACKS: &str = "stacks of a deadlock";
const LISTS: &str = "lists of the JVM";

impl Grammar for Jstack {
    type Memory = Memory;
    const MASKS_HEX: bool = true;

    fn may_begin(&self, line: &[u8]) -> bool {
        line.starts_with(b"\"")
            || line.starts_with(b"Thread ")
            || line.starts_with(b"   Mounted virtual thread #")
            || line.starts_with(header::RULE.as_bytes())
    }

    fn head(&self, line: &str, more: &[u8]) -> Option<Head> {
        header::read(line, more)
    }

    fn in_block(&self, line: &str) -> InBlock {
        let text = line.trim_start();
        let is_indented = text.len() < line.len();
        if is_indented && IN_STACKS.iter().any(|start| text.starts_with(start)) || mixed_frame(line).is_some()
        {
            return InBlock::Body;
        }
        if is_indented && text.starts_with("- ") {
            let line = BlockLine { text: line, slot: 0 };
            let known = java::note(&line).is_some() || frame_of(text).is_some();
            return if known { InBlock::Body } else { InBlock::Unknown };
        }
        if OUTSIDE.iter().any(|(start, _)| line.starts_with(start)) || is_time(line) || pid(line).is_some() {
            return InBlock::Ends;
        }
        if is_indented && text.starts_with("Number of ") { InBlock::Noise } else { InBlock::Unknown }
    }

    fn outside(&self, line: &str, section: Option<&'static str>) -> Outside {
        if let Some((_, class)) = OUTSIDE.iter().find(|(start, _)| line.starts_with(start)) {
            return *class;
        }
        if is_time(line) || pid(line).is_some() {
            return Outside::Event;
        }
        match section {
            Some(DEADLOCK) => Outside::Event,
            Some(DEADLOCK_STACKS) => Outside::Noise,
            Some(LISTS) if line.starts_with([' ', '0', '}']) => Outside::Noise,
            _ => Outside::Unknown,
        }
    }

    fn body(&self, block: &[BlockLine<'_>]) -> Body {
        body(block)
    }

    fn breaks_off(&self, line: &str) -> bool {
        // Frames and locks end with a parenthesis, headers of threads with stacks with an address.
        line.starts_with('\t') && !line.ends_with([')', '>', 'e'])
            || line.starts_with('"') && line.contains("tid=")
    }

    fn on_thread(&self, memory: &mut Memory, dumps: &mut Dumps, thread: &Thread, offset: u64) -> bool {
        if !memory.is_new(thread) && thread.id != ThreadId::Number(0) {
            memory.begin();
            memory.is_new(thread);
            dumps.begin(offset);
        }
        let building = dumps.current(offset);
        memory.deadlocks.end(building);
        tell(memory, building);
        true
    }

    fn on_event(&self, memory: &mut Memory, dumps: &mut Dumps, line: &str, offset: u64) {
        if let Some(vm) = line.strip_prefix("Full thread dump ") {
            if let Some(building) = dumps.open() {
                memory.deadlocks.end(building);
            }
            memory.begin();
            let building = dumps.begin(offset);
            building.snapshot.process.runtime = Some(vm.trim_end_matches(':').into());
            tell(memory, building);
        } else if line.starts_with("===== FULL THREAD DUMP") {
            memory.begin();
            dumps.begin(offset);
        } else if is_time(line) {
            memory.time = Some(line.trim().to_owned());
        } else if let Some(pid) = pid(line) {
            memory.pid = Some(pid);
        } else {
            memory.deadlocks.line(line, dumps.current(offset), offset);
        }
    }

    fn on_end(&self, memory: &mut Memory, dumps: &mut Dumps) {
        if let Some(building) = dumps.open() {
            memory.deadlocks.end(building);
        }
        dumps.end();
    }
}

/// Lines of a stack, without their indentation.
static IN_STACKS: &[&str] = &[
    "at ",
    "java.lang.Thread.State: ",
    "JavaThread state: ",
    "Locked ownable synchronizers:",
    "Locked synchronizers:",
    "No compile task",
    "Compiling: ",
    "Carrying virtual thread #",
    "JNI",
    "...",
    "^-- ",
    "-- ",
];

/// Lines outside of threads, by how they begin.
static OUTSIDE: &[(&str, Outside)] = &[
    ("Full thread dump ", Outside::Event),
    ("===== FULL THREAD DUMP", Outside::Event),
    ("===== END OF THREAD DUMP", Outside::Noise),
    ("Found one Java-level deadlock:", Outside::Section(DEADLOCK)),
    ("Java stack information for the threads listed above:", Outside::Section(DEADLOCK_STACKS)),
    ("Found ", Outside::Section(LISTS)),
    ("Threads class SMR info:", Outside::Section(LISTS)),
    ("JNI global ref", Outside::Noise),
    ("Heap", Outside::Section(LISTS)),
    ("=====", Outside::Noise),
    ("_java_thread_list=", Outside::Noise),
    ("Attaching to process ID", Outside::Noise),
    ("Debugger attached successfully.", Outside::Noise),
    ("Server compiler detected.", Outside::Noise),
    ("Client compiler detected.", Outside::Noise),
    ("JVM version is ", Outside::Noise),
    ("Deadlock Detection:", Outside::Noise),
    ("No deadlocks found.", Outside::Noise),
];

/// `2026-11-24 04:07:06`: the line before a dump.
fn is_time(line: &str) -> bool {
    let bytes = line.trim().as_bytes();
    bytes.len() == 19
        && bytes.iter().enumerate().all(|(at, b)| match at {
            4 | 7 => *b == b'-',
            10 => *b == b' ' || *b == b'T',
            13 | 16 => *b == b':',
            _ => b.is_ascii_digit(),
        })
}

/// `94221:`: what jcmd prints before a dump.
fn pid(line: &str) -> Option<u32> {
    line.trim_end().strip_suffix(':')?.parse().ok()
}

fn tell(memory: &mut Memory, building: &mut text::Building) {
    let process = &mut building.snapshot.process;
    if let Some(time) = memory.time.take() {
        process.captured_at.get_or_insert(time.into());
    }
    process.pid = process.pid.or(memory.pid.take());
}

/// ` - java.lang.Object.wait(long) @bci=0 (Compiled frame; information may be imprecise)`: jhsdb.
fn frame_of(text: &str) -> Option<crate::model::Frame> {
    let (name, rest) = text.strip_prefix("- ")?.split_once(" @bci=")?;
    let open = name.rfind('(')?;
    let line = rest.split_once("line=").and_then(|(_, n)| {
        let digits = n.bytes().take_while(u8::is_ascii_digit).count();
        n.get(..digits)?.parse().ok()
    });
    let mut frame = java::frame(&format!("{}()", name.get(..open)?))?;
    frame.line = line;
    Some(frame)
}

/// A frame of `jhsdb jstack --mixed`, and whether it is one of Java; a tab stands behind the address.
///
/// ```text
/// 0x00007f41b51ba3ef  __GI___write + 0x4f
/// 0x00007f41985b9e2a  * applog.Logger.write(java.lang.String, int) bci:8 line:31 (Interpreted frame)
/// 0x00007f41985b1cc9  <StubRoutines>
/// ```
fn mixed_frame(line: &str) -> Option<(crate::model::Frame, bool)> {
    let text = line.strip_prefix(HEX)?.strip_prefix('\t')?;
    if let Some(text) = text.strip_prefix("* ") {
        let (name, rest) = split_once(text, " bci:")?;
        let mut frame = java::frame(&format!("{}()", name.get(..name.find('(')?)?))?;
        frame.line =
            split_once(rest, "line:").and_then(|(_, rest)| number(rest)).and_then(|(n, _)| n.try_into().ok());
        return Some((frame, true));
    }
    let name = rsplit_once(text, " + ").map_or(text, |(name, _)| name).trim();
    let is_known = !name.is_empty() && !name.bytes().all(|b| b == b'?');
    let function = is_known.then(|| name.into());
    Some((crate::model::Frame { function, ..Default::default() }, false))
}

fn body(block: &[BlockLine<'_>]) -> Body {
    let mut body = Body::default();
    let mut has_java = false;
    for line in block {
        let text = line.text.trim_start();
        if let Some((frame, is_java)) = mixed_frame(line.text) {
            has_java |= is_java;
            body.frames.push(frame.into());
        } else if let Some(frame) = text.strip_prefix("at ").and_then(java::frame).or_else(|| frame_of(text))
        {
            has_java = true;
            body.frames.push(frame.into());
        } else if let Some(state) = text.strip_prefix("java.lang.Thread.State: ") {
            body.state = java::state(state);
        } else if text.starts_with("Carrying virtual thread #") {
            body.state = Some(ReportedState::Running);
        } else if text.starts_with("...") {
            body.left_out += 1;
            body.end = StackEnd::DepthLimit;
        } else {
            java::add_note(&mut body, line);
        }
    }
    // A thread of the JVM itself (compilers, the signal dispatcher) is RUNNABLE without a frame of Java.
    if !has_java && body.state == Some(ReportedState::RunningOrNative) {
        body.state = Some(ReportedState::Idle);
    }
    body
}

#[cfg(test)]
mod tests;
