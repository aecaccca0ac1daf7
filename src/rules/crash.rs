//! # crash
//!
//! Why the process died: the signal, the thread that got it, the frame to open first, and the reason in words.
//!
//! ## What it finds
//!
//! The signal that made the dump: null dereferences, wild pointers, writes to read-only memory, illegal
//! instructions, divisions by zero, `abort` by an assertion, the allocator, an uncaught C++ exception, a Rust or
//! Go panic, a fatal error of the JVM. The frames of `abort`, `raise` and `terminate` are passed over: `where`
//! names the function that had the problem. Who fails inside the JVM or the C library was let down by a caller,
//! which is the place then. A signal that another process sent, and one that is no fault (`SIGQUIT`, `SIGTERM`),
//! are told as `info`: somebody wanted a dump. So is a warning of the Linux kernel after which it goes on. A text
//! rarely says who sent `SIGABRT`: where the thread is in no function that ends a process, it is told as sent or
//! raised.
//!
//! ## Why it matters
//!
//! A fault has one thread and one place. Locks in the same dump may be a consequence: thousands of waiters behind
//! a thread that died with the lock. With `abort` it is often the other way round: a watchdog that ends a stuck
//! process. That is why an `abort` stands below a jam that stops the process.
//!
//! ## What counts as proof
//!
//! - *read*: signal number, code, sender and fault address from the dump's notes, and the program counter of the
//!   thread.
//! - *reported*: the text says so: `Program terminated with signal …`.
//!
//! It is always `certain`: the signal is a fact. The reason in words is a reading of it: an address below one
//! page is a null pointer, one below 64 KiB a field of an object at null, an address equal to the program counter
//! a call through a bad pointer; `malloc_printerr` under `abort` means that the heap was damaged, before and
//! perhaps elsewhere.
//!
//! ## Confirm
//!
//! ```sh
//! gdb -batch -ex bt -ex 'info registers' -ex 'x/3i $pc' \
//!     -ex 'p $_siginfo' ./server core
//! coredumpctl info $PID                     # systemd: the message
//! journalctl -k | grep -iE 'segfault|oom'   # the kernel's line, memory
//! ```
//!
//! - Address 0x0 to 0xffff: a null pointer. The offset tells the field: `ptype /o struct request`.
//! - `SI_USER` or `SI_TKILL` as the code: somebody sent the signal. `si_pid` in `$_siginfo` says who: a watchdog,
//!   an operator, the process itself by `abort`.
//! - `SIGBUS` in a mapped file: the file was cut, or the disk is full or broken.
//! - The top frame is not mapped or has no name: a call through a bad pointer. Trust the second frame.
//!
//! ## Mitigate
//!
//! 1. Does it come back? `coredumpctl list` shows how often and since when.
//! 2. Since a release: roll back. That is the fastest safe step.
//! 3. With one input: block that request, message or file; keep a copy for the developers.
//! 4. Crash loop: slow the restart down, or take the instance out of the load balancer.
//! 5. Damaged heap: do not trust the place. Run one instance with a sanitizer build, or with
//!    `LD_PRELOAD=libc_malloc_debug.so.0 MALLOC_CHECK_=3`.
//!
//! ## Escalate
//!
//! To the owners of the function in `where`, with the report, the core, the executable and its debug files (same
//! build id: `file ./server`), the version, the log of the last minute and the input. A core holds secrets: send
//! it only where it may go.
//!
//! ## False alarms
//!
//! - A signal that was sent on purpose (`kill -ABRT`, `gcore`, a watchdog): not a crash but a wish for a dump.
//!   Look at what the process was stuck on.
//! - With a damaged stack the frames above the first are guesses: see the `trust` of each (`--thread ID`).

mod sender;
mod signals;

