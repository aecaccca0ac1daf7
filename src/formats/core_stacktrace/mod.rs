//! `core_backtrace` of ABRT: stacks of a core as JSON, alone or in a µReport.
//!
//! Source: satyr 0.13 to 0.43 lib/core_stacktrace.c, core_thread.c, core_frame.c (`…_to_json`), lib/report.c.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::elf_core;
use super::text::json::{Document, Kind, Lenient, Number, Unknown, each_document};
use super::text::json_list::{Record, parts};
use super::text::words::file_name;
use super::text::{Body, BodyFrame, Dumps, Section, Site, is_limited};
use super::{About, Format, Reader};
use crate::model::{FormatId, Frame, FrameKind, GapKind, Signal, Snapshot, Str, Thread, ThreadId, ThreadIx};

/// The row of this format.
pub const FORMAT: Format = Format {
    id: FormatId::new("core-stacktrace"),
    name: "a core_backtrace of ABRT",
    looked_for: "JSON with `\"stacktrace\"` and `\"crash_thread\"`",
    about: About {
        producer: "ABRT and satyr 0.13 to 0.43: core_backtrace, µReports of cores",
        reads: "threads with frames, modules and offsets, the thread that crashed, the signal, the executable",
        never: "ids and names of threads, arguments, sources, which lock a thread waits for",
        capture: "abrt-action-analyze-ccpp-local, or the file core_backtrace in /var/spool/abrt/*/",
    },
    reader: Reader::Text {
        anchors: &["\"stacktrace\"", "\"signal\"", "\\\"stacktrace\\\"", "\\\"signal\\\""],
        confirm,
        parse,
    },
};

/// `"stacktrace":` with what a frame of a core has soon after, `"signal":` with both; in the JSON of a container they
/// are escaped.
fn confirm(site: &Site<'_>) -> Option<usize> {
    let rest = site.rest();
    let rest = rest.get(..rest.len().min(WINDOW))?;
    let has = |word: &[u8]| memchr::memmem::find(rest, word).is_some();
    let is_meant = has(b"stacktrace") && has(b"frames") && (has(b"\"address") || has(b"build_id"));
    if !is_meant {
        return None;
    }
    // `INFO {"executable":"/usr/bin/x","signal"`, `,   "stacktrace"`, or a key with its indentation.
    let before = site.before()?;
    let begin = site.at - before.len();
    let lead = before.trim_ascii_end();
    Some(match memchr::memchr(b'{', before) {
        Some(open) => begin + open,
        None if lead.is_empty() => begin,
        None if lead.ends_with(b",") => begin + lead.len() - 1,
        None => site.indented(INDENTATION),
    })
}

/// How far the keys of a document are indented.
const INDENTATION: usize = 2;

/// How soon after the key a frame is expected, bytes.
const WINDOW: usize = 4096;

struct CoreStacktrace;

impl Kind for CoreStacktrace {
    type Document<'d> = Report<'d>;
}

#[derive(Deserialize)]
struct Report<'d> {
    #[serde(default)]
    signal: Number,
    #[serde(default)]
    executable: Lenient<String>,
    #[serde(default)]
    only_crash_thread: Lenient<bool>,
    #[serde(default, borrow)]
    stacktrace: Vec<&'d RawValue>,
    /// A µReport has all of this inside.
    #[serde(default, borrow)]
    problem: Option<Box<Report<'d>>>,
    #[serde(flatten)]
    unknown: Unknown,
}

#[derive(Deserialize)]
struct JsonThread<'d> {
    #[serde(default)]
    crash_thread: Lenient<bool>,
    #[serde(default)]
    tid: Number,
    #[serde(default, borrow)]
    frames: Option<&'d RawValue>,
}

#[derive(Deserialize)]
struct JsonFrame {
    #[serde(default)]
    address: Number,
    #[serde(default)]
    build_id_offset: Number,
    #[serde(default)]
    function_name: Lenient<String>,
    #[serde(default)]
    file_name: Lenient<String>,
    #[serde(default)]
    source_file: Lenient<String>,
    #[serde(default)]
    line_number: Number,
    #[serde(default)]
    inlined: Lenient<bool>,
}

