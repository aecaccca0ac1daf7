//! What a session said, put together: each thread once, with its id, its stack, its locks and its time.

use rustc_hash::FxHashMap;

use super::frame::{MAYBE, STOP_CODE, is_loader_lock, tell_numbers};
use super::head::{CURRENT, FAULTING};
use super::locks::{self, CriticalSection};
use super::session::{Key, Memory};
use super::{analyzed, entering, thread_fields};
use crate::formats::text::{Building, OwnerRef, is_limited};
use crate::model::{
    Failure, FailureKind, LockId, NamedLockIx, ReportedHold, ReportedLock, ReportedLockKind, ReportedOwner,
    ReportedWait, Signal, Snapshot, Thread, ThreadId, ThreadIx, ThreadNumber, WaitMode,
};

/// Ends a dump.
pub(super) fn finish(mut memory: Memory, building: &mut Building) {
    tell_numbers(&mut building.snapshot);
    let numbers = numbers(&memory, &building.snapshot);
    let is_listed = is_listed(&memory, &building.snapshot);
    let analyzed = analyzed::thread(&memory, &numbers, &building.snapshot, is_listed);
    let now = fold(&memory, &numbers, analyzed, &mut building.snapshot);
    let snapshot = &mut building.snapshot;
    snapshot.process = std::mem::take(&mut memory.process);
    snapshot.process.os.get_or_insert_with(|| "windows".into());
    duplicates(&memory, &numbers, snapshot);
    for thread in &mut snapshot.threads {
        let listed = thread.tid.and_then(|tid| memory.times.get(&u64::from(tid)).copied());
        thread.cpu_us = listed.or(thread.cpu_us);
    }
    thread_fields::name_process(snapshot);
    if let Some(code) = stop_code(snapshot) {
        memory.death.stopped(code);
    }
    death(&memory, &now, snapshot);
    memory.sections = locks::distinct(std::mem::take(&mut memory.sections));
    locks(&memory.sections, is_listed, building);
    entering::settle(&memory, is_listed, building);
    std::mem::take(&mut memory.resources).settle(building);
}

/// The ids of the operating system by the debugger's numbers.
fn numbers(memory: &Memory, snapshot: &Snapshot) -> FxHashMap<u64, u32> {
    let mut numbers: FxHashMap<u64, u32> = memory.numbers.iter().copied().collect();
    for (key, thread) in memory.keys.iter().zip(&snapshot.threads) {
        if let (Key::Number(index), Some(tid)) = (key, thread.tid) {
            numbers.insert(*index, tid);
        }
    }
    if let Some((index, tid)) = memory.analyzed_number()
        && !numbers.values().any(|known| *known == tid)
    {
        numbers.entry(index).or_insert(tid);
    }
    numbers
}

/// Whether all threads of the process are there: `~` or `~*k` printed them from 0 on.
fn is_listed(memory: &Memory, snapshot: &Snapshot) -> bool {
    let listed = memory.keys.iter().zip(&snapshot.threads).filter(|(_, thread)| thread.tid.is_some());
    let mut indexes: Vec<u64> = listed
        .filter_map(|(key, _)| match key {
            Key::Number(index) => Some(*index),
            _ => None,
        })
        .collect();
    indexes.sort_unstable();
    indexes.dedup();
    indexes.len() > 1 && (0..).zip(&indexes).all(|(n, index)| n == *index)
}

/// The id of a thread that nothing names.
const UNNAMED: &str = "unnamed";

/// Makes one thread of all that was printed of it. The new place of each.
/// `analyzed`: of which the stack is that `!analyze` printed.
fn fold(
    memory: &Memory,
    numbers: &FxHashMap<u64, u32>,
    analyzed: Option<Key>,
    snapshot: &mut Snapshot,
) -> Vec<ThreadIx> {
    let only = only_key(memory, numbers);
    let mut place: FxHashMap<Key, usize> = FxHashMap::default();
    let mut kept: Vec<(Thread, bool)> = Vec::with_capacity(snapshot.threads.len());
    let mut now = Vec::with_capacity(snapshot.threads.len());
    let threads = std::mem::take(&mut snapshot.threads);
    for (n, thread) in threads.into_iter().enumerate() {
        let key = memory.keys.get(n).copied().unwrap_or(Key::Unknown);
        let key = match resolved(key, numbers) {
            Key::Unknown => memory.death.tid.map(Key::Tid).or(analyzed).or(only).unwrap_or(Key::Unknown),
            key => key,
        };
        let at = *place.entry(key).or_insert(kept.len());
        now.push(ThreadIx(at as u32));
        let is_analyzed = thread.id == ThreadId::Text(FAULTING.into());
        match kept.get_mut(at) {
            None => kept.push((named(thread, key), is_analyzed)),
            Some((known, was_analyzed)) => {
                known.tid = known.tid.or(thread.tid);
                if known.name.is_none() {
                    known.name.clone_from(&thread.name);
                }
                let depth = |t: &Thread| snapshot.stacks.frames_of(t.stack).len();
                // What `!analyze` prints begins where the exception was, and not in what handles it.
                let is_better = is_analyzed && !*was_analyzed
                    || is_analyzed == *was_analyzed && depth(&thread) > depth(known);
                if is_better && depth(&thread) > 0 {
                    known.stack = thread.stack;
                    known.values = thread.values;
                    known.stack_end = thread.stack_end;
                    *was_analyzed |= is_analyzed;
                }
                known.reported_wait = known.reported_wait.or(thread.reported_wait);
                known.cpu_us = known.cpu_us.or(thread.cpu_us);
                known.waited_us = known.waited_us.or(thread.waited_us);
            }
        }
    }
    // Beside threads with an id of their own it has none, and 0 would be that of another one.
    let is_one_of_many = kept.len() > 1;
    if let Some((thread, _)) =
        place.get(&Key::Unknown).filter(|_| is_one_of_many).and_then(|at| kept.get_mut(*at))
    {
        thread.id = ThreadId::Text(UNNAMED.into());
    }
    snapshot.threads = kept.into_iter().map(|(thread, _)| thread).collect();
    now
}

