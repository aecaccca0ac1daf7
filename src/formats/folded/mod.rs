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

mod ahead;
mod before;
mod line;
mod name;
mod piece;
mod recognize;
mod records;

use super::text::{self, Dumps, Section};
use super::{About, Format, Reader};
use crate::model::{FormatId, GapKind, Listing, Snapshot, lossy};
use piece::{Content, Line, Piece};
use records::{Expected, Places, Records};

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
    let mut records = Records::default();
    let read = |range: &std::ops::Range<usize>| piece::read(text, range.clone());
    let count = pieces.len();
    let add = |piece| add(piece, count, &mut records, section, &mut dumps);
    text::in_order(Piece::default(), &pieces, read, add);
    if let Some(building) = dumps.open() {
        building.snapshot.threads = records.threads();
        if records.too_many > 0 {
            let message = "stacks were left out: their counts are more than a report can hold";
            building.snapshot.gaps.add_many(GapKind::Limit, message, records.too_many, None);
            building.snapshot.is_complete = false;
        }
    }
    dumps.snapshots()
}

/// Adds what was read of a piece, of so many; they come in the order of the text.
fn add(piece: Piece, pieces: usize, records: &mut Records, section: &Section<'_>, dumps: &mut Dumps) {
    let Piece { names, stacks, lines } = piece;
    let expected = Expected { lines: lines.len(), names: names.len(), frames: stacks.len(), pieces };
    let mut names = Places::of(names);
    let mut start = 0;
    for Line { at, content } in lines {
        match content {
            Content::Stack { end, count } => {
                let stack = stacks.get(start..end).unwrap_or_default();
                start = end;
                let building = dumps.current(section.offset(at));
                building.snapshot.listing = Listing::Samples;
                if records.is_empty() {
                    records.make_room(&expected, &mut building.snapshot);
                }
                records.add(stack, count, &mut names, &mut building.snapshot);
            }
            Content::Other(length) => other(dumps, section, at, length),
        }
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

#[cfg(test)]
mod tests;
