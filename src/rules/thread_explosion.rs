use super::finding::{Confidence, Finding, RuleId, Severity};
use super::words::{grouped, percent};
use super::{Case, Rule, advice};
use crate::cluster::ClusterIx;
use crate::model::Evidence;

/// The row of this rule.
pub const RULE: Rule =
    Rule { id: RuleId::ThreadExplosion, guide: include_str!("../../docs/rules/thread-explosion.md"), check };

/// A limit that every Linux has unless it was raised, and from how many threads on it is near.
struct SystemLimit {
    threads: u64,
    near: u64,
    what: &'static str,
}

/// `pid_max` is 32,768 unless the machine has many processors (`kernel/pid.c`); and a glibc before
/// 2.42 needs two mappings a thread, of which a process may have 65,530 (`vm.max_map_count`).
const LIMITS: &[SystemLimit] = &[SystemLimit {
    threads: 32_768,
    near: 29_000,
    what: "the usual limit of thread ids (kernel.pid_max) and of mappings (vm.max_map_count, two a thread)",
}];

fn check(case: &Case<'_>) -> Vec<Finding> {
    let total = case.snapshot.threads.len() as u64;
    let over_limit = case.limits.max_threads.filter(|&limit| total > limit);
    let (severity, title, why) = if let Some(limit) = over_limit {
        let title = format!("{} threads, more than the limit of {}", grouped(total), grouped(limit));
        (Severity::High, title, format!("the limit that was set is {}", grouped(limit)))
    } else if let Some(limit) = LIMITS.iter().find(|limit| total >= limit.near) {
        let title =
            format!("{} threads, near the {} that Linux allows", grouped(total), grouped(limit.threads));
        (Severity::Medium, title, format!("{} is {}", grouped(limit.threads), limit.what))
    } else {
        return Vec::new();
    };
    let largest = case.clusters.clusters.first();
    let role = largest.map(|c| c.signature.join(" ← ")).unwrap_or_default();
    let grown = largest.map_or(0, |c| c.threads.len() as u64);
    let summary = format!(
        "The process has {} threads. {} of them ({}) do the same thing: {role}.",
        grouped(total),
        grouped(grown),
        percent(grown, total)
    );
    vec![Finding {
        rule: RuleId::ThreadExplosion,
        severity,
        confidence: Confidence::Certain,
        title,
        summary,
        threads: largest.map(|c| c.threads.clone()).unwrap_or_default(),
        blocked: None,
        lock: None,
        holder: None,
        pattern: None,
        chain: Vec::new(),
        root: None,
        cycle: Vec::new(),
        clusters: largest.map(|_| ClusterIx(0)).into_iter().collect(),
        location: None,
        crash: None,
        evidence: vec![
            Evidence::read(format!("the dump has {} threads", grouped(total))),
            Evidence::read(why),
        ],
        advice: advice::for_thread_explosion(),
        cause: std::iter::once(RuleId::ThreadExplosion.id().to_owned())
            .chain(largest.and_then(|c| c.signature.last().map(|s| s.to_string())))
            .collect(),
        cause_detail: Vec::new(),
    }]
}
