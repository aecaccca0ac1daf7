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
//! 2LKDEADLOCKTHR  Thread "dl2" (J9VMThread:0x…)                       or `(0x94501D00)`, up to J9 2.6
//! ```
//!
//! Whoever pastes a javacore into a report of a fault leaves out most threads, or all: those that the section names as
//! waiting are threads of the dump then.

use super::header::hex;
use crate::formats::java::class_name;
use crate::formats::text::{Building, OwnerRef};
use crate::model::{
    GapKind, LockId, ReportedLockKind, ReportedState, ReportedWait, Str, Thread, ThreadId, WaitMode,
};

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

/// What an object is of which only its class is told.
pub(super) fn kind_of_class(class: &str) -> ReportedLockKind {
    let row = CLASSES.iter().find(|(part, _)| class.contains(part));
    row.map_or(ReportedLockKind::JavaMonitor, |(_, kind)| *kind)
}

/// Parts of the names of classes that say what their objects are; all others are monitors.
static CLASSES: &[(&str, ReportedLockKind)] = &[
    ("/locks/", ReportedLockKind::JavaSynchronizer),
    ("J9VMInternals$ClassInitializationLock", ReportedLockKind::ClassInit),
];

/// What an object is called: by its class, but for the one that stands for a class, whose name no text has.
pub(super) fn name_of_class(class: &str) -> Option<Str> {
    (kind_of_class(class) != ReportedLockKind::ClassInit).then(|| class_name(class))
}

/// A thread that the section names.
#[derive(Clone)]
struct Named {
    name: Str,
    /// Its address.
    handle: u64,
}

/// A lock of the section.
struct Lock {
    id: LockId,
    name: Option<Str>,
    kind: ReportedLockKind,
    owner: Option<Owner>,
    /// The threads that wait, and how.
    waiters: Vec<(Named, WaitMode)>,
    offset: u64,
}

enum Owner {
    Nobody,
    Thread(Named),
}

/// A thread of a deadlock, and what it waits for.
struct Member {
    thread: Named,
    lock: Option<Lock>,
}

/// Reads the section, line by line. Threads come after it.
#[derive(Default)]
pub(super) struct Reader {
    locks: Vec<Lock>,
    rings: Vec<Vec<Member>>,
    /// Where the section begins.
    first: Option<u64>,
}

impl Reader {
    /// A line without its tag.
    pub fn line(&mut self, tag: &str, text: &str, offset: u64) {
        match tag {
            "3LKMONOBJECT" => self.locks.extend(object(text, offset)),
            "2LKREGMON" => self.locks.extend(registered(text, offset)),
            "3LKWAITER" => self.waiter(text, WaitMode::Enter, offset),
            "3LKWAITNOTIFY" => self.waiter(text, WaitMode::Notify, offset),
            "1LKDEADLOCK" => self.rings.push(Vec::new()),
            "2LKDEADLOCKTHR" => {
                if let (Some(ring), Some(thread)) = (self.rings.last_mut(), thread_in(text)) {
                    self.first.get_or_insert(offset);
                    ring.push(Member { thread, lock: None });
                }
            }
            "4LKDEADLOCKOBJ" => {
                if let Some(member) = self.rings.last_mut().and_then(|ring| ring.last_mut()) {
                    member.lock = object(text, offset);
                }
            }
            _ => {}
        }
    }

    fn waiter(&mut self, text: &str, mode: WaitMode, offset: u64) {
        if let (Some(lock), Some(thread)) = (self.locks.last_mut(), thread_in(text)) {
            self.first.get_or_insert(offset);
            lock.waiters.push((thread, mode));
        }
    }

    /// Where the section names the first thread that waits.
    pub fn first(&self) -> Option<u64> {
        self.first
    }

    /// Tells owners, waiters and deadlocks of the dump.
    pub fn settle(&mut self, building: &mut Building) {
        let mut threads = Threads::of(building);
        for lock in std::mem::take(&mut self.locks) {
            let is_owned = matches!(lock.owner, Some(Owner::Thread(_)));
            if lock.waiters.is_empty() && !is_owned {
                continue;
            }
            let ix = building.lock(lock.id, lock.name, lock.kind);
            match &lock.owner {
                Some(Owner::Thread(owner)) => building.owner(ix, threads.owner(owner), lock.offset),
                Some(Owner::Nobody) => building.owner(ix, OwnerRef::Nobody, lock.offset),
                None => {}
            }
            for (thread, mode) in lock.waiters {
                threads.waits(building, &thread, ReportedWait::of(ix, mode), lock.offset);
            }
        }
        for ring in std::mem::take(&mut self.rings) {
            threads.ring(building, ring);
        }
        if threads.missing > 0 {
            let message = "threads that the section of the locks names are in no list of the text: what is known of \
                           them is what they wait for";
            building.snapshot.gaps.add_many(GapKind::Truncated, message, threads.missing, None);
            building.snapshot.is_complete = false;
        }
    }
}

/// Threads of a dump by address.
struct Threads {
    place: rustc_hash::FxHashMap<u64, usize>,
    /// How many were added that no list has.
    missing: u64,
}

impl Threads {
    fn of(building: &Building) -> Self {
        let threads = building.snapshot.threads.iter().enumerate();
        Self { place: threads.filter_map(|(n, t)| Some((t.handle?, n))).collect(), missing: 0 }
    }

