//! What differs between processors: register numbers, the system call convention, what code looks
//! like. One module an architecture; [`ARCHITECTURES`] is the table.

use crate::model::{Arch, KernelState, Registers};

/// What the program knows of one architecture.
pub struct Architecture {
    /// Which one.
    pub arch: Arch,
    /// Size of `NT_PRSTATUS` in bytes.
    pub prstatus_size: usize,
    /// Reads `pr_reg` (the bytes from its offset on).
    pub read_registers: fn(&[u8]) -> Option<Registers>,
    /// Says from the registers where the thread was.
    pub kernel_state: fn(&Registers) -> KernelState,
    /// DWARF numbers of the registers that a function must preserve.
    pub callee_saved: &'static [u16],
    /// DWARF number of the stack pointer.
    pub sp: u16,
    /// DWARF number of the frame pointer.
    pub fp: u16,
    /// DWARF number of the return address column.
    pub return_address: u16,
}

/// The architectures whose threads can be unwound.
pub static ARCHITECTURES: &[Architecture] = &[];

/// The row of this architecture.
pub fn of(arch: Arch) -> Option<&'static Architecture> {
    ARCHITECTURES.iter().find(|a| a.arch == arch)
}
