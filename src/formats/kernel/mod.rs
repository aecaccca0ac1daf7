//! Stacks of tasks as the Linux kernel prints them: hung tasks, `sysrq-t`, `-w` and `-l`, lockups, stalls of RCU,
//! oopses and panics, `/proc/PID/stack`.
//!
//! Source: Linux 4.4-6.18 kernel/hung_task.c, kernel/sched/core.c, kernel/watchdog.c, kernel/rcu/tree_stall.h,
//! lib/nmi_backtrace.c, kernel/panic.c, arch/x86/kernel/dumpstack.c.

mod frame;
mod header;
mod line;
mod locks;
mod reports;
mod settle;

use rustc_hash::FxHashSet;

use super::text::words::{rsplit_once, split_once};
use super::text::{self, BlockLine, Body, Dumps, Grammar, Head, InBlock, Outside, Section, Site};
use super::{About, Format, Reader};
use crate::model::{FormatId, Snapshot, Str, Thread, ThreadId, lossy};

use frame::StackLine;
use reports::Report;

/// The row of this format.
pub const FORMAT: Format = Format {
    id: FormatId::new("kernel"),
    name: "stacks of the Linux kernel",
    looked_for: "lines `INFO: task … blocked for more than`, `task:… state:…`, `Call Trace:`, `[<0>] function+0x…`",
    about: About {
        producer: "Linux 4.4 to 6.18: hung-task watchdog, sysrq t, w and l, soft and hard lockups, RCU stalls, oops and panic, /proc/PID/stack; bare, in dmesg, syslog or the journal",
        reads: "tasks with state and frames; what lockdep lists as held, and what is only waited for; owners that the watchdog names; how long a task is blocked; why the kernel died",
        never: "stacks of the programs in user space; which lock, without lockdep or a kernel 6.15; who holds it, in a dump of blocked tasks only (sysrq w), where the holder is not in state D",
        capture: "echo t > /proc/sysrq-trigger; dmesg (all tasks), with CONFIG_LOCKDEP echo d too; sudo cat /proc/PID/task/*/stack of one process",
    },
    reader: Reader::Text {
        anchors: &[
            "INFO: task ",
            "task:",
            "Call Trace:",
            "Call trace:",
            "[<0>] ",
            "Kernel panic - not syncing",
        ],
        confirm,
        parse,
    },
};

/// Lines after `Call Trace:` in which a frame is looked for.
const NEAR: usize = 6;

fn confirm(site: &Site<'_>) -> Option<usize> {
    let own = own_start(site)?;
    let line = lossy(site.line());
    let is_frame = |line: &[u8]| {
        let text = line.get(line::prefix(line).0..).unwrap_or_default();
        frame_in(&lossy(text)).is_some()
    };
    let is_header = match line.split(' ').next()? {
        "INFO:" => reports::hung(&line).is_some() || locks::blocker(&line).is_some(),
        "Call" => site.following_text(NEAR).any(|line| is_frame(line.as_bytes())),
        "[<0>]" => is_frame(line.as_bytes()),
        "Kernel" => true,
        _ => header::read(&line).is_some(),
    };
    is_header.then_some(own)
}

/// Where the line's text begins, the kernel's own prefix included.
fn own_start(site: &Site<'_>) -> Option<usize> {
    let before = site.before()?;
    let begin = site.at - before.len();
    if let Some(path) = before.strip_suffix(b":")
        && let Some(at) = memchr::memmem::find(path, b"/proc/")
    {
        return header::proc_pid(&lossy(path.get(at..)?)).map(|_| begin + at);
    }
    Some(begin + line::own_start(before))
}

/// A frame at the end of a line, whatever stands before it.
fn frame_in(text: &str) -> Option<StackLine<'_>> {
    frame::read(text).or_else(|| frame::read(rsplit_once(text, ": ")?.1)).or_else(|| {
        // Behind the prefix of a log.
        let start = split_once(text, "+0x")?.0.rfind(' ')?;
        frame::read(text.get(start..)?)
    })
}

