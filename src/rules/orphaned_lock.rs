use super::finding::{Finding, RuleId, Severity};
use super::jam::Jam;
use super::{Case, Rule};
use crate::waits::{Holder, State};

/// The row of this rule.
pub const RULE: Rule =
    Rule { id: RuleId::OrphanedLock, guide: include_str!("../../docs/rules/orphaned-lock.md"), check };

fn check(case: &Case<'_>) -> Vec<Finding> {
    Jam::all(case, &[State::LockWait])
        .filter(|jam| matches!(jam.lock.holder, Holder::EndedThread { .. }))
        .map(|jam| {
            let mut finding = jam.finding(RuleId::OrphanedLock, "wait for");
            finding.title.push_str(", whose owner is gone");
            // Nobody will ever release it: one waiter is enough to be bad.
            finding.severity = finding.severity.max(Severity::High);
            finding
        })
        .collect()
}
