//! Where in the program a finding is, for formats that point at a line of source.

use super::cluster::Cluster;
use super::finding::Finding;
use super::frame::{Frame, Location};
use super::snapshot::Snapshot;
use super::thread_record::ThreadRef;
use crate::model::ThreadIx;
use crate::normalize::Role;

impl<'a> Finding<'a> {
    /// The line that a reader is to see first: for a lock where its waiters call it, else the finding's own
    /// place. A place without a source line gives way to one that has it.
    pub fn place(&self, snapshot: &Snapshot<'a>) -> Option<Location<'a>> {
        let is_about_a_wait = self.lock.is_some() || !self.cycle.is_empty();
        let waits = self.clusters.first().filter(|_| is_about_a_wait);
        let call = waits.and_then(|&id| snapshot.cluster(id)).and_then(Cluster::call).map(Location::from);
        let crash = self.crash.as_ref().and_then(|crash| crash.frame.clone()).map(Location::from);
        let places = || call.iter().chain(&self.location).chain(&crash);
        places().find(|place| place.file.is_some()).or_else(|| places().next()).cloned()
    }

    /// What the holder of the lock is in: the newest frame of its own code.
    pub fn holder_frame(&self, snapshot: &Snapshot<'a>) -> Option<Frame<'a>> {
        let cluster = self.holder.as_ref()?.cluster?;
        snapshot.cluster(cluster)?.call()
    }
}

impl<'a> Snapshot<'a> {
    /// The newest frame of a thread's own code.
    pub fn call_of(&self, thread: &ThreadRef<'_>) -> Option<Frame<'a>> {
        self.cluster(self.cluster_of(ThreadIx(thread.ix))?)?.call()
    }
}

impl<'a> Cluster<'a> {
    /// The newest frame of the program's own code: behind the functions of the lock, where there are any, as
    /// helpers of a lock that no table knows may stand before them.
    pub fn call(&self) -> Option<Frame<'a>> {
        let lock = self.frames.iter().position(|frame| frame.role == Role::Lock);
        self.frames.iter().skip(lock.unwrap_or(0)).find(|frame| frame.role == Role::User)
    }
}
