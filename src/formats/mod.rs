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

/// All formats, binary ones first.
pub static FORMATS: &[Format] = &[elf_core::FORMAT, gdb::FORMAT];
