//! Headers of threads, and the lines below them that say something of the thread alone.
//!
//! ```text
//! 3XMTHREADINFO      "main" J9VMThread:0x0000000002D00500, j9thread_t:0x00000000007A75C0, java/lang/Thread:0x…, state:R, prio=5
//! 3XMTHREADINFO      "main" TID:0x000CBD00, j9thread_t:0x00295524, state:R, prio=5                    J9 2.3, 2.4
//! 3XMTHREADINFO      "main" (TID:0x100D10E8, sys_thread_t:0x8C6258, state:R, native ID:0xA0) prio=5   IBM 1.3, 1.4
//! 3XMTHREADINFO      Anonymous native thread
//! 3XMTHREADINFO1            (native thread ID:0x2310, native priority:0xA, native policy:UNKNOWN, vmstate:R, …)
//! 3XMCPUTIME               CPU usage total: 0.140400900 secs, user: 0.109200700 secs, …
//! ```

use crate::formats::text::Head;
use crate::model::{ReportedState, Str, Thread, ThreadId};

/// Lines of a block that say something of the thread alone. Before Java 6 `3XMTHREADINFO1` stood there as well.
pub(super) static ATTRIBUTES: &[&str] =
    &["3XMTHREADINFO1 ", "3XMTHREADINFO2 ", "3XMCPUTIME", "3XMJAVALTH", "3XMHEAPALLOC"];

/// How the fields behind a name begin.
static FIELDS: &[&str] = &["J9VMThread:", "TID:", "(TID:"];

/// States (openj9 runtime/vm/threadhelp.cpp). What `CW` waits for, input included, the stack says better.
static STATES: &[(&str, ReportedState)] = &[
    ("R", ReportedState::RunningOrNative),
    ("CW", ReportedState::Asleep),
    ("MW", ReportedState::Entering),
    ("B", ReportedState::Entering),
    ("P", ReportedState::Waiting),
    ("S", ReportedState::Runtime),
    ("Z", ReportedState::Idle),
    ("N", ReportedState::Idle),
    ("I", ReportedState::RunningOrNative),
];

/// Reads a header.
pub(super) fn read(line: &str) -> Option<Head> {
    let text = line.strip_prefix("3XMTHREADINFO ")?.trim_start();
    if text.starts_with("Anonymous native thread") {
        return Some(Head::of(Thread::new(ThreadId::Text("?".into()))));
    }
    let inside = text.strip_prefix('"')?;
    // A name may hold what looks like fields; a field never holds a quote.
    let end = inside.rmatch_indices("\" ").map(|(at, _)| at).find(|at| {
        let rest = inside.get(at + 2..).unwrap_or_default();
        FIELDS.iter().any(|field| rest.starts_with(field))
    })?;
    let (name, fields) = (inside.get(..end)?, inside.get(end + 2..)?);
    let mut thread = Thread::new(ThreadId::Text("?".into()));
    thread.name = Some(Str::from(name));
    let mut head = Head::of(thread);
    for field in fields.split([',', '(', ')']).map(str::trim).filter(|f| !f.is_empty()) {
        match field.split_once([':', '=']) {
            Some(("J9VMThread" | "TID", address)) => {
                head.thread.id = ThreadId::Text(address.into());
                head.thread.handle = hex(address);
            }
            Some(("state", word)) => match STATES.iter().find(|(name, _)| *name == word) {
                Some((_, state)) => head.thread.reported = Some(*state),
                None => head.unknown = Some(field.to_owned()),
            },
            Some(("native ID", id)) => {
                set_native_id(&mut head.thread, id);
            }
            Some(("j9thread_t" | "omrthread_t" | "sys_thread_t" | "prio", _)) => {}
            Some((class, _)) if class.contains('/') => {}
            _ => head.unknown = Some(field.to_owned()),
        }
    }
    Some(head)
}

fn set_native_id(thread: &mut Thread, id: &str) -> bool {
    thread.tid = hex(id).and_then(|id| u32::try_from(id).ok());
    thread.id = ThreadId::Text(id.into());
    thread.tid.is_some()
}

/// Reads a line that says something of the thread alone. False: not understood.
pub(super) fn attribute(thread: &mut Thread, line: &str) -> bool {
    if let Some(rest) = line.strip_prefix("3XMTHREADINFO1 ") {
        let id = rest.split_once("native thread ID:").and_then(|(_, rest)| rest.split([',', ')']).next());
        return id.is_some_and(|id| set_native_id(thread, id.trim()));
    }
    if line.starts_with("3XMCPUTIME") {
        let seconds = line.split_once("total:").and_then(|(_, rest)| rest.trim_start().split(' ').next());
        let seconds: Option<f64> = seconds.and_then(|s| s.parse().ok());
        let seconds = seconds.filter(|s| s.is_finite() && *s >= 0.0);
        thread.cpu_us = seconds.map(|s| (s * 1e6).round() as u64);
        return seconds.is_some();
    }
    true
}

/// `0x0000000002D00500`.
pub(super) fn hex(text: &str) -> Option<u64> {
    u64::from_str_radix(text.trim().strip_prefix("0x")?, 16).ok()
}
