//! The same thing under the same name: functions without arguments, versions and compiler
//! suffixes ([`normalize`]), what they mean: the tables of roles ([`Meanings`]), and what a whole
//! stack means ([`read`]).

mod meaning;
mod name;
mod readings;
mod saying;
mod scan;
mod stack;
mod tables;
mod test_name;
mod test_run;
mod thread_name;
mod user;
mod words;

pub use meaning::class_of_name;
pub use name::normalize;
pub use readings::Readings;
pub use saying::{Saying, runs_callers_code, surely_takes_lock, takes_lock};
pub use stack::{StackMeaning, read};
pub use test_run::{TestFramework, TestRun};
pub use thread_name::thread_name_pattern;

pub use user::{RoleError, UserRole, UserRoleKind};

use std::sync::OnceLock;

use rayon::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::{FrameIx, StackTable, Str};

/// What a function is for, as far as waiting is concerned: the contract's `role`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Takes a lock.
    Lock,
    /// Waits for something else: a condition, a semaphore, a thread.
    Wait,
    /// Spins.
    Spin,
    /// Input and output.
    Io,
    /// Sleeps for a time.
    Sleep,
    /// Waits for work: pollers, pool workers.
    Idle,
    /// Ends the process.
    Abort,
    /// A runtime's own plumbing.
    Runtime,
    /// A test framework.
    Test,
    /// The first functions of a thread.
    Base,
    /// The program itself.
    #[default]
    User,
}

/// What exactly a function waits for; finer than [`Role`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum WaitKind {
    /// A mutex or monitor.
    Mutex,
    /// A read-write lock, to read.
    RwLockRead,
    /// A read-write lock, to write.
    RwLockWrite,
    /// A one-time initialization that another thread runs (`pthread_once`, function statics).
    Once,
    /// A lock of a stdio stream.
    StdioFile,
    /// A lock of the allocator.
    Allocator,
    /// A lock of the dynamic linker.
    Loader,
    /// A spin lock.
    SpinLock,
    /// A condition variable.
    Condition,
    /// A semaphore.
    Semaphore,
    /// A barrier or latch.
    Barrier,
    /// A future, channel or parked thread.
    Future,
    /// A raw futex or an unknown one.
    Futex,
    /// The end of another thread.
    Join,
    /// The end of a child process.
    Child,
    /// Events: `epoll_wait`, `poll`, `select`.
    Poll,
    /// A new connection.
    Accept,
    /// A signal.
    Signal,
    /// Work for a pool worker, as the name of the function says.
    Work,
    /// Time.
    Sleep,
    /// Reading.
    Read,
    /// Writing.
    Write,
    /// Writing to disk.
    Sync,
    /// Other input and output.
    OtherIo,
}

/// What a resource guards: the contract's `class`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ResourceClass {
    /// A logging library.
    Logging,
    /// A memory allocator.
    Allocator,
    /// stdio streams.
    Stdio,
    /// The dynamic linker, class loading.
    Loader,
    /// Python's global interpreter lock.
    Gil,
    /// A garbage collector.
    Gc,
    /// A pool of database connections.
    DbPool,
    /// Locale and time zone data.
    Locale,
    /// Name resolution.
    Resolver,
}

/// What the name of a frame is the name of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NameKind {
    /// A function.
    Function,
    /// A place in a module, all that is known: `libQt6Core.so.6+0x2a0bd3`, `libfoo.so!??`.
    Place,
    /// Nothing: `??`.
    Nothing,
    /// The frame that the kernel makes to call a signal handler.
    SignalHandler,
}

/// What a frame means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Meaning {
    /// The normalized name: `pthread_mutex_lock`, `log_message`, `libfoo.so+0x1234`.
    pub name: Str,
    /// What this is the name of.
    pub kind: NameKind,
    /// What it is for.
    pub role: Role,
    /// What it waits for, for roles that wait.
    pub wait: Option<WaitKind>,
    /// The resource to which the function belongs, where its name or module says so.
    pub class: Option<ResourceClass>,
    /// Whether it is a queue, which tells threads apart that wait in the same pool code.
    pub is_queue: bool,
}

/// What each frame of a snapshot means, by [`FrameIx`].
#[derive(Clone, Debug, Default)]
pub struct Meanings {
    all: Vec<Meaning>,
    /// What their names say.
    sayings: Vec<OnceLock<Saying>>,
}

/// Frames that one worker looks at in one go.
const FRAMES_A_CHUNK: usize = 64;
const MOST_FRAMES: usize = 1_024;

impl Meanings {
    /// Looks at each unique frame once.
    pub fn of(stacks: &StackTable) -> Self {
        let frames = stacks.all_frames().par_iter().with_min_len(FRAMES_A_CHUNK).with_max_len(MOST_FRAMES);
        let all: Vec<Meaning> = frames.map(meaning::meaning).collect();
        let sayings = all.iter().map(|_| OnceLock::new()).collect();
        Self { all, sayings }
    }

    /// Shows frames under other names; what they mean stays.
    pub fn rename(&mut self, mut name: impl FnMut(&Str) -> Str) {
        for meaning in &mut self.all {
            meaning.name = name(&meaning.name);
        }
    }

    /// All of them, in the order of the frames.
    pub fn iter(&self) -> impl Iterator<Item = &Meaning> {
        self.all.iter()
    }

    /// What this frame means.
    pub fn get(&self, frame: FrameIx) -> &Meaning {
        &self.all[frame.at()]
    }

    /// What the name of this frame's function says.
    pub fn saying(&self, frame: FrameIx) -> Saying {
        *self.sayings[frame.at()].get_or_init(|| Saying::of(&self.get(frame).name))
    }
}
