//! From waits and clusters to findings: one file a rule, [`RULES`] is the table. Rules are pure.

mod finding;

pub use finding::{
    Blocked, Confidence, CrashFacts, Finding, FindingHolder, Link, Location, Pattern, RuleId, Severity,
};

use crate::cluster::Clusters;
use crate::model::Snapshot;
use crate::normalize::Meanings;
use crate::waits::Waits;

/// Limits that the user set.
#[derive(Clone, Debug, Default)]
pub struct Limits {
    /// More threads than this are a finding.
    pub max_threads: Option<u64>,
}

/// What a rule sees.
pub struct Case<'a> {
    /// The process.
    pub snapshot: &'a Snapshot,
    /// What the frames mean.
    pub meanings: &'a Meanings,
    /// What the threads do.
    pub waits: &'a Waits,
    /// The groups.
    pub clusters: &'a Clusters,
    /// The user's limits.
    pub limits: &'a Limits,
}

/// One rule.
pub struct Rule {
    /// Its id.
    pub id: RuleId,
    /// The guide: what it finds, what it needs as proof, how to confirm, mitigate, escalate.
    pub guide: &'static str,
    /// Looks at a case.
    pub check: fn(&Case<'_>) -> Vec<Finding>,
}

/// All rules.
pub static RULES: &[Rule] = &[];
