//! Fields of a report's header.
//!
//! ```text
//! Process:               Invoice Desk [7410]                    Mac OS X 10.5 and later
//! Exception Type:  EXC_BAD_ACCESS (SIGSEGV)
//! Exception Codes: KERN_INVALID_ADDRESS at 0x0000000000000010
//! Crashed Thread:  5
//!
//! Command: iMovie HD                                            Mac OS X 10.3 and 10.4
//! PID:    421
//! Thread: 0
//! Exception:  EXC_BAD_ACCESS (0x0001)
//! Codes:      KERN_PROTECTION_FAILURE (0x0002) at 0x00000012
//! ```
//!
//! Source: reports of the versions 4 (Mac OS X 10.4; Apple's Technical Note TN2123, "CrashReporter") and 6 to 12.

use super::Memory;
use crate::formats::apple;

/// Reads a field behind its name.
pub(super) type Fact = fn(&mut Memory, &str);

/// Fields of the header.
static FIELDS: &[(&str, Fact)] = &[
    ("Incident Identifier:", |_, _| {}),
    ("CrashReporter Key:", |_, _| {}),
    ("Hardware Model:", |_, _| {}),
    ("Process:", |m, text| (m.process.name, m.process.pid) = apple::process(text)),
    ("Path:", |m, text| m.process.command_line = Some(text.into())),
    ("Identifier:", |_, _| {}),
    ("Version:", |_, _| {}),
    ("Code Type:", |m, text| m.process.arch = apple::arch(text)),
    ("Role:", |_, _| {}),
    ("Parent Process:", |_, _| {}),
    ("Responsible:", |_, _| {}),
    ("User ID:", |_, _| {}),
    ("Coalition:", |_, _| {}),
    ("Date/Time:", |m, text| m.process.captured_at = Some(text.into())),
    ("Launch Time:", |_, _| {}),
    ("OS Version:", |m, text| m.process.os = apple::system(text).map(Into::into)),
    ("Release Type:", |_, _| {}),
    ("Baseband Version:", |_, _| {}),
    ("Report Version:", |_, _| {}),
    ("Anonymous UUID:", |_, _| {}),
    ("Sleep/Wake UUID:", |_, _| {}),
    ("Time Awake Since Boot:", |_, _| {}),
    ("System Integrity Protection:", |_, _| {}),
    ("Crashed Thread:", |m, text| m.crashed = number(text)),
    ("Triggered by Thread:", |m, text| m.crashed = number(text)),
    ("Exception Type:", |m, text| (m.exception.name, m.exception.inside) = exception(text)),
    ("Exception Subtype:", |m, text| m.exception.subtype = filled(text)),
    ("Exception Codes:", |m, text| m.exception.codes = filled(text)),
    ("Exception Message:", |m, text| m.exception.message = filled(text)),
    ("Exception Note:", |m, text| m.exception.note(text)),
    ("Termination Signal:", |_, _| {}),
    (TERMINATION[0], termination),
    (TERMINATION[1], termination),
    ("Terminating Process:", |_, _| {}),
    ("Highlighted Thread:", |m, text| m.crashed = m.crashed.or_else(|| number(text))),
];

/// Whether a value begins as that of a field does.
type Begins = fn(&str) -> bool;

/// Fields of Mac OS X 10.3 and 10.4: their names, how what stands behind begins, as these are words that a message of a process
/// may begin with, and what they say.
static OLD: &[(&str, Begins, Fact)] = &[
    ("Host Name:", |_| true, |_, _| {}),
    (
        "Command:",
        |_| true,
        |m, text| {
            m.process.name.get_or_insert_with(|| text.into());
        },
    ),
    ("Parent:", |_| true, |_, _| {}),
    ("Build Version:", |_| true, |_, _| {}),
    ("Project Name:", |_| true, |_, _| {}),
    ("Source Version:", |_| true, |_, _| {}),
    ("PID:", is_number, |m, text| m.process.pid = m.process.pid.or_else(|| text.parse().ok())),
    ("Thread:", is_number, |m, text| m.crashed = m.crashed.or_else(|| number(text))),
    (
        "Exception:",
        |text| text.starts_with("EXC_"),
        |m, text| {
            if m.exception.name.is_empty() {
                (m.exception.name, m.exception.inside) = exception(text);
            }
        },
    ),
    (
        "Codes:",
        |text| text.starts_with(['K', '0']),
        |m, text| {
            m.exception.codes.get_or_insert_with(|| text.to_owned());
        },
    ),
];

fn filled(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

/// Fields with which a report begins, or a part of it before its threads.
pub(super) static FIRST: &[&str] = &["Incident Identifier:", "Process:", "Host Name:"];

/// The name of the field in a line, what stands behind it, and what that says.
pub(super) fn field(line: &str) -> Option<(&'static str, &str, Fact)> {
    let behind = |name: &str| line.strip_prefix(name).map(str::trim);
    let by_name = FIELDS.iter().find_map(|(name, fact)| Some((*name, behind(name)?, *fact)));
    by_name.or_else(|| {
        OLD.iter()
            .find_map(|(name, fits, fact)| Some((*name, behind(name).filter(|text| fits(text))?, *fact)))
    })
}

/// Fields behind which lines of reasons follow.
pub(super) static TERMINATION: [&str; 2] = ["Termination Reason:", "Termination Description:"];

/// `5  Dispatch queue: com.apple.main-thread`.
pub(super) fn number(text: &str) -> Option<u64> {
    text.split(' ').next()?.parse().ok()
}

/// `EXC_BAD_ACCESS (SIGSEGV)`, `EXC_CRASH (Code Signature Invalid)`.
fn exception(text: &str) -> (String, Option<String>) {
    let (name, rest) = text.split_once(" (").unwrap_or((text, ""));
    let inside = rest.split(')').next().unwrap_or_default().trim();
    (name.trim().to_owned(), (!inside.is_empty()).then(|| inside.to_owned()))
}

/// `Namespace SPRINGBOARD, Code 0x8badf00d`: the system ended it. A signal is told as such.
fn termination(memory: &mut Memory, text: &str) {
    memory.termination.begin(text);
    memory.is_reason = true;
}
