//! What gets a node of its own: the locks and threads that the findings name first, then the most waited for.

use std::collections::{BTreeMap, BTreeSet};

use super::Detail;
use crate::report::document::{Finding, Lock, LockId, Snapshot, ThreadRecord};
use crate::waits::State;

/// Candidates for a lock's holder that are drawn, and holders of one lock that are drawn one by one.
pub const FEW: usize = 3;

/// What gets a node of its own, and what is in the graph at all.
pub struct Order {
    /// Locks that a thread waits for which is not idle, and those of chains and rings.
    pub contended: BTreeSet<LockId>,
    /// Those of them with a node of their own.
    pub locks: BTreeSet<LockId>,
    /// Threads with a node of their own, by place.
    pub threads: BTreeSet<u32>,
    /// Members of rings, by place.
    pub ring: BTreeSet<u32>,
    /// Threads of chains and rings, by place.
    pub linked: BTreeSet<u32>,
}

impl Order {
    /// Looks through a snapshot and its findings.
    pub fn of(snapshot: &Snapshot<'_>, findings: &[&Finding<'_>], detail: Detail) -> Self {
        let ring: BTreeSet<u32> = findings.iter().flat_map(|f| &f.cycle).map(|link| link.thread.ix).collect();
        let waiting: Vec<_> = snapshot.thread_list.iter().filter(|t| is_stuck(t, &ring)).collect();
        let links = || findings.iter().flat_map(|f| f.cycle.iter().chain(&f.chain));
        let linked = links().flat_map(|link| [Some(link.thread.ix), link.held_by.map(|t| t.ix)]);
        let of_waiting = waiting.iter().filter_map(|t| t.waits_for.as_ref()?.lock);
        let contended: BTreeSet<LockId> =
            of_waiting.chain(links().filter_map(|link| link.waits_for.lock)).collect();
        let of_findings = findings.iter().flat_map(|f| locks_of(f));
        let of_snapshot = snapshot.locks.iter().map(|lock| lock.id);
        let locks = first(of_findings.chain(of_snapshot).filter(|id| contended.contains(id)), detail.locks);
        let of_findings = findings.iter().flat_map(|f| threads_of(f));
        let shown = snapshot.locks.iter().filter(|lock| locks.contains(&lock.id));
        let awaited = awaited(&waiting);
        let threads =
            of_findings.chain(shown.flat_map(|lock| holders_of(&lock).collect::<Vec<_>>())).chain(awaited);
        let threads = first(threads, detail.threads);
        Self { locks, threads, linked: linked.flatten().collect(), contended, ring }
    }
}

/// Whether a thread waits for something that a graph should show. A pool's worker that waits for work is as it
/// should be, unless a ring has it.
pub fn is_stuck(thread: &ThreadRecord<'_>, ring: &BTreeSet<u32>) -> bool {
    thread.waits_for.is_some() && (thread.state != State::Idle || ring.contains(&thread.ix))
}

fn locks_of<'f>(f: &'f Finding<'_>) -> impl Iterator<Item = LockId> + 'f {
    let links = f.cycle.iter().chain(&f.chain);
    f.lock.into_iter().chain(links.filter_map(|link| link.waits_for.lock))
}

/// The ring, the root, the holder. The first thread of a chain is one of many waiters and stays in its group.
fn threads_of<'f>(f: &'f Finding<'_>) -> impl Iterator<Item = u32> + 'f {
    let ring = f.cycle.iter().map(|link| link.thread.ix);
    let holder = f.holder.as_ref().and_then(|holder| holder.thread).map(|t| t.ix);
    let chain = f.chain.iter().filter_map(|link| link.held_by).map(|t| t.ix);
    ring.chain(f.root.map(|t| t.ix)).chain(holder).chain(chain)
}

/// Those who hold a lock, where they are few, or may hold it.
fn holders_of<'l>(lock: &'l Lock<'_>) -> impl Iterator<Item = u32> + 'l {
    let several = if lock.holders.len() <= FEW { &lock.holders[..] } else { &[] };
    let one = lock.holder.thread.map(|t| t.ix);
    let candidates = lock.holder.candidates.iter().take(FEW).map(|c| c.thread.ix);
    one.into_iter().chain(several.iter().filter_map(|h| h.thread).map(|t| t.ix)).chain(candidates)
}

/// Threads whose end or answer is awaited, the most awaited first.
fn awaited(waiting: &[ThreadRecord<'_>]) -> impl Iterator<Item = u32> {
    let mut counts = BTreeMap::new();
    for thread in waiting.iter().filter_map(|t| t.waits_for.as_ref()?.thread) {
        *counts.entry(thread.ix).or_insert(0_u64) += 1;
    }
    let mut awaited: Vec<_> = counts.into_iter().collect();
    awaited.sort_by_key(|&(ix, count)| (std::cmp::Reverse(count), ix));
    awaited.into_iter().map(|(ix, _)| ix)
}

/// The first `most` different items.
fn first<T: Ord>(items: impl Iterator<Item = T>, most: usize) -> BTreeSet<T> {
    let mut first = BTreeSet::new();
    for item in items {
        if first.len() == most {
            break;
        }
        first.insert(item);
    }
    first
}
