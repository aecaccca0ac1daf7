//! # runtime-stall
//!
//! The runtime of the language holds the threads up: its collector, its interpreter lock, pinned carriers, its
//! finalizer.
//!
//! ## What it finds
//!
//! - Threads that their runtime has stopped, as the dump says of each of them: a collection, a safepoint, the
//!   wait for Python's interpreter lock. At least three, and half of the threads that have something to do.
//! - Virtual threads that wait while they keep their carrier: pinned. Where every carrier is pinned, no other
//!   virtual thread can run. Reading and writing files keeps the carrier by design and is not meant.
//! - Virtual threads that are ready to run and have no carrier, ten and more, in a dump that names carriers.
//! - A finalizer thread that is stuck in an object's own code: nothing is finalized any more. By its name, or,
//!   of .NET, by the `Finalize` with which its stack begins.
//! - Two and more threads of a JVM up to JDK 12 that are inside static initializers and wait for a class of which
//!   that JVM does not say which it is.
//!
//! Where the dump names the class, waits for it to be initialized are told by `lock-contention` and
//! `deadlock`, with the thread that initializes it.
//!
//! ## Why it matters
//!
//! From outside it looks like a deadlock, and no lock of the program is involved: every thread stands where it
//! happened to be. Looking for a lock costs the night.
//!
//! ## What counts as proof
//!
//! - *reported*: the state of each thread as the runtime prints it (`GC assist wait`, `Waiting for the GIL`,
//!   `WaitingForGcToComplete`), the carrier of each virtual thread.
//! - *inferred*: that a virtual thread which waits on its carrier is pinned there; that the finalizer is stuck,
//!   from its stack; that threads inside static initializers wait for the classes of each other.
//!
//! It is `likely` and never `certain`, `possible` where only carriers are missing or no class is named: a dump
//! shows one moment, and a runtime may be busy for a moment.
//!
//! ## Confirm
//!
//! ```sh
//! jstat -gcutil $PID 1000 5         # Java: is the collector busy?
//! jcmd $PID GC.heap_info
//! GODEBUG=gctrace=1 ./server        # Go, at the next start
//! py-spy dump --native --pid $PID   # Python: where is the one with the GIL?
//! ```
//!
//! A second dump ten seconds later: the same threads in the same state is a stall, others are a busy runtime.
//!
//! ## Mitigate
//!
//! - Collector: more memory, or fewer threads that allocate. Restart before it runs out.
//! - Interpreter lock: release it around the long native call, or move that work to a process of its own.
//! - Pinned carriers: replace `synchronized` around the blocking call by a `ReentrantLock`, or raise
//!   `jdk.virtualThreadScheduler.parallelism`.
//! - Finalizer: close resources in the program (`try`-with-resources) and not in `finalize`.
//!
//! ## Escalate
//!
//! To the owners of the runtime's settings, with the report, three dumps, and the log of the collector.
//!
//! ## False alarms
//!
//! - Threads that compute in Python take turns: all but one wait for the interpreter lock at any moment. That is
//!   normal for them, and `medium` at most.
//! - A dump is taken at a safepoint: what stopped the threads may be the dump itself.

mod initializers;

use super::finding::{Confidence, Finding, Location, RuleId, Severity};
use super::jam::clusters_of;
use super::words::{grouped, percent, threads};
use super::{Case, Rule};
use crate::model::{Certainty, Evidence, ReportedState, StackIx, ThreadIx, ThreadKind};
use crate::waits::{Lock, LockKind, State};

/// The row of this rule.
pub const RULE: Rule =
    Rule { id: RuleId::RuntimeStall, guide: include_str!("../../docs/rules/runtime-stall.md"), check };

/// Fewer stopped threads are passing through.
const FEWEST: u64 = 3;

/// So many are a stall worth a ticket.
const MANY: u64 = 10;

