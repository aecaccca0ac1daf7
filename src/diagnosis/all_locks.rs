//! The locks of a snapshot with those that nobody wants.

use super::Analyzed;
use crate::model::ThreadIx;
use crate::waits::{Lock, LockIx, Told};

impl Analyzed {
    fn quiet(&self) -> &Told {
        self.waits.quiet.told(&self.snapshot, &self.meanings, &self.readings, &self.waits)
    }

    /// How many locks there are.
    pub fn lock_count(&self) -> usize {
        self.waits.locks.len() + self.waits.quiet.len()
    }

    /// All locks, in the order of their numbers.
    pub fn locks(&self) -> impl Iterator<Item = (LockIx, &Lock)> {
        (0u32..).map(LockIx).zip(self.waits.locks.iter().chain(&self.quiet().locks))
    }

    /// The lock with this number.
    pub fn lock(&self, ix: LockIx) -> Option<&Lock> {
        let Some(quiet) = ix.at().checked_sub(self.waits.locks.len()) else {
            return self.waits.locks.get(ix.at());
        };
        self.quiet().locks.get(quiet)
    }

    /// What a thread does, in words, if it holds a lock or another thread waits for it.
    pub fn doing(&self, thread: ThreadIx) -> Option<&str> {
        let told = self.waits.activities.get(thread.at())?.doing.as_deref();
        told.or_else(|| self.quiet().doing.get(&thread).map(String::as_str))
    }

    /// Lets no lock be quiet, for whoever changes texts of all of them.
    pub fn tell_quiet_locks(&mut self) {
        self.quiet();
        let Told { locks, doing } = self.waits.quiet.take();
        self.waits.locks.extend(locks);
        for (thread, doing) in doing {
            if let Some(activity) = self.waits.activities.get_mut(thread.at()) {
                activity.doing = Some(doing.into());
            }
        }
    }
}
