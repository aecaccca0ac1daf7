//! What the words of a function's name say of a thread in it: that it waits for work, that it takes a lock.

use super::words::{Words, components, is_in};

/// What a name says; looked up once for each frame, however many stacks have it.
#[derive(Clone, Copy, Debug)]
pub struct Saying {
    /// What a thread that waits in it waits for.
    pub(super) place: WaitPlace,
    /// It is a thread's own outermost function, a server's.
    pub(super) is_thread_main: bool,
    /// It says no more than that it locks, or reads or writes.
    pub(super) is_lock_wrapper: bool,
    /// It takes a lock for its caller.
    pub takes_lock: bool,
}

impl Saying {
    /// It takes a lock for its caller, and does not say which: `Mutex::Lock`, `AutoLock::AutoLock`.
    pub fn takes_any_lock(&self) -> bool {
        self.takes_lock && self.is_lock_wrapper
    }

    /// Who waits in it waits for work.
    pub fn waits_for_work(&self) -> bool {
        self.place == WaitPlace::ForWork
    }

    /// What this name says.
    pub fn of(name: &str) -> Self {
        Self {
            place: wait_place(name),
            is_thread_main: is_thread_main(name),
            is_lock_wrapper: is_lock_wrapper(name),
            takes_lock: takes_lock(name),
        }
    }
}

/// What a function's name says about a thread that waits in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WaitPlace {
    /// It waits for work: a worker's loop, a consumer's queue.
    ForWork,
    /// It only wraps a wait: ask its caller.
    Wrapper,
    /// It waits for something else, or nothing is known.
    Unknown,
}

/// Workers and their loops.
const WORKER: [&str; 34] = [
    "worker",
    "workers",
    "workerthread",
    "threadpool",
    "idle",
    "executor",
    "scheduler",
    "consumer",
    "dispatcher",
    "dispatch",
    "runloop",
    "mainloop",
    "eventloop",
    "taskrunner",
    "taskqueue",
    "workqueue",
    "jobqueue",
    "reactor",
    "poller",
    "housekeeper",
    "housekeeping",
    "reaper",
    "flusher",
    "cleaner",
    "timer",
    "timers",
    "heartbeat",
    "watchdog",
    "daemon",
    "background",
    "purge",
    "listener",
    "acceptor",
    "looper",
];

/// What a worker waits for.
const WORK: [&str; 18] = [
    "work", "job", "jobs", "task", "tasks", "request", "requests", "event", "events", "message", "messages",
    "msg", "item", "items", "command", "commands", "query", "packet",
];

/// Taking something out of a queue.
const TAKE: [&str; 11] =
    ["pop", "get", "take", "dequeue", "next", "fetch", "recv", "receive", "consume", "wait", "shift"];

/// Whoever does this hands work out and waits until it is done, or waits for something scarce.
const NOT_IDLE: [&str; 37] = [
    "submit",
    "join",
    "all",
    "done",
    "finish",
    "finished",
    "complete",
    "completion",
    "completed",
    "shutdown",
    "stop",
    "stopped",
    "destroy",
    "drain",
    "drained",
    "flush",
    "acquire",
    "borrow",
    "checkout",
    "connection",
    "conn",
    "enqueue",
    "push",
    "put",
    "offer",
    "send",
    "invoke",
    "result",
    "results",
    "response",
    "reply",
    "lock",
    "mutex",
    "barrier",
    "latch",
    "sync",
    "ack",
];

/// A name of such words only says that it waits, not for what.
const WRAPPER: [&str; 47] = [
    "wait",
    "waits",
    "waiting",
    "for",
    "cond",
    "condition",
    "conditional",
    "var",
    "variable",
    "cv",
    "timed",
    "timedwait",
    "until",
    "sem",
    "semaphore",
    "impl",
    "internal",
    "low",
    "do",
    "sleep",
    "block",
    "blocking",
    "park",
    "parker",
    "suspend",
    "event",
    "os",
    "thread",
    "threads",
    "signal",
    "notify",
    "with",
    "timeout",
    "ms",
    "and",
    "monitor",
    "await",
    "function",
    "operator",
    "lambda",
    "closure",
    "unlock",
    "time",
    "self",
    "inner",
    "poll",
    "waiter",
];

/// Judges by the function's name and that of its class.
fn wait_place(name: &str) -> WaitPlace {
    let parts: Vec<&str> = components(name).filter(|part| !is_nobody(part)).collect();
    let two = &parts[parts.len().saturating_sub(2)..];
    let function = two.last().map(|f| Words::of(f)).unwrap_or_default();
    let class = if two.len() == 2 { Words::of(two[0]) } else { Words::default() };
    let has = |list: &[&str]| function.iter().chain(class.iter()).any(|w| is_in(without_number(w), list));
    let function_has = |list: &[&str]| function.iter().any(|w| is_in(without_number(w), list));
    if function_has(&NOT_IDLE) {
        return WaitPlace::Unknown;
    }
    let is_wrapper = function.iter().all(|w| is_in(without_number(w), &WRAPPER));
    let takes_work = function_has(&TAKE) && function_has(&WORK) && !is_wrapper;
    let takes_from_queue = has(&["queue", "fifo", "mailbox", "channel"]) && function_has(&TAKE);
    let has_pair = |a: &str, b: &[&str]| has(&[a]) && has(b);
    let is_pool =
        has_pair("pool", &["thread", "threads", "run", "loop", "main", "proc", "task", "tasks", "wait"]);
    let is_loop = has_pair("loop", &["run", "main", "event", "thread", "work", "message", "task", "wait"])
        || has_pair("service", &["thread", "loop"]);
    if takes_work || takes_from_queue || is_pool || is_loop || has(&WORKER) {
        return WaitPlace::ForWork;
    }
    if is_wrapper { WaitPlace::Wrapper } else { WaitPlace::Unknown }
}

