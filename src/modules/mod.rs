//! Finds, verifies and maps the files that a dump names. The only stage that opens files other
//! than the inputs; afterwards a service for the later stages: CFI for a pc, code bytes and
//! read-only data at an address, symbol tables and debug sections of a module.
//!
//! Addresses have two frames of reference: *avma*, the address in the process, and *svma*, the address
//! that the file states. Their difference is a module's bias.

mod aux;
mod bare_file;
mod debug_files;
mod elf_file;
pub mod headers;
mod identify;
mod known;
mod link_map;
mod load;
mod module;
mod nt_file;
mod open;
mod range_index;
mod search;
mod space;
#[cfg(test)]
mod testing;
mod unpack;
mod vdso;
mod verify;

use std::path::Path;

pub use elf_file::{ElfFile, Section, SectionHeader, c_string};
pub use module::{Module, ModuleMatch, SymbolLevel};
pub use search::SearchPaths;
pub use space::ProcessSpace;

use crate::model::{Gaps, ProcessImage};

/// Index of a module.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ModuleIx(pub u32);

/// All modules of a process, sorted by address.
#[derive(Debug, Default)]
pub struct ModuleSet {
    modules: Vec<Module>,
    index: range_index::RangeIndex,
    search: SearchPaths,
}

impl ModuleSet {
    /// Finds and verifies the modules of a process.
    pub fn load(image: &ProcessImage, search: &SearchPaths, gaps: &mut Gaps) -> Self {
        let known = load::known_modules(image, gaps);
        let (modules, index) = load::with_files(image, known, search, gaps);
        Self { modules, index, search: search.clone() }
    }

    /// The module that contains this address.
    pub fn at(&self, address: u64) -> Option<ModuleIx> {
        self.index.at(address).map(ModuleIx)
    }

    /// A module.
    pub fn get(&self, ix: ModuleIx) -> &Module {
        &self.modules[ix.0 as usize]
    }

    /// All modules, sorted by address.
    pub fn iter(&self) -> impl Iterator<Item = (ModuleIx, &Module)> {
        self.modules.iter().enumerate().map(|(n, m)| (ModuleIx(n as u32), m))
    }

    /// All modules, to be shown under other names. Addresses are not found any more by those that change.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut Module> {
        self.modules.iter_mut()
    }

    /// Where their files were looked for.
    pub fn search_paths(&self) -> &SearchPaths {
        &self.search
    }

    /// `length` bytes at `avma` out of the file of its module, where the file's segment is not
    /// writable.
    pub fn file_bytes_at(&self, avma: u64, length: usize) -> Option<&[u8]> {
        let module = self.get(self.at(avma)?);
        let svma = module.svma(avma);
        let file = module.file.as_ref()?;
        let load = file.headers.loads().find(|p| p.has_file_bytes_at(svma)).filter(|p| !p.is_writable())?;
        let delta = svma - load.address;
        let length = u64::try_from(length).ok().filter(|&l| l <= load.file_size - delta)?;
        file.at(load.offset.checked_add(delta)?, length)
    }

    /// The flags (read 4, write 2, execute 1) of the file's segment at this address.
    fn load_flags_at(&self, avma: u64) -> Option<u32> {
        let module = self.get(self.at(avma)?);
        let svma = module.svma(avma);
        let load =
            module.file.as_ref()?.headers.loads().find(|p| svma.wrapping_sub(p.address) < p.memory_size)?;
        Some(load.flags)
    }

    /// The supplement that dwz split off the module's DWARF.
    pub fn supplement(&self, ix: ModuleIx) -> Option<&ElfFile> {
        self.get(ix).supplement(&self.search)
    }

    /// A file that the DWARF of a module names: `DW_AT_dwo_name` in `DW_AT_comp_dir`. Not verified: the
    /// caller compares the dwo id.
    pub fn split_file(&self, ix: ModuleIx, comp_dir: &str, name: &str) -> Option<ElfFile> {
        let path = Path::new(comp_dir).join(name);
        let found_at = self.get(ix).dwarf_file().map(|f| Path::new(&*f.path));
        self.search.split_files(&path, found_at).iter().find_map(|p| open::open_any_elf(p))
    }

    /// The package of split DWARF beside the module or its debug file: `logserver.dwp`.
    pub fn split_package(&self, ix: ModuleIx) -> Option<ElfFile> {
        let module = self.get(ix);
        module.files().find_map(|f| open::open_any_elf(Path::new(&format!("{}.dwp", f.path))))
    }
}
