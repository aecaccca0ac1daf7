//! A text may have a dump of the JVM and one that a program wrote below it, which has no line of its own before it.
//!
//! ```text
//! "worker-1" prio=10 tid=0x082f9c00 nid=0x34e8 runnable [0xb4b5f000]
//! "worker-1" Id=75 RUNNABLE (in native)
//! ```

use crate::model::{Thread, ThreadId, ThreadKind};

/// Who wrote the header of a thread, by the ids that it has.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Writer {
    /// The JVM: the kernel's id, or an address.
    Jvm,
    /// A program, out of ThreadInfo: the number of the thread alone.
    ThreadInfo,
}

impl Writer {
    /// `None`: others may have such threads as well.
    pub fn of(thread: &Thread) -> Option<Self> {
        match thread.id {
            _ if thread.kind == ThreadKind::Virtual => None,
            _ if thread.handle.is_some() => Some(Self::Jvm),
            ThreadId::Number(_) if thread.tid.is_none() => Some(Self::ThreadInfo),
            _ => None,
        }
    }
}
