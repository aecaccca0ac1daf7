//! The lines of a stack.

use super::columns::{self, Columns, FOUND_BY};
use super::head;
use crate::formats::text::words::{hex, number};
use crate::formats::text::{BlockLine, Body, BodyFrame, BodyLock, BodyWait, HEX, LockRef, OwnerRef};
use crate::model::{
    ArgSlot, Frame, FrameKind, GapKind, ReportedLockKind, SlotKind, Snapshot, StackEnd, Str, Trust, WaitMode,
};

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

/// Functions of ntdll that enter the lock of the loader and nothing else (Windows XP to 11), and its name there.
static LOADER: &[&str] = &["LdrLockLoaderLock", "LdrpAcquireLoaderLock"];
const LOADER_LOCK: &str = "ntdll!LdrpLoaderLock";

/// Modules that the waiting part of a stack is in.
pub(super) static SYSTEM: &[&str] =
    &["ntdll", "kernel32", "kernelbase", "wow64", "wow64cpu", "nt", "verifier", "vrfcore"];

/// The name of an argument that may be a critical section, see [`super::session`].
pub(super) const MAYBE: &str = "CriticalSection?";

/// The function by which the kernel stops the machine, and the name of its first argument; all versions store their arguments
/// where a table shows them.
const STOPS: (&str, &str) = ("nt", "KeBugCheckEx");
pub(super) const STOP_CODE: &str = "BugCheckCode";

/// How a stack ends that has numbers below it which are no frames, until that is told.
const NUMBERS: StackEnd = StackEnd::NoRule;

/// Tells of such numbers.
pub(super) fn tell_numbers(snapshot: &mut Snapshot) {
    let mut count = 0;
    for thread in snapshot.threads.iter_mut().filter(|thread| thread.stack_end == NUMBERS) {
        thread.stack_end = StackEnd::Complete;
        count += 1;
    }
    if count > 0 {
        let message =
            "numbers below a stack are none of its frames, or nobody can tell, and were passed over";
        snapshot.gaps.add_many(GapKind::SkippedText, message, count, None);
    }
}

/// Reads the lines of a block.
pub(super) fn body(block: &[BlockLine<'_>]) -> Body {
    let mut body = Body::default();
    let mut is_system = true;
    let mut is_entering = false;
    let mut has_columns = false;
    let mut above = None;
    let is_name =
        |line: &BlockLine<'_>| columns::plain(line.text).is_some_and(|text| !columns::is_number(text));
    let last_name = block.iter().rposition(is_name);
    for (n, line) in block.iter().enumerate() {
        let text = line.text;
        if let Some(frame) = text.trim_start().strip_prefix(head::CURRENT_FRAME) {
            body.frames.push(symbol(frame.trim()).into());
        } else if let Some(found) = text.trim_start().strip_prefix("Found by: ") {
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
            has_columns = true;
            let mut frame = BodyFrame::from(symbol(text.get(columns.symbol..).unwrap_or_default()));
            if columns.is_inline {
                frame.frame.kind = FrameKind::Inlined;
            }
            let module = frame.frame.module.as_deref().unwrap_or_default().to_ascii_lowercase();
            is_system &= SYSTEM.contains(&without_base(&module));
            if columns.is_scanned {
                frame.frame.trust = Some(Trust::Scan);
            }
            stops(&body, &mut frame, line, &columns);
            let name = frame.frame.function.as_deref().unwrap_or_default().trim_start_matches('_');
            if is_system && ENTERING.contains(&name) {
                is_entering = true;
                enters(&mut body, &mut frame, line, &columns);
            } else if is_system && is_entering && LOADER.contains(&name) && body.wait.is_none() {
                body.wait = Some(loader());
            }
            body.frames.push(frame);
        } else if let Some(text) = columns::plain(text) {
            let is_within = last_name.is_some_and(|last| n < last);
            if columns::is_number(text) && (has_columns || !columns::is_frame(above, is_within)) {
                body.end = if body.end == StackEnd::Complete { NUMBERS } else { body.end };
            } else if !has_columns {
                // Below a table with columns stands what `!analyze` says of one of its frames.
                body.frames.push(symbol(text).into());
                above = Some(text);
            }
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

/// `ntdll_77980000`: the second module of a name, as in a process of 32 bits on a system of 64, has its base behind it.
pub(super) fn without_base(module: &str) -> &str {
    let is_base = |text: &str| matches!(text.len(), 8 | 16) && hex(text).is_some();
    module.rsplit_once('_').filter(|(_, base)| is_base(base)).map_or(module, |(name, _)| name)
}

/// Whether a symbol is that of the loader's lock.
pub(super) fn is_loader_lock(symbol: &str) -> bool {
    let of_module = |(module, name)| Some((without_base(module), name)) == LOADER_LOCK.split_once('!');
    symbol.split_once('!').is_some_and(of_module)
}

/// The wait for the lock of the loader.
fn loader() -> BodyWait {
    let kind = ReportedLockKind::CriticalSection;
    let lock = BodyLock { id: LockRef::Token(LOADER_LOCK.into()), name: Some(LOADER_LOCK.into()), kind };
    BodyWait { lock, mode: WaitMode::Enter, owner: None }
}

/// The critical section that a frame of the waiting part wants to enter.
fn enters(body: &mut Body, frame: &mut BodyFrame, line: &BlockLine<'_>, columns: &Columns) {
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

/// The code of the newest frame where that stops the machine.
///
/// ```text
/// ffffd505`7e830838 fffff800`903d5669 : 00000000`0000000a 00000000`00000047 00000000`00000002 00000000`00000000 : nt!KeBugCheckEx
/// ```
fn stops(body: &Body, frame: &mut BodyFrame, line: &BlockLine<'_>, columns: &Columns) {
    let name = (frame.frame.module.as_deref(), frame.frame.function.as_deref());
    if !body.frames.is_empty() || name != (Some(STOPS.0), Some(STOPS.1)) {
        return;
    }
    let slot =
        columns.arguments().or(Some(columns.doubtful_arguments())).and_then(|slots| slots.into_iter().next());
    if let Some(slot) = slot {
        let arg = ArgSlot { name: STOP_CODE.into(), kind: SlotKind::Hex, symbol: None };
        frame.slots.push((arg, line.slot + slot));
    }
}

/// `app!Log::write+0x3 [d:\src\log.cpp @ 12]`, `app+0x12f0`, `0x2d6`90ee777e`, `kernel32!f+0x14 (FPO: [1,0,0])`.
fn symbol(text: &str) -> Frame {
    let text = columns::caller(text);
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
    // `(MethodDesc 00007ff8dfa03a18 + 0x79 Shop.Log.Write(System.String))`
    if let Some((_, method)) = text
        .strip_prefix(columns::METHOD)
        .and_then(|t| t.strip_suffix(')'))
        .and_then(|t| t.split_once(" + 0x"))
    {
        frame.function = method.split_once(' ').map(|(_, name)| name.into());
        return frame;
    }
    // SOS writes blanks around it.
    let split = text.rsplit_once(" + 0x").or_else(|| text.rsplit_once("+0x"));
    let (name, offset) = match split {
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
