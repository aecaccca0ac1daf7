//! What is known of the tasks of a dump when it has ended: which lock each waits for, who holds it, why the kernel
//! died.

use rustc_hash::FxHashMap;

use super::locks::{self, Blocker, Held};
use super::reports::{Report, Shown};
use crate::formats::text::{Body, Building, OwnerRef, is_limited};
use crate::model::{
    Failure, FailureKind, LockId, NamedLockIx, ReportedHold, ReportedLockKind, ReportedState, ReportedWait,
    Str, Thread, ThreadId, ThreadIx, ThreadKind, WaitMode,
};

/// What was said outside of stacks.
#[derive(Default)]
pub(super) struct Facts {
    hung: Vec<(u64, u64)>,
    lists: Vec<Held>,
    blockers: Vec<(Blocker, u64)>,
    failure: Option<Failing>,
    shown: Option<Shown>,
}

struct Failing {
    kind: FailureKind,
    message: String,
    pid: Option<u64>,
    thread: Option<ThreadIx>,
    seconds: u64,
}

impl Facts {
    /// A report has begun.
    pub fn note(&mut self, report: &Report) {
        let (kind, message, pid, seconds) = match report {
            Report::Sysrq(shown) => {
                self.shown = Some(*shown);
                return;
            }
            Report::Lockup { message, pid, seconds } => (FailureKind::Stall, message, *pid, *seconds),
            Report::Fatal { message } => (FailureKind::Kernel, message, None, 0),
            _ => return,
        };
        // The first is the cause; a kernel that died says more than one that was slow.
        let is_worse = |known: &Failing| known.kind == FailureKind::Stall && kind == FailureKind::Kernel;
        if self.failure.as_ref().is_none_or(is_worse) {
            self.failure = Some(Failing { kind, message: message.clone(), pid, thread: None, seconds });
        }
    }

    /// Whether the tasks so far are of a report after which the kernel went on, and this one is its end.
    pub fn is_older_report(&self, report: Option<&Report>) -> bool {
        matches!(report, Some(Report::Fatal { .. }))
            && self.failure.as_ref().is_some_and(|failure| failure.thread.is_none() && failure.pid.is_none())
    }

    /// What is said of the report that has just begun and has no task yet: it goes to the next dump.
    pub fn rest(&mut self, pid: u64) -> Self {
        let is_open = |failure: &mut Failing| failure.thread.is_none() && failure.pid.is_none();
        let hung = self.hung.pop_if(|(of, _)| *of == pid).into_iter().collect();
        Self { failure: self.failure.take_if(is_open), hung, ..Self::default() }
    }

    /// A task of a report comes, or is there already.
    pub fn failed(&mut self, report: Option<&Report>, thread: &Thread, ix: Option<ThreadIx>) {
        let Some(failure) = self.failure.as_mut().filter(|failure| failure.thread.is_none()) else { return };
        if report.is_none_or(|report| !report.is_by_processor()) {
            return;
        }
        let ThreadId::Number(pid) = thread.id else { return };
        if failure.pid.is_some_and(|wanted| wanted != pid) || thread.reported == Some(ReportedState::Idle) {
            return;
        }
        (failure.pid, failure.thread) = (Some(pid), ix);
    }

    /// A line that is no begin of a report.
    pub fn line(&mut self, line: &str, offset: u64) {
        if let Some(list) = locks::list(line) {
            self.lists.push(list);
        } else if let Some(blocker) = locks::blocker(line) {
            self.blockers.push((blocker, offset));
        } else if let (Some(Some(entry)), Some(list)) = (locks::entry(line), self.lists.last_mut()) {
            list.entries.push(entry);
        }
    }

    /// The watchdog found this task.
    pub fn hung(&mut self, pid: u64, seconds: u64) {
        self.hung.push((pid, seconds));
    }

