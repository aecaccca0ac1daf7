//! What the gem `sigdump` writes of a Ruby process: threads with their backtraces, newest frame first.
//!
//! Source: sigdump 0.1.0-0.2.5 lib/sigdump.rb; Ruby 1.9-3.4 thread.c (`rb_thread_to_s`), vm_backtrace.c.

mod header;

use super::java;
use super::jstack;
use super::text::{self, BlockLine, Body, Dumps, Grammar, Head, InBlock, Outside, Section, Site};
use super::{About, Format, Reader};
use crate::model::{FormatId, Frame, Snapshot, Str, Thread, lossy};

/// The row of this format.
pub const FORMAT: Format = Format {
    id: FormatId::new("sigdump"),
    name: "a sigdump of Ruby",
    looked_for: "a line `Sigdump at …`, or lines `Thread #<Thread:0x…> status=…`",
    about: About {
        producer: "the gem sigdump 0.1 to 0.2 under Ruby 1.9 to 3.4 and JRuby",
        reads: "threads with their object's address, name, status and frames; under JRuby the Java thread's state and locks; pid, program and time",
        never: "kernel thread ids; which mutex a thread waits for and who has it; C frames below Ruby; CPU times",
        capture: "require 'sigdump/setup' in the program, then kill -CONT PID and read /tmp/sigdump-PID.log",
    },
    reader: Reader::Text { anchors: &[DUMP, OBJECT, IN_JAVA], confirm, parse },
};

/// How a dump begins.
const DUMP: &str = "Sigdump at ";

/// How a thread is written, in its header and elsewhere.
const OBJECT: &str = "#<Thread:0x";

/// What stands before JRuby's ThreadInfo below a thread's frames; in the JSON of a container its quotes are escaped.
const IN_JAVA: &str = "In Java ";

fn parse(section: &Section<'_>) -> Vec<Snapshot> {
    text::read(&Sigdump, FORMAT.id, section)
}

fn confirm(site: &Site<'_>) -> Option<usize> {
    let line = lossy(site.line());
    if line.starts_with(DUMP) {
        return header::dump(&line).map(|_| site.at);
    }
    if line.starts_with(IN_JAVA) {
        return in_java(&line.replace("\\\"", "\"")).map(|_| site.indented(4));
    }
    let before = site.before()?;
    let start = before.strip_suffix(b"Thread ")?.len();
    header::read(&format!("  Thread {line}"))?;
    let blanks = before.get(..start)?.iter().rev().take_while(|b| **b == b' ').count();
    Some(site.at - (before.len() - start) - blanks.min(2))
}

struct Sigdump;

/// Sections behind the threads: numbers of objects and of the collector.
const STATISTICS: &str = "statistics";

/// How they begin.
static SECTIONS: &[&str] = &[
    "  GC stat:",
    "  Built-in objects:",
    "  All objects:",
    "  String ",
    "  Array ",
    "   Array ",
    "  Hash ",
    "    Hash ",
    "  GC profiling result:",
    "  Memory profile",
];

impl Grammar for Sigdump {
    type Memory = ();
    const MASKS_HEX: bool = false;

    fn may_begin(&self, line: &[u8]) -> bool {
        line.starts_with(b"  Thread #<Thread:")
    }

    fn head(&self, line: &str, _more: &[u8]) -> Option<Head> {
        header::read(line)
    }

    fn in_block(&self, line: &str) -> InBlock {
        if line.starts_with(DUMP) || SECTIONS.iter().any(|start| line.starts_with(start)) {
            return InBlock::Ends;
        }
        if frame(line).is_some() || in_java(line.trim_start()).is_some() {
            return InBlock::Body;
        }
        match line.strip_prefix('\t') {
            Some(text) if text.starts_with("at ") || text.starts_with('-') => InBlock::Body,
            Some(text) if text.starts_with("...") || text.starts_with("Number of ") => InBlock::Noise,
            _ => InBlock::Unknown,
        }
    }

