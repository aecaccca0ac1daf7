//! 64-bit Arm: registers and system calls. Its stacks are not followed.

use crate::model::{AddressSpace, Arch, KernelState, Registers, SystemCall};

use super::Architecture;

/// The row of this architecture.
pub(super) const ROW: Architecture = Architecture {
    arch: Arch::Aarch64,
    prstatus_size: 392,
    read_registers,
    kernel_state,
    is_unwound: false,
    callee_saved: &[19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29],
    sp: SP,
    fp: 29,
    return_address: 30,
    longest_call: 4,
    is_call_before: |_| false,
    return_address_depth: |_, _| None,
    signal_frame: None,
    system_call: |_| None,
    spin_loop: |_, _, _, _| None,
};

/// DWARF number of the stack pointer; x0…x30 are 0…30.
const SP: u16 = 31;
/// Words of `struct user_pt_regs`: x0…x30, sp, pc, pstate.
const PC_WORD: usize = 32;

fn read_registers(pr_reg: &[u8]) -> Option<Registers> {
    let word = |i: usize| -> Option<u64> {
        Some(u64::from_le_bytes(pr_reg.get(i * 8..i * 8 + 8)?.try_into().ok()?))
    };
    let mut general = [0; 32];
    for (i, slot) in general.iter_mut().enumerate() {
        *slot = word(i)?;
    }
    Some(Registers {
        pc: word(PC_WORD)?,
        sp: general[usize::from(SP)],
        general,
        // A note of its own (NT_ARM_TLS) has it.
        thread_pointer: None,
        // NT_ARM_SYSTEM_CALL is 0xffffffff for a thread that was killed while it slept.
        syscall_register: None,
    })
}

/// `svc #0`.
const SVC: [u8; 4] = 0xd400_0001_u32.to_le_bytes();

/// The kernel rewinds a sleeping thread before it takes the signal: pc is *at* `svc #0`, x0 is the
/// first argument again and x8 the number of the call. So a thread at such an instruction is about
/// to enter the call or sleeps in it, and one elsewhere may be anywhere. Read in the kernel's
/// source, not checked against a core: hence `Unknown` wherever the code is not there to see.
fn kernel_state(registers: &Registers, memory: &dyn AddressSpace) -> KernelState {
    match memory.bytes(registers.pc, SVC.len()) {
        Some(code) if code == SVC => {
            let g = &registers.general;
            KernelState::Blocked(SystemCall { number: g[8], args: [g[0], g[1], g[2], g[3], g[4], g[5]] })
        }
        _ => KernelState::Unknown,
    }
}
