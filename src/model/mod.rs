//! What all stages share: a [`Snapshot`] of one process, and the [`Gap`]s left while reading it.
//!
//! The model has no writer, opens nothing and decides nothing. Text from a dump is kept as it
//! was, control characters included: whoever shows it escapes it.

mod address_space;
mod certainty;
mod escape;
mod gap;
mod image;
mod like;
mod locks_reported;
mod memory;
mod pool;
mod process;
mod reported;
mod snapshot;
mod stack;
mod text;
mod thread;
mod values;

pub use address_space::AddressSpace;
pub use certainty::{Certainty, Evidence};
pub use escape::escape_terminal;
pub use gap::{Gap, GapKind, Gaps};
pub use image::{AuxKey, CoreProducer, FileMapping, KernelState, ProcessImage, Registers, SystemCall};
pub use like::is_like;
pub use locks_reported::ReportedLock;
pub use memory::{Memory, ReadAt, Segment};
pub use pool::Pool;
pub use process::{Arch, Process, Signal};
pub use reported::{
    Failure, FailureKind, LARGEST_OBJECT, LockId, LockOrder, NamedLock, NamedLockIx, OrderKind, OrderedLock,
    ReportedHold, ReportedLockKind, ReportedOwner, ReportedRing, ReportedState, ReportedWait, ThreadNumber,
    WaitMode,
};
pub use snapshot::{FormatId, Listing, Snapshot, Source};
pub use stack::{
    ArgSlot, Frame, FrameIx, FrameKind, HashedFrame, SlotKind, StackEnd, StackIx, StackTable, Trust,
};
pub use text::{Str, lossy};
pub use thread::{Thread, ThreadId, ThreadIx, ThreadKind};
pub use values::Values;
