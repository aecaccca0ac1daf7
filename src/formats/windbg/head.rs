//! Headers of threads, and of the tables of stacks.
//!
//! ```text
//! .  0  Id: 1a2c.1b30 Suspend: 1 Teb: 000000d7`2a0ff000 Unfrozen "name"       ~*k; `.` current, `#` event
//!   6  id: 16.6d   Teb 7ff68000 Unfrozen                                      ~, older
//! # Child-SP          RetAddr               Call Site                          kn
//! ChildEBP RetAddr  Args to Child                                              kb
//! RetAddr           : Args to Child                     : Call Site            kb, 64 bits
//! STACK_TEXT:                                                                  !analyze -v
//! THREAD ffffe000018d68c0  Cid 0a50.0a54  Teb: … Win32Thread: … WAIT: (WrUserRequest) UserMode Non-Alertable
//! Thread 0  (crashed) - tid: 1304                                              rust-minidump
//! Thread 7 (crashed)                                                           Breakpad
//! Thread   8                                                                   !EEStack of SOS, with `Current frame:` below
//! ```
//!
//! What the debugger counts is put into the id; the id of the operating system becomes it when the dump is
//! complete ([`super::session`]).

use crate::formats::text::words::{hex, number};
use crate::formats::text::{Head, first_line};
use crate::model::{ReportedState, Str, Thread, ThreadId, ThreadKind, lossy};

/// The id of a stack that no header tells the thread of.
pub(super) const CURRENT: &str = "current";
/// The same of `!analyze`.
pub(super) const FAULTING: &str = "faulting";

/// Reads a header; `more` is the text after the line.
pub(super) fn read(line: &str, more: &[u8]) -> Option<Head> {
    if let Some(thread) = listed(line) {
        let event = super::analyzed::mark(line).map(str::to_owned);
        return Some(Head { more: to_table(more, MOST_LIST_LINES), event, ..Head::of(thread) });
    }
    if is_table(line) {
        return Some(Head::of(Thread::new(ThreadId::Text(CURRENT.into()))));
    }
    if line.starts_with("STACK_TEXT:") {
        return Some(Head::of(Thread::new(ThreadId::Text(FAULTING.into()))));
    }
    let text = line.trim_start();
    if text.starts_with("THREAD ") {
        let text = joined(text, more);
        let mut thread = kernel(&text)?;
        super::thread_fields::read(&mut thread, more);
        let first = wait_line(more);
        return Some(Head { more: to_table(more, MOST_KERNEL_LINES), first, ..Head::of(thread) });
    }
    managed(text, more).or_else(|| walked(text, more))
}

/// The line below a header of `!EEStack`, and the newest frame.
pub(super) const CURRENT_FRAME: &str = "Current frame: ";

/// ```text
/// Thread   8
/// Current frame: ntdll!NtWaitForSingleObject + 0x14
/// Child-SP         RetAddr          Caller, Callee
/// ```
///
/// Source: SOS Strike/strike.cpp (`EEStack`, `DumpStackDummy`), .NET Framework 2 to .NET 8.
fn managed(text: &str, more: &[u8]) -> Option<Head> {
    let (index, rest) = number(text.strip_prefix("Thread ")?.trim_start())?;
    let next = first_line(more);
    let line = lossy(next.get(..next.len().min(400)).unwrap_or(next)).trim_end().to_owned();
    if !rest.trim().is_empty() || !line.starts_with(CURRENT_FRAME) {
        return None;
    }
    let thread = Thread::new(ThreadId::Number(index));
    Some(Head { more: to_table(more, MOST_LIST_LINES), first: Some(line), ..Head::of(thread) })
}

/// How many lines may stand between a header and its table: `Start:`, `Priority:`; what the kernel tells.
const MOST_LIST_LINES: usize = 4;
const MOST_KERNEL_LINES: usize = 40;

