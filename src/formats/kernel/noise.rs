//! Lines of a report that say nothing: registers, code, modules, headings.

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
    "<EOE>",
    "<EOI>",
    "Not tainted ",
    "Tainted: ",
    "\"echo 0 >",
    "/proc/sys/kernel/hung_task_timeout_secs",
    "tgid:",
    "ppid:",
    "task_flags:",
    "flags:0x",
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
    "Stack :",
    "Exception stack(",
    "Register r",
    "Flags: ",
    "8<--- cut here",
    "lr : ",
    "lr: ",
    "LR is at ",
    "LR [",
    "LR = ",
    "ra : ",
    "ra    : ",
    "ra: ",
    "RP(r2): ",
    "IAOQ[1]: ",
    "PID = ",
    // Above the columns of sysrq: `task                PC stack   pid father`.
    "task     ",
    "Task dump for CPU ",
    "(detected by ",
    "(t=",
    "Backtrace:",
    "Krnl ",
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

/// Names that are no registers, or the one that names the function.
const NO_REGISTERS: [&[u8]; 7] = [b"RIP", b"EIP", b"ERA", b"BUG", b"INFO", b"WARNING", b"CPU"];

/// `RAX: ffffffffffffffda RBX: …`, `FS:  00007fc3…`, `x29: ffff8000…`, `Code: …`, and raw words of the stack.
pub(super) fn is_register(line: &[u8]) -> bool {
    let text = line.trim_ascii_start();
    let first = text.split(|b| *b == b' ').next().unwrap_or_default();
    if first == b"Code:" {
        return true;
    }
    // Most lines are frames: `pump+0x31/0x40`, `[<ffffffff81412700>] pump+0x31/0x40`.
    if first.starts_with(b"[<") || first.contains(&b'+') {
        return false;
    }
    if let Some(name) = first.strip_suffix(b":") {
        let is_name = (1..=8).contains(&name.len()) && name.iter().all(u8::is_ascii_alphanumeric);
        let has_digit = name.iter().any(u8::is_ascii_digit);
        let is_upper = name.iter().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
        if is_name && (is_upper || (has_digit && name.len() <= 3)) {
            return !NO_REGISTERS.contains(&name);
        }
    }
    (first.len() >= 8 && words(text).all(is_word)) || is_pair(text) || is_row(text)
}

fn words(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split(|b| *b == b' ').filter(|word| !word.is_empty())
}

fn is_word(word: &[u8]) -> bool {
    matches!(word.len(), 8 | 16) && word.iter().all(u8::is_ascii_hexdigit)
}

/// `r10:8280c9e4 r9:…`, `pc : [<c080ac48>]    lr : …`, `$28   : 834bc000 …`, `t5 : ffffffff814126e0 …`, `dfa0: 00000000 …`.
fn is_pair(text: &[u8]) -> bool {
    let Some(at) = memchr::memchr(b':', text.get(..text.len().min(12)).unwrap_or_default()) else {
        return false;
    };
    let (name, rest) = text.split_at(at);
    let is_name = name.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'$' | b' ' | b'_'));
    let value = words(rest.get(1..).unwrap_or_default()).next().unwrap_or_default();
    let value = value.strip_prefix(b"[<").and_then(|v| v.strip_suffix(b">]")).unwrap_or(value);
    // `epc   : 80244654 log_write+0x20/0x38` names the function.
    is_name && !name.is_empty() && is_word(value) && memchr::memmem::find(rest, b"+0x").is_none()
}

/// `pc 90000000037a5f0c ra 90000000037a46ec`, `r00-03  000000ff0804ff0f 00000000670cc880`.
fn is_row(text: &[u8]) -> bool {
    let is_value = |n: &usize| n % 2 == 1;
    let pairs = || words(text).enumerate().filter(|(n, _)| is_value(n)).all(|(_, word)| is_word(word));
    let has_value = words(text).nth(1).is_some_and(is_word);
    let name = words(text).next().unwrap_or_default();
    let is_name = name.len() <= 8 && name.iter().all(|b| b.is_ascii_alphanumeric() || *b == b'-');
    is_name && has_value && (pairs() || words(text).skip(1).all(is_word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn registers_of_all_processors() {
        for line in [
            "RAX: ffffffffffffffda RBX: 0000000000000003 RCX: 0000000000000000",
            "x29: ffff80008a1d3b20 x28: 0000000000000000",
            " r10:8280c9e4 r9:00000000 r8:82604d40",
            "pc : [<c080ac48>]    lr : [<ffffffff>]    psr: 000f0093",
            "$28   : 834bc000 834bdac8 00000005 80244654",
            "  t5 : ffffffff814126e0 t6 : ffffffff81412700",
            "dfa0:                                     00000000 00000000",
            "pc 90000000037a5f0c ra 90000000037a46ec tp 9000000003c90000",
            "r00-03  000000ff0804ff0f 00000000670cc880",
            "  BADV: 0000420000004259",
        ] {
            assert!(is_register(line.as_bytes()), "{line}");
        }
        for line in [
            "epc   : 80244654 log_write+0x20/0x38",
            "  ERA: 90000000037a5f0c log_write+0x30/0x94",
            "RIP: 0010:log_write+0x30/0x94",
            " log_write+0x30/0x94",
            "CPU: 1 PID: 29 Comm: log Not tainted 5.15.0 #1",
            "task 90000000037a5f0c is done",
        ] {
            assert!(!is_register(line.as_bytes()), "{line}");
        }
    }
}
