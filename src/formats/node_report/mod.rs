//! Diagnostic reports of Node.js: `process.report`, `--report-on-signal`, `--report-uncaught-exception`,
//! `--report-on-fatalerror`.
//!
//! ```text
//! {"header": {"reportVersion": 4, "event": "Exception", "trigger": "Exception", "processId": 31516, "threadId": 0,
//!             "dumpEventTime": "2026-11-28T19:51:30Z", "commandLine": ["node", "service.js"],
//!             "nodejsVersion": "v20.20.2", "arch": "x64", "platform": "linux", …},
//!  "javascriptStack": {"message": "TypeError: …", "stack": ["at parseOrder (/srv/app/service.js:34:22)"]},
//!  "nativeStack": [{"pc": "0x0000000000d59a08", "symbol": "node::TriggerNodeReport(…) [node]"}],
//!  "uvthreadResourceUsage": {"userCpuSeconds": 0.02, "kernelCpuSeconds": 0.007}, "libuv": […],
//!  "workers": [{"header": {…, "threadId": 2}, "javascriptStack": {"message": "API", "stack": […]}, …}]}
//! ```
//!
//! A thread without a JavaScript stack (`No stack.`, `Unavailable.`) is in its event loop. Handles of libuv are no
//! threads.
//!
//! Source: Node.js 11-24 src/node_report.cc.

mod frame;

use serde::Deserialize;

use super::text::json::{Document, Lenient, Number, documents, is_key, key};
use super::text::{Body, Building, Dumps, Section, Site};
use super::{About, Format, Reader};
use crate::model::{
    Arch, Failure, FailureKind, FormatId, GapKind, ReportedState, Snapshot, StackEnd, Thread, ThreadId,
    ThreadIx,
};

/// The row of this format.
pub const FORMAT: Format = Format {
    id: FormatId::new("node-report"),
    name: "a Node.js diagnostic report",
    looked_for: "JSON with `nodejsVersion`",
    about: About {
        producer: "Node.js 11.8 to 24: process.report.writeReport, --report-on-signal, --report-uncaught-exception, --report-on-fatalerror",
        reads: "the main thread and the workers with their JavaScript stacks and CPU times; the native stack where there is no other; pid, command line, version, platform; the exception or fatal error",
        never: "threads of libuv's pool and of V8; requests that wait for that pool; who holds what several workers share (Atomics.wait); with a full heap the workers",
        capture: "node --report-on-signal app.js, then kill -USR2 PID",
    },
    reader: Reader::Text { anchors: ANCHORS, confirm, parse },
};

/// The keys, and the same inside a log that is JSON.
const ANCHORS: &[&str] =
    &["\"nodejsVersion\"", "\"reportVersion\"", "\\\"nodejsVersion\\\"", "\\\"reportVersion\\\""];

/// A key of each header.
const KEY: &str = "nodejsVersion";

/// The key that stands first in it since version 12: in a report of one line (`--report-compact`) the other one is too
/// far from the begin.
const FIRST_KEY: &str = "reportVersion";

/// The other key with its quotes.
const VERSION: &[u8] = b"\"nodejsVersion\"";

