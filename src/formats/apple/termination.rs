//! Why a system of Apple ended a process: a name space, a code, and lines of reasons.
//!
//! ```text
//! Termination Reason: FRONTBOARD 2343432205                                                     the code is 0x8badf00d
//! <RBSTerminateContext| domain:10 code:0x8BADF00D explanation:scene-create watchdog transgression: application<a.b>:7 exhausted CPU time allowance of 3.37 seconds
//! ProcessVisibility: Background
//! Termination Reason:    Namespace DYLD, Code 1 Library missing
//! Library not loaded: @rpath/Log.framework/Versions/A/Log
//! Reason: tried: '/usr/lib/swift/Log.framework/Versions/A/Log' (no such file, not in dyld cache)
//! Termination Description: SPRINGBOARD, process-launch watchdog transgression: a.b exhausted real (wall clock) time allowance of 20.00 seconds
//! ```
//!
//! Source: reports of iOS 9 to 18 and macOS 10.13 to 15; Apple's "Understanding the exception types in a crash report",
//! "Addressing watchdog terminations"; dyld 4 (`dyld/DyldMain.cpp`, `halt`).

use crate::model::{Failure, FailureKind, Str};

/// The words that say what happened; before them in their line stands the code, which the first line has as well.
const EXPLANATION: &str = "explanation:";

/// How lines begin that say what happened.
static TELLING: &[&str] =
    &["Library not loaded: ", "Symbol not found: ", "Symbol missing", "Reason: ", "Description: "];

/// Longer ones are lists of all places that were searched.
const LONGEST_REASON: usize = 240;

/// Name spaces of ends that are told as what they are: signals, exceptions of a language.
static OWN: &[&str] = &["SIGNAL", "OBJC"];

/// Codes from here on are words: 0x8badf00d, 0xdead10cc, 0xc00010ff.
const FIRST_WORD: u64 = 1 << 16;

/// What the lines say.
#[derive(Debug, Default)]
pub struct Termination {
    words: Vec<String>,
}

impl Termination {
    /// Takes up the text behind `Termination Reason:` or `Termination Description:`.
    pub fn begin(&mut self, text: &str) {
        if !text.is_empty() {
            self.words.push(with_code(text));
        }
    }

    /// The same of fields that stand by themselves.
    pub fn of(space: &str, code: Option<u64>, indicator: Option<&str>) -> Self {
        let code = code.filter(|code| *code >= FIRST_WORD).map(|code| format!("{code:#x}"));
        let words = std::iter::once(space.to_owned()).chain(indicator.map(str::to_owned)).chain(code);
        Self { words: words.collect() }
    }

    /// Takes up a line of reasons; whether it says something.
    pub fn line(&mut self, line: &str) -> bool {
        let line = line.trim();
        let told = explanation(line).or_else(|| {
            let is_telling =
                TELLING.iter().any(|start| line.starts_with(start)) && line.len() <= LONGEST_REASON;
            is_telling.then(|| line.to_owned())
        });
        let is_told = told.is_some();
        self.words.extend(told);
        is_told
    }

    /// How the process ended; `None`: of itself.
    pub fn failure(&self) -> Option<Failure> {
        let first = self.words.first()?;
        let is_own = OWN.iter().any(|space| {
            let rest = first.strip_prefix("Namespace ").unwrap_or(first).strip_prefix(space);
            rest.is_some_and(|rest| !rest.starts_with(|c: char| c.is_alphanumeric()))
        });
        let message: Str = self.words.join(": ").into();
        (!is_own).then_some(Failure { kind: FailureKind::System, message, thread: None })
    }
}

/// `FRONTBOARD 2343432205` with the code as people know it.
fn with_code(text: &str) -> String {
    let word = text.rsplit_once(' ').and_then(|(space, code)| Some((space, code.parse::<u64>().ok()?)));
    match word {
        Some((space, code)) if code >= FIRST_WORD => format!("{space} {code:#x}"),
        _ => text.to_owned(),
    }
}

/// What stands behind `explanation:`, without the fields behind it.
fn explanation(line: &str) -> Option<String> {
    let (_, said) = line.split_once(EXPLANATION)?;
    let end = [" ProcessVisibility:", " reportType:"].iter().filter_map(|field| said.find(field)).min();
    let said = said.get(..end.unwrap_or(said.len()))?.trim();
    (!said.is_empty()).then(|| said.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(first: &str, lines: &[&str]) -> Option<String> {
        let mut termination = Termination::default();
        termination.begin(first);
        for line in lines {
            termination.line(line);
        }
        termination.failure().map(|failure| failure.message.to_string())
    }

    #[test]
    fn reasons() {
        let watchdog = "<RBSTerminateContext| domain:10 code:0x8BADF00D explanation:scene-create watchdog transgression: application<com.acme.door>:28 exhausted CPU time allowance of 4.20 seconds";
        assert_eq!(
            message("FRONTBOARD 2343432205", &[watchdog, "ProcessVisibility: Foreground"]).as_deref(),
            Some(
                "FRONTBOARD 0x8badf00d: scene-create watchdog transgression: application<com.acme.door>:28 exhausted CPU time allowance of 4.20 seconds"
            )
        );
        assert_eq!(
            message(
                "Namespace DYLD, Code 1 Library missing",
                &[
                    "Library not loaded: @rpath/Door.framework/Door",
                    "Referenced from: <0> /Door",
                    "Reason: no such file"
                ]
            )
            .as_deref(),
            Some(
                "Namespace DYLD, Code 1 Library missing: Library not loaded: @rpath/Door.framework/Door: Reason: no such file"
            )
        );
        assert_eq!(message("Namespace SIGNAL, Code 0xb", &[]), None);
        assert_eq!(message("SIGNAL 6 Abort trap: 6", &[]), None);
        assert_eq!(message("OBJC 1", &[]), None);
        assert_eq!(message("RUNNINGBOARD 3735883980", &[]).as_deref(), Some("RUNNINGBOARD 0xdead10cc"));
    }
}
