use super::*;
use crate::arch::tests::Code;

/// `pr_reg` in which each word is 0x100 and its index.
fn pr_reg() -> Vec<u8> {
    (0..27_u64).flat_map(|i| (0x100 + i).to_le_bytes()).collect()
}

fn in_call(orig_rax: i64, rax: i64) -> Registers {
    let mut registers = read_registers(&pr_reg()).unwrap();
    registers.syscall_register = Some(orig_rax);
    registers.general[0] = rax.cast_unsigned();
    registers.pc = 0x1007;
    registers
}

/// `mov eax, 202; syscall` at 0x1000.
fn libc() -> Code {
    Code(0x1000, vec![0xb8, 0xca, 0, 0, 0, 0x0f, 0x05, 0x0f, 0x05, 0x90, 0x90])
}

fn nothing() -> Code {
    Code(0, Vec::new())
}

/// Order of `struct user_regs_struct`: r15 r14 r13 r12 rbp rbx r11 r10 r9 r8 rax rcx rdx rsi rdi
/// orig_rax rip cs eflags rsp ss fs_base gs_base ds es fs gs.
#[test]
fn registers_are_numbered_as_dwarf_does() {
    let registers = read_registers(&pr_reg()).unwrap();
    // rax rdx rcx rbx rsi rdi rbp rsp r8…r15 and the return address.
    let expected = [10, 12, 11, 5, 13, 14, 4, 19, 9, 8, 7, 6, 3, 2, 1, 0, 16].map(|word| 0x100 + word);
    assert_eq!(registers.general[..17], expected);
    assert_eq!((registers.pc, registers.sp), (0x110, 0x113));
    assert_eq!((registers.syscall_register, registers.thread_pointer), (Some(0x10f), Some(0x115)));
    assert_eq!(read_registers(&pr_reg()[..27 * 8 - 1]), None);
}

#[test]
fn user_mode() {
    assert_eq!(kernel_state(&in_call(-1, -512), &libc()), KernelState::User);
    assert_eq!(kernel_state(&in_call(-2, 0), &libc()), KernelState::Unknown);
}

#[test]
fn asleep_in_a_call_with_its_arguments() {
    // rdi rsi rdx r10 r8 r9.
    let args = [0x10e, 0x10d, 0x10c, 0x107, 0x109, 0x108];
    for rax in [-512, -513, -514, -516, -4] {
        let expected = KernelState::Blocked(SystemCall { number: 202, args });
        assert_eq!(kernel_state(&in_call(202, rax), &nothing()), expected, "{rax}");
    }
}

#[test]
fn leaving_a_call() {
    for rax in [0, 1, 5000, -11, -110, -515, -517] {
        assert!(matches!(kernel_state(&in_call(24, rax), &nothing()), KernelState::Leaving(_)), "{rax}");
    }
}

/// CRIU rewinds: rip is at `syscall`, and rax is the number again.
#[test]
fn rewound_registers_need_the_code() {
    assert!(matches!(kernel_state(&in_call(202, 202), &libc()), KernelState::Blocked(_)));
    assert_eq!(kernel_state(&in_call(202, 202), &nothing()), KernelState::Unknown);
    // A read of descriptor 0 that returned 0 is behind the instruction.
    let mut read = in_call(0, 0);
    read.pc = 0x1009;
    assert!(matches!(kernel_state(&read, &libc()), KernelState::Leaving(_)));
}

/// A debugger stopped a thread in a call with a time limit, and let it go on.
#[test]
fn a_call_that_was_restarted_is_named_by_the_code() {
    let number = |state| match state {
        KernelState::Blocked(call) => Some(call.number),
        _ => None,
    };
    assert_eq!(number(kernel_state(&in_call(219, -516), &libc())), Some(202));
    assert_eq!(number(kernel_state(&in_call(219, -516), &nothing())), Some(219));
}
