//! Java dumps of OpenJ9 and IBM J9: `javacore.DATE.TIME.PID.N.txt`. Every line begins with a tag.
//!
//! Source: openj9 runtime/rasdump/javadump.cpp of 0.8 to 0.48 and what J9 2.3 to 2.9 and IBM's 1.3 and 1.4 wrote.

mod current;
mod fault;
mod header;
mod locks;
mod stack;

use super::text::{self, BlockLine, Body, Building, Dumps, Grammar, Head, InBlock, Outside, Section, Site};
use super::{About, Format, Reader};
use crate::model::{Arch, Failure, FailureKind, FormatId, Signal, Snapshot, Thread, lossy};

/// The row of this format.
pub const FORMAT: Format = Format {
    id: FormatId::new("javacore"),
    name: "a javacore of OpenJ9",
    looked_for: "a line `0SECTION       TITLE …`, or lines `3XMTHREADINFO …`, `1LKDEADLOCK …`",
    about: About {
        producer: "OpenJ9 and IBM J9 2.3 to 2.9 (Java 5 to 25), IBM's 1.3 and 1.4: kill -QUIT, Xdump agents, jcmd Dump.java",
        reads: "threads with native id, state, CPU time, Java and native frames; monitors and synchronizers with owners and waiters, system monitors of the VM, deadlocks that it found; the signal of a crash, its address and module",
        never: "read locks; who holds a ReentrantLock that no thread is parked on; virtual threads that no thread carries",
        capture: "kill -QUIT PID (or jcmd PID Dump.java); three times, ten seconds apart",
    },
    reader: Reader::Text {
        anchors: &["0SECTION       TITLE", "3XMTHREADINFO ", "1LKDEADLOCK ", "3LKWAITER "],
        confirm,
        parse,
    },
};

fn parse(section: &Section<'_>) -> Vec<Snapshot> {
    text::read(&Javacore, FORMAT.id, section)
}

fn confirm(site: &Site<'_>) -> Option<usize> {
    if site.rest().starts_with(b"3XM") {
        header::read(&lossy(site.line()))?;
    }
    Some(site.at)
}

struct Javacore;

/// What is remembered between threads.
#[derive(Default)]
struct Memory {
    has_threads: bool,
    runtime: Option<String>,
    os: Option<String>,
    arch: Option<Arch>,
    time: Option<String>,
    pid: Option<u32>,
    command: Option<String>,
    signal: Option<Signal>,
    /// The error that was thrown when there was no memory.
    no_memory: Option<String>,
    fault: fault::Reader,
    current: current::Reader,
    locks: locks::Reader,
}

/// Sections outside of threads.
const TITLE: &str = "title";
const LOCKS: &str = "locks";
const OTHER: &str = "other sections";

impl Grammar for Javacore {
    type Memory = Memory;
    const MASKS_HEX: bool = true;

    fn may_begin(&self, line: &[u8]) -> bool {
        line.starts_with(b"3XMTHREADINFO ")
    }

    fn head(&self, line: &str, _more: &[u8]) -> Option<Head> {
        header::read(line)
    }

    fn is_attribute(&self, line: &[u8]) -> bool {
        header::ATTRIBUTES.iter().any(|tag| line.starts_with(tag.as_bytes()))
    }

    fn attribute(&self, thread: &mut Thread, line: &str) -> bool {
        header::attribute(thread, line)
    }

    fn in_block(&self, line: &str) -> InBlock {
        let tag = line.split(' ').next().unwrap_or_default();
        match tag {
            "3XMTHREADBLOCK" | "4XESTACKTRACE" | "5XESTACKTRACE" | "4XENATIVESTACK" => InBlock::Body,
            // `4XESTACKERR`, `3XMTHREADINFO3` and what a new release adds for a thread.
            _ if tag.starts_with("3XMTHREADINFO") || tag == "4XESTACKERR" || tag == "NULL" => InBlock::Noise,
            _ if tag.starts_with("3XM") || tag.starts_with("4XE") || tag.starts_with("5XE") => {
                InBlock::Unknown
            }
            _ if is_tag(tag) => InBlock::Ends,
            _ => InBlock::Unknown,
        }
    }

