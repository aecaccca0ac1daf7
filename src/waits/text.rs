//! What each thread of a text dump does: from the functions in its stack and the arguments that
//! the dump prints with them.

use std::borrow::Cow;

use rayon::prelude::*;

use super::activity::Call;
use super::classify;
use super::kinds::{LockKind, State};
use super::locks;
use super::native::Family;
use super::observation::{Claim, LockClaim, LockKey, Observation};
use super::reported;
use super::runtimes;
use super::threads::ThreadMap;
use crate::model::{Certainty, ReportedState, Snapshot, StackIx, Str, Thread, ThreadIx, ThreadKind};
use crate::normalize::{Meaning, Meanings, Readings, Role, StackMeaning, WaitKind};

/// Signals that a fault of the thread itself raises: a thread that died of one in a lock function
/// did not wait there.
const FAULTS: &[&str] = &["SIGSEGV", "SIGBUS", "SIGILL", "SIGFPE", "SIGTRAP", "SIGSYS"];

/// Threads that one worker looks at in one go.
const THREADS_A_CHUNK: usize = 1_024;

/// Names of the argument that holds the thread to join.
const JOINED: &[&str] = &["threadid", "th", "__th", "thread"];

/// Calls that a person wants to see with their file descriptor.
const CALLS: &[(&str, WaitKind)] = &[
    ("read", WaitKind::Read),
    ("write", WaitKind::Write),
    ("recv", WaitKind::Read),
    ("send", WaitKind::Write),
    ("recvmsg", WaitKind::Read),
    ("sendmsg", WaitKind::Write),
    ("fsync", WaitKind::Sync),
    ("poll", WaitKind::Poll),
    ("ppoll", WaitKind::Poll),
    ("select", WaitKind::Poll),
    ("epoll_wait", WaitKind::Poll),
    ("accept", WaitKind::Accept),
    ("connect", WaitKind::OtherIo),
    ("nanosleep", WaitKind::Sleep),
    ("clock_nanosleep", WaitKind::Sleep),
    ("sleep", WaitKind::Sleep),
    ("usleep", WaitKind::Sleep),
    ("pause", WaitKind::Signal),
];

/// Looks at all threads.
pub(super) fn observe(
    snapshot: &Snapshot,
    meanings: &Meanings,
    readings: &Readings,
    threads: &ThreadMap,
) -> Vec<Observation> {
    let signal = snapshot.process.signal.as_ref();
    let faulted = signal.filter(|s| FAULTS.contains(&&*s.name)).and_then(|s| s.thread);
    let families: Vec<Family> = (0..snapshot.stacks.stack_count() as u32)
        .map(|n| Family::of(snapshot, meanings, StackIx(n), readings.get(StackIx(n))))
        .collect();
    let threads_of_snapshot = snapshot.threads.par_iter().enumerate().with_min_len(THREADS_A_CHUNK);
    threads_of_snapshot
        .map(|(ix, thread)| {
            if thread.is_running || faulted == Some(ThreadIx(ix as u32)) {
                return Observation::of(State::Running);
            }
            let view = View { snapshot, meanings, thread, reading: readings.get(thread.stack) };
            view.observe(families[thread.stack.at()], threads)
        })
        .collect()
}

/// One thread with what its stack means.
struct View<'a> {
    snapshot: &'a Snapshot,
    meanings: &'a Meanings,
    thread: &'a Thread,
    reading: &'a StackMeaning,
}

