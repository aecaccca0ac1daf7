//! One report: from its lines to a dump.

use super::banner::Banner;
use super::parts::{self, Part};
use super::{CURRENT, frame, threads};
use crate::formats::text::words::{hex, split_once};
use crate::formats::text::{Body, BodyFrame, Dumps, OwnerRef, is_limited};
use crate::formats::text::{CUT, LEFT_OUT, is_left_out};
use crate::model::{
    Failure, FailureKind, Frame, GapKind, LockId, ReportedLockKind, Signal, StackEnd, Thread, ThreadId,
};

/// A report in the making.
#[derive(Default)]
pub(super) struct Report {
    banner: Banner,
    offset: u64,
    /// The thread that failed.
    current: Option<Thread>,
    native: Vec<Frame>,
    has_java: bool,
    java: Vec<Frame>,
    end: StackEnd,
    processed: Option<Processed>,
    threads: Vec<(Thread, u64)>,
    /// Locks of the JVM's own with the threads that have them.
    mutexes: Vec<(u64, String, u64, u64)>,
    part: Part,
    /// More than the banner was read.
    is_begun: bool,
    /// Lines of stacks that were not understood, and other ones.
    in_stacks: Option<Skipped>,
    between: Option<Skipped>,
    /// Lines that stand for those that whoever copied the text left out.
    left_out: Option<Skipped>,
}

/// The thread on whose stack the one that failed was at work.
struct Processed {
    thread: Thread,
    frames: Vec<Frame>,
    end: StackEnd,
}

/// Lines of which nothing is used: how many, the first one, and where it begins.
struct Skipped {
    lines: u64,
    first: String,
    offset: u64,
}

impl Skipped {
    fn count(skipped: &mut Option<Self>, line: &str, offset: u64) {
        match skipped {
            Some(skipped) => skipped.lines += 1,
            None => *skipped = Some(Self { lines: 1, first: line.to_owned(), offset }),
        }
    }
}

/// What is said of a report: which threads wait for each other cannot be seen in it.
const ONE_STACK: &str = "HotSpot's report of a fatal error has the stack of one thread and no lock of Java";

/// The same of its banner alone.
const BANNER_ALONE: &str = "the banner of HotSpot's fatal error names one frame at most; the stack is in the file that it names (hs_err_pid*.log)";

/// What is said of lines that were not understood.
const IN_STACKS: &str = "lines in stacks were not understood and passed over";
const BETWEEN: &str = "lines between the stacks are no part of the dump, or were not understood";

/// What ends a quotation in Markdown.
const FENCE: &str = "```";

impl Report {
    /// One whose banner begins with this line.
    pub fn new(first: &str, offset: u64) -> Self {
        Self { banner: Banner::new(first), offset, ..Self::default() }
    }

    /// One without a banner.
    pub fn headless(offset: u64) -> Self {
        Self { offset, ..Self::default() }
    }

    /// The process that ended.
    pub fn pid(&self) -> Option<u32> {
        self.banner.process.pid
    }

    /// Whether it says which thread failed.
    pub fn has_thread(&self) -> bool {
        self.current.is_some()
    }

    /// Whether a line is none of a banner without marks.
    pub fn ends_banner(text: &str) -> bool {
        text.starts_with("Current thread") || Part::of(text).is_some()
    }

    /// Reads a line of the banner, behind its mark.
    pub fn banner_line(&mut self, text: &str) {
        self.banner.line(text);
    }

    /// Reads a line that is none of the banner.
    pub fn line(&mut self, text: &str, offset: u64) {
        if text.starts_with(FENCE) {
            // Prose comes, and maybe more of the report behind it.
            (self.part, self.is_begun) = (Part::Facts, false);
        } else if text.starts_with(CURRENT) {
            self.current = threads::read(text).map(|read| read.thread);
            self.part = Part::Facts;
        } else if text.starts_with(threads::NATIVE) {
            self.current = Some(thread(self.banner.thread.unwrap_or(0)));
            self.part = Part::Facts;
        } else if let Some(thread) = threads::processed(text) {
            self.processed = Some(Processed { thread, frames: Vec::new(), end: StackEnd::Complete });
            self.part = Part::Facts;
        } else if let Some(part) = Part::of(text).filter(|_| self.part != Part::Rest) {
            self.part = part;
            self.is_begun = true;
            if part == Part::Native {
                self.native.clear();
                self.end = StackEnd::Complete;
            }
            self.fact(text);
        } else if is_left_out(text) {
            self.cut(text, offset);
        } else if text.is_empty() {
            self.part = if self.part.is_one_block() { Part::Facts } else { self.part };
        } else if !self.is_read(text, offset) {
            match self.part {
                Part::Native | Part::Java => Skipped::count(&mut self.in_stacks, text, offset),
                // Behind a banner alone the log goes on.
                _ if self.is_begun => Skipped::count(&mut self.between, text, offset),
                _ => {}
            }
        }
    }

