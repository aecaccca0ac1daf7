use super::finding::{Finding, RuleId, Severity};
use super::jam::Jam;
use super::{Case, Rule, advice};
use crate::model::{Evidence, FrameKind, ThreadIx};
use crate::waits::State;

/// The row of this rule.
pub const RULE: Rule =
    Rule { id: RuleId::SelfDeadlock, guide: include_str!("../../docs/rules/self-deadlock.md"), check };

fn check(case: &Case<'_>) -> Vec<Finding> {
    Jam::all(case, &[State::LockWait, State::Spinning])
        .filter_map(|jam| {
            let thread = jam.holder().filter(|t| jam.waiters.contains(t))?;
            Some(finding(case, &jam, thread))
        })
        .collect()
}

fn finding(case: &Case<'_>, jam: &Jam<'_>, thread: ThreadIx) -> Finding {
    let words = case.words();
    let lock = words.lock(jam.ix);
    let is_handler = waits_in_signal_handler(case, thread);
    let mut finding = jam.finding(RuleId::SelfDeadlock, "wait for");
    let why = if is_handler { ", in a signal handler that interrupted it" } else { "" };
    finding.title = format!("{} waits for {lock}, which it holds itself{why}", words.thread(thread));
    finding.summary = format!(
        "{} holds {lock} and waits for it{why}: it will wait for ever.{}",
        super::jam::capital(&words.thread(thread)),
        match jam.blocked.transitive {
            0 | 1 => String::new(),
            n => format!(" With it {} are stopped.", super::words::threads(n)),
        }
    );
    if is_handler {
        finding.evidence.push(Evidence::read(
            "the frame of a signal stands in its stack between the wait and the code that was interrupted",
        ));
    }
    finding.evidence.sort_by_key(|e| std::cmp::Reverse(e.certainty));
    finding.severity = Severity::Critical;
    finding.chain.clear();
    finding.root = None;
    finding.pattern = None;
    finding.cycle = case.graph.link(thread, case.waits).into_iter().collect();
    finding.advice = advice::for_self_deadlock(is_handler);
    finding
}

/// Whether a signal frame stands in the stack of this waiting thread.
fn waits_in_signal_handler(case: &Case<'_>, thread: ThreadIx) -> bool {
    let stack = case.snapshot.threads[thread.at()].stack;
    let mut frames = case.snapshot.stacks.frames_of(stack).iter();
    frames.any(|&f| case.snapshot.stacks.get(f).kind == FrameKind::SignalHandler)
}
