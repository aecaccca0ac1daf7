//! The text of lldb: `bt`, `bt all`, `thread list`, `thread backtrace unique`, and the notices of a stop.
//!
//! Source: LLVM 3.2 to 20 lldb/source/Core/CoreProperties.td (`thread-format`, `thread-stop-format`, `frame-format`,
//! `frame-format-unique`), source/Commands/CommandObjectThread.cpp, source/Target/Thread.cpp.

mod args;
mod frame;
mod head;
mod reason;
mod stops;

use super::gdb::nameless;
use super::text::{
    self, BlockLine, Body, Dumps, Grammar, Head, InBlock, Masked, Outside, Section, SeenIds, Site,
};
use super::{About, Format, Reader};
use crate::model::{FormatId, Process, Snapshot, Thread, lossy};

/// The row of this format.
pub const FORMAT: Format = Format {
    id: FormatId::new("lldb"),
    name: "the text of lldb",
    looked_for: "lines `thread #N` followed by `frame #0: …`",
    about: About {
        producer: "lldb 3 to 20, on Linux and macOS: bt, bt all, thread list, thread backtrace unique, notices of a stop",
        reads: "threads with name and frames, TIDs where `thread list` is in the text, the address of a lock where arguments are printed, the signal of a core",
        never: "who holds a lock; names of locks; CPU times; TIDs by `bt all` alone",
        capture: "lldb -b -p PID -o 'thread list' -o 'bt all'",
    },
    reader: Reader::Text { anchors: &["thread #", " thread(s) #"], confirm, parse },
};

fn parse(section: &Section<'_>) -> Vec<Snapshot> {
    let mut snapshots = text::read(&Lldb, FORMAT.id, section);
    for snapshot in &mut snapshots {
        stops::join(snapshot);
        nameless::judge(snapshot);
    }
    snapshots
}

/// `* thread #1, name = 'shop', stop reason = signal SIGSTOP` with a frame below, or in itself.
fn confirm(site: &Site<'_>) -> Option<usize> {
    let line = lossy(site.line());
    let before = site.before()?;
    let start = if line.starts_with(" thread(s)") {
        let digits = before.iter().rev().take_while(|b| b.is_ascii_digit()).count();
        site.at - digits.max(1)
    } else {
        let mark = [b"* ".as_slice(), b"  "].iter().any(|mark| before.ends_with(mark));
        site.at - if mark { 2 } else { 0 }
    };
    let own = format!("{}{line}", lossy(site.text.get(start..site.at)?));
    let head = head::read(&own, site.text.get(site.at + line.len()..)?)?;
    let is_frame = |line: &[u8]| memchr::memmem::find(line, b"frame #0: ").is_some();
    (head.first.is_some() || site.following(MOST_LINES).any(is_frame)).then_some(start)
}

/// How soon after a header its first frame stands: a name may have line breaks.
const MOST_LINES: usize = 6;

struct Lldb;

#[derive(Default)]
struct Memory {
    process: Process,
    /// Threads of this pass over the process.
    seen: SeenIds,
    /// A command was given since: what it prints is of the same stop.
    is_prompted: bool,
    /// The process ran since.
    has_run: bool,
    is_core: bool,
    reason: Option<reason::Reason>,
}

impl Grammar for Lldb {
    type Memory = Memory;
    const MASKS_HEX: bool = true;

    fn masked(&self, line: &[u8]) -> Masked {
        // The pc stays: the same place in the code has the same one.
        Masked::Prefixed(memchr::memchr(b'`', line).unwrap_or(line.len()))
    }

    fn may_begin(&self, line: &[u8]) -> bool {
        let text = line.trim_ascii_start();
        text.starts_with(b"* thread #")
            || text.starts_with(b"thread #")
            || text.first().is_some_and(u8::is_ascii_digit)
    }

    fn head(&self, line: &str, more: &[u8]) -> Option<Head> {
        head::read(line, more)
    }

    fn in_block(&self, line: &str) -> InBlock {
        if frame::is_frame(line) {
            return InBlock::Body;
        }
        if stops::is_event(line) {
            return InBlock::Ends;
        }
        // Source lines around the place of the stop: `-> 12  lock();`.
        if frame::is_source(line) { InBlock::Noise } else { InBlock::Unknown }
    }

    fn breaks_off(&self, line: &str) -> bool {
        !frame::is_whole(line)
    }

    fn outside(&self, line: &str, _section: Option<&'static str>) -> Outside {
        if stops::is_event(line) {
            return Outside::Event;
        }
        if frame::is_source(line) || stops::is_noise(line) { Outside::Noise } else { Outside::Unknown }
    }

    fn body(&self, block: &[BlockLine<'_>]) -> Body {
        frame::body(block)
    }

    fn on_thread(&self, memory: &mut Memory, dumps: &mut Dumps, thread: &Thread, offset: u64) -> bool {
        let is_repeated = !memory.seen.insert(&thread.id);
        if is_repeated {
            memory.seen.clear();
            memory.seen.insert(&thread.id);
        }
        let is_other = memory.has_run
            || is_repeated
                && !memory.is_prompted
                && dumps.open().is_some_and(|b| stops::has_stacks(&b.snapshot));
        if is_other {
            dumps.end();
            memory.seen.clear();
            memory.seen.insert(&thread.id);
        }
        memory.has_run = false;
        if is_repeated || is_other {
            memory.is_prompted = false;
        }
        let building = dumps.current(offset);
        let snapshot = &mut building.snapshot;
        if snapshot.threads.is_empty() {
            snapshot.process = memory.process.clone();
        }
        if let Some(reason) = memory.reason.take() {
            reason::tell(snapshot, &reason, memory.is_core);
        }
        true
    }

    fn on_event(&self, memory: &mut Memory, dumps: &mut Dumps, line: &str, _offset: u64) {
        if let Some(reason) = reason::Reason::read(line) {
            memory.reason = Some(reason);
            return;
        }
        match stops::event(line, &mut memory.process) {
            stops::Event::Prompt => memory.is_prompted = true,
            // `thread list` begins with it as well.
            stops::Event::Stopped => {
                memory.has_run |= !memory.is_prompted && dumps.open().is_some();
            }
            stops::Event::Core => {
                memory.is_core = true;
                memory.has_run = dumps.open().is_some();
            }
            stops::Event::Runs => {
                memory.has_run = dumps.open().is_some();
                memory.is_prompted = false;
                memory.is_core &= !line.contains("attach");
            }
            stops::Event::Nothing => {}
        }
    }
}

#[cfg(test)]
mod tests;
