//! # thread-explosion
//!
//! There are more threads than the limit that was set, a pool is larger than its size, or there are
//! nearly as many threads as Linux allows.
//!
//! ## What it finds
//!
//! More threads in one process than `--max-threads N` (`high`), or at least 29,000 (`medium`): a machine
//! has 32,768
//! thread ids unless `kernel.pid_max` was raised, and a process as many mappings as two for each thread
//! allow (`vm.max_map_count`). The finding names the largest cluster and how much of the process it is.
//!
//! A pool that `logjam.toml` or `--pool` gives a size, and that has more threads (`high`).
//!
//! At least 1,000 goroutines or virtual threads, and two in five of all, that wait at one place for
//! something that is neither input nor work to do (`medium`): with who started them, where the dump says
//! so. Where the function's name says that they are workers it is only mentioned (`info`). Not where half as
//! many others wait for input: a server has one or two for each connection.
//!
//! ## Why it matters
//!
//! Each thread costs a stack, kernel memory and a slot under `pids.max`, `ulimit -u` and
//! `kernel.threads-max`. At the limit `pthread_create` fails with `EAGAIN`, and what fails then is
//! whatever needs a thread next: logins, health checks, the garbage collector. Long before that the
//! scheduler and every tool that lists threads are slow.
//!
//! ## What counts as proof
//!
//! - *read*: the number of threads. A count needs no inference.
//!
//! It is `certain`, but for goroutines: that these are a leak is concluded. Whether it is a leak or a
//! large pool one dump does not say; two dumps with growth between them prove a leak. Where the dump is
//! incomplete the number is a lower bound.
//!
//! ## Confirm
//!
//! ```sh
//! grep Threads /proc/$PID/status
//! for i in 1 2 3 4 5 6; do ls /proc/$PID/task | wc -l; sleep 10; done
//! ps -L -o etimes=,tid=,comm= -p $PID | sort -n | head   # the youngest
//! cat /sys/fs/cgroup/pids.current /sys/fs/cgroup/pids.max
//! cat /proc/sys/kernel/threads-max; ulimit -u
//! ```
//!
//! - Grows steadily: a leak. Grows with the load and stays: a pool without an upper limit.
//! - Grew at once and then stays: threads start faster than they finish, because they all wait for
//!   something. Then that is the cause: look at the finding about the lock or the I/O first.
//! - Thread names (`thread_names` of the cluster) usually say which library starts them.
//!
//! ## Mitigate
//!
//! 1. Near a limit: raise it now (`systemctl set-property UNIT TasksMax=N`, the container's pids limit),
//!    to win time.
//! 2. Stop what makes new ones: a retry storm, a client that reconnects, a timer that starts a thread
//!    each time.
//! 3. Set an upper limit to the pool; make it reject or queue instead of starting threads.
//! 4. A leak: restart in a rolling way, before the limit is reached. Growth per hour tells how often.
//!
//! ## Escalate
//!
//! To the owners of the function that creates the threads, with two dumps and the time between them, the
//! counts of the loop above, the thread names, and the settings of the pool.
//!
//! ## False alarms
//!
//! - Servers with one thread for each connection have as many threads as connections: compare with
//!   `ss -tn | wc -l`.
//! - Pools that start at their maximum (JVM and database servers) are large and idle by design. Set the
//!   limit to what the service is built for.

use std::collections::BTreeMap;

use super::finding::{Confidence, Finding, RuleId, Severity};
use super::words::{grouped, percent};
use super::{Case, Pool, Rule, advice};
use crate::cluster::ClusterIx;
use crate::model::{Evidence, Listing, Thread, ThreadIx, ThreadKind, is_like};
use crate::normalize::WaitKind;
use crate::waits::State;

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
    if case.snapshot.listing == Listing::Samples {
        return Vec::new();
    }
    let pools = case.limits.pools.iter().filter_map(|pool| of_pool(case, pool));
    of_process(case).into_iter().chain(leak(case)).chain(pools).collect()
}

/// So many goroutines at one place are worth a look.
const LEAK: u64 = 1_000;

/// They are out of proportion where they are at least two in five of all.
const LEAK_PART: (u64, u64) = (2, 5);

/// Goroutines that wait so long, microseconds, wait for nobody.
const LONG_US: u64 = 60_000_000;

