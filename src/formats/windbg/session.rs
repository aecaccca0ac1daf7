//! A session: which thread is current, what was printed of it, and what the commands say of locks, CPU times and the
//! exception.

use rustc_hash::FxHashMap;

use super::analyzed::Marks;
use super::breakpoint;
use super::death::{self, Death};
use super::head::{CURRENT, FAULTING};
use super::join;
use super::locks::{self, Aside, CriticalSection};
use super::operand;
use super::resources::{self, Resources};
use crate::formats::text::words::{hex, number};
use crate::formats::text::{Dumps, SeenIds};
use crate::model::{Process, Thread, ThreadId};

/// The event of a thread that crashed.
pub(super) const CRASHED: &str = "thread crashed";

/// What is remembered.
#[derive(Default)]
pub(super) struct Memory {
    pub process: Process,
    /// The number of the thread that commands print.
    pub current: Option<u64>,
    /// The thread that had an exception has no number yet: the next prompt says it.
    pub is_event_due: bool,
    /// Numbers of threads with their ids, where a line says both.
    pub numbers: Vec<(u64, u32)>,
    /// The thread whose stack `!cs -o` prints next.
    pub stack_of: Option<u32>,
    /// The number of the first prompt; no thread once there is another one.
    pub only_prompt: OnlyPrompt,
    /// The number of each thread that was added.
    pub keys: Vec<Key>,
    pub death: Death,
    pub sections: Vec<CriticalSection>,
    /// They are all that are locked.
    pub has_all_locked: bool,
    /// A command prints all that are locked: the next prompt says that it has.
    pub is_listing: bool,
    /// CPU times by id of the thread, microseconds.
    pub times: FxHashMap<u64, u64>,
    /// Which time the rows are of: those of sleeping are none.
    pub is_timed: bool,
    /// Threads of which only the number is known, and that they have the stack of another one.
    pub duplicates: Vec<u64>,
    pub is_duplicates: bool,
    pub crashed: Option<usize>,
    pub marks: Marks,
    pub resources: Resources,
    /// What is printed is where the exception was.
    pub is_at_fault: bool,
    pub walked: SeenIds,
    pub has_run: bool,
}

/// The number that all prompts so far have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum OnlyPrompt {
    #[default]
    None,
    Of(u64),
    Several,
}

/// What a stack belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Key {
    /// A number of the debugger.
    Number(u64),
    /// An id of the operating system.
    Tid(u32),
    /// A number of minidump-stackwalk.
    Walked(u64),
    /// The only thread.
    Unknown,
}

/// Lines that mean something.
static EVENTS: &[&str] = &[
    "Loading Dump File [",
    "Microsoft (R) Windows Debugger",
    "PROCESS_NAME: ",
    "Debug session time: ",
    "User Mode Time",
    "Kernel Mode Time",
    "Elapsed Time",
    "Total threads: ",
    "Duplicate callstacks: ",
    "Operating system: ",
    "CPU: ",
    "CommandLine: ",
];

pub(super) fn is_event(line: &str) -> bool {
    let text = line.trim_start();
    line == CRASHED
        || death::prompt(text).is_some()
        || EVENTS.iter().any(|start| text.starts_with(start))
        || death::is_line(line)
        || locks::is_line(text)
        || resources::is_line(line)
        || operand::unreadable(text).is_some()
        || time(text).is_some()
        || is_list(text)
}

/// `3, 4, 12`: numbers of threads below `Duplicate callstacks:`.
fn is_list(text: &str) -> bool {
    !text.is_empty()
        && text.contains(',')
        && text.split(',').all(|n| n.trim().is_empty() || n.trim().parse::<u32>().is_ok())
}

/// Lines without a meaning.
pub(super) fn is_noise(line: &str) -> bool {
    let text = line.trim_start();
    let is_register = || text.split_once('=').is_some_and(|(name, _)| name.trim().len() <= 4);
    let is_field = || {
        text.split_once(':').is_some_and(|(name, _)| {
            !name.is_empty()
                && name.bytes().all(|b| b.is_ascii_uppercase() || b == b'_' || b.is_ascii_digit())
        })
    };
    // `ntdll!NtWaitForSingleObject+0xb:` and the operation there.
    let is_place = || text.ends_with(':') && text.contains('!');
    let is_code = || {
        let mut words = text.split_ascii_whitespace();
        let (address, code) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        address.len() >= 8 && hex(address).is_some() && hex(code).is_some() && words.next().is_some()
    };
    is_place()
        || text.starts_with("Thread       Time")
        || is_code()
        || locks::is_noise(text)
        || text.starts_with("***")
        || text.starts_with("---")
        || is_register()
        || is_field()
}