impl Report<'_> {
    fn core(&self) -> &Self {
        match &self.problem {
            Some(problem) if self.stacktrace.is_empty() => problem,
            _ => self,
        }
    }
}

/// Fields of a report that are known and say nothing here.
static KNOWN: &[&str] = &[
    "component",
    "type",
    "user",
    "serial",
    "reason",
    "os",
    "packages",
    "reporter",
    "ureport_version",
    "related_packages",
    "package",
];

fn parse(section: &Section<'_>) -> Vec<Snapshot> {
    let mut dumps = Dumps::new(section, FORMAT.id);
    each_document::<CoreStacktrace>(&section.text, section.first, |document| {
        add(&mut dumps, &document, section)
    });
    dumps.snapshots()
}

/// Adds a report. False: the document is none.
fn add(dumps: &mut Dumps, document: &Document<Report<'_>>, section: &Section<'_>) -> bool {
    let report = document.value.core();
    let parts = parts(&report.stacktrace, |thread: &JsonThread<'_>| thread.frames, body);
    if !parts.iter().any(|part| part.has_frame(|_| true)) {
        return false;
    }
    let offset = section.offset(document.at);
    let building = dumps.begin(offset);
    document.missing.tell(building, offset);
    let mut crashed = None;
    for mut part in parts {
        part.tell(building, offset);
        for Record { number, said: thread, stack } in part.records {
            let Some(stack) = part.stacks.get_mut(stack) else { continue };
            let mut made = Thread::new(ThreadId::Number(thread.tid.0.unwrap_or(number as u64 + 1)));
            made.tid = thread.tid.0.and_then(|tid| u32::try_from(tid).ok());
            let ix = building.push_with(made, stack, None, &[], offset);
            if thread.crash_thread.0 == Some(true) {
                crashed = Some(ix);
            }
        }
    }
    let snapshot = &mut building.snapshot;
    let process = &mut snapshot.process;
    process.os = Some("linux".into());
    process.name = report.executable.0.as_deref().map(|path| file_name(path).into());
    process.command_line = report.executable.0.as_deref().map(Str::from);
    let only = (snapshot.threads.len() == 1).then_some(ThreadIx(0));
    if let Some(number) = report.signal.0.and_then(|n| i32::try_from(n).ok()).filter(|n| *n > 0) {
        let name = elf_core::signal_name(number).into();
        let thread = crashed.or(only);
        process.signal = Some(Signal { number: Some(number), name, thread, ..Signal::default() });
    }
    if report.only_crash_thread.0 == Some(true) {
        is_limited(snapshot, "the report has the thread that crashed, and no other one", None);
    }
    for field in report.unknown.0.iter().filter(|field| !KNOWN.contains(&field.as_str())) {
        let message = "fields of the document are not known and were passed over";
        snapshot.gaps.add_like(GapKind::SkippedText, message, field, offset);
    }
    true
}

fn body(frames: &str) -> Option<Body> {
    let frames: Vec<JsonFrame> = serde_json::from_str(frames).ok()?;
    let frames = frames.iter().map(|f| BodyFrame::from(frame(f))).collect();
    Some(Body { frames, ..Body::default() })
}

fn frame(frame: &JsonFrame) -> Frame {
    let text = |value: &Lenient<String>| value.0.as_deref().filter(|t| !t.is_empty()).map(Str::from);
    Frame {
        function: text(&frame.function_name).filter(|name| &**name != "??"),
        module: text(&frame.file_name),
        module_offset: frame.build_id_offset.0,
        file: text(&frame.source_file),
        line: frame.line_number.0.and_then(|line| u32::try_from(line).ok()),
        address: frame.address.0,
        kind: if frame.inlined.0 == Some(true) { FrameKind::Inlined } else { FrameKind::Normal },
        ..Frame::default()
    }
}

#[cfg(test)]
mod tests;
