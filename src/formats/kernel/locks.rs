//! What the kernel says of locks: its lists of locks held (lockdep), and owners that the hung-task watchdog names.
//!
//! ```text
//! 3 locks held by kworker/0:0/5:
//!  #2: 000000009930efbd (rtnl_mutex){+.+.}, at: rtnl_lock+0x17/0x20
//!  #0: ffff000080ff80f8 (&dev->mutex){....}-{4:4}, at: __driver_attach+0x19c/0x2c0
//!  #0:  (rtnl_mutex){+.+.+.}, at: [<ffffffff8154a4c7>] rtnl_lock+0x17/0x20             before 4.15
//! INFO: task zsh:470 is blocked on a mutex likely owned by task zsh:470.                6.15
//! INFO: task cat:28631 <reader> blocked on an rw-semaphore likely owned by task cat:28630 <writer>
//! INFO: task cat:470 blocked on a semaphore likely last held by task cat:471            who took it, and may have left it
//! ```
//!
//! A task is in the list of a lock from the moment on in which it asks for it: the last entry may only be waited
//! for. It is, if the stack still stands in the call that the entry names.
//!
//! Source: Linux 4.4-6.18 kernel/locking/lockdep.c (`lockdep_print_held_locks`, `print_lock`), kernel/hung_task.c
//! (`debug_show_blocker`).

use crate::formats::text::{BodyLock, BodyWait, LockRef};
use crate::model::ReportedLockKind::{self, KernelMutex, KernelRwsem, KernelSemaphore};
use crate::model::WaitMode::{self, Enter, Read};
use crate::model::{Frame, FrameKind, LockId, Str};

/// A list of locks of one task.
#[derive(Debug)]
pub(super) struct Held {
    pub name: Str,
    pub pid: u64,
    pub entries: Vec<Entry>,
}

/// A lock in such a list.
#[derive(Debug)]
pub(super) struct Entry {
    /// Its number in the list.
    pub number: u32,
    /// What it is called; a class alone is no identity.
    pub id: Option<LockId>,
    pub name: Str,
    pub kind: ReportedLockKind,
    /// Where it was asked for: `rtnl_lock+0x17/0x20`; one a line, where functions are inlined. Empty where the text is
    /// cut.
    pub at: Str,
}

/// Who holds what a task waits for, as the watchdog found it.
#[derive(Debug)]
pub(super) struct Blocker {
    pub name: Str,
    pub pid: u64,
    pub kind: ReportedLockKind,
    pub mode: WaitMode,
    pub owner: Option<(Str, u64)>,
    /// That one took it last: a semaphore has no owner, and anybody may give it back.
    pub is_former: bool,
    /// The line says who holds it, or that nobody is known to.
    pub is_whole: bool,
}

/// `NAME:PID` or `NAME/PID`; the name may hold what separates them.
pub(super) fn name_and_pid(text: &str, separator: char) -> Option<(&str, u64)> {
    let (name, pid) = text.trim().rsplit_once(separator)?;
    Some((name, pid.parse().ok()?))
}

/// `3 locks held by kworker/0:0/5:`
pub(super) fn list(line: &str) -> Option<Held> {
    let (count, rest) = line.trim().split_once(" lock")?;
    count.parse::<u32>().ok()?;
    let rest = rest.trim_start_matches('s').strip_prefix(" held by ")?.strip_suffix(':')?;
    let (name, pid) = name_and_pid(rest, '/')?;
    Some(Held { name: name.into(), pid, entries: Vec::new() })
}

/// Locks that are none: the work that runs, the read side of RCU, which nobody holds.
const NO_LOCKS: [&str; 6] =
    ["(wq_completion)", "(work_completion)", "rcu_read_lock", "rcu_callback", "(console_sem)_", "rcu_node"];

/// Callers whose entries stand for the work that runs and not for a lock.
const NO_CALLERS: [&str; 5] =
    ["process_one_work+", "__flush_work+", "start_flush_work", "flush_workqueue+", "__flush_workqueue+"];

