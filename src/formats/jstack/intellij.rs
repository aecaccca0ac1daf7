//! What the IDEs of JetBrains write of their own threads, above all when they freeze: `threadDump-*.txt`.
//!
//! ```text
//! "AWT-EventQueue-0" prio=0 tid=0x0 nid=0x0 blocked
//!      java.lang.Thread.State: BLOCKED
//!  on java.lang.Object@5f5c2 owned by "Timer-2" Id=278 (suspended) (in native)
//!     at com.intellij.ide.Highlighter.events(Highlighter.kt:96)
//!
//! ---------- Coroutine dump ----------
//! - "com.intellij.ide":StandaloneCoroutine{Active} [Dispatchers.Default]
//!     at com.intellij.ide.Highlighter.next(Highlighter.kt:12)
//! ```
//!
//! No thread has an id, so that owners are known by their names; of two with one name it is not known which is meant. The
//! third line is empty where the thread neither waits nor is in native code. Newer releases leave idle workers of
//! coroutines out and say so nowhere.
//!
//! Source: JetBrains/intellij-community ThreadDumper.java `dumpCallStack` and `sort`, CoroutineDumper.kt, as of 2025.

use super::java;
use crate::formats::text::{Dumps, OwnerRef, SeenIds};
use crate::model::{ReportedState, Thread, ThreadId};

/// What a header says that knows no id; the event of such a header.
pub(super) const WITHOUT_IDS: &str = "tid=0x0 nid=0x0";

/// How the list of coroutines begins, whose frames are no thread's.
pub(super) const COROUTINES: &str = "---------- Coroutine dump";

/// Words behind a lock, or alone; in the order in which they are taken off the end.
static FLAGS: &[&str] = &["(in native)", "(suspended)"];

/// Which lock a line of a block, without its indentation, names, and who has it: `on C@5f5c2 owned by "x" Id=3`.
pub(super) fn lock(text: &str) -> Option<(&str, Option<OwnerRef>)> {
    let text = without_flags(text).strip_prefix("on ")?;
    let (token, owner) = text.split_once(' ').unwrap_or((text, ""));
    if !java::is_token(token) {
        return None;
    }
    if owner.is_empty() {
        return Some((token, None));
    }
    let (name, id) = owner.strip_prefix("owned by \"")?.rsplit_once("\" Id=")?;
    id.bytes().all(|b| b.is_ascii_digit()).then(|| (token, Some(java::owner_named(name))))
}

/// Whether a line of a block, without its indentation, has such words alone.
pub(super) fn is_noise(text: &str) -> bool {
    without_flags(text).is_empty()
}

fn without_flags(text: &str) -> &str {
    FLAGS.iter().fold(text, |text, flag| text.strip_suffix(flag).unwrap_or(text).trim_end())
}

/// How the threads of events are called, which come first.
const EVENTS: &str = "AWT-EventQueue";

/// The same where events are handled by the thread of macOS (`jb.dispatching.on.main.thread`).
const MACOS: &str = "AppKit";

/// So many times a stack is followed by a less deep one, and never by a deeper one: a dump is sorted then, and whole.
const SORTED: u32 = 6;

/// Where a dump has a thread: those of events come first, and of both kinds those that run.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Rank {
    is_of_no_events: bool,
    waits: bool,
}

/// What is known of the threads of a dump whose names are their only ids: several may have one name (`process reaper`,
/// `BaseDataReader: git`), so that a name that comes again says nothing by itself.
///
/// Since 2020 a dump is sorted by rank, and within a rank the deepest stack comes first. Where that order ends another
/// dump begins, whatever its first thread is called. Threads that somebody picked out of a dump need not be sorted, and
/// older releases sort by rank alone: there the next dump begins with the thread with which this one began.
#[derive(Default)]
pub(super) struct Names {
    are_ids: bool,
    /// The list of coroutines has begun, which comes last.
    is_over: bool,
    first: Option<First>,
    /// The last thread but one, and the rank of the last one, whose stack is read later.
    before: Option<(Rank, usize)>,
    last: Option<Rank>,
    /// How often a stack was followed by a less deep one.
    steps: u32,
    is_unsorted: bool,
    /// Names that more than one thread has.
    shared: SeenIds,
}

/// The thread with which a dump begins.
struct First {
    id: ThreadId,
    is_of_macos: bool,
    place: Option<(Rank, usize)>,
}

impl Names {
    /// A line that says something of the list.
    pub fn line(&mut self, line: &str) {
        self.are_ids |= line == WITHOUT_IDS;
        self.is_over |= line.starts_with(COROUTINES);
    }

    /// A thread is added. `is_known`: its name has come before in this dump.
    pub fn add(&mut self, thread: &Thread, is_known: bool) {
        if self.first.is_none() {
            let is_of_macos = thread.name.as_deref().is_some_and(|name| name.contains(MACOS));
            self.first = Some(First { id: thread.id.clone(), is_of_macos, place: None });
        }
        if self.are_ids && is_known {
            self.shared.insert(&thread.id);
        }
        self.last = Some(self.rank(thread));
    }

    /// Whether a dump begins with a thread. `is_known`: its name has come before in this one.
    pub fn begins(&mut self, thread: &Thread, is_known: bool, dumps: &mut Dumps) -> bool {
        if !self.are_ids {
            return is_known && thread.id != ThreadId::Number(0);
        }
        let Some(last) = self.last else { return false };
        self.place(last, dumps);
        let rank = self.rank(thread);
        let is_out_of_order = rank < last;
        // No two threads of events have one name.
        if self.is_over || is_known && !rank.is_of_no_events {
            return true;
        }
        if self.steps >= SORTED && !self.is_unsorted {
            return is_out_of_order;
        }
        let is_shared = self.shared.contains(&thread.id);
        if is_out_of_order && is_known && !is_shared && !self.is_unsorted {
            return true;
        }
        self.is_first(thread) && (is_out_of_order || !is_shared && !self.may_be_another(rank))
    }

    fn is_first(&self, thread: &Thread) -> bool {
        self.first.as_ref().is_some_and(|first| first.id == thread.id)
    }

    /// Whether a thread of this rank may have as deep a stack as the first one and all others so far.
    fn may_be_another(&self, rank: Rank) -> bool {
        let first = self.first.as_ref().and_then(|first| first.place);
        !self.is_unsorted && first == self.before && first.is_some_and(|(of, _)| of == rank)
    }

    /// Where the last thread has its place, now that its stack is known.
    fn place(&mut self, rank: Rank, dumps: &mut Dumps) {
        let depth = dumps.open().and_then(|building| {
            let snapshot = &building.snapshot;
            snapshot.threads.last().map(|thread| snapshot.stacks.frames_of(thread.stack).len())
        });
        let place = (rank, depth.unwrap_or_default());
        if let Some((of, depth)) = self.before.replace(place) {
            self.is_unsorted |= rank < of || rank == of && place.1 > depth;
            self.steps += u32::from(rank == of && place.1 < depth);
        }
        if let Some(first) = &mut self.first {
            first.place.get_or_insert(place);
        }
    }

    fn rank(&self, thread: &Thread) -> Rank {
        let name = thread.name.as_deref().unwrap_or_default();
        let is_of_macos = self.first.as_ref().is_some_and(|first| first.is_of_macos);
        let is_of_events = if is_of_macos { name.contains(MACOS) } else { name.starts_with(EVENTS) };
        let waits = thread.reported != Some(ReportedState::RunningOrNative);
        Rank { is_of_no_events: !is_of_events, waits }
    }
}
