//! Exceptions by which a system of Apple ends a process and which are no signal: limits, guards, and the codes that iOS had
//! in their place.
//!
//! ```text
//! Exception Type:        EXC_RESOURCE                        of what, and how much
//! Exception Subtype:     CPU
//! Exception Message:     (Limit 50%) Observed 80% over 180 secs
//! Exception Note:        NON-FATAL CONDITION (this is NOT a crash)    or: SIMULATED (this is NOT a crash) requested by …
//!
//! Exception Type:        EXC_GUARD (SIGKILL)
//! Exception Codes:       GUARD_TYPE_FD, id=0x7fff00000008, fd=9, flavor=0x2 (CLOSE)
//!
//! Exception Type:        00000020                            up to iOS 8
//! Exception Codes:       0x000000008badf00d
//! ```
//!
//! Source: xnu osfmk/kern/exc_resource.h, exc_guard.h; Apple's "Understanding the exception types in a crash report",
//! Technical Note TN2151.

use crate::model::{Failure, FailureKind, Signal};

/// An exception as a report tells it.
#[derive(Debug, Default)]
pub struct Exception {
    /// `EXC_BAD_ACCESS`, `00000020`.
    pub name: String,
    /// What stands in brackets behind it: `SIGSEGV`, `Code Signature Invalid`.
    pub inside: Option<String>,
    /// `CPU`, `KERN_INVALID_ADDRESS at 0x10`.
    pub subtype: Option<String>,
    /// `(Limit 50%) Observed 80% over 180 secs`.
    pub message: Option<String>,
    /// `0x0000000000000001, 0x0000000000000010`.
    pub codes: Option<String>,
    /// The process did not end by it.
    pub is_harmless: bool,
}

/// Exceptions that the system raises and that end a process whatever signal they become.
static OF_SYSTEM: &[&str] = &["EXC_GUARD", "EXC_RESOURCE"];

/// Codes that are words, by what they say.
static WORDS: &[(u64, &str)] = &[
    (WATCHDOG, "watchdog"),
    (0xdead10cc, "a file lock or a database kept while suspended"),
    (0xdeadfa11, "forced to quit by the user"),
    (0xc00010ff, "the device is too hot"),
    (0xbad22222, "resumed too often"),
    (0xbaadca11, "a call was not reported"),
    (0xc51bad01, "a background task used too much CPU time"),
    (0xc51bad02, "a background task took too long"),
    (0xc51bad03, "no time for a background task"),
];

const WATCHDOG: u64 = 0x8bad_f00d;

/// How notes begin that say that the process did not end. What is simulated the system may have ended later.
static HARMLESS: &[&str] = &["NON-FATAL CONDITION", "SIMULATED"];

impl Exception {
    /// Takes up the text behind `Exception Note:`.
    pub fn note(&mut self, text: &str) {
        self.is_harmless |= HARMLESS.iter().any(|note| text.trim_start().starts_with(note));
    }

    /// What it says of an access: its words, else its codes.
    pub fn access(&self) -> String {
        let both = [&self.subtype, &self.codes].into_iter().filter_map(|text| text.as_deref());
        both.collect::<Vec<_>>().join(", ")
    }

    /// The signal that it becomes.
    pub fn signal(&self) -> Option<Signal> {
        let is_told = !self.is_harmless;
        is_told.then(|| super::signal(&self.name, self.inside.as_deref(), &self.access())).flatten()
    }

    /// Makes what was said beside it no end, where its note says that the process did not end.
    pub fn settle(&self, failure: Option<Failure>) -> Option<Failure> {
        let kind = |kind| if self.is_harmless { FailureKind::Noted } else { kind };
        failure.map(|failure| Failure { kind: kind(failure.kind), ..failure })
    }

    /// The end that it is, where no signal tells it.
    pub fn failure(&self) -> Option<Failure> {
        let is_of_system = OF_SYSTEM.contains(&&*self.name) || self.signal().is_none();
        if self.name.is_empty() || !is_of_system {
            return None;
        }
        let inside = self.inside.as_deref().filter(|inside| !inside.starts_with("SIG"));
        let said = [inside, self.subtype.as_deref(), self.message.as_deref()];
        let mut words: Vec<String> = said.into_iter().flatten().map(str::to_owned).collect();
        if words.is_empty() {
            words.extend(self.codes.as_deref().and_then(code));
        }
        // `00000020` is a number that nobody knows.
        if self.name.starts_with("EXC_") || words.is_empty() {
            words.insert(0, self.name.clone());
        }
        let is_ended = OF_SYSTEM.contains(&&*self.name) || !self.name.starts_with("EXC_");
        let kind = if is_ended { FailureKind::System } else { FailureKind::Crashed };
        Some(Failure { kind, message: words.join(": ").into(), thread: None })
    }
}

