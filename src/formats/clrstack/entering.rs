//! For which monitor each thread waits that enters one.
//!
//! `syncblk` counts the waiters of each monitor and names its owner, not the waiters. A monitor that is waited for always
//! has a row, and no thread waits for a monitor that it owns: monitors are re-entrant. Where that leaves one monitor for
//! a thread, it is this one; where it leaves several, nothing is said.

use rustc_hash::FxHashMap;

use crate::model::{NamedLockIx, ReportedWait, Snapshot, StackIx, WaitMode};

/// Functions in which a thread waits to enter a monitor, as beginnings.
static ENTERS: &[&str] = &[
    "System.Threading.Monitor.Enter",
    "System.Threading.Monitor.ReliableEnter",
    "System.Threading.Monitor.TryEnter",
    "System.Threading.Monitor.JIT_MonReliableEnter",
    "JIT_MonEnter",
    "JIT_MonReliableEnter",
    "AwareLock::Enter",
];

/// How many frames below the innermost one the entering function may be.
const ENTER_DEPTH: usize = 8;

/// A monitor that somebody waits for.
pub(super) struct Contended {
    pub lock: NamedLockIx,
    pub waiters: u64,
    /// The id of its owner.
    pub owner: Option<u32>,
}

/// How often all threads are looked at: each time monitors may have got all their waiters.
const MOST_ROUNDS: usize = 64;

/// Says of the threads that enter a monitor for which they wait, as far as that is clear.
pub(super) fn link(snapshot: &mut Snapshot, mut contended: Vec<Contended>) {
    let entering = entering(snapshot);
    let waiters = contended.iter().fold(0u64, |sum, monitor| sum.saturating_add(monitor.waiters));
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
                contended.iter_mut().filter(|m| m.waiters > 0 && (own.is_none() || m.owner != own));
            let first = left.next();
            is_clear &= first.is_some();
            match (first, left.next()) {
                (Some(monitor), None) => {
                    monitor.waiters -= 1;
                    waits.push((thread, monitor.lock));
                    false
                }
                _ => true,
            }
        });
        // A thread for which no monitor is left: the table is of another moment.
        if !is_clear {
            return;
        }
        contended.retain(|monitor| monitor.waiters > 0);
        if open.len() == before || open.is_empty() {
            break;
        }
    }
    for (thread, lock) in waits {
        if let Some(thread) = snapshot.threads.get_mut(thread) {
            thread.reported_wait.get_or_insert(ReportedWait { lock, mode: WaitMode::Enter });
        }
    }
}

/// The threads that enter a monitor.
fn entering(snapshot: &Snapshot) -> Vec<usize> {
    let stacks = &snapshot.stacks;
    let mut known: FxHashMap<StackIx, bool> = FxHashMap::default();
    let mut enters = |stack: StackIx| {
        *known.entry(stack).or_insert_with(|| {
            stacks.frames_of(stack).iter().take(ENTER_DEPTH).any(|frame| {
                let name = stacks.get(*frame).function.as_deref().unwrap_or_default();
                ENTERS.iter().any(|start| name.starts_with(start))
            })
        })
    };
    let threads = snapshot.threads.iter().enumerate();
    threads.filter(|(_, thread)| enters(thread.stack)).map(|(n, _)| n).collect()
}
