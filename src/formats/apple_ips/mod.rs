//! Crash reports of macOS 12 and iOS 15 and later: a line of JSON about the report, then one document of JSON.
//!
//! Source: reports with the `bug_type` 309 (crashes), 288 and 385 of macOS 12 to 15 and iOS 15 to 18; Apple's
//! "Interpreting the JSON format of a crash report".

mod document;

use super::apple::{self, Exception, Termination, frame, thrown};
use super::text::json::each_document;
use super::text::json_list::{Record, parts};
use super::text::{Body, BodyFrame, Building, Dumps, Section, Site, first_line};
use super::{About, Format, Reader};
use crate::model::{FormatId, Frame, FrameKind, Snapshot, Str, Thread, ThreadId, ThreadIx};

use document::{Image, Ips, Lenient, Place, Report, Reported};

/// The row of this format.
pub const FORMAT: Format = Format {
    id: FormatId::new("apple-ips"),
    name: "a crash report of Apple's systems in JSON",
    looked_for: "a JSON document with `usedImages` and `threads`",
    about: About {
        producer: "ReportCrash of macOS 12 to 15, iOS and iPadOS 15 to 18 (.ips files)",
        reads: "threads with names and queues, frames with images, symbols, files and lines; the exception, its address, messages of the process, the reason of a termination",
        never: "who holds a lock; states and CPU time of threads; names of functions that were not symbolicated",
        capture: "~/Library/Logs/DiagnosticReports/*.ips; for a hang: sample PID, or sudo spindump PID",
    },
    reader: Reader::Text { anchors: &["usedImages", "faultingThread", "app_name"], confirm, parse },
};

/// A key of the report: in a document on lines of its own, in one line behind the words of a log, or in the JSON
/// strings of a container's log. Reports of the old kind have the same first line, and text below it.
fn confirm(site: &Site<'_>) -> Option<usize> {
    let before = site.before()?;
    let rest = site.rest();
    let key = rest.iter().take_while(|b| b.is_ascii_alphanumeric() || **b == b'_').count();
    let is_key = |after: &[u8]| after.trim_ascii_start().starts_with(b":");
    let after = rest.get(key..)?;
    let is_escaped = after.strip_prefix(b"\\\"").is_some_and(is_key);
    if !is_escaped && !after.strip_prefix(b"\"").is_some_and(is_key) {
        return None;
    }
    let has_report = || {
        let next = site.following(1).next()?;
        memchr::memmem::find(first_line(rest), b"bug_type").filter(|_| memchr::memchr(b'{', next).is_some())
    };
    if rest.starts_with(b"app_name") && !is_escaped && has_report().is_none() {
        return None;
    }
    if is_escaped {
        return site.whole_line().map(|(start, _)| start);
    }
    let own = before.strip_suffix(b"\"")?;
    let own = own.strip_suffix(b"{").unwrap_or(own);
    let blanks = own.iter().rev().take_while(|b| matches!(b, b' ' | b'\t')).count();
    let prefix = own.get(..own.len() - blanks)?;
    // Keys that stand deep in a line are found by the line's first: other keys stand before them. The time in a log may
    // have a comma.
    let is_at_begin = !prefix.contains(&b'{') && !prefix.contains(&b'"');
    // A log puts one blank behind its words, more of them are the document's own.
    let blank = usize::from(!prefix.is_empty() && blanks > 0);
    is_at_begin.then(|| site.at - before.len() + prefix.len() + blank)
}

fn parse(section: &Section<'_>) -> Vec<Snapshot> {
    let mut dumps = Dumps::new(section, FORMAT.id);
    each_document::<Ips>(&section.text, section.first, |document| {
        let offset = section.offset(document.at);
        let Some(building) = add(&mut dumps, document.value, offset) else { return false };
        document.missing.tell(building, offset);
        true
    });
    dumps.snapshots()
}

