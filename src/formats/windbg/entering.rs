//! For which critical section each thread waits that enters one: on 64 bits no stack says so, and where one is left it is
//! that one.
//!
//! ```text
//! 0:000> !cs -l
//! -----------------------------------------
//! Critical section   = 0x000001d2f3a4b000 (shop!g_log+0x0)
//! LOCKED
//! LockCount          = 0x2                       two threads wait, and two stand in ntdll!RtlEnterCriticalSection
//! OwningThread       = 0x0000000000001b38
//! ```

use super::locks::{CriticalSection, ENTERS};
use super::session::Memory;
use crate::formats::text::{Building, Contended, link};
use crate::model::{GapKind, LockId, ReportedLockKind, Snapshot, Thread};

/// How many frames below the innermost one the entering function may be.
const ENTER_DEPTH: usize = 8;

/// Says what is clear, and that the rest is not. `is_whole`: all threads of the process are there.
pub(super) fn settle(memory: &Memory, is_whole: bool, building: &mut Building) {
    let is_locked = |section: &&CriticalSection| !section.is_free && section.owner.is_some();
    let contended = memory.sections.iter().filter(is_locked).filter_map(|section| {
        let id = LockId::Address(section.address);
        let lock = building.lock(id, section.name.clone(), ReportedLockKind::CriticalSection);
        let owner = section.owner.and_then(|owner| u32::try_from(owner).ok());
        Some(Contended { lock, waiters: section.waiters()?, owner })
    });
    let contended: Vec<Contended> = contended.filter(|lock| lock.waiters > 0).collect();
    if contended.is_empty() {
        return;
    }
    let waiters = contended.iter().fold(0u64, |sum, lock| sum.saturating_add(lock.waiters));
    let fits = || is_whole && entering(&building.snapshot).count() as u64 == waiters;
    if memory.has_all_locked || (memory.ends_in_list() && fits()) {
        link(&mut building.snapshot, contended, ENTERS);
    }
    let open = entering(&building.snapshot).filter(|thread| thread.reported_wait.is_none()).count();
    let message = "threads wait for critical sections, and neither their stacks nor the numbers of waiters say which of them waits for which";
    building.snapshot.gaps.add_many(GapKind::Limit, message, open as u64, None);
}

/// The threads that enter a critical section.
fn entering(snapshot: &Snapshot) -> impl Iterator<Item = &Thread> {
    let enters = |thread: &&Thread| {
        snapshot.stacks.frames_of(thread.stack).iter().take(ENTER_DEPTH).any(|frame| {
            let name = snapshot.stacks.get(*frame).function.as_deref().unwrap_or_default();
            ENTERS.iter().any(|start| name.starts_with(start))
        })
    };
    snapshot.threads.iter().filter(enters)
}

#[cfg(test)]
mod tests {
    use crate::formats::testing::read_one;
    use crate::model::{GapKind, Snapshot};

    fn thread(number: u32, functions: &[&str]) -> String {
        let frames: String = functions
            .iter()
            .map(|name| format!("00000000`00cff8c8 00007ffb`0e6a1234 {name}+0x14\n"))
            .collect();
        format!(
            "   {number}  Id: 1a2c.1b3{number} Suspend: 1 Teb: 00000000`00e1f000 Unfrozen\nChild-SP          RetAddr           Call Site\n{frames}\n"
        )
    }

    fn section(number: u32, owner: u32, count: u32) -> String {
        format!(
            "-----------------------------------------\nDebugInfo          = 0x000001d2f3a4b5c0\nCritical section   = 0x000001d2f3a4b{number}00 (shop!g_log{number}+0x0)\nLOCKED\nLockCount          = 0x{count:x}\nWaiterWoken        = No\nOwningThread       = 0x0000000000001b3{owner}\nRecursionCount     = 0x1\nLockSemaphore      = 0x1A4\nSpinCount          = 0x00000000020007d0\n"
        )
    }

    /// What each of three threads waits for, of which two enter a critical section.
    fn waits(snapshot: &Snapshot) -> [Option<&str>; 3] {
        let of =
            |n: usize| snapshot.named_locks[snapshot.threads[n].reported_wait?.lock.at()].name.as_deref();
        [of(0), of(1), of(2)]
    }

    fn threads() -> String {
        let enters = ["ntdll!NtWaitForSingleObject", "ntdll!RtlEnterCriticalSection", "shop!log_write"];
        [thread(0, &enters), thread(1, &enters), thread(2, &["ntdll!NtWriteFile", "shop!flush"])].concat()
    }

    #[test]
    fn where_the_list_stands_does_not_matter() {
        let (stacks, list) =
            (format!("0:000> ~*k\n\n{}", threads()), format!("0:000> !cs -l\n{}", section(0, 2, 2)));
        let prompt = "0:000> q\n";
        for text in [
            format!("{list}\n{stacks}"),
            format!("{stacks}{list}"),
            format!("{stacks}{list}{prompt}"),
            format!("{list}{stacks}{list}"),
        ] {
            let snapshot = read_one(&text);
            assert_eq!(waits(&snapshot), [Some("shop!g_log0"), Some("shop!g_log0"), None], "{text}");
            assert!(snapshot.gaps.is_empty(), "{:?}", snapshot.gaps);
            assert_eq!(snapshot.threads[2].holds.1 - snapshot.threads[2].holds.0, 1, "{text}");
        }
    }

    #[test]
    fn what_is_not_clear_is_said() {
        let text = |list: &str| format!("0:000> ~*k\n\n{}0:000> !cs -l\n{list}", threads());
        for list in [
            section(0, 2, 1),
            section(0, 2, 3),
            section(0, 2, 1) + &section(1, 2, 1),
            section(0, 2, 2).split_once("RecursionCount").unwrap().0.to_owned(),
        ] {
            let snapshot = read_one(&text(&list));
            assert_eq!(waits(&snapshot), [None, None, None], "{list}");
            assert!(snapshot.gaps.has(GapKind::Limit), "{list}");
        }
        // Nobody waits for a section that was printed.
        assert!(read_one(&text(&section(0, 2, 0))).gaps.is_empty());
    }
}
