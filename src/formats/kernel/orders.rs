//! Orders of locks in which lockdep sees a deadlock that may happen. Nobody is stuck in it.
//!
//! ```text
//! WARNING: possible circular locking dependency detected
//! kworker/u8:3/171 is trying to acquire lock:
//! ffff888106a4c0e8 (&q->debugfs_mutex){+.+.}-{3:3}, at: blk_register_queue+0xc1/0x1c0
//! but task is already holding lock:
//! ffff888106a4bf98 (&q->sysfs_lock){+.+.}-{3:3}, at: blk_register_queue+0xa8/0x1c0
//! -> #1 (&q->sysfs_lock){+.+.}-{3:3}:
//!        elevator_init_mq+0x2f/0x150
//! WARNING: inconsistent lock state
//! cat/2810 [HC0[0]:SC0[0]:HE1:SE1] takes:
//! [ INFO: possible recursive locking detected ]                                        before 4.11
//! ```
//!
//! Source: Linux 4.4-6.18 kernel/locking/lockdep.c (`print_circular_bug_header`, `print_deadlock_bug`,
//! `print_irq_inversion_bug`, `print_bad_irq_dependency`, `print_usage_bug`).

use crate::formats::text::Site;
use crate::formats::text::words::split_once;
use crate::model::{LockOrder, OrderKind, OrderedLock, Str, ThreadIx};

use super::locks;

/// What lockdep calls them.
static KINDS: &[(&str, OrderKind)] = &[
    ("possible circular locking dependency", OrderKind::Circular),
    ("possible recursive locking", OrderKind::Itself),
    ("possible irq lock inversion", OrderKind::Interrupt),
    ("lock order detected", OrderKind::Interrupt),
    ("inconsistent lock state", OrderKind::Interrupt),
];

/// What the next line with a lock says.
#[derive(Clone, Copy)]
enum Next {
    Wanted,
    Held,
    /// It was taken together with the wanted one at another time.
    Once,
}

/// What lockdep found.
pub(super) struct Order {
    order: LockOrder,
    /// Where it begins.
    offset: u64,
    next: Option<Next>,
    task: Option<(Str, u64)>,
}

impl Order {
    /// The first line: `WARNING: possible circular locking dependency detected`.
    pub fn begin(line: &str, offset: u64) -> Option<Self> {
        let message = line.trim_start_matches("[ ").trim_end_matches(" ]");
        let message = message.trim_start_matches("WARNING: ").trim_start_matches("INFO: ");
        let (_, kind) = KINDS.iter().find(|(words, _)| message.contains(words))?;
        let order = LockOrder {
            kind: *kind,
            message: message.into(),
            thread: None,
            wanted: None,
            held: None,
            elsewhere: Vec::new(),
        };
        Some(Self { order, offset, next: None, task: None })
    }

    /// A line of what was found.
    pub fn line(&mut self, line: &str) {
        let text = line.trim();
        if let Some(who) = task(text) {
            self.task =
                self.task.take().or_else(|| locks::name_and_pid(who, '/').map(|(n, p)| (n.into(), p)));
            self.next = Some(Next::Wanted);
        } else if is_holding(text) {
            self.next = Some(Next::Held);
        } else if was_taken(text) {
            self.next = Some(Next::Once);
        } else if let Some(name) = link(text) {
            self.order.elsewhere.push(name.into());
        } else if let Some(lock) = lock(text) {
            match self.next.take() {
                Some(Next::Wanted) => self.order.wanted = self.order.wanted.take().or(Some(lock)),
                Some(Next::Held) => self.order.held = self.order.held.take().or(Some(lock)),
                Some(Next::Once) => self.order.elsewhere.push(lock.name),
                None => {}
            }
        }
    }

    /// Who asked for the lock.
    pub fn task(&self) -> Option<(&Str, u64)> {
        self.task.as_ref().map(|(name, pid)| (name, *pid))
    }