/// What the thread that runs finalizers is called: HotSpot, OpenJ9, ART.
const FINALIZERS: &[&str] = &["Finalizer", "Finalizer thread", "FinalizerDaemon"];

fn check(case: &Case<'_>) -> Vec<Finding> {
    [stopped(case), pinned(case), starved(case), finalizer(case), initializers::check(case)]
        .into_iter()
        .flatten()
        .collect()
}

fn all(case: &Case<'_>, is_meant: impl Fn(ThreadIx) -> bool) -> Vec<ThreadIx> {
    (0..case.snapshot.threads.len() as u32).map(ThreadIx).filter(|t| is_meant(*t)).collect()
}

/// Threads that the runtime has stopped.
fn stopped(case: &Case<'_>) -> Option<Finding> {
    if case.count_in(|state| state == State::Runtime) < FEWEST {
        return None;
    }
    let state = |t: ThreadIx| case.waits.of(t).state;
    let owner = owner(case);
    // Who has the lock that the others wait for works for the runtime, and is not stopped by it.
    let stopped = all(case, |t| state(t) == State::Runtime && owner.is_none_or(|(owner, _)| owner != t));
    let active = case.count_in(|state| !matches!(state, State::Idle | State::CondWait));
    let count = case.snapshot.count(&stopped);
    if count < FEWEST || count * 2 < active {
        return None;
    }
    let total = case.snapshot.total();
    let running = all(case, |t| state(t) == State::Running);
    let words = case.words();
    let who = match running.as_slice() {
        _ if owner.is_some() => owner.map(|(owner, _)| has_it(case, owner)).unwrap_or_default(),
        &[one] => format!(" One thread runs: {} is {}.", words.thread(one), words.doing(one)),
        _ => String::new(),
    };
    // A thread that rests with the lock does not give it back by itself, as one that computes does.
    let is_kept = owner.is_some_and(|(owner, _)| {
        let state = state(owner);
        state.is_blocked()
            || matches!(state, State::IoWait | State::Sleeping | State::CondWait | State::JoinWait)
    });
    let severity = match (count >= MANY, is_kept) {
        (true, true) => Severity::High,
        (true, false) | (false, true) => Severity::Medium,
        (false, false) => Severity::Info,
    };
    let title = format!("{} ({}) are stopped by their runtime", threads(count), percent(count, total));
    let mut finding = Finding::new(RuleId::RuntimeStall, severity, Confidence::Likely, title);
    finding.summary = format!(
        "{} of {} wait for their runtime and not for a lock of the program: its collector, a safepoint or the \
         interpreter lock.{who}",
        threads(count),
        threads(total)
    );
    finding.evidence = vec![Evidence::reported(format!(
        "the dump says of {} that the runtime holds them up",
        threads(count)
    ))];
    if let Some((owner, certainty)) = owner {
        let text = format!("{} has the interpreter lock", words.thread(owner));
        finding.evidence.push(Evidence::new(certainty, text));
    }
    finding.advice = vec![
        "Take two more dumps ten seconds apart: the same threads in this state are a stall, others a busy runtime."
            .into(),
    ];
    let place = owner.map(|(owner, _)| owner).or(running.first().copied());
    Some(placed(case, finding, stopped, place, "stopped"))
}

/// Who has the interpreter lock that others wait for, as the dump says.
fn owner(case: &Case<'_>) -> Option<(ThreadIx, Certainty)> {
    let wanted = |lock: &&Lock| lock.kind == LockKind::Gil && !lock.waiters.is_empty();
    let lock = case.waits.locks.iter().find(wanted)?;
    lock.holder.thread().filter(|(_, certainty)| *certainty != Certainty::Inferred)
}

/// What the thread with the interpreter lock does, in a sentence.
fn has_it(case: &Case<'_>, owner: ThreadIx) -> String {
    let words = case.words();
    let name = super::jam::capital(&words.thread(owner));
    match case.waits.of(owner).state {
        State::Runtime => {
            format!(" {name} has the interpreter lock and works for the runtime: it collects garbage.")
        }
        _ => format!(" {name} has the interpreter lock; it is {}.", words.doing(owner)),
    }
}

