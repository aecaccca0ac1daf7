//! What to do next, concrete, by what was found.

use super::Case;
use super::advice_owner;
use super::finding::Pattern;
use super::jam::Jam;
use crate::model::{FailureKind, GapKind, OrderKind, ThreadIx};
use crate::normalize::{ResourceClass, WaitKind};
use crate::waits::State;

/// What the class of a lock advises.
const BY_CLASS: &[(ResourceClass, &str)] = &[
    (
        ResourceClass::Logging,
        "Make logging asynchronous: format outside the lock, hand the line to one writer thread over a \
         bounded queue that drops or counts when it is full. Until then lower the log level.",
    ),
    (
        ResourceClass::Allocator,
        "Allocate less in the hot path, raise the number of arenas (MALLOC_ARENA_MAX), or use an \
         allocator with caches for each thread.",
    ),
    (
        ResourceClass::Stdio,
        "Do not share one FILE between threads: format into a buffer, write it in one call.",
    ),
    (
        ResourceClass::Loader,
        "Load libraries and classes before the threads start, and keep what runs at their loading short.",
    ),
    (ResourceClass::Gil, "Release the interpreter lock around the call that the holder is in."),
    (
        ResourceClass::DbPool,
        "Raise the size of the pool only after the slow holder of its connections is found.",
    ),
    (
        ResourceClass::Locale,
        "Convert times and locales outside the hot path, or with the _r and _l functions.",
    ),
    (ResourceClass::Resolver, "Resolve names once, outside the lock, and with a timeout."),
];

/// For threads that wait for a lock.
pub(super) fn for_lock(case: &Case<'_>, jam: &Jam<'_>, pattern: Pattern) -> Vec<String> {
    let words = case.words();
    let lock = words.lock(jam.ix);
    let mut advice = Vec::new();
    if let Some(holder) = jam.holder() {
        let thread = words.thread(holder);
        let activity = case.waits.of(holder);
        let state = match activity.state {
            State::Idle if !awaits_io(case, holder) => State::CondWait,
            state => state,
        };
        advice.push(match (pattern, state) {
            (Pattern::Chained, _) => {
                format!("Follow the chain: {thread} holds {lock} and waits itself. The root is named above.")
            }
            (_, State::IoWait | State::Idle) => {
                let fd = activity.call.as_ref().and_then(|c| c.fd);
                let look = match (fd, case.snapshot.process.pid) {
                    (Some(fd), Some(pid)) => {
                        format!(" See what it is: ls -l /proc/{pid}/fd/{fd}, and who should serve it.")
                    }
                    _ => String::new(),
                };
                format!("{} does I/O while it holds {lock}: move the I/O out of the lock.{look}", super::jam::capital(&thread))
            }
            (_, State::Sleeping) => {
                format!("{} sleeps while it holds {lock}: release the lock first.", super::jam::capital(&thread))
            }
            (Pattern::Convoy, _) => {
                format!("{} is at the lock itself: the lock is handed on, but too many want it. Take a second dump to see whether the holder changes.", super::jam::capital(&thread))
            }
            (_, State::CondWait | State::JoinWait | State::LockWait) => {
                format!("{} waits for something else while it holds {lock}: find out who should wake it, and wait without the lock.", super::jam::capital(&thread))
            }
            (_, State::Unknown) => {
                format!("See what {thread} does while it holds {lock}: its stack says where, and not whether it waits.")
            }
            (_, State::Running | State::Spinning | State::Runtime) => {
                format!("{} computes while it holds {lock}: shorten what it does under the lock.", super::jam::capital(&thread))
            }
        });
    } else {
        advice.push(advice_owner::of(case, jam.lock, &lock));
    }
    if let Some((_, text)) = BY_CLASS.iter().find(|(class, _)| Some(*class) == jam.lock.class) {
        advice.push((*text).into());
    }
    if jam.waiters.iter().any(|t| case.waits.of(*t).state == State::Spinning) {
        advice.push("Replace the spin lock by one that sleeps: with more threads than processors its holder is preempted while all others burn its time.".into());
    }
    advice
}

