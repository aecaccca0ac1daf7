//! A lock and who holds it.

use std::borrow::Cow;

use super::kinds::{Identity, LockKind};
use crate::model::{Certainty, Evidence, Str, ThreadIx, ThreadNumber};
use crate::normalize::ResourceClass;

/// Index of a lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LockIx(pub u32);

impl LockIx {
    /// The place as an index.
    pub fn at(self) -> usize {
        self.0 as usize
    }
}

/// Who holds a lock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Holder {
    /// This thread.
    Thread {
        /// Which.
        thread: ThreadIx,
        /// How that is known.
        certainty: Certainty,
    },
    /// The lock names an owner that is no thread of this process any more.
    EndedThread {
        /// The owner that it names, where it still tells which that was.
        owner: Option<ThreadNumber>,
        /// How it is known that no thread of the process has this id: [`Certainty::Inferred`] where the text only seems to
        /// list all of them.
        certainty: Certainty,
    },
    /// A process-shared lock whose owner is in another process.
    OtherProcess {
        /// The owner that it names.
        owner: ThreadNumber,
        /// The process that it is in, where that is told.
        pid: Option<u32>,
    },
    /// A thread that the text names, but does not show: `thread 50`.
    NotShown {
        /// What the text calls it.
        owner: Str,
    },
    /// Nobody, at the moment of the dump: its word or the text says so.
    Free,
    /// Nobody could be named.
    Unknown {
        /// Why, in words.
        why: Cow<'static, str>,
        /// Threads that are too close to each other to name one.
        candidates: Vec<Candidate>,
    },
}

impl Holder {
    /// Nobody could be named, for this reason.
    pub fn unknown(why: impl Into<Cow<'static, str>>) -> Self {
        Self::Unknown { why: why.into(), candidates: Vec::new() }
    }

    /// The thread that holds it, and how that is known.
    pub fn thread(&self) -> Option<(ThreadIx, Certainty)> {
        match self {
            Self::Thread { thread, certainty } => Some((*thread, *certainty)),
            _ => None,
        }
    }
}

/// A thread that may hold a lock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// Which.
    pub thread: ThreadIx,
    /// Its points: see `infer.rs`.
    pub points: i32,
    /// What they are for.
    pub reasons: Vec<String>,
}

/// A lock that a thread waits for or is known to hold.
#[derive(Clone, Debug)]
pub struct Lock {
    /// Its kind.
    pub kind: LockKind,
    /// Its address.
    pub address: Option<u64>,
    /// An id that stands for it where there is no address to show.
    pub token: Option<Str>,
    /// What makes it one lock.
    pub identity: Identity,
    /// Symbol, class or resource: `g_log_mutex`.
    pub name: Option<Str>,
    /// Where it lies, in words: `in logserver .bss`.
    pub place: Option<String>,
    /// What it guards.
    pub class: Option<ResourceClass>,
    /// Who holds it.
    pub holder: Holder,
    /// The points of an inferred holder.
    pub holder_points: Option<i32>,
    /// All who hold it, where several do (readers).
    pub holders: Vec<ThreadIx>,
    /// Who waits for it, ascending.
    pub waiters: Vec<ThreadIx>,
    /// How many wait for it as the text counts them, where it does: not all of them need be in it.
    pub counted: Option<u64>,
    /// The functions that take it, the one with the most waiters first.
    pub callers: Vec<(Str, u64)>,
    /// Whether it is an object that threads share. A wait word that only its thread uses
    /// (parking_lot, musl condvars) is not, and splits no cluster.
    pub is_shared_object: bool,
    /// How surely its waiters wait for it: the weakest of them.
    pub certainty: Certainty,
    /// What is known of it and how: the lock word, the owner field, points of an inference.
    pub evidence: Vec<Evidence>,
    /// The key that it had before texts of it were changed; `None` where none was.
    pub fingerprint: Option<String>,
}

impl Lock {
    /// How many threads wait for it that the dump does not show, or of which it does not say for what they wait.
    pub fn unseen(&self) -> u64 {
        self.counted.unwrap_or(0).saturating_sub(self.waiters.len() as u64)
    }
}
