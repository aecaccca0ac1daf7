//! From chunks to snapshots: frames and stacks into one table, locks by what they are called, owners by whom the
//! text names.

use rustc_hash::FxHashMap;

use super::bodies::{Bodies, Known, Placed, Slots};
use super::chunk::{Chunk, Item, MoreOfHead, ThreadItem};
use super::grammar::{Body, BodyFrame, BodyHold, BodyLock, BodyWait, Grammar, LockRef, OwnerRef};
use super::owners::{Names, words_for};
use super::section::Section;
use crate::model::{
    FormatId, FrameIx, GapKind, LockId, NamedLock, NamedLockIx, ReportedHold, ReportedLock, ReportedLockKind,
    ReportedOwner, ReportedRing, ReportedWait, Snapshot, Source, StackEnd, Str, Thread, ThreadIx,
};

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

/// How much of everything will be added.
struct Room {
    /// Threads of the piece that is at hand.
    now: usize,
    threads: usize,
    values: usize,
    frames: usize,
}

/// A snapshot in the making.
pub struct Building {
    /// What there is of it.
    pub snapshot: Snapshot,
    lock_of: LocksById,
    owners: Vec<(NamedLockIx, OwnerRef, u64)>,
    rings: Vec<Vec<OwnerRef>>,
}

/// Locks by what they are called. Addresses by themselves: a JVM lists hundreds of thousands, which one worker looks up.
#[derive(Default)]
struct LocksById {
    addresses: FxHashMap<u64, NamedLockIx>,
    tokens: FxHashMap<Str, NamedLockIx>,
}

impl LocksById {
    /// The lock that is called so; `new` where there was none.
    fn get_or_insert(&mut self, id: &LockId, new: NamedLockIx) -> NamedLockIx {
        match id {
            LockId::Address(address) => *self.addresses.entry(*address).or_insert(new),
            LockId::Token(token) => match self.tokens.get(token) {
                Some(known) => *known,
                None => *self.tokens.entry(token.clone()).or_insert(new),
            },
        }
    }
}

impl Building {
    fn make(&mut self, room: Room) {
        let snapshot = &mut self.snapshot;
        if snapshot.threads.len() + room.now > snapshot.threads.capacity() {
            snapshot.threads.reserve(room.threads.min(MOST_THREADS));
            snapshot.values.reserve(room.values.min(MOST_VALUES));
        }
        snapshot.stacks.reserve(room.frames.min(MOST_FRAMES));
    }

    /// The lock that is called so, which is added when it is new.
    pub fn lock(&mut self, id: LockId, name: Option<Str>, kind: ReportedLockKind) -> NamedLockIx {
        let locks = &mut self.snapshot.named_locks;
        let new = NamedLockIx(locks.len() as u32);
        let known = self.lock_of.get_or_insert(&id, new);
        if known != new {
            if let Some(lock) = locks.get_mut(known.at()).filter(|lock| lock.name.is_none()) {
                lock.name = name;
            }
            return known;
        }
        locks.push(NamedLock { id, name, kind, waiters: None });
        new
    }

    /// The text names the owner of a lock; who that is is looked up when the dump has ended.
    pub fn owner(&mut self, lock: NamedLockIx, owner: OwnerRef, offset: u64) {
        self.owners.push((lock, owner, offset));
    }

    /// The text counts the threads that wait for a lock.
    pub fn waiters(&mut self, lock: NamedLockIx, count: u64) {
        if let Some(named) = self.snapshot.named_locks.get_mut(lock.at()) {
            named.waiters = Some(count);
        }
    }

    /// The text calls these threads a deadlock.
    pub fn ring(&mut self, members: Vec<OwnerRef>) {
        self.rings.push(members);
    }