    fn outside(&self, line: &str, section: Option<&'static str>) -> Outside {
        if line.starts_with(DUMP) {
            return Outside::Event;
        }
        if SECTIONS.iter().any(|start| line.starts_with(start)) {
            return Outside::Section(STATISTICS);
        }
        match section {
            Some(STATISTICS) if line.starts_with(' ') => Outside::Noise,
            _ => Outside::Unknown,
        }
    }

    fn body(&self, block: &[BlockLine<'_>]) -> Body {
        body(block)
    }

    fn on_thread(&self, _memory: &mut (), dumps: &mut Dumps, _thread: &Thread, offset: u64) -> bool {
        dumps.current(offset);
        true
    }

    fn on_event(&self, _memory: &mut (), dumps: &mut Dumps, line: &str, offset: u64) {
        let Some(dump) = header::dump(line) else { return };
        let process = &mut dumps.begin(offset).snapshot.process;
        process.pid = Some(dump.pid);
        process.captured_at = Some(dump.time.into());
        process.command_line = Some(dump.program.into());
        let name = dump.program.split([' ', '[', ':']).next().unwrap_or_default();
        let name = name.rsplit('/').next().unwrap_or(name);
        process.name = (!name.is_empty()).then(|| name.into());
    }
}

fn body(block: &[BlockLine<'_>]) -> Body {
    let mut body = Body::default();
    let mut java = Body::default();
    for line in block {
        if let Some(frame) = frame(line.text) {
            body.frames.push(frame.into());
        } else if let Some(head) = in_java(line.text.trim_start()) {
            body.state = head.thread.reported;
            body.wait = head.wait;
        } else if let Some(frame) = line.text.strip_prefix("\tat ").and_then(java::frame) {
            java.frames.push(frame.into());
        } else {
            java::add_note(&mut java, line);
        }
    }
    mark_c_functions(&mut body);
    for mut hold in java.holds {
        // The frame that took it is one of Java.
        hold.depth = None;
        body.holds.push(hold);
    }
    if body.frames.is_empty() {
        body.frames = java.frames;
    }
    body
}

/// What a method is called that is written in C, as its module.
const C_FUNCTIONS: &str = "libruby";

/// A method that is written in C stands at the place of its caller.
fn mark_c_functions(body: &mut Body) {
    let places: Vec<_> = body.frames.iter().map(|f| (f.frame.file.clone(), f.frame.line)).collect();
    let callers = places.iter().skip(1);
    for ((frame, own), caller) in body.frames.iter_mut().zip(&places).zip(callers) {
        let is_block = frame.frame.function.as_deref().is_some_and(|name| name.contains(" in "));
        if own == caller && !is_block {
            frame.frame.module = Some(C_FUNCTIONS.into());
        }
    }
}

/// `In Java "Ruby-0-Thread-1: worker.rb:1" Id=27 WAITING on java.lang.Object@1b2c owned by "main" Id=1`: a ThreadInfo.
fn in_java(line: &str) -> Option<Head> {
    jstack::thread_info(line.strip_prefix(IN_JAVA)?)
}

/// Reads a frame.
///
/// ```text
///       worker.rb:14:in `sleep'
///       /usr/lib/ruby/3.4.0/monitor.rb:202:in 'Monitor#synchronize'              3.4
///       service.rb:89:in `block (2 levels) in <main>'
///       <internal:kernel>:187:in `loop'
/// ```
fn frame(line: &str) -> Option<Frame> {
    let text = line.strip_prefix("      ").filter(|text| !text.starts_with(' '))?;
    let (place, name) = match text.rsplit_once(":in ") {
        Some((place, name)) => {
            let name = name.strip_prefix(['`', '\''])?;
            (place, Some(name.strip_suffix('\'').unwrap_or(name)))
        }
        None => (text, None),
    };
    let (file, number) = place.rsplit_once(':')?;
    let number: u32 = number.parse().ok()?;
    // A block belongs to its method, a method to its class: by their last names the tables know them.
    let last = name.and_then(|name| name.rsplit(['#', '.', ' ']).next()).filter(|last| Some(*last) != name);
    Some(Frame {
        function: name.map(Into::into),
        aliases: last.map(Str::from).into_iter().collect(),
        file: Some(file.into()),
        line: Some(number),
        ..Frame::default()
    })
}

#[cfg(test)]
mod tests;
