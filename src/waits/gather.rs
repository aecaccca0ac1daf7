//! From what was seen of each thread to locks with waiters and holders.

use rayon::prelude::*;
use rustc_hash::FxHashMap;

use super::activity::{Activity, Target, Wait, Waits};
use super::by_stack::by_stack;
use super::class;
use super::infer::{self, Scene};
use super::kinds::LockKind;
use super::lock::{Lock, LockIx};
use super::locks;
use super::native::{self, Native};
use super::observation::{Claim, LockClaim, LockKey, Observation};
use super::parked;
use super::printed;
use super::quiet::Quiet;
use super::reported;
use super::sections::Sections;
use super::spin;
use super::text;
use super::text_silent;
use super::text_spin;
use super::threads::ThreadMap;
use super::words::Words;
use crate::model::{FrameIx, Snapshot, Str, ThreadIx};
use crate::normalize::{Meanings, Readings, takes_lock};
use crate::symbols;

/// Locks that one worker looks at in one go.
const LOCKS_A_CHUNK: usize = 64;

/// Stacks that one worker looks at in one go.
const STACKS_A_CHUNK: usize = 1_024;

/// Threads that one worker looks at in one go.
const THREADS_A_CHUNK: usize = 4_096;

/// What all threads of a snapshot do. `native` is there for binary formats.
pub fn analyze(
    snapshot: &Snapshot,
    meanings: &Meanings,
    readings: &Readings,
    native: Option<&Native<'_>>,
) -> Waits {
    let threads = ThreadMap::of(&snapshot.threads, native.map(|n| n.memory));
    let mut seen = match native {
        Some(native) => native::observe(native, snapshot, meanings, readings, &threads),
        None => text::observe(snapshot, meanings, readings, &threads),
    };
    match native {
        Some(native) => {
            spin::find(native, snapshot, meanings, readings, &mut seen);
            parked::find_keys(native, &mut seen);
        }
        None => {
            text_spin::find(snapshot, meanings, &mut seen);
            text_silent::find(snapshot, meanings, &mut seen);
        }
    }
    let sections = Sections::new(snapshot, meanings, readings);
    let (mut locks, lock_of, quiet) = collect(&seen, snapshot);
    locks
        .par_iter_mut()
        .with_min_len(LOCKS_A_CHUNK)
        .for_each(|lock| callers(lock, snapshot, meanings, &sections));
    match native {
        Some(native) => decode(&mut locks, native, &threads),
        None => {
            printed::owners(&mut locks, snapshot, &threads);
            printed::counts(&mut locks, snapshot);
        }
    }
    let scene = Scene { snapshot, meanings, readings, sections: &sections, seen: &seen, lock_of: &lock_of };
    infer::holders(&mut locks, scene, native);
    class::tell(&mut locks, snapshot, meanings, &sections);
    let mut waits = number(locks, &lock_of, seen, snapshot);
    waits.quiet = quiet;
    tell_doing(&mut waits, snapshot, meanings, readings);
    waits
}

/// Words what the threads do that others wait for.
fn tell_doing(waits: &mut Waits, snapshot: &Snapshot, meanings: &Meanings, readings: &Readings) {
    let holders = waits.locks.iter().filter_map(|l| Some(l.holder.thread()?.0));
    let joined = waits.activities.iter().filter_map(|a| match a.wait.as_ref()?.target {
        Target::Thread(thread) => Some(thread),
        _ => None,
    });
    let threads = holders.chain(joined).collect();
    for (thread, doing) in (Words { snapshot, meanings, readings, waits }).doing_of(threads) {
        waits.activities[thread.at()].doing = Some(doing.into());
    }
}

