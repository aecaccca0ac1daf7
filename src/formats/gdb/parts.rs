//! Which stacks of a text belong to one moment of one process.
//!
//! The text is first cut into *parts*: what stands between two marks (a banner of gdb, an
//! attachment, a prompt, a time) or two places where threads begin to repeat. Then parts are
//! grouped into snapshots. A part begins a new snapshot
//!
//! - after a banner, an attachment, a core or a detachment, if there are stacks before it;
//! - after `[New LWP`, a signal or a time of day, if it lists a thread again;
//! - else if it lists at least two threads and half of what is there again, unless it is another
//!   form of the same moment: one of the two was printed by `bt full` or with a limit, or the
//!   first was a selection of the second, and the innermost frames are the same.

use std::cmp::Ordering;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::model::{ReportedLock, StackEnd};

use super::chosen::{Choice, Loose};
use super::header::Header;
use super::info_threads::Row;
use super::items::{Item, StackItem};
use super::piece::Piece;
use super::session::Event;

/// A stack and the chunk in which it stands.
#[derive(Clone, Copy, Debug)]
pub(super) struct Placed<'c> {
    pub chunk: &'c Piece,
    pub chunk_ix: usize,
    pub item: &'c StackItem,
}

impl<'c> Placed<'c> {
    /// How many frames it has.
    pub fn depth(&self) -> usize {
        self.templates().len()
    }

    pub fn templates(&self) -> &'c [u32] {
        self.chunk.stacks.get(self.item.stack).unwrap_or_default()
    }

    pub fn values(&self) -> &'c [u64] {
        self.chunk.values.get(self.item.values.0..self.item.values.1).unwrap_or_default()
    }

    /// The same as a range of the values of all chunks.
    pub fn values_of_all(&self) -> (u32, u32) {
        let of_all = |n: usize| self.chunk.values_before.saturating_add(n as u32);
        (of_all(self.item.values.0), of_all(self.item.values.1))
    }

    /// Whether the innermost frame of both is the same, values included.
    pub fn has_same_top(&self, other: &Placed<'_>) -> bool {
        let top = |p: &Placed<'c>| {
            p.templates().first().and_then(|ix| p.chunk.templates.get(*ix)).map(|t| &t.parsed)
        };
        let (Some(a), Some(b)) =
            (top(self), other.templates().first().and_then(|ix| other.chunk.templates.get(*ix)))
        else {
            return self.depth() == other.depth();
        };
        let (slots, other_slots) = (a.slots.len(), b.parsed.slots.len());
        a.frame == b.parsed.frame && self.values().get(..slots) == other.values().get(..other_slots)
    }

    /// Whether the innermost frames are the same line of the same function, however their arguments are printed.
    pub fn is_at_same_line(&self, other: &Placed<'_>) -> bool {
        let top = |p: &Placed<'_>| {
            let frame = &p.chunk.templates.get(*p.templates().first()?)?.parsed.frame;
            Some((frame.function.clone()?, frame.file.clone()?, frame.line?, frame.address))
        };
        top(self).is_some_and(|own| top(other) == Some(own))
    }
}

/// A stack with the header above it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Listed<'c> {
    pub placed: Placed<'c>,
    pub header: &'c Header,
}

/// What makes two headers the same thread.
pub(super) type Key = (u32, u64);

/// The kernel's id, else gdb's number.
pub(super) fn key(header: &Header) -> Key {
    match header.target.lwp {
        Some(lwp) => (0, u64::from(lwp)),
        None => (header.inferior, header.number),
    }
}

/// How strongly a mark separates what follows it from what stands before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
enum Start {
    #[default]
    None,
    Soft,
    Hard,
}

/// What stands between two marks.
#[derive(Debug, Default)]
pub(super) struct Part<'c> {
    start: Start,
    /// Where it begins.
    pub offset: u64,
    /// Facts, in order.
    pub events: Vec<&'c Event>,
    /// Locks that were printed.
    pub locks: Vec<&'c ReportedLock>,
    /// Lines between its stacks that were not understood: offset and count.
    pub skipped: Vec<(u64, u64)>,
    /// Stacks with headers.
    pub listed: Vec<Listed<'c>>,
    /// Stacks without.
    pub loose: Vec<Loose<'c>>,
    /// Rows of `info threads`.
    pub rows: Vec<(&'c Row, Placed<'c>)>,
    keys: Keys,
    is_ascending: Option<bool>,
    maybe_skipped: Vec<(u64, u64)>,
}

impl<'c> Part<'c> {
    /// Whether a mark of gdb, and not a repetition of threads, begins it.
    pub fn has_mark(&self) -> bool {
        self.start != Start::None
    }

