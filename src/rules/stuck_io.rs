//! # stuck-io
//!
//! Many threads are blocked in one kind of input or output that does not come back, or the kernel reports
//! tasks that wait for something else than a lock.
//!
//! ## What it finds
//!
//! - Tasks of a kernel in uninterruptible sleep that wait for I/O and for no lock: a disk, a journal's
//!   commit, a network file system. One is enough where the kernel's watchdog says that it has been
//!   blocked for 30 seconds or more; without a time it takes five.
//! - Tasks of which the watchdog says so and which wait for something else that is no lock: a completion,
//!   the end of a work, a grace period of RCU; or of which nothing says what they wait for.
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
//! It is `certain` that tasks of which the watchdog gives a time do not get on. Without a time it is
//! `likely`: a dump shows one moment, in which I/O may just be slow; and where the kernel marks all frames of
//! their stacks as guesses. It is `possible` where no function in
//! their stacks says what they wait for, or no stack of them is there.
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
//! - A completion or a work: find the task that should finish it (`echo t > /proc/sysrq-trigger`), often a
//!   kworker that is stuck itself, or a device that never sent its interrupt.
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

use rustc_hash::FxHashSet;

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

/// What tasks in uninterruptible sleep wait for, as their stacks say.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Awaited {
    /// A device, or somebody who stands in for one.
    Io,
    /// The end of a work, a grace period, a signal of another task: whatever is no lock.
    Event,
    /// Their stacks do not say it, or are not there.
    Unknown,
}

/// In which order findings of them are made.
const AWAITED: [Awaited; 3] = [Awaited::Io, Awaited::Event, Awaited::Unknown];

impl Awaited {
    /// Of a task that is told by no rule of locks. `holders`: who has a lock for which others wait is told with it.
    fn by(case: &Case<'_>, ix: ThreadIx, holders: &FxHashSet<ThreadIx>) -> Option<Self> {
        let activity = case.waits.of(ix);
        match activity.state {
            State::IoWait => Some(Self::Io),
            _ if holders.contains(&ix) => None,
            State::CondWait | State::Sleeping | State::JoinWait => Some(Self::Event),
            State::Unknown => Some(Self::Unknown),
            // For which lock, nothing says: `lock-contention` has none to tell of.
            State::LockWait if activity.wait.is_none() => Some(Self::Unknown),
            _ => None,
        }
    }
}

/// Tasks in uninterruptible sleep: whatever they do, somebody does not answer. Those that the watchdog reports are told,
/// whatever they wait for: that is why there is a dump.
fn of_kernel(case: &Case<'_>) -> Vec<Finding> {
    let is_task = |thread: &Thread| {
        thread.kind == ThreadKind::Task && thread.reported == Some(ReportedState::Uninterruptible)
    };
    let tasks = (0u32..).map(ThreadIx).zip(&case.snapshot.threads).filter(|(_, thread)| is_task(thread));
    let locks = case.waits.locks.iter().filter(|lock| !lock.waiters.is_empty());
    let holders: FxHashSet<ThreadIx> =
        locks.filter_map(|lock| lock.holder.thread()).map(|(t, _)| t).collect();
    let tasks: Vec<(ThreadIx, &Thread, Awaited)> =
        tasks.filter_map(|(ix, thread)| Some((ix, thread, Awaited::by(case, ix, &holders)?))).collect();
    AWAITED.into_iter().filter_map(|awaited| of_tasks(case, &tasks, awaited)).collect()
}

