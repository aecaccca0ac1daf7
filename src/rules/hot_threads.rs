//! # hot-threads
//!
//! Threads used the CPU, and no lock explains it.
//!
//! ## What it finds
//!
//! Threads that were running when the dump was taken and had used at least one second of CPU; of these,
//! all that used at least a quarter of what the busiest one did. Only a dump with CPU times shows them:
//! ELF cores have these, gdb's text has not. Threads that spin on a lock word are not reported here: see
//! `logjam explain spin-wait`. The main thread is left out: in a core its time cannot be told from that
//! of threads that have ended. It is `info`, because a healthy program works.
//!
//! In a profile (`perf script`, folded stacks): the function in which most of the samples are that do not
//! rest, with its share; `info` too.
//!
//! In a kernel's log: the task that a processor does not get away from, as the watchdog says (soft and
//! hard lockups, stalls of RCU). That is `high`.
//!
//! ## Why it matters
//!
//! A process that does not answer and uses a full processor is not stuck on a lock: it computes. An
//! endless loop, a quadratic algorithm on large input, a regular expression that backtracks, a full
//! garbage collection. Other threads may wait for what the hot thread will produce.
//!
//! ## What counts as proof
//!
//! - *read*: the thread was in no system call that waits; its CPU time from the notes of the dump.
//!
//! It is `certain` that the thread ran at this moment and how much CPU it had used. That it is hot now is
//! not: CPU
//! time counts since the thread's start, so that an old thread may be cool now. A second dump shows it.
//!
//! ## Confirm
//!
//! ```sh
//! top -H -b -n 2 -d 5 -p $PID | tail -40    # the second table counts
//! pidstat -t -p $PID 5 2
//! perf record -g -p $PID -- sleep 10 && perf report --stdio | head -60
//! cat /proc/$PID/task/$TID/schedstat         # ns on CPU, now and 5 s later
//! ```
//!
//! For an interpreter the native stack shows the interpreter only; ask it for its own stack:
//!
//! ```sh
//! py-spy dump --pid $PID       # Python
//! jstack -l $PID               # JVM: nid is the thread id in hexadecimal
//! kill -QUIT $PID              # Go: all goroutines; ENDS the process
//! ```
//!
//! A second dump ten seconds later: the same function on top is a loop, other functions under one common
//! caller are a long computation, with that caller as its place.
//!
//! ## Mitigate
//!
//! - One request or one file does it: cancel it, keep a copy, block its repetition.
//! - An endless loop in one worker: take the instance out of the load balancer, save a dump, restart it.
//! - A slow algorithm on large data: limit the size of the input; run fewer of them at a time.
//! - Others suffer: lower the priority of the hot thread with `renice -n 10 -p $TID`, or limit the CPU of
//!   the process.
//! - Much time in a garbage collector: memory is the cause. Look at its log, raise the heap or lower the
//!   load.
//!
//! ## Escalate
//!
//! To the owners of the function in `where`, with the report, the profile of `perf record` (`perf script`
//! output where debug files are not at hand), both dumps and the input.
//!
//! ## False alarms
//!
//! - Work that is expected: compilation, compression, a batch job. Ask what the process should be doing.
//! - Pollers by design, and a thread that a dump tool itself made run.
//! - A thread with much CPU time from a busy past that ran by chance at this moment.

mod profile;

use super::finding::{Confidence, Finding, Location, RuleId, Severity};
use super::jam::clusters_of;
use super::words::grouped;
use super::{Case, Rule, advice};
use crate::model::{Evidence, FailureKind, Listing, ThreadIx};
use crate::waits::State;

/// The row of this rule.
pub const RULE: Rule =
    Rule { id: RuleId::HotThreads, guide: include_str!("../../docs/rules/hot-threads.md"), check };

/// Less CPU time than this is not worth telling, microseconds.
const LEAST_CPU_US: u64 = 1_000_000;

/// Threads with at least this part of the time of the busiest one are told of, per cent.
const SHARE: u64 = 25;

/// Threads that used the processor, where no lock explains it. Worth knowing, no more: a healthy program works.
fn check(case: &Case<'_>) -> Vec<Finding> {
    if case.snapshot.listing == Listing::Samples {
        return profile::check(case).into_iter().collect();
    }
    match stall(case) {
        Some(finding) => vec![finding],
        None => busy(case),
    }
}