/// Virtual threads that wait and keep their carrier.
fn pinned(case: &Case<'_>) -> Option<Finding> {
    // Reading and writing files keeps the carrier by design: that is no wait that could have given it back.
    let record = |t: ThreadIx| &case.snapshot.threads[t.at()];
    let parking = (0..case.snapshot.stacks.stack_count() as u32).map(StackIx);
    let parking: Vec<bool> = parking.map(|stack| parks_on_carrier(case, stack)).collect();
    let parks = |t: ThreadIx| parking[record(t).stack.at()];
    let is_waiting = |t: ThreadIx| {
        parks(t)
            || matches!(
                case.waits.of(t).state,
                State::LockWait | State::CondWait | State::Sleeping | State::JoinWait
            )
    };
    let carried =
        all(case, |t| parks(t) || (record(t).kind == ThreadKind::Virtual && record(t).carrier.is_some()));
    let pinned: Vec<ThreadIx> = carried.iter().copied().filter(|t| is_waiting(*t)).collect();
    if pinned.is_empty() {
        return None;
    }
    let is_all = pinned.len() == carried.len();
    let severity = if is_all && pinned.len() > 1 { Severity::High } else { Severity::Medium };
    let count = pinned.len() as u64;
    let which = if is_all { "every carrier that carries one is" } else { "these carriers are" };
    let title = match count {
        1 => "a virtual thread waits and keeps its carrier (pinned)".to_owned(),
        n => format!("{n} virtual threads wait and keep their carriers (pinned)"),
    };
    let mut finding = Finding::new(RuleId::RuntimeStall, severity, Confidence::Likely, title);
    let words = case.words();
    let first = pinned[0];
    finding.summary = format!(
        "{} is {}, and keeps its carrier: {which} lost to the other virtual threads meanwhile.",
        super::jam::capital(&words.thread(first)),
        words.doing(first)
    );
    finding.evidence = vec![Evidence::new(
        Certainty::Reported,
        format!("the dump shows {count} waiting virtual threads on carriers"),
    )];
    finding.advice = vec![
        "Replace synchronized around the blocking call by a ReentrantLock, and do not block in static initializers."
            .into(),
    ];
    Some(placed(case, finding, pinned, Some(first), "pinned"))
}

/// A park that could not give the carrier back.
///
/// Source: OpenJDK 21-25 java/lang/VirtualThread.java.
const PINNED: &str = "java.lang.VirtualThread.parkOnCarrierThread";

/// How many of the innermost frames are looked at for it.
const INNERMOST: usize = 4;

fn parks_on_carrier(case: &Case<'_>, stack: StackIx) -> bool {
    let mut frames = case.snapshot.stacks.frames_of(stack).iter().take(INNERMOST);
    frames.any(|f| &*case.meanings.get(*f).name == PINNED)
}

/// Virtual threads that are ready and get no carrier, in a dump that tells carriers.
fn starved(case: &Case<'_>) -> Option<Finding> {
    let record = |t: ThreadIx| &case.snapshot.threads[t.at()];
    let is_ready = |t: ThreadIx| {
        record(t).kind == ThreadKind::Virtual && record(t).reported == Some(ReportedState::RunningOrNative)
    };
    let ready = all(case, is_ready);
    let (carried, waiting): (Vec<_>, Vec<_>) = ready.into_iter().partition(|t| record(*t).carrier.is_some());
    let &first = carried.first()?;
    if (waiting.len() as u64) < MANY || waiting.len() < carried.len() {
        return None;
    }
    let words = case.words();
    let count = waiting.len() as u64;
    let title = format!("{} are ready to run and have no carrier", virtual_threads(count));
    let mut finding = Finding::new(RuleId::RuntimeStall, Severity::Medium, Confidence::Possible, title);
    finding.summary = format!(
        "{} could run and are carried by no thread. {} keep the carriers; {} is {}.",
        virtual_threads(count),
        virtual_threads(carried.len() as u64),
        words.thread(first),
        words.doing(first)
    );
    finding.evidence = vec![Evidence::reported(format!(
        "the dump calls {} runnable and names a carrier for {}",
        virtual_threads(count + carried.len() as u64),
        carried.len()
    ))];
    finding.advice = vec![
        "Take two more dumps ten seconds apart: the same threads on the carriers are stuck or pinned there, others a busy \
         program that needs more processors."
            .into(),
    ];
    Some(placed(case, finding, waiting, Some(first), "starved"))
}

