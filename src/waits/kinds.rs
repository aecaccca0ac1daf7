//! The closed lists of the wait stage: states of threads and kinds of locks.

use schemars::JsonSchema;
use serde::Serialize;

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

/// The kind of a lock: the contract's lock kinds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum LockKind {
    /// `pthread_mutex_t`, `std::mutex`.
    PthreadMutex,
    /// `pthread_rwlock_t`, `std::shared_mutex`.
    PthreadRwlock,
    /// `pthread_spinlock_t`.
    PthreadSpinlock,
    /// A spin lock of another kind: only its word is known.
    Spinlock,
    /// `sem_t`.
    Semaphore,
    /// `pthread_cond_t`.
    Condvar,
    /// `pthread_barrier_t`.
    Barrier,
    /// `pthread_once_t`, C++ function statics, Rust's `Once`.
    Once,
    /// The lock of a `FILE`.
    StdioFile,
    /// The lock of a malloc arena.
    MallocArena,
    /// The lock of the dynamic linker.
    Loader,
    /// Rust's `std::sync::Mutex`.
    RustMutex,
    /// Rust's `std::sync::RwLock`.
    RustRwlock,
    /// A lock of the `parking_lot` crate.
    ParkingLot,
    /// Python's global interpreter lock.
    Gil,
    /// A futex of which nothing better is known.
    Futex,
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
