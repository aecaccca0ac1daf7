//! The section of the locks: monitors of objects and of the VM, with owners and waiters, and deadlocks.
//!
//! ```text
//! 2LKMONINUSE      sys_mon_t:0x00000000116A00A8 infl_mon_t: 0x00000000116A0120:
//! 3LKMONOBJECT       java/lang/Object@0x00000000FFC5AE60: Flat locked by "dl1" (J9VMThread:0x0000000002E0C000), entry count 1
//! 3LKMONOBJECT       java/util/TaskQueue@0x00000000FFC5AE60: owner "dl1" (J9VMThread:0x0000000002E0C000), entry count 1
//! 3LKWAITERQ            Waiting to enter:
//! 3LKWAITER                "dl2" (J9VMThread:0x0000000002E0C100)
//! 3LKNOTIFYQ            Waiting to be notified:
//! 3LKWAITNOTIFY            "file lock watchdog" (J9VMThread:0x0000000002E0C000)
//! 2LKREGMON          Thread global lock (0x00000000007A7210): <unowned>
//! 1LKDEADLOCK    Deadlock detected !!!
//! 2LKDEADLOCKTHR  Thread "dl1" (J9VMThread:0x0000000002E0C000)
//! 3LKDEADLOCKWTR    is waiting for:
//! 4LKDEADLOCKMON      sys_mon_t:0x… infl_mon_t: 0x…:
//! 4LKDEADLOCKOBJ      java/lang/Object@0x…
//! 3LKDEADLOCKOWN    which is owned by:
//! 2LKDEADLOCKTHR  Thread "dl2" (J9VMThread:0x…)
//! ```

use super::header::hex;
use crate::formats::java::class_name;
use crate::formats::text::{Building, OwnerRef};
use crate::model::{LockId, ReportedLockKind, ReportedWait, Str, WaitMode};

/// How a thread waits, as the words before the lock say.
pub(super) fn mode_of(words: &str) -> WaitMode {
    match words.get(..1) {
        Some("B") => WaitMode::Enter,
        Some("P") => WaitMode::Park,
        _ => WaitMode::Notify,
    }
}

/// What is waited for so.
pub(super) fn kind_of(mode: WaitMode) -> ReportedLockKind {
    match mode {
        WaitMode::Park => ReportedLockKind::JavaSynchronizer,
        _ => ReportedLockKind::JavaMonitor,
    }
}

/// A lock of the section.
struct Named {
    id: LockId,
    name: Option<Str>,
    kind: ReportedLockKind,
    owner: Option<OwnerRef>,
    /// Addresses of the threads that wait, and how.
    waiters: Vec<(u64, WaitMode)>,
    offset: u64,
}

/// Reads the section, line by line. Threads come after it.
#[derive(Default)]
pub(super) struct Reader {
    locks: Vec<Named>,
    rings: Vec<Vec<u64>>,
}

impl Reader {
    /// A line without its tag.
    pub fn line(&mut self, tag: &str, text: &str, offset: u64) {
        match tag {
            "3LKMONOBJECT" => self.locks.extend(object(text, offset)),
            "2LKREGMON" => self.locks.extend(registered(text, offset)),
            "3LKWAITER" => self.waiter(text, WaitMode::Enter),
            "3LKWAITNOTIFY" => self.waiter(text, WaitMode::Notify),
            "1LKDEADLOCK" => self.rings.push(Vec::new()),
            "2LKDEADLOCKTHR" => {
                if let (Some(ring), Some(thread)) = (self.rings.last_mut(), thread_in(text))
                    // The first is named once more at the end.
                    && !ring.contains(&thread)
                {
                    ring.push(thread);
                }
            }
            _ => {}
        }
    }

    fn waiter(&mut self, text: &str, mode: WaitMode) {
        if let (Some(lock), Some(thread)) = (self.locks.last_mut(), thread_in(text)) {
            lock.waiters.push((thread, mode));
        }
    }

    /// Tells owners, waiters and deadlocks of the dump.
    pub fn settle(&mut self, building: &mut Building) {
        let threads = &building.snapshot.threads;
        let place: rustc_hash::FxHashMap<u64, usize> =
            threads.iter().enumerate().filter_map(|(n, t)| Some((t.handle?, n))).collect();
        for lock in std::mem::take(&mut self.locks) {
            let is_owned = matches!(lock.owner, Some(OwnerRef::HandleValue(_)));
            if lock.waiters.is_empty() && !is_owned {
                continue;
            }
            let ix = building.lock(lock.id, lock.name, lock.kind);
            if let Some(owner) = lock.owner {
                building.owner(ix, owner, lock.offset);
            }
            for (thread, mode) in lock.waiters {
                let thread = place.get(&thread).and_then(|n| building.snapshot.threads.get_mut(*n));
                let Some(thread) = thread else { continue };
                // What the thread itself says is as good, and newer releases say it there.
                thread.reported_wait.get_or_insert(ReportedWait { lock: ix, mode });
            }
        }
        for ring in std::mem::take(&mut self.rings) {
            building.ring(ring.into_iter().map(OwnerRef::HandleValue).collect());
        }
    }
}

/// `java/lang/Object@0x00000000FFC5AE60: owner "dl1" (J9VMThread:0x0000000002E0C000), entry count 1`.
fn object(text: &str, offset: u64) -> Option<Named> {
    let (class, rest) = text.split_once('@')?;
    let (address, rest) = rest.split_once(": ").or_else(|| Some((rest.trim_end_matches(':'), "")))?;
    // J9 2.x wrote `0x…/0x…`: the object and its monitor.
    let address = address.split('/').next().and_then(hex_of_any)?;
    Some(Named {
        id: LockId::Address(address),
        name: Some(class_name(class)),
        kind: ReportedLockKind::JavaMonitor,
        owner: owner(rest),
        waiters: Vec::new(),
        offset,
    })
}

/// `Thread global lock (0x00000000007A7210): owner "main" (J9VMThread:0x…), entry count 1`.
fn registered(text: &str, offset: u64) -> Option<Named> {
    let (name, rest) = text.split_once(" lock (0x").or_else(|| text.split_once(" (0x"))?;
    let (address, rest) = rest.split_once(')')?;
    Some(Named {
        id: LockId::Address(u64::from_str_radix(address, 16).ok()?),
        name: Some(name.trim().into()),
        kind: ReportedLockKind::Other,
        owner: owner(rest.trim_start_matches(':').trim_start()),
        waiters: Vec::new(),
        offset,
    })
}

fn owner(text: &str) -> Option<OwnerRef> {
    if text.starts_with("<unowned>") {
        return Some(OwnerRef::Nobody);
    }
    if !["owner ", "Flat locked by "].iter().any(|start| text.starts_with(start)) {
        return None;
    }
    thread_in(text).map(OwnerRef::HandleValue)
}

/// `"dl1" (J9VMThread:0x0000000002E0C000)`, `"JIT Compilation Thread" (0x000CC300)`. A name may hold both.
fn thread_in(text: &str) -> Option<u64> {
    let at = text.rfind("\" (")?;
    let inside = text.get(at + 3..)?.split([')', ',']).next()?;
    hex(inside.strip_prefix("J9VMThread:").unwrap_or(inside))
}

/// `0x00000000FFC5AE60`, `00FFC5AE60`.
fn hex_of_any(text: &str) -> Option<u64> {
    hex(text).or_else(|| u64::from_str_radix(text.trim(), 16).ok())
}
