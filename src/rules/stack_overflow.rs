//! # stack-overflow
//!
//! A recursion ran out of stack, and the process died of it; stands in place of `crash` then.
//!
//! ## What it finds
//!
//! A thread that died of `SIGSEGV` or `SIGBUS` at an address within 1 MiB of its stack pointer that is no
//! writable
//! memory, with at least 100 frames on its stack, an eighth or more of them of one function. The finding names
//! that function and says how deep the stack is; `where` is the innermost function of the program.
//!
//! ## Why it matters
//!
//! It looks like a wild pointer: a fault in an innocent function that only happened to make the last call. Who
//! fixes that function fixes nothing. The cause is an input that is deeper than expected, a cycle in data, or a
//! recursion without an end.
//!
//! ## What counts as proof
//!
//! - *read*: the fault address, the stack pointer, the mapping between them; the frames of the recursion.
//! - *inferred*: that the stack ran out, in a text, which prints neither: a fault in a recursion of at
//!   least 1,000
//!   frames.
//!
//! Signal, thread and frames are `certain`. From a text, see the evidence that is marked *inferred* before you
//! rely on the stack having run out.
//!
//! ## Confirm
//!
//! ```sh
//! logjam core --thread 4340                          # repeats are counted
//! gdb -batch -ex 'p $sp' -ex 'p $_siginfo._sifields._sigfault.si_addr' \
//!     -ex 'bt 20' -ex 'bt -20' ./server core         # top and bottom
//! ulimit -s                                          # main thread, KiB
//! grep -i 'stack' /proc/$PID/limits                  # of a live process
//! ```
//!
//! - `$sp` and the fault address differ by less than a page or the size of one frame: confirmed.
//! - `bt -20` shows who started the recursion, and with which argument.
//! - Few frames, each of them huge, are reported as `crash`: no recursion but a large local array or `alloca`;
//!   `info frame` shows where each frame begins.
//!
//! ## Mitigate
//!
//! - Reject the input: limit depth or size where the program takes it in (JSON nesting, regular expressions,
//!   expression trees, directory depth).
//! - More stack gives time: `ulimit -s` for the main thread, the thread library's stack size for others
//!   (`pthread_attr_setstacksize`, `-Xss`, `RUST_MIN_STACK`). It does not help a recursion without an end.
//! - A cycle in data: remove the record that closes it, keep a copy.
//! - After a release: roll back.
//!
//! ## Escalate
//!
//! To the owners of the function in `where`, with the report, the core, the first and last 20 frames, the stack
//! limit, and the input. Say how many frames there were: a few hundred thousand is a recursion, a few hundred are
//! large frames.
//!
//! ## False alarms
//!
//! - A thread with a small stack (16 to 128 KiB is common in language runtimes) that calls ordinary library code:
//!   depth is normal, the stack is too small.
//! - Handlers on an alternate stack: the stack pointer belongs to the handler. Look at the interrupted frame.

use super::finding::{Confidence, Finding, RuleId};
use super::words::grouped;
use super::{Case, Rule, crash};
use crate::model::{Certainty, Evidence, Signal, ThreadIx};

/// The row of this rule.
pub const RULE: Rule =
    Rule { id: RuleId::StackOverflow, guide: include_str!("../../docs/rules/stack-overflow.md"), check };

/// A stack that ran out has at least this many frames, unless its frames are huge.
const FEWEST_FRAMES: u64 = 100;

/// In a text, which prints no addresses of the stack, the depth alone has to do.
const FEWEST_FRAMES_IN_TEXT: u64 = 1_000;

/// A function is called again, or there is no recursion to tell of.
const FEWEST_REPEATS: usize = 2;

/// How runtimes say that a stack ran out.
const MESSAGES: &[&str] = &[
    "stack overflow",
    "Stack overflow",
    "StackOverflow",
    "maximum recursion depth exceeded",
    "stack level too deep",
];

/// In a text that prints the stack pointer, which is as good as the memory. Its producer may print the innermost
/// frames only.
const FEWEST_FRAMES_WITH_POINTER: u64 = 30;

/// The access that ran out of stack lies this near to the stack pointer, bytes.
const NEAR: u64 = 1 << 20;

