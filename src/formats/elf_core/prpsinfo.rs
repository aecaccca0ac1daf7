//! `NT_PRPSINFO`: the process's pid, short name and the beginning of its command line.

use super::reader::Reader;

/// What is read of the note. Its state letter is sampled while the process dies and says nothing.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct ProcessInfo {
    pub pid: Option<u32>,
    /// The name of the first thread.
    pub name: Option<String>,
    /// The arguments, joined by blanks and cut after 80 bytes.
    pub command_line: Option<String>,
}

/// Word size, size of the note, offsets of pid, name and arguments. 32-bit processors differ in the
/// size of a user id: 2 bytes (x86, Arm) or 4.
const LAYOUTS: &[(bool, usize, [usize; 3])] =
    &[(true, 136, [24, 40, 56]), (false, 124, [12, 28, 44]), (false, 128, [16, 32, 48])];
const NAME_SIZE: usize = 16;
const ARGUMENTS_SIZE: usize = 80;

/// `None` for a note of another size.
pub(super) fn read(note: &Reader) -> Option<ProcessInfo> {
    let (_, _, [pid, name, arguments]) = LAYOUTS
        .iter()
        .find(|(is_64_bit, size, _)| *is_64_bit == note.encoding.is_64_bit && *size == note.len())?;
    Some(ProcessInfo {
        pid: note.u32(*pid).filter(|&pid| pid != 0),
        name: note.text(*name, NAME_SIZE),
        command_line: note.text(*arguments, ARGUMENTS_SIZE),
    })
}