/// How far behind the first key the other one may stand, bytes.
const LONGEST_HEADER: usize = 32 << 10;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Report {
    header: Header,
    #[serde(default)]
    javascript_stack: Lenient<JavascriptStack>,
    #[serde(default)]
    native_stack: Lenient<Vec<NativeFrame>>,
    #[serde(default)]
    uvthread_resource_usage: Lenient<Usage>,
    #[serde(default)]
    workers: Vec<Lenient<Report>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Header {
    #[serde(default)]
    event: Lenient<String>,
    #[serde(default)]
    trigger: Lenient<String>,
    #[serde(default)]
    process_id: Number,
    #[serde(default)]
    thread_id: Number,
    #[serde(default)]
    dump_event_time: Lenient<String>,
    #[serde(default)]
    command_line: Lenient<Vec<String>>,
    nodejs_version: Lenient<String>,
    #[serde(default)]
    arch: Lenient<String>,
    #[serde(default)]
    platform: Lenient<String>,
}

#[derive(Deserialize)]
struct JavascriptStack {
    #[serde(default)]
    message: Lenient<String>,
    #[serde(default)]
    stack: Lenient<Vec<String>>,
}

#[derive(Deserialize)]
struct NativeFrame {
    #[serde(default)]
    pc: Lenient<String>,
    #[serde(default)]
    symbol: Lenient<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Usage {
    #[serde(default)]
    user_cpu_seconds: Lenient<f64>,
    #[serde(default)]
    kernel_cpu_seconds: Lenient<f64>,
}

fn confirm(site: &Site<'_>) -> Option<usize> {
    let is_first = is_key(site, FIRST_KEY);
    let (start, rest) = key(site, if is_first { FIRST_KEY } else { KEY }, LONGEST_HEADER)?;
    let value = match is_first {
        true => rest.get(memchr::memmem::find(&rest, VERSION)? + VERSION.len()..)?,
        false => &rest,
    };
    let value = value.trim_ascii_start().strip_prefix(b":")?;
    value.trim_ascii_start().starts_with(b"\"v").then_some(start)
}

fn parse(section: &Section<'_>) -> Vec<Snapshot> {
    let mut dumps = Dumps::new(section, FORMAT.id);
    let is_report = |report: &Report| report.header.nodejs_version.0.is_some();
    for document in documents(&section.text, section.first, is_report) {
        add(&document, section, &mut dumps);
    }
    dumps.snapshots()
}

fn add(document: &Document<Report>, section: &Section<'_>, dumps: &mut Dumps) {
    let offset = section.offset(document.at);
    let report = &document.value;
    let building = dumps.begin(offset);
    about_process(&report.header, building);
    push(report, building, offset);
    for worker in &report.workers {
        match &worker.0 {
            Some(worker) => push(worker, building, offset),
            None => {
                let message = "workers of another form were passed over";
                building.snapshot.gaps.add(GapKind::SkippedText, message, Some(offset));
            }
        }
    }
    document.missing.tell(building, offset);
    building.snapshot.process.failure = failure(report);
}

/// Platforms as Node.js names them.
static PLATFORMS: &[(&str, &str)] = &[("win32", "windows"), ("darwin", "macos")];

/// Processors as Node.js names them.
static ARCHES: &[(&str, Arch)] = &[
    ("x64", Arch::X86_64),
    ("ia32", Arch::X86),
    ("arm64", Arch::Aarch64),
    ("arm", Arch::Arm),
    ("ppc64", Arch::PowerPc64),
    ("s390x", Arch::S390x),
    ("riscv64", Arch::RiscV64),
];

fn about_process(header: &Header, building: &mut Building) {
    let process = &mut building.snapshot.process;
    process.pid = header.process_id.0.and_then(|pid| u32::try_from(pid).ok());
    process.command_line = header.command_line.0.as_ref().map(|words| words.join(" ").into());
    process.name = header.command_line.0.as_ref().and_then(|words| {
        let program = words.first()?;
        Some(program.rsplit(['/', '\\']).next().unwrap_or(program).into())
    });
    process.captured_at = header.dump_event_time.0.as_deref().map(Into::into);
    process.runtime = header.nodejs_version.0.as_deref().map(|version| format!("Node.js {version}").into());
    process.os = header.platform.0.as_deref().map(|platform| {
        PLATFORMS.iter().find(|(name, _)| *name == platform).map_or(platform, |(_, os)| *os).into()
    });
    let arch = header.arch.0.as_deref();
    process.arch = ARCHES.iter().find(|(name, _)| Some(*name) == arch).map(|(_, arch)| *arch);
}

/// Triggers of reports that are written because the process ends.
static ENDS: &[(&str, FailureKind)] = &[
    ("Exception", FailureKind::UncaughtException),
    ("FatalError", FailureKind::FatalError),
    ("OOMError", FailureKind::FatalError),
];

/// `Allocation failed - JavaScript heap out of memory` (src/node_errors.cc `OOMErrorHandler`, `OnFatalError`).
const OUT_OF_MEMORY: &str = "heap out of memory";

fn failure(report: &Report) -> Option<Failure> {
    let trigger = report.header.trigger.0.as_deref()?;
    let (_, kind) = ENDS.iter().find(|(name, _)| *name == trigger)?;
    let said = report.javascript_stack.0.as_ref().and_then(|stack| stack.message.0.as_deref());
    let event = report.header.event.0.as_deref();
    // Of an exception the stack tells more than the event does; a fatal error has no stack.
    let message = match kind {
        FailureKind::UncaughtException => said.filter(|m| !m.is_empty()).or(event),
        _ => event,
    };
    let message = message.unwrap_or_default();
    // Whoever asks for memory when the heap is full is not to blame, and the frames are those of the engine.
    let has_place = !message.contains(OUT_OF_MEMORY) || kind == &FailureKind::UncaughtException;
    Some(Failure { kind: *kind, message: message.into(), thread: has_place.then_some(ThreadIx(0)) })
}

fn push(report: &Report, building: &mut Building, offset: u64) {
    let mut thread = Thread::new(ThreadId::Number(report.header.thread_id.0.unwrap_or(0)));
    thread.cpu_us = report.uvthread_resource_usage.0.as_ref().and_then(cpu_us);
    let lines = report.javascript_stack.0.iter().flat_map(|stack| stack.stack.0.iter().flatten());
    let mut body = Body {
        frames: lines.filter_map(|l| frame::javascript(l)).map(Into::into).collect(),
        ..Body::default()
    };
    if body.frames.is_empty() {
        let is_ending = failure(report).is_some();
        let native = report.native_stack.0.iter().flatten().filter(|_| is_ending);
        let frames = native.filter_map(|f| frame::native(f.pc.0.as_deref()?, f.symbol.0.as_deref()?));
        body.frames = frames.map(Into::into).collect();
        body.frames.drain(..frame::of_writer(&body.frames));
        body.end = if is_ending { StackEnd::Reported } else { StackEnd::Complete };
        body.state = (!is_ending).then_some(ReportedState::Idle);
    }
    building.push(thread, &body, &[], offset);
}

fn cpu_us(usage: &Usage) -> Option<u64> {
    let seconds = usage.user_cpu_seconds.0.unwrap_or(0.0) + usage.kernel_cpu_seconds.0.unwrap_or(0.0);
    (seconds.is_finite() && seconds > 0.0).then_some((seconds * 1e6).round() as u64)
}

#[cfg(test)]
mod tests;
