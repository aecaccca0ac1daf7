//! # stuck-io
//!
//! Many threads are blocked in one kind of input or output that does not come back.
//!
//! ## What it finds
//!
//! - Tasks of a kernel in uninterruptible sleep that wait for I/O and for no lock: a disk, a journal's
//!   commit, a network file system. One is enough where the kernel's watchdog says that it has been
//!   blocked for 30 seconds or more; without a time it takes five.
//! - Threads of a process in one function that writes or syncs: at least 10 and a quarter of those that have
//!   something to do for `fsync` and its like, at least 20 and half of them for writes.
//!
//! It is `high` where the watchdog reports three tasks or more, or all that have something to do are
//! stuck; else `medium`. Reads are not reported: a thread that reads from an idle connection waits as it
//! should.
//!
//! ## Why it matters
//!
//! No lock is held wrongly, so that nothing in the program explains it: the device, the file server or
//! the peer does not answer. Everything that touches the same file system follows, `ls` and the shutdown
//! included. Tasks in uninterruptible sleep cannot be killed.
//!
//! ## What counts as proof
//!
//! - *reported*: the state D of a task, the watchdog's `blocked for more than 140 seconds`, a runtime's
//!   `IO wait`.
//! - *read*: the system call of a thread, from its registers.
//! - *inferred*: that they wait for the same thing, because they stand in the same function.
//!
//! It is `certain` that tasks of which the watchdog gives a time do not get on; without a time it is
//! `likely`: a dump shows one moment, in which I/O may just be slow. It is `possible` where no function in
//! their stacks says what they wait for.
//!
//! ## Confirm
//!
//! ```sh
//! ps -eo pid,stat,wchan:32,comm | awk '$2 ~ /D/'    # who, and where
//! iostat -xz 5 3       # %util 100 without throughput: the device
//! dmesg -T | grep -iE 'i/o error|reset|timeout|nfs: server'
//! cat /proc/pressure/io; findmnt -t nfs,nfs4,cifs,fuse
//! ```
//!
//! A second dump after ten seconds: the same tasks at the same place are stuck, others at that place are
//! slow.
//!
//! ## Mitigate
//!
//! - A network file system: bring the server back, or `umount -f -l` the mount.
//! - FUSE: end the process that serves it, or `echo 1 > /sys/fs/fuse/connections/N/abort`.
//! - A frozen file system: `fsfreeze -u MOUNTPOINT`. A full one: make room.
//! - A pipe, a socket, a log collector that does not read: restart the reader.
//! - A device that is gone: fail over; the machine has to be restarted to get rid of its tasks.
//!
//! ## Escalate
//!
//! To those who run the storage or the peer, with the report, the kernel's log since the first timeout,
//! and the mount or device of the files (`ls -l /proc/$PID/fd`).
//!
//! ## False alarms
//!
//! - A device under full load: `iostat` shows throughput, and a second dump other tasks.
//! - Servers that send large files to slow clients have many threads in writes.

use std::collections::BTreeMap;

use super::finding::{Confidence, Finding, Location, RuleId, Severity};
use super::jam::clusters_of;
use super::words::grouped;
use super::{Case, Rule, advice};
use crate::model::{Certainty, Evidence, Listing, ReportedState, Str, Thread, ThreadIx, ThreadKind};
use crate::normalize::WaitKind;
use crate::waits::State;

/// The row of this rule.
pub const RULE: Rule =
    Rule { id: RuleId::StuckIo, guide: include_str!("../../docs/rules/stuck-io.md"), check };

/// Tasks that are blocked for so long are stuck, microseconds.
const LONG_US: u64 = 30_000_000;

/// So many tasks in uninterruptible sleep at once are no chance.
const TASKS: u64 = 5;

/// So many tasks that the watchdog reports are no single slow file.
const MANY: u64 = 3;

/// Kinds of I/O of a process: how many threads at one place, and which part of those that have something to do.
const KINDS: &[(WaitKind, u64, u64, &str)] =
    &[(WaitKind::Sync, 10, 4, "sync files"), (WaitKind::Write, 20, 2, "write")];

fn check(case: &Case<'_>) -> Vec<Finding> {
    if case.snapshot.listing == Listing::Samples {
        return Vec::new();
    }
    of_kernel(case).into_iter().chain(of_process(case)).collect()
}

