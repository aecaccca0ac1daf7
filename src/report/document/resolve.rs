//! From indexes to what a reader sees, within one snapshot.

use std::fmt;

use super::frame::Frame;
use super::ids::{ClusterId, Hex, IdText, Ixs, LockId};
use super::thread_record::ThreadRef;
use crate::diagnosis::Analyzed;
use crate::model::{FrameIx, FrameKind, ThreadIx};
use crate::waits::{Activity, Lock, LockIx};

/// Looks up threads, frames and locks of one snapshot. An index that leads nowhere is left out of the
/// report: a report with a hole helps more than none.
#[derive(Clone, Copy)]
pub struct Resolver<'a> {
    /// The snapshot.
    pub analyzed: &'a Analyzed,
}

impl fmt::Debug for Resolver<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Resolver")
    }
}

impl<'a> Resolver<'a> {
    /// How many threads or samples there are.
    pub fn total(self) -> u64 {
        self.analyzed.snapshot.total()
    }

    /// How many threads or samples these are.
    pub fn count(self, threads: &[ThreadIx]) -> u64 {
        self.analyzed.snapshot.count(threads)
    }

    /// Threads as places in the list; none where the dump lists no threads.
    pub fn ixs(self, threads: &'a [ThreadIx]) -> Ixs<'a> {
        Ixs(if self.analyzed.snapshot.lists_threads() { threads } else { &[] })
    }

    /// A thread that is named alone; nobody where the dump lists no threads.
    pub fn thread(self, ix: ThreadIx) -> Option<ThreadRef<'a>> {
        if !self.analyzed.snapshot.lists_threads() {
            return None;
        }
        let thread = self.analyzed.snapshot.threads.get(ix.at())?;
        Some(ThreadRef { ix: ix.0, id: IdText(&thread.id), name: thread.name.as_deref() })
    }

    /// What a thread does.
    pub fn activity(self, ix: ThreadIx) -> Option<&'a Activity> {
        self.analyzed.waits.activities.get(ix.at())
    }

    /// The cluster of a thread.
    pub fn cluster_of(self, ix: ThreadIx) -> Option<ClusterId> {
        self.analyzed.clusters.cluster_of.get(ix.at()).copied().map(ClusterId)
    }

    /// The locks with their ids.
    pub fn locks(self) -> impl Iterator<Item = (LockId, &'a Lock)> {
        self.analyzed.locks().map(|(ix, lock)| (LockId(ix), lock))
    }

    /// A lock.
    pub fn lock(self, ix: LockIx) -> Option<&'a Lock> {
        self.analyzed.lock(ix)
    }

    /// A frame.
    pub fn frame(self, ix: FrameIx) -> Frame<'a> {
        let frame = self.analyzed.snapshot.stacks.get(ix);
        let meaning = self.analyzed.meanings.get(ix);
        Frame {
            function: &meaning.name,
            module: frame.module.as_deref(),
            file: frame.file.as_deref(),
            line: frame.line,
            address: frame.address.map(Hex),
            inlined: frame.kind == FrameKind::Inlined,
            trust: frame.trust,
            role: meaning.role,
        }
    }
}
