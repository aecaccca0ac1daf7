//! Folded stacks: `root;caller;leaf count`, one stack a line, as stackcollapse, inferno, py-spy, async-profiler and
//! `logjam --format folded` write them.
//!
//! ```text
//! log_worker_1;start_thread;worker_main;handle_request;log_spin_acquire 45
//! iperf-27409/28741;[unknown];__libc_recv;sys_recvfrom_[k];tcp_recvmsg_[k] 7
//! python3;HNSW<hnsw_distance::SIMDAcceleratedL2>::searchLayer<false> 5443938
//! ```
//!
//! Source: FlameGraph stackcollapse-perf.pl (the annotations `_[k]`, `_[i]`, `_[j]`, `--pid`, `--tid`), inferno
//! 0.12 src/collapse/perf.rs.

use super::detect::Header;
use super::text::{self, Body, Building, Dumps, Section};
use super::{About, Format, Reader};
use crate::model::{FormatId, Frame, FrameKind, GapKind, Listing, ReportedState, Snapshot, Thread, ThreadId};

/// The row of this format.
pub const FORMAT: Format = Format {
    id: FormatId::new("folded"),
    name: "folded stacks",
    looked_for: "lines `function;function;function count`",
    about: About {
        producer: "stackcollapse-*.pl of FlameGraph, inferno, py-spy record -f raw, async-profiler, logjam",
        reads: "how many samples have each stack; kernel, inlined and JIT frames where they are marked",
        never: "threads that sleep, states, addresses, files and lines; who holds a lock",
        capture: "perf script | stackcollapse-perf.pl --all > out.folded",
    },
    reader: Reader::Lines { recognize, parse },
};

/// Lines that are looked at to tell whether a text is folded.
const LOOKED_AT: usize = 400;

/// So many lines of a log that are folded are no chance.
const FEWEST: usize = 2;

/// More samples than this are not counted: numbers of a report stay exact in every reader.
const MOST: u64 = 1 << 53;

/// A line of a stack: its frames, root first, and how many samples it stands for.
fn stack(line: &str) -> Option<(&str, u64)> {
    let (frames, count) = line.trim_end().rsplit_once(' ')?;
    let count = number(count)?;
    // A differential profile has two counts.
    let frames = match frames.rsplit_once(' ') {
        Some((before, first))
            if number(first).is_some() && before.contains(';') && !before.ends_with(',') =>
        {
            before
        }
        _ => frames,
    };
    let is_name = |frame: &str| frame.chars().any(|c| c.is_alphabetic());
    let names = frames.split(';').filter(|frame| is_name(frame)).count();
    let has_data = frames.split(';').skip(1).any(|frame| frame.is_empty());
    (frames.contains(';') && names >= 2 && !has_data).then_some((frames, count))
}

/// `42`, `42.5`
fn number(text: &str) -> Option<u64> {
    let is_number = !text.is_empty()
        && text.bytes().all(|b| b.is_ascii_digit() || b == b'.')
        && text.bytes().any(|b| b.is_ascii_digit());
    let value: f64 = if is_number { text.parse().ok()? } else { return None };
    // What is not exact is too much anyway.
    Some((value.round() as u64).min(MOST))
}

/// Where the frames begin in a line of a log: behind the time and the words after it.
fn own_start(frames: &str) -> usize {
    let root = frames.split(';').next().unwrap_or_default();
    let digits = root.as_bytes();
    let has_time = digits
        .windows(5)
        .any(|w| matches!(w, [a, b, b':', c, d] if [a, b, c, d].iter().all(|x| x.is_ascii_digit())));
    if !has_time {
        return 0;
    }
    root.rfind(' ').map_or(0, |at| at + 1)
}

/// Whether a text is folded: most of its lines are, or lines of a log that stand together.
fn recognize(text: &[u8]) -> Option<Header> {
    let mut first = None;
    let (mut folded, mut others, mut at) = (0usize, 0usize, 0usize);
    let mut in_log = 0usize;
    while at < text.len() && (folded + others < LOOKED_AT || (folded == 0 && others < LOOKED_AT * 25)) {
        let whole = text::first_line(text.get(at..)?);
        let line = String::from_utf8_lossy(whole.get(..whole.len().min(text::LONGEST_LINE))?);
        if let Some((frames, _)) = stack(&line) {
            folded += 1;
            let start = own_start(frames);
            in_log += usize::from(start > 0);
            first.get_or_insert(Header { line: at, start: at + start });
        } else if !line.trim().is_empty() && !line.starts_with('#') {
            others += 1;
        }
        at += whole.len() + 1;
    }
    let is_folded = folded > others || (in_log >= FEWEST && in_log == folded);
    first.filter(|_| is_folded)
}