/// ` #2: 000000009930efbd (rtnl_mutex){+.+.}, at: rtnl_lock+0x17/0x20`: its number, and nothing where it is no lock.
pub(super) fn entry(line: &str) -> Option<(u32, Option<Entry>)> {
    let rest = line.trim().strip_prefix('#')?;
    let (number, rest) = rest.split_once(':')?;
    let number = number.parse().ok()?;
    let (address, rest) = rest.split_once('(')?;
    let (name, rest) = rest.rsplit_once("){")?;
    let name = name.trim();
    let (usage, rest) = rest.split_once('}')?;
    let places: Vec<&str> = rest.split("at: ").skip(1).filter_map(place).collect();
    let is_none = NO_LOCKS.iter().any(|start| name.starts_with(start))
        || NO_CALLERS.iter().any(|f| places.iter().any(|at| at.starts_with(f)));
    if is_none {
        return Some((number, None));
    }
    // Write and read take turns in the usage: a lock that is read too is no mutex.
    let is_read = usage.bytes().enumerate().any(|(n, b)| n % 2 == 1 && b != b'.');
    let kind = if is_read { KernelRwsem } else { KernelMutex };
    let at = places.join("\n").into();
    Some((number, Some(Entry { number, id: id_of(address.trim(), name), name: name.into(), kind, at })))
}

/// `rtnl_lock+0x17/0x20`, `[<ffffffff8154a4c7>] rtnl_lock+0x17/0x20`.
pub(super) fn place(text: &str) -> Option<&str> {
    let text = text.trim_start();
    let text = if text.starts_with("[<") { text.split_once("] ")?.1 } else { text };
    text.split_ascii_whitespace().next().map(|place| place.trim_end_matches(','))
}

impl Held {
    /// Adds a lock. Of one that a function takes which the compiler inlined each place has a line of its own.
    pub fn add(&mut self, entry: Entry) {
        match self.entries.last_mut() {
            Some(last) if last.number == entry.number && last.id == entry.id => {
                last.at = format!("{}\n{}", last.at, entry.at).into();
            }
            _ => self.entries.push(entry),
        }
    }
}

/// Addresses are hashed since 4.15: then the upper half of 64 bits is 0, and they are no addresses. Older kernels
/// print none, and a name without `&` is that of one lock.
fn id_of(address: &str, name: &str) -> Option<LockId> {
    if address.is_empty() {
        let is_one = !name.contains(['&', '>', '#', '"', '(']);
        return is_one.then(|| LockId::Token(name.into()));
    }
    let value = u64::from_str_radix(address, 16).ok()?;
    let is_hashed = address.len() == 16 && value <= u64::from(u32::MAX);
    Some(if is_hashed { LockId::Token(address.into()) } else { LockId::Address(value) })
}

/// What the watchdog calls locks.
static KINDS: &[(&str, ReportedLockKind)] =
    &[("mutex", KernelMutex), ("rw-semaphore", KernelRwsem), ("semaphore", KernelSemaphore)];

/// `task X:1 is blocked on a mutex likely owned by task Y:2.`, behind `INFO: `.
pub(super) fn blocker(line: &str) -> Option<Blocker> {
    let rest = line.trim().strip_prefix("INFO: task ")?;
    let (who, what) = rest.rsplit_once(" blocked on a")?;
    let mode = if who.contains(" <reader>") { Read } else { Enter };
    let who = who.trim_end_matches(" is").trim_end_matches(" <reader>").trim_end_matches(" <writer>");
    let (name, pid) = name_and_pid(who, ':')?;
    let what = what.trim_start_matches('n').trim_start();
    let (_, kind) = KINDS.iter().find(|(word, _)| what.starts_with(word))?;
    let owner = what.split_once(" by task ").and_then(|(_, owner)| {
        let owner = owner.trim_end_matches('.').trim_end_matches(" <writer>").trim_end_matches(" <reader>");
        name_and_pid(owner, ':')
    });
    let owner = owner.map(|(name, pid)| (name.into(), pid));
    let is_whole = owner.is_some() || what.contains("owner is not found");
    let is_former = what.contains(" last held by ");
    Some(Blocker { name: name.into(), pid, kind: *kind, mode, owner, is_former, is_whole })
}

