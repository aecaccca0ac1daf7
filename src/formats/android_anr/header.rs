//! Headers of threads, and the lines below them that say something of the thread alone.
//!
//! ```text
//! "main" prio=5 tid=1 Blocked
//! "perfetto_hprof_listener" prio=10 tid=7 Native (still starting up)
//! "Signal Catcher" daemon prio=10 tid=6 Runnable
//! "NR-ANR-Monitor" prio=10 (not attached)
//! "NR-ANR-Monitor" (not attached)
//! "samples.android" sysTid=9955                                                           debuggerd
//! "main" tid=1 Native                                                                     Play Console, Firebase,
//! "main" prio=5 tid=1 Native                                                              which may add ART's own
//! "main" tid=1 Blocked Main thread Blocked at com.acme.Shop.close (Shop.java:7)           Play Console: the newest frame
//! "main" prio=5 tid=1 MONITOR                                                             Dalvik, up to Android 4.4
//! sysTid=28945     do_epoll_wait                                                           where stacks are missing
//!   | sysTid=28941 nice=-10 cgrp=top-app sched=0/0 handle=0x7deceb74f8
//!   | state=S schedstat=( 324804784 183300334 997 ) utm=23 stm=8 core=3 HZ=100
//! ```

use crate::formats::java;
use crate::formats::text::{Head, first_line};
use crate::model::{ReportedState, Str, Thread, ThreadId, lossy};

/// A line of the channels of a process that gave no stacks: the thread's kernel id, and the function of the kernel in which
/// it waits, which is empty or `0` for one that runs.
///
/// ```text
/// sysTid=28945     do_epoll_wait
/// ```
///
/// Source: Android 8 to 15 system/core/debuggerd/client/debuggerd_client.cpp `get_wchan_data`.
pub(super) fn channel(line: &str) -> Option<(u32, &str)> {
    let rest = line.strip_prefix(CHANNEL)?;
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let function = rest.get(digits..)?;
    let is_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '$');
    let is_channel = function.is_empty() || function.starts_with(' ') && function.trim().chars().all(is_word);
    is_channel.then_some((rest.get(..digits)?.parse().ok()?, function.trim()))
}

/// How such a line begins.
pub(super) const CHANNEL: &str = "sysTid=";

/// What stands before the function in the block that is made of such a line.
pub(super) const WAITS_IN: &str = "waits in ";

fn of_channel(line: &str) -> Option<Head> {
    let (tid, function) = channel(line)?;
    let mut thread = Thread::new(ThreadId::Number(tid.into()));
    thread.tid = Some(tid);
    let mut head = Head::of(thread);
    head.first = (!matches!(function, "" | "0")).then(|| format!("{WAITS_IN}{function}"));
    Some(head)
}

/// How many more lines a name may have.
const MOST_LINES: usize = 4;

