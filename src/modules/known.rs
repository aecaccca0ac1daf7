//! A module as the dump knows it, before a file was looked for.

use super::headers::Headers;
use super::identify::Identity;
use super::verify::{round_down, round_up};
use crate::model::Str;

/// A range of addresses that a file backs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    /// First address.
    pub start: u64,
    /// The address after the last one.
    pub end: u64,
    /// Offset in the file.
    pub file_offset: u64,
}

/// A module as the dump knows it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KnownModule {
    /// The path as the dump has it, ` (deleted)` included; empty when nothing names it.
    pub path: Str,
    /// Its ranges by address, as far as the dump has them (`NT_FILE`).
    pub ranges: Vec<Range>,
    /// Address in the process minus address in the file, wrapping.
    pub bias: Option<u64>,
    /// Headers read from memory.
    pub headers: Option<Headers>,
    /// Build id read from memory.
    pub build_id: Option<Box<[u8]>>,
    /// Address of its dynamic section (`l_ld`).
    pub dynamic: Option<u64>,
    /// Address of its entry point (`AT_ENTRY`).
    pub entry: Option<u64>,
    /// The executable of the process.
    pub is_executable: bool,
    /// A part of a module's code at a second place: only its ranges are there, not all that its headers
    /// place.
    pub is_copy: bool,
}

impl KnownModule {
    /// Takes over what memory says of it.
    pub fn identified(mut self, identity: Option<Identity>) -> Self {
        if let Some(identity) = identity {
            self.bias = Some(identity.bias);
            self.headers = Some(identity.headers);
            self.build_id = identity.build_id;
        }
        self
    }

    /// Whether the address lies in one of its ranges, or in a page where its headers place it. Linkers
    /// other than GNU's begin segments inside a page: `LOAD 0x10dd80 0x10ed80` is mapped at 0x10e000.
    pub fn contains(&self, address: u64, page: u64) -> bool {
        if self.ranges.iter().any(|r| (r.start..r.end).contains(&address)) {
            return true;
        }
        let (Some(headers), Some(bias), false) = (&self.headers, self.bias, self.is_copy) else {
            return false;
        };
        headers.loads().any(|p| {
            let start = round_down(bias.wrapping_add(p.address), page);
            let end = round_up(bias.wrapping_add(p.memory_end()), page);
            (start..end).contains(&address)
        })
    }

    /// The path without what the kernel adds to the name of a deleted file.
    pub fn undecorated_path(&self) -> &str {
        self.path.strip_suffix(" (deleted)").unwrap_or(&self.path)
    }

    /// Whether the file was deleted (or replaced) while the process ran.
    pub fn is_deleted(&self) -> bool {
        self.path.ends_with(" (deleted)")
    }
}

/// Whether a name in the dump is that of a file. `/memfd:jit (deleted)`, `/dev/zero`,
/// `/SYSV00000000`, `[vdso]`, `anon_inode:…` are not.
pub fn is_file_name(path: &str) -> bool {
    let virtual_names =
        ["/memfd:", "memfd:", "/dev/zero", "/SYSV", "[", "anon_inode:", "//anon", "/anon_hugepage"];
    !path.is_empty() && !virtual_names.iter().any(|v| path.starts_with(v))
}

/// The part after the last slash.
pub fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}
