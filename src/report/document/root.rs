//! The document as a whole.

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::Serialize;

use super::check::Check;
use super::finding::{Baseline, Finding};
use super::resolve::Resolver;
use super::series::Series;
use super::snapshot::Snapshot;
use crate::check::Judgement;
use crate::diagnosis::{Diagnosis, InputStatus};
use crate::rules::Severity;

/// What wrote the report.
#[derive(Clone, Copy, Debug, Serialize, JsonSchema)]
pub struct Tool {
    /// `logjam`.
    pub name: &'static str,
    /// Its version.
    pub version: &'static str,
}

/// What became of an input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Read.
    Ok,
    /// Read in part: the gaps of its snapshots say what is missing.
    Partial,
    /// Not analyzed: see `error`.
    Failed,
}

/// One input.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Input<'a> {
    /// As the user named it, or the file found in a folder.
    pub path: &'a str,
    /// What became of it.
    pub status: Status,
    /// Why it could not be analyzed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<&'a str>,
}

/// The severity of the worst finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum VerdictSeverity {
    /// There is no finding.
    None,
    /// Worth knowing.
    Info,
    /// A smell.
    Low,
    /// Slows the process.
    Medium,
    /// Stops part of the process.
    High,
    /// Stops the process.
    Critical,
}

impl From<Option<Severity>> for VerdictSeverity {
    fn from(severity: Option<Severity>) -> Self {
        match severity {
            None => Self::None,
            Some(Severity::Info) => Self::Info,
            Some(Severity::Low) => Self::Low,
            Some(Severity::Medium) => Self::Medium,
            Some(Severity::High) => Self::High,
            Some(Severity::Critical) => Self::Critical,
        }
    }
}

/// The answer.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Verdict<'a> {
    /// The severity of the first finding, `none` when there is none.
    pub severity: VerdictSeverity,
    /// The answer in one line.
    pub headline: Cow<'a, str>,
}

/// What logjam found out about one or more dumps of processes with stuck threads.
///
/// Version 1. Fields and values are added within this version, never renamed or removed: accept fields and
/// values that this schema does not list. A field that does not apply is left out, never null and never
/// empty text. Times are seconds, sizes and offsets bytes, shares 0–1. Addresses are lower-case hexadecimal
/// strings.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(rename = "Report")]
pub struct Document<'a> {
    /// The version of this format: 1.
    #[schemars(extend("const" = 1))]
    pub schema_version: u32,
    /// What wrote the report.
    pub tool: Tool,
    /// What was to be analyzed, and what became of it.
    pub inputs: Vec<Input<'a>>,
    /// The answer.
    pub verdict: Verdict<'a>,
    /// What is wrong, the worst first, over all snapshots. The first is the diagnosis.
    pub findings: Vec<Finding<'a>>,
    /// One for each process image found in the inputs, in input order.
    pub snapshots: Vec<Snapshot<'a>>,
    /// One for each process that two or more snapshots show.
    pub series: Vec<Series<'a>>,
    /// What a check says; of `logjam check` only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub check: Option<Check<'a>>,
    /// Kinds of text that were removed, where any were.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub redacted: Vec<&'a str>,
}

impl<'a> Document<'a> {
    /// Resolves a diagnosis for the reporters.
    pub fn of(diagnosis: &'a Diagnosis) -> Self {
        Self::judged(diagnosis, None)
    }

    /// Resolves a diagnosis, with what a check said of it.
    pub fn judged(diagnosis: &'a Diagnosis, judgement: Option<&'a Judgement>) -> Self {
        let finding = |(n, ranked): (usize, &'a crate::diagnosis::Ranked)| {
            let names = Resolver { analyzed: diagnosis.snapshots.get(ranked.snapshot)? };
            let baseline = judgement.and_then(|j| Baseline::of(j, n));
            Some(Finding { baseline, ..Finding::of(ranked, names) })
        };
        let findings: Vec<_> = diagnosis.findings.iter().enumerate().filter_map(finding).collect();
        let inputs: Vec<_> = diagnosis.inputs.iter().map(Input::of).collect();
        Self {
            schema_version: 1,
            tool: Tool { name: env!("CARGO_PKG_NAME"), version: env!("CARGO_PKG_VERSION") },
            verdict: Verdict {
                severity: findings.first().map(|f| f.severity).into(),
                headline: headline(&diagnosis.headline, &findings, &inputs),
            },
            inputs,
            findings,
            snapshots: diagnosis.snapshots.iter().map(Snapshot::of).collect(),
            series: Vec::new(),
            check: judgement.map(Check::of),
            redacted: diagnosis.redacted.clone(),
        }
    }

    /// The inputs that could not be analyzed.
    pub fn failed_inputs(&self) -> impl Iterator<Item = &Input<'a>> {
        self.inputs.iter().filter(|input| input.status == Status::Failed)
    }
}

impl<'a> Input<'a> {
    fn of((path, status): &'a (String, InputStatus)) -> Self {
        let (status, error) = match status {
            InputStatus::Ok => (Status::Ok, None),
            InputStatus::Partial => (Status::Partial, None),
            InputStatus::Failed(why) | InputStatus::NoDumps(why) => (Status::Failed, Some(&**why)),
        };
        Self { path, status, error }
    }
}

/// The diagnosis brings its headline; one without (a library user's) gets what the findings say.
fn headline<'a>(given: &'a str, findings: &[Finding<'a>], inputs: &[Input<'_>]) -> Cow<'a, str> {
    let failed = inputs.iter().filter(|input| input.status == Status::Failed).count();
    match findings.first() {
        _ if !given.is_empty() => given.into(),
        Some(worst) => worst.title.into(),
        None if failed == 0 => "no finding: nothing says that threads are stuck".into(),
        None => format!("no finding; {failed} of {} inputs could not be analyzed", inputs.len()).into(),
    }
}
