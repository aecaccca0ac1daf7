//! What 64-bit x86 code looks like where an unwinder without call frame information has to know.

use crate::arch::Entry;

/// `syscall`.
pub(super) const SYSCALL: [u8; 2] = [0x0f, 0x05];

/// `mov rax, 15; syscall`: what a signal handler returns to (glibc, musl and Go have the same bytes).
pub(super) const SIGNAL_TRAMPOLINE: &[u8] = &[0x48, 0xc7, 0xc0, 0x0f, 0, 0, 0, 0x0f, 0x05];

/// Where the interrupted registers stand, from the stack pointer at the trampoline on: DWARF
/// number and offset. `struct rt_sigframe` without its return address: a `ucontext`.
pub(super) const SIGNAL_FRAME: &[(u16, u64)] = &[
    (8, 40),
    (9, 48),
    (10, 56),
    (11, 64),
    (12, 72),
    (13, 80),
    (14, 88),
    (15, 96),
    (super::RDI, 104),
    (super::RSI, 112),
    (super::RBP, 120),
    (super::RBX, 128),
    (super::RDX, 136),
    (super::RAX, 144),
    (super::RCX, 152),
    (super::RSP, 160),
    (super::RA, 168),
];

/// Whether these bytes end with a call, so that the address behind them may be a return address:
/// `e8 rel32`, or `ff /2` with any operand. Prefixes (REX, `notrack`, `bnd`) stand before and do
/// not matter.
pub(super) fn is_call_before(bytes: &[u8]) -> bool {
    let end = |length: usize| bytes.len().checked_sub(length).map(|from| &bytes[from..]);
    if end(5).is_some_and(|call| call[0] == 0xe8) {
        return true;
    }
    [2, 3, 4, 6, 7].iter().any(|&length| {
        end(length).is_some_and(|call| call[0] == 0xff && indirect_call_length(call) == Some(length))
    })
}

/// Length of `ff /2` by its ModRM and SIB bytes.
fn indirect_call_length(call: &[u8]) -> Option<usize> {
    let modrm = *call.get(1)?;
    let (mode, operation, operand) = (modrm >> 6, modrm >> 3 & 7, modrm & 7);
    if operation != 2 {
        return None;
    }
    let sib = usize::from(mode != 3 && operand == 4);
    let displacement = match mode {
        0 if operand == 5 => 4,
        0 if operand == 4 && *call.get(2)? & 7 == 5 => 4,
        1 => 1,
        2 => 4,
        _ => 0,
    };
    Some(2 + sib + displacement)
}

const ENDBR64: [u8; 4] = [0xf3, 0x0f, 0x1e, 0xfa];
const PUSH_RBP: u8 = 0x55;
/// `mov rbp, rsp`, in both encodings.
const MOV_RBP_RSP: [[u8; 3]; 2] = [[0x48, 0x89, 0xe5], [0x48, 0x8b, 0xec]];

/// Where a function stands that has just been entered: `before` ends where `code` begins.
pub(super) fn entry(before: &[u8], code: &[u8]) -> Entry {
    if code.starts_with(&ENDBR64) || code.first() == Some(&PUSH_RBP) {
        return Entry::BeforePush;
    }
    let is_move = MOV_RBP_RSP.iter().any(|bytes| code.starts_with(bytes));
    if is_move && before.last() == Some(&PUSH_RBP) { Entry::AfterPush } else { Entry::Elsewhere }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From `objdump -d` of calls with every kind of operand.
    #[test]
    fn calls_end_at_return_addresses() {
        for call in [
            &[0xe8, 0x10, 0x20, 0, 0][..],               // call rel32
            &[0xff, 0xd0],                               // call rax
            &[0x41, 0xff, 0xd7],                         // call r15
            &[0xff, 0x10],                               // call [rax]
            &[0xff, 0x14, 0xd8],                         // call [rax+rbx*8]
            &[0xff, 0x14, 0x24],                         // call [rsp]
            &[0xff, 0x50, 0x18],                         // call [rax+0x18]
            &[0xff, 0x54, 0x24, 0x08],                   // call [rsp+8]
            &[0xff, 0x15, 0x10, 0x20, 0, 0],             // call [rip+0x2010]
            &[0xff, 0x90, 0x10, 0x01, 0, 0],             // call [rax+0x110]
            &[0xff, 0x94, 0x24, 0x10, 0x01, 0, 0],       // call [rsp+0x110]
            &[0xff, 0x14, 0xc5, 0x10, 0x20, 0, 0],       // call [rax*8+0x2010]
            &[0x3e, 0x41, 0xff, 0xd3],                   // notrack call r11
            &[0x66, 0x48, 0xe8, 0x10, 0x20, 0x30, 0x40], // the padded call of thread-local storage
        ] {
            let code = [&[0x90; 4], call].concat();
            assert!(is_call_before(&code), "{call:02x?}");
        }
    }

    #[test]
    fn other_code_is_no_call() {
        for code in [
            &[][..],
            &[0xe8],
            &[0x10, 0x20, 0, 0],
            &[0xff, 0xe0],                   // jmp rax
            &[0xff, 0x30],                   // push [rax]
            &[0x90, 0xff, 0x15, 0x10, 0x20], // cut
            &[0xff, 0x14],                   // SIB byte missing
            &[0x0f, 0x05],                   // syscall
            &[0xe9, 0x10, 0x20, 0, 0],       // jmp rel32
            &[0xe8, 0x10, 0x20, 0, 0, 0x90], // a call one byte earlier
        ] {
            assert!(!is_call_before(code), "{code:02x?}");
        }
    }

    #[test]
    fn a_function_that_was_just_entered_is_recognized() {
        assert_eq!(entry(&[0xc3], &[0xf3, 0x0f, 0x1e, 0xfa, 0x55]), Entry::BeforePush);
        assert_eq!(entry(&ENDBR64, &[0x55, 0x48, 0x89, 0xe5]), Entry::BeforePush);
        assert_eq!(entry(&[0x55], &[0x48, 0x89, 0xe5, 0x90]), Entry::AfterPush);
        assert_eq!(entry(&[0x53], &[0x48, 0x89, 0xe5, 0x90]), Entry::Elsewhere);
        assert_eq!(entry(&[0x55], &[0x48, 0x83, 0xec, 0x10]), Entry::Elsewhere);
        assert_eq!(entry(&[], &[]), Entry::Elsewhere);
    }
}
