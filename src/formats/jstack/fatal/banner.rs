//! What stands at the begin of a report, behind `#`, in the file as well as on the terminal.
//!
//! ```text
//! # A fatal error has been detected by the Java Runtime Environment:
//! # An unexpected error has been detected by Java Runtime Environment:                                6
//! # An unexpected error has been detected by HotSpot Virtual Machine:                                 5
//! #
//! #  SIGSEGV (0xb) at pc=0x00007f4dec6d27f4, pid=3906, tid=3926
//! #  SIGSEGV (0xb) at pc=0x00007f2e4e5c2d4b (sent by kill), pid=3906, tid=3926                         14
//! #  SIGSEGV (0xb) at pc=0x00007f2e4e5c2d4b, pid=3906, tid=139836838262528                           up to 8
//! #  EXCEPTION_ACCESS_VIOLATION (0xc0000005) at pc=0x000000006d8c6a4e, pid=5712, tid=5064
//! #  Internal Error (debug.cpp:271), pid=3906, tid=3926
//! #  fatal error: OutOfMemory encountered: Java heap space
//! #
//! # Java VM: OpenJDK 64-Bit Server VM (17.0.15+6, mixed mode, g1 gc, linux-amd64)
//! # Problematic frame:
//! # V  [libjvm.so+0xed27f4]  Unsafe_PutInt+0x124
//!
//! # There is insufficient memory for the Java Runtime Environment to continue.
//! # Native memory allocation (mmap) failed to map 16384 bytes for committing reserved memory.
//! # Cannot create worker GC thread. Out of system resources.                                         or so
//! # Possible reasons:
//! #  Out of Memory Error (os_linux.cpp:2787), pid=3906, tid=3926
//! # An error report file with more information is saved as:
//! # /srv/till/hs_err_pid3906.log
//! # An error report file with more information is saved as hs_err_pid3906.log                         5
//! ```
//!
//! Where it is pasted as Markdown the marks are gone, and nothing else is.
//!
//! Source: OpenJDK 6-25 utilities/vmError.cpp `VMError::report`, `print_oom_reasons`; debug.cpp; reports of 5.

use super::frame;
use crate::formats::text::is_left_out;
use crate::formats::text::words::hex;
use crate::model::{Failure, FailureKind, Frame, Process, Signal};

/// What is in the first line of each but those of 5.
pub(in super::super) const RUNTIME: &str = "Java Runtime Environment";

/// What is in the line with the pid, by which a banner of 5 is found: its first line has nothing that is looked for in
/// other texts, and the search for all anchors has no room for more.
pub(in super::super) const TID: &str = ", tid=";

/// The first lines, without their marks.
static FIRST: &[&str] = &[
    "A fatal error has been detected by the Java Runtime Environment:",
    "An unexpected error has been detected by Java Runtime Environment:",
    FIRST_OF_5,
    NO_MEMORY,
];

/// The first line of 5.
pub(super) const FIRST_OF_5: &str = "An unexpected error has been detected by HotSpot Virtual Machine:";

/// The first line where the reason is told in words.
const NO_MEMORY: &str = "There is insufficient memory for the Java Runtime Environment to continue.";

/// What the JVM says of memory that it did not get.
const ALLOCATION: &str = "Native memory allocation (";

/// What comes below the words of why there is no memory.
static BELOW_WHY: &[&str] = &[
    "Possible reasons:",
    "An error report file with more information is saved as:",
    "Can not save log file",
];

/// What the file is called to which the rest of it was written, up to the pid.
const FILE: &str = "hs_err_pid";

/// How reasons begin that no signal is.
static ERRORS: &[&str] = &["Internal Error (", "Out of Memory Error ("];

/// Of which lines the next one that says something is a part.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum After {
    #[default]
    Other,
    /// That there is no memory: why.
    NoMemory,
    /// `Internal Error (…)`: what it is about.
    Error,
    /// `Problematic frame:`
    Frame,
}

/// What a banner says.
#[derive(Debug, Default)]
pub(super) struct Banner {
    pub process: Process,
    /// The id of the thread that failed: the kernel's, or what `pthread_self` gave.
    pub thread: Option<u64>,
    /// Its innermost frame.
    pub frame: Option<Frame>,
    is_without_memory: bool,
    after: After,
}

/// Whether a line, behind its mark, is the first one of a banner.
pub(super) fn is_first(text: &str) -> bool {
    FIRST.contains(&text.trim())
}

/// The text of a line of a banner.
pub(super) fn text(line: &str) -> Option<&str> {
    line.strip_prefix('#').map(str::trim)
}

/// Whether a line, behind its mark, says why: in the lines below the first one, which alone may be talk of an error.
pub(super) fn is_reason(text: &str) -> bool {
    pid(text).is_some()
        || text.starts_with(ALLOCATION)
        || BELOW_WHY.iter().any(|below| text.starts_with(below))
}

/// The pid in a line, behind its mark, that says why.
pub(super) fn pid(text: &str) -> Option<u32> {
    reason(text).map(|(_, pid, _)| pid)
}

/// `SIGSEGV (0xb) at pc=0x…, pid=…, tid=…`: what stands before the pid, the pid and the thread.
fn reason(text: &str) -> Option<(&str, u32, Option<u64>)> {
    let (what, rest) = text.rsplit_once(", pid=")?;
    let is_known = signal(what).is_some() || ERRORS.iter().any(|start| what.starts_with(start));
    let (pid, thread) = rest.split_once(TID).unwrap_or((rest, ""));
    let thread = thread.split([' ', ',']).next().unwrap_or_default();
    let id = thread.parse().ok().or_else(|| thread.strip_prefix("0x").and_then(|_| hex(thread)));
    is_known.then_some((what, pid.trim().parse().ok()?, id))
}

