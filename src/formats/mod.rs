//! From bytes to [`Snapshot`]s: one file or folder a kind of dump, [`FORMATS`] is the table.
//!
//! A format opens nothing and does not fail: what it did not understand becomes a
//! [`Gap`](crate::model::Gap).

pub mod elf_core;
pub mod gdb;

use bytes::Bytes;

use crate::model::{FormatId, Snapshot, Str};

/// One kind of dump.
pub struct Format {
    /// Its id in the report.
    pub id: FormatId,
    /// What it is called in messages: `an ELF core`.
    pub name: &'static str,
    /// What in the bytes is looked for, for the message about an input that is no dump.
    pub looked_for: &'static str,
    /// How many of its headers the bytes have; 0 means that it is not this format. The format
    /// with the most wins.
    pub recognize: fn(&[u8]) -> usize,
    /// Reads all snapshots in the bytes. An empty list: nothing was understood.
    pub parse: fn(&Bytes, &Str) -> Vec<Snapshot>,
}

/// What [`Format::recognize`] returns for a magic number that nothing else has: no other format is
/// asked, which would read the whole file.
pub const CERTAIN: usize = usize::MAX;

/// All formats, binary ones first.
pub static FORMATS: &[Format] = &[elf_core::FORMAT, gdb::FORMAT];

/// The format that these bytes have the most headers of.
pub fn recognize(bytes: &[u8]) -> Option<&'static Format> {
    let mut best: Option<(usize, &Format)> = None;
    for format in FORMATS {
        let headers = (format.recognize)(bytes);
        if headers == CERTAIN {
            return Some(format);
        }
        if headers > best.map_or(0, |(most, _)| most) {
            best = Some((headers, format));
        }
    }
    best.map(|(_, format)| format)
}

/// What in a file makes it a dump, for the message about one that is none.
pub fn looked_for() -> String {
    let each: Vec<_> = FORMATS.iter().map(|f| format!("{} ({})", f.name, f.looked_for)).collect();
    each.join(", ")
}
