//! A group of threads that do the same thing.

use rayon::prelude::*;
use schemars::JsonSchema;
use serde::Serialize;

use super::frames::Frames;
use super::ids::{ClusterId, Ixs, LockId, seconds, share};
use super::resolve::Resolver;
use crate::cluster;
use crate::model::ThreadIx;
use crate::waits::State;

/// Clusters that one worker looks at in one go.
const CLUSTERS_A_CHUNK: usize = 64;

/// A pattern of thread names.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct ThreadNames<'a> {
    /// The name with its numbers replaced: `http-exec-*`.
    pub pattern: &'a str,
    /// How many threads have such a name.
    pub count: u64,
}

/// CPU time of a cluster.
#[derive(Clone, Copy, Debug, Serialize, JsonSchema)]
pub struct CpuTime {
    /// Of all threads together, in seconds.
    pub total: f64,
    /// The most of one thread, in seconds.
    pub max: f64,
}

/// How long threads have been waiting.
#[derive(Clone, Copy, Debug, Serialize, JsonSchema)]
pub struct Waited {
    /// The shortest, in seconds.
    pub min: f64,
    /// The longest, in seconds.
    pub max: f64,
}

impl Waited {
    /// How long these threads have been waiting, as far as the dump says so of them.
    pub(super) fn of(threads: &[ThreadIx], names: Resolver<'_>) -> Option<Self> {
        let records = &names.analyzed.snapshot.threads;
        let times = || threads.iter().filter_map(|ix| records.get(ix.at())?.waited_us);
        Some(Self { min: seconds(times().min()?), max: seconds(times().max()?) })
    }
}

/// Threads that do the same thing and wait for the same thing.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Cluster<'a> {
    /// Its id in this snapshot; `fingerprint` is the key across snapshots.
    pub id: ClusterId,
    /// How many threads are in it.
    pub count: u64,
    /// Their share of all threads, 0–1.
    pub share: f64,
    /// What they were doing.
    pub state: State,
    /// The meaningful top frames, newest first: `log_message ← handle ← worker`.
    pub signature: String,
    /// The stack that stands for all of them, newest frame first.
    pub frames: Frames<'a>,
    /// All members.
    pub threads: Ixs<'a>,
    /// The lock that they wait for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lock: Option<LockId>,
    /// How many different exact stacks were merged into it.
    pub variants: u32,
    /// The names of its threads, where the dump has names.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub thread_names: Vec<ThreadNames<'a>>,
    /// CPU time, where the dump says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpu_s: Option<CpuTime>,
    /// How long they have been waiting, where the dump says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waited_s: Option<Waited>,
    /// `lj1:` and 16 hexadecimal digits: the same for the same cluster across runs and machines.
    pub fingerprint: &'a str,
}

impl<'a> Cluster<'a> {
    pub(super) fn list(names: Resolver<'a>) -> Vec<Self> {
        let total = names.total();
        let clusters = names.analyzed.clusters.clusters.par_iter().with_min_len(CLUSTERS_A_CHUNK).enumerate();
        clusters.map(|(n, c)| Self::of(ClusterId(cluster::ClusterIx(n as u32)), c, total, names)).collect()
    }

    fn of(id: ClusterId, cluster: &'a cluster::Cluster, total: u64, names: Resolver<'a>) -> Self {
        Self {
            id,
            count: cluster.count,
            share: share(cluster.count, total),
            state: cluster.state,
            signature: cluster.signature.join(" ← "),
            frames: Frames::of(cluster.stack, names),
            threads: names.ixs(&cluster.threads),
            lock: cluster.lock.map(LockId),
            variants: cluster.variants,
            thread_names: cluster
                .thread_names
                .iter()
                .map(|(pattern, count)| ThreadNames { pattern, count: *count })
                .collect(),
            cpu_s: cluster.cpu_us.map(|(total, max)| CpuTime { total: seconds(total), max: seconds(max) }),
            waited_s: cluster.waited_us.map(|(min, max)| Waited { min: seconds(min), max: seconds(max) }),
            fingerprint: &cluster.fingerprint,
        }
    }
}