use super::finding::{Confidence, CrashFacts, Finding, Location, RuleId, Severity};
use super::jam::clusters_of;
use super::{Case, Rule, advice, stack_overflow};
use crate::model::{
    Certainty, Evidence, Failure, FailureKind, FrameIx, GapKind, Listing, Signal, Thread, ThreadId, ThreadIx,
    ThreadKind,
};
use crate::normalize::Role;
use sender::{MOST_ABOVE_ABORT, Sender};
use signals::{ABORTS, CODES, GO_RUNTIME, JVM_CALLS, MEMORY_FAULTS, RUNTIMES, SEVERITIES};

/// The row of this rule.
pub const RULE: Rule = Rule { id: RuleId::Crash, guide: include_str!("../../docs/rules/crash.md"), check };

/// Functions that make the fingerprint of a crash.
const CAUSE_FRAMES: usize = 3;

/// A fault at an address below this one is an access through a null pointer.
const NULL_PAGE: u64 = 4_096;
/// One below this is a field or an element of an object at null.
const NEAR_NULL: u64 = 65_536;

/// `SI_KERNEL`: the kernel raised it and gives no address (a general protection fault, whose
/// `si_addr` 0 is not the address).
const SI_KERNEL: i32 = 128;

/// What the stack of the thread says of why it ended the process.
fn abort_reason(case: &Case<'_>, signal: &Signal) -> Option<&'static str> {
    let stack = case.snapshot.threads[signal.thread?.at()].stack;
    let frames = case.snapshot.stacks.frames_of(stack);
    // Only above the program's own functions: below, `std::panicking` is how a Rust thread begins.
    let reading = case.readings.get(stack);
    let own = reading.meaningful.first().map_or(frames.len(), |at| *at as usize);
    let names = || frames.iter().take(own).map(|&f| &case.meanings.get(f).name);
    ABORTS.iter().find(|(start, _)| names().any(|n| n.starts_with(start))).map(|(_, reason)| *reason)
}

fn check(case: &Case<'_>) -> Vec<Finding> {
    if stack_overflow::detect(case).is_some() {
        return Vec::new();
    }
    finding(case, RuleId::Crash).into_iter().collect()
}

/// A thread in a sentence; `None` where the text is one stack without an id (gdb's `bt`): what we call it says nothing.
fn who(case: &Case<'_>, thread: ThreadIx) -> Option<String> {
    match case.snapshot.threads.as_slice() {
        [only] if matches!(&only.id, ThreadId::Text(id) if id.starts_with(NUMBERED_BY_US)) => None,
        _ => Some(case.words().thread(thread)),
    }
}

/// How ids begin that are places in the text.
const NUMBERED_BY_US: &str = "stack ";

/// Why the process died; also the ground of `stack-overflow`.
pub(super) fn finding(case: &Case<'_>, rule: RuleId) -> Option<Finding> {
    // A processor that is stuck is no end.
    let failure = case.snapshot.process.failure.as_ref().filter(|f| f.kind != FailureKind::Stall);
    let signal = match (&case.snapshot.process.signal, failure) {
        (Some(signal), _) => signal.clone(),
        // The producer says why, and names no signal.
        (None, Some(failure)) => Signal { thread: failure.thread, ..Signal::default() },
        (None, None) => aborting(case)?,
    };
    let signal = &signal;
    let is_by_stack = case.snapshot.process.signal.is_none() && failure.is_none();
    let words = case.words();
    let thread = signal.thread.or(failure.and_then(|f| f.thread));
    let frame = thread.and_then(|t| place(case, t));
    let sender = Sender::of(case, signal);
    let was_sent = sender == Sender::Outside;
    let reason = match failure {
        Some(failure) if !was_sent => told(failure),
        _ => sender.reason(signal).unwrap_or_else(|| reason(case, signal)),
    };
    let severity = match SEVERITIES.iter().find(|(name, ..)| *name == &*signal.name) {
        _ if was_sent => Severity::Info,
        // Healthy machines have some.
        _ if failure.is_some_and(|f| matches!(f.kind, FailureKind::Warning | FailureKind::Noted)) => {
            Severity::Info
        }
        // Below what the tasks are stuck on.
        _ if failure.is_some_and(|f| f.kind == FailureKind::GaveUp) => Severity::Medium,
        _ if is_by_stack => Severity::High,
        _ if failure.is_some_and(|f| f.kind == FailureKind::DumpedCore) => dumped_core(case, thread),
        _ if failure.is_some_and(|f| f.kind == FailureKind::Crashed) => Severity::High,
        _ if failure.is_some_and(|f| f.kind == FailureKind::OutOfMemory) => Severity::High,
        _ if failure.is_some() => Severity::Critical,
        _ if matches!(sender, Sender::Named(_) | Sender::NotInStack | Sender::Unknown) => Severity::Medium,
        _ if is_stop(case, signal) => Severity::Info,
        Some((_, severity, _)) => *severity,
        None => Severity::Info,
    };
    let at = frame.map(|f| format!(" in {}", words.function(f))).unwrap_or_default();
    let who = thread.and_then(|t| who(case, t));
    let kind = failure.map(|f| f.kind);
    // What happened there is no end of a process.
    let tells_itself = matches!(
        kind,
        Some(
            FailureKind::Kernel
                | FailureKind::OutOfMemory
                | FailureKind::Killed
                | FailureKind::Warning
                | FailureKind::Noted
                | FailureKind::GaveUp
        )
    );
    let title = match (&who, was_sent) {
        (_, true) => format!("the process was ended from outside with {}", signal.name),
        (Some(who), false) if tells_itself => format!("{reason}{at} ({who})"),
        (None, false) if tells_itself => reason.clone(),
        (Some(who), false) if signal.name.is_empty() => format!("{who} ended the process{at}: {reason}"),
        (None, false) if signal.name.is_empty() => format!("the process ended{at}: {reason}"),
        (Some(who), false) => format!("{who} died of {}{at}: {reason}", signal.name),
        (None, false) => format!("the process died of {}{at}: {reason}", signal.name),
    };
    let mut evidence = evidence(case, signal);
    if let (Some(t), Some(_)) = (thread, frame) {
        let received = if tells_itself { "in which it happened" } else { "that received it" };
        let text = format!(
            "{} is the one {received}{at}",
            self::who(case, t).unwrap_or_else(|| "the one stack of the text".into())
        );
        evidence.push(Evidence::new(source(case), text));
    }
    let aborts = || thread.is_some_and(|t| case.readings.get(case.snapshot.threads[t.at()].stack).is_abort);
    if is_by_stack {
        evidence.push(Evidence::inferred("no line says so: its stack goes through abort"));
    } else if matches!(kind, Some(FailureKind::DumpedCore | FailureKind::Crashed)) && aborts() {
        evidence.push(Evidence::inferred("its stack goes through abort, which raises SIGABRT"));
    }
    let of_message = || failure.filter(|_| !was_sent).and_then(|f| advice::for_message(&f.message));
    let failed = match (thread, frame) {
        (None, _) if case.snapshot.threads.is_empty() => Failed::NobodyShown,
        (None, _) if case.snapshot.gaps.has(GapKind::Truncated) => Failed::PerhapsMissing,
        (None, _) => Failed::NotSaid,
        (Some(_), None) => Failed::WithoutStack,
        (Some(_), Some(_)) => Failed::Shown,
    };
    let next = of_message().unwrap_or_else(|| next_step(signal, kind, sender, failed));
    let cause_frames = thread.map(|t| cause(case, t)).unwrap_or_default();
    Some(Finding {
        summary: format!("{}. {}", super::jam::capital(&title), next),
        threads: thread.into_iter().collect(),
        clusters: clusters_of(case, thread.as_slice()),
        location: frame.map(|frame| Location { frame }),
        crash: Some(CrashFacts {
            signal: (!signal.name.is_empty()).then(|| signal.name.to_string()),
            code: code_name(signal),
            address: signal.address,
            thread,
            reason: reason.clone(),
            frame,
        }),
        evidence,
        advice: vec![next],
        cause: [rule.id().to_owned(), signal.name.to_string(), cause_words(failure, &reason)]
            .into_iter()
            .chain(
                failure
                    .filter(|_| thread.is_none())
                    .map(|failure| general_words(&failure.message).to_owned()),
            )
            .chain(cause_frames)
            .collect(),
        ..Finding::new(
            rule,
            severity,
            if is_by_stack { Confidence::Likely } else { Confidence::Certain },
            title,
        )
    })
}

/// A thread that ends the process at this moment, in a text that has its stack and no word of a signal.
fn aborting(case: &Case<'_>) -> Option<Signal> {
    let snapshot = case.snapshot;
    if snapshot.image.is_some() || snapshot.listing != Listing::Threads {
        return None;
    }
    let is_in_abort = |thread: &Thread| {
        let frames = snapshot.stacks.frames_of(thread.stack).iter();
        case.readings.get(thread.stack).is_abort
            && frames.take(MOST_ABOVE_ABORT).any(|&f| &*case.meanings.get(f).name == "abort")
    };
    let thread = snapshot.threads.iter().position(is_in_abort)?;
    Some(Signal { thread: Some(ThreadIx(thread as u32)), ..Signal::default() })
}

/// A core of which nobody says the signal: a thread that waits did not crash, somebody asked for the core.
fn dumped_core(case: &Case<'_>, thread: Option<ThreadIx>) -> Severity {
    let reading = thread.map(|t| case.readings.get(case.snapshot.threads[t.at()].stack));
    match reading {
        Some(reading) if reading.is_abort => Severity::High,
        Some(reading) if reading.wait.is_some() => Severity::Info,
        _ => Severity::High,
    }
}

/// A trap in a thread that waits: `gcore` writes it into a core where a debugger stopped the process. A trap of its own is an
/// instruction of the program, or what the program raises in a function that ends it.
fn is_stop(case: &Case<'_>, signal: &Signal) -> bool {
    let waits = |thread: ThreadIx| {
        let reading = case.readings.get(case.snapshot.threads[thread.at()].stack);
        reading.wait.is_some() && !reading.is_abort
    };
    &*signal.name == "SIGTRAP" && signal.code.is_none() && signal.thread.is_some_and(waits)
}

/// The frame that a person would open first: the innermost one of the program.
fn place(case: &Case<'_>, thread: ThreadIx) -> Option<FrameIx> {
    let stack = case.snapshot.threads[thread.at()].stack;
    let frames = case.snapshot.stacks.frames_of(stack);
    let reading = case.readings.get(stack);
    let kept = || reading.meaningful.iter().filter_map(|&at| frames.get(at as usize)).copied();
    let is_program = |f: &FrameIx| case.meanings.get(*f).role == Role::User;
    let is_below = |f: &FrameIx| is_program(f) && !is_of_runtime(case, thread, *f);
    kept()
        .find(is_below)
        .or_else(|| kept().find(is_program))
        .or_else(|| kept().next())
        .or_else(|| frames.first().copied())
}

/// A function of the runtime that a goroutine runs on, of the JVM or of the C library.
fn is_of_runtime(case: &Case<'_>, thread: ThreadIx, frame: FrameIx) -> bool {
    let begins =
        |starts: &[&str]| starts.iter().any(|start| case.meanings.get(frame).name.starts_with(start));
    let is_goroutine = case.snapshot.threads[thread.at()].kind == ThreadKind::Goroutine;
    let is_runtime = |module: &str| RUNTIMES.iter().any(|known| known.eq_ignore_ascii_case(module));
    let module = case.snapshot.stacks.get(frame).module.as_deref().and_then(|m| m.rsplit(['/', '\\']).next());
    is_goroutine && begins(GO_RUNTIME) || begins(JVM_CALLS) || module.is_some_and(is_runtime)
}

fn cause(case: &Case<'_>, thread: crate::model::ThreadIx) -> Vec<String> {
    let stack = case.snapshot.threads[thread.at()].stack;
    let frames = case.snapshot.stacks.frames_of(stack);
    let kept = || case.readings.get(stack).meaningful.iter().filter_map(|&at| frames.get(at as usize));
    // Where all of it is the runtime's, the runtime failed.
    let own = kept().position(|f| !is_of_runtime(case, thread, *f)).unwrap_or(0);
    kept().skip(own).take(CAUSE_FRAMES).map(|&f| case.meanings.get(f).name.to_string()).collect()
}

fn reason(case: &Case<'_>, signal: &Signal) -> String {
    let thread = signal.thread;
    let pc = thread.and_then(|t| Some(case.snapshot.image.as_ref()?.registers.get(t.at())?.pc));
    if signal.code == Some(SI_KERNEL) && &*signal.name == "SIGSEGV" {
        return "general protection fault (an address that no pointer can have; the kernel does not say which)".into();
    }
    if let Some(address) = signal.address.filter(|_| MEMORY_FAULTS.contains(&&*signal.name)) {
        return match address {
            a if Some(a) == pc => format!("call through a bad pointer, to {a:#x}"),
            a if a < NULL_PAGE => format!("access through a null pointer, at {a:#x}"),
            a if a < NEAR_NULL => format!("access near null, at {a:#x}: a field of an object at null"),
            a => format!("invalid access to {a:#x}"),
        };
    }
    if let Some(reason) = abort_reason(case, signal).filter(|_| matches!(&*signal.name, "SIGABRT" | "")) {
        return reason.into();
    }
    if signal.name.is_empty() {
        return "it ended itself (abort)".into();
    }
    if is_stop(case, signal) {
        return "a trap while the thread waits: a debugger stopped it there".into();
    }
    let meaning = SEVERITIES.iter().find(|(name, ..)| *name == &*signal.name).map(|(.., text)| *text);
    let code = code_row(signal).map(|(.., text)| *text);
    match (meaning, code) {
        (_, Some(code)) => code.into(),
        (Some(meaning), None) => meaning.into(),
        (None, None) => "it was told to end".into(),
    }
}

/// Why the process ended, in the producer's words.
fn told(failure: &Failure) -> String {
    let kind = kind_words(failure.kind);
    if failure.message.is_empty() { kind.to_owned() } else { format!("{kind}: {}", failure.message) }
}

fn kind_words(kind: FailureKind) -> &'static str {
    match kind {
        FailureKind::Panic => "panic",
        FailureKind::FatalError => "fatal error",
        FailureKind::UncaughtException => "an exception that nobody caught",
        FailureKind::Abort => "abort",
        FailureKind::System => "the system ended it",
        FailureKind::Kernel => "the kernel failed",
        FailureKind::OutOfMemory => "no memory was left",
        FailureKind::Killed => "the kernel ended a process",
        FailureKind::DumpedCore => "it dumped core, and the text does not say for which signal",
        FailureKind::Crashed => "it crashed, and the text does not say of what",
        FailureKind::Stall => "a processor does not get away from it",
        FailureKind::Warning => "the kernel warns and goes on",
        FailureKind::Noted => "the system reports this, which is no crash",
        FailureKind::GaveUp => "the kernel's watchdog ended the machine",
    }
}

