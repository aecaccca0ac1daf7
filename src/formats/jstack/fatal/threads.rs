//! Threads of a report of a fatal error, without stacks but for the one that failed.
//!
//! ```text
//! Current thread (0x00007f4de412b730):  JavaThread "pricing-3" [_thread_in_vm, id=3926, stack(0x00007f4dc0d9f000,0x00007f4dc0e9f000)]
//! Current thread (0x00007fd83c0afc00):  VMThread "VM Thread"          [id=3943, stack(0x00007fd81c63c000,0x00007fd81c73c000) (1024K)]
//! Current thread (0x0000000058aa8000):  VMThread [stack: 0x000000005a2d0000,0x000000005a3d0000] [id=5064]      8
//! =>0x00007f4de412b730 JavaThread "pricing-3" [_thread_in_vm, id=3926, stack(0x00007f4dc0d9f000,0x00007f4dc0e9f000)]
//!   0x00007f4de4027460 JavaThread "Finalizer" daemon [_thread_blocked, id=3917, stack(0x00007f4dc1ae2000,0x00007f4dc1be2000)]
//! =>0x00007f4de419dc00 (exited) GCTaskThread [stack: 0x00007f4dc1de5000,0x00007f4dc1ee5000] [id=3914]
//!   0x00007f4de419cc00 VMThread "VM Thread" [stack: 0x00007f4dc1de5000,0x00007f4dc1ee5000] [id=3915]
//!
//! Current thread (0x00007f4de412b730):  JavaThread "pricing-3"                              a mail wraps it
//! [_thread_in_vm, id=3926, stack(0x00007f4dc0d9f000,
//! 0x00007f4dc0e9f000)]
//! ```
//!
//! Source: OpenJDK 6-25 runtime/thread.cpp `JavaThread::print_on_error`, `Thread::print_on_error`.

use std::borrow::Cow;

use super::parts::Part;
use crate::formats::text::words::hex;
use crate::model::{ReportedState, Thread, ThreadId};

/// How the line of the thread begins that failed.
pub(super) const CURRENT: &str = "Current thread (0x";

/// What comes in that line where the JVM does not know the thread.
pub(super) const NATIVE: &str = "Current thread is native thread";

/// What the JVM says of a thread, by how its word begins. Of one that is `_thread_blocked` it does not say whether it
/// waits for a lock, to be notified, or for nothing but time.
static STATES: &[(&str, ReportedState)] = &[
    ("_thread_in_native", ReportedState::RunningOrNative),
    ("_thread_in_vm", ReportedState::Running),
    ("_thread_in_Java", ReportedState::Running),
    ("_thread_blocked", ReportedState::Asleep),
    ("_thread_new", ReportedState::Running),
];

/// A thread, and whether the line says that it failed.
#[derive(Debug)]
pub(super) struct Read {
    pub thread: Thread,
    pub is_current: bool,
}

/// Into so many more lines a line of a thread is wrapped at most.
pub(super) const MOST_WRAPPED: usize = 3;

/// A line of a thread as the JVM wrote it, and how many of the lines below are the rest of it: mails and pages wrap long
/// ones. Any other line is returned as it is.
pub(super) fn unwrapped<'t>(
    line: &'t str,
    below: impl Iterator<Item = Cow<'t, str>>,
) -> (Cow<'t, str>, usize) {
    if !is_begin(line) || is_whole(line) {
        return (line.into(), 0);
    }
    let mut text = line.to_owned();
    for (count, next) in (1..).zip(below.take(MOST_WRAPPED)) {
        if next.is_empty() || is_begin(&next) || Part::of(&next).is_some() {
            break;
        }
        text.extend([" ", next.trim_start()]);
        if is_whole(&text) {
            return (text.into(), count);
        }
    }
    (line.into(), 0)
}

/// Whether a line is one of a thread, or begins one.
fn is_begin(line: &str) -> bool {
    let is_kind = |rest: &str| rest.split(' ').next().is_some_and(|kind| kind.ends_with("Thread"));
    line.starts_with(CURRENT) || behind_address(line).is_some_and(|(_, _, rest)| is_kind(rest))
}

/// Whether a line of a thread has its last bracket: that is behind the id.
fn is_whole(line: &str) -> bool {
    read(line).is_some() && line.rsplit_once("id=").is_some_and(|(_, behind)| behind.contains(']'))
}

/// Whether a line is the one of the thread that failed, the thread's address, and what stands behind that.
fn behind_address(line: &str) -> Option<(bool, u64, &str)> {
    let (is_current, rest) = match (line.strip_prefix(CURRENT), line.trim_start().strip_prefix("=>0x")) {
        (Some(rest), _) | (_, Some(rest)) => (true, rest),
        _ => (false, line.strip_prefix("  ")?.trim_start_matches(['*', ' ']).strip_prefix("0x")?),
    };
    let (address, rest) = rest.split_once(' ')?;
    let rest = rest.trim_start();
    // It is in no list of the JVM's any more.
    let rest = rest.strip_prefix("(exited) ").unwrap_or(rest);
    Some((is_current, hex(address.trim_end_matches("):"))?, rest))
}