pub(super) fn resolved(key: Key, numbers: &FxHashMap<u64, u32>) -> Key {
    match key {
        Key::Number(index) => numbers.get(&index).map_or(key, |tid| Key::Tid(*tid)),
        other => other,
    }
}

/// The thread that all stacks with a known thread are of.
fn only_key(memory: &Memory, numbers: &FxHashMap<u64, u32>) -> Option<Key> {
    let mut known = memory.keys.iter().map(|key| resolved(*key, numbers)).filter(|key| *key != Key::Unknown);
    let first = known.next()?;
    known.all(|key| key == first).then_some(first)
}

/// The thread with the id that the operating system gave it, as the debugger writes it: hexadecimal.
fn named(mut thread: Thread, key: Key) -> Thread {
    let is_own = matches!(&thread.id, ThreadId::Text(text) if !matches!(&**text, CURRENT | FAULTING));
    match key {
        _ if is_own => {}
        Key::Tid(tid) => {
            thread.tid = Some(tid);
            thread.id = ThreadId::Text(format!("{tid:x}").into());
        }
        Key::Number(index) => thread.id = ThreadId::Number(index),
        Key::Walked(_) | Key::Unknown => thread.id = ThreadId::Number(0),
    }
    thread
}

/// Threads that `!uniqstack` only counts: they have the stack of one that it prints, but not which.
fn duplicates(memory: &Memory, numbers: &FxHashMap<u64, u32>, snapshot: &mut Snapshot) {
    let mut left_out = 0;
    for index in &memory.duplicates {
        let key = resolved(Key::Number(*index), numbers);
        let thread = named(Thread::new(ThreadId::Number(*index)), key);
        if snapshot.threads.len() < MOST_THREADS
            && !snapshot.threads.iter().take(LOOKED_AT).any(|t| t.id == thread.id)
        {
            snapshot.threads.push(thread);
            left_out += 1;
        }
    }
    if left_out > 0 {
        is_limited(snapshot, "!uniqstack prints each stack once, and not which threads have it", None);
    }
}

/// No process of Windows has more.
const MOST_THREADS: usize = 1 << 16;
/// How many threads with stacks are compared: those that `!uniqstack` printed.
const LOOKED_AT: usize = 256;

/// The code with which the newest frame of a thread stops the machine.
fn stop_code(snapshot: &Snapshot) -> Option<u32> {
    snapshot.threads.iter().find_map(|thread| {
        let newest = snapshot.stacks.frames_of(thread.stack).first()?;
        let slot = snapshot.stacks.slots(*newest).iter().position(|slot| &*slot.name == STOP_CODE)?;
        let code = snapshot.values.of(thread.values).get(slot).copied()?;
        u32::try_from(code).ok().filter(|code| *code != 0)
    })
}

/// The exception, and its thread.
fn death(memory: &Memory, now: &[ThreadIx], snapshot: &mut Snapshot) {
    let told = memory.death.told();
    let stop = memory.death.stop();
    if told.is_none() && stop.is_none() {
        return;
    }
    let crashed = memory.crashed.and_then(|n| now.get(n).copied());
    let by_tid = || {
        let tid = memory.death.tid?;
        let at = snapshot.threads.iter().position(|thread| thread.tid == Some(tid))?;
        Some(ThreadIx(at as u32))
    };
    let only = (snapshot.threads.len() == 1).then_some(ThreadIx(0));
    let analyzed = || {
        let at = memory
            .keys
            .iter()
            .position(|key| *key == Key::Unknown || Some(*key) == memory.current.map(Key::Number))?;
        now.get(at).copied()
    };
    let thread = crashed.or_else(by_tid).or(only).or_else(analyzed);
    let signal =
        |(name, address): (String, _)| Signal { name: name.into(), address, thread, ..Signal::default() };
    snapshot.process.signal = told.map(signal);
    snapshot.process.failure =
        stop.map(|message| Failure { kind: FailureKind::Kernel, message: message.into(), thread });
}

