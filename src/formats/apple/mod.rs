//! What the reports of Apple's systems have in common: exceptions, processors, names of threads.

mod exception;
pub mod frame;
mod termination;
pub mod thrown;

use crate::formats::text::words::{rsplit_once, split_once};
use crate::model::{Arch, Failure, FailureKind, Signal, Str};

pub use exception::{Exception, is_of_watchdog};
pub use termination::Termination;

/// Processors by what reports call them.
static PROCESSORS: &[(&str, Arch)] = &[
    ("ARM-64", Arch::Aarch64),
    ("arm64", Arch::Aarch64),
    ("ARM64", Arch::Aarch64),
    ("X86-64", Arch::X86_64),
    ("x86_64", Arch::X86_64),
    ("X86", Arch::X86),
    ("x86", Arch::X86),
    ("i386", Arch::X86),
    ("ARM", Arch::Arm),
    ("arm", Arch::Arm),
];

/// The processor: `X86-64 (Native)`, `ARM-64 (Native)`, `x86_64h`.
pub fn arch(text: &str) -> Option<Arch> {
    PROCESSORS.iter().find(|(name, _)| text.starts_with(name)).map(|(_, arch)| *arch)
}

/// Systems by how their versions begin.
static SYSTEMS: &[(&str, &str)] = &[
    ("macOS", "macos"),
    ("Mac OS X", "macos"),
    ("OS X", "macos"),
    ("iPhone OS", "ios"),
    ("iOS", "ios"),
    ("iPad", "ios"),
    ("Watch OS", "watchos"),
    ("watchOS", "watchos"),
    ("tvOS", "tvos"),
    ("Apple TVOS", "tvos"),
    ("visionOS", "visionos"),
    ("Bridge OS", "bridgeos"),
    // Mac OS X up to 10.4, and spindump up to 10.9.
    ("10.", "macos"),
];

/// The system: `macOS 13.0 (Build 22A380)`, `10.4.5 (Build 8H14)`.
pub fn system(text: &str) -> Option<&'static str> {
    SYSTEMS.iter().find(|(start, _)| text.starts_with(start)).map(|(_, os)| *os)
}

/// The name and the pid: `Crash-Tester [872]`, `com.apple.Driver (com.apple.Driver) [246]`,
/// `lldb-rpc-server [12692] [unique pid 112195]`.
pub fn process(text: &str) -> (Option<Str>, Option<u32>) {
    let text = without_unique(text.trim());
    let (name, pid) = match text.rsplit_once('[') {
        Some((name, rest)) => (name.trim(), rest.split(']').next().and_then(|pid| pid.trim().parse().ok())),
        None => (text, None),
    };
    ((!name.is_empty()).then(|| name.into()), pid)
}

/// Whether a line has the form of a title or a field, so that a release that adds one ends the stack before it, and a line
/// of a log does not: `VM Region Summary:`, `Num samples:      101`, `External Modification Summary:`.
pub fn is_title(line: &str) -> bool {
    let Some((title, value)) = line.split_once(':') else { return false };
    let is_word = |c: char| c.is_alphanumeric() || matches!(c, ' ' | '/' | '-' | '(' | ')');
    line.starts_with(|c: char| c.is_ascii_uppercase())
        && title.len() <= LONGEST_TITLE
        && title.chars().all(is_word)
        && (value.is_empty() || value.starts_with('\t') || value.starts_with("  "))
}

/// `Thread 0 crashed with ARM Thread State (64-bit):` and longer.
const LONGEST_TITLE: usize = 60;

/// What stands behind a process's pid since macOS 12: its number among all processes since the system began.
const UNIQUE: &str = " [unique pid ";

/// A process without its unique number: `lldb-rpc-server [12692] [unique pid 112195]`.
pub fn without_unique(text: &str) -> &str {
    let is_number = |rest: &str| {
        let digits = rest.strip_suffix(']').unwrap_or(rest);
        !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit())
    };
    rsplit_once(text, UNIQUE)
        .filter(|(_, rest)| is_number(rest))
        .map_or(text, |(process, _)| process.trim_end())
}

/// Signals by the exception that becomes one, where the report names none.
static EXCEPTIONS: &[(&str, &str)] = &[
    ("EXC_BAD_INSTRUCTION", "SIGILL"),
    ("EXC_ARITHMETIC", "SIGFPE"),
    ("EXC_BREAKPOINT", "SIGTRAP"),
    ("EXC_BAD_ACCESS", "SIGSEGV"),
];

