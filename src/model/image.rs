//! What a binary dump holds besides threads: registers, memory, the auxiliary vector, mappings.

use super::{Memory, Str};

/// The registers of one thread, numbered as DWARF numbers them on its architecture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registers {
    /// Program counter.
    pub pc: u64,
    /// Stack pointer.
    pub sp: u64,
    /// General registers by DWARF number; the architecture says how many of them count.
    pub general: [u64; 32],
    /// The thread pointer (`fs_base`, `tpidr_el0`), where the dump has it.
    pub thread_pointer: Option<u64>,
    /// `orig_rax` or its like: the system call in which the thread is, as the kernel left it.
    pub syscall_register: Option<i64>,
}

/// A system call, with its arguments as they stand in the registers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SystemCall {
    /// Its number on the thread's architecture.
    pub number: u64,
    /// Its six argument registers. Calls with fewer arguments leave garbage in the rest.
    pub args: [u64; 6],
}

/// Where a thread was between user space and kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KernelState {
    /// In user mode: it ran, or was preempted.
    User,
    /// Asleep inside this system call.
    Blocked(SystemCall),
    /// It was leaving this system call: it ran.
    Leaving(SystemCall),
    /// The dump does not say.
    Unknown,
}

/// A range of the process that a file backs (`NT_FILE`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileMapping {
    /// First address.
    pub start: u64,
    /// The address after the last one.
    pub end: u64,
    /// Offset in the file, bytes.
    pub file_offset: u64,
    /// The path as the dump names it, ` (deleted)` included.
    pub path: Str,
}

/// Keys of the auxiliary vector that are used here (`AT_…` of `elf.h`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u64)]
pub enum AuxKey {
    /// Address of the executable's program headers.
    Phdr = 3,
    /// Their number.
    Phnum = 5,
    /// Size of a page.
    PageSize = 6,
    /// Load address of the dynamic linker.
    Base = 7,
    /// Address of the executable's file name.
    ExecFn = 31,
    /// Address of the vdso.
    Vdso = 33,
}

/// What wrote a core file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CoreProducer {
    /// The Linux kernel: the first thread is the one that died, CPU times are there.
    #[default]
    Kernel,
    /// gdb's `gcore`: no thread died, times are 0.
    Gcore,
    /// Something else whose notes stand in another order (CRIU): no thread died.
    Other,
}

/// What a binary dump holds besides its threads.
#[derive(Clone, Debug)]
pub struct ProcessImage {
    /// 64-bit pointers.
    pub is_64_bit: bool,
    /// Little-endian. Memory of a big-endian process is not read.
    pub is_little_endian: bool,
    /// The registers of each thread, in the order of the snapshot's threads; empty for an
    /// architecture whose registers are not read.
    pub registers: Vec<Registers>,
    /// The memory.
    pub memory: Memory,
    /// The auxiliary vector: pairs of key and value.
    pub auxv: Vec<(u64, u64)>,
    /// Ranges that files back, sorted by address. Empty where the dump has no such note.
    pub mappings: Vec<FileMapping>,
    /// What wrote the dump.
    pub producer: CoreProducer,
    /// Bytes that the headers promise and the file does not have.
    pub missing_bytes: u64,
}

impl ProcessImage {
    /// A value of the auxiliary vector.
    pub fn aux(&self, key: AuxKey) -> Option<u64> {
        self.auxv.iter().find(|(k, _)| *k == key as u64).map(|(_, v)| *v)
    }
}
