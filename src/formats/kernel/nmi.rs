//! What an interrupt that cannot be masked leaves in a stack, where somebody sent it to look at the processor.
//!
//! ```text
//! RIP: 0010:queue_drain+0x5/0x10          the function that was interrupted
//! Call Trace:
//!  <NMI>
//!  nmi_cpu_backtrace+0x90/0x100            who looks
//!  </NMI>
//!  <TASK>
//!  pump_events+0x171/0x340                 who called the function that was interrupted
//! ```
//!
//! Where nobody looks, a function of the interrupt itself failed: its frames are what there is to see.
//!
//! Source: Linux 4.10-6.18 arch/x86/kernel/dumpstack.c (`show_trace_log_lvl`), lib/nmi_backtrace.c,
//! kernel/watchdog_perf.c.

use super::frame::{Bound, StackLine};
use super::reporter;

/// The lines without those of who looks. The registers among them are those of what was interrupted.
pub(super) fn without(lines: Vec<StackLine<'_>>) -> Vec<StackLine<'_>> {
    let at = |bound| move |line: &StackLine<'_>| *line == StackLine::Nmi(bound);
    let Some(begin) = lines.iter().position(at(Bound::Begin)) else { return lines };
    let Some(length) = lines.iter().skip(begin).position(at(Bound::End)) else { return lines };
    let part = begin..begin + length;
    let looks = |line: &StackLine<'_>| match line {
        StackLine::Frame(frame, _) | StackLine::Stale(frame, _) => reporter::is_watcher(frame),
        _ => false,
    };
    if !lines.get(part.clone()).unwrap_or_default().iter().any(looks) {
        return lines;
    }
    let is_own =
        |(at, line): &(usize, StackLine<'_>)| !part.contains(at) || matches!(line, StackLine::Counter(..));
    lines.into_iter().enumerate().filter(is_own).map(|(_, line)| line).collect()
}

#[cfg(test)]
mod tests {
    use super::super::frame;
    use super::super::reporter;

    fn functions(text: &str) -> Vec<String> {
        let frames = reporter::own(frame::stack(text.lines().map_while(frame::read)));
        frames.iter().map(|(frame, _)| frame.function.as_deref().unwrap_or_default().to_owned()).collect()
    }

    #[test]
    fn who_looks_is_no_caller() {
        let task = " process_one_work+0x171/0x340\n kthread+0xe5/0x120\n";
        let own = ["queue_drain", "process_one_work", "kthread"];
        let registers = "RIP: 0010:queue_drain+0x5/0x10\n";
        let looks = " <NMI>\n nmi_cpu_backtrace+0x90/0x100\n nmi_handle+0x1/0x2\n";
        assert_eq!(functions(&format!("{registers}{looks} </NMI>\n{task}")), own);
        // The registers may stand behind who looks.
        let lockup = " <NMI>\n dump_stack+0x1/0x2\n panic+0x1/0x2\n watchdog_overflow_callback+0x1/0x2\n end_repeat_nmi+0x1/0x2\n";
        assert_eq!(functions(&format!("{lockup}{registers} </NMI>\n{task}")), own);
        // A handler that failed itself.
        let failed = " <NMI>\n pmu_handler+0x1/0x2\n nmi_handle+0x1/0x2\n </NMI>\n";
        let all = ["pmu_read", "pmu_handler", "nmi_handle", "process_one_work", "kthread"];
        assert_eq!(functions(&format!("RIP: 0010:pmu_read+0x5/0x10\n{failed}{task}")), all);
    }
}