/// The reason as a part of the key: a message has texts and numbers of the run in it.
fn cause_words(failure: Option<&Failure>, reason: &str) -> String {
    failure.map_or_else(|| general(reason), |failure| kind_words(failure.kind).to_owned())
}

/// How a message begins, which is the same for each run: `test timed out after 10m0s` up to its number.
fn general_words(message: &str) -> &str {
    let end = message.find(|c: char| c.is_ascii_digit() || matches!(c, '"' | '\''));
    message.get(..end.unwrap_or(message.len())).unwrap_or(message).trim_end()
}

/// The reason without its numbers: the same for each run.
fn general(reason: &str) -> String {
    // Addresses, and the id of the process that sent the signal, differ from run to run.
    let ends = [", at 0x", " to 0x", " by process "];
    ends.iter().fold(reason, |said, end| said.split(end).next().unwrap_or(said)).to_owned()
}

fn code_row(signal: &Signal) -> Option<&'static (&'static str, i32, &'static str, &'static str)> {
    CODES.iter().find(|(name, code, ..)| *name == &*signal.name && Some(*code) == signal.code)
}

fn code_name(signal: &Signal) -> Option<String> {
    let name = match signal.code? {
        SI_KERNEL => "SI_KERNEL",
        0 => "SI_USER",
        -6 => "SI_TKILL",
        code => {
            return Some(code_row(signal).map_or_else(|| code.to_string(), |(.., name, _)| (*name).into()));
        }
    };
    Some(name.into())
}

