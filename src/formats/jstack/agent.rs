//! Headers of the serviceability agent up to JDK 8: `jstack -F`.
//!
//! ```text
//! Thread 12345: (state = BLOCKED)
//!  - app.Jobs.take() @bci=11, line=20 (Compiled frame)
//! ```

use crate::formats::java;
use crate::formats::text::Head;
use crate::model::{ReportedState, Thread, ThreadId};

/// States of the JVM's own: `BLOCKED` is any thread that waits inside of it, for a monitor, in `Object.wait`, parked.
///
/// Source: OpenJDK 6-8 sun/jvm/hotspot/runtime/JavaThreadState.java.
static AGENT_STATES: &[(&str, ReportedState)] = &[
    ("IN_JAVA", ReportedState::Running),
    ("IN_JAVA_TRANS", ReportedState::Running),
    ("IN_VM", ReportedState::Running),
    ("IN_VM_TRANS", ReportedState::Running),
    ("IN_NATIVE", ReportedState::RunningOrNative),
    ("IN_NATIVE_TRANS", ReportedState::RunningOrNative),
    ("BLOCKED", ReportedState::Asleep),
    ("BLOCKED_TRANS", ReportedState::Asleep),
    ("NEW", ReportedState::Idle),
    ("NEW_TRANS", ReportedState::Idle),
    ("UNINITIALIZED", java::UNTOLD),
];

/// Reads a header behind its first word: `12345: (state = BLOCKED)`.
pub(super) fn forced(rest: &str) -> Option<Head> {
    let (id, state) = rest.split_once(": (state = ")?;
    let id: u64 = id.parse().ok()?;
    let mut thread = Thread::new(ThreadId::Number(id));
    thread.tid = u32::try_from(id).ok();
    let state = state.trim_end_matches(')');
    let known = AGENT_STATES.iter().find(|(word, _)| *word == state).map(|(_, state)| *state);
    thread.reported = Some(known.unwrap_or(java::UNTOLD));
    Some(Head { unknown: known.is_none().then(|| state.to_owned()), ..Head::of(thread) })
}
