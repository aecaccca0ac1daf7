//! The ELF header and the program headers, from a file or from the memory of the process.
//!
//! One reader for both, because the identity of a module is a comparison of the two. Offsets are
//! those of `elf.h`:
//!
//! ```text
//!             e_type e_machine e_entry e_phoff e_shoff e_phentsize e_phnum e_shentsize e_shnum e_shstrndx
//! 64-bit (64)     16        18      24      32      40          54      56          58      60         62
//! 32-bit (52)     16        18      24      28      32          42      44          46      48         50
//!
//!             p_type p_flags p_offset p_vaddr p_filesz p_memsz
//! 64-bit (56)      0       4        8      16       32      40
//! 32-bit (32)      0      24        4       8       16      20
//! ```

/// `PT_LOAD`.
pub const PT_LOAD: u32 = 1;
/// `PT_DYNAMIC`.
pub const PT_DYNAMIC: u32 = 2;
/// `PT_INTERP`: the path of the dynamic linker.
pub const PT_INTERP: u32 = 3;
/// `PT_NOTE`.
pub const PT_NOTE: u32 = 4;
/// `PT_PHDR`: the program headers themselves.
pub const PT_PHDR: u32 = 6;
/// `PT_GNU_EH_FRAME`: `.eh_frame_hdr`.
pub const PT_GNU_EH_FRAME: u32 = 0x6474_e550;

/// `ET_EXEC`: an executable with fixed addresses.
pub const ET_EXEC: u16 = 2;

/// More program headers than any module has (libraries have about ten). The kernel refuses
/// to run what has more than a page or 64 KiB of them.
const MAX_PROGRAM_HEADERS: u16 = 2048;

/// One program header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProgramHeader {
    /// `PT_…`.
    pub kind: u32,
    /// Read 4, write 2, execute 1.
    pub flags: u32,
    /// Place in the file.
    pub offset: u64,
    /// Address in the file (svma).
    pub address: u64,
    /// Bytes in the file.
    pub file_size: u64,
    /// Bytes in memory.
    pub memory_size: u64,
}

impl ProgramHeader {
    /// Whether the process may write here.
    pub fn is_writable(&self) -> bool {
        self.flags & 2 != 0
    }

    /// Whether code runs here.
    pub fn is_executable(&self) -> bool {
        self.flags & 1 != 0
    }

    /// The address after the last one in memory (svma).
    pub fn memory_end(&self) -> u64 {
        self.address.saturating_add(self.memory_size)
    }

    /// Whether the file has bytes for this address (svma).
    pub fn has_file_bytes_at(&self, address: u64) -> bool {
        address.checked_sub(self.address).is_some_and(|delta| delta < self.file_size)
    }
}

/// Reads little- or big-endian numbers out of a slice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Numbers {
    /// 64-bit words.
    pub is_64: bool,
    /// Little-endian.
    pub is_little: bool,
}

impl Numbers {
    /// A 16-bit number.
    pub fn u16(self, bytes: &[u8], at: usize) -> Option<u16> {
        let raw = bytes.get(at..)?.get(..2)?.try_into().ok()?;
        Some(if self.is_little { u16::from_le_bytes(raw) } else { u16::from_be_bytes(raw) })
    }

    /// A 32-bit number.
    pub fn u32(self, bytes: &[u8], at: usize) -> Option<u32> {
        let raw = bytes.get(at..)?.get(..4)?.try_into().ok()?;
        Some(if self.is_little { u32::from_le_bytes(raw) } else { u32::from_be_bytes(raw) })
    }

    /// A 64-bit number.
    pub fn u64(self, bytes: &[u8], at: usize) -> Option<u64> {
        let raw = bytes.get(at..)?.get(..8)?.try_into().ok()?;
        Some(if self.is_little { u64::from_le_bytes(raw) } else { u64::from_be_bytes(raw) })
    }

    /// A number of the class's word size.
    pub fn word(self, bytes: &[u8], at: usize) -> Option<u64> {
        if self.is_64 { self.u64(bytes, at) } else { self.u32(bytes, at).map(u64::from) }
    }

