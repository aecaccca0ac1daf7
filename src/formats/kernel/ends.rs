//! Why the kernel died or does not get on, of all that it reported.
//!
//! ```text
//! watchdog: BUG: soft lockup - CPU#1 stuck for 23s! [writer:16813]         it does not get on
//! BUG: kernel NULL pointer dereference, address: 0000000000000508          it died
//! WARNING: CPU: 0 PID: 148 at kernel/log.c:839 log_stop+0x72/0x82          it goes on, if nobody asked for a panic
//! Kernel panic - not syncing: hung_task: blocked tasks                     it died of what it reported before
//! ```
//!
//! Source: Linux 4.4-6.18 kernel/panic.c, kernel/watchdog.c, kernel/hung_task.c (`check_hung_task`).

use super::reports::Report;
use crate::model::{FailureKind, ReportedState, Thread, ThreadId, ThreadIx};

/// How the panic begins on which the watchdog of blocked tasks ends.
const HUNG: &str = "hung_task";

/// What is known of an end.
#[derive(Default)]
pub(super) struct Ends {
    failure: Option<Failing>,
    /// The last report after which the kernel went on, and how many there were.
    warning: Option<Failing>,
    warnings: u64,
}

/// A failure, and the task in which it happened as far as it is known.
pub(super) struct Failing {
    pub kind: FailureKind,
    pub message: String,
    pub pid: Option<u64>,
    pub thread: Option<ThreadIx>,
    /// Where it was reported.
    pub offset: u64,
}

impl Failing {
    pub fn of(kind: FailureKind, message: &str, offset: u64) -> Self {
        let message = message.to_owned();
        Self { kind, message, pid: None, thread: None, offset }
    }

    /// No task failed: whose stack comes next is who found it.
    fn is_nobodys(&self) -> bool {
        self.kind == FailureKind::GaveUp
    }

    /// Whether the task is still to come.
    fn is_open(&self) -> bool {
        self.thread.is_none() && self.pid.is_none() && !self.is_nobodys()
    }
}

/// Reports after which the kernel goes on that are told by themselves. Programs write `WARNING: ` too.
///
/// Source: Linux 4.4-6.18 kernel/panic.c (`__warn`), kernel/sched/core.c (`__might_resched`, `__schedule_bug`),
/// lib/smp_processor_id.c, mm/memory.c, mm/page_alloc.c, kernel/fork.c, kernel/kcsan/report.c, mm/kmsan/report.c,
/// kernel/workqueue.c.
static TOLD: &[&str] = &[
    "WARNING: CPU: ",
    "WARNING: at ",
    "BUG: sleeping function called from invalid context",
    "BUG: scheduling while atomic",
    "BUG: using ",
    "BUG: Bad page ",
    "BUG: Bad rss-counter state",
    "BUG: non-zero pgtables_bytes",
    "BUG: workqueue leaked",
    "BUG: KCSAN: ",
    "BUG: KMSAN: ",
];

fn is_told(message: &str) -> bool {
    TOLD.iter().any(|start| message.starts_with(start))
}

impl Ends {
    /// A failure is reported. The first is the cause; a kernel that died says more than one that was slow, and one that
    /// names the task more than one of which the task was cut off.
    pub fn fail(&mut self, failing: Failing) {
        let is_worse = |known: &Failing| {
            let is_anybody_s = known.pid.is_none() && known.thread.is_none() && failing.pid.is_some();
            match known.kind {
                FailureKind::Killed => failing.kind != FailureKind::Killed,
                FailureKind::Stall => failing.kind == FailureKind::Kernel || is_anybody_s,
                _ => false,
            }
        };
        if self.failure.as_ref().is_none_or(is_worse) {
            self.failure = Some(failing);
        }
    }

    /// A report after which the kernel goes on, or a line of a program that begins like one.
    pub fn warn(&mut self, message: &str, offset: u64) {
        let is_known = self.warning.as_ref().is_some_and(|known| is_told(&known.message));
        if is_known && !is_told(message) {
            return;
        }
        self.warning = Some(Failing::of(FailureKind::Warning, message, offset));
        self.warnings += u64::from(is_told(message));
    }