/// How many bytes the lines up to and with the table's header have; none where it does not come.
fn to_table(more: &[u8], most: usize) -> usize {
    let mut at = 0;
    for _ in 0..most {
        let Some(rest) = more.get(at..).filter(|rest| !rest.is_empty()) else { break };
        let raw = first_line(rest);
        let line = lossy(raw.get(..raw.len().min(400)).unwrap_or(raw));
        at = (at + raw.len() + 1).min(more.len());
        if is_table(line.trim_end()) {
            return at;
        }
        if listed(&line).is_some()
            || line.trim_start().starts_with("THREAD ")
            || super::columns::read(&line).is_some()
        {
            break;
        }
    }
    0
}

/// The words of such lines; prose that names the columns has others.
static COLUMNS: &[&str] =
    &["ChildEBP", "Child-SP", "RetAddr", "Args", "to", "Child", "Call", "Site", "Caller,", "Callee", ":"];

/// `ChildEBP RetAddr  Args to Child`, ` # Child-SP  RetAddr  Call Site`, `RetAddr : Args to Child : Call Site`.
pub(super) fn is_table(line: &str) -> bool {
    let text = line.trim_start().trim_start_matches('#').trim_start();
    let text = text.strip_prefix("Memory").map_or(text, str::trim_start);
    let is_first = ["ChildEBP", "Child-SP", "RetAddr "].iter().any(|start| text.starts_with(start));
    let is_whole = || text.split_ascii_whitespace().all(|word| COLUMNS.contains(&word));
    is_first && text.contains("RetAddr") && is_whole()
        || text == "Call Site" && line.trim_start().starts_with('#')
}

/// A row of `~`, and what stands above a stack of `~*k`.
pub(super) fn listed(line: &str) -> Option<Thread> {
    let text = line.trim_start_matches([' ', '.', '#', '*']);
    let (index, rest) = number(text)?;
    let rest = rest.trim_start();
    let ids = rest.strip_prefix("Id: ").or_else(|| rest.strip_prefix("id: "))?;
    let (ids, fields) = ids.split_once(' ').unwrap_or((ids, ""));
    let (_, tid) = ids.split_once('.')?;
    let mut thread = Thread::new(ThreadId::Number(index));
    thread.tid = u32::try_from(hex(tid)?).ok();
    let name = fields.split_once('"').and_then(|(_, rest)| rest.rsplit_once('"')).map(|(name, _)| name);
    thread.name = name.filter(|name| !name.is_empty()).map(Str::from);
    Some(thread)
}

/// What the kernel's words for a thread mean (`KTHREAD.State`, `KWAIT_REASON`), as parts of the header.
static STATES: &[(&str, ReportedState)] = &[
    ("RUNNING on processor", ReportedState::Running),
    ("READY on processor", ReportedState::Running),
    ("STANDBY", ReportedState::Running),
    ("(DelayExecution)", ReportedState::Sleeping),
    ("(WrDelayExecution)", ReportedState::Sleeping),
    ("(WrQueue)", ReportedState::Idle),
    ("(WrUserRequest)", ReportedState::Idle),
    ("(WrMutex)", ReportedState::Blocked),
    ("(WrFastMutex)", ReportedState::Blocked),
    ("(WrGuardedMutex)", ReportedState::Blocked),
    ("(WrPushLock)", ReportedState::Blocked),
    ("(WrResource)", ReportedState::Blocked),
    ("(WrAlertByThreadId)", ReportedState::Waiting),
    ("(WrLpcReply)", ReportedState::Waiting),
    ("WAIT: ", ReportedState::Waiting),
];

/// `THREAD ffffe000018d68c0  Cid 0a50.0a54  Teb: … WAIT: (WrUserRequest) UserMode Non-Alertable`
pub(super) fn kernel(text: &str) -> Option<Thread> {
    let (object, rest) = text.strip_prefix("THREAD ")?.split_once(' ')?;
    let object = hex(object)?;
    let (ids, rest) = rest.trim_start().strip_prefix("Cid ")?.trim_start().split_once(' ')?;
    let (_, tid) = ids.split_once('.')?;
    let mut thread = Thread::new(ThreadId::Text(tid.into()));
    thread.tid = u32::try_from(hex(tid)?).ok();
    thread.handle = Some(object);
    thread.kind = ThreadKind::Os;
    thread.reported = STATES.iter().find(|(word, _)| rest.contains(word)).map(|(_, state)| *state);
    Some(thread)
}

