//! Stacks of managed threads by `dotnet-stack report`.
//!
//! Source: dotnet/diagnostics src/Tools/dotnet-stack/ReportCommand.cs, 6 to 9.

use super::dotnet;
use super::text::{self, BlockLine, Body, Dumps, Grammar, Head, InBlock, Outside, Section, SeenIds, Site};
use super::{About, Format, Reader};
use crate::model::{FormatId, GapKind, Snapshot, Str, Thread, ThreadId, lossy};

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
    let mut snapshots = text::read(&DotnetStack, FORMAT.id, section);
    for snapshot in &mut snapshots {
        // No limit that a larger one would mend, so that the dump as such is as whole as this producer makes them.
        snapshot.is_complete = false;
        snapshot.gaps.add(GapKind::Unsupported, MANAGED_ONLY, None);
    }
    snapshots
}

/// What each of these dumps lacks: a process of .NET has threads of the runtime's own, the one that answers dotnet-stack
/// among them.
const MANAGED_ONLY: &str =
    "dotnet-stack shows the threads that run managed code; the others of the process are not in the text";

fn confirm(site: &Site<'_>) -> Option<usize> {
    if !site.rest().starts_with(b"Thread (0x") {
        return None;
    }
    // A frame, or `[Native Frames]`, is indented by two blanks; a thread without frames is followed by nothing.
    let prefix = site.before()?.len();
    let next = site.following(1).next().unwrap_or_default();
    let next = next.get(prefix.min(next.len())..).unwrap_or_default();
    header(&lossy(site.line()), next)?;
    let next = lossy(next);
    (next.trim().is_empty() || is_frame(&next)).then_some(site.at)
}

/// `Thread (0x1A2B):`, and with a name in quotes behind it should one come. `more`: what follows the line.
fn header(line: &str, more: &[u8]) -> Option<Head> {
    let (id, rest) = line.strip_prefix("Thread (")?.split_once(')')?;
    let number = u64::from_str_radix(id.strip_prefix("0x")?, 16).ok()?;
    let rest = rest.trim();
    let field = rest.trim_matches([':', ' ']);
    let name = field.strip_prefix('"').and_then(|name| name.strip_suffix('"'));
    // Prose goes on behind it as well: below a header of a form that is not known stands a frame.
    let is_form = rest == ":" || (name.is_some() && (rest.starts_with(':') || rest.ends_with(':')));
    if !is_form && !is_frame(&lossy(more.split(|b| *b == b'\n').next().unwrap_or_default())) {
        return None;
    }
    let mut thread = Thread::new(ThreadId::Text(id.into()));
    thread.tid = u32::try_from(number).ok();
    thread.name = name.filter(|name| !name.is_empty()).map(Str::from);
    let mut head = Head::of(thread);
    head.unknown = (!is_form && !field.is_empty()).then(|| field.to_owned());
    Some(head)
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

    fn head(&self, line: &str, more: &[u8]) -> Option<Head> {
        header(line, more)
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
