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
    let is_chained = saved_fp == 0 || is_above(saved_fp, fp) && memory.word(saved_fp).is_some();
    let returns = match is_return_address(pc, arch, memory) {
        Some(true) => true,
        // An interpreter returns to an entry of its own and not behind a call (HotSpot's does); a chain
        // that goes on has to do then.
        Some(false) => memory.is_executable(pc) && goes_on(saved_fp, memory).unwrap_or(false),
        // Code that is not at hand cannot be asked.
        None => memory.is_executable(pc),
    };
    if !is_chained || !returns {
        return None;
    }
    let mut caller = Context::at(pc);
    caller.set(arch.sp, fp.checked_add(16));
    caller.set(arch.fp, Some(saved_fp));
    Some(caller)
}

/// Whether the chain of frame pointers has a next link, with code to return to.
fn goes_on(fp: u64, memory: &dyn AddressSpace) -> Option<bool> {
    let next = memory.word(fp)?;
    let pc = memory.word(fp.checked_add(8)?)?;
    Some((next == 0 || is_above(next, fp)) && memory.is_executable(pc))
}

fn is_above(next: u64, fp: u64) -> bool {
    next > fp && next.is_multiple_of(8)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arch;
    use crate::model::Arch;

    const CODE: u64 = 0x40_0000;
    const STACK: u64 = 0x7000_0000;

    /// A stack of words over code that has no call in it: all `nop`.
    struct Interpreter(Vec<u8>, Vec<u8>);

    impl Interpreter {
        fn with(words: &[u64]) -> Self {
            Self(vec![0x90; 0x1000], words.iter().flat_map(|w| w.to_le_bytes()).collect())
        }
    }

    impl AddressSpace for Interpreter {
        fn bytes(&self, address: u64, length: usize) -> Option<&[u8]> {
            let (bytes, start) = if address >= STACK { (&self.1, STACK) } else { (&self.0, CODE) };
            bytes.get(usize::try_from(address.checked_sub(start)?).ok()?..)?.get(..length)
        }

        fn is_executable(&self, address: u64) -> bool {
            (CODE..CODE + 0x1000).contains(&address)
        }

        fn is_writable(&self, address: u64) -> bool {
            address >= STACK
        }
    }

    fn caller(words: &[u64]) -> Option<(u64, u64)> {
        let arch = arch::of(Arch::X86_64).expect("a row");
        let mut frame = Context::at(CODE + 0x100);
        frame.set(arch.sp, Some(STACK));
        frame.set(arch.fp, Some(STACK + 8));
        let step = step(&frame, false, arch, &Interpreter::with(words))?;
        assert_eq!(step.trust, Trust::FramePointer);
        Some((step.caller.pc, step.caller.sp(arch)?))
    }

    #[test]
    fn a_return_behind_no_call_is_believed_only_where_the_chain_goes_on() {
        let (to, next) = (CODE + 0x200, CODE + 0x300);
        let going_on = [0, STACK + 32, to, 0, STACK + 48, next, 0, 0];
        assert_eq!(caller(&going_on), Some((to, STACK + 24)));
        let outermost = [0, STACK + 32, to, 0, 0, next];
        assert_eq!(caller(&outermost), Some((to, STACK + 24)));
        let broken = [0, STACK + 32, to, 0, STACK + 48, 0xdead, 0, 0];
        assert_eq!(caller(&broken), None, "nothing to return to");
        let backwards = [0, STACK + 32, to, 0, STACK, next, 0, 0];
        assert_eq!(caller(&backwards), None, "a chain leads up");
        let no_code = [0, STACK + 32, STACK, 0, STACK + 48, next, 0, 0];
        assert_eq!(caller(&no_code), None, "a stack is no code");
    }
}
