//! What all text formats share. A format author writes none of it: a format is the grammar of its headers, of the
//! lines in a thread's block, and of what stands between threads ([`Grammar`]).
//!
//! ```text
//! bytes ─▶ clean ─▶ detect ─▶ section ──────▶ chunks (parallel) ─▶ dumps ─▶ snapshots
//!          UTF-16,  headers   prefixes and     lines, templates,    threads, locks,
//!          colours  ▲    │    foreign text     blocks, bodies       owners, gaps
//!                   └ carrier  removed          (each once)
//!                     JSON lines, cut lines, several services
//! ```
//!
//! Offsets count in the text after decoding.

mod anchor_set;
mod bodies;
mod building;
mod carrier;
mod chunk;
mod clean;
mod contended;
mod dumps;
mod escaped;
mod grammar;
mod holes;
mod in_order;
pub mod json;
pub mod json_list;
mod json_repair;
mod learned;
mod left_out;
mod owners;
mod prefix;
mod quoted_printable;
mod repeats;
mod room;
mod section;
mod seen;
mod site;
mod templates;
pub mod words;

use std::ops::Range;

use crate::model::{FormatId, Snapshot, lossy};
use bodies::Bodies;
use chunk::Chunk;
use learned::Learned;

pub use anchor_set::AnchorSet;
pub use bodies::Known;
pub use building::Building;
pub use carrier::{Carried, are_mixed, carried};
pub use clean::{decoded, has_escapes, without_escapes};
pub use contended::{Contended, link};
pub use dumps::Dumps;
pub use escaped::{is_written, undone};
pub use grammar::{
    BlockLine, Body, BodyFrame, BodyHold, BodyLock, BodyWait, Grammar, HEX, Head, InBlock, LockRef, Masked,
    Outside, OwnerRef, is_limited,
};
pub(super) use in_order::in_order;
pub use left_out::{CUT, LEFT_OUT, is_left_out};
pub use repeats::{Hole, Repeats};
pub use room::make_room;
pub use section::{Section, original};
pub use seen::SeenIds;
pub use site::{LONGEST_LINE, LONGEST_PREFIX, Site, contains, first_line};

/// How much text one worker reads at a time, bytes: so many pieces for each worker, none larger than `largest`. The result
/// does not depend on it.
pub fn chunk_size(text: &[u8], pieces: usize, largest: usize) -> usize {
    #[cfg(test)]
    if let Some(size) = tests::CHUNK_SIZE.get() {
        return size;
    }
    let workers = rayon::current_num_threads().max(1);
    // What was not learned is read anew in each piece: a small text has few of them.
    let smallest = (text.len() / workers / FEWEST_A_WORKER + 1).clamp(1 << 20, 4 << 20);
    (text.len() / workers / pieces + 1).clamp(smallest.min(largest), largest)
}

const FEWEST_A_WORKER: usize = 2;

/// A large text has more pieces than there are workers: what was read is put together while the next ones are read.
const LARGEST_CHUNK: usize = 16 << 20;
const PIECES_A_WORKER: usize = 8;

/// How much text the first piece has, bytes. Nobody reads anything else before it is read.
pub fn learned_from(text: &[u8]) -> usize {
    const MOST: usize = 4 << 20;
    (text.len() / 10).min(MOST)
}

/// How much of the first piece one worker reads, bytes. What two of them have is read twice.
pub fn part_of_first(length: usize) -> usize {
    #[cfg(test)]
    if let Some(size) = tests::PART_SIZE.get() {
        return size;
    }
    const LEAST: usize = 128 << 10;
    (length / rayon::current_num_threads().max(1) + 1).max(LEAST)
}

/// How much text before the first header may belong to the dump: `panic: …`.
const CONTEXT: usize = 1 << 16;

/// Reads all dumps of a format in a text.
pub fn read<G: Grammar>(grammar: &G, format: FormatId, section: &Section<'_>) -> Vec<Snapshot> {
    read_in_chunks(grammar, format, section, chunk_size(&section.text, PIECES_A_WORKER, LARGEST_CHUNK))
}

fn read_in_chunks<G: Grammar>(
    grammar: &G,
    format: FormatId,
    section: &Section<'_>,
    size: usize,
) -> Vec<Snapshot> {
    let text: &[u8] = &section.text;
    let start = context_start(text, section.first);
    let end_of = |from: usize, size: usize| {
        next_header(grammar, text, from.max(section.first) + size.max(1)).unwrap_or(text.len())
    };
    // The first piece is a small one: all others know what stands in it.
    let first_end = end_of(start, if size < text.len() { size.min(learned_from(text)) } else { size });
    let cut = |range: Range<usize>, size: usize| {
        let mut from = range.start;
        let pieces = std::iter::from_fn(move || {
            let piece = from..end_of(from, size).min(range.end);
            from = piece.end;
            (!piece.is_empty()).then_some(piece)
        });
        pieces.collect::<Vec<_>>()
    };
    let first = cut(start..first_end, part_of_first(first_end - start).min(size));
    let ranges = cut(first_end..text.len(), size);
    let mut dumps = Dumps::new(section, format);
    let mut bodies = Bodies::default();
    let mut memory = G::Memory::default();
    let (first, learned) = Learned::from(grammar, text, first, ranges.is_empty());
    // While all workers have nothing else to do; what is added of the first piece, one adds alone.
    let mut of_first = Some(bodies.of(grammar, &first));
    let is_last = |range: &Range<usize>| range.end == text.len();
    let read = |range: &Range<usize>| chunk::read(grammar, text, range.clone(), is_last(range), &learned);
    let add = |chunk: Chunk| {
        let places = of_first.take().unwrap_or_else(|| bodies.of(grammar, &chunk));
        dumps::add_chunk(grammar, &mut memory, &mut dumps, &mut bodies, places, chunk, section);
    };
    in_order(first, &ranges, read, add);
    // Whoever has nothing else to do gives the memory back.
    rayon::spawn(move || drop((bodies, learned)));
    grammar.on_end(&mut memory, &mut dumps);
    dumps.snapshots()
}

