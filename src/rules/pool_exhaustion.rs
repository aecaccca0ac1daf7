//! # pool-exhaustion
//!
//! Threads wait for something of which a pool has no more: a connection, or a worker that could do what all
//! workers wait for.
//!
//! ## What it finds
//!
//! - Three or more threads that wait in the functions of a pool of connections (`HikariPool.getConnection`,
//!   `sql.(*DB).conn`), of an HTTP client's connections (`AbstractConnPool.getPoolEntryBlocking`) or of
//!   other objects (`GenericObjectPool.borrowObject`): all of them are out.
//! - A pool of four or more workers, by the names of its threads, all of which wait for a future, a latch or a
//!   task, while none is free: nobody is left to do what they wait for, if it goes to the same pool.
//! - The same of .NET's thread pool, whose threads have no names: by the loop in which they all are. That is
//!   what waiting for a `Task` in place of `await` leads to (`Task.Wait`, `.Result`).
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
//! dotnet-counters monitor -p $PID System.Runtime    # .NET: the queue grows?
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
//! - .NET: `ThreadPool.SetMinThreads` helps at once, `await` in place of `.Result` for good.
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
    resources(case).into_iter().chain(workers(case)).collect()
}

fn each(case: &Case<'_>) -> impl Iterator<Item = ThreadIx> {
    (0..case.snapshot.threads.len() as u32).map(ThreadIx)
}

/// What a pool hands out, and what to say of it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Resource {
    /// A connection to a database.
    Connection,
    /// A connection of an HTTP client.
    HttpConnection,
    /// An object, which the stack does not say more of.
    Object,
}

impl Resource {
    const ALL: &[Self] = &[Self::Connection, Self::HttpConnection, Self::Object];

    /// For what the threads wait; who may have it; what to do; the word for the fingerprint.
    fn words(self) -> [&'static str; 4] {
        match self {
            Self::Connection => [
                "a connection of a pool",
                "look for threads in queries and for transactions that are idle",
                "Find the connections that are out before the pool is made larger: long queries, and transactions that are \
                 idle.",
                "connections",
            ],
            Self::HttpConnection => [
                "a connection of an HTTP client's pool",
                "look for threads in requests, and for responses that were not closed",
                "Find the connections that are out before the pool is made larger: slow servers, and responses that nobody \
                 closes. The limit for one host is often the smaller one.",
                "http-connections",
            ],
            Self::Object => [
                "an object of a pool",
                "look for threads that use one",
                "Find the objects that are out before the pool is made larger: slow users, and such that never give one back.",
                "objects",
            ],
        }
    }
}

/// Where a thread waits for a connection of an HTTP client.
///
/// Source: Apache HttpClient 3 MultiThreadedHttpConnectionManager.java; 4.0-4.2 impl/conn/tsccm/; HttpCore 4.2-4.4
/// pool/AbstractConnPool.java; HttpClient 5 impl/io/PoolingHttpClientConnectionManager.java, whose lease is a class
/// without a name.
const HTTP_POOLS: &[&str] = &[
    "org.apache.commons.httpclient.MultiThreadedHttpConnectionManager.doGetConnection",
    "org.apache.http.impl.conn.tsccm.WaitingThread.await",
    "org.apache.http.pool.AbstractConnPool.getPoolEntryBlocking",
    "org.apache.http.pool.PoolEntryFuture.await",
    "org.apache.hc.client5.http.impl.io.PoolingHttpClientConnectionManager$1.get",
];

/// How the functions of pools begin that hand out whatever a program puts in.
const OBJECT_POOLS: &[&str] = &["org.apache.commons.pool2."];

/// For what of a pool a thread waits.
fn resource(case: &Case<'_>, thread: ThreadIx) -> Option<Resource> {
    if case.waits.of(thread).state != State::CondWait {
        return None;
    }
    let stack = case.snapshot.threads[thread.at()].stack;
    if case.readings.get(stack).class == Some(ResourceClass::DbPool) {
        // Whose objects they are, only its users say.
        let mut pools = case.snapshot.stacks.frames_of(stack).iter().map(|&f| case.meanings.get(f));
        let is_named = pools.any(|meaning| {
            meaning.class == Some(ResourceClass::DbPool)
                && !OBJECT_POOLS.iter().any(|start| meaning.name.starts_with(start))
        });
        return Some(if is_named { Resource::Connection } else { Resource::Object });
    }
    let name = &case.meanings.get(case.caller(thread)?).name;
    HTTP_POOLS.contains(&&**name).then_some(Resource::HttpConnection)
}

/// Threads that wait for a connection, or for another thing of which a pool has no more.
fn resources(case: &Case<'_>) -> Vec<Finding> {
    let waiting: Vec<(ThreadIx, Resource)> =
        each(case).filter_map(|thread| Some((thread, resource(case, thread)?))).collect();
    let of = |kind: &Resource| {
        let of_kind = waiting.iter().filter(|(_, resource)| resource == kind);
        exhausted(case, *kind, of_kind.map(|(thread, _)| *thread).collect())
    };
    Resource::ALL.iter().filter_map(of).collect()
}

