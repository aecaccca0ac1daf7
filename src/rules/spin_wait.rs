//! # spin-wait
//!
//! Threads burn CPU in user space while they wait for one shared lock word; they do not sleep.
//!
//! ## What it finds
//!
//! Two or more threads in user mode, in a loop that reads one shared word until it changes:
//! `pthread_spin_lock`, hand-written spin locks, a compare-and-swap loop that never succeeds. A loop that
//! only gives the processor away (`sched_yield`, a short sleep) counts too. Threads are grouped by the
//! address of that word. In gdb's text, which shows no instructions: three or more threads that run in
//! one function whose name says that it takes a lock, all with the same argument. In a profile: a tenth
//! of the samples or more that are in one such function, or in a spin lock of a kernel.
//!
//! ## Why it matters
//!
//! Spinners look busy, not stuck. CPU is at 100 %, no thread shows a lock in `wchan`, and the holder may
//! get no processor because its waiters have them all. With more spinners than processors progress can
//! stop entirely.
//!
//! ## What counts as proof
//!
//! - *read*: the instructions around the program counter, which are a loop whose exit depends on a word,
//!   and the address of that word from the registers: the same for all. CPU time speaks for it; a lack of
//!   it does not speak against it.
//! - *reported*: the lock's argument as a debugger prints it.
//! - *inferred*: the lock of a thread that was caught elsewhere in the same function; who holds the lock,
//!   since a spin lock has no owner field.
//!
//! A spin lock names no owner, so that this finding is never certain and at most `likely`: with a
//! holder of 60 points or more, or with none that could be named. It is `possible` with a
//! holder of 40 to 59 points, or where the spinners agree on the function only.
//!
//! ## Confirm
//!
//! ```sh
//! top -H -p $PID                                   # spinners: ~100 % each
//! perf top -p $PID                                 # one function on top
//! perf stat -p $PID -e context-switches sleep 5    # few, with much CPU
//! ps -L -o tid,psr,cls,rtprio,pcpu,comm -p $PID    # processors, priorities
//! ```
//!
//! Then look at the word and at the loop:
//!
//! ```sh
//! gdb -batch -ex 'x/2xw 0x55f0ce1aa180' ./server core
//! gdb -batch -ex 'thread 12' -ex 'x/8i $pc' ./server core
//! ```
//!
//! Run `top -H` twice. CPU time that grows for the same threads, at the same place in a second dump, is a
//! spin that does not end.
//!
//! ## Mitigate
//!
//! - More spinners than processors: lower the worker count, or give the process more processors
//!   (`taskset -p`, the CPU limit of its container).
//! - A real-time thread spins while a normal thread holds the lock: lower its priority with
//!   `chrt -o -p 0 $TID`. This frees the machine at once.
//! - The holder has ended or sleeps: only a restart helps. Save a dump first.
//! - Do not attach a debugger to a process that still answers: it stops all threads.
//!
//! ## Escalate
//!
//! To the owners of the lock, with the report, the dump, `perf record -g -p $PID -- sleep 5`, the number of
//! processors and the CPU limit of the container (`cat /sys/fs/cgroup/cpu.max`).
//!
//! ## False alarms
//!
//! - Busy-polling by design: DPDK, io_uring with `SQPOLL`, low-latency message queues.
//! - Threads that were caught in a short spin: a second dump shows them elsewhere.

use super::finding::{Finding, RuleId};
use super::jam::{Jam, LocksInRings};
use super::{Case, Rule};
use crate::model::Listing;
use crate::waits::State;

/// The row of this rule.
pub const RULE: Rule =
    Rule { id: RuleId::SpinWait, guide: include_str!("../../docs/rules/spin-wait.md"), check };

/// A single thread in a loop over one word is a busy loop, not a jam.
const FEWEST: u64 = 2;

/// Of samples at least one in so many has to be there: each busy program is in a lock for a moment.
const PART: u64 = 10;

fn is_part(case: &Case<'_>, jam: &Jam<'_>) -> bool {
    case.snapshot.listing != Listing::Samples
        || jam.blocked.direct.saturating_mul(PART) >= case.snapshot.total()
}

fn check(case: &Case<'_>) -> Vec<Finding> {
    let rings = LocksInRings::of(case);
    Jam::all(case, &[State::Spinning], |_, _| true)
        .filter(|jam| jam.blocked.direct >= FEWEST && !jam.is_in_ring(&rings) && is_part(case, jam))
        .map(|jam| jam.finding(RuleId::SpinWait, "spin on"))
        .collect()
}
