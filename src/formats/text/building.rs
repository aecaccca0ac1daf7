//! A snapshot in the making: threads with their frames and values, locks by what they are called, owners by whom the text
//! names.

use rustc_hash::FxHashMap;

use super::bodies::{Known, Placed, Slots};
use super::grammar::{Body, BodyFrame, BodyHold, BodyLock, BodyWait, LockRef, OwnerRef};
use super::owners::{Names, words_for};
use crate::model::{
    Certainty, FrameIx, GapKind, LARGEST_OBJECT, LockId, NamedLock, NamedLockIx, ReportedHold, ReportedLock,
    ReportedLockKind, ReportedOwner, ReportedRing, ReportedWait, Snapshot, Source, StackEnd, Str, Thread,
    ThreadIx, ThreadNumber,
};

/// How much of everything will be added.
pub(super) struct Room {
    /// Threads of the piece that is at hand.
    pub now: usize,
    pub threads: usize,
    pub frames: usize,
}

/// Room for so much at most: what follows may be something else, and of the frames many are the same.
const MOST_THREADS: usize = 1 << 20;
const MOST_FRAMES: usize = 1 << 16;

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

/// What a thread waits for, and what its header says that it holds.
#[derive(Clone, Copy)]
pub(super) struct Said<'b> {
    pub wait: Option<&'b BodyWait>,
    pub holds: &'b [BodyHold],
    pub keeps_state: bool,
}

impl Building {
    /// Without content.
    pub(super) fn new(source: Source) -> Self {
        Self {
            snapshot: Snapshot::new(source),
            lock_of: LocksById::default(),
            owners: Vec::new(),
            rings: Vec::new(),
        }
    }

    /// Makes room for what will be added.
    pub(super) fn make(&mut self, room: Room) {
        let snapshot = &mut self.snapshot;
        if snapshot.threads.len() + room.now > snapshot.threads.capacity() {
            snapshot.threads.reserve(room.threads.min(MOST_THREADS));
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

    /// The snapshot, when all of it has been read.
    pub(super) fn finish(mut self) -> Snapshot {
        if self.owners.is_empty() && self.rings.is_empty() {
            return self.snapshot;
        }
        let names = Names::of(&self.snapshot.threads);
        for (lock, owner, offset) in std::mem::take(&mut self.owners) {
            let owner = match &owner {
                OwnerRef::Nobody => Some(ReportedOwner::Tid(0)),
                OwnerRef::OfProcess { pid, number, .. } if self.snapshot.process.pid != Some(*pid) => {
                    Some(ReportedOwner::OtherProcess { pid: *pid, thread: ThreadNumber::Hex(*number) })
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

    /// Adds a thread with what is said of it. `values`: those of the block's slots.
    pub fn push(&mut self, thread: Thread, body: &Body, values: &[u64], offset: u64) -> ThreadIx {
        let placed = self.place(body, 0);
        let said = Said { wait: body.wait.as_ref(), holds: &[], keeps_state: false };
        let shown = self.shown(body, &Slots::of(body), values);
        self.add(thread, placed, body, said, (values, shown), offset)
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
        let shown = self.shown(&stack.body, &stack.slots, &[]);
        self.add(thread, placed, &stack.body, said, (&[], shown), offset)
    }

    /// The frames of a body as a stack of the snapshot.
    pub(super) fn place(&mut self, body: &Body, generation: u32) -> Placed {
        let stacks = &mut self.snapshot.stacks;
        let frame = |f: &BodyFrame| stacks.frame(&f.frame, f.slots.iter().map(|(slot, _)| slot));
        let frames: Vec<FrameIx> = body.frames.iter().map(frame).collect();
        let creator = body.creator.as_ref().map(|frame| stacks.frame(frame, std::iter::empty()));
        Placed { generation, stack: stacks.stack(&frames), creator }
    }

    /// Adds the values that the frames of a body show, out of those of its block; their numbers.
    pub(super) fn shown(&mut self, body: &Body, slots: &Slots, values: &[u64]) -> (u32, u32) {
        let value = |slot: usize| value(body, values, slot);
        match slots {
            Slots::First(count) => self.snapshot.values.add((0..*count).map(value)),
            Slots::These(slots) => self.snapshot.values.add(slots.iter().map(|slot| value(*slot))),
        }
    }

    /// Adds a thread. `values`: those of its block, and the numbers of those that its frames show.
    pub(super) fn add(
        &mut self,
        mut thread: Thread,
        placed: Placed,
        body: &Body,
        said: Said<'_>,
        (values, shown): (&[u64], (u32, u32)),
        offset: u64,
    ) -> ThreadIx {
        let value = |slot: usize| value(body, values, slot);
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
            let certainty = match wait.lock.id {
                LockRef::Doubted { .. } => Certainty::Inferred,
                LockRef::Slot(..) | LockRef::Token(_) => Certainty::Reported,
            };
            Some(ReportedWait { lock, mode: wait.mode, certainty })
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
        thread.values = shown;
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
            LockRef::Doubted { slot, offset, object } => {
                let address = value(*slot).checked_add_signed(*offset)?;
                let into = address.checked_sub(value(*object)).filter(|_| value(*object) != 0)?;
                LockId::Address(Some(address).filter(|_| into < LARGEST_OBJECT)?)
            }
            LockRef::Token(token) => LockId::Token(token.clone()),
        };
        Some(self.lock(id, lock.name.clone(), lock.kind))
    }
}

/// The value of a slot; 0 where there is none.
fn value(body: &Body, values: &[u64], slot: usize) -> u64 {
    values.get(slot).copied().filter(|value| *value >= body.lowest).unwrap_or(0)
}
