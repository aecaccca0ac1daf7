//! 64-bit x86.

mod code;
mod loops;
mod spin;

use crate::model::{AddressSpace, Arch, KernelState, Registers, SystemCall};

use super::{Architecture, CodePatterns};

/// The row of this architecture.
pub(super) const ROW: Architecture = Architecture {
    arch: Arch::X86_64,
    prstatus_size: 336,
    read_registers,
    kernel_state,
    is_unwound: true,
    callee_saved: &[RBX, RBP, 12, 13, 14, 15],
    sp: RSP,
    fp: RBP,
    return_address: RA,
    code: CodePatterns {
        syscall: &code::SYSCALL,
        is_call_before: code::is_call_before,
        entry: code::entry,
        signal_trampoline: code::SIGNAL_TRAMPOLINE,
        signal_frame: code::SIGNAL_FRAME,
        spin_operand: spin::spin_operand,
    },
};

// DWARF numbers (psABI, figure 3.36): rax rdx rcx rbx rsi rdi rbp rsp r8…r15, return address.
const RAX: u16 = 0;
const RDX: u16 = 1;
const RCX: u16 = 2;
const RBX: u16 = 3;
const RSI: u16 = 4;
const RDI: u16 = 5;
const RBP: u16 = 6;
const RSP: u16 = 7;
const RA: u16 = 16;

/// Words of `struct user_regs_struct`, the layout of `pr_reg`:
/// r15 r14 r13 r12 rbp rbx r11 r10 r9 r8 rax rcx rdx rsi rdi orig_rax rip cs eflags rsp ss fs_base
/// gs_base ds es fs gs.
const PR_REG_WORDS: usize = 27;
/// Where in `pr_reg` the register with the DWARF number of the index stands.
const WORD_OF: [usize; 17] = [10, 12, 11, 5, 13, 14, 4, 19, 9, 8, 7, 6, 3, 2, 1, 0, 16];
const ORIG_RAX_WORD: usize = 15;
const RIP_WORD: usize = 16;
const RSP_WORD: usize = 19;
const FS_BASE_WORD: usize = 21;

fn read_registers(pr_reg: &[u8]) -> Option<Registers> {
    let words = pr_reg.get(..PR_REG_WORDS * 8)?;
    let word =
        |i: usize| -> Option<u64> { Some(u64::from_le_bytes(words.get(i * 8..i * 8 + 8)?.try_into().ok()?)) };
    let mut general = [0; 32];
    for (slot, &at) in general.iter_mut().zip(&WORD_OF) {
        *slot = word(at)?;
    }
    Some(Registers {
        pc: word(RIP_WORD)?,
        sp: word(RSP_WORD)?,
        general,
        thread_pointer: Some(word(FS_BASE_WORD)?),
        syscall_register: Some(word(ORIG_RAX_WORD)?.cast_signed()),
    })
}

/// Values of rax that only the kernel can leave there: it will restart the call (`ERESTARTSYS`
/// 512, `ERESTARTNOINTR` 513, `ERESTARTNOHAND` 514, `ERESTART_RESTARTBLOCK` 516).
const RESTARTED: [i64; 4] = [-512, -513, -514, -516];
/// `EINTR`: the call was interrupted and is not restarted (`epoll_wait`, `semop`).
const EINTR: i64 = -4;

/// `restart_syscall`: goes on with a call that has a time limit, after the thread was stopped and
/// let go again (a debugger was here). The arguments are those of the first call.
const RESTART_SYSCALL: u64 = 219;

/// By `orig_rax` and `rax` as a signal that kills leaves them. −1: in user mode. A restart code or
/// −EINTR: asleep in the call. The call's own number in rax: the registers were rewound by a
/// checkpoint tool, and rip stands *at* `syscall` (CRIU); without the code at rip that is not to be
/// told from a call that returned just this number. Anything else: on the way out of the call.
fn kernel_state(registers: &Registers, memory: &dyn AddressSpace) -> KernelState {
    let Some(number) = registers.syscall_register else { return KernelState::Unknown };
    let Ok(number) = u64::try_from(number) else {
        return if number == -1 { KernelState::User } else { KernelState::Unknown };
    };
    let g = |dwarf: u16| registers.general[usize::from(dwarf)];
    let mut call = SystemCall { number, args: [g(RDI), g(RSI), g(RDX), g(10), g(8), g(9)] };
    let rax = g(RAX);
    if rax == number {
        return match memory.bytes(registers.pc, code::SYSCALL.len()) {
            Some(code) if code == code::SYSCALL => KernelState::Blocked(call),
            Some(_) => KernelState::Leaving(call),
            None => KernelState::Unknown,
        };
    }
    let result = rax.cast_signed();
    if result != EINTR && !RESTARTED.contains(&result) {
        return KernelState::Leaving(call);
    }
    if number == RESTART_SYSCALL {
        call.number = called_at(registers.pc, memory).unwrap_or(number);
    }
    KernelState::Blocked(call)
}

/// The number of the call whose `syscall` ends at `pc`, where the code sets it right before:
/// `b8 ca 00 00 00  mov eax, 202`, `0f 05  syscall`.
fn called_at(pc: u64, memory: &dyn AddressSpace) -> Option<u64> {
    match memory.bytes(pc.checked_sub(7)?, 7)? {
        [0xb8, number @ .., 0x0f, 0x05] => Some(u64::from(u32::from_le_bytes(number.try_into().ok()?))),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
