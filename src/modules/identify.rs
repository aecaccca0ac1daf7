//! Which file a module is, from what the dump itself holds: the ELF header, the program headers
//! and the build id. The kernel keeps the first page of each mapped ELF file for that purpose
//! (bit 4 of `coredump_filter`).

use super::elf_file::ElfFile;
use super::headers::{Headers, Numbers, PT_LOAD, PT_NOTE};
use crate::model::Memory;

/// Ids are 16 (md5, uuid) or 20 (sha1) bytes; `--build-id=0x…` may give others.
const MAX_BUILD_ID: usize = 64;
/// Notes of a module: some hundred bytes; Go and systemd's package notes make it a page.
const MAX_NOTES: u64 = 64 << 10;
const SHT_NOTE: u32 = 7;
const NT_GNU_BUILD_ID: u32 = 3;

/// What the dump holds of a module's beginning.
#[derive(Clone, Debug)]
pub struct Identity {
    /// ELF header and program headers.
    pub headers: Headers,
    /// Address in the process minus address in the file, wrapping.
    pub bias: u64,
    /// The build id, where its note is in the dump.
    pub build_id: Option<Box<[u8]>>,
}

/// Reads the identity of the module whose ELF header lies at `start`.
pub fn from_memory(memory: &Memory, start: u64) -> Option<Identity> {
    let headers = Headers::read(|offset, length| memory.slice(start.checked_add(offset)?, length))?;
    let bias = bias_of(&headers, start)?;
    let build_id = headers
        .programs
        .iter()
        .filter(|p| p.kind == PT_NOTE && p.file_size <= MAX_NOTES)
        .filter_map(|p| memory.slice(bias.wrapping_add(p.address), p.file_size as usize))
        .find_map(|notes| build_id_in(headers.numbers, notes));
    Some(Identity { headers, bias, build_id })
}

/// The bias of a module whose ELF header (file offset 0) lies at `start`.
fn bias_of(headers: &Headers, start: u64) -> Option<u64> {
    // The header belongs to the segment whose page-rounded offset is 0: the first, nearly always.
    let first = headers.loads().next()?;
    let load = headers.loads().find(|p| p.offset < 0x1000).unwrap_or(first);
    Some(start.wrapping_sub(load.address.wrapping_sub(load.offset)))
}

/// The build id of a file.
pub fn of_file(file: &ElfFile) -> Option<Box<[u8]>> {
    let n = file.headers.numbers;
    // Sections first: in a debug file the offsets of the program headers may lead nowhere.
    let sections = file.section_headers().iter().filter(|s| s.kind == SHT_NOTE).map(|s| (s.offset, s.size));
    let programs =
        file.headers.programs.iter().filter(|p| p.kind == PT_NOTE).map(|p| (p.offset, p.file_size));
    sections
        .chain(programs)
        .filter(|(_, size)| *size <= MAX_NOTES)
        .filter_map(|(offset, size)| file.at(offset, size))
        .find_map(|notes| build_id_in(n, notes))
}

/// `04 00 00 00 14 00 00 00 03 00 00 00 47 4e 55 00 …`: name size, id size, type, `GNU`, id.
fn build_id_in(n: Numbers, mut notes: &[u8]) -> Option<Box<[u8]>> {
    loop {
        let name_size = n.u32(notes, 0)? as usize;
        let size = n.u32(notes, 4)? as usize;
        let kind = n.u32(notes, 8)?;
        let rest = notes.get(12..)?;
        let name = rest.get(..name_size)?;
        let rest = rest.get(name_size.checked_next_multiple_of(4)?..)?;
        let content = rest.get(..size)?;
        if kind == NT_GNU_BUILD_ID && name == b"GNU\0" && (1..=MAX_BUILD_ID).contains(&size) {
            return Some(content.into());
        }
        notes = rest.get(size.checked_next_multiple_of(4)?..)?;
    }
}

/// Lower-case hex, as build ids are written.
pub fn hex(id: &[u8]) -> String {
    id.iter().map(|b| format!("{b:02x}")).collect()
}

/// Starts of memory segments at which an ELF header lies: the last resort when the dump names
/// no files.
pub fn headers_in_memory(memory: &Memory) -> impl Iterator<Item = u64> {
    memory
        .segments()
        .iter()
        .filter(|s| !s.is_writable)
        .map(|s| s.start)
        .filter(|&start| memory.slice(start, 4) == Some(b"\x7fELF"))
}

/// Whether the headers describe something that was loaded: at least one segment.
pub fn is_loadable(headers: &Headers) -> bool {
    headers.programs.iter().any(|p| p.kind == PT_LOAD)
}
