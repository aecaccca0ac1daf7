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
    // A thread that is dead for the VM: it does nothing more, and is no worker that waits for work. One that has a stack
    // still does what that says.
    ("Z", ReportedState::Asleep),
    ("N", ReportedState::Idle),
    ("I", ReportedState::RunningOrNative),
    ("?", UNKNOWN),
];

/// What a state means that is not known: not that the thread runs. What it does, its stack says where it says anything.
const UNKNOWN: ReportedState = ReportedState::Unclear;

/// Reads a header.
pub(super) fn read(line: &str) -> Option<Head> {
    let text = line.strip_prefix("3XMTHREADINFO ")?.trim_start();
    if text.starts_with("Anonymous native thread") {
        return Some(Head::of(Thread::new(ThreadId::Text("?".into()))));
    }
    let inside = text.strip_prefix('"')?;
    // A name may hold what looks like fields; a field never holds a quote.
    let ends = || inside.rmatch_indices('"').map(|(at, _)| at);
    let begins = |at: &usize, fields: &[&str]| {
        let rest = inside.get(at + 1..).unwrap_or_default();
        fields.iter().any(|field| rest.strip_prefix(' ').is_some_and(|rest| rest.starts_with(field)))
    };
    // Whatever fields a release begins with: the tag alone says that it is a thread.
    let end = ends().find(|at| begins(at, FIELDS)).or_else(|| ends().next())?;
    let (name, fields) = (inside.get(..end)?, inside.get(end + 1..)?);
    let mut thread = Thread::new(ThreadId::Text("?".into()));
    thread.name = Some(Str::from(name));
    let mut head = Head::of(thread);
    for field in fields.split([',', '(', ')']).map(str::trim).filter(|f| !f.is_empty()) {
        match field.split_once([':', '=']) {
            Some(("J9VMThread" | "TID", address)) => {
                head.thread.id = ThreadId::Text(address.into());
                head.thread.handle = hex(address);
            }
            // The locks of IBM's 1.3 and 1.4 name their threads by this one: `owner "main" (0x8C6258)`.
            Some(("sys_thread_t", address)) => head.thread.handle = hex(address).or(head.thread.handle),
            Some(("state", word)) => {
                let known = STATES.iter().find(|(name, _)| *name == word);
                if known.is_none() {
                    tell(&mut head, field);
                }
                head.thread.reported = Some(known.map_or(UNKNOWN, |(_, state)| *state));
            }
            Some(("native ID", id)) => {
                set_native_id(&mut head.thread, id);
            }
            Some(("j9thread_t" | "omrthread_t" | "prio", _)) => {}
            Some((class, _)) if class.contains('/') => {}
            _ => tell(&mut head, field),
        }
    }
    Some(head)
}

/// Tells a field that is not understood.
fn tell(head: &mut Head, field: &str) {
    head.unknown = Some(match head.unknown.take() {
        Some(others) => format!("{others}, {field}"),
        None => field.to_owned(),
    });
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
