//! From waits and clusters to findings: one file a rule, [`RULES`] is the table. Rules are pure: they
//! look at a [`Case`] and say what they see, ranking and thresholds of other stages are not
//! theirs. To add a rule: a file with its row, its guide in `docs/rules`, and its line in the table below.

mod advice;
mod advice_owner;
mod crash;
mod deadlock;
mod finding;
mod graph;
mod hot_threads;
mod incomplete_dump;
mod jam;
mod lock_contention;
mod orphaned_lock;
mod pool_exhaustion;
mod runtime_stall;
mod self_deadlock;
mod spin_wait;
mod stack_overflow;
mod stopped_tests;
mod stuck_io;
mod thread_explosion;
mod wait_chain;
mod words;

pub(crate) use words::grouped;

pub use finding::{
    Blocked, Confidence, CrashFacts, Finding, FindingHolder, Link, Location, Pattern, Severity, StoppedTest,
};
pub use graph::WaitGraph;

use std::collections::BTreeMap;

use rayon::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::cluster::Clusters;
use crate::model::Snapshot;
use crate::normalize::{Meanings, Readings};
use crate::waits::{State, Waits};

/// Limits that the user set.
#[derive(Clone, Debug, Default)]
pub struct Limits {
    /// More threads than this are a finding.
    pub max_threads: Option<u64>,
    /// Pools of known size.
    pub pools: Vec<Pool>,
}

/// A pool of threads, which should not be larger than its size. What is given of name and frame must agree.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pool {
    /// The names of its threads; `*` stands for any text.
    pub threads: Option<String>,
    /// A function on each of their stacks; `*` stands for any text.
    pub frame: Option<String>,
    /// How many it has at most.
    pub size: u64,
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
    /// How many threads are in each state.
    pub states: &'a StateCounts,
    /// The user's limits.
    pub limits: &'a Limits,
}

/// How many threads or samples are in each state: many findings ask.
#[derive(Clone, Debug, Default)]
pub struct StateCounts(BTreeMap<State, u64>);

impl StateCounts {
    /// Of all threads: each is in one cluster, and a cluster has one state.
    pub fn of(clusters: &Clusters) -> Self {
        let mut counts: BTreeMap<State, u64> = BTreeMap::new();
        for cluster in &clusters.clusters {
            let count = counts.entry(cluster.state).or_default();
            *count = count.saturating_add(cluster.count);
        }
        Self(counts)
    }

    /// How many are in one of these states.
    pub fn count(&self, is_meant: impl Fn(State) -> bool) -> u64 {
        let meant = self.0.iter().filter(|(state, _)| is_meant(**state));
        meant.fold(0, |sum, (_, count)| sum.saturating_add(*count))
    }

    /// How many there are.
    pub fn total(&self) -> u64 {
        self.count(|_| true)
    }
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

/// Makes [`RuleId`] and [`RULES`] of one list, so that an id and its rule cannot part.
macro_rules! rule_table {
    ($($(#[$doc:meta])* $rule:ident $id:literal = $row:expr,)*) => {
        /// The ids of the rules: the contract's list.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
        pub enum RuleId {
            $($(#[$doc])* #[serde(rename = $id)] $rule,)*
        }

        impl RuleId {
            /// The id in reports and on the command line.
            pub fn id(self) -> &'static str {
                match self {
                    $(Self::$rule => $id,)*
                }
            }
        }

        /// All rules. Of two findings with equal severity and score, that of the earlier rule comes first.
        pub static RULES: &[Rule] = &[$($row,)*];

        $(const _: () = assert!(matches!($row.id, RuleId::$rule), "a rule stands at another id");)*
    };
}

// Of two findings with equal severity and score, that of the earlier rule comes first.
rule_table! {
    /// Threads that wait for each other in a ring.
    Deadlock "deadlock" = deadlock::RULE,
    /// A thread that waits for a lock that it holds itself.
    SelfDeadlock "self-deadlock" = self_deadlock::RULE,
    /// Threads asleep on a lock whose owner is gone.
    OrphanedLock "orphaned-lock" = orphaned_lock::RULE,
    /// Threads asleep on one lock.
    LockContention "lock-contention" = lock_contention::RULE,
    /// Threads that burn CPU on one lock word.
    SpinWait "spin-wait" = spin_wait::RULE,
    /// A recursion that ran out of stack.
    StackOverflow "stack-overflow" = stack_overflow::RULE,
    /// Why the process died.
    Crash "crash" = crash::RULE,
    /// Threads wait for something of which a pool has no more.
    PoolExhaustion "pool-exhaustion" = pool_exhaustion::RULE,
    /// The runtime holds the threads up.
    RuntimeStall "runtime-stall" = runtime_stall::RULE,
    /// A thread waits for another to end, and that one is stuck.
    WaitChain "wait-chain" = wait_chain::RULE,
    /// Many threads in one kind of I/O.
    StuckIo "stuck-io" = stuck_io::RULE,
    /// More threads than a limit.
    ThreadExplosion "thread-explosion" = thread_explosion::RULE,
    /// Threads that used the CPU, where no lock explains it.
    HotThreads "hot-threads" = hot_threads::RULE,
    /// The dump is cut, filtered or without symbols.
    IncompleteDump "incomplete-dump" = incomplete_dump::RULE,
}

/// The rule with this id.
pub fn find(id: &str) -> Option<&'static Rule> {
    RULES.iter().find(|rule| rule.id.id() == id)
}

/// Fewer threads are looked at by one worker.
const FEW_THREADS: usize = 4_096;

/// What all rules say about a case.
pub fn check_all(case: &Case<'_>) -> Vec<Finding> {
    // In a small process a rule takes less time than to hand it over.
    let least = if case.snapshot.threads.len() < FEW_THREADS { RULES.len() } else { 1 };
    let rules = RULES.par_iter().with_min_len(least);
    let mut findings: Vec<Finding> = rules.flat_map_iter(|rule| (rule.check)(case)).collect();
    // Nearly always there is no test at all, and there may be many findings.
    if case.has_tests() {
        for finding in &mut findings {
            finding.tests = stopped_tests::of(case, finding);
        }
    }
    findings
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
