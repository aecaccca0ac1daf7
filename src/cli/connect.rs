//! Where the command line meets the other stages: which reporters and rules there are. Nothing else
//! in `cli` names their tables.

use clap::builder::PossibleValue;

use crate::report::{self, REPORTERS, Reporter, UnknownReporter};
use crate::rules::{RULES, Severity};

/// The id of the reporter that is used when none is asked for.
pub(super) fn default_reporter() -> &'static str {
    REPORTERS.first().map_or("", |r| r.id)
}

/// The ids of the reporters, for the command line.
pub(super) fn reporter_ids() -> impl Iterator<Item = PossibleValue> {
    REPORTERS.iter().map(|r| PossibleValue::new(r.id).help(r.about))
}

/// The reporter with this id.
pub(super) fn reporter(id: &str) -> Result<&'static Reporter, UnknownReporter> {
    report::find(id)
}

/// The severities, the worst first.
const SEVERITIES: [(&str, Severity); 5] = [
    ("critical", Severity::Critical),
    ("high", Severity::High),
    ("medium", Severity::Medium),
    ("low", Severity::Low),
    ("info", Severity::Info),
];

/// The severity with this id.
pub(super) fn severity(id: &str) -> Result<Severity, &'static str> {
    let found = SEVERITIES.iter().find(|(s, _)| s.eq_ignore_ascii_case(id));
    found.map(|(_, severity)| *severity).ok_or("there is no such severity")
}

/// The severities, for the command line.
pub(super) fn severity_ids() -> impl Iterator<Item = PossibleValue> {
    SEVERITIES.iter().map(|(id, _)| PossibleValue::new(*id))
}

/// The ids of the rules, for the command line.
pub(super) fn rule_ids() -> impl Iterator<Item = PossibleValue> {
    RULES.iter().map(|r| PossibleValue::new(r.id.id()))
}

/// The guides: id and text.
pub(super) fn guides() -> impl Iterator<Item = (&'static str, &'static str)> {
    RULES.iter().map(|r| (r.id.id(), r.guide))
}
