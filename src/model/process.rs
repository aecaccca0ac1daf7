//! What is known of the process as a whole.

use super::{Failure, Str, ThreadIx};

/// The processor that the process ran on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Arch {
    /// 64-bit x86.
    X86_64,
    /// x32: 64-bit x86 with 32-bit pointers.
    X32,
    /// 32-bit x86.
    X86,
    /// 64-bit Arm.
    Aarch64,
    /// 32-bit Arm.
    Arm,
    /// 64-bit RISC-V.
    RiscV64,
    /// 64-bit PowerPC.
    PowerPc64,
    /// IBM Z.
    S390x,
    /// Another one: the `e_machine` value of the ELF header.
    Other(u16),
}

impl Arch {
    /// The name in the report.
    pub fn name(self) -> String {
        match self {
            Self::X86_64 => "x86-64".into(),
            Self::X32 => "x32".into(),
            Self::X86 => "x86".into(),
            Self::Aarch64 => "aarch64".into(),
            Self::Arm => "arm".into(),
            Self::RiscV64 => "riscv64".into(),
            Self::PowerPc64 => "ppc64".into(),
            Self::S390x => "s390x".into(),
            Self::Other(machine) => format!("machine {machine}"),
        }
    }
}

/// The signal that ended the process, or for which it was stopped.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Signal {
    /// Its number, where known.
    pub number: Option<i32>,
    /// Its name, `SIGSEGV`.
    pub name: Str,
    /// `si_code`, where known.
    pub code: Option<i32>,
    /// The fault address, where the signal has one (`si_code` > 0 and a memory fault).
    pub address: Option<u64>,
    /// The stack pointer of the thread that received it, where a text prints its registers.
    pub stack_pointer: Option<u64>,
    /// The process that sent it, where it was sent.
    pub sender_pid: Option<i32>,
    /// The thread that received it.
    pub thread: Option<ThreadIx>,
}

/// What is known of the process.
#[derive(Clone, Debug, Default)]
pub struct Process {
    /// Its pid.
    pub pid: Option<u32>,
    /// The short name.
    pub name: Option<Str>,
    /// The command line as far as the dump has it.
    pub command_line: Option<Str>,
    /// `linux`, `macos`, `windows`, `freebsd`.
    pub os: Option<Str>,
    /// The processor.
    pub arch: Option<Arch>,
    /// When it was captured, as the dump writes it.
    pub captured_at: Option<Str>,
    /// The thread that does not respond, as the producer says: the reason for which there is a dump.
    pub unresponsive: Option<ThreadIx>,
    /// The signal that ended it. Not set for a debugger's stop.
    pub signal: Option<Signal>,
    /// The runtime of its language, where the dump names it: `OpenJDK 64-Bit Server VM (17.0.15+6)`.
    pub runtime: Option<Str>,
    /// Why it ended, in the producer's words.
    pub failure: Option<Failure>,
}
