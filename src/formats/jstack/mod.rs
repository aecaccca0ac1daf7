//! Thread dumps of HotSpot: jstack, `jcmd Thread.print`, SIGQUIT, `jhsdb jstack`, and what JMX, VisualVM and JRockit
//! print like them; and what programs print of their own threads out of `ThreadInfo`: Hadoop, the IDEs of JetBrains, and
//! as JSON Spring Boot, Jolokia and Spark; and what HotSpot writes when it ends itself.
//!
//! Source: OpenJDK 8-25 runtime/threads.cpp, thread.cpp, vframe.cpp, services/threadService.cpp;
//! java/lang/management/ThreadInfo.java; sun/jvm/hotspot/tools/StackTrace.java. The other writers: in their own files.

mod actuator;
mod agent;
mod block;
mod broken_names;
mod confirm;
mod deadlocks;
mod fatal;
mod field;
mod hadoop;
mod header;
mod intellij;
mod jrockit;
mod left_out;
mod listed_owners;
mod spark;
mod support_core;
mod thread_info;
mod virtual_threads;
mod watchdog;
mod writer;

use super::java;
use super::text::{self, BlockLine, Body, Dumps, Grammar, Head, InBlock, Outside, Section, SeenIds};
use super::{About, Format, Reader};
use crate::model::{FormatId, Snapshot, Thread, ThreadIx, ThreadKind};
use writer::Writer;

/// The row of this format.
pub const FORMAT: Format = Format {
    id: FormatId::new("jstack"),
    name: "a Java thread dump",
    looked_for: "a line `Full thread dump …`, lines `java.lang.Thread.State: …`, `\"main\" #1 prio=5 RUNNABLE` above a frame, `Found one Java-level deadlock:`, `Current Thread: …` of a watchdog, `Blocked count: …` below `Thread 7 (NAME):`, the banner `A fatal error has been detected by the Java Runtime Environment`, or JSON with `threadState` or `thread_state`",
    about: About {
        producer: "HotSpot 6 to 25: jstack (-l, -F), jcmd Thread.print, kill -QUIT, jhsdb jstack, their deadlock section alone; ThreadInfo of JMX, also as JSON (Spring Boot actuator, Jolokia, Spark's REST interface; keys in camelCase or snake_case); programs that print their own threads without the addresses of the JVM; Hadoop, HBase and what is built on them (`/stacks`); VisualVM; the debugger of IntelliJ; what the IDEs of JetBrains write when they freeze; JRockit; SAP's JVM; the watchdogs of Minecraft servers (Spigot, Paper); support bundles of Jenkins; HotSpot's reports of fatal errors (hs_err_pid*.log) and their banner",
        reads: "threads with kernel id, state, CPU time, frames; monitors that are waited for and held; synchronizers that are waited for, and held ones with -l; deadlocks that the JVM found; of a fatal error the signal or message, and the stack of the thread that failed",
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
            deadlocks::FOUND,
            deadlocks::STACKS,
            deadlocks::HELD_BY,
            actuator::STATE,
            "\"threadName\"",
            "\\\"threadState\\\"",
            "\\\"threadName\\\"",
            actuator::SNAKE_STATE,
            "\"thread_name\"",
            "\\\"thread_state\\\"",
            "\\\"thread_name\\\"",
            " prio=",
            watchdog::THREAD,
            support_core::STATE,
            hadoop::COUNT,
            fatal::RUNTIME,
            fatal::CURRENT,
            fatal::FRAMES,
            fatal::TID,
        ],
        confirm: confirm::confirm,
        parse,
    },
};

fn parse(section: &Section<'_>) -> Vec<Snapshot> {
    let mut all = text::read(&Jstack, FORMAT.id, section);
    if section.has(support_core::STATE) {
        all.iter_mut().filter(|snapshot| support_core::is_of(snapshot)).for_each(support_core::name_locks);
    }
    for snapshot in &mut all {
        java::name_initializers(snapshot);
        left_out::tell(snapshot);
        virtual_threads::tell(snapshot);
    }
    listed_owners::tell(section, &mut all);
    all.extend(actuator::read(section, FORMAT.id));
    all.extend(fatal::read(section, FORMAT.id));
    all
}

/// A header as `ThreadInfo.toString` writes it, which other formats quote: `"main" Id=1 WAITING on C@5a67`.
pub(super) fn thread_info(line: &str) -> Option<Head> {
    header::read(line, b"").filter(|head| line.contains(" Id=") && head.unknown.is_none())
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
    writer: Option<Writer>,
    deadlocks: deadlocks::Reader,
    stall: Stall,
    names: intellij::Names,
    counted: hadoop::Counted,
}

/// How far the report of a watchdog is read.
#[derive(Default, PartialEq, Eq)]
enum Stall {
    /// There is none.
    #[default]
    None,
    /// It says that something does not respond.
    Told,
    /// The header of the thread that does not.
    Thread,
    /// That thread was added. The list of all threads has it once more.
    Known,
}

