//! From a chunk's stacks to those of the snapshot; which frames are inlined.

use rustc_hash::FxHashMap;

use crate::model::{Frame, FrameIx, FrameKind, Snapshot, StackIx};

use super::parts::Placed;

/// Frames and stacks of chunks in the snapshot's table.
#[derive(Default)]
pub(super) struct Stacks {
    /// By chunk and its own number.
    of_stack: Vec<Vec<Option<StackIx>>>,
    /// By chunk and template: the place in which it was first seen, nearly always the only one.
    of_template: Vec<Vec<Option<(Place, FrameIx)>>>,
    /// In other places.
    elsewhere: FxHashMap<(usize, u32, Place), FrameIx>,
    frames: Vec<FrameIx>,
}

impl Stacks {
    /// The stack in the snapshot's table.
    pub fn stack(&mut self, snapshot: &mut Snapshot, placed: &Placed<'_>) -> StackIx {
        let own = placed.item.stack as usize;
        let chunk = home(placed, own, placed.chunk.learned.1);
        if let Some(known) = self.of_stack.get(chunk).and_then(|stacks| *stacks.get(own)?) {
            return known;
        }
        let templates = placed.templates();
        let frames = templates.iter().map(|ix| placed.chunk.templates.get(*ix).map(|t| &t.parsed.frame));
        let places = places(&frames.collect::<Vec<_>>());
        self.frames.clear();
        for (ix, place) in templates.iter().zip(places) {
            let frame = self.frame(snapshot, placed, *ix, place);
            self.frames.push(frame);
        }
        let stack = snapshot.stacks.stack(&self.frames);
        if self.of_stack.len() <= chunk {
            self.of_stack.resize_with(chunk + 1, Vec::new);
        }
        if let Some(stacks) = self.of_stack.get_mut(chunk) {
            stacks.resize(stacks.len().max(placed.chunk.stacks.len()), None);
            if let Some(known) = stacks.get_mut(own) {
                *known = Some(stack);
            }
        }
        stack
    }

    fn frame(&mut self, snapshot: &mut Snapshot, placed: &Placed<'_>, ix: u32, place: Place) -> FrameIx {
        let chunk = home(placed, ix as usize, placed.chunk.learned.0);
        if self.of_template.len() <= chunk {
            self.of_template.resize_with(chunk + 1, Vec::new);
        }
        let templates = &mut self.of_template[chunk];
        if templates.is_empty() {
            templates.resize(placed.chunk.templates.len(), None);
        }
        match templates.get_mut(ix as usize) {
            Some(Some((known, frame))) if *known == place => *frame,
            Some(first @ None) => {
                let frame = add(snapshot, placed, ix, place);
                *first = Some((place, frame));
                frame
            }
            _ => {
                *self.elsewhere.entry((chunk, ix, place)).or_insert_with(|| add(snapshot, placed, ix, place))
            }
        }
    }
}

/// The piece whose own a stack or line is: what was learned of the first one is the first one's.
fn home(placed: &Placed<'_>, ix: usize, learned: usize) -> usize {
    if ix < learned { 0 } else { placed.chunk_ix }
}

fn add(snapshot: &mut Snapshot, placed: &Placed<'_>, ix: u32, place: Place) -> FrameIx {
    let Some(parsed) = placed.chunk.templates.get(ix).map(|t| &t.parsed) else {
        return snapshot.stacks.add_frame(Frame::default().into());
    };
    let kind = if place.is_inlined { FrameKind::Inlined } else { parsed.frame.kind };
    if (kind, place.address) == (parsed.frame.kind, parsed.frame.address) {
        return snapshot.stacks.frame(&parsed.frame, parsed.slots.iter());
    }
    let frame = Frame { kind, address: place.address, ..parsed.frame.clone() };
    snapshot.stacks.frame(&frame, parsed.slots.iter())
}

/// What a frame's neighbours say of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
struct Place {
    is_inlined: bool,
    address: Option<u64>,
}

/// Which frames of a stack are inlined, and the pc of each.
///
/// A frame *into which* its callee is inlined has no pc of its own, and gdb prints none
/// (`frame_show_address`, which asserts that the callee is an inline frame). So in a row of frames
/// without address all but the last are inlined, and so is the addressed frame above the row; all
/// share its pc:
///
/// ```text
/// #0  futex_wait (private=0, expected=2, futex_word=0x55af922f80a0 <g_log_mutex>) at …           inlined into #1
/// #1  __GI___lll_lock_wait (futex=futex@entry=0x55af922f80a0 <g_log_mutex>, private=0) at …
/// #2  0x00007fe55cce0482 in lll_mutex_lock_optimized (mutex=0x55af922f80a0 <g_log_mutex>) at …   inlined into #3
/// #3  ___pthread_mutex_lock (mutex=0x55af922f80a0 <g_log_mutex>) at ./nptl/pthread_mutex_lock.c:93
/// #4  0x000055af922f521b in log_message (…) at jam.c:14                                          gdb 13
/// ```
///
/// The innermost frame and one that a signal interrupted may lack their address for another
/// reason: their pc is the start of a line. After `set print address off` nothing is known.
fn places(frames: &[Option<&Frame>]) -> Vec<Place> {
    let has_addresses = frames.iter().flatten().any(|f| f.address.is_some());
    let is_call = |n: usize| frames.get(n).copied().flatten().is_some_and(|f| f.kind == FrameKind::Normal);
    let address = |n: usize| frames.get(n).copied().flatten().and_then(|f| f.address);
    let mut places: Vec<Place> = Vec::with_capacity(frames.len());
    for n in 0..frames.len() {
        let is_inlined = has_addresses && is_call(n) && is_call(n + 1) && address(n + 1).is_none();
        let shared = places.last().filter(|newer| newer.is_inlined).and_then(|newer| newer.address);
        places.push(Place { is_inlined, address: address(n).or(shared) });
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stack(frames: &[(Option<u64>, FrameKind)]) -> Vec<(bool, Option<u64>)> {
        let frames: Vec<Frame> = frames
            .iter()
            .map(|(address, kind)| Frame { address: *address, kind: *kind, ..Frame::default() })
            .collect();
        let frames: Vec<Option<&Frame>> = frames.iter().map(Some).collect();
        places(&frames).into_iter().map(|p| (p.is_inlined, p.address)).collect()
    }

    #[test]
    fn the_frame_without_address_is_the_one_that_holds() {
        use FrameKind::Normal;
        // The lines above.
        assert_eq!(
            stack(&[(None, Normal), (None, Normal), (Some(2), Normal), (None, Normal), (Some(4), Normal)]),
            [(true, None), (false, None), (true, Some(2)), (false, Some(2)), (false, Some(4))]
        );
        // PyTango, gdb 7.12: readerIn, ReaderLock, get_subscribed_event_ids, ~DeviceProxy.
        assert_eq!(
            stack(&[(Some(2), Normal), (None, Normal), (None, Normal), (Some(5), Normal)]),
            [(true, Some(2)), (true, Some(2)), (false, Some(2)), (false, Some(5))]
        );
    }

    #[test]
    fn the_start_of_a_line_is_not_inlined() {
        use FrameKind::{Normal, SignalHandler};
        assert_eq!(stack(&[(None, Normal), (Some(1), Normal)]), [(false, None), (false, Some(1))]);
        assert_eq!(
            stack(&[(Some(1), Normal), (None, SignalHandler), (None, Normal), (Some(4), Normal)]),
            [(false, Some(1)), (false, None), (false, None), (false, Some(4))]
        );
        assert_eq!(stack(&[(None, Normal), (None, Normal)]), [(false, None), (false, None)]);
    }
}
