//! Stacks of tasks as the Linux kernel prints them: hung tasks, `sysrq-t`, `-w` and `-l`, lockups, stalls of RCU,
//! oopses and panics, `/proc/PID/stack`.
//!
//! Source: Linux 4.4-6.18 kernel/hung_task.c, kernel/sched/core.c, kernel/watchdog.c, kernel/rcu/tree_stall.h,
//! lib/nmi_backtrace.c, kernel/panic.c, arch/x86/kernel/dumpstack.c.

mod alarm;
mod clean;
mod columns;
mod ends;
mod frame;
mod header;
mod last_frame;
mod line;
mod locks;
mod nmi;
mod noise;
mod orders;
mod plain;
mod pools;
mod reporter;
mod reports;
mod same_stack;
mod settle;
mod stand_in;
mod wrapped;

use rustc_hash::FxHashSet;

use super::text::words::{rsplit_once, split_once};
use super::text::{self, BlockLine, Body, Dumps, Grammar, Head, InBlock, Outside, Section, Site};
use super::{About, Format, Reader};
use crate::model::{FormatId, Snapshot, Str, Thread, ThreadId, ThreadIx, lossy};

use clean::Cleaned;
use frame::StackLine;
use reports::Report;

/// The row of this format.
pub const FORMAT: Format = Format {
    id: FormatId::new("kernel"),
    name: "stacks of the Linux kernel",
    looked_for: "lines `INFO: task … blocked for more than`, `task:… state:…`, `Call Trace:`, `[<0>] function+0x…`, `[<ffffffff…>] function+0x…`",
    about: About {
        producer: "Linux 4.4 to 6.18: hung-task watchdog, sysrq t, w and l, soft, hard and work queue lockups, RCU stalls, KASAN, oops and panic, /proc/PID/stack, of x86, arm, POWER, s390, RISC-V, MIPS, LoongArch and parisc; bare, in dmesg, syslog or the journal",
        reads: "tasks with state and frames; what lockdep lists as held, and what is only waited for; owners that the watchdog names; how long a task is blocked; why the kernel died; orders of locks in which lockdep sees a deadlock that may happen",
        never: "stacks of the programs in user space; which lock, without lockdep or a kernel 6.15; who holds it, in a dump of blocked tasks only (sysrq w), where the holder is not in state D; what the OOM killer ended",
        capture: "echo t > /proc/sysrq-trigger; dmesg (all tasks), with CONFIG_LOCKDEP echo d too; sudo cat /proc/PID/task/*/stack of one process",
    },
    reader: Reader::Text {
        anchors: &[
            "INFO: task ",
            "task:",
            "Call Trace:",
            "Call trace:",
            "[<0>] ",
            "[<ffffffff",
            "Kernel panic - not syncing",
            "BUG: soft lockup - ",
            "BUG: workqueue lockup - ",
            "CPU: ",
            "Backtrace:",
            "SysRq : Show ",
            alarm::ANCHORS[0],
            alarm::ANCHORS[1],
            alarm::ANCHORS[2],
            orders::ANCHORS[0],
            orders::ANCHORS[1],
            orders::ANCHORS[2],
            orders::ANCHORS[3],
        ],
        confirm,
        parse,
    },
};

/// Lines after `Call Trace:` in which a frame is looked for.
const NEAR: usize = 6;

fn confirm(site: &Site<'_>) -> Option<usize> {
    if orders::ANCHORS.iter().any(|anchor| site.rest().starts_with(anchor.as_bytes())) {
        let before = site.before()?;
        let own = site.at - before.len() + line::own_start(orders::before_report(before)?);
        return orders::has_locks(site).then_some(own);
    }
    if alarm::ANCHORS.iter().any(|anchor| site.rest().starts_with(anchor.as_bytes())) {
        return alarm::is_one(site.before()?, &lossy(site.line())).then_some(own_start(site)?);
    }
    let own = own_start(site)?;
    let line = lossy(site.line());
    let is_frame = |line: &[u8]| {
        let text = line.get(line::prefix(line).0..).unwrap_or_default();
        frame_in(&lossy(text)).is_some()
    };
    let is_header = match line.split(' ').next()? {
        "INFO:" if is_string_of_code(site) => false,
        "INFO:" => reports::hung(&line).is_some() || locks::blocker(&line).is_some(),
        "SysRq" => site.following_text(NEAR).any(|line| header_in(&line)),
        "Call" | "Backtrace:" => site.following_text(NEAR).any(|line| is_frame(line.as_bytes())),
        "[<0>]" => is_frame(line.as_bytes()),
        start if start.as_bytes().starts_with(plain::START) => is_plain_stack(site),
        "Kernel" => true,
        "BUG:" if is_string_of_code(site) => false,
        "BUG:" => is_lockup(site.before()?, &line),
        "CPU:" => line.contains("ainted") && header::read(&line).is_some(),
        _ => header::read(&line).is_some(),
    };
    is_header.then_some(own)
}

