//! The current thread: up to J9 2.5 it stands in a section of its own and once more in the list, later in its own
//! section only.

use crate::formats::text::Building;
use crate::model::{Thread, ThreadIx};

/// Finds the current thread and its twin.
#[derive(Default)]
pub(super) struct Reader {
    is_current: bool,
    /// Its address and its place in the list.
    current: Option<(Option<u64>, u32)>,
    twin: Option<u32>,
}

impl Reader {
    /// The section of the current thread begins.
    pub fn begin(&mut self) {
        self.is_current = true;
    }

    /// The list of all threads begins.
    pub fn end(&mut self) {
        self.is_current = false;
    }

    /// A thread is about to be added.
    pub fn thread(&mut self, thread: &Thread, building: &Building) {
        let next = building.snapshot.threads.len() as u32;
        match self.current {
            None if self.is_current => self.current = Some((thread.handle, next)),
            Some((Some(handle), at)) if thread.handle == Some(handle) && at != next => self.twin = Some(next),
            _ => {}
        }
    }

    /// Drops one of the two, and says who got the signal.
    pub fn settle(&self, building: &mut Building) {
        let snapshot = &mut building.snapshot;
        let Some((_, current)) = self.current else { return };
        let mut place = current;
        if let Some(twin) = self.twin {
            let depth = |at: u32| {
                snapshot.threads.get(at as usize).map_or(0, |t| snapshot.stacks.frames_of(t.stack).len())
            };
            // The one with more frames stays.
            let (kept, dropped) =
                if depth(twin) > depth(current) { (twin, current) } else { (current, twin) };
            if (dropped as usize) < snapshot.threads.len() {
                snapshot.threads.remove(dropped as usize);
            }
            place = if kept > dropped { kept - 1 } else { kept };
        }
        let thread = Some(ThreadIx(place)).filter(|t| t.at() < snapshot.threads.len());
        if let Some(signal) = &mut snapshot.process.signal {
            signal.thread = thread;
        }
        if let Some(failure) = &mut snapshot.process.failure {
            failure.thread = thread;
        }
    }
}