/// States of ART (art/runtime/thread_state.h) and of Dalvik (dalvik/vm/Thread.cpp). `None`: the stack says more.
static STATES: &[(&str, Option<ReportedState>)] = &[
    ("Runnable", Some(ReportedState::Running)),
    ("Blocked", Some(ReportedState::Entering)),
    ("Waiting", Some(ReportedState::Waiting)),
    ("TimedWaiting", Some(ReportedState::Waiting)),
    ("Sleeping", Some(ReportedState::Sleeping)),
    ("Native", None),
    ("Suspended", Some(ReportedState::Runtime)),
    ("Starting", Some(ReportedState::Running)),
    ("Terminated", Some(ReportedState::Idle)),
    ("WaitingForTaskProcessor", Some(ReportedState::Idle)),
    ("WaitingForLockInflation", Some(ReportedState::Runtime)),
    ("WaitingForGcToComplete", Some(ReportedState::Runtime)),
    ("WaitingForGcThreadFlip", Some(ReportedState::Runtime)),
    ("WaitingForCheckPointsToRun", Some(ReportedState::Runtime)),
    ("WaitingPerformingGc", Some(ReportedState::Runtime)),
    ("WaitingForDebuggerSend", Some(ReportedState::Idle)),
    ("WaitingForDebuggerToAttach", Some(ReportedState::Waiting)),
    ("WaitingInMainDebuggerLoop", Some(ReportedState::Idle)),
    ("WaitingForDebuggerSuspension", Some(ReportedState::Runtime)),
    ("WaitingForJniOnLoad", Some(ReportedState::Waiting)),
    ("WaitingForSignalCatcherOutput", Some(ReportedState::Idle)),
    ("WaitingInMainSignalCatcherLoop", Some(ReportedState::Idle)),
    ("WaitingForDeoptimization", Some(ReportedState::Runtime)),
    ("WaitingForMethodTracingStart", Some(ReportedState::Runtime)),
    ("WaitingForVisitObjects", Some(ReportedState::Runtime)),
    ("WaitingForGetObjectsAllocated", Some(ReportedState::Runtime)),
    ("WaitingWeakGcRootRead", Some(ReportedState::Runtime)),
    ("ZOMBIE", Some(ReportedState::Idle)),
    ("RUNNABLE", Some(ReportedState::Running)),
    ("TIMED_WAIT", Some(ReportedState::Waiting)),
    ("MONITOR", Some(ReportedState::Entering)),
    ("WAIT", Some(ReportedState::Waiting)),
    ("INITIALIZING", Some(ReportedState::Running)),
    ("STARTING", Some(ReportedState::Running)),
    ("NATIVE", None),
    ("VMWAIT", Some(ReportedState::Idle)),
    ("SUSPENDED", Some(ReportedState::Runtime)),
];

/// How the fields behind a name begin.
static FIELDS: &[&str] = &["prio=", "daemon prio=", "tid=", "daemon tid=", "sysTid=", NOT_ATTACHED];

/// A thread that the runtime does not know; the lines below say its kernel id.
const NOT_ATTACHED: &str = "(not attached)";

/// Fields that say nothing of what a thread does; Dalvik's list of native threads has them in the header
/// (dalvik/vm/Thread.cpp `dvmDumpAllThreadsEx`).
static OTHER_FIELDS: &[&str] = &["prio", "nice", "sched", "cgrp", "handle"];

/// Whether a line is a header with a state that is known.
pub(super) fn is_header(line: &str) -> bool {
    one_line(line).is_some_and(|head| head.unknown.is_none())
}

/// Reads a header; `more` is the text after the line.
pub(super) fn read(line: &str, more: &[u8]) -> Option<Head> {
    if line.starts_with(CHANNEL) {
        return of_channel(line);
    }
    if let Some(head) = one_line(line) {
        return Some(repeated(&head, more).unwrap_or(head));
    }
    // A name may hold line breaks.
    let mut whole = line.to_owned();
    let mut rest = more;
    for _ in 0..MOST_LINES {
        let next = first_line(rest);
        let text = lossy(next.get(..next.len().min(4096))?);
        if rest.is_empty() || text.starts_with(['"', ' ', '|']) || text.starts_with("-----") {
            return None;
        }
        whole.push('\n');
        whole.push_str(text.trim_end_matches('\r'));
        rest = rest.get(next.len() + 1..).unwrap_or_default();
        if let Some(head) = one_line(&whole) {
            return Some(Head { more: more.len() - rest.len(), ..head });
        }
    }
    None
}

/// The header of ART below the one that the Play Console made of it.
fn repeated(head: &Head, more: &[u8]) -> Option<Head> {
    let next = first_line(more);
    let text = lossy(next.get(..next.len().min(4096))?);
    let second = one_line(text.trim_end())
        .filter(|_| text.contains("\" prio=") || text.contains("\" daemon prio="))?;
    let is_same = second.thread.id == head.thread.id && second.thread.name == head.thread.name;
    is_same.then(|| Head { more: (next.len() + 1).min(more.len()), ..second })
}