/// Signals with their numbers (xnu bsd/sys/signal.h).
static SIGNALS: &[(&str, i32)] = &[
    ("SIGQUIT", 3),
    ("SIGILL", 4),
    ("SIGTRAP", 5),
    ("SIGABRT", 6),
    ("SIGFPE", 8),
    ("SIGKILL", 9),
    ("SIGBUS", 10),
    ("SIGSEGV", 11),
    ("SIGSYS", 12),
    ("SIGTERM", 15),
];

/// The signal of `EXC_BAD_ACCESS` and `SIGSEGV`; `codes` may hold the address of the access.
fn signal(exception: &str, name: Option<&str>, codes: &str) -> Option<Signal> {
    let by_exception = || EXCEPTIONS.iter().find(|(known, _)| *known == exception).map(|(_, name)| *name);
    // A null pointer too, where the first page is mapped without any right: Mac OS X 10.4, whose reports name no signal.
    let by_code = || {
        let is_denied = exception == "EXC_BAD_ACCESS" && codes.contains("KERN_PROTECTION_FAILURE");
        is_denied.then_some("EXC_BAD_ACCESS")
    };
    // Reports of libraries name the signal in its place: `Exception Type:  SIGSEGV`.
    let own = || exception.starts_with("SIG").then_some(exception);
    let name = name.filter(|n| n.starts_with("SIG")).or_else(by_code).or_else(by_exception).or_else(own)?;
    let is_access = exception == "EXC_BAD_ACCESS" || matches!(name, "SIGSEGV" | "SIGBUS");
    Some(Signal {
        number: SIGNALS.iter().find(|(known, _)| *known == name).map(|(_, number)| *number),
        name: name.into(),
        address: is_access.then(|| address_in(codes)).flatten(),
        ..Signal::default()
    })
}

/// `KERN_INVALID_ADDRESS at 0x0000000000000008`, `0x0000000000000001, 0x0000000000000008`.
fn address_in(codes: &str) -> Option<u64> {
    let after = |mark: &str| codes.split_once(mark).map(|(_, rest)| rest);
    let text = after(" at 0x").or_else(|| after(", 0x"))?;
    let digits = text.bytes().take_while(u8::is_ascii_hexdigit).count();
    u64::from_str_radix(text.get(..digits)?, 16).ok()
}

/// What a message of the process says of its end, as beginnings; the rest is a remark.
static MESSAGES: &[(&str, FailureKind)] = &[
    ("*** Terminating app due to uncaught exception", FailureKind::UncaughtException),
    ("terminating with uncaught exception", FailureKind::UncaughtException),
    ("libc++abi: terminating", FailureKind::UncaughtException),
    ("libc++abi.dylib: terminating", FailureKind::UncaughtException),
    ("Crashing on exception:", FailureKind::UncaughtException),
    ("terminate called", FailureKind::UncaughtException),
    ("Assertion failed", FailureKind::Abort),
    ("Fatal error:", FailureKind::FatalError),
    ("fatal error:", FailureKind::FatalError),
    ("*** error for object", FailureKind::Abort),
    ("BUG IN CLIENT OF", FailureKind::Abort),
    ("BUG IN LIBDISPATCH", FailureKind::Abort),
    ("stack buffer overflow", FailureKind::Abort),
    ("detected source and destination buffer overlap", FailureKind::Abort),
];

/// The end of a process whose report has the backtrace of the exception that nobody caught, and not its name.
pub fn uncaught(signal: Option<&Signal>) -> Option<Failure> {
    let message = "the report has its backtrace (Last Exception Backtrace) and not its name".into();
    let is_abort = signal.is_some_and(|signal| &*signal.name == "SIGABRT");
    is_abort.then_some(Failure { kind: FailureKind::UncaughtException, message, thread: None })
}

/// The end that a line of `Application Specific Information` tells, where it is more than `abort() called`.
pub fn failure(message: &str) -> Option<Failure> {
    let message = message.trim();
    let fits =
        |start: &str| message.starts_with(start) || message.split(": ").any(|part| part.starts_with(start));
    let (_, kind) = MESSAGES.iter().find(|(start, _)| fits(start))?;
    Some(Failure { kind: *kind, message: message.into(), thread: None })
}

/// The name of a thread, else of the queue whose work it does:
/// `com.apple.NSEventThread`, `Dispatch queue: com.apple.main-thread`, `worker Dispatch queue: io`.
pub fn thread_name(text: &str) -> Option<Str> {
    let (name, queue) = split_once(text, "Dispatch queue:").unwrap_or((text, ""));
    let name = [name.trim(), queue.trim()].into_iter().find(|n| !n.is_empty())?;
    Some(name.into())
}