/// Whether a thread that rests does so for input: a worker without work rests as well.
fn awaits_io(case: &Case<'_>, thread: ThreadIx) -> bool {
    const IO: &[WaitKind] = &[WaitKind::Poll, WaitKind::Accept, WaitKind::Read, WaitKind::Write];
    let wait = case.readings.get(case.snapshot.threads[thread.at()].stack).wait;
    case.waits.of(thread).call.as_ref().is_some_and(|call| call.fd.is_some())
        || wait.is_some_and(|wait| IO.contains(&wait))
}

/// What messages with which a runtime ends a process advise: words of the message, and the advice.
const BY_MESSAGE: &[(&str, &str)] = &[
    (
        "invalid memory address or nil pointer dereference",
        "Look for what is nil at the line that panicked: a pointer, a receiver, a map in a struct or an interface that \
         nobody set, or a result that was used although its error was not nil.",
    ),
    (
        "unexpected fault address",
        "Look for memory that went away under the program: a mapped file that was cut, or what unsafe and cgo point to.",
    ),
    ("concurrent map writes", RACE),
    ("concurrent map read and map write", RACE),
    ("concurrent map iteration and map write", RACE),
    (
        "all goroutines are asleep - deadlock!",
        "Every goroutine waits, and none is left that could wake another: look at what each of them waits for, and \
         which one should have sent, closed, unlocked or called Done.",
    ),
    (
        "test timed out after ",
        "No thread is at fault by itself: find the one that runs the test, and what it waits for.",
    ),
    (
        "pthread_create failed: Resource temporarily unavailable",
        "The system gave the process no further thread: compare its threads with its limits (ulimit -u, pids.max of \
         its cgroup, kernel.threads-max) and find out what keeps them.",
    ),
];

const RACE: &str = "Guard the map that is used at the line named here with a mutex, or use sync.Map: another goroutine uses \
                    it at the same time. Run the same with go test -race or a build with -race: it names both places.";

/// For a process that ended with a message that says what to do.
pub(super) fn for_message(message: &str) -> Option<String> {
    BY_MESSAGE.iter().find(|(words, _)| message.contains(words)).map(|(_, text)| (*text).into())
}

/// To begin it anew, for a process that is stuck; not one that ended when the dump was made.
fn restart(case: &Case<'_>, why: &str) -> Option<String> {
    const ENDS: &[FailureKind] =
        &[FailureKind::Panic, FailureKind::FatalError, FailureKind::UncaughtException, FailureKind::Abort];
    let has_ended = case.snapshot.process.failure.as_ref().is_some_and(|f| ENDS.contains(&f.kind));
    (!has_ended).then(|| format!("Restart the process: {why}."))
}

/// For a lock whose owner has ended.
pub(super) fn for_orphaned_lock(case: &Case<'_>) -> Vec<String> {
    with_restart(
        restart(case, "nobody is left to release the lock"),
        "Find the path on which a thread ends while it holds the lock (a cancelled thread, an early return, \
         an exception); release it by scope, or make the mutex robust.",
    )
}

/// For a deadlock.
pub(super) fn for_deadlock(case: &Case<'_>) -> Vec<String> {
    let cure = "Take these locks in one order everywhere, or with try-lock and back-off.";
    with_restart(restart(case, STUCK), cure)
}

/// Why a deadlocked process has to begin anew.
const STUCK: &str = "it will not free itself";

fn with_restart(restart: Option<String>, cure: &str) -> Vec<String> {
    restart.into_iter().chain([cure.into()]).collect()
}

/// For an order of locks that may become a deadlock.
pub(super) fn for_order(kind: OrderKind) -> Vec<String> {
    let cure = match kind {
        OrderKind::Circular => {
            "Take these locks in one order everywhere: the stacks in the log show both orders."
        }
        OrderKind::Itself => {
            "Do not take the lock again; where it is another one of its class, give it a subclass."
        }
        OrderKind::Interrupt => {
            "Take the lock with interrupts disabled wherever an interrupt takes it too, or keep it out of interrupts."
        }
    };
    vec![cure.into()]
}

