//! Which finding comes first. `docs/ranking.md` argues the order.

use super::{Analyzed, Ranked, Runbook};
use crate::cluster::Fingerprint;
use crate::rules::{Confidence, Finding, RULES, Severity, grouped};
use crate::waits::State;

/// What a severity is worth. A step is more than all that the rest can add, so that the order is
/// by severity first.
fn base(severity: Severity) -> f64 {
    match severity {
        Severity::Critical => 80.0,
        Severity::High => 60.0,
        Severity::Medium => 40.0,
        Severity::Low => 20.0,
        Severity::Info => 0.0,
    }
}

/// What the share of the threads that a finding stops can add.
const SHARE: f64 = 14.0;

/// What the confidence adds.
fn trust(confidence: Confidence) -> f64 {
    match confidence {
        Confidence::Certain => 5.0,
        Confidence::Likely => 3.0,
        Confidence::Possible => 0.0,
    }
}

/// The score of a finding in a process of so many threads, rounded to a tenth.
fn score(finding: &Finding, analyzed: &Analyzed) -> f64 {
    let stopped = finding.blocked.map_or_else(|| analyzed.snapshot.count(&finding.threads), |b| b.transitive);
    let share = stopped as f64 / (analyzed.snapshot.total().max(1)) as f64;
    let sum = base(finding.severity) + SHARE * share.min(1.0) + trust(finding.confidence);
    (sum * 10.0).round() / 10.0
}

/// Ranks the findings of a snapshot with this place in the list. The first runbook that means a finding is its own.
pub fn rank(
    findings: Vec<Finding>,
    snapshot: usize,
    analyzed: &Analyzed,
    runbooks: &[Runbook],
) -> Vec<Ranked> {
    findings
        .into_iter()
        .map(|finding| {
            let cause = Fingerprint::default().with_all(finding.cause.iter().map(String::as_str));
            let detail = cause.with_all(finding.cause_detail.iter().map(String::as_str));
            let (fingerprint, fingerprint_detail) = (cause.key(), detail.key());
            let prints = [fingerprint.as_str(), fingerprint_detail.as_str()];
            let runbook = runbooks.iter().find(|r| r.matcher.means_finding(&finding, prints, analyzed));
            Ranked {
                snapshot,
                score: score(&finding, analyzed),
                runbook: runbook.map(|r| r.link.clone()),
                fingerprint,
                fingerprint_detail,
                finding,
            }
        })
        .collect()
}

/// Sorts findings of all snapshots: a total order.
pub fn sort(findings: &mut [Ranked]) {
    let rule = |r: &Ranked| RULES.iter().position(|row| row.id == r.finding.rule);
    findings.sort_by(|a, b| {
        b.finding
            .severity
            .cmp(&a.finding.severity)
            .then_with(|| b.score.total_cmp(&a.score))
            .then_with(|| rule(a).cmp(&rule(b)))
            .then_with(|| a.snapshot.cmp(&b.snapshot))
            .then_with(|| a.fingerprint.cmp(&b.fingerprint))
            .then_with(|| a.finding.threads.cmp(&b.finding.threads))
    });
}

/// The answer in one line.
pub fn headline(findings: &[Ranked], snapshots: &[Analyzed]) -> String {
    if let Some(first) = findings.first() {
        return first.finding.title.clone();
    }
    if snapshots.is_empty() {
        return "nothing was analyzed".into();
    }
    let of = |state| snapshots.iter().map(|analyzed| in_state(analyzed, state)).sum::<u64>();
    let total: u64 = snapshots.iter().map(|analyzed| analyzed.snapshot.total()).sum();
    match of(State::LockWait) {
        0 if of(State::Unknown) * 2 > total => format!(
            "no finding, but of {} of {} threads this dump does not say what they do",
            grouped(of(State::Unknown)),
            grouped(total)
        ),
        0 => "no finding: nothing in this dump says that threads are stuck".into(),
        1 => "no finding: 1 thread waits for a lock, and nothing in this dump says that it will not get on"
            .into(),
        n => format!(
            "no finding: {} threads wait for locks, and nothing in this dump says that they will not get on",
            grouped(n)
        ),
    }
}

/// How many threads are in a state: all of a cluster are.
fn in_state(analyzed: &Analyzed, state: State) -> u64 {
    let clusters = analyzed.clusters.clusters.iter().filter(|cluster| cluster.state == state);
    clusters.map(|cluster| cluster.count).sum()
}