    /// Size of a word in bytes.
    pub fn word_size(self) -> usize {
        if self.is_64 { 8 } else { 4 }
    }
}

/// What the ELF header and the program headers say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Headers {
    /// Class and byte order.
    pub numbers: Numbers,
    /// `e_type`.
    pub kind: u16,
    /// `e_machine`.
    pub machine: u16,
    /// `e_entry`.
    pub entry: u64,
    /// `e_phoff`.
    pub program_offset: u64,
    /// Program headers in their order.
    pub programs: Vec<ProgramHeader>,
    /// `e_shoff`, `e_shnum`, `e_shstrndx` as they stand in the header.
    pub sections: (u64, u16, u16),
}

impl Headers {
    /// Reads them with `read(offset, length)`, which says `None` for what is not there.
    pub fn read<'a>(read: impl Fn(u64, usize) -> Option<&'a [u8]>) -> Option<Self> {
        let ident = read(0, 16)?;
        if ident.get(..4)? != b"\x7fELF" {
            return None;
        }
        let is_64 = match ident.get(4)? {
            1 => false,
            2 => true,
            _ => return None,
        };
        let is_little = match ident.get(5)? {
            1 => true,
            2 => false,
            _ => return None,
        };
        let n = Numbers { is_64, is_little };
        let header = read(0, if is_64 { 64 } else { 52 })?;
        let (phoff, shoff, tail) = if is_64 { (32, 40, 54) } else { (28, 32, 42) };
        let program_offset = n.word(header, phoff)?;
        let entry_size = n.u16(header, tail)?;
        let count = n.u16(header, tail + 2)?;
        let programs =
            program_headers(n, entry_size, count, |at, len| read(program_offset.checked_add(at)?, len))?;
        Some(Self {
            numbers: n,
            kind: n.u16(header, 16)?,
            machine: n.u16(header, 18)?,
            entry: n.word(header, 24)?,
            program_offset,
            programs,
            sections: (n.word(header, shoff)?, n.u16(header, tail + 6)?, n.u16(header, tail + 8)?),
        })
    }

    /// The `PT_LOAD` headers.
    pub fn loads(&self) -> impl Iterator<Item = &ProgramHeader> + Clone {
        self.programs.iter().filter(|p| p.kind == PT_LOAD && p.memory_size > 0)
    }

    /// The first program header of a kind.
    pub fn first(&self, kind: u32) -> Option<&ProgramHeader> {
        self.programs.iter().find(|p| p.kind == kind)
    }

    /// Whether both describe the same layout: same class, machine, kind, and `PT_LOAD`s.
    pub fn same_layout(&self, other: &Self) -> bool {
        self.numbers == other.numbers
            && (self.kind, self.machine) == (other.kind, other.machine)
            && self.loads().eq(other.loads())
    }
}

/// Reads a table of `count` program headers, which begins where `read(0, …)` reads.
pub fn program_headers<'a>(
    n: Numbers,
    entry_size: u16,
    count: u16,
    read: impl Fn(u64, usize) -> Option<&'a [u8]>,
) -> Option<Vec<ProgramHeader>> {
    let size = if n.is_64 { 56 } else { 32 };
    if count == 0 {
        return Some(Vec::new());
    }
    if usize::from(entry_size) < size || count > MAX_PROGRAM_HEADERS {
        return None;
    }
    let table = read(0, usize::from(entry_size) * usize::from(count))?;
    table.chunks_exact(entry_size.into()).map(|entry| program_header(n, entry)).collect()
}

fn program_header(n: Numbers, entry: &[u8]) -> Option<ProgramHeader> {
    let (flags, offset, address, file_size, memory_size) =
        if n.is_64 { (4, 8, 16, 32, 40) } else { (24, 4, 8, 16, 20) };
    Some(ProgramHeader {
        kind: n.u32(entry, 0)?,
        flags: n.u32(entry, flags)?,
        offset: n.word(entry, offset)?,
        address: n.word(entry, address)?,
        file_size: n.word(entry, file_size)?,
        memory_size: n.word(entry, memory_size)?,
    })
}