impl Memory {
    /// Whether the thread is of another dump than those before it: nobody writes headers of two kinds.
    fn is_of_another(&self, thread: &Thread) -> bool {
        matches!((self.writer, Writer::of(thread)), (Some(writer), Some(other)) if writer != other)
    }

    /// Adds a thread; whether the dump has had none of this name.
    fn is_new(&mut self, thread: &Thread) -> bool {
        match thread.kind {
            ThreadKind::Virtual => self.seen_virtual.insert(&thread.id),
            _ => self.seen.insert(&thread.id),
        }
    }

    /// Begins a dump.
    fn begin(&mut self) {
        self.writer = None;
        self.seen.clear();
        self.seen_virtual.clear();
    }
}

/// Sections outside of threads.
const DEADLOCK: &str = "deadlock";
const DEADLOCK_STACKS: &str = "stacks of a deadlock";
const LISTS: &str = "lists of the JVM";
const TITLE: &str = "title of JRockit";
const CHAINS: &str = "chains of JRockit";
const FRAMES: &str = "frames of a deadlock without their threads";
const COROUTINES: &str = "coroutines of an IDE";
const FATAL: &str = "report of a fatal error";
const BEHIND_FATAL: &str = "behind a fatal error";

/// What the serviceability agent prints first of a dump.
const AGENT: &str = "Deadlock Detection:";

impl Grammar for Jstack {
    type Memory = Memory;
    const MASKS_HEX: bool = true;

    fn may_begin(&self, line: &[u8]) -> bool {
        line.starts_with(b"\"")
            || line.starts_with(b"Thread ")
            || line.starts_with(b"   Mounted virtual thread #")
            || line.starts_with(watchdog::THREAD.as_bytes())
            || line.starts_with(header::RULE.as_bytes())
    }

    fn head(&self, line: &str, more: &[u8]) -> Option<Head> {
        header::read(line, more)
    }

    fn in_block(&self, line: &str) -> InBlock {
        let is_outside = OUTSIDE.iter().any(|(start, _)| line.starts_with(start));
        if is_outside
            || fatal::begins(line)
            || is_time(line)
            || pid(line).is_some()
            || hadoop::between(line).is_some()
        {
            return InBlock::Ends;
        }
        block::in_block(line)
    }

    fn outside(&self, line: &str, section: Option<&'static str>) -> Outside {
        if section == Some(FATAL) && line != fatal::END && !line.starts_with("Full thread dump ") {
            return Outside::Noise;
        }
        if fatal::begins(line) {
            return Outside::Section(FATAL);
        }
        if let Some((_, class)) = OUTSIDE.iter().find(|(start, _)| line.starts_with(start)) {
            return *class;
        }
        if is_time(line) || pid(line).is_some() || hadoop::between(line).is_some() {
            return Outside::Event;
        }
        if deadlocks::is_line(line) || watchdog::is_stall(line) {
            return Outside::Event;
        }
        if watchdog::is_between(line) {
            return Outside::Noise;
        }
        match section {
            Some(DEADLOCK) => Outside::Event,
            Some(DEADLOCK_STACKS) if deadlocks::is_of_stacks(line) => Outside::Event,
            Some(DEADLOCK_STACKS) if block::in_block(line) == InBlock::Body => Outside::Event,
            Some(TITLE) if is_date(line) || jrockit::is_version(line) => Outside::Event,
            Some(CHAINS) if jrockit::is_of_chain(line) => Outside::Noise,
            Some(FRAMES) if java::frame(line).is_some() => Outside::Noise,
            Some(LISTS) if line.starts_with([' ', '0', '}']) => Outside::Noise,
            _ => Outside::Unknown,
        }
    }

