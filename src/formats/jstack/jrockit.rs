//! What JRockit prints otherwise than HotSpot.
//!
//! ```text
//! ===== FULL THREAD DUMP ===============
//! Mon Feb 06 11:38:58 2012
//! Oracle JRockit(R) R28.0.0-679-130297-1.6.0_17-20100312-2123-windows-ia32
//!
//! "Main Thread" id=1 idx=0x4 tid=11648 prio=5 alive, in native, waiting
//!     -- Waiting for notification on: java/lang/UNIXProcess@0x6f28838[fat lock]
//!     at jrockit/vm/Threads.waitForNotifySignal(JLjava/lang/Object;)Z(Native Method)
//!     ^-- Lock released while waiting: java/lang/UNIXProcess@0x6f28838[fat lock]
//!     -- end of trace
//! "worker-14" id=32 idx=0x80 tid=3200 prio=5 alive, in native, blocked, daemon
//!     -- Blocked trying to get lock: app/Queue@0x13a92710[thin lock]
//!     ^-- Holding lock: java/lang/Object@0x13a92718[recursive]
//! "(GC Worker Thread 1)" id=? idx=0x10 tid=11663 prio=5 alive, in native, daemon
//!
//! Blocked lock chains
//! ===================
//! Chain 2:
//! "worker-14" id=32 idx=0x80 tid=3200 waiting for app/Queue@0x13a92710 held by:
//! "worker-13" id=31 idx=0x7c tid=2944 in chain 1
//! ```
//!
//! Source: JRockit R27.6 and R28, "Diagnostics Guide", chapter "Using Thread Dumps".

use crate::formats::java::class_name;
use crate::formats::text::{BlockLine, Body, BodyHold, BodyLock, BodyWait, HEX, Head, LockRef};
use crate::model::{ReportedLockKind, ReportedState, Thread, ThreadId, WaitMode};

/// How the fields of a header begin.
pub(super) const FIELDS: &str = "id=";

/// Words of a state; the last of a header that is known says most.
static STATES: &[(&str, ReportedState)] = &[
    ("alive", ReportedState::RunningOrNative),
    ("blocked", ReportedState::Entering),
    ("native_blocked", ReportedState::Waiting),
    ("waiting", ReportedState::Waiting),
    ("native_waiting", ReportedState::Waiting),
    ("parked", ReportedState::Waiting),
    ("sleeping", ReportedState::Sleeping),
    ("suspended", ReportedState::Runtime),
];

/// Reads the fields of a header. The lists of chains name threads in the same way, but for their priority.
pub(super) fn head(name: &str, fields: &str) -> Option<Head> {
    let (id, rest) = fields.strip_prefix(FIELDS)?.split_once(" idx=")?;
    let (index, rest) = rest.split_once(" tid=")?;
    let (tid, rest) = rest.split_once(" prio=")?;
    let (_, words) = rest.split_once(' ')?;
    // Threads of the JVM itself may have no id.
    let id = id.parse().map_or_else(|_| ThreadId::Text(index.into()), ThreadId::Number);
    let mut thread = Thread::new(id);
    thread.name = Some(name.into());
    thread.tid = tid.parse().ok();
    let said = words.split(", ").filter_map(|w| STATES.iter().find(|(word, _)| *word == w.trim())).last();
    // `(GC Main Thread)`: threads of the JVM itself.
    let is_of_jvm = name.starts_with('(');
    thread.reported = if is_of_jvm { Some(ReportedState::Idle) } else { said.map(|(_, s)| *s) };
    Some(Head::of(thread))
}

/// What the words before a lock mean.
#[derive(Clone, Copy)]
enum Meaning {
    Waits(WaitMode),
    Holds,
    GivenBack,
}

static WORDS: &[(&str, Meaning)] = &[
    ("-- Blocked trying to get lock: ", Meaning::Waits(WaitMode::Enter)),
    ("-- Waiting for notification on: ", Meaning::Waits(WaitMode::Notify)),
    ("-- Parking to wait for: ", Meaning::Waits(WaitMode::Park)),
    ("^-- Holding lock: ", Meaning::Holds),
    ("^-- Lock released while waiting: ", Meaning::GivenBack),
];

/// The end of a stack.
pub(super) const END: &str = "-- end of trace";

/// Whether a line of a stack, without its indentation, says something of a lock.
pub(super) fn is_note(text: &str) -> bool {
    WORDS.iter().any(|(words, _)| text.starts_with(words))
}

/// Adds what such a line says.
pub(super) fn add_note(body: &mut Body, line: &BlockLine<'_>) {
    let text = line.text.trim_start();
    let known = WORDS.iter().find_map(|(words, meaning)| Some((text.strip_prefix(words)?, meaning)));
    let Some((rest, meaning)) = known else { return };
    let Some((class, _)) = rest.split_once('@').filter(|(_, address)| address.starts_with(HEX)) else {
        return;
    };
    let kind = match meaning {
        Meaning::Waits(WaitMode::Park) => ReportedLockKind::JavaSynchronizer,
        _ => ReportedLockKind::JavaMonitor,
    };
    let lock = BodyLock { id: LockRef::Slot(line.slot, 0), name: Some(class_name(class)), kind };
    match *meaning {
        Meaning::Waits(mode) => body.wait = body.wait.take().or(Some(BodyWait { lock, mode, owner: None })),
        Meaning::Holds => {
            let depth = (body.frames.len() as u32).checked_sub(1);
            body.holds.push(BodyHold { lock, depth });
        }
        Meaning::GivenBack => {}
    }
}

/// Whether a line belongs to a list of chains: who waits for whom is said of each thread before.
pub(super) fn is_of_chain(line: &str) -> bool {
    line.starts_with("Chain ") || line.starts_with('"')
}

/// The line that names the JVM.
pub(super) fn is_version(line: &str) -> bool {
    line.contains("JRockit(R)")
}
