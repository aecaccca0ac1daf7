//! The tests that a finding stops: what a person wants from the dump of a test run that timed out.
//!
//! A finding stops the tests whose threads it is about, and those whose threads wait behind these, be it for
//! a lock or for their end. The holder of the lock and the root of a chain count too, unless the lock only
//! moves from thread to thread: a test that holds the lock and goes nowhere is the one to look at. A crash
//! stops the test that crashed; a process that was ended from outside was running all of its tests, and
//! one of them is why. So was one that failed as a whole: `go test` says that its time is up.

use rustc_hash::FxHashSet;

use super::Case;
use super::finding::{Finding, Pattern, RuleId, Severity, StoppedTest};
use crate::model::ThreadIx;

/// The tests that a finding stops, in the order of their threads. A test that runs in several threads at the
/// same place is told once.
pub(super) fn of(case: &Case<'_>, finding: &Finding) -> Vec<StoppedTest> {
    let mut threads = threads(case, finding);
    threads.sort_unstable();
    let mut seen = FxHashSet::default();
    let tests = threads.into_iter().filter_map(|thread| test_of(case, thread));
    tests
        .filter(|test| {
            let frame = case.snapshot.stacks.get(test.frame);
            seen.insert((test.framework, test.name.clone(), frame.file.clone(), frame.line))
        })
        .collect()
}

/// The threads that a finding stops.
fn threads(case: &Case<'_>, finding: &Finding) -> Vec<ThreadIx> {
    let everybody = || (0..case.snapshot.threads.len() as u32).map(ThreadIx).collect();
    match finding.rule {
        RuleId::ThreadExplosion | RuleId::IncompleteDump => Vec::new(),
        RuleId::Crash if finding.severity == Severity::Info || finding.threads.is_empty() => everybody(),
        _ => {
            let mut stuck = finding.threads.clone();
            if finding.pattern != Some(Pattern::Convoy) {
                let holder = finding.holder.as_ref().and_then(|h| h.holder.thread());
                stuck.extend(holder.map(|(thread, _)| thread));
                stuck.extend(finding.root);
                stuck.extend(finding.chain.iter().chain(&finding.cycle).map(|link| link.thread));
            }
            case.graph.all_behind(&stuck)
        }
    }
}

fn test_of(case: &Case<'_>, thread: ThreadIx) -> Option<StoppedTest> {
    let stack = case.snapshot.threads.get(thread.at())?.stack;
    let run = case.readings.get(stack).test.as_ref()?;
    let frame = *case.snapshot.stacks.frames_of(stack).get(run.frame)?;
    Some(StoppedTest { framework: run.framework, name: run.name.clone(), frame, thread })
}
