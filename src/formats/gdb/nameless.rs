//! A debugger that found neither symbols nor the program prints addresses alone: nothing is known of what the threads do.
//!
//! ```text
//! Thread 5 (LWP 30325):
//! #0  0x00007f2d08a9a117 in ?? ()            gdb of a core, without the files that ran
//! TID 91452:
//! #0  0x00007f5dd32a412b                     eu-stack -q
//! ```

use crate::model::{GapKind, Snapshot};

/// Adds a gap where threads have frames and none of them has a name.
pub(in crate::formats) fn judge(snapshot: &mut Snapshot) {
    let frames = snapshot.stacks.all_frames();
    if frames.is_empty() || frames.iter().any(|frame| frame.function.is_some()) {
        return;
    }
    let has_frames = |thread: &&crate::model::Thread| !snapshot.stacks.frames_of(thread.stack).is_empty();
    let count = snapshot.threads.iter().filter(has_frames).count() as u64;
    let message = "stacks without the name of a function, as where no symbols were found: what their threads do is not known";
    snapshot.gaps.add_many(GapKind::MissingModule, message, count, None);
}
