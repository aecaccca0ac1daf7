//! Lines that a mailer or the console broke in two.
//!
//! ```text
//! INFO: task udevd:2268 is blocked on a
//! mutex likely owned by task udevd:2258.
//! task:jbd2/sda1-8     state:D
//!  stack:25008 pid:4509  tgid:4509  ppid:2      flags:0x00004000          two calls of printk, of which each ends a line
//!  #0: ffff88811912f460 (sb_writers#22){.+.+}-{0:0}, at:
//! fscrypt_set_policy+0xfc/0x2a0
//!  #0:
//! ffffffff8e333e60
//!  (
//! rcu_read_lock
//! ){....}-{1:2}
//! , at: debug_show_all_locks+0x55/0x2a0
//! ```
//!
//! Source: Linux 6.10 kernel/sched/core.c (`pr_cont` in `sched_show_task`), kernel/locking/lockdep.c (`print_lock`).

use std::borrow::Cow;

use super::{header, locks, noise, reports};
use crate::model::lossy;

/// Into how many lines one may be broken.
const MOST_PARTS: usize = 8;

/// The first of these lines, which is of this kind, with what was broken off it, and of how many lines it was made.
pub(super) fn whole<'t>(kind: Kind, mut lines: impl Iterator<Item = &'t [u8]>) -> (Cow<'t, [u8]>, usize) {
    let first = lines.next().unwrap_or_default();
    let mut joined = lossy(first).into_owned();
    let mut count = 1;
    let mut is_whole = kind.is_whole(&joined);
    for part in lines.take(MOST_PARTS) {
        let part = lossy(part);
        if (is_whole && !kind.goes_on(&part)) || begins(&part) {
            break;
        }
        joined = format!("{} {}", joined.trim_end(), part.trim());
        count += 1;
        is_whole = kind.is_whole(&joined);
    }
    if is_whole && count > 1 { (Cow::Owned(joined.into_bytes()), count) } else { (Cow::Borrowed(first), 1) }
}

/// Lines that say nothing without their end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// What the watchdog says of a task.
    Hung,
    /// The header of a task.
    Task,
    /// A lock in a list.
    Lock,
}

impl Kind {
    /// A cheap test, made for every line.
    pub fn of(line: &[u8]) -> Option<Self> {
        match line.trim_ascii_start() {
            line if line.starts_with(b"INFO: task ") => Some(Self::Hung),
            line if line.starts_with(b"task:") => Some(Self::Task),
            [b'#', digit, rest @ ..] if digit.is_ascii_digit() && rest.contains(&b':') => Some(Self::Lock),
            _ => None,
        }
    }

    fn is_whole(self, line: &str) -> bool {
        match self {
            Self::Hung => reports::hung(line).is_some() || locks::blocker(line).is_some_and(|b| b.is_whole),
            // Nearly all are, and are read once more later.
            Self::Task => {
                (line.contains(" state:") && line.contains(" pid:") && line.contains(" flags:"))
                    || header::read(line).is_some()
            }
            Self::Lock => {
                locks::entry(line).is_some_and(|(_, entry)| entry.is_none_or(|entry| !entry.at.is_empty()))
            }
        }
    }

    /// Whether a whole line goes on with this one.
    fn goes_on(self, part: &str) -> bool {
        self == Self::Lock && part.starts_with(", at: ")
    }
}

/// Whether a line is one of its own, or none.
fn begins(line: &str) -> bool {
    line.trim().is_empty()
        || header::may_begin(line.as_bytes())
        || reports::is_event(line)
        || noise::is_noise(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_broken_is_put_together() {
        for (text, wanted, count) in [
            (
                "INFO: task log d:68 is blocked on a\nmutex likely owned by task log d:58.\nx",
                "INFO: task log d:68 is blocked on a mutex likely owned by task log d:58.",
                2,
            ),
            (
                "INFO: task log d:68 is blocked on a mutex\nlikely owned by task\nlog d:58.",
                "INFO: task log d:68 is blocked on a mutex likely owned by task log d:58.",
                3,
            ),
            (
                "INFO: task logd:68 blocked for more\nthan 120 seconds.",
                "INFO: task logd:68 blocked for more than 120 seconds.",
                2,
            ),
            (
                "task:logd            state:D\n stack:25008 pid:49  tgid:49  ppid:2      flags:0x00004000",
                "task:logd            state:D stack:25008 pid:49  tgid:49  ppid:2      flags:0x00004000",
                2,
            ),
            (
                " #0: ffff88811912f460 (&log->lock#2){.+.+}-{0:0}, at:\nlog_append+0xfc/0x2a0\nx",
                " #0: ffff88811912f460 (&log->lock#2){.+.+}-{0:0}, at: log_append+0xfc/0x2a0",
                2,
            ),
            (
                " #0: \nffff8e333e60\n (\nlog_lock\n){....}-{1:2}\n, at: log_lock kernel/log.c:9 [inline]\n, at: log_append+0x5/0x2a\nx",
                " #0: ffff8e333e60 ( log_lock ){....}-{1:2} , at: log_lock kernel/log.c:9 [inline] , at: log_append+0x5/0x2a",
                7,
            ),
        ] {
            let kind = Kind::of(text.as_bytes()).unwrap();
            let (whole, lines) = whole(kind, text.lines().map(str::as_bytes));
            assert_eq!((&*lossy(&whole), lines), (wanted, count));
        }
    }

    #[test]
    fn what_is_cut_takes_nothing_from_the_next_line() {
        for text in [
            " #0: ffff88811912f460 (sb_writers#22){.+.+}-{0:0}, at:\n #1: ffff888 (x){+.+.}, at: f+0x1/0x2",
            " #0: ffff88811912f460 (sb_writers#22){.+.+}-{0:0}, at: f+0x1/0x2\ng+0x1/0x2",
            "INFO: task logd:68 blocked for more\nINFO: task logd:69 blocked for more than 120 seconds.",
            "INFO: task 5 is done\nand more",
            "task: buy\nmilk",
        ] {
            let kind = Kind::of(text.as_bytes()).unwrap();
            let (whole, lines) = whole(kind, text.lines().map(str::as_bytes));
            assert_eq!((&*lossy(&whole), lines), (text.lines().next().unwrap_or_default(), 1));
        }
    }
}
