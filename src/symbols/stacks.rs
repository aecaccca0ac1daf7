//! From vectors of pcs to stacks of named frames: each unique address is named once.

use rustc_hash::{FxHashMap, FxHashSet};

use super::{SourceFrame, resolve};
use crate::model::{Frame, FrameIx, FrameKind, GapKind, Snapshot, StackEnd, StackIx, Str};
use crate::modules::ModuleSet;
use crate::unwind::{RawFrame, RawStack, Unwound};

/// How gdb and all that read its text call the kernel's frame.
const SIGNAL_FRAME: &str = "<signal handler called>";

/// Names all frames and gives each thread its stack. Threads and vectors stand in the same order.
pub fn name_stacks(snapshot: &mut Snapshot, unwound: &Unwound, modules: &ModuleSet) {
    let mut seen = FxHashSet::default();
    let mut raw: Vec<RawFrame> = Vec::new();
    for frame in unwound.stacks.iter().flat_map(|s| s.frames.iter()) {
        if seen.insert(*frame) {
            raw.push(*frame);
        }
    }
    let mut addresses: Vec<u64> = raw.iter().map(RawFrame::lookup_address).collect();
    addresses.sort_unstable();
    addresses.dedup();
    let named = resolve(modules, &addresses, &mut snapshot.gaps);
    let mut frames_of: FxHashMap<RawFrame, Vec<FrameIx>> = FxHashMap::default();
    for frame in raw {
        let functions = addresses
            .binary_search(&frame.lookup_address())
            .ok()
            .and_then(|at| named.get(at))
            .map_or(&[][..], Vec::as_slice);
        let indexes = frames(&frame, functions, modules)
            .into_iter()
            .map(|f| snapshot.stacks.frame(&f, std::iter::empty()))
            .collect();
        frames_of.insert(frame, indexes);
    }
    let mut stack_of: Vec<StackIx> = Vec::with_capacity(unwound.stacks.len());
    let mut buffer = Vec::new();
    for stack in &unwound.stacks {
        buffer.clear();
        for frame in &stack.frames {
            buffer.extend_from_slice(&frames_of[frame]);
        }
        stack_of.push(snapshot.stacks.stack(&buffer));
    }
    for (thread, &raw) in snapshot.threads.iter_mut().zip(&unwound.stack_of) {
        let stack = &unwound.stacks[raw as usize];
        thread.stack = stack_of[raw as usize];
        thread.stack_end = stack.end;
        thread.frames_left_out = u32::try_from(stack.left_out).unwrap_or(u32::MAX);
    }
    tell_gaps(snapshot, unwound);
}

/// The frames of one pc: the inlined functions, innermost first, then the one that has the code.
fn frames(raw: &RawFrame, functions: &[SourceFrame], modules: &ModuleSet) -> Vec<Frame> {
    let module = modules.at(raw.lookup_address()).map(|ix| modules.get(ix));
    let base = Frame {
        module: module.map(|m| m.name.clone()),
        module_offset: module.map(|m| raw.pc.wrapping_sub(m.bias)),
        address: Some(raw.pc),
        trust: Some(raw.trust),
        ..Frame::default()
    };
    if raw.is_signal {
        let function: Option<Str> = Some(SIGNAL_FRAME.into());
        return vec![Frame { function, kind: FrameKind::SignalHandler, ..base }];
    }
    if functions.is_empty() {
        return vec![base];
    }
    functions
        .iter()
        .map(|f| Frame {
            function: f.function.clone(),
            aliases: f.aliases.clone().into(),
            file: f.file.clone(),
            line: f.line,
            kind: if f.is_inlined { FrameKind::Inlined } else { FrameKind::Normal },
            ..base.clone()
        })
        .collect()
}

/// What each incomplete stack means for the reader; `None` for ends that are as they should be.
fn told(end: StackEnd) -> Option<&'static str> {
    Some(match end {
        StackEnd::MemoryMissing => "stacks end early: their memory is not in the dump",
        StackEnd::NoRule => "stacks end early: nothing says how to leave the last frame",
        StackEnd::NoProgress => "stacks end early: the next frame would be the same one again",
        StackEnd::DepthLimit => "stacks are deeper than the limit of this program",
        StackEnd::Complete | StackEnd::Reported | StackEnd::NotUnwound => return None,
    })
}

fn tell_gaps(snapshot: &mut Snapshot, unwound: &Unwound) {
    let mut count_of: FxHashMap<u32, u64> = FxHashMap::default();
    for &stack in &unwound.stack_of {
        *count_of.entry(stack).or_default() += 1;
    }
    for (n, stack) in (0u32..).zip(&unwound.stacks) {
        let threads = count_of.get(&n).copied().unwrap_or(0);
        if let Some(message) = told(stack.end) {
            snapshot.gaps.add_many(GapKind::IncompleteStack, message, threads, None);
        }
        left_out(snapshot, stack, threads);
    }
}

fn left_out(snapshot: &mut Snapshot, stack: &RawStack, threads: u64) {
    if stack.left_out > 0 {
        let message = format!(
            "frames in the middle of a deep stack are not shown ({} newest and {} oldest are)",
            stack.left_out_at,
            stack.frames.len() - stack.left_out_at
        );
        snapshot.gaps.add_many(GapKind::IncompleteStack, message, stack.left_out * threads, None);
    }
}
