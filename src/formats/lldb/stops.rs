//! The session around the threads: commands, stops, and what they say of the process. One stop is printed several
//! times: as a notice, by `thread list`, by `bt all`.

use rustc_hash::FxHashMap;

use crate::formats::text::words::{file_name, number};
use crate::model::{Arch, Process, Snapshot, StackIx, Thread, ThreadId, ThreadIx};

/// What a line of the session means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Event {
    /// A command.
    Prompt,
    /// The process stopped, or its threads are listed.
    Stopped,
    /// The process ran, or another one is looked at.
    Runs,
    /// A core was loaded.
    Core,
    /// Of no importance.
    Nothing,
}

/// Commands that let the process run, or get another one.
static RUNNING: &[&str] = &[
    "c",
    "continue",
    "process continue",
    "process attach",
    "attach",
    "run",
    "r",
    "process launch",
    "target create",
    "file",
    "next",
    "n",
    "step",
    "s",
    "finish",
    "process interrupt",
    "target select",
    "process detach",
];

/// Whether a line is one of the session's.
pub(super) fn is_event(line: &str) -> bool {
    line.starts_with("(lldb)")
        || line.starts_with("stop reason = ")
        || line.starts_with("Architecture set to: ")
        || line.starts_with("Executable module set to ")
        || line.starts_with("Executable binary set to ")
        || line.starts_with("Current executable set to ")
        || line.starts_with("Core file '")
        || process(line).is_some()
}

/// Lines without a meaning.
pub(super) fn is_noise(line: &str) -> bool {
    ["Process ", "Target ", "warning: ", "error: ", "note: ", "Note: "]
        .iter()
        .any(|start| line.starts_with(start))
}

/// `Process 11055 stopped`, `Process 7 resuming`, `Process 7 launched: '/x' (x86_64)`, `Process 9 exited with …`.
fn process(line: &str) -> Option<(u64, &str)> {
    let (pid, rest) = number(line.strip_prefix("Process ")?)?;
    let rest = rest.strip_prefix(' ')?;
    let word = rest.split([' ', ':']).next()?;
    ["stopped", "resuming", "launched", "exited", "detached", "unavailable"]
        .contains(&word)
        .then_some((pid, word))
}

/// Reads a line of the session.
pub(super) fn event(line: &str, known: &mut Process) -> Event {
    if let Some(command) = line.strip_prefix("(lldb)") {
        let command = command.trim();
        let runs = RUNNING
            .iter()
            .any(|c| command.strip_prefix(c).is_some_and(|r| r.is_empty() || r.starts_with(' ')));
        if command.starts_with("process attach") || command.starts_with("target create") {
            *known = Process::default();
        }
        return if runs { Event::Runs } else { Event::Prompt };
    }
    if let Some((pid, word)) = process(line) {
        // Of a core that does not say it, it is 0.
        known.pid = u32::try_from(pid).ok().filter(|pid| *pid > 0);
        return match word {
            "stopped" => Event::Stopped,
            "detached" | "unavailable" | "exited" => Event::Nothing,
            _ => Event::Runs,
        };
    }
    if let Some(rest) = line.strip_prefix("Core file '") {
        known.arch = rest.rsplit_once("' (").and_then(|(_, arch)| arch_of(arch));
        return Event::Core;
    }
    if let Some(triple) = line.strip_prefix("Architecture set to: ") {
        known.arch = arch_of(triple);
        let systems = [
            ("linux", "linux"),
            ("macos", "macos"),
            ("ios", "ios"),
            ("windows", "windows"),
            ("freebsd", "freebsd"),
        ];
        known.os = systems.iter().find(|(part, _)| triple.contains(part)).map(|(_, os)| (*os).into());
    } else if let Some((_, path)) = line.split_once(" set to ") {
        let path = path.trim().trim_end_matches('.').split("' (").next().unwrap_or(path);
        known.name = Some(file_name(path.trim_matches(['"', '\''])).into());
    }
    Event::Nothing
}

fn arch_of(text: &str) -> Option<Arch> {
    const NAMES: &[(&str, Arch)] = &[
        ("x86_64", Arch::X86_64),
        ("arm64", Arch::Aarch64),
        ("aarch64", Arch::Aarch64),
        ("i386", Arch::X86),
        ("i686", Arch::X86),
        ("armv7", Arch::Arm),
        ("riscv64", Arch::RiscV64),
    ];
    NAMES.iter().find(|(name, _)| text.starts_with(name)).map(|(_, arch)| *arch)
}

/// Whether stacks were printed, and not first frames only.
pub(super) fn has_stacks(snapshot: &Snapshot) -> bool {
    let deep = snapshot.threads.iter().filter(|t| snapshot.stacks.frames_of(t.stack).len() > 1);
    deep.take(2).count() > 1
}

/// Joins what was printed several times of one stop: each thread once, with its longest stack and all that was said
/// of it. The id becomes the TID where that was printed.
pub(super) fn join(snapshot: &mut Snapshot) {
    let mut place: FxHashMap<ThreadId, usize> = FxHashMap::default();
    let mut kept: Vec<Thread> = Vec::with_capacity(snapshot.threads.len());
    let mut now = Vec::with_capacity(snapshot.threads.len());
    for thread in std::mem::take(&mut snapshot.threads) {
        let at = *place.entry(thread.id.clone()).or_insert(kept.len());
        now.push(ThreadIx(at as u32));
        let Some(known) = kept.get_mut(at) else {
            kept.push(thread);
            continue;
        };
        known.tid = known.tid.or(thread.tid);
        if known.name.is_none() {
            known.name.clone_from(&thread.name);
        }
        // Of stacks with as many frames the one whose arguments were printed.
        let weight = |t: &Thread| (depth(snapshot, t.stack), t.values.1 - t.values.0);
        if weight(&thread) > weight(known) {
            known.stack = thread.stack;
            known.values = thread.values;
            known.stack_end = thread.stack_end;
        }
    }
    if let Some(signal) = &mut snapshot.process.signal {
        signal.thread = signal.thread.and_then(|t| now.get(t.at()).copied());
    }
    let mut tids: FxHashMap<u32, u32> = FxHashMap::default();
    for tid in kept.iter().filter_map(|t| t.tid) {
        *tids.entry(tid).or_default() += 1;
    }
    for thread in &mut kept {
        if let Some(tid) = thread.tid.filter(|tid| tids.get(tid) == Some(&1)) {
            thread.id = ThreadId::Number(u64::from(tid));
        }
    }
    snapshot.threads = kept;
}

fn depth(snapshot: &Snapshot, stack: StackIx) -> usize {
    snapshot.stacks.frames_of(stack).len()
}
