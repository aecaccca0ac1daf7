//! # self-deadlock
//!
//! A thread waits for a lock that it holds itself.
//!
//! ## What it finds
//!
//! A thread whose wait leads to a lock whose owner is the same thread: a second `lock` of a mutex that is not
//! recursive, a signal handler that needs what the interrupted code holds, a callback or destructor that runs
//! inside the critical section and locks again.
//!
//! ## Why it matters
//!
//! The thread never goes on, and every other thread that needs the lock stops behind it. In a signal handler or
//! between `fork` and `exec` the lock is often that of the allocator or of the logger, so that soon the whole
//! process waits.
//!
//! ## What counts as proof
//!
//! - *read*: the address that the thread waits for, and the owner field of the lock at this address, which holds
//!   the thread's own id.
//! - *reported*: a debugger prints the waiting thread as `__owner` of the same lock.
//! - *inferred*: the function that takes the lock stands in the thread's stack a second time, further out, where
//!   the lock has no owner field: in an allocator or spin lock, for example, with a signal frame between the two.
//!
//! `certain` with owner field or report. Where the outer hold is inferred from the stack it is `likely` if a
//! signal frame stands between the two calls, else `possible`.
//!
//! ## Confirm
//!
//! Read the thread's stack from the bottom up. The first lock is in an outer frame, the second one on top.
//!
//! ```sh
//! logjam core --thread 4340
//! gdb -batch -ex 'p *(pthread_mutex_t *) 0x55f0ce1aa140' ./server core
//! ```
//!
//! - `__owner` is the LWP of the waiting thread: confirmed.
//! - `__kind` 0 is a normal mutex, 1 a recursive one. A recursive mutex cannot do this.
//! - `<signal handler called>` in the stack: the handler calls a function that is not async-signal-safe
//!   (`man 7 signal-safety` lists those that are).
//!
//! On a live process `cat /proc/$PID/task/$TID/syscall` shows the futex call with the same address, now and ten
//! seconds later.
//!
//! ## Mitigate
//!
//! 1. Save a dump, then restart the process: this thread cannot be freed.
//! 2. Handler of a signal: stop the sender (`kill`, a profiler, a timer, a log rotation that sends `SIGHUP`)
//!    until the fix is there.
//! 3. Callback under a lock: turn off the feature that registers the callback.
//!
//! ## Escalate
//!
//! To the owners of the inner of the two locking functions, with the report, the dump and the thread's stack.
//! Name both places: where the lock was taken first (outer frame) and where it is taken again (top). If a signal
//! handler is between them, say which signal and who sends it.
//!
//! ## False alarms
//!
//! - Recursive locks and re-entrant monitors: a second `lock` by the owner succeeds. They are not reported where
//!   the kind of the lock can be read.
//! - After `fork` in a process with threads a lock may name an owner with the id of a thread that the child does
//!   not have: see `logjam explain orphaned-lock`.

use super::finding::{Finding, RuleId, Severity};
use super::jam::Jam;
use super::{Case, Rule, advice};
use crate::model::{Evidence, FrameKind, ThreadIx};
use crate::waits::{Lock, LockIx, State};

/// The row of this rule.
pub const RULE: Rule =
    Rule { id: RuleId::SelfDeadlock, guide: include_str!("../../docs/rules/self-deadlock.md"), check };

fn check(case: &Case<'_>) -> Vec<Finding> {
    let waits_for_own = |ix: LockIx, lock: &Lock| {
        lock.holder.thread().is_some_and(|(thread, _)| case.waits.of(thread).lock() == Some(ix))
    };
    Jam::all(case, &[State::LockWait, State::Spinning], waits_for_own)
        .filter_map(|jam| {
            let thread = jam.holder().filter(|t| jam.waiters.binary_search(t).is_ok())?;
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
    finding.advice = advice::for_self_deadlock(case, is_handler);
    finding
}

/// Whether a signal frame stands in the stack of this waiting thread.
fn waits_in_signal_handler(case: &Case<'_>, thread: ThreadIx) -> bool {
    let stack = case.snapshot.threads[thread.at()].stack;
    let mut frames = case.snapshot.stacks.frames_of(stack).iter();
    frames.any(|&f| case.snapshot.stacks.get(f).kind == FrameKind::SignalHandler)
}
