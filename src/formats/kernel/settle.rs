//! What is known of the tasks of a dump when it has ended: which lock each waits for, who holds it, and with [`ends`]
//! why the kernel died.

use rustc_hash::FxHashMap;

use super::ends::{Ends, Failing};
use super::locks::{self, Blocker, Held};
use super::orders::Order;
use super::pools::Pools;
use super::reports::{Report, Shown};
use super::same_stack::SameStacks;
use crate::formats::text::{Body, Building, OwnerRef, is_limited};
use crate::model::{
    Failure, FailureKind, GapKind, LockId, NamedLockIx, ReportedHold, ReportedLockKind, ReportedState,
    ReportedWait, Snapshot, Str, Thread, ThreadId, ThreadIx, ThreadKind, WaitMode,
};

/// What was said outside of stacks.
#[derive(Default)]
pub(super) struct Facts {
    /// Tasks that a watchdog names.
    named: Vec<Named>,
    lists: Vec<Held>,
    blockers: Vec<(Blocker, u64)>,
    /// Why the kernel died, or does not get on.
    pub ends: Ends,
    /// What lockdep holds possible.
    orders: Vec<Order>,
    /// Pools of workers that are stuck.
    pools: Pools,
    pub same_stacks: SameStacks,
    shown: Option<Shown>,
}

/// A task that a watchdog names.
struct Named {
    name: Str,
    pid: u64,
    /// How long it is blocked, where that is said. How long a processor is stuck says nothing of its task: neither that it
    /// waits nor that it used it all the time.
    seconds: Option<u64>,
    offset: u64,
    /// What it did, as the watchdog says.
    state: ReportedState,
}

impl Facts {
    /// A report has begun.
    pub fn note(&mut self, report: &Report, offset: u64) {
        let failing = |kind, message: &str| Failing::of(kind, message, offset);
        match report {
            Report::Sysrq(shown) => self.shown = Some(*shown),
            Report::Lockup { message, task } => {
                self.pools.lockup(message, offset);
                if let Some((name, pid)) = task {
                    self.name(name, *pid, None, offset, ReportedState::Running);
                }
                let pid = task.as_ref().map(|(_, pid)| *pid);
                self.ends.fail(Failing { pid, ..failing(FailureKind::Stall, message) });
            }
            Report::Fatal { message } => self.ends.fail(failing(FailureKind::Kernel, message)),
            Report::Killed { message } => self.ends.fail(failing(FailureKind::Killed, message)),
            Report::Warning { message } => {
                match Order::begin(message, offset) {
                    // Told as a deadlock that may happen.
                    Some(order) => self.orders.push(order),
                    None => self.ends.warn(message, offset),
                }
            }
            Report::Consequence { why } => self.ends.die(why, offset, self.is_hung()),
            Report::Hung | Report::Processors => {}
        }
    }

    fn is_hung(&self) -> bool {
        self.named.iter().any(|named| named.state == ReportedState::Uninterruptible)
    }

    /// Where a watchdog named a task or a processor first.
    pub fn first_named(&self) -> Option<u64> {
        let blocked = self.blockers.iter().map(|(_, offset)| *offset);
        let orders = self.orders.iter().filter(|order| order.task().is_some()).map(Order::offset);
        let pools = self.pools.stuck().iter().map(|pool| pool.offset);
        let stalled = self.ends.stalled().map(|stall| stall.offset);
        self.named
            .iter()
            .map(|named| named.offset)
            .chain(blocked)
            .chain(orders)
            .chain(pools)
            .chain(stalled)
            .min()
    }

    /// What is said of the report that has just begun and has no task yet: it goes to the next dump.
    pub fn rest(&mut self, pid: u64) -> Self {
        let named = self.named.pop_if(|named| named.pid == pid).into_iter().collect();
        let is_own = |order: &mut Order| order.task().is_some_and(|(_, asks)| asks == pid);
        let orders = self.orders.pop_if(is_own).into_iter().collect();
        Self { ends: self.ends.rest(), named, orders, ..Self::default() }
    }

