//! The form of the tables.

use crate::normalize::{ResourceClass, Role, WaitKind};

/// How a row names functions. All patterns are in normalized form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Pattern {
    /// The whole name.
    Exact(&'static str),
    /// How the name begins.
    Prefix(&'static str),
    /// How the name ends.
    Suffix(&'static str),
    /// What the name has in it.
    Contains(&'static str),
    /// How the name begins and how it ends.
    Glob(&'static str, &'static str),
}

impl Pattern {
    /// Reads `name`, `name*`, `*name`, `*name*` and `na*me`.
    pub const fn new(text: &'static str) -> Self {
        let bytes = text.as_bytes();
        let len = bytes.len();
        let starts = len > 0 && bytes[0] == b'*';
        let ends = len > 1 && bytes[len - 1] == b'*';
        if starts && ends {
            return Self::Contains(text.split_at(len - 1).0.split_at(1).1);
        }
        if starts {
            return Self::Suffix(text.split_at(1).1);
        }
        if ends {
            return Self::Prefix(text.split_at(len - 1).0);
        }
        let mut at = 0;
        while at < len {
            // `(*Mutex)` is Go's.
            if bytes[at] == b'*' && bytes[at - 1] != b'(' {
                return Self::Glob(text.split_at(at).0, text.split_at(at + 1).1);
            }
            at += 1;
        }
        Self::Exact(text)
    }

    /// Whether this name is meant.
    pub fn matches(self, name: &str) -> bool {
        match self {
            Self::Exact(text) => name == text,
            Self::Prefix(text) => name.starts_with(text),
            Self::Suffix(text) => name.ends_with(text),
            Self::Contains(text) => has(name, text),
            Self::Glob(start, end) => {
                name.len() >= start.len() + end.len() && name.starts_with(start) && name.ends_with(end)
            }
        }
    }
}

/// Whether a short name has this part. What begins like it is rare: a search that prepares itself costs more.
fn has(name: &str, part: &str) -> bool {
    let (name, part) = (name.as_bytes(), part.as_bytes());
    let Some(&first) = part.first() else { return true };
    memchr::memchr_iter(first, name).any(|at| name.get(at..).is_some_and(|rest| rest.starts_with(part)))
}

/// Where a name has to stand to mean what a row says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scope {
    /// Nobody else uses such a name.
    Anywhere,
    /// A word that programs use for functions of their own: only in the C library.
    Libc,
    /// Only in source files whose path ends so.
    File(&'static [&'static str]),
    /// Only in a module whose file name begins so.
    Module(&'static str),
    /// Only where neither a file nor a module is known, or the module is the kernel: kernel stacks.
    Bare,
}

/// Functions and what they are for.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// Which functions.
    pub pattern: Pattern,
    /// What they are for.
    pub role: Role,
    /// What they wait for.
    pub wait: Option<WaitKind>,
    /// Which resource they belong to.
    pub class: Option<ResourceClass>,
    /// Whether they tell threads apart that wait for work in the same pool code.
    pub is_queue: bool,
}

impl Row {
    const fn new(pattern: &'static str, role: Role, wait: Option<WaitKind>) -> Self {
        Self { pattern: Pattern::new(pattern), role, wait, class: None, is_queue: false }
    }

    /// The same, and it tells threads apart.
    pub const fn shown(mut self) -> Self {
        self.is_queue = true;
        self
    }

    /// The same for a resource.
    pub const fn of(mut self, class: ResourceClass) -> Self {
        self.class = Some(class);
        self
    }
}

/// Rows that come from one place.
#[derive(Debug)]
pub struct Source {
    /// Where the names come from: project, version, file. For people, and for the test that asks
    /// each row for it.
    #[cfg_attr(not(test), allow(dead_code))]
    pub from: &'static str,
    /// Where they have to stand.
    pub scope: Scope,
    /// The rows.
    pub rows: &'static [Row],
}

/// Rows whose names nobody else uses.
pub const fn source(from: &'static str, rows: &'static [Row]) -> Source {
    Source { from, scope: Scope::Anywhere, rows }
}

/// Rows whose names mean this in one place only.
pub const fn only(scope: Scope, from: &'static str, rows: &'static [Row]) -> Source {
    Source { from, scope, rows }
}

/// Takes a lock.
pub const fn lock(pattern: &'static str, kind: WaitKind) -> Row {
    Row::new(pattern, Role::Lock, Some(kind))
}

/// Waits for something that is no lock.
pub const fn wait(pattern: &'static str, kind: WaitKind) -> Row {
    Row::new(pattern, Role::Wait, Some(kind))
}

/// Waits at a queue, which tells what the thread is a consumer or producer of.
pub const fn queue(pattern: &'static str) -> Row {
    wait(pattern, WaitKind::Condition).shown()
}

/// Spins.
pub const fn spin(pattern: &'static str) -> Row {
    Row::new(pattern, Role::Spin, Some(WaitKind::SpinLock))
}

/// Reads, writes, syncs.
pub const fn io(pattern: &'static str, kind: WaitKind) -> Row {
    Row::new(pattern, Role::Io, Some(kind))
}

/// Sleeps.
pub const fn sleep(pattern: &'static str) -> Row {
    Row::new(pattern, Role::Sleep, Some(WaitKind::Sleep))
}

/// Waits for events.
pub const fn idle(pattern: &'static str, kind: WaitKind) -> Row {
    Row::new(pattern, Role::Idle, Some(kind))
}

/// Where a worker or an event loop waits for work.
pub const fn work(pattern: &'static str) -> Row {
    Row::new(pattern, Role::Idle, Some(WaitKind::Work))
}

/// Ends the process.
pub const fn abort(pattern: &'static str) -> Row {
    Row::new(pattern, Role::Abort, None)
}

/// Plumbing of a runtime.
pub const fn runtime(pattern: &'static str) -> Row {
    Row::new(pattern, Role::Runtime, None)
}

/// The first functions of a thread.
pub const fn base(pattern: &'static str) -> Row {
    Row::new(pattern, Role::Base, None)
}

/// A test framework.
pub const fn test(pattern: &'static str) -> Row {
    Row::new(pattern, Role::Test, None)
}

/// The program's own, belonging to a resource.
pub const fn user(pattern: &'static str) -> Row {
    Row::new(pattern, Role::User, None)
}
