//! Headers of threads.
//!
//! ```text
//! pid: 28556, tid: 12681, name: media.codec  >>> android.hardwar <<<
//! uid: 1046
//! signal 11 (SIGSEGV), code 1 (SEGV_MAPERR), fault addr 0x20002000 (read)
//! signal 6 (SIGABRT), code -6 (SI_TKILL from pid 9, uid 0), fault addr --------
//! Abort message: 'timed out'
//! backtrace:
//! "droid.bluetooth" sysTid=9611                                    debuggerd -b
//! ```

use crate::formats::text::first_line;
use crate::formats::text::words::{hex, number};
use crate::model::{Signal, Str, Thread, ThreadId, lossy};

/// How many lines a header may have below its first: registers, notes, a message of several lines.
const MOST_LINES: usize = 120;

/// The first line of a header.
pub(super) struct Title<'l> {
    pub pid: u64,
    pub thread: Thread,
    /// What ran: `com.acme.door`.
    pub command: Option<&'l str>,
}

/// `pid: 763, tid: 8646, name: mm-qcamera-daem  >>> /vendor/bin/mm-qcamera-daemon <<<`. A name may hold anything but a
/// line break; of the two blanks before `>>>` a copy may have lost one. Android 4 has no name.
pub(super) fn tombstone(line: &str) -> Option<Title<'_>> {
    let (pid, rest) = number(line.strip_prefix("pid: ")?)?;
    let (tid, rest) = number(rest.strip_prefix(", tid: ")?)?;
    let (before, command) = match rest.rsplit_once(">>> ") {
        Some((before, rest)) => (before, Some(rest.split_once(" <<<").unwrap_or((rest, "")))),
        None => (rest, None),
    };
    // A line that goes on quotes a header.
    if command.is_some_and(|(_, after)| !after.trim().is_empty()) {
        return None;
    }
    let command = command.map(|(command, _)| command.trim());
    let name = before.strip_prefix(", name: ");
    if name.is_none() && (command.is_none() || !before.trim().is_empty()) {
        return None;
    }
    let mut thread = Thread::new(ThreadId::Number(tid));
    thread.tid = u32::try_from(tid).ok();
    thread.name = name.map(str::trim).filter(|n| !n.is_empty() && *n != "<unknown>").map(Str::from);
    let command = command.filter(|command| !command.is_empty() && *command != "<unknown>");
    Some(Title { pid, thread, command })
}

/// `"droid.bluetooth" sysTid=9611`, alone in its line.
pub(super) fn backtrace(line: &str) -> Option<Thread> {
    let (name, tid) = line.strip_prefix('"')?.rsplit_once("\" sysTid=")?;
    let (tid, rest) = number(tid)?;
    if !rest.trim().is_empty() {
        return None;
    }
    let mut thread = Thread::new(ThreadId::Number(tid));
    thread.tid = u32::try_from(tid).ok();
    thread.name = (!name.is_empty()).then(|| name.into());
    Some(thread)
}

/// What the header of a thread says of the end of the process.
#[derive(Debug, Default)]
pub(super) struct Death {
    pub pid: u64,
    pub command: Option<Str>,
    pub signal: Option<Signal>,
    pub abort: Option<String>,
    /// What the producer found out of the fault: `[GWP-ASan]: Use After Free on a 32-byte allocation at 0x7a0`,
    /// `null pointer dereference`.
    pub cause: Option<String>,
}