fn exhausted(case: &Case<'_>, resource: Resource, waiting: Vec<ThreadIx>) -> Option<Finding> {
    let count = case.snapshot.count(&waiting);
    if count < FEWEST_AT_POOL {
        return None;
    }
    let [what, who, advice, cause] = resource.words();
    let total = case.snapshot.total();
    let severity = if count >= MANY { Severity::High } else { Severity::Medium };
    let title = format!("{} ({}) wait for {what}", threads(count), percent(count, total));
    let mut finding = Finding::new(RuleId::PoolExhaustion, severity, Confidence::Likely, title);
    let noun = what.split(" of ").next().unwrap_or(what);
    finding.summary = format!(
        "{} wait for {noun}: the pool has none left. Who has them is not said by a lock: {who}.",
        threads(count)
    );
    finding.evidence =
        vec![Evidence::inferred(format!("the innermost functions of their stacks take {noun} from a pool"))];
    finding.advice = vec![advice.into()];
    Some(placed(case, finding, waiting, cause))
}

/// What a pool of workers is called, and its workers.
struct Pool {
    /// In a sentence: `the pool http-*`.
    name: String,
    /// What its threads have in common.
    common: String,
    advice: &'static str,
    workers: Vec<ThreadIx>,
}

/// Pools of which every worker waits for what a worker would have to do.
fn workers(case: &Case<'_>) -> Vec<Finding> {
    let mut of_name: BTreeMap<String, Vec<ThreadIx>> = BTreeMap::new();
    for thread in each(case) {
        if let Some(name) = &case.snapshot.threads[thread.at()].name {
            of_name.entry(thread_name_pattern(name)).or_default().push(thread);
        }
    }
    let is_worker = |t: &ThreadIx| is_in(case, *t, POOL_LOOPS);
    let named =
        of_name.into_iter().filter(|(_, pool)| pool.iter().all(is_worker)).map(|(name, workers)| Pool {
            common: format!("called {name}"),
            name: format!("the pool {name}"),
            advice: "Give tasks that others wait for a pool of their own.",
            workers,
        });
    let waits_for_task = |t: &ThreadIx| waits_for_task(case, *t);
    named
        .chain(dotnet_pool(case))
        .filter(|pool| pool.workers.len() >= FEWEST_WORKERS && pool.workers.iter().all(waits_for_task))
        .map(|Pool { name, common, advice, workers }| {
            let count = workers.len() as u64;
            let severity = if count >= MANY { Severity::High } else { Severity::Medium };
            let title = format!("all {} of {name} wait for other tasks", threads(count));
            let mut finding = Finding::new(RuleId::PoolExhaustion, severity, Confidence::Possible, title);
            finding.summary = format!(
                "All {} of {name} wait for tasks or latches, and none is free. If those tasks go to the same pool, nobody \
                 is left to do them.",
                threads(count)
            );
            finding.evidence = vec![Evidence::inferred(format!(
                "every thread {common} waits for a future or latch below a worker's loop"
            ))];
            finding.advice = vec![advice.into()];
            placed(case, finding, workers, "workers")
        })
        .collect()
}

fn waits_for_task(case: &Case<'_>, thread: ThreadIx) -> bool {
    let reading = case.readings.get(case.snapshot.threads[thread.at()].stack);
    matches!(reading.wait, Some(WaitKind::Future | WaitKind::Barrier))
        && !reading.is_idle_pool
        && case.waits.of(thread).state == State::CondWait
        && reading.caller.is_some()
        // What a pool of connections keeps it from is no task.
        && resource(case, thread).is_none()
}

/// The threads of .NET's pool, of which a process has one and which have no names. Their loop is managed since .NET 6;
/// before, and where Windows has the pool, a worker that is free shows no frame, so that nobody knows whether there is
/// one.
fn dotnet_pool(case: &Case<'_>) -> Option<Pool> {
    // Most dumps have no such function at all, and many threads.
    if !case.meanings.iter().any(|meaning| DOTNET_POOL.contains(&&*meaning.name)) {
        return None;
    }
    let of_pool = each(case).filter(|t| case.snapshot.threads[t.at()].name.is_none());
    let workers: Vec<ThreadIx> = of_pool.filter(|t| is_in(case, *t, DOTNET_POOL)).collect();
    let has_loop = |t: &ThreadIx| is_in(case, *t, DOTNET_LOOPS);
    (!workers.is_empty() && workers.iter().all(has_loop)).then(|| Pool {
        name: ".NET's thread pool".into(),
        common: "of the pool".into(),
        advice: "Await tasks all the way up: .Result, .Wait() and GetAwaiter().GetResult() keep a thread of the pool while \
                 the task needs another one.",
        workers,
    })
}

/// Whether a thread is in one of these functions.
fn is_in(case: &Case<'_>, thread: ThreadIx, functions: &[&str]) -> bool {
    let stack = case.snapshot.threads[thread.at()].stack;
    case.snapshot.stacks.frames_of(stack).iter().any(|&f| functions.contains(&&*case.meanings.get(f).name))
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

/// Functions of the threads of .NET's pool, and those of them in which a worker is from its begin to its end.
///
/// Source: .NET 8 System/Threading/PortableThreadPool.WorkerThread.cs, ThreadPoolWorkQueue.cs.
const DOTNET_POOL: &[&str] =
    &["System.Threading.ThreadPoolWorkQueue.Dispatch", DOTNET_LOOPS[0], DOTNET_LOOPS[1]];
const DOTNET_LOOPS: &[&str] = &[
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