/// Tasks in uninterruptible sleep: whatever they do, they wait for a device or for somebody who stands in for one.
fn of_kernel(case: &Case<'_>) -> Option<Finding> {
    let is_in = |(ix, thread): &(ThreadIx, &Thread), state| {
        thread.kind == ThreadKind::Task
            && thread.reported == Some(ReportedState::Uninterruptible)
            && case.waits.of(*ix).state == state
    };
    let all = || (0u32..).map(ThreadIx).zip(&case.snapshot.threads);
    let is_long = |us: &u64| *us >= LONG_US;
    let times_of = |tasks: &[(ThreadIx, &Thread)]| -> Vec<u64> {
        tasks.iter().filter_map(|(_, t)| t.waited_us).filter(is_long).collect()
    };
    let mut tasks: Vec<_> = all().filter(|task| is_in(task, State::IoWait)).collect();
    let mut times = times_of(&tasks);
    let is_known = !times.is_empty() || tasks.len() as u64 >= TASKS;
    if !is_known {
        // What they wait for their stacks do not say: most likely the same.
        tasks = all().filter(|task| is_in(task, State::Unknown)).collect();
        tasks.retain(|(_, task)| task.waited_us.as_ref().is_some_and(is_long));
        times = times_of(&tasks);
    }
    if times.is_empty() && !is_known {
        return None;
    }
    let threads: Vec<ThreadIx> = tasks.iter().map(|(ix, _)| *ix).collect();
    let count = threads.len() as u64;
    let is_all = count >= active(case);
    let is_many = times.len() as u64 >= MANY || is_all;
    let time = times.iter().max().map(|us| us / 1_000_000);
    let since = time.map(|s| format!(" for more than {} s", grouped(s))).unwrap_or_default();
    let are = if count == 1 { "is" } else { "are" };
    let mut evidence = Vec::new();
    if let Some(time) = time {
        let text = format!(
            "the kernel says of {} that they are blocked, the longest for {time} s",
            tasks_of(times.len() as u64)
        );
        evidence.push(Evidence::reported(text));
    }
    let waits = if count == 1 { "waits" } else { "wait" };
    evidence.push(if is_known {
        Evidence::reported(format!(
            "{} {are} in uninterruptible sleep and {waits} for no lock",
            tasks_of(count)
        ))
    } else {
        Evidence::reported(format!(
            "{} {are} in uninterruptible sleep; what for, no known function in their stacks says",
            tasks_of(count)
        ))
    });
    let confidence = match time {
        _ if !is_known => Confidence::Possible,
        Some(_) => Confidence::Certain,
        None => Confidence::Likely,
    };
    let severity = if is_many { Severity::High } else { Severity::Medium };
    Some(finding(
        case,
        threads,
        severity,
        confidence,
        match is_known {
            true => format!("{} {are} blocked in I/O{since}", tasks_of(count)),
            false => format!("{} {are} blocked{since}, most likely in I/O", tasks_of(count)),
        },
        evidence,
    ))
}

fn tasks_of(count: u64) -> String {
    if count == 1 { "1 task".into() } else { format!("{} tasks", grouped(count)) }
}

/// Threads of a process that write or sync at one place.
fn of_process(case: &Case<'_>) -> Vec<Finding> {
    let mut places: BTreeMap<(usize, Str), Vec<ThreadIx>> = BTreeMap::new();
    for (ix, thread) in (0u32..).map(ThreadIx).zip(&case.snapshot.threads) {
        if thread.kind == ThreadKind::Task || case.waits.of(ix).state != State::IoWait {
            continue;
        }
        let wait = case.readings.get(thread.stack).wait;
        let Some(kind) = KINDS.iter().position(|(kind, ..)| wait == Some(*kind)) else { continue };
        let Some(caller) = case.caller(ix) else { continue };
        places.entry((kind, case.meanings.get(caller).name.clone())).or_default().push(ix);
    }
    let active = active(case);
    let mut findings = Vec::new();
    for ((kind, caller), threads) in places {
        let Some((_, fewest, part, verb)) = KINDS.get(kind) else { continue };
        let count = case.snapshot.count(&threads);
        if count < *fewest || count.saturating_mul(*part) < active {
            continue;
        }
        let title = format!("{} {verb} in {caller} and do not get on", case.counted(count));
        let evidence = vec![Evidence::new(
            Certainty::Inferred,
            format!("{} are blocked in the same function, {caller}, at this moment", case.counted(count)),
        )];
        findings.push(finding(case, threads, Severity::Medium, Confidence::Possible, title, evidence));
    }
    findings
}

/// Threads that have something to do.
fn active(case: &Case<'_>) -> u64 {
    let idle = case.count_in(|state| matches!(state, State::Idle | State::CondWait));
    case.snapshot.total().saturating_sub(idle).max(1)
}

fn finding(
    case: &Case<'_>,
    threads: Vec<ThreadIx>,
    severity: Severity,
    confidence: Confidence,
    title: String,
    mut evidence: Vec<Evidence>,
) -> Finding {
    let words = case.words();
    let clusters = clusters_of(case, &threads);
    let certainty = if case.snapshot.image.is_some() { Certainty::Read } else { Certainty::Reported };
    let mut doing = Vec::new();
    for cluster in clusters.iter().map(|ix| case.clusters.get(*ix)).take(SHOWN) {
        if let Some(first) = cluster.threads.iter().find(|t| threads.binary_search(t).is_ok()) {
            doing.push(words.doing(*first));
            evidence.push(Evidence::new(
                certainty,
                format!("{} is {}", words.thread(*first), words.doing(*first)),
            ));
        }
    }
    evidence.sort_by_key(|e| std::cmp::Reverse(e.certainty));
    let first = threads.first().and_then(|&t| case.caller(t).or_else(|| case.first_meaningful(t)));
    let mut cause = vec![RuleId::StuckIo.id().to_owned()];
    cause.extend(first.map(|frame| words.function(frame)));
    Finding {
        summary: format!(
            "{}: {}. {}",
            super::jam::capital(&title),
            doing.join("; "),
            match confidence {
                Confidence::Possible => "No lock is named; a device, a file system or a peer may not answer.",
                _ => "No lock explains it: a device, a file system or a peer does not answer.",
            }
        ),
        threads,
        clusters,
        location: first.map(|frame| Location { frame }),
        evidence,
        advice: advice::for_stuck_io(),
        cause,
        ..Finding::new(RuleId::StuckIo, severity, confidence, title)
    }
}

/// Groups that are told of.
const SHOWN: usize = 4;
