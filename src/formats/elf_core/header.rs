//! The ELF header and the program headers, of which a core may have more than `e_phnum` can count.

use crate::model::{Arch, GapKind, Gaps, Segment};

use super::reader::{Encoding, Reader};

const MAGIC: [u8; 4] = *b"\x7fELF";
const ET_REL: u16 = 1;
const ET_EXEC: u16 = 2;
const ET_DYN: u16 = 3;
const ET_CORE: u16 = 4;
const PT_LOAD: u32 = 1;
const PT_NOTE: u32 = 4;
/// `e_phnum` of a file with more headers than 16 bits can count.
const PN_XNUM: u16 = 0xffff;
/// `EI_OSABI` of FreeBSD.
const OSABI_FREEBSD: u8 = 9;
/// Limit of what is allocated before anything is read.
const RESERVE: usize = 1 << 17;

/// Where the fields stand, by class.
struct Offsets {
    header_size: usize,
    phoff: usize,
    shoff: usize,
    phentsize: usize,
    phnum: usize,
    shnum: usize,
    sh_info: usize,
    program_header_size: usize,
    /// offset, vaddr, filesz, memsz, flags, align of a program header.
    program_header: [usize; 6],
}

const OFFSETS_64: Offsets = Offsets {
    header_size: 64,
    phoff: 32,
    shoff: 40,
    phentsize: 54,
    phnum: 56,
    shnum: 60,
    sh_info: 44,
    program_header_size: 56,
    program_header: [8, 16, 32, 40, 4, 48],
};

const OFFSETS_32: Offsets = Offsets {
    header_size: 52,
    phoff: 28,
    shoff: 32,
    phentsize: 42,
    phnum: 44,
    shnum: 48,
    sh_info: 28,
    program_header_size: 32,
    program_header: [4, 8, 16, 20, 24, 28],
};

/// A range of the file that holds notes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NoteSegment {
    pub offset: u64,
    pub size: u64,
    pub alignment: u64,
}

/// What the headers say.
pub(super) struct Header {
    pub encoding: Encoding,
    pub arch: Arch,
    pub is_freebsd: bool,
    /// Whether there are section headers, which the kernel writes for [`PN_XNUM`] only.
    pub has_sections: bool,
    pub notes: Vec<NoteSegment>,
    /// The `PT_LOAD`s as the headers state them: not clipped to the file.
    pub segments: Vec<Segment>,
    /// Where the file ends by its own headers.
    pub stated_end: u64,
}

/// Word size, byte order and `e_type` of an ELF file.
fn identify(bytes: &[u8]) -> Option<(Encoding, u16)> {
    let ident = bytes.get(..16)?;
    if ident[..4] != MAGIC || !matches!(ident[4], 1 | 2) || !matches!(ident[5], 1 | 2) {
        return None;
    }
    let encoding = Encoding { is_64_bit: ident[4] == 2, is_little_endian: ident[5] == 1 };
    Some((encoding, Reader::new(bytes, encoding).u16(16)?))
}

/// Whether these are the first bytes of an ELF core.
pub(super) fn is_core(bytes: &[u8]) -> bool {
    identify(bytes).is_some_and(|(_, kind)| kind == ET_CORE)
}

/// What an ELF file is that is no core.
pub(super) fn not_a_core(bytes: &[u8]) -> Option<&'static str> {
    match identify(bytes)?.1 {
        ET_EXEC | ET_DYN => Some("an ELF executable or library, no core"),
        ET_REL => Some("an ELF object file, no core"),
        ET_CORE => None,
        _ => Some("an ELF file, no core"),
    }
}

fn arch(machine: u16, is_64_bit: bool) -> Arch {
    match (machine, is_64_bit) {
        (62, true) => Arch::X86_64,
        (62, false) => Arch::X32,
        (3, false) => Arch::X86,
        (183, true) => Arch::Aarch64,
        (40, false) => Arch::Arm,
        (243, true) => Arch::RiscV64,
        (21, true) => Arch::PowerPc64,
        (22, true) => Arch::S390x,
        _ => Arch::Other(machine),
    }
}

