//! `NT_PRSTATUS`: a thread's id, its CPU time and its registers.

use crate::arch;
use crate::model::{Arch, Registers};

use super::reader::Reader;

/// Where the fields of `struct elf_prstatus` stand. What comes before the registers is the same for
/// all processors of one word size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Layout {
    /// Size of the whole note; `None`: anything that holds the fields.
    size: Option<usize>,
    pid: usize,
    utime: usize,
    stime: usize,
    registers: usize,
}

const CURSIG: usize = 12;

const fn layout(is_64_bit: bool, size: Option<usize>) -> Layout {
    if is_64_bit {
        Layout { size, pid: 32, utime: 48, stime: 64, registers: 112 }
    } else {
        Layout { size, pid: 24, utime: 40, stime: 48, registers: 72 }
    }
}

impl Layout {
    /// The layout of this processor's note. Where its size is known, another one is not read: it
    /// is a guess where the fields of such a note stand.
    pub fn of(arch: Arch, is_64_bit: bool) -> Self {
        let size = match arch {
            Arch::X86_64 => Some(336),
            Arch::Aarch64 => Some(392),
            Arch::X86 => Some(144),
            Arch::X32 => Some(296),
            Arch::RiscV64 => Some(376),
            Arch::Arm => Some(148),
            Arch::PowerPc64 => Some(504),
            Arch::S390x => Some(336),
            Arch::Other(_) => None,
        };
        layout(is_64_bit, size)
    }

    /// Whether a note of this size has this layout.
    pub fn fits(&self, size: usize) -> bool {
        self.size.map_or(size >= self.registers, |known| known == size)
    }

    /// The size that the notes of this process have.
    pub fn size(&self) -> Option<usize> {
        self.size
    }

    /// The kernel's thread id: `pr_pid` is the thread's, not the process's.
    pub fn tid(&self, note: &Reader) -> Option<u32> {
        note.u32(self.pid)
    }

    /// The signal that the process died of: the same in all threads.
    pub fn signal(&self, note: &Reader) -> Option<i32> {
        note.u16(CURSIG).map(|s| i32::from(s.cast_signed()))
    }

    /// User and system time in microseconds.
    pub fn cpu_us(&self, note: &Reader) -> Option<u64> {
        let time = |at: usize| -> Option<u64> {
            let seconds = u64::try_from(note.signed_word(at)?).unwrap_or(0);
            let micros = u64::try_from(note.signed_word(at + note.encoding.word_size())?).unwrap_or(0);
            Some(seconds.saturating_mul(1_000_000).saturating_add(micros))
        };
        Some(time(self.utime)?.saturating_add(time(self.stime)?))
    }

    /// The registers, for a processor whose registers are read.
    pub fn registers(&self, note: &Reader, row: &arch::Architecture) -> Option<Registers> {
        (row.read_registers)(note.rest(self.registers))
    }
}
