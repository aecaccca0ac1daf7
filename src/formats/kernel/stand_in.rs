//! Headers for stacks that an alarm announces and that have none of their own: people leave the line `CPU: …` out.
//!
//! ```text
//! watchdog: BUG: soft lockup - CPU#0 stuck for 22s! [irq/268-pump:247]
//! Call trace:
//!  pump_events+0x7c/0xa0
//! ```
//!
//! Before 3.10 the kernel had no such line: `Process mmap2 (pid: 635, task: 0000000029476100, ksp: …)` names the task.
//!
//! Source: Linux 3.9 arch/s390/kernel/dumpstack.c (`show_registers`), 4.4-6.18 kernel/watchdog.c.

use super::locks::name_and_pid;
use super::reports::{self, Report};
use super::{frame, header};
use crate::model::lossy;

/// How many lines before a stack are looked at: registers of 32 lines, modules.
const FARTHEST: usize = 60;

/// Lines that begin a stack, beside that of the registers.
const CALLS: [&[u8]; 3] = [b"Call Trace:", b"Call trace:", b"Backtrace:"];

/// Whether a stack begins with this line, or the registers before one.
pub(super) fn begins(line: &[u8]) -> bool {
    is_call(line) || frame::is_counter(line)
}

fn is_call(line: &[u8]) -> bool {
    CALLS.iter().any(|call| line.trim_ascii_start().starts_with(call))
}

/// The header that is to be put before this line. `before`: the lines before it, the nearest first; `after`: those
/// behind it; `number`: of the next task without a name.
pub(super) fn header<'t>(
    before: impl Iterator<Item = &'t [u8]>,
    line: &[u8],
    after: impl Iterator<Item = &'t [u8]>,
    number: usize,
) -> Option<String> {
    if !begins(line) {
        return None;
    }
    let mut named = None;
    for line in before.take(FARTHEST) {
        if begins(line) {
            return None;
        }
        let line = lossy(line);
        if header::may_begin(line.as_bytes()) && header::read(&line).is_some() {
            return None;
        }
        named = named.or_else(|| of_process(&line));
        let task = match reports::read(&line) {
            Some(Report::Lockup { task, .. }) => task,
            Some(Report::Fatal { .. }) => None,
            Some(_) => return None,
            None => continue,
        };
        // Old kernels name it between the registers and the stack.
        let mut registers = after.take(FARTHEST).take_while(|line| !is_call(line));
        let named = named.or_else(|| registers.find_map(|line| of_process(&lossy(line))));
        return Some(match named.or(task) {
            Some((name, pid)) => format!("CPU: ? PID: {pid} Comm: {name}"),
            None => format!("{}{number}", header::UNNAMED),
        });
    }
    None
}

/// `Process mmap2 (pid: 635, task: …`: the name and the pid.
fn of_process(line: &str) -> Option<(String, u64)> {
    let (name, rest) = line.trim().strip_prefix("Process ")?.rsplit_once(" (pid: ")?;
    let (_, pid) = name_and_pid(&format!(":{}", rest.split([',', ')']).next()?), ':')?;
    Some((name.to_owned(), pid))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header_before_the_last(text: &str) -> Option<String> {
        let lines: Vec<&[u8]> = text.lines().map(str::as_bytes).collect();
        let (last, before) = lines.split_last()?;
        header(before.iter().rev().copied(), last, std::iter::empty(), 1)
    }

    #[test]
    fn an_alarm_names_the_task_of_the_stack_behind_it() {
        let lockup =
            "watchdog: BUG: soft lockup - CPU#0 stuck for 22s! [irq/9-pump:247]\nModules linked in: x\n";
        let named = "CPU: ? PID: 247 Comm: irq/9-pump";
        assert_eq!(header_before_the_last(&format!("{lockup}Call trace:")).as_deref(), Some(named));
        let old = "kernel BUG at mm/log.c:39!\nCPU: 1 Not tainted 3.9.0 #38\nProcess pump (pid: 63, task: 00000000)\nCall Trace:";
        assert_eq!(header_before_the_last(old).as_deref(), Some("CPU: ? PID: 63 Comm: pump"));
        let bare = "Unable to handle kernel paging request at virtual address 28\n\nCall trace:";
        assert_eq!(header_before_the_last(bare).as_deref(), Some("CPU: ? task 1"));
    }

    #[test]
    fn registers_begin_a_stack_too() {
        let before: [&[u8]; 2] =
            [b"Oops: 0000 [#1] SMP", b"BUG: unable to handle kernel paging request at 12"];
        let after: [&[u8]; 2] = [b"ds: 0018", b"Process pump (pid: 63, ti=c798c000 task=c7994338)"];
        let named = header(before.iter().copied(), b"EIP is at pump+0x1/0x2", after.iter().copied(), 1);
        assert_eq!(named.as_deref(), Some("CPU: ? PID: 63 Comm: pump"));
        let again: [&[u8]; 2] = [b"EIP is at pump+0x1/0x2", before[0]];
        assert_eq!(header(again.iter().copied(), b"Call Trace:", after.iter().copied(), 1), None);
    }

    #[test]
    fn a_stack_with_a_header_needs_none() {
        for text in [
            "kernel BUG at mm/log.c:39!\nCPU: 0 PID: 44 Comm: pump Not tainted 6.6 #1\nCall Trace:",
            "kernel BUG at mm/log.c:39!\nCall Trace:\n f+0x1/0x2\nCall Trace:",
            "sysrq: Show State\nCall Trace:",
            "nothing\nCall Trace:",
            "kernel BUG at mm/log.c:39!\n f+0x1/0x2",
        ] {
            assert_eq!(header_before_the_last(text), None, "{text}");
        }
    }
}
