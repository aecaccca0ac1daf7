//! What a whole stack means.
use super::{Meanings, ResourceClass, Role, WaitKind};
use crate::model::{FrameIx, StackTable};

/// What a whole stack means.
#[derive(Clone, Debug, Default)]
pub struct StackMeaning {
    /// Outermost library frame of the plumbing at the top.
    pub wait_frame: Option<usize>,
    /// What it waits for.
    pub wait: Option<WaitKind>,
    /// Role of the wait.
    pub role: Role,
    /// First user frame above the plumbing.
    pub caller: Option<usize>,
    /// Frames kept for the signature.
    pub meaningful: Vec<usize>,
    /// A pool worker that waits for work.
    pub is_idle_pool: bool,
    /// Class.
    pub class: Option<ResourceClass>,
    /// Ends the process.
    pub is_abort: bool,
}

/// Reads a stack.
pub fn read(_stack: &[FrameIx], _stacks: &StackTable, _meanings: &Meanings) -> StackMeaning {
    StackMeaning::default()
}
