//! From waits and clusters to findings: one file a rule, [`RULES`] is the table. Rules are pure: they
//! look at a [`Case`] and say what they see, ranking and thresholds of other stages are not
//! theirs.

mod advice;
mod crash;
mod deadlock;
mod finding;
mod graph;
mod hot_threads;
mod incomplete_dump;
mod jam;
mod lock_contention;
mod orphaned_lock;
mod self_deadlock;
mod spin_wait;
mod stack_overflow;
mod thread_explosion;
mod wait_chain;
mod words;

pub use finding::{
    Blocked, Confidence, CrashFacts, Finding, FindingHolder, Link, Location, Pattern, RuleId, Severity,
};
pub use graph::WaitGraph;

use crate::cluster::Clusters;
use crate::model::Snapshot;
use crate::normalize::{Meanings, Readings};
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
    /// What the stacks mean.
    pub readings: &'a Readings,
    /// What the threads do.
    pub waits: &'a Waits,
    /// The groups.
    pub clusters: &'a Clusters,
    /// Who waits for whom.
    pub graph: &'a WaitGraph,
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

/// All rules. Of two findings with equal severity and score, that of the earlier rule comes first.
pub static RULES: &[Rule] = &[
    deadlock::RULE,
    self_deadlock::RULE,
    orphaned_lock::RULE,
    lock_contention::RULE,
    spin_wait::RULE,
    stack_overflow::RULE,
    crash::RULE,
    wait_chain::RULE,
    thread_explosion::RULE,
    hot_threads::RULE,
    incomplete_dump::RULE,
];

/// The rule with this id.
pub fn find(id: &str) -> Option<&'static Rule> {
    RULES.iter().find(|rule| rule.id.id() == id)
}

/// What all rules say about a case.
pub fn check_all(case: &Case<'_>) -> Vec<Finding> {
    RULES.iter().flat_map(|rule| (rule.check)(case)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_has_one_row_and_a_guide_of_its_own() {
        for (n, rule) in RULES.iter().enumerate() {
            assert!(rule.guide.starts_with(&format!("# {}\n", rule.id.id())), "{}", rule.id.id());
            assert!(RULES[n + 1..].iter().all(|other| other.id != rule.id));
        }
    }
}
