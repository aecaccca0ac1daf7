//! Resources of the kernel (`ERESOURCE`) as the kernel debugger's `!locks` prints them: read-write locks that know their
//! owners, and who waits.
//!
//! ```text
//! Resource @ nt!CmpRegistryLock (0xfffff80002c5b000)    Shared 1 owning threads
//! Resource @ 0xfffffa8003a5b2c0    Exclusively owned
//!     Contention Count = 44
//!     NumberOfExclusiveWaiters = 2
//!      Threads: fffffa8005555b60-01<*>
//!      Threads: 80ed0023-01<*> *** Actual Thread 80ed0020
//!      Threads Waiting On Exclusive Access:
//!               fffffa8006666b60       fffffa8007777b60
//! ```
//!
//! Source: the debugger's documentation (learn.microsoft.com/windows-hardware/drivers/debuggercmds: !locks (!kdext*.locks)).

use rustc_hash::FxHashMap;

use crate::formats::text::words::{hex, number};
use crate::formats::text::{Building, OwnerRef};
use crate::model::{
    LockId, NamedLockIx, ReportedHold, ReportedLockKind, ReportedWait, Str, ThreadIx, WaitMode,
};

/// All that were printed.
#[derive(Default)]
pub(super) struct Resources {
    all: Vec<Resource>,
    list: List,
}

/// Which threads the next line lists.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum List {
    #[default]
    None,
    Owners,
    Writers,
    Readers,
}

#[derive(Default)]
struct Resource {
    address: u64,
    name: Option<Str>,
    /// Addresses of the objects of threads.
    owners: Vec<u64>,
    waiters: Vec<(u64, WaitMode)>,
    counted: Option<u64>,
}

/// How lines begin that belong to a resource.
static FIELDS: &[&str] =
    &["Contention Count = ", WRITERS, READERS, OWNERS, LISTS_WRITERS, LISTS_READERS, "KD: Scanning for "];
const WRITERS: &str = "NumberOfExclusiveWaiters = ";
const READERS: &str = "NumberOfSharedWaiters = ";
const OWNERS: &str = "Threads: ";
const LISTS_WRITERS: &str = "Threads Waiting On Exclusive Access";
const LISTS_READERS: &str = "Threads Waiting On Shared Access";

/// What these locks are called that have no symbol.
const TYPE: &str = "ERESOURCE";

/// How a thread is told whose address has marks in its lowest bits.
const ACTUAL: &str = "*** Actual Thread ";

/// Whether a line is one of these.
pub(super) fn is_line(line: &str) -> bool {
    let text = line.trim();
    begin(text).is_some()
        || FIELDS.iter().any(|field| text.starts_with(field))
        || is_end(text)
        // In a list of threads.
        || line.starts_with("     ") && threads(text).is_some()
}

/// `100 total locks, 2 locks currently held`
fn is_end(text: &str) -> bool {
    number(text).is_some_and(|(_, rest)| rest.trim_start().starts_with("total locks"))
}

fn begin(text: &str) -> Option<Resource> {
    let rest = text.strip_prefix("Resource @ ")?;
    let (word, behind) = rest.split_once(' ').unwrap_or((rest, ""));
    if let Some(address) = word.strip_prefix("0x").and_then(hex) {
        return Some(Resource { address, ..Resource::default() });
    }
    let (address, _) = behind.trim_start().strip_prefix("(0x")?.split_once(')')?;
    Some(Resource { address: hex(address)?, name: Some(word.into()), ..Resource::default() })
}

/// `fffffa8005555b60-01<*> fffffa8006666b60-01<*>`, `fffffa8006666b60       fffffa8007777b60`
fn threads(text: &str) -> Option<Vec<u64>> {
    let (text, actual) = match text.split_once(ACTUAL) {
        Some((text, actual)) => (text, hex(actual.split_ascii_whitespace().next()?)),
        None => (text, None),
    };
    let of = |word: &str| {
        let address = word.split('-').next()?;
        hex(address).filter(|_| matches!(address.len(), 8 | 16))
    };
    let mut threads = text.split_ascii_whitespace().map(of).collect::<Option<Vec<u64>>>()?;
    if let (Some(last), Some(actual)) = (threads.last_mut(), actual) {
        *last = actual;
    }
    (!threads.is_empty()).then_some(threads)
}

