//! Names taken apart into words, and whether the words say that a function logs.
//!
//! Words are compared whole: `log_message` and `LogMessage` log, `login`, `catalog` and `log2` do not.

use std::sync::LazyLock;

use smallvec::SmallVec;

/// The parts of a path: `spdlog::logger::log` → `spdlog`, `logger`, `log`.
pub fn components(name: &str) -> impl DoubleEndedIterator<Item = &str> {
    let is_between =
        |c| matches!(c, ':' | '.' | '/' | '$' | '<' | '>' | '(' | ')' | '*' | ' ' | '{' | '}' | '#');
    name.split(is_between).filter(|part| !part.is_empty())
}

/// The words of an identifier, as they stand in it. All lists are in lower case, and compared without regard to it.
#[derive(Clone, Debug, Default)]
pub struct Words<'a>(SmallVec<[&'a str; MOST_KEPT]>);

/// Identifiers with more words than this are rare, and cost an allocation.
const MOST_KEPT: usize = 8;

impl<'a> Words<'a> {
    /// `HTTPServer_readLine` → `HTTP Server read Line`.
    pub fn of(identifier: &'a str) -> Self {
        let mut words = SmallVec::new();
        let mut start = 0;
        let mut end = |start: usize, end: usize| {
            words.extend(identifier.get(start..end).filter(|word| !word.is_empty()));
        };
        let mut before = ' ';
        let mut chars = identifier.char_indices();
        while let Some((at, c)) = chars.next() {
            let next = || chars.clone().next().is_some_and(|(_, next)| next.is_lowercase());
            let starts_word =
                c.is_uppercase() && (before.is_lowercase() || (before.is_uppercase() && next()));
            if starts_word {
                end(start, at);
                start = at;
            } else if !c.is_alphanumeric() {
                end(start, at);
                start = at + c.len_utf8();
            }
            before = c;
        }
        end(start, identifier.len());
        Self(words)
    }

    /// Each word.
    pub fn iter(&self) -> impl Iterator<Item = &'a str> {
        self.0.iter().copied()
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// Whether one of them is in this list.
    pub fn have(&self, list: &[&str]) -> bool {
        self.iter().any(|word| is_in(word, list))
    }
}

