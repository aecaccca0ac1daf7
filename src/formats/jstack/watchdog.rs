//! What the watchdog of a Minecraft server (Spigot, Paper and their kin) logs of its threads.
//!
//! ```text
//! [12:00:00] [Watchdog Thread/ERROR]: The server has stopped responding!
//! [12:00:00] [Watchdog Thread/ERROR]: ------------------------------
//! [12:00:00] [Watchdog Thread/ERROR]: Server thread dump (Look for plugins here before reporting to Paper!):
//! [12:00:00] [Watchdog Thread/ERROR]: ------------------------------
//! [12:00:00] [Watchdog Thread/ERROR]: Current Thread: Server thread
//! [12:00:00] [Watchdog Thread/ERROR]:     PID: 23 | Suspended: false | Native: false | State: RUNNABLE
//! [12:00:00] [Watchdog Thread/ERROR]:     Thread is waiting on monitor(s):
//! [12:00:00] [Watchdog Thread/ERROR]:         Locked on:app.Region.load(Region.java:7)
//! [12:00:00] [Watchdog Thread/ERROR]:     Stack:
//! [12:00:00] [Watchdog Thread/ERROR]:         java.base@17/java.lang.Object.wait(Native Method)
//! [12:00:00] [Watchdog Thread/ERROR]: ------------------------------
//! [12:00:00] [Watchdog Thread/ERROR]: Entire Thread Dump:
//! ```
//!
//! The monitors of which it says that the thread waits are those that it has, by the frame that took each.
//!
//! Source: Spigot 1.7-1.21, Paper 1.12-1.21 org/spigotmc/WatchdogThread.java `dumpThread`.

use crate::formats::java;
use crate::formats::text::{Head, first_line};
use crate::model::{Frame, Thread, ThreadId, lossy};

/// How the header of a thread begins.
pub(super) const THREAD: &str = "Current Thread: ";

/// Lines that begin a dump: the thread after them is the one that does not respond.
static STALLS: &[&str] = &["The server has stopped responding!", "The server has not responded for "];

/// Other lines between threads, by how they begin.
static BETWEEN: &[&str] = &[
    "------------------------------",
    "Server thread dump (",
    "Entire Thread Dump:",
    "--- DO NOT REPORT THIS",
];

/// Lines of a block that say nothing which can be used.
static NOISE: &[&str] = &["Stack:", "Thread is waiting on monitor(s):", "Locked on:"];

/// As much of the line below a header as is looked at, bytes.
const MOST_BELOW: usize = 200;

/// Reads a header of two lines; `more`: the text below the first.
pub(super) fn head(line: &str, more: &[u8]) -> Option<Head> {
    let name = line.strip_prefix(THREAD)?;
    let below = first_line(more);
    let (id, state) = second(&lossy(below.get(..below.len().min(MOST_BELOW))?))?;
    let mut thread = Thread::new(ThreadId::Number(id));
    thread.name = Some(name.trim_end().into());
    thread.reported = java::state(&state);
    let event = Some(line.to_owned());
    Some(Head { more: (below.len() + 1).min(more.len()), event, ..Head::of(thread) })
}

/// The number and the state of `PID: 23 | Suspended: false | Native: false | State: RUNNABLE`.
pub(super) fn second(line: &str) -> Option<(u64, String)> {
    let (_, fields) = line.split_once("PID: ")?;
    let (id, fields) = fields.split_once(" | Suspended: ")?;
    let (_, state) = fields.split_once(" | State: ")?;
    java::state(state)?;
    Some((id.parse().ok()?, state.trim().to_owned()))
}

/// Whether a line begins a report of what does not respond.
pub(super) fn is_stall(line: &str) -> bool {
    STALLS.iter().any(|start| line.starts_with(start))
}

/// Whether a line stands between threads.
pub(super) fn is_between(line: &str) -> bool {
    is_stall(line) || BETWEEN.iter().any(|start| line.starts_with(start))
}

/// Whether a line of a block, without its indentation, says nothing which can be used.
pub(super) fn is_noise(text: &str) -> bool {
    NOISE.iter().any(|start| text.starts_with(start))
}

/// A frame, which has no `at` and two tabs before it.
pub(super) fn frame(line: &str) -> Option<Frame> {
    let text = line.trim_start();
    (line.len() >= text.len() + 2 && !text.starts_with("at ")).then(|| java::frame(text))?
}
