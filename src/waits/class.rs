//! What a lock guards.

use rayon::prelude::*;
use rustc_hash::FxHashMap;

use super::kinds::{Identity, LockKind};
use super::lock::Lock;
use super::sections::Sections;
use crate::model::{Snapshot, Str, ThreadIx};
use crate::normalize::{Meanings, ResourceClass, class_of_name};

/// Locks whose names are looked at together: many have the same.
const LOCKS_WITH_NAMES: usize = 4_096;

/// Says of each of these locks what it guards.
pub(super) fn tell(locks: &mut [Lock], snapshot: &Snapshot, meanings: &Meanings, sections: &Sections<'_>) {
    locks.par_chunks_mut(LOCKS_WITH_NAMES).for_each(|locks| {
        let mut classes = Classes::default();
        for lock in locks {
            lock.class = class(lock, snapshot, meanings, sections, &mut classes);
        }
    });
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
