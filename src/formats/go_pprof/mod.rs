//! Go's goroutine profile, `/debug/pprof/goroutine?debug=1`: goroutines with one stack are one group with a count.
//!
//! ```text
//! goroutine profile: total 27
//! 20 @ 0x4376f6 0x44643e 0x45dbc5 0x465565 0x4b48dc
//! # labels: {"k":"v"}
//! #    0x465564    sync.(*Mutex).lockSlow+0x164    /usr/local/go/src/sync/mutex.go:171
//! ```
//!
//! It has no ids and no states, and hides the runtime's innermost frames (`chanrecv`, `selectgo`). But each
//! goroutine that waits stands in `runtime.gopark`, at one address for all of them, and the lists behind `@` do
//! not hide it: that is the first address that most goroutines have in common.
//!
//! Source: Go 1.19-1.26 src/runtime/pprof/pprof.go (`printCountProfile`, `printStackRecord`).

use rustc_hash::FxHashMap;

use super::text::{self, BlockLine, Body, Dumps, Grammar, Head, InBlock, Outside, Section, Site};
use super::{About, Format, Reader};
use crate::model::{
    FormatId, Frame, GapKind, Listing, ReportedState, Snapshot, Thread, ThreadId, ThreadKind, lossy,
};

/// The row of this format.
pub const FORMAT: Format = Format {
    id: FormatId::new("go-pprof"),
    name: "a goroutine profile of Go",
    looked_for: "a line `goroutine profile: total N`",
    about: About {
        producer: "runtime/pprof of Go 1.19 to 1.26: /debug/pprof/goroutine?debug=1, pprof.Lookup(\"goroutine\").WriteTo(w, 1), goroutineleak",
        reads: "how many goroutines have each stack; functions, files, lines",
        never: "single goroutines, their states, how long they wait, who created them, which lock: debug=2 says these",
        capture: "curl 'localhost:6060/debug/pprof/goroutine?debug=1'",
    },
    reader: Reader::Text { anchors: &["profile: total "], confirm, parse },
};

/// Names of the profile before `profile: total 27`.
const NAMES: [&str; 2] = ["goroutine ", "goroutineleak "];

/// The most goroutines that a line can claim: sums of them stay numbers.
const MOST: u64 = u32::MAX as u64;

fn confirm(site: &Site<'_>) -> Option<usize> {
    let before = site.before()?;
    let name = NAMES.iter().find(|name| before.ends_with(name.as_bytes()))?;
    let line = lossy(site.line());
    total(&format!("{name}{line}"))?;
    Some(site.at - name.len())
}

/// `goroutine profile: total 27`
fn total(line: &str) -> Option<u64> {
    let rest = NAMES.iter().find_map(|name| line.strip_prefix(name))?;
    rest.strip_prefix("profile: total ")?.trim().parse().ok()
}

fn parse(section: &Section<'_>) -> Vec<Snapshot> {
    text::read(&GoPprof { parked: parked(&section.text) }, FORMAT.id, section)
}

/// The address in `runtime.gopark` that goroutines which wait return to.
fn parked(text: &[u8]) -> Option<u64> {
    let mut counts: FxHashMap<u64, u64> = FxHashMap::default();
    for at in memchr::memmem::find_iter(text, b" @ 0x") {
        let start = memchr::memrchr(b'\n', text.get(..at)?).map_or(0, |n| n + 1);
        let line = text::first_line(text.get(start..)?);
        let line = lossy(line.get(..line.len().min(LONGEST_COUNT))?);
        if let Some((count, first)) = group(&line) {
            *counts.entry(first).or_default() += count;
        }
    }
    counts.into_iter().max_by_key(|&(address, count)| (count, address)).map(|(address, _)| address)
}

/// As much of a group's line as is looked at, bytes: the count and the first address.
const LONGEST_COUNT: usize = 64;

/// `20 @ 0x4376f6 0x44643e …`: the count and the first address.
fn group(line: &str) -> Option<(u64, u64)> {
    let (count, addresses) = line.split_once(" @")?;
    let count: u64 = count.parse().ok()?;
    let first = addresses.split_ascii_whitespace().next()?;
    let first = u64::from_str_radix(first.strip_prefix("0x")?, 16).ok()?;
    Some((count.min(MOST), first))
}

struct GoPprof {
    parked: Option<u64>,
}

/// What is remembered between groups: how many goroutines the header claims, and how many came.
#[derive(Default)]
struct Memory {
    total: Option<u64>,
    seen: u64,
}

