//! Names taken apart into words, and whether the words say that a function logs.
//!
//! Words are compared whole: `log_message` and `LogMessage` log, `login`, `catalog` and `log2` do not.

/// The parts of a path: `spdlog::logger::log` → `spdlog`, `logger`, `log`.
pub fn components(name: &str) -> impl DoubleEndedIterator<Item = &str> {
    name.split([':', '.', '/', '$', '<', '>', '(', ')', '*', ' ', '{', '}', '#'])
        .filter(|part| !part.is_empty())
}

/// The words of an identifier, in lower case.
#[derive(Clone, Debug, Default)]
pub struct Words {
    text: String,
    /// Where in the text each ends.
    ends: Vec<usize>,
}

impl Words {
    /// `HTTPServer_readLine` → `http server read line`.
    pub fn of(identifier: &str) -> Self {
        let mut words = Self { text: String::with_capacity(identifier.len()), ends: Vec::new() };
        let mut before = None;
        let mut chars = identifier.chars();
        while let Some(c) = chars.next() {
            let next = || chars.clone().next().is_some_and(char::is_lowercase);
            let starts_word = c.is_uppercase()
                && before.is_some_and(|b: char| b.is_lowercase() || (b.is_uppercase() && next()));
            if starts_word || !c.is_alphanumeric() {
                words.end();
            }
            match c {
                _ if c.is_ascii_alphanumeric() => words.text.push(c.to_ascii_lowercase()),
                _ if c.is_alphanumeric() => words.text.extend(c.to_lowercase()),
                _ => {}
            }
            before = Some(c);
        }
        words.end();
        words
    }

    fn end(&mut self) {
        if self.text.len() > self.ends.last().copied().unwrap_or(0) {
            self.ends.push(self.text.len());
        }
    }

    /// Each word.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        let mut start = 0;
        self.ends.iter().filter_map(move |&end| {
            let word = self.text.get(start..end);
            start = end;
            word
        })
    }

    /// Whether one of them is in this list.
    pub fn have(&self, list: &[&str]) -> bool {
        self.iter().any(|word| list.contains(&word))
    }
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
    let words = Words::of(identifier);
    // All of them have this in them, and most words of a name have it not.
    let mut with_log = words.iter().filter(|word| word.contains("log"));
    if with_log.any(|word| LOGGING.contains(&word)) {
        return true;
    }
    // `log` alone is the logarithm, `Log` a function that logs.
    let is_alone = words.iter().count() == 1 && (has_scope || identifier == "log");
    words.have(&["log"]) && !is_alone && !words.have(&NOT_LOGGING)
}

#[cfg(test)]
mod tests {
    use super::Words;

    #[test]
    fn identifiers_have_words() {
        for (name, expected) in [
            ("HTTPServer_readLine", "http server read line"),
            ("log2", "log2"),
            ("__x__", "x"),
            ("", ""),
            ("aB", "a b"),
            ("ABc", "a bc"),
            ("ÉtatÀJour", "état à jour"),
        ] {
            assert_eq!(Words::of(name).iter().collect::<Vec<_>>().join(" "), expected);
        }
    }
}