/// One lock for each key that somebody wants or of which the text says more than that one thread holds it, in the
/// order of the first waiter; the lock of each thread; and the locks that are left.
fn collect(seen: &[Observation<'_>], snapshot: &Snapshot) -> (Vec<Lock>, Vec<Option<usize>>, Quiet) {
    let mut locks: Vec<Lock> = Vec::new();
    let mut place: FxHashMap<LockKey<'_>, usize> = FxHashMap::default();
    let mut lock_of = vec![None; seen.len()];
    let mut last: Option<(LockKey<'_>, usize)> = None;
    for (n, observation) in seen.iter().enumerate() {
        let Some(Claim::Lock(claim)) = &observation.claim else { continue };
        // Most wait for the same lock as the one before.
        let at = match last.filter(|(key, _)| *key == claim.key) {
            Some((_, at)) => at,
            None => place_of(claim, &mut place, &mut locks),
        };
        last = Some((claim.key, at));
        let lock = &mut locks[at];
        lock.waiters.push(ThreadIx(n as u32));
        lock.certainty = lock.certainty.min(claim.certainty);
        if lock.name.is_none() {
            lock.name = claim.symbol.cloned();
        }
        if rank(claim.kind) < rank(lock.kind) {
            lock.kind = claim.kind;
            lock.is_shared_object = claim.is_shared_object;
        }
        lock_of[n] = Some(at);
    }
    let quiet = Quiet::among(snapshot, |key| place.contains_key(key));
    for (thread, claim) in reported::holds(snapshot, |lock| !quiet.has(lock)) {
        let at = place_of(&claim, &mut place, &mut locks);
        let lock = &mut locks[at];
        if rank(claim.kind) < rank(lock.kind) {
            lock.kind = claim.kind;
        }
        // Threads ascend.
        if lock.holders.last() != Some(&thread) {
            lock.holders.push(thread);
        }
    }
    locks.par_iter_mut().with_min_len(LOCKS_A_CHUNK).for_each(reported::settle);
    for lock in locks.iter_mut().filter(|l| l.kind == LockKind::Futex && l.waiters.len() == 1) {
        // Most likely the thread's own: HotSpot and musl let each waiter sleep on a word of its own.
        lock.is_shared_object = false;
    }
    (locks, lock_of, quiet)
}

/// Where the lock of a claim is in the list, to which it is added when it is new.
fn place_of<'a>(
    claim: &LockClaim<'a>,
    place: &mut FxHashMap<LockKey<'a>, usize>,
    locks: &mut Vec<Lock>,
) -> usize {
    if let Some(&known) = place.get(&claim.key) {
        return known;
    }
    locks.push(claim.lock());
    place.insert(claim.key, locks.len() - 1);
    locks.len() - 1
}

/// The place of a kind in the table: where waiters disagree, the more specific kind is right.
fn rank(kind: LockKind) -> usize {
    kind as usize
}

/// The functions that take the lock, the one with the most waiters first.
fn callers(lock: &mut Lock, snapshot: &Snapshot, meanings: &Meanings, sections: &Sections<'_>) {
    if lock.waiters.is_empty() {
        return;
    }
    let taken_at = |(stack, waiters)| {
        let at = sections.of(stack)?;
        Some((*snapshot.stacks.frames_of(stack).get(at)?, waiters))
    };
    let stacks = by_stack(&lock.waiters, snapshot).into_par_iter().with_min_len(STACKS_A_CHUNK);
    let mut by_frame: FxHashMap<FrameIx, u64> = FxHashMap::default();
    for (frame, waiters) in stacks.filter_map(taken_at).collect::<Vec<(FrameIx, u64)>>() {
        *by_frame.entry(frame).or_default() += waiters;
    }
    let mut counts: FxHashMap<Str, u64> = FxHashMap::default();
    for (frame, waiters) in by_frame {
        *counts.entry(meanings.get(frame).name.clone()).or_default() += waiters;
    }
    // Threads whose stacks are cut off end in the wrapper: it says less than its callers do.
    if counts.keys().any(|name| !takes_lock(name)) {
        counts.retain(|name, _| !takes_lock(name));
    }
    // Of a lock that only a place stands for, that place is known at least.
    if counts.is_empty() {
        return;
    }
    lock.callers = counts.into_iter().collect();
    lock.callers.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
}

/// Names and owners out of the memory of a core.
fn decode(locks: &mut [Lock], native: &Native<'_>, threads: &ThreadMap) {
    let addresses: Vec<u64> = locks.iter().map(|l| l.address.unwrap_or(0)).collect();
    let places = symbols::data_places(native.modules, &addresses);
    for (lock, place) in locks.iter_mut().zip(places) {
        let Some(address) = lock.address else { continue };
        if let Some(place) = place {
            lock.name = place.symbol.map(|(name, offset)| match offset {
                0 => name,
                offset => format!("{name}+{offset}").into(),
            });
            let section = place.section.map(|s| format!(" {s}")).unwrap_or_default();
            lock.place = Some(format!("in {}{section}", place.module));
        } else {
            lock.place = memory_place(address, native);
        }
        let decoded = (locks::row(lock.kind).decode)(address, native.memory, threads);
        lock.holder = decoded.holder;
        lock.evidence.extend(decoded.evidence);
    }
}

/// In words where an address outside every module lies.
fn memory_place(address: u64, native: &Native<'_>) -> Option<String> {
    let segment = native.image.memory.segment_at(address)?;
    let is_stack = native.image.registers.iter().any(|r| (segment.start..segment.end()).contains(&r.sp));
    Some(if is_stack { "on the stack of a thread".into() } else { "in allocated memory".into() })
}

/// Sorts the locks, gives each its number, and writes the numbers to the threads.
fn number(
    mut locks: Vec<Lock>,
    lock_of: &[Option<usize>],
    seen: Vec<Observation<'_>>,
    snapshot: &Snapshot,
) -> Waits {
    let waiters: Vec<u64> = locks.iter().map(|lock| snapshot.count(&lock.waiters)).collect();
    let mut order: Vec<usize> = (0..locks.len()).collect();
    order.sort_by(|&a, &b| {
        let key = |n: usize| (&locks[n].kind, locks[n].address, &locks[n].name, &locks[n].waiters);
        waiters[b].cmp(&waiters[a]).then_with(|| key(a).cmp(&key(b)))
    });
    let mut place = vec![LockIx(0); locks.len()];
    for (n, &old) in order.iter().enumerate() {
        place[old] = LockIx(n as u32);
    }
    let activities = seen
        .into_par_iter()
        .with_min_len(THREADS_A_CHUNK)
        .zip(lock_of)
        .map(|(seen, lock)| {
            let wait = match seen.claim {
                Some(Claim::Lock(claim)) => {
                    lock.map(|at| Wait { target: Target::Lock(place[at]), certainty: claim.certainty })
                }
                Some(Claim::Thread(thread, certainty)) => {
                    Some(Wait { target: Target::Thread(thread), certainty })
                }
                Some(Claim::Child(certainty)) => Some(Wait { target: Target::Child, certainty }),
                None => None,
            };
            Activity { state: seen.state, wait, system_call: seen.system_call, call: seen.call, doing: None }
        })
        .collect();
    // In place. What stood at a place that is done was swapped to where it was taken from.
    for n in 0..order.len() {
        let mut from = order[n];
        while from < n {
            from = order[from];
        }
        order[n] = from;
        locks.swap(n, from);
    }
    Waits { activities, locks, quiet: Quiet::default() }
}