/// Reads the headers. `None` for bytes that are no core.
pub(super) fn read(bytes: &[u8], gaps: &mut Gaps) -> Option<Header> {
    let (encoding, ET_CORE) = identify(bytes)? else { return None };
    let reader = Reader::new(bytes, encoding);
    let at = if encoding.is_64_bit { &OFFSETS_64 } else { &OFFSETS_32 };
    let mut header = Header {
        encoding,
        arch: arch(reader.u16(18).unwrap_or(0), encoding.is_64_bit),
        is_freebsd: bytes[7] == OSABI_FREEBSD,
        has_sections: false,
        notes: Vec::new(),
        segments: Vec::new(),
        stated_end: at.header_size as u64,
    };
    if bytes.len() < at.header_size {
        gaps.add(GapKind::Truncated, "the file ends inside its ELF header: nothing is left to read", Some(0));
        return Some(header);
    }
    header.has_sections = reader.word(at.shoff)? != 0 && reader.u16(at.shnum)? != 0;
    let table = Table::find(&reader, at, gaps)?;
    header.segments.reserve(table.count.min(RESERVE));
    for i in 0..table.count {
        let Some(entry) = reader.part(table.offset + i * table.entry_size, at.program_header_size) else {
            break;
        };
        header.add(&entry, at, gaps);
    }
    let promised =
        (table.offset as u64).saturating_add((table.stated_count).saturating_mul(table.entry_size as u64));
    header.stated_end = header.stated_end.max(promised);
    Some(header)
}

impl Header {
    fn add(&mut self, entry: &Reader, at: &Offsets, gaps: &mut Gaps) {
        let word = |field: usize| entry.word(at.program_header[field]).unwrap_or(0);
        let (offset, file_size) = (word(0), word(2));
        let flags = entry.u32(at.program_header[4]).unwrap_or(0);
        let Some(kind @ (PT_LOAD | PT_NOTE)) = entry.u32(0) else { return };
        let Some(end) = offset.checked_add(file_size) else {
            gaps.add(GapKind::Damaged, "a program header describes a range that no file can have", None);
            return;
        };
        self.stated_end = self.stated_end.max(end);
        if kind == PT_NOTE {
            self.notes.push(NoteSegment { offset, size: file_size, alignment: word(5) });
        } else {
            self.segments.push(Segment {
                start: word(1),
                size: word(3),
                offset,
                file_size,
                is_readable: flags & 4 != 0,
                is_writable: flags & 2 != 0,
                is_executable: flags & 1 != 0,
            });
        }
    }
}

/// The program header table.
struct Table {
    offset: usize,
    entry_size: usize,
    /// Headers that the file holds.
    count: usize,
    /// Headers that it says it holds.
    stated_count: u64,
}

impl Table {
    fn find(reader: &Reader, at: &Offsets, gaps: &mut Gaps) -> Option<Self> {
        let offset = usize::try_from(reader.word(at.phoff)?).unwrap_or(usize::MAX);
        let mut entry_size = usize::from(reader.u16(at.phentsize)?);
        if entry_size < at.program_header_size {
            let message =
                "the ELF header states an impossible size of program headers; the usual one was used";
            gaps.add(GapKind::Damaged, message, Some(at.phentsize as u64));
            entry_size = at.program_header_size;
        }
        let stated_count = match reader.u16(at.phnum)? {
            PN_XNUM => extended_count(reader, at, offset, entry_size).unwrap_or_else(|| {
                let message = "the number of program headers is lost with the end of the file: \
                               only the first 65,535 mappings were read";
                gaps.add(GapKind::Truncated, message, Some(at.phnum as u64));
                u64::from(PN_XNUM)
            }),
            count => u64::from(count),
        };
        let fits = (reader.len().saturating_sub(offset) / entry_size) as u64;
        if stated_count > fits {
            let lost = stated_count - fits;
            let message = format!(
                "the file ends inside its program headers: {lost} of {stated_count} mappings are unknown"
            );
            gaps.add(GapKind::Truncated, message, Some(reader.len() as u64));
        }
        let count = usize::try_from(stated_count.min(fits)).ok()?;
        Some(Self { offset, entry_size, count, stated_count })
    }
}

/// The number of program headers where `e_phnum` cannot hold it: `sh_info` of section header 0,
/// which the kernel writes as the very last thing of the file. A file that was cut has lost it; but
/// the kernel's notes follow the headers at once, so that their offset tells where the headers
/// end. (gdb puts its notes at the end of the file: the division is then of no use, and the first
/// header's own offset is far away.)
fn extended_count(reader: &Reader, at: &Offsets, table: usize, entry_size: usize) -> Option<u64> {
    let written = || {
        let section = usize::try_from(reader.word(at.shoff)?).ok().filter(|&o| o != 0)?;
        // Not `[section + sh_info]`: the offset may be anything.
        let count = u64::from(reader.u32(section.checked_add(at.sh_info)?)?);
        (count >= u64::from(PN_XNUM)).then_some(count)
    };
    let recovered = || {
        let first = reader.part(table, at.program_header_size)?;
        if first.u32(0)? != PT_NOTE {
            return None;
        }
        let between = first.word(at.program_header[0])?.checked_sub(table as u64)?;
        let count = between / entry_size as u64;
        (between.is_multiple_of(entry_size as u64) && count >= u64::from(PN_XNUM)).then_some(count)
    };
    written().or_else(recovered)
}
