//! Which function's critical section a waiting thread wants to enter.

use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use crate::model::{Snapshot, StackIx};
use crate::normalize::{Meanings, Readings, Role};

/// The section of each stack, looked for once for each that is asked for.
pub(super) struct Sections<'a> {
    snapshot: &'a Snapshot,
    meanings: &'a Meanings,
    readings: &'a Readings,
    /// By [`StackIx`]: [`UNKNOWN`], [`NONE`], or the place and [`FIRST`]. Whoever asks first finds the same as everybody
    /// else.
    known: Vec<AtomicU32>,
}

/// Not yet looked for.
const UNKNOWN: u32 = 0;
/// There is none.
const NONE: u32 = 1;
/// The place 0.
const FIRST: u32 = 2;

impl<'a> Sections<'a> {
    pub fn new(snapshot: &'a Snapshot, meanings: &'a Meanings, readings: &'a Readings) -> Self {
        let known = (0..snapshot.stacks.stack_count()).map(|_| AtomicU32::new(UNKNOWN)).collect();
        Self { snapshot, meanings, readings, known }
    }

    /// The frame of the function that called the lock function, and where that only wraps a lock
    /// (`log_spin_acquire`), of its caller: its place in the stack.
    pub fn of(&self, stack: StackIx) -> Option<usize> {
        let known = self.known.get(stack.at())?;
        match known.load(Relaxed) {
            UNKNOWN => {
                let found = self.find(stack);
                // A place that has no room is looked for again.
                let place = found.map_or(Some(NONE), |at| u32::try_from(at).ok()?.checked_add(FIRST));
                known.store(place.unwrap_or(UNKNOWN), Relaxed);
                found
            }
            NONE => None,
            place => Some((place - FIRST) as usize),
        }
    }

    fn find(&self, stack: StackIx) -> Option<usize> {
        let frames = self.snapshot.stacks.frames_of(stack);
        let caller = self.readings.get(stack).caller.filter(|&at| at < frames.len())?;
        let is_wrapper = |at: &usize| self.meanings.saying(frames[*at]).takes_lock;
        let is_program = |at: &usize| self.meanings.get(frames[*at]).role == Role::User;
        Some((caller..frames.len()).filter(is_program).find(|at| !is_wrapper(at)).unwrap_or(caller))
    }
}
