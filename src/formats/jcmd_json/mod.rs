//! `jcmd PID Thread.dump_to_file`: all threads of a JVM, the virtual ones included, as JSON ([`document`]) or as text.
//!
//! Source: OpenJDK 21-25 jdk/internal/vm/ThreadDumper.java, ThreadSnapshot.java.

mod document;
mod header;

use super::java;
use super::text::json::is_key;
use super::text::{self, BlockLine, Body, Dumps, Grammar, Head, InBlock, Outside, Section, SeenIds, Site};
use super::{About, Format, Reader};
use crate::model::{FormatId, Snapshot, Thread, lossy};

/// The row of this format.
pub const FORMAT: Format = Format {
    id: FormatId::new("jcmd-json"),
    name: "a Java dump of Thread.dump_to_file",
    looked_for: "JSON with `threadDump`, or lines `#23 \"name\" virtual …`",
    about: About {
        producer: "OpenJDK 21 to 25: jcmd Thread.dump_to_file, plain and -format=json; HotSpotDiagnosticMXBean.dumpThreads",
        reads: "platform and virtual threads with number, name, frames; from 25 on states, the monitor or synchronizer that each waits for, monitors held, carriers, owners of synchronizers where the JVM knows them",
        never: "kernel thread ids; with 21 to 24 states and locks; who has a ReentrantLock that is not told as the owner; threads without a stack that the JVM does not list",
        capture: "jcmd PID Thread.dump_to_file -format=json /tmp/threads.json",
    },
    reader: Reader::Text { anchors: ANCHORS, confirm, parse },
};

/// What stands in a header behind the number, or in the document. The threads of the runtime have the same names in
/// each dump.
const ANCHORS: &[&str] = &[
    document::QUOTED,
    "\\\"threadDump\\\"",
    "\" virtual",
    "\" RUNNABLE 2",
    "\" WAITING 2",
    "\" TIMED_WAITING 2",
    "\" BLOCKED 2",
    "\"main\"",
    "\"Reference Handler\"",
    "\"Finalizer\"",
    "\"Signal Dispatcher\"",
    "\"Common-Cleaner\"",
    "\"Attach Listener\"",
    "\"ForkJoinPool-",
    BASE,
];

/// The outermost frame of a thread of the platform, as 21 to 24 print it: of a dump from which a few threads were taken
/// no header has a name that is known.
///
/// ```text
/// #33 "consumer-1"
///       app.Consumer.run(Consumer.java:10)
///       java.base/java.lang.Thread.run(Thread.java:1583)
/// ```
const BASE: &str = "      java.base/java.lang.Thread.run(Thread.java:";

/// How far above that frame its header may stand, bytes.
const LONGEST_STACK: usize = 1 << 14;

fn parse(section: &Section<'_>) -> Vec<Snapshot> {
    // A document is long, and none of its lines a header.
    let has_headers = section.text.starts_with(b"#") || text::contains(&section.text, b"\n#");
    let mut all = match has_headers {
        true => text::read(&ThreadDump, FORMAT.id, section),
        false => Vec::new(),
    };
    all.extend(document::read(section, FORMAT.id));
    all
}

fn confirm(site: &Site<'_>) -> Option<usize> {
    if is_key(site, document::KEY) {
        return document::confirm(site);
    }
    if site.rest().starts_with(BASE.as_bytes()) {
        return has_header_above(site).then_some(site.at);
    }
    let before = lossy(site.before()?);
    // The number stands before the name, of which the anchor may be the end.
    let starts = before.match_indices('#').map(|(at, _)| at);
    let (start, _) = starts
        .filter(|at| *at == 0 || before.as_bytes().get(at - 1).is_some_and(|b| !b.is_ascii_alphanumeric()))
        .find_map(|at| {
            let line = format!("{}{}", before.get(at..)?, lossy(site.line()));
            // Inside the JSON of a container.
            let line = if before.trim_start().starts_with('{') { line.replace("\\\"", "\"") } else { line };
            Some((at, header::read(&line, b"").filter(|head| head.unknown.is_none())?))
        })?;
    Some(site.at.saturating_sub(before.len() - start))
}

/// Whether the stack that ends here begins with a header.
fn has_header_above(site: &Site<'_>) -> bool {
    let Some(prefix) = site.before().map(<[u8]>::len) else { return false };
    let above = site.text.get(site.at.saturating_sub(LONGEST_STACK)..site.at - prefix).unwrap_or_default();
    let lines = above.rsplit(|b| *b == b'\n').skip(1).map(|line| line.get(prefix..).unwrap_or_default());
    let mut above_stack = lines.skip_while(|line| line.starts_with(b"      "));
    above_stack.next().is_some_and(|line| {
        line.starts_with(b"#") && header::read(&lossy(line.trim_ascii_end()), b"").is_some()
    })
}