fn one_line(line: &str) -> Option<Head> {
    let inside = line.strip_prefix('"')?;
    let mut ends = inside.rmatch_indices("\" ").map(|(at, _)| at);
    // A name may hold what looks like fields; a field never holds a quote.
    let end = ends.find(|at| {
        let rest = inside.get(at + 2..).unwrap_or_default();
        FIELDS.iter().any(|field| rest.starts_with(field))
    })?;
    let (name, fields) = (inside.get(..end)?, inside.get(end + 2..)?);
    let mut thread = Thread::new(ThreadId::Text(name.into()));
    thread.name = Some(Str::from(name));
    let mut head = Head::of(thread);
    let mut rest = fields;
    let mut is_known = false;
    while let Some((word, after)) =
        Some(rest.split_once(' ').unwrap_or((rest, ""))).filter(|(w, _)| !w.is_empty())
    {
        match word.split_once('=') {
            Some(("tid", id)) => {
                head.thread.id = ThreadId::Number(id.parse().ok()?);
                is_known = true;
            }
            Some(("sysTid", id)) => {
                set_kernel_id(&mut head.thread, id)?;
                is_known = true;
            }
            Some((field, _)) if OTHER_FIELDS.contains(&field) => {}
            Some(_) => head.unknown = Some(word.to_owned()),
            None if word == "daemon" => {}
            None => break,
        }
        rest = after;
    }
    let word = rest.split(' ').next().unwrap_or_default();
    if rest.starts_with(NOT_ATTACHED) {
        return Some(head);
    }
    match STATES.iter().find(|(name, _)| *name == word) {
        Some((_, state)) => head.thread.reported = *state,
        None if word.is_empty() => {}
        None => head.unknown = Some(word.to_owned()),
    }
    let frame = rest.split_once(" at ").map(|(_, frame)| frame).filter(|frame| java::frame(frame).is_some());
    head.first = frame.map(|frame| format!("  at {frame}"));
    is_known.then_some(head)
}

/// The kernel's id, which is the only one that a thread has which the runtime does not know.
fn set_kernel_id(thread: &mut Thread, id: &str) -> Option<()> {
    let id: u32 = id.parse().ok()?;
    thread.tid = Some(id);
    if let ThreadId::Text(_) = thread.id {
        thread.id = ThreadId::Number(id.into());
    }
    Some(())
}

/// Reads a line behind its `  | `. False: not understood.
pub(super) fn attribute(thread: &mut Thread, line: &str) -> bool {
    let mut ticks: Option<u64> = None;
    let mut hz = 100;
    let mut is_known = false;
    let mut words = line.split_ascii_whitespace();
    while let Some(word) = words.next() {
        let Some((key, value)) = word.split_once('=') else { continue };
        is_known = true;
        match key {
            "sysTid" => {
                let _ = set_kernel_id(thread, value);
            }
            "handle" => {
                thread.handle = value.strip_prefix("0x").and_then(|h| u64::from_str_radix(h, 16).ok())
            }
            // What the kernel says of a thread in native code. Others may have been stopped for the dump.
            "state" => {
                let of_kernel =
                    KERNEL_STATES.iter().find(|(word, _)| *word == value).map(|(_, state)| *state);
                thread.reported = thread.reported.or(of_kernel);
            }
            // `schedstat=( 324804784 183300334 997 )`: nanoseconds on a processor, nanoseconds ready, switches.
            "schedstat" => {
                let first = value.trim_start_matches('(');
                let first = if first.is_empty() { words.next().unwrap_or_default() } else { first };
                let nanoseconds: Option<u64> = first.parse().ok();
                thread.cpu_us = nanoseconds.filter(|n| *n > 0).map(|n| n / 1_000).or(thread.cpu_us);
            }
            "utm" | "stm" => {
                ticks = value.parse::<u64>().ok().map(|n| n.saturating_add(ticks.unwrap_or(0))).or(ticks)
            }
            "HZ" => hz = value.parse().ok().filter(|n| *n > 0).unwrap_or(100),
            _ => {}
        }
    }
    if thread.cpu_us.is_none() {
        thread.cpu_us = ticks.map(|n| n.saturating_mul(1_000_000) / hz);
    }
    is_known
}

/// Letters of `/proc/PID/stat`.
static KERNEL_STATES: &[(&str, ReportedState)] = &[
    ("R", ReportedState::Running),
    ("S", ReportedState::Asleep),
    ("D", ReportedState::Uninterruptible),
    ("Z", ReportedState::Idle),
];
