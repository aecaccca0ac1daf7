//! The kinds of locks: one file a family, [`LOCKS`] is the table.
//!
//! A row says how a blocked `futex` call is recognized as a wait for this kind, which arguments name
//! the lock in a text dump, and who holds the lock as its memory says. Rows are asked in the
//! order of the table, from the most specific fingerprint to `futex`, which takes what is left
//! (`locks.md`, section 3). To add a kind: a file with its row, and its line in the table below.

mod futex;
mod futex_call;
mod gil;
mod managed;
mod parking_lot;
mod pthread_cond;
mod pthread_mutex;
mod pthread_rwlock;
mod rust;
mod semaphore;
mod spin;
mod stdio;
mod unowned;

pub(super) use futex_call::FutexCall;

use schemars::JsonSchema;
use serde::Serialize;

use super::kinds::State;
use super::lock::Holder;
use super::threads::ThreadMap;
use crate::model::{AddressSpace, Evidence};
use crate::normalize::WaitKind;

/// Everything that a row may look at to recognize a wait.
pub struct FutexSite<'a> {
    pub(super) call: FutexCall,
    /// What the names of the stack say, where there are names.
    pub(super) named: Option<WaitKind>,
    /// The lock function in the stack is one of Rust's standard library.
    pub(super) is_rust: bool,
    /// The lock function in the stack is one of the `parking_lot` crate.
    pub(super) is_parking_lot: bool,
    /// The stack waits for Python's global lock.
    pub(super) is_gil: bool,
    /// The thread's control block.
    pub(super) thread_pointer: Option<u64>,
    pub(super) sp: u64,
    pub(super) memory: &'a dyn AddressSpace,
    pub(super) threads: &'a ThreadMap<'a>,
}

/// A wait that a row recognized.
pub struct Recognized {
    /// The address of the object (not of the futex word in it).
    pub(super) object: u64,
    /// What the waiting thread does.
    pub(super) state: State,
}

/// What a lock's memory says.
pub struct Decoded {
    pub(super) holder: Holder,
    pub(super) evidence: Vec<Evidence>,
}

impl Decoded {
    /// A kind that stores no owner.
    fn nobody(why: &'static str) -> Self {
        Self { holder: Holder::unknown(why), evidence: Vec::new() }
    }
}

/// One kind of lock.
pub struct LockRow {
    /// Which.
    pub kind: LockKind,
    /// What it is called in a sentence: `mutex`.
    pub noun: &'static str,
    /// Where its layout and its fingerprint come from.
    pub source: &'static str,
    /// Whether somebody can hold it, so that a holder is worth looking for.
    pub has_holder: bool,
    /// Whether the producers of texts print with each thread what it holds: then nobody is looked for by stacks.
    pub prints_holder: bool,
    /// Whether a thread that holds it may take it again: such a thread never waits for itself.
    pub is_reentrant: bool,
    /// Whether threads share it. See [`Lock::is_shared_object`](super::Lock::is_shared_object).
    pub is_shared_object: bool,
    /// Recognizes a blocked `futex` call.
    pub(super) recognize: fn(&FutexSite<'_>) -> Option<Recognized>,
    /// Names of the arguments that point to the object in a text dump, the best first.
    pub arguments: &'static [&'static str],
    /// Reads the holder from memory.
    pub(super) decode: fn(u64, &dyn AddressSpace, &ThreadMap) -> Decoded,
}

