//! Lines between stacks: what begins a report, what belongs to one, what says nothing.

use super::locks;

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
    Lockup { message: String, pid: Option<u64>, seconds: u64 },
    /// The kernel failed.
    Fatal { message: String },
    /// A panic because of what was reported before.
    Consequence,
    /// A report after which the kernel goes on.
    Warning,
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
    ("rcu: INFO: rcu_", Start::Stall),
    ("INFO: rcu_", Start::Stall),
    ("BUG: kernel NULL pointer dereference", Start::Fatal),
    ("BUG: unable to handle ", Start::Fatal),
    ("BUG: stack guard page was hit", Start::Fatal),
    ("BUG: TASK stack guard page was hit", Start::Fatal),
    ("Unable to handle kernel ", Start::Fatal),
    ("general protection fault", Start::Fatal),
    ("Oops: ", Start::Fatal),
    ("Internal error: ", Start::Fatal),
    ("kernel BUG at ", Start::Fatal),
    ("divide error: ", Start::Fatal),
    ("invalid opcode: ", Start::Fatal),
    ("stack segment: ", Start::Fatal),
    ("traps: PANIC: double fault", Start::Fatal),
    ("PANIC: double fault", Start::Fatal),
    ("BUG: ", Start::Warning),
    ("WARNING: ", Start::Warning),
    ("INFO: possible ", Start::Warning),
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
    let (start, kind) = STARTS.iter().find(|(start, _)| line.starts_with(start))?;
    let rest = line.get(start.len()..).unwrap_or_default();
    Some(match kind {
        Start::Sysrq(shown) => Report::Sysrq(*shown),
        Start::Processors if rest.contains("skipped") => return None,
        Start::Processors => Report::Processors,
        Start::Panic if CONSEQUENCES.iter().any(|why| rest.starts_with(why)) => Report::Consequence,
        Start::Panic => Report::Fatal { message: rest.to_owned() },
        Start::Fatal => Report::Fatal { message: line.trim_start_matches("BUG: ").to_owned() },
        // A task is behind the dash: `CPU#0 stuck for 123s! [syz-executor.1:2970]`.
        Start::Lockup if *start == "watchdog: CPU" && !rest.contains("hard LOCKUP") => return None,
        Start::Lockup => lockup(line),
        Start::Stall if !rest.contains("stall") => return None,
        Start::Stall => {
            let message = line
                .trim_start_matches("rcu: ")
                .trim_start_matches("INFO: ")
                .trim_end_matches(':')
                .to_owned();
            Report::Lockup { message, pid: None, seconds: 0 }
        }
        Start::Warning => Report::Warning,
    })
}

fn lockup(line: &str) -> Report {
    let message =
        line.trim_start_matches("NMI ").trim_start_matches("watchdog: ").trim_start_matches("BUG: ");
    let (message, task) = match message.rsplit_once(" [") {
        Some((message, task)) => (message, task.strip_suffix(']')),
        None => (message, None),
    };
    let pid = task.and_then(|task| locks::name_and_pid(task, ':')).map(|(_, pid)| pid);
    let seconds = message
        .split_once(" stuck for ")
        .and_then(|(_, rest)| rest.get(..rest.bytes().take_while(u8::is_ascii_digit).count())?.parse().ok());
    let message = message.trim_end_matches('!').to_owned();
    Report::Lockup { message, pid, seconds: seconds.unwrap_or(0) }
}

/// `INFO: task jbd2/sda-8:3563 blocked for more than 140 seconds.`: the task and the seconds.
pub(super) fn hung(line: &str) -> Option<(u64, u64)> {
    let rest = line.trim().strip_prefix("INFO: task ")?;
    let (who, after) = rest.rsplit_once(" for more than ")?;
    let who = who.strip_suffix(" in I/O wait").unwrap_or(who).strip_suffix(" blocked")?;
    let (_, pid) = locks::name_and_pid(who, ':')?;
    let seconds = after.get(..after.bytes().take_while(u8::is_ascii_digit).count())?.parse().ok()?;
    Some((pid, seconds))
}

/// Lines that stand between stacks and say something, or end one.
pub(super) fn is_event(line: &str) -> bool {
    const STARTS: [&str; 8] = [
        "INFO: task ",
        "Showing all locks held",
        "Showing busy workqueues",
        "Sched Debug Version",
        "---[ end ",
        "------------[ cut here",
        "Sending NMI ",
        "Kernel Offset: ",
    ];
    let text = line.trim_start();
    STARTS.iter().any(|start| text.starts_with(start))
        || read(text).is_some()
        || locks::list(text).is_some()
        || (text.starts_with('#') && locks::entry(text).is_some())
}

/// Lines without a meaning, as beginnings.
const NOISE: &[&str] = &[
    "Call Trace:",
    "Call trace:",
    "<TASK>",
    "</TASK>",
    "<IRQ>",
    "</IRQ>",
    "<NMI>",
    "</NMI>",
    "<#",
    "</#",
    "<<EOE>>",
    "Not tainted ",
    "Tainted: ",
    "\"echo 0 > /proc/",
    "Workqueue: ",
    "Hardware name: ",
    "Modules linked in:",
    "Code: ",
    "Sending NMI",
    "NMI backtrace for cpu ",
    "irq event stamp: ",
    "hardirqs last",
    "softirqs last",
    "Kernel Offset: ",
    "Rebooting in ",
    "Dumping ftrace",
    "(ftrace buffer empty)",
    "Shutting down cpus",
    "INFO: lockdep is turned off",
    "INFO: NMI handler ",
    "=====",
    "Showing all locks held",
    "Showing busy workqueues",
    "workqueue ",
    "pwq ",
    "pending: ",
    "in-flight: ",
    "Sched Debug Version",
    "Future hung task reports are suppressed",
    "#PF: ",
    "PGD ",
    "Stack:",
    "Kernel mode",
    "pstate: ",
    "Last Breaking-Event-Address",
    "Blocked by ",
    "last function: ",
    "---[ end ",
    "------------[ cut here",
    "no locks held by ",
    "Process ",
    "task: ",
    "Thread overran stack",
    "Mem abort info",
    "Kernel panic - not syncing",
    "Oops#",
    "Trace:",
    "?",
    "[<0>] 0x",
    "[<ffffffffffffffff>] 0xffffffffffffffff",
];

/// Whether a line has no meaning.
pub(super) fn is_noise(line: &str) -> bool {
    let text = line.trim_start();
    NOISE.iter().any(|start| text.starts_with(start))
}

/// `RAX: ffffffffffffffda RBX: …`, `FS:  00007fc3…`, `x29: ffff8000…`, `Code: …`, and raw words of the stack.
pub(super) fn is_register(line: &[u8]) -> bool {
    let text = line.trim_ascii_start();
    let first = text.split(|b| *b == b' ').next().unwrap_or_default();
    if first == b"Code:" {
        return true;
    }
    if let Some(name) = first.strip_suffix(b":") {
        let is_name = (1..=8).contains(&name.len()) && name.iter().all(u8::is_ascii_alphanumeric);
        let has_digit = name.iter().any(u8::is_ascii_digit);
        let is_upper = name.iter().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
        return is_name
            && (is_upper || (has_digit && name.len() <= 3))
            && !matches!(name, b"RIP" | b"EIP" | b"BUG" | b"INFO" | b"WARNING" | b"CPU");
    }
    let is_word = |word: &[u8]| matches!(word.len(), 8 | 16) && word.iter().all(u8::is_ascii_hexdigit);
    first.len() >= 8 && text.split(|b| *b == b' ').filter(|word| !word.is_empty()).all(is_word)
}
