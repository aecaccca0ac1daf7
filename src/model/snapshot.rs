//! One process at one moment.

use serde::Serialize;

use super::{
    Gaps, LockOrder, NamedLock, Process, ProcessImage, ReportedHold, ReportedLock, ReportedRing, StackTable,
    Str, Thread, ThreadIx, Values,
};

/// The id of a kind of dump: one of the contract's format ids. Each is made in one place, the row of its
/// format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct FormatId(&'static str);

impl FormatId {
    /// The id of a new kind of dump.
    pub const fn new(id: &'static str) -> Self {
        Self(id)
    }

    /// The id in the report.
    pub fn id(self) -> &'static str {
        self.0
    }
}

/// Where a snapshot comes from.
#[derive(Clone, Debug)]
pub struct Source {
    /// The input as the user named it (or the file found in a folder).
    pub path: Str,
    /// The kind of dump.
    pub format: FormatId,
    /// What wrote it, where it says so: `Linux kernel`, `gdb (gcore)`.
    pub producer: Option<Str>,
    /// Size in bytes, unpacked.
    pub bytes: u64,
    /// Where in the (unpacked) file the snapshot begins.
    pub offset: u64,
}

/// What the records of a snapshot's list of threads are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Listing {
    /// Each is one thread.
    #[default]
    Threads,
    /// Each stands for as many threads as its weight says, and has no id: a profile of goroutines.
    Groups,
    /// Each stands for as many samples of a profile as its weight says. Samples are of different moments: what
    /// one shows and what another one shows was never true at once.
    Samples,
}

impl Listing {
    /// What is counted, one of it: `thread`.
    pub fn noun(self) -> &'static str {
        match self {
            Self::Threads | Self::Groups => "thread",
            Self::Samples => "sample",
        }
    }
}

/// One process at one moment, as a format left it.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// Where it comes from.
    pub source: Source,
    /// What is known of the process.
    pub process: Process,
    /// Its threads. Cores: the thread ids ascending. Text: the order of the text.
    pub threads: Vec<Thread>,
    /// What its records are: single threads, or groups of them.
    pub listing: Listing,
    /// Frames and stacks.
    pub stacks: StackTable,
    /// Values of printed arguments, see [`Thread::values`].
    pub values: Values,
    /// Locks whose content the text printed.
    pub reported_locks: Vec<ReportedLock>,
    /// Locks that the text names, each once.
    pub named_locks: Vec<NamedLock>,
    /// What threads hold, see [`Thread::holds`].
    pub holds: Vec<ReportedHold>,
    /// The producer lists who owns exclusive synchronizers: which threads own each, or that they own none. A lock of
    /// that kind that nobody is said to own has no exclusive owner among the threads of this snapshot.
    pub lists_owners: bool,
    /// What the producer calls deadlocks.
    pub rings: Vec<ReportedRing>,
    /// Orders of locks in which the producer sees deadlocks that may happen.
    pub orders: Vec<LockOrder>,
    /// Memory, registers and file mappings; binary formats only.
    pub image: Option<ProcessImage>,
    /// False where the producer left threads out.
    pub is_complete: bool,
    /// What was not understood.
    pub gaps: Gaps,
}

impl Snapshot {
    /// A snapshot without content.
    pub fn new(source: Source) -> Self {
        Self {
            source,
            process: Process::default(),
            threads: Vec::new(),
            listing: Listing::Threads,
            stacks: StackTable::default(),
            values: Values::default(),
            reported_locks: Vec::new(),
            named_locks: Vec::new(),
            holds: Vec::new(),
            lists_owners: false,
            rings: Vec::new(),
            orders: Vec::new(),
            image: None,
            is_complete: true,
            gaps: Gaps::default(),
        }
    }

    /// Whether each record is one thread, which has an id.
    pub fn lists_threads(&self) -> bool {
        self.listing == Listing::Threads
    }

    /// How many threads or samples a record stands for.
    pub fn weight(&self, ix: ThreadIx) -> u64 {
        self.threads.get(ix.at()).map_or(0, |thread| thread.weight)
    }

    /// Whether it says anything: it has threads, or why a process ended of which none is shown.
    pub fn says_something(&self) -> bool {
        !self.threads.is_empty() || self.process.failure.is_some()
    }

    /// How many threads or samples these records stand for.
    pub fn count(&self, threads: &[ThreadIx]) -> u64 {
        if self.lists_threads() {
            return threads.len() as u64;
        }
        threads.iter().fold(0, |sum, &ix| sum.saturating_add(self.weight(ix)))
    }

    /// How many threads or samples there are.
    pub fn total(&self) -> u64 {
        if self.lists_threads() {
            return self.threads.len() as u64;
        }
        self.threads.iter().fold(0, |sum, thread| sum.saturating_add(thread.weight))
    }
}
