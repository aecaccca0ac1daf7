//! What a check says of the diagnosis.

use schemars::JsonSchema;
use serde::Serialize;

use crate::check::{Exceeded, Judgement, Limit, Standing};
use crate::rules::Severity;

/// What `logjam check` says.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Check<'a> {
    /// Whether no finding and no limit fails it. Inputs that could not be analyzed fail it too: see `inputs`.
    pub passed: bool,
    /// New findings of this severity or a worse one fail.
    pub fail_on: Severity,
    /// The findings that fail it: places in `findings`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub failing: Vec<usize>,
    /// Limits that a process exceeds.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub exceeded: Vec<ExceededLimit>,
    /// How many findings are in the baseline.
    pub known: usize,
    /// The findings that are ignored.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ignored: Vec<IgnoredFinding<'a>>,
    /// Findings of the baseline that no dump shows any more.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub gone: Vec<GoneFinding<'a>>,
}

/// Which limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum LimitKind {
    /// All threads.
    Threads,
    /// Threads that wait for a lock, asleep or spinning.
    Blocked,
}

/// A limit that a process exceeds.
#[derive(Clone, Copy, Debug, Serialize, JsonSchema)]
pub struct ExceededLimit {
    /// Which limit.
    pub limit: LimitKind,
    /// How many are allowed.
    pub allowed: u64,
    /// How many there are.
    pub found: u64,
    /// The process: a place in `snapshots`.
    pub snapshot: usize,
}

/// A finding that is ignored.
#[derive(Clone, Copy, Debug, Serialize, JsonSchema)]
pub struct IgnoredFinding<'a> {
    /// Its place in `findings`.
    pub finding: usize,
    /// Why it is ignored, where the configuration says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<&'a str>,
}

/// A finding of the baseline that is gone.
#[derive(Clone, Copy, Debug, Serialize, JsonSchema)]
pub struct GoneFinding<'a> {
    /// Its fingerprint.
    pub fingerprint: &'a str,
    /// Its rule.
    pub rule: &'a str,
    /// Its title when it was written down.
    pub title: &'a str,
}

impl<'a> Check<'a> {
    pub(super) fn of(judgement: &'a Judgement) -> Self {
        let ignored =
            judgement.standings.iter().enumerate().filter_map(|(finding, standing)| match standing {
                Standing::Ignored { reason } => Some(IgnoredFinding { finding, reason: reason.as_deref() }),
                Standing::New | Standing::Known => None,
            });
        let gone = judgement.gone.iter().map(|g| GoneFinding {
            fingerprint: &g.fingerprint,
            rule: &g.rule,
            title: &g.title,
        });
        Self {
            passed: judgement.passes(),
            fail_on: judgement.fail_on,
            failing: judgement.failing.clone(),
            exceeded: judgement.exceeded.iter().map(ExceededLimit::of).collect(),
            known: judgement.standings.iter().filter(|s| **s == Standing::Known).count(),
            ignored: ignored.collect(),
            gone: gone.collect(),
        }
    }
}

impl ExceededLimit {
    fn of(exceeded: &Exceeded) -> Self {
        let limit = match exceeded.limit {
            Limit::Threads => LimitKind::Threads,
            Limit::Blocked => LimitKind::Blocked,
        };
        Self { limit, allowed: exceeded.allowed, found: exceeded.found, snapshot: exceeded.snapshot }
    }
}