/// How what a snapshot says of its signal is known.
fn source(case: &Case<'_>) -> Certainty {
    if case.snapshot.image.is_some() { Certainty::Read } else { Certainty::Reported }
}

fn evidence(case: &Case<'_>, signal: &Signal) -> Vec<Evidence> {
    let certainty = source(case);
    let said = case.snapshot.process.failure.as_ref().map(|failure| {
        let says = match failure.kind {
            FailureKind::Warning | FailureKind::Noted => "the dump says",
            _ => "the dump says why it ended",
        };
        Evidence::new(certainty, format!("{says}: {}", told(failure)))
    });
    if signal.name.is_empty() {
        return said.into_iter().collect();
    }
    let mut text = format!("the signal is {}", signal.name);
    if let Some(code) = code_name(signal) {
        text.push_str(&format!(" with the code {code}"));
    }
    if let Some(address) = signal.address {
        text.push_str(&format!(" and the address {address:#x}"));
    }
    if let Some(pid) = signal.sender_pid {
        text.push_str(&format!(", sent by process {pid}"));
    }
    std::iter::once(Evidence::new(certainty, text)).chain(said).collect()
}

/// What the dump shows of the thread that failed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Failed {
    Shown,
    WithoutStack,
    NotSaid,
    /// The text shows no thread at all.
    NobodyShown,
    /// The text is cut, and none of its threads is said to be the one.
    PerhapsMissing,
}

