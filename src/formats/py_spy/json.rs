//! `py-spy dump --json`: an array of threads.
//!
//! ```text
//! [
//!   {
//!     "pid": 14479,
//!     "thread_id": 140278625572544,
//!     "thread_name": "worker-59",
//!     "os_thread_id": 14614,
//!     "active": false,
//!     "owns_gil": false,
//!     "frames": [{"name": "log_message", "filename": "/srv/app/applog.py", "module": null, "line": 23, …}]
//!   }
//! ]
//! ```

use serde::Deserialize;

use super::with_kernel_id;
use crate::formats::python;
use crate::formats::text::json::{Document, Lenient, Number, Unknown, documents, key};
use crate::formats::text::{Body, Dumps, Section, Site};
use crate::model::{FormatId, GapKind, ReportedState, Snapshot, Thread, ThreadId};

/// A key that each thread has.
pub(super) const KEY: &str = "owns_gil";

/// The same as it stands in a document.
pub(super) const QUOTED: &str = "\"owns_gil\"";

#[derive(Deserialize)]
struct Record {
    #[serde(default)]
    pid: Number,
    #[serde(default)]
    thread_id: Number,
    #[serde(default)]
    thread_name: Lenient<String>,
    #[serde(default)]
    os_thread_id: Number,
    #[serde(default)]
    active: Lenient<serde_json::Value>,
    #[serde(default)]
    owns_gil: Lenient<bool>,
    #[serde(default)]
    frames: Lenient<Vec<RecordFrame>>,
    #[serde(default, rename = "process_info")]
    _process_info: Lenient<serde::de::IgnoredAny>,
    #[serde(flatten)]
    unknown: Unknown,
}

impl Record {
    /// Where the text breaks off a thread may have nothing.
    fn has_id(&self) -> bool {
        self.thread_id.0.or(self.os_thread_id.0).is_some()
    }
}

#[derive(Deserialize)]
struct RecordFrame {
    #[serde(default)]
    name: Lenient<String>,
    #[serde(default)]
    filename: Lenient<String>,
    #[serde(default)]
    module: Lenient<String>,
    #[serde(default)]
    line: Lenient<i64>,
}

/// Where the key stands in a document of threads.
pub(super) fn confirm(site: &Site<'_>) -> Option<usize> {
    let (start, value) = key(site, KEY, 32)?;
    value.trim_ascii_start().starts_with(b":").then_some(start)
}

/// All dumps of this kind in a text.
pub(super) fn read(section: &Section<'_>, format: FormatId) -> Vec<Snapshot> {
    if !section.has(QUOTED) {
        return Vec::new();
    }
    let is_dump = |records: &Vec<Record>| records.iter().any(|r| r.owns_gil.0.is_some());
    let mut dumps = Dumps::new(section, format);
    for document in documents(&section.text, section.first, is_dump) {
        add(document, section, &mut dumps);
    }
    dumps.snapshots()
}

/// One dump a process: with `--subprocesses` the children stand in the same array.
fn add(document: Document<Vec<Record>>, section: &Section<'_>, dumps: &mut Dumps) {
    let offset = section.offset(document.at);
    let mut pids: Vec<Option<u64>> = Vec::new();
    for record in document.value.iter().filter(|record| record.has_id()) {
        if !pids.contains(&record.pid.0) && pids.len() < MOST_PROCESSES {
            pids.push(record.pid.0);
        }
    }
    for pid in pids {
        let building = dumps.begin(offset);
        building.snapshot.process.pid = pid.and_then(|pid| u32::try_from(pid).ok());
        for record in document.value.iter().filter(|record| record.pid.0 == pid && record.has_id()) {
            for name in &record.unknown.0 {
                let message = "fields of threads are not known and were passed over";
                building.snapshot.gaps.add_like(GapKind::SkippedText, message, name, offset);
            }
            if let (Some(active), None) = (&record.active.0, is_active(record)) {
                let message = "words for what threads do are not known";
                building.snapshot.gaps.add_like(GapKind::SkippedText, message, &active.to_string(), offset);
            }
            building.push(thread(record), &body(record), &[], offset);
        }
        document.missing.tell(building, offset);
    }
}

/// More processes in one document are not looked at.
const MOST_PROCESSES: usize = 256;

/// Whether it runs; `None` where that is said in another way than with a yes or no, or not at all.
fn is_active(record: &Record) -> Option<bool> {
    record.active.0.as_ref().and_then(serde_json::Value::as_bool)
}

fn thread(record: &Record) -> Thread {
    let mut thread = match (record.os_thread_id.0, record.thread_id.0) {
        (Some(id), _) => with_kernel_id(id),
        (None, Some(address)) => Thread::new(ThreadId::Text(format!("{address:#X}").into())),
        (None, None) => Thread::new(ThreadId::Number(0)),
    };
    thread.handle = record.thread_id.0;
    thread.name = record.thread_name.0.as_deref().map(Into::into);
    thread.reported = Some(match (is_active(record), record.owns_gil.0) {
        (Some(true), Some(true)) => ReportedState::Running,
        (Some(true), _) => ReportedState::RunningOrNative,
        (Some(false), _) => ReportedState::Asleep,
        (None, _) => ReportedState::Unclear,
    });
    thread
}

fn body(record: &Record) -> Body {
    let frames = record.frames.0.iter().flatten().map(|f| {
        let name = f.name.0.as_deref().unwrap_or_default();
        let line = f.line.0.and_then(|line| u32::try_from(line).ok());
        let mut frame = python::frame(name, f.filename.0.as_deref(), line);
        frame.module = f.module.0.as_deref().map(Into::into);
        frame.into()
    });
    let holds = if record.owns_gil.0 == Some(true) { vec![python::gil_hold()] } else { Vec::new() };
    Body { frames: frames.collect(), holds, ..Body::default() }
}
