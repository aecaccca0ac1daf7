//! Where in a stack that the kernel printed of itself the task's own part begins.
//!
//! ```text
//!  dump_backtrace+0x0/0x140          who prints
//!  show_stack+0x14/0x20
//!  sched_show_task+0x108/0x138       who found that the task does not get on
//!  rcu_dump_cpu_stacks+0x94/0xd0
//!  hrtimer_interrupt+0xe4/0x240
//!  el1_irq+0xb8/0x180                the interrupt that it came with
//!  queue_drain+0x1d8/0x2b0           what was interrupted
//! ```
//!
//! POWER says of an interrupt where it came in: `--- interrupt: 901 at queue_drain+0x1d8/0x2b0`.
//!
//! Source: Linux 4.4-6.18 kernel/rcu/tree_stall.h, kernel/watchdog.c, lib/nmi_backtrace.c, lib/dump_stack.c,
//! mm/kasan/report.c; entries of interrupts: arch/x86/entry/entry_64.S, arch/arm64/kernel/entry.S,
//! arch/arm/kernel/entry-armv.S, arch/powerpc/kernel/exceptions-64s.S, arch/mips/kernel/genex.S,
//! arch/riscv/kernel/entry.S, arch/loongarch/kernel/genex.S, arch/s390/kernel/entry.S.

use super::frame::INTERRUPT;
use crate::model::{Frame, Trust};

/// Functions that print a stack or check what another one does, as beginnings.
const PRINTERS: [&str; 20] = [
    "dump_backtrace",
    "dump_stack",
    "__dump_stack",
    "show_stack",
    "show_regs",
    "show_trace",
    "print_report",
    "print_address_description",
    "kasan_report",
    "kasan_object_err",
    "kasan_check_range",
    "check_memory_region",
    "__kasan_report",
    "__kasan_check_",
    "__asan_",
    "kmsan_report",
    "__warn",
    "warn_slowpath_",
    "__might_resched",
    "___might_sleep",
];

/// Functions of watchdogs, which look at a processor from an interrupt, as beginnings.
const WATCHERS: [&str; 14] = [
    "sched_show_task",
    "dump_cpu_task",
    "rcu_dump_cpu_stacks",
    "rcu_print_",
    "print_other_cpu_stall",
    "print_cpu_stall",
    "check_cpu_stall",
    "rcu_sched_clock_irq",
    "rcu_check_callbacks",
    "nmi_cpu_backtrace",
    "nmi_trigger_cpumask_backtrace",
    "watchdog_timer_fn",
    "watchdog_overflow_callback",
    "watchdog_hardlockup_",
];

/// The tick of a processor, from which watchdogs look at it, as beginnings. Tasks do not call these.
const TICKS: [&str; 28] = [
    "update_process_times",
    "tick_sched_handle",
    "tick_sched_timer",
    "tick_nohz_handler",
    "tick_periodic",
    "tick_handle_periodic",
    "__run_hrtimer",
    "__hrtimer_run_queues",
    "hrtimer_run_queues",
    "hrtimer_interrupt",
    "__timer_interrupt",
    "timer_interrupt",
    "restore_check_irq_replay",
    "local_apic_timer_interrupt",
    "smp_apic_timer_interrupt",
    "__sysvec_apic_timer_interrupt",
    "sysvec_apic_timer_interrupt",
    "arch_timer_handler_",
    "twd_handler",
    "handle_percpu_devid_irq",
    "handle_irq_desc",
    "__handle_irq_event_percpu",
    "generic_handle_irq",
    "generic_handle_domain_irq",
    "handle_domain_irq",
    "__handle_domain_irq",
    "gic_handle_irq",
    "bcm2836_",
];

/// Where the processor enters the kernel for an interrupt, as beginnings.
const ENTRIES: [&str; 23] = [
    INTERRUPT,
    "apic_timer_interrupt",
    "asm_sysvec_",
    "asm_common_interrupt",
    "asm_exc_nmi",
    "common_interrupt",
    "ret_from_intr",
    "reschedule_interrupt",
    "call_function_",
    "end_repeat_nmi",
    "el1_irq",
    "el1h_64_irq",
    "el0_irq",
    "el0t_64_irq",
    "__irq_svc",
    "__irq_usr",
    "decrementer_common",
    "hardware_interrupt_common",
    "handle_int",
    "rollback_handle_int",
    "handle_vint",
    "ext_int_handler",
    "io_int_handler",
];

