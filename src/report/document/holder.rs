//! Who holds a lock.

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::Serialize;

use super::ids::ClusterId;
use super::resolve::Resolver;
use super::thread_record::ThreadRef;
use crate::model::{Certainty, ThreadIx, ThreadNumber};
use crate::{rules, waits};

/// What kind of holder it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum HolderKind {
    /// `thread` holds it.
    Thread,
    /// The lock names an owner (`owner_id`) that is no thread of this process any more.
    EndedThread,
    /// A process-shared lock whose owner is in another process.
    OtherProcess,
    /// A transaction, an interrupt.
    NotAThread,
    /// The runtime itself: garbage collector, safepoint.
    Runtime,
    /// Nobody has it at the moment of the dump: its word or the text says so.
    Free,
    /// Nobody could be named: see `why`.
    Unknown,
}

/// A thread that may hold the lock.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Candidate<'a> {
    /// The thread.
    pub thread: ThreadRef<'a>,
    /// Its points: more is likelier.
    pub points: i32,
    /// What the points are for.
    pub reasons: &'a [String],
}

/// Who holds a lock, and how that is known.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Holder<'a> {
    /// What kind of holder it is.
    pub kind: HolderKind,
    /// The thread; left out unless `kind` is `thread`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub thread: Option<ThreadRef<'a>>,
    /// The owner that the lock names, where it is no thread of this process: a thread id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner_id: Option<u64>,
    /// The same, as the dump writes it.
    #[serde(skip)]
    pub owner: Option<ThreadNumber>,
    /// The process that holds it, where known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pid: Option<u32>,
    /// How it is known that this thread holds the lock.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub certainty: Option<Certainty>,
    /// What the holder does, in words: `blocked in write(fd 4) under log_sink_write`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub doing: Option<&'a str>,
    /// The cluster that the holder belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cluster: Option<ClusterId>,
    /// Why nobody could be named, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<Cow<'a, str>>,
    /// Threads that may hold it, where several are too close to each other to name one.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub candidates: Vec<Candidate<'a>>,
}

impl<'a> Holder<'a> {
    /// Where an ended thread is, in words. That it is gone is known where all threads are.
    pub fn gone(&self) -> &'static str {
        match self.certainty {
            Some(Certainty::Inferred) => "not in the list of threads",
            _ => "no longer in the process",
        }
    }

    /// The holder that a lock names.
    pub(super) fn of(holder: &'a waits::Holder, names: Resolver<'a>) -> Self {
        match holder {
            waits::Holder::Thread { thread, certainty } => Self::thread(*thread, Some(*certainty), names),
            waits::Holder::EndedThread { owner, certainty } => {
                // That nobody has the id is read where all threads are known.
                let certainty = Some(*certainty).filter(|certainty| *certainty == Certainty::Inferred);
                Self { certainty, ..Self::bare(HolderKind::EndedThread) }.of_owner(*owner)
            }
            waits::Holder::OtherProcess { owner, pid } => {
                Self { pid: *pid, ..Self::bare(HolderKind::OtherProcess) }.of_owner(Some(*owner))
            }
            waits::Holder::Free => Self::bare(HolderKind::Free),
            waits::Holder::NotShown { owner } => {
                let why = format!("the text says that {owner} holds it, and does not show that thread");
                Self { why: Some(why.into()), ..Self::bare(HolderKind::Unknown) }
            }
            waits::Holder::Unknown { why, candidates } => Self {
                why: Some(Cow::Borrowed(why)),
                candidates: Candidate::list(candidates, names),
                ..Self::bare(HolderKind::Unknown)
            },
        }
    }

    /// The holder as a finding tells it: with what it does.
    pub(super) fn of_finding(told: &'a rules::FindingHolder, names: Resolver<'a>) -> Self {
        let mut holder = Self::of(&told.holder, names);
        if let Some(doing) = &told.doing {
            holder.doing = Some(doing);
        }
        if let Some(cluster) = told.cluster {
            holder.cluster = Some(ClusterId(cluster));
        }
        holder
    }

    /// All holders, where several hold the lock; else none.
    pub(super) fn all_of(lock: &'a waits::Lock, names: Resolver<'a>) -> Vec<Self> {
        if lock.holders.len() < 2 {
            return Vec::new();
        }
        let certainty = match lock.holder {
            waits::Holder::Thread { certainty, .. } => Some(certainty),
            _ => None,
        };
        lock.holders.iter().map(|&thread| Self::thread(thread, certainty, names)).collect()
    }

    fn thread(thread: ThreadIx, certainty: Option<Certainty>, names: Resolver<'a>) -> Self {
        Self {
            thread: names.thread(thread),
            certainty,
            doing: names.analyzed.doing(thread),
            cluster: names.cluster_of(thread),
            ..Self::bare(HolderKind::Thread)
        }
    }

    fn of_owner(self, owner: Option<ThreadNumber>) -> Self {
        Self { owner_id: owner.map(ThreadNumber::value), owner, ..self }
    }

    fn bare(kind: HolderKind) -> Self {
        Self {
            kind,
            thread: None,
            owner_id: None,
            owner: None,
            pid: None,
            certainty: None,
            doing: None,
            cluster: None,
            why: None,
            candidates: Vec::new(),
        }
    }
}

impl<'a> Candidate<'a> {
    fn list(candidates: &'a [waits::Candidate], names: Resolver<'a>) -> Vec<Self> {
        let resolve = |c: &'a waits::Candidate| {
            Some(Self { thread: names.thread(c.thread)?, points: c.points, reasons: &c.reasons })
        };
        candidates.iter().filter_map(resolve).collect()
    }
}
