//! Stacks of managed threads by `dotnet-stack report`.
//!
//! Source: dotnet/diagnostics src/Tools/dotnet-stack/ReportCommand.cs, 6 to 9.

use super::dotnet;
use super::text::{self, BlockLine, Body, Dumps, Grammar, Head, InBlock, Outside, Section, SeenIds, Site};
use super::{About, Format, Reader};
use crate::model::{FormatId, Snapshot, Str, Thread, ThreadId, lossy};

/// The row of this format.
pub const FORMAT: Format = Format {
    id: FormatId::new("dotnet-stack"),
    name: "stacks by dotnet-stack",
    looked_for: "lines `Thread (0x1A2B):`, with indented frames below them",
    about: About {
        producer: "dotnet-stack report of .NET diagnostics 6 to 9",
        reads: "managed threads with the id of the operating system and their frames",
        never: "threads that run no managed code; names, locks, states, CPU time; native frames",
        capture: "dotnet-stack report -p PID (for locks: dotnet-dump collect, then clrstack -all and syncblk)",
    },
    reader: Reader::Text { anchors: &["Thread "], confirm, parse },
};

fn parse(section: &Section<'_>) -> Vec<Snapshot> {
    text::read(&DotnetStack, FORMAT.id, section)
}

fn confirm(site: &Site<'_>) -> Option<usize> {
    if !site.rest().starts_with(b"Thread (0x") {
        return None;
    }
    header(&lossy(site.line()))?;
    // A frame, or `[Native Frames]`, is indented by two blanks; a thread without frames is followed by nothing.
    let prefix = site.before()?.len();
    let next = site.following(1).next().unwrap_or_default();
    let next = lossy(next.get(prefix.min(next.len())..).unwrap_or_default());
    (next.trim().is_empty() || is_frame(&next)).then_some(site.at)
}

/// `Thread (0x1A2B):`, and with a name behind it should one come.
fn header(line: &str) -> Option<Head> {
    let (id, rest) = line.strip_prefix("Thread (")?.split_once(')')?;
    let number = u64::from_str_radix(id.strip_prefix("0x")?, 16).ok()?;
    let rest = rest.trim();
    let is_named = rest.starts_with(": \"") && rest.ends_with('"');
    if !rest.ends_with(':') && !is_named {
        return None;
    }
    let mut thread = Thread::new(ThreadId::Text(id.into()));
    thread.tid = u32::try_from(number).ok();
    let name = rest.trim_matches([':', ' ', '"']);
    thread.name = (!name.is_empty()).then(|| Str::from(name));
    Some(Head::of(thread))
}

/// `  System.Console!System.Console.ReadKey()`, `  [Native Frames]`.
fn is_frame(line: &str) -> bool {
    let text = line.trim_start();
    text.len() < line.len() && (text.contains('!') || text.starts_with('['))
}

struct DotnetStack;

impl Grammar for DotnetStack {
    type Memory = SeenIds;
    const MASKS_HEX: bool = false;

    fn may_begin(&self, line: &[u8]) -> bool {
        line.starts_with(b"Thread (0x")
    }

    fn head(&self, line: &str, _more: &[u8]) -> Option<Head> {
        header(line)
    }

    fn in_block(&self, line: &str) -> InBlock {
        if is_frame(line) { InBlock::Body } else { InBlock::Unknown }
    }

    fn outside(&self, line: &str, _section: Option<&'static str>) -> Outside {
        // `Found 12 stacks.` of the newest releases.
        if line.starts_with("Found ") && line.ends_with(" stacks.") {
            Outside::Noise
        } else {
            Outside::Unknown
        }
    }

    fn body(&self, block: &[BlockLine<'_>]) -> Body {
        let frames =
            block.iter().filter_map(|line| dotnet::frame(line.text.trim())).map(Into::into).collect();
        Body { frames, ..Body::default() }
    }

    fn breaks_off(&self, line: &str) -> bool {
        !line.ends_with([')', ']'])
    }

    fn on_thread(&self, seen: &mut Self::Memory, dumps: &mut Dumps, thread: &Thread, offset: u64) -> bool {
        if !seen.insert(&thread.id) {
            dumps.begin(offset);
            seen.clear();
            seen.insert(&thread.id);
        }
        true
    }

    fn on_end(&self, _seen: &mut Self::Memory, dumps: &mut Dumps) {
        dumps.end();
    }
}

#[cfg(test)]
mod tests;