    fn has_stacks(&self) -> bool {
        !self.listed.is_empty() || !self.loose.is_empty() || !self.rows.is_empty()
    }

    /// Lines count as skipped only between stacks.
    fn on_stack(&mut self) {
        let between = std::mem::take(&mut self.maybe_skipped);
        if self.has_stacks() {
            self.skipped.extend(between);
        }
    }

    /// Whether this header cannot go on the list: its thread is there, or the order turns. gdb
    /// lists by falling numbers, or by rising ones with `-ascending`.
    fn breaks_list(&mut self, header: &Header) -> bool {
        let last = self.listed.last().map(|last| last.header.number);
        let turns = match (last, self.is_ascending) {
            (Some(last), Some(ascending)) => (header.number > last) != ascending,
            _ => false,
        };
        turns || self.keys.has(key(header), &self.listed)
    }

    fn list(&mut self, placed: Placed<'c>, header: &'c Header) {
        if let Some(last) = self.listed.last() {
            self.is_ascending = Some(header.number > last.header.number);
        }
        self.keys.add(key(header));
        self.listed.push(Listed { placed, header });
    }
}

/// The threads of a list. As a rule their ids only fall or only rise: as long as they do, no set of them is needed to know
/// that one is new.
#[derive(Debug, Default)]
struct Keys {
    last: Option<Key>,
    direction: Option<Ordering>,
    /// All of them, once one stood out of order.
    all: Option<FxHashSet<Key>>,
}

impl Keys {
    /// Whether the thread is on the list.
    fn has(&mut self, key: Key, listed: &[Listed<'_>]) -> bool {
        let Some(last) = self.last else { return false };
        if let Some(all) = &self.all {
            return all.contains(&key);
        }
        match key.cmp(&last) {
            Ordering::Equal => return true,
            order if self.direction.is_none_or(|direction| direction == order) => return false,
            _ => {}
        }
        let keys = listed.iter().map(|listed| self::key(listed.header));
        self.all.insert(keys.collect()).contains(&key)
    }

    fn add(&mut self, key: Key) {
        if let Some(all) = &mut self.all {
            all.insert(key);
        }
        self.direction = self.direction.or_else(|| self.last.map(|last| key.cmp(&last)));
        self.last = Some(key);
    }
}

/// Cuts the text into parts.
pub(super) fn cut(chunks: &[Piece]) -> Vec<Part<'_>> {
    let mut cutter = Cutter { parts: vec![Part::default()], ..Cutter::default() };
    let mut inside = Vec::new();
    for (chunk_ix, chunk) in chunks.iter().enumerate() {
        for item in &chunk.items {
            match item {
                Item::Stack(stack) => {
                    cutter.on_stack(Placed { chunk, chunk_ix, item: stack });
                    cutter.last().skipped.append(&mut inside);
                }
                Item::Row(row) => {
                    let (row, stack) = &**row;
                    let part = cutter.part_for_stack();
                    part.on_stack();
                    part.rows.push((row, Placed { chunk, chunk_ix, item: stack }));
                }
                Item::Event(event, offset) => cutter.on_event(event, *offset),
                Item::Skipped { offset, lines, is_inside: false } => {
                    cutter.last().maybe_skipped.push((*offset, *lines));
                }
                Item::Skipped { offset, lines, is_inside: true } => inside.push((*offset, *lines)),
                Item::Lock(_) => {}
            }
        }
    }
    cutter.parts.extend(cutter.pending.take());
    let mut parts = cutter.parts;
    let locks = chunks.iter().flat_map(|c| &c.items).filter_map(|item| match item {
        Item::Lock(lock) => Some(lock),
        _ => None,
    });
    for lock in locks {
        let after = parts.partition_point(|p| p.offset <= lock.offset).max(1);
        if let Some(part) = parts.get_mut(after - 1) {
            part.locks.push(lock);
        }
    }
    parts
}

#[derive(Default)]
struct Cutter<'c> {
    parts: Vec<Part<'c>>,
    /// The part that a mark has begun, as long as it has no stack.
    pending: Option<Part<'c>>,
    has_prompt: bool,
    choice: Choice<'c>,
}

