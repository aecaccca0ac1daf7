//! The exception that ended the process.

use super::breakpoint::{self, Breakpoint};
use super::bugcheck;
use crate::formats::text::words::{hex, number};

/// What is known of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Death {
    pub code: Option<u32>,
    /// As another tool names it: `SIGSEGV /SEGV_MAPERR`, `EXCEPTION_ACCESS_VIOLATION_READ`.
    pub named: Option<String>,
    pub address: Option<u64>,
    /// The id of its thread.
    pub tid: Option<u32>,
    /// The id of the thread whose stack `!analyze` prints.
    pub analyzed: Option<u32>,
    /// The kernel stopped the machine with this code.
    stop: Option<u32>,
    breakpoint: Breakpoint,
    /// The text is of a file, and not of a process in the debugger.
    pub is_dump: bool,
    /// A hexadecimal parameter: what kind of access it was.
    pub is_access: bool,
}

/// Codes that end a process, and their names in `winnt.h` and `ntstatus.h`. A breakpoint is none by itself: see
/// [`super::breakpoint`].
static CODES: &[(u32, &str)] = &[
    (ACCESS_VIOLATION, "EXCEPTION_ACCESS_VIOLATION"),
    (0xc000_0006, "EXCEPTION_IN_PAGE_ERROR"),
    (0xc000_001d, "EXCEPTION_ILLEGAL_INSTRUCTION"),
    (0xc000_0025, "EXCEPTION_NONCONTINUABLE_EXCEPTION"),
    (0xc000_008c, "EXCEPTION_ARRAY_BOUNDS_EXCEEDED"),
    (0xc000_008e, "EXCEPTION_FLT_DIVIDE_BY_ZERO"),
    (0xc000_0094, "EXCEPTION_INT_DIVIDE_BY_ZERO"),
    (0xc000_0095, "EXCEPTION_INT_OVERFLOW"),
    (0xc000_0096, "EXCEPTION_PRIV_INSTRUCTION"),
    (0xc000_00fd, "EXCEPTION_STACK_OVERFLOW"),
    (0xc000_0374, "STATUS_HEAP_CORRUPTION"),
    (0xc000_0409, "STATUS_STACK_BUFFER_OVERRUN"),
    (0xc000_0417, "STATUS_INVALID_CRUNTIME_PARAMETER"),
    (0xc000_0420, "STATUS_ASSERTION_FAILURE"),
    (0xe06d_7363, "C++ exception"),
    (0xe043_4352, "CLR exception"),
    (0xe043_4f4d, "CLR exception"),
];

const ACCESS_VIOLATION: u32 = 0xc000_0005;

/// Where the addresses of a kernel begin, on 32 bits.
const LOWEST_OBJECT: u32 = 0x8000_0000;

/// Whether a line says something of it.
pub(super) fn is_line(line: &str) -> bool {
    event(line).is_some()
        || bugcheck::code(line).is_some()
        || breakpoint::is_hit(line)
        || FIELDS.iter().any(|field| line.trim_start().starts_with(field))
}

static FIELDS: &[&str] = &[
    "ExceptionAddress: ",
    "ExceptionCode: ",
    "Attempt to read from address ",
    "Attempt to write to address ",
    "Attempt to execute non-executable address ",
    "READ_ADDRESS: ",
    "WRITE_ADDRESS: ",
    "EXCEPTION_CODE: ",
    "EXCEPTION_CODE_STR: ",
    "FAULTING_THREAD: ",
    "Crash reason: ",
    "Crash address: ",
];

/// `(304.cb0): Access violation - code c0000005 (first/second chance not available)`: thread and code.
fn event(line: &str) -> Option<(u32, u32)> {
    let (ids, rest) = line.trim_start().strip_prefix('(')?.split_once("): ")?;
    let (_, tid) = ids.split_once('.')?;
    let code = rest.split_once(" - code ")?.1.split(' ').next()?;
    Some((u32::try_from(hex(tid)?).ok()?, u32::try_from(hex(code)?).ok()?))
}

