//! Whether 64-bit x86 code around a program counter spins on a word, and on which.
//!
//! A loop waits for a word if a value loaded from it decides one of the loop's jumps. Values are
//! followed back through moves and through the slots of the function's own frame, where code
//! without optimization puts everything; the word's address is followed the same way, to registers
//! that the loop leaves alone, to memory that it does not write, or to `rip`.

use iced_x86::{
    Instruction, InstructionInfoFactory, InstructionInfoOptions, Mnemonic, OpAccess, OpKind, Register,
};

use crate::arch::{KnownRegister, SpinLoop};
use crate::model::AddressSpace;

use super::loops::{self, Code};

/// Steps back from a jump to the load that decides it, or from an address to what it rests on.
const STEPS: usize = 8;

/// The word for which the smallest loop around `pc` waits that waits for one. Without a loop, or
/// with several words that could be meant: nothing.
pub(super) fn spin_operand(
    code: &[u8],
    code_address: u64,
    pc: u64,
    registers: KnownRegister,
    memory: &dyn AddressSpace,
) -> Option<SpinLoop> {
    let code = Code { bytes: code, address: code_address };
    let loops = code.loops_around(pc);
    let mut spins = loops.iter().filter_map(|body| Loop::new(body, registers, memory).spin());
    let mut found = spins.next()?;
    // Reading until the word looks free and then trying to take it is a loop around a loop.
    found.is_atomic |= spins.any(|outer| outer.word == found.word && outer.is_atomic);
    Some(found)
}

/// Registers that a function call does not preserve.
const SCRATCH: [Register; 9] = [
    Register::RAX,
    Register::RCX,
    Register::RDX,
    Register::RSI,
    Register::RDI,
    Register::R8,
    Register::R9,
    Register::R10,
    Register::R11,
];

/// Where a value is kept.
#[derive(Clone, Copy, PartialEq)]
enum Place {
    Register(Register),
    /// Base, index, scale and displacement.
    Memory(Register, Register, u32, u64),
}

/// A loop, and what its registers are known to be.
struct Loop<'a> {
    body: &'a [Instruction],
    /// Which instruction writes what, in their order.
    writes: Vec<(Place, usize)>,
    registers: KnownRegister<'a>,
    memory: &'a dyn AddressSpace,
}

impl<'a> Loop<'a> {
    fn new(body: &'a [Instruction], registers: KnownRegister<'a>, memory: &'a dyn AddressSpace) -> Self {
        let mut factory = InstructionInfoFactory::new();
        let mut writes = Vec::new();
        for (i, instruction) in body.iter().enumerate() {
            let info = factory.info_options(instruction, InstructionInfoOptions::NO_MEMORY_USAGE);
            for used in info.used_registers() {
                if !matches!(used.access(), OpAccess::Read | OpAccess::CondRead | OpAccess::NoMemAccess) {
                    writes.push((Place::Register(used.register().full_register()), i));
                }
            }
            if is_store(instruction) {
                writes.push((memory_place(instruction), i));
            }
            if loops::is_call(instruction) {
                writes.extend(SCRATCH.map(|register| (Place::Register(register), i)));
            }
        }
        Self { body, writes, registers, memory }
    }

    /// The word on which it spins: that of an atomic operation, else the one that is loaded.
    fn spin(&self) -> Option<SpinLoop> {
        let jumps = (0..self.body.len()).filter(|&i| self.body[i].is_jcc_short_or_near());
        let deciding = jumps.filter_map(|jump| self.decides_flags(jump, STEPS));
        let (atomics, loads): (Vec<usize>, Vec<usize>) = deciding.partition(|&i| is_atomic(&self.body[i]));
        let is_atomic = !atomics.is_empty();
        let used = if is_atomic { atomics } else { loads };
        let mut words: Vec<Option<u64>> = used.iter().map(|&i| self.address(i, STEPS)).collect();
        words.sort_unstable();
        words.dedup();
        let [Some(word)] = words[..] else { return None };
        Some(SpinLoop {
            word,
            is_atomic,
            has_pause: self.body.iter().any(|i| i.mnemonic() == Mnemonic::Pause),
            has_call: self.body.iter().any(loops::is_call),
        })
    }

    /// The last instruction before `at` that writes there.
    fn written_before(&self, place: Place, at: usize) -> Option<usize> {
        let (_, i) = self.writes.iter().rev().find(|(written, i)| *written == place && *i < at)?;
        Some(*i)
    }

    fn is_written(&self, place: Place) -> bool {
        self.writes.iter().any(|(written, _)| *written == place)
    }

    /// The instruction that looks at shared memory and decides the flags at instruction `at`.
    fn decides_flags(&self, at: usize, steps: usize) -> Option<usize> {
        let i = (0..at).rev().find(|&i| self.body[i].rflags_modified() != 0)?;
        let instruction = &self.body[i];
        if is_wait(instruction) {
            return Some(i);
        }
        if !matches!(instruction.mnemonic(), Mnemonic::Cmp | Mnemonic::Test | Mnemonic::Bt | Mnemonic::And) {
            return None;
        }
        if is_shared_access(instruction) {
            return Some(i);
        }
        places(instruction).find_map(|place| self.decides(place, i, steps))
    }

