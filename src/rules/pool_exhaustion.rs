//! # pool-exhaustion
//!
//! Threads wait for something of which a pool has no more: a connection, or a worker that could do what all
//! workers wait for.
//!
//! ## What it finds
//!
//! - Three or more threads that wait in the functions of a pool of connections (`HikariPool.getConnection`,
//!   `sql.(*DB).conn`): all its connections are out.
//! - A pool of four or more workers, by the names of its threads, all of which wait for a future, a latch or a
//!   task, while none is free: nobody is left to do what they wait for, if it goes to the same pool.
//!
//! ## Why it matters
//!
//! It comes under load, stays when the load has gone, and no thread holds a lock: tools that look for locks
//! find nothing. A larger pool only moves it.
//!
//! ## What counts as proof
//!
//! - *read* or *reported*: the state of each thread.
//! - *inferred*: what they wait for, from the functions in the stacks. So a wait for connections is `likely` and
//!   never `certain`. That the future which a worker waits for needs a worker of the same pool no dump says: that
//!   finding is `possible`.
//!
//! ## Confirm
//!
//! ```sh
//! jcmd $PID Thread.print | grep -c getConnection   # how many wait?
//! curl -s localhost:8080/actuator/metrics/hikaricp.connections.active
//! psql -c "select state, count(*) from pg_stat_activity group by 1"
//! ```
//!
//! Look for the connections that are out: threads in queries, and transactions that are idle.
//!
//! ## Mitigate
//!
//! - End the longest transactions on the side of the database: their threads give their connections back.
//! - Workers that wait for their own pool: restart with a larger pool, then give the inner tasks a pool of their
//!   own.
//! - Set a limit to the wait (`connectionTimeout`), so that requests fail instead of piling up.
//!
//! ## Escalate
//!
//! To the owners of the code that takes the connections, with the report and the list of open transactions.
//!
//! ## False alarms
//!
//! - Workers that wait for work done elsewhere (another pool, another machine) look the same: then the finding
//!   is a hint where the time goes, and no deadlock.
//! - A pool that is full for a moment under load.

use std::collections::BTreeMap;

use super::finding::{Blocked, Confidence, Finding, Location, RuleId, Severity};
use super::jam::clusters_of;
use super::words::{percent, threads};
use super::{Case, Rule};
use crate::model::{Evidence, ThreadIx};
use crate::normalize::{ResourceClass, WaitKind, thread_name_pattern};
use crate::waits::State;

/// The row of this rule.
pub const RULE: Rule =
    Rule { id: RuleId::PoolExhaustion, guide: include_str!("../../docs/rules/pool-exhaustion.md"), check };

/// Fewer threads at a pool of connections are passing through.
const FEWEST_AT_POOL: u64 = 3;

/// A pool of fewer workers is none that can be told.
const FEWEST_WORKERS: usize = 4;

/// So many waiting threads are a jam of their own.
const MANY: u64 = 10;

fn check(case: &Case<'_>) -> Vec<Finding> {
    connections(case).into_iter().chain(workers(case)).collect()
}

fn each(case: &Case<'_>) -> impl Iterator<Item = ThreadIx> {
    (0..case.snapshot.threads.len() as u32).map(ThreadIx)
}

/// Threads that wait for a connection.
fn connections(case: &Case<'_>) -> Option<Finding> {
    let is_waiting = |t: &ThreadIx| {
        let reading = case.readings.get(case.snapshot.threads[t.at()].stack);
        reading.class == Some(ResourceClass::DbPool) && matches!(case.waits.of(*t).state, State::CondWait)
    };
    let waiting: Vec<ThreadIx> = each(case).filter(is_waiting).collect();
    if case.snapshot.count(&waiting) < FEWEST_AT_POOL {
        return None;
    }
    let count = case.snapshot.count(&waiting);
    let total = case.snapshot.total();
    let severity = if count >= MANY { Severity::High } else { Severity::Medium };
    let title = format!("{} ({}) wait for a connection of a pool", threads(count), percent(count, total));
    let mut finding = Finding::new(RuleId::PoolExhaustion, severity, Confidence::Likely, title);
    finding.summary = format!(
        "{} wait for a connection: the pool has none left. Who has them is not said by a lock: look for threads in \
         queries and for transactions that are idle.",
        threads(count)
    );
    finding.evidence =
        vec![Evidence::inferred("the innermost functions of their stacks take a connection from a pool")];
    finding.advice = vec![
        "Find the connections that are out before the pool is made larger: long queries, and transactions that are \
         idle."
            .into(),
    ];
    Some(placed(case, finding, waiting, "connections"))
}

