//! What one thread does.

use super::kinds::State;
use super::lock::{Lock, LockIx};
use super::quiet::Quiet;
use crate::model::{Certainty, SystemCall, ThreadIx};

/// What a thread waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// A lock.
    Lock(LockIx),
    /// The end of a thread.
    Thread(ThreadIx),
    /// The end of a child process, which is not in the dump.
    Child,
}

/// What a wait for a child process is called.
pub const CHILD: &str = "the end of a child process";

/// A thread's wait.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wait {
    /// For what.
    pub target: Target,
    /// How that is known.
    pub certainty: Certainty,
}

/// The call in which a thread is, as far as a person wants to know it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Call {
    /// `write`.
    pub name: &'static str,
    /// The file descriptor it is called with.
    pub fd: Option<i64>,
}

/// What one thread does. There are hundreds of thousands: what few of them have is kept elsewhere.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Activity {
    /// Its state.
    pub state: State,
    /// What it waits for.
    pub wait: Option<Wait>,
    /// The system call in which it is, where registers say so.
    pub system_call: Option<Box<SystemCall>>,
    /// The call in which it is blocked, where registers or arguments say so.
    pub call: Option<Box<Call>>,
    /// What it does, in words; for threads that others wait for.
    pub doing: Option<Box<str>>,
}

impl Activity {
    /// The lock for which the thread waits.
    pub fn lock(&self) -> Option<LockIx> {
        match self.wait.as_ref()?.target {
            Target::Lock(lock) => Some(lock),
            _ => None,
        }
    }
}

/// What all threads of a snapshot do, and the locks among them.
#[derive(Clone, Debug, Default)]
pub struct Waits {
    /// By [`ThreadIx`].
    pub activities: Vec<Activity>,
    /// The locks of which there is more to say than that one thread holds them; most waiters first.
    pub locks: Vec<Lock>,
    /// All others. Their numbers follow.
    pub quiet: Quiet,
}

impl Waits {
    /// What this thread does.
    pub fn of(&self, thread: ThreadIx) -> &Activity {
        &self.activities[thread.at()]
    }

    /// A lock that is not quiet, as all are for which a thread waits.
    pub fn lock(&self, ix: LockIx) -> &Lock {
        &self.locks[ix.at()]
    }
}