/// A task that a processor does not get away from, as the kernel's watchdog says.
fn stall(case: &Case<'_>) -> Option<Finding> {
    let failure = case.snapshot.process.failure.as_ref().filter(|f| f.kind == FailureKind::Stall)?;
    let words = case.words();
    let thread = failure.thread;
    let is_doing = thread
        .filter(|t| shows_something(case, *t))
        .map(|t| format!("{} is {}", words.thread(t), words.doing(t)));
    let frame = thread.and_then(|t| case.first_meaningful(t));
    let members: Vec<ThreadIx> = thread.into_iter().collect();
    let mut evidence = vec![Evidence::reported(format!("the kernel's watchdog says: {}", failure.message))];
    let is_guessed =
        thread.and_then(|t| case.snapshot.threads.get(t.at())).is_some_and(|record| case.is_guessed(record));
    evidence.extend(is_doing.iter().map(|said| match is_guessed {
        true => Evidence::inferred(format!("{said}, by words on its stack that may be no calls")),
        false => Evidence::reported(format!("{said}, by its stack")),
    }));
    Some(Finding {
        severity: Severity::High,
        confidence: if is_guessed { Confidence::Likely } else { Confidence::Certain },
        title: match (&is_doing, thread) {
            (Some(said), _) => format!("{}: {said}", failure.message),
            (None, Some(thread)) => format!("{}: {}", failure.message, words.thread(thread)),
            (None, None) => failure.message.to_string(),
        },
        summary: format!(
            "The kernel's watchdog says: {}. {}",
            failure.message,
            match (&is_doing, thread) {
                (Some(said), _) => format!("{}.", super::jam::capital(said)),
                (None, Some(thread)) => format!("No stack says what {} does.", words.thread(thread)),
                (None, None) => "No stack says which task it is.".into(),
            }
        ),
        clusters: clusters_of(case, &members),
        location: frame.map(|frame| Location { frame }),
        evidence,
        advice: advice::for_stall(case),
        cause: std::iter::once(RuleId::HotThreads.id().to_owned())
            .chain(frame.map(|f| words.function(f)))
            .collect(),
        ..empty(members)
    })
}

/// Whether the stack of a thread is there and says what it does.
fn shows_something(case: &Case<'_>, thread: ThreadIx) -> bool {
    let has_frames = case
        .snapshot
        .threads
        .get(thread.at())
        .is_some_and(|record| !case.snapshot.stacks.frames_of(record.stack).is_empty());
    has_frames && (case.waits.of(thread).state != State::Running || case.first_meaningful(thread).is_some())
}

/// Threads that ran and had used the processor.
fn busy(case: &Case<'_>) -> Vec<Finding> {
    // In a core the record of the first thread holds the time of the whole group, from which that of
    // the others is taken away: with threads that have ended it comes out too large.
    let is_leader = |t: &crate::model::Thread| t.tid.is_some() && t.tid == case.snapshot.process.pid;
    let mut hot: Vec<(u64, ThreadIx)> = (0u32..)
        .map(ThreadIx)
        .zip(&case.snapshot.threads)
        .filter(|(ix, t)| {
            let reading = case.readings.get(t.stack);
            case.waits.of(*ix).state == State::Running && !reading.is_abort && !is_leader(t)
        })
        .filter_map(|(ix, t)| Some((t.cpu_us.filter(|&us| us >= LEAST_CPU_US)?, ix)))
        .collect();
    hot.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
    let Some(&(most, busiest)) = hot.first() else { return Vec::new() };
    hot.retain(|(us, _)| is_hot(*us, most));
    let words = case.words();
    let mut members: Vec<ThreadIx> = hot.iter().map(|(_, t)| *t).collect();
    members.sort_unstable();
    let seconds = most as f64 / 1e6;
    let doing = words.doing(busiest);
    vec![Finding {
        title: format!(
            "{} used the processor, the most {} with {seconds:.1} s, {doing}",
            case.counted(case.snapshot.count(&members)),
            words.thread(busiest)
        ),
        summary: format!(
            "{} ran and had used CPU time when the dump was taken, and no lock explains it. The busiest, {}, is {doing}.",
            super::jam::capital(&case.counted(case.snapshot.count(&members))),
            words.thread(busiest)
        ),
        clusters: clusters_of(case, &members),
        location: case.first_meaningful(busiest).map(|frame| Location { frame }),
        evidence: hot
            .iter()
            .take(5)
            .map(|(us, t)| {
                Evidence::read(format!("{} used {} ms of CPU", words.thread(*t), grouped(us / 1_000)))
            })
            .collect(),
        advice: advice::for_hot_threads(),
        cause: std::iter::once(RuleId::HotThreads.id().to_owned())
            .chain(case.first_meaningful(busiest).map(|f| words.function(f)))
            .collect(),
        ..empty(members)
    }]
}

fn empty(threads: Vec<ThreadIx>) -> Finding {
    Finding {
        threads,
        ..Finding::new(RuleId::HotThreads, Severity::Info, Confidence::Certain, String::new())
    }
}

/// Whether a thread with this time is told of beside the busiest one.
fn is_hot(us: u64, most: u64) -> bool {
    // A damaged dump may state any time.
    u128::from(us) * 100 >= u128::from(most) * u128::from(SHARE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn absurd_cpu_times_do_not_overflow() {
        assert!(is_hot(u64::MAX, u64::MAX));
        assert!(!is_hot(u64::MAX / 5, u64::MAX));
        assert!(is_hot(25, 100) && !is_hot(24, 100));
    }
}
