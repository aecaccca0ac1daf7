//! Finds, verifies and maps the files that a dump names. The only stage that opens files other
//! than the inputs; afterwards a service for the later stages: CFI for a pc, code bytes and
//! read-only data at an address, symbol tables and debug sections of a module.

use std::path::PathBuf;

use bytes::Bytes;

use crate::model::{AddressSpace, Gaps, ProcessImage, Str};

/// Where module files may be looked for.
#[derive(Clone, Debug, Default)]
pub struct SearchPaths {
    /// Paths from the dump are looked up below this folder only.
    pub sysroot: Option<PathBuf>,
    /// The executable.
    pub executable: Option<PathBuf>,
    /// Folders with debug files or modules, by build id or by name.
    pub debug_dirs: Vec<PathBuf>,
    /// The folder in which the dump lies.
    pub dump_dir: Option<PathBuf>,
}

/// How far a file on this machine is the one that ran.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ModuleMatch {
    /// The build ids are equal.
    Verified,
    /// One side has no build id; ranges and segments fit.
    Compatible,
    /// The build ids or the geometry differ. The file is not used.
    Mismatch,
    /// No file was found, or the dump names none.
    Missing,
}

/// What names a module can give.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SymbolLevel {
    /// DWARF: functions, inlined functions, lines.
    Debug,
    /// A symbol table: functions.
    Table,
    /// Nothing.
    None,
}

/// Index of a module.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ModuleIx(pub u32);

/// One file of the process: the executable, a shared library, the vdso.
#[derive(Debug)]
pub struct Module {
    /// File name without folder: `libc.so.6`.
    pub name: Str,
    /// The path in the process.
    pub path: Str,
    /// Lowest address.
    pub base: u64,
    /// Highest address plus one.
    pub end: u64,
    /// Address in the process (avma) minus address in the file (svma), wrapping.
    pub bias: u64,
    /// The build id that the dump holds, else that of the file.
    pub build_id: Option<Box<[u8]>>,
    /// How far the file is the right one.
    pub matched: ModuleMatch,
    /// The file that is used; none for [`ModuleMatch::Mismatch`] and [`ModuleMatch::Missing`].
    pub file: Option<ElfFile>,
    /// A separate debug file, verified like the module.
    pub debug_file: Option<ElfFile>,
}

/// An ELF file that was found (or the vdso out of the dump), mapped.
#[derive(Debug)]
pub struct ElfFile {
    /// Where it was found.
    pub path: Str,
    /// Its bytes.
    pub bytes: Bytes,
}

/// All modules of a process, sorted by address.
#[derive(Debug, Default)]
pub struct ModuleSet {
    modules: Vec<Module>,
}

impl ModuleSet {
    /// Finds and verifies the modules of a process.
    pub fn load(_image: &ProcessImage, _search: &SearchPaths, _gaps: &mut Gaps) -> Self {
        Self::default()
    }

    /// The module that contains this address.
    pub fn at(&self, _address: u64) -> Option<ModuleIx> {
        None
    }

    /// A module.
    pub fn get(&self, ix: ModuleIx) -> &Module {
        &self.modules[ix.0 as usize]
    }

    /// All modules, sorted by address.
    pub fn iter(&self) -> impl Iterator<Item = (ModuleIx, &Module)> {
        self.modules.iter().enumerate().map(|(n, m)| (ModuleIx(n as u32), m))
    }
}

/// A section of an ELF file.
pub struct Section<'a> {
    /// Its address in the file (svma).
    pub address: u64,
    /// Its content, unpacked where it was compressed.
    pub bytes: std::borrow::Cow<'a, [u8]>,
}

impl ElfFile {
    /// The section of this name with content. Unpacking has a bound.
    pub fn section(&self, _name: &str) -> Option<Section<'_>> {
        None
    }
}

/// The memory of a process together with the read-only parts of its verified files.
pub struct ProcessSpace<'a> {
    /// What the dump holds.
    pub image: &'a ProcessImage,
    /// The modules.
    pub modules: &'a ModuleSet,
}

impl AddressSpace for ProcessSpace<'_> {
    fn bytes(&self, address: u64, length: usize) -> Option<&[u8]> {
        self.image.memory.slice(address, length)
    }

    fn is_executable(&self, address: u64) -> bool {
        self.image.memory.segment_at(address).is_some_and(|s| s.is_executable)
    }

    fn is_writable(&self, address: u64) -> bool {
        self.image.memory.segment_at(address).is_some_and(|s| s.is_writable)
    }
}
