//! Threads that initialize classes and wait inside the JVM, which does not say for what: up to JDK 12 a ring of static
//! initializers looks so.
//!
//! ```text
//! "a" #20 prio=5 os_prio=0 tid=0x… nid=0x3fc in Object.wait() [0x…]
//!    java.lang.Thread.State: RUNNABLE
//!     at app.Registry.<clinit>(Registry.java:5)
//! ```

use rustc_hash::FxHashMap;

use super::super::Case;
use super::super::finding::{Confidence, Finding, RuleId, Severity};
use super::super::words::threads;
use super::{all, placed};
use crate::model::{Evidence, ReportedState, StackIx, ThreadIx};
use crate::normalize::Role;

/// What the JVM calls the static initializer of a class.
const INITIALIZER: &str = ".<clinit>";

/// One alone may wait for a class that somebody loads.
const FEWEST: usize = 2;

pub(super) fn check(case: &Case<'_>) -> Option<Finding> {
    let in_jvm = all(case, |t| {
        let record = &case.snapshot.threads[t.at()];
        record.reported == Some(ReportedState::Waiting) && record.reported_wait.is_none()
    });
    // Thousands share a stack.
    let mut stacks: FxHashMap<StackIx, bool> = FxHashMap::default();
    let mut is_there = |t: &ThreadIx| {
        let stack = case.snapshot.threads[t.at()].stack;
        *stacks.entry(stack).or_insert_with(|| waits_in_initializer(case, stack))
    };
    let waiting: Vec<ThreadIx> = in_jvm.into_iter().filter(&mut is_there).collect();
    if waiting.len() < FEWEST {
        return None;
    }
    let count = waiting.len() as u64;
    let title = format!("{} wait inside the JVM while they initialize classes", threads(count));
    let mut finding = Finding::new(RuleId::RuntimeStall, Severity::High, Confidence::Possible, title);
    let words = case.words();
    let places = waiting.iter().take(FEWEST).filter_map(|&t| {
        let frame = case.snapshot.stacks.frames_of(case.snapshot.threads[t.at()].stack).first()?;
        Some(format!("{} in {}", words.thread(t), words.function(*frame)))
    });
    finding.summary = format!(
        "{} wait for a class that another thread initializes or loads, and are inside static initializers themselves: \
         {}. Where they wait for the classes of each other they wait forever; this JVM does not say for which classes.",
        threads(count),
        places.collect::<Vec<_>>().join(", ")
    );
    finding.evidence = vec![
        Evidence::reported(format!(
            "the header of {} says `in Object.wait()`, and its state RUNNABLE",
            threads(count)
        )),
        Evidence::inferred(
            "no call of Object.wait is in their stacks: it is the JVM that waits, for a class",
        ),
    ];
    finding.advice = vec![
        "Look for two static initializers that need the classes of each other: initialize one of them lazily.".into(),
        "Take two more dumps ten seconds apart: the same threads there are a deadlock.".into(),
    ];
    let first = waiting.first().copied();
    Some(placed(case, finding, waiting, first, "initializers"))
}

/// Whether a stack ends in code of the program and goes through a static initializer.
fn waits_in_initializer(case: &Case<'_>, stack: StackIx) -> bool {
    let frames = case.snapshot.stacks.frames_of(stack);
    let name = |frame| &case.meanings.get(frame).name;
    frames.first().is_some_and(|top| case.meanings.get(*top).role == Role::User)
        && frames.iter().any(|frame| name(*frame).ends_with(INITIALIZER))
}
