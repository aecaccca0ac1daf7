//! ELF core files: of the Linux kernel, of gdb's `gcore`, of CRIU.
//!
//! A core is an ELF header, program headers, notes (threads, the signal, mapped files) and memory.
//! `header` reads the first two, `walk` finds the notes, a module a kind of note reads them, and
//! `parse` puts the snapshot together. Nothing is copied but registers: memory stays a view over the
//! file. Both word sizes and byte orders are read; memory of a big-endian process is not.
//!
//! The first thread of a kernel's core is the one that died; other producers have none. Threads are
//! sorted by id before anyone sees them.

mod auxv;
mod header;
mod index;
mod memory_gaps;
mod notes;
mod nt_file;
mod parse;
mod producer;
mod prpsinfo;
mod prstatus;
mod reader;
mod siginfo;
mod threads;
mod walk;

pub(in crate::formats) use siginfo::name as signal_name;

use crate::model::FormatId;

use super::{About, Format, Reader};

/// The row of this format.
pub const FORMAT: Format = Format {
    id: FormatId::new("elf-core"),
    name: "an ELF core",
    looked_for: "an ELF header of type ET_CORE",
    about: About {
        producer: "the Linux kernel, gdb's gcore, CRIU",
        reads: "threads with registers, CPU time and signal; memory; mapped files; from these stacks, locks and their owners",
        never: "names of threads; source lines without the debug files; memory that the filter of the kernel left out",
        capture: "gcore PID, or kill -QUIT PID with ulimit -c unlimited; keep the executable and its libraries beside it",
    },
    reader: Reader::Binary { recognize: header::is_core, parse: read },
};

/// Reads a core.
pub fn read(bytes: &bytes::Bytes, path: &crate::model::Str) -> Vec<crate::model::Snapshot> {
    parse::parse(bytes, path)
}

/// What an ELF file is that is no core, for the message about it.
pub fn not_a_core(bytes: &[u8]) -> Option<&'static str> {
    header::not_a_core(bytes)
}

#[cfg(test)]
mod tests;
