//! Alarms of which the line alone is there: it says that the machine is stuck, though no stack says where.
//!
//! ```text
//! NMI watchdog: Watchdog detected hard LOCKUP on cpu 0
//! watchdog: CPU3: Watchdog detected hard LOCKUP on cpu 7                          6.5
//! Watchdog CPU:59 Hard LOCKUP                                                     POWER, before 4.17
//! BUG: workqueue lockup - pool cpus=3 node=0 flags=0x0 nice=0 stuck for 31s!
//! INFO: rcu_sched self-detected stall on CPU
//! rcu: INFO: rcu_sched detected stalls on CPUs/tasks:
//! INFO: rcu_sched self-detected stall on CPU { 1}  (t=2100 jiffies g=962 c=961 q=2966)     before 3.19
//! ```
//!
//! People write of such lines too: they count where nothing but the prefix of a log stands before them, and nothing
//! but what the kernel writes behind.
//!
//! Source: Linux 4.4-6.18 kernel/watchdog.c, kernel/watchdog_perf.c, kernel/workqueue.c (`wq_watchdog_timer_fn`),
//! kernel/rcu/tree_stall.h, arch/powerpc/kernel/watchdog.c.

/// Alarms are found by these where no stack is there.
pub(super) const ANCHORS: [&str; 3] =
    ["Watchdog detected hard LOCKUP on cpu ", "Watchdog CPU:", "INFO: rcu_"];

/// What stands behind the words of an alarm.
#[derive(Clone, Copy)]
enum Behind {
    Nothing,
    Number,
    /// `31s!`
    Seconds,
    /// ` { 1}  (t=2100 jiffies g=962 c=961 q=2966)`, or nothing.
    Processors,
}

/// Words of alarms, and what stands behind them.
static WORDS: &[(&str, Behind)] = &[
    ("Watchdog detected hard LOCKUP on cpu ", Behind::Number),
    (" Hard LOCKUP", Behind::Nothing),
    (" stuck for ", Behind::Seconds),
    (" self-detected stall on CPU", Behind::Processors),
    (" detected stalls on CPUs/tasks:", Behind::Processors),
    (" detected expedited stalls on CPUs/tasks:", Behind::Processors),
];

/// Whether a line from its anchor on is an alarm, and no more. `before`: what stands before it in its line.
pub(super) fn is_one(before: &[u8], line: &str) -> bool {
    let behind = |(words, behind): &(&str, Behind)| Some((line.split_once(words)?.1, *behind));
    WORDS.iter().find_map(behind).is_some_and(|(rest, behind)| behind.is(rest.trim_end()))
        && is_prefix(without_speaker(before))
}

impl Behind {
    fn is(self, text: &str) -> bool {
        let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        match self {
            Self::Nothing => text.is_empty(),
            Self::Number => is_number(text),
            Self::Seconds => text.strip_suffix("s!").is_some_and(is_number),
            Self::Processors => text.is_empty() || text.trim_start().starts_with('{'),
        }
    }
}

/// What stands before the part of the kernel that speaks: `watchdog: `, `NMI watchdog: `, `rcu: `, `watchdog: CPU3: `.
pub(super) fn without_speaker(before: &[u8]) -> &[u8] {
    if let Some(before) = before.strip_suffix(b"rcu: ") {
        return before;
    }
    let processor = before.strip_suffix(b": ").map(|b| {
        let digits = b.iter().rev().take_while(|b| b.is_ascii_digit()).count();
        b.get(..b.len() - digits).unwrap_or_default()
    });
    let before = processor.and_then(|b| b.strip_suffix(b"CPU")).unwrap_or(before);
    before.strip_suffix(b"watchdog: ").map_or(before, |b| b.strip_suffix(b"NMI ").unwrap_or(b))
}

