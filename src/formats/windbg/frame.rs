//! The lines of a stack.

use super::columns::{self, Columns, FOUND_BY};
use super::head;
use crate::formats::text::words::{hex, number};
use crate::formats::text::{BlockLine, Body, BodyFrame, BodyLock, BodyWait, HEX, LockRef, OwnerRef};
use crate::model::{ArgSlot, Frame, FrameKind, ReportedLockKind, SlotKind, StackEnd, Str, WaitMode};

/// Functions of ntdll whose first argument is the critical section that the thread waits for
/// (`RtlEnterCriticalSection(PRTL_CRITICAL_SECTION)`, Windows NT 4 to 11).
static ENTERING: &[&str] = &[
    "RtlEnterCriticalSection",
    "RtlpEnterCriticalSection",
    "RtlpEnterCriticalSectionContended",
    "RtlpWaitForCriticalSection",
    "RtlpWaitOnCriticalSection",
    "RtlpWaitOnCriticalSectionWithTimeout",
];

/// Modules that the waiting part of a stack is in.
static SYSTEM: &[&str] =
    &["ntdll", "kernel32", "kernelbase", "wow64", "wow64cpu", "nt", "verifier", "vrfcore"];

/// The name of an argument that may be a critical section, see [`super::session`].
pub(super) const MAYBE: &str = "CriticalSection?";

/// Reads the lines of a block.
pub(super) fn body(block: &[BlockLine<'_>]) -> Body {
    let mut body = Body::default();
    let mut is_system = true;
    for line in block {
        let text = line.text;
        if let Some(found) = text.trim_start().strip_prefix("Found by: ") {
            let trust = FOUND_BY.iter().find(|(how, _)| found.starts_with(how)).map(|(_, trust)| *trust);
            if let Some(last) = body.frames.last_mut() {
                last.frame.trust = trust;
                if found.starts_with("inlining") {
                    last.frame.kind = FrameKind::Inlined;
                }
            }
        } else if text.trim_start().starts_with("WARNING: ") {
            body.end = StackEnd::Reported;
        } else if let Some(columns) = columns::read(text) {
            let mut frame = BodyFrame::from(symbol(text.get(columns.symbol..).unwrap_or_default()));
            if columns.is_inline {
                frame.frame.kind = FrameKind::Inlined;
            }
            let module = frame.frame.module.as_deref().unwrap_or_default().to_ascii_lowercase();
            is_system &= SYSTEM.contains(&module.as_str());
            if is_system {
                enters(&mut body, &mut frame, line, &columns);
            }
            body.frames.push(frame);
        } else if let Some(at) = columns::walked(text) {
            body.frames.push(walked(text.get(at..).unwrap_or_default()).into());
        } else if let Some(wait) = head::wait_object(text) {
            // `    85e9ba00  Mutant - owning thread 866d63e8`
            let lock = BodyLock {
                id: LockRef::Slot(line.slot, 0),
                name: Some(Str::from(wait)),
                kind: ReportedLockKind::Other,
            };
            let owner = text.contains("owning thread ").then_some(OwnerRef::Handle(line.slot + 1));
            body.wait = owner.map(|owner| BodyWait { lock, mode: WaitMode::Enter, owner: Some(owner) });
        }
    }
    body
}

/// The critical section that a frame of the waiting part wants to enter.
fn enters(body: &mut Body, frame: &mut BodyFrame, line: &BlockLine<'_>, columns: &Columns) {
    let name = frame.frame.function.as_deref().unwrap_or_default().trim_start_matches('_');
    if !ENTERING.contains(&name) {
        return;
    }
    if let Some(args) = columns.arguments() {
        let lock = BodyLock {
            id: LockRef::Slot(line.slot + args.start, 0),
            name: None,
            kind: ReportedLockKind::CriticalSection,
        };
        body.wait = Some(BodyWait { lock, mode: WaitMode::Enter, owner: None });
    }
    for slot in columns.doubtful_arguments() {
        let arg = ArgSlot { name: MAYBE.into(), kind: SlotKind::Hex, symbol: None };
        frame.slots.push((arg, line.slot + slot));
    }
}

/// `app!Log::write+0x3 [d:\src\log.cpp @ 12]`, `app+0x12f0`, `0x2d6`90ee777e`, `kernel32!f+0x14 (FPO: [1,0,0])`.
fn symbol(text: &str) -> Frame {
    let (text, place) = match text.rsplit_once(" [") {
        Some((head, place)) if place.contains(" @ ") => {
            (head, place.split_once(']').map_or(place, |(p, _)| p))
        }
        _ => (text, ""),
    };
    let text =
        ["(FPO: ", "(CONV: "].iter().fold(text, |text, mark| text.split(mark).next().unwrap_or(text)).trim();
    let (file, line) = place.rsplit_once(" @ ").unwrap_or_default();
    let mut frame = Frame {
        file: (!file.is_empty()).then(|| file.into()),
        line: line.trim().parse().ok(),
        ..Frame::default()
    };
    if let Some(address) = text.split(' ').next().and_then(|word| word.strip_prefix("0x")).and_then(hex) {
        frame.address = Some(address);
        return frame;
    }
    let (name, offset) = match text.rsplit_once("+0x") {
        Some((name, offset)) if hex(offset.split(' ').next().unwrap_or(offset)).is_some() => {
            (name, hex(offset))
        }
        _ => (text, None),
    };
    match name.split_once('!') {
        Some((module, function)) => {
            frame.module = Some(module.into());
            frame.function = (!function.is_empty()).then(|| function.into());
        }
        None => {
            frame.module = Some(name.into());
            frame.module_offset = offset;
        }
    }
    frame
}

/// `lib.so!f [f.cpp : 12 + 0x5]`, `crash + 0x1d72`, `0x7f65`.
fn walked(text: &str) -> Frame {
    let text = text.trim();
    if let Some(address) = text.strip_prefix("0x").and_then(hex) {
        return Frame { address: Some(address), ..Frame::default() };
    }
    let (text, place) = match text.rsplit_once(" [") {
        Some((head, place)) if place.contains(" : ") => (head, place.trim_end_matches(']')),
        _ => (text, ""),
    };
    let (file, line) = place.rsplit_once(" : ").unwrap_or_default();
    let (name, offset) = match text.rsplit_once(" + 0x") {
        Some((name, offset)) => (name, hex(offset)),
        None => (text, None),
    };
    let (module, function) = match name.split_once('!') {
        Some((module, function)) => (module, Some(Str::from(function))),
        None => (name, None),
    };
    Frame {
        module_offset: offset.filter(|_| function.is_none()),
        function,
        module: (!module.is_empty()).then(|| module.into()),
        file: (!file.is_empty()).then(|| file.into()),
        line: number(line.trim()).and_then(|(n, _)| u32::try_from(n).ok()),
        ..Frame::default()
    }
}

/// Whether a line, the last of a text, is all that the debugger wrote.
pub(super) fn is_whole(line: &str) -> bool {
    let is_cut = match columns::read(line) {
        Some(columns) => {
            !line.get(columns.symbol..).is_some_and(|s| s.contains("+0x") || s.ends_with([']', ')']))
        }
        None => line.ends_with('`') || line == HEX,
    };
    !is_cut
}