/// Where the lines begin that may belong to the first header.
fn context_start(text: &[u8], first: usize) -> usize {
    let from = first.saturating_sub(CONTEXT);
    let line = text.get(from..first).and_then(|before| memchr::memchr(b'\n', before));
    if from == 0 { 0 } else { line.map_or(first, |n| from + n + 1) }
}

/// The first line at `from` or after that is a thread's header.
fn next_header<G: Grammar>(grammar: &G, text: &[u8], from: usize) -> Option<usize> {
    let mut at = from + memchr::memchr(b'\n', text.get(from..)?)? + 1;
    while at < text.len() {
        let rest = text.get(at..)?;
        let line = first_line(rest);
        let next = at + line.len() + 1;
        let shown = line.get(..LONGEST_LINE).unwrap_or(line).trim_ascii_end();
        if grammar.may_begin(shown)
            && grammar.head(&lossy(shown), text.get(next.min(text.len())..)?).is_some()
            && !is_in_header(grammar, text, at)
        {
            return Some(at);
        }
        at = next;
    }
    None
}

/// Whether the line that begins at `at` belongs to a header above it: the rest of a name with a line break, the title of
/// a thread's table.
fn is_in_header<G: Grammar>(grammar: &G, text: &[u8], at: usize) -> bool {
    let mut next = at;
    for _ in 0..MOST_HEADER_LINES {
        let Some(before) = next.checked_sub(1).and_then(|end| text.get(..end)) else { return false };
        let start = memchr::memrchr(b'\n', before).map_or(0, |n| n + 1);
        let line = before.get(start..).unwrap_or_default();
        let shown = line.get(..LONGEST_LINE).unwrap_or(line).trim_ascii_end();
        if grammar.may_begin(shown)
            && let Some(head) = grammar.head(&lossy(shown), text.get(next..).unwrap_or_default())
        {
            return next + head.more > at;
        }
        next = start;
    }
    false
}

/// How many lines a header may have.
const MOST_HEADER_LINES: usize = 48;

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::path::Path;

    use bytes::Bytes;

    use crate::formats::detect;
    use crate::model::{Snapshot, Thread, Values};

    thread_local! {
        /// Instead of what [`chunk_size`](super::chunk_size) would say.
        pub static CHUNK_SIZE: Cell<Option<usize>> = const { Cell::new(None) };
        /// Instead of what [`part_of_first`](super::part_of_first) would say.
        pub static PART_SIZE: Cell<Option<usize>> = const { Cell::new(None) };
    }

    /// Larger dumps are left to the other tests.
    const LARGEST: usize = 1 << 20;

    /// In pieces of one thread no block is compared with one before, no line is predicted, and everything is put together
    /// piece by piece: what is read is the same.
    #[test]
    fn each_thread_by_itself_says_the_same() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/text");
        let mut read = 0;
        for folder in
            std::fs::read_dir(root).unwrap().filter_map(|e| std::fs::read_dir(e.unwrap().path()).ok())
        {
            for path in folder
                .map(|e| e.unwrap().path())
                .filter(|p| p.is_file() && !p.to_string_lossy().ends_with(".json"))
            {
                let bytes = std::fs::read(&path).unwrap();
                let bytes = if path.extension().is_some_and(|e| e == "zst") {
                    zstd::decode_all(bytes.as_slice()).unwrap()
                } else {
                    bytes
                };
                let bytes = Bytes::from(bytes);
                let Some(content) = detect::detect(&bytes, None).filter(|_| bytes.len() < LARGEST) else {
                    continue;
                };
                let all = || {
                    let mut snapshots = detect::read(&content, &bytes, &"x".into());
                    let values = |s: &mut Snapshot| -> Vec<Vec<u64>> {
                        // In which order they are numbered depends on the pieces.
                        let own = |t: &mut Thread| s.values.of(std::mem::take(&mut t.values)).to_vec();
                        s.threads.iter_mut().map(own).collect()
                    };
                    let values: Vec<_> = snapshots.iter_mut().map(values).collect();
                    snapshots.iter_mut().for_each(|s| s.values = Values::default());
                    format!("{snapshots:?} {values:?}")
                };
                let whole = all();
                CHUNK_SIZE.set(Some(1));
                let in_pieces = all();
                CHUNK_SIZE.set(None);
                assert!(whole == in_pieces, "{}", path.display());
                // All of it is the first piece, of which each part is read by itself.
                PART_SIZE.set(Some(1));
                let in_parts = all();
                PART_SIZE.set(None);
                assert!(whole == in_parts, "{}", path.display());
                read += 1;
            }
        }
        assert!(read > 150, "{read} dumps");
    }
}
