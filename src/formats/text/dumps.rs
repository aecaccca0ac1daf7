//! From chunks to snapshots, in the order of the text.

use std::sync::Arc;

use super::bodies::{Bodies, Known, Places, Slots};
use super::building::{Building, Room, Said};
use super::chunk::{Chunk, Item, MoreOfHead, ThreadItem};
use super::grammar::Grammar;
use super::section::Section;
use crate::model::{FormatId, GapKind, Snapshot, Source, Str, ThreadIx, Values};

/// The snapshots of a text, as they are being put together.
pub struct Dumps {
    path: Str,
    bytes: u64,
    format: FormatId,
    done: Vec<Snapshot>,
    current: Option<Building>,
    /// Grows with each snapshot, so that what is remembered of chunks is not used for another one.
    generation: u32,
    /// What the next dump will need.
    room: Option<Room>,
}

impl Dumps {
    /// For a format that reads its text itself.
    pub fn new(section: &Section<'_>, format: FormatId) -> Self {
        let path = section.path.clone();
        Self {
            path,
            bytes: section.bytes,
            format,
            done: Vec::new(),
            current: None,
            generation: 0,
            room: None,
        }
    }

    /// Ends the dump that is being read, and begins another one.
    pub fn begin(&mut self, offset: u64) -> &mut Building {
        self.end();
        self.current(offset)
    }

    /// Ends the dump that is being read.
    pub fn end(&mut self) {
        if let Some(building) = self.current.take() {
            self.done.push(building.finish());
            self.generation += 1;
        }
    }

    /// The dump that is being read; begins one where there is none.
    pub fn current(&mut self, offset: u64) -> &mut Building {
        self.current.get_or_insert_with(|| {
            let mut building = Building::new(Source {
                path: self.path.clone(),
                format: self.format,
                producer: None,
                bytes: self.bytes,
                offset,
            });
            if let Some(room) = self.room.take() {
                building.make(room);
            }
            building
        })
    }

    /// Makes room for what is new in a piece, and for as many threads as the rest of the text may have: whatever grows is
    /// copied again and again. `frames`: how many are new.
    fn make_room(&mut self, chunk: &Chunk, frames: usize, section: &Section<'_>) {
        let (Some(first), Some(last)) = (chunk.threads.first(), chunk.threads.last()) else { return };
        if chunk.threads.len() < FEWEST_EXPECTED {
            return;
        }
        let read = last.offset.saturating_sub(first.offset).max(1);
        let rest = section.text.len().saturating_sub(last.offset);
        let expected = |count: usize| count.saturating_mul(rest) / read + count;
        let room = Room { now: chunk.threads.len(), threads: expected(chunk.threads.len()), frames };
        match &mut self.current {
            Some(building) => building.make(room),
            // The first piece begins with the header of the dump that its threads belong to.
            None => self.room = Some(room),
        }
    }

    /// The dump that is being read, if there is one.
    pub fn open(&mut self) -> Option<&mut Building> {
        self.current.as_mut()
    }

    /// All snapshots, the one that is being read included.
    pub fn snapshots(mut self) -> Vec<Snapshot> {
        self.end();
        self.done
    }
}

/// A piece with fewer threads says nothing of how many follow.
const FEWEST_EXPECTED: usize = 64;

