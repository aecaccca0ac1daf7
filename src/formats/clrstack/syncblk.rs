//! The table of `syncblk`: monitors with their owner and the number of their waiters.
//!
//! ```text
//! Index         SyncBlock MonitorHeld Recursion Owning Thread Info          SyncBlock Owner
//!    41 000000000143D038          603         1 00007F2B542D28C0 1dc1d  20   00007f2e90080fb8 System.Object
//!    12 0000024453F8A5A8            1         1 0000024453F46720  4c8  XXX   000002445413a0b8 App.Cache
//!     9 0000024453F8A508            0         0 0000000000000000     none    000002445413a018 System.Object
//!     8 0000024453F8A4B8            3         1 ffffffffffffffff  orphaned   000002445413a0f8 System.Object
//! ```
//!
//! `MonitorHeld` is 1 for the owner and 2 for each waiter. A thread that a monitor's owner is and the debugger does not
//! know any more is `XXX`, where its id is gone as well in place of it.
//!
//! The table counts the waiters and does not name them. Where no thread of the text can be one of them, its stack was
//! not printed: that they are there is known, and that the text does not show them.

use rustc_hash::{FxHashMap, FxHashSet};

use crate::formats::text::{Body, Building, Contended, OwnerRef, is_limited, link};
use crate::model::{
    GapKind, LockId, NamedLockIx, ReportedHold, ReportedLock, ReportedLockKind, ReportedOwner, ReportedState,
    ReportedWait, Snapshot, Str, Thread, ThreadId, ThreadNumber, WaitMode,
};

/// Functions in which a thread waits to enter a monitor, as beginnings.
static ENTERS: &[&str] = &[
    "System.Threading.Monitor.Enter",
    "System.Threading.Monitor.ReliableEnter",
    "System.Threading.Monitor.TryEnter",
    "System.Threading.Monitor.JIT_MonReliableEnter",
    "JIT_MonEnter",
    "JIT_MonReliableEnter",
    "AwareLock::Enter",
];

/// How many frames below the innermost one the entering function may be.
const ENTER_DEPTH: usize = 8;

/// So many threads are added at most for those that a table counts; the others are counted.
const MOST_UNSHOWN: u64 = 10_000;

/// Who owns a monitor.
enum Owner {
    /// Nobody.
    None,
    /// The thread with this id of the operating system.
    Thread(u32),
    /// A thread that has ended.
    Ended(u32),
}

/// A row.
struct Block {
    object: u64,
    class: Str,
    owner: Owner,
    waiters: u64,
    offset: u64,
}

/// Collects the rows of a dump.
#[derive(Default)]
pub(super) struct Reader {
    blocks: Vec<Block>,
}

/// Whether a line is the head of the table.
pub(super) fn is_head(text: &str) -> bool {
    text.starts_with("Index ") && text.contains("MonitorHeld")
}

/// Whether a line is a row.
pub(super) fn is_row(text: &str) -> bool {
    read(text, 0).is_some()
}

fn read(text: &str, offset: u64) -> Option<Block> {
    let mut words = text.split_ascii_whitespace();
    let index: u64 = words.next()?.parse().ok()?;
    let block = words.next()?;
    let is_number = |word: &str| word.len() >= 8 && word.bytes().all(|b| b.is_ascii_hexdigit());
    let held: u64 = words.next()?.parse().ok()?;
    let _recursion: u64 = words.next()?.parse().ok()?;
    if !is_number(block) || index > u64::from(u32::MAX) {
        return None;
    }
    let holding = words.next()?;
    let word = words.next()?;
    let owner = match word {
        "none" => Owner::None,
        "orphaned" | "XXX" => Owner::Ended(0),
        _ if !is_number(holding) => return None,
        id => {
            let id = u32::from_str_radix(id, 16).ok()?;
            if words.next()? == "XXX" { Owner::Ended(id) } else { Owner::Thread(id) }
        }
    };
    let object = u64::from_str_radix(words.next()?, 16).ok()?;
    let class = words.collect::<Vec<_>>().join(" ");
    let of_owner = u64::from(!matches!(owner, Owner::None));
    Some(Block { object, class: class.into(), owner, waiters: held.saturating_sub(of_owner) / 2, offset })
}

impl Reader {
    /// A row of the table.
    pub fn row(&mut self, text: &str, offset: u64) {
        self.blocks.extend(read(text, offset));
    }

    /// Whether no row was read.
    pub fn is_empty(&self) -> bool {
        self.blocks.is_empty()
    }

    /// Where the first row stands.
    pub fn offset(&self) -> Option<u64> {
        self.blocks.first().map(|block| block.offset)
    }

