//! `eu-stack` of elfutils.
//!
//! Source: elfutils 0.158 to 0.192 src/stack.c: `print_frame`, `print_inline_frames`, `print_frames`, `main`.

use super::gdb::nameless;
use super::text::words::{hex, number, place};
use super::text::{
    self, BlockLine, Body, BodyFrame, Dumps, Grammar, Head, InBlock, Outside, Section, SeenIds, Site,
};
use super::{About, Format, Reader};
use crate::model::{FormatId, Frame, FrameKind, Snapshot, StackEnd, Str, Thread, ThreadId, lossy};

/// The row of this format.
pub const FORMAT: Format = Format {
    id: FormatId::new("eu-stack"),
    name: "the text of eu-stack",
    looked_for: "lines `PID N - process` and `TID N:`",
    about: About {
        producer: "eu-stack of elfutils 0.158 to 0.192: of processes and cores, with -v -i -s -m -b -q -r",
        reads: "threads with TID, frames with module, source and inlined calls where they were asked for",
        never: "which lock a thread waits for (no arguments are printed), who holds it, names of threads, the signal of a core",
        capture: "eu-stack -i -s -m -p PID",
    },
    reader: Reader::Text { anchors: &["PID ", "TID "], confirm, parse },
};

fn parse(section: &Section<'_>) -> Vec<Snapshot> {
    let mut snapshots = text::read(&EuStack, FORMAT.id, section);
    snapshots.iter_mut().for_each(nameless::judge);
    snapshots
}

/// `PID 91453 - process`, `TID 91453:` with a frame or another of its lines below.
fn confirm(site: &Site<'_>) -> Option<usize> {
    let line = lossy(site.line());
    if process(&line).is_some() {
        return Some(site.at);
    }
    thread(&line)?;
    let is_own = |line: &[u8]| {
        memchr::memmem::find(line, b"#0 ").is_some() || memchr::memmem::find(line, b"TID ").is_some()
    };
    // Tombstones and others have `tid: 12`, with another spelling.
    site.following(2).any(is_own).then_some(site.at)
}

struct EuStack;

#[derive(Default)]
struct Memory {
    process: Option<(u64, bool)>,
    seen: SeenIds,
}

impl Grammar for EuStack {
    type Memory = Memory;
    const MASKS_HEX: bool = false;

    fn may_begin(&self, line: &[u8]) -> bool {
        line.starts_with(b"TID ")
    }

    fn head(&self, line: &str, _more: &[u8]) -> Option<Head> {
        thread(line).map(Head::of)
    }

    fn in_block(&self, line: &str) -> InBlock {
        if is_ending(line) {
            return InBlock::Ends;
        }
        if is_frame(line) || line.strip_prefix("    ").is_some_and(is_below) {
            return InBlock::Body;
        }
        // What the tool says on its other output may stand anywhere.
        if line.contains("eu-stack: ") || line.contains("dwfl_thread_getframes") {
            InBlock::Body
        } else {
            InBlock::Unknown
        }
    }

    fn outside(&self, line: &str, _section: Option<&'static str>) -> Outside {
        if is_ending(line) {
            return Outside::Event;
        }
        if line.contains("eu-stack: ") { Outside::Noise } else { Outside::Unknown }
    }

