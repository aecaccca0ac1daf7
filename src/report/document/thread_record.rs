//! Threads: the record of each, and the short form for a thread that is named alone.

use schemars::JsonSchema;
use serde::{Serialize, Serializer};

use super::ids::{ClusterId, IdText, LockId, seconds};
use super::resolve::Resolver;
use crate::model::{Certainty, ThreadIx, ThreadKind};
use crate::waits::{CHILD, Holder, State, Target};

/// What schedules a thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A thread of the operating system.
    Os,
    /// A goroutine.
    Goroutine,
    /// A virtual thread of a JVM.
    Virtual,
    /// A fiber or coroutine.
    Fiber,
    /// A task of the kernel.
    Task,
}

impl From<ThreadKind> for Kind {
    fn from(kind: ThreadKind) -> Self {
        match kind {
            ThreadKind::Os => Self::Os,
            ThreadKind::Goroutine => Self::Goroutine,
            ThreadKind::Virtual => Self::Virtual,
            ThreadKind::Fiber => Self::Fiber,
            ThreadKind::Task => Self::Task,
        }
    }
}

/// A thread that is named alone: a holder, a member of a ring, the thread that crashed.
#[derive(Clone, Copy, Debug, Serialize, JsonSchema)]
pub struct ThreadRef<'a> {
    /// Its place in `thread_list` of the snapshot.
    pub ix: u32,
    /// What the dump calls it.
    pub id: IdText<'a>,
    /// Its name, where the dump has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<&'a str>,
}

/// What a thread waits for.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct WaitsFor<'a> {
    /// The lock.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lock: Option<LockId>,
    /// The thread whose end or answer it awaits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub thread: Option<ThreadRef<'a>>,
    /// The process (pid) whose end it awaits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub process: Option<u32>,
    /// Anything else, in words: `read(fd 4)`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub what: Option<&'a str>,
    /// How that is known.
    pub certainty: Certainty,
}

impl<'a> WaitsFor<'a> {
    pub(super) fn of(target: &'a Target, certainty: Certainty, names: Resolver<'a>) -> Self {
        let nothing = Self { lock: None, thread: None, process: None, what: None, certainty };
        match target {
            Target::Lock(lock) => Self { lock: Some(LockId(*lock)), ..nothing },
            Target::Thread(thread) => Self { thread: names.thread(*thread), ..nothing },
            Target::Child => Self { what: Some(CHILD), ..nothing },
        }
    }
}

/// One thread of a snapshot.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct ThreadRecord<'a> {
    /// Its place in this list; means nothing outside this snapshot.
    pub ix: u32,
    /// What the dump calls it; may repeat.
    pub id: IdText<'a>,
    /// The kernel's thread id, where known: the key that joins dumps of one process.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tid: Option<u32>,
    /// Its name, where the dump has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<&'a str>,
    /// What schedules it.
    pub kind: Kind,
    /// The `ix` of the thread that carries this virtual thread or goroutine.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub carrier: Option<u32>,
    /// What it was doing.
    pub state: State,
    /// The cluster that it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cluster: Option<ClusterId>,
    /// What it waits for, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waits_for: Option<WaitsFor<'a>>,
    /// The locks that it is known to hold.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub holds: Vec<LockId>,
    /// CPU time, user and system, in seconds, where the dump says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpu_s: Option<f64>,
    /// How long it has been waiting, in seconds, where the dump says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waited_s: Option<f64>,
}

/// The threads of a snapshot in its order, each made when somebody reads it. None where the dump lists no threads.
#[derive(Clone, Copy, Debug)]
pub struct ThreadList<'a>(pub(super) Resolver<'a>);

impl<'a> ThreadList<'a> {
    /// How many.
    pub fn len(self) -> usize {
        let snapshot = &self.0.analyzed.snapshot;
        if snapshot.lists_threads() { snapshot.threads.len() } else { 0 }
    }

    /// Whether there is none.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// The thread with this place. Looks at all locks; for many threads see [`iter`](Self::iter).
    pub fn get(self, ix: ThreadIx) -> Option<ThreadRecord<'a>> {
        let mut record = self.without_holds(ix)?;
        record.holds = self.holds().filter(|(thread, _)| *thread == ix).map(|(_, lock)| lock).collect();
        Some(record)
    }

    /// The same without what it holds, at no cost.
    pub fn without_holds(self, ix: ThreadIx) -> Option<ThreadRecord<'a>> {
        (ix.at() < self.len()).then(|| ThreadRecord::of(ix, self.0))
    }

    /// All of them.
    pub fn iter(self) -> impl Iterator<Item = ThreadRecord<'a>> {
        let mut holds: Vec<(ThreadIx, LockId)> =
            if self.is_empty() { Vec::new() } else { self.holds().collect() };
        // Of one thread in the order of the locks.
        holds.sort_by_key(|(thread, _)| *thread);
        let mut holds = holds.into_iter().peekable();
        (0..self.len() as u32).map(ThreadIx).map(move |ix| {
            let mut record = ThreadRecord::of(ix, self.0);
            record.holds.extend(
                std::iter::from_fn(|| holds.next_if(|(thread, _)| *thread == ix)).map(|(_, lock)| lock),
            );
            record
        })
    }

    /// Who holds what, in the order of the locks.
    fn holds(self) -> impl Iterator<Item = (ThreadIx, LockId)> {
        self.0.locks().flat_map(|(id, lock)| {
            let owner = match &lock.holder {
                Holder::Thread { thread, .. } => Some(*thread),
                _ => None,
            };
            let others = lock.holders.iter().copied().filter(move |thread| Some(*thread) != owner);
            owner.into_iter().chain(others).map(move |thread| (thread, id))
        })
    }
}

impl Serialize for ThreadList<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

impl<'a> ThreadRecord<'a> {
    fn of(ix: ThreadIx, names: Resolver<'a>) -> Self {
        let thread = &names.analyzed.snapshot.threads[ix.at()];
        let activity = names.activity(ix);
        Self {
            ix: ix.0,
            id: IdText(&thread.id),
            tid: thread.tid,
            name: thread.name.as_deref(),
            kind: thread.kind.into(),
            carrier: thread.carrier.map(|carrier| carrier.0),
            state: activity.map_or(State::Unknown, |a| a.state),
            cluster: names.cluster_of(ix),
            waits_for: activity
                .and_then(|a| a.wait.as_ref())
                .map(|wait| WaitsFor::of(&wait.target, wait.certainty, names)),
            holds: Vec::new(),
            cpu_s: thread.cpu_us.map(seconds),
            waited_s: thread.waited_us.map(seconds),
        }
    }
}