fn check(case: &Case<'_>) -> Vec<Finding> {
    let Some(overflow) = detect(case) else { return Vec::new() };
    let Some(mut finding) = crash::finding(case, RuleId::StackOverflow) else { return Vec::new() };
    let words = case.words();
    let thread = words.thread(overflow.thread);
    let depth = match overflow.is_cut {
        true => format!("at least {}", grouped(overflow.frames)),
        false => grouped(overflow.frames),
    };
    finding.title =
        format!("{thread} ran out of stack in a recursion of {}, {depth} frames deep", overflow.function);
    finding.summary = format!(
        "{} died because its stack was used up: {} calls itself, directly or through others, and the stack is {depth} frames deep.",
        super::jam::capital(&thread),
        overflow.function
    );
    if let Some(crash) = &mut finding.crash {
        crash.reason = format!("the stack ran out in a recursion of {}", overflow.function);
        if let Some(failure) = &case.snapshot.process.failure {
            crash.reason.push_str(&format!(": {}", failure.message));
        }
    }
    let depth_certainty = if case.snapshot.image.is_some() { Certainty::Read } else { Certainty::Reported };
    if overflow.proof.certainty == Certainty::Inferred {
        finding.confidence = Confidence::Likely;
    }
    finding.evidence.insert(0, overflow.proof);
    finding.evidence.push(Evidence::new(
        depth_certainty,
        format!("the stack has {depth} frames, most of them {}", overflow.function),
    ));
    finding.cause = vec![RuleId::StackOverflow.id().into(), overflow.function];
    vec![finding]
}

/// A recursion that ran out of stack.
pub(super) struct Overflow {
    thread: ThreadIx,
    frames: u64,
    /// There are more, which nobody counted.
    is_cut: bool,
    function: String,
    proof: Evidence,
}

/// As many frames as are left out where the producer says that there are more, and not how many: `...`.
const NOT_COUNTED: u32 = 1;

/// Whether the process died of it.
pub(super) fn detect(case: &Case<'_>) -> Option<Overflow> {
    let process = &case.snapshot.process;
    let told = process.failure.as_ref().filter(|f| MESSAGES.iter().any(|m| f.message.contains(m)));
    let signal = process.signal.as_ref().filter(|s| matches!(&*s.name, "SIGSEGV" | "SIGBUS"));
    let thread = told.and_then(|f| f.thread).or(signal.and_then(|s| s.thread))?;
    let record = &case.snapshot.threads[thread.at()];
    let stack = case.snapshot.stacks.frames_of(record.stack);
    let is_cut = record.frames_left_out == NOT_COUNTED;
    let frames = stack.len() as u64 + if is_cut { 0 } else { u64::from(record.frames_left_out) };
    let (function, count) = most_frequent(case, stack)?;
    // A recursion may go through several functions in turn.
    if (count as u64) * 8 < stack.len() as u64 {
        return None;
    }
    if let Some(failure) = told {
        // The dump may end with other frames than those that used up the stack.
        if count < FEWEST_REPEATS && record.frames_left_out == 0 {
            return None;
        }
        let proof = Evidence::reported(format!("the dump says why it ended: {}", failure.message));
        return Some(Overflow { thread, frames, is_cut, function, proof });
    }
    let signal = signal?;
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
        None if frames >= FEWEST_FRAMES_WITH_POINTER
            && distance_in_text(signal).is_some_and(|d| d <= NEAR) =>
        {
            Evidence::reported(format!(
                "the address {:#x} that could not be accessed lies {} bytes from the stack pointer",
                signal.address.unwrap_or(0),
                grouped(distance_in_text(signal).unwrap_or(0))
            ))
        }
        None if frames >= FEWEST_FRAMES_IN_TEXT => {
            Evidence::inferred("a fault in a recursion this deep is a stack that ran out")
        }
        None => return None,
    };
    Some(Overflow { thread, frames, is_cut, function, proof })
}

/// How far from the stack pointer the address lies, where a text prints both.
fn distance_in_text(signal: &Signal) -> Option<u64> {
    Some(signal.address?.abs_diff(signal.stack_pointer?))
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
