use super::finding::{Blocked, Confidence, Finding, Link, Location, RuleId, Severity};
use super::jam::clusters_of;
use super::words::threads;
use super::{Case, Rule, advice};
use crate::model::{Certainty, Evidence, ThreadIx};
use crate::waits::{State, Target};

/// The row of this rule.
pub const RULE: Rule =
    Rule { id: RuleId::WaitChain, guide: include_str!("../../docs/rules/wait-chain.md"), check };

/// Threads that join a thread which itself waits for a lock. A thread that joins a worker is waiting
/// by design; only that the worker is stuck makes it worth telling.
fn check(case: &Case<'_>) -> Vec<Finding> {
    let rings = case.graph.rings();
    let in_ring = |t: &ThreadIx| rings.iter().flatten().any(|member| member == t);
    (0..case.snapshot.threads.len() as u32)
        .map(ThreadIx)
        .filter(|t| !in_ring(t))
        .filter_map(|thread| {
            let Target::Thread(joined) = case.waits.of(thread).wait.as_ref()?.target else { return None };
            let is_stuck = matches!(case.waits.of(joined).state, State::LockWait | State::Spinning);
            let is_first = case.graph.blocked_behind(&[thread]) >= 1;
            (is_stuck && is_first).then(|| finding(case, thread))
        })
        .collect()
}

fn finding(case: &Case<'_>, thread: ThreadIx) -> Finding {
    let words = case.words();
    let path = case.graph.chain(thread);
    let chain: Vec<Link> = path.iter().filter_map(|&t| case.graph.link(t, case.waits)).collect();
    let root = path.last().copied().unwrap_or(thread);
    let certainty = chain.iter().map(|link| link.certainty).min().unwrap_or(Certainty::Inferred);
    let transitive = case.graph.blocked_behind(&[root]) - 1;
    let total = case.snapshot.threads.len() as u64;
    let steps: Vec<String> = chain
        .iter()
        .map(|link| format!("{} waits for {}", words.thread(link.thread), words.target(&link.waits_for)))
        .collect();
    let joined = chain.first().map(|link| words.target(&link.waits_for)).unwrap_or_default();
    let root_does = format!("{} is {}", words.thread(root), words.doing(root));
    let mut evidence: Vec<Evidence> =
        chain.iter().zip(&steps).map(|(link, step)| Evidence::new(link.certainty, step.clone())).collect();
    evidence.sort_by_key(|e| std::cmp::Reverse(e.certainty));
    let last_lock = chain.iter().rev().find_map(|link| match link.waits_for {
        Target::Lock(lock) => Some(lock),
        _ => None,
    });
    let cause = std::iter::once(RuleId::WaitChain.id().to_owned())
        .chain(path.iter().filter_map(|&t| case.caller(t)).map(|f| words.function(f)))
        .chain(last_lock.and_then(|l| case.waits.lock(l).name.as_ref().map(|n| n.to_string())))
        .collect();
    Finding {
        rule: RuleId::WaitChain,
        severity: if transitive * 2 >= total { Severity::High } else { Severity::Medium },
        confidence: match certainty {
            Certainty::Inferred => Confidence::Likely,
            _ => Confidence::Certain,
        },
        title: format!(
            "{} waits for {joined}, which is stuck behind {}",
            words.thread(thread),
            words.thread(root)
        ),
        summary: format!(
            "{}. At the end {root_does}. {} {} stopped.",
            steps.join("; "),
            threads(transitive),
            if transitive == 1 { "is" } else { "are" }
        ),
        threads: vec![thread],
        blocked: Some(Blocked { direct: 1, transitive }),
        lock: None,
        holder: None,
        pattern: None,
        root: Some(root),
        clusters: clusters_of(case, &path),
        location: case.caller(root).map(|frame| Location { frame }),
        chain,
        cycle: Vec::new(),
        crash: None,
        evidence,
        advice: advice::for_wait_chain(&words.thread(root)),
        cause,
        cause_detail: Vec::new(),
    }
}
