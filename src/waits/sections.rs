//! Which function's critical section a waiting thread wants to enter.

use std::sync::OnceLock;

use crate::model::{Snapshot, StackIx};
use crate::normalize::{Meanings, Readings, Role};

/// The section of each stack, looked for once for each that is asked for.
pub(super) struct Sections<'a> {
    snapshot: &'a Snapshot,
    meanings: &'a Meanings,
    readings: &'a Readings,
    known: Vec<OnceLock<Option<usize>>>,
}

impl<'a> Sections<'a> {
    pub fn new(snapshot: &'a Snapshot, meanings: &'a Meanings, readings: &'a Readings) -> Self {
        let known = (0..snapshot.stacks.stack_count()).map(|_| OnceLock::new()).collect();
        Self { snapshot, meanings, readings, known }
    }

    /// The frame of the function that called the lock function, and where that only wraps a lock
    /// (`log_spin_acquire`), of its caller: its place in the stack.
    pub fn of(&self, stack: StackIx) -> Option<usize> {
        *self.known.get(stack.at())?.get_or_init(|| self.find(stack))
    }

    fn find(&self, stack: StackIx) -> Option<usize> {
        let frames = self.snapshot.stacks.frames_of(stack);
        let caller = self.readings.get(stack).caller.filter(|&at| at < frames.len())?;
        let is_wrapper = |at: &usize| self.meanings.saying(frames[*at]).takes_lock;
        let is_program = |at: &usize| self.meanings.get(frames[*at]).role == Role::User;
        Some((caller..frames.len()).filter(is_program).find(|at| !is_wrapper(at)).unwrap_or(caller))
    }
}
