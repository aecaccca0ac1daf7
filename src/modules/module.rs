//! A module: one file of the process, with the file on this machine that is used for it.

use std::sync::OnceLock;

use super::elf_file::ElfFile;
use super::{debug_files, search::SearchPaths};
use crate::model::Str;

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
    /// Whether it is the executable of the process.
    pub is_executable: bool,
    pub(super) lazy: LazyFiles,
}

/// Files that are opened or unpacked when a name is wanted, not before.
#[derive(Debug, Default)]
pub(super) struct LazyFiles {
    mini: OnceLock<Option<ElfFile>>,
    supplement: OnceLock<Option<ElfFile>>,
}

impl Module {
    /// The address in the file for an address in the process.
    pub fn svma(&self, avma: u64) -> u64 {
        avma.wrapping_sub(self.bias)
    }

    /// The file with the DWARF: the module's own, else the separate one.
    pub fn dwarf_file(&self) -> Option<&ElfFile> {
        self.files().find(|f| f.has_section(".debug_info"))
    }

    /// The module's own file and the separate debug file, as far as they are there.
    pub fn files(&self) -> impl Iterator<Item = &ElfFile> {
        self.file.iter().chain(&self.debug_file)
    }

    /// What names it can give.
    pub fn symbol_level(&self) -> SymbolLevel {
        let has = |name: &str| self.files().any(|f| f.has_section(name));
        if has(".debug_info") {
            SymbolLevel::Debug
        } else if has(".symtab") || has(".dynsym") {
            SymbolLevel::Table
        } else {
            SymbolLevel::None
        }
    }

    /// The symbols of a stripped file that are packed inside it (`.gnu_debugdata`).
    pub fn mini_debug_file(&self) -> Option<&ElfFile> {
        self.lazy.mini.get_or_init(|| debug_files::mini(self.file.as_ref()?)).as_ref()
    }

    /// The supplement that dwz split off the file with the DWARF.
    pub(super) fn supplement(&self, search: &SearchPaths) -> Option<&ElfFile> {
        self.lazy.supplement.get_or_init(|| debug_files::supplement(search, self.dwarf_file()?)).as_ref()
    }
}
