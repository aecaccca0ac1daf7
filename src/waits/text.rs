//! What each thread of a text dump does: from the functions in its stack and the arguments that
//! the dump prints with them.

use rayon::prelude::*;

use super::activity::Call;
use super::kinds::{LockKind, State};
use super::locks;
use super::observation::{Claim, LockClaim, LockKey, Observation};
use super::reported;
use super::text_stack::{TextLock, TextStack};
use super::threads::ThreadMap;
use crate::model::{
    Certainty, Listing, NamedLock, ReportedState, Snapshot, StackIx, Thread, ThreadIx, ThreadKind,
};
use crate::normalize::{Meaning, Meanings, Readings, Role, WaitKind};

/// Signals that a fault of the thread itself raises: a thread that died of one in a lock function
/// did not wait there.
const FAULTS: &[&str] = &["SIGSEGV", "SIGBUS", "SIGILL", "SIGFPE", "SIGTRAP", "SIGSYS"];

/// Threads that one worker looks at in one go.
const THREADS_A_CHUNK: usize = 1_024;

/// Stacks that one worker looks at in one go.
const STACKS_A_CHUNK: usize = 64;

/// With fewer threads for each stack, every thread's is read for itself.
const THREADS_A_STACK: usize = 2;

/// Looks at all threads.
pub(super) fn observe<'a>(
    snapshot: &'a Snapshot,
    meanings: &'a Meanings,
    readings: &'a Readings,
    threads: &ThreadMap<'_>,
) -> Vec<Observation<'a>> {
    let signal = snapshot.process.signal.as_ref();
    let faulted = signal.filter(|s| FAULTS.contains(&&*s.name)).and_then(|s| s.thread);
    let has_tasks = snapshot.threads.iter().any(|thread| thread.kind == ThreadKind::Task);
    let read = |ix: StackIx| TextStack::of(snapshot, meanings, readings, has_tasks, ix);
    let stacks = Stacks::of(snapshot, read);
    let gil = reported::gil(snapshot);
    let threads_of_snapshot = snapshot.threads.par_iter().enumerate().with_min_len(THREADS_A_CHUNK);
    threads_of_snapshot
        .map(|(ix, thread)| {
            let ix = ThreadIx(ix as u32);
            if thread.is_running || faulted == Some(ix) {
                return Observation::of(State::Running);
            }
            stacks.with(thread.stack, |stack| View::of(snapshot, stack, ix, gil).observe(threads))
        })
        .collect()
}

/// What the stacks say.
struct Stacks<'a, F> {
    read: F,
    /// Where stacks are shared, each is read once. Else there would be as many of these as threads, each for a moment.
    shared: Option<Vec<TextStack<'a>>>,
}

impl<'a, F: Fn(StackIx) -> TextStack<'a> + Sync> Stacks<'a, F> {
    fn of(snapshot: &Snapshot, read: F) -> Self {
        let count = snapshot.stacks.stack_count();
        let are_shared = snapshot.threads.len() / THREADS_A_STACK >= count;
        let all = || (0..count as u32).into_par_iter().with_min_len(STACKS_A_CHUNK);
        let shared = are_shared.then(|| all().map(|n| read(StackIx(n))).collect());
        Self { read, shared }
    }

    fn with<T>(&self, ix: StackIx, ask: impl FnOnce(&TextStack<'a>) -> T) -> T {
        match &self.shared {
            Some(stacks) => ask(&stacks[ix.at()]),
            None => ask(&(self.read)(ix)),
        }
    }
}

/// One thread with what its stack says.
struct View<'s, 'a> {
    snapshot: &'a Snapshot,
    thread: &'a Thread,
    stack: &'s TextStack<'a>,
    /// The values of its arguments.
    values: &'a [u64],
    /// The interpreter lock, where the text names one.
    gil: Option<&'a NamedLock>,
    /// The process ended in it.
    has_failed: bool,
}

impl<'s, 'a> View<'s, 'a> {
    fn of(
        snapshot: &'a Snapshot,
        stack: &'s TextStack<'a>,
        ix: ThreadIx,
        gil: Option<&'a NamedLock>,
    ) -> Self {
        let thread = &snapshot.threads[ix.at()];
        let failed = snapshot.process.failure.as_ref().and_then(|failure| failure.thread);
        let values = snapshot.values.of(thread.values);
        Self { snapshot, thread, stack, values, gil, has_failed: failed == Some(ix) }
    }