/// `{"watchdog: BUG: soft lockup - …", …`, in a program: JSON and logs have a key before the quote.
fn is_string_of_code(site: &Site<'_>) -> bool {
    let before = alarm::without_speaker(site.before().unwrap_or_default());
    let has_key = || [b"\":".as_slice(), b"=\""].iter().any(|k| memchr::memmem::find(before, k).is_some());
    matches!(before.last(), Some(b'"' | b'\'' | b'`')) && !has_key()
}

/// Whether a line says which task or which pool of workers does not get on.
fn is_lockup(before: &[u8], line: &str) -> bool {
    match reports::read(line) {
        Some(Report::Lockup { message, task, .. }) => {
            task.is_some() || (pools::of_lockup(&message).is_some() && alarm::is_one(before, line))
        }
        _ => false,
    }
}

/// Whether a stack of `/proc` begins here that shows its addresses. Reports are full of such frames, behind a blank.
fn is_plain_stack(site: &Site<'_>) -> bool {
    let Some(before) = site.before() else { return false };
    let begin = site.at - before.len();
    let above = site.text.get(..begin.saturating_sub(1)).unwrap_or_default();
    let above = (begin > 0).then(|| above.rsplit(|b| *b == b'\n'));
    let mut above = above.into_iter().flatten().map(<[u8]>::trim_ascii_end);
    let below = site.following(1).next();
    match before {
        b"" => plain::begins(above, site.line(), below),
        _ if before.ends_with(b"/stack:") => plain::is_frame(site.line()),
        _ => plain::begins_moved(before, above.next().unwrap_or_default(), site.line(), below),
    }
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
    Some(begin + line::own_start(alarm::without_speaker(before)))
}

/// A frame at the end of a line, whatever stands before it.
fn frame_in(text: &str) -> Option<StackLine<'_>> {
    frame::read(text).or_else(|| frame::read(rsplit_once(text, ": ")?.1)).or_else(|| {
        // Behind the prefix of a log.
        let start = split_once(text, "+0x")?.0.rfind(' ')?;
        frame::read(text.get(start..)?)
    })
}

/// Whether a line is a task's header in columns, behind the prefix of the kernel or of a log.
fn header_in(text: &str) -> bool {
    let own = text.get(line::prefix(text.as_bytes()).0..).unwrap_or_default();
    [Some(own), rsplit_once(text, "] ").map(|(_, own)| own)]
        .into_iter()
        .flatten()
        .any(|own| columns::read(own).is_some())
}

fn parse(section: &Section<'_>) -> Vec<Snapshot> {
    let Cleaned { text, places, version, .. } = clean::cleaned(&section.text);
    let mut snapshots = text::read(&Kernel, FORMAT.id, &section.rewritten(text, places));
    for snapshot in &mut snapshots {
        snapshot.source.producer = version.as_deref().map(Into::into);
    }
    snapshots
}

struct Kernel;