/// Whether an end is a watchdog's: what does not respond is the main thread.
pub fn is_of_watchdog(failure: &Failure) -> bool {
    matches!(failure.kind, FailureKind::System | FailureKind::Noted) && has_watchdog(&failure.message)
}

/// Whether a text has the code of a watchdog.
fn has_watchdog(text: &str) -> bool {
    let is_hex = |c: char| c.is_ascii_hexdigit();
    let mut words = text.split(|c: char| !c.is_alphanumeric()).filter_map(|word| word.get(2..));
    words.any(|digits| digits.chars().all(is_hex) && u64::from_str_radix(digits, 16) == Ok(WATCHDOG))
}

/// `0x000000008badf00d` as people know it, other codes as they are.
fn code(text: &str) -> Option<String> {
    let text = text.trim();
    let numbers = || text.split(", ").map(|word| u64::from_str_radix(word.strip_prefix("0x")?, 16).ok());
    if text.is_empty() || numbers().all(|number| number == Some(0)) {
        return None;
    }
    let word = numbers().flatten().find_map(|number| WORDS.iter().find(|(known, _)| *known == number));
    Some(word.map_or_else(|| text.to_owned(), |(number, says)| format!("{number:#x} ({says})")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(name: &str, codes: &str) -> Exception {
        Exception { name: name.into(), codes: Some(codes.into()), ..Exception::default() }
    }

    fn message(exception: &Exception) -> Option<String> {
        exception.failure().map(|failure| failure.message.to_string())
    }

    #[test]
    fn ends_that_are_no_signal() {
        assert_eq!(
            message(&of("EXC_GUARD", "GUARD_TYPE_FD, fd=9")).as_deref(),
            Some("EXC_GUARD: GUARD_TYPE_FD, fd=9")
        );
        assert_eq!(message(&of("00000020", "0x000000008badf00d")).as_deref(), Some("0x8badf00d (watchdog)"));
        assert_eq!(message(&of("00000020", "0x0000000012345678")).as_deref(), Some("0x0000000012345678"));
        assert_eq!(message(&of("EXC_NEW", "0x0, 0x0")).as_deref(), Some("EXC_NEW"));
        let mut limit = of("EXC_RESOURCE", "");
        limit.subtype = Some("CPU".into());
        limit.message = Some("(Limit 50%) Observed 80% over 180 secs".into());
        assert_eq!(
            message(&limit).as_deref(),
            Some("EXC_RESOURCE: CPU: (Limit 50%) Observed 80% over 180 secs")
        );
        limit.note("NON-FATAL CONDITION (this is NOT a crash)");
        let noted = limit.settle(limit.failure()).map(|failure| failure.kind);
        assert_eq!((noted, limit.signal()), (Some(FailureKind::Noted), None));
        assert_eq!(message(&of("EXC_BAD_ACCESS", "0x1, 0x8")), None);
        assert_eq!(of("EXC_NEW", "").failure().map(|failure| failure.kind), Some(FailureKind::Crashed));
        let guard =
            Exception { inside: Some("SIGKILL".into()), ..of("EXC_GUARD", "0x4000000100000000, 0x0") };
        assert_eq!(guard.signal().map(|signal| signal.name.to_string()).as_deref(), Some("SIGKILL"));
        assert!(guard.failure().is_some());
    }

    #[test]
    fn watchdogs() {
        assert!(has_watchdog("Namespace SPRINGBOARD, Code 0x8badf00d"));
        assert!(has_watchdog("domain:10 code:0x8BADF00D explanation:scene-update"));
        assert!(has_watchdog("0x8badf00d (watchdog)"));
        let of =
            |kind| is_of_watchdog(&Failure { kind, message: "0x8badf00d (watchdog)".into(), thread: None });
        assert!(of(FailureKind::System) && of(FailureKind::Noted) && !of(FailureKind::Abort));
        assert!(!has_watchdog("RUNNINGBOARD 0xdead10cc") && !has_watchdog("8badf00d"));
    }
}