    /// Puts everything into the dump.
    pub fn settle(&mut self, building: &mut Building) {
        let mut of_pid: FxHashMap<u64, ThreadIx> = FxHashMap::default();
        for (ix, thread) in (0u32..).map(ThreadIx).zip(&building.snapshot.threads) {
            if let ThreadId::Number(pid) = thread.id {
                of_pid.entry(pid).or_insert(ix);
            }
        }
        for (pid, seconds) in &self.hung {
            if let Some(thread) = of_pid.get(pid).and_then(|ix| building.snapshot.threads.get_mut(ix.at())) {
                thread.waited_us = Some(seconds.saturating_mul(1_000_000));
            }
        }
        self.fail(building, &of_pid);
        let places = places(building);
        self.lists(building, &mut of_pid, &places);
        self.blockers(building, &mut of_pid);
        let snapshot = &mut building.snapshot;
        snapshot.process.os = Some("linux".into());
        if self.shown == Some(Shown::Blocked) {
            is_limited(snapshot, "only tasks in uninterruptible sleep are shown (sysrq w)", None);
        } else if !self.hung.is_empty() && self.shown.is_none() {
            let message = "the watchdog shows blocked tasks only, and only the first of them (kernel.hung_task_warnings)";
            is_limited(snapshot, message, None);
        }
    }

    fn fail(&mut self, building: &mut Building, of_pid: &FxHashMap<u64, ThreadIx>) {
        let Some(failure) = self.failure.take() else { return };
        let thread = failure.thread.or_else(|| of_pid.get(&failure.pid?).copied());
        if let Some(thread) = thread.and_then(|ix| building.snapshot.threads.get_mut(ix.at()))
            && failure.seconds > 0
        {
            thread.cpu_us = Some(failure.seconds.saturating_mul(1_000_000));
        }
        let message = failure.message.into();
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
            let place = of_pid.get(&list.pid).map(|ix| places.get(ix.at()).and_then(Option::as_ref));
            let count = list.entries.len();
            for (n, entry) in list.entries.iter().enumerate() {
                let Some(id) = &entry.id else { continue };
                let known = waits.entry(id.clone()).or_default();
                match place {
                    Some(Some((places, mode))) if n + 1 == count && locks::is_at(places, entry) => {
                        known.waiters += 1;
                        known.mode = Some(*mode);
                    }
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
            let seen = of_pid.get(&list.pid).copied();
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
            let ix = seen.unwrap_or_else(|| unseen(building, of_pid, &list.name, list.pid));
            set(building, ix, &held, wait);
        }
    }

    /// Owners that the watchdog names.
    fn blockers(&mut self, building: &mut Building, of_pid: &mut FxHashMap<u64, ThreadIx>) {
        for (blocker, offset) in std::mem::take(&mut self.blockers) {
            let Some(ix) = of_pid.get(&blocker.pid).copied() else { continue };
            let known = building.snapshot.threads.get(ix.at()).and_then(|thread| thread.reported_wait);
            let lock = match (known, &blocker.owner) {
                (Some(wait), _) => wait.lock,
                (None, Some((name, pid))) => {
                    // The text gives the lock no name: it is the one that its owner has.
                    let id = LockId::Token(format!("{} of {name}:{pid}", noun(blocker.kind)).into());
                    building.lock(id, None, blocker.kind)
                }
                (None, None) => continue,
            };
            if let Some(thread) = building.snapshot.threads.get_mut(ix.at()) {
                thread.reported_wait = Some(ReportedWait { lock, mode: blocker.mode });
            }
            if let Some((name, pid)) = &blocker.owner {
                if !of_pid.contains_key(pid) {
                    unseen(building, of_pid, name, *pid);
                }
                building.owner(lock, OwnerRef::Id(ThreadId::Number(*pid)), offset);
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

/// A task of which only a list or a line speaks.
fn unseen(building: &mut Building, of_pid: &mut FxHashMap<u64, ThreadIx>, name: &Str, pid: u64) -> ThreadIx {
    let mut thread = Thread::new(ThreadId::Number(pid));
    thread.tid = u32::try_from(pid).ok();
    thread.name = Some(name.clone());
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
        thread.reported_wait = wait.map(|(lock, mode)| ReportedWait { lock, mode }).or(thread.reported_wait);
    }
}
