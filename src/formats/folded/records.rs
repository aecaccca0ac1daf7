//! What was read of all pieces, put together: a record for each stack.

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
    /// What each record says beside its stack.
    beside: Vec<Beside>,
    commands: Commands,
    /// The stack that is being added.
    frames: Vec<FrameIx>,
    total: u64,
    /// Stacks that were left out.
    pub too_many: u64,
}

/// What a record says beside its stack.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Beside {
    command: Option<u32>,
    /// A sample is of a processor that ran, but for the idle task and where a leaf says what the threads did.
    is_running: bool,
}

/// A name of a piece, and what it is in the snapshot once a stack with it was added.
pub(super) struct Place {
    name: Name,
    frame: Option<FrameIx>,
    command: Option<u32>,
}

impl Place {
    pub fn new(name: Name) -> Self {
        Self { name, frame: None, command: None }
    }

    fn frame(&mut self, snapshot: &mut Snapshot) -> FrameIx {
        let name = &mut self.name;
        *self.frame.get_or_insert_with(|| snapshot.stacks.add_frame(std::mem::take(&mut name.frame)))
    }
}

impl Records {
    /// Adds a stack, root first, with so many samples.
    pub fn add(&mut self, stack: &[u32], count: u64, names: &mut [Place], snapshot: &mut Snapshot) {
        if self.total.saturating_add(count) > MOST {
            self.too_many += 1;
            return;
        }
        self.total += count;
        let mut calls = stack;
        let mut beside = Beside { command: None, is_running: true };
        if let Some((root, above)) =
            stack.split_first().and_then(|(n, above)| Some((names.get_mut(*n as usize)?, above)))
        {
            beside.is_running = !root.name.is_idle;
            if let Some(command) = &root.name.command {
                let known = root.command.unwrap_or_else(|| self.commands.number(command));
                (root.command, beside.command) = (Some(known), Some(known));
                calls = above;
            }
        }
        if let Some((leaf, below)) = calls.split_last()
            && names.get(*leaf as usize).is_some_and(|leaf| leaf.name.is_state)
        {
            beside.is_running = false;
            calls = below;
        }
        self.frames.clear();
        for name in calls {
            self.frames.extend(names.get_mut(*name as usize).map(|name| name.frame(snapshot)));
        }
        self.frames.reverse();
        let stack = snapshot.stacks.stack(&self.frames);
        let record = self.record(stack, beside, snapshot);
        if let Some(thread) = snapshot.threads.get_mut(record as usize) {
            thread.weight = thread.weight.saturating_add(count);
        }
    }

    fn record(&mut self, stack: StackIx, beside: Beside, snapshot: &mut Snapshot) -> u32 {
        let next = self.beside.len() as u32;
        if self.first.len() <= stack.at() {
            self.first.resize(stack.at() + 1, None);
        }
        let Some(first) = self.first.get_mut(stack.at()) else { return next };
        let first = *first.get_or_insert(next);
        let is_same = |record: u32| self.beside.get(record as usize).is_none_or(|known| *known == beside);
        let record = match is_same(first) {
            true => first,
            false => *self.more.entry((stack, beside)).or_insert(next),
        };
        if record == next {
            self.beside.push(beside);
            let mut thread = Thread::new(ThreadId::Number(0));
            thread.weight = 0;
            thread.name = beside.command.and_then(|n| self.commands.names.get(n as usize).cloned());
            thread.stack = stack;
            thread.reported = beside.is_running.then_some(ReportedState::Running);
            snapshot.threads.push(thread);
        }
        record
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
