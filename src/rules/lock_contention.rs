use super::finding::{Finding, RuleId};
use super::jam::Jam;
use super::{Case, Rule};
use crate::waits::{Holder, State};

/// The row of this rule.
pub const RULE: Rule =
    Rule { id: RuleId::LockContention, guide: include_str!("../../docs/rules/lock-contention.md"), check };

/// Fewer waiters are everyday life.
const FEWEST: u64 = 2;

fn check(case: &Case<'_>) -> Vec<Finding> {
    let rings = case.graph.rings();
    Jam::all(case, &[State::LockWait])
        .filter(|jam| jam.blocked.transitive >= FEWEST && jam.blocked.direct >= FEWEST)
        .filter(|jam| !jam.is_in_ring(&rings) && !matches!(jam.lock.holder, Holder::EndedThread { .. }))
        .map(|jam| jam.finding(RuleId::LockContention, "wait for"))
        .collect()
}
