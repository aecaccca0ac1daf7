//! Headers of tasks.
//!
//! ```text
//! task:zsh             state:D stack:0     pid:470   tgid:470   ppid:430    task_flags:0x400100 flags:0x00004002    6.15
//! task:rcu_sched       state:R  running task on cpu   0   stack:    0 pid:   11 ppid:     2 flags:0x00004000        5.11
//! syz-executor.4  D28024  3875   2582 0x00000004                                            4.14: see [`columns`]
//! CPU: 0 UID: 0 PID: 2970 Comm: syz-executor.1 Not tainted 6.11.0 #0                                                6.11
//! CPU: 10 UID: 107 PID: 6210 Comm: qemu-system-s39 Kdump: loaded Not tainted 6.16.0 #79 NONE                        6.16
//! ==> /proc/94/stack <==                                                                                     tail -n +1
//! ```
//!
//! Source: Linux 4.4-6.18 kernel/sched/core.c (`sched_show_task`), lib/dump_stack.c (`dump_stack_print_info`).

use super::columns;
use crate::formats::text::words::{rsplit_once, split_once};
use crate::model::{ReportedState, Thread, ThreadId, ThreadKind};

/// What the letters of `task_state_to_char` mean.
static STATES: &[(char, Option<ReportedState>)] = &[
    ('R', Some(ReportedState::Running)),
    ('S', Some(ReportedState::Asleep)),
    ('D', Some(ReportedState::Uninterruptible)),
    ('I', Some(ReportedState::Idle)),
    ('P', Some(ReportedState::Idle)),
    // Ended: they wait for nothing, and their parent has not asked for them.
    ('X', Some(ReportedState::Asleep)),
    ('Z', Some(ReportedState::Asleep)),
    // Stopped and traced: by whom is not said.
    ('T', Some(ReportedState::Asleep)),
    ('t', Some(ReportedState::Asleep)),
    ('x', Some(ReportedState::Asleep)),
    ('K', Some(ReportedState::Asleep)),
    ('W', Some(ReportedState::Asleep)),
];

/// Fields of `task:` that say nothing of interest, as beginnings.
static FIELDS: &[&str] =
    &["stack:", "pid:", "tgid:", "ppid:", "task_flags:", "flags:", "running", "task", "on", "cpu", "[", "0x"];

/// A task, with a field that is not known.
pub(super) struct Task {
    pub thread: Thread,
    pub unknown: Option<String>,
}

/// Reads a header of any age.
pub(super) fn read(line: &str) -> Option<Task> {
    named(line)
        .or_else(|| of_processor(line))
        .or_else(|| unnamed(line))
        .or_else(|| of_proc(line))
        .or_else(|| columns::read(line))
}

/// Whether a header may begin so; cheap.
pub(super) fn may_begin(line: &[u8]) -> bool {
    line.starts_with(b"task:")
        || line.starts_with(b"CPU: ")
        || line.starts_with(PROC.as_bytes())
        || line.trim_ascii_end().ends_with(b" <==")
        || columns::may_be(line)
}

/// The line that is put before stacks of `/proc` that have no name of their own.
pub(super) const PROC: &str = "/proc/?/stack ";

/// The line that is put before stacks of tasks that nobody names, and their number.
pub(super) const UNNAMED: &str = "CPU: ? task ";

/// `CPU: ? task 1`, which stands in for a header.
fn unnamed(line: &str) -> Option<Task> {
    let number = line.strip_prefix(UNNAMED)?;
    let mut thread = Thread::new(ThreadId::Text(format!("unnamed {number}").into()));
    thread.kind = ThreadKind::Task;
    thread.reported = Some(ReportedState::Running);
    Some(Task { thread, unknown: None })
}

/// A task with this name and pid.
pub(super) fn task(name: &str, pid: u64) -> Thread {
    let mut thread = Thread::new(ThreadId::Number(pid));
    thread.tid = u32::try_from(pid).ok();
    thread.name = Some(name.trim()).filter(|name| !name.is_empty()).map(Into::into);
    thread.kind = ThreadKind::Task;
    thread
}