/// Frames of any task that is not on a processor.
const SWITCHES: [&str; 5] =
    ["__switch_to", "context_switch", "__schedule", "preempt_schedule_common", "preempt_schedule_thunk"];

/// Functions with which a task leaves the processor, and beginnings of their like.
const LEAVES: [&str; 2] = ["schedule", "__schedule"];
const LEAVES_FOR: [&str; 3] = ["schedule_timeout", "schedule_preempt_disabled", "io_schedule"];

/// In how many words they are looked for.
const LEFT_OVER: usize = 10;

/// Whether a function is one with which a watchdog looks at a processor.
pub(super) fn is_watcher(frame: &Frame) -> bool {
    is_one_of(frame, &WATCHERS)
}

fn is_one_of(frame: &Frame, beginnings: &[&str]) -> bool {
    frame.function.as_deref().is_some_and(|name| beginnings.iter().any(|start| name.starts_with(start)))
}

/// The frames without those of who reports. Empty: nothing of the task itself is in them.
pub(super) fn own(mut frames: Vec<(Frame, &str)>) -> Vec<(Frame, &str)> {
    let start = start(&frames);
    frames.drain(..start);
    // What stands for an interrupt is no function.
    frames.retain(|(frame, _)| frame.function.as_deref() != Some(INTERRUPT));
    // The kernel saved it when the task left the processor: of one that runs it says nothing.
    let says_nothing =
        |(frame, _): &(Frame, &str)| frame.function.as_deref().is_none_or(|name| SWITCHES.contains(&name));
    if frames.iter().all(says_nothing) {
        frames.clear();
    }
    frames
}

fn start(frames: &[(Frame, &str)]) -> usize {
    let has = |at: usize, names: &[&str]| frames.get(at).is_some_and(|(frame, _)| is_one_of(frame, names));
    let entry = (0..frames.len()).find(|&at| has(at, &ENTRIES));
    if let Some(entry) = entry.filter(|&entry| (0..entry).any(|at| has(at, &WATCHERS))) {
        // One interrupt has several functions: `el1h_64_irq_handler`, `el1h_64_irq`.
        return (entry..frames.len()).find(|&at| !has(at, &ENTRIES)).unwrap_or(frames.len());
    }
    let is_report = |at: &usize| has(*at, &PRINTERS) || has(*at, &WATCHERS);
    let run = (0..frames.len()).take_while(is_report).count();
    // A watchdog comes with an interrupt: of a stack that ends before it nothing is the task's own.
    if (0..run).any(|at| has(at, &WATCHERS)) {
        return (run..frames.len()).find(|&at| !has(at, &TICKS) && !is_report(&at)).unwrap_or(frames.len());
    }
    // A stack of nothing but a printer is what the task does.
    match run {
        0 => left_over(frames),
        run if run == frames.len() => 0,
        run => run,
    }
}

