//! What the JVM says of deadlocks that it found.
//!
//! ```text
//! Found one Java-level deadlock:
//! =============================
//! "jdl1":
//!   waiting for ownable synchronizer 0x0000000708a03a40, (a java.util.concurrent.locks.ReentrantLock$NonfairSync),
//!   which is held by "jdl2"
//!
//! "dl2":
//!   waiting to lock monitor 0x00007f02580d3a10 (object 0x0000000708a03a28, a java.lang.Object),
//!   which is held by "dl1"                                        or `in JNI, which is held by "dl1"`
//!
//! "dl3":
//!   waiting to lock Monitor@0x00007f88880015a0 (Object@0x000000069ec1a800, a java/lang/Object),       jhsdb, jstack -F
//!   which is held by "dl4"
//! "sap" (tid=0x8000000100bc26b8):                                                                     SAP's JVM
//!   waiting to lock monitor 0x00007f02580d3a10 (object 0x0000000708a03a28, a java.lang.Object),
//!   which is held by "other" (tid=0x8000000100bc5480)
//!
//! Java stack information for the threads listed above:
//! ===================================================
//! "dl2":
//!     at app.Transfer.run(Transfer.java:18)
//!     - waiting to lock <0x0000000708a03a28> (a java.lang.Object)
//! ```
//!
//! Whoever pastes a dump into a report of a fault often pastes this section alone: then its threads are those of the
//! dump, and its stacks are theirs.
//!
//! Source: OpenJDK 6-25 services/threadService.cpp `DeadlockCycle::print_on_with`; sun/jvm/hotspot/runtime/DeadlockDetector.java.

use rustc_hash::{FxHashMap, FxHashSet};

use super::block;
use super::broken_names::{is_called, whole_name};
use super::java::{class_name, owner_named};
use crate::formats::text::words::{hex, split_once};
use crate::formats::text::{BlockLine, Body, Building, HEX, OwnerRef};
use crate::model::{
    GapKind, LockId, NamedLockIx, ReportedLockKind, ReportedState, ReportedWait, Str, Thread, ThreadId,
    WaitMode,
};

/// How the section and its parts begin.
pub(super) const FOUND: &str = "Found one Java-level deadlock:";
pub(super) const STACKS: &str = "Java stack information for the threads listed above:";
/// Threads that wait for one of a deadlock.
pub(super) const BEHIND: &str = "Threads (in)directly waiting on deadlocked thread";

/// Who has the lock of the lines above.
pub(super) const HELD_BY: &str = "which is held by \"";

/// What is waited for, by the words before it; what stands before its address, and before its class.
static WAITS: &[(&str, ReportedLockKind, &str, &str)] = &[
    ("waiting to lock monitor ", ReportedLockKind::JavaMonitor, "(object ", ", a "),
    ("waiting to lock Monitor@", ReportedLockKind::JavaMonitor, "(Object@", ", a "),
    ("waiting for ownable synchronizer ", ReportedLockKind::JavaSynchronizer, "synchronizer ", ", (a "),
];

/// Whether a line belongs to such a section wherever it stands.
pub(super) fn is_line(line: &str) -> bool {
    member(line).is_some() || is_wait(line) || line.trim_start().starts_with(HELD_BY)
}

/// Whether a line of the list of stacks has a part of a name with line breaks: its begin or its end.
pub(super) fn is_of_stacks(line: &str) -> bool {
    line.starts_with('"') || ends_member(line).is_some()
}

/// Whether a line says what a thread of a deadlock waits for.
pub(super) fn is_wait(line: &str) -> bool {
    let text = line.trim_start();
    WAITS.iter().any(|(words, ..)| text.starts_with(words))
}

/// `"dl2":`, `"dl2" (tid=0x8000000100bc26b8):`, `"dl2"(tid=0x…):`: the name. It may have begun in a line before.
pub(super) fn member(line: &str) -> Option<&str> {
    ends_member(line).and_then(|name| name.strip_prefix('"'))
}

/// The same without what stands before the name.
pub(super) fn ends_member(line: &str) -> Option<&str> {
    let text = line.trim_end().strip_suffix(':')?;
    let text = match text.strip_suffix(')') {
        Some(inside) => inside.rsplit_once("(tid=0x")?.0.trim_end(),
        None => text,
    };
    text.strip_suffix('"')
}

/// The same where that is no thread of Java.
const UNKNOWN_OWNER: &str = "which is held by UNKNOWN_owner_addr=";

/// How many lines a name may go on for behind a quote.
const MOST_BELOW: usize = 16;

/// As much of a name with line breaks as is waited for, bytes.
const LONGEST_NAME: usize = 1024;

/// Where in the sections a line stands.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Place {
    /// Among threads that wait.
    #[default]
    Waits,
    /// Among threads that wait for each other, as the JVM says.
    Ring,
    /// In the list of their stacks.
    Stacks,
}

/// A thread of a section.
#[derive(Default)]
struct Member {
    name: Str,
    lock: Option<Lock>,
    owner: Option<Owner>,
    /// Its stack.
    lines: Vec<String>,
    offset: u64,
}