impl Resources {
    /// Takes up a line.
    pub fn line(&mut self, line: &str) {
        let text = line.trim();
        if let Some(resource) = begin(text) {
            self.all.retain(|known| known.address != resource.address);
            self.all.push(resource);
            self.list = List::None;
            return;
        }
        let Some(last) = self.all.last_mut() else { return };
        if let Some(count) = [WRITERS, READERS].iter().find_map(|field| text.strip_prefix(field)) {
            let count = number(count).map(|(count, _)| count);
            last.counted = count.map(|count| last.counted.unwrap_or(0).saturating_add(count));
            return;
        }
        let mut text = text;
        if let Some(owners) = text.strip_prefix(OWNERS) {
            (self.list, text) = (List::Owners, owners);
        } else if text.starts_with(LISTS_WRITERS) {
            self.list = List::Writers;
            return;
        } else if text.starts_with(LISTS_READERS) {
            self.list = List::Readers;
            return;
        }
        let Some(threads) = threads(text) else {
            self.list = List::None;
            return;
        };
        match self.list {
            List::None => {}
            List::Owners => last.owners.extend(threads),
            List::Writers => last.waiters.extend(threads.into_iter().map(|t| (t, WaitMode::Enter))),
            List::Readers => last.waiters.extend(threads.into_iter().map(|t| (t, WaitMode::Read))),
        }
    }

    /// Says of the threads that are there what they hold and wait for.
    pub fn settle(self, building: &mut Building) {
        if self.all.is_empty() {
            return;
        }
        let threads = (0u32..).map(ThreadIx).zip(&building.snapshot.threads);
        let by_object: FxHashMap<u64, ThreadIx> =
            threads.filter_map(|(ix, thread)| Some((thread.handle?, ix))).collect();
        let mut held: Vec<(ThreadIx, NamedLockIx)> = Vec::new();
        for resource in self.all.iter().filter(|r| !r.owners.is_empty() || !r.waiters.is_empty()) {
            let id = LockId::Address(resource.address);
            let name = resource.name.clone().unwrap_or_else(|| TYPE.into());
            let lock = building.lock(id, Some(name), ReportedLockKind::Other);
            let counted = resource.counted.unwrap_or(0).max(resource.waiters.len() as u64);
            building.waiters(lock, counted);
            for owner in &resource.owners {
                match (by_object.get(owner), resource.owners.len()) {
                    (Some(ix), _) => held.push((*ix, lock)),
                    // One of several is not the one who has it.
                    (None, 1) => building.owner(lock, OwnerRef::HandleValue(*owner), 0),
                    (None, _) => {}
                }
            }
            for (waiter, mode) in &resource.waiters {
                let thread = by_object.get(waiter).and_then(|ix| building.snapshot.threads.get_mut(ix.at()));
                if let Some(thread) = thread {
                    thread.reported_wait = Some(ReportedWait::of(lock, *mode));
                }
            }
        }
        hold(building, held);
    }
}