fn virtual_threads(count: u64) -> String {
    let one = if count == 1 { "virtual thread" } else { "virtual threads" };
    format!("{} {one}", grouped(count))
}

/// A finalizer that is stuck in code of the program.
fn finalizer(case: &Case<'_>) -> Option<Finding> {
    let is_stuck = |t: ThreadIx| {
        let state = case.waits.of(t).state;
        let is_blocked = matches!(state, State::LockWait | State::IoWait | State::Sleeping | State::JoinWait);
        let name = case.snapshot.threads[t.at()].name.as_deref();
        let is_named = name.is_some_and(|name| FINALIZERS.contains(&name));
        // Without an object at hand it is in no finalizer, so that no wait there is one for work.
        (is_named && is_blocked)
            || ((is_blocked || state == State::CondWait) && begins_with_finalizer(case, t))
    };
    let stuck = all(case, is_stuck);
    let &thread = stuck.first()?;
    let words = case.words();
    let title = format!("the finalizer ({}) is stuck: {}", words.thread(thread), words.doing(thread));
    let mut finding = Finding::new(RuleId::RuntimeStall, Severity::Medium, Confidence::Likely, title);
    finding.summary = format!(
        "The thread that runs finalizers is {}. Until it goes on nothing is finalized, and memory grows.",
        words.doing(thread)
    );
    finding.evidence = vec![Evidence::inferred("its stack waits in code that a finalizer called")];
    finding.advice = vec!["Close resources in the program and not in finalizers.".into()];
    Some(placed(case, finding, stuck, Some(thread), "finalizer"))
}

/// What the runtime of .NET calls for each object that it finalizes. Programs cannot call it, so that a stack which begins
/// with it is the finalizer's: its thread has a name in no dump.
///
/// Source: .NET 8 coreclr src/vm/finalizerthread.cpp, ECMA-334 15.13.
const FINALIZE: &str = ".Finalize";

fn begins_with_finalizer(case: &Case<'_>, thread: ThreadIx) -> bool {
    let record = &case.snapshot.threads[thread.at()];
    let is_dotnet = DOTNET.contains(&case.snapshot.source.format.id());
    let outermost = case.snapshot.stacks.frames_of(record.stack).last();
    is_dotnet && outermost.is_some_and(|&f| case.meanings.get(f).name.ends_with(FINALIZE))
}

/// The formats whose frames are .NET's alone.
const DOTNET: &[&str] = &["clrstack", "dotnet-stack"];

fn placed(
    case: &Case<'_>,
    mut finding: Finding,
    threads: Vec<ThreadIx>,
    location: Option<ThreadIx>,
    what: &str,
) -> Finding {
    let words = case.words();
    let frame = location.and_then(|t| case.caller(t).or_else(|| case.first_meaningful(t)));
    finding.location = frame.map(|frame| Location { frame });
    finding.clusters = clusters_of(case, &threads);
    finding.cause = [RuleId::RuntimeStall.id().to_owned(), what.to_owned()]
        .into_iter()
        .chain(frame.map(|f| words.function(f)))
        .collect();
    finding.threads = threads;
    finding
}
