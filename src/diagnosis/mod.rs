//! The findings of all snapshots, ranked: the worst first.

mod all_locks;
mod lock_key;
mod matcher;
mod rank;

pub use matcher::{LinkError, Matcher, Runbook};
pub use rank::{headline, rank, sort};

use crate::cluster::Clusters;
use crate::model::Snapshot;
use crate::modules::ModuleSet;
use crate::normalize::{Meanings, Readings};
use crate::rules::Finding;
use crate::waits::Waits;

/// One snapshot with all that was found out about it.
pub struct Analyzed {
    /// The process.
    pub snapshot: Snapshot,
    /// Its modules; binary formats only.
    pub modules: ModuleSet,
    /// What its frames mean.
    pub meanings: Meanings,
    /// What its stacks mean.
    pub readings: Readings,
    /// What its threads do.
    pub waits: Waits,
    /// Its groups of threads.
    pub clusters: Clusters,
}

/// A finding with its place in the ranking.
#[derive(Clone, Debug)]
pub struct Ranked {
    /// The finding.
    pub finding: Finding,
    /// The snapshot that shows it.
    pub snapshot: usize,
    /// 0–100, what the ranking sorted by.
    pub score: f64,
    /// `lj1:` and 16 hex digits.
    pub fingerprint: String,
    /// The same with what the holder does.
    pub fingerprint_detail: String,
    /// The user's guide for it.
    pub runbook: Option<String>,
}

/// What became of an input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InputStatus {
    /// Read.
    Ok,
    /// Read in part: the gaps say what is missing.
    Partial,
    /// Not analyzed; why, one line.
    Failed(String),
    /// A folder in which nothing is a dump; one line that says what was looked for.
    NoDumps(String),
}

impl InputStatus {
    /// Why there is no result for it.
    pub fn error(&self) -> Option<&str> {
        match self {
            Self::Ok | Self::Partial => None,
            Self::Failed(why) | Self::NoDumps(why) => Some(why),
        }
    }
}

/// The whole result, which reporters turn into bytes.
#[derive(Default)]
pub struct Diagnosis {
    /// The inputs and what became of each.
    pub inputs: Vec<(String, InputStatus)>,
    /// Snapshots in input order.
    pub snapshots: Vec<Analyzed>,
    /// The worst first, over all snapshots.
    pub findings: Vec<Ranked>,
    /// The answer in one line.
    pub headline: String,
    /// Kinds of text that were removed from it.
    pub redacted: Vec<&'static str>,
}
