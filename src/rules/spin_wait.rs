use super::finding::{Finding, RuleId};
use super::jam::Jam;
use super::{Case, Rule};
use crate::waits::State;

/// The row of this rule.
pub const RULE: Rule =
    Rule { id: RuleId::SpinWait, guide: include_str!("../../docs/rules/spin-wait.md"), check };

/// A single thread in a loop over one word is a busy loop, not a jam.
const FEWEST: u64 = 2;

fn check(case: &Case<'_>) -> Vec<Finding> {
    let rings = case.graph.rings();
    Jam::all(case, &[State::Spinning])
        .filter(|jam| jam.blocked.direct >= FEWEST && !jam.is_in_ring(&rings))
        .map(|jam| jam.finding(RuleId::SpinWait, "spin on"))
        .collect()
}