    fn observe(&self, threads: &ThreadMap<'_>) -> Observation<'a> {
        let reading = self.stack.reading;
        let mut seen = Observation::of(self.state());
        // A debugger's break inside a wait (ntdll: a critical section that timed out) does not end it.
        if reading.is_abort && self.thread.reported_wait.is_none() {
            return seen;
        }
        let named = self.thread.reported_wait.and_then(|wait| {
            let lock = self.snapshot.named_locks.get(wait.lock.at())?;
            Some((lock, wait))
        });
        if let Some((lock, wait)) = named {
            let (state, claim) = reported::claim(lock, wait, seen.state);
            seen.state = state;
            seen.call = self.call();
            seen.claim = claim.map(Claim::Lock);
            return seen;
        }
        let said = self.thread.reported;
        let is_in_runtime = matches!(said, Some(ReportedState::Blocked | ReportedState::Entering));
        match (reading.wait, seen.state) {
            // What a JVM's own C++ sleeps on for a monitor: the monitor is what the thread waits for.
            (Some(WaitKind::Condition | WaitKind::Futex), State::LockWait) if is_in_runtime => {
                seen.claim = Some(Claim::Lock(self.place(LockKind::NamedLock)));
                return seen;
            }
            // The producer may say so where the names of the functions do not.
            (Some(_), _) | (None, State::LockWait) => {}
            (None, _) => return seen,
        }
        seen.call = self.call();
        match self.stack.wait {
            WaitKind::Join => {
                let target =
                    self.stack.joined.of(self.values).find_map(|(value, _)| threads.by_handle(value));
                seen.claim = target.map(|t| Claim::Thread(t, Certainty::Reported));
                return seen;
            }
            WaitKind::Child => {
                seen.claim = Some(Claim::Child(Certainty::Inferred));
                return seen;
            }
            _ => {}
        }
        let is_task = self.thread.kind == ThreadKind::Task;
        let lock = if is_task { &self.stack.lock_of_task } else { &self.stack.lock };
        let Some(lock) = lock else { return seen };
        // No name says what kind of lock it is, and neither need its file: obfuscated frames have none that tells.
        if reading.wait.is_none()
            && said == Some(ReportedState::Entering)
            && lock.kind == LockKind::PthreadMutex
        {
            seen.claim = self.has_place().then(|| Claim::Lock(self.place(LockKind::JavaMonitor)));
            return seen;
        }
        if lock.kind == LockKind::Gil && seen.state != State::Runtime {
            seen.state = State::LockWait;
        }
        seen.claim = self.lock(lock, seen.state).map(Claim::Lock);
        seen
    }

    /// What the producer says that the thread does, and where it says less than its stack, what that means.
    fn state(&self) -> State {
        let is_abort = self.stack.reading.is_abort;
        // Whoever has a lock does not rest.
        let by_stack = match self.stack.state {
            State::Idle if self.has_a_lock() => self.stack.without_rest(),
            other => other,
        };
        match self.thread.reported {
            Some(ReportedState::Sleeping) if !is_abort && self.has_a_lock() => State::Sleeping,
            Some(said) if !is_abort => reported::state(said, by_stack),
            // Whoever has the interpreter lock runs.
            None if by_stack == State::Running && !self.shows_calls() && !self.has_a_lock() => State::Unknown,
            _ => by_stack,
        }
    }

    /// Whether a call that blocks would be seen. Interpreters do not show what their functions call in C: a thread in
    /// one of those that says nothing may as well sleep or wait for a lock. Who is in the course of failing runs.
    fn shows_calls(&self) -> bool {
        !self.stack.ends_in_script || self.snapshot.listing != Listing::Threads || self.has_failed
    }

    /// Whether it has a lock beside the one that it waits for, which it gives back meanwhile.
    fn has_a_lock(&self) -> bool {
        reported::held_by(self.thread, self.snapshot).next().is_some()
    }

    /// The lock that the arguments name; else, for a wait that is a lock's, the place in the code.
    fn lock(&self, lock: &TextLock<'a>, state: State) -> Option<LockClaim<'a>> {
        let kind = lock.kind;
        let claim = |key, symbol| LockClaim {
            key,
            kind,
            symbol,
            certainty: Certainty::Reported,
            is_shared_object: locks::row(kind).is_shared_object,
        };
        match lock.arguments.first(self.values) {
            Some((0, None)) => None,
            Some((0, Some(symbol))) => Some(claim(LockKey::Symbol(symbol), Some(symbol))),
            Some((address, symbol)) => Some(claim(LockKey::Address(address), symbol)),
            // A process has one, of which the text says who has it: py-spy's `active+gil`.
            None if kind == LockKind::Gil && self.gil.is_some() => self
                .gil
                .map(|gil| LockClaim { certainty: Certainty::Inferred, ..claim(LockKey::of(&gil.id), None) }),
            None => (state.is_blocked() && self.has_place()).then(|| self.place(kind)),
        }
    }

    /// Whether the stack shows where the program waits. A row of gdb's `info threads` ends in `__lll_lock_wait`: through it
    /// go the waiters of all locks.
    fn has_place(&self) -> bool {
        let is_plumbing =
            |site: &Meaning| matches!(site.role, Role::Lock | Role::Wait | Role::Spin | Role::Sleep);
        let is_told = self.thread.reported.is_some();
        self.stack.is_somewhere() && (is_told || !self.stack.site.is_some_and(is_plumbing))
    }

    /// A lock of which only the place is known where the thread waits for it, or not even that.
    fn place(&self, kind: LockKind) -> LockClaim<'a> {
        let is_told = |caller: &&Meaning| self.thread.reported.is_none() || caller.role == Role::User;
        LockClaim {
            key: match self.stack.site.filter(is_told) {
                Some(caller) => LockKey::Site(&caller.name),
                None => LockKey::Unnamed,
            },
            kind,
            symbol: None,
            certainty: Certainty::Inferred,
            is_shared_object: locks::row(kind).is_shared_object,
        }
    }

    fn call(&self) -> Option<Box<Call>> {
        let (name, descriptors) = self.stack.call.as_ref()?;
        let fd = descriptors.first(self.values).map(|(value, _)| value.cast_signed());
        Some(Box::new(Call { name, fd }))
    }
}
