//! Fields that the journal has beside the message, where it is printed with all of them.
//!
//! ```text
//!     COREDUMP_PID=6023                                                  journalctl -o verbose, -o export
//!     COREDUMP_SIGNAL=11
//!         "COREDUMP_SIGNAL" : "11",                                      -o json-pretty
//! {"__CURSOR":"s=…","COREDUMP_SIGNAL":"11","COREDUMP_PID":"6023",…       -o json
//! ```
//!
//! They stand before and behind the message in no order: the pid says of which message they are.
//!
//! Source: systemd 215 to 257 src/coredump/coredump.c (`gather_pid_metadata`), systemd.journal-fields(7).

use crate::formats::text::words::number;

const SIGNAL: &str = "COREDUMP_SIGNAL";
const PID: &str = "COREDUMP_PID";

/// What was read of an entry.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Entry {
    pid: Option<u64>,
    signal: Option<i32>,
}

/// Whether a line has such a field.
pub(super) fn is_field(line: &str) -> bool {
    value(line, SIGNAL).or_else(|| value(line, PID)).is_some()
}

impl Entry {
    /// Takes up a line; the pid and the signal once both are known.
    pub fn line(&mut self, line: &str) -> Option<(u64, i32)> {
        let (pid, signal) = (value(line, PID), value(line, SIGNAL));
        // A field for the second time is one of the next entry.
        if pid.is_some() && self.pid.is_some() || signal.is_some() && self.signal.is_some() {
            *self = Self::default();
        }
        self.pid = pid.or(self.pid);
        self.signal = signal.and_then(|signal| i32::try_from(signal).ok()).or(self.signal);
        let whole = (self.pid?, self.signal?);
        *self = Self::default();
        Some(whole)
    }
}

/// The number of a field: `COREDUMP_SIGNAL=11`, `"COREDUMP_SIGNAL" : "11"`.
fn value(line: &str, field: &str) -> Option<u64> {
    line.match_indices(field).find_map(|(at, _)| {
        let rest = line.get(at + field.len()..)?;
        let rest = match rest.strip_prefix('=') {
            Some(rest) => rest,
            None => rest.strip_prefix('"')?.trim_start().strip_prefix(':')?.trim_start().strip_prefix('"')?,
        };
        number(rest).map(|(number, _)| number)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_of_entries() {
        let mut entry = Entry::default();
        assert_eq!(entry.line("    COREDUMP_SIGNAL=11"), None);
        assert_eq!(entry.line("    COREDUMP_SIGNAL_NAME=SIGSEGV"), None);
        assert_eq!(entry.line("    COREDUMP_PID=6023"), Some((6023, 11)));
        assert_eq!(entry.line("\"COREDUMP_PID\" : \"7\","), None);
        assert_eq!(entry.line("\"COREDUMP_PID\" : \"8\","), None);
        assert_eq!(entry.line("\"COREDUMP_SIGNAL\" : \"6\","), Some((8, 6)), "not of the entry before");
        assert_eq!(entry.line("{\"COREDUMP_SIGNAL\":\"6\",\"COREDUMP_PID\":\"9\"}"), Some((9, 6)));
        assert!(!is_field("COREDUMP_SIGNAL_NAME=SIGSEGV") && !is_field("the COREDUMP_PID of it"));
    }
}