/// `  0:1b30      0 days 0:00:01.234`: the id of the thread, and microseconds.
fn time(text: &str) -> Option<(u64, u64)> {
    let (_, rest) = number(text)?;
    let (tid, rest) = rest.strip_prefix(':')?.split_once(' ')?;
    let (days, rest) = number(rest.trim_start())?;
    let clock = rest.strip_prefix(" days ")?.trim();
    let mut parts = clock.split([':', '.']);
    let mut next = || parts.next()?.parse::<u64>().ok();
    let (hours, minutes, seconds, milliseconds) = (next()?, next()?, next()?, next().unwrap_or(0));
    let whole = ((days * 24).checked_add(hours)?.checked_mul(60)?.checked_add(minutes)?)
        .checked_mul(60)?
        .checked_add(seconds)?;
    Some((hex(tid)?, whole.checked_mul(1_000_000)?.checked_add(milliseconds.checked_mul(1000)?)?))
}

/// Commands after which the process is not what it was.
static RUNNING: &[&str] =
    &["g", "gh", "gn", "gu", "p", "t", ".restart", ".opendump", "q", "qd", "qq", ".kill", ".detach"];

impl Memory {
    /// A thread is about to be added.
    pub fn thread(&mut self, dumps: &mut Dumps, thread: &Thread, offset: u64) {
        let current = self.current.map_or(Key::Unknown, Key::Number);
        let key = match &thread.id {
            ThreadId::Number(index) => Key::Number(*index),
            ThreadId::Text(text) if &**text == CURRENT => self.stack_of.take().map_or(current, Key::Tid),
            ThreadId::Text(text) if &**text == FAULTING => self.death.analyzed.map_or(current, Key::Tid),
            ThreadId::Text(text) => match (thread.tid, text.parse()) {
                (Some(tid), _) => Key::Tid(tid),
                (None, Ok(index)) => Key::Walked(index),
                (None, Err(_)) => Key::Unknown,
            },
        };
        // The tool of minidumps prints each thread once.
        let is_walked = matches!(&thread.id, ThreadId::Text(text) if !matches!(&**text, CURRENT | FAULTING));
        let is_repeated = is_walked && !self.walked.insert(&thread.id);
        if self.has_run && !self.keys.is_empty() || is_repeated {
            self.close(dumps);
            self.walked.insert(&thread.id);
        }
        self.has_run = false;
        self.is_duplicates = false;
        self.keys.push(key);
        self.marks.thread(key);
        if self.crashed == Some(usize::MAX) {
            self.crashed = Some(self.keys.len() - 1);
        }
        dumps.current(offset);
    }

    /// A line of the session.
    pub fn event(&mut self, dumps: &mut Dumps, line: &str) {
        let text = line.trim_start();
        if line == CRASHED {
            self.crashed = Some(usize::MAX);
            return;
        }
        if self.marks.line(line) {
            return;
        }
        if let Some((index, command)) = death::prompt(text) {
            self.prompt(index, command);
            return;
        }
        let is_begin = text.starts_with("Loading Dump File [") || text.starts_with("Operating system: ");
        if is_begin && dumps.open().is_some() && !self.keys.is_empty() {
            self.close(dumps);
        }
        self.death.is_dump |= text.starts_with("Loading Dump File [");
        if self.is_at_fault
            && let Some(address) = operand::unreadable(text)
        {
            self.death.wanted(address);
        }
        if death::is_line(line) || breakpoint::operation(line).is_some() {
            self.death.read(line);
            self.is_event_due |= text.starts_with('(');
            self.is_at_fault |= text.starts_with('(');
        } else if locks::is_line(text) {
            self.section(text);
        } else if resources::is_line(line) {
            self.resources.line(line);
        } else if let Some((tid, us)) = time(text) {
            if self.is_timed {
                let total = self.times.entry(tid).or_default();
                *total = total.saturating_add(us);
            }
        } else if is_list(text) && self.is_duplicates {
            self.duplicates.extend(text.split(',').filter_map(|n| n.trim().parse::<u64>().ok()));
        } else {
            self.field(text);
        }
    }

