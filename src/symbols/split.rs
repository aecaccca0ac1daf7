//! Split DWARF: the unit in the module is a skeleton (addresses and lines), its functions are in a `.dwo`
//! file or in a `.dwp` package beside the module. Both are matched by the dwo id.

use std::sync::OnceLock;

use gimli::{DebugInfoOffset, Dwarf, DwarfPackage, EndianSlice, SectionId, Unit, UnitRef, UnitType};

use super::dwarf::{Reader, load};
use super::names::Names;
use crate::modules::{ElfFile, ModuleIx, ModuleSet};

/// The `.dwo` files and the `.dwp` package of one module.
pub struct SplitFiles<'m> {
    modules: &'m ModuleSet,
    ix: ModuleIx,
    package: OnceLock<Option<ElfFile>>,
}

impl<'m> SplitFiles<'m> {
    /// Nothing is opened yet.
    pub fn new(modules: &'m ModuleSet, ix: ModuleIx) -> Self {
        Self { modules, ix, package: OnceLock::new() }
    }

    /// Calls `f` with the skeleton at `offset` and the unit that belongs to it. `None` where its file was
    /// not found.
    pub fn with_unit<T>(
        &self,
        dwarf: &Dwarf<Reader>,
        offset: DebugInfoOffset,
        f: impl for<'l> FnOnce(UnitRef<Reader<'l>>, UnitRef<Reader<'l>>, &Names<'_, 'l>) -> gimli::Result<T>,
    ) -> Option<gimli::Result<T>> {
        if let Some(package) = self.package.get_or_init(|| self.modules.split_package(self.ix)) {
            let skeleton = unit_at(dwarf, offset)?;
            let parts = parts_of_package(package, UnitRef::new(dwarf, &skeleton))?;
            return with_parts(parts, UnitRef::new(dwarf, &skeleton), f);
        }
        // Named before the unit's lifetime is that of the file which it leads to.
        let file = self.file_of(dwarf, offset)?;
        let skeleton = unit_at(dwarf, offset)?;
        with_parts(load(&file, |id| id.dwo_name()), UnitRef::new(dwarf, &skeleton), f)
    }

    fn file_of(&self, dwarf: &Dwarf<Reader>, offset: DebugInfoOffset) -> Option<ElfFile> {
        let unit = unit_at(dwarf, offset)?;
        let skeleton = UnitRef::new(dwarf, &unit);
        let name = skeleton.attr_string(skeleton.dwo_name().ok()??).ok()?;
        let folder = skeleton.comp_dir.map(|d| d.to_string_lossy().into_owned()).unwrap_or_default();
        self.modules.split_file(self.ix, &folder, &name.to_string_lossy())
    }
}

fn unit_at<'a>(dwarf: &Dwarf<Reader<'a>>, offset: DebugInfoOffset) -> Option<Unit<Reader<'a>>> {
    dwarf.unit(dwarf.debug_info.header_from_offset(offset).ok()?).ok()
}

fn parts_of_package<'l>(package: &'l ElfFile, skeleton: UnitRef<Reader<'l>>) -> Option<Dwarf<Reader<'l>>> {
    let section = |id: SectionId| -> Result<Reader<'l>, gimli::Error> {
        let bytes = id.dwo_name().map_or(&[][..], |name| package.section_bytes(name));
        Ok(EndianSlice::new(bytes, package.endian()))
    };
    let parsed = DwarfPackage::load(section, EndianSlice::new(&[], package.endian())).ok()?;
    parsed.find_cu(skeleton.dwo_id?, skeleton.dwarf).ok()?
}

/// Finds the unit with the skeleton's id and completes it with what only the skeleton has.
fn with_parts<'l, T>(
    mut parts: Dwarf<Reader<'l>>,
    skeleton: UnitRef<Reader<'l>>,
    f: impl FnOnce(UnitRef<Reader<'l>>, UnitRef<Reader<'l>>, &Names<'_, 'l>) -> gimli::Result<T>,
) -> Option<gimli::Result<T>> {
    parts.make_dwo(skeleton.dwarf);
    let mut headers = parts.units();
    while let Ok(Some(header)) = headers.next() {
        if matches!(header.type_(), UnitType::SplitType { .. } | UnitType::Type { .. }) {
            continue;
        }
        let Ok(mut unit) = parts.unit(header) else { continue };
        if unit.dwo_id == skeleton.dwo_id {
            unit.copy_relocated_attributes(skeleton.unit);
            return Some(f(skeleton, UnitRef::new(&parts, &unit), &Names::new(&parts)));
        }
    }
    None
}