/// Adds to what threads hold.
fn hold(building: &mut Building, mut held: Vec<(ThreadIx, NamedLockIx)>) {
    held.sort_unstable();
    held.dedup();
    for of_thread in held.chunk_by(|a, b| a.0 == b.0) {
        let snapshot = &mut building.snapshot;
        let Some(thread) = of_thread.first().and_then(|(ix, _)| snapshot.threads.get_mut(ix.at())) else {
            continue;
        };
        let known = (thread.holds.0 as usize)..(thread.holds.1 as usize);
        let known = snapshot.holds.get(known).unwrap_or_default().to_vec();
        let start = snapshot.holds.len() as u32;
        snapshot.holds.extend(known);
        snapshot.holds.extend(of_thread.iter().map(|(_, lock)| ReportedHold { lock: *lock, depth: None }));
        thread.holds = (start, snapshot.holds.len() as u32);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::testing::{cut_everywhere, read_one};
    use crate::model::{ReportedOwner, Snapshot};

    const HELD: &str = "0: kd> !locks
**** DUMP OF ALL RESOURCE OBJECTS ****
KD: Scanning for held locks..

Resource @ nt!CmpRegistryLock (0xfffff80002c5b000)    Shared 2 owning threads
    Contention Count = 10
     Threads: fffffa8001234b63-01<*> *** Actual Thread fffffa8005555b60
              fffffa8001299b60-01<*>

Resource @ 0xfffffa8003a5b2c0    Exclusively owned
    Contention Count = 44
    NumberOfSharedWaiters = 1
    NumberOfExclusiveWaiters = 2
     Threads: fffffa8005555b60-01<*> 
     Threads Waiting On Shared Access:
              fffffa8008888b60       
     Threads Waiting On Exclusive Access:
              fffffa8006666b60       fffffa8007777b60       

100 total locks, 2 locks currently held
0: kd> !process 0 7
";

    /// A thread of the kernel's list.
    fn thread(object: &str, tid: &str, function: &str) -> String {
        format!(
            "THREAD {object}  Cid 0a50.{tid}  Teb: 0000000000000000 Win32Thread: 0000000000000000 WAIT: (WrResource) KernelMode Non-Alertable\nChild-SP          RetAddr           Call Site\nfffff880`0abcd100 fffff800`02a5b2f2 nt!KiSwapContext+0x7a\nfffff880`0abcd240 00000000`00000000 {function}+0x1d2\n\n"
        )
    }

    fn waits(snapshot: &Snapshot) -> Vec<Option<(LockId, WaitMode)>> {
        let of = |wait: ReportedWait| (snapshot.named_locks[wait.lock.at()].id.clone(), wait.mode);
        snapshot.threads.iter().map(|thread| thread.reported_wait.map(of)).collect()
    }

    #[test]
    fn owners_and_waiters_by_their_objects() {
        let threads = [
            thread("fffffa8005555b60", "0a54", "disk!flush"),
            thread("fffffa8006666b60", "0a58", "disk!write"),
            thread("fffffa8008888b60", "0a5c", "disk!read"),
        ]
        .concat();
        let snapshot = read_one(&format!("{HELD}{threads}"));
        let of = |mode| Some((LockId::Address(0xffff_fa80_03a5_b2c0), mode));
        assert_eq!(waits(&snapshot), [None, of(WaitMode::Enter), of(WaitMode::Read)]);
        let (start, end) = snapshot.threads[0].holds;
        let held = snapshot.holds[start as usize..end as usize].iter().map(|hold| hold.lock.at());
        let names: Vec<_> = held.map(|at| snapshot.named_locks[at].name.as_deref()).collect();
        assert_eq!(names, [Some("nt!CmpRegistryLock"), Some("ERESOURCE")]);
        assert_eq!(snapshot.named_locks[1].waiters, Some(3));
        assert!(snapshot.gaps.is_empty(), "{:?}", snapshot.gaps);
        // Behind the stacks it says the same.
        let (listing, prompt) = HELD.rsplit_once("0: kd> ").expect("a prompt");
        let behind = read_one(&format!("0: kd> {prompt}{threads}{listing}"));
        assert_eq!(waits(&behind), waits(&snapshot));
        cut_everywhere(HELD);
    }

    #[test]
    fn an_owner_that_is_not_shown() {
        let snapshot = read_one(&format!("{HELD}{}", thread("fffffa8006666b60", "0a58", "disk!write")));
        let owners: Vec<_> = snapshot.reported_locks.iter().map(|lock| lock.owner.clone()).collect();
        assert_eq!(owners, [ReportedOwner::NotShown("thread 0xfffffa8005555b60".into())]);
    }
}
