//! What to do where no call frame information leads on, from the surest guess to the weakest.
//! Each guess is labelled, and none is made where the code that would prove it is not known.

use super::context::Context;
use crate::arch::{Architecture, Entry};
use crate::model::{AddressSpace, Trust};

/// The most words of the stack that a scan looks at.
const MOST_SCANNED_WORDS: u64 = 512;

/// No call instruction has more bytes.
const LONGEST_CALL: usize = 8;

/// The farthest that a frame pointer may lie above the stack pointer.
const LARGEST_FRAME: u64 = 8 << 20;

/// A step that a fallback found.
pub(super) struct Step {
    /// The caller.
    pub caller: Context,
    /// How it was found.
    pub trust: Trust,
    /// The frame that was left is the kernel's signal frame: the caller was interrupted.
    pub is_signal: bool,
}

/// Leaves a frame without a rule. `is_exact`: its pc is an instruction that was about to run, not
/// a return address.
pub(super) fn step(
    frame: &Context,
    is_exact: bool,
    arch: &Architecture,
    memory: &dyn AddressSpace,
) -> Option<Step> {
    let sp = frame.sp(arch)?;
    if let Some(caller) = signal_frame(frame, sp, arch, memory) {
        return Some(Step { caller, trust: Trust::Cfi, is_signal: true });
    }
    if is_exact && let Some(caller) = before_first_instruction(frame, sp, arch, memory) {
        return Some(Step { caller, trust: Trust::FramePointer, is_signal: false });
    }
    if let Some(caller) = frame_pointer(frame, sp, arch, memory) {
        return Some(Step { caller, trust: Trust::FramePointer, is_signal: false });
    }
    let caller = scan(frame, sp, arch, memory)?;
    Some(Step { caller, trust: Trust::Scan, is_signal: false })
}

/// A signal trampoline without CFI (musl, Go, some static libcs): its code gives it away, and the
/// kernel's `ucontext` on the stack has all registers.
fn signal_frame(frame: &Context, sp: u64, arch: &Architecture, memory: &dyn AddressSpace) -> Option<Context> {
    let code = arch.code.signal_trampoline;
    if arch.code.signal_frame.is_empty() || memory.bytes(frame.pc, code.len())? != code {
        return None;
    }
    let mut caller = Context::at(0);
    for &(register, offset) in arch.code.signal_frame {
        let value = memory.word(sp.checked_add(offset)?);
        if register == arch.return_address {
            caller.pc = value?;
        } else {
            caller.set(register, value);
        }
    }
    Some(caller)
}

/// A call through a bad pointer, or a stop at the first instruction of a function: the return
/// address is where the call left it.
fn before_first_instruction(
    frame: &Context,
    sp: u64,
    arch: &Architecture,
    memory: &dyn AddressSpace,
) -> Option<Context> {
    let depth = match memory.is_executable(frame.pc) {
        false => 0,
        true => {
            let before = memory.bytes(frame.pc.checked_sub(1)?, 1)?;
            match (arch.code.entry)(before, memory.bytes(frame.pc, 4)?) {
                Entry::BeforePush => 0,
                Entry::AfterPush => 8,
                Entry::Elsewhere => return None,
            }
        }
    };
    let slot = sp.checked_add(depth)?;
    let pc = memory.word(slot)?;
    if !is_return_address(pc, arch, memory)? {
        return None;
    }
    let mut caller = *frame;
    caller.pc = pc;
    caller.set(arch.sp, slot.checked_add(8));
    Some(caller)
}

/// The frame-pointer convention: `[fp]` is the caller's frame pointer, `[fp + 8]` the return
/// address.
fn frame_pointer(
    frame: &Context,
    sp: u64,
    arch: &Architecture,
    memory: &dyn AddressSpace,
) -> Option<Context> {
    let fp = frame.fp(arch)?;
    if fp % 8 != 0 || fp < sp || fp - sp > LARGEST_FRAME {
        return None;
    }
    let saved_fp = memory.word(fp)?;
    let pc = memory.word(fp.checked_add(8)?)?;
    // Code that is not at hand cannot be asked; the chain of frame pointers has to do then.
    let is_chained = saved_fp == 0 || (saved_fp > fp && saved_fp % 8 == 0 && memory.word(saved_fp).is_some());
    if !is_chained || !is_return_address(pc, arch, memory).unwrap_or_else(|| memory.is_executable(pc)) {
        return None;
    }
    let mut caller = Context::at(pc);
    caller.set(arch.sp, fp.checked_add(16));
    caller.set(arch.fp, Some(saved_fp));
    Some(caller)
}

/// The next word of the stack that is a return address: code lies before it, and that code is a
/// call.
fn scan(frame: &Context, sp: u64, arch: &Architecture, memory: &dyn AddressSpace) -> Option<Context> {
    let first = sp.checked_add(7)? & !7;
    for n in 0..MOST_SCANNED_WORDS {
        let slot = first.checked_add(n * 8)?;
        let pc = memory.word(slot)?;
        if is_return_address(pc, arch, memory) == Some(true) {
            let mut caller = Context::at(pc);
            let sp = slot.checked_add(8)?;
            caller.set(arch.sp, Some(sp));
            if let Some(fp) = frame.fp(arch).filter(|&fp| fp >= sp && fp - sp < LARGEST_FRAME) {
                caller.set(arch.fp, Some(fp));
            }
            return Some(caller);
        }
    }
    None
}

/// Whether a call stands right before this address. `None`: the code is not at hand.
fn is_return_address(pc: u64, arch: &Architecture, memory: &dyn AddressSpace) -> Option<bool> {
    if pc < 4096 || !memory.is_executable(pc) {
        return Some(false);
    }
    let code = memory.bytes(pc.checked_sub(LONGEST_CALL as u64)?, LONGEST_CALL)?;
    Some((arch.code.is_call_before)(code))
}
