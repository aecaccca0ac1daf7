//! How the stages say how far they are.

/// Who wants to know how far the work is. Called often, so an implementation must be cheap.
pub trait Progress: Sync {
    /// `done` of `total` (0: not known) units of a stage are done.
    fn report(&self, stage: &'static str, done: u64, total: u64);
}

/// Nobody.
pub struct NoProgress;

impl Progress for NoProgress {
    fn report(&self, _stage: &'static str, _done: u64, _total: u64) {}
}