/// What a letter means.
pub(super) fn state_of(letter: char) -> Option<&'static (char, Option<ReportedState>)> {
    STATES.iter().find(|(known, _)| *known == letter)
}

/// `task:NAME state:D stack:… pid:470 …`; the name may hold anything, colons too.
fn named(line: &str) -> Option<Task> {
    let rest = line.strip_prefix("task:")?;
    let (name, fields) = rsplit_once(rest, " state:")?;
    let letter = fields.chars().next()?;
    let pid = number_after(fields, " pid:")?;
    let mut thread = task(name, pid);
    thread.reported = state_of(letter).and_then(|(_, state)| *state);
    let is_known = |word: &&str| {
        FIELDS.iter().any(|field| word.starts_with(field))
            || word.bytes().all(|b| b.is_ascii_digit() || b == b']')
    };
    let unknown_state = state_of(letter).is_none().then(|| format!("state:{letter}"));
    let mut words = fields.split_ascii_whitespace().skip(1);
    let unknown = unknown_state.or_else(|| words.find(|word| !is_known(word)).map(str::to_owned));
    Some(Task { thread, unknown })
}

/// The number behind a word, with blanks between them or not.
fn number_after(text: &str, word: &str) -> Option<u64> {
    let rest = split_once(text, word)?.1.trim_start();
    rest.get(..rest.bytes().take_while(u8::is_ascii_digit).count())?.parse().ok()
}

/// `CPU: 0 PID: 2970 Comm: syz-executor.1 Not tainted 5.8.0-rc3-syzkaller #0`. The name may hold blanks.
fn of_processor(line: &str) -> Option<Task> {
    let rest = line.strip_prefix("CPU: ")?;
    let pid = number_after(rest, " PID: ").or_else(|| number_after(rest, "PID: "))?;
    let name = split_once(rest, " Comm: ")?.1;
    let end = [" Not tainted", " Tainted:"].iter().find_map(|mark| rsplit_once(name, mark));
    let name = end.map_or(name, |(name, _)| name);
    let mut thread = task(name.strip_suffix(" Kdump: loaded").unwrap_or(name), pid);
    // The idle task of a processor runs only to rest.
    thread.reported = (pid != 0).then_some(ReportedState::Running);
    Some(Task { thread, unknown: None })
}

/// The version of the kernel, in the line of a processor or of a blocked task.
pub(super) fn version(line: &str) -> Option<&str> {
    let text = line.trim_start();
    if !["CPU: ", "Not tainted ", "Tainted: "].iter().any(|start| text.starts_with(start)) {
        return None;
    }
    // `Tainted: G           OE      6.1.0-56-cloud-amd64 #1`, `Tainted: [W]=WARN, 6.12.0`
    let (_, rest) = text.split_once("ainted ").or_else(|| text.split_once("ainted: "))?;
    rest.split_ascii_whitespace()
        .find(|word| word.starts_with(|c: char| c.is_ascii_digit()) && word.contains('.'))
}

/// `==> /proc/94/stack <==`, and the line that stands in for a header.
fn of_proc(line: &str) -> Option<Task> {
    let path = match line.strip_prefix("==> ") {
        Some(rest) => rest.trim_end().strip_suffix(" <==")?,
        None => line.strip_prefix(PROC)?,
    };
    let mut thread = match proc_pid(path).or_else(|| path.parse().ok()) {
        Some(pid) => task("", pid),
        None => {
            let mut thread = Thread::new(ThreadId::Text(path.into()));
            thread.kind = ThreadKind::Task;
            thread
        }
    };
    // A task that runs has no frames there.
    thread.reported = Some(ReportedState::Asleep);
    Some(Task { thread, unknown: None })
}

/// `/proc/94/stack`, `/proc/94/task/95/stack`.
pub(super) fn proc_pid(path: &str) -> Option<u64> {
    let mut parts = path.trim().strip_prefix("/proc/")?.strip_suffix("/stack")?.split('/');
    match (parts.next(), parts.next(), parts.next(), parts.next()) {
        (Some(pid), None, ..) => pid.parse().ok(),
        (Some(_), Some("task"), Some(tid), None) => tid.parse().ok(),
        _ => None,
    }
}