/// The lines of a header that say why the process died, as one event, and how many bytes the header has below its
/// first line. Also the first of its lines that is not known.
pub(super) fn death(title: &Title<'_>, more: &[u8]) -> (String, usize, Option<String>) {
    let mut event = format!("death {}", title.pid);
    if let Some(command) = title.command {
        event.push_str("\ncommand ");
        event.push_str(command);
    }
    let mut at = 0;
    let mut is_message = false;
    let mut unknown = None;
    for _ in 0..MOST_LINES {
        let Some(rest) = more.get(at..).filter(|rest| !rest.is_empty()) else { break };
        let raw = first_line(rest);
        let line = lossy(raw.get(..raw.len().min(4096)).unwrap_or(raw));
        let line = line.trim_end();
        let text = line.trim_start();
        if ENDS.iter().any(|end| text.starts_with(end)) || super::frame::is_frame(line) {
            break;
        }
        let is_told = ["signal ", "Abort message: ", "Cause: "].iter().any(|start| text.starts_with(start));
        if is_message || is_told {
            event.push('\n');
            event.push_str(text);
            is_message = (is_message || text.starts_with("Abort message: '")) && !text.ends_with('\'');
        }
        if !is_message && !text.is_empty() && !text.ends_with('\'') && !super::is_known(line) {
            unknown.get_or_insert_with(|| text.to_owned());
        }
        at = (at + raw.len() + 1).min(more.len());
    }
    (event, at, unknown)
}

/// What comes after a header.
static ENDS: &[&str] = &["backtrace:", "stack:", "pid: ", "--- --- ", "*** *** ", "----- "];

impl Death {
    /// Reads what [`death`] made.
    pub fn read(event: &str) -> Option<Self> {
        let mut lines = event.strip_prefix("death ")?.split('\n');
        let mut death = Self { pid: lines.next()?.parse().ok()?, ..Self::default() };
        let mut message: Option<String> = None;
        for line in lines {
            if let Some(message) = &mut message {
                message.push('\n');
                message.push_str(line);
            } else if let Some(text) = line.strip_prefix("Abort message: ") {
                message = Some(text.to_owned());
            } else if let Some(command) = line.strip_prefix("command ") {
                death.command = Some(command.into());
            } else if let Some(cause) = line.strip_prefix("Cause: ") {
                death.cause.get_or_insert_with(|| cause.to_owned());
            } else {
                death.signal = signal(line, death.pid);
            }
        }
        death.abort = message.map(|m| m.trim().trim_matches('\'').to_owned());
        Some(death)
    }
}

/// What libc says before debuggerd does: the thread and its signal.
///
/// `Fatal signal 6 (SIGABRT), code -1 (SI_QUEUE) in tid 31373 (CaptureThread), pid 30965 (com.acme.door)`
///
/// Source: AOSP 5 to 15 bionic/linker and system/core debuggerd/handler/debuggerd_handler.cpp (`log_signal_summary`).
pub(super) fn fatal(line: &str) -> Option<(u64, Signal)> {
    let said = line.split_once(FATAL)?.1;
    let (_, tid) = said.split_once(" in tid ")?;
    let (tid, rest) = number(tid)?;
    let pid = rest.split_once(", pid ").and_then(|(_, pid)| number(pid)).map_or(0, |(pid, _)| pid);
    Some((tid, signal(&format!("signal {said}"), pid)?))
}

/// How it begins.
pub(super) const FATAL: &str = "Fatal signal ";

/// `signal 11 (SIGSEGV), code 1 (SEGV_MAPERR), fault addr 0x20002000`; before Android 5 without the second bracket.
fn signal(line: &str, pid: u64) -> Option<Signal> {
    let (n, rest) = number(line.strip_prefix("signal ")?)?;
    let name = rest.trim_start().strip_prefix('(')?.split_once(')')?.0;
    let code = rest.split_once("code ").and_then(|(_, c)| c.split([' ', ',']).next()?.parse::<i32>().ok());
    let sender = rest.split_once(" from pid ").and_then(|(_, p)| number(p)).map(|(pid, _)| pid);
    let address = rest.split_once("fault addr ").and_then(|(_, a)| hex(a.split(' ').next()?));
    let is_fault = code.is_some_and(|code| code > 0);
    // `abort` sends itself a signal: `code -1 (SI_QUEUE)`.
    let foreign = sender.filter(|sender| *sender != pid);
    Some(Signal {
        number: i32::try_from(n).ok(),
        name: name.into(),
        code: code.filter(|_| is_fault || foreign.is_some()),
        address: address.filter(|_| is_fault || code.is_none()),
        sender_pid: foreign.and_then(|pid| i32::try_from(pid).ok()),
        thread: None,
        ..Signal::default()
    })
}
