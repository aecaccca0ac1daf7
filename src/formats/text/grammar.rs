//! What a format author writes: the grammar of headers, of lines in a thread's block, and of what stands between.

use std::ops::Range;

use super::dumps::Dumps;
use crate::model::{
    ArgSlot, Frame, ReportedLockKind, ReportedState, Snapshot, StackEnd, Str, Thread, ThreadId, WaitMode,
};

/// The grammar of a text format.
pub trait Grammar: Sync {
    /// What is remembered between the lines outside of threads.
    type Memory: Default + Send;

    /// Whether numbers that differ from thread to thread are taken out of the lines of a block, so that blocks of
    /// threads that do the same are read once: every `0x…` becomes [`HEX`], its value a slot.
    const MASKS_HEX: bool;

    /// Which numbers of a line of a block are taken out.
    fn masked(&self, _line: &[u8]) -> Masked {
        if Self::MASKS_HEX { Masked::Prefixed(0) } else { Masked::Nothing }
    }

    /// Whether a thread's header may begin with this line: a cheap test, made for every line.
    fn may_begin(&self, line: &[u8]) -> bool;

    /// Reads a header. `more`: the text after the line, for headers that go on.
    fn head(&self, line: &str, more: &[u8]) -> Option<Head>;

    /// Whether a line in a block says something of this thread alone; such lines go to
    /// [`attribute`](Self::attribute) as they are. A cheap test.
    fn is_attribute(&self, _line: &[u8]) -> bool {
        false
    }

    /// Reads an attribute of a thread. False: not understood.
    fn attribute(&self, _thread: &mut Thread, _line: &str) -> bool {
        false
    }

    /// What a line in a thread's block is. Not asked for empty lines.
    fn in_block(&self, line: &str) -> InBlock;

    /// What a line outside of a block is. `section`: what [`Outside::Section`] set last.
    fn outside(&self, line: &str, section: Option<&'static str>) -> Outside;

    /// Reads the lines of a block.
    fn body(&self, block: &[BlockLine<'_>]) -> Body;

    /// Whether the last line of a text, which has no line break, lacks its end; asked within blocks.
    fn breaks_off(&self, _line: &str) -> bool {
        false
    }

    /// A thread is about to be added: the place to begin a dump. False: the text repeats a thread that is there.
    fn on_thread(
        &self,
        _memory: &mut Self::Memory,
        _dumps: &mut Dumps,
        _thread: &Thread,
        _offset: u64,
    ) -> bool {
        true
    }

    /// A line that [`outside`](Self::outside) called an event. Events and threads come in the order of the text.
    fn on_event(&self, _memory: &mut Self::Memory, _dumps: &mut Dumps, _line: &str, _offset: u64) {}

    /// The text has ended.
    fn on_end(&self, _memory: &mut Self::Memory, _dumps: &mut Dumps) {}
}

/// What stands for a number in the lines of a block.
pub const HEX: &str = "0x#";

/// Which numbers of a line become [`HEX`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Masked {
    /// None.
    Nothing,
    /// Every `0x…` from this byte on.
    Prefixed(usize),
    /// Every word between these bytes that has nothing but hexadecimal digits: `5ffa9f9c`, `1d`. Which bytes these are
    /// does not depend on the numbers.
    Words(Range<usize>),
    /// The same of a table, in which a word with fewer digits may be something else: `00007ffb`0e6c2b4e`.
    Columns(Range<usize>),
}

/// A thread's header.
#[derive(Debug)]
pub struct Head {
    /// The thread, as far as the header says.
    pub thread: Thread,
    /// Other threads with the same stack: `4 thread(s) #5 #6 #7 #8`.
    pub also: Vec<Thread>,
    /// How many bytes after the line belong to the header as well.
    pub more: usize,
    /// What the header says that the thread waits for; only tokens name a lock here.
    pub wait: Option<BodyWait>,
    /// The thread before carries this one.
    pub is_carried: bool,
    /// What the header says that the thread holds; only tokens name a lock here.
    pub holds: Vec<BodyHold>,
    /// The header says better what the thread does than its block.
    pub keeps_state: bool,
    /// A field of the header that was not understood.
    pub unknown: Option<String>,
    /// What the header says of the process: a line for [`Grammar::on_event`], before the thread is added.
    pub event: Option<String>,
    /// A line of the block that stands in the header.
    pub first: Option<String>,
}

impl Head {
    /// A header of one line.
    pub fn of(thread: Thread) -> Self {
        Self {
            thread,
            also: Vec::new(),
            more: 0,
            wait: None,
            holds: Vec::new(),
            keeps_state: false,
            is_carried: false,
            unknown: None,
            event: None,
            first: None,
        }
    }
}

/// What a line in a thread's block is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InBlock {
    /// A line that [`Grammar::body`] reads.
    Body,
    /// A line without a meaning.
    Noise,
    /// It ends the block, and is asked for again as a line outside.
    Ends,
    /// Not understood.
    Unknown,
}

/// What a line outside of a block is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outside {
    /// A line for [`Grammar::on_event`].
    Event,
    /// The same, and the lines after it, up to the next header, are asked for with this section.
    Section(&'static str),
    /// A line without a meaning.
    Noise,
    /// Not understood.
    Unknown,
}

/// A line of a block.
#[derive(Clone, Copy, Debug)]
pub struct BlockLine<'b> {
    /// Its text, numbers masked.
    pub text: &'b str,
    /// The slot of its first masked number; the others follow.
    pub slot: usize,
}