    /// Where it begins.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// What is known of it in the end.
    pub fn finish(self, thread: Option<ThreadIx>) -> LockOrder {
        LockOrder { thread, ..self.order }
    }
}

/// `kworker/u8:3/171 is trying to acquire lock:`, `cat/2810 [HC0[0]:SC0[0]:HE1:SE1] takes:`,
/// `swapper/0/0 just changed the state of lock:`
fn task(text: &str) -> Option<&str> {
    let (who, _) = split_once(text, " is trying to acquire")
        .or_else(|| split_once(text, " just changed the state of lock:"))
        .or_else(|| Some((text.strip_suffix(" takes:")?, "")))?;
    // `cat/2810 [HC0[0]:SC0[0]:HE1:SE1]`
    Some(split_once(who, " [").map_or(who, |(who, _)| who))
}

/// `but task is already holding lock:`, `and this task is already holding:`
fn is_holding(text: &str) -> bool {
    text.ends_with(':') && text.contains("task is already holding")
}

/// `but this lock took another, SOFTIRQ-unsafe lock in the past:`
fn was_taken(text: &str) -> bool {
    text.ends_with(" in the past:") && text.contains("this lock ")
}

/// `-> #1 (&q->sysfs_lock){+.+.}-{3:3}:`
fn link(text: &str) -> Option<&str> {
    // rsyslog writes a line break in a message as `#012`.
    let (number, rest) = text.trim_start_matches("#012").strip_prefix("-> #")?.split_once(" (")?;
    number.parse::<u32>().ok()?;
    rest.rsplit_once("){").map(|(name, _)| name.trim())
}

/// `ffff888106a4c0e8 (&q->debugfs_mutex){+.+.}-{3:3}, at: blk_register_queue+0xc1/0x1c0`
fn lock(text: &str) -> Option<OrderedLock> {
    let (address, rest) = text.split_once('(')?;
    if !address.trim().bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    let (name, rest) = rest.rsplit_once("){")?;
    let at = split_once(rest, "at: ").and_then(|(_, at)| locks::place(at));
    let at = at.map(|at| at.split('+').next().unwrap_or(at).into());
    Some(OrderedLock { name: name.trim().into(), at })
}

/// Whether a line is one of what lockdep found, behind its first.
pub(super) fn is_line(line: &str) -> bool {
    let text = line.trim();
    task(text).is_some()
        || is_holding(text)
        || was_taken(text)
        || link(text).is_some()
        || lock(text).is_some()
}

/// Reports are found by these, as their stack is often not copied with them.
pub(super) const ANCHORS: [&str; 4] = [
    "possible circular locking",
    "possible recursive locking",
    "possible irq lock inversion",
    "inconsistent lock state",
];

/// What stands before an anchor in its line, without the beginning of the report's first line; `None` if it has none.
pub(super) fn before_report(before: &[u8]) -> Option<&[u8]> {
    [b"WARNING: ".as_slice(), b"[ INFO: ", b"INFO: "].iter().find_map(|head| before.strip_suffix(*head))
}

/// Lines behind the first one in which a lock stands.
const NEAR: usize = 8;

