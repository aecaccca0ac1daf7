//! # deadlock
//!
//! Threads wait for each other in a ring of locks and joins: none of them can ever go on.
//!
//! ## What it finds
//!
//! A ring in the graph of who waits for whom. Each member waits for something that the next one holds: a mutex, a
//! read-write lock, or the end of a thread. `cycle` has the members in ring order. Threads that only
//! wait behind the ring are counted in `blocked` and are not members.
//!
//! Also a deadlock that may happen, where the kernel's lockdep says so (`possible circular locking dependency`,
//! `possible recursive locking`, `inconsistent lock state`): `medium` and `possible`, with the task that took
//! locks in the order that lockdep complains of. Nobody is stuck in it.
//!
//! ## Why it matters
//!
//! A ring does not resolve itself. Every thread that needs one of its locks joins the jam, until the whole
//! process stands still. Waiting longer does not help.
//!
//! ## What counts as proof
//!
//! - *read*: for each member the lock it waits for, from registers or memory, and the owner field of that lock,
//!   which holds the next member's thread id.
//! - *reported*: the mutex arguments and the `__owner` that a debugger prints.
//! - *inferred*: a holder found from stacks, for locks without an owner field or without memory in the dump.
//!
//! `certain`: every link of the ring is read or reported. A ring with an inferred link is `likely`; check that
//! link first. Each link in `cycle` says how it is known.
//!
//! ## Confirm
//!
//! Check each link: the waiter's stack shows where it waits, the lock names its owner.
//!
//! ```sh
//! logjam core --thread 12        # each member of the ring in turn
//! gdb -batch -ex 'p ((pthread_mutex_t *) 0x55f0ce1aa140)->__data.__owner' \
//!     ./server core
//! ```
//!
//! The number in `__owner` is a kernel thread id: the `LWP` of gdb's `info threads`. A second dump ten seconds
//! later must show the same members at the same places; a real ring never changes.
//!
//! ```sh
//! gcore -o /tmp/second $PID && logjam core /tmp/second.$PID
//! ```
//!
//! ## Mitigate
//!
//! 1. Save a dump of the whole process: it is the only evidence.
//! 2. Restart the process. Nothing else frees a ring of mutexes.
//! 3. If it comes back within minutes, lower the concurrency (one worker, one queue) until the fix is there: with
//!    one thread at a time the ring cannot close.
//! 4. If one member is started by a configurable feature (a signal handler, a metrics exporter, a reload), turn
//!    that off.
//!
//! ## Escalate
//!
//! To the owners of the functions in `cycle`, all of them: the fix is an order in which both take the locks.
//! Attach the report, the dump, and for each member its stack (`--thread ID`). Say which member's order is the
//! unusual one, where you can tell.
//!
//! ## False alarms
//!
//! - A timed wait (`pthread_mutex_timedlock`, `try_lock_for`) breaks the ring by itself. The second
//!   dump shows it.
//! - lockdep knows classes of locks: two locks of one class that are always taken in one order look like one lock
//!   that is taken twice. The cure is a subclass (`mutex_lock_nested`).
//! - A link that is *inferred* may name the wrong holder. Without it there is no ring.

mod order;

use rustc_hash::FxHashSet;

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
    let own = case.graph.rings();
    let known: FxHashSet<Vec<ThreadIx>> = own.iter().map(|ring| members(ring)).collect();
    let told_of: FxHashSet<Vec<ThreadIx>> = told(case).map(members).collect();
    let rings = own.iter().filter(|ring| ring.len() >= 2).map(|ring| {
        let is_told = told_of.contains(&members(ring));
        finding(case, ring.clone(), is_told)
    });
    let only_told = told(case).filter(|ring| !known.contains(&members(ring)));
    rings.chain(only_told.map(|ring| finding_told(case, ring))).chain(order::check(case)).collect()
}

