//! The registers of one frame.

use crate::arch::Architecture;
use crate::model::Registers;

/// The registers of one frame, by DWARF number, and which of them are known. After a call only
/// those survive that a function must preserve.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Context {
    /// Program counter: exact for the innermost frame and after a signal frame, else the return
    /// address.
    pub pc: u64,
    general: [u64; 32],
    known: u32,
}

impl Context {
    /// The registers of a thread as the dump has them: all known.
    pub fn of_thread(registers: &Registers) -> Self {
        Self { pc: registers.pc, general: registers.general, known: u32::MAX }
    }

    /// A context in which nothing but the pc is known.
    pub fn at(pc: u64) -> Self {
        Self { pc, general: [0; 32], known: 0 }
    }

    /// The value of a register, where it is known.
    pub fn get(&self, register: u16) -> Option<u64> {
        let bit = 1u32.checked_shl(u32::from(register))?;
        (self.known & bit != 0).then(|| self.general[usize::from(register)])
    }

    /// Sets a register. Numbers that are no general register are passed over.
    pub fn set(&mut self, register: u16, value: Option<u64>) {
        let Some(bit) = 1u32.checked_shl(u32::from(register)) else { return };
        match value {
            Some(value) => {
                self.general[usize::from(register)] = value;
                self.known |= bit;
            }
            None => self.known &= !bit,
        }
    }

    /// The stack pointer.
    pub fn sp(&self, arch: &Architecture) -> Option<u64> {
        self.get(arch.sp)
    }

    /// The frame pointer.
    pub fn fp(&self, arch: &Architecture) -> Option<u64> {
        self.get(arch.fp)
    }
}
