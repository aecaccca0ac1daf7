//! The judgement itself.

use super::Policy;
use super::baseline::KnownFinding;
use super::date::Date;
use crate::diagnosis::Diagnosis;
use crate::model::Listing;
use crate::rules::Severity;

/// How a finding stands to what is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It fails the check if it is bad enough.
    New,
    /// It is in the baseline.
    Known,
    /// It is to be ignored.
    Ignored {
        /// Why.
        reason: Option<String>,
    },
}

/// A limit on threads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// On all threads of a process.
    Threads,
    /// On those that wait for a lock, asleep or spinning.
    Blocked,
}

/// A limit that a process exceeds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exceeded {
    /// Which.
    pub limit: Limit,
    /// What was allowed.
    pub allowed: u64,
    /// What it is.
    pub found: u64,
    /// The snapshot of the process.
    pub snapshot: usize,
}

/// An entry to ignore findings whose time is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expired {
    /// Which entry of the policy.
    pub entry: usize,
    /// Its last day.
    pub on: Date,
}

/// What a check says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judgement {
    /// The severity from which on findings fail.
    pub fail_on: Severity,
    /// Whether there was a baseline to compare with.
    pub has_baseline: bool,
    /// How each finding stands, in their order.
    pub standings: Vec<Standing>,
    /// The findings that fail the check, as places in the list of findings.
    pub failing: Vec<usize>,
    /// Limits that are exceeded.
    pub exceeded: Vec<Exceeded>,
    /// Known findings that no dump shows any more.
    pub gone: Vec<KnownFinding>,
    /// Entries that are not looked at any more.
    pub expired: Vec<Expired>,
}

impl Judgement {
    /// Whether the check passes, as far as findings and limits go.
    pub fn passes(&self) -> bool {
        self.failing.is_empty() && self.exceeded.is_empty()
    }
}

/// Holds a diagnosis against a policy.
pub fn judge(diagnosis: &Diagnosis, policy: &Policy) -> Judgement {
    let is_over = |expires: Option<Date>| expires.filter(|&day| day < policy.today);
    let ignored = |n: usize| {
        let ranked = &diagnosis.findings[n];
        let analyzed = diagnosis.snapshots.get(ranked.snapshot)?;
        policy.ignore.iter().find(|i| is_over(i.expires).is_none() && i.matcher.means(ranked, analyzed))
    };
    let standing = |n: usize| match (ignored(n), &policy.baseline) {
        (Some(entry), _) => Standing::Ignored { reason: entry.reason.clone() },
        (None, Some(baseline)) if baseline.contains(&diagnosis.findings[n].fingerprint) => Standing::Known,
        _ => Standing::New,
    };
    let standings: Vec<Standing> = (0..diagnosis.findings.len()).map(standing).collect();
    let fails = |n: &usize| {
        standings[*n] == Standing::New && diagnosis.findings[*n].finding.severity >= policy.fail_on
    };
    let failing = (0..standings.len()).filter(fails).collect();
    Judgement {
        fail_on: policy.fail_on,
        has_baseline: policy.baseline.is_some(),
        failing,
        standings,
        exceeded: exceeded(diagnosis, policy),
        gone: gone(diagnosis, policy),
        expired: (policy.ignore.iter().enumerate())
            .filter_map(|(entry, i)| Some(Expired { entry, on: is_over(i.expires)? }))
            .collect(),
    }
}

fn exceeded(diagnosis: &Diagnosis, policy: &Policy) -> Vec<Exceeded> {
    let mut exceeded = Vec::new();
    for (snapshot, analyzed) in diagnosis.snapshots.iter().enumerate() {
        if analyzed.snapshot.listing == Listing::Samples {
            continue;
        }
        let all = analyzed.waits.activities.iter().zip(&analyzed.snapshot.threads);
        let blocked = all.filter(|(activity, _)| activity.state.is_blocked());
        let blocked = blocked.fold(0u64, |sum, (_, thread)| sum.saturating_add(thread.weight));
        let threads = analyzed.snapshot.total();
        let limits =
            [(Limit::Threads, policy.max_threads, threads), (Limit::Blocked, policy.max_blocked, blocked)];
        for (limit, allowed, found) in limits {
            if let Some(allowed) = allowed.filter(|&allowed| found > allowed) {
                exceeded.push(Exceeded { limit, allowed, found, snapshot });
            }
        }
    }
    exceeded
}

/// A finding that was in a dump which could not be read is not gone.
fn gone(diagnosis: &Diagnosis, policy: &Policy) -> Vec<KnownFinding> {
    if diagnosis.inputs.iter().any(|(_, status)| status.error().is_some()) {
        return Vec::new();
    }
    let is_there = |known: &&KnownFinding| {
        diagnosis.findings.iter().any(|ranked| ranked.fingerprint == known.fingerprint)
    };
    policy.baseline.iter().flat_map(|b| b.iter()).filter(|known| !is_there(known)).cloned().collect()
}
