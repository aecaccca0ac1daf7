//! What the producer of a text says of threads and locks, in the terms of this stage.

use rayon::prelude::*;

use super::kinds::{Identity, LockKind, State};
use super::lock::{Holder, Lock};
use super::locks::row;
use super::observation::{LockClaim, LockKey};
use crate::model::{
    Certainty, Evidence, NamedLock, NamedLockIx, ReportedLockKind, ReportedState, ReportedWait, Snapshot,
    Thread, ThreadIx, WaitMode,
};

/// Threads that one worker looks at in one go.
const THREADS_A_CHUNK: usize = 1_024;

/// What a thread does, of which the producer says one thing and its stack means another.
pub(super) fn state(said: ReportedState, by_stack: State) -> State {
    match (said, by_stack) {
        (ReportedState::Running, State::Spinning) => State::Spinning,
        (ReportedState::Running, _) => State::Running,
        // Native calls that block look like running.
        (
            ReportedState::RunningOrNative,
            State::IoWait | State::Idle | State::JoinWait | State::Spinning | State::Sleeping,
        ) => by_stack,
        (ReportedState::RunningOrNative, _) => State::Running,
        (ReportedState::Blocked | ReportedState::Entering, _) => State::LockWait,
        (ReportedState::Waiting, State::Running | State::Unknown | State::IoWait) => State::CondWait,
        (ReportedState::Waiting, other) => other,
        (ReportedState::Io, State::Idle) => State::Idle,
        (ReportedState::Io, _) => State::IoWait,
        (ReportedState::Sleeping, State::Idle) => State::Idle,
        (ReportedState::Sleeping, _) => State::Sleeping,
        (ReportedState::Idle, _) => State::Idle,
        (ReportedState::Runtime, _) => State::Runtime,
        (ReportedState::Parked, State::Running | State::Unknown) => State::CondWait,
        (ReportedState::Parked, other) => other,
        (ReportedState::Asleep | ReportedState::Unclear, State::Running) => State::Unknown,
        (ReportedState::Asleep | ReportedState::Unclear, other) => other,
        // Most wait for a device, but a stack that says nothing does not say so.
        (ReportedState::Uninterruptible, State::Running | State::Idle) => State::Unknown,
        (ReportedState::Uninterruptible, other) => other,
    }
}

/// What kinds of locks the words of producers mean; `None`: no lock.
const KINDS: &[(ReportedLockKind, LockKind)] = &[
    (ReportedLockKind::JavaMonitor, LockKind::JavaMonitor),
    (ReportedLockKind::JavaSynchronizer, LockKind::JavaSynchronizer),
    (ReportedLockKind::ClassInit, LockKind::ClassInit),
    (ReportedLockKind::GoMutex, LockKind::GoMutex),
    (ReportedLockKind::GoRwMutex, LockKind::GoRwmutex),
    (ReportedLockKind::GoWaitGroup, LockKind::GoWaitGroup),
    (ReportedLockKind::GoChannel, LockKind::GoChannel),
    (ReportedLockKind::GoSemaphore, LockKind::Semaphore),
    (ReportedLockKind::Gil, LockKind::Gil),
    (ReportedLockKind::DotnetMonitor, LockKind::DotnetMonitor),
    (ReportedLockKind::CriticalSection, LockKind::CriticalSection),
    (ReportedLockKind::KernelMutex, LockKind::KernelMutex),
    (ReportedLockKind::KernelRwsem, LockKind::KernelRwsem),
    (ReportedLockKind::KernelSemaphore, LockKind::KernelSemaphore),
    (ReportedLockKind::Turnstile, LockKind::Turnstile),
    (ReportedLockKind::Other, LockKind::NamedLock),
];

fn kind_of(kind: ReportedLockKind) -> LockKind {
    KINDS.iter().find(|(said, _)| *said == kind).map_or(LockKind::NamedLock, |(_, kind)| *kind)
}

/// Classes for which Java's threads park, as parts of their names, and what a thread that parks for one does. The
/// kind `None`: what it parks for is no lock, and the stack says what it is.
///
/// Source: OpenJDK 8-25 java/util/concurrent.
const PARKED_FOR: &[(&str, Option<LockKind>, State)] = &[
    ("ConditionObject", Some(LockKind::Condvar), State::CondWait),
    ("ConditionNode", Some(LockKind::Condvar), State::CondWait),
    ("ReentrantLock$", Some(LockKind::JavaSynchronizer), State::LockWait),
    ("ReentrantReadWriteLock$", Some(LockKind::JavaSynchronizer), State::LockWait),
    ("StampedLock", Some(LockKind::JavaSynchronizer), State::LockWait),
    ("ThreadPoolExecutor$Worker", Some(LockKind::JavaSynchronizer), State::LockWait),
    ("CountDownLatch$", Some(LockKind::Barrier), State::CondWait),
    ("CyclicBarrier", Some(LockKind::Barrier), State::CondWait),
    ("Phaser", Some(LockKind::Barrier), State::CondWait),
    ("Semaphore$", Some(LockKind::Semaphore), State::CondWait),
    ("FutureTask", None, State::CondWait),
    ("CompletableFuture", None, State::CondWait),
    ("ForkJoin", None, State::CondWait),
    ("SynchronousQueue", None, State::CondWait),
    ("TransferQueue", None, State::CondWait),
    ("Exchanger", None, State::CondWait),
];

