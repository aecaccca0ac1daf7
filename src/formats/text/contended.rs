//! For which lock of a list each thread waits that enters one.
//!
//! SOS's `syncblk` and WinDbg's `!locks` count the waiters of each lock and name its owner, not the waiters. A lock that is
//! waited for is always in the list, and no thread waits for one that it owns: monitors and critical sections are
//! re-entrant. Where that leaves one lock for a thread, it is this one; where it leaves several, nothing is said.

use rustc_hash::FxHashMap;

use crate::model::{NamedLockIx, ReportedWait, Snapshot, StackIx, WaitMode};

/// How many frames below the innermost one the entering function may be.
const ENTER_DEPTH: usize = 8;

/// A lock that somebody waits for.
pub struct Contended {
    /// Which.
    pub lock: NamedLockIx,
    /// How many threads wait for it.
    pub waiters: u64,
    /// The id of its owner.
    pub owner: Option<u32>,
}

/// How often all threads are looked at: each time locks may have got all their waiters.
const MOST_ROUNDS: usize = 64;

/// Says of the threads that enter a lock for which of these they wait, as far as that is clear. `enters`: the functions in
/// which a thread waits to enter one, as beginnings.
pub fn link(snapshot: &mut Snapshot, mut contended: Vec<Contended>, enters: &[&str]) {
    let waits_for = |thread: usize| Some(snapshot.threads.get(thread)?.reported_wait?.lock);
    let (known, entering): (Vec<usize>, Vec<usize>) =
        entering(snapshot, enters).into_iter().partition(|thread| waits_for(*thread).is_some());
    for lock in known.into_iter().filter_map(waits_for) {
        if let Some(waited_for) = contended.iter_mut().find(|waited_for| waited_for.lock == lock) {
            waited_for.waiters = waited_for.waiters.saturating_sub(1);
        }
    }
    let waiters = contended.iter().fold(0u64, |sum, lock| sum.saturating_add(lock.waiters));
    // More threads than wait: some only came by.
    if entering.len() as u64 > waiters {
        return;
    }
    let mut waits: Vec<(usize, NamedLockIx)> = Vec::with_capacity(entering.len());
    let mut open = entering;
    for _ in 0..MOST_ROUNDS {
        let before = open.len();
        let mut is_clear = true;
        open.retain(|&thread| {
            let own = snapshot.threads.get(thread).and_then(|t| t.tid);
            let mut left =
                contended.iter_mut().filter(|l| l.waiters > 0 && (own.is_none() || l.owner != own));
            let first = left.next();
            is_clear &= first.is_some();
            match (first, left.next()) {
                (Some(lock), None) => {
                    lock.waiters -= 1;
                    waits.push((thread, lock.lock));
                    false
                }
                _ => true,
            }
        });
        // A thread for which no lock is left: the list is of another moment.
        if !is_clear {
            return;
        }
        contended.retain(|lock| lock.waiters > 0);
        if open.len() == before || open.is_empty() {
            break;
        }
    }
    for (thread, lock) in waits {
        if let Some(thread) = snapshot.threads.get_mut(thread) {
            thread.reported_wait.get_or_insert(ReportedWait::of(lock, WaitMode::Enter));
        }
    }
}

/// The threads that enter a lock.
fn entering(snapshot: &Snapshot, functions: &[&str]) -> Vec<usize> {
    let stacks = &snapshot.stacks;
    let mut known: FxHashMap<StackIx, bool> = FxHashMap::default();
    let mut enters = |stack: StackIx| {
        *known.entry(stack).or_insert_with(|| {
            stacks.frames_of(stack).iter().take(ENTER_DEPTH).any(|frame| {
                let name = stacks.get(*frame).function.as_deref().unwrap_or_default();
                functions.iter().any(|start| name.starts_with(start))
            })
        })
    };
    let threads = snapshot.threads.iter().enumerate();
    threads.filter(|(_, thread)| enters(thread.stack)).map(|(n, _)| n).collect()
}