/// Functions that stand between a task that waits for a lock and the one that asked for it, as beginnings.
static PLUMBING: &[(&str, Option<(ReportedLockKind, WaitMode)>)] = &[
    ("__switch_to", None),
    ("context_switch", None),
    ("__schedule", None),
    ("schedule", None),
    ("preempt_schedule", None),
    ("__mutex_lock", Some((KernelMutex, Enter))),
    ("mutex_lock", Some((KernelMutex, Enter))),
    ("__ww_mutex_lock", Some((KernelMutex, Enter))),
    ("ww_mutex_lock", Some((KernelMutex, Enter))),
    ("__rt_mutex", Some((KernelMutex, Enter))),
    ("rt_mutex", Some((KernelMutex, Enter))),
    ("rtlock_", Some((KernelMutex, Enter))),
    ("rt_spin_lock", Some((KernelMutex, Enter))),
    ("rwsem_down_read", Some((KernelRwsem, Read))),
    ("call_rwsem_down_read", Some((KernelRwsem, Read))),
    ("__down_read", Some((KernelRwsem, Read))),
    ("down_read", Some((KernelRwsem, Read))),
    ("rwsem_down_write", Some((KernelRwsem, Enter))),
    ("call_rwsem_down_write", Some((KernelRwsem, Enter))),
    ("__down_write", Some((KernelRwsem, Enter))),
    ("down_write", Some((KernelRwsem, Enter))),
    ("percpu_rwsem_wait", Some((KernelRwsem, Read))),
    ("__percpu_down_read", Some((KernelRwsem, Read))),
    ("percpu_down_read", Some((KernelRwsem, Read))),
    ("percpu_down_write", Some((KernelRwsem, Enter))),
    ("ldsem_down_read", Some((KernelRwsem, Read))),
    ("ldsem_down_write", Some((KernelRwsem, Enter))),
    // A socket's: net/core/sock.c.
    ("__lock_sock", Some((KernelMutex, Enter))),
    ("lock_sock", Some((KernelMutex, Enter))),
    ("___down_common", Some((KernelSemaphore, Enter))),
    ("__down", Some((KernelSemaphore, Enter))),
    ("down", Some((KernelSemaphore, Enter))),
];

/// The wait for a lock in which the innermost frames stand. Which lock it is only the list says: what stands for
/// it until then are the places from which it was asked for, innermost first.
pub(super) fn wait(frames: &[(Frame, &str)]) -> Option<BodyWait> {
    let mut found = None;
    let mut places = Vec::new();
    for (frame, place) in frames {
        let name = frame.function.as_deref().unwrap_or_default();
        // `down` and `schedule` are words; `schedule_timeout` is plumbing of semaphores.
        let row = PLUMBING.iter().find(|(start, _)| match *start {
            "down" => {
                name == "down"
                    || name == "down_interruptible"
                    || name == "down_timeout"
                    || name == "down_killable"
            }
            "schedule" => matches!(
                name,
                "schedule" | "schedule_timeout" | "schedule_preempt_disabled" | "schedule_rtlock"
            ),
            start => name.starts_with(start),
        });
        match row {
            Some((_, kind)) => {
                found = found.or(*kind);
                if kind.is_some() {
                    places.push(*place);
                }
            }
            None => {
                places.push(*place);
                // What is inlined is a part of the function behind it.
                if frame.kind != FrameKind::Inlined {
                    break;
                }
            }
        }
    }
    let (kind, mode) = found?;
    let lock = BodyLock { id: LockRef::Token(places.join("\n").into()), name: None, kind };
    Some(BodyWait { lock, mode, owner: None })
}

/// Whether a wait from these places is the one for the lock of this entry.
pub(super) fn is_at(places: &str, entry: &Entry) -> bool {
    let is_same = |place: &str, at: &str| {
        place == at || (!place.contains('+') && at.split('+').next().is_some_and(|name| name == place))
    };
    places.lines().any(|place| !place.is_empty() && entry.at.lines().any(|at| is_same(place, at)))
}