/// `SIGSEGV (0xb) at pc=0x00007f4dec6d27f4`
fn signal(what: &str) -> Option<Signal> {
    let (name, rest) = what.split_once(" (")?;
    let (number, rest) = rest.split_once(')')?;
    let is_name = (name.starts_with("SIG") || name.starts_with("EXCEPTION_"))
        && name.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_');
    let number = i32::try_from(hex(number)?).ok();
    (is_name && rest.starts_with(" at pc=")).then(|| Signal {
        name: name.into(),
        number,
        ..Signal::default()
    })
}

impl Banner {
    /// One that begins with this line.
    pub fn new(first: &str) -> Self {
        let is_without_memory = first.trim() == NO_MEMORY;
        let after = if is_without_memory { After::NoMemory } else { After::Other };
        Self { is_without_memory, after, ..Self::default() }
    }

    /// Whether it says why.
    pub fn is_told(&self) -> bool {
        self.process.signal.is_some() || self.process.failure.is_some()
    }

    /// Whether this tells of the same end of the same process as the other one, and no more of it: the terminal has a
    /// copy of what the file begins with. Of a lack of memory it may not have the pid.
    pub fn is_of(&self, other: &Self) -> bool {
        let (pid, other_pid) = (self.process.pid, other.process.pid);
        // The file has its code and its address too.
        let name = |banner: &Self| banner.process.signal.as_ref().map(|signal| signal.name.clone());
        other_pid.is_some()
            && (pid == other_pid || pid.is_none() && self.is_without_memory)
            && (self.thread.is_none() || self.thread == other.thread)
            && name(self) == name(other)
            && self.process.failure == other.process.failure
    }

    /// Reads a line behind its mark.
    pub fn line(&mut self, text: &str) {
        let after = std::mem::take(&mut self.after);
        if text.is_empty() {
            self.after = if after == After::Frame { After::Other } else { after };
            return;
        }
        if is_left_out(text) {
            if after == After::NoMemory {
                self.failure("");
            }
        } else if let Some((what, pid, thread)) = reason(text) {
            self.process.pid = Some(pid);
            self.thread = thread;
            match signal(what) {
                Some(signal) => self.process.signal = Some(signal),
                None if self.process.failure.is_none() => {
                    self.failure(what);
                    self.after = After::Error;
                }
                None => {}
            }
        } else if BELOW_WHY.iter().any(|below| text.starts_with(below)) {
            // There is no word of why.
        } else if after == After::NoMemory {
            self.failure(text.trim_end_matches('.'));
        } else if let Some(vm) = text.strip_prefix("Java VM: ") {
            self.process.runtime = Some(vm.into());
        } else if let Some((_, rest)) = text.rsplit_once(FILE) {
            let pid = rest.strip_suffix(".log").and_then(|pid| pid.parse().ok());
            self.process.pid = self.process.pid.or(pid);
        } else if text.starts_with("Problematic frame:") {
            self.after = After::Frame;
        } else if after == After::Frame {
            self.frame = frame::read(text).map(|(frame, _)| frame);
        } else if let (After::Error, Some(failure)) = (after, &mut self.process.failure)
            && !text.starts_with("JRE version:")
        {
            let text = ["fatal error: ", "Error: "]
                .iter()
                .find_map(|start| text.strip_prefix(start))
                .unwrap_or(text);
            let place =
                failure.message.split_once(" (").map(|(_, place)| format!(" ({place}")).unwrap_or_default();
            failure.message = format!("{text}{place}").into();
        }
    }

    fn failure(&mut self, message: &str) {
        let kind = if self.is_without_memory { FailureKind::OutOfMemory } else { FailureKind::FatalError };
        self.process.failure = Some(Failure { kind, message: message.into(), thread: None });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_of_all_ages() {
        for (text, what, pid, thread) in [
            ("SIGSEGV (0xb) at pc=0x00007f4d, pid=3906, tid=3926", "SIGSEGV", 3906, Some(3926)),
            ("SIGILL (0x4) at pc=0x00007f4d (sent by kill), pid=3906, tid=3926", "SIGILL", 3906, Some(3926)),
            ("SIGBUS (0x7) at pc=0x1, pid=3906, tid=0x00007f1203", "SIGBUS", 3906, Some(0x7f_1203)),
            (
                "EXCEPTION_ACCESS_VIOLATION (0xc0000005) at pc=0x6d8c6a4e, pid=5712, tid=5064",
                "EXCEPTION_ACCESS_VIOLATION",
                5712,
                Some(5064),
            ),
            ("Internal Error (debug.cpp:271), pid=3906, tid=3926", "", 3906, Some(3926)),
        ] {
            let (said, read_pid, read_thread) = reason(text).unwrap();
            let name = signal(said).map(|s| s.name.to_string()).unwrap_or_default();
            assert_eq!((name.as_str(), read_pid, read_thread), (what, pid, thread), "{text}");
        }
        for text in ["SIGSEGV is what I get, pid=1", "Error, pid=1, tid=2", "SIGSEGV (0xb) at pc=0x1"] {
            assert!(reason(text).is_none(), "{text}");
        }
    }
}
