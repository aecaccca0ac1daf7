//! Spin-waits in a text, which prints no instructions: many threads run in one function that takes a
//! lock, as its name says, and all with the same argument.

use rustc_hash::FxHashMap;

use super::kinds::{LockKind, State};
use super::locks;
use super::observation::{Claim, LockClaim, LockKey, Observation};
use crate::model::{Certainty, Listing, Snapshot, Str, ThreadIx};
use crate::normalize::{Meanings, Role, takes_lock};

/// Fewer threads in one lock function are passing through.
const FEWEST: u64 = 3;

/// Of samples at least one in so many has to be there.
const PART: u64 = 10;

/// A function and the lock that it is called with.
type Place<'a> = (&'a Str, LockKey<'a>);

/// The threads at a place.
struct Group<'a> {
    key: LockKey<'a>,
    /// The symbol behind the lock's address.
    symbol: Option<&'a Str>,
    threads: Vec<ThreadIx>,
}

/// The threads at each place.
#[derive(Default)]
struct Groups<'a> {
    all: Vec<Group<'a>>,
    numbers: FxHashMap<Place<'a>, usize>,
}

impl<'a> Groups<'a> {
    /// The number of the group at a place.
    fn number(&mut self, place: Place<'a>) -> usize {
        *self.numbers.entry(place).or_insert_with(|| {
            self.all.push(Group { key: place.1, symbol: None, threads: Vec::new() });
            self.all.len() - 1
        })
    }
}

/// Turns running threads that spin on one lock into waiters of it.
pub(super) fn find<'a>(snapshot: &'a Snapshot, meanings: &'a Meanings, seen: &mut [Observation<'a>]) {
    let mut groups = Groups::default();
    // By innermost frame, where it is all there is: thousands of threads have it.
    let mut of_frame: Vec<Option<usize>> = vec![None; snapshot.stacks.all_frames().len()];
    let mut takes: Vec<Option<bool>> = vec![None; snapshot.stacks.all_frames().len()];
    for (ix, thread) in (0u32..).map(ThreadIx).zip(&snapshot.threads) {
        if seen[ix.at()].state != State::Running {
            continue;
        }
        let Some(&top) = snapshot.stacks.frames_of(thread.stack).first() else { continue };
        let meaning = meanings.get(top);
        if !*takes[top.at()].get_or_insert_with(|| meaning.role == Role::User && takes_lock(&meaning.name)) {
            continue;
        }
        // `lock=0x56507d47324c <g_log_spin>`
        let slots = snapshot.stacks.slots(top);
        let names = locks::row(LockKind::Spinlock).arguments;
        let slot = names.iter().find_map(|name| slots.iter().position(|s| &*s.name == *name));
        // A profile prints no arguments: the function is all there is.
        if snapshot.listing == Listing::Samples {
            let key = LockKey::Site(&meaning.name);
            let group = of_frame[top.at()].get_or_insert_with(|| groups.number((&meaning.name, key)));
            groups.all[*group].threads.push(ix);
            continue;
        }
        let Some(slot) = slot else { continue };
        let value = snapshot.values.of(thread.values).get(slot).copied().unwrap_or(0);
        let symbol = slots[slot].symbol.as_ref();
        let key = match (value, symbol) {
            (0, None) => continue,
            (0, Some(symbol)) => LockKey::Symbol(symbol),
            (address, _) => LockKey::Address(address),
        };
        let group = groups.number((&meaning.name, key));
        groups.all[group].threads.push(ix);
        groups.all[group].symbol = groups.all[group].symbol.or(symbol);
    }
    let is_crowd = |group: &Group<'_>| {
        let count = snapshot.count(&group.threads);
        // Each sample of a busy program may be in a lock for a moment.
        let is_part = snapshot.listing != Listing::Samples || count.saturating_mul(PART) >= snapshot.total();
        count >= FEWEST && is_part
    };
    for Group { key, symbol, threads } in groups.all.into_iter().filter(is_crowd) {
        for thread in threads {
            let seen = &mut seen[thread.at()];
            seen.state = State::Spinning;
            let kind = LockKind::Spinlock;
            let certainty = match key {
                LockKey::Site(_) => Certainty::Inferred,
                _ => Certainty::Reported,
            };
            seen.claim =
                Some(Claim::Lock(LockClaim { key, kind, symbol, certainty, is_shared_object: true }));
        }
    }
}