fn next_step(signal: &Signal, kind: Option<FailureKind>, sender: Sender, failed: Failed) -> String {
    if let Some(step) = sender.next_step() {
        return step.into();
    }
    match &*signal.name {
        "SIGABRT" => "Read the message that the process printed before it ended itself: an assertion, an uncaught exception, a damaged heap, a watchdog.",
        _ if kind == Some(FailureKind::OutOfMemory) => "Find what fills the memory: a heap dump of the same moment says it; the thread named here only asked last.",
        _ if kind == Some(FailureKind::Killed) => "Find who used the memory: the kernel lists the tasks with their memory above this line. Give it more, or limit who takes it.",
        _ if kind == Some(FailureKind::Warning) => "The machine goes on. Look for this function and message among the known bugs of this kernel, and keep it in mind if anything else goes wrong.",
        _ if kind == Some(FailureKind::Noted) => "This did not end the process. Look for the limit that the message names, and at what the thread named here does so much or for so long.",
        _ if kind == Some(FailureKind::GaveUp) => "Look at the tasks that are stuck: the watchdog ended the machine because of them.",
        _ if failed == Failed::NobodyShown => "The text shows no thread: look for the rest of it, or for a core of the same moment.",
        _ if failed == Failed::PerhapsMissing => "The thread that failed may be in the part of the dump that is missing: take the whole text. Until then look at what the threads shown here do and wait for, with the message in hand.",
        _ if failed == Failed::NotSaid => "The dump does not say in which thread: look at what its threads do and wait for, with the message in hand.",
        _ if failed == Failed::WithoutStack => "The dump names the thread and shows no stack of it: look for the rest of the text, or for a core of the same moment.",
        "SIGSEGV" | "SIGBUS" => "Open the frame named here first; build with -fsanitize=address and run the same input to see where the pointer went bad.",
        "SIGFPE" => "Open the frame named here: a divisor is not checked.",
        "" => "Open the frame named here first, with the message in hand.",
        "SIGILL" => "Either the program trapped on purpose (__builtin_trap, a failed check) or it ran code built for another processor.",
        _ => "Open the frame named here first.",
    }
    .into()
}
