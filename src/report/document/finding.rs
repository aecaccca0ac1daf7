//! What is wrong.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use super::claim::{Blocked, Crash, Evidence, Link, Test};
use super::cluster::Waited;
use super::frame::Location;
use super::holder::Holder;
use super::ids::{ClusterId, Ixs, LockId, share};
use super::resolve::Resolver;
use super::snapshot::Snapshot;
use super::thread_record::ThreadRef;
use crate::check::{Judgement, Standing};
use crate::diagnosis::Ranked;
use crate::rules::{Confidence, Pattern, RuleId, Severity};

/// The threads that a finding is about.
#[derive(Clone, Copy, Debug, Serialize, JsonSchema)]
pub struct FindingThreads<'a> {
    /// How many.
    pub count: u64,
    /// Their share of all threads of the snapshot, 0–1.
    pub share: f64,
    /// Which.
    pub ids: Ixs<'a>,
}

/// How a finding compares with the baseline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Baseline {
    /// Not in the baseline.
    New,
    /// In the baseline.
    Known,
    /// To be ignored, in the baseline or not.
    Ignored,
}

impl Baseline {
    /// Without a baseline a finding is neither new nor known; it may be ignored.
    pub(super) fn of(judgement: &Judgement, finding: usize) -> Option<Self> {
        Some(match judgement.standings.get(finding)? {
            Standing::Ignored { .. } => Self::Ignored,
            Standing::Known => Self::Known,
            Standing::New if judgement.has_baseline => Self::New,
            Standing::New => return None,
        })
    }
}

/// One finding.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Finding<'a> {
    /// The rule that found it.
    pub rule: RuleId,
    /// How bad it is for the process.
    pub severity: Severity,
    /// How sure it is. `certain`: no link of the claim *who waits for what, held by whom* is inferred.
    pub confidence: Confidence,
    /// 0–100: what the ranking sorted by.
    pub score: f64,
    /// `lj1:` and 16 hexadecimal digits: the same cause has the same value across runs, machines, addresses,
    /// ids and thread counts. The key for a ticket.
    #[schemars(regex(pattern = r"^lj1:[0-9a-f]{16}$"))]
    pub fingerprint: &'a str,
    /// The same with what the holder does: tells two incidents of one cause apart.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub fingerprint_detail: &'a str,
    /// One line that can stand alone in a ticket's subject.
    pub title: &'a str,
    /// Two to four plain sentences: what is stuck, on what, who holds it, what the holder does.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub summary: &'a str,
    /// The snapshot that shows it: a place in `snapshots` of the document.
    pub snapshot: usize,
    /// All snapshots that show it, where several do.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub snapshots: Vec<usize>,
    /// The threads that it is about; for a lock: the waiters.
    pub threads: FindingThreads<'a>,
    /// For findings about a lock: the threads that it stops.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub blocked: Option<Blocked>,
    /// The lock.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lock: Option<LockId>,
    /// Who holds the lock; always present where `lock` is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub holder: Option<Holder<'a>>,
    /// All holders, where several hold the lock (readers).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub holders: Vec<Holder<'a>>,
    /// What kind of contention it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pattern: Option<Pattern>,
    /// From the waiters to the root blocker, where the holder waits itself.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub chain: Vec<Link<'a>>,
    /// The thread at the end of the chain.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub root: Option<ThreadRef<'a>>,
    /// The ring of a deadlock, in its order, without bystanders.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub cycle: Vec<Link<'a>>,
    /// The clusters that show it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub clusters: Vec<ClusterId>,
    /// The place in the program that a person would open first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub location: Option<Location<'a>>,
    /// The tests whose threads it stops.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tests: Vec<Test<'a>>,
    /// Why the process died; for `crash` and `stack-overflow`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub crash: Option<Crash<'a>>,
    /// How long the threads have been waiting, where the dump says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waited_s: Option<Waited>,
    /// Each fact that it stands on, the strongest first.
    pub evidence: Vec<Evidence<'a>>,
    /// What to do next, concrete.
    pub advice: &'a [String],
    /// The link that the user configured for it, else the command that prints the built-in guide.
    pub runbook: String,
    /// How it compares with what is known and ignored; of `logjam check` only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub baseline: Option<Baseline>,
}

impl<'a> Finding<'a> {
    /// Its threads by cluster, the largest group first. The counts add up to that of the finding. Where the dump
    /// lists no threads: its clusters, if the finding is about all that is in them; else nothing.
    pub fn groups(&self, snapshot: &Snapshot<'_>) -> Vec<(Option<ClusterId>, u64)> {
        let mut counts: BTreeMap<Option<ClusterId>, u64> = BTreeMap::new();
        let ids = self.threads.ids.0;
        for alike in ids.chunk_by(|a, b| snapshot.cluster_of(*a) == snapshot.cluster_of(*b)) {
            *counts.entry(alike.first().and_then(|ix| snapshot.cluster_of(*ix))).or_insert(0) +=
                alike.len() as u64;
        }
        if self.threads.ids.0.is_empty() {
            let clusters = self.clusters.iter().filter_map(|id| snapshot.cluster(*id));
            counts = clusters.map(|cluster| (Some(cluster.id), cluster.count)).collect();
            if counts.values().sum::<u64>() != self.threads.count {
                counts.clear();
            }
        }
        let mut groups: Vec<_> = counts.into_iter().collect();
        groups.sort_by_key(|(id, count)| (std::cmp::Reverse(*count), *id));
        groups
    }

    pub(super) fn of(ranked: &'a Ranked, names: Resolver<'a>) -> Self {
        let finding = &ranked.finding;
        let lock = finding.lock.and_then(|ix| names.lock(ix));
        let told = finding.holder.as_ref().map(|holder| Holder::of_finding(holder, names));
        Self {
            rule: finding.rule,
            severity: finding.severity,
            confidence: finding.confidence,
            score: (ranked.score * 10.0).round() / 10.0,
            fingerprint: &ranked.fingerprint,
            fingerprint_detail: &ranked.fingerprint_detail,
            title: &finding.title,
            summary: &finding.summary,
            snapshot: ranked.snapshot,
            snapshots: Vec::new(),
            threads: FindingThreads {
                count: names.count(&finding.threads),
                share: share(names.count(&finding.threads), names.total()),
                ids: names.ixs(&finding.threads),
            },
            blocked: finding.blocked.map(|b| Blocked { direct: b.direct, transitive: b.transitive }),
            lock: finding.lock.map(LockId),
            holder: told.or_else(|| lock.map(|lock| Holder::of(&lock.holder, names))),
            holders: lock.map(|lock| Holder::all_of(lock, names)).unwrap_or_default(),
            pattern: finding.pattern,
            chain: Link::list(&finding.chain, names),
            root: finding.root.and_then(|thread| names.thread(thread)),
            cycle: Link::list(&finding.cycle, names),
            clusters: finding.clusters.iter().copied().map(ClusterId).collect(),
            location: finding.location.as_ref().map(|place| names.frame(place.frame).into()),
            tests: Test::list(&finding.tests, names),
            crash: finding.crash.as_ref().map(|facts| Crash::of(facts, names)),
            waited_s: Waited::of(&finding.threads, names),
            evidence: finding
                .evidence
                .iter()
                .map(|e| Evidence { certainty: e.certainty, text: &e.text, frame: None, offset: None })
                .collect(),
            advice: &finding.advice,
            runbook: ranked
                .runbook
                .clone()
                .unwrap_or_else(|| format!("logjam explain {}", finding.rule.id())),
            baseline: None,
        }
    }
}
