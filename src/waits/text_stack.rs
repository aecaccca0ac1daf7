//! What the stack of a text says of whoever has it. It is asked once: thousands of threads share a stack.

use std::borrow::Cow;
use std::ops::Range;

use super::classify;
use super::kinds::{LockKind, State};
use super::locks;
use super::native::Family;
use super::runtimes;
use super::script;
use crate::model::{FrameIx, Snapshot, StackIx, Str};
use crate::normalize::{Meaning, Meanings, Readings, Role, StackMeaning, WaitKind};

/// Names of the argument that holds the thread to join.
const JOINED: &[&str] = &["threadid", "th", "__th", "thread"];

/// Names of the argument that holds a file descriptor.
const DESCRIPTORS: &[&str] = &["fd", "__fd", "epfd"];

/// Calls that a person wants to see with their file descriptor.
const CALLS: &[&str] = &[
    "read",
    "write",
    "recv",
    "send",
    "recvmsg",
    "sendmsg",
    "fsync",
    "poll",
    "ppoll",
    "select",
    "epoll_wait",
    "accept",
    "connect",
    "nanosleep",
    "clock_nanosleep",
    "sleep",
    "usleep",
    "pause",
];

/// A stack, and what it says.
pub(super) struct TextStack<'a> {
    /// What the names in it mean.
    pub reading: &'a StackMeaning,
    /// What a thread with this stack does.
    pub state: State,
    /// What it waits for. Where no name says so, and the producer says that it waits for a lock: that.
    pub wait: WaitKind,
    /// The lock that this is, where it is one.
    pub lock: Option<TextLock<'a>>,
    /// The same for a task of a kernel.
    pub lock_of_task: Option<TextLock<'a>>,
    /// The function that waits, else the one that stands for what the thread does.
    pub site: Option<&'a Meaning>,
    /// The call in which it is, and its file descriptor.
    pub call: Option<(&'static str, Arguments<'a>)>,
    /// The thread whose end it waits for.
    pub joined: Arguments<'a>,
    /// Its innermost function is one of an interpreter.
    pub ends_in_script: bool,
}

/// The lock for which a stack waits.
pub(super) struct TextLock<'a> {
    pub kind: LockKind,
    /// Which of them it is.
    pub arguments: Arguments<'a>,
}

impl<'a> TextStack<'a> {
    /// `has_tasks`: some threads of the snapshot are tasks of a kernel.
    pub fn of(
        snapshot: &'a Snapshot,
        meanings: &'a Meanings,
        readings: &'a Readings,
        has_tasks: bool,
        ix: StackIx,
    ) -> Self {
        let frames = Frames {
            snapshot,
            meanings,
            all: snapshot.stacks.frames_of(ix),
            reading: readings.get(ix),
            family: Family::of(snapshot, meanings, ix, readings.get(ix)),
        };
        let reading = frames.reading;
        let wait = reading.wait.unwrap_or(WaitKind::Mutex);
        let caller = reading.caller.map(|caller| frames.behind_wrappers(caller));
        let site = caller.or_else(|| reading.meaningful.first().map(|at| *at as usize));
        Self {
            reading,
            state: frames.state(ix),
            wait,
            lock: frames.lock(wait, false),
            lock_of_task: has_tasks.then(|| frames.lock(wait, true)).flatten(),
            site: site.and_then(|at| frames.all.get(at)).map(|frame| meanings.get(*frame)),
            call: frames.call(),
            ends_in_script: frames.all.first().is_some_and(|f| script::is_script(snapshot.stacks.get(*f))),
            joined: if wait == WaitKind::Join {
                frames.arguments(JOINED, 0..frames.waiting().len())
            } else {
                Arguments::default()
            },
        }
    }

    /// What a thread with this stack does that has no business to rest: who waits for an event or for input waits for it
    /// all the same.
    pub fn without_rest(&self) -> State {
        match self.reading.wait.map(classify::state_of) {
            Some(state @ (State::CondWait | State::Sleeping)) => state,
            _ if self.reading.wait == Some(WaitKind::Work) => State::CondWait,
            _ => self.state,
        }
    }

    /// Whether it shows where the thread waits.
    pub fn is_somewhere(&self) -> bool {
        self.reading.caller.is_some() || !self.reading.meaningful.is_empty()
    }
}

/// Arguments of some names that the frames of a stack print.
#[derive(Default)]
pub(super) struct Arguments<'a>(Vec<Argument<'a>>);

#[derive(Clone, Copy)]
struct Argument<'a> {
    /// Its place among the values of each thread.
    place: usize,
    symbol: Option<&'a Str>,
}

impl<'a> Arguments<'a> {
    /// Their values and symbols in a thread whose values these are, in the order in which they were asked for. Neither a
    /// value nor a symbol is no argument.
    pub fn of<'s>(&'s self, values: &'s [u64]) -> impl Iterator<Item = (u64, Option<&'a Str>)> + use<'s, 'a> {
        self.0.iter().filter_map(|argument| {
            let value = values.get(argument.place).copied().unwrap_or(0);
            (value != 0 || argument.symbol.is_some()).then_some((value, argument.symbol))
        })
    }

    /// The first of them; one of the same value that has a symbol is preferred.
    pub fn first(&self, values: &[u64]) -> Option<(u64, Option<&'a Str>)> {
        let (value, symbol) = self.of(values).next()?;
        let named = || self.of(values).find(|(v, s)| *v == value && s.is_some())?.1;
        Some((value, symbol.or_else(named)))
    }
}

