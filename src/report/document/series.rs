//! One process over time.

use schemars::JsonSchema;
use serde::Serialize;

use super::ids::IdText;

/// The process of a series.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct SeriesProcess<'a> {
    /// Its pid.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pid: Option<u32>,
    /// Its short name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<&'a str>,
}

/// Threads of a series: `ix` differ from snapshot to snapshot, ids do not.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct SeriesThreads<'a> {
    /// How many.
    pub count: u64,
    /// What the dumps call them.
    pub ids: Vec<IdText<'a>>,
}

/// A cluster over time.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct SeriesCluster<'a> {
    /// The cluster's fingerprint.
    pub fingerprint: &'a str,
    /// Its meaningful top frames, newest first.
    pub signature: &'a str,
    /// Its threads in each snapshot of the series, 0 where it is not there.
    pub counts: Vec<u64>,
}

/// A process that two or more snapshots show.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Series<'a> {
    /// The process.
    pub process: SeriesProcess<'a>,
    /// Its snapshots: places in `snapshots` of the document.
    pub snapshots: Vec<usize>,
    /// Threads with the same stack and the same lock in every snapshot.
    pub stuck: SeriesThreads<'a>,
    /// Threads that moved.
    pub progressed: SeriesThreads<'a>,
    /// The clusters and their growth.
    pub clusters: Vec<SeriesCluster<'a>>,
}
