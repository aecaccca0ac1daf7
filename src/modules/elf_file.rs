//! An ELF file and its sections, unpacked once where they are compressed.

use std::borrow::Cow;
use std::sync::OnceLock;

use bytes::Bytes;

use super::bare_file;
use super::headers::Headers;
use super::unpack::{Packing, unpack};
use crate::model::Str;

/// An ELF file that was found (or the vdso out of the dump), mapped.
#[derive(Debug)]
pub struct ElfFile {
    /// Where it was found.
    pub path: Str,
    /// Its bytes.
    pub bytes: Bytes,
    /// Its headers.
    pub headers: Headers,
    sections: Vec<SectionHeader>,
}

/// A section of an ELF file.
pub struct Section<'a> {
    /// Its address in the file (svma).
    pub address: u64,
    /// Its content, unpacked where it was compressed.
    pub bytes: Cow<'a, [u8]>,
}

/// What a section header says.
#[derive(Debug)]
pub struct SectionHeader {
    /// Its name.
    pub name: Box<[u8]>,
    /// `SHT_…`.
    pub kind: u32,
    /// `SHF_…`.
    pub flags: u64,
    /// Its address in the file (svma).
    pub address: u64,
    /// Where it stands in the file.
    pub offset: u64,
    /// Its size.
    pub size: u64,
    /// `sh_link`: the section with its strings.
    pub link: u32,
    unpacked: OnceLock<Option<Bytes>>,
}

impl SectionHeader {
    /// A section that no header describes.
    pub(super) fn described(name: &str, kind: u32, address: u64, offset: u64, size: u64, link: u32) -> Self {
        let name = name.as_bytes().into();
        Self { name, kind, flags: SHF_ALLOC, address, offset, size, link, unpacked: OnceLock::new() }
    }

    /// Whether it has code.
    pub fn is_executable(&self) -> bool {
        self.flags & SHF_EXECINSTR != 0
    }

    /// Whether it covers this address (svma).
    pub fn covers(&self, address: u64) -> bool {
        address.checked_sub(self.address).is_some_and(|delta| delta < self.size)
    }
}

const SHF_EXECINSTR: u64 = 4;
const SHT_NOBITS: u32 = 8;
const SHF_ALLOC: u64 = 2;
const SHF_COMPRESSED: u64 = 0x800;

/// Sections that are looked at. `-ffunction-sections` objects have a hundred thousand, linked
/// modules some dozens.
const MAX_SECTIONS: u64 = 4096;

impl ElfFile {
    /// Reads the headers. `None` where the bytes are no ELF file.
    pub fn new(path: Str, bytes: Bytes) -> Option<Self> {
        let at = |offset: u64, length: usize| bytes.get(usize::try_from(offset).ok()?..)?.get(..length);
        let headers = Headers::read(at)?;
        let sections = read_sections(&headers, at).unwrap_or_default();
        let mut file = Self { path, bytes, headers, sections };
        if file.sections.is_empty() {
            file.sections = bare_file::sections(&file);
        }
        Some(file)
    }

