//! Critical sections as `!locks` and `!cs` print them.
//!
//! ```text
//! CritSec winsrv!_gcsUserSrv+0 at 5ffa91b4                Critical section   = 0x00403370 (test2+0x3370)
//! LockCount          8                                    DebugInfo          = 0x7c99e9e0
//! RecursionCount     1                                    LOCKED
//! OwningThread       6d                                   LockCount          = 0x1
//! *** Locked                                              OwningThread       = 0x0000185c
//!                                                         OwningThread DbgId = ~2s                   !cs -o
//!                                                         OwningThread Stack =
//! ```
//!
//! With `-o` the stack of the owner follows.

use rustc_hash::FxHashMap;

use crate::formats::text::words::hex;
use crate::model::Str;

/// A critical section.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct CriticalSection {
    pub address: u64,
    pub name: Option<Str>,
    pub owner: Option<u64>,
    /// How many threads wait for it.
    pub count: Option<u64>,
    pub recursion: Option<u64>,
    /// Said to be free.
    pub is_free: bool,
    /// `!cs` printed it, whose list has no line at its end.
    pub is_of_cs: bool,
}

/// Whether a line is one of these.
pub(super) fn is_line(line: &str) -> bool {
    begin(line).is_some()
        || FIELDS.iter().any(|(field, _)| line.starts_with(field))
        || line.trim() == "NOT LOCKED"
        || is_end(line)
        || breaks_off(line)
}

/// `Stopped scanning because of problem reading critical section debug info`: there may be others.
pub(super) fn breaks_off(line: &str) -> bool {
    line.starts_with("Stopped scanning")
}

/// `Scanned 120 critical sections`: `!locks` has printed all that are locked.
pub(super) fn is_end(line: &str) -> bool {
    line.strip_prefix("Scanned ").is_some_and(|rest| rest.trim_end().ends_with(" critical sections"))
}

/// Commands that print all critical sections that are locked: `!locks`, `!ntsdexts.locks -v`, `!cs -l -o`.
pub(super) fn lists_all(command: &str) -> bool {
    let mut words = command.split([' ', ';']);
    let name = words.next().unwrap_or_default().trim_start_matches('!');
    match name.rsplit('.').next().unwrap_or_default() {
        "locks" => true,
        "cs" => words.any(|word| word == "-l"),
        _ => false,
    }
}

/// Functions in which a thread waits to enter a critical section, as beginnings.
pub(super) static ENTERS: &[&str] = &[
    "RtlEnterCriticalSection",
    "RtlpEnterCriticalSection",
    "RtlpWaitForCriticalSection",
    "RtlpWaitOnCriticalSection",
    "EnterCriticalSection",
];

/// What a field tells.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Field {
    Owner,
    OwnersNumber,
    OwnersStack,
    Count,
    Recursion,
}

/// Fields that are read; a name that has another one in it stands before that one.
static FIELDS: &[(&str, Field)] = &[
    ("OwningThread DbgId", Field::OwnersNumber),
    ("OwningThread Stack", Field::OwnersStack),
    ("OwningThread", Field::Owner),
    ("LockCount", Field::Count),
    ("RecursionCount", Field::Recursion),
];

/// What a line says beside the section.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Aside {
    /// Another section begins.
    Begin,
    /// The debugger's number of a thread, by its id.
    Number(u64, u64),
    /// The stack of the thread with this id comes next.
    Stack(u64),
}

/// Lines of the same that say nothing of what is asked.
static NOISE: &[&str] = &[
    "EntryCount",
    "ContentionCount",
    "WaiterWoken",
    "LockSemaphore",
    "SpinCount",
    "DebugInfo",
    "*** Locked",
    "LOCKED",
    "Scanned ",
    "Stopped scanning",
    "ntdll!RtlpStackTraceDataBase",
];

pub(super) fn is_noise(line: &str) -> bool {
    NOISE.iter().any(|start| line.starts_with(start))
}

fn begin(line: &str) -> Option<CriticalSection> {
    if let Some(rest) = line.strip_prefix("CritSec ") {
        let (name, at) = rest.split_once(" at ")?;
        let address = hex(at.split_ascii_whitespace().next()?)?;
        return Some(CriticalSection { address, name: named(name), ..CriticalSection::default() });
    }
    let rest = line.strip_prefix("Critical section")?.trim_start().strip_prefix('=')?.trim_start();
    let (address, rest) = rest.split_once(' ').unwrap_or((rest, ""));
    let name = rest.trim().strip_prefix('(').and_then(|name| name.strip_suffix(')')).and_then(named);
    Some(CriticalSection { address: hex(address)?, name, is_of_cs: true, ..CriticalSection::default() })
}

/// More threads no process has: the field is -1 where the lock is free.
const MOST_WAITERS: u64 = 1 << 16;

/// Each section once, as it was printed last with its owner.
pub(super) fn distinct(sections: Vec<CriticalSection>) -> Vec<CriticalSection> {
    let mut places: FxHashMap<u64, usize> = FxHashMap::default();
    let mut all: Vec<CriticalSection> = Vec::with_capacity(sections.len());
    for section in sections {
        match places.get(&section.address).and_then(|at| all.get_mut(*at)) {
            Some(known) if section.owner.is_some() || section.is_free => *known = section,
            Some(_) => {}
            None => {
                places.insert(section.address, all.len());
                all.push(section);
            }
        }
    }
    all
}

impl CriticalSection {
    /// Whether all of it was printed that is asked for, as far as fields of their own line say.
    pub fn is_whole(&self) -> bool {
        self.is_free || self.owner.is_none() || self.recursion.is_some()
    }

    /// How many threads wait: up to Windows 2003 the count has the entries of the owner in it.
    pub fn waiters(&self) -> Option<u64> {
        self.count.map(|count| count.saturating_sub(self.recursion.unwrap_or(1).saturating_sub(1)))
    }
}

/// The symbol; `+0` is no offset. Of memory of the heap there is none: `(+0x1D2F3A4B000)` has nothing but its place.
fn named(name: &str) -> Option<Str> {
    let name = name.trim();
    let name = name.strip_suffix("+0").or_else(|| name.strip_suffix("+0x0")).unwrap_or(name);
    (!name.is_empty() && !name.starts_with('+')).then(|| name.into())
}

/// Takes up a line.
pub(super) fn read(line: &str, sections: &mut Vec<CriticalSection>) -> Option<Aside> {
    if let Some(section) = begin(line) {
        sections.retain(|known| known.address != section.address || known.owner.is_some());
        sections.push(section);
        return Some(Aside::Begin);
    }
    let last = sections.last_mut()?;
    if line.trim() == "NOT LOCKED" {
        last.is_free = true;
        return None;
    }
    let (name, field) = FIELDS.iter().find(|(name, _)| line.starts_with(name))?;
    let value = line.get(name.len()..).unwrap_or_default().trim_start_matches([' ', '=', '\t']);
    let word = value.split_ascii_whitespace().next().unwrap_or_default();
    let value = hex(word);
    match field {
        Field::Owner => last.owner = value.filter(|owner| *owner != 0),
        Field::Count => last.count = value.filter(|count| *count <= MOST_WAITERS),
        Field::Recursion => last.recursion = value,
        // `~2s`: the command that makes it the current one, with the debugger's number, which is decimal.
        Field::OwnersNumber => {
            let number = word.strip_prefix('~')?.strip_suffix('s')?.parse().ok()?;
            return Some(Aside::Number(number, last.owner?));
        }
        Field::OwnersStack => return last.owner.map(Aside::Stack),
    }
    None
}