    /// Reads a line of the part that is being read. False: it was not understood.
    fn is_read(&mut self, text: &str, offset: u64) -> bool {
        match self.part {
            Part::Native | Part::Java => self.stack_line(text),
            Part::Threads => self.thread_line(text, offset) || parts::is_known(text),
            Part::Mutexes => {
                let read = mutex(text);
                let is_read = read.is_some();
                self.mutexes.extend(read.map(|(lock, name, owner)| (lock, name, owner, offset)));
                is_read
            }
            Part::Data => parts::is_data(text) || parts::is_known(text),
            Part::Objects | Part::Rest => true,
            // The thread that failed may be behind its list.
            Part::Facts => {
                self.fact(text)
                    || parts::is_known(text)
                    || text.starts_with("=>0x") && self.thread_line(text, offset)
            }
        }
    }

    fn thread_line(&mut self, text: &str, offset: u64) -> bool {
        let Some(read) = threads::read(text) else { return false };
        match (&self.current, read.is_current) {
            (None, true) => self.current = Some(read.thread),
            (Some(current), true) if current.id == read.thread.id => {}
            _ => self.threads.push((read.thread, offset)),
        }
        true
    }

    fn stack_line(&mut self, text: &str) -> bool {
        match frame::line(text) {
            Some(frame::Line::Frame(frame, is_java)) if self.part == Part::Native => {
                self.has_java |= is_java;
                self.native.push(*frame);
            }
            Some(frame::Line::Frame(frame, _)) => match &mut self.processed {
                Some(processed) => processed.frames.push(*frame),
                None => self.java.push(*frame),
            },
            Some(frame::Line::End(end)) => self.end_stack(end),
            None => return false,
        }
        true
    }

    /// Ends the stack that is being read.
    fn end_stack(&mut self, end: StackEnd) {
        match &mut self.processed {
            Some(processed) if self.part == Part::Java => processed.end = end,
            _ => self.end = end,
        }
    }

    /// Reads a line that stands for others.
    fn cut(&mut self, text: &str, offset: u64) {
        if matches!(self.part, Part::Native | Part::Java) {
            self.end_stack(CUT);
        }
        // Behind a banner alone it is the log's.
        if self.is_begun && !self.part.is_passed_over() {
            Skipped::count(&mut self.left_out, text, offset);
        }
    }

    /// Reads a line that says something of the process. False: it says nothing of it.
    fn fact(&mut self, text: &str) -> bool {
        let process = &mut self.banner.process;
        if let Some(command) = text.strip_prefix("Command Line: ") {
            process.command_line = Some(command.trim().into());
        } else if let Some(time) = text.strip_prefix("Time: ").or_else(|| text.strip_prefix("time: ")) {
            let time = split_once(time, " elapsed time: ").map_or(time, |(time, _)| time);
            process.captured_at = Some(time.trim().into());
        } else if let Some(info) = text.strip_prefix("siginfo:") {
            match process.signal.take().or_else(|| named(info)) {
                Some(signal) => process.signal = Some(with_info(signal, info)),
                None => {
                    process.failure.get_or_insert_with(crashed);
                }
            }
        } else {
            return false;
        }
        true
    }

    /// Whether there is anything in it.
    pub fn says_something(&self) -> bool {
        self.banner.is_told() || self.current.is_some() || self.has_stack()
    }

    fn has_stack(&self) -> bool {
        !self.native.is_empty() || !self.java.is_empty()
    }

    /// Whether this is what the terminal had of the other one.
    pub fn is_copy_of(&self, other: &Self) -> bool {
        self.current.is_none() && self.native.is_empty() && self.banner.is_of(&other.banner)
    }

    /// The report as a dump.
    pub fn settle(mut self, dumps: &mut Dumps) {
        let building = dumps.begin(self.offset);
        let has_stack = self.has_stack();
        let is_banner = self.current.is_none() && self.threads.is_empty() && !has_stack;
        let message = if is_banner { BANNER_ALONE } else { ONE_STACK };
        is_limited(&mut building.snapshot, message, Some(self.offset));
        if (self.current.is_some() || has_stack) && !self.banner.is_told() {
            // Nothing but a fatal error has the JVM write of a current thread, and of its stack so.
            self.banner.process.failure = Some(crashed());
        }
        building.snapshot.process = self.banner.process;
        let frames = match has_stack {
            true => stack(self.native, self.java, self.has_java),
            false => self.banner.frame.into_iter().collect(),
        };
        let end = if is_banner { StackEnd::Reported } else { self.end };
        let body = Body { frames: frames.into_iter().map(BodyFrame::from).collect(), end, ..Body::default() };
        // A stack by itself is somebody's: what we call it says nothing.
        let of_stack = || has_stack.then(|| Thread::new(ThreadId::Text("stack 1".into())));
        let failed = self.current.or_else(|| self.banner.thread.map(thread)).or_else(of_stack);
        let failed = failed.map(|failed| listed(failed, &mut self.threads));
        let failed = failed.map(|thread| building.push(thread, &body, &[], self.offset));
        if let Some(signal) = &mut building.snapshot.process.signal {
            signal.thread = failed;
        }
        if let Some(failure) = &mut building.snapshot.process.failure {
            failure.thread = failed;
        }
        if let Some(Processed { thread, frames, end }) = self.processed.filter(|p| !p.frames.is_empty()) {
            let thread = listed(thread, &mut self.threads);
            let frames = frames.into_iter().map(BodyFrame::from).collect();
            building.push(thread, &Body { frames, end, ..Body::default() }, &[], self.offset);
        }
        for (thread, offset) in self.threads {
            building.push(thread, &Body::default(), &[], offset);
        }
        for (lock, name, owner, offset) in self.mutexes {
            let lock = building.lock(LockId::Address(lock), Some(name.into()), ReportedLockKind::Other);
            building.owner(lock, OwnerRef::HandleValue(owner), offset);
        }
        for (skipped, message) in [(self.in_stacks, IN_STACKS), (self.between, BETWEEN)] {
            let Some(Skipped { lines, first, offset }) = skipped else { continue };
            building.snapshot.gaps.add_many_like(GapKind::SkippedText, message, lines, &first, offset);
        }
        if let Some(Skipped { lines, offset, .. }) = self.left_out {
            building.snapshot.gaps.add_many(GapKind::Truncated, LEFT_OUT, lines, Some(offset));
        }
    }
}

