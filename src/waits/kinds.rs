//! The closed lists of the wait stage: states of threads, and what makes a lock one lock. The kinds of
//! locks are a table of their own, [`LOCKS`](super::LOCKS).

use schemars::JsonSchema;
use serde::Serialize;

pub use super::locks::LockKind;

/// What a thread was doing: the contract's thread states.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// On a processor, or ready for one.
    Running,
    /// Burns CPU waiting for a lock.
    Spinning,
    /// Waits for a mutex, rwlock, once, monitor.
    LockWait,
    /// Waits for a condition, semaphore, barrier, channel, latch, future.
    CondWait,
    /// Waits for input or output.
    IoWait,
    /// Sleeps for a time.
    Sleeping,
    /// A pool worker or poller that waits for work, as it should.
    Idle,
    /// Waits for the end of a thread or child process.
    JoinWait,
    /// Stopped by its runtime.
    Runtime,
    /// Not known.
    #[default]
    Unknown,
}

impl State {
    /// All states, in the order of the contract.
    pub const ALL: [Self; 10] = [
        Self::Running,
        Self::Spinning,
        Self::LockWait,
        Self::CondWait,
        Self::IoWait,
        Self::Sleeping,
        Self::Idle,
        Self::JoinWait,
        Self::Runtime,
        Self::Unknown,
    ];

    /// Whether the thread waits for a lock, asleep or burning CPU.
    pub fn is_blocked(self) -> bool {
        matches!(self, Self::LockWait | Self::Spinning)
    }

    /// The name in the report.
    pub fn id(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Spinning => "spinning",
            Self::LockWait => "lock-wait",
            Self::CondWait => "cond-wait",
            Self::IoWait => "io-wait",
            Self::Sleeping => "sleeping",
            Self::Idle => "idle",
            Self::JoinWait => "join-wait",
            Self::Runtime => "runtime",
            Self::Unknown => "unknown",
        }
    }
}

/// What makes a lock one lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Identity {
    /// Its address.
    Address,
    /// The producer's id.
    Token,
    /// Its symbol.
    Symbol,
    /// Only the place in the code: several locks may be merged.
    Site,
}