/// How many words lie above the last call with which the task left the processor, in a stack of guesses: they are left
/// over from calls that have ended, or are part of leaving.
fn left_over(frames: &[(Frame, &str)]) -> usize {
    let is_guess = |(frame, _): &(Frame, &str)| frame.trust == Some(Trust::Scan);
    let leaves = |(frame, _): &(Frame, &str)| {
        frame.function.as_deref().is_some_and(|name| LEAVES.contains(&name)) || is_one_of(frame, &LEAVES_FOR)
    };
    let looked_at = frames.get(..frames.len().min(LEFT_OVER)).unwrap_or_default();
    let last = looked_at.iter().rposition(leaves);
    last.filter(|at| frames.iter().take(at + 1).all(is_guess)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own_of(names: &[&str]) -> Vec<String> {
        let frame = |name: &&str| (Frame { function: Some((*name).into()), ..Frame::default() }, "");
        let frames = own(names.iter().map(frame).collect());
        frames.iter().map(|(frame, _)| frame.function.as_deref().unwrap_or_default().to_owned()).collect()
    }

    #[test]
    fn a_stall_is_told_from_an_interrupt() {
        let stall = ["show_stack", "sched_show_task", "rcu_dump_cpu_stacks", "hrtimer_interrupt"];
        for entry in [
            &["el1_irq"] as &[_],
            &["el1h_64_irq_handler", "el1h_64_irq"],
            &["sysvec_apic_timer_interrupt", "asm_sysvec_apic_timer_interrupt"],
            &["apic_timer_interrupt"],
            &["__irq_svc"],
        ] {
            let names = [&stall[..], entry, &["queue_drain", "asm_sysvec_reschedule_ipi", "pump"]].concat();
            assert_eq!(own_of(&names), ["queue_drain", "asm_sysvec_reschedule_ipi", "pump"], "{entry:?}");
        }
        // Nothing of the task was printed.
        assert!(own_of(&["dump_stack", "panic", "watchdog_overflow_callback", "end_repeat_nmi"]).is_empty());
        assert!(own_of(&["__switch_to"]).is_empty());
        assert!(
            own(vec![(Frame { address: Some(0xffff_8000_0fe8_3d4c), ..Frame::default() }, "")]).is_empty()
        );
    }

    #[test]
    fn power_says_where_the_interrupt_came_in() {
        let stall = ["sched_show_task", "rcu_dump_cpu_stacks", "update_process_times", "timer_interrupt"];
        let names = [&stall[..], &[INTERRUPT, "queue_drain", "pump"]].concat();
        assert_eq!(own_of(&names), ["queue_drain", "pump"]);
        // Nobody looked at the task from that one: it is the fault that the task made.
        assert_eq!(own_of(&["oops_end", INTERRUPT, "queue_drain"]), ["oops_end", "queue_drain"]);
    }

    #[test]
    fn a_watchdog_is_never_what_runs() {
        // Cut before the interrupt.
        assert!(own_of(&["sched_show_task", "rcu_dump_cpu_stacks", "update_process_times"]).is_empty());
        assert!(own_of(&["dump_stack", "warn_slowpath_fmt", "watchdog_overflow_callback"]).is_empty());
        // An entry that nobody knows, and the stack of another task.
        let names = ["rcu_dump_cpu_stacks", "tick_sched_handle.isra.14", "entry_of_2030", "pump"];
        assert_eq!(own_of(&names), ["entry_of_2030", "pump"]);
        // Without a watchdog they are what the task does.
        assert_eq!(own_of(&["hrtimer_interrupt", "pump"]), ["hrtimer_interrupt", "pump"]);
        assert_eq!(own_of(&["dump_stack", "warn_slowpath_fmt"]), ["dump_stack", "warn_slowpath_fmt"]);
    }

    #[test]
    fn guesses_above_the_call_that_leaves_the_processor_are_left_over() {
        let stack = |trust: Option<Trust>| {
            let names =
                ["_raw_spin_lock", "schedule", "log_schedule", "io_schedule", "log_flush", "schedule_work"];
            let frame =
                |name: &&str| (Frame { function: Some((*name).into()), trust, ..Frame::default() }, "");
            own(names.iter().map(frame).collect()).len()
        };
        assert_eq!((stack(Some(Trust::Scan)), stack(None)), (3, 6));
    }

    #[test]
    fn who_calls_the_printer_himself_keeps_his_interrupt() {
        let by_hand = ["panic", "dma_irq_handler", "handle_irq", "common_interrupt", "pump"];
        assert_eq!(own_of(&[&["dump_stack_lvl"], &by_hand[..]].concat()), by_hand);
        assert_eq!(own_of(&["dump_stack", "kasan_report", "__asan_load8", "queue_drain"]), ["queue_drain"]);
        assert_eq!(own_of(&["queue_drain", "show_stack"]), ["queue_drain", "show_stack"]);
        assert_eq!(own_of(&["dump_stack"]), ["dump_stack"]);
        assert_eq!(own_of(&["__switch_to", "__schedule", "pump"]).len(), 3);
    }
}