    fn finish(mut self) -> Snapshot {
        if self.owners.is_empty() && self.rings.is_empty() {
            return self.snapshot;
        }
        let names = Names::of(&self.snapshot.threads);
        for (lock, owner, offset) in std::mem::take(&mut self.owners) {
            let owner = match &owner {
                OwnerRef::Nobody => Some(ReportedOwner::Tid(0)),
                OwnerRef::OfProcess { pid, number, .. } if self.snapshot.process.pid != Some(*pid) => {
                    Some(ReportedOwner::OtherProcess(*number))
                }
                owner => match names.find(owner) {
                    Some(thread) => thread.map(ReportedOwner::Thread),
                    None => words_for(owner).map(ReportedOwner::NotShown),
                },
            };
            let (Some(owner), Some(named)) = (owner, self.snapshot.named_locks.get(lock.at())) else {
                continue;
            };
            let (address, token) = match &named.id {
                LockId::Address(address) => (Some(*address), None),
                LockId::Token(token) => (None, Some(token.clone())),
            };
            self.snapshot.reported_locks.push(ReportedLock {
                address,
                token,
                symbol: None,
                owner,
                waiters: None,
                offset,
            });
        }
        for members in std::mem::take(&mut self.rings) {
            let mut threads: Vec<ThreadIx> = Vec::with_capacity(members.len());
            for thread in members.iter().filter_map(|m| names.find(m)?) {
                if !threads.contains(&thread) {
                    threads.push(thread);
                }
            }
            self.snapshot.rings.push(ReportedRing { threads });
        }
        self.snapshot
    }
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
            let mut building = Building {
                snapshot: Snapshot::new(Source {
                    path: self.path.clone(),
                    format: self.format,
                    producer: None,
                    bytes: self.bytes,
                    offset,
                }),
                lock_of: LocksById::default(),
                owners: Vec::new(),
                rings: Vec::new(),
            };
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
        let room = Room {
            now: chunk.threads.len(),
            threads: expected(chunk.threads.len()),
            values: expected(chunk.values.len()),
            frames,
        };
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

/// Room for so much at most: what follows may be something else, and of the frames many are the same.
const MOST_THREADS: usize = 1 << 20;
const MOST_VALUES: usize = 1 << 24;
const MOST_FRAMES: usize = 1 << 16;

/// Adds a chunk; they come in the order of the text.
pub(super) fn add_chunk<G: Grammar>(
    grammar: &G,
    memory: &mut G::Memory,
    dumps: &mut Dumps,
    bodies: &mut Bodies,
    chunk: Chunk,
    section: &Section<'_>,
) {
    let known = bodies.len();
    let places = bodies.of(grammar, &chunk);
    let values = &chunk.values;
    dumps.make_room(&chunk, bodies.frames_from(known), section);
    let mut threads = chunk.threads.into_iter();
    for item in &chunk.items {
        match item {
            Item::Threads(count) => {
                for item in threads.by_ref().take(*count) {
                    let offset = section.offset(item.offset);
                    let known = places.get(item.block as usize).and_then(|&body| bodies.get_mut(body));
                    if let (true, Some(known)) =
                        (grammar.on_thread(memory, dumps, &item.thread, offset), known)
                    {
                        add_threads(dumps, values, item, known, offset);
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

/// Adds the threads of a header, whose block may be known from before. `values`: of the piece of text.
fn add_threads(dumps: &mut Dumps, values: &[u64], item: ThreadItem, known: &mut Known, offset: u64) {
    let generation = dumps.generation;
    let building = dumps.current(offset);
    let values = values.get(item.values.0..item.values.1).unwrap_or_default();
    let placed = match known.placed {
        Some(placed) if placed.generation == generation => placed,
        _ => building.place(&known.body, generation),
    };
    known.placed = Some(placed);
    let body = &known.body;
    let before = building.snapshot.threads.len().checked_sub(1).map(|n| ThreadIx(n as u32));
    let ThreadItem { mut thread, more, keeps_state, is_carried, .. } = item;
    if is_carried {
        thread.carrier = before;
    }
    let Some(more) = more else {
        let said = Said { wait: body.wait.as_ref(), holds: &[], keeps_state };
        building.add(thread, placed, (body, &known.slots), said, values, offset);
        return;
    };
    let MoreOfHead { also, wait, holds } = *more;
    let of_head = wait.as_ref();
    let wait = of_head.filter(|w| w.owner.is_some()).or(body.wait.as_ref()).or(of_head);
    let said = Said { wait, holds: &holds, keeps_state };
    building.add(thread, placed, (body, &known.slots), said, values, offset);
    for mut thread in also {
        if is_carried {
            thread.carrier = before;
        }
        building.add(thread, placed, (body, &known.slots), said, values, offset);
    }
}

/// What a thread waits for, and what its header says that it holds.
#[derive(Clone, Copy)]
struct Said<'b> {
    wait: Option<&'b BodyWait>,
    holds: &'b [BodyHold],
    keeps_state: bool,
}

impl Building {
    /// Adds a thread with what is said of it. `values`: those of the block's slots.
    pub fn push(&mut self, thread: Thread, body: &Body, values: &[u64], offset: u64) -> ThreadIx {
        let placed = self.place(body, 0);
        let said = Said { wait: body.wait.as_ref(), holds: &[], keeps_state: false };
        self.add(thread, placed, (body, &Slots::of(body)), said, values, offset)
    }

    /// Adds a thread whose stack others of this snapshot may have as well, with what it waits for and holds.
    pub fn push_with(
        &mut self,
        thread: Thread,
        stack: &mut Known,
        wait: Option<&BodyWait>,
        holds: &[BodyHold],
        offset: u64,
    ) -> ThreadIx {
        let placed = *stack.placed.get_or_insert_with(|| self.place(&stack.body, 0));
        let said = Said { wait: wait.or(stack.body.wait.as_ref()), holds, keeps_state: false };
        self.add(thread, placed, (&stack.body, &stack.slots), said, &[], offset)
    }

    /// The frames of a body as a stack of the snapshot.
    fn place(&mut self, body: &Body, generation: u32) -> Placed {
        let stacks = &mut self.snapshot.stacks;
        let frame = |f: &BodyFrame| stacks.frame(&f.frame, f.slots.iter().map(|(slot, _)| slot));
        let frames: Vec<FrameIx> = body.frames.iter().map(frame).collect();
        let creator = body.creator.as_ref().map(|frame| stacks.frame(frame, std::iter::empty()));
        Placed { generation, stack: stacks.stack(&frames), creator }
    }

    fn add(
        &mut self,
        mut thread: Thread,
        placed: Placed,
        (body, slots): (&Body, &Slots),
        said: Said<'_>,
        values: &[u64],
        offset: u64,
    ) -> ThreadIx {
        let value =
            |slot: usize| values.get(slot).copied().filter(|value| *value >= body.lowest).unwrap_or(0);
        let start = self.snapshot.values.len() as u32;
        match slots {
            Slots::First(count) if *count <= values.len() => {
                self.snapshot.values.extend_from_slice(values.get(..*count).unwrap_or_default());
            }
            Slots::First(count) => self.snapshot.values.extend((0..*count).map(value)),
            Slots::These(slots) => self.snapshot.values.extend(slots.iter().map(|slot| value(*slot))),
        }
        let wait = said.wait.and_then(|wait| {
            let lock = match (&wait.owner, &wait.lock.id) {
                (Some(OwnerRef::Itself), LockRef::Token(token)) => {
                    let token = LockId::Token(format!("{token} of thread {}", thread.id).into());
                    self.lock(token, wait.lock.name.clone(), wait.lock.kind)
                }
                _ => self.named(&wait.lock, value)?,
            };
            match &wait.owner {
                Some(OwnerRef::Itself) => self.owner(lock, OwnerRef::Id(thread.id.clone()), offset),
                Some(OwnerRef::Handle(slot)) => self.owner(lock, OwnerRef::HandleValue(value(*slot)), offset),
                Some(owner) => self.owner(lock, owner.clone(), offset),
                None => {}
            }
            Some(ReportedWait { lock, mode: wait.mode })
        });
        let first_hold = self.snapshot.holds.len() as u32;
        for hold in said.holds.iter().chain(&body.holds) {
            if let Some(lock) = self.named(&hold.lock, value) {
                self.snapshot.holds.push(ReportedHold { lock, depth: hold.depth });
            }
        }
        if body.left_out > 0 {
            let message = "frames of deep stacks were left out by the producer";
            self.snapshot.gaps.add_many(GapKind::Limit, message, u64::from(body.left_out), Some(offset));
        }
        thread.stack = placed.stack;
        thread.values = (start, self.snapshot.values.len() as u32);
        if !said.keeps_state {
            thread.reported = body.state.or(thread.reported);
        }
        thread.reported_wait = wait.or(thread.reported_wait);
        thread.holds = (first_hold, self.snapshot.holds.len() as u32);
        thread.creator = placed.creator.or(thread.creator);
        if body.end != StackEnd::Complete {
            thread.stack_end = body.end;
        }
        thread.frames_left_out += body.left_out;
        self.snapshot.threads.push(thread);
        ThreadIx(self.snapshot.threads.len() as u32 - 1)
    }

    fn named(&mut self, lock: &BodyLock, value: impl Fn(usize) -> u64) -> Option<NamedLockIx> {
        let id = match &lock.id {
            LockRef::Slot(slot, offset) => LockId::Address(value(*slot).checked_add_signed(*offset)?),
            LockRef::Token(token) => LockId::Token(token.clone()),
        };
        Some(self.lock(id, lock.name.clone(), lock.kind))
    }
}
