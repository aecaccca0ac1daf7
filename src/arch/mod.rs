//! What differs between processors: register numbers, the system call convention, what code looks
//! like. One module an architecture; [`ARCHITECTURES`] is the table.

mod aarch64;
pub mod syscalls;
mod x86_64;

use crate::model::{AddressSpace, Arch, KernelState, Registers};

pub use syscalls::{Io, SyscallKind, SyscallRow, Timeout, TimeoutForm, system_call};

/// What the program knows of one architecture.
pub struct Architecture {
    /// Which one.
    pub arch: Arch,
    /// Size of `NT_PRSTATUS` in bytes.
    pub prstatus_size: usize,
    /// Reads `pr_reg` (the bytes from its offset on).
    pub read_registers: fn(&[u8]) -> Option<Registers>,
    /// Says from the registers, and where those are not enough from the code at the program
    /// counter, where the thread was.
    pub kernel_state: fn(&Registers, &dyn AddressSpace) -> KernelState,
    /// Whether stacks are followed. Where not, registers and system calls are all there is.
    pub is_unwound: bool,
    /// DWARF numbers of the registers that a function must preserve.
    pub callee_saved: &'static [u16],
    /// DWARF number of the stack pointer.
    pub sp: u16,
    /// DWARF number of the frame pointer.
    pub fp: u16,
    /// DWARF number of the return address column.
    pub return_address: u16,
    /// What its code looks like.
    pub code: CodePatterns,
}

/// What code looks like where no file says what it is.
pub struct CodePatterns {
    /// The instruction that enters the kernel.
    pub syscall: &'static [u8],
    /// Whether a call ends where these bytes end: what stands behind it may be a return address.
    pub is_call_before: fn(&[u8]) -> bool,
    /// Whether a function has just been entered where the first bytes end and the second begin.
    pub entry: fn(&[u8], &[u8]) -> Entry,
    /// The code to which a signal handler returns.
    pub signal_trampoline: &'static [u8],
    /// Where, from the stack pointer at that code on, the registers of the interrupted frame stand:
    /// DWARF number and offset. Empty where that is not known.
    pub signal_frame: &'static [(u16, u64)],
    /// The word on which the code around a program counter spins.
    pub spin_operand: SpinOperand,
}

/// Code bytes (128 before and behind the program counter are enough), their address, the program
/// counter, registers as far as they are known there, memory.
pub type SpinOperand = fn(&[u8], u64, u64, KnownRegister, &dyn AddressSpace) -> Option<SpinLoop>;

/// A register's value by DWARF number, where it is known.
pub type KnownRegister<'a> = &'a dyn Fn(u16) -> Option<u64>;

/// How far a function has got that was just entered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entry {
    /// The return address is at the stack pointer.
    BeforePush,
    /// The frame pointer was pushed: the return address is one word further.
    AfterPush,
    /// It was not just entered, as far as the code shows.
    Elsewhere,
}

/// A loop that waits for a word of memory to change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SpinLoop {
    /// The address of the word.
    pub word: u64,
    /// Whether the loop tries to change it atomically, as one that takes a lock does.
    pub is_atomic: bool,
    /// Whether it tells the processor that it spins (`pause`).
    pub has_pause: bool,
    /// Whether it calls a function or the kernel. Then it is a spin only if that is `sched_yield`,
    /// a sleep or the like: the caller has to look.
    pub has_call: bool,
}

/// The architectures whose registers are read.
pub static ARCHITECTURES: &[Architecture] = &[x86_64::ROW, aarch64::ROW];

/// The row of this architecture.
pub fn of(arch: Arch) -> Option<&'static Architecture> {
    ARCHITECTURES.iter().find(|a| a.arch == arch)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Code at an address, and nothing else.
    pub(super) struct Code(pub u64, pub Vec<u8>);

    impl AddressSpace for Code {
        fn bytes(&self, address: u64, length: usize) -> Option<&[u8]> {
            let from = usize::try_from(address.checked_sub(self.0)?).ok()?;
            self.1.get(from..)?.get(..length)
        }

        fn is_executable(&self, address: u64) -> bool {
            self.bytes(address, 1).is_some()
        }

        fn is_writable(&self, _: u64) -> bool {
            false
        }
    }

    #[test]
    fn rows_are_consistent() {
        for (i, row) in ARCHITECTURES.iter().enumerate() {
            assert!(ARCHITECTURES[..i].iter().all(|other| other.arch != row.arch));
            assert!(row.callee_saved.contains(&row.fp));
            assert!(usize::from(row.sp) < 32 && usize::from(row.return_address) < 32);
            assert!((row.read_registers)(&[]).is_none());
            assert!(!row.code.syscall.is_empty() && row.code.signal_trampoline.ends_with(row.code.syscall));
        }
    }
}
