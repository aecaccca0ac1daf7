//! The columns of a stack's table: numbers, then the function.
//!
//! ```text
//! 0569fca4 77f79c78 77f71000 002a6b88 7fffffff ntdll!_DbgBreakPoint                        kb, 32 bits
//! 00 000000d7`29dff8a8 00007ffb`0e6c2b4e     ntdll!NtWaitForSingleObject+0x14              kn, 64 bits
//! 01 (Inline Function) --------`--------     app!lock+0x3 [d:\x.cpp @ 12]
//! 00000023`0316c200 00007ff7`29c69dcd : 00000000`00000000 00000000`00000000 : app!f+0xd     kv, STACK_TEXT
//! 00 ntdll!NtWaitForSingleObject                                                           kc
//!  0  lib.so!f [f.cpp : 12 + 0x5]                                                          minidump-stackwalk
//! 000000554eb3ee90 00007ff97c3e3b7f app!f + 0x9f [d:\x.cpp:12], calling ntdll!g              !EEStack of SOS
//! ```

use crate::formats::text::HEX;
use crate::model::Trust;

/// What stands in a line before its function.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Columns {
    /// Where the function begins.
    pub symbol: usize,
    /// How many numbers stand in each group; groups are parted by colons.
    pub groups: Vec<usize>,
    pub is_inline: bool,
    /// Any number on the stack that looks like an address of return: a caller, and what it called there.
    pub is_scanned: bool,
}

impl Columns {
    /// Which numbers are the arguments that 32-bit code was called with. The values that 64-bit tables print are
    /// whatever lies where a callee may keep its arguments.
    pub fn arguments(&self) -> Option<std::ops::Range<usize>> {
        match self.groups.as_slice() {
            &[count] if count >= 5 => Some(count - 3..count),
            _ => None,
        }
    }

    /// The same of 64-bit tables, and what may be an argument.
    pub fn doubtful_arguments(&self) -> std::ops::Range<usize> {
        match self.groups.as_slice() {
            &[first, second] => first..first + second,
            _ => 0..0,
        }
    }
}

/// Reads the columns of a line; `None` if it is no frame of a table.
pub(super) fn read(line: &str) -> Option<Columns> {
    let mut columns = Columns { groups: vec![0], ..Columns::default() };
    let mut at = line.len() - line.trim_start().len();
    let mut is_number_due = true;
    loop {
        let rest = line.get(at..)?;
        let length = rest.find(' ').unwrap_or(rest.len());
        let word = rest.get(..length)?;
        let kind = kind(word, is_number_due);
        is_number_due = false;
        match kind {
            Kind::Column | Kind::Number => {
                if let Some(count) = columns.groups.last_mut() {
                    *count += 1;
                }
            }
            Kind::Colon => columns.groups.push(0),
            Kind::Inline => columns.is_inline = true,
            Kind::Symbol => break,
        }
        at += length;
        at += line.get(at..)?.len() - line.get(at..)?.trim_start().len();
    }
    // The last colon parts the function off.
    if columns.groups.len() > 1 && columns.groups.last() == Some(&0) {
        columns.groups.pop();
    }
    columns.symbol = at;
    columns.is_scanned = line.get(at..)?.contains(CALLING);
    let count: usize = columns.groups.iter().sum();
    let symbol = line.get(at..)?;
    let is_table = count >= 2 || columns.is_inline || columns.groups.len() > 1;
    let is_only_name =
        count == 1 && symbol.contains('!') && line.starts_with(|c: char| c.is_ascii_hexdigit());
    ((is_table || is_only_name) && is_symbol(symbol)).then_some(columns)
}

#[derive(PartialEq, Eq)]
enum Kind {
    Column,
    Number,
    Colon,
    Inline,
    Symbol,
}

fn kind(word: &str, is_number_due: bool) -> Kind {
    let is_hex = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_hexdigit());
    let halves = word
        .split_once('`')
        .is_some_and(|(high, low)| high.len() == 8 && low.len() == 8 && is_hex(high) && is_hex(low));
    match word {
        ":" => Kind::Colon,
        "(Inline" | "Function)" | "(Inline)" | "--------" | "--------`--------" => Kind::Inline,
        HEX => Kind::Column,
        _ if halves || matches!(word.len(), 8 | 16) && is_hex(word) => Kind::Column,
        _ if is_number_due && matches!(word.len(), 2 | 3) && is_hex(word) => Kind::Number,
        _ => Kind::Symbol,
    }
}