    /// A panic because of what was reported before: of a processor that does not get on, of a warning, of tasks that
    /// are stuck; and if nothing of it is there, the panic itself is what is known.
    pub fn die(&mut self, why: &str, offset: u64, is_hung: bool) {
        let gave_up = is_hung && why.starts_with(HUNG);
        let is_stall = |failure: &&mut Failing| failure.kind == FailureKind::Stall && !gave_up;
        if let Some(stall) = self.failure.as_mut().filter(is_stall) {
            stall.kind = FailureKind::Kernel;
            stall.message = format!("{why}: {}", stall.message);
            return;
        }
        let is_less = |failure: &Failing| matches!(failure.kind, FailureKind::Stall | FailureKind::Killed);
        if self.failure.as_ref().is_some_and(|failure| !is_less(failure)) {
            return;
        }
        let warning = self.warning.take().filter(|_| why.contains("panic_on_warn"));
        self.failure = Some(match warning {
            Some(warning) => {
                let message = format!("{why}: {}", warning.message);
                Failing { kind: FailureKind::Kernel, message, ..warning }
            }
            None if gave_up => Failing::of(FailureKind::GaveUp, why, offset),
            None => Failing::of(FailureKind::Kernel, why, offset),
        });
    }

    /// Whether the kernel died and no task so far is the one in which it did.
    pub fn died_in_nobody(&self) -> bool {
        let is_so = |f: &Failing| f.kind == FailureKind::Kernel && f.thread.is_none();
        self.failure.as_ref().is_some_and(is_so)
    }

    /// Where a processor was first said not to get on.
    pub fn stalled(&self) -> Option<&Failing> {
        self.failure.as_ref().filter(|failure| failure.kind == FailureKind::Stall)
    }

    /// Whether the tasks so far are of a report after which the kernel went on, and this one is its end.
    pub fn is_older_report(&self, report: Option<&Report>) -> bool {
        matches!(report, Some(Report::Fatal { .. })) && self.failure.as_ref().is_some_and(Failing::is_open)
    }

    /// The failure that has just been reported and has no task yet: it goes to the next dump.
    pub fn rest(&mut self) -> Self {
        Self { failure: self.failure.take_if(|failure| failure.is_open()), ..Self::default() }
    }

    /// A task of a report comes, or is there already.
    pub fn of_task(&mut self, report: Option<&Report>, thread: &Thread, ix: Option<ThreadIx>) {
        if report.is_none_or(|report| !report.is_by_processor()) {
            return;
        }
        let failing = match report {
            Some(Report::Warning { .. }) => self.warning.as_mut(),
            _ => self.failure.as_mut(),
        };
        let is_without = |failure: &&mut Failing| failure.thread.is_none() && !failure.is_nobodys();
        let Some(failure) = failing.filter(is_without) else { return };
        let pid = match thread.id {
            ThreadId::Number(pid) => Some(pid),
            _ => None,
        };
        let is_another = failure.pid.is_some_and(|wanted| Some(wanted) != pid);
        if is_another || thread.reported == Some(ReportedState::Idle) {
            return;
        }
        (failure.pid, failure.thread) = (pid, ix);
    }

    /// What is known in the end.
    pub fn take(&mut self) -> Option<Failing> {
        let mut warning = self.warning.take().filter(|warning| is_told(&warning.message));
        if let Some(warning) = warning.as_mut().filter(|_| self.warnings > 1) {
            warning.message.push_str(&format!(" (the last of {})", self.warnings));
        }
        self.failure.take().or(warning)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn warnings_of_the_kernel_are_told_and_counted() {
        let mut ends = Ends::default();
        ends.warn("WARNING: Running pip as the root user can result in broken permissions", 1);
        assert!(ends.take().is_none(), "no kernel says that");
        ends.warn("WARNING: CPU: 0 PID: 148 at kernel/log.c:839 log_stop+0x72/0x82", 1);
        ends.warn("BUG: scheduling while atomic: logd/148/0x00000002", 2);
        ends.warn("WARNING: the till is nearly empty", 3);
        let told = ends.take().expect("a warning");
        assert_eq!(
            (told.kind, &*told.message),
            (FailureKind::Warning, "BUG: scheduling while atomic: logd/148/0x00000002 (the last of 2)")
        );
        // What the kernel killed does not hide why it panicked.
        ends.fail(Failing::of(FailureKind::Killed, "Out of memory: Killed process 240 (logd)", 1));
        ends.die("hung_task: blocked tasks", 7, true);
        assert_eq!(ends.take().map(|end| end.kind), Some(FailureKind::GaveUp));
    }

    #[test]
    fn a_panic_of_the_watchdog_of_blocked_tasks_is_no_task_s() {
        let why = "hung_task: blocked tasks";
        let mut ends = Ends::default();
        ends.fail(Failing::of(FailureKind::Stall, "rcu_sched detected stalls on CPUs/tasks", 1));
        ends.die(why, 7, true);
        assert!(ends.stalled().is_none() && !ends.died_in_nobody());
        let end = ends.take().expect("an end");
        assert_eq!((end.kind, &*end.message, end.offset), (FailureKind::GaveUp, why, 7));
        // Of tasks that are not there: whose stack comes is all that is known.
        ends.die(why, 7, false);
        assert!(ends.died_in_nobody());
    }
}
