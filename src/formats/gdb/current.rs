//! Which thread received the signal.

use crate::model::{Frame, FrameKind, Snapshot, ThreadIx};

use super::merge::Roll;

/// Functions through which a thread ends its process.
pub(super) static ABORTING: &[&str] = &[
    "abort",
    "__GI_abort",
    "raise",
    "__GI_raise",
    "gsignal",
    "__pthread_kill_implementation",
    "__pthread_kill_internal",
    "__GI___pthread_kill",
    "pthread_kill",
];

/// Sets the thread of the process's signal: the one that the signal's line names, the one that gdb
/// had selected (in a core, the one that died), the one of the only `bt`, or the only one that is inside a
/// signal handler or on its way to end the process. `is_attached`: to a process that has crashed, where the thread that gdb
/// had selected is any.
pub(super) fn set_signal_thread(snapshot: &mut Snapshot, roll: &Roll<'_>, is_attached: bool) {
    if snapshot.process.signal.is_none() {
        return;
    }
    let in_handler = || only(snapshot, |frame| frame.kind == FrameKind::SignalHandler);
    let first = if is_attached { in_handler() } else { None };
    let current = first.or(roll.current).or_else(|| roll.only_unnamed());
    let thread = current.or_else(|| only(snapshot, is_dying)).map(|ix| ThreadIx(ix as u32));
    if let Some(signal) = &mut snapshot.process.signal {
        signal.thread = thread;
    }
}

fn is_dying(frame: &Frame) -> bool {
    let aborts = frame.function.as_deref().is_some_and(|f| ABORTING.contains(&f));
    aborts || frame.kind == FrameKind::SignalHandler
}

/// The only thread with such a frame.
fn only(snapshot: &Snapshot, has: fn(&Frame) -> bool) -> Option<usize> {
    let has_one = |ix: &usize| {
        let stack = snapshot.threads.get(*ix).map(|t| t.stack);
        stack.is_some_and(|stack| {
            snapshot.stacks.frames_of(stack).iter().any(|f| has(snapshot.stacks.get(*f)))
        })
    };
    let mut threads = (0..snapshot.threads.len()).filter(has_one);
    match (threads.next(), threads.next()) {
        (Some(only), None) => Some(only),
        _ => None,
    }
}