fn parse(section: &Section<'_>) -> Vec<Snapshot> {
    let (text, places) = cleaned(&section.text);
    let version = memchr::memmem::find_iter(&text, b"ainted").find_map(|at| {
        let start = memchr::memrchr(b'\n', text.get(..at)?).map_or(0, |n| n + 1);
        let line = text::first_line(text.get(start..)?);
        let line = lossy(line.get(..line.len().min(text::LONGEST_LINE))?);
        header::version(&line).map(|version| format!("Linux {version}"))
    });
    let mut snapshots = text::read(&Kernel, FORMAT.id, &section.rewritten(text, places));
    for snapshot in &mut snapshots {
        snapshot.source.producer = version.as_deref().map(Into::into);
    }
    snapshots
}

/// The text without the kernel's prefixes, in the order in which its lines belong together, with a header before
/// stacks of `/proc` that have none.
fn cleaned(text: &[u8]) -> (Vec<u8>, Vec<(usize, usize)>) {
    let mut out = Vec::with_capacity(text.len());
    let mut places = Vec::new();
    let mut stacks = 0usize;
    let mut last_pid = None;
    let mut before: &[u8] = &[];
    for line in line::lines(text) {
        let mut shown = text.get(line.text.clone()).unwrap_or_default();
        places.push((out.len(), line.text.start));
        let of_file = split_path(shown);
        if let Some((pid, rest)) = of_file {
            if last_pid != Some(pid) {
                out.extend_from_slice(format!("{}{pid}\n", header::PROC).as_bytes());
                places.push((out.len(), line.text.start));
            }
            last_pid = Some(pid);
            shown = rest;
        } else {
            last_pid = None;
            let is_stack = |line: &[u8]| line.trim_ascii_start().starts_with(b"[<0>] ");
            let has_header =
                before.trim_ascii_end().ends_with(b" <==") || before.trim_ascii().starts_with(b"Call ");
            if is_stack(shown) && !is_stack(before) && !has_header {
                stacks += 1;
                let name = pid_of(before).map_or_else(|| format!("stack {stacks}"), |pid| pid.to_string());
                out.extend_from_slice(format!("{}{name}\n", header::PROC).as_bytes());
                places.push((out.len(), line.text.start));
            }
        }
        before = shown;
        out.extend_from_slice(shown);
        out.push(b'\n');
    }
    if !text.ends_with(b"\n") {
        out.pop();
    }
    (out, places)
}

/// `/proc/94/stack:[<0>] …`: the pid, and what stands behind.
fn split_path(line: &[u8]) -> Option<(u64, &[u8])> {
    let at = memchr::memchr(b':', line.get(..line.len().min(64))?)?;
    if !line.starts_with(b"/proc/") {
        return None;
    }
    Some((header::proc_pid(std::str::from_utf8(line.get(..at)?).ok()?)?, line.get(at + 1..)?))
}

/// A line before a stack that is only a pid: `94`, `PID 94`, `94:`, `/proc/94/stack`.
fn pid_of(line: &[u8]) -> Option<u64> {
    let line = std::str::from_utf8(line.get(..line.len().min(64))?).ok()?.trim();
    let line = line.trim_end_matches(':').trim_matches(['=', '-', '#', ' ']);
    let number = line.rsplit_once([' ', ':', '=']).map_or(line, |(word, number)| {
        if matches!(word.trim().to_ascii_lowercase().as_str(), "pid" | "tid" | "task" | "thread") {
            number
        } else {
            line
        }
    });
    number.parse().ok().or_else(|| header::proc_pid(line))
}

struct Kernel;

/// What is remembered between tasks.
#[derive(Default)]
struct Memory {
    seen: FxHashSet<(u64, Option<Str>)>,
    /// What the tasks that follow are part of.
    report: Option<Report>,
    facts: settle::Facts,
}

impl Grammar for Kernel {
    type Memory = Memory;
    const MASKS_HEX: bool = false;

    fn may_begin(&self, line: &[u8]) -> bool {
        header::may_begin(line)
    }