fn parse(section: &Section<'_>) -> Vec<Snapshot> {
    let mut dumps = Dumps::new(section, FORMAT.id);
    let mut at = 0;
    let mut total = 0u64;
    let mut too_many = 0u64;
    let text: &[u8] = &section.text;
    while at < text.len() {
        let whole = text::first_line(text.get(at..).unwrap_or_default());
        let offset = section.offset(at);
        let end = at + whole.len();
        let line =
            String::from_utf8_lossy(whole.get(..whole.len().min(text::LONGEST_LINE)).unwrap_or_default());
        match stack(&line) {
            Some((_, count)) if total.saturating_add(count) > MOST => too_many += 1,
            Some((_, 0)) => {}
            Some((frames, count)) => {
                total += count;
                let building = dumps.current(offset);
                building.snapshot.listing = Listing::Samples;
                add(building, frames, count, offset);
            }
            None if line.trim().is_empty() || line.starts_with('#') => {}
            None => {
                if let Some(building) = dumps.open() {
                    let gaps = &mut building.snapshot.gaps;
                    if end == text.len() {
                        gaps.add(
                            GapKind::Truncated,
                            "the text breaks off in the middle of a stack",
                            Some(offset),
                        );
                    } else {
                        let shown: String = line.chars().take(80).collect();
                        let message = "lines are no folded stacks and were passed over";
                        gaps.add_like(GapKind::SkippedText, message, &shown, offset);
                    }
                }
            }
        }
        at = end + 1;
    }
    if let (Some(building), true) = (dumps.open(), too_many > 0) {
        let message = "stacks were left out: their counts are more than a report can hold";
        building.snapshot.gaps.add_many(GapKind::Limit, message, too_many, None);
        building.snapshot.is_complete = false;
    }
    dumps.snapshots()
}

/// Adds a stack. A sample is of a processor that ran, but for the idle task.
fn add(building: &mut Building, frames: &str, count: u64, offset: u64) {
    let mut thread = Thread::new(ThreadId::Number(0));
    thread.weight = count;
    let mut names = frames.split(';').peekable();
    let root = names.peek().copied().unwrap_or_default();
    if let Some(command) = command(root) {
        thread.name = Some(command.into());
        names.next();
    }
    let is_idle = root.starts_with("swapper");
    thread.reported = (!is_idle).then_some(ReportedState::Running);
    let mut frames: Vec<Frame> = names.map(frame).collect();
    // What logjam writes has the state of the threads for a leaf.
    if frames.last().and_then(|f| f.module.as_deref()).is_some_and(is_state) {
        frames.pop();
        thread.reported = None;
    }
    frames.reverse();
    let body = Body { frames: frames.into_iter().map(Into::into).collect(), ..Body::default() };
    building.push(thread, &body, &[], offset);
}

/// `[lock-wait g_log_mutex]`
fn is_state(text: &str) -> bool {
    const STATES: [&str; 10] = [
        "running",
        "spinning",
        "lock-wait",
        "cond-wait",
        "io-wait",
        "sleeping",
        "idle",
        "join-wait",
        "runtime",
        "unknown",
    ];
    let word = text.trim_matches(['[', ']']).split(' ').next().unwrap_or_default();
    STATES.contains(&word)
}

/// `iperf-27409/28741`, `java-?/3244`: the command, where the root has ids.
fn command(root: &str) -> Option<&str> {
    let (command, ids) = root.rsplit_once('-')?;
    let is_id = |id: &str| id == "?" || (!id.is_empty() && id.bytes().all(|b| b.is_ascii_digit()));
    (!command.is_empty() && ids.split('/').count() <= 2 && ids.split('/').all(is_id)).then_some(command)
}

/// A frame with what its annotation says.
fn frame(name: &str) -> Frame {
    let (name, module, kind) = if let Some(name) = name.strip_suffix("_[k]") {
        (name, Some("[kernel]"), FrameKind::Normal)
    } else if let Some(name) = name.strip_suffix("_[i]") {
        (name, None, FrameKind::Inlined)
    } else {
        (name.strip_suffix("_[j]").unwrap_or(name), None, FrameKind::Normal)
    };
    let name = name.trim();
    // `[libc.so.6]`: the module is known, the function is not.
    let is_module = name.starts_with('[') && name.ends_with(']');
    let module = if is_module { Some(name).filter(|name| *name != "[unknown]") } else { module };
    Frame {
        function: (!is_module && !name.is_empty()).then(|| name.into()),
        module: module.map(Into::into),
        kind,
        ..Frame::default()
    }
}

#[cfg(test)]
mod tests;