/// `app!lock+0x3`, `app+0x12`, `0x2d6`90ee777e`, and not the operation of a disassembled line.
fn is_symbol(text: &str) -> bool {
    let end = text.find([' ', '(', '<']).unwrap_or(text.len());
    let word = text.get(..end).unwrap_or_default();
    text.starts_with(METHOD)
        || word.contains('!')
        || word.contains("+0x")
        || word.starts_with("0x") && !word.contains(',')
}

/// What parts a caller from what it called, in the tables of `!EEStack` and `!DumpStack`.
const CALLING: &str = ", calling ";
/// How they begin a managed function.
pub(super) const METHOD: &str = "(MethodDesc ";

/// The text of a frame without what it called.
pub(super) fn caller(text: &str) -> &str {
    text.split_once(CALLING).map_or(text, |(caller, _)| caller)
}

/// A frame of a table without numbers: `kc`, and what is left of others where somebody took their columns away.
///
/// ```text
///         nt!KiSwapContext+0x76
///         nt!KiSystemServiceCopyEnd+0x13 (TrapFrame @ ffffd000`248ebc40)
///         0xfffff960`0038bed0
/// ntdll!NtWaitForSingleObject
/// ```
pub(super) fn plain(line: &str) -> Option<&str> {
    let text = line.trim();
    let text = text.split_once(" (TrapFrame @ ").map_or(text, |(symbol, _)| symbol);
    if let Some(digits) = text.strip_prefix("0x") {
        let is_address = digits.bytes().all(|b| b.is_ascii_hexdigit() || b == b'`');
        return (is_address && !digits.is_empty()).then_some(text);
    }
    let (module, function) = text.split_once('!')?;
    let is_module = !module.is_empty()
        && module.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-'));
    let is_begin = |c: char| c.is_ascii_alphabetic() || matches!(c, '_' | '?' | '<' | '~' | '`' | '@');
    let is_name = || {
        let offset = function.rsplit_once("+0x").map(|(_, offset)| offset);
        let has_offset = offset.is_some_and(|o| !o.is_empty() && o.bytes().all(|b| b.is_ascii_hexdigit()));
        has_offset || !function.contains([' ', '+']) && !function.ends_with([':', '.', '!', ',', '?'])
    };
    (is_module && function.starts_with(is_begin) && is_name()).then_some(text)
}

/// Whether a line of such a table is a number alone, and no name.
pub(super) fn is_number(text: &str) -> bool {
    text.starts_with("0x")
}

/// Whether a number is a frame of such a table. `above`: the row above; `is_within`: names follow. Behind the last name of a
/// table without offsets it may be what somebody noted, or what the next command printed.
pub(super) fn is_frame(above: Option<&str>, is_within: bool) -> bool {
    is_within || above.is_some_and(|above| is_number(above) || above.contains("+0x"))
}

/// How minidump-stackwalk found a frame.
pub(super) static FOUND_BY: &[(&str, Trust)] = &[
    ("given as instruction pointer in context", Trust::Context),
    ("call frame info with scanning", Trust::Scan),
    ("call frame info", Trust::Cfi),
    ("previous frame's frame pointer", Trust::FramePointer),
    ("stack scanning", Trust::Scan),
    ("inlining", Trust::Cfi),
    ("leaf function", Trust::Cfi),
    ("external stack walker", Trust::Cfi),
    ("unknown", Trust::Scan),
];

/// ` 0  lib.so!f [f.cpp : 12 + 0x5]`: where the function begins.
pub(super) fn walked(line: &str) -> Option<usize> {
    let text = line.trim_start();
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let is_number = (1..=4).contains(&digits) && line.len() - text.len() <= 3;
    let symbol = text.get(digits..)?.strip_prefix("  ")?;
    let is_named = !symbol.starts_with([' ', '<'])
        && (symbol.contains('!') || symbol.contains(" + 0x") || symbol.starts_with("0x"));
    (is_number && is_named).then(|| line.len() - symbol.len())
}

/// Whether a line belongs to a stack.
pub(super) fn is_body(line: &str) -> bool {
    let text = line.trim_start();
    text.starts_with("Found by: ")
        || text.starts_with(super::head::CURRENT_FRAME)
        || text.starts_with("WARNING: ") && text.contains("may be wrong")
        || read(line).is_some()
        || plain(line).is_some()
        || walked(line).is_some()
}