    fn head(&self, line: &str, _more: &[u8]) -> Option<Head> {
        let task = header::read(line)?;
        let mut head = Head::of(task.thread);
        head.unknown = task.unknown;
        Some(head)
    }

    /// Registers and code differ from task to task and say nothing of it.
    fn is_attribute(&self, line: &[u8]) -> bool {
        reports::is_register(line)
    }

    fn attribute(&self, _thread: &mut Thread, _line: &str) -> bool {
        true
    }

    fn in_block(&self, line: &str) -> InBlock {
        if frame::read(line).is_some() {
            InBlock::Body
        } else if reports::is_event(line) {
            InBlock::Ends
        } else if reports::is_noise(line) {
            InBlock::Noise
        } else {
            InBlock::Unknown
        }
    }

    fn outside(&self, line: &str, _section: Option<&'static str>) -> Outside {
        if reports::is_event(line) {
            Outside::Event
        } else if reports::is_noise(line)
            || reports::is_register(line.as_bytes())
            || frame::read(line).is_some()
        {
            Outside::Noise
        } else {
            Outside::Unknown
        }
    }

    fn body(&self, block: &[BlockLine<'_>]) -> Body {
        let lines = block.iter().map_while(|line| match frame::read(line.text) {
            Some(StackLine::User) | None => None,
            Some(line) => Some(line),
        });
        let lines: Vec<StackLine<'_>> = lines.collect();
        let mut body = Body { wait: locks::wait(&lines), ..Body::default() };
        for line in lines {
            if let StackLine::Frame(frame, _) = line {
                body.frames.push((*frame).into());
            }
        }
        body
    }

    fn on_thread(&self, memory: &mut Memory, dumps: &mut Dumps, thread: &Thread, offset: u64) -> bool {
        let ThreadId::Number(pid) = thread.id else { return true };
        // Each processor has a task 0 of its own.
        let key = (pid, thread.name.clone().filter(|_| pid == 0));
        let is_known = memory.seen.contains(&key);
        let by_processor = memory.report.as_ref().is_some_and(Report::is_by_processor);
        if is_known && (!by_processor || memory.facts.is_older_report(memory.report.as_ref())) {
            let rest = memory.facts.rest(pid);
            self.close(memory, dumps);
            memory.facts = rest;
        } else if is_known || (by_processor && thread.name.as_deref() == Some(WATCHDOG)) {
            if is_known {
                memory.facts.failed(memory.report.as_ref(), thread, None);
            }
            return false;
        }
        memory.seen.insert(key);
        let building = dumps.current(offset);
        let ix = crate::model::ThreadIx(building.snapshot.threads.len() as u32);
        memory.facts.failed(memory.report.as_ref(), thread, Some(ix));
        true
    }

    fn on_event(&self, memory: &mut Memory, dumps: &mut Dumps, line: &str, offset: u64) {
        let has_tasks = dumps.open().is_some_and(|b| !b.snapshot.threads.is_empty());
        if let Some(report) = reports::read(line) {
            let is_new = matches!(report, Report::Sysrq { .. });
            if is_new && has_tasks {
                self.close(memory, dumps);
            }
            memory.facts.note(&report);
            if let Some((pid, seconds)) = reports::hung(line) {
                memory.facts.hung(pid, seconds);
            }
            memory.report = Some(report);
            return;
        }
        memory.facts.line(line, offset);
    }

    fn on_end(&self, memory: &mut Memory, dumps: &mut Dumps) {
        self.close(memory, dumps);
    }
}

/// Its stack shows that it reports, and nothing of what hangs.
const WATCHDOG: &str = "khungtaskd";

impl Kernel {
    fn close(&self, memory: &mut Memory, dumps: &mut Dumps) {
        let report = memory.report.take();
        if let Some(building) = dumps.open() {
            memory.facts.settle(building);
        }
        dumps.end();
        *memory = Memory::default();
        memory.report = report;
    }
}

#[cfg(test)]
mod tests;
