//! Small loops in 64-bit x86 code, found from their end.

use iced_x86::{Decoder, DecoderOptions, FlowControl, Instruction, Mnemonic};

/// Bytes of a loop that does nothing but look at a word, compiled without optimization.
const LOOP_LIMIT: u64 = 96;
/// Bytes of a loop that also gives its processor away or sleeps.
const CALLING_LOOP_LIMIT: u64 = 128;

/// Code bytes and where they stand in the process.
pub(super) struct Code<'a> {
    pub bytes: &'a [u8],
    pub address: u64,
}

impl Code<'_> {
    /// The loops around `pc`, the smallest first. A loop ends with a branch behind `pc` that leads
    /// back to it or before it; from there on instructions are decoded, and must meet `pc`, so that
    /// no beginning of an instruction has to be guessed.
    pub fn loops_around(&self, pc: u64) -> Vec<Vec<Instruction>> {
        let is_back = |i: &Instruction| {
            let is_branch =
                matches!(i.flow_control(), FlowControl::ConditionalBranch | FlowControl::UnconditionalBranch);
            let target = i.near_branch_target();
            is_branch && target <= pc && i.next_ip().wrapping_sub(target) <= CALLING_LOOP_LIMIT
        };
        let near = self.decode(pc).take_while(|i| i.ip().wrapping_sub(pc) <= CALLING_LOOP_LIMIT);
        let mut loops: Vec<_> = near.filter(is_back).filter_map(|back| self.body(pc, &back)).collect();
        loops.sort_by_key(|body| size(body));
        loops
    }

    /// Instructions from an address on.
    fn decode(&self, from: u64) -> impl Iterator<Item = Instruction> {
        let offset = from.checked_sub(self.address).and_then(|o| usize::try_from(o).ok());
        let bytes = offset.and_then(|o| self.bytes.get(o..)).unwrap_or_default();
        let mut decoder = Decoder::with_ip(64, bytes, from, DecoderOptions::NONE);
        std::iter::from_fn(move || {
            let instruction = decoder.can_decode().then(|| decoder.decode())?;
            (!instruction.is_invalid()).then_some(instruction)
        })
    }

    /// The instructions of the loop that `back` closes, if they meet both it and `pc`.
    fn body(&self, pc: u64, back: &Instruction) -> Option<Vec<Instruction>> {
        let from = back.near_branch_target();
        let body: Vec<Instruction> = self.decode(from).take_while(|i| i.ip() <= back.ip()).collect();
        let meets = |ip: u64| body.iter().any(|i| i.ip() == ip);
        let limit = if body.iter().any(is_call) { CALLING_LOOP_LIMIT } else { LOOP_LIMIT };
        (meets(pc) && meets(back.ip()) && size(&body) <= limit).then_some(body)
    }
}

fn size(body: &[Instruction]) -> u64 {
    let from = body.first().map_or(0, Instruction::ip);
    body.last().map_or(0, |last| last.next_ip().wrapping_sub(from))
}

/// Whether it leaves the loop's code and comes back with the scratch registers changed.
pub(super) fn is_call(instruction: &Instruction) -> bool {
    matches!(instruction.flow_control(), FlowControl::Call | FlowControl::IndirectCall)
        || instruction.mnemonic() == Mnemonic::Syscall
}