/// Thousands of goroutines that wait at one place for something that is neither input nor work to do. A server with
/// 5,000 connections has 5,000 of them in reads and often as many again beside these (writers): these are healthy.
fn leak(case: &Case<'_>) -> Option<Finding> {
    let total = case.snapshot.total();
    let is_light = |t: &ThreadIx| {
        let kind = case.snapshot.threads.get(t.at()).map(|thread| thread.kind);
        matches!(kind, Some(ThreadKind::Goroutine | ThreadKind::Virtual | ThreadKind::Fiber))
    };
    let (ix, cluster) = (0u32..).map(ClusterIx).zip(&case.clusters.clusters).find(|(_, cluster)| {
        cluster.state == State::CondWait && cluster.threads.first().is_some_and(is_light)
    })?;
    let count = cluster.count;
    if count < LEAK || count.saturating_mul(LEAK_PART.1) < total.saturating_mul(LEAK_PART.0) {
        return None;
    }
    // One for each connection.
    let connections = case.count_in(|state| matches!(state, State::IoWait)).saturating_add(polling(case));
    if connections.saturating_mul(2) >= count {
        return None;
    }
    let words = case.words();
    let noun = match cluster.threads.first().map(|t| case.snapshot.threads[t.at()].kind) {
        Some(ThreadKind::Goroutine) => "goroutines",
        Some(ThreadKind::Virtual) => "virtual threads",
        _ => "fibers",
    };
    let place = cluster.threads.first().and_then(|&t| case.first_meaningful(t));
    let at = place.map(|frame| words.function(frame)).unwrap_or_else(|| "one place".into());
    let creators = creators(case, cluster);
    let started = started(&creators);
    let waited = |t: &&ThreadIx| case.snapshot.threads[t.at()].waited_us.is_some_and(|us| us >= LONG_US);
    let long = cluster.threads.iter().filter(waited).count() as u64;
    let mut evidence = vec![Evidence::reported(format!(
        "{} of {} {noun} ({}) wait in {at}",
        grouped(count),
        grouped(total),
        percent(count, total)
    ))];
    if long > 0 {
        evidence
            .push(Evidence::reported(format!("{} of them have waited for a minute or more", grouped(long))));
    }
    for (name, count) in creators.iter().take(MOST_CREATORS) {
        evidence.push(Evidence::reported(format!("{} of them were started by {name}", grouped(*count))));
    }
    let is_pool = place.is_some_and(|frame| case.meanings.saying(frame).waits_for_work());
    let confidence = if long * 2 >= count && !is_pool { Confidence::Likely } else { Confidence::Possible };
    let guess = match confidence {
        _ if is_pool => "a large pool, or a leak",
        Confidence::Likely => "most likely a leak",
        _ => "it may be a leak",
    };
    Some(Finding {
        confidence,
        title: format!("{} {noun} wait in {at}{started}: {guess}", grouped(count)),
        summary: format!(
            "{} of {} {noun} ({}) do the same thing: they wait in {at}{started}. That is out of proportion to what \
             else the process does: whoever should answer them is gone, or they are started faster than they end.",
            grouped(count),
            grouped(total),
            percent(count, total)
        ),
        threads: cluster.threads.clone(),
        clusters: vec![ix],
        location: place.map(|frame| super::finding::Location { frame }),
        evidence,
        cause: [RuleId::ThreadExplosion.id().to_owned(), "leak".into(), at]
            .into_iter()
            .chain(creators.first().map(|(name, _)| (*name).to_owned()))
            .collect(),
        ..empty(if is_pool { Severity::Info } else { Severity::Medium })
    })
}

/// Idle ones that poll: connections without traffic.
fn polling(case: &Case<'_>) -> u64 {
    let is_poll = |thread: &&Thread| {
        let wait = case.readings.get(thread.stack).wait;
        matches!(wait, Some(WaitKind::Poll | WaitKind::Accept | WaitKind::Read))
    };
    let idle = case.waits.activities.iter().zip(&case.snapshot.threads);
    let idle = idle.filter(|(activity, _)| activity.state == State::Idle).map(|(_, thread)| thread);
    idle.filter(is_poll).fold(0, |sum, thread| sum.saturating_add(thread.weight))
}

/// So many of those who started them are told.
const MOST_CREATORS: usize = 3;

/// Who started how many of them, where the dump says so of each; the most first.
fn creators<'a>(case: &Case<'a>, cluster: &crate::cluster::Cluster) -> Vec<(&'a str, u64)> {
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    for thread in &cluster.threads {
        let frame = case.snapshot.threads.get(thread.at()).and_then(|thread| thread.creator);
        let name = frame.and_then(|frame| case.snapshot.stacks.get(frame).function.as_deref());
        let Some(name) = name else { return Vec::new() };
        *counts.entry(name).or_default() += 1;
    }
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_by_key(|&(name, count)| (std::cmp::Reverse(count), name));
    counts
}