/// Adds a chunk; they come in the order of the text. `places`: its blocks among the bodies.
pub(super) fn add_chunk<G: Grammar>(
    grammar: &G,
    memory: &mut G::Memory,
    dumps: &mut Dumps,
    bodies: &mut Bodies,
    places: Places,
    chunk: Chunk,
    section: &Section<'_>,
) {
    dumps.make_room(&chunk, places.new_frames, section);
    let mut values = PieceValues { all: Arc::new(chunk.values), placed: None };
    let mut threads = chunk.threads.into_iter();
    for item in &chunk.items {
        match item {
            Item::Threads(count) => {
                for item in threads.by_ref().take(*count) {
                    let offset = section.offset(item.offset);
                    let body = places.bodies.get(item.block as usize);
                    let known = body.and_then(|&body| bodies.get_mut(body));
                    if let (true, Some(known)) =
                        (grammar.on_thread(memory, dumps, &item.thread, offset), known)
                    {
                        add_threads(dumps, &mut values, item, known, offset);
                    }
                }
            }
            Item::Event { line, offset } => {
                grammar.on_event(memory, dumps, line, section.offset(*offset));
            }
            Item::Skipped { lines, offset, first, is_in_block } => {
                let offset = section.offset(*offset);
                skipped(dumps, *lines, offset, first, *is_in_block);
            }
            Item::Field { text, offset } => {
                let offset = section.offset(*offset);
                let gaps = &mut dumps.current(offset).snapshot.gaps;
                gaps.add_like(
                    GapKind::SkippedText,
                    "fields of headers are not known and were passed over",
                    text,
                    offset,
                );
            }
            Item::Cut { offset } => {
                let offset = section.offset(*offset);
                let snapshot = &mut dumps.current(offset).snapshot;
                let message = "the text breaks off in the middle of a thread";
                snapshot.gaps.add(GapKind::Truncated, message, Some(offset));
                snapshot.is_complete = false;
            }
        }
    }
}

/// Lines that were not understood. Before the first thread of a file they are the log around it.
fn skipped(dumps: &mut Dumps, lines: u64, offset: u64, first: &str, is_in_block: bool) {
    let Some(building) = dumps.open() else { return };
    let gaps = &mut building.snapshot.gaps;
    let message = if is_in_block {
        "lines in stacks were not understood and passed over"
    } else {
        "lines between the stacks are no part of the dump, or were not understood"
    };
    gaps.add_many_like(GapKind::SkippedText, message, lines, first, offset);
}

/// The values of a piece of text, of which the snapshots have what they need as it is.
struct PieceValues {
    all: Arc<Vec<u64>>,
    /// The number that the first of them has in the snapshot of this generation.
    placed: Option<(u32, u32)>,
}

impl PieceValues {
    /// The number of the first one in a snapshot.
    fn first(&mut self, values: &mut Values, generation: u32) -> u32 {
        match self.placed {
            Some((of, first)) if of == generation => first,
            _ => {
                let first = values.share(self.all.clone());
                self.placed = Some((generation, first));
                first
            }
        }
    }
}

/// Adds the threads of a header, whose block may be known from before. `piece`: of the piece of text.
fn add_threads(dumps: &mut Dumps, piece: &mut PieceValues, item: ThreadItem, known: &mut Known, offset: u64) {
    let generation = dumps.generation;
    let building = dumps.current(offset);
    let placed = match known.placed {
        Some(placed) if placed.generation == generation => placed,
        _ => building.place(&known.body, generation),
    };
    known.placed = Some(placed);
    let body = &known.body;
    let shown = match &known.slots {
        Slots::First(count) if (1..=item.values.1 - item.values.0).contains(count) => {
            let first =
                piece.first(&mut building.snapshot.values, generation).saturating_add(item.values.0 as u32);
            (first, first.saturating_add(*count as u32))
        }
        slots => building.shown(body, slots, piece.all.get(item.values.0..item.values.1).unwrap_or_default()),
    };
    let values = piece.all.get(item.values.0..item.values.1).unwrap_or_default();
    let before = building.snapshot.threads.len().checked_sub(1).map(|n| ThreadIx(n as u32));
    let ThreadItem { mut thread, more, keeps_state, is_carried, .. } = item;
    if is_carried {
        thread.carrier = before;
    }
    let Some(more) = more else {
        let said = Said { wait: body.wait.as_ref(), holds: &[], keeps_state };
        building.add(thread, placed, body, said, (values, shown), offset);
        return;
    };
    let MoreOfHead { also, wait, holds } = *more;
    let of_head = wait.as_ref();
    let wait = of_head.filter(|w| w.owner.is_some()).or(body.wait.as_ref()).or(of_head);
    let said = Said { wait, holds: &holds, keeps_state };
    building.add(thread, placed, body, said, (values, shown), offset);
    for mut thread in also {
        if is_carried {
            thread.carrier = before;
        }
        building.add(thread, placed, body, said, (values, shown), offset);
    }
}