/// Whom the JVM calls the owner.
enum Owner {
    /// Its name, and the lines below it, into which a name with a quote at the end of a line may go on.
    Named(String, Vec<String>),
    /// The address of what is no thread of Java: `UNKNOWN_owner_addr=0x00007f02580d3a10`.
    Unknown(u64),
}

struct Lock {
    address: u64,
    class: Str,
    kind: ReportedLockKind,
}

/// Reads the sections of a dump, line by line.
#[derive(Default)]
pub(super) struct Reader {
    members: Vec<Member>,
    /// Names of those that the JVM calls a deadlock.
    rings: Vec<Vec<Str>>,
    place: Place,
    /// The one whose lines follow.
    current: Option<usize>,
    /// A line with a name that goes on in the next one.
    open: Option<String>,
}

impl Reader {
    /// A line of a section.
    pub fn line(&mut self, line: &str, offset: u64) {
        if line.starts_with(FOUND) {
            self.begin(Place::Ring);
            self.rings.push(Vec::new());
            return;
        }
        if line.starts_with(STACKS) || line.starts_with(BEHIND) {
            self.begin(if line.starts_with(STACKS) { Place::Stacks } else { Place::Waits });
            return;
        }
        let line = match self.open.take().filter(|begun| begun.len() < LONGEST_NAME) {
            Some(begun) => format!("{begun}\n{line}"),
            None => line.to_owned(),
        };
        if let Some((_, owner)) = split_once(&line, HELD_BY) {
            let end = owner.trim_end();
            let name = end.strip_suffix('"').or_else(|| Some(end.rsplit_once("\" (tid=0x")?.0));
            match (name, self.member()) {
                (Some(name), Some(member)) => member.owner = Some(Owner::Named(name.to_owned(), Vec::new())),
                (None, Some(_)) => self.open = Some(line),
                (_, None) => {}
            }
        } else if let Some((_, address)) = split_once(&line, UNKNOWN_OWNER) {
            if let (Some(member), Some(address)) = (self.member(), hex(address.trim())) {
                member.owner = Some(Owner::Unknown(address));
            }
        } else if let Some(name) = member(&line) {
            self.add(name, offset);
        } else if line.starts_with('"') {
            self.open = Some(line);
        } else if is_wait(&line) {
            if let Some(member) = self.member() {
                member.lock = lock(&line);
            }
        } else if self.place == Place::Stacks {
            if let Some(member) = self.member() {
                member.lines.push(line);
            }
        } else if let Some(Member { owner: Some(Owner::Named(_, below)), .. }) = self.member()
            && below.len() < MOST_BELOW
        {
            below.push(line);
        }
    }

    fn begin(&mut self, place: Place) {
        (self.place, self.current, self.open) = (place, None, None);
    }

    fn member(&mut self) -> Option<&mut Member> {
        self.members.get_mut(self.current?)
    }

    fn add(&mut self, name: &str, offset: u64) {
        if self.place == Place::Stacks {
            let is_next = |m: &&Member| m.lines.is_empty() && is_called(&m.name, name);
            self.current = self.members.iter().position(|m| is_next(&m));
            return;
        }
        self.current = Some(self.members.len());
        self.members.push(Member { name: name.into(), offset, ..Member::default() });
        if let Some(ring) = self.rings.last_mut().filter(|_| self.place == Place::Ring) {
            ring.push(name.into());
        }
    }

    /// A thread or another part of the dump begins.
    pub fn end(&mut self) {
        self.begin(Place::Waits);
    }

    /// Whether there was a section, and where the first one began.
    pub fn first(&self) -> Option<u64> {
        self.members.first().map(|member| member.offset)
    }

    /// Tells the dump, whose threads are all known, of the sections.
    pub fn settle(self, building: &mut Building) {
        let Self { members, rings, .. } = self;
        let named = Named::of(building);
        let names: FxHashSet<Str> = members.iter().map(|member| member.name.clone()).collect();
        let is_name = |name: &str| named.0.contains_key(name) || names.contains(name);
        let owner = |member: &Member| match member.owner.as_ref()? {
            Owner::Named(name, below) => Some(whole_name(name, below, is_name)),
            Owner::Unknown(_) => None,
        };
        let owner_of: FxHashMap<Str, Str> =
            members.iter().filter_map(|member| Some((member.name.clone(), owner(member)?))).collect();
        // One that is in several rings is told of in each.
        let mut told = FxHashSet::default();
        let mut missing = 0;
        for member in members {
            let key = (member.name.clone(), member.lock.as_ref().map(|lock| lock.address));
            if !told.insert(key) {
                continue;
            }
            let lock = member.lock.as_ref().map(|lock| {
                (building.lock(LockId::Address(lock.address), Some(lock.class.clone()), lock.kind), lock.kind)
            });
            match named.place(&member.name) {
                Some(place) => tell(building, place, lock),
                None => {
                    missing += 1;
                    push(building, &member, lock);
                }
            }
            let owner = match &member.owner {
                Some(Owner::Unknown(address)) => Some(OwnerRef::HandleValue(*address)),
                _ => owner(&member).map(|name| owner_named(&name)),
            };
            if let (Some((lock, _)), Some(owner)) = (lock, owner) {
                building.owner(lock, owner, member.offset);
            }
        }
        for ring in rings.iter().filter(|ring| !ring.is_empty()) {
            let of_ring = cycle(ring, &owner_of);
            building.ring(of_ring.iter().map(|name| owner_named(name)).collect());
        }
        if missing > 0 {
            let message = "threads of a deadlock that the JVM found are in no list of the text: what is known of \
                           them is what the JVM says of the deadlock";
            building.snapshot.gaps.add_many(GapKind::Truncated, message, missing, None);
            building.snapshot.is_complete = false;
        }
    }
}

