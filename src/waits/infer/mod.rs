//! Who holds a lock that names no owner: candidates collect points, and the reasons are kept as
//! evidence. A wrong name costs more than none.

mod by_name;
mod object;
mod sections;
mod standing;
mod view;

use rustc_hash::{FxHashMap, FxHashSet};

use super::by_stack::by_stack;
use super::in_frames::{addresses_in_arguments, addresses_in_live_frames};
use super::kinds::{Identity, LockKind};
use super::lock::{Candidate, Holder, Lock};
use super::locks;
use super::native::Native;
use super::observation::Observation;
use super::sections::Sections;
use crate::model::{Certainty, Evidence, Listing, Snapshot, StackIx, Str, ThreadIx};
use crate::normalize::{Meanings, Readings};
use by_name::{ByName, is_cut};
use sections::{Section, sections};
use view::{Inside, View};

/// Points, from `locks.md` section 16. They are starting values: each says what kind of proof weighs
/// how much against the others, not a probability.
mod points {
    /// Its stack goes through the function that takes the lock, past the call.
    pub const CRITICAL_SECTION: i32 = 40;
    /// Above that function it is in another one of the same family: `log_sink_write` under
    /// `log_message`.
    pub const FAMILY: i32 = 25;
    /// A signal handler waits in the thread whose section it interrupted.
    pub const INTERRUPTED: i32 = 25;
    /// The lock's address lies in a live frame: registers, stack words, printed arguments.
    pub const ADDRESS_IN_FRAME: i32 = 30;
    /// It is blocked (in I/O, asleep, on another lock) inside that section.
    pub const BLOCKED_INSIDE: i32 = 10;
    /// Nobody else comes near.
    pub const ONLY_ONE: i32 = 10;
    /// It waits for work.
    pub const IDLE: i32 = -40;
    /// Named, as `likely`.
    pub const LIKELY: i32 = 60;
    /// Named, as `possible`.
    pub const POSSIBLE: i32 = 40;
    /// Two that are nearer to each other than this are both only candidates.
    pub const MARGIN: i32 = 15;
    /// Below this a thread does not count as somebody who comes near.
    pub const NEAR: i32 = 25;
}

/// The points from which an inferred holder makes a finding `likely`.
pub const LIKELY_POINTS: i32 = points::LIKELY;

/// Candidates shown where nobody could be named.
const MOST_SHOWN: usize = 4;

/// What is known of all threads.
#[derive(Clone, Copy)]
pub(super) struct Scene<'a> {
    pub snapshot: &'a Snapshot,
    pub meanings: &'a Meanings,
    pub readings: &'a Readings,
    pub sections: &'a Sections<'a>,
    pub seen: &'a [Observation<'a>],
    /// The lock that each thread waits for.
    pub lock_of: &'a [Option<usize>],
}