    fn outside(&self, line: &str, section: Option<&'static str>) -> Outside {
        let tag = line.split(' ').next().unwrap_or_default();
        let is_event = match tag {
            "0SECTION" => {
                let name = line.get(tag.len()..).unwrap_or_default().trim_start();
                return Outside::Section(match name.split(' ').next() {
                    Some("TITLE") => TITLE,
                    Some("LOCKS") => LOCKS,
                    _ => OTHER,
                });
            }
            "1XMCURTHDINFO" | "1XMTHDINFO" => true,
            _ if section == Some(LOCKS) || tag.contains("LK") => true,
            _ => FACTS.iter().any(|(fact, _)| *fact == tag),
        };
        match is_event {
            true => Outside::Event,
            false if is_tag(tag) || tag == "NULL" => Outside::Noise,
            // Lines of an environment variable or a class path go on without a tag.
            false if section.is_some() => Outside::Noise,
            false => Outside::Unknown,
        }
    }

    fn body(&self, block: &[BlockLine<'_>]) -> Body {
        stack::read(block)
    }

    fn breaks_off(&self, line: &str) -> bool {
        line.starts_with(['4', '5']) && !line.ends_with(')')
    }

    fn on_thread(&self, memory: &mut Memory, dumps: &mut Dumps, thread: &Thread, offset: u64) -> bool {
        memory.has_threads = true;
        let building = dumps.current(offset);
        memory.current.thread(thread, building);
        tell(memory, building);
        true
    }

    fn on_event(&self, memory: &mut Memory, dumps: &mut Dumps, line: &str, offset: u64) {
        let (tag, text) = line.split_once(' ').unwrap_or((line, ""));
        let text = text.trim();
        match tag {
            "0SECTION" if text.starts_with("TITLE") => self.close(memory, dumps),
            "1XMCURTHDINFO" => memory.current.begin(),
            "1XMTHDINFO" => memory.current.end(),
            _ if tag.contains("LK") => memory.locks.line(tag, text, offset),
            _ => {
                if let Some((_, fact)) = FACTS.iter().find(|(known, _)| *known == tag) {
                    fact(memory, text);
                }
            }
        }
    }

    fn on_end(&self, memory: &mut Memory, dumps: &mut Dumps) {
        self.close(memory, dumps);
    }
}

impl Javacore {
    fn close(&self, memory: &mut Memory, dumps: &mut Dumps) {
        if let Some(first) = memory.locks.first() {
            // The section of the locks alone is a dump too.
            tell(memory, dumps.current(first));
        }
        if let Some(building) = dumps.open() {
            memory.current.settle(building);
            memory.fault.settle(building);
            memory.locks.settle(building);
        }
        dumps.end();
        *memory = Memory::default();
    }
}

/// `1TIDATETIME`, `3LKMONOBJECT`: a digit and capitals.
fn is_tag(word: &str) -> bool {
    let mut bytes = word.bytes();
    let has_level = bytes.next().is_some_and(|b| b.is_ascii_digit());
    has_level && word.len() > 4 && bytes.all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
}

/// Reads a fact of the process from a line without its tag.
type Fact = fn(&mut Memory, &str);

/// Lines that say something of the process.
static FACTS: &[(&str, Fact)] = &[
    ("1TIDATETIME", |m, text| m.time = Some(text.trim_start_matches("Date:").trim().to_owned())),
    ("1TISIGINFO", |m, text| {
        // `Dump Event "systhrow" (00040000) Detail "java/lang/OutOfMemoryError" "Java heap space" received`
        if text.contains("\"systhrow\"") && text.contains("\"java/lang/OutOfMemoryError\"") {
            let said = text.rsplit('"').nth(1).filter(|said| !said.contains("OutOfMemoryError"));
            m.no_memory = Some(said.unwrap_or("OutOfMemoryError").to_owned());
        }
        // `Dump Event "abort" (00020000) received`; of `gpf` the register section says which signal it was.
        if text.contains("\"abort\"") {
            m.signal = Some(Signal { name: "SIGABRT".into(), ..Signal::default() });
        } else if text.contains("\"gpf\"") {
            m.signal = Some(Signal { name: "SIGSEGV".into(), ..Signal::default() });
        }
    }),
    ("1XHEXCPCODE", |m, text| {
        if let (Some(number), Some(signal)) = (m.fault.field(text), &mut m.signal) {
            signal.number = Some(number);
            if let Some((_, name)) = SIGNALS.iter().find(|(known, _)| *known == number) {
                signal.name = (*name).into();
            }
        }
    }),
    ("1XHEXCPMODULE", |m, text| {
        m.fault.field(text);
    }),
    ("2XHREGISTER", |m, text| {
        m.fault.field(text);
    }),
    ("2XHOSLEVEL", |m, text| {
        let level = text.split_once(':').map_or(text, |(_, level)| level).trim().to_ascii_lowercase();
        m.os = SYSTEMS.iter().find(|(start, _)| level.starts_with(start)).map(|(_, os)| (*os).to_owned());
    }),
    ("3XHCPUARCH", |m, text| {
        let name = text.split_once(':').map_or(text, |(_, name)| name).trim();
        m.arch = PROCESSORS.iter().find(|(known, _)| *known == name).map(|(_, arch)| *arch);
    }),
    ("1CIJAVAVERSION", |m, text| m.runtime = Some(text.to_owned())),
    ("1CIPROCESSID", |m, text| {
        let digits = text.trim_start_matches("Process ID:").trim().split(' ').next();
        m.pid = digits.and_then(|d| d.parse().ok());
    }),
    ("1CICMDLINE", |m, text| m.command = Some(text.to_owned())),
];

/// Numbers of signals that a dump is made for.
static SIGNALS: &[(i32, &str)] =
    &[(4, "SIGILL"), (5, "SIGTRAP"), (6, "SIGABRT"), (7, "SIGBUS"), (8, "SIGFPE"), (11, "SIGSEGV")];

/// Operating systems, as their names begin.
static SYSTEMS: &[(&str, &str)] =
    &[("linux", "linux"), ("windows", "windows"), ("aix", "aix"), ("mac", "macos"), ("z/os", "zos")];

/// Names of processors.
static PROCESSORS: &[(&str, Arch)] = &[
    ("amd64", Arch::X86_64),
    ("x86", Arch::X86),
    ("aarch64", Arch::Aarch64),
    ("ppc64", Arch::PowerPc64),
    ("ppc64le", Arch::PowerPc64),
    ("s390x", Arch::S390x),
    ("riscv64", Arch::RiscV64),
];

fn tell(memory: &mut Memory, building: &mut Building) {
    let process = &mut building.snapshot.process;
    process.pid = process.pid.or(memory.pid.take());
    process.arch = process.arch.or(memory.arch.take());
    for (place, said) in [
        (&mut process.runtime, memory.runtime.take()),
        (&mut process.os, memory.os.take()),
        (&mut process.captured_at, memory.time.take()),
        (&mut process.command_line, memory.command.take()),
    ] {
        if let Some(said) = said {
            place.get_or_insert(said.into());
        }
    }
    if let Some(message) = memory.no_memory.take() {
        let kind = FailureKind::OutOfMemory;
        process.failure = Some(Failure { kind, message: message.into(), thread: None });
    }
    if let Some(mut signal) = memory.signal.take() {
        memory.fault.tell(&mut signal);
        process.signal = Some(signal);
    }
}

#[cfg(test)]
mod tests;
