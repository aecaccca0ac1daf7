//! From what was seen of each thread to locks with waiters and holders.

use rayon::prelude::*;
use rustc_hash::FxHashMap;

use super::activity::{Activity, Target, Wait, Waits};
use super::by_stack::by_stack;
use super::infer::{self, Scene};
use super::kinds::{Identity, LockKind};
use super::lock::{Holder, Lock, LockIx};
use super::locks;
use super::native::{self, Native};
use super::observation::{Claim, LockClaim, LockKey, Observation};
use super::parked;
use super::reported;
use super::sections::Sections;
use super::spin;
use super::text;
use super::text_silent;
use super::text_spin;
use super::threads::ThreadMap;
use super::words::Words;
use crate::model::{Certainty, Evidence, LockId, ReportedLock, ReportedOwner, Snapshot, Str, ThreadIx};
use crate::normalize::{Meanings, Readings, ResourceClass, class_of_name, takes_lock};
use crate::symbols;

/// Locks that one worker looks at in one go.
const LOCKS_A_CHUNK: usize = 64;

/// Locks whose names are looked at together: many have the same.
const LOCKS_WITH_NAMES: usize = 4_096;

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
    let (mut locks, lock_of) = collect(&seen, &reported::holds(snapshot), snapshot.named_locks.len());
    locks
        .par_iter_mut()
        .with_min_len(LOCKS_A_CHUNK)
        .for_each(|lock| callers(lock, snapshot, meanings, &sections));
    match native {
        Some(native) => decode(&mut locks, native, &threads),
        None => {
            reported_owners(&mut locks, snapshot, &threads);
            reported_counts(&mut locks, snapshot);
        }
    }
    let scene = Scene { snapshot, meanings, readings, sections: &sections, seen: &seen, lock_of: &lock_of };
    infer::holders(&mut locks, scene, native);
    locks.par_chunks_mut(LOCKS_WITH_NAMES).for_each(|locks| {
        let mut classes = Classes::default();
        for lock in locks {
            lock.class = class(lock, snapshot, meanings, &sections, &mut classes);
        }
    });
    let mut waits = number(locks, &lock_of, seen, snapshot);
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
    let mut threads: Vec<ThreadIx> = holders.chain(joined).collect();
    threads.sort_unstable();
    threads.dedup();
    let words = Words { snapshot, meanings, readings, waits };
    let told: Vec<String> = threads.par_iter().with_min_len(LOCKS_A_CHUNK).map(|&t| words.doing(t)).collect();
    for (thread, doing) in threads.into_iter().zip(told) {
        waits.activities[thread.at()].doing = Some(doing);
    }
}

/// One lock for each key, in the order of the first waiter; and the lock of each thread.
/// `named`: how many have a name in the text.
fn collect(
    seen: &[Observation],
    holds: &[(ThreadIx, LockClaim)],
    named: usize,
) -> (Vec<Lock>, Vec<Option<usize>>) {
    // A lock is large, and a JVM lists hundreds of thousands of them.
    let mut locks: Vec<Lock> = Vec::with_capacity(named);
    let mut place: FxHashMap<&LockKey, usize> = FxHashMap::default();
    let mut lock_of = vec![None; seen.len()];
    for (n, observation) in seen.iter().enumerate() {
        let Some(Claim::Lock(claim)) = &observation.claim else { continue };
        let at = *place.entry(&claim.key).or_insert_with(|| {
            locks.push(new_lock(claim));
            locks.len() - 1
        });
        let lock = &mut locks[at];
        lock.waiters.push(ThreadIx(n as u32));
        lock.certainty = lock.certainty.min(claim.certainty);
        if lock.name.is_none() {
            lock.name.clone_from(&claim.symbol);
        }
        if rank(claim.kind) < rank(lock.kind) {
            lock.kind = claim.kind;
            lock.is_shared_object = claim.is_shared_object;
        }
        lock_of[n] = Some(at);
    }
    for (thread, claim) in holds {
        let at = *place.entry(&claim.key).or_insert_with(|| {
            locks.push(new_lock(claim));
            locks.len() - 1
        });
        let lock = &mut locks[at];
        if rank(claim.kind) < rank(lock.kind) {
            lock.kind = claim.kind;
        }
        // Threads ascend.
        if lock.holders.last() != Some(thread) {
            lock.holders.push(*thread);
        }
    }
    locks.par_iter_mut().with_min_len(LOCKS_A_CHUNK).for_each(reported::settle);
    for lock in locks.iter_mut().filter(|l| l.kind == LockKind::Futex && l.waiters.len() == 1) {
        // Most likely the thread's own: HotSpot and musl let each waiter sleep on a word of its own.
        lock.is_shared_object = false;
    }
    (locks, lock_of)
}

