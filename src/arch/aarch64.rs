//! 64-bit Arm: registers and system calls. Its stacks are not followed.

use crate::model::{AddressSpace, Arch, KernelState, Registers, SystemCall};

use super::{Architecture, CodePatterns, Entry};

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
    code: CodePatterns {
        syscall: &SVC,
        is_call_before,
        // The return address is in a register, so that a fresh function needs no such rule.
        entry: |_, _| Entry::Elsewhere,
        signal_trampoline: &[0x68, 0x11, 0x80, 0xd2, 0x01, 0x00, 0x00, 0xd4],
        // Not checked against a core.
        signal_frame: &[],
        spin_operand: |_, _, _, _, _| None,
    },
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

/// `bl` or `blr` ends at this address.
fn is_call_before(bytes: &[u8]) -> bool {
    let Some(last) = bytes.last_chunk::<4>() else { return false };
    let instruction = u32::from_le_bytes(*last);
    instruction & 0xfc00_0000 == 0x9400_0000 || instruction & 0xffff_fc1f == 0xd63f_0000
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arch::tests::Code;

    fn registers() -> Registers {
        let pr_reg: Vec<u8> = (0..34_u64).flat_map(|i| (0x1000 + i).to_le_bytes()).collect();
        read_registers(&pr_reg).unwrap()
    }

    #[test]
    fn registers_stand_in_the_order_of_the_kernel() {
        let registers = registers();
        assert_eq!((registers.pc, registers.sp), (0x1020, 0x101f));
        assert_eq!((registers.general[0], registers.general[30]), (0x1000, 0x101e));
        assert!(read_registers(&[0; 8 * 32]).is_none());
    }

    #[test]
    fn a_thread_at_svc_is_in_the_call_of_x8() {
        let registers = registers();
        let at_svc = Code(0x1020, SVC.to_vec());
        let args = [0x1000, 0x1001, 0x1002, 0x1003, 0x1004, 0x1005];
        let call = SystemCall { number: 0x1008, args };
        assert_eq!(kernel_state(&registers, &at_svc), KernelState::Blocked(call));
        assert_eq!(kernel_state(&registers, &Code(0x1020, vec![0; 4])), KernelState::Unknown);
        assert_eq!(kernel_state(&registers, &Code(0, vec![])), KernelState::Unknown);
    }

    #[test]
    fn calls_end_at_return_addresses() {
        assert!(is_call_before(&[0x01, 0x00, 0x00, 0x94]));
        assert!(is_call_before(&[0x20, 0x02, 0x3f, 0xd6]));
        assert!(!is_call_before(&[0xc0, 0x03, 0x5f, 0xd6]));
        assert!(!is_call_before(&[0x94]));
    }
}
