//! Frames and stacks, interned: a frame and a stack are one integer each.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::num::NonZeroU32;

use hashbrown::HashTable;
use rustc_hash::FxHasher;
use schemars::JsonSchema;
use serde::Serialize;

use super::{Pool, Str};

/// How a frame was found (binary formats), from the surest to the weakest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Trust {
    /// The registers of the dump.
    Context,
    /// Call frame information, which the compiler wrote.
    Cfi,
    /// The frame-pointer convention: right for code that keeps it.
    FramePointer,
    /// A word on the stack that looks like a return address: a guess.
    Scan,
}

/// What a frame is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum FrameKind {
    /// A call.
    #[default]
    Normal,
    /// A call that the compiler inlined into the next frame that is not inlined.
    Inlined,
    /// The frame that the kernel makes to call a signal handler: the frame after it was interrupted.
    SignalHandler,
}

/// One place in the code, as it stands in a stack. Two threads at the same place share it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Frame {
    /// The function as the dump or the symbols name it, demangled, with its parameters where
    /// the source has them. `None` where nobody knows.
    pub function: Option<Str>,
    /// Other names of the same address (`__read`, `read`), where a symbol table has them.
    pub aliases: Box<[Str]>,
    /// The module's file name (`libc.so.6`), or its path where the dump prints that.
    pub module: Option<Str>,
    /// Offset of the address in the module, for functions without a name.
    pub module_offset: Option<u64>,
    /// Offset of the address in the function, where that is all that the dump gives of it: `rtnl_lock+0x17/0x20`.
    pub function_offset: Option<NonZeroU32>,
    /// Source file.
    pub file: Option<Str>,
    /// Source line.
    pub line: Option<u32>,
    /// The address in the process, where known: of the instruction for the innermost frame, the
    /// return address else. An inlined frame has the address of the frame that it is part of.
    pub address: Option<u64>,
    /// What the frame is.
    pub kind: FrameKind,
    /// How it was found; binary formats only.
    pub trust: Option<Trust>,
}

/// What kind of value a slot holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SlotKind {
    /// `0x…`.
    Hex,
    /// A decimal number; negative ones as two's complement.
    Decimal,
}

/// A place in a text frame where each thread has its own value: `mutex=0x55d9… <g_log_mutex>`.
///
/// Where the producer printed a symbol and no address (gdb's `print address off`:
/// `mutex=<g_log_mutex>`), the slot's value is 0 and [`symbol`](Self::symbol) is all there is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ArgSlot {
    /// The argument's name: `mutex`.
    pub name: Str,
    /// How the value is written.
    pub kind: SlotKind,
    /// The symbol that stands behind it: `g_log_mutex`.
    pub symbol: Option<Str>,
}

/// A frame without slots, ready to be added: what takes time is done by whoever reads it, and not by the one worker that
/// adds all of them.
#[derive(Debug)]
pub struct HashedFrame {
    hash: u64,
    frame: Frame,
}

impl From<Frame> for HashedFrame {
    fn from(frame: Frame) -> Self {
        Self { hash: hash(&frame, std::iter::empty()), frame }
    }
}

/// Index of an interned frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FrameIx(pub u32);

impl FrameIx {
    /// The place as an index.
    pub fn at(self) -> usize {
        self.0 as usize
    }
}

/// Index of an interned stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StackIx(pub u32);

impl StackIx {
    /// The stack without frames, which every table has.
    pub const EMPTY: Self = Self(0);

    /// The place as an index.
    pub fn at(self) -> usize {
        self.0 as usize
    }
}

/// Why a stack ends where it ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum StackEnd {
    /// At the thread's first function, or the producer printed no reason to doubt it.
    #[default]
    Complete,
    /// The memory of the stack is not in the dump.
    MemoryMissing,
    /// No rule and no fallback led further.
    NoRule,
    /// The next frame would not have advanced.
    NoProgress,
    /// A limit on the depth was reached; the frames that were left out are counted in a gap.
    DepthLimit,
    /// The producer said that it could not go on (`Backtrace stopped: …`).
    Reported,
    /// The dump has no registers that we can read, or the architecture has no unwinder.
    NotUnwound,
}

/// All frames and stacks of a snapshot.
#[derive(Clone)]
pub struct StackTable {
    frames: Vec<Frame>,
    /// Those of each frame, up to the last one that has any.
    slots: Vec<Vec<ArgSlot>>,
    /// What is in each frame, hashed.
    hashes: Vec<u64>,
    /// Frames by what is in them.
    frame_of: HashTable<FrameIx>,
    stacks: Pool<FrameIx>,
}