impl Grammar for GoPprof {
    type Memory = Memory;
    const MASKS_HEX: bool = false;

    fn may_begin(&self, line: &[u8]) -> bool {
        line.first().is_some_and(u8::is_ascii_digit)
    }

    fn head(&self, line: &str, more: &[u8]) -> Option<Head> {
        let (count, first) = group(line)?;
        let mut thread = Thread::new(ThreadId::Number(0));
        thread.kind = ThreadKind::Goroutine;
        thread.weight = count;
        // A goroutine that runs, or is in a system call, shows that function first.
        let shown = first_shown(more);
        if self.parked == Some(first) && shown.is_some_and(|shown| shown.wrapping_add(1) != first) {
            thread.reported = Some(ReportedState::Parked);
        }
        Some(Head::of(thread))
    }

    fn in_block(&self, line: &str) -> InBlock {
        if frame(line).is_some() {
            InBlock::Body
        } else if total(line).is_some() {
            InBlock::Ends
        } else if line.starts_with('#') {
            InBlock::Noise
        } else {
            InBlock::Unknown
        }
    }

    fn outside(&self, line: &str, _section: Option<&'static str>) -> Outside {
        if total(line).is_some() { Outside::Event } else { Outside::Unknown }
    }

    fn body(&self, block: &[BlockLine<'_>]) -> Body {
        let frames = block.iter().filter_map(|line| frame(line.text)).map(Into::into).collect();
        Body { frames, ..Body::default() }
    }

    fn on_thread(&self, memory: &mut Memory, dumps: &mut Dumps, thread: &Thread, offset: u64) -> bool {
        dumps.current(offset).snapshot.listing = Listing::Groups;
        memory.seen = memory.seen.saturating_add(thread.weight);
        true
    }

    fn on_event(&self, memory: &mut Memory, dumps: &mut Dumps, line: &str, offset: u64) {
        close(memory, dumps);
        dumps.begin(offset).snapshot.process.runtime = Some("Go".into());
        memory.total = total(line);
    }

    fn on_end(&self, memory: &mut Memory, dumps: &mut Dumps) {
        close(memory, dumps);
    }
}

/// The first address that the lines of frames after a group's line show.
fn first_shown(more: &[u8]) -> Option<u64> {
    let mut rest = more;
    for _ in 0..3 {
        let line = text::first_line(rest);
        let shown = lossy(line.get(..line.len().min(LONGEST_COUNT))?);
        if let Some((address, _)) = shown_at(&shown) {
            return Some(address);
        }
        rest = rest.get(line.len() + 1..)?;
    }
    None
}

/// The address of a frame's line, and what stands behind it. Between the columns are tabs, which become blanks where the
/// profile is copied; a heading of Markdown takes the `#`.
fn shown_at(line: &str) -> Option<(u64, &str)> {
    let text = line.trim_start();
    let text = text.strip_prefix('#').unwrap_or(text).trim_start();
    let (address, rest) = text.strip_prefix("0x")?.split_once([' ', '\t'])?;
    Some((u64::from_str_radix(address, 16).ok()?, rest.trim_start()))
}

/// `#    0x465564    sync.(*Mutex).lockSlow+0x164    /usr/local/go/src/sync/mutex.go:171`
fn frame(line: &str) -> Option<Frame> {
    let (address, rest) = shown_at(line)?;
    let (function, place) = rest.split_once([' ', '\t']).unwrap_or((rest, ""));
    let place = place.trim();
    let name = function.rsplit_once("+0x").map_or(function, |(name, _)| name);
    let (file, number) = match place.rsplit_once(':') {
        Some((file, number)) => (file, number.parse().ok()),
        None => (place, None),
    };
    Some(Frame {
        function: Some(name.into()),
        file: Some(file).filter(|file| !file.is_empty()).map(Into::into),
        line: number,
        address: Some(address),
        ..Frame::default()
    })
}

fn close(memory: &mut Memory, dumps: &mut Dumps) {
    let Memory { total, seen } = std::mem::take(memory);
    if let (Some(total), Some(building)) = (total, dumps.open())
        && seen < total
    {
        let snapshot = &mut building.snapshot;
        snapshot.is_complete = false;
        let message = format!("the profile is of {total} goroutines, and the text has {seen} of them");
        snapshot.gaps.add(GapKind::Truncated, message, None);
    }
    dumps.end();
}

#[cfg(test)]
mod tests;
