//! What each thread does and waits for, which locks there are, and who holds them.

use schemars::JsonSchema;
use serde::Serialize;

use crate::model::{Certainty, Evidence, Str, SystemCall, ThreadIx};
use crate::normalize::ResourceClass;

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

/// The kind of a lock: the contract's lock kinds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum LockKind {
    /// `pthread_mutex_t`, `std::mutex`.
    PthreadMutex,
    /// `pthread_rwlock_t`, `std::shared_mutex`.
    PthreadRwlock,
    /// `pthread_spinlock_t` and hand-written ones.
    PthreadSpinlock,
    /// A spin lock of another kind: only its word is known.
    Spinlock,
    /// `sem_t`.
    Semaphore,
    /// `pthread_cond_t`.
    Condvar,
    /// `pthread_barrier_t`.
    Barrier,
    /// `pthread_once_t`, C++ function statics, Rust `Once`.
    Once,
    /// The lock of a `FILE`.
    StdioFile,
    /// The lock of a malloc arena.
    MallocArena,
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, JsonSchema)]
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

/// Index of a lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LockIx(pub u32);

impl LockIx {
    /// The place as an index.
    pub fn at(self) -> usize {
        self.0 as usize
    }
}

/// Who holds a lock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Holder {
    /// This thread.
    Thread {
        /// Which.
        thread: ThreadIx,
        /// How that is known.
        certainty: Certainty,
    },
    /// The lock names an owner that is no thread of this process any more.
    EndedThread {
        /// The owner that it names.
        owner_id: u64,
    },
    /// A process-shared lock whose owner is in another process.
    OtherProcess {
        /// The owner that it names.
        owner_id: u64,
    },
    /// Nobody: the lock word says so.
    Free,
    /// Nobody could be named.
    Unknown {
        /// Why, in words.
        why: String,
        /// Threads that are too close to each other to name one.
        candidates: Vec<Candidate>,
    },
}

/// A thread that may hold a lock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// Which.
    pub thread: ThreadIx,
    /// Its points.
    pub points: i32,
    /// What they are for.
    pub reasons: Vec<String>,
}

/// A lock that a thread waits for or is known to hold.
#[derive(Clone, Debug)]
pub struct Lock {
    /// Its kind.
    pub kind: LockKind,
    /// Its address.
    pub address: Option<u64>,
    /// What makes it one lock.
    pub identity: Identity,
    /// Symbol, class or resource: `g_log_mutex`.
    pub name: Option<Str>,
    /// Where it lies, in words: `in logserver .bss`.
    pub place: Option<String>,
    /// What it guards.
    pub class: Option<ResourceClass>,
    /// Who holds it.
    pub holder: Holder,
    /// All who hold it, where several do (readers).
    pub holders: Vec<ThreadIx>,
    /// Who waits for it, ascending.
    pub waiters: Vec<ThreadIx>,
    /// Whether it is an object that threads share. A wait word that only its thread uses
    /// (parking_lot, musl condvars) is not, and splits no cluster.
    pub is_shared_object: bool,
    /// What is known of it and how: the lock word, the owner field, points of an inference.
    pub evidence: Vec<Evidence>,
}

/// What a thread waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// A lock.
    Lock(LockIx),
    /// The end of a thread.
    Thread(ThreadIx),
    /// Something else, in words: `read(fd 4)`.
    Other(String),
}

/// A thread's wait.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wait {
    /// For what.
    pub target: Target,
    /// How that is known.
    pub certainty: Certainty,
}

/// What one thread does.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Activity {
    /// Its state.
    pub state: State,
    /// What it waits for.
    pub wait: Option<Wait>,
    /// The system call in which it is, where registers say so.
    pub system_call: Option<SystemCall>,
    /// What it does, in words, for the report on a holder: `blocked in write(fd 7)`.
    pub doing: Option<String>,
}

/// What all threads of a snapshot do, and the locks among them.
#[derive(Clone, Debug, Default)]
pub struct Waits {
    /// By [`ThreadIx`].
    pub activities: Vec<Activity>,
    /// Most waiters first.
    pub locks: Vec<Lock>,
}
