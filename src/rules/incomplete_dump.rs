use super::finding::{Confidence, Finding, RuleId, Severity};
use super::{Case, Rule, advice};
use crate::model::{Evidence, GapKind};

/// The row of this rule.
pub const RULE: Rule =
    Rule { id: RuleId::IncompleteDump, guide: include_str!("../../docs/rules/incomplete-dump.md"), check };

/// Which gaps make a dump incomplete, how bad each is, and what it is called in the title.
const GAPS: &[(GapKind, Severity, &str)] = &[
    (GapKind::Truncated, Severity::Low, "it is cut off"),
    (GapKind::Changed, Severity::Low, "it changed while it was read"),
    (GapKind::Limit, Severity::Low, "its producer left something out"),
    (GapKind::NotDumped, Severity::Low, "memory was left out of it"),
    (GapKind::Damaged, Severity::Low, "it is damaged"),
    (GapKind::MismatchedModule, Severity::Info, "files on this machine are not the ones that ran"),
    (GapKind::MissingModule, Severity::Info, "files of the process were not found"),
];

fn check(case: &Case<'_>) -> Vec<Finding> {
    let found: Vec<_> = GAPS.iter().filter(|(kind, ..)| case.snapshot.gaps.has(*kind)).collect();
    let Some(severity) = found.iter().map(|(_, severity, _)| *severity).max() else { return Vec::new() };
    let what: Vec<&str> = found.iter().map(|(.., what)| *what).collect();
    let evidence: Vec<Evidence> = case
        .snapshot
        .gaps
        .iter()
        .filter(|gap| found.iter().any(|(kind, ..)| *kind == gap.kind))
        .map(|gap| Evidence::read(gap.message.clone()))
        .collect();
    vec![Finding {
        rule: RuleId::IncompleteDump,
        severity,
        confidence: Confidence::Certain,
        title: format!("the dump is not complete: {}", what.join(", ")),
        summary: format!(
            "The dump is not complete: {}. Counts are lower bounds, and what is missing may hide a cause.",
            what.join(", ")
        ),
        threads: Vec::new(),
        blocked: None,
        lock: None,
        holder: None,
        pattern: None,
        chain: Vec::new(),
        root: None,
        cycle: Vec::new(),
        clusters: Vec::new(),
        location: None,
        crash: None,
        evidence,
        advice: advice::for_incomplete_dump(&found.iter().map(|(kind, ..)| *kind).collect::<Vec<_>>()),
        cause: std::iter::once(RuleId::IncompleteDump.id().to_owned())
            .chain(what.iter().map(|w| (*w).to_owned()))
            .collect(),
        cause_detail: Vec::new(),
    }]
}