/// Reads such a line.
pub(super) fn read(line: &str) -> Option<Read> {
    let (is_current, address, rest) = behind_address(line)?;
    // A name may have quotes and brackets of its own.
    let (kind, name, behind) = match (rest.find('"'), rest.rfind('"')) {
        (Some(open), Some(close)) if open < close => {
            (rest.get(..open)?, rest.get(open + 1..close), rest.get(close + 1..)?)
        }
        _ => rest.split_once('[').map(|(kind, _)| (kind, None, rest))?,
    };
    let kind = kind.trim_end();
    if !kind.ends_with("Thread") || kind.contains(' ') {
        return None;
    }
    let id = behind.split("id=").nth(1)?;
    let id: u64 = id.get(..id.bytes().take_while(u8::is_ascii_digit).count())?.parse().ok()?;
    let word = behind.split_once('[').map(|(_, word)| word).unwrap_or_default();
    let mut thread = Thread::new(ThreadId::Number(id));
    thread.tid = kernel_id(id);
    thread.name = Some(name.unwrap_or(kind).into());
    thread.handle = Some(address);
    thread.reported = STATES.iter().find(|(start, _)| word.starts_with(start)).map(|(_, state)| *state);
    Some(Read { thread, is_current })
}

/// The highest number that Linux gives a thread (`PID_MAX_LIMIT`).
const HIGHEST: u64 = 1 << 22;

/// The kernel's id of a thread, where the id may be one: up to JDK 8 it may be what `pthread_self` gave, and on macOS
/// it is a port.
pub(super) fn kernel_id(id: u64) -> Option<u32> {
    u32::try_from(id).ok().filter(|_| (1..=HIGHEST).contains(&id))
}

/// `JavaThread 0x00007f4de4027460 (nid = 3917) was being processed`: the thread on whose stack a collector was at work.
/// Its frames come next, and are none of the thread that failed.
pub(super) fn processed(line: &str) -> Option<Thread> {
    let rest = line.strip_prefix("JavaThread 0x")?.strip_suffix(") was being processed")?;
    let (address, id) = rest.split_once(" (nid = ")?;
    let id: u64 = id.parse().ok()?;
    let mut thread = Thread::new(ThreadId::Number(id));
    thread.tid = kernel_id(id);
    thread.handle = Some(hex(address)?);
    Some(thread)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_of_all_ages() {
        use ReportedState::{Asleep, Running};
        for (line, id, name, state, is_current) in [
            (
                "Current thread (0x00007f4de412b730):  JavaThread \"pricing-3\" [_thread_in_vm, id=3926, stack(0x1,0x2)]",
                3926,
                "pricing-3",
                Some(Running),
                true,
            ),
            (
                "Current thread (0x0000000058aa8000):  VMThread [stack: 0x5a2d0000,0x5a3d0000] [id=5064]",
                5064,
                "VMThread",
                None,
                true,
            ),
            (
                "  0x00007f4de4027460 JavaThread \"till \"7\" [id=1]\" daemon [_thread_blocked, id=3917, stack(0x1,0x2)]",
                3917,
                "till \"7\" [id=1]",
                Some(Asleep),
                false,
            ),
            (
                "=>0x00007fd83c0dff90 JavaThread \"pricing-3\"         [_thread_in_vm, id=3957, stack(0x1,0x2) (1024K)]",
                3957,
                "pricing-3",
                Some(Running),
                true,
            ),
            (
                "  0x00007fd83c0afc00 VMThread \"VM Thread\"           [id=3943, stack(0x1,0x2) (1024K)]",
                3943,
                "VM Thread",
                None,
                false,
            ),
        ] {
            let read = read(line).unwrap();
            let thread = read.thread;
            assert_eq!((thread.id, thread.name.as_deref()), (ThreadId::Number(id), Some(name)), "{line}");
            assert_eq!((thread.reported, read.is_current), (state, is_current), "{line}");
        }
        let gone = read("=>0x00007f4de419dc00 (exited) GCTaskThread [stack: 0x1,0x2] [id=3914]").unwrap();
        assert_eq!((gone.thread.name.as_deref(), gone.is_current), (Some("GCTaskThread"), true));
        for line in [
            "Total: 12",
            "",
            "  0x00007f4d is pointing into the stack",
            "=>0x1 JavaThread \"a\" [",
            "  0x1 f [id=2]",
        ] {
            assert!(read(line).is_none(), "{line}");
        }
    }
}