fn of_tasks(case: &Case<'_>, all: &[(ThreadIx, &Thread, Awaited)], awaited: Awaited) -> Option<Finding> {
    let is_long = |task: &Thread| task.waited_us.is_some_and(|us| us >= LONG_US);
    // Only I/O needs no time to be told of: where tasks wait for others, they often do so for long and by design.
    let is_meant = |task: &Thread| awaited == Awaited::Io || is_long(task);
    let tasks = all.iter().filter(|(_, task, by)| *by == awaited && is_meant(task));
    let (threads, tasks): (Vec<ThreadIx>, Vec<&Thread>) = tasks.map(|(ix, task, _)| (*ix, *task)).unzip();
    let times: Vec<u64> = tasks.iter().filter(|t| is_long(t)).filter_map(|t| t.waited_us).collect();
    let count = threads.len() as u64;
    if times.is_empty() && (count < TASKS || awaited != Awaited::Io) {
        return None;
    }
    let is_many = times.len() as u64 >= MANY || count >= active(case);
    let time = times.iter().max().map(|us| us / 1_000_000);
    let since = time.map(|s| format!(" for more than {} s", grouped(s))).unwrap_or_default();
    let (are, wait, their) = if count == 1 { ("is", "waits", "its") } else { ("are", "wait", "their") };
    let who = tasks_of(count);
    let mut evidence = Vec::new();
    if let Some(time) = time {
        evidence.push(Evidence::reported(match times.len() as u64 {
            1 => format!("the kernel says of 1 task that it is blocked, for {time} s"),
            n => {
                format!("the kernel says of {} that they are blocked, the longest for {time} s", tasks_of(n))
            }
        }));
    }
    let is_seen = |task: &&Thread| !case.snapshot.stacks.frames_of(task.stack).is_empty();
    let has_stacks = tasks.iter().any(is_seen);
    evidence.push(Evidence::reported(match awaited {
        Awaited::Unknown if !has_stacks => {
            format!("{who} {are} in uninterruptible sleep; {their} stack is not in the dump")
        }
        Awaited::Unknown => {
            format!(
                "{who} {are} in uninterruptible sleep; what for, no known function in {their} stacks says"
            )
        }
        _ => format!("{who} {are} in uninterruptible sleep and {wait} for no lock"),
    }));
    let title = match (awaited, threads.as_slice()) {
        (Awaited::Io, _) => format!("{who} {are} blocked in I/O{since}"),
        (Awaited::Event, &[one]) => {
            let doing = case.words().doing(one);
            let place =
                doing.strip_prefix("blocked ").map_or_else(|| format!(", {doing}"), |p| format!(" {p}"));
            format!("{who} {are} blocked{since}{place}")
        }
        (Awaited::Event, _) => format!("{who} {are} blocked{since} and {wait} for no lock"),
        (Awaited::Unknown, _) => format!("{who} {are} blocked{since}, what for is not known"),
    };
    let confidence = match (awaited, time) {
        (Awaited::Unknown, _) => Confidence::Possible,
        (_, Some(_)) if !tasks.iter().any(|task| case.is_guessed(task)) => Confidence::Certain,
        _ => Confidence::Likely,
    };
    let severity = if is_many { Severity::High } else { Severity::Medium };
    let meaning = match awaited {
        Awaited::Io => "No lock explains it: a device, a file system or a peer does not answer.",
        Awaited::Event => "No lock explains it: whoever should end the wait does not come to it.",
        Awaited::Unknown if has_stacks => {
            "No lock is named; a device, a file system or a peer may not answer."
        }
        Awaited::Unknown => "The log has no stack that says why.",
    };
    // The title says all that is known.
    let says_all = !has_stacks || (awaited == Awaited::Event && count == 1);
    let summary = says_all.then(|| format!("{}. {meaning}", super::jam::capital(&title)));
    let mut finding = finding(case, threads, severity, confidence, title, evidence, meaning);
    if let Some(summary) = summary {
        finding.summary = summary;
    }
    finding.advice = match awaited {
        Awaited::Io => finding.advice,
        Awaited::Event => advice::for_stuck_event(),
        Awaited::Unknown => advice::for_stuck_unknown(),
    };
    Some(finding)
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
        let meaning = "No lock is named; a device, a file system or a peer may not answer.";
        findings.push(finding(
            case,
            threads,
            Severity::Medium,
            Confidence::Possible,
            title,
            evidence,
            meaning,
        ));
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
    meaning: &str,
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
        summary: format!("{}: {}. {meaning}", super::jam::capital(&title), doing.join("; ")),
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