struct Frames<'a> {
    snapshot: &'a Snapshot,
    meanings: &'a Meanings,
    all: &'a [FrameIx],
    reading: &'a StackMeaning,
    family: Family,
}

impl<'a> Frames<'a> {
    fn state(&self, ix: StackIx) -> State {
        match classify::state_of_stack(self.reading, ix != StackIx::EMPTY) {
            State::Running if self.stands_at_work() => State::Idle,
            other => other,
        }
    }

    /// Ends in a function that waits for work, whose waiting leaves no frame: a `_worker` of Python in its queue.
    fn stands_at_work(&self) -> bool {
        self.all.first().is_some_and(|&top| self.meanings.get(top).wait == Some(WaitKind::Work))
    }

    fn lock(&self, wait: WaitKind, is_task: bool) -> Option<TextLock<'a>> {
        let base = classify::lock_kind_of(wait)?;
        let of_kernel = if is_task { runtimes::kernel_lock(base) } else { None };
        let waiting =
            self.reading.wait_frame.or(self.reading.caller).and_then(|at| self.all.get(at)).copied();
        let of_runtime = waiting.and_then(|frame| {
            runtimes::lock_kind(base, &self.meanings.get(frame).name, self.snapshot.stacks.get(frame))
        });
        let kind = match base {
            _ if self.family.is_gil => LockKind::Gil,
            _ if of_kernel.is_some() => of_kernel.unwrap_or(base),
            _ if of_runtime.is_some() => of_runtime.unwrap_or(base),
            LockKind::PthreadMutex if self.family.is_parking_lot => LockKind::ParkingLot,
            LockKind::PthreadMutex if self.family.is_rust => LockKind::RustMutex,
            LockKind::PthreadRwlock if self.family.is_rust => LockKind::RustRwlock,
            LockKind::Spinlock if self.is_pthread_spin_lock() => LockKind::PthreadSpinlock,
            other => other,
        };
        let names = locks::row(kind).arguments;
        let mut arguments = self.arguments(names, 0..self.waiting().len());
        if let (true, Some(caller)) = (arguments.0.is_empty(), self.reading.caller) {
            arguments = self.arguments(names, caller..self.behind_wrappers(caller));
        }
        Some(TextLock { kind, arguments })
    }

    /// The caller of the functions that take any lock, of which this may be the innermost one: `Mutex::lock` says of no lock
    /// which one it is.
    fn behind_wrappers(&self, caller: usize) -> usize {
        let is_wrapper = |frame: &FrameIx| self.meanings.saying(*frame).takes_any_lock();
        let outer = self.all.get(caller..).unwrap_or_default();
        let wrappers = outer.iter().take_while(|frame| is_wrapper(frame)).count();
        let is_program =
            |at: &usize| self.all.get(*at).is_some_and(|frame| self.meanings.get(*frame).role == Role::User);
        Some(caller + wrappers).filter(is_program).unwrap_or(caller)
    }

    fn is_pthread_spin_lock(&self) -> bool {
        self.waiting().iter().any(|frame| self.meanings.get(*frame).name.starts_with("pthread_spin"))
    }

    /// The frames of the waiting part, innermost first.
    fn waiting(&self) -> &'a [FrameIx] {
        let last = self.reading.wait_frame.unwrap_or(0);
        self.all.get(..=last).unwrap_or(self.all)
    }

    /// All arguments of these names in these frames, outermost function first, in each the better name first.
    fn arguments(&self, names: &[&str], range: Range<usize>) -> Arguments<'a> {
        let has_none = |frame: &FrameIx| self.snapshot.stacks.slots(*frame).is_empty();
        if self.all.iter().take(range.end).all(has_none) {
            return Arguments::default();
        }
        let mut of_frames = Vec::new();
        let mut start = 0;
        for (at, &frame) in self.all.iter().enumerate().take(range.end) {
            let slots = self.snapshot.stacks.slots(frame);
            if range.contains(&at) {
                of_frames.push((frame, slots, start));
            }
            start += slots.len();
        }
        let mut arguments = Vec::new();
        for (frame, slots, start) in of_frames.into_iter().rev() {
            for name in names {
                let Some(slot) = slots.iter().position(|slot| &*slot.name == *name) else { continue };
                if *name == "this" && is_guard(&self.meanings.get(frame).name)
                    || *name == "self" && !self.may_be_lock(frame)
                {
                    continue;
                }
                arguments.push(Argument { place: start + slot, symbol: slots[slot].symbol.as_ref() });
            }
        }
        Arguments(arguments)
    }

    /// Whether `self` of a function may be the lock. That of what puts a thread to sleep is the thread's own.
    ///
    /// ```text
    /// #1  parking_lot_core::thread_parker::imp::ThreadParker::futex_wait (self=0x7f0000000015, ts=...)
    /// #6  parking_lot::raw_mutex::RawMutex::lock_slow (self=0x5501, timeout=...)
    /// ```
    fn may_be_lock(&self, frame: FrameIx) -> bool {
        let meaning = self.meanings.get(frame);
        matches!(meaning.role, Role::Lock | Role::Spin) || self.meanings.saying(frame).takes_lock
    }

    fn call(&self) -> Option<(&'static str, Arguments<'a>)> {
        let call = |frame: &FrameIx| {
            let meaning = self.meanings.get(*frame);
            CALLS.iter().find(|name| **name == &*meaning.name)
        };
        let name = self.waiting().iter().find_map(call)?;
        Some((name, self.arguments(DESCRIPTORS, 0..self.waiting().len())))
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