/// Looks for the holders of all locks that somebody can hold and that name nobody.
pub(super) fn holders(locks: &mut [Lock], scene: Scene<'_>, native: Option<&Native<'_>>) {
    let Scene { snapshot, meanings, seen, .. } = scene;
    let unknown: Vec<usize> = (0..locks.len())
        .filter(|&n| {
            let row = locks::row(locks[n].kind);
            // Of a lock that the text does not name it prints no holder either.
            let is_printed = row.prints_holder && locks[n].identity != Identity::Site;
            let is_looked_for = row.has_holder && !is_printed;
            // Of a lock of which nothing is known nobody can be inside.
            let is_known = locks[n].identity != Identity::Site || !locks[n].callers.is_empty();
            is_looked_for
                && is_known
                && locks[n].holders.is_empty()
                && matches!(locks[n].holder, Holder::Unknown { .. })
        })
        .collect();
    if unknown.is_empty() {
        return;
    }
    if snapshot.listing == Listing::Samples {
        for n in unknown {
            locks[n].holder = Holder::unknown("the samples of a profile are of different moments");
        }
        return;
    }
    let (listed, unknown): (Vec<_>, Vec<_>) =
        unknown.into_iter().partition(|&n| snapshot.lists_owners && is_exclusive(&locks[n]));
    for n in listed {
        locks[n].holder =
            Holder::unknown("the dump lists who owns such locks, and names nobody for this one");
    }
    let addresses: FxHashSet<u64> = unknown.iter().filter_map(|&n| locks[n].address).collect();
    let in_frames = || match native {
        Some(native) => addresses_in_live_frames(native, snapshot, seen, &addresses),
        None => addresses_in_arguments(snapshot, seen, &addresses),
    };
    let (in_frames, stacks) = rayon::join(in_frames, || ByName::of(snapshot, meanings));
    let cut_off = stacks.cut_off;
    // Locks that are taken at the same places have the same threads inside: thousands of locks may be.
    let mut inside: FxHashMap<Places, Inside> = FxHashMap::default();
    for n in unknown {
        let stacks_of_waiters: Vec<StackIx> =
            by_stack(&locks[n].waiters, snapshot).into_iter().map(|(stack, _)| stack).collect();
        let sections = sections(&stacks_of_waiters, scene);
        let in_frames = &in_frames;
        let view = View { scene, lock: &locks[n], lock_ix: n, stacks_of_waiters, sections, in_frames };
        let places =
            (view.lock.callers.iter().map(|(name, _)| name.clone()).collect(), view.sections.clone());
        let inside = inside.entry(places).or_insert_with(|| view.inside(&stacks));
        let candidates = view.candidates(inside);
        let is_cut_waiter = |t: &&ThreadIx| is_cut(&snapshot.threads[t.at()]);
        let cut_off = match cut_off {
            0 => 0,
            all => all - view.lock.waiters.iter().filter(is_cut_waiter).count(),
        };
        decide(&mut locks[n], candidates, cut_off, snapshot);
    }
}

/// Whether a lock has one owner at a time, which a JVM lists: readers of a read-write lock it does not.
///
/// ```text
///     - parking to wait for  <0x00000000e0000010> (a java.util.concurrent.locks.ReentrantLock$NonfairSync)
///    Locked ownable synchronizers:
///     - None
/// ```
fn is_exclusive(lock: &Lock) -> bool {
    lock.kind == LockKind::JavaSynchronizer
        && lock.name.as_deref().is_some_and(|class| class.contains("ReentrantLock$"))
}

/// The functions that take a lock, and where its waiters stand in them.
type Places = (Vec<Str>, Vec<Section>);

/// Names the holder, or says why nobody is named.
fn decide(lock: &mut Lock, candidates: Vec<Candidate>, cut_off: usize, snapshot: &Snapshot) {
    let Some(first) = candidates.first() else {
        let Holder::Unknown { why, .. } = &mut lock.holder else { return };
        if cut_off > 0 {
            why.to_mut().push_str(&format!(
                "; the stacks of {cut_off} threads that do not wait for it are cut off, and the holder may be one of them"
            ));
            return;
        }
        why.to_mut().push_str(
            "; no thread of this dump is seen past the call in the functions that wait for it: the holder took it in \
             another function, is not in the dump, or is no thread",
        );
        return;
    };
    // A record that stands for several threads names none of them.
    let is_one = snapshot.weight(first.thread) == 1;
    let is_clear =
        is_one && candidates.get(1).is_none_or(|second| first.points - second.points >= points::MARGIN);
    if first.points >= points::POSSIBLE && is_clear && lock.kind != LockKind::Futex {
        let reasons = first.reasons.join("; ");
        lock.evidence.push(Evidence::inferred(format!("who holds it, by the stacks: {reasons}")));
        lock.holder_points = Some(first.points);
        lock.holder = Holder::Thread { thread: first.thread, certainty: Certainty::Inferred };
        return;
    }
    let Holder::Unknown { why, candidates: shown } = &mut lock.holder else { return };
    if first.points >= points::POSSIBLE {
        why.to_mut().push_str(if is_clear {
            "; what is known is not enough to name a thread"
        } else {
            "; several threads are equally likely"
        });
    }
    *shown = candidates.into_iter().filter(|c| c.points >= points::POSSIBLE).take(MOST_SHOWN).collect();
}
