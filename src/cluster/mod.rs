//! Groups of threads that do the same thing and wait for the same thing.
//!
//! Two threads are alike if their state, their meaningful top frames and the lock that they wait
//! for are equal. The lock counts only where it is an object that threads share: a pool whose
//! workers sleep on wait words of their own is one pool.

mod fingerprint;
mod group;

pub use fingerprint::Fingerprint;
pub use group::group;

use crate::model::{StackIx, Str, ThreadIx};
use crate::waits::{LockIx, State};

/// How many meaningful frames make two threads alike.
pub const SIGNATURE_FRAMES: usize = 5;

/// Index of a cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClusterIx(pub u32);

impl ClusterIx {
    /// The place as an index.
    pub fn at(self) -> usize {
        self.0 as usize
    }
}

/// Threads that do the same thing.
#[derive(Clone, Debug)]
pub struct Cluster {
    /// Members, ascending.
    pub threads: Vec<ThreadIx>,
    /// How many threads or samples they stand for.
    pub count: u64,
    /// What they do.
    pub state: State,
    /// The meaningful top frames, newest first: `log_message`, `handle`, `worker`.
    pub signature: Vec<Str>,
    /// The stack that stands for all: the one that most members have.
    pub stack: StackIx,
    /// The lock that all of them wait for.
    pub lock: Option<LockIx>,
    /// How many different exact stacks were merged.
    pub variants: u32,
    /// Names of the threads with their numbers replaced, and how many have each.
    pub thread_names: Vec<(Str, u64)>,
    /// CPU time in microseconds: total and the most of one thread, where the dump says so.
    pub cpu_us: Option<(u64, u64)>,
    /// How long they have been waiting, in microseconds: the shortest and the longest, where the dump says so.
    pub waited_us: Option<(u64, u64)>,
    /// `lj1:…`, the same across runs and machines.
    pub fingerprint: String,
}

/// All clusters of a snapshot.
#[derive(Clone, Debug, Default)]
pub struct Clusters {
    /// Largest first.
    pub clusters: Vec<Cluster>,
    /// The cluster of each thread, by [`ThreadIx`].
    pub cluster_of: Vec<ClusterIx>,
}

impl Clusters {
    /// A cluster.
    pub fn get(&self, ix: ClusterIx) -> &Cluster {
        &self.clusters[ix.at()]
    }
}
