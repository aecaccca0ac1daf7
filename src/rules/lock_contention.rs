//! # lock-contention
//!
//! Many threads sleep on one lock; the finding names the lock, who holds it and what the holder does.
//!
//! ## What it finds
//!
//! Two or more threads that sleep on one lock, grouped by the lock and not by the place in the code. One is
//! enough where the dump itself says that it does not get on (a hung task, a main thread that does not
//! respond), and where the holder sleeps. `pattern` says which kind of jam it is:
//!
//! - `slow-holder`: the holder runs, sleeps or is in I/O inside the critical section. Look at the holder.
//! - `chained`: the holder waits itself, for a lock or in a join. `chain` leads to the `root`; look at that
//!   thread.
//! - `convoy`: the holder runs in the function that takes the lock, or is in its unlock: the lock moves from
//!   thread to thread. Throughput, not a hang; one step milder.
//! - `nobody`: no thread is known to hold it. Its word says that it is free (a wake-up is under way or was lost),
//!   or the dump does not say who it is: then the finding says why.
//!
//! ## Why it matters
//!
//! Every waiter is a request, a connection or a worker that does nothing. A pool whose workers all wait on one
//! lock serves nobody, and health checks that take the same lock fail too.
//!
//! ## What counts as proof
//!
//! - *read*: the lock's address from registers or stack memory of each waiter, the futex word of the system call,
//!   the owner field of a `pthread_mutex_t`.
//! - *reported*: a debugger's `mutex=0x…` argument, the `__owner` that it prints.
//! - *inferred*: the owner from stacks: whose frames lie inside the critical section, who has the lock's address.
//!   Each reason has points, which the finding lists as evidence.
//!
//! `certain`: waiters and holder are both read or reported. `likely`: one link is inferred, from 60 points on for
//! a holder, or nobody could be named. `possible`: the holder has 40 to 59 points, or only the place in the code
//! makes it one lock, so that several locks may be counted as one.
//!
//! ## Confirm
//!
//! Look at the holder first, then at the lock. Replace the numbers by those of the report.
//!
//! ```sh
//! logjam core --thread 4340                # the holder's whole stack
//! gdb -batch -ex 'p *(pthread_mutex_t *) 0x55f0ce1aa140' ./server core
//! cat /proc/$PID/task/$TID/wchan           # a waiter: futex_…
//! sudo cat /proc/$PID/task/$HOLDER/stack   # its place in the kernel
//! cat /proc/$PID/task/$HOLDER/syscall      # its call number and arguments
//! ```
//!
//! Take a second dump ten seconds later and compare. The same holder at the same place is a hang; another holder
//! each time is a convoy. `gdb -p` and `gcore` stop the process while they work.
//!
//! ```sh
//! gcore -o /tmp/second $PID && logjam core /tmp/second.$PID
//! ```
//!
//! ## Mitigate
//!
//! - Holder in `write`, `send`, `fsync`: free its other end. Find it with `ls -l /proc/$PID/fd/N` and
//!   `ss -tpn`; drain the pipe, free the disk, close the connection.
//! - Holder on the CPU: find its input; stop the traffic that makes it work.
//! - Holder waits for another process or host: treat that one as the incident.
//! - Otherwise save a dump, then restart the process. Restart one instance first: the jam may come back.
//!
//! ## Escalate
//!
//! To the owners of the function in `where`, with the JSON report (`--format json`), the dump, the executable
//! with its build id, and the second dump. Put the fingerprint into the ticket: the same cause has the same one.
//!
//! ## False alarms
//!
//! - Threads that use a lock as a queue (one takes work, the others wait in line) are meant to look like this.
//! - A dump that was taken in the middle of a burst: the second dump shows no waiters.

use super::finding::{Finding, RuleId};
use super::jam::{Jam, LocksInRings};
use super::{Case, Rule};
use crate::model::Certainty;
use crate::waits::{Holder, State};

/// The row of this rule.
pub const RULE: Rule =
    Rule { id: RuleId::LockContention, guide: include_str!("../../docs/rules/lock-contention.md"), check };

/// Fewer waiters are everyday life.
const FEWEST: u64 = 2;

/// Who waits for so long as the producer measured it is stuck, microseconds.
const LONG_US: u64 = 30_000_000;

fn check(case: &Case<'_>) -> Vec<Finding> {
    let rings = LocksInRings::of(case);
    Jam::all(case, &[State::LockWait], |_, lock| !matches!(lock.holder, Holder::EndedThread { .. }))
        .filter(|jam| has_waiters(jam) || is_slept_on(jam) || is_told(jam))
        .filter(|jam| !jam.is_in_ring(&rings))
        .map(|jam| jam.finding(RuleId::LockContention, "wait for"))
        .collect()
}

/// As many wait as make a jam, in the dump or as its producer counts them.
fn has_waiters(jam: &Jam<'_>) -> bool {
    jam.blocked.direct.max(jam.lock.counted.unwrap_or(0)) >= FEWEST
}

/// The producer says that a waiter does not get on: that is why there is a dump.
fn is_told(jam: &Jam<'_>) -> bool {
    let threads = &jam.case.snapshot.threads;
    jam.waiters.iter().any(|waiter| threads[waiter.at()].waited_us.is_some_and(|us| us >= LONG_US))
        || jam.case.snapshot.process.unresponsive.is_some_and(|thread| jam.waiters.contains(&thread))
}

/// The holder sleeps with the lock: that is no everyday life, for one waiter either.
fn is_slept_on(jam: &Jam<'_>) -> bool {
    let holder = jam.lock.holder.thread().filter(|(_, certainty)| *certainty != Certainty::Inferred);
    holder.is_some_and(|(thread, _)| jam.case.waits.of(thread).state == State::Sleeping)
}
