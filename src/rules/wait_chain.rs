//! # wait-chain
//!
//! A thread waits for another thread to end, and that one is stuck behind a lock.
//!
//! ## What it finds
//!
//! A join (`pthread_join`, `std::thread::join`, Rust's `JoinHandle`) of a thread that waits for a lock or
//! spins on
//! one. The other thread is followed, and if it waits too, so is the next. `chain` shows each step, `root` the
//! thread at the end. That thread is the one to look at. It is `high` where half of the threads or more are
//! stopped by the root, else `medium`.
//!
//! ## Why it matters
//!
//! The thread that people notice (the main thread, the request handler, the shutdown) is a victim. Its stack
//! says only that it waits. The cause is at the other end of the chain and may look harmless there: a `read`
//! from a peer that does not answer, a worker without work.
//!
//! ## What counts as proof
//!
//! - *read*: the thread that is joined, from the arguments in registers or memory; the lock and its owner field
//!   for steps that are locks.
//! - *reported*: the thread handle or the lock's owner as a debugger prints them.
//! - *inferred*: the holder of a lock without an owner field, from stacks.
//!
//! A chain is as sure as its weakest step: `certain` has none that is inferred, `likely` has one. Check an
//! inferred step before you act on what lies behind it. Waits for a future, a channel or a condition variable are
//! not followed: memory does not say who will answer.
//!
//! ## Confirm
//!
//! Walk the chain from its start, one thread at a time:
//!
//! ```sh
//! logjam core --thread 4332      # the victim: for whom does it wait?
//! logjam core --thread 4345      # the next one
//! gdb -batch -ex 'thread find 4345' -ex 'thread apply all bt' ./server core
//! ```
//!
//! For the thread at the end, on a live process:
//!
//! ```sh
//! sudo cat /proc/$PID/task/$ROOT/stack
//! cat /proc/$PID/task/$ROOT/wchan /proc/$PID/task/$ROOT/syscall
//! ls -l /proc/$PID/fd/4                    # for a call on descriptor 4
//! ss -tpno | grep pid=$PID                 # peers, timers, queues
//! ```
//!
//! A second dump ten seconds later: the same root at the same place is a hang, another place is slow work.
//!
//! ## Mitigate
//!
//! - Root in I/O: make the other end answer or go away. Closing the connection there ends the wait here.
//! - Root waits for a child process: look at the child with the same commands, end it if it may be ended.
//! - Root waits for a worker of a full pool: see whether the waiting threads occupy the pool themselves; a larger
//!   pool frees them at once.
//! - Shutdown that hangs in a join: save a dump, then end the process with `kill -9`.
//!
//! ## Escalate
//!
//! To the owners of the root thread's code, not of the victim's. Attach the report, the dump, the stacks of all
//! threads in `chain`, and what its other end (peer, disk, child process) was doing.
//!
//! ## False alarms
//!
//! - A main thread that joins its workers while the program runs is meant to wait. It is reported only if the
//!   joined thread is stuck.
//! - A step that is *inferred* can lead to the wrong thread of several alike.

use rustc_hash::{FxHashMap, FxHashSet};

use super::finding::{Blocked, Finding, Link, Location, RuleId, Severity};
use super::jam::clusters_of;
use super::words::threads;
use super::{Case, Rule, advice};
use crate::model::{Evidence, ThreadIx};
use crate::waits::Target;

/// The row of this rule.
pub const RULE: Rule =
    Rule { id: RuleId::WaitChain, guide: include_str!("../../docs/rules/wait-chain.md"), check };

/// Threads that join a thread which itself waits for a lock. A thread that joins a worker is waiting
/// by design; only that the worker is stuck makes it worth telling.
fn check(case: &Case<'_>) -> Vec<Finding> {
    let in_rings: FxHashSet<ThreadIx> = case.graph.rings().into_iter().flatten().collect();
    // Many may wait for one thread.
    let mut behind: FxHashMap<ThreadIx, u64> = FxHashMap::default();
    (0..case.snapshot.threads.len() as u32)
        .map(ThreadIx)
        .filter(|t| !in_rings.contains(t))
        .filter_map(|thread| {
            let Target::Thread(joined) = case.waits.of(thread).wait.as_ref()?.target else { return None };
            let is_stuck = case.waits.of(joined).state.is_blocked();
            is_stuck.then(|| finding(case, thread, &mut behind))
        })
        .collect()
}

/// `behind`: how many threads wait behind those that were asked for so far.
fn finding(case: &Case<'_>, thread: ThreadIx, behind: &mut FxHashMap<ThreadIx, u64>) -> Finding {
    let words = case.words();
    let path = case.graph.chain(thread);
    let chain: Vec<Link> = path.iter().filter_map(|&t| case.graph.link(t, case.waits)).collect();
    let root = path.last().copied().unwrap_or(thread);
    let behind = behind.entry(root).or_insert_with(|| case.graph.blocked_behind(&[root], case.snapshot));
    let transitive = behind.saturating_sub(case.snapshot.weight(root));
    let total = case.snapshot.total();
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
    let confidence = super::jam::confidence_of_links(case, &chain);
    Finding {
        summary: format!(
            "{}. At the end {root_does}. {} {} stopped.",
            steps.join("; "),
            threads(transitive),
            if transitive == 1 { "is" } else { "are" }
        ),
        threads: vec![thread],
        blocked: Some(Blocked { direct: case.snapshot.weight(thread), transitive }),
        root: Some(root),
        clusters: clusters_of(case, &path),
        location: case.caller(root).map(|frame| Location { frame }),
        chain,
        evidence,
        advice: advice::for_wait_chain(&words.thread(root)),
        cause,
        ..Finding::new(
            RuleId::WaitChain,
            if transitive * 2 >= total { Severity::High } else { Severity::Medium },
            confidence,
            format!(
                "{} waits for {joined}, which is stuck behind {}",
                words.thread(thread),
                words.thread(root)
            ),
        )
    }
}
