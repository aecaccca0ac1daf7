//! Lockups of work queues: a pool of workers of which none gets on, and what its workers are at.
//!
//! ```text
//! BUG: workqueue lockup - pool cpus=3 node=0 flags=0x0 nice=0 stuck for 31s!
//! Showing busy workqueues and worker pools:
//! workqueue events: flags=0x0
//!   pwq 6: cpus=3 node=0 flags=0x1 nice=0 active=15/256 refcnt=16
//!     in-flight: 14164:log_drain, 29532(RESCUER):log_flush [applog]
//!     pending: log_rotate
//! ```
//!
//! Source: Linux 4.5-6.18 kernel/workqueue.c (`wq_watchdog_timer_fn`, `show_pwq`, `pr_cont_pool_info`).

use rustc_hash::{FxHashMap, FxHashSet};

/// How the message of such a lockup begins.
const LOCKUP: &str = "workqueue lockup - pool ";

/// Words of a line that say which pool it is; its flags change.
const KEYS: [&str; 3] = ["cpus=", "node=", "nice="];

/// Works in flight that a message tells of.
const SHOWN: usize = 4;

/// Pools that are stuck, with what their workers are at.
#[derive(Default)]
pub(super) struct Pools {
    stuck: Vec<Pool>,
    /// Their places, by name.
    by_name: FxHashMap<String, usize>,
    /// Works that are known, with the place of their pool: lists are printed again.
    known: FxHashSet<(usize, Work)>,
    /// Of which of them the lines speak.
    current: Option<usize>,
}

/// A pool of workers.
pub(super) struct Pool {
    /// Where it was reported first.
    pub offset: u64,
    pub works: Vec<Work>,
}

/// A work in flight, and the worker that is at it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Work {
    pub pid: u64,
    pub function: String,
}

/// The pool of which a message says that it is stuck.
pub(super) fn of_lockup(message: &str) -> Option<String> {
    let (pool, _) = message.strip_prefix(LOCKUP)?.split_once(" stuck for ")?;
    Some(name_of(pool))
}

fn name_of(text: &str) -> String {
    let words = text.split_ascii_whitespace().filter(|word| KEYS.iter().any(|key| word.starts_with(key)));
    words.collect::<Vec<_>>().join(" ")
}

impl Pools {
    /// A lockup is reported; any other message is none of a pool.
    pub fn lockup(&mut self, message: &str, offset: u64) {
        let Some(name) = of_lockup(message) else { return };
        if !self.by_name.contains_key(&name) {
            self.by_name.insert(name, self.stuck.len());
            self.stuck.push(Pool { offset, works: Vec::new() });
        }
    }

    /// Reads a line of the list of pools, if it is one.
    pub fn line(&mut self, line: &str) -> bool {
        let line = line.trim();
        if let Some(rest) = line.strip_prefix("pwq ") {
            self.current = self.by_name.get(&name_of(rest)).copied();
            return true;
        }
        let Some(rest) = line.strip_prefix("in-flight: ") else { return false };
        if let Some((at, pool)) = self.current.and_then(|at| Some((at, self.stuck.get_mut(at)?))) {
            let is_new = |work: &Work| self.known.insert((at, work.clone()));
            pool.works.extend(rest.split(", ").filter_map(work).filter(is_new));
        }
        true
    }

    pub fn stuck(&self) -> &[Pool] {
        &self.stuck
    }

    /// What a message of a stuck pool leaves to its list: `; in flight: 14164:log_drain`.
    pub fn in_flight(&self, message: &str) -> String {
        let at = of_lockup(message).and_then(|name| self.by_name.get(&name));
        let Some(pool) = at.and_then(|at| self.stuck.get(*at)) else { return String::new() };
        let works = pool.works.iter().take(SHOWN).map(|work| format!("{}:{}", work.pid, work.function));
        let mut works: Vec<String> = works.collect();
        if let Some(more) = pool.works.len().checked_sub(SHOWN).filter(|more| *more > 0) {
            works.push(format!("{more} more"));
        }
        if works.is_empty() { String::new() } else { format!("; in flight: {}", works.join(", ")) }
    }
}

/// `29532(RESCUER):log_flush [applog]`.
fn work(text: &str) -> Option<Work> {
    let (pid, function) = text.split_once(':')?;
    let pid = pid.trim().trim_end_matches("(RESCUER)").parse().ok()?;
    let function = function.split_ascii_whitespace().next()?.to_owned();
    Some(Work { pid, function })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn works_of_the_pool_that_is_stuck() {
        let message = "workqueue lockup - pool cpus=3 node=0 flags=0x0 nice=0 stuck for 31s";
        let mut pools = Pools::default();
        pools.lockup(message, 7);
        pools.lockup("soft lockup - CPU#0 stuck for 22s", 8);
        for line in [
            "  pwq 8: cpus=0-3 flags=0x4 nice=0 active=3/256",
            "    in-flight: 11518:log_write",
            "  pwq 6: cpus=3 node=0 flags=0x1 nice=0 active=15/256 refcnt=16",
            "    in-flight: 14164:log_drain, 29532(RESCUER):log_flush [applog]",
        ] {
            assert!(pools.line(line), "{line}");
        }
        assert!(!pools.line("    pending: log_rotate"));
        assert_eq!((pools.stuck().len(), pools.stuck()[0].offset), (1, 7));
        assert_eq!(pools.in_flight(message), "; in flight: 14164:log_drain, 29532:log_flush");
        assert_eq!(pools.in_flight("soft lockup - CPU#0 stuck for 22s"), "");
        pools.line("    in-flight: 1:a, 2:b, 3:c, 4:d");
        assert!(pools.in_flight(message).ends_with("2:b, 2 more"), "{}", pools.in_flight(message));
    }
}
