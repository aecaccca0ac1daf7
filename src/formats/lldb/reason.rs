//! Why a thread stopped, and what that says of the process.
//!
//! ```text
//! stop reason = signal SIGSEGV: address not mapped to object (fault address: 0x18)                          lldb 16, Linux
//! stop reason = signal SIGABRT: sent by tkill system call (sender pid=100, uid=1000)
//! stop reason = EXC_BAD_ACCESS (code=1, address=0x24)                                                       macOS
//! stop reason = EXC_BREAKPOINT (code=1, subcode=0x1a2b3c4d)                                                 a trap of Swift
//! ```
//!
//! Source: LLDB 4 to 19 Target/UnixSignals.cpp `GetSignalDescription`, Plugins/Process/Utility/LinuxSignals.cpp,
//! StopInfoMachException.cpp.

use crate::formats::text::words::{hex, number};
use crate::model::{Signal, Snapshot, ThreadIx};

/// Why a thread stopped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Reason(String);

impl Reason {
    /// `stop reason = signal SIGABRT`
    pub fn read(line: &str) -> Option<Self> {
        line.strip_prefix("stop reason = ").map(|reason| Self(reason.to_owned()))
    }
}

/// Signals and exceptions that end a process unless it was made for them; a debugger's own stops are none: its breakpoints
/// are `breakpoint 1.1`.
static FATAL: &[(&str, &str)] = &[
    ("EXC_BAD_ACCESS", "SIGSEGV"),
    ("EXC_BAD_INSTRUCTION", "SIGILL"),
    ("EXC_ARITHMETIC", "SIGFPE"),
    ("EXC_BREAKPOINT", "SIGTRAP"),
    ("EXC_GUARD", "EXC_GUARD"),
    ("EXC_CRASH", "SIGABRT"),
    ("signal SIGSEGV", "SIGSEGV"),
    ("signal SIGBUS", "SIGBUS"),
    ("signal SIGILL", "SIGILL"),
    ("signal SIGFPE", "SIGFPE"),
    ("signal SIGABRT", "SIGABRT"),
    ("signal SIGSYS", "SIGSYS"),
];

/// `si_code` of signals that were sent, by what lldb calls it.
static SENT: &[(&str, i32)] = &[("sent by kill", 0), ("sent by sigqueue", -1), ("sent by tkill", -6)];

/// What a thread's reason, which is added next, says of the process.
pub(super) fn tell(snapshot: &mut Snapshot, reason: &Reason, is_core: bool) {
    let Reason(reason) = reason;
    if snapshot.process.signal.is_some() {
        return;
    }
    let thread = Some(ThreadIx(snapshot.threads.len() as u32));
    let fatal = FATAL.iter().find(|(start, _)| reason.starts_with(start)).map(|(_, name)| *name);
    let other = reason.strip_prefix("signal ").and_then(|r| r.split([' ', ':', '(']).next());
    let name = match (fatal, other) {
        (Some(name), _) => name,
        // A core has the signal that made it: `signal SIGQUIT`; the other threads have `signal 0`.
        (None, Some(name)) if is_core && name.starts_with("SIG") && name != "SIGSTOP" => name,
        _ => return,
    };
    let after = |mark: &str| reason.split_once(mark).map(|(_, value)| value);
    let address = after("fault address: ").or_else(|| after("address="));
    let address = address.and_then(|a| hex(a.split([')', ',', ' ']).next()?));
    let sender_pid = after("sender pid=").and_then(|pid| i32::try_from(number(pid)?.0).ok());
    // One that names its sender was sent.
    let code = SENT.iter().find(|(words, _)| reason.contains(words)).map(|(_, code)| *code);
    let code = code.or(sender_pid.map(|_| 0));
    snapshot.process.signal =
        Some(Signal { name: name.into(), address, code, sender_pid, thread, ..Signal::default() });
}