    /// The section of this name with content. Unpacking has a bound.
    pub fn section(&self, name: &str) -> Option<Section<'_>> {
        match self.sections.iter().position(|s| &*s.name == name.as_bytes()) {
            Some(ix) if self.sections[ix].kind != SHT_NOBITS => {
                let bytes = Cow::Borrowed(self.content(ix)?);
                Some(Section { address: self.sections[ix].address, bytes })
            }
            _ => self.old_compressed(name),
        }
    }

    /// The bytes of the section of this name, empty where there is none.
    pub fn section_bytes(&self, name: &str) -> &[u8] {
        match self.section(name).map(|s| s.bytes) {
            Some(Cow::Borrowed(bytes)) => bytes,
            _ => &[],
        }
    }

    /// Whether it has a section of this name with content. Unpacks nothing.
    pub fn has_section(&self, name: &str) -> bool {
        let old = name.strip_prefix(".debug_").map(|rest| format!(".zdebug_{rest}"));
        self.sections.iter().any(|s| {
            let is_named =
                &*s.name == name.as_bytes() || old.as_ref().is_some_and(|o| &*s.name == o.as_bytes());
            is_named && s.kind != SHT_NOBITS && s.size > 0
        })
    }

    /// Whether it is a separate debug file: the code is not in it.
    pub fn is_debug_only(&self) -> bool {
        self.sections.iter().any(|s| s.is_executable() && s.kind == SHT_NOBITS)
    }

    /// All section headers.
    pub fn section_headers(&self) -> &[SectionHeader] {
        &self.sections
    }

    /// The name of the section that covers this address (svma), `.bss` included.
    pub fn section_at(&self, address: u64) -> Option<&str> {
        const SHF_TLS: u64 = 0x400;
        let found = self.sections.iter().find(|s| {
            // `.tbss` has an address, but no memory there.
            let is_in_memory = s.flags & SHF_ALLOC != 0 && !(s.kind == SHT_NOBITS && s.flags & SHF_TLS != 0);
            is_in_memory && s.covers(address)
        })?;
        std::str::from_utf8(&found.name).ok()
    }

    /// The content of a section by its index, unpacked.
    pub fn content(&self, ix: usize) -> Option<&[u8]> {
        let section = self.sections.get(ix)?;
        if section.kind == SHT_NOBITS {
            return None;
        }
        let raw = self.at(section.offset, section.size)?;
        if section.flags & SHF_COMPRESSED == 0 {
            return Some(raw);
        }
        section.unpacked.get_or_init(|| self.unpack_section(raw)).as_deref()
    }

    /// Bytes of the file.
    pub fn at(&self, offset: u64, length: u64) -> Option<&[u8]> {
        self.bytes.get(usize::try_from(offset).ok()?..)?.get(..usize::try_from(length).ok()?)
    }

    /// Bytes of the file from this address (svma) to the end of its `PT_LOAD`.
    pub fn bytes_at_address(&self, address: u64) -> Option<&[u8]> {
        let (offset, size) = self.place_of(address)?;
        self.at(offset, size)
    }

    /// Offset in the file of this address (svma), and how many bytes follow in its `PT_LOAD`.
    pub fn place_of(&self, address: u64) -> Option<(u64, u64)> {
        let load = self.headers.loads().find(|p| p.has_file_bytes_at(address))?;
        let delta = address - load.address;
        Some((load.offset.checked_add(delta)?, load.file_size - delta))
    }

    /// ```text
    /// Elf64_Chdr (24): ch_type u32, reserved u32, ch_size u64, ch_addralign u64
    /// Elf32_Chdr (12): ch_type u32, ch_size u32, ch_addralign u32
    /// ```
    fn unpack_section(&self, raw: &[u8]) -> Option<Bytes> {
        let n = self.headers.numbers;
        let (size_at, header) = if n.is_64 { (8, 24) } else { (4, 12) };
        let packing = match n.u32(raw, 0)? {
            1 => Packing::Zlib,
            2 => Packing::Zstd,
            _ => return None,
        };
        unpack(packing, raw.get(header..)?, Some(n.word(raw, size_at)?))
    }

    /// `.zdebug_info`, as binutils wrote it until 2.26: `ZLIB`, the size as big-endian u64, a zlib
    /// stream.
    fn old_compressed(&self, name: &str) -> Option<Section<'_>> {
        let old = format!(".zdebug_{}", name.strip_prefix(".debug_")?);
        let section = self.sections.iter().find(|s| &*s.name == old.as_bytes())?;
        let raw = self.at(section.offset, section.size)?;
        let unpacked = section.unpacked.get_or_init(|| {
            let stated = u64::from_be_bytes(raw.strip_prefix(b"ZLIB")?.get(..8)?.try_into().ok()?);
            unpack(Packing::Zlib, raw.get(12..)?, Some(stated))
        });
        Some(Section { address: section.address, bytes: Cow::Borrowed(unpacked.as_deref()?) })
    }

    /// The byte order for gimli.
    pub fn endian(&self) -> gimli::RunTimeEndian {
        if self.headers.numbers.is_little { gimli::RunTimeEndian::Little } else { gimli::RunTimeEndian::Big }
    }
}

/// ```text
///              sh_name sh_type sh_flags sh_addr sh_offset sh_size sh_link sh_info
/// 64-bit (64)        0       4        8      16        24      32      40      44
/// 32-bit (40)        0       4        8      12        16      20      24      28
/// ```
fn read_sections<'a>(
    headers: &Headers,
    at: impl Fn(u64, usize) -> Option<&'a [u8]>,
) -> Option<Vec<SectionHeader>> {
    let n = headers.numbers;
    let (table, count, names) = headers.sections;
    let size = if n.is_64 { 64 } else { 40 };
    if table == 0 {
        return None;
    }
    let first = at(table, size)?;
    let (size_at, link_at) = if n.is_64 { (32, 40) } else { (20, 24) };
    // Above 0xff00 sections the true numbers stand in section header 0.
    let count = if count == 0 { n.word(first, size_at)? } else { count.into() };
    let names = if names == 0xffff { n.u32(first, link_at)? } else { names.into() };
    let count = count.min(MAX_SECTIONS);
    let entries = at(table, size.checked_mul(usize::try_from(count).ok()?)?)?;
    let mut sections: Vec<(u32, SectionHeader)> =
        entries.chunks_exact(size).map(|e| section_header(n, e)).collect::<Option<_>>()?;
    let strings = sections
        .get(usize::try_from(names).ok()?)
        .and_then(|(_, s)| at(s.offset, usize::try_from(s.size).ok()?))
        .unwrap_or_default();
    for (name_at, section) in &mut sections {
        section.name = c_string(strings, *name_at).unwrap_or_default().into();
    }
    Some(sections.into_iter().map(|(_, s)| s).collect())
}

fn section_header(n: super::headers::Numbers, e: &[u8]) -> Option<(u32, SectionHeader)> {
    let (address, offset, size, link) = if n.is_64 { (16, 24, 32, 40) } else { (12, 16, 20, 24) };
    let header = SectionHeader {
        name: Box::default(),
        kind: n.u32(e, 4)?,
        flags: n.word(e, 8)?,
        address: n.word(e, address)?,
        offset: n.word(e, offset)?,
        size: n.word(e, size)?,
        link: n.u32(e, link)?,
        unpacked: OnceLock::new(),
    };
    Some((n.u32(e, 0)?, header))
}

/// The bytes from `at` to the NUL.
pub fn c_string(strings: &[u8], at: u32) -> Option<&[u8]> {
    let rest = strings.get(usize::try_from(at).ok()?..)?;
    Some(&rest[..memchr::memchr(0, rest)?])
}