impl View<'_> {
    fn observe(&self, family: Family, threads: &ThreadMap) -> Observation {
        let has_frames = self.thread.stack != StackIx::EMPTY;
        let mut seen = Observation::of(self.state(has_frames));
        // A debugger's break inside a wait (ntdll: a critical section that timed out) does not end it.
        if self.reading.is_abort && self.thread.reported_wait.is_none() {
            return seen;
        }
        let named = self.thread.reported_wait.and_then(|wait| {
            let lock = self.snapshot.named_locks.get(wait.lock.at())?;
            Some((lock, wait.mode))
        });
        if let Some((lock, mode)) = named {
            let (state, claim) = reported::claim(lock, mode, seen.state);
            seen.state = state;
            seen.call = self.call();
            seen.claim = claim.map(Claim::Lock);
            return seen;
        }
        let is_in_runtime = self.thread.reported == Some(ReportedState::Blocked);
        let kind = match (self.reading.wait, seen.state) {
            // What a JVM's own C++ sleeps on for a monitor: the monitor is what the thread waits for.
            (Some(WaitKind::Condition | WaitKind::Futex), State::LockWait) if is_in_runtime => {
                seen.claim = Some(Claim::Lock(self.place(LockKind::NamedLock)));
                return seen;
            }
            (Some(kind), _) => kind,
            // The producer says so, the names of the functions do not.
            (None, State::LockWait) => WaitKind::Mutex,
            (None, _) => return seen,
        };
        seen.call = self.call();
        if kind == WaitKind::Join {
            let target = self.arguments(JOINED).find_map(|(value, _)| threads.by_handle(value));
            seen.claim = target.map(|t| Claim::Thread(t, Certainty::Reported));
            return seen;
        }
        if kind == WaitKind::Child {
            seen.claim = Some(Claim::Other("the end of a child process", Certainty::Reported));
            return seen;
        }
        let Some(lock_kind) = self.lock_kind(kind, family) else { return seen };
        if lock_kind == LockKind::Gil && seen.state != State::Runtime {
            seen.state = State::LockWait;
        }
        seen.claim = self.lock(lock_kind, seen.state).map(Claim::Lock);
        seen
    }

    /// What the producer says that the thread does, and where it says less than its stack, what that means.
    fn state(&self, has_frames: bool) -> State {
        let by_stack = match classify::state_of_stack(self.reading, has_frames) {
            State::Running if self.stands_at_work() => State::Idle,
            other => other,
        };
        match self.thread.reported {
            // Whoever has a lock does not rest.
            Some(ReportedState::Sleeping)
                if !self.reading.is_abort && self.thread.holds.0 < self.thread.holds.1 =>
            {
                State::Sleeping
            }
            Some(said) if !self.reading.is_abort => reported::state(said, by_stack),
            _ => by_stack,
        }
    }

    /// Ends in a function that waits for work, whose waiting leaves no frame: a `_worker` of Python in its queue.
    fn stands_at_work(&self) -> bool {
        self.frames().first().is_some_and(|&top| self.meanings.get(top).wait == Some(WaitKind::Work))
    }

    fn lock_kind(&self, kind: WaitKind, family: Family) -> Option<LockKind> {
        let base = classify::lock_kind_of(kind)?;
        let waiting =
            self.reading.wait_frame.or(self.reading.caller).and_then(|at| self.frames().get(at)).copied();
        let of_kernel = (self.thread.kind == ThreadKind::Task).then(|| runtimes::kernel_lock(base)).flatten();
        let of_runtime = waiting.and_then(|frame| {
            runtimes::lock_kind(base, &self.meanings.get(frame).name, self.snapshot.stacks.get(frame))
        });
        Some(match base {
            _ if family.is_gil => LockKind::Gil,
            _ if of_kernel.is_some() => of_kernel.unwrap_or(base),
            _ if of_runtime.is_some() => of_runtime.unwrap_or(base),
            LockKind::PthreadMutex if family.is_parking_lot => LockKind::ParkingLot,
            LockKind::PthreadMutex if family.is_rust => LockKind::RustMutex,
            LockKind::PthreadRwlock if family.is_rust => LockKind::RustRwlock,
            LockKind::Spinlock if self.is_pthread_spin_lock() => LockKind::PthreadSpinlock,
            other => other,
        })
    }

    fn is_pthread_spin_lock(&self) -> bool {
        self.waiting().any(|(_, frame)| self.meanings.get(frame).name.starts_with("pthread_spin"))
    }

    /// The lock that the arguments name; else, for a wait that is a lock's, the place in the code.
    fn lock(&self, kind: LockKind, state: State) -> Option<LockClaim> {
        let row = locks::row(kind);
        let claim = |key, symbol, certainty| {
            Some(LockClaim { key, kind, symbol, certainty, is_shared_object: row.is_shared_object })
        };
        if let Some((value, symbol)) = self.argument(row.arguments) {
            return match (value, symbol) {
                (0, None) => None,
                (0, Some(symbol)) => {
                    claim(LockKey::Symbol(symbol.clone()), Some(symbol), Certainty::Reported)
                }
                (address, symbol) => claim(LockKey::Address(address), symbol, Certainty::Reported),
            };
        }
        let is_somewhere = self.reading.caller.is_some() || !self.reading.meaningful.is_empty();
        (state.is_blocked() && is_somewhere).then(|| self.place(kind))
    }

    /// A lock of which only the place is known where the thread waits for it, or not even that.
    fn place(&self, kind: LockKind) -> LockClaim {
        let at = self.reading.caller.or_else(|| self.reading.meaningful.first().copied());
        let caller = at.and_then(|at| self.frames().get(at)).map(|&frame| self.meanings.get(frame));
        let is_told = |caller: &&Meaning| self.thread.reported.is_none() || caller.role == Role::User;
        LockClaim {
            key: match caller.filter(is_told) {
                Some(caller) => LockKey::Site(caller.name.clone()),
                None => LockKey::Unnamed,
            },
            kind,
            symbol: None,
            certainty: Certainty::Inferred,
            is_shared_object: locks::row(kind).is_shared_object,
        }
    }

    fn frames(&self) -> &[crate::model::FrameIx] {
        self.snapshot.stacks.frames_of(self.thread.stack)
    }

    /// The frames of the waiting part, innermost first, with their places.
    fn waiting(&self) -> impl DoubleEndedIterator<Item = (usize, crate::model::FrameIx)> {
        let last = self.reading.wait_frame.unwrap_or(0);
        self.frames().iter().take(last + 1).copied().enumerate().collect::<Vec<_>>().into_iter()
    }

    /// The value of an argument of one of these names in the waiting part: of the outermost
    /// function that has one, but one with a symbol is preferred.
    fn argument(&self, names: &[&str]) -> Option<(u64, Option<Str>)> {
        let (value, symbol) = self.arguments(names).next()?;
        let named = || self.arguments(names).find(|(v, s)| *v == value && s.is_some())?.1;
        Some((value, symbol.or_else(named)))
    }

    /// The values of all arguments of these names in the waiting part, outermost function first, in
    /// each the better name first. Neither a value nor a symbol is no argument.
    fn arguments<'s>(&'s self, names: &'s [&str]) -> impl Iterator<Item = (u64, Option<Str>)> + 's {
        let starts = self.value_starts();
        let waiting: Vec<_> = self.waiting().rev().collect();
        waiting.into_iter().flat_map(move |(at, frame)| {
            let slots = self.snapshot.stacks.slots(frame);
            let start = starts[at];
            names.iter().filter_map(move |name| {
                let slot = slots.iter().position(|s| &*s.name == *name)?;
                if *name == "this" && is_guard(&self.meanings.get(frame).name) {
                    return None;
                }
                let value = self.snapshot.values.get(start + slot).copied().unwrap_or(0);
                let symbol = slots[slot].symbol.clone();
                (value != 0 || symbol.is_some()).then_some((value, symbol))
            })
        })
    }

    /// Where the values of each frame begin.
    fn value_starts(&self) -> Vec<usize> {
        let mut next = self.thread.values.0 as usize;
        self.frames()
            .iter()
            .map(|&frame| {
                let start = next;
                next += self.snapshot.stacks.slots(frame).len();
                start
            })
            .collect()
    }

    fn call(&self) -> Option<Call> {
        let (name, _) = self.waiting().find_map(|(_, frame)| {
            let meaning = self.meanings.get(frame);
            CALLS.iter().find(|(name, _)| *name == &*meaning.name)
        })?;
        let fd = self.argument(&["fd", "__fd", "epfd"]).map(|(value, _)| value.cast_signed());
        Some(Call { name, fd })
    }
}