/// Without the table by which frames are found: its order depends on the room that was made for it.
impl fmt::Debug for StackTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { frames, slots, hashes: _, frame_of: _, stacks } = self;
        let mut shown = f.debug_struct("StackTable");
        shown.field("frames", frames).field("slots", slots).field("stacks", stacks).finish()
    }
}

impl Default for StackTable {
    fn default() -> Self {
        let mut stacks = Pool::default();
        stacks.add(&[]);
        Self { frames: Vec::new(), slots: Vec::new(), hashes: Vec::new(), frame_of: HashTable::new(), stacks }
    }
}

impl StackTable {
    /// Makes room for so many frames more.
    pub fn reserve(&mut self, frames: usize) {
        self.frames.reserve(frames);
        self.hashes.reserve(frames);
        let hashes = &self.hashes;
        self.frame_of.reserve(frames, |ix| hashes.get(ix.at()).copied().unwrap_or_default());
    }

    /// Makes room for so many stacks more, which have so many frames together.
    pub fn reserve_stacks(&mut self, stacks: usize, frames: usize) {
        self.stacks.reserve(stacks, frames);
    }

    /// The index of this frame, which is added when it is new.
    pub fn frame<'s>(&mut self, frame: &Frame, slots: impl Iterator<Item = &'s ArgSlot> + Clone) -> FrameIx {
        let hash = hash(frame, slots.clone());
        let known = self.find(hash, frame, slots.clone());
        known.unwrap_or_else(|| self.push(hash, frame.clone(), slots.cloned().collect()))
    }

    /// The index of a frame without slots, which is added when it is new.
    pub fn add_frame(&mut self, HashedFrame { hash, frame }: HashedFrame) -> FrameIx {
        let known = self.find(hash, &frame, std::iter::empty());
        known.unwrap_or_else(|| self.push(hash, frame, Vec::new()))
    }

    fn find<'s>(
        &self,
        hash: u64,
        frame: &Frame,
        slots: impl Iterator<Item = &'s ArgSlot> + Clone,
    ) -> Option<FrameIx> {
        let is_it = |&ix: &FrameIx| {
            self.hashes.get(ix.at()) == Some(&hash)
                && self.frames.get(ix.at()) == Some(frame)
                && self.slots(ix).iter().eq(slots.clone())
        };
        self.frame_of.find(hash, is_it).copied()
    }

    fn push(&mut self, hash: u64, frame: Frame, slots: Vec<ArgSlot>) -> FrameIx {
        let next = FrameIx(self.frames.len() as u32);
        self.frames.push(frame);
        if !slots.is_empty() {
            self.slots.resize_with(next.at(), Vec::new);
            self.slots.push(slots);
        }
        self.hashes.push(hash);
        let hashes = &self.hashes;
        self.frame_of.insert_unique(hash, next, |ix| hashes.get(ix.at()).copied().unwrap_or_default());
        next
    }

    /// The index of this stack (newest frame first), which is added when it is new.
    pub fn stack(&mut self, frames: &[FrameIx]) -> StackIx {
        StackIx(self.stacks.add(frames))
    }

    /// A frame.
    pub fn get(&self, ix: FrameIx) -> &Frame {
        &self.frames[ix.at()]
    }

    /// The value slots of a frame; text formats only.
    pub fn slots(&self, ix: FrameIx) -> &[ArgSlot] {
        self.slots.get(ix.at()).map_or(&[], Vec::as_slice)
    }

    /// The frames of a stack, newest first.
    pub fn frames_of(&self, ix: StackIx) -> &[FrameIx] {
        self.stacks.get(ix.0).unwrap_or_default()
    }

    /// Whether the frames of a stack are guesses, down to the outermost.
    pub fn is_guessed(&self, ix: StackIx) -> bool {
        self.frames_of(ix).last().is_some_and(|frame| self.get(*frame).trust == Some(Trust::Scan))
    }

    /// All frames, in the order of their indexes.
    pub fn all_frames(&self) -> &[Frame] {
        &self.frames
    }

    /// Changes frames in place. Every index keeps its meaning: frames that become equal stay two, and a frame
    /// that is added afterwards is a new one.
    pub fn rewrite(&mut self, mut change: impl FnMut(&mut Frame, &mut Vec<ArgSlot>)) {
        self.frame_of.clear();
        self.slots.resize_with(self.frames.len(), Vec::new);
        for (frame, slots) in self.frames.iter_mut().zip(&mut self.slots) {
            change(frame, slots);
        }
    }

    /// How many different stacks there are, the empty one included.
    pub fn stack_count(&self) -> usize {
        self.stacks.len()
    }
}

fn hash<'s>(frame: &Frame, slots: impl Iterator<Item = &'s ArgSlot>) -> u64 {
    let mut hasher = FxHasher::default();
    frame.hash(&mut hasher);
    slots.for_each(|slot| slot.hash(&mut hasher));
    hasher.finish()
}