/// For a self-deadlock.
pub(super) fn for_self_deadlock(case: &Case<'_>, is_handler: bool) -> Vec<String> {
    let cure = if is_handler {
        "Do not lock, log or allocate in a signal handler: set a flag or write to a pipe, and do the work outside."
    } else {
        "Split the function into one that locks and one that expects the lock to be held; a recursive mutex only hides it."
    };
    with_restart(restart(case, STUCK), cure)
}

/// For a chain of joins.
pub(super) fn for_wait_chain(root: &str) -> Vec<String> {
    vec![format!("Look at {root} first: all others of the chain wait for it.")]
}

/// For too many threads.
pub(super) fn for_thread_explosion() -> Vec<String> {
    vec!["Bound the pool that creates these threads, and find out why they do not end: most often they wait for what the first finding names.".into()]
}

/// For tasks of a kernel that wait for another one, and for no lock.
pub(super) fn for_stuck_event() -> Vec<String> {
    vec!["Find who should finish what they wait for: the stacks of all tasks (echo t > /proc/sysrq-trigger) show the worker or the driver that does not get on, and the kernel's log why.".into()]
}

/// For tasks of a kernel of which nothing says what they wait for.
pub(super) fn for_stuck_unknown() -> Vec<String> {
    vec!["Take their stacks while they are stuck (echo w > /proc/sysrq-trigger; dmesg), and read the kernel's log before the first report.".into()]
}

/// For I/O that does not come back.
pub(super) fn for_stuck_io() -> Vec<String> {
    vec!["Find out which device, file system or peer does not answer (wchan and fd of the threads, iostat, the kernel's log), and bring that back first.".into()]
}

/// For a processor that does not get away from a task.
pub(super) fn for_stall(case: &Case<'_>) -> Vec<String> {
    if case.snapshot.threads.is_empty() {
        return vec!["Take the log from before this line on: the kernel prints the stacks of the processors below it. If there are none, have it print them (echo l > /proc/sysrq-trigger; dmesg).".into()];
    }
    vec!["Look at what the function on top waits for (another processor, a lock, a device), and at the stacks of the other processors: one that has its interrupts off answers nobody.".into()]
}

/// For samples of a profile.
pub(super) fn for_profile() -> Vec<String> {
    vec!["Open the function named here and its callers: that is where the time of this profile went.".into()]
}

/// For threads that use the processor.
pub(super) fn for_hot_threads() -> Vec<String> {
    vec!["Take a second dump after some seconds, or a profile: the same function again is where the time goes.".into()]
}

/// What each kind of gap advises.
const BY_GAP: &[(GapKind, &str)] = &[
    (
        GapKind::Truncated,
        "Let the next dump be whole: ulimit -c unlimited, room on the disk, ProcessSizeMax and ExternalSizeMax of systemd-coredump.",
    ),
    (GapKind::NotDumped, "Dump more: echo 0x3f > /proc/PID/coredump_filter before the crash."),
    (
        GapKind::MissingModule,
        "Give the files of the machine that crashed: --sysroot DIR, --exe FILE, --debug-dir DIR, or put them beside the dump.",
    ),
    (
        GapKind::MismatchedModule,
        "The files on this machine are of another build: give those that ran with --sysroot or --exe.",
    ),
];

/// The same for texts.
const BY_GAP_IN_TEXT: &[(GapKind, &str)] = &[
    (
        GapKind::Truncated,
        "Give the text from its first line to its last: what a log, a terminal or a paste cut off is not in it.",
    ),
    (
        GapKind::Limit,
        "Let the producer print all threads with all their frames, where it can: `logjam formats` says how.",
    ),
    (
        GapKind::MissingModule,
        "Print the stacks again where the symbols of the program and its libraries are at hand.",
    ),
];

/// For an incomplete dump.
pub(super) fn for_incomplete_dump(kinds: &[GapKind], is_text: bool) -> Vec<String> {
    let table = if is_text { BY_GAP_IN_TEXT } else { BY_GAP };
    table.iter().filter(|(kind, _)| kinds.contains(kind)).map(|(_, text)| (*text).into()).collect()
}