struct ThreadDump;

/// What is remembered between threads.
#[derive(Default)]
struct Memory {
    seen: SeenIds,
    pid: Option<u32>,
    time: Option<String>,
    version: Option<String>,
}

impl Grammar for ThreadDump {
    type Memory = Memory;
    const MASKS_HEX: bool = false;

    fn may_begin(&self, line: &[u8]) -> bool {
        line.first() == Some(&b'#') && line.get(1).is_some_and(u8::is_ascii_digit)
    }

    fn head(&self, line: &str, more: &[u8]) -> Option<Head> {
        header::read(line, more)
    }

    fn in_block(&self, line: &str) -> InBlock {
        if is_preface(line) {
            return InBlock::Ends;
        }
        let text = line.trim_start();
        let is_note = || java::note(&BlockLine { text: line, slot: 0 }).is_some();
        match line.len() - text.len() {
            0 => InBlock::Unknown,
            _ if text.starts_with("- ") => match is_note() {
                true => InBlock::Body,
                false => InBlock::Unknown,
            },
            _ if frame(text).is_some() => InBlock::Body,
            _ => InBlock::Unknown,
        }
    }

    fn outside(&self, line: &str, _section: Option<&'static str>) -> Outside {
        if is_preface(line) { Outside::Event } else { Outside::Unknown }
    }

    fn body(&self, block: &[BlockLine<'_>]) -> Body {
        let mut body = Body::default();
        for line in block {
            let text = line.text.trim_start();
            match frame(text).filter(|_| !text.starts_with("- ")) {
                Some(frame) => body.frames.push(frame.into()),
                None => {
                    java::add_note(&mut body, line);
                }
            }
        }
        body
    }

    fn on_thread(&self, memory: &mut Memory, dumps: &mut Dumps, thread: &Thread, offset: u64) -> bool {
        // A pid before the first thread belongs to it, one after threads to the next dump.
        if memory.version.is_some() || memory.seen.contains(&thread.id) {
            dumps.end();
            memory.seen.clear();
        }
        memory.seen.insert(&thread.id);
        let process = &mut dumps.current(offset).snapshot.process;
        if let Some(version) = memory.version.take() {
            process.pid = memory.pid.take();
            process.captured_at = memory.time.take().map(Into::into);
            process.runtime = Some(format!("OpenJDK {version}").into());
        }
        true
    }

    fn on_event(&self, memory: &mut Memory, _dumps: &mut Dumps, line: &str, _offset: u64) {
        if let Ok(pid) = line.parse() {
            *memory = Memory { pid: Some(pid), seen: std::mem::take(&mut memory.seen), ..Memory::default() };
        } else if is_time(line) && memory.pid.is_some() {
            memory.time = Some(line.to_owned());
        } else if memory.time.is_some() {
            memory.version = Some(line.to_owned());
        }
    }
}

/// The three lines before the threads.
///
/// ```text
/// 8951
/// 2026-11-28T19:58:56.205863303Z
/// 25.0.3+9-LTS
/// ```
fn is_preface(line: &str) -> bool {
    line.parse::<u32>().is_ok() || is_time(line) || is_version(line)
}

fn is_time(line: &str) -> bool {
    let bytes = line.as_bytes();
    let is_digit = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_digit);
    bytes.len() >= 19 && bytes.get(10) == Some(&b'T') && is_digit(0) && is_digit(18) && !line.contains(' ')
}

/// `25.0.3+9-LTS`, `24+36`, `21.0.10+7-LTS`, `26-internal-adhoc.build`.
fn is_version(line: &str) -> bool {
    let digits = line.bytes().take_while(u8::is_ascii_digit).count();
    let rest = line.get(digits..).unwrap_or_default();
    (1..=3).contains(&digits)
        && rest.starts_with(['.', '+', '-'])
        && line.bytes().all(|b| b.is_ascii_alphanumeric() || b".+-_".contains(&b))
}

/// `at java.base/java.lang.Thread.run(Thread.java:1474)`; without `at` up to 24.
fn frame(text: &str) -> Option<crate::model::Frame> {
    java::frame(text.strip_prefix("at ").unwrap_or(text))
}

#[cfg(test)]
mod tests;
