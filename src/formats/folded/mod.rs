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

mod line;
mod piece;
mod recognize;

use std::borrow::Cow;

use rustc_hash::FxHashMap;

use super::text::{self, Dumps, Section};
use super::{About, Format, Reader};
use crate::model::{
    FormatId, Frame, FrameIx, FrameKind, GapKind, Listing, Pool, ReportedState, Snapshot, Thread, ThreadId,
    lossy,
};
use line::MOST;
use piece::{Content, Line, Piece};

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
    reader: Reader::Lines { recognize: recognize::recognize, parse },
};

/// How much text one worker reads at a time, bytes, and how many such pieces there are for each.
const LARGEST_PIECE: usize = 1 << 20;
const PIECES_A_WORKER: usize = 8;

fn parse(section: &Section<'_>) -> Vec<Snapshot> {
    parse_in_pieces(section, text::chunk_size(&section.text, PIECES_A_WORKER, LARGEST_PIECE))
}

fn parse_in_pieces(section: &Section<'_>, size: usize) -> Vec<Snapshot> {
    let text: &[u8] = &section.text;
    let pieces = piece::cut(text, size);
    let mut dumps = Dumps::new(section, FORMAT.id);
    let mut known = Known::default();
    let read = |range: &std::ops::Range<usize>| piece::read(text, range.clone());
    text::in_order(Piece::default(), &pieces, read, |piece| known.add_piece(piece, section, &mut dumps));
    if let (Some(building), true) = (dumps.open(), known.too_many > 0) {
        let message = "stacks were left out: their counts are more than a report can hold";
        building.snapshot.gaps.add_many(GapKind::Limit, message, known.too_many, None);
        building.snapshot.is_complete = false;
    }
    dumps.snapshots()
}

/// What was read of the texts that come again: nearly all names do, and whole stacks where several files were put
/// together.
#[derive(Default)]
struct Known<'t> {
    numbers: FxHashMap<Cow<'t, str>, u32>,
    /// The frame of each name, where it was one.
    frames: Vec<Option<Named>>,
    /// The stack of each record: numbers of names, root first.
    records: Pool<u32>,
    total: u64,
    /// Stacks that were left out.
    too_many: u64,
}

/// A frame by its name.
#[derive(Clone, Copy)]
struct Named {
    ix: FrameIx,
    /// What logjam writes has the state of the threads for a leaf.
    is_state: bool,
}

impl<'t> Known<'t> {
    /// Adds what was read of a piece; they come in the order of the text.
    fn add_piece(&mut self, piece: Piece<'t>, section: &Section<'_>, dumps: &mut Dumps) {
        let Piece { names, stacks, lines } = piece;
        let names: Vec<(u32, Cow<'t, str>)> =
            names.into_iter().map(|name| (self.number(name.clone()), name)).collect();
        let mut record_of: Vec<Option<u32>> = vec![None; stacks.len()];
        for Line { at, content } in lines {
            let offset = section.offset(at);
            let (stack, count) = match content {
                Content::Stack(_, 0) => continue,
                Content::Stack(stack, count) => (stack, count),
                Content::Other(length) => {
                    other(dumps, section, at, length);
                    continue;
                }
            };
            if self.total.saturating_add(count) > MOST {
                self.too_many += 1;
                continue;
            }
            self.total += count;
            let snapshot = &mut dumps.current(offset).snapshot;
            snapshot.listing = Listing::Samples;
            let Some(record) = record_of.get_mut(stack as usize) else { continue };
            let own: Vec<&(u32, Cow<'t, str>)> = match record {
                Some(_) => Vec::new(),
                None => {
                    let own = stacks.get(stack).unwrap_or_default().iter();
                    own.filter_map(|name| names.get(*name as usize)).collect()
                }
            };
            let record = *record.get_or_insert_with(|| self.record(snapshot, &own));
            if let Some(thread) = snapshot.threads.get_mut(record as usize) {
                thread.weight = thread.weight.saturating_add(count);
            }
        }
    }

    fn number(&mut self, name: Cow<'t, str>) -> u32 {
        let next = self.frames.len() as u32;
        let number = *self.numbers.entry(name).or_insert(next);
        if number == next {
            self.frames.push(None);
        }
        number
    }

    /// The record of a stack. A sample is of a processor that ran, but for the idle task.
    fn record(&mut self, snapshot: &mut Snapshot, names: &[&(u32, Cow<'t, str>)]) -> u32 {
        let numbers: Vec<u32> = names.iter().map(|(number, _)| *number).collect();
        let record = self.records.add(&numbers);
        if (record as usize) < snapshot.threads.len() {
            return record;
        }
        let mut thread = Thread::new(ThreadId::Number(0));
        thread.weight = 0;
        let mut names = names.iter().peekable();
        let root = names.peek().map(|(_, name)| &**name).unwrap_or_default();
        if let Some(command) = command(root) {
            thread.name = Some(command.into());
            names.next();
        }
        let is_idle = root.starts_with("swapper");
        thread.reported = (!is_idle).then_some(ReportedState::Running);
        let mut named: Vec<Named> = names.map(|(number, name)| self.frame(snapshot, *number, name)).collect();
        if named.pop_if(|last| last.is_state).is_some() {
            thread.reported = None;
        }
        let stack: Vec<FrameIx> = named.iter().rev().map(|named| named.ix).collect();
        thread.stack = snapshot.stacks.stack(&stack);
        snapshot.threads.push(thread);
        record
    }

    fn frame(&mut self, snapshot: &mut Snapshot, number: u32, name: &str) -> Named {
        let known = self.frames.get(number as usize).copied().flatten();
        known.unwrap_or_else(|| {
            let frame = frame(name);
            let is_state = frame.module.as_deref().is_some_and(is_state);
            let named = Named { ix: snapshot.stacks.frame(&frame, std::iter::empty()), is_state };
            if let Some(known) = self.frames.get_mut(number as usize) {
                *known = Some(named);
            }
            named
        })
    }
}

/// A line that is no stack.
fn other(dumps: &mut Dumps, section: &Section<'_>, at: usize, length: usize) {
    let Some(building) = dumps.open() else { return };
    let (gaps, offset) = (&mut building.snapshot.gaps, section.offset(at));
    if at + length == section.text.len() {
        gaps.add(GapKind::Truncated, "the text breaks off in the middle of a stack", Some(offset));
        return;
    }
    let line = section.text.get(at..at + length.min(text::LONGEST_LINE)).unwrap_or_default();
    let shown: String = lossy(line).chars().take(80).collect();
    let message = "lines are no folded stacks and were passed over";
    gaps.add_like(GapKind::SkippedText, message, &shown, offset);
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
