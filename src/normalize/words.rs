//! Names taken apart into words, and what the words say: logging, waiting for work.
//!
//! Words are compared whole: `log_message` and `LogMessage` log, `login`, `catalog` and `log2` do not.

/// The parts of a path: `spdlog::logger::log` → `spdlog`, `logger`, `log`.
pub fn components(name: &str) -> impl DoubleEndedIterator<Item = &str> {
    name.split([':', '.', '/', '$', '<', '>', '(', ')', '*', ' ', '{', '}', '#'])
        .filter(|part| !part.is_empty())
}

/// The words of one identifier, in lower case: `HTTPServer_readLine` → `http server read line`.
pub fn words(identifier: &str) -> Vec<String> {
    let chars: Vec<char> = identifier.chars().collect();
    let mut found = Vec::new();
    let mut word = String::new();
    for (at, &c) in chars.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|b| chars.get(b));
        let starts_word = c.is_uppercase()
            && before.is_some_and(|b| {
                b.is_lowercase()
                    || (b.is_uppercase() && chars.get(at + 1).is_some_and(|next| next.is_lowercase()))
            });
        if (starts_word || !c.is_alphanumeric()) && !word.is_empty() {
            found.push(std::mem::take(&mut word));
        }
        if c.is_alphanumeric() {
            word.extend(c.to_lowercase());
        }
    }
    if !word.is_empty() {
        found.push(word);
    }
    found
}

/// Words that name logging wherever they stand. `log` itself needs more: see [`is_logging`].
const LOGGING: [&str; 28] = [
    "logger",
    "loggers",
    "logging",
    "logmsg",
    "syslog",
    "vsyslog",
    "spdlog",
    "glog",
    "log4j",
    "log4cxx",
    "log4cpp",
    "log4cplus",
    "log4net",
    "logback",
    "nlog",
    "serilog",
    "logrus",
    "logstash",
    "easylogging",
    "errlog",
    "weblog",
    "slog",
    "zaplog",
    "loglevel",
    "logsink",
    "logwriter",
    "logappender",
    "logfile",
];

/// Beside these, `log` is the trail of a database or a logarithm: `redo_log_write`, `log_sum_exp`.
const NOT_LOGGING: [&str; 46] = [
    "redo",
    "undo",
    "wal",
    "raft",
    "commit",
    "transaction",
    "txn",
    "xlog",
    "journal",
    "replication",
    "relay",
    "binary",
    "change",
    "oplog",
    "ahead",
    "checkpoint",
    "segment",
    "lsn",
    "sum",
    "exp",
    "prob",
    "likelihood",
    "softmax",
    "gamma",
    "normal",
    "density",
    "scale",
    "det",
    "base",
    "loss",
    "odds",
    "ratio",
    "in",
    "out",
    "off",
    "on",
    "add",
    "factorial",
    "beta",
    "sigmoid",
    "cosh",
    "natural",
    "binomial",
    "space",
    "mel",
    "2",
];

/// Classes and namespaces with exactly this name log.
const LOGGING_SCOPES: [&str; 6] = ["log", "logs", "logger", "logging", "logging_internal", "log_internal"];

/// Whether a function belongs to a logging library or is the program's own logging.
pub fn is_logging(name: &str) -> bool {
    // Almost no name gets further, and all that do have this in them.
    if !name.as_bytes().windows(3).any(|w| w.eq_ignore_ascii_case(b"log")) {
        return false;
    }
    let parts: Vec<&str> = components(name).collect();
    let Some((last, scopes)) = parts.split_last() else { return false };
    scopes.iter().any(|scope| LOGGING_SCOPES.contains(&scope.to_ascii_lowercase().as_str()))
        // The function and its class; what stands further out is a product or a person.
        || logs(last, !scopes.is_empty())
        || scopes.last().is_some_and(|class| logs(class, true))
}

fn logs(identifier: &str, has_scope: bool) -> bool {
    let words = words(identifier);
    if words.iter().any(|w| LOGGING.contains(&w.as_str())) {
        return true;
    }
    let says_log = words.iter().any(|w| w == "log");
    // `log` alone is the logarithm, `Log` a function that logs.
    let is_alone = words.len() == 1 && (has_scope || identifier == "log");
    says_log && !is_alone && !words.iter().any(|w| NOT_LOGGING.contains(&w.as_str()))
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
pub fn wait_place(name: &str) -> WaitPlace {
    let parts: Vec<&str> = components(name).filter(|part| !is_nobody(part)).collect();
    let two = &parts[parts.len().saturating_sub(2)..];
    let function: Vec<String> = two.last().map(|f| words(f)).unwrap_or_default();
    let class: Vec<String> = if two.len() == 2 { words(two[0]) } else { Vec::new() };
    let has = |list: &[&str]| function.iter().chain(&class).any(|w| list.contains(&without_number(w)));
    let function_has = |list: &[&str]| function.iter().any(|w| list.contains(&without_number(w)));
    if function_has(&NOT_IDLE) {
        return WaitPlace::Unknown;
    }
    let is_wrapper = function.iter().all(|w| WRAPPER.contains(&without_number(w)));
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
pub fn is_thread_main(name: &str) -> bool {
    let last = components(name).rfind(|part| !is_nobody(part)).unwrap_or("");
    let says = ["thread", "loop", "daemon", "handler", "service", "background", "proc", "monitor", "run"];
    let words = words(last);
    words.iter().any(|w| says.contains(&without_number(w)))
        && !words.iter().any(|w| NOT_IDLE.contains(&w.as_str()))
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
    let last = components(name).next_back().unwrap_or(name);
    words(last).iter().any(|word| LOCK_WORDS.contains(&word.as_str()))
        && !words(last).iter().any(|word| matches!(word.as_str(), "unlock" | "release" | "leave" | "exit"))
}

/// Words with which a function says no less than that it takes a lock. `monitor`, `enter` and `guard` are what programs
/// call functions that do other things too.
const SURE_LOCK_WORDS: [&str; 6] = ["lock", "locks", "mutex", "acquire", "rdlock", "wrlock"];

/// The same, where nothing but the name says so.
pub fn surely_takes_lock(name: &str) -> bool {
    let last = components(name).next_back().unwrap_or(name);
    takes_lock(name) && words(last).iter().any(|word| SURE_LOCK_WORDS.contains(&word.as_str()))
}

#[cfg(test)]
mod lock_name_tests {
    use super::{surely_takes_lock, takes_lock};

    #[test]
    fn some_words_are_not_enough() {
        assert!(surely_takes_lock("lockLog") && surely_takes_lock("Pool.acquire_lock"));
        for name in ["monitor_workers", "Session.__enter__", "guard", "unlock", "spin"] {
            assert!(!surely_takes_lock(name), "{name}");
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