/// Owners of critical sections, and who waits for them.
fn locks(sections: &[CriticalSection], is_listed: bool, building: &mut Building) {
    let mut by_tid: FxHashMap<u64, ThreadIx> = FxHashMap::default();
    for (ix, thread) in (0u32..).map(ThreadIx).zip(&building.snapshot.threads) {
        if let Some(tid) = thread.tid {
            by_tid.entry(u64::from(tid)).or_insert(ix);
        }
    }
    let mut held: FxHashMap<ThreadIx, Vec<ReportedHold>> = FxHashMap::default();
    for section in sections {
        let kind = ReportedLockKind::CriticalSection;
        let lock = building.lock(LockId::Address(section.address), section.name.clone(), kind);
        let Some(owner) = section.owner.filter(|_| !section.is_free) else { continue };
        match by_tid.get(&owner) {
            Some(thread) => {
                held.entry(*thread).or_default().push(ReportedHold { lock, depth: None });
                let owner = ReportedOwner::Thread(*thread);
                building.snapshot.reported_locks.push(reported(section, owner));
            }
            None if is_listed => {
                building
                    .snapshot
                    .reported_locks
                    .push(reported(section, ReportedOwner::NotListed(ThreadNumber::Hex(owner))));
            }
            // Only some threads were printed: this one may live.
            None => building.owner(lock, OwnerRef::Id(ThreadId::Text(format!("{owner:x}").into())), 0),
        }
    }
    let mut held: Vec<(ThreadIx, Vec<ReportedHold>)> = held.into_iter().collect();
    held.sort_by_key(|(thread, _)| *thread);
    let snapshot = &mut building.snapshot;
    for (thread, holds) in held {
        let start = snapshot.holds.len() as u32;
        snapshot.holds.extend(holds);
        if let Some(thread) = snapshot.threads.get_mut(thread.at()) {
            thread.holds = (start, snapshot.holds.len() as u32);
        }
    }
    let known: FxHashMap<u64, NamedLockIx> = sections
        .iter()
        .map(|s| {
            (s.address, building.lock(LockId::Address(s.address), None, ReportedLockKind::CriticalSection))
        })
        .collect();
    if !known.is_empty() {
        loader(&mut building.snapshot);
        waits(&known, &mut building.snapshot);
    }
}

fn reported(section: &CriticalSection, owner: ReportedOwner) -> ReportedLock {
    ReportedLock {
        address: Some(section.address),
        token: None,
        symbol: None,
        owner,
        waiters: section.waiters(),
        offset: 0,
    }
}

/// The lock of the loader is one lock, whether a function that takes it named it or `!locks` and `!cs` did.
fn loader(snapshot: &mut Snapshot) {
    let locks = || (0u32..).map(NamedLockIx).zip(&snapshot.named_locks);
    let is_printed = |id: &LockId| matches!(id, LockId::Address(_));
    let named = |lock: &crate::model::NamedLock| lock.name.as_deref().is_some_and(is_loader_lock);
    let printed = locks().find(|(_, lock)| named(lock) && is_printed(&lock.id)).map(|(ix, _)| ix);
    let by_function = locks().find(|(_, lock)| named(lock) && !is_printed(&lock.id)).map(|(ix, _)| ix);
    let (Some(printed), Some(by_function)) = (printed, by_function) else { return };
    for wait in snapshot.threads.iter_mut().filter_map(|thread| thread.reported_wait.as_mut()) {
        if wait.lock == by_function {
            wait.lock = printed;
        }
    }
}

/// On 64 bits a value beside a function that enters a critical section is its argument if it is the address of one
/// that `!locks` or `!cs` printed, and only one such value is there.
fn waits(known: &FxHashMap<u64, NamedLockIx>, snapshot: &mut Snapshot) {
    let stacks = &snapshot.stacks;
    let values = &snapshot.values;
    for thread in &mut snapshot.threads {
        if thread.reported_wait.is_some() {
            continue;
        }
        let mut own = values.of(thread.values).iter();
        let mut found = None;
        let mut is_clear = true;
        for frame in stacks.frames_of(thread.stack) {
            for slot in stacks.slots(*frame) {
                let lock = own.next().and_then(|value| known.get(value));
                if let (Some(lock), true) = (lock, &*slot.name == MAYBE) {
                    is_clear &= found.is_none_or(|known| known == *lock);
                    found = Some(*lock);
                }
            }
        }
        if let (Some(lock), true) = (found, is_clear) {
            thread.reported_wait = Some(ReportedWait::of(lock, WaitMode::Enter));
        }
    }
}
