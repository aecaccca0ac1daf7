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
}

/// The architectures whose registers are read.
pub static ARCHITECTURES: &[Architecture] = &[x86_64::ROW, aarch64::ROW];

/// The row of this architecture.
pub fn of(arch: Arch) -> Option<&'static Architecture> {
    ARCHITECTURES.iter().find(|a| a.arch == arch)
}
