//! Who waits for whom in one snapshot, as nodes and edges: made once from the document, drawn by several
//! reporters. Thousands of waiters are one node with a count, and however many threads and locks there are, the
//! graph stays small enough to look at: what would be too much is put together, never dropped.
//!
//! Threads that are idle, and threads that neither wait for another nor are waited for, are not in it. They are
//! counted, so that every thread is either in a node or in one of the two counts.

mod build;
mod label;
mod order;

pub use label::{color, failed_inputs, heading};

use super::document::{Document, Lock, ThreadRef};
use crate::model::Certainty;
use crate::waits::State;

/// How much is drawn by itself before the rest is put together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Detail {
    /// Locks with a node of their own.
    pub locks: usize,
    /// Threads with a node of their own: members of rings, holders, threads whose end is awaited.
    pub threads: usize,
    /// Groups of waiters for each thing that is waited for.
    pub groups: usize,
}

impl Detail {
    /// What fits a page.
    pub const PAGE: Self = Self { locks: 16, threads: 24, groups: 3 };
    /// What fits a poster: with `--all`.
    pub const POSTER: Self = Self { locks: 60, threads: 90, groups: 8 };
    /// The least that still says who waits for whom.
    pub const SKETCH: Self = Self { locks: 4, threads: 6, groups: 1 };
}

/// Who waits for whom in one snapshot.
#[derive(Clone, Debug, Default)]
pub struct WaitGraph<'a> {
    /// Threads, groups of threads, locks, and owners outside of the process.
    pub nodes: Vec<Node<'a>>,
    /// From who waits to what is waited for, and from a lock to who holds it.
    pub edges: Vec<Edge>,
    /// Threads that are idle and not drawn.
    pub idle: u64,
    /// Other threads that are not drawn: they wait for no other thread, and none waits for them.
    pub apart: u64,
}

/// A node.
#[derive(Clone, Debug)]
pub enum Node<'a> {
    /// A thread that matters by itself (it holds a lock, is in a ring, its end is awaited), or that is alone in what
    /// it does.
    Thread {
        /// The thread.
        thread: ThreadRef<'a>,
        /// What it was doing.
        state: State,
        /// The same in words, where they are known: `blocked in write(fd 7) under log_sink_write`.
        doing: Option<&'a str>,
        /// The meaningful top frames of its cluster.
        signature: &'a str,
    },
    /// Several threads of one cluster that wait for the same.
    Group {
        /// How many.
        count: u64,
        /// What they were doing.
        state: State,
        /// The meaningful top frames of the cluster.
        signature: &'a str,
    },
    /// Threads of several small clusters that wait for the same.
    MoreThreads {
        /// How many.
        count: u64,
        /// In how many clusters.
        clusters: u64,
    },
    /// A lock.
    Lock(Box<Lock<'a>>),
    /// Locks that have no node of their own.
    MoreLocks {
        /// How many.
        count: u64,
    },
    /// Who holds a lock, or is awaited, and is no thread of this process; in words.
    Outside {
        /// `thread 4711, which has ended`.
        words: String,
    },
}

impl Node<'_> {
    /// How many threads of the process it stands for.
    pub fn threads(&self) -> u64 {
        match self {
            Self::Thread { .. } => 1,
            Self::Group { count, .. } | Self::MoreThreads { count, .. } => *count,
            Self::Lock(_) | Self::MoreLocks { .. } | Self::Outside { .. } => 0,
        }
    }

    /// The state of its threads, where it is one.
    pub fn state(&self) -> Option<State> {
        match self {
            Self::Thread { state, .. } | Self::Group { state, .. } => Some(*state),
            Self::MoreThreads { .. } | Self::Lock(_) | Self::MoreLocks { .. } | Self::Outside { .. } => None,
        }
    }
}

/// What an edge says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum EdgeKind {
    /// Threads wait for a lock, or for a thread.
    WaitsFor,
    /// A lock is held.
    HeldBy,
    /// A lock is perhaps held by this thread: several are too close to name one.
    PerhapsHeldBy,
}

/// An edge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Edge {
    /// A place in the list of nodes.
    pub from: usize,
    /// A place in the list of nodes.
    pub to: usize,
    /// What it says.
    pub kind: EdgeKind,
    /// For how many threads it says so.
    pub count: u64,
    /// How that is known: the weakest of all.
    pub certainty: Certainty,
    /// Whether it is a link of a deadlock's ring.
    pub is_in_ring: bool,
}

impl<'a> WaitGraph<'a> {
    /// The graph of one snapshot: `place` is its place in the document.
    pub fn of(document: &'a Document<'a>, place: usize, detail: Detail) -> Self {
        document
            .snapshots
            .get(place)
            .map(|snapshot| build::graph(document, place, snapshot, detail))
            .unwrap_or_default()
    }
}
