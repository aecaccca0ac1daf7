//! What the producer of a text says of threads and locks: always *reported*, never concluded here.

use std::fmt;

use super::{Certainty, Str, ThreadIx};

/// What a thread does, in the producer's words, reduced to what all producers have in common. The words
/// themselves are mapped by a table in each format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ReportedState {
    /// On a processor or ready for one.
    Running,
    /// The same, or inside a native call that may block: Java's `RUNNABLE`.
    RunningOrNative,
    /// Waits for a lock: `sync.Mutex.Lock`.
    Blocked,
    /// Waits for a monitor of Java: `BLOCKED (on object monitor)`, ART's `Blocked`.
    Entering,
    /// Waits for something that another thread does: `WAITING`, `chan receive`.
    Waiting,
    /// Waits for input or output: `IO wait`.
    Io,
    /// Sleeps for a time.
    Sleeping,
    /// A worker of the runtime that has nothing to do.
    Idle,
    /// Stopped by, or working for, its runtime: collector, safepoint.
    Runtime,
    /// Asleep, for what is not said: py-spy's `idle`, Ruby's `sleep`, the kernel's `S`.
    Asleep,
    /// Asleep until another thread wakes it, for what is not said: a goroutine of a profile.
    Parked,
    /// Asleep in the kernel in a way that no signal interrupts: the kernel's `D`.
    Uninterruptible,
    /// Nothing is said, or a word that is not known here: of a newer release.
    Unclear,
}

/// What kind of thing a thread waits for or holds, as the producer's words tell it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ReportedLockKind {
    /// A monitor of a JVM.
    JavaMonitor,
    /// A synchronizer of `java.util.concurrent`; its class says which.
    JavaSynchronizer,
    /// The initialization of a class.
    ClassInit,
    /// Go's `sync.Mutex`.
    GoMutex,
    /// Go's `sync.RWMutex`.
    GoRwMutex,
    /// Go's `sync.WaitGroup`.
    GoWaitGroup,
    /// Go's channel.
    GoChannel,
    /// Go's semaphore inside another object.
    GoSemaphore,
    /// Python's global lock.
    Gil,
    /// A monitor of .NET.
    DotnetMonitor,
    /// `CRITICAL_SECTION`.
    CriticalSection,
    /// A mutex of a kernel.
    KernelMutex,
    /// A read-write semaphore of a kernel.
    KernelRwsem,
    /// A semaphore of a kernel.
    KernelSemaphore,
    /// A lock of which the text names the owner only: Apple's turnstile.
    Turnstile,
    /// Another lock.
    Other,
}

/// What the producer calls a lock.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum LockId {
    /// By its address: `<0x00000007ffb0c0c0>`.
    Address(u64),
    /// By an id of its own: `java.lang.Object@7b836878`.
    Token(Str),
}

/// A lock that the text names.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct NamedLock {
    /// What the producer calls it.
    pub id: LockId,
    /// Its class or name: `java.lang.Object`, `rtnl_mutex`.
    pub name: Option<Str>,
    /// What it is.
    pub kind: ReportedLockKind,
    /// How many threads wait for it, where the text counts them: more than it shows perhaps.
    pub waiters: Option<u64>,
}

/// Index of a lock in [`Snapshot::named_locks`](super::Snapshot::named_locks).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NamedLockIx(pub u32);

impl NamedLockIx {
    /// The place as an index.
    pub fn at(self) -> usize {
        self.0 as usize
    }
}

/// How a thread waits for what it waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum WaitMode {
    /// To enter it: `waiting to lock`.
    Enter,
    /// To read what it guards.
    Read,
    /// To enter it again after it was notified: `waiting to re-lock in wait()`.
    Reenter,
    /// To be notified; whoever waits so has given the lock back: `waiting on`.
    Notify,
    /// Parked for it; its class says whether it is a lock: `parking to wait for`.
    Park,
}

/// A thread's wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ReportedWait {
    /// For what.
    pub lock: NamedLockIx,
    /// How.
    pub mode: WaitMode,
    /// [`Certainty::Reported`]; inferred where the producer itself doubts the address, and something else speaks for it.
    pub certainty: Certainty,
}

impl ReportedWait {
    /// As the producer says it.
    pub fn of(lock: NamedLockIx, mode: WaitMode) -> Self {
        Self { lock, mode, certainty: Certainty::Reported }
    }
}

