use super::finding::{Blocked, Confidence, Finding, FindingHolder, Link, Location, RuleId, Severity};
use super::jam::clusters_of;
use super::words::threads;
use super::{Case, Rule, advice};
use crate::model::{Certainty, Evidence, ThreadIx};
use crate::waits::Target;

/// The row of this rule.
pub const RULE: Rule =
    Rule { id: RuleId::Deadlock, guide: include_str!("../../docs/rules/deadlock.md"), check };

fn check(case: &Case<'_>) -> Vec<Finding> {
    case.graph.rings().into_iter().filter(|ring| ring.len() >= 2).map(|ring| finding(case, ring)).collect()
}

fn finding(case: &Case<'_>, ring: Vec<ThreadIx>) -> Finding {
    let words = case.words();
    let cycle: Vec<Link> = ring.iter().filter_map(|&t| case.graph.link(t, case.waits)).collect();
    let certainty = cycle.iter().map(|link| link.certainty).min().unwrap_or(Certainty::Inferred);
    let transitive = case.graph.blocked_behind(&ring);
    let bystanders = transitive - ring.len() as u64;
    let step = |link: &Link| {
        let held_by = link.held_by.map(|t| words.thread(t)).unwrap_or_default();
        match &link.waits_for {
            Target::Lock(lock) => {
                format!(
                    "{} waits for {}, which {held_by} holds",
                    words.thread(link.thread),
                    words.lock(*lock)
                )
            }
            other => format!("{} waits for {}", words.thread(link.thread), words.target(other)),
        }
    };
    let steps: Vec<String> = cycle.iter().map(step).collect();
    let mut summary = format!("{}: none of them can go on.", steps.join("; "));
    if bystanders > 0 {
        let them = if bystanders == 1 { "waits" } else { "wait" };
        summary.push_str(&format!(" Behind them {} more {them}.", threads(bystanders)));
    }
    let mut evidence: Vec<Evidence> =
        cycle.iter().zip(&steps).map(|(link, step)| Evidence::new(link.certainty, step.clone())).collect();
    let locks: Vec<_> = cycle.iter().filter_map(|link| lock_of(&link.waits_for)).collect();
    for lock in &locks {
        evidence.extend(case.waits.lock(*lock).evidence.iter().cloned());
    }
    evidence.sort_by_key(|e| std::cmp::Reverse(e.certainty));
    let first_lock = locks.first().copied();
    let holder = first_lock.map(|lock| {
        let holder = case.waits.lock(lock).holder.clone();
        let thread = holder.thread().map(|(t, _)| t);
        FindingHolder {
            doing: thread.map(|t| words.doing(t)),
            cluster: thread.map(|t| case.clusters.cluster_of[t.at()]),
            holder,
        }
    });
    let names: Vec<String> = locks.iter().map(|&lock| words.lock(lock)).collect();
    let over = if names.is_empty() { "joins".into() } else { names.join(" and ") };
    let mut cause: Vec<String> = ring
        .iter()
        .filter_map(|&t| case.caller(t))
        .map(|frame| words.function(frame))
        .chain(locks.iter().filter_map(|&l| case.waits.lock(l).name.as_ref().map(|n| n.to_string())))
        .collect();
    cause.sort();
    cause.insert(0, RuleId::Deadlock.id().into());
    Finding {
        rule: RuleId::Deadlock,
        severity: Severity::Critical,
        confidence: match certainty {
            Certainty::Inferred => Confidence::Likely,
            Certainty::Reported | Certainty::Read => Confidence::Certain,
        },
        title: format!("{} wait for each other in a ring over {over}", threads(ring.len() as u64)),
        summary,
        blocked: Some(Blocked { direct: ring.len() as u64, transitive }),
        lock: first_lock,
        holder,
        pattern: None,
        chain: Vec::new(),
        root: None,
        clusters: clusters_of(case, &ring),
        location: ring.first().and_then(|&t| case.caller(t)).map(|frame| Location { frame }),
        threads: {
            let mut members = ring;
            members.sort_unstable();
            members
        },
        cycle,
        crash: None,
        evidence,
        advice: advice::for_deadlock(),
        cause,
        cause_detail: Vec::new(),
    }
}

fn lock_of(target: &Target) -> Option<crate::waits::LockIx> {
    match target {
        Target::Lock(lock) => Some(*lock),
        _ => None,
    }
}
