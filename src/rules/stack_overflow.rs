use super::finding::{Finding, RuleId};
use super::words::grouped;
use super::{Case, Rule, crash};
use crate::model::{Evidence, ThreadIx};

/// The row of this rule.
pub const RULE: Rule =
    Rule { id: RuleId::StackOverflow, guide: include_str!("../../docs/rules/stack-overflow.md"), check };

/// A stack that ran out has at least this many frames, unless its frames are huge.
const FEWEST_FRAMES: u64 = 100;

/// In a text, which prints no addresses of the stack, the depth alone has to do.
const FEWEST_FRAMES_IN_TEXT: u64 = 1_000;

/// The access that ran out of stack lies this near to the stack pointer, bytes.
const NEAR: u64 = 1 << 20;

fn check(case: &Case<'_>) -> Vec<Finding> {
    let Some(overflow) = detect(case) else { return Vec::new() };
    let Some(mut finding) = crash::finding(case, RuleId::StackOverflow) else { return Vec::new() };
    let words = case.words();
    let thread = words.thread(overflow.thread);
    let depth = grouped(overflow.frames);
    finding.title =
        format!("{thread} ran out of stack in a recursion of {}, {depth} frames deep", overflow.function);
    finding.summary = format!(
        "{} died because its stack was used up: {} calls itself, directly or through others, and the stack is {depth} frames deep.",
        super::jam::capital(&thread),
        overflow.function
    );
    if let Some(crash) = &mut finding.crash {
        crash.reason = format!("the stack ran out in a recursion of {}", overflow.function);
    }
    finding.evidence.insert(0, overflow.proof);
    finding
        .evidence
        .push(Evidence::read(format!("the stack has {depth} frames, most of them {}", overflow.function)));
    finding.cause = vec![RuleId::StackOverflow.id().into(), overflow.function];
    vec![finding]
}

/// A recursion that ran out of stack.
pub(super) struct Overflow {
    thread: ThreadIx,
    frames: u64,
    function: String,
    proof: Evidence,
}

/// Whether the process died of it.
pub(super) fn detect(case: &Case<'_>) -> Option<Overflow> {
    let signal = case.snapshot.process.signal.as_ref()?;
    if !matches!(&*signal.name, "SIGSEGV" | "SIGBUS") {
        return None;
    }
    let thread = signal.thread?;
    let record = &case.snapshot.threads[thread.at()];
    let stack = case.snapshot.stacks.frames_of(record.stack);
    let frames = stack.len() as u64 + u64::from(record.frames_left_out);
    let (function, count) = most_frequent(case, stack)?;
    // A recursion may go through several functions in turn.
    if (count as u64) * 8 < stack.len() as u64 {
        return None;
    }
    let proof = match case
        .snapshot
        .image
        .as_ref()
        .and_then(|image| image.registers.get(thread.at()).map(|r| (image, r)))
    {
        Some((image, registers)) => {
            let address = signal.address?;
            let is_backed = image.memory.segment_at(address).is_some_and(|s| s.is_writable);
            let is_near = address.abs_diff(registers.sp) <= NEAR;
            if is_backed || !is_near || frames < FEWEST_FRAMES {
                return None;
            }
            Evidence::read(format!(
                "the address {address:#x} that could not be accessed lies {} bytes from the stack pointer, outside the stack",
                grouped(address.abs_diff(registers.sp))
            ))
        }
        None if frames >= FEWEST_FRAMES_IN_TEXT => {
            Evidence::inferred("a fault in a recursion this deep is a stack that ran out")
        }
        None => return None,
    };
    Some(Overflow { thread, frames, function, proof })
}

fn most_frequent(case: &Case<'_>, stack: &[crate::model::FrameIx]) -> Option<(String, usize)> {
    let mut counts: std::collections::BTreeMap<&str, usize> = std::collections::BTreeMap::new();
    for &frame in stack {
        *counts.entry(&case.meanings.get(frame).name).or_default() += 1;
    }
    // The first by name of those with the most frames.
    let most = counts.values().copied().max()?;
    counts.into_iter().find(|(_, n)| *n == most).map(|(name, n)| (name.to_owned(), n))
}
