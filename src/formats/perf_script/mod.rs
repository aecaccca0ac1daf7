//! Samples as `perf script` prints them.
//!
//! ```text
//! go  6157  1224.147545:     250000 cpu-clock:uhH:
//!               414297 runtime.mapassign_faststr+0x277 (/usr/lib/go/bin/go)
//! log worker 4 30126/30130 [001]  1779.200414:   20408163 cycles:
//!     ffffffff81051586 native_safe_halt ([kernel.kallsyms])
//! java  3244 cpu-clock:                                                            perf 3.2, without a time
//! postgres  2716 [001] 155.101202:  250000 cpu-clock:  55d0c3b1a2f0 LWLockAttemptLock (/usr/bin/postgres)  without -g
//! ```
//!
//! Source: Linux 3.2-6.12 tools/perf/builtin-script.c (`perf_sample__fprintf_start`, `process_event`),
//! tools/perf/util/evsel_fprintf.c (`sample__fprintf_callchain`).

use super::text::words::{rsplit_once, split_once};
use super::text::{self, BlockLine, Body, Dumps, Grammar, Head, InBlock, Outside, Section, Site};
use super::{About, Format, Reader};
use crate::model::{FormatId, Frame, FrameKind, Listing, ReportedState, Snapshot, Thread, ThreadId};

/// The row of this format.
pub const FORMAT: Format = Format {
    id: FormatId::new("perf-script"),
    name: "samples of perf script",
    looked_for: "lines `command pid time: event:` with frames below",
    about: About {
        producer: "perf script of Linux 3.2 to 6.12, with call graphs (-g) or without",
        reads: "how many samples have each stack; commands, modules, inlined functions; which functions spin on a lock",
        never: "threads that sleep (a sample of the processor shows none), who holds a lock, addresses of locks",
        capture: "perf record -g --call-graph dwarf -p PID -- sleep 5; perf script",
    },
    reader: Reader::Text { anchors: EVENTS, confirm, parse },
};

/// Events that are sampled most, as parts of their names.
const EVENTS: &[&str] = &[
    "cpu-clock",
    "task-clock",
    "cycles",
    "instructions",
    "cache-",
    "page-faults",
    "context-switches",
    "branch-",
    "cpu/",
    "sched:sched_",
    "syscalls:sys_",
    "probe:",
    "lock:contention",
    "faults:",
];

/// Events of a processor that runs: whoever is sampled by them is not asleep.
const RUNNING: &[&str] = &[
    "cpu-clock",
    "task-clock",
    "cycles",
    "instructions",
    "cache-",
    "branch-",
    "cpu/",
    "cpu_core/",
    "cpu_atom/",
];

/// Lines after a header in which a frame is looked for.
const NEAR: usize = 4;

fn confirm(site: &Site<'_>) -> Option<usize> {
    // An event's name ends with a colon: `cycles` stands in other reports as well.
    let name = site.rest().split(|b| b.is_ascii_whitespace() || matches!(b, b'\\' | b'"')).next()?;
    if !name.ends_with(b":") {
        return None;
    }
    let (begin, whole) = site.whole_line()?;
    if alone(&whole).is_some_and(|(sample, _)| sample.command.len() <= LONGEST_COMMAND) {
        return Some(begin);
    }
    let frame_at = site.following_text(NEAR).find_map(|line| {
        // A tab, or the blanks that right-align the address, stand before a frame.
        let at = line.find('\t').or_else(|| line.find("        "))?;
        parts(line.get(at..)?).map(|_| at)
    })?;
    // The same prefix of a log stands before both.
    let own = whole.get(frame_at..)?;
    sample(own)?;
    Some(begin + frame_at)
}

fn parse(section: &Section<'_>) -> Vec<Snapshot> {
    text::read(&Perf, FORMAT.id, section)
}

struct Perf;

/// A sample's header.
struct Sample<'t> {
    command: &'t str,
    tid: u64,
    event: &'t str,
    has_time: bool,
}

/// Reads `COMMAND PID[/TID] [CPU] TIME: PERIOD EVENT:`; the command may hold blanks and numbers, so that the first
/// number after which everything fits is the pid.
fn sample(line: &str) -> Option<Sample<'_>> {
    let mut rest = line.trim_ascii_start();
    for _ in 0..MOST_TOKENS {
        let (_, behind) = rest.split_once([' ', '\t'])?;
        rest = behind.trim_ascii_start();
        let (ids, behind) = rest.split_once([' ', '\t'])?;
        if let Some(tid) = ids_of(ids)
            && let Some((event, has_time)) = event(behind)
        {
            return Some(Sample {
                command: line.get(..line.len() - rest.len())?.trim(),
                tid,
                event,
                has_time,
            });
        }
    }
    None
}

/// `30126`, `30126/30130`: the thread. The idle task of a guest may have a number below zero.
fn ids_of(word: &str) -> Option<u64> {
    let id = |text: &str| text.trim_start_matches('-').parse::<u64>().ok();
    match word.split_once('/') {
        Some((pid, tid)) => id(pid).and(id(tid)),
        None => id(word),
    }
}

/// A sample without a call graph: its one frame stands behind the event.
fn alone(line: &str) -> Option<(Sample<'_>, &str)> {
    let line = line.trim_end();
    if !line.ends_with(')') {
        return None;
    }
    // Without a time a log that counts cycles looks the same.
    let sample = sample(line).filter(|sample| sample.has_time)?;
    let (_, frame) = split_once(line, &format!("{}:", sample.event))?;
    parts(frame).map(|_| (sample, frame))
}

/// A command has 15 bytes (`TASK_COMM_LEN`).
const LONGEST_COMMAND: usize = 15;

/// Words of a header that are looked at: a command has 15 bytes.
const MOST_TOKENS: usize = 16;