    /// Tells owners and waiters of the dump.
    pub fn settle(&mut self, building: &mut Building) {
        let blocks = std::mem::take(&mut self.blocks);
        let mut contended = Vec::new();
        let mut counted = Vec::new();
        let mut held = Vec::new();
        let threads = building.snapshot.threads.iter().enumerate();
        let mut ix_of: FxHashMap<u32, usize> = threads.filter_map(|(n, t)| Some((t.tid?, n))).collect();
        for block in blocks {
            if block.waiters == 0 && matches!(block.owner, Owner::None) {
                continue;
            }
            let name = (!block.class.is_empty()).then_some(block.class);
            let lock = building.lock(LockId::Address(block.object), name, ReportedLockKind::DotnetMonitor);
            if block.waiters > 0 {
                building.waiters(lock, block.waiters);
                let owner = if let Owner::Thread(tid) = block.owner { Some(tid) } else { None };
                contended.push(Contended { lock, waiters: block.waiters, owner });
                let is_orphaned = matches!(block.owner, Owner::Ended(_));
                counted.push(Counted { lock, waiters: block.waiters, is_orphaned, offset: block.offset });
            }
            match block.owner {
                Owner::None => {}
                Owner::Ended(id) => building.snapshot.reported_locks.push(ReportedLock {
                    address: Some(block.object),
                    token: None,
                    symbol: None,
                    // Nobody has the id 0.
                    owner: ReportedOwner::Ended((id != 0).then_some(ThreadNumber::Hex(id.into()))),
                    waiters: Some(block.waiters),
                    offset: block.offset,
                }),
                Owner::Thread(tid) => {
                    // The stack of the owner may not have been printed; the table knows its id.
                    let threads = &mut building.snapshot.threads;
                    let ix = *ix_of.entry(tid).or_insert_with(|| {
                        let mut thread = Thread::new(ThreadId::Text(format!("0x{tid:x}").into()));
                        thread.tid = Some(tid);
                        threads.push(thread);
                        threads.len() - 1
                    });
                    if let Some(id) = threads.get(ix).map(|thread| thread.id.clone()) {
                        building.owner(lock, OwnerRef::Id(id), block.offset);
                        held.push((ix, lock));
                    }
                }
            }
        }
        link(&mut building.snapshot, contended, ENTERS);
        hold(&mut building.snapshot, held);
        unshown(building, counted);
    }
}

/// A monitor that threads wait for.
struct Counted {
    lock: NamedLockIx,
    waiters: u64,
    /// Its owner has ended.
    is_orphaned: bool,
    offset: u64,
}

/// What is said of monitors whose waiters are not told from those of others.
const UNCLEAR: &str = "monitors that threads wait for were passed over: which of the threads that enter one wait for it, the \
                       table of syncblk does not say";
const UNCLEAR_ORPHANED: &str = "monitors that threads wait for and whose owner has ended were passed over: which of the \
                                threads that enter one wait for it, the table of syncblk does not say";

/// Adds the waiters of those monitors for which no thread of the text can wait. Where some that enter a monitor are left,
/// they may be these, and no more is said than that.
fn unshown(building: &mut Building, counted: Vec<Counted>) {
    let snapshot = &mut building.snapshot;
    let waited_for: FxHashSet<NamedLockIx> =
        snapshot.threads.iter().filter_map(|thread| Some(thread.reported_wait?.lock)).collect();
    let open: Vec<Counted> = counted.into_iter().filter(|c| !waited_for.contains(&c.lock)).collect();
    let Some(first) = open.first().map(|counted| counted.offset) else { return };
    if snapshot.threads.iter().any(|thread| thread.reported_wait.is_none() && enters(snapshot, thread)) {
        for counted in open {
            let message = if counted.is_orphaned { UNCLEAR_ORPHANED } else { UNCLEAR };
            snapshot.gaps.add(GapKind::SkippedText, message, Some(counted.offset));
        }
        return;
    }
    let total = open.iter().fold(0u64, |sum, counted| sum.saturating_add(counted.waiters));
    let mut room = MOST_UNSHOWN;
    for Counted { lock, waiters, offset, .. } in open {
        // One at least: the count of the table stands for the others.
        let added = waiters.min(room.max(1));
        room = room.saturating_sub(added);
        for _ in 0..added {
            let mut thread = Thread::new(ThreadId::Text("?".into()));
            thread.reported = Some(ReportedState::Entering);
            thread.reported_wait = Some(ReportedWait::of(lock, WaitMode::Enter));
            building.push(thread, &Body::default(), &[], offset);
        }
    }
    let message =
        format!("the stacks of {total} threads that the table of syncblk counts are not in the text");
    is_limited(&mut building.snapshot, message, Some(first));
}

/// Whether a thread enters a monitor.
fn enters(snapshot: &Snapshot, thread: &Thread) -> bool {
    snapshot.stacks.frames_of(thread.stack).iter().take(ENTER_DEPTH).any(|frame| {
        let name = snapshot.stacks.get(*frame).function.as_deref().unwrap_or_default();
        ENTERS.iter().any(|start| name.starts_with(start))
    })
}

/// What each thread holds, as the table says.
fn hold(snapshot: &mut Snapshot, mut held: Vec<(usize, NamedLockIx)>) {
    held.sort_unstable();
    for of_thread in held.chunk_by(|a, b| a.0 == b.0) {
        let start = snapshot.holds.len() as u32;
        snapshot.holds.extend(of_thread.iter().map(|&(_, lock)| ReportedHold { lock, depth: None }));
        let end = snapshot.holds.len() as u32;
        if let Some(thread) = of_thread.first().and_then(|(ix, _)| snapshot.threads.get_mut(*ix)) {
            thread.holds = (start, end);
        }
    }
}
