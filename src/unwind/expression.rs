//! DWARF expressions in call frame information, evaluated with the frame's registers and memory.
//!
//! libc really uses them: `__restore_rt` has its CFA at `*(rsp + 160)`, the PLT's is
//! `rsp + 8 + (((rip & 15) >= 11) << 3)`.

use gimli::{EvaluationResult, Location, Value};

use super::context::Context;
use super::rule::{Reader, StepError};
use crate::model::AddressSpace;

/// Compilers write three to ten; a hostile one ends here.
const MOST_OPERATIONS: u32 = 100;

/// Evaluates an expression to an address or value. `initial` is the CFA, which is on the stack
/// when a register's expression begins.
pub(super) fn evaluate(
    bytes: &[u8],
    encoding: gimli::Encoding,
    frame: &Context,
    initial: Option<u64>,
    memory: &dyn AddressSpace,
) -> Result<u64, StepError> {
    let expression = gimli::Expression(Reader::new(bytes, gimli::LittleEndian));
    let mut evaluation = expression.evaluation(encoding);
    evaluation.set_max_iterations(MOST_OPERATIONS);
    if let Some(value) = initial {
        evaluation.set_initial_value(value);
    }
    let mut result = evaluation.evaluate().map_err(|_| StepError::Rule)?;
    loop {
        result = match result {
            EvaluationResult::Complete => break,
            EvaluationResult::RequiresRegister { register, .. } => {
                // x86-64 names the pc as register 16.
                let value = match register.0 {
                    16 => frame.pc,
                    other => frame.get(other).ok_or(StepError::Rule)?,
                };
                evaluation.resume_with_register(Value::Generic(value))
            }
            EvaluationResult::RequiresMemory { address, size, .. } => {
                let bytes = memory.bytes(address, usize::from(size.min(8))).ok_or(StepError::Memory)?;
                let mut word = [0; 8];
                word[..bytes.len()].copy_from_slice(bytes);
                evaluation.resume_with_memory(Value::Generic(u64::from_le_bytes(word)))
            }
            _ => return Err(StepError::Rule),
        }
        .map_err(|_| StepError::Rule)?;
    }
    match evaluation.as_result().last().map(|piece| piece.location) {
        Some(Location::Address { address }) => Ok(address),
        Some(Location::Value { value: Value::Generic(value) }) => Ok(value),
        _ => Err(StepError::Rule),
    }
}
