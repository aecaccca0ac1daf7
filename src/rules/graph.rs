//! Who waits for whom: each thread waits for at most one other.

use rustc_hash::FxHashSet;

use crate::model::{Certainty, Snapshot, ThreadIx};
use crate::rules::finding::Link;
use crate::waits::{LockIx, Target, Waits};

/// One thread waits for another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Edge {
    /// For whom.
    pub to: ThreadIx,
    /// The lock that the other one holds; none for a join.
    pub lock: Option<LockIx>,
    /// How surely: the weaker of the wait and the hold.
    pub certainty: Certainty,
}

/// Who waits for whom.
#[derive(Clone, Debug, Default)]
pub struct WaitGraph {
    edges: Vec<Option<Edge>>,
    /// The threads that wait for each thread, ascending.
    waiting_for: Vec<Vec<ThreadIx>>,
}

impl WaitGraph {
    /// From what the threads do.
    pub fn of(waits: &Waits) -> Self {
        let edges: Vec<Option<Edge>> = waits
            .activities
            .iter()
            .map(|activity| {
                let wait = activity.wait.as_ref()?;
                match wait.target {
                    Target::Thread(to) => Some(Edge { to, lock: None, certainty: wait.certainty }),
                    Target::Lock(lock) => {
                        let (to, certainty) = waits.lock(lock).holder.thread()?;
                        Some(Edge { to, lock: Some(lock), certainty: certainty.min(wait.certainty) })
                    }
                    Target::Child => None,
                }
            })
            .collect();
        let mut waiting_for = vec![Vec::new(); edges.len()];
        for (n, edge) in edges.iter().enumerate() {
            if let Some(edge) = edge {
                waiting_for[edge.to.at()].push(ThreadIx(n as u32));
            }
        }
        Self { edges, waiting_for }
    }

    /// For whom this thread waits.
    pub fn edge(&self, thread: ThreadIx) -> Option<&Edge> {
        self.edges.get(thread.at())?.as_ref()
    }

    /// These threads, together with all that wait behind them, directly or not. Each once.
    pub fn all_behind(&self, threads: &[ThreadIx]) -> Vec<ThreadIx> {
        // There may be as many locks as threads: nothing here costs in line with all threads.
        let mut counted = FxHashSet::default();
        let mut open: Vec<ThreadIx> = threads.to_vec();
        let mut all = Vec::with_capacity(threads.len());
        while let Some(thread) = open.pop() {
            if !counted.insert(thread) {
                continue;
            }
            all.push(thread);
            open.extend(&self.waiting_for[thread.at()]);
        }
        all
    }

    /// How many threads or samples these are, together with all that wait behind them.
    pub fn blocked_behind(&self, threads: &[ThreadIx], snapshot: &Snapshot) -> u64 {
        snapshot.count(&self.all_behind(threads))
    }

    /// From this thread to the one that waits for nobody, this thread first. A ring ends the walk at
    /// the first thread that comes again.
    pub fn chain(&self, from: ThreadIx) -> Vec<ThreadIx> {
        let mut chain = vec![from];
        let mut seen = FxHashSet::default();
        seen.insert(from);
        while let Some(edge) = chain.last().and_then(|&t| self.edge(t)) {
            if !seen.insert(edge.to) {
                break;
            }
            chain.push(edge.to);
        }
        chain
    }

    /// All rings, each from its smallest thread on, in the order of these. A thread that waits for
    /// itself is a ring of one.
    pub fn rings(&self) -> Vec<Vec<ThreadIx>> {
        let mut rings = Vec::new();
        // 0: not looked at; else the number of the walk that came by.
        let mut walk_of = vec![0u32; self.edges.len()];
        for start in 0..self.edges.len() as u32 {
            let walk = start + 1;
            let mut at = ThreadIx(start);
            while walk_of[at.at()] == 0 {
                walk_of[at.at()] = walk;
                match self.edge(at) {
                    Some(edge) => at = edge.to,
                    None => break,
                }
            }
            if walk_of[at.at()] != walk || self.edge(at).is_none() {
                continue;
            }
            let mut ring = vec![at];
            while let Some(edge) = ring.last().and_then(|&t| self.edge(t)).filter(|e| e.to != at) {
                ring.push(edge.to);
            }
            let smallest = ring.iter().enumerate().min_by_key(|(_, t)| **t).map_or(0, |(n, _)| n);
            ring.rotate_left(smallest);
            rings.push(ring);
        }
        rings.sort();
        rings
    }

    /// The link from this thread to the one that it waits for.
    pub fn link(&self, thread: ThreadIx, waits: &Waits) -> Option<Link> {
        let wait = waits.of(thread).wait.as_ref()?;
        let edge = self.edge(thread);
        Some(Link {
            thread,
            waits_for: wait.target.clone(),
            certainty: edge.map_or(wait.certainty, |e| e.certainty),
            held_by: edge.map(|e| e.to),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn graph(edges: &[Option<u32>]) -> WaitGraph {
        let edges: Vec<Option<Edge>> = edges
            .iter()
            .map(|to| to.map(|to| Edge { to: ThreadIx(to), lock: None, certainty: Certainty::Read }))
            .collect();
        let mut waiting_for = vec![Vec::new(); edges.len()];
        for (n, edge) in edges.iter().enumerate() {
            if let Some(edge) = edge {
                waiting_for[edge.to.at()].push(ThreadIx(n as u32));
            }
        }
        WaitGraph { edges, waiting_for }
    }

    #[test]
    fn a_ring_is_found_once_and_bystanders_are_not_in_it() {
        // 0 → 3 → 1 → 3, 2 → 2
        let rings = graph(&[Some(3), Some(3), Some(2), Some(1), None]).rings();
        assert_eq!(rings, vec![vec![ThreadIx(1), ThreadIx(3)], vec![ThreadIx(2)]]);
    }

    #[test]
    fn all_that_wait_behind_are_counted_once() {
        let graph = graph(&[None, Some(0), Some(1), Some(1), Some(3)]);
        assert_eq!(graph.all_behind(&[ThreadIx(1)]).len(), 4);
        assert_eq!(graph.chain(ThreadIx(4)), [4, 3, 1, 0].map(ThreadIx));
    }
}
