//! Tasks whose stack some kernels do not print again.
//!
//! ```text
//! task:logd            state:D stack:0     pid:31    tgid:31    ppid:1      flags:0x00004002
//! <Same stack as pid 30>
//! ```

use rustc_hash::FxHashMap;

use crate::formats::text::words::number;
use crate::model::{GapKind, Snapshot, ThreadIx};

/// The pid of the task whose stack it is.
pub(super) fn shown_at(line: &str) -> Option<u64> {
    let (pid, rest) = number(line.trim().strip_prefix("<Same stack as pid ")?)?;
    (rest == ">").then_some(pid)
}

/// Tasks with the stack of another one.
#[derive(Default)]
pub(super) struct SameStacks(Vec<Same>);

struct Same {
    pid: u64,
    /// The task with which it was printed.
    shown: u64,
    offset: u64,
}

impl SameStacks {
    /// The task `pid` has the stack of the task `shown`.
    pub fn add(&mut self, pid: u64, shown: u64, offset: u64) {
        self.0.push(Same { pid, shown, offset });
    }

    /// Gives them their stacks, and what these say of their locks.
    pub fn settle(self, snapshot: &mut Snapshot, of_pid: &FxHashMap<u64, ThreadIx>) {
        for same in self.0 {
            let shown = of_pid.get(&same.shown).and_then(|ix| snapshot.threads.get(ix.at())).cloned();
            let shown = shown.filter(|thread| !snapshot.stacks.frames_of(thread.stack).is_empty());
            let Some(shown) = shown else {
                let message = "a task has the stack of another one, which is not there";
                snapshot.gaps.add(GapKind::IncompleteStack, message, Some(same.offset));
                continue;
            };
            let thread = of_pid.get(&same.pid).and_then(|ix| snapshot.threads.get_mut(ix.at()));
            let Some(thread) = thread else { continue };
            // One that was printed before has its own.
            if snapshot.stacks.frames_of(thread.stack).is_empty() {
                thread.stack = shown.stack;
                thread.stack_end = shown.stack_end;
                thread.reported_wait = thread.reported_wait.or(shown.reported_wait);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::functions;
    use super::*;
    use crate::formats::testing::{cut_everywhere, read_one};

    const SHOWN: &str = "\
[   88.1] sysrq: Show State
[   88.1] task:logd            state:D stack:0     pid:30    tgid:30    ppid:1      flags:0x00004002
[   88.1] Call Trace:
[   88.1]  <TASK>
[   88.1]  __schedule+0x2b4/0x6d0
[   88.1]  __mutex_lock+0x2a0/0x7c0
[   88.1]  log_append+0x33/0x90 [applog]
[   88.1]  </TASK>
[   88.1] task:logd            state:D stack:0     pid:31    tgid:31    ppid:1      flags:0x00004002
[   88.1] <Same stack as pid 30>
[   88.1] task:logd            state:D stack:0     pid:32    tgid:32    ppid:1      flags:0x00004002
[   88.1] <Same stack as pid 77>
[   88.1] Showing all locks held in the system:
[   88.1] 1 lock held by logd/30:
[   88.1]  #0: ffff000080ff80f8 (log_mutex){+.+.}-{4:4}, at: log_append+0x33/0x90 [applog]
[   88.1] 1 lock held by logd/31:
[   88.1]  #0: ffff000080ff80f8 (log_mutex){+.+.}-{4:4}, at: log_append+0x33/0x90 [applog]
";

    #[test]
    fn a_stack_of_two_tasks() {
        let snapshot = read_one(SHOWN);
        assert_eq!(functions(&snapshot, 0), ["__schedule", "__mutex_lock", "log_append"]);
        assert_eq!(functions(&snapshot, 1), functions(&snapshot, 0));
        // They wait for the same lock, as its list says.
        let waits: Vec<_> = snapshot.threads.iter().map(|t| t.reported_wait.map(|wait| wait.lock)).collect();
        assert!(waits[0].is_some() && waits[0] == waits[1], "{waits:?}");
        assert!(functions(&snapshot, 2).is_empty());
        let gaps: Vec<_> = snapshot.gaps.iter().map(|gap| (gap.kind, gap.count)).collect();
        assert_eq!(gaps, [(GapKind::IncompleteStack, 1)]);
        cut_everywhere(SHOWN);
    }
}