    /// The instruction that looks at shared memory and decides what is at `place` before `at`.
    fn decides(&self, place: Place, at: usize, steps: usize) -> Option<usize> {
        let steps = steps.checked_sub(1)?;
        let i = self.written_before(place, at)?;
        let instruction = &self.body[i];
        match instruction.mnemonic() {
            _ if is_wait(instruction) => Some(i),
            Mnemonic::Mov | Mnemonic::Movzx | Mnemonic::Movsxd if is_shared_access(instruction) => {
                (!is_store(instruction)).then_some(i)
            }
            Mnemonic::Mov | Mnemonic::Movzx | Mnemonic::Movsxd => {
                places(instruction).nth(1).and_then(|from| self.decides(from, i, steps))
            }
            Mnemonic::Sete | Mnemonic::Setne => self.decides_flags(i, steps),
            Mnemonic::Xor | Mnemonic::And => self.decides(place, i, steps),
            _ => None,
        }
    }

    /// The address of the memory operand of instruction `i`.
    fn address(&self, i: usize, steps: usize) -> Option<u64> {
        let instruction = &self.body[i];
        if instruction.segment_prefix() != Register::None {
            return None;
        }
        if instruction.is_ip_rel_memory_operand() {
            return Some(instruction.ip_rel_memory_address());
        }
        let part = |register: Register| match register {
            Register::None => Some(0),
            register => self.value(Place::Register(register), i, steps),
        };
        let base = part(instruction.memory_base())?;
        let index = part(instruction.memory_index())?;
        let scaled = index.wrapping_mul(u64::from(instruction.memory_index_scale()));
        Some(base.wrapping_add(scaled).wrapping_add(instruction.memory_displacement64()))
    }

    /// What stands at `place` at instruction `at`, in every round of the loop: `None` for what
    /// changes from round to round, as an index or the pointer into a list does.
    fn value(&self, place: Place, at: usize, steps: usize) -> Option<u64> {
        let steps = steps.checked_sub(1)?;
        if !self.is_written(place) {
            return match place {
                Place::Register(register) => (self.registers)(dwarf(register)?),
                Place::Memory(..) => self.memory.word(self.address(at, steps)?),
            };
        }
        let i = self.written_before(place, at)?;
        let instruction = &self.body[i];
        let is_whole = match place {
            Place::Register(register) => instruction.op0_register() == register,
            Place::Memory(..) => instruction.op1_register().is_gpr64(),
        };
        match instruction.mnemonic() {
            Mnemonic::Lea if is_whole => self.address(i, steps),
            Mnemonic::Mov if is_whole => self.value(places(instruction).nth(1)?, i, steps),
            _ => None,
        }
    }
}

/// What an instruction's operands name, in their order; constants name nothing.
fn places(instruction: &Instruction) -> impl Iterator<Item = Place> {
    (0..instruction.op_count()).filter_map(|op| match instruction.op_kind(op) {
        OpKind::Register => Some(Place::Register(instruction.op_register(op).full_register())),
        OpKind::Memory => Some(memory_place(instruction)),
        _ => None,
    })
}

fn memory_place(i: &Instruction) -> Place {
    Place::Memory(i.memory_base(), i.memory_index(), i.memory_index_scale(), i.memory_displacement64())
}

fn has_memory(instruction: &Instruction) -> bool {
    (0..instruction.op_count()).any(|op| instruction.op_kind(op) == OpKind::Memory)
        && instruction.mnemonic() != Mnemonic::Lea
}

/// Whether it writes its first operand, and that is in memory.
fn is_store(instruction: &Instruction) -> bool {
    let only_reads = matches!(instruction.mnemonic(), Mnemonic::Cmp | Mnemonic::Test | Mnemonic::Bt);
    instruction.op0_kind() == OpKind::Memory && !only_reads
}

fn is_atomic(instruction: &Instruction) -> bool {
    has_memory(instruction) && (instruction.has_lock_prefix() || instruction.mnemonic() == Mnemonic::Xchg)
}

/// Whether it is an atomic operation with which code tries to take something. One that adds and
/// fetches takes a ticket or a piece of work: it does not wait.
fn is_wait(instruction: &Instruction) -> bool {
    is_atomic(instruction) && instruction.mnemonic() != Mnemonic::Xadd
}

/// Whether it touches memory that is not the function's own frame.
fn is_shared_access(instruction: &Instruction) -> bool {
    let is_local = match instruction.memory_base() {
        Register::RSP => true,
        Register::RBP => instruction.memory_displacement64().cast_signed() < 0,
        _ => false,
    };
    has_memory(instruction) && !is_local
}

/// The DWARF number of a 64-bit register.
fn dwarf(register: Register) -> Option<u16> {
    const BY_NUMBER: [Register; 16] = [
        Register::RAX,
        Register::RDX,
        Register::RCX,
        Register::RBX,
        Register::RSI,
        Register::RDI,
        Register::RBP,
        Register::RSP,
        Register::R8,
        Register::R9,
        Register::R10,
        Register::R11,
        Register::R12,
        Register::R13,
        Register::R14,
        Register::R15,
    ];
    let at = BY_NUMBER.iter().position(|&r| r == register)?;
    u16::try_from(at).ok()
}

#[cfg(test)]
mod tests;
