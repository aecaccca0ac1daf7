//! Lines between stacks: what begins a report, what belongs to one, what says nothing.

use super::locks;
use super::orders;
use super::same_stack;

/// What the tasks that follow are part of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Report {
    /// Tasks that the watchdog found blocked.
    Hung,
    /// What a person asked for.
    Sysrq(Shown),
    /// What the processors were doing.
    Processors,
    /// A processor that does not get away from a task.
    Lockup { message: String, task: Option<(String, u64)> },
    /// The kernel failed.
    Fatal { message: String },
    /// The kernel ended a process, and goes on.
    Killed { message: String },
    /// A panic because of what was reported before, and what it says of that.
    Consequence { why: String },
    /// A report after which the kernel goes on.
    Warning { message: String },
}

/// Which tasks a person asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shown {
    All,
    Blocked,
    Processors,
}

impl Report {
    /// Whether its tasks are those that were on a processor.
    pub fn is_by_processor(&self) -> bool {
        !matches!(self, Self::Hung | Self::Sysrq(Shown::All | Shown::Blocked))
    }
}

/// How a line of a report begins.
enum Start {
    Sysrq(Shown),
    Processors,
    Fatal,
    Panic,
    Lockup,
    Stall,
    Warning,
    Killed,
}

/// Beginnings of reports; the first that fits counts.
static STARTS: &[(&str, Start)] = &[
    ("sysrq: Show State", Start::Sysrq(Shown::All)),
    ("sysrq: SysRq : Show State", Start::Sysrq(Shown::All)),
    ("SysRq : Show State", Start::Sysrq(Shown::All)),
    ("sysrq: Show Blocked State", Start::Sysrq(Shown::Blocked)),
    ("sysrq: SysRq : Show Blocked State", Start::Sysrq(Shown::Blocked)),
    ("SysRq : Show Blocked State", Start::Sysrq(Shown::Blocked)),
    ("sysrq: Show backtrace of all active CPUs", Start::Sysrq(Shown::Processors)),
    ("sysrq: SysRq : Show backtrace of all active CPUs", Start::Sysrq(Shown::Processors)),
    ("SysRq : Show backtrace of all active CPUs", Start::Sysrq(Shown::Processors)),
    ("NMI backtrace for cpu ", Start::Processors),
    ("Kernel panic - not syncing: ", Start::Panic),
    ("watchdog: BUG: soft lockup - ", Start::Lockup),
    ("NMI watchdog: BUG: soft lockup - ", Start::Lockup),
    ("BUG: soft lockup - ", Start::Lockup),
    ("watchdog: Watchdog detected hard LOCKUP", Start::Lockup),
    ("watchdog: CPU", Start::Lockup),
    ("NMI watchdog: Watchdog detected hard LOCKUP", Start::Lockup),
    ("Watchdog detected hard LOCKUP", Start::Lockup),
    // POWER before 4.17, `Watchdog CPU:42 Hard LOCKUP`.
    ("Watchdog CPU:", Start::Lockup),
    ("BUG: workqueue lockup - ", Start::Lockup),
    ("rcu: INFO: rcu_", Start::Stall),
    ("INFO: rcu_", Start::Stall),
    ("BUG: kernel NULL pointer dereference", Start::Fatal),
    ("BUG: unable to handle ", Start::Fatal),
    ("BUG: stack guard page was hit", Start::Fatal),
    ("BUG: TASK stack guard page was hit", Start::Fatal),
    ("Unable to handle kernel ", Start::Fatal),
    ("general protection fault", Start::Fatal),
    // x86; RISC-V, MIPS and LoongArch; arm.
    ("Oops: ", Start::Fatal),
    ("Oops [#", Start::Fatal),
    ("Oops[#", Start::Fatal),
    ("Oops - ", Start::Fatal),
    // Memory that is not the kernel's to use was used: mm/kasan/report.c, mm/kfence/report.c.
    ("BUG: KASAN: ", Start::Fatal),
    ("BUG: KFENCE: ", Start::Fatal),
    ("Internal error: ", Start::Fatal),
    ("kernel BUG at ", Start::Fatal),
    ("divide error: ", Start::Fatal),
    ("invalid opcode: ", Start::Fatal),
    ("stack segment: ", Start::Fatal),
    ("traps: PANIC: double fault", Start::Fatal),
    ("PANIC: double fault", Start::Fatal),
    // mm/oom_kill.c: `Killed` since 5.2, `Kill` before.
    ("Out of memory: Kill", Start::Killed),
    ("Memory cgroup out of memory: Kill", Start::Killed),
    ("BUG: ", Start::Warning),
    ("WARNING: ", Start::Warning),
    ("INFO: possible ", Start::Warning),
    // lockdep before 4.11.
    ("[ INFO: ", Start::Warning),
    ("INFO: trying to register non-static key", Start::Warning),
];