/// Whether a word is in a list, which is in lower case.
pub fn is_in(word: &str, list: &[&str]) -> bool {
    list.iter().any(|listed| listed.len() == word.len() && listed.eq_ignore_ascii_case(word))
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

/// Namespaces of libraries that log, beside those that [`LOGGING`] has.
const LIBRARIES: [&str; 3] = ["slf4j", "logmanager", "juli"];

/// How functions begin that look something up.
const GETTERS: [&str; 6] = ["get", "find", "lookup", "obtain", "is", "has"];

/// What classes are that have loggers and write nothing.
const KEEPERS: [&str; 9] =
    ["factory", "manager", "registry", "provider", "locator", "holder", "repository", "cache", "context"];

/// [`NOT_LOGGING`] by their lengths: nearly every word that is asked for is none of them.
static NOT_LOGGING_BY_LENGTH: LazyLock<Vec<Vec<&str>>> = LazyLock::new(|| {
    let longest = NOT_LOGGING.iter().map(|word| word.len()).max().unwrap_or(0);
    (0..=longest)
        .map(|length| NOT_LOGGING.into_iter().filter(|word| word.len() == length).collect())
        .collect()
});

/// Whether a function belongs to a logging library or is the program's own logging.
pub fn is_logging(name: &str) -> bool {
    // Almost no name gets further.
    if !says_log(name) {
        return false;
    }
    let parts: SmallVec<[&str; MOST_KEPT]> = components(name).collect();
    let Some((last, scopes)) = parts.split_last() else { return false };
    if scopes.iter().any(|scope| is_in(scope, &LOGGING_SCOPES)) {
        return true;
    }
    let Some((class, outer)) = scopes.split_last() else { return logs(last, false) };
    if is_getter(last) {
        let is_library = |scope: &&str| is_in(scope, &LOGGING) || is_in(scope, &LIBRARIES);
        return outer.iter().any(is_library) || logs(class, true) && !Words::of(class).have(&KEEPERS);
    }
    // The function and its class; what stands further out is a product or a person.
    logs(last, true) || logs(class, true)
}

/// Whether a method looks something up and writes nothing: whoever waits in `Drawer.getLogger` waits for the drawer.
fn is_getter(method: &str) -> bool {
    let words = Words::of(method);
    let first = words.iter().next();
    // `getAndLogErrors`
    first.is_some_and(|word| is_in(word, &GETTERS)) && !words.have(&["and"])
}

/// Whether there is a `log` in it, as in all that log.
fn says_log(text: &str) -> bool {
    let bytes = text.as_bytes();
    memchr::memchr2_iter(b'l', b'L', bytes)
        .any(|at| bytes.get(at + 1..at + 3).is_some_and(|rest| rest.eq_ignore_ascii_case(b"og")))
}

fn logs(identifier: &str, has_scope: bool) -> bool {
    if !says_log(identifier) {
        return false;
    }
    let words = Words::of(identifier);
    if words.iter().any(|word| says_log(word) && is_in(word, &LOGGING)) {
        return true;
    }
    // `log` alone is the logarithm, `Log` a function that logs.
    let is_alone = words.count() == 1 && (has_scope || identifier == "log");
    let is_other = |word: &str| NOT_LOGGING_BY_LENGTH.get(word.len()).is_some_and(|list| is_in(word, list));
    words.have(&["log"]) && !is_alone && !words.iter().any(is_other)
}

#[cfg(test)]
mod tests {
    use super::{Words, is_logging};

    #[test]
    fn a_getter_of_a_logger_writes_nothing() {
        for name in [
            "com.acme.till.Drawer.getLogger",
            "com.acme.till.Drawer.getLogManager",
            "com.acme.till.LogFactory.getLog",
            "com.acme.till.LogManager.getLogger",
            "com.acme.till.Drawer.isLogEnabled",
            "com.acme.till.Drawer.findLogger",
            "till::LoggerRegistry::get_logger",
        ] {
            assert!(!is_logging(name), "{name}");
        }
        for name in [
            // The lock of a library's registry is the library's.
            "java.util.logging.LogManager.getLogger",
            "java.util.logging.LogManager.getLogManager",
            "org.apache.log4j.Category.getRoot",
            "org.apache.log4j.LogManager.getLogger",
            "org.slf4j.LoggerFactory.getLogger",
            "org.apache.commons.logging.LogFactory.getLog",
            "ch.qos.logback.classic.LoggerContext.getLogger",
            "org.jboss.logmanager.LogContext.getLogger",
            "NLog.LogManager.GetLogger",
            // A class that writes has one lock for all it does.
            "com.acme.till.Logger.getInstance",
            "com.acme.till.AuditLogger.getLevel",
            // Something is written.
            "com.acme.till.LogManager.publish",
            "com.acme.till.Drawer.logGet",
            "com.acme.till.Drawer.getAndLogErrors",
            "com.acme.till.Drawer.issueLog",
            // Python's own has no class in its name.
            "getLogger",
        ] {
            assert!(is_logging(name), "{name}");
        }
    }

    #[test]
    fn identifiers_have_words() {
        for (name, expected) in [
            ("HTTPServer_readLine", "HTTP Server read Line"),
            ("log2", "log2"),
            ("__x__", "x"),
            ("", ""),
            ("aB", "a B"),
            ("ABc", "A Bc"),
            ("ÉtatÀJour", "État À Jour"),
            ("a_été.b", "a été b"),
            ("a_b_c_d_e_f_g_h_i_j", "a b c d e f g h i j"),
        ] {
            assert_eq!(Words::of(name).iter().collect::<Vec<_>>().join(" "), expected);
        }
    }

    #[test]
    fn case_does_not_matter() {
        for name in ["LOG_WRITE", "log_write", "LogMessage", "Logger::write", "LOGGING::x", "a_SysLog"] {
            assert!(is_logging(name), "{name}");
        }
        for name in ["REDO_LOG_WRITE", "RedoLogWrite", "login", "Catalog", "log", "Math::log", "Log2"] {
            assert!(!is_logging(name), "{name}");
        }
    }
}