/// Pools of which every worker waits for what a worker would have to do.
fn workers(case: &Case<'_>) -> Vec<Finding> {
    let mut pools: BTreeMap<String, Vec<ThreadIx>> = BTreeMap::new();
    for thread in each(case) {
        if let Some(name) = &case.snapshot.threads[thread.at()].name {
            pools.entry(thread_name_pattern(name)).or_default().push(thread);
        }
    }
    let waits_for_task = |t: &ThreadIx| {
        let reading = case.readings.get(case.snapshot.threads[t.at()].stack);
        let is_task = matches!(reading.wait, Some(WaitKind::Future | WaitKind::Barrier));
        is_task
            && !reading.is_idle_pool
            && case.waits.of(*t).state == State::CondWait
            && reading.caller.is_some()
    };
    let is_worker = |t: &ThreadIx| is_pool_worker(case, *t);
    pools
        .into_iter()
        .filter(|(_, pool)| {
            pool.len() >= FEWEST_WORKERS && pool.iter().all(waits_for_task) && pool.iter().all(is_worker)
        })
        .map(|(name, pool)| {
            let count = pool.len() as u64;
            let severity = if count >= MANY { Severity::High } else { Severity::Medium };
            let title = format!("all {} of the pool {name} wait for other tasks", threads(count));
            let mut finding = Finding::new(RuleId::PoolExhaustion, severity, Confidence::Possible, title);
            finding.summary = format!(
                "All {} of the pool {name} wait for tasks or latches, and none is free. If those tasks go to the same \
                 pool, nobody is left to do them.",
                threads(count)
            );
            finding.evidence = vec![Evidence::inferred(format!(
                "every thread called {name} waits for a future or latch below a worker's loop"
            ))];
            finding.advice = vec!["Give tasks that others wait for a pool of their own.".into()];
            placed(case, finding, pool, "workers")
        })
        .collect()
}

/// Whether a thread is a worker of a pool: its outermost functions wait for work.
fn is_pool_worker(case: &Case<'_>, thread: ThreadIx) -> bool {
    let stack = case.snapshot.threads[thread.at()].stack;
    case.snapshot.stacks.frames_of(stack).iter().any(|&f| POOL_LOOPS.contains(&&*case.meanings.get(f).name))
}

/// Functions in which the workers of pools run their tasks.
const POOL_LOOPS: &[&str] = &[
    "java.util.concurrent.ThreadPoolExecutor.runWorker",
    "java.util.concurrent.ThreadPoolExecutor$Worker.run",
    "java.util.concurrent.ForkJoinWorkerThread.run",
    "java.util.concurrent.ForkJoinPool.runWorker",
    "System.Threading.ThreadPoolWorkQueue.Dispatch",
    "System.Threading.PortableThreadPool+WorkerThread.WorkerThreadStart",
    "System.Threading.PortableThreadPool.WorkerThread.WorkerThreadStart",
];

fn placed(case: &Case<'_>, mut finding: Finding, waiting: Vec<ThreadIx>, what: &str) -> Finding {
    let words = case.words();
    let frame = waiting.first().and_then(|&t| case.caller(t).or_else(|| case.first_meaningful(t)));
    finding.location = frame.map(|frame| Location { frame });
    finding.clusters = clusters_of(case, &waiting);
    let transitive = case.graph.blocked_behind(&waiting, case.snapshot);
    finding.blocked = Some(Blocked { direct: case.snapshot.count(&waiting), transitive });
    finding.cause = [RuleId::PoolExhaustion.id().to_owned(), what.to_owned()]
        .into_iter()
        .chain(frame.map(|f| words.function(f)))
        .collect();
    finding.threads = waiting;
    finding
}