/// The header with its next line, into which the debugger or a page may have broken it.
fn joined(text: &str, more: &[u8]) -> String {
    let next = first_line(more);
    let next = lossy(next.get(..next.len().min(200)).unwrap_or(next)).into_owned();
    if text.ends_with("WAIT:") { format!("{text} {}", next.trim()) } else { text.to_owned() }
}

/// `    85e9ba00  Mutant - owning thread 866d63e8`: the kind of what a thread of the kernel's list waits for.
pub(super) fn wait_object(line: &str) -> Option<&str> {
    let text = line.strip_prefix("    ")?.trim_start();
    let (object, rest) = text.split_once(' ')?;
    let is_object =
        object == crate::formats::text::HEX || matches!(object.len(), 8 | 16 | 17) && hex(object).is_some();
    let kind = rest.trim_start();
    (is_object && kind.starts_with("Mutant")).then_some("Mutant")
}

/// What else a thread of the kernel's list waits for: `    ffffe000046192c0  SynchronizationEvent`.
pub(super) fn is_other_object(line: &str) -> bool {
    let Some(text) = line.strip_prefix("    ").map(str::trim) else { return false };
    let is_object = |object: &str| matches!(object.len(), 8 | 16 | 17) && hex(object).is_some();
    text.split_once(' ').is_some_and(|(object, kind)| is_object(object) && OBJECTS.contains(&kind.trim()))
}

/// Kinds of objects that tell nothing of who ends the wait (`!thread` of the debugger's documentation).
static OBJECTS: &[&str] = &[
    "SynchronizationEvent",
    "NotificationEvent",
    "SynchronizationTimer",
    "NotificationTimer",
    "ProcessObject",
    "ThreadObject",
    "QueueObject",
    "Semaphore Limit 0x1",
    "Unknown",
];

/// The line below a header that says for which mutex of the kernel the thread waits.
fn wait_line(more: &[u8]) -> Option<String> {
    let mut lines = more.split(|b| *b == b'\n').take(3);
    lines.find_map(|line| {
        let line = lossy(line.get(..line.len().min(200)).unwrap_or(line)).into_owned();
        wait_object(&line).is_some().then(|| line.trim_end().to_owned())
    })
}

/// `Thread 0  (crashed) - tid: 1304`, `Thread 3 worker - tid: 1307`, with a frame below.
fn walked(text: &str, more: &[u8]) -> Option<Head> {
    let (index, rest) = number(text.strip_prefix("Thread ")?)?;
    let (rest, tid) = match rest.rsplit_once(" - tid: ") {
        Some((rest, tid)) => (rest, Some(tid.trim().parse::<u64>().ok()?)),
        None => (rest, None),
    };
    let is_crashed = rest.ends_with("(crashed)");
    let name = ["(crashed)", "(requested dump, did not crash)"]
        .iter()
        .fold(rest, |rest, mark| rest.strip_suffix(mark).unwrap_or(rest))
        .trim();
    // Breakpad has no names and no ids.
    if tid.is_none() && !name.is_empty() {
        return None;
    }
    let below = more.split(|b| *b == b'\n').take(3);
    let has_frame = below.into_iter().any(|line| {
        let line = lossy(line.get(..line.len().min(400)).unwrap_or(line)).into_owned();
        super::columns::walked(line.trim_end()).is_some() || line.starts_with("<no frames>")
    });
    if !has_frame {
        return None;
    }
    let mut thread = Thread::new(ThreadId::Text(tid.unwrap_or(index).to_string().into()));
    thread.tid = tid.and_then(|tid| u32::try_from(tid).ok());
    thread.name = (!name.is_empty()).then(|| name.into());
    Some(Head { event: is_crashed.then(|| super::session::CRASHED.to_owned()), ..Head::of(thread) })
}
