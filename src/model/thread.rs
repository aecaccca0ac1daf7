//! A thread: integers until the writer.

use std::fmt;

use super::{FrameIx, ReportedState, ReportedWait, StackEnd, StackIx, Str};

/// A thread's place in its snapshot's list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ThreadIx(pub u32);

impl ThreadIx {
    /// The place as an index.
    pub fn at(self) -> usize {
        self.0 as usize
    }
}

/// What the dump calls a thread.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ThreadId {
    /// A decimal number: a TID, an LWP, a debugger's number.
    Number(u64),
    /// Anything else, as the dump writes it.
    Text(Str),
}

impl fmt::Display for ThreadId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(n) => write!(f, "{n}"),
            Self::Text(t) => f.write_str(t),
        }
    }
}

/// What schedules the thread.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum ThreadKind {
    /// A thread of the operating system.
    #[default]
    Os,
    /// A goroutine.
    Goroutine,
    /// A virtual thread of a JVM.
    Virtual,
    /// A fiber or coroutine.
    Fiber,
    /// A task of the kernel.
    Task,
}

/// One thread.
#[derive(Clone, Debug)]
pub struct Thread {
    /// What the dump calls it; may repeat.
    pub id: ThreadId,
    /// The kernel's thread id, where known.
    pub tid: Option<u32>,
    /// Its name, where the dump has one.
    pub name: Option<Str>,
    /// What schedules it.
    pub kind: ThreadKind,
    /// Its stack: set by text formats at once, for binary formats by the pipeline after unwinding.
    pub stack: StackIx,
    /// Why the stack ends where it ends.
    pub stack_end: StackEnd,
    /// Frames that were left out of the stack because it is too deep.
    pub frames_left_out: u32,
    /// Values of the arguments printed in its frames: [`Values::of`](super::Values::of) of the snapshot's, in the
    /// order of the frames' slots. Text formats only.
    pub values: (u32, u32),
    /// CPU time in microseconds, user and system, where the dump says so.
    pub cpu_us: Option<u64>,
    /// The value that names the thread inside the process: `pthread_t`, which on Linux is the
    /// address of its thread control block.
    pub handle: Option<u64>,
    /// Whether the dump says that it ran when it was captured (a debugger's `(running)`).
    pub is_running: bool,
    /// What the producer says that it was doing.
    pub reported: Option<ReportedState>,
    /// What the producer says that it waits for.
    pub reported_wait: Option<ReportedWait>,
    /// What the producer says that it holds: `holds[start..end]` of the snapshot.
    pub holds: (u32, u32),
    /// How long it has been waiting, in microseconds, where the dump says so.
    pub waited_us: Option<u64>,
    /// The thread that carries it, where it is a virtual one.
    pub carrier: Option<ThreadIx>,
    /// Where it was created, where the dump says so: no frame of its stack.
    pub creator: Option<FrameIx>,
    /// How many threads or samples the record stands for: more than one only where the dump does not list
    /// threads ([`Listing`](super::Listing)).
    pub weight: u64,
}

impl Thread {
    /// A thread with nothing known but its id.
    pub fn new(id: ThreadId) -> Self {
        Self {
            id,
            tid: None,
            name: None,
            kind: ThreadKind::Os,
            stack: StackIx::EMPTY,
            stack_end: StackEnd::Complete,
            frames_left_out: 0,
            values: (0, 0),
            cpu_us: None,
            handle: None,
            is_running: false,
            reported: None,
            reported_wait: None,
            holds: (0, 0),
            waited_us: None,
            carrier: None,
            creator: None,
            weight: 1,
        }
    }
}
