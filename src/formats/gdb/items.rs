//! What a piece of text holds, in its order.

use crate::model::{ReportedLock, ReportedState, StackEnd};

use super::header::Header;
use super::info_threads::Row;
use super::session::Event;

/// Index of a stack of a chunk.
pub(super) type LocalStack = u32;

/// A stack as it stands in the text.
#[derive(Clone, Debug)]
pub(super) struct StackItem {
    /// Its thread's header; `bt` and `-q` print none.
    pub header: Option<Header>,
    /// Where it begins.
    pub offset: u64,
    /// Its frames.
    pub stack: LocalStack,
    /// Its values, a range of the chunk's.
    pub values: (usize, usize),
    /// Why it ends.
    pub end: StackEnd,
    /// It was printed by `bt full`.
    pub has_locals: bool,
    /// The text ends within it.
    pub is_cut: bool,
    /// gdb said that the thread was running.
    pub is_running: bool,
    /// What the source says that the thread is in: only `py-bt` prints it.
    pub reported: Option<ReportedState>,
}

/// What stands in the text, in its order.
#[derive(Clone, Debug)]
pub(super) enum Item {
    /// A stack.
    Stack(StackItem),
    /// A row of `info threads`, with its frame as a stack.
    Row(Box<(Row, StackItem)>),
    /// A fact, and where it stands.
    Event(Event, u64),
    /// The content of a lock.
    Lock(ReportedLock),
    /// Lines that were not understood.
    Skipped {
        /// Where the first begins.
        offset: u64,
        /// How many.
        lines: u64,
        /// They stand between two frames of one stack.
        is_inside: bool,
    },
}