/// What a thread does that waits so for a lock that the text names, and its claim. `by_stack`: what its stack and
/// state mean without.
pub(super) fn claim(
    named: &NamedLock,
    wait: ReportedWait,
    by_stack: State,
) -> (State, Option<LockClaim<'_>>) {
    let mode = wait.mode;
    let kind = kind_of(named.kind);
    let row = named.name.as_deref().filter(|_| mode == WaitMode::Park).and_then(parked_for);
    let waits_for_signal = match by_stack {
        State::Running | State::Unknown | State::IoWait => State::CondWait,
        other => other,
    };
    let (kind, state) = match (mode, row) {
        // The runtime's own lock, as its producer says.
        (WaitMode::Enter, _) if kind == LockKind::Gil && by_stack == State::Runtime => (Some(kind), by_stack),
        (WaitMode::Enter | WaitMode::Read, _) => (Some(kind), State::LockWait),
        // OpenJDK 11 says so of every thread in `Object.wait`: only one that is blocked has been notified.
        (WaitMode::Reenter, _) if by_stack == State::LockWait => (Some(kind), State::LockWait),
        (WaitMode::Notify | WaitMode::Reenter, _) => (Some(kind), waits_for_signal),
        (WaitMode::Park, Some(&(_, kind, State::LockWait))) => (kind, State::LockWait),
        (WaitMode::Park, Some(&(_, kind, _))) => (kind, waits_for_signal),
        // A class of the program's own: the stack says whether it is a lock.
        (WaitMode::Park, None) if by_stack == State::LockWait => (Some(kind), State::LockWait),
        (WaitMode::Park, None) => (None, waits_for_signal),
    };
    let is_shared_object = state == State::LockWait || kind == Some(LockKind::Gil);
    let claim = kind.map(|kind| lock_claim(named, kind, is_shared_object));
    (state, claim.map(|claim| LockClaim { certainty: wait.certainty, ..claim }))
}

fn parked_for(class: &str) -> Option<&'static (&'static str, Option<LockKind>, State)> {
    PARKED_FOR.iter().find(|(part, ..)| class.contains(part))
}

fn lock_claim(named: &NamedLock, kind: LockKind, is_shared_object: bool) -> LockClaim<'_> {
    let symbol = named.name.as_ref();
    LockClaim { key: LockKey::of(&named.id), kind, symbol, certainty: Certainty::Reported, is_shared_object }
}

/// The one interpreter lock that a text names; `None` where it names none, or several.
pub(super) fn gil(snapshot: &Snapshot) -> Option<&NamedLock> {
    let mut all = snapshot.named_locks.iter().filter(|lock| lock.kind == ReportedLockKind::Gil);
    all.next().filter(|_| all.next().is_none())
}

/// What a thread says of a lock that it holds.
pub(super) fn held_lock(named: &NamedLock) -> LockClaim<'_> {
    lock_claim(named, kind_of(named.kind), true)
}

/// What a thread holds, as the text says. Who waits to be notified has given the lock back meanwhile.
pub(super) fn held_by<'a>(
    thread: &Thread,
    snapshot: &'a Snapshot,
) -> impl Iterator<Item = NamedLockIx> + use<'a> {
    let (start, end) = (thread.holds.0 as usize, thread.holds.1 as usize);
    let own = thread.reported_wait.map(|wait| wait.lock);
    let held = snapshot.holds.get(start..end).unwrap_or_default().iter();
    held.map(|hold| hold.lock).filter(move |lock| Some(*lock) != own)
}

/// What threads hold of the locks that are asked for.
pub(super) fn holds(
    snapshot: &Snapshot,
    is_asked_for: impl Fn(NamedLockIx) -> bool + Sync,
) -> Vec<(ThreadIx, LockClaim<'_>)> {
    if snapshot.holds.is_empty() {
        return Vec::new();
    }
    let threads = snapshot.threads.par_iter().enumerate().with_min_len(THREADS_A_CHUNK);
    let of_thread = |(ix, thread): (usize, &Thread)| {
        let held = held_by(thread, snapshot).filter(|lock| is_asked_for(*lock));
        let named = held.filter_map(|lock| snapshot.named_locks.get(lock.at()));
        named.map(move |named| (ThreadIx(ix as u32), held_lock(named))).collect::<Vec<_>>()
    };
    threads.flat_map_iter(of_thread).collect()
}

/// Names the holder of a lock that one thread says it holds. Several: the text contradicts itself, or they read.
pub(super) fn settle(lock: &mut Lock) {
    match lock.holders.as_slice() {
        [] if row(lock.kind).prints_holder && lock.identity != Identity::Site => {
            lock.holder = Holder::unknown(
                "no thread of this dump is said to hold it: it changed hands while the dump was taken, or the \
                 runtime had stopped the threads",
            );
        }
        [] => {}
        &[thread] => {
            lock.evidence.push(Evidence::reported("the dump lists it among the locks that its holder has"));
            lock.holder = Holder::Thread { thread, certainty: Certainty::Reported };
            lock.holders.clear();
        }
        several => {
            let count = several.len();
            lock.holder = Holder::unknown(format!("the dump says of {count} threads that they hold it"));
        }
    }
}