/// The event behind the processor, the flags, the time and the period, and whether there is a time.
fn event(text: &str) -> Option<(&str, bool)> {
    let mut tokens = text.split_ascii_whitespace().peekable();
    tokens.next_if(|t| t.starts_with('[') && t.ends_with(']'));
    // Flags of interrupts and preemption: `d.h.`.
    tokens.next_if(|t| {
        t.len() == 4 && t.bytes().all(|b| b == b'.' || b.is_ascii_alphanumeric()) && t.contains('.')
    });
    let time = tokens.next_if(|t| {
        t.strip_suffix(':')
            .is_some_and(|t| t.contains('.') && t.bytes().all(|b| b.is_ascii_digit() || b == b'.'))
    });
    tokens.next_if(|t| t.bytes().all(|b| b.is_ascii_digit()));
    let name = tokens.next()?.strip_suffix(':')?;
    // Without a time a line of a log looks the same: `payment 90840 declined:`.
    let is_known = time.is_some() || EVENTS.iter().any(|event| name.contains(event));
    let is_name = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '{');
    (is_known && is_name).then_some((name, time.is_some()))
}

/// The address, the name and the module of a frame: `7f2d0c0891f5 start_thread+0x305 (/usr/lib/libc.so.6)`.
fn parts(line: &str) -> Option<(u64, &str, &str)> {
    let text = line.trim();
    let blank = text.find(' ')?;
    let address = u64::from_str_radix(text.get(..blank)?, 16).ok()?;
    // Without a symbol only the module is there: ` (/usr/lib/libfoo.so)`.
    let (name, module) = rsplit_once(text.get(blank..)?.strip_suffix(')')?, " (")?;
    match module {
        // `(/usr/lib/libfoo.so (deleted))`
        "deleted)" | "deleted" => rsplit_once(name, " (").map(|(name, module)| (address, name, module)),
        _ => Some((address, name, module)),
    }
}

/// Reads a frame.
fn frame(line: &str) -> Option<Frame> {
    let (address, name, module) = parts(line)?;
    let name = match name.rsplit_once("+0x") {
        Some((before, offset)) if offset.bytes().all(|b| b.is_ascii_hexdigit()) => before,
        _ => name,
    };
    let kind = if module == "inlined" { FrameKind::Inlined } else { FrameKind::Normal };
    let known =
        |text: &str| Some(text).filter(|t| !matches!(*t, "[unknown]" | "inlined" | "")).map(Into::into);
    Some(Frame {
        function: known(name.trim()),
        module: known(module),
        address: Some(address),
        kind,
        ..Frame::default()
    })
}

impl Grammar for Perf {
    type Memory = ();
    const MASKS_HEX: bool = false;

    fn may_begin(&self, line: &[u8]) -> bool {
        // What ends with a parenthesis is a frame, with its sample before it or alone.
        let is_frame = line.ends_with(b")");
        let mut colons = memchr::memchr_iter(b':', line);
        let may_be = colons.any(|at| !is_frame || line.get(at + 1) == Some(&b' '));
        may_be && !line.starts_with(b"#")
    }

    fn head(&self, line: &str, _more: &[u8]) -> Option<Head> {
        let (sample, first) = match alone(line) {
            Some((sample, frame)) => (sample, Some(frame.to_owned())),
            None => (sample(line).filter(|_| !line.ends_with(')'))?, None),
        };
        let mut thread = Thread::new(ThreadId::Number(sample.tid));
        thread.name = Some(sample.command.into());
        // The idle task runs to rest.
        let is_idle = sample.tid == 0 || sample.command.starts_with("swapper");
        if !is_idle && RUNNING.iter().any(|event| sample.event.contains(event)) {
            thread.reported = Some(ReportedState::Running);
        }
        Some(Head { first, ..Head::of(thread) })
    }

    fn in_block(&self, line: &str) -> InBlock {
        if parts(line).is_some() { InBlock::Body } else { other(line) }
    }

    fn outside(&self, line: &str, _section: Option<&'static str>) -> Outside {
        match line.strip_prefix('#') {
            Some(comment) if comment.contains(':') => Outside::Event,
            Some(_) => Outside::Noise,
            None => Outside::Unknown,
        }
    }

    fn body(&self, block: &[BlockLine<'_>]) -> Body {
        let frames = block.iter().filter_map(|line| frame(line.text)).map(Into::into).collect();
        Body { frames, ..Body::default() }
    }

    fn on_thread(&self, _memory: &mut (), dumps: &mut Dumps, _thread: &Thread, offset: u64) -> bool {
        let snapshot = &mut dumps.current(offset).snapshot;
        snapshot.listing = Listing::Samples;
        snapshot.process.os = Some("linux".into());
        true
    }

    /// The comments that perf writes before the samples.
    fn on_event(&self, _memory: &mut (), dumps: &mut Dumps, line: &str, offset: u64) {
        let Some((name, value)) = line.trim_start_matches('#').split_once(':') else { return };
        let snapshot = &mut dumps.current(offset).snapshot;
        match name.trim() {
            "captured on" => snapshot.process.captured_at = Some(value.trim().into()),
            "perf version" => snapshot.source.producer = Some(format!("perf {}", value.trim()).into()),
            _ => {}
        }
    }
}

/// A line with a source (`-F +srcline`), a comment, or something that is not known.
fn other(line: &str) -> InBlock {
    let text = line.trim();
    let is_source = text
        .rsplit_once(':')
        .is_some_and(|(file, n)| !file.contains(' ') && n.bytes().all(|b| b.is_ascii_digit()));
    if text.starts_with('#') || is_source || text == "..." { InBlock::Noise } else { InBlock::Unknown }
}

#[cfg(test)]
mod tests;
