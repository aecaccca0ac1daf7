//! What x86-64 code looks like where no call frame information says it.

use super::SignalFrame;
use crate::model::AddressSpace;

/// `call [base + index * scale + disp32]` with a REX prefix.
pub(super) const LONGEST_CALL: usize = 8;

/// Whether these bytes end with a call: `e8 rel32`, or `ff /2` in any form.
pub(super) fn is_call_before(code: &[u8]) -> bool {
    let n = code.len();
    if n >= 5 && code[n - 5] == 0xe8 {
        return true;
    }
    // ff /2: two bytes (register or plain base) up to seven (SIB and disp32).
    (2..=7).any(|length| {
        let Some(instruction) = n.checked_sub(length).and_then(|at| code.get(at..)) else { return false };
        instruction[0] == 0xff && (instruction[1] >> 3) & 7 == 2 && call_length(instruction[1], instruction.get(2)) == length
    })
}

/// The length of `ff /2` by its ModRM byte and SIB byte.
fn call_length(modrm: u8, sib: Option<&u8>) -> usize {
    let (mode, rm) = (modrm >> 6, modrm & 7);
    let has_sib = mode != 3 && rm == 4;
    let displacement = match mode {
        0 if rm == 5 => 4,
        0 if has_sib && sib.is_some_and(|s| s & 7 == 5) => 4,
        1 => 1,
        2 => 4,
        _ => 0,
    };
    2 + usize::from(has_sib) + displacement
}

const ENDBR64: [u8; 4] = [0xf3, 0x0f, 0x1e, 0xfa];
const PUSH_RBP: u8 = 0x55;

/// At `endbr64` or `push rbp` the return address is on top of the stack, after the push one word
/// deeper.
pub(super) fn return_address_depth(pc: u64, memory: &dyn AddressSpace) -> Option<u64> {
    let code = memory.bytes(pc, 4)?;
    if code == ENDBR64 || code[0] == PUSH_RBP {
        return Some(0);
    }
    let before = memory.bytes(pc.checked_sub(1)?, 1)?;
    // `push rbp; mov rbp, rsp` (48 89 e5), stopped between the two.
    (before[0] == PUSH_RBP && code[..3] == [0x48, 0x89, 0xe5]).then_some(8)
}

/// `mov rax, 15; syscall` (`rt_sigreturn`; glibc, musl, Go), and the `ucontext` above it.
pub(super) const SIGNAL_FRAME: SignalFrame = SignalFrame {
    code: &[0x48, 0xc7, 0xc0, 0x0f, 0x00, 0x00, 0x00, 0x0f, 0x05],
    pc: 168,
    registers: &[
        (8, 40),
        (9, 48),
        (10, 56),
        (11, 64),
        (12, 72),
        (13, 80),
        (14, 88),
        (15, 96),
        (5, 104),
        (4, 112),
        (6, 120),
        (3, 128),
        (1, 136),
        (0, 144),
        (2, 152),
        (7, 160),
    ],
};