    /// A line that is no begin of a report. Whose stack comes next, where the line says so.
    pub fn line(&mut self, line: &str, offset: u64) -> Option<u64> {
        if self.pools.line(line) {
            return None;
        }
        if let Some(list) = locks::list(line) {
            self.lists.push(list);
        } else if let Some(blocker) = locks::blocker(line) {
            let owner = blocker.owner.as_ref().map(|(_, pid)| *pid);
            self.blockers.push((blocker, offset));
            return owner;
        } else if let (Some((_, Some(entry))), Some(list)) = (locks::entry(line), self.lists.last_mut()) {
            list.add(entry);
        } else if let Some(order) = self.orders.last_mut() {
            order.line(line);
        }
        None
    }

    /// The watchdog found this task blocked.
    pub fn hung(&mut self, name: &str, pid: u64, seconds: u64, offset: u64) {
        self.name(name, pid, Some(seconds), offset, ReportedState::Uninterruptible);
    }

    fn name(&mut self, name: &str, pid: u64, seconds: Option<u64>, offset: u64, state: ReportedState) {
        self.named.push(Named { name: name.into(), pid, seconds, offset, state });
    }

    /// Puts everything into the dump.
    pub fn settle(&mut self, building: &mut Building) {
        let mut of_pid: FxHashMap<u64, ThreadIx> = FxHashMap::default();
        for (ix, thread) in (0u32..).map(ThreadIx).zip(&building.snapshot.threads) {
            if let ThreadId::Number(pid) = thread.id {
                of_pid.entry(pid).or_insert(ix);
            }
        }
        std::mem::take(&mut self.same_stacks).settle(&mut building.snapshot, &of_pid);
        let places = places(building);
        self.lists(building, &mut of_pid, &places);
        self.blockers(building, &mut of_pid);
        let is_hung = self.is_hung();
        self.tasks(building, &mut of_pid);
        self.orders(building, &mut of_pid);
        self.workers(building, &mut of_pid);
        self.somebody(building);
        self.fail(building, &of_pid);
        let snapshot = &mut building.snapshot;
        snapshot.process.os = Some("linux".into());
        guesses(snapshot);
        if self.shown == Some(Shown::Blocked) {
            is_limited(snapshot, "only tasks in uninterruptible sleep are shown (sysrq w)", None);
        } else if is_hung && self.shown.is_none() {
            let message = "the watchdog shows blocked tasks only, and only the first of them (kernel.hung_task_warnings)";
            is_limited(snapshot, message, None);
        }
    }

    /// Tasks that a watchdog names, with or without their stacks.
    fn tasks(&mut self, building: &mut Building, of_pid: &mut FxHashMap<u64, ThreadIx>) {
        for named in std::mem::take(&mut self.named) {
            let known = of_pid.get(&named.pid).copied();
            let ix = known.unwrap_or_else(|| unseen(building, of_pid, &named.name, named.pid));
            let Some(thread) = building.snapshot.threads.get_mut(ix.at()) else { continue };
            thread.reported = thread.reported.or(Some(named.state));
            let waited = named.seconds.map(|seconds| seconds.saturating_mul(1_000_000));
            thread.waited_us = waited.or(thread.waited_us);
        }
    }

    /// Orders of locks, with whoever asked for one.
    fn orders(&mut self, building: &mut Building, of_pid: &mut FxHashMap<u64, ThreadIx>) {
        for order in std::mem::take(&mut self.orders) {
            let thread = order.task().map(|(name, pid)| {
                of_pid.get(&pid).copied().unwrap_or_else(|| unseen(building, of_pid, name, pid))
            });
            building.snapshot.orders.push(order.finish(thread));
        }
    }

    /// Workers of pools that are stuck.
    fn workers(&self, building: &mut Building, of_pid: &mut FxHashMap<u64, ThreadIx>) {
        for work in self.pools.stuck().iter().flat_map(|pool| &pool.works) {
            if !of_pid.contains_key(&work.pid) {
                unseen(building, of_pid, "", work.pid);
            }
        }
    }

    /// A lockup alone in its text: somebody is stuck there, and nobody is made up.
    fn somebody(&self, building: &mut Building) {
        if self.ends.stalled().is_some() && building.snapshot.threads.is_empty() {
            let message = "the text says that somebody is stuck there, and neither who nor where";
            is_limited(&mut building.snapshot, message, None);
        }
    }