/// Why the kernel panics where that is what was reported before.
const CONSEQUENCES: [&str; 9] = [
    "hung_task: ",
    "softlockup: ",
    "Hard LOCKUP",
    "RCU Stall",
    "Fatal exception",
    "panic_on_warn set",
    "kernel: panic_on_warn set",
    "System has been stuck",
    "Watchdog detected hard LOCKUP",
];

/// Reads the first line of a report.
pub(super) fn read(line: &str) -> Option<Report> {
    let line = line.trim();
    if hung(line).is_some() {
        return Some(Report::Hung);
    }
    let line = without_processor(line);
    let (start, kind) = STARTS.iter().find(|(start, _)| line.starts_with(start))?;
    let rest = line.get(start.len()..).unwrap_or_default();
    Some(match kind {
        Start::Sysrq(shown) => Report::Sysrq(*shown),
        Start::Processors if rest.contains("skipped") => return None,
        Start::Processors => Report::Processors,
        Start::Panic if CONSEQUENCES.iter().any(|why| rest.starts_with(why)) => {
            Report::Consequence { why: rest.trim_end_matches(['.', '"']).trim_end().to_owned() }
        }
        Start::Panic => Report::Fatal { message: rest.to_owned() },
        Start::Fatal => Report::Fatal { message: line.trim_start_matches("BUG: ").to_owned() },
        // A task is behind the dash: `CPU#0 stuck for 123s! [syz-executor.1:2970]`.
        Start::Lockup if start.ends_with(['U', ':']) && !rest.contains("ard LOCKUP") => return None,
        Start::Lockup => lockup(line),
        Start::Stall if !rest.contains("stall") => return None,
        Start::Stall => {
            let message = line
                .trim_start_matches("rcu: ")
                .trim_start_matches("INFO: ")
                .trim_end_matches(':')
                .to_owned();
            Report::Lockup { message, task: None }
        }
        // `Out of memory: Killed process 240 (stress) total-vm:1540044kB, anon-rss:1284068kB, …`
        Start::Killed => {
            let name_ends = line.rfind(')').map_or(line.len(), |at| at + 1);
            Report::Killed { message: line.get(..name_ends).unwrap_or(line).to_owned() }
        }
        Start::Warning => Report::Warning { message: line.to_owned() },
    })
}

/// `CPU 0 Unable to handle kernel paging request at virtual address 00000000, epc == 80244654, ra == 80244654`: MIPS and
/// LoongArch say on which processor.
fn without_processor(line: &str) -> &str {
    let rest = line.strip_prefix("CPU ").map(|rest| rest.trim_start_matches(|c: char| c.is_ascii_digit()));
    rest.map(str::trim_start).filter(|rest| rest.starts_with("Unable to handle ")).unwrap_or(line)
}

fn lockup(line: &str) -> Report {
    let message =
        line.trim_start_matches("NMI ").trim_start_matches("watchdog: ").trim_start_matches("BUG: ");
    let (message, task) = match message.rsplit_once(" [") {
        Some((message, task)) => (message, task.strip_suffix(']')),
        None => (message, None),
    };
    let task = task.and_then(|task| locks::name_and_pid(task, ':'));
    let task = task.map(|(name, pid)| (name.to_owned(), pid));
    let message = message.trim_end_matches('!').to_owned();
    Report::Lockup { message, task }
}

/// `INFO: task jbd2/sda-8:3563 blocked for more than 140 seconds.`: the task and the seconds.
pub(super) fn hung(line: &str) -> Option<(&str, u64, u64)> {
    let rest = line.trim().strip_prefix("INFO: task ")?;
    let (who, after) = rest.rsplit_once(" for more than ")?;
    let who = who.strip_suffix(" in I/O wait").unwrap_or(who).strip_suffix(" blocked")?;
    let (name, pid) = locks::name_and_pid(who, ':')?;
    let seconds = after.get(..after.bytes().take_while(u8::is_ascii_digit).count())?.parse().ok()?;
    Some((name, pid, seconds))
}

/// Lines that stand between stacks and say something, or end one.
pub(super) fn is_event(line: &str) -> bool {
    const STARTS: [&str; 21] = [
        "INFO: task ",
        "Showing all locks held",
        "Showing busy workqueues",
        "pwq ",
        "in-flight: ",
        "Sched Debug Version",
        "---[ end ",
        "------------[ cut here",
        "Sending NMI ",
        "Kernel Offset: ",
        // Other stacks than the task's own, and memory: KASAN, KMSAN.
        "Allocated:",
        "Allocated by task",
        "Freed:",
        "Freed by task",
        "Object at ",
        "The buggy address belongs",
        "Memory state around the buggy",
        "Last potentially related work",
        "Second to last potentially",
        "Uninit was ",
        "Local variable ",
    ];
    let text = line.trim_start();
    STARTS.iter().any(|start| text.starts_with(start))
        || read(text).is_some()
        || orders::is_line(text)
        || same_stack::shown_at(text).is_some()
        || locks::list(text).is_some()
        || (text.starts_with('#') && locks::entry(text).is_some())
}