impl Death {
    /// Takes up a line.
    pub fn read(&mut self, line: &str) {
        let line = line.trim();
        if let Some((tid, code)) = event(line) {
            self.tid = Some(tid);
            self.breakpoint.is_set = false;
            if name(code).is_some() {
                self.code = Some(code);
            }
            return;
        }
        if let Some(code) = bugcheck::code(line) {
            self.stop.get_or_insert(code);
            return;
        }
        if self.breakpoint.read(line) {
            return;
        }
        let Some(field) = FIELDS.iter().find(|field| line.starts_with(**field)) else { return };
        let value = line.get(field.len()..).unwrap_or_default().trim();
        let word = value.split([' ', ')']).next().unwrap_or_default();
        match *field {
            // Of a kernel it is the address of the thread's object.
            "FAULTING_THREAD: " => {
                let tid = hex(word).and_then(|n| u32::try_from(n).ok()).filter(|tid| *tid < LOWEST_OBJECT);
                self.analyzed = tid;
                self.tid = tid.or(self.tid);
            }
            "ExceptionAddress: " => self.breakpoint.at = Some(value.to_owned()),
            "ExceptionCode: " | "EXCEPTION_CODE_STR: " => self.set_code(word),
            "EXCEPTION_CODE: " => {
                let code = value
                    .split_once("(NTSTATUS) ")
                    .map_or(word, |(_, rest)| rest.split(' ').next().unwrap_or(rest));
                self.set_code(code);
            }
            "Crash reason: " => {
                let is_none =
                    value.is_empty() || value == "No crash" || value.starts_with("EXCEPTION_BREAKPOINT");
                self.named = (!is_none).then(|| value.to_owned());
            }
            "Crash address: " => self.address = hex(word),
            _ => {
                self.is_access = true;
                self.address = hex(word).or(self.address);
            }
        }
    }

    /// The memory that the instruction wanted, unless the exception itself says which it was.
    pub fn wanted(&mut self, address: u64) {
        if self.code == Some(ACCESS_VIOLATION) && !self.is_access {
            self.is_access = true;
            self.address = Some(address);
        }
    }

    fn set_code(&mut self, word: &str) {
        let code = hex(word).and_then(|code| u32::try_from(code).ok());
        self.breakpoint.is_one |= code == Some(breakpoint::CODE);
        self.code = code.filter(|code| name(*code).is_some()).or(self.code);
    }

    /// Why the kernel stopped the machine.
    pub fn stop(&self) -> Option<String> {
        self.stop.and_then(bugcheck::told)
    }

    /// The kernel stopped the machine with this code, as the arguments of the function say that did.
    pub fn stopped(&mut self, code: u32) {
        self.stop.get_or_insert(code);
    }

    /// Its name and, where it is an access, the address.
    pub fn told(&self) -> Option<(String, Option<u64>)> {
        if let Some(named) = &self.named {
            // `SIGSEGV /SEGV_MAPERR`, `EXC_BAD_ACCESS / KERN_INVALID_ADDRESS`, `EXCEPTION_ACCESS_VIOLATION_READ`
            let name = named.split([' ', '/']).next().unwrap_or(named);
            let name = name.trim_end_matches("_READ").trim_end_matches("_WRITE").trim_end_matches("_EXEC");
            return Some((name.to_owned(), self.address));
        }
        if self.code.is_none() && self.is_dump && self.breakpoint.is_own() {
            return Some(("EXCEPTION_BREAKPOINT".to_owned(), None));
        }
        let name = name(self.code?)?;
        Some((name.to_owned(), self.address.filter(|_| self.is_access)))
    }
}

fn name(code: u32) -> Option<&'static str> {
    CODES.iter().find(|(known, _)| *known == code).map(|(_, name)| *name)
}

/// `0:000> kb`, `0:000:x86> k`, `2: kd> !thread`, `lkd> `: the thread that is current, where the prompt says so, and
/// the command.
pub(super) fn prompt(line: &str) -> Option<(Option<u64>, &str)> {
    let (before, command) = line.split_once('>')?;
    if before.len() > 16 {
        return None;
    }
    if before.ends_with("kd") {
        return Some((None, command.trim()));
    }
    let (_, rest) = number(before)?;
    let (index, rest) = number(rest.strip_prefix(':')?)?;
    (rest.is_empty() || rest.starts_with(':')).then_some((Some(index), command.trim()))
}
