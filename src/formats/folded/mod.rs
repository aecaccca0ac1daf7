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

use std::borrow::Cow;

use rustc_hash::FxHashMap;

use super::detect::Header;
use super::text::{self, Dumps, Section};
use super::{About, Format, Reader};
use crate::model::{
    FormatId, Frame, FrameIx, FrameKind, GapKind, Listing, ReportedState, Snapshot, Thread, ThreadId, lossy,
};

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

/// So many lines of a log that are folded, one below the other, are no chance.
const FEWEST: usize = 3;

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
    let has_names = frames.split(';').filter(|frame| is_name(frame)).nth(1).is_some();
    let is_prose = || frames.ends_with(';') || [b"; ".as_slice(), b";;"].iter().any(|no| has(frames, no));
    let has_entity = || has(frames, b"&") && frames.split(';').any(is_entity);
    (has_names && !is_prose() && !has_entity()).then_some((frames, count))
}

fn has(text: &str, what: &[u8]) -> bool {
    memchr::memmem::find(text.as_bytes(), what).is_some()
}

fn is_name(frame: &str) -> bool {
    frame.chars().any(|c| c.is_alphabetic())
}

/// `frame #&#8203;1`, `Total&nbsp;items`: HTML, which writes a semicolon behind each of its own.
fn is_entity(frame: &str) -> bool {
    let name = frame.rsplit_once('&').map(|(_, name)| name.strip_prefix('#').unwrap_or(name));
    name.is_some_and(|name| !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric()))
}

