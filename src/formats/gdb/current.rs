//! Which thread received the signal.

use crate::model::{FrameKind, Snapshot, ThreadIx};

use super::merge::Roll;

/// Functions through which a thread ends its process.
static ABORTING: &[&str] = &[
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
/// signal handler or on its way to end the process.
pub(super) fn set_signal_thread(snapshot: &mut Snapshot, roll: &Roll<'_>) {
    if snapshot.process.signal.is_none() {
        return;
    }
    let current = roll.current.or_else(|| roll.only_unnamed());
    let thread = current.or_else(|| only_dying(snapshot)).map(|ix| ThreadIx(ix as u32));
    if let Some(signal) = &mut snapshot.process.signal {
        signal.thread = thread;
    }
}

fn only_dying(snapshot: &Snapshot) -> Option<usize> {
    let is_dying = |ix: &usize| {
        let stack = snapshot.threads.get(*ix).map(|t| t.stack);
        stack.is_some_and(|stack| {
            snapshot.stacks.frames_of(stack).iter().map(|f| snapshot.stacks.get(*f)).any(|frame| {
                let aborts = frame.function.as_deref().is_some_and(|f| ABORTING.contains(&f));
                aborts || frame.kind == FrameKind::SignalHandler
            })
        })
    };
    let mut dying = (0..snapshot.threads.len()).filter(is_dying);
    match (dying.next(), dying.next()) {
        (Some(only), None) => Some(only),
        _ => None,
    }
}
