//! What a text says of the process, and whether it holds all of it.

use rustc_hash::FxHashSet;

use crate::model::{Frame, GapKind, Signal, Snapshot, StackEnd, Str};

use super::merge::Roll;
use super::message;
use super::parts::Part;
use super::session::Event;

/// `GNU gdb (Debian 13.1-3) 13.1`, else `gdb`.
pub(super) fn producer(parts: &[Part<'_>]) -> Option<Str> {
    let banner = parts.iter().flat_map(|p| &p.events).find_map(|event| match event {
        Event::Banner(text) => Some(text.as_str()),
        _ => None,
    });
    Some(banner.unwrap_or("gdb").into())
}

/// Fills in the process. The first that is said of a thing counts.
pub(super) fn describe(snapshot: &mut Snapshot, parts: &[Part<'_>], roll: &Roll<'_>) {
    let process = &mut snapshot.process;
    let mut said = None;
    for event in parts.iter().flat_map(|p| &p.events) {
        match event {
            Event::Attaching { pid, path } => {
                process.pid = process.pid.or(*pid);
                if process.name.is_none() {
                    process.name = path.as_deref().map(file_name);
                }
            }
            Event::Detached(pid) => process.pid = process.pid.or(*pid),
            Event::CoreOf(command) | Event::Starting(command) if process.command_line.is_none() => {
                process.command_line = Some(command.as_str().into());
                process.name = command.split_ascii_whitespace().next().map(file_name);
            }
            Event::Signal { name, number, .. } if process.signal.is_none() => {
                process.signal =
                    Some(Signal { name: name.as_str().into(), number: *number, ..Signal::default() });
            }
            Event::Report { program, signal } => {
                process.name = process.name.take().or_else(|| Some(file_name(program)));
                let named = signal.map(|(name, number)| Signal {
                    name: name.into(),
                    number: Some(number),
                    ..Signal::default()
                });
                process.signal = process.signal.take().or(named);
            }
            Event::Message { kind, text } => {
                said = Some(message::joined(said.take(), *kind, text));
            }
            Event::Time(text) if process.captured_at.is_none() => {
                process.captured_at = Some(text.as_str().into())
            }
            _ => {}
        }
    }
    // What it wrote before another signal is not why it ended.
    process.failure = said.filter(|_| process.signal.as_ref().is_some_and(|s| &*s.name == "SIGABRT"));
    let census = Census::of(roll);
    process.pid = process.pid.or(census.pid);
    let announced = parts.iter().flat_map(|p| &p.events).find_map(|event| match event {
        Event::NewThread(target) => target.os,
        _ => None,
    });
    // The C library of FreeBSD 7 and newer; on Linux it is `libc.so.6`.
    let is_of_freebsd = |frame: &Frame| frame.module.as_deref().is_some_and(|m| m.ends_with("/libc.so.7"));
    let by_library = snapshot.stacks.all_frames().iter().any(is_of_freebsd).then_some("freebsd");
    let os = by_library.or(census.os).or(announced);
    // Several threads named by their process are Apple's gdb.
    process.os = os.or_else(|| (census.by_process > 1).then_some("macos")).map(Into::into);
    if process.pid.is_none() && os == Some("linux") {
        snapshot.process.pid = main_thread(snapshot);
    }
}

/// What the threads' names say of their process.
#[derive(Default)]
struct Census {
    pid: Option<u32>,
    os: Option<&'static str>,
    /// How many are named so: `Thread 27 (process 7860)`.
    by_process: usize,
}

impl Census {
    fn of(roll: &Roll<'_>) -> Self {
        let mut census = Self::default();
        for target in roll.entries.iter().map(|entry| entry.target) {
            census.pid = census.pid.or(target.pid);
            census.os = census.os.or(target.os);
            let is_by_process = target.pid.is_some() && target.lwp.is_none() && target.os.is_none();
            census.by_process += usize::from(is_by_process);
        }
        census
    }
}

fn file_name(path: &str) -> Str {
    path.rsplit('/').next().unwrap_or(path).into()
}

/// How a program's first thread begins; its kernel id is the pid on Linux.
static MAIN: &[&str] =
    &["_start", "main", "__libc_start_main", "__libc_start_main_impl", "__libc_start_call_main"];

fn main_thread(snapshot: &Snapshot) -> Option<u32> {
    let mut mains = snapshot.threads.iter().filter(|thread| {
        let outermost = snapshot.stacks.frames_of(thread.stack).last();
        let function = outermost.and_then(|ix| snapshot.stacks.get(*ix).function.as_deref());
        function.is_some_and(|f| MAIN.contains(&f))
    });
    match (mains.next(), mains.next()) {
        (Some(thread), None) => thread.tid,
        _ => None,
    }
}

/// Takes over the pid within one session of gdb, which may say it once, at its end:
/// `[Inferior 1 (process 5163) detached]`.
pub(super) fn share_pid(snapshots: &mut [Snapshot], goes_on: &[bool]) {
    for later in (1..snapshots.len()).rev() {
        let [.., earlier, this] = &mut snapshots[..=later] else { return };
        if goes_on.get(later) == Some(&true) && earlier.process.pid.is_none() {
            earlier.process.pid = this.process.pid;
        }
    }
}

/// Notes what the text itself says is missing.
pub(super) fn judge_completeness(snapshot: &mut Snapshot, parts: &[Part<'_>], roll: &Roll<'_>) {
    let (mut limited, mut reported) = (0, 0);
    for thread in &snapshot.threads {
        limited += u64::from(thread.stack_end == StackEnd::DepthLimit);
        reported += u64::from(thread.stack_end == StackEnd::Reported);
    }
    let rows = roll.entries.iter().filter(|entry| entry.is_row && !entry.is_running).count() as u64;
    let cut = roll.entries.iter().find(|e| e.placed.item.is_cut);
    let missing = missing_threads(parts, roll);
    let last = last_number(parts);
    let gaps = &mut snapshot.gaps;
    if let Some(entry) = cut {
        let message = "the text breaks off within a thread's stack; threads after it are missing";
        gaps.add(GapKind::Truncated, message, Some(entry.placed.item.offset));
    }
    if let Some(number) = last.filter(|n| *n > 1) {
        let message = "gdb lists threads down to number 1; the text ends before it";
        gaps.add_many(GapKind::Truncated, message, number - 1, None);
    }
    if missing > 0 {
        let message = "threads that gdb names in the text have no stack in it";
        gaps.add_many(GapKind::Limit, message, missing, None);
    }
    if rows > 0 {
        let message =
            "threads of which `info threads` prints one frame: `thread apply all bt` prints their stacks";
        gaps.add_many(GapKind::Limit, message, rows, None);
    }
    if limited > rows {
        let message = "stacks that gdb was told to print in part only";
        gaps.add_many(GapKind::Limit, message, limited - rows, None);
    }
    if reported > 0 {
        gaps.add_many(
            GapKind::IncompleteStack,
            "stacks that gdb could not follow to their end",
            reported,
            None,
        );
    }
    snapshot.is_complete = cut.is_none() && last.is_none_or(|n| n <= 1) && missing == 0 && limited == 0;
}

/// The last number of a list that falls, which gdb prints down to 1.
fn last_number(parts: &[Part<'_>]) -> Option<u64> {
    let mut numbers = parts.iter().flat_map(|p| &p.listed).map(|listed| listed.header.number);
    let (mut last, mut count) = (numbers.next()?, 1);
    for number in numbers {
        if number >= last {
            return None;
        }
        (last, count) = (number, count + 1);
    }
    (count >= 3).then_some(last)
}

/// How many threads gdb announced (`[New LWP 5445]`) that the text does not list.
fn missing_threads(parts: &[Part<'_>], roll: &Roll<'_>) -> u64 {
    let mut announced: FxHashSet<u32> = FxHashSet::default();
    for event in parts.iter().flat_map(|p| &p.events) {
        match event {
            Event::NewThread(target) => announced.extend(target.lwp),
            Event::Exited(lwp) => {
                announced.remove(lwp);
            }
            _ => {}
        }
    }
    if announced.is_empty() {
        return 0;
    }
    let listed: FxHashSet<u32> = roll.entries.iter().filter_map(|e| e.target.lwp).collect();
    // Stacks without ids may be any of them.
    let unnamed = roll.entries.iter().filter(|e| e.target.lwp.is_none()).count();
    (announced.difference(&listed).count().saturating_sub(unnamed)) as u64
}
