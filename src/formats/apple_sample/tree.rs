//! The tree of a thread: the column of a number is its depth.
//!
//! ```text
//!     +                   ! : 618 std::fs::OpenOptions::_open  (in rg) + 33  [0x103a1e481]                  sample
//!     + 5 ???  (in rg)  load address 0x103746000 + 0x1234  [0x103747234]
//!     + 9 -[Log write:]  (in App) + 12,40  [0x103747234,0x103747250]  Log.m:12
//!   101  start + 2432 (dyld + 25360) [0x7ff806675310]                                                       spindump
//!     101  ??? (assistantd + 25552) [0x10bd063d0]
//!    *101  psynch_mtxcontinue + 0 (pthread + 11285) [0xffffff8003753c15] (blocked by turnstile waiting for …)
//!    *85   idle_thread + 0 (kernel + 1334112) [0xffffff8000421b60] (running)
//!     12  main + 40 (main.c:12,7 in app + 4096) [0x10bd063d0] 1-12                                        -timeline
//!     12  <truncated backtrace>                                                                           no frame
//! ```

use super::blocked;
use crate::formats::text::{BlockLine, Body, BodyFrame};
use crate::model::{Frame, ReportedState, StackEnd, Str};

/// A line of the tree.
struct Node<'t> {
    column: usize,
    samples: u64,
    text: &'t str,
    is_kernel: bool,
    parent: Option<usize>,
    heaviest: Option<usize>,
    /// Samples of its children.
    below: u64,
}

/// Whether a line is one of a tree.
pub(super) fn is_node(line: &str) -> bool {
    line.starts_with(' ') && node(line).is_some()
}

fn node(line: &str) -> Option<Node<'_>> {
    let guides = line.bytes().take_while(|b| matches!(b, b' ' | b'+' | b'!' | b':' | b'|')).count();
    let rest = line.get(guides..)?;
    let is_kernel = rest.starts_with('*');
    let rest = rest.strip_prefix('*').unwrap_or(rest);
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let text = rest.get(digits..)?;
    let samples = rest.get(..digits)?.parse().ok()?;
    let column = guides + usize::from(is_kernel);
    text.starts_with(' ').then_some(Node {
        column,
        samples,
        text: without_range(text.trim()),
        is_kernel,
        parent: None,
        heaviest: None,
        below: 0,
    })
}

/// The text without the numbers of the samples behind it.
fn without_range(text: &str) -> &str {
    let is_range = |word: &str| word.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'-' | b','));
    let split =
        text.rsplit_once(' ').filter(|(head, word)| is_range(word) && head.ends_with([']', ')', '>']));
    split.map_or(text, |(head, _)| head.trim_end())
}

/// `<truncated backtrace>`, `<patched truncated backtrace>`: frames are missing here.
fn is_gap(text: &str) -> bool {
    text.starts_with('<') && text.ends_with(" backtrace>")
}

/// Reads a tree.
pub(super) fn body(block: &[BlockLine<'_>]) -> Body {
    let nodes = nodes(block);
    let roots = nodes.iter().enumerate().filter(|(_, n)| n.parent.is_none());
    let total: u64 = roots.clone().map(|(_, n)| n.samples).fold(0, u64::saturating_add);
    // The first of equals: the trees are sorted.
    let mut at = roots.rev().max_by_key(|(_, n)| n.samples).map(|(n, _)| n);
    let mut path: Vec<&Node<'_>> = Vec::new();
    while let Some(node) = at.and_then(|n| nodes.get(n)) {
        path.push(node);
        let own = node.samples.saturating_sub(node.below);
        at = node.heaviest.filter(|child| nodes.get(*child).is_some_and(|child| child.samples >= own));
    }
    let Some(leaf) = path.last() else { return Body::default() };
    // Where it was in less than half of its samples, it was mostly elsewhere: it moves.
    let is_there = leaf.samples.saturating_mul(2) > total;
    let has_user_frames = path.iter().any(|node| !node.is_kernel);
    let state = match () {
        () if !is_there => Some(ReportedState::Running),
        () if leaf.text.ends_with("(running)") || leaf.text.contains("(runnable)") => {
            Some(ReportedState::Running)
        }
        // In the kernel, and neither on a processor nor ready for one.
        () if leaf.is_kernel => Some(ReportedState::Asleep),
        () => None,
    };
    let wait = path.iter().rev().find_map(|node| blocked::wait(node.text)).filter(|_| is_there);
    let frames = path.iter().rev().filter(|node| !(node.is_kernel && has_user_frames));
    let frames = frames.filter(|node| !is_gap(node.text));
    let frames: Vec<BodyFrame> = frames.map(|node| frame(node.text).into()).collect();
    let is_whole = !path.iter().any(|node| is_gap(node.text));
    let end = if is_whole { StackEnd::Complete } else { StackEnd::Reported };
    Body { frames, state, wait, end, ..Body::default() }
}

/// The lines with their parents.
fn nodes<'t>(block: &[BlockLine<'t>]) -> Vec<Node<'t>> {
    let mut nodes: Vec<Node<'t>> = Vec::new();
    let mut open: Vec<usize> = Vec::new();
    for line in block {
        let Some(mut next) = node(line.text) else { continue };
        while open.last().and_then(|n| nodes.get(*n)).is_some_and(|above| above.column >= next.column) {
            open.pop();
        }
        next.parent = open.last().copied();
        let ix = nodes.len();
        let samples = next.samples;
        let heaviest_so_far = next
            .parent
            .and_then(|p| nodes.get(p))
            .and_then(|p| p.heaviest)
            .and_then(|n| nodes.get(n))
            .map(|n| n.samples);
        if let Some(parent) = next.parent.and_then(|p| nodes.get_mut(p)) {
            parent.below = parent.below.saturating_add(samples);
            if heaviest_so_far.is_none_or(|known| samples > known) {
                parent.heaviest = Some(ix);
            }
        }
        nodes.push(next);
        open.push(ix);
    }
    nodes
}