    fn fail(&mut self, building: &mut Building, of_pid: &FxHashMap<u64, ThreadIx>) {
        let Some(failure) = self.ends.take() else { return };
        let thread = failure.thread.or_else(|| of_pid.get(&failure.pid?).copied());
        let in_flight = self.pools.in_flight(&failure.message);
        let message = (failure.message + &in_flight).into();
        building.snapshot.process.failure = Some(Failure { kind: failure.kind, message, thread });
    }

    /// What tasks hold, and what they wait for.
    fn lists(
        &mut self,
        building: &mut Building,
        of_pid: &mut FxHashMap<u64, ThreadIx>,
        places: &[Option<(Str, WaitMode)>],
    ) {
        let lists = std::mem::take(&mut self.lists);
        // Who waits, by the lists of those whose stacks are there.
        let mut waits: FxHashMap<LockId, Known> = FxHashMap::default();
        for list in &lists {
            let place =
                seen(building, of_pid, list.pid).map(|ix| places.get(ix.at()).and_then(Option::as_ref));
            let count = list.entries.len();
            for (n, entry) in list.entries.iter().enumerate() {
                let Some(id) = &entry.id else { continue };
                let known = waits.entry(id.clone()).or_default();
                match place {
                    Some(Some((places, mode))) if n + 1 == count && locks::is_at(places, entry) => {
                        known.waiters += 1;
                        known.mode = Some(*mode);
                    }
                    // Where it was asked for was cut off.
                    Some(Some(_)) if n + 1 == count && entry.at.is_empty() => known.unseen += 1,
                    Some(_) => known.holders += 1,
                    None => known.unseen += 1,
                }
            }
        }
        for list in lists {
            let last = list.entries.len().saturating_sub(1);
            let is_wanted = |entry: &locks::Entry| {
                entry.id.as_ref().and_then(|id| waits.get(id)).is_some_and(|known| known.waiters > 0)
            };
            let seen = seen(building, of_pid, list.pid);
            if seen.is_none() && !list.entries.iter().any(is_wanted) {
                continue;
            }
            let mut held = Vec::new();
            let mut wait = None;
            for (n, entry) in list.entries.iter().enumerate() {
                let Some(id) = &entry.id else { continue };
                let known = waits.get(id).copied().unwrap_or_default();
                let lock = building.lock(id.clone(), Some(entry.name.clone()), entry.kind);
                let place = seen.and_then(|ix| places.get(ix.at())).and_then(Option::as_ref);
                match (seen, place) {
                    (Some(_), Some((places, mode))) if n == last && locks::is_at(places, entry) => {
                        wait = Some((lock, *mode));
                    }
                    (Some(_), Some(_)) if n == last && entry.at.is_empty() => {}
                    (Some(_), _) => held.push(lock),
                    // Of a task without a stack the list alone speaks. Whoever is not the one that holds it waits.
                    (None, _) if n < last => held.push(lock),
                    (None, _) if known.holders > 0 && entry.kind == ReportedLockKind::KernelMutex => {
                        wait = Some((lock, WaitMode::Enter));
                    }
                    (None, _) if known.holders == 0 && known.unseen == 1 => held.push(lock),
                    (None, _) => {}
                }
            }
            let known = seen.or_else(|| of_pid.get(&list.pid).copied());
            let ix = known.unwrap_or_else(|| unseen(building, of_pid, &list.name, list.pid));
            set(building, ix, &held, wait);
        }
    }