/// The rings that the producer of the dump calls deadlocks, as far as their members are in it.
fn told<'a>(case: &'a Case<'_>) -> impl Iterator<Item = &'a [ThreadIx]> {
    case.snapshot.rings.iter().map(|ring| ring.threads.as_slice()).filter(|threads| threads.len() >= 2)
}

/// Whoever is in a ring, whatever it begins with.
fn members(ring: &[ThreadIx]) -> Vec<ThreadIx> {
    let mut members = ring.to_vec();
    members.sort_unstable();
    members
}

/// A ring of which only the producer knows: the stacks do not show all of its links.
fn finding_told(case: &Case<'_>, ring: &[ThreadIx]) -> Finding {
    let mut finding = finding(case, ring.to_vec(), true);
    let next = ring.iter().copied().cycle().skip(1);
    finding.cycle = ring
        .iter()
        .zip(next)
        .map(|(&thread, next)| {
            let wait = case.waits.of(thread).wait.as_ref();
            let waits_for = wait.map_or(Target::Thread(next), |wait| wait.target.clone());
            Link { thread, waits_for, held_by: Some(next), certainty: Certainty::Reported }
        })
        .collect();
    finding.confidence = Confidence::Likely;
    finding
}

/// `is_told`: the producer calls it a deadlock too.
fn finding(case: &Case<'_>, ring: Vec<ThreadIx>, is_told: bool) -> Finding {
    let words = case.words();
    let cycle: Vec<Link> = ring.iter().filter_map(|&t| case.graph.link(t, case.waits)).collect();
    let transitive = case.graph.blocked_behind(&ring, case.snapshot);
    let direct = case.snapshot.count(&ring);
    let bystanders = transitive.saturating_sub(direct);
    let step = |link: &Link| {
        let waits = format!("{} waits for {}", words.thread(link.thread), words.target(&link.waits_for));
        match (&link.waits_for, link.held_by) {
            (Target::Lock(_), holder) => held(&waits, holder.map(|thread| words.thread(thread))),
            (Target::Thread(_) | Target::Child, _) => waits,
        }
    };
    let steps: Vec<String> = cycle.iter().map(step).collect();
    let ring_of = match steps.as_slice() {
        // Not even what they wait for is in the text.
        [] => "the producer of the dump calls them a deadlock".into(),
        steps => steps.join("; "),
    };
    let mut summary = format!("{ring_of}: none of them can go on.");
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
    if is_told {
        evidence.push(Evidence::reported("the producer of the dump found the same ring"));
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
    let confidence = super::jam::confidence_of_links(case, &cycle);
    Finding {
        summary,
        blocked: Some(Blocked { direct, transitive }),
        lock: first_lock,
        holder,
        clusters: clusters_of(case, &ring),
        location: ring.first().and_then(|&t| case.caller(t)).map(|frame| Location { frame }),
        threads: {
            let mut members = ring;
            members.sort_unstable();
            members
        },
        cycle,
        evidence,
        advice: advice::for_deadlock(case),
        cause,
        ..Finding::new(
            RuleId::Deadlock,
            Severity::Critical,
            confidence,
            format!("{} wait for each other in a ring over {over}", threads(direct)),
        )
    }
}

/// What is said of a wait for a lock. What a producer tells of a ring may be cut off before its last link.
fn held(waits: &str, holder: Option<String>) -> String {
    match holder {
        Some(holder) => format!("{waits}, which {holder} holds"),
        None => format!("{waits}, whose holder the text does not name"),
    }
}

fn lock_of(target: &Target) -> Option<crate::waits::LockIx> {
    match target {
        Target::Lock(lock) => Some(*lock),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_is_a_whole_sentence_without_its_holder_too() {
        let waits = "thread 7 waits for the monitor at 0x55f0";
        assert_eq!(
            held(waits, Some("thread 9".into())),
            "thread 7 waits for the monitor at 0x55f0, which thread 9 holds"
        );
        assert_eq!(
            held(waits, None),
            "thread 7 waits for the monitor at 0x55f0, whose holder the text does not name"
        );
    }
}