/// Those that wait for each other: HotSpot lists those before them too that led it there. All, where a link is missing.
fn cycle<'m>(ring: &'m [Str], owner_of: &'m FxHashMap<Str, Str>) -> Vec<&'m Str> {
    let next = |at: &'m Str| owner_of.get(at).filter(|owner| ring.contains(owner));
    let end = ring.first().and_then(|first| (0..ring.len()).try_fold(first, |at, _| next(at)));
    let Some(start) = end else { return ring.iter().collect() };
    let mut all = vec![start];
    while let Some(other) = all.last().and_then(|last| next(last)).filter(|other| *other != start)
        && all.len() < ring.len()
    {
        all.push(other);
    }
    all
}

/// Threads of a dump by name.
struct Named(FxHashMap<Str, Vec<usize>>);

impl Named {
    fn of(building: &Building) -> Self {
        let mut named: FxHashMap<Str, Vec<usize>> = FxHashMap::default();
        for (at, thread) in building.snapshot.threads.iter().enumerate() {
            if let Some(name) = &thread.name {
                named.entry(name.clone()).or_default().push(at);
            }
        }
        Self(named)
    }

    /// Where they are who are called so; `None`: nobody is.
    fn place(&self, name: &Str) -> Option<&[usize]> {
        self.0.get(name).map(Vec::as_slice)
    }
}

type Wanted = Option<(NamedLockIx, ReportedLockKind)>;

fn mode_of(kind: ReportedLockKind) -> WaitMode {
    match kind {
        ReportedLockKind::JavaSynchronizer => WaitMode::Park,
        _ => WaitMode::Enter,
    }
}

/// A thread of the list: what its stack says of its wait is as good. Of two with one name it is not known which is meant.
fn tell(building: &mut Building, places: &[usize], lock: Wanted) {
    let ([place], Some((lock, kind))) = (places, lock) else { return };
    if let Some(thread) = building.snapshot.threads.get_mut(*place) {
        thread.reported_wait.get_or_insert(ReportedWait::of(lock, mode_of(kind)));
    }
}

/// A thread that is in no list.
fn push(building: &mut Building, member: &Member, lock: Wanted) {
    let mut thread = Thread::new(ThreadId::Text(member.name.clone()));
    thread.name = Some(member.name.clone());
    let wanted = lock.map(|(lock, kind)| ReportedWait::of(lock, mode_of(kind)));
    thread.reported = wanted.map(|wait| match wait.mode {
        WaitMode::Enter => ReportedState::Entering,
        _ => ReportedState::Waiting,
    });
    let (body, values) = stack(&member.lines);
    let ix = building.push(thread, &body, &values, member.offset);
    if let Some(thread) = building.snapshot.threads.get_mut(ix.at()) {
        thread.reported_wait = thread.reported_wait.or(wanted);
    }
}

/// Reads the lines of a stack, and the numbers in them.
fn stack(lines: &[String]) -> (Body, Vec<u64>) {
    let mut values = Vec::new();
    let lines: Vec<(String, usize)> = lines
        .iter()
        .map(|line| {
            let slot = values.len();
            (masked(line, &mut values), slot)
        })
        .collect();
    let block: Vec<BlockLine<'_>> =
        lines.iter().map(|(text, slot)| BlockLine { text, slot: *slot }).collect();
    (block::body(&block), values)
}

fn lock(line: &str) -> Option<Lock> {
    let text = line.trim_start();
    let (_, kind, before, between) = WAITS.iter().find(|(words, ..)| text.starts_with(words))?;
    let (_, object) = split_once(text, before)?;
    let (address, class) = split_once(object, between)?;
    let class = class_name(class.split(')').next()?);
    Some(Lock { address: hex(address.trim())?, class, kind: *kind })
}

/// The line with its addresses taken out, as in the blocks of threads.
fn masked(line: &str, values: &mut Vec<u64>) -> String {
    let mut out = String::new();
    let mut rest = line;
    while let Some((before, after)) = split_once(rest, "0x") {
        let digits = after.bytes().take_while(u8::is_ascii_hexdigit).count();
        let (number, behind) = after.split_at(digits);
        out.push_str(before);
        match u64::from_str_radix(number, 16) {
            Ok(value) => {
                values.push(value);
                out.push_str(HEX);
            }
            Err(_) => {
                out.push_str("0x");
                out.push_str(number);
            }
        }
        rest = behind;
    }
    out.push_str(rest);
    out
}
