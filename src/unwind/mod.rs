//! From registers and memory to vectors of program counters, over rules cached by pc.
//!
//! The unwinder is a function of memory, modules and registers ([`Walker::walk`]); later stages
//! that need the registers of a frame call it again for the threads they care about.
//! Call frame information comes first; where there is none, frame pointers and then a bounded scan
//! of the stack take over, and each frame says how it was found.

mod cfi;
mod context;
mod expression;
mod fallback;
mod rule;
mod vectors;
mod walk;
mod window;

pub use context::Context;
pub use vectors::{RawFrame, RawStack, Unwound, unwind_all};
pub use walk::{FrameState, WalkCache, Walker};