/// Makes [`LockKind`] and [`LOCKS`] of one list, so that a kind and its row cannot part.
macro_rules! lock_table {
    ($($(#[$doc:meta])* $kind:ident = $row:expr,)*) => {
        /// The kind of a lock: the contract's lock kinds.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
        #[serde(rename_all = "kebab-case")]
        pub enum LockKind {
            $($(#[$doc])* $kind,)*
        }

        /// All kinds, in the order in which they are asked.
        pub static LOCKS: &[LockRow] = &[$($row,)*];

        $(const _: () = assert!(matches!($row.kind, LockKind::$kind), "a row stands at another kind");)*
    };
}

// In the order in which they are asked. The names are those of the report.
lock_table! {
    /// Python's global interpreter lock.
    Gil = gil::ROW,
    /// A lock of the `parking_lot` crate.
    ParkingLot = parking_lot::ROW,
    /// Rust's `std::sync::Mutex`.
    RustMutex = rust::MUTEX,
    /// Rust's `std::sync::RwLock`.
    RustRwlock = rust::RWLOCK,
    /// The lock of a `FILE`.
    StdioFile = stdio::ROW,
    /// The lock of a malloc arena.
    MallocArena = unowned::ARENA,
    /// The lock of the dynamic linker.
    Loader = unowned::LOADER,
    /// `pthread_once_t`, C++ function statics, Rust's `Once`.
    Once = unowned::ONCE,
    /// `pthread_mutex_t`, `std::mutex`.
    PthreadMutex = pthread_mutex::ROW,
    /// `pthread_rwlock_t`, `std::shared_mutex`.
    PthreadRwlock = pthread_rwlock::ROW,
    /// `sem_t`.
    Semaphore = semaphore::ROW,
    /// `pthread_cond_t`.
    Condvar = pthread_cond::ROW,
    /// `pthread_barrier_t`.
    Barrier = unowned::BARRIER,
    /// `pthread_spinlock_t`.
    PthreadSpinlock = spin::PTHREAD,
    /// A spin lock of another kind: only its word is known.
    Spinlock = spin::OTHER,
    /// A monitor of a JVM.
    JavaMonitor = managed::JAVA_MONITOR,
    /// A lock of `java.util.concurrent`.
    JavaSynchronizer = managed::JAVA_SYNCHRONIZER,
    /// The initialization of a class, which one thread runs.
    ClassInit = managed::CLASS_INIT,
    /// Go's `sync.Mutex`.
    GoMutex = managed::GO_MUTEX,
    /// Go's `sync.RWMutex`.
    GoRwmutex = managed::GO_RWMUTEX,
    /// Go's `sync.WaitGroup`.
    GoWaitGroup = managed::GO_WAIT_GROUP,
    /// Go's channel.
    GoChannel = managed::GO_CHANNEL,
    /// Python's `threading.Lock`, `RLock`.
    PythonLock = managed::PYTHON_LOCK,
    /// Ruby's `Mutex`, `Monitor`.
    RubyMutex = managed::RUBY_MUTEX,
    /// A monitor of .NET.
    DotnetMonitor = managed::DOTNET_MONITOR,
    /// `CRITICAL_SECTION` of Windows.
    CriticalSection = managed::CRITICAL_SECTION,
    /// A mutex of a kernel.
    KernelMutex = managed::KERNEL_MUTEX,
    /// A read-write semaphore of a kernel.
    KernelRwsem = managed::KERNEL_RWSEM,
    /// A semaphore of a kernel.
    KernelSemaphore = managed::KERNEL_SEMAPHORE,
    /// A lock of which the text names the owner only.
    Turnstile = managed::TURNSTILE,
    /// Another lock that a text names.
    NamedLock = managed::OTHER,
    /// A futex of which nothing better is known.
    Futex = futex::ROW,
}

/// The row of a kind.
pub fn row(kind: LockKind) -> &'static LockRow {
    // The kinds are numbered in the order of the table.
    LOCKS.get(kind as usize).unwrap_or(&futex::ROW)
}

/// A row that no futex call leads to.
fn never(_: &FutexSite<'_>) -> Option<Recognized> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_has_one_row() {
        for (n, row) in LOCKS.iter().enumerate() {
            assert!(!row.source.is_empty() && !row.noun.is_empty());
            assert!(LOCKS[n + 1..].iter().all(|other| other.kind != row.kind), "{:?} twice", row.kind);
        }
    }

    #[test]
    fn the_fallback_is_asked_last() {
        assert_eq!(LOCKS.last().map(|r| r.kind), Some(LockKind::Futex));
    }
}