    /// A line of a critical section.
    fn section(&mut self, text: &str) {
        let id = |id: u64| u32::try_from(id).ok();
        self.has_all_locked |= locks::is_end(text);
        self.is_listing &= !locks::breaks_off(text);
        match locks::read(text, &mut self.sections) {
            Some(Aside::Begin) => self.stack_of = None,
            Some(Aside::Number(number, owner)) => self.numbers.extend(id(owner).map(|tid| (number, tid))),
            Some(Aside::Stack(owner)) => self.stack_of = id(owner),
            None => {}
        }
    }

    /// The number of the thread that `!analyze` looked at: that of the prompt, if no other thread was ever current. With
    /// `-hang` it looks at the thread that it thinks is to blame.
    pub fn analyzed_number(&self) -> Option<(u64, u32)> {
        match (self.only_prompt, self.death.analyzed) {
            (OnlyPrompt::Of(number), Some(tid)) => Some((number, tid)),
            _ => None,
        }
    }

    /// The text ends in a list of all critical sections that are locked, whose end nothing marks; what it has of the last
    /// one is whole.
    pub fn ends_in_list(&self) -> bool {
        self.is_listing && self.sections.last().is_some_and(|last| last.is_of_cs && last.is_whole())
    }

    fn prompt(&mut self, index: Option<u64>, command: &str) {
        self.current = index;
        self.stack_of = None;
        self.is_duplicates = false;
        self.is_timed = false;
        self.is_at_fault = command.starts_with(".ecxr");
        self.only_prompt = match (self.only_prompt, index) {
            (OnlyPrompt::None, Some(index)) => OnlyPrompt::Of(index),
            (only, Some(index)) if only == OnlyPrompt::Of(index) => only,
            (only, None) => only,
            _ => OnlyPrompt::Several,
        };
        if command.starts_with("!analyze") && command.contains("-hang") {
            self.only_prompt = OnlyPrompt::Several;
        }
        if let (true, Some(index), Some(tid)) = (self.is_event_due, index, self.death.tid) {
            self.is_event_due = false;
            self.numbers.push((index, tid));
        }
        self.has_all_locked |= std::mem::replace(&mut self.is_listing, locks::lists_all(command));
        let word = command.split([' ', ';']).next().unwrap_or_default();
        self.has_run |= RUNNING.contains(&word);
    }

    fn field(&mut self, text: &str) {
        let value = || text.split_once(": ").map(|(_, value)| value.trim());
        match text {
            _ if text.starts_with("Duplicate callstacks: ") => self.is_duplicates = true,
            _ if text.starts_with("User Mode Time") || text.starts_with("Kernel Mode Time") => {
                self.is_timed = true
            }
            _ if text.starts_with("Elapsed Time") => self.is_timed = false,
            _ if text.starts_with("PROCESS_NAME: ") => self.process.name = value().map(Into::into),
            _ if text.starts_with("CommandLine: ") => {
                self.process.command_line = value().map(|v| v.trim_matches('\'').into());
            }
            _ if text.starts_with("Debug session time: ") => {
                self.process.captured_at = value().map(Into::into)
            }
            _ if text.starts_with("Operating system: ") => {
                let systems = [
                    ("Linux", "linux"),
                    ("Windows", "windows"),
                    ("Mac", "macos"),
                    ("Android", "android"),
                    ("iOS", "ios"),
                ];
                let found = systems.iter().find(|(word, _)| value().is_some_and(|v| v.starts_with(word)));
                self.process.os = found.map(|(_, os)| (*os).into());
            }
            _ => {}
        }
    }

    /// Ends the dump that is being read.
    pub fn close(&mut self, dumps: &mut Dumps) {
        let memory = std::mem::take(self);
        self.current = memory.current;
        self.only_prompt = memory.current.map_or(OnlyPrompt::None, OnlyPrompt::Of);
        if let Some(building) = dumps.open() {
            join::finish(memory, building);
        }
        dumps.end();
    }
}