/// The stack of both lists. Where the first one did not come up to Java, the second one goes on from there.
fn stack(native: Vec<Frame>, java: Vec<Frame>, has_java: bool) -> Vec<Frame> {
    let more = if has_java { Vec::new() } else { java };
    native.into_iter().chain(more).collect()
}

/// A thread of which the banner says the id alone.
fn thread(id: u64) -> Thread {
    let mut thread = Thread::new(ThreadId::Number(id));
    thread.tid = threads::kernel_id(id);
    thread.handle = Some(id).filter(|id| u32::try_from(*id).is_err());
    thread
}

/// The same thread as the list has it, with its name, and out of the list.
fn listed(thread: Thread, threads: &mut Vec<(Thread, u64)>) -> Thread {
    // What is known of it already comes from the JVM.
    if thread.name.is_some() {
        return thread;
    }
    match threads.iter().position(|(other, _)| other.id == thread.id) {
        Some(at) => threads.remove(at).0,
        None => thread,
    }
}

/// An end of which the text does not say more.
fn crashed() -> Failure {
    Failure { kind: FailureKind::Crashed, message: "".into(), thread: None }
}

/// `[0x00007f2b8c006d40] Threads_lock - owner thread: 0x00007f2b8c01a800`, up to 6 `[0x0a3e1c50/0x0b2d4e60] …`.
fn mutex(text: &str) -> Option<(u64, String, u64)> {
    let (address, rest) = text.strip_prefix('[')?.split_once("] ")?;
    let (name, owner) = rest.split_once(" - owner thread: ")?;
    let address = address.split('/').next()?;
    Some((hex(address)?, name.trim().to_owned(), hex(owner.trim())?))
}

/// The word behind this one: `si_code: 1 (SEGV_MAPERR)`, `si_code=1 (SEGV_MAPERR)`.
fn word_after<'t>(text: &'t str, what: &str) -> Option<&'t str> {
    let (_, rest) = split_once(text, what)?;
    let rest = rest.trim_start_matches([':', '=', ' ']);
    rest.split([',', ' ', ')', '/']).next().filter(|word| !word.is_empty())
}

/// `SI_TKILL`: a thread sent it to one of the same process, on Linux.
const SI_TKILL: i32 = -6;

/// The signal with what ` si_signo: 11 (SIGSEGV), si_code: 1 (SEGV_MAPERR), si_addr: 0x0…` says of it.
fn with_info(signal: Signal, info: &str) -> Signal {
    let number: Option<i32> = word_after(info, "si_code").and_then(|code| code.parse().ok());
    let address = word_after(info, "si_addr").or_else(|| word_after(info, " address ")).and_then(hex);
    let sender = word_after(info, "sent from pid").or_else(|| word_after(info, "si_pid"));
    let sender = sender.and_then(|pid| pid.parse().ok()).or_else(|| {
        // Up to 6 it prints an address whatever the signal is: the sender's pid lies where that would be.
        address.filter(|_| number == Some(SI_TKILL)).and_then(|address| i32::try_from(address as u32).ok())
    });
    // On macOS it is 0 for faults too, and no address comes with it.
    let is_told = |code: &i32| *code != 0 || sender.is_some() || info.contains("SI_USER");
    Signal {
        code: number.filter(is_told),
        address: address.filter(|_| number.is_none_or(|code| code > 0)),
        sender_pid: sender,
        ..signal
    }
}

/// The signal of a report without its banner: ` si_signo: 11 (SIGSEGV), …`, `si_signo=SIGSEGV: …`,
/// ` EXCEPTION_ACCESS_VIOLATION (0xc0000005), reading address …`. `None`: there is a number only.
fn named(info: &str) -> Option<Signal> {
    let is_name = |word: &&str| word.starts_with("SIG") && word.len() > 3 || word.starts_with("EXCEPTION_");
    let name = info.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').find(is_name)?;
    Some(Signal { name: name.into(), ..Signal::default() })
}
