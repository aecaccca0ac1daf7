//! # orphaned-lock
//!
//! Threads wait for a lock whose owner is no longer in the process: nobody will ever unlock it.
//!
//! ## What it finds
//!
//! Threads asleep on a `pthread` mutex or read-write lock that is taken, and whose owner field names a thread id
//! that no thread of the dump has. One waiter is enough: it is at least `high`. The owner ended, was cancelled or
//! threw while it held the lock, or the process is the child of a `fork` that copied the locked lock and not the
//! thread that held it.
//!
//! ## Why it matters
//!
//! The lock stays taken for ever. All waiters are lost, and each new thread that needs the lock is lost too. Time
//! does not help; only a restart of the process does.
//!
//! ## What counts as proof
//!
//! - *read*: the address that the waiters wait for, the lock word (taken), the owner field, and the list of
//!   threads, none of which has this id.
//! - *reported*: a debugger prints an `__owner` that is not in its own list of threads.
//! - *inferred*: which lock a waiter waits for, where only its place in the code says so.
//!
//! `certain`: the lock and its owner field are read or reported. The list of threads is taken for whole: where
//! `incomplete-dump` stands beside this finding, the owner may have been left out with what is missing.
//!
//! ## Confirm
//!
//! ```sh
//! gdb -batch -ex 'p ((pthread_mutex_t *) 0x55f0ce1aa140)->__data' \
//!     ./server core
//! gdb -batch -ex 'info threads' ./server core | grep -w 4711  # owner
//! ls /proc/$PID/task | grep -w 4711                         # live process
//! ```
//!
//! No line from the last two commands: the owner is gone. Then find out how it went:
//!
//! - Log lines of that thread: an exception, an assertion, `pthread_exit`, a cancellation.
//! - `grep NSpid /proc/$PID/status`: in a container the thread ids of the lock are those inside the container.
//! - `ps -o ppid,lstart,cmd -p $PID`: a child that was forked and did not `exec` inherits locked locks. glibc
//!   resets its own in the child, libraries often do not.
//!
//! ## Mitigate
//!
//! 1. Save a dump: the lock's memory is the evidence.
//! 2. Restart the process. For a forked worker restart the worker only; the parent is not damaged.
//! 3. Do not write to the lock with a debugger to free it: what it guards may be half changed.
//! 4. Forking workers: start them before threads are created, or use a `spawn` start method instead of `fork`.
//!
//! ## Escalate
//!
//! To the owners of the code that takes this lock, with the report, the dump, the log of the last minutes before
//! the first thread got stuck, and the answer to one question: did a thread end, or was the process forked?
//!
//! ## False alarms
//!
//! - A lock that is shared between processes: the owner lives in another one. The report says `other-process`
//!   where a mutex says that it is shared, but robust mutexes and read-write locks do not say it. Look for the id
//!   with `ps -eLo tid,pid,comm`.
//! - A dump that shows only some threads (filtered, cut). See `logjam explain incomplete-dump`.
//! - Thread ids are reused: an unrelated new thread may have the owner's id and hide this finding.

use super::finding::{Confidence, Finding, RuleId, Severity};
use super::jam::Jam;
use super::{Case, Rule};
use crate::model::{Certainty, GapKind};
use crate::waits::{Holder, State};

/// The row of this rule.
pub const RULE: Rule =
    Rule { id: RuleId::OrphanedLock, guide: include_str!("../../docs/rules/orphaned-lock.md"), check };

fn check(case: &Case<'_>) -> Vec<Finding> {
    Jam::all(case, &[State::LockWait], |_, lock| matches!(lock.holder, Holder::EndedThread { .. }))
        .map(|jam| {
            let mut finding = jam.finding(RuleId::OrphanedLock, "wait for");
            let is_listed =
                !matches!(jam.lock.holder, Holder::EndedThread { certainty: Certainty::Inferred, .. });
            finding.title.push_str(match is_listed {
                true => ", whose owner is gone",
                false => ", whose owner is not in the list of threads",
            });
            // Nobody will ever release it: one waiter is enough to be bad.
            finding.severity = finding.severity.max(Severity::High);
            finding.advice = super::advice::for_orphaned_lock(case);
            // The owner may be among the threads that a cut dump has lost.
            if !is_listed || !case.snapshot.is_complete || case.snapshot.gaps.has(GapKind::Truncated) {
                finding.confidence = finding.confidence.min(Confidence::Likely);
            }
            finding
        })
        .collect()
}