    fn body(&self, block: &[BlockLine<'_>]) -> Body {
        body(block)
    }

    fn on_thread(&self, memory: &mut Memory, dumps: &mut Dumps, thread: &Thread, offset: u64) -> bool {
        if dumps.open().is_none() {
            memory.seen.clear();
        }
        let is_known = !memory.seen.insert(&thread.id);
        if is_known {
            memory.seen.clear();
            memory.seen.insert(&thread.id);
            dumps.end();
        }
        let building = dumps.current(offset);
        if let Some((pid, is_core)) = memory.process.take() {
            building.snapshot.process.pid = u32::try_from(pid).ok();
            building.snapshot.source.producer =
                Some(if is_core { "eu-stack of a core" } else { "eu-stack" }.into());
        }
        true
    }

    fn on_event(&self, memory: &mut Memory, dumps: &mut Dumps, line: &str, _offset: u64) {
        if let Some(found) = process(line) {
            dumps.end();
            memory.process = Some(found);
        }
    }
}

/// `PID 91453 - core`: the pid, and whether it is a core.
fn process(line: &str) -> Option<(u64, bool)> {
    let (pid, rest) = number(line.strip_prefix("PID ")?)?;
    match rest.trim_end() {
        " - process" => Some((pid, false)),
        " - core" => Some((pid, true)),
        _ => None,
    }
}

fn is_ending(line: &str) -> bool {
    line.starts_with("PID ") && process(line).is_some()
}

/// `TID 91453:`, `TID 91453 [name]:`.
fn thread(line: &str) -> Option<Thread> {
    let (tid, rest) = number(line.strip_prefix("TID ")?)?;
    let name = rest.trim_end().strip_suffix(':')?.trim();
    let mut thread = Thread::new(ThreadId::Number(tid));
    thread.tid = u32::try_from(tid).ok();
    let name = name.trim_matches(['[', ']', '"', '(', ')']);
    thread.name = (!name.is_empty()).then(|| name.into());
    Some(thread)
}

/// A frame has an address of 8 or 16 digits: one that is cut is none.
fn is_frame(line: &str) -> bool {
    let Some((_, rest)) = line.strip_prefix('#').and_then(number) else { return false };
    let Some(digits) = rest.trim_start().strip_prefix("0x") else { return false };
    matches!(digits.bytes().take_while(u8::is_ascii_hexdigit).count(), 8 | 16)
}

/// What `-s` and `-b` print below a frame.
fn is_below(text: &str) -> bool {
    match text.strip_prefix('[').and_then(|t| t.split_once("]@")) {
        Some((_, offsets)) => offsets.contains('+'),
        None => place(text).is_some() || text.starts_with(['/', '.']),
    }
}

fn body(block: &[BlockLine<'_>]) -> Body {
    let mut body = Body::default();
    let mut lines: Vec<(Frame, u64)> = Vec::new();
    for line in block {
        let text = line.text;
        if text.contains("shown max number of frames") {
            body.end = StackEnd::DepthLimit;
            body.left_out += 1;
        } else if text.contains("dwfl_thread_getframes") || text.contains("eu-stack: ") {
            body.end = StackEnd::Reported;
        } else if is_frame(text) {
            lines.extend(frame(text));
        } else if let Some((last, _)) = lines.last_mut() {
            below(text.trim(), last);
        }
    }
    // With -i a call that was inlined has the address of the one that it is part of, which comes last.
    let mut rest = lines.into_iter().peekable();
    while let Some((mut frame, address)) = rest.next() {
        if rest.peek().is_some_and(|(_, next)| *next == address) {
            frame.kind = FrameKind::Inlined;
        }
        body.frames.push(BodyFrame::from(frame));
    }
    body
}

/// Reads a frame.
///
/// ```text
/// #0  0x00007f5dd32a412b     futex_wait - /usr/lib/x86_64-linux-gnu/libc.so.6      -v -m: four blanks, the exact pc
/// #1  0x00007f5dd32aa482 - 1 lll_mutex_lock_optimized - /usr/lib/…/libc.so.6       -v: a return address
/// #2  0x00007fb61cef045e read                                                      without options
/// #10 0x00007f5dd34d44a3 - /usr/lib/x86_64-linux-gnu/libstdc++.so.6.0.30           no name
/// #3  0x00007f5dd32a412b                                                           -q
/// ```
fn frame(line: &str) -> Option<(Frame, u64)> {
    let (_, rest) = number(line.strip_prefix('#')?)?;
    let rest = rest.trim_start();
    let digits = rest.find(' ').unwrap_or(rest.len());
    let address = hex(rest.get(..digits)?)?;
    let rest = rest.get(digits..)?;
    let rest =
        rest.strip_prefix(" - 1").filter(|r| r.is_empty() || r.starts_with(' ')).unwrap_or(rest).trim();
    let (name, module) = match (rest.strip_prefix("- "), rest.rsplit_once(" - ")) {
        (Some(module), _) => ("", Some(module)),
        (None, Some((name, module))) if module.starts_with(['/', '[']) => (name, Some(module)),
        _ => (rest, None),
    };
    let function = (!name.is_empty()).then(|| Str::from(name.trim()));
    Some((
        Frame { function, module: module.map(Into::into), address: Some(address), ..Frame::default() },
        address,
    ))
}

/// What stands below a frame: its source (`-s`), or build id, base and offset of its module (`-b`).
fn below(text: &str, frame: &mut Frame) {
    if let Some((_, offsets)) = text.strip_prefix('[').and_then(|t| t.split_once("]@")) {
        frame.module_offset = offsets.rsplit_once('+').and_then(|(_, offset)| hex(offset));
    } else if let Some((file, line)) = place(text) {
        frame.file = Some(file);
        frame.line = Some(line);
    }
}

#[cfg(test)]
mod tests;