    /// Whom the text calls so: by the address, or by the name where the list does not have it.
    fn owner(&self, thread: &Named) -> OwnerRef {
        match self.place.contains_key(&thread.handle) {
            true => OwnerRef::HandleValue(thread.handle),
            false => OwnerRef::Name(thread.name.clone()),
        }
    }

    /// A thread waits. What it says itself is as good, and newer releases say it there.
    fn waits(&mut self, building: &mut Building, thread: &Named, wait: ReportedWait, offset: u64) {
        // Who waits to be notified is of no use without a stack.
        if wait.mode == WaitMode::Notify && !self.place.contains_key(&thread.handle) {
            return;
        }
        let place = self.add(building, thread, offset);
        if let Some(thread) = building.snapshot.threads.get_mut(place) {
            thread.reported_wait.get_or_insert(wait);
        }
    }

    /// Where a thread is; adds one that no list has.
    fn add(&mut self, building: &mut Building, named: &Named, offset: u64) -> usize {
        if let Some(place) = self.place.get(&named.handle) {
            return *place;
        }
        let mut thread =
            Thread::new(ThreadId::Text(format!("{:#X}", named.handle).replacen("0X", "0x", 1).into()));
        thread.name = Some(named.name.clone());
        thread.handle = Some(named.handle);
        thread.reported = Some(ReportedState::Blocked);
        let place = building.push(thread, &Default::default(), &[], offset).at();
        self.place.insert(named.handle, place);
        self.missing += 1;
        place
    }

    /// A deadlock. Each waits for what the next one has; the first is named once more at the end.
    fn ring(&mut self, building: &mut Building, ring: Vec<Member>) {
        let handles: Vec<u64> = ring.iter().map(|member| member.thread.handle).collect();
        for (member, next) in ring.into_iter().zip(handles.iter().skip(1)) {
            let Some(lock) = member.lock else { continue };
            let ix = building.lock(lock.id, lock.name, lock.kind);
            let wait = ReportedWait::of(ix, mode_of_kind(lock.kind));
            self.waits(building, &member.thread, wait, lock.offset);
            building.owner(ix, OwnerRef::HandleValue(*next), lock.offset);
        }
        let mut members: Vec<u64> = Vec::new();
        for handle in handles {
            if !members.contains(&handle) {
                members.push(handle);
            }
        }
        if !members.is_empty() {
            building.ring(members.into_iter().map(OwnerRef::HandleValue).collect());
        }
    }
}

fn mode_of_kind(kind: ReportedLockKind) -> WaitMode {
    match kind {
        ReportedLockKind::JavaSynchronizer => WaitMode::Park,
        _ => WaitMode::Enter,
    }
}

/// `java/lang/Object@0x00000000FFC5AE60: owner "dl1" (J9VMThread:0x0000000002E0C000), entry count 1`.
fn object(text: &str, offset: u64) -> Option<Lock> {
    let (class, rest) = text.split_once('@')?;
    let (address, rest) = rest.split_once(": ").or_else(|| Some((rest.trim_end_matches(':'), "")))?;
    // J9 2.x wrote `0x…/0x…`: the object and its monitor.
    let address = address.split('/').next().and_then(hex_of_any)?;
    let kind = kind_of_class(class);
    Some(Lock {
        id: LockId::Address(address),
        name: name_of_class(class),
        kind,
        // Who initializes the class has given the monitor back.
        owner: owner(rest).filter(|_| kind != ReportedLockKind::ClassInit),
        waiters: Vec::new(),
        offset,
    })
}

/// `Thread global lock (0x00000000007A7210): owner "main" (J9VMThread:0x…), entry count 1`.
fn registered(text: &str, offset: u64) -> Option<Lock> {
    let (name, rest) = text.split_once(" lock (0x").or_else(|| text.split_once(" (0x"))?;
    let (address, rest) = rest.split_once(')')?;
    Some(Lock {
        id: LockId::Address(u64::from_str_radix(address, 16).ok()?),
        name: Some(name.trim().into()),
        kind: ReportedLockKind::Other,
        owner: owner(rest.trim_start_matches(':').trim_start()),
        waiters: Vec::new(),
        offset,
    })
}

fn owner(text: &str) -> Option<Owner> {
    if text.starts_with("<unowned>") {
        return Some(Owner::Nobody);
    }
    if !["owner ", "Flat locked by "].iter().any(|start| text.starts_with(start)) {
        return None;
    }
    thread_in(text).map(Owner::Thread)
}

/// `"dl1" (J9VMThread:0x0000000002E0C000)`, `"JIT Compilation Thread" (0x000CC300)`. A name may hold both.
fn thread_in(text: &str) -> Option<Named> {
    let at = text.rfind("\" (")?;
    let inside = text.get(at + 3..)?.split([')', ',']).next()?;
    let handle = hex(inside.strip_prefix("J9VMThread:").unwrap_or(inside))?;
    Some(Named { name: text.get(text.find('"')? + 1..at)?.into(), handle })
}

/// `0x00000000FFC5AE60`, `00FFC5AE60`.
fn hex_of_any(text: &str) -> Option<u64> {
    hex(text).or_else(|| u64::from_str_radix(text.trim(), 16).ok())
}