/// Whether locks stand below the first line of a report.
pub(super) fn has_locks(site: &Site<'_>) -> bool {
    site.following_text(NEAR).any(|line| {
        // The address before the name: what stands before it is the prefix of a log.
        let Some(open) = line.find('(') else { return false };
        let words = line.get(..open).unwrap_or_default().trim_end();
        let start = words.rfind(' ').map_or(0, |at| at + 1);
        let starts = [open, start];
        starts.iter().any(|start| line.get(*start..).and_then(lock).is_some_and(|lock| lock.at.is_some()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::testing::read;

    /// The kind, who asked, and the locks that were asked for and held with where.
    fn told(text: &str) -> (OrderKind, String, String, String) {
        let snapshots = read(text);
        assert_eq!(snapshots.len(), 1, "{text}");
        let order = snapshots[0].orders.first().unwrap_or_else(|| panic!("an order: {text}"));
        let who = &snapshots[0].threads[order.thread.expect("a task").at()];
        assert!(!snapshots[0].stacks.frames_of(who.stack).is_empty(), "{text}");
        let lock = |lock: &Option<OrderedLock>| match lock {
            Some(OrderedLock { name, at }) => format!("{name} {}", at.as_deref().unwrap_or("?")),
            None => String::new(),
        };
        (order.kind, who.name.as_deref().unwrap_or("").to_owned(), lock(&order.wanted), lock(&order.held))
    }

    const STACK: &str = "\nstack backtrace:\nCPU: 1 PID: 812 Comm: log/writer Not tainted 6.1.0 #2\nHardware name: QEMU\nCall Trace:\n <TASK>\n dump_stack_lvl+0x45/0x59\n check_noncircular+0xfe/0x110\n __lock_acquire+0x122/0x1ed\n __mutex_lock+0x9a/0x9b0\n log_rotate+0x31/0x90\n kthread+0x141/0x170\n </TASK>\n";

    #[test]
    fn circles() {
        let text = format!(
            "======\nWARNING: possible circular locking dependency detected\n6.1.0 #2 Not tainted\n------\nlog/writer/812 is trying to acquire lock:\nffff888106a4c0e8 (&sink->lock){{+.+.}}-{{3:3}}, at: log_rotate+0x31/0x90\n\n               but task is already holding lock:\nffff888106a4bf98 (&(&dir->lock)->rlock){{+.+.}}-{{3:3}}, at: log_open_dir+0xa8/0x1c0 [applog]\n\nwhich lock already depends on the new lock.\n\nthe existing dependency chain (in reverse order) is:\n\n-> #1 (&(&dir->lock)->rlock){{+.+.}}-{{3:3}}:\n       __mutex_lock+0x9a/0x9b0\n       log_scan+0x2f/0x150\n\n-> #0 (&sink->lock){{+.+.}}-{{3:3}}:\n       lock_acquire+0xc8/0x2d0\n\n1 lock held by log/writer/812:\n #0: ffff888106a4bf98 (&(&dir->lock)->rlock){{+.+.}}-{{3:3}}, at: log_open_dir+0xa8/0x1c0 [applog]\n{STACK}"
        );
        let circle = (
            OrderKind::Circular,
            "log/writer".to_owned(),
            "&sink->lock log_rotate".to_owned(),
            "&(&dir->lock)->rlock log_open_dir".to_owned(),
        );
        assert_eq!(told(&text), circle);
        let order = &read(&text)[0].orders[0];
        let chain: Vec<&str> = order.elsewhere.iter().map(|name| &**name).collect();
        assert_eq!(chain, ["&(&dir->lock)->rlock", "&sink->lock"]);
        let logged: String =
            text.lines().map(|line| format!("Dec 14 06:35:48 host kernel: {line}\n")).collect();
        assert_eq!(told(&logged), circle, "in a log");
    }

    #[test]
    fn others_than_circles() {
        let old = format!(
            "[ INFO: possible recursive locking detected ]\n4.8.6 #1 Tainted: G           OE\n-----\nlog/writer/812 is trying to acquire lock:\n (&sink->lock){{+.+...}}, at: [<ffffffffc0a778a6>] log_rotate+0x6e/0x90 [applog]\nbut task is already holding lock:\n (&sink->lock){{+.+...}}, at: [<ffffffffc0a777b9>] log_write+0x5f/0xb0 [applog]\n{STACK}"
        );
        let logged: String =
            old.lines().map(|line| format!("Mar 26 20:52:22 host kernel: {line}\n")).collect();
        for text in [&old, &logged] {
            let (kind, who, wanted, held) = told(text);
            assert_eq!((kind, &*who), (OrderKind::Itself, "log/writer"), "{text}");
            assert_eq!((&*wanted, &*held), ("&sink->lock log_rotate", "&sink->lock log_write"), "{text}");
        }
        let state = format!(
            "WARNING: inconsistent lock state\n6.1 #4 Tainted: G           O\n-----\ninconsistent {{SOFTIRQ-ON-W}} -> {{IN-SOFTIRQ-W}} usage.\nlog/writer/812 [HC0[0]:SC1[1]:HE1:SE0] takes:\nffff88810d520018 (&sink->lock){{+.?.}}-{{2:2}}, at: log_tick+0x37/0x49\n{{SOFTIRQ-ON-W}} state was registered at:\n  lock_acquire+0xc2/0x290\n{STACK}"
        );
        let (kind, _, wanted, held) = told(&state);
        assert_eq!((kind, &*wanted, &*held), (OrderKind::Interrupt, "&sink->lock log_tick", ""));
        let inversion = format!(
            "WARNING: possible irq lock inversion dependency detected\n-----\nlog/writer/812 just changed the state of lock:\nffff8880a7f25b58 (&sink->lock){{..-.}}, at: spin_lock_irq include/linux/spinlock.h:363 [inline]\nffff8880a7f25b58 (&sink->lock){{..-.}}, at: log_free+0x2d/0x49 log.c:618\nbut this lock took another, SOFTIRQ-unsafe lock in the past:\n (&dir->wait){{+.+.}}\n\nand interrupts could create inverse lock ordering between them.\n{STACK}"
        );
        let (kind, _, wanted, held) = told(&inversion);
        assert_eq!((kind, &*wanted, &*held), (OrderKind::Interrupt, "&sink->lock spin_lock_irq", ""));
        assert_eq!(&*read(&inversion)[0].orders[0].elsewhere[0], "&dir->wait", "nobody holds it");
    }

    /// Most copy the part that says which locks.
    #[test]
    fn a_report_without_its_stack() {
        let text = "WARNING: possible circular locking dependency detected\n6.1.0 #2 Not tainted\n------\nlog/writer/812 is trying to acquire lock:\nffff888106a4c0e8 (&sink->lock){+.+.}-{3:3}, at: log_rotate+0x31/0x90\n\nbut task is already holding lock:\nffff888106a4bf98 (&dir->lock){+.+.}-{3:3}, at: log_open_dir+0xa8/0x1c0 [applog]\n\nwhich lock already depends on the new lock.\n";
        let logged: String =
            text.lines().map(|line| format!("Dec 14 06:35:48 host kernel: {line}\n")).collect();
        let state = "[  3.1] WARNING: inconsistent lock state\n[  3.1] 6.1 #4 Tainted: G           O\n[  3.1] -----\n[  3.1] inconsistent {SOFTIRQ-ON-W} -> {IN-SOFTIRQ-W} usage.\n[  3.1] log/writer/812 [HC0[0]:SC1[1]:HE1:SE0] takes:\n[  3.1] ffff88810d520018 (&sink->lock){+.?.}-{2:2}, at: log_tick+0x37/0x49\n";
        for text in [text, &logged, state] {
            let snapshots = read(text);
            assert_eq!(snapshots.len(), 1, "{text}");
            assert_eq!(snapshots[0].orders.len(), 1, "{text}");
            let asks = &snapshots[0].threads[snapshots[0].orders[0].thread.expect("a task").at()];
            assert_eq!((asks.name.as_deref(), asks.tid), (Some("log/writer"), Some(812)), "{text}");
        }
        for talk in [
            "WARNING: possible circular locking\nand (so) on {a}, at: home\n",
            "the kernel said inconsistent lock state\n and more (a){b}, at: c\n",
            "pr_warn(\"WARNING: possible recursive locking detected\\n\");\nprint_kernel_ident();\n",
        ] {
            assert!(!crate::formats::testing::is_found(super::super::FORMAT.id, talk), "{talk}");
        }
    }
}