    fn body(&self, block: &[BlockLine<'_>]) -> Body {
        block::body(block)
    }

    fn breaks_off(&self, line: &str) -> bool {
        // Frames and locks end with a parenthesis, headers of threads with stacks with an address.
        line.starts_with('\t') && !line.ends_with([')', '>', 'e'])
            || line.starts_with('"') && line.contains("tid=")
    }

    fn on_thread(&self, memory: &mut Memory, dumps: &mut Dumps, thread: &Thread, offset: u64) -> bool {
        if memory.is_of_another(thread) {
            begin(memory, dumps, offset);
        }
        memory.writer = memory.writer.or(Writer::of(thread));
        let mut is_known = !memory.is_new(thread);
        if memory.names.begins(thread, is_known, dumps) {
            if memory.stall == Stall::Known {
                return false;
            }
            begin(memory, dumps, offset);
            is_known = !memory.is_new(thread);
        }
        memory.names.add(thread, is_known);
        memory.deadlocks.end();
        let building = dumps.current(offset);
        if memory.stall == Stall::Thread {
            memory.stall = Stall::Known;
            building.snapshot.process.unresponsive = Some(ThreadIx(building.snapshot.threads.len() as u32));
        }
        tell(memory, building);
        true
    }

    fn on_event(&self, memory: &mut Memory, dumps: &mut Dumps, line: &str, offset: u64) {
        if let Some(vm) = line.strip_prefix("Full thread dump ") {
            let building = begin(memory, dumps, offset);
            building.snapshot.process.runtime = Some(vm.trim_end_matches(':').into());
            tell(memory, building);
        } else if line.starts_with("===== FULL THREAD DUMP") || line.starts_with(AGENT) {
            begin(memory, dumps, offset);
        } else if line == intellij::WITHOUT_IDS || line.starts_with(intellij::COROUTINES) {
            memory.names.line(line);
        } else if let Some(said) = hadoop::between(line) {
            if memory.counted.line(said) {
                begin(memory, dumps, offset);
                memory.counted.begin(said);
            }
        } else if watchdog::is_stall(line) {
            end(memory, dumps);
            memory.stall = Stall::Told;
        } else if line.starts_with(watchdog::THREAD) {
            if memory.stall == Stall::Told {
                memory.stall = Stall::Thread;
            }
        } else if jrockit::is_version(line) {
            dumps.current(offset).snapshot.process.runtime = Some(line.trim().into());
        } else if is_date(line) {
            dumps.current(offset).snapshot.process.captured_at = Some(line.trim().into());
        } else if is_time(line) {
            memory.time = Some(line.trim().to_owned());
        } else if let Some(pid) = pid(line) {
            memory.pid = Some(pid);
        } else {
            memory.deadlocks.line(line, offset);
        }
    }

    fn on_end(&self, memory: &mut Memory, dumps: &mut Dumps) {
        end(memory, dumps);
    }
}

/// Ends the dump that is being read.
fn end(memory: &mut Memory, dumps: &mut Dumps) {
    let deadlocks = std::mem::take(&mut memory.deadlocks);
    if let Some(first) = deadlocks.first() {
        deadlocks.settle(dumps.current(first));
    }
    let counted = std::mem::take(&mut memory.counted);
    if let Some(building) = dumps.open() {
        counted.settle(building);
    }
    dumps.end();
    memory.begin();
    memory.stall = Stall::None;
    memory.names = intellij::Names::default();
}

/// Ends the dump that is being read, and begins another one.
fn begin<'d>(memory: &mut Memory, dumps: &'d mut Dumps, offset: u64) -> &'d mut text::Building {
    end(memory, dumps);
    dumps.current(offset)
}

/// Lines outside of threads, by how they begin.
static OUTSIDE: &[(&str, Outside)] = &[
    ("Full thread dump ", Outside::Event),
    (fatal::END, Outside::Section(BEHIND_FATAL)),
    ("===== FULL THREAD DUMP", Outside::Section(TITLE)),
    ("===== END OF THREAD DUMP", Outside::Noise),
    (deadlocks::FOUND, Outside::Section(DEADLOCK)),
    (deadlocks::BEHIND, Outside::Section(DEADLOCK)),
    (deadlocks::STACKS, Outside::Section(DEADLOCK_STACKS)),
    (support_core::DEADLOCK, Outside::Section(FRAMES)),
    ("Circular (deadlocked) lock chains", Outside::Section(CHAINS)),
    ("Blocked lock chains", Outside::Section(CHAINS)),
    ("Open lock chains", Outside::Section(CHAINS)),
    ("Found ", Outside::Section(LISTS)),
    ("Threads class SMR info:", Outside::Section(LISTS)),
    ("JNI global ref", Outside::Noise),
    ("Heap", Outside::Section(LISTS)),
    (intellij::COROUTINES, Outside::Section(COROUTINES)),
    ("=====", Outside::Noise),
    ("_java_thread_list=", Outside::Noise),
    ("Attaching to process ID", Outside::Noise),
    ("Debugger attached successfully.", Outside::Noise),
    ("Server compiler detected.", Outside::Noise),
    ("Client compiler detected.", Outside::Noise),
    ("JVM version is ", Outside::Noise),
    (AGENT, Outside::Event),
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

/// `Mon Feb 06 11:38:58 2012`: the line before a dump of JRockit.
fn is_date(line: &str) -> bool {
    const DAYS: [&str; 7] = ["Mon ", "Tue ", "Wed ", "Thu ", "Fri ", "Sat ", "Sun "];
    DAYS.iter().any(|day| line.starts_with(day)) && line.matches(':').count() == 2
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

#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_class_init;
#[cfg(test)]
mod tests_deadlocks;
#[cfg(test)]
mod tests_forms;
#[cfg(test)]
mod tests_hadoop;
#[cfg(test)]
mod tests_header;
#[cfg(test)]
mod tests_intellij;
#[cfg(test)]
mod tests_listed_owners;
#[cfg(test)]
mod tests_new_words;
#[cfg(test)]
mod tests_spark;
#[cfg(test)]
mod tests_support_core;
#[cfg(test)]
mod tests_variants;
#[cfg(test)]
mod tests_watchdog;