/// What a block says.
#[derive(Clone, Debug, Default)]
pub struct Body {
    /// Frames, newest first.
    pub frames: Vec<BodyFrame>,
    /// What the thread does.
    pub state: Option<ReportedState>,
    /// What it waits for.
    pub wait: Option<BodyWait>,
    /// What it holds.
    pub holds: Vec<BodyHold>,
    /// Why the stack ends where it ends.
    pub end: StackEnd,
    /// Frames that the producer left out.
    pub left_out: u32,
    /// Values of slots below this are no addresses of the process, and are dropped.
    pub lowest: u64,
    /// Where the thread was created, which is no frame of its stack: Go's `created by`.
    pub creator: Option<Frame>,
}

/// A frame, with the block's slots that its argument slots take their values from.
#[derive(Clone, Debug, Default)]
pub struct BodyFrame {
    /// The frame.
    pub frame: Frame,
    /// Its arguments, and the block's slot that each has its value in.
    pub slots: Vec<(ArgSlot, usize)>,
}

impl From<Frame> for BodyFrame {
    fn from(frame: Frame) -> Self {
        Self { frame, slots: Vec::new() }
    }
}

/// What a block calls a lock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LockRef {
    /// The value of this slot, with an offset to be added to it.
    Slot(usize, i64),
    /// The same of a value that may be stale: it counts where it lies in the object whose address another slot has.
    Doubted {
        /// The slot of the value.
        slot: usize,
        /// What is to be added to it.
        offset: i64,
        /// The slot of the object's address.
        object: usize,
    },
    /// An id that is no number.
    Token(Str),
}

/// A lock that a block names.
#[derive(Clone, Debug)]
pub struct BodyLock {
    /// What it is called.
    pub id: LockRef,
    /// Its class or name.
    pub name: Option<Str>,
    /// What it is.
    pub kind: ReportedLockKind,
}

/// Whom a text calls the owner of a lock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OwnerRef {
    /// By the id of its header.
    Id(ThreadId),
    /// By its name.
    Name(Str),
    /// By its handle, which is the value of this slot.
    Handle(usize),
    /// By its handle.
    HandleValue(u64),
    /// Nobody, as the text says.
    Nobody,
    /// The thread itself: a lock of its own, whose token other threads' locks may have as well.
    Itself,
    /// By its id in a process, which may be another one.
    OfProcess {
        /// The process.
        pid: u32,
        /// The thread.
        id: ThreadId,
        /// Its id as a number.
        number: u64,
    },
}

/// What a block says that its thread waits for.
#[derive(Clone, Debug)]
pub struct BodyWait {
    /// Which lock.
    pub lock: BodyLock,
    /// How.
    pub mode: WaitMode,
    /// Who owns it, where the line says so.
    pub owner: Option<OwnerRef>,
}

/// What a block says that its thread holds.
#[derive(Clone, Debug)]
pub struct BodyHold {
    /// Which lock.
    pub lock: BodyLock,
    /// The frame that took it, from the innermost.
    pub depth: Option<u32>,
}

/// Marks a snapshot as one from which the producer left threads out.
pub fn is_limited(snapshot: &mut Snapshot, message: impl Into<String>, offset: Option<u64>) {
    snapshot.is_complete = false;
    snapshot.gaps.add(crate::model::GapKind::Limit, message, offset);
}
