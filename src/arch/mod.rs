//! What differs between processors: register numbers, the system call convention, what code looks
//! like. One module an architecture; [`ARCHITECTURES`] is the table.

mod aarch64;
mod x86_64;
mod x86_64_code;

use crate::model::{AddressSpace, Arch, KernelState, Registers};

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
    /// How many bytes the longest call instruction has.
    pub longest_call: usize,
    /// Whether these bytes ([`Self::longest_call`] of them) end with a call.
    pub is_call_before: fn(&[u8]) -> bool,
    /// For a pc at or right after the first instructions of a function: how far above the stack
    /// pointer the return address lies, bytes.
    pub return_address_depth: fn(u64, &dyn AddressSpace) -> Option<u64>,
    /// The frame that the kernel makes for a signal handler.
    pub signal_frame: Option<SignalFrame>,
    /// The system call with this number.
    pub system_call: fn(u64) -> Option<&'static SyscallRow>,
    /// The loop in which a thread waits in user mode, if its code shows one. The pc is the
    /// instruction to run next (true) or a return address (false); the closure gives the values of
    /// registers by DWARF number where they are known.
    pub spin_loop: fn(u64, bool, &dyn Fn(u16) -> Option<u64>, &dyn AddressSpace) -> Option<SpinLoop>,
}

/// A loop over one word of memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SpinLoop {
    /// The address of the word.
    pub word: u64,
    /// The word is changed by an atomic instruction.
    pub is_atomic: bool,
    /// The loop pauses or yields.
    pub has_pause: bool,
}

/// What a system call does, as far as waiting is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SyscallKind {
    /// Waits on a futex.
    Futex,
    /// Reads.
    Read,
    /// Writes.
    Write,
    /// Writes to disk.
    Sync,
    /// Waits for a connection.
    Accept,
    /// Waits for events.
    Poll,
    /// Sleeps.
    Sleep,
    /// Waits for a signal.
    Signal,
    /// Waits for a child process.
    Child,
    /// Other input and output.
    OtherIo,
    /// Gives the processor away.
    Yield,
    /// Anything else.
    Other,
}

/// One system call.
#[derive(Clone, Copy, Debug)]
pub struct SyscallRow {
    /// Its number.
    pub number: u64,
    /// Its name.
    pub name: &'static str,
    /// What it does.
    pub kind: SyscallKind,
    /// Which argument is a file descriptor.
    pub fd_argument: Option<usize>,
}

/// Where the kernel's signal frame keeps the interrupted registers: bytes above the stack
/// pointer of the trampoline.
pub struct SignalFrame {
    /// The trampoline's code.
    pub code: &'static [u8],
    /// The interrupted pc.
    pub pc: u64,
    /// DWARF numbers and places of the registers.
    pub registers: &'static [(u16, u64)],
}

/// The architectures whose registers are read.
pub static ARCHITECTURES: &[Architecture] = &[x86_64::ROW, aarch64::ROW];

/// The row of this architecture.
pub fn of(arch: Arch) -> Option<&'static Architecture> {
    ARCHITECTURES.iter().find(|a| a.arch == arch)
}