/// The place of a kind in the table: where waiters disagree, the more specific kind is right.
fn rank(kind: LockKind) -> usize {
    kind as usize
}

fn new_lock(claim: &LockClaim) -> Lock {
    let (address, identity) = match &claim.key {
        LockKey::Address(address) => (Some(*address), Identity::Address),
        LockKey::Token(_) => (None, Identity::Token),
        LockKey::Symbol(_) => (None, Identity::Symbol),
        LockKey::Site(_) => (None, Identity::Site),
    };
    let site = match &claim.key {
        LockKey::Site(site) => Some((site.clone(), 0)),
        _ => None,
    };
    let token = match &claim.key {
        LockKey::Token(token) => Some(token.clone()),
        _ => None,
    };
    Lock {
        kind: claim.kind,
        address,
        token,
        identity,
        name: claim.symbol.clone(),
        place: None,
        class: None,
        holder: Holder::unknown("the dump does not say who holds it"),
        holder_points: None,
        holders: Vec::new(),
        waiters: Vec::new(),
        counted: None,
        callers: site.into_iter().collect(),
        is_shared_object: claim.is_shared_object,
        certainty: claim.certainty,
        evidence: Vec::new(),
        fingerprint: None,
    }
}

/// The functions that take the lock, the one with the most waiters first.
fn callers(lock: &mut Lock, snapshot: &Snapshot, meanings: &Meanings, sections: &Sections<'_>) {
    if lock.waiters.is_empty() {
        return;
    }
    let mut counts: FxHashMap<Str, u64> = FxHashMap::default();
    for (stack, waiters) in by_stack(&lock.waiters, snapshot) {
        if let Some(at) = sections.of(stack) {
            let frame = snapshot.stacks.frames_of(stack)[at];
            *counts.entry(meanings.get(frame).name.clone()).or_default() += waiters;
        }
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

/// Owners that a text printed (`p *mutex`: `__owner = 11212`).
fn reported_owners(locks: &mut [Lock], snapshot: &Snapshot, threads: &ThreadMap) {
    let printed = Printed::of(&snapshot.reported_locks);
    for lock in locks {
        let Some(printed) = printed.find(lock).and_then(|n| snapshot.reported_locks.get(n)) else { continue };
        if let Some(count) = printed.waiters {
            lock.counted = Some(count);
            lock.evidence
                .push(Evidence::reported(format!("the text counts {count} threads that wait for it")));
        }
        lock.holder = match printed.owner {
            ReportedOwner::Tid(owner) => {
                lock.evidence.push(Evidence::reported(format!("the text prints its __owner as {owner}")));
                match threads.by_tid(owner) {
                    _ if owner == 0 => Holder::Free,
                    Some(thread) => Holder::Thread { thread, certainty: Certainty::Reported },
                    None => Holder::EndedThread { owner_id: owner },
                }
            }
            ReportedOwner::Thread(thread) => Holder::Thread { thread, certainty: Certainty::Reported },
            ReportedOwner::OtherProcess(owner_id) => Holder::OtherProcess { owner_id },
        };
    }
}

/// The first of the locks that a text printed with an address, a token, a symbol.
struct Printed<'a> {
    of_address: FxHashMap<u64, usize>,
    of_token: FxHashMap<&'a Str, usize>,
    of_symbol: FxHashMap<&'a Str, usize>,
}

impl<'a> Printed<'a> {
    fn of(printed: &'a [ReportedLock]) -> Self {
        let (mut of_address, mut of_token, mut of_symbol) =
            (FxHashMap::default(), FxHashMap::default(), FxHashMap::default());
        for (n, lock) in printed.iter().enumerate().rev() {
            of_address.extend(lock.address.map(|address| (address, n)));
            of_token.extend(lock.token.as_ref().map(|token| (token, n)));
            of_symbol.extend(lock.symbol.as_ref().map(|symbol| (symbol, n)));
        }
        Self { of_address, of_token, of_symbol }
    }

    /// The first that is this lock.
    fn find(&self, lock: &Lock) -> Option<usize> {
        let by_address = lock.address.and_then(|address| self.of_address.get(&address));
        let by_token = lock.token.as_ref().and_then(|token| self.of_token.get(token));
        let by_symbol = lock.name.as_ref().and_then(|name| self.of_symbol.get(name));
        [by_address, by_token, by_symbol].into_iter().flatten().min().copied()
    }
}

/// What names say of resources: thousands of locks may have one name.
#[derive(Default)]
struct Classes(FxHashMap<Str, Option<ResourceClass>>);

impl Classes {
    fn of(&mut self, name: &Str) -> Option<ResourceClass> {
        if let Some(known) = self.0.get(name) {
            return *known;
        }
        *self.0.entry(name.clone()).or_insert_with(|| class_of_name(name))
    }
}

/// How many threads wait for each lock, where the text counts them.
fn reported_counts(locks: &mut [Lock], snapshot: &Snapshot) {
    let counted = snapshot.named_locks.iter().filter(|named| named.waiters.is_some());
    let counts: FxHashMap<&LockId, Option<u64>> = counted.map(|named| (&named.id, named.waiters)).collect();
    if counts.is_empty() {
        return;
    }
    for lock in locks {
        let id = lock.address.map(LockId::Address).or_else(|| lock.token.clone().map(LockId::Token));
        if let Some(waiters) = id.and_then(|id| counts.get(&id)) {
            lock.counted = *waiters;
        }
    }
}

/// What the lock guards: its kind, its name, the functions that take it or that its holder is in.
fn class(
    lock: &Lock,
    snapshot: &Snapshot,
    meanings: &Meanings,
    sections: &Sections<'_>,
    classes: &mut Classes,
) -> Option<ResourceClass> {
    let by_kind = match lock.kind {
        LockKind::StdioFile => Some(ResourceClass::Stdio),
        LockKind::MallocArena => Some(ResourceClass::Allocator),
        LockKind::Loader => Some(ResourceClass::Loader),
        LockKind::Gil => Some(ResourceClass::Gil),
        _ => None,
    };
    let by_name = lock.name.as_ref().and_then(|name| classes.of(name));
    // A function without a name is called after its module: a server is no logging library because
    // its file is called so.
    let has_name = |name: &Str| !name.contains("+0x");
    let caller = lock.callers.first().filter(|(name, _)| has_name(name));
    let by_callers = caller.and_then(|(name, _)| classes.of(name));
    let of_caller = |thread: ThreadIx| {
        let stack = snapshot.threads[thread.at()].stack;
        let frames = snapshot.stacks.frames_of(stack);
        let caller = sections.of(stack)?;
        frames.iter().skip(caller).take(2).find_map(|&f| meanings.get(f).class)
    };
    let by_waiters = || lock.waiters.first().and_then(|&t| of_caller(t));
    // A function that spins itself has no caller that waits.
    let by_top = || {
        let spins = lock.identity == Identity::Site && lock.kind == LockKind::Spinlock;
        let stack = snapshot.threads[lock.waiters.first().filter(|_| spins)?.at()].stack;
        meanings.get(*snapshot.stacks.frames_of(stack).first()?).class
    };
    let by_holder = || lock.holder.thread().and_then(|(t, _)| of_caller(t));
    by_kind.or(by_name).or(by_callers).or_else(by_waiters).or_else(by_top).or_else(by_holder)
}

/// Sorts the locks, gives each its number, and writes the numbers to the threads.
fn number(
    mut locks: Vec<Lock>,
    lock_of: &[Option<usize>],
    seen: Vec<Observation>,
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
                Some(Claim::Other(what, certainty)) => Some(Wait { target: Target::Other(what), certainty }),
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
    Waits { activities, locks }
}
