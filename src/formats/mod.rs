//! From bytes to [`Snapshot`]s: one file or folder a kind of dump, [`FORMATS`] is the table.
//!
//! A format opens nothing and does not fail: what it did not understand becomes a
//! [`Gap`](crate::model::Gap). Binary formats are known by their first bytes. Text formats are known by header
//! lines anywhere in a file ([`detect`]), and share what is not theirs ([`text`]): decoding, prefixes of logs,
//! lines, interning, resynchronization, counting of gaps.

mod anchors;
pub mod android_anr;
pub mod apple;
pub mod apple_crash;
pub mod apple_ips;
pub mod apple_sample;
pub mod clrstack;
pub mod core_stacktrace;
pub mod detect;
pub mod dotnet;
pub mod dotnet_stack;
pub mod elf_core;
pub mod eu_stack;
pub mod folded;
pub mod gdb;
pub mod go;
pub mod go_pprof;
pub mod java;
pub mod javacore;
pub mod jcmd_json;
pub mod jstack;
pub mod kernel;
pub mod lldb;
pub mod node_report;
pub mod perf_script;
pub mod pstack;
pub mod py_spy;
pub mod pystack;
pub mod python;
pub mod python_faulthandler;
pub mod sigdump;
pub mod systemd_coredump;
#[cfg(test)]
mod testing;
pub mod text;
pub mod tombstone;
pub mod windbg;

use bytes::Bytes;

use crate::model::{FormatId, Snapshot, Str};

use detect::Header;
use text::{Section, Site};

/// One kind of dump.
pub struct Format {
    /// Its id in the report.
    pub id: FormatId,
    /// What it is called in messages: `an ELF core`.
    pub name: &'static str,
    /// What in the bytes is looked for, for the message about an input that is no dump.
    pub looked_for: &'static str,
    /// What `logjam formats` and `docs/formats.md` say of it.
    pub about: About,
    /// How it is recognized and read.
    pub reader: Reader,
}

impl std::fmt::Debug for Format {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.id.id())
    }
}

impl Format {
    /// The literal texts that are looked for.
    fn anchors(&self) -> &'static [&'static str] {
        match &self.reader {
            Reader::Text { anchors, .. } => anchors,
            Reader::Binary { .. } | Reader::Lines { .. } => &[],
        }
    }
}

/// What a person wants to know of a kind of dump.
pub struct About {
    /// What writes it, with the versions that were read.
    pub producer: &'static str,
    /// What is read from it.
    pub reads: &'static str,
    /// What it can never say.
    pub never: &'static str,
    /// How to make one that says the most: a command.
    pub capture: &'static str,
}

/// How a kind of dump is recognized and read.
pub enum Reader {
    /// A file that is one dump from its first byte on.
    Binary {
        /// Whether the bytes begin like one.
        recognize: fn(&[u8]) -> bool,
        /// Reads it. An empty list: nothing was understood.
        parse: fn(&Bytes, &Str) -> Vec<Snapshot>,
    },
    /// Lines, anywhere in a file.
    Text {
        /// Literal texts of which each dump has one. Beside them what `parse` asks for ([`Section::has`]): one pass over a
        /// text looks for all of them.
        anchors: &'static [&'static str],
        /// Where the header line of this format begins on whose anchor the site stands; `None` where it is something else.
        confirm: fn(&Site<'_>) -> Option<usize>,
        /// Reads all dumps of this kind in a text.
        parse: fn(&Section<'_>) -> Vec<Snapshot>,
    },
    /// Lines that have no header: asked where nothing else was found in a text.
    Lines {
        /// Whether the text is of this kind, and its first line.
        recognize: fn(&[u8]) -> Option<Header>,
        /// Reads it.
        parse: fn(&Section<'_>) -> Vec<Snapshot>,
    },
}

/// All formats, binary ones first. Of two text formats with equally many headers in a text the first wins.
pub static FORMATS: &[Format] = &[
    elf_core::FORMAT,
    gdb::FORMAT,
    go::FORMAT,
    jstack::FORMAT,
    jcmd_json::FORMAT,
    python_faulthandler::FORMAT,
    py_spy::FORMAT,
    pystack::FORMAT,
    node_report::FORMAT,
    sigdump::FORMAT,
    lldb::FORMAT,
    eu_stack::FORMAT,
    systemd_coredump::FORMAT,
    tombstone::FORMAT,
    windbg::FORMAT,
    pstack::FORMAT,
    core_stacktrace::FORMAT,
    javacore::FORMAT,
    android_anr::FORMAT,
    clrstack::FORMAT,
    dotnet_stack::FORMAT,
    apple_crash::FORMAT,
    apple_ips::FORMAT,
    apple_sample::FORMAT,
    kernel::FORMAT,
    go_pprof::FORMAT,
    perf_script::FORMAT,
    folded::FORMAT,
];

/// The format with this id.
pub fn find(id: &str) -> Option<&'static Format> {
    FORMATS.iter().find(|format| format.id.id() == id)
}

/// What in a file makes it a dump, for the message about one that is none.
pub fn looked_for() -> String {
    let is_binary = |format: &&Format| matches!(format.reader, Reader::Binary { .. });
    let binary: Vec<&str> = FORMATS.iter().filter(is_binary).map(|format| format.name).collect();
    let texts = FORMATS.len() - binary.len();
    format!("{}, and the lines of {texts} kinds of text (`logjam formats` lists them)", binary.join(", "))
}