/// A lock that a thread holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ReportedHold {
    /// Which.
    pub lock: NamedLockIx,
    /// The frame that took it, counted from the innermost; `None` where the text does not say.
    pub depth: Option<u32>,
}

/// Who owns a lock, as the text says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReportedOwner {
    /// The thread with this kernel id; 0 is nobody.
    Tid(u64),
    /// This thread.
    Thread(ThreadIx),
    /// The thread with this id, which is not in a list of threads that seems to be whole.
    NotListed(ThreadNumber),
    /// A thread of which the text says that it has ended, with its id where that is told.
    Ended(Option<ThreadNumber>),
    /// A thread of another process.
    OtherProcess {
        /// Which process.
        pid: u32,
        /// Its id.
        thread: ThreadNumber,
    },
    /// A thread that the text names and does not show: `thread 50`.
    NotShown(Str),
}

/// A lock is not further than this from the begin of the object that it is part of, bytes.
pub const LARGEST_OBJECT: u64 = 4_096;

/// The number of a thread that is not in the dump, to be shown as whoever reads the dump knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ThreadNumber {
    /// `4340`: a kernel's thread id on Linux.
    Decimal(u64),
    /// `0x1b30`: thread ids of Windows and of Apple's reports, addresses.
    Hex(u64),
}

impl ThreadNumber {
    /// The number.
    pub fn value(self) -> u64 {
        match self {
            Self::Decimal(number) | Self::Hex(number) => number,
        }
    }
}

impl fmt::Display for ThreadNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Decimal(number) => write!(f, "{number}"),
            Self::Hex(number) => write!(f, "{number:#x}"),
        }
    }
}

/// A ring of threads that the producer calls a deadlock, in its order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportedRing {
    /// The members that are threads of the snapshot.
    pub threads: Vec<ThreadIx>,
}

/// What an order of locks leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OrderKind {
    /// Others take the same locks in another order.
    Circular,
    /// The lock, or one of its class, is held by the thread itself.
    Itself,
    /// An interrupt may come in between and ask for the lock.
    Interrupt,
}

/// A lock in such an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderedLock {
    /// What the producer calls it.
    pub name: Str,
    /// The function in which it was taken, or asked for.
    pub at: Option<Str>,
}

/// An order of locks in which the producer sees a deadlock that may happen. Nobody is stuck in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LockOrder {
    /// What it leads to.
    pub kind: OrderKind,
    /// What the producer calls it: `possible circular locking dependency detected`.
    pub message: Str,
    /// Who asked for the lock, where the dump shows it.
    pub thread: Option<ThreadIx>,
    /// The lock that it asked for.
    pub wanted: Option<OrderedLock>,
    /// A lock that it held meanwhile.
    pub held: Option<OrderedLock>,
    /// The locks of the other order, as the producer lists them.
    pub elsewhere: Vec<Str>,
}

/// What kind of end a process came to, beside a signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FailureKind {
    /// A panic that nobody recovered from.
    Panic,
    /// The runtime gave up: `fatal error: all goroutines are asleep - deadlock!`.
    FatalError,
    /// An exception that nobody caught.
    UncaughtException,
    /// The process ended itself with a message: `Abort message: '…'`.
    Abort,
    /// The operating system ended it.
    System,
    /// The kernel failed.
    Kernel,
    /// It got no memory; whether it goes on is not said.
    OutOfMemory,
    /// The kernel ended it, for lack of memory.
    Killed,
    /// It left a core; for which signal is not said.
    DumpedCore,
    /// It crashed; of what is not said.
    Crashed,
    /// It goes on, but a processor does not get away from what it does: a lockup.
    Stall,
    /// The kernel found a mistake of its own, and goes on.
    Warning,
    /// The system wrote a report of what the process did, and did not end it by that.
    Noted,
    /// A watchdog of the kernel ended the machine because tasks were stuck: what they are stuck on is the cause.
    GaveUp,
}

/// Why the process ended, in the producer's words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// What kind of end it was.
    pub kind: FailureKind,
    /// The producer's message, without its introduction: `assignment to entry in nil map`.
    pub message: Str,
    /// The thread.
    pub thread: Option<ThreadIx>,
}
