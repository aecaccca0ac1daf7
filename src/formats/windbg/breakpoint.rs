//! Whose breakpoint ended a process: its own, as that of a failed assertion, or one of the debugger, which makes it when it
//! attaches, and where its user wants it.
//!
//! ```text
//! ExceptionAddress: 01814577 (desk!js::GetBytecodeLength+0x00000047)     ExceptionAddress: 1c2fbbb0     code that was made at run time
//!    ExceptionCode: 80000003 (Break instruction exception)
//! ExceptionAddress: 00007ffb0e6c2b4e (ntdll!DbgBreakPoint+0x0)           somebody attached a debugger
//! ExceptionAddress: 0000000000000000                                     a dump without an exception
//! Breakpoint 0 hit                                                       its user set one
//! 01814577 8b4d08          mov     ecx,dword ptr [ebp+8]                 the same: the program has another operation there
//! 01814577 cc              int     3                                     the program's own
//! ```
//!
//! Source: the debugger's documentation (bp, bu, ba, g, .lastevent); Intel SDM volume 2 (INT 3), Arm ARM (BRK).

use rustc_hash::FxHashMap;

use super::frame::{SYSTEM, without_base};
use crate::formats::text::words::hex;

/// The code of the exception.
pub(super) const CODE: u32 = 0x8000_0003;

/// What is known of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Breakpoint {
    /// The exception is one.
    pub is_one: bool,
    /// Its place, as the debugger writes it.
    pub at: Option<String>,
    /// The process last stopped at one that the debugger's user set.
    pub is_set: bool,
    /// Addresses of operations that the text shows, and whether each breaks.
    operations: FxHashMap<u64, bool>,
}

impl Breakpoint {
    /// Takes up a line; false if it says nothing of breakpoints.
    pub fn read(&mut self, line: &str) -> bool {
        if is_hit(line) {
            self.is_set = true;
            return true;
        }
        let operation = operation(line);
        self.operations.extend(operation);
        operation.is_some()
    }

    /// Whether it is the program's own.
    pub fn is_own(&self) -> bool {
        let Some(at) = self.at.as_deref().filter(|at| self.is_one && is_of_program(at)) else { return false };
        let address = hex(at.split(' ').next().unwrap_or(at));
        let breaks = address.and_then(|address| self.operations.get(&address));
        !self.is_set && breaks != Some(&false)
    }
}

/// `Breakpoint 0 hit`
pub(super) fn is_hit(line: &str) -> bool {
    let number = line.trim().strip_prefix("Breakpoint ").and_then(|rest| rest.strip_suffix(" hit"));
    number.is_some_and(|number| !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()))
}

/// Operations that raise the exception.
static BREAKING: &[&str] = &["int", "brk", "bkpt", "__debugbreak"];

/// `01814577 cc              int     3`: the address of an operation, and whether it breaks.
pub(super) fn operation(line: &str) -> Option<(u64, bool)> {
    let mut words = line.split_ascii_whitespace();
    let (address, code, name) = (words.next()?, words.next()?, words.next()?);
    // Memory has numbers instead.
    let is_name = name.len() > 1 && name.starts_with(|c: char| c.is_ascii_lowercase() || c == '_');
    let is_number = hex(name).is_some() && (name.len() == 2 || name.bytes().any(|b| b.is_ascii_digit()));
    let is_operation = address.len() >= 8 && hex(code).is_some() && is_name && !is_number;
    is_operation.then_some((hex(address)?, BREAKING.contains(&name)))
}

/// How breakpoints of a debugger are named.
static DEBUGGERS: &[&str] = &["DbgBreak", "DebugBreak", "Breakin", "BreakWithStatus"];

/// Modules in which a thread waits whose process somebody had written to a file.
static WAITING: &[&str] = &["win32u", "user32"];

/// Whether such a place is in the program: `01814577 (desk!f+0x00000047)`.
fn is_of_program(place: &str) -> bool {
    let (address, symbol) = place.split_once(" (").unwrap_or((place, ""));
    let module = symbol.split(['!', '+', ')']).next().unwrap_or_default().to_ascii_lowercase();
    let is_systems = [SYSTEM, WAITING].iter().any(|list| list.contains(&without_base(&module)))
        || DEBUGGERS.iter().any(|name| symbol.contains(name));
    // At the begin of a function somebody set it in the debugger.
    let is_within = symbol.rsplit_once("+0x").and_then(|(_, offset)| hex(offset.trim_end_matches(')')));
    let is_set = symbol.contains('!') && is_within.unwrap_or(0) == 0;
    hex(address.trim()).is_some_and(|address| address != 0) && !is_systems && !is_set
}