/// Ends of classes whose objects take a lock and are none: each thread has one of its own.
///
/// Source: libstdc++ 4.8-15 bits/std_mutex.h, unique_lock.h, shared_mutex; boost 1.74 thread/lock_types.hpp; Qt 5
/// QMutexLocker; abseil synchronization/mutex.h MutexLock.
const GUARDS: &[&str] = &[
    "lock_guard",
    "unique_lock",
    "scoped_lock",
    "shared_lock",
    "upgrade_lock",
    "Locker",
    "MutexLock",
    "Guard",
];

/// Whether `this` of a function is no lock that another thread may wait for: a guard's, or that of a constructor, whose
/// object nobody else knows yet.
fn is_guard(function: &str) -> bool {
    let name = without_templates(function);
    let mut parts = name.rsplit("::");
    let (method, class) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    !class.is_empty() && (class == method || GUARDS.iter().any(|guard| class.ends_with(guard)))
}

/// `std::lock_guard::lock_guard` of `std::lock_guard<std::mutex>::lock_guard`.
fn without_templates(name: &str) -> Cow<'_, str> {
    if !name.contains('<') {
        return Cow::Borrowed(name);
    }
    let mut depth = 0usize;
    let is_outside = |c: &char| match c {
        '<' => {
            depth += 1;
            false
        }
        '>' => {
            depth = depth.saturating_sub(1);
            false
        }
        _ => depth == 0,
    };
    Cow::Owned(name.chars().filter(is_outside).collect())
}

#[cfg(test)]
mod tests {
    use super::is_guard;

    #[test]
    fn guards_are_no_locks() {
        for guard in [
            "std::lock_guard<std::mutex>::lock_guard",
            "std::unique_lock<std::mutex>::lock",
            "boost::unique_lock<boost::mutex>::unique_lock",
            "QMutexLocker::QMutexLocker",
            "app::ScopedWriter<app::Lock>::ScopedWriter",
        ] {
            assert!(is_guard(guard), "{guard}");
        }
        for lock in ["std::mutex::lock", "pthread_mutex_lock", "app::Spin::lock", "boost::mutex::lock"] {
            assert!(!is_guard(lock), "{lock}");
        }
    }
}