/// Whether this is the prefix of a log: what logs put before the kernel's lines, and no other word.
///
/// ```text
/// [   31.117482] [   31.117482][   T31] <0>             the kernel's own
/// Mar 14 02:26:53 shop-3 kernel:                         syslog and the journal
/// 2026-11-30T02:00:00.117Z                               containers
/// [pod/shop-7d/web] shop-1  |                            what shows several of them
/// 12 >                                                   numbered lines, quotations
/// ```
fn is_prefix(before: &[u8]) -> bool {
    let before = before.trim_ascii();
    let last = before.rsplit(u8::is_ascii_whitespace).next().unwrap_or_default();
    let all = |word: &[u8], signs: &[u8]| word.iter().all(|b| b.is_ascii_digit() || signs.contains(b));
    let is_time = last.iter().filter(|b| **b == b':').count() >= 2
        && last.iter().any(u8::is_ascii_digit)
        && all(last, b":.,-+TZ");
    let in_brackets = before.strip_suffix(b"]").and_then(|b| b.rsplit(|b| *b == b'[').next());
    let is_mark = in_brackets.is_some_and(|mark| {
        let (has_digit, is_number) = (mark.iter().any(u8::is_ascii_digit), all(mark, b". CT"));
        has_digit && is_number || mark.contains(&b'/') && !mark.contains(&b' ')
    });
    last.is_empty()
        || last == b"kernel:"
        || before.starts_with(b"{\"")
        || is_time
        || is_mark
        || all(last, b"|<>")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether an alarm begins at the anchor in this line.
    fn is_alarm(line: &str) -> bool {
        let at =
            ANCHORS.iter().chain(&["BUG: workqueue lockup"]).filter_map(|anchor| line.find(anchor)).min();
        let (before, line) = line.split_at(at.unwrap_or_else(|| panic!("an anchor: {line}")));
        is_one(before.as_bytes(), line)
    }

    #[test]
    fn lines_of_the_kernel() {
        for line in [
            "NMI watchdog: Watchdog detected hard LOCKUP on cpu 0",
            "[  31.1] watchdog: CPU3: Watchdog detected hard LOCKUP on cpu 7",
            "Watchdog CPU:59 Hard LOCKUP",
            "Mar 14 02:26:53 shop-3 kernel: BUG: workqueue lockup - pool cpus=3 node=0 flags=0x0 nice=0 stuck for 31s!",
            "2026-11-30T02:00:00Z INFO: rcu_sched self-detected stall on CPU",
            "    12\tINFO: rcu_sched self-detected stall on CPU { 1}  (t=2100 jiffies g=962)",
            "> rcu: INFO: rcu_preempt detected stalls on CPUs/tasks:",
            "[pod/shop-7d/web] rcu: INFO: rcu_preempt detected expedited stalls on CPUs/tasks: { 1-... } 9 jiffies",
            "{\"log\":\"INFO: rcu_sched self-detected stall on CPU",
            "[   31.117482][   T31] rcu: INFO: rcu_sched self-detected stall on CPU",
            "shop-1  | INFO: rcu_sched self-detected stall on CPU",
            "31.117482 <3>INFO: rcu_sched self-detected stall on CPU",
        ] {
            assert!(is_alarm(line), "{line}");
        }
    }

    #[test]
    fn sentences_and_programs() {
        for line in [
            "I get NMI watchdog: Watchdog detected hard LOCKUP on cpu 0",
            "the line Watchdog detected hard LOCKUP on cpu 0 comes often",
            "Watchdog detected hard LOCKUP on cpu 0 and cpu 1",
            "pr_emerg(\"Watchdog detected hard LOCKUP on cpu %d\\n\", cpu);",
            "Watchdog CPU:59 had a Hard LOCKUP, it seems",
            "What does INFO: rcu_sched self-detected stall on CPU",
            "INFO: rcu_sched self-detected stall on CPU is what I see",
            "it said BUG: workqueue lockup - pool cpus=3 node=0 flags=0x0 nice=0 stuck for 31s!",
            "BUG: workqueue lockup - pool cpus=3 node=0 flags=0x0 nice=0 stuck for 31s! What is it?",
            "INFO: rcu_ and what follows",
            "Subject: Re: INFO: rcu_sched self-detected stall on CPU",
            "#12: INFO: rcu_sched self-detected stall on CPU",
            "test_parse.c:12: INFO: rcu_sched self-detected stall on CPU",
            "[SOLVED] INFO: rcu_sched self-detected stall on CPU",
        ] {
            assert!(!is_alarm(line), "{line}");
        }
    }
}
