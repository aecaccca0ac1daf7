//! `NT_SIGINFO`: the signal that ended the process, and why it was raised.

use super::reader::Reader;

/// `siginfo_t`, as far as it means something here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct SignalInfo {
    pub number: i32,
    /// `None` where only the number is known.
    pub code: Option<i32>,
    /// The address whose access failed.
    pub address: Option<u64>,
    /// The process that sent the signal.
    pub sender_pid: Option<i32>,
}

const SIGILL: i32 = 4;
const SIGBUS: i32 = 7;
const SIGFPE: i32 = 8;
const SIGSEGV: i32 = 11;

/// Sent by `kill`, by the kernel for a fault without an address, by `sigqueue`, by a message queue
/// and by `tgkill` (`abort`). In these, except for [`SI_KERNEL`], the sender's pid stands where a
/// fault has its address.
const SI_USER: i32 = 0;
const SI_KERNEL: i32 = 128;
const SI_QUEUE: i32 = -1;
const SI_MESGQ: i32 = -3;
const SI_TKILL: i32 = -6;

/// `None` for a note that is too short.
pub(super) fn read(note: &Reader) -> Option<SignalInfo> {
    let number = note.i32(0)?;
    let code = note.i32(8)?;
    let union = if note.encoding.is_64_bit { 16 } else { 12 };
    // A general protection fault (SI_KERNEL) has no address: the field is 0 and means nothing.
    let is_memory_fault = matches!(number, SIGSEGV | SIGBUS) && code > 0 && code != SI_KERNEL;
    let is_sent = matches!(code, SI_USER | SI_QUEUE | SI_MESGQ | SI_TKILL);
    Some(SignalInfo {
        number,
        code: Some(code),
        address: if is_memory_fault { note.word(union) } else { None },
        sender_pid: if is_sent { note.i32(union) } else { None },
    })
}

impl SignalInfo {
    /// A signal of which the number is known, where there is one.
    pub fn of_number(number: i32) -> Option<Self> {
        (number > 0).then_some(Self { number, code: None, address: None, sender_pid: None })
    }

    /// Whether the thread itself raised it by an instruction that failed: a crash even where a
    /// debugger stands between. Debuggers stop threads by SIGSTOP and SIGTRAP.
    pub fn is_fault(&self) -> bool {
        matches!(self.number, SIGSEGV | SIGBUS | SIGILL | SIGFPE) && self.code > Some(0)
    }
}

/// Names of the signals, in the order of their numbers on Linux, from 1.
const NAMES: [&str; 31] = [
    "SIGHUP",
    "SIGINT",
    "SIGQUIT",
    "SIGILL",
    "SIGTRAP",
    "SIGABRT",
    "SIGBUS",
    "SIGFPE",
    "SIGKILL",
    "SIGUSR1",
    "SIGSEGV",
    "SIGUSR2",
    "SIGPIPE",
    "SIGALRM",
    "SIGTERM",
    "SIGSTKFLT",
    "SIGCHLD",
    "SIGCONT",
    "SIGSTOP",
    "SIGTSTP",
    "SIGTTIN",
    "SIGTTOU",
    "SIGURG",
    "SIGXCPU",
    "SIGXFSZ",
    "SIGVTALRM",
    "SIGPROF",
    "SIGWINCH",
    "SIGIO",
    "SIGPWR",
    "SIGSYS",
];
/// The first real-time signal that programs may use: the C library keeps 32 and 33.
const SIGRTMIN: i32 = 34;
const SIGRTMAX: i32 = 64;

/// The name of a signal.
pub(in crate::formats) fn name(number: i32) -> String {
    let known = usize::try_from(number).ok().and_then(|n| NAMES.get(n.checked_sub(1)?));
    match (known, number) {
        (Some(name), _) => (*name).to_owned(),
        (None, SIGRTMIN) => "SIGRTMIN".to_owned(),
        (None, SIGRTMAX) => "SIGRTMAX".to_owned(),
        (None, SIGRTMIN..SIGRTMAX) => format!("SIGRTMIN+{}", number - SIGRTMIN),
        (None, _) => format!("signal {number}"),
    }
}
