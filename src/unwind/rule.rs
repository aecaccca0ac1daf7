//! How to get from a frame to its caller, as call frame information says it, ready to be applied.
//!
//! A rule is made once for each looked-up address and then costs a few additions and loads.

use gimli::{CfaRule as GimliCfa, EndianSlice, LittleEndian, RegisterRule, UnwindTableRow};
use smallvec::SmallVec;

use super::context::Context;
use super::expression;
use crate::arch::Architecture;
use crate::model::AddressSpace;

/// The reader over sections that gimli uses here.
pub(super) type Reader<'a> = EndianSlice<'a, LittleEndian>;

/// Where the canonical frame address (the stack pointer before the call) comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Cfa {
    /// `register + offset`.
    Offset(u16, i64),
    /// A DWARF expression.
    Expression(Box<[u8]>),
}

/// Where a register's value in the caller comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Saved {
    /// Not known in the caller. For the return address: the outermost frame.
    Undefined,
    /// Unchanged.
    Same,
    /// `*(cfa + offset)`.
    At(i64),
    /// `cfa + offset`.
    Value(i64),
    /// Another register. glibc's vfork keeps its return address in rdi, its longjmp in rdx.
    Register(u16),
    /// `*(expression)`.
    AtExpression(Box<[u8]>),
    /// `expression`.
    ValueExpression(Box<[u8]>),
}

/// How to get from one frame to its caller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Rule {
    cfa: Cfa,
    saved: SmallVec<[(u16, Saved); 8]>,
    /// The frame is the kernel's: its caller was interrupted, not called.
    pub is_signal: bool,
    encoding: gimli::Encoding,
    /// How many expressions are evaluated to apply it.
    pub expressions: usize,
}

/// Why a rule could not be applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum StepError {
    /// The return address is undefined: this was the outermost frame.
    Outermost,
    /// Memory that is needed is not in the dump.
    Memory,
    /// A register that is needed is not known, or an expression makes no sense.
    Rule,
}

impl Rule {
    /// A rule from a row of the unwind table. `None`: an architecture-specific rule.
    pub fn of(
        row: &UnwindTableRow<usize>,
        expression_bytes: impl Fn(&gimli::UnwindExpression<usize>) -> Option<Box<[u8]>>,
        is_signal: bool,
        encoding: gimli::Encoding,
    ) -> Option<Self> {
        let cfa = match row.cfa() {
            GimliCfa::RegisterAndOffset { register, offset } => Cfa::Offset(register.0, *offset),
            GimliCfa::Expression(e) => Cfa::Expression(expression_bytes(e)?),
        };
        let mut saved = SmallVec::new();
        for (register, rule) in row.registers() {
            let rule = match rule {
                RegisterRule::Undefined => Saved::Undefined,
                RegisterRule::SameValue => Saved::Same,
                RegisterRule::Offset(o) => Saved::At(*o),
                RegisterRule::ValOffset(o) => Saved::Value(*o),
                RegisterRule::Register(r) => Saved::Register(r.0),
                RegisterRule::Expression(e) => Saved::AtExpression(expression_bytes(e)?),
                RegisterRule::ValExpression(e) => Saved::ValueExpression(expression_bytes(e)?),
                _ => return None,
            };
            saved.push((register.0, rule));
        }
        let is_expression =
            |(_, s): &&(u16, Saved)| matches!(s, Saved::AtExpression(_) | Saved::ValueExpression(_));
        let expressions =
            usize::from(matches!(cfa, Cfa::Expression(_))) + saved.iter().filter(is_expression).count();
        Some(Self { cfa, saved, is_signal, encoding, expressions })
    }

    /// Applies the rule: the caller's registers and the frame's CFA.
    pub fn apply(
        &self,
        frame: &Context,
        arch: &Architecture,
        memory: &dyn AddressSpace,
    ) -> Result<(Context, u64), StepError> {
        let evaluate = |bytes: &[u8], initial: Option<u64>| {
            expression::evaluate(bytes, self.encoding, frame, initial, memory)
        };
        let cfa = match &self.cfa {
            Cfa::Offset(register, offset) => {
                frame.get(*register).ok_or(StepError::Rule)?.wrapping_add_signed(*offset)
            }
            Cfa::Expression(bytes) => evaluate(bytes, None)?,
        };
        let value = |rule: &Saved, register: u16| -> Result<Option<u64>, StepError> {
            Ok(match rule {
                Saved::Undefined => None,
                Saved::Same => frame.get(register),
                Saved::At(offset) => memory.word(cfa.wrapping_add_signed(*offset)),
                Saved::Value(offset) => Some(cfa.wrapping_add_signed(*offset)),
                Saved::Register(other) if *other == arch.return_address => Some(frame.pc),
                Saved::Register(other) => frame.get(*other),
                Saved::AtExpression(bytes) => memory.word(evaluate(bytes, Some(cfa))?),
                Saved::ValueExpression(bytes) => Some(evaluate(bytes, Some(cfa))?),
            })
        };
        // What a function need not preserve is unknown in its caller, unless a rule restores it (as
        // the frame of a signal does).
        let mut caller = Context::at(0);
        for &register in arch.callee_saved {
            caller.set(register, frame.get(register));
        }
        let mut pc = None;
        for (register, rule) in &self.saved {
            if *register == arch.return_address {
                if *rule == Saved::Undefined {
                    return Err(StepError::Outermost);
                }
                pc = Some(value(rule, *register)?.ok_or(StepError::Memory)?);
            } else {
                caller.set(*register, value(rule, *register)?);
            }
        }
        if !self.saved.iter().any(|(register, _)| *register == arch.sp) {
            caller.set(arch.sp, Some(cfa));
        }
        caller.pc = match pc {
            Some(pc) => pc,
            // A leaf of a machine that keeps the return address in a register.
            None => frame.get(arch.return_address).ok_or(StepError::Rule)?,
        };
        Ok((caller, cfa))
    }
}