/// A frame of either tool.
fn frame(text: &str) -> Frame {
    match text.rsplit_once("  (in ") {
        Some((name, rest)) => of_sample(name, rest),
        None => of_spindump(text),
    }
}

/// `rg) + 33  [0x103a1e481]  Log.m:12`.
fn of_sample(name: &str, rest: &str) -> Frame {
    let (module, rest) = rest.split_once(')').unwrap_or((rest, ""));
    let (address, place) = bracketed(rest);
    let offset = rest.split_once(" load address ").and_then(|(_, r)| r.split_once(" + 0x")).map(|(_, o)| o);
    let digits = |o: &str| o.bytes().take_while(u8::is_ascii_hexdigit).count();
    let offset = offset.and_then(|o| u64::from_str_radix(o.get(..digits(o))?, 16).ok());
    let (file, line) = place.trim().rsplit_once(':').unwrap_or(("", ""));
    let function = function(name);
    Frame {
        module_offset: offset.filter(|_| function.is_none()),
        function,
        module: (!module.is_empty() && module != "???").then(|| Str::from(module)),
        file: (!file.is_empty()).then(|| Str::from(file)),
        line: line.parse().ok(),
        address,
        ..Frame::default()
    }
}

/// `start + 2432 (dyld + 25360) [0x7ff806675310]`.
fn of_spindump(text: &str) -> Frame {
    let end = text.find(" [0x").unwrap_or(text.len());
    let (address, _) = bracketed(text.get(end..).unwrap_or_default());
    let head = text.get(..end).unwrap_or(text).trim_end();
    let inside = head.strip_suffix(')').and_then(|h| h.rsplit_once(" ("));
    let (name, place) = inside.unwrap_or((head, ""));
    let (source, image) = place.rsplit_once(" in ").unwrap_or(("", place));
    let (module, offset) = image.rsplit_once(" + ").unwrap_or((image, ""));
    let (file, line) = source.rsplit_once(':').unwrap_or(("", ""));
    let line = line.split(',').next().unwrap_or_default().parse().ok();
    let function = function(name);
    Frame {
        module_offset: offset.parse().ok().filter(|_| function.is_none()),
        function,
        module: (!module.is_empty() && module != "???").then(|| Str::from(module)),
        file: (!file.is_empty()).then(|| Str::from(file)),
        line,
        address,
        ..Frame::default()
    }
}

/// The first address in `[0x…,0x…]`, and what stands behind the brackets.
fn bracketed(text: &str) -> (Option<u64>, &str) {
    let Some((_, rest)) = text.split_once("[0x") else { return (None, "") };
    let digits = rest.bytes().take_while(u8::is_ascii_hexdigit).count();
    let address = rest.get(..digits).and_then(|hex| u64::from_str_radix(hex, 16).ok());
    (address, rest.split_once(']').map_or("", |(_, after)| after))
}

/// The name without its offset.
fn function(name: &str) -> Option<Str> {
    let name = name.trim();
    let name = match name.rsplit_once(" + ") {
        Some((before, offset)) if offset.bytes().all(|b| b.is_ascii_digit() || b == b',') => before,
        _ => name,
    };
    (!name.is_empty() && name != "???").then(|| Str::from(name))
}
