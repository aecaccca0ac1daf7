//! The text of WinDbg, cdb, ntsd and kd, and of minidump-stackwalk.
//!
//! Source: the debugger's documentation (learn.microsoft.com/windows-hardware/drivers/debuggercmds: k, ~, !analyze,
//! !locks, !cs, !uniqstack, !runaway, !thread); Breakpad src/processor/stackwalk_common.cc; rust-minidump 0.10 to 0.24
//! minidump-processor/src/process_state.rs (`print`).

mod analyzed;
mod breakpoint;
mod bugcheck;
mod columns;
mod death;
mod entering;
mod frame;
mod head;
mod join;
mod locks;
mod operand;
mod resources;
mod session;
mod thread_fields;

use super::text::{
    self, BlockLine, Body, Dumps, Grammar, Head, InBlock, LONGEST_PREFIX, Masked, Outside, Section, Site,
};
use super::{About, Format, Reader};
use crate::model::{FormatId, Snapshot, Thread, lossy};

/// The row of this format.
pub const FORMAT: Format = Format {
    id: FormatId::new("windbg"),
    name: "the text of WinDbg",
    looked_for: "lines `0  Id: 1a2c.1b30 Suspend: …`, `Child-SP  RetAddr  Call Site`, `Thread 0 (crashed)` with `Found by:`",
    about: About {
        producer: "WinDbg, cdb, ntsd and kd 4 to 10 and WinDbgX: ~*k, ~*kn, ~*kv, kb, !uniqstack, !analyze -v, !locks, !cs, !runaway, !thread; minidump-stackwalk of Breakpad and rust-minidump",
        reads: "threads with id, name and frames, critical sections with owner, waiters by their arguments (32 bits) or by !cs, CPU times, the exception",
        never: "the address of a lock on 64 bits without !cs or !locks; owners of SRW locks; what threads do that were not printed",
        capture: "cdb -p PID -pv -c \"~*kv; !locks; !runaway 3; qd\"",
    },
    reader: Reader::Text {
        anchors: &[
            "ChildEBP",
            "Child-SP",
            "RetAddr           :",
            "STACK_TEXT:",
            "Suspend: ",
            "  Cid ",
            "Found by: ",
        ],
        confirm,
        parse,
    },
};

fn parse(section: &Section<'_>) -> Vec<Snapshot> {
    text::read(&Windbg, FORMAT.id, section)
}

/// A header of a thread or of a stack's table.
fn confirm(site: &Site<'_>) -> Option<usize> {
    let before = site.before()?;
    let line = site.line();
    let begin = site.at - before.len();
    if line.starts_with(b"Found by: ") {
        let is_known = columns::FOUND_BY
            .iter()
            .any(|(how, _)| line.get(10..).is_some_and(|l| l.starts_with(how.as_bytes())));
        return is_known.then(|| site.indented(4));
    }
    if let Some(count) = line.strip_prefix(b"Suspend: ") {
        // `Suspend: …` is prose.
        count.first().filter(|byte| byte.is_ascii_digit())?;
        let text = lossy(before).into_owned();
        let start = text.rfind(" Id: ").or_else(|| text.rfind(" id: "))?;
        // `.  0  Id: `: a mark and a number of three places; of two before version 6.
        let end = text.get(..start)?.trim_end().len();
        let width = if text.get(start..)?.starts_with(" Id: ") { 4 } else { 3 };
        let own = end.saturating_sub(width);
        let is_own = |c: char| c.is_ascii_digit() || matches!(c, ' ' | '.' | '#' | '*');
        let lead = text.get(..end)?.trim_end_matches(is_own).len();
        return Some(begin + own.max(lead));
    }
    if line.starts_with(b"  Cid ") || line.starts_with(b"Cid ") {
        let start = memchr::memmem::rfind(before, b"THREAD ")?;
        let own = [before.get(start..)?, site.line()].concat();
        return head::kernel(&lossy(&own)).map(|_| begin + start);
    }
    if line.starts_with(b"STACK_TEXT:") {
        return Some(site.at);
    }
    let has_columns = head::is_table(&lossy(line));
    let lead = before.iter().rev().take_while(|b| matches!(b, b' ' | b'#')).count();
    (has_columns && !is_managed(site, begin)).then_some(site.at - lead.min(3))
}

/// Whether the table whose header begins here is one of `!clrstack`: SOS of .NET Framework 2 writes the same header on 64
/// bits, below `OS Thread Id: 0x1a2c (3)`.
fn is_managed(site: &Site<'_>, begin: usize) -> bool {
    let above =
        site.text.get(begin.saturating_sub(LONGEST_PREFIX)..begin).unwrap_or_default().trim_ascii_end();
    let line = memchr::memrchr(b'\n', above).map_or(above, |n| above.get(n + 1..).unwrap_or_default());
    memchr::memmem::find(line, b"OS Thread Id: 0x").is_some()
}

/// The header of the only column of `kc`.
const CALL_SITE: &str = "Call Site";

struct Windbg;

impl Grammar for Windbg {
    type Memory = session::Memory;
    const MASKS_HEX: bool = false;

    fn masked(&self, line: &[u8]) -> Masked {
        let text = lossy(line.get(..line.len().min(512)).unwrap_or(line));
        match columns::read(&text) {
            Some(columns) => Masked::Columns(0..columns.symbol),
            None if head::wait_object(&text).is_some() => Masked::Columns(0..line.len()),
            None => Masked::Nothing,
        }
    }

    fn may_begin(&self, line: &[u8]) -> bool {
        let text = line.trim_ascii_start();
        match text.first() {
            // Most frames begin with their number as well.
            Some(b'0'..=b'9') => {
                let digits = text.iter().take_while(|b| b.is_ascii_digit()).count();
                let rest = text.get(digits..).unwrap_or_default().trim_ascii_start();
                rest.starts_with(b"Id: ") || rest.starts_with(b"id: ")
            }
            first => matches!(first, Some(b'.' | b'#' | b'T' | b'C' | b'R' | b'S')),
        }
    }

    fn head(&self, line: &str, more: &[u8]) -> Option<Head> {
        head::read(line, more)
    }

    fn in_block(&self, line: &str) -> InBlock {
        if columns::is_body(line) || head::wait_object(line).is_some() {
            return InBlock::Body;
        }
        if session::is_event(line) {
            return InBlock::Ends;
        }
        let is_noise = session::is_noise(line) || head::is_other_object(line) || line.trim() == CALL_SITE;
        if is_noise { InBlock::Noise } else { InBlock::Unknown }
    }

    fn breaks_off(&self, line: &str) -> bool {
        !frame::is_whole(line)
    }

    fn outside(&self, line: &str, _section: Option<&'static str>) -> Outside {
        // Within a stack it is the place of whoever runs.
        if session::is_event(line) || breakpoint::operation(line).is_some() && !columns::is_body(line) {
            return Outside::Event;
        }
        let is_noise = session::is_noise(line) || columns::is_body(line);
        if is_noise { Outside::Noise } else { Outside::Unknown }
    }

    fn body(&self, block: &[BlockLine<'_>]) -> Body {
        frame::body(block)
    }

    fn on_thread(
        &self,
        memory: &mut session::Memory,
        dumps: &mut Dumps,
        thread: &Thread,
        offset: u64,
    ) -> bool {
        memory.thread(dumps, thread, offset);
        true
    }

    fn on_event(&self, memory: &mut session::Memory, dumps: &mut Dumps, line: &str, _offset: u64) {
        memory.event(dumps, line);
    }

    fn on_end(&self, memory: &mut session::Memory, dumps: &mut Dumps) {
        memory.close(dumps);
    }
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_stops;
