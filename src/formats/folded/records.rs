//! What was read of all pieces, put together: a record for each stack.

use rayon::prelude::*;
use rustc_hash::FxHashMap;

use super::line::MOST;
use super::name::Name;
use crate::model::{FrameIx, ReportedState, Snapshot, StackIx, Str, Thread, ThreadId};

/// The records of a snapshot, and what is left out of it.
#[derive(Default)]
pub(super) struct Records {
    /// The first record of each stack: nearly always the only one.
    first: Vec<Option<u32>>,
    /// Further ones, of other commands or states.
    more: FxHashMap<(StackIx, Beside), u32>,
    all: Vec<Record>,
    commands: Commands,
    /// The stack that is being added.
    frames: Vec<FrameIx>,
    total: u64,
    /// Stacks that were left out.
    pub too_many: u64,
}

/// Records that one worker makes in one go.
const RECORDS_A_WORKER: usize = 4_096;

/// What a piece of a text has, of so many.
pub(super) struct Expected {
    pub lines: usize,
    pub names: usize,
    /// Of all its stacks.
    pub frames: usize,
    pub pieces: usize,
}

/// Room for so many stacks and names at most: what follows may be the same.
const MOST_EXPECTED: usize = 1 << 18;

/// A stack, and how many samples have it: as little as there is to say, since one worker adds them all.
#[derive(Clone, Copy)]
struct Record {
    stack: StackIx,
    beside: Beside,
    count: u64,
}

/// What a record says beside its stack.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Beside {
    command: Option<u32>,
    /// A sample is of a processor that ran, but for the idle task and where a leaf says what the threads did.
    is_running: bool,
}

/// The names of a piece, and what each is in the snapshot once a stack with it was added.
pub(super) struct Places {
    names: Vec<Name>,
    /// By themselves: each name of each stack is looked up here, and names are large. [`NOWHERE`]: not yet added.
    frames: Vec<FrameIx>,
    commands: Vec<Option<u32>>,
}

/// No frame of a snapshot.
const NOWHERE: FrameIx = FrameIx(u32::MAX);

impl Places {
    pub fn of(names: Vec<Name>) -> Self {
        let (frames, commands) = (vec![NOWHERE; names.len()], vec![None; names.len()]);
        Self { names, frames, commands }
    }

    fn name(&self, n: u32) -> Option<&Name> {
        self.names.get(n as usize)
    }

    /// Adds the frames of a stack, newest first, to a list; those that are new to the snapshot as well.
    fn frames(&mut self, stack: &[u32], frames: &mut Vec<FrameIx>, snapshot: &mut Snapshot) {
        for &n in stack.iter().rev() {
            let (Some(known), Some(name)) = (self.frames.get_mut(n as usize), self.names.get_mut(n as usize))
            else {
                continue;
            };
            if *known == NOWHERE
                && let Some(frame) = name.frame.take()
            {
                *known = snapshot.stacks.add_frame(frame);
            }
        }
        frames.extend(stack.iter().rev().map(|&n| self.frames.get(n as usize).copied().unwrap_or(NOWHERE)));
    }

    fn command(&mut self, n: u32, commands: &mut Commands) -> Option<u32> {
        let command = self.names.get(n as usize)?.command.as_ref()?;
        let known = self.commands.get_mut(n as usize)?;
        Some(*known.get_or_insert_with(|| commands.number(command)))
    }
}

impl Records {
    /// Makes room for what a text may have: whatever grows is copied again and again.
    pub fn make_room(&mut self, expected: &Expected, snapshot: &mut Snapshot) {
        // A bit more than that: the last one to come would have all of them copied.
        let in_all = |count: usize| (count + count / 8).saturating_mul(expected.pieces).min(MOST_EXPECTED);
        let stacks = in_all(expected.lines);
        self.first.reserve(stacks);
        self.all.reserve(stacks);
        snapshot.stacks.reserve_stacks(stacks, (expected.frames / expected.lines.max(1) + 1) * stacks);
        snapshot.stacks.reserve(in_all(expected.names));
    }

    /// Whether nothing was added.
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// Adds a stack, root first, with so many samples.
    pub fn add(&mut self, stack: &[u32], count: u64, names: &mut Places, snapshot: &mut Snapshot) {
        if self.total.saturating_add(count) > MOST {
            self.too_many += 1;
            return;
        }
        self.total += count;
        let mut calls = stack;
        let mut beside = Beside { command: None, is_running: true };
        if let Some((&root, above)) = stack.split_first() {
            beside.is_running = names.name(root).is_none_or(|root| !root.is_idle);
            beside.command = names.command(root, &mut self.commands);
            if beside.command.is_some() {
                calls = above;
            }
        }
        if let Some((&leaf, below)) = calls.split_last()
            && names.name(leaf).is_some_and(|leaf| leaf.is_state)
        {
            beside.is_running = false;
            calls = below;
        }
        self.frames.clear();
        names.frames(calls, &mut self.frames, snapshot);
        let stack = snapshot.stacks.stack(&self.frames);
        let record = self.record(stack, beside);
        if let Some(record) = self.all.get_mut(record as usize) {
            record.count = record.count.saturating_add(count);
        }
    }

    /// The record of a stack; a new one where there was none.
    fn record(&mut self, stack: StackIx, beside: Beside) -> u32 {
        let next = self.all.len() as u32;
        if self.first.len() <= stack.at() {
            self.first.resize(stack.at() + 1, None);
        }
        let Some(first) = self.first.get_mut(stack.at()) else { return next };
        let first = *first.get_or_insert(next);
        let is_same = |record: u32| self.all.get(record as usize).is_none_or(|known| known.beside == beside);
        let record = match is_same(first) {
            true => first,
            false => *self.more.entry((stack, beside)).or_insert(next),
        };
        if record == next {
            self.all.push(Record { stack, beside, count: 0 });
        }
        record
    }

    /// The records as the snapshot has them.
    pub fn threads(&self) -> Vec<Thread> {
        let thread = |record: &Record| Thread {
            weight: record.count,
            name: record.beside.command.and_then(|n| self.commands.names.get(n as usize).cloned()),
            stack: record.stack,
            reported: record.beside.is_running.then_some(ReportedState::Running),
            ..Thread::new(ThreadId::Number(0))
        };
        self.all.par_iter().with_min_len(RECORDS_A_WORKER).map(thread).collect()
    }
}

/// Commands, numbered.
#[derive(Default)]
struct Commands {
    names: Vec<Str>,
    numbers: FxHashMap<Str, u32>,
}

impl Commands {
    fn number(&mut self, command: &Str) -> u32 {
        let next = self.names.len() as u32;
        *self.numbers.entry(command.clone()).or_insert_with(|| {
            self.names.push(command.clone());
            next
        })
    }
}