/// Adds a report as a snapshot. `None`: it is none. Other documents have threads as well.
fn add<'b>(dumps: &'b mut Dumps, report: Report<'_>, offset: u64) -> Option<&'b mut Building> {
    let threads = report.threads?;
    let has_both = report.used_images.0.is_some() && report.proc_name.0.is_some();
    let images = report.used_images.0.unwrap_or_default();
    let parts = parts(&threads, |thread: &Reported<'_>| thread.frames, |frames| body(frames, &images));
    if !has_both && !parts.iter().any(|part| part.has_frame(is_of_image)) {
        return None;
    }
    let building = dumps.begin(offset);
    let mut stack_pointer = None;
    let mut crashed = None;
    for mut part in parts {
        part.tell(building, offset);
        for Record { number, said: thread, stack } in part.records {
            let Some(stack) = part.stacks.get_mut(stack) else { continue };
            let ix = building.push_with(thread_of(number, &thread), stack, None, &[], offset);
            let is_first = crashed.is_none() && report.faulting_thread.0 == Some(number as u64);
            if thread.triggered.0 == Some(true) || is_first {
                crashed = Some(ix);
                let registers = thread.state.0.iter().flat_map(|state| [&state.sp, &state.rsp]);
                stack_pointer = registers.filter_map(|r| r.0.as_ref()?.value.0).max().or(stack_pointer);
            }
        }
    }
    let main = building.snapshot.threads.first().filter(|thread| thread.id == ThreadId::Number(0));
    let main = main.map(|_| ThreadIx(0));
    let process = &mut building.snapshot.process;
    process.name = report.proc_name.0.map(Str::from);
    process.pid = report.pid.0.and_then(|pid| u32::try_from(pid).ok());
    process.command_line = report.proc_path.0.map(Str::from);
    process.captured_at = report.capture_time.0.map(Str::from);
    process.arch = report.cpu_type.0.as_deref().and_then(apple::arch);
    process.os = report.os_version.0.and_then(|os| os.train.0).and_then(|t| apple::system(&t)).map(Str::from);
    let exception = report.exception.0.map(|said| Exception {
        name: said.kind.0.unwrap_or_default(),
        inside: said.signal.0,
        subtype: said.subtype.0,
        message: said.message.0,
        codes: said.codes.0,
        is_harmless: [report.is_non_fatal, report.is_simulated]
            .iter()
            .any(|is| is.0.is_some_and(|is| is != 0)),
    });
    let exception = exception.unwrap_or_default();
    process.signal = exception.signal();
    if let Some(signal) = &mut process.signal {
        signal.thread = crashed;
        signal.stack_pointer = stack_pointer;
    }
    let messages = report.asi.0.unwrap_or_default();
    let by_message = || messages.values().flatten().find_map(|message| apple::failure(message));
    let by_system = || {
        let end = report.termination.0.as_ref()?;
        let mut told = Termination::of(end.namespace.0.as_deref()?, end.code.0, end.indicator.0.as_deref());
        let reasons = end.reasons.0.iter().flatten().filter(|line| told.line(line)).count();
        // `(terminated at launch; ignore backtrace)` where nothing else is said.
        if let (0, Some(detail)) = (reasons, end.details.0.as_ref().and_then(|details| details.first())) {
            told.begin(detail);
        }
        told.failure()
    };
    let uncaught = || report.last_exception.and_then(|_| apple::uncaught(process.signal.as_ref()));
    let by_exception = || exception.failure();
    let failure = by_message().or_else(by_system).or_else(by_exception).or_else(uncaught);
    process.failure = exception.settle(failure);
    if let Some(failure) = &mut process.failure {
        failure.thread = crashed;
        // The watchdog waits for the main thread.
        let is_watched = apple::is_of_watchdog(failure);
        process.unresponsive = main.filter(|_| is_watched);
    }
    let last = report.last_exception.and_then(|frames| body(frames.get(), &images));
    let last = last.map(|body| body.frames.into_iter().map(|frame| frame.frame).collect::<Vec<_>>());
    let as_text = || report.asi_backtraces.0.iter().flatten().next().map(|text| backtrace(text));
    thrown::tell(&mut building.snapshot, &last.or_else(as_text).unwrap_or_default());
    Some(building)
}

/// `0   CoreFoundation   0x00000001a0 __exceptionPreprocess + 220`, a frame a line.
fn backtrace(text: &str) -> Vec<Frame> {
    text.lines().filter_map(|line| frame::read(line.trim_start())).collect()
}

fn thread_of(n: usize, said: &Reported<'_>) -> Thread {
    // Tools and people count threads; the kernel's number is beside it.
    let mut thread = Thread::new(ThreadId::Number(n as u64));
    thread.tid = said.id.0.and_then(|id| u32::try_from(id).ok());
    let name = [&said.name, &said.queue].into_iter().find_map(|n| n.0.as_deref().filter(|n| !n.is_empty()));
    thread.name = name.map(Str::from);
    thread
}

/// Whether a frame says where in an image it is.
fn is_of_image(frame: &Frame) -> bool {
    frame.address.or(frame.module_offset).is_some()
}

/// The frames of a thread. `None`: it is no list.
fn body(frames: &str, images: &[Lenient<Image>]) -> Option<Body> {
    let places: Vec<Lenient<Place>> = serde_json::from_str(frames).ok()?;
    let frames = places.iter().filter_map(|place| place.0.as_ref());
    let frames = frames
        .map(|frame| {
            let image =
                frame.image_index.0.and_then(|n| images.get(n as usize)).and_then(|image| image.0.as_ref());
            let offset = frame.image_offset.0;
            let function = frame.symbol.0.as_deref().filter(|s| !s.is_empty()).map(Str::from);
            let name = image.and_then(|i| i.name.0.as_deref()).filter(|n| !n.is_empty());
            let address = image.and_then(|i| i.base.0).unwrap_or(0).checked_add(offset.unwrap_or(0));
            BodyFrame::from(Frame {
                module: name.map(Str::from),
                module_offset: offset.filter(|_| function.is_none() && name.is_some()),
                function,
                file: frame.source_file.0.as_deref().map(Str::from),
                line: frame.source_line.0.and_then(|line| u32::try_from(line).ok()),
                address: address.filter(|a| *a != 0),
                kind: if frame.inline.0 == Some(true) { FrameKind::Inlined } else { FrameKind::Normal },
                ..Frame::default()
            })
        })
        .collect();
    Some(Body { frames, ..Body::default() })
}

#[cfg(test)]
mod tests;