impl<'c> Cutter<'c> {
    fn last(&mut self) -> &mut Part<'c> {
        if self.parts.is_empty() {
            self.parts.push(Part::default());
        }
        let at = self.parts.len() - 1;
        match &mut self.pending {
            Some(pending) => pending,
            None => &mut self.parts[at],
        }
    }

    fn begin(&mut self, start: Start, offset: u64) {
        let pending = self.pending.get_or_insert_with(|| Part { offset, ..Part::default() });
        pending.start = pending.start.max(start);
    }

    /// The part to which a stack belongs: a pending one becomes real.
    fn part_for_stack(&mut self) -> &mut Part<'c> {
        if let Some(pending) = self.pending.take() {
            self.parts.push(pending);
        }
        self.last()
    }

    fn on_stack(&mut self, placed: Placed<'c>) {
        let offset = placed.item.offset;
        let had_prompt = std::mem::take(&mut self.has_prompt);
        match &placed.item.header {
            Some(header) => {
                if self.pending.is_none() {
                    let last = self.last();
                    if last.breaks_list(header) || had_prompt && !last.listed.is_empty() {
                        self.begin(Start::None, offset);
                    }
                }
                let part = self.part_for_stack();
                part.on_stack();
                part.list(placed, header);
            }
            None => {
                let mut choice = std::mem::take(&mut self.choice);
                let part = self.part_for_stack();
                part.on_stack();
                choice.add(placed, &mut part.loose);
                self.choice = choice;
            }
        }
    }

    fn on_event(&mut self, event: &'c Event, offset: u64) {
        match event {
            Event::Prompt => {
                self.has_prompt = true;
                self.choice.on_prompt();
            }
            Event::Chosen { number, target } => self.choice = Choice::of(*number, target),
            Event::Detached(_) => {
                self.choice = Choice::default();
                self.last().events.push(event);
                self.begin(Start::Hard, offset);
                return;
            }
            Event::Banner(_)
            | Event::Attaching { .. }
            | Event::CoreOf(_)
            | Event::Starting(_)
            | Event::Report { .. } => {
                self.choice = Choice::default();
                self.begin(Start::Hard, offset);
            }
            Event::NewThread(_)
            | Event::ThreadLibrary
            | Event::Signal { .. }
            | Event::Message { .. }
            | Event::Time(_) => {
                self.begin(Start::Soft, offset);
            }
            Event::Exited(_) | Event::Current { .. } => {}
        }
        self.last().events.push(event);
    }
}

/// Groups parts into snapshots.
pub(super) fn group(parts: Vec<Part<'_>>) -> Vec<Vec<Part<'_>>> {
    let mut groups: Vec<Vec<Part<'_>>> = Vec::new();
    let mut known: FxHashMap<Key, Placed<'_>> = FxHashMap::default();
    // Most texts have one part with stacks: who is in the group is asked for where a second one comes.
    let mut asked = 0;
    for part in parts {
        if let Some(group) = groups.last().filter(|_| part.has_stacks()) {
            for listed in group.iter().skip(asked).flat_map(|part| &part.listed) {
                known.entry(key(listed.header)).or_insert(listed.placed);
            }
            asked = group.len();
        }
        let begins = groups.last().is_none_or(|group| begins_snapshot(&part, group, &known));
        if begins {
            known.clear();
            asked = 0;
            groups.push(Vec::new());
        }
        if let Some(group) = groups.last_mut() {
            group.push(part);
        }
    }
    groups.retain(|group| group.iter().any(Part::has_stacks));
    groups
}

fn begins_snapshot(part: &Part<'_>, group: &[Part<'_>], known: &FxHashMap<Key, Placed<'_>>) -> bool {
    if !part.has_stacks() || !group.iter().any(Part::has_stacks) {
        return false;
    }
    let again: Vec<(Placed<'_>, Placed<'_>)> = part
        .listed
        .iter()
        .filter_map(|listed| Some((listed.placed, *known.get(&key(listed.header))?)))
        .collect();
    match part.start {
        Start::Hard => true,
        Start::Soft => {
            !again.is_empty() || part.listed.is_empty() && known.is_empty() && !part.loose.is_empty()
        }
        Start::None => {
            again.len() >= 2 && again.len() * 2 >= known.len() && !is_same_moment(part, known, &again)
        }
    }
}

fn is_same_moment(
    part: &Part<'_>,
    known: &FxHashMap<Key, Placed<'_>>,
    again: &[(Placed<'_>, Placed<'_>)],
) -> bool {
    let form = |placed: &Placed<'_>| (placed.item.has_locals, placed.item.end == StackEnd::DepthLimit);
    let any = |mut forms: Box<dyn Iterator<Item = (bool, bool)> + '_>| {
        forms.by_ref().fold((false, false), |a, b| (a.0 || b.0, a.1 || b.1))
    };
    let new = any(Box::new(part.listed.iter().map(|listed| form(&listed.placed))));
    let old = any(Box::new(known.values().map(form)));
    let was_selection = again.len() == known.len() && part.listed.len() > known.len();
    (new != old || was_selection) && again.iter().all(|(a, b)| a.has_same_top(b))
}