/// What is remembered between tasks.
#[derive(Default)]
struct Memory {
    seen: FxHashSet<(u64, Option<Str>)>,
    /// What the tasks that follow are part of.
    report: Option<Report>,
    /// Whom the line before calls the owner of a lock: its stack comes next.
    owner: Option<u64>,
    /// Who was shown as an owner, and may be shown again as one that is blocked itself.
    owners: FxHashSet<u64>,
    /// The task before.
    last: Option<u64>,
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
        noise::is_register(line)
    }

    fn attribute(&self, _thread: &mut Thread, _line: &str) -> bool {
        true
    }

    fn in_block(&self, line: &str) -> InBlock {
        if frame::read(line).is_some() {
            InBlock::Body
        } else if reports::is_event(line) {
            InBlock::Ends
        } else if noise::is_noise(line) {
            InBlock::Noise
        } else {
            InBlock::Unknown
        }
    }

    fn outside(&self, line: &str, _section: Option<&'static str>) -> Outside {
        if reports::is_event(line) {
            Outside::Event
        } else if noise::is_noise(line) || noise::is_register(line.as_bytes()) || frame::read(line).is_some()
        {
            Outside::Noise
        } else {
            Outside::Unknown
        }
    }

    fn body(&self, block: &[BlockLine<'_>]) -> Body {
        let lines = block.iter().map_while(|line| frame::read(line.text));
        let frames = reporter::own(frame::stack(lines));
        let mut body = Body { wait: locks::wait(&frames), ..Body::default() };
        body.frames = frames.into_iter().map(|(frame, _)| frame.into()).collect();
        body
    }

    fn on_thread(&self, memory: &mut Memory, dumps: &mut Dumps, thread: &Thread, offset: u64) -> bool {
        let ThreadId::Number(pid) = thread.id else {
            memory.last = None;
            let ix = next_thread(dumps, offset);
            memory.facts.ends.of_task(memory.report.as_ref(), thread, Some(ix));
            return true;
        };
        // Each processor has a task 0 of its own.
        let key = (pid, thread.name.clone().filter(|_| pid == 0));
        let is_known = memory.seen.contains(&key);
        memory.last = Some(pid);
        let is_owner = memory.owner.take() == Some(pid);
        if is_known && (is_owner || memory.owners.remove(&pid)) {
            return false;
        }
        let by_processor = memory.report.as_ref().is_some_and(Report::is_by_processor);
        let is_watchdog = || thread.name.as_deref() == Some(WATCHDOG) && !memory.facts.ends.died_in_nobody();
        if is_known && (!by_processor || memory.facts.ends.is_older_report(memory.report.as_ref())) {
            let rest = memory.facts.rest(pid);
            self.close(memory, dumps);
            (memory.facts, memory.last) = (rest, Some(pid));
        } else if is_known || (by_processor && is_watchdog()) {
            if is_known {
                memory.facts.ends.of_task(memory.report.as_ref(), thread, None);
            }
            return false;
        }
        memory.seen.insert(key);
        if is_owner {
            memory.owners.insert(pid);
        }
        let ix = next_thread(dumps, offset);
        memory.facts.ends.of_task(memory.report.as_ref(), thread, Some(ix));
        true
    }

    fn on_event(&self, memory: &mut Memory, dumps: &mut Dumps, line: &str, offset: u64) {
        let has_tasks = dumps.open().is_some_and(|b| !b.snapshot.threads.is_empty());
        memory.owner = None;
        if let Some(shown) = same_stack::shown_at(line) {
            if let Some(pid) = memory.last {
                memory.facts.same_stacks.add(pid, shown, offset);
            }
            return;
        }
        if let Some(report) = reports::read(line) {
            let is_new = matches!(report, Report::Sysrq { .. });
            if is_new && has_tasks {
                self.close(memory, dumps);
            }
            memory.facts.note(&report, offset);
            if let Some((name, pid, seconds)) = reports::hung(line) {
                memory.facts.hung(name, pid, seconds, offset);
            }
            memory.report = Some(report);
            return;
        }
        memory.owner = memory.facts.line(line, offset);
    }

    fn on_end(&self, memory: &mut Memory, dumps: &mut Dumps) {
        self.close(memory, dumps);
    }
}

/// Its stack shows that it reports, and nothing of what hangs.
const WATCHDOG: &str = "khungtaskd";

/// Where the thread goes that is about to be added.
fn next_thread(dumps: &mut Dumps, offset: u64) -> ThreadIx {
    ThreadIx(dumps.current(offset).snapshot.threads.len() as u32)
}

impl Kernel {
    fn close(&self, memory: &mut Memory, dumps: &mut Dumps) {
        let report = memory.report.take();
        // Tasks may be named without a stack of any of them.
        let building = match memory.facts.first_named() {
            Some(offset) => Some(dumps.current(offset)),
            None => dumps.open(),
        };
        if let Some(building) = building {
            memory.facts.settle(building);
        }
        dumps.end();
        *memory = Memory::default();
        memory.report = report;
    }
}

#[cfg(test)]
mod alarm_tests;
#[cfg(test)]
mod field_tests;
#[cfg(test)]
mod tests;