/// Whether the names have no blanks but within brackets: words of a table do, `void f(int, char)` does not.
fn is_code(frames: &str) -> bool {
    let mut depth = 0usize;
    let is_open_blank = |b: u8| {
        match b {
            b'(' | b'<' | b'[' | b'{' => depth += 1,
            b')' | b'>' | b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        b == b' ' && depth == 0
    };
    is_name(root(frames)) && !frames.bytes().any(is_open_blank)
}

fn root(frames: &str) -> &str {
    frames.split(';').next().unwrap_or_default()
}

/// `42`, `42.5`
fn number(text: &str) -> Option<u64> {
    if let (Ok(count), false) = (text.parse::<u64>(), text.starts_with('+')) {
        return Some(count.min(MOST));
    }
    let is_number = !text.is_empty()
        && text.bytes().all(|b| b.is_ascii_digit() || b == b'.')
        && text.bytes().any(|b| b.is_ascii_digit());
    let value: f64 = if is_number { text.parse().ok()? } else { return None };
    // What is not exact is too much anyway.
    Some((value.round() as u64).min(MOST))
}

/// Where the frames begin in a line of a log: behind the time and the words after it.
fn own_start(frames: &str) -> usize {
    let root = root(frames);
    let digits = root.as_bytes();
    let has_time = digits
        .windows(5)
        .any(|w| matches!(w, [a, b, b':', c, d] if [a, b, c, d].iter().all(|x| x.is_ascii_digit())));
    if !has_time {
        return 0;
    }
    root.rfind(' ').map_or(0, |at| at + 1)
}

/// Whether a text is folded: most of its lines are, or lines of a log that stand together. Tables, cookies and prose
/// have lines with semicolons and a number as well, but do not begin alike: stacks are sorted, and have few roots, or
/// the name of each thread and below it what all threads begin with.
fn recognize(text: &[u8]) -> Option<Header> {
    let mut first = None;
    let mut before = [None, None];
    let (mut folded, mut others, mut at) = (0usize, 0usize, 0usize);
    let (mut in_log, mut alike, mut code) = (0usize, 0usize, 0usize);
    // Whether other lines stand between the folded ones.
    let (mut is_apart, mut has_gap) = (false, false);
    while at < text.len() && (folded + others < LOOKED_AT || (folded == 0 && others < LOOKED_AT * 25)) {
        let whole = text::first_line(text.get(at..)?);
        let line = lossy(whole.get(..whole.len().min(text::LONGEST_LINE))?);
        if let Some((frames, _)) = stack(&line) {
            folded += 1;
            is_apart |= has_gap;
            let start = own_start(frames);
            in_log += usize::from(start > 0);
            let own = frames.get(start..).unwrap_or_default();
            code += usize::from(is_code(own));
            let mut names = own.split(';').map(str::to_owned);
            let begin = [names.next(), names.next()];
            alike += usize::from(begin.iter().zip(&before).any(|(name, before)| name == before));
            before = begin;
            first.get_or_insert(Header { line: at, start: at + start });
        } else if !line.trim().is_empty() && !line.starts_with('#') {
            others += 1;
            has_gap = folded > 0;
        }
        at += whole.len() + 1;
    }
    let is_alike = alike * 2 >= folded.saturating_sub(1);
    let is_profile = folded > others && (is_alike && folded > 1 || others == 0 && code == folded);
    let is_logged = in_log >= FEWEST && in_log == folded && is_alike && !is_apart;
    first.filter(|_| is_profile || is_logged)
}

fn parse(section: &Section<'_>) -> Vec<Snapshot> {
    let mut dumps = Dumps::new(section, FORMAT.id);
    let mut at = 0;
    let mut total = 0u64;
    let mut too_many = 0u64;
    let mut known = Known::default();
    let text: &[u8] = &section.text;
    while at < text.len() {
        let whole = text::first_line(text.get(at..).unwrap_or_default());
        let offset = section.offset(at);
        let end = at + whole.len();
        let line = lossy(whole.get(..whole.len().min(text::LONGEST_LINE)).unwrap_or_default());
        match known.stack(&line).or_else(|| stack(&line)) {
            Some((_, count)) if total.saturating_add(count) > MOST => too_many += 1,
            Some((_, 0)) => {}
            Some((frames, count)) => {
                total += count;
                let snapshot = &mut dumps.current(offset).snapshot;
                snapshot.listing = Listing::Samples;
                let frames = match line {
                    Cow::Borrowed(line) => Cow::Borrowed(line.get(..frames.len()).unwrap_or_default()),
                    Cow::Owned(_) => Cow::Owned(frames.to_owned()),
                };
                known.add(snapshot, frames, count);
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

/// What was read of the texts that come again: nearly all names do, and whole stacks where several files were put
/// together.
#[derive(Default)]
struct Known<'t> {
    /// The record of each stack, by its text.
    records: FxHashMap<Cow<'t, str>, usize>,
    frames: FxHashMap<String, Named>,
}

/// A frame by its name.
#[derive(Clone, Copy)]
struct Named {
    ix: FrameIx,
    /// What logjam writes has the state of the threads for a leaf.
    is_state: bool,
}

impl<'t> Known<'t> {
    /// The same as [`stack`], for a line whose frames were there before.
    fn stack<'l>(&self, line: &'l str) -> Option<(&'l str, u64)> {
        let (frames, count) = line.trim_end().rsplit_once(' ')?;
        self.records.contains_key(frames).then_some((frames, number(count)?))
    }

    /// Adds a stack. A sample is of a processor that ran, but for the idle task.
    fn add(&mut self, snapshot: &mut Snapshot, frames: Cow<'t, str>, count: u64) {
        let again = self.records.get(&*frames).and_then(|&record| snapshot.threads.get_mut(record));
        if let Some(thread) = again {
            thread.weight = thread.weight.saturating_add(count);
            return;
        }
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
        let mut named: Vec<Named> = names.map(|name| self.frame(snapshot, name)).collect();
        if named.pop_if(|last| last.is_state).is_some() {
            thread.reported = None;
        }
        let stack: Vec<FrameIx> = named.iter().rev().map(|named| named.ix).collect();
        thread.stack = snapshot.stacks.stack(&stack);
        self.records.insert(frames, snapshot.threads.len());
        snapshot.threads.push(thread);
    }

    fn frame(&mut self, snapshot: &mut Snapshot, name: &str) -> Named {
        if let Some(&known) = self.frames.get(name) {
            return known;
        }
        let frame = frame(name);
        let is_state = frame.module.as_deref().is_some_and(is_state);
        let named = Named { ix: snapshot.stacks.frame(&frame, std::iter::empty()), is_state };
        self.frames.insert(name.to_owned(), named);
        named
    }
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