/// Parts of a name that belong to the function around them.
fn is_nobody(part: &str) -> bool {
    matches!(
        part,
        "lambda" | "closure" | "closure}" | "operator" | "anonymous" | "namespace" | "_FUN" | "__invoke"
    ) || part.starts_with('\'')
        || part.bytes().all(|b| b.is_ascii_digit())
}

/// A function that is a thread's own outermost one and waits itself: these words make it a server.
fn is_thread_main(name: &str) -> bool {
    let last = components(name).rfind(|part| !is_nobody(part)).unwrap_or("");
    let says = ["thread", "loop", "daemon", "handler", "service", "background", "proc", "monitor", "run"];
    let words = Words::of(last);
    words.iter().any(|w| is_in(without_number(w), &says)) && !words.have(&NOT_IDLE)
}

fn without_number(word: &str) -> &str {
    word.trim_end_matches(|c: char| c.is_ascii_digit())
}

/// Words of functions that take a lock for their caller: `log_spin_acquire`, `qemu_mutex_lock_impl`,
/// `Guard::enter`.
const LOCK_WORDS: [&str; 12] = [
    "lock", "locks", "acquire", "acquires", "spin", "spinlock", "mutex", "rdlock", "wrlock", "guard",
    "enter", "monitor",
];

/// Whether a function of a program takes a lock for its caller, as its name says.
pub fn takes_lock(name: &str) -> bool {
    let words = Words::of(components(name).next_back().unwrap_or(name));
    words.have(&LOCK_WORDS) && !words.have(&["unlock", "release", "leave", "exit"])
}

/// Words with which a function says no less than that it takes a lock. `monitor`, `enter` and `guard` are what programs
/// call functions that do other things too.
const SURE_LOCK_WORDS: [&str; 6] = ["lock", "locks", "mutex", "acquire", "rdlock", "wrlock"];

/// The same, where nothing but the name says so.
pub fn surely_takes_lock(name: &str) -> bool {
    takes_lock(name) && Words::of(components(name).next_back().unwrap_or(name)).have(&SURE_LOCK_WORDS)
}

/// Whether a function takes a lock and runs what its caller gave it meanwhile: Ruby's `Mutex#synchronize`.
pub fn runs_callers_code(name: &str) -> bool {
    name.contains("synchronize")
}

/// A function of the program whose name says no more than that it locks.
fn is_lock_wrapper(name: &str) -> bool {
    const WORDS: [&str; 35] = [
        "lock",
        "locker",
        "guard",
        "mutex",
        "scoped",
        "auto",
        "acquire",
        "enter",
        "impl",
        "internal",
        "unique",
        "spin",
        "rw",
        "read",
        "write",
        "monitor",
        "critical",
        "section",
        "holder",
        "mtx",
        "os",
        "func",
        "take",
        "do",
        "slow",
        "path",
        "timed",
        "try",
        "raw",
        "shared",
        "exclusive",
        "recursive",
        "object",
        "fast",
        "base",
    ];
    Words::of(components(name).next_back().unwrap_or("")).iter().all(|word| is_in(word, &WORDS))
}

#[cfg(test)]
mod tests {
    use super::{Saying, surely_takes_lock, takes_lock};

    #[test]
    fn some_words_are_not_enough() {
        assert!(surely_takes_lock("lockLog") && surely_takes_lock("Pool.acquire_lock"));
        for name in ["monitor_workers", "Session.__enter__", "guard", "unlock", "spin"] {
            assert!(!surely_takes_lock(name), "{name}");
        }
    }

    #[test]
    fn a_wrapper_of_any_lock_says_nothing_else() {
        for name in ["Mutex::Lock", "AutoLock::AutoLock", "LockMutex", "os_mutex_enter_func", "Spin::acquire"]
        {
            assert!(Saying::of(name).takes_any_lock(), "{name}");
        }
        for name in ["log_spin_acquire", "lockLog", "Store::write", "cache_lock", "Door::enter_room"] {
            assert!(!Saying::of(name).takes_any_lock(), "{name}");
        }
    }

    #[test]
    fn wrappers_of_locks_are_told_by_their_names() {
        for name in
            ["log_spin_acquire", "qemu_mutex_lock_impl", "MyMutex::lock", "SpinLock::Enter", "TakeLock"]
        {
            assert!(takes_lock(name), "{name}");
        }
        for name in ["log_message", "block_write", "clock_tick", "mutex_unlock", "Guard::release", "spinner"]
        {
            assert!(!takes_lock(name), "{name}");
        }
    }
}