    /// Owners that the watchdog names.
    fn blockers(&mut self, building: &mut Building, of_pid: &mut FxHashMap<u64, ThreadIx>) {
        for (blocker, offset) in std::mem::take(&mut self.blockers) {
            let ix = match of_pid.get(&blocker.pid) {
                Some(ix) => *ix,
                None => unseen(building, of_pid, &blocker.name, blocker.pid),
            };
            let known = building.snapshot.threads.get(ix.at()).and_then(|thread| thread.reported_wait);
            let lock = match (known, &blocker.owner) {
                (Some(wait), _) => wait.lock,
                (None, Some((name, pid))) => {
                    // The text gives the lock no name: it is the one that its owner has, or had.
                    let of = if blocker.is_former { "likely last held by" } else { "of" };
                    let id = LockId::Token(format!("{} {of} {name}:{pid}", noun(blocker.kind)).into());
                    building.lock(id, None, blocker.kind)
                }
                (None, None) => continue,
            };
            if let Some(thread) = building.snapshot.threads.get_mut(ix.at()) {
                thread.reported_wait = Some(ReportedWait::of(lock, blocker.mode));
            }
            if let Some((name, pid)) = &blocker.owner {
                if !of_pid.contains_key(pid) {
                    unseen(building, of_pid, name, *pid);
                }
                if !blocker.is_former {
                    building.owner(lock, OwnerRef::Id(ThreadId::Number(*pid)), offset);
                }
            }
        }
    }
}

/// What the lists say of a lock.
#[derive(Clone, Copy, Default)]
struct Known {
    waiters: usize,
    /// Tasks whose stacks are past the call that took it.
    holders: usize,
    /// Tasks whose stacks are not there.
    unseen: usize,
    mode: Option<WaitMode>,
}

fn noun(kind: ReportedLockKind) -> &'static str {
    match kind {
        ReportedLockKind::KernelRwsem => "rw-semaphore",
        ReportedLockKind::KernelSemaphore => "semaphore",
        _ => "mutex",
    }
}

/// From which places each task waits for a lock; which lock that is, is looked up in the lists.
fn places(building: &mut Building) -> Vec<Option<(Str, WaitMode)>> {
    let snapshot = &mut building.snapshot;
    let mut all = Vec::with_capacity(snapshot.threads.len());
    for thread in &mut snapshot.threads {
        let place = thread.reported_wait.take().and_then(|wait| {
            match &snapshot.named_locks.get(wait.lock.at())?.id {
                LockId::Token(places) => Some((places.clone(), wait.mode)),
                LockId::Address(_) => None,
            }
        });
        all.push(place);
    }
    all
}

/// The task with this pid, if its stack is there.
fn seen(building: &Building, of_pid: &FxHashMap<u64, ThreadIx>, pid: u64) -> Option<ThreadIx> {
    let snapshot = &building.snapshot;
    let has_stack = |ix: &ThreadIx| {
        let stack = snapshot.threads.get(ix.at()).map(|thread| thread.stack);
        stack.is_some_and(|stack| !snapshot.stacks.frames_of(stack).is_empty())
    };
    of_pid.get(&pid).copied().filter(has_stack)
}

/// Says how many stacks are made of words that may be no calls.
fn guesses(snapshot: &mut Snapshot) {
    let guessed = snapshot.threads.iter().filter(|thread| snapshot.stacks.is_guessed(thread.stack));
    let count = guessed.count() as u64;
    let message = "the frames of a stack are words that lay there, as the kernel marks them or some show: they may be no calls";
    snapshot.gaps.add_many(GapKind::IncompleteStack, message, count, None);
}

/// A task of which only a list or a line speaks.
fn unseen(building: &mut Building, of_pid: &mut FxHashMap<u64, ThreadIx>, name: &str, pid: u64) -> ThreadIx {
    let mut thread = Thread::new(ThreadId::Number(pid));
    thread.tid = u32::try_from(pid).ok();
    thread.name = Some(name).filter(|name| !name.is_empty()).map(Into::into);
    thread.kind = ThreadKind::Task;
    let ix = building.push(thread, &Body::default(), &[], 0);
    of_pid.insert(pid, ix);
    ix
}

fn set(building: &mut Building, ix: ThreadIx, held: &[NamedLockIx], wait: Option<(NamedLockIx, WaitMode)>) {
    let snapshot = &mut building.snapshot;
    let start = snapshot.holds.len() as u32;
    snapshot.holds.extend(held.iter().map(|&lock| ReportedHold { lock, depth: None }));
    let end = snapshot.holds.len() as u32;
    if let Some(thread) = snapshot.threads.get_mut(ix.at()) {
        thread.holds = (start, end);
        thread.reported_wait = wait.map(|(lock, mode)| ReportedWait::of(lock, mode)).or(thread.reported_wait);
    }
}