/// `, started by main.serve`, `, started by main.serve and 2 others`.
fn started(creators: &[(&str, u64)]) -> String {
    match creators {
        [] => String::new(),
        [(only, _)] => format!(", started by {only}"),
        [(one, _), (other, _)] => format!(", started by {one} and {other}"),
        [(first, _), others @ ..] => format!(", started by {first} and {} others", others.len()),
    }
}

/// The process as a whole.
fn of_process(case: &Case<'_>) -> Option<Finding> {
    let total = case.snapshot.total();
    let over_limit = case.limits.max_threads.filter(|&limit| total > limit);
    let (severity, title, why) = if let Some(limit) = over_limit {
        let title = format!("{} threads, more than the limit of {}", grouped(total), grouped(limit));
        (Severity::High, title, format!("the limit that was set is {}", grouped(limit)))
    } else {
        let limit = LIMITS.iter().find(|limit| total >= limit.near)?;
        let title =
            format!("{} threads, near the {} that Linux allows", grouped(total), grouped(limit.threads));
        (Severity::Medium, title, format!("{} is {}", grouped(limit.threads), limit.what))
    };
    let largest = case.clusters.clusters.first();
    let role = largest.map(|c| c.signature.join(" ← ")).unwrap_or_default();
    let grown = largest.map_or(0, |c| c.count);
    let summary = format!(
        "The process has {} threads. {} of them ({}) do the same thing: {role}.",
        grouped(total),
        grouped(grown),
        percent(grown, total)
    );
    Some(Finding {
        title,
        summary,
        threads: largest.map(|c| c.threads.clone()).unwrap_or_default(),
        clusters: largest.map(|_| ClusterIx(0)).into_iter().collect(),
        evidence: vec![
            Evidence::read(format!("the dump has {} threads", grouped(total))),
            Evidence::read(why),
        ],
        cause: std::iter::once(RuleId::ThreadExplosion.id().to_owned())
            .chain(largest.and_then(|c| c.signature.last().map(|s| s.to_string())))
            .collect(),
        ..empty(severity)
    })
}

/// A pool of the user's that is larger than it should be.
fn of_pool(case: &Case<'_>, pool: &Pool) -> Option<Finding> {
    let threads: Vec<ThreadIx> = (0u32..)
        .zip(&case.snapshot.threads)
        .filter(|(_, thread)| belongs(case, pool, thread))
        .map(|(n, _)| ThreadIx(n))
        .collect();
    let (count, total) = (case.snapshot.count(&threads), case.snapshot.total());
    if count <= pool.size {
        return None;
    }
    let name = pool.threads.iter().chain(&pool.frame).map(String::as_str).collect::<Vec<_>>().join(" in ");
    let mut clusters: Vec<ClusterIx> =
        threads.iter().filter_map(|t| case.clusters.cluster_of.get(t.at()).copied()).collect();
    clusters.sort_unstable();
    clusters.dedup();
    Some(Finding {
        title: format!("the pool {name} has {} threads, its size is {}", grouped(count), grouped(pool.size)),
        summary: format!(
            "{} of {} threads ({}) belong to the pool {name}, which should have {} at most.",
            grouped(count),
            grouped(total),
            percent(count, total),
            grouped(pool.size)
        ),
        threads,
        clusters,
        evidence: vec![
            Evidence::read(format!("{} threads are like {name}", grouped(count))),
            Evidence::read(format!("the size that was set is {}", grouped(pool.size))),
        ],
        cause: vec![RuleId::ThreadExplosion.id().to_owned(), "pool".into(), name],
        ..empty(Severity::High)
    })
}

/// Whether a thread is one of the pool. A pool without name and frame has none.
fn belongs(case: &Case<'_>, pool: &Pool, thread: &Thread) -> bool {
    let has_frame = |pattern: &str| {
        let frames = case.snapshot.stacks.frames_of(thread.stack);
        frames.iter().any(|&frame| is_like(pattern, &case.meanings.get(frame).name))
    };
    let checks = [
        pool.threads.as_ref().map(|p| thread.name.as_deref().is_some_and(|name| is_like(p, name))),
        pool.frame.as_ref().map(|p| has_frame(p)),
    ];
    checks.iter().any(Option::is_some) && checks.iter().flatten().all(|&holds| holds)
}

fn empty(severity: Severity) -> Finding {
    Finding {
        advice: advice::for_thread_explosion(),
        ..Finding::new(RuleId::ThreadExplosion, severity, Confidence::Certain, String::new())
    }
}
