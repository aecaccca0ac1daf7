//! Functions, inlined functions and lines from DWARF, for the few addresses that are wanted.
//!
//! `addr2line` answers any address of a file, and reads every unit and all functions of a unit for that;
//! the addresses of a dump are known beforehand. So the units that cover them are found first
//! (`units`), then their functions (`functions`) and lines (`lines`), each in one pass that tests
//! against the wanted addresses and keeps nothing else.

use gimli::{EndianSlice, RunTimeEndian, SectionId, UnitRef};
use rayon::prelude::*;

use super::names::Names;
use super::split::SplitFiles;
use super::{SourceFrame, functions, lines, units};
use crate::modules::{ElfFile, ModuleIx, ModuleSet};

/// How gimli reads here: slices of the mapped file, or of the section once it is unpacked.
pub type Reader<'a> = EndianSlice<'a, RunTimeEndian>;

/// The sections that names and lines need. Locations and macros are the larger half of DWARF.
const SECTIONS: [SectionId; 11] = [
    SectionId::DebugInfo,
    SectionId::DebugLine,
    SectionId::DebugStr,
    SectionId::DebugAbbrev,
    SectionId::DebugAranges,
    SectionId::DebugRanges,
    SectionId::DebugRngLists,
    SectionId::DebugLineStr,
    SectionId::DebugStrOffsets,
    SectionId::DebugAddr,
    SectionId::DebugTypes,
];

/// The DWARF of a module.
pub struct ModuleDwarf<'a> {
    /// Its sections, with those of its supplement.
    pub dwarf: gimli::Dwarf<Reader<'a>>,
    /// The lowest address of code (svma). Linkers set the addresses of functions that they threw
    /// away to 0 or 1: what lies below is none.
    pub lowest_code: u64,
}

impl<'a> ModuleDwarf<'a> {
    fn new(file: &'a ElfFile, supplement: Option<&'a ElfFile>) -> Self {
        // Unpacking takes the most time where sections are compressed: all at once.
        SECTIONS.par_iter().for_each(|id| {
            file.section_bytes(id.name());
        });
        let mut dwarf = load(file, |id| Some(id.name()));
        if let Some(supplement) = supplement {
            dwarf.set_sup(load(supplement, |id| Some(id.name())));
        }
        let code = file.headers.loads().filter(|p| p.is_executable()).map(|p| p.address);
        Self { dwarf, lowest_code: code.min().unwrap_or(0).max(1) }
    }
}

/// Loads the sections that are needed here. Sections without content are empty.
pub fn load<'a>(file: &'a ElfFile, name: fn(SectionId) -> Option<&'static str>) -> gimli::Dwarf<Reader<'a>> {
    let section = |id: SectionId| -> Result<Reader<'a>, gimli::Error> {
        let bytes = match name(id).filter(|_| SECTIONS.contains(&id)) {
            Some(name) => file.section_bytes(name),
            None => &[],
        };
        Ok(EndianSlice::new(bytes, file.endian()))
    };
    gimli::Dwarf::load(section).unwrap_or_default()
}

/// The frames at each address (svma; sorted, unique), innermost first; empty where DWARF knows nothing.
/// The flag says whether a part of the DWARF was damaged.
pub fn frames(modules: &ModuleSet, ix: ModuleIx, wanted: &[u64]) -> (Vec<Vec<SourceFrame>>, bool) {
    let mut frames = vec![Vec::new(); wanted.len()];
    let Some(file) = modules.get(ix).dwarf_file() else { return (frames, false) };
    let module = ModuleDwarf::new(file, modules.supplement(ix));
    let split = SplitFiles::new(modules, ix);
    let names = Names::new(&module.dwarf);
    let mut is_damaged = false;
    let mut listed = units::from_aranges(&module.dwarf, wanted);
    let mut work = std::mem::take(&mut listed.covering);
    // What the index of addresses does not have is looked for in the units that it does not have.
    loop {
        let found: Vec<(Vec<(usize, Vec<SourceFrame>)>, bool)> = work
            .par_iter()
            .map(|(unit, places)| {
                let its_wanted: Vec<u64> = places.iter().map(|&at| wanted[at]).collect();
                match unit_frames(&module, &names, &split, *unit, &its_wanted) {
                    Ok(found) => (places.iter().copied().zip(found).collect(), false),
                    Err(_) => (Vec::new(), true),
                }
            })
            .collect();
        for (found, damaged) in found {
            is_damaged |= damaged;
            for (at, found) in found {
                let knows_more = |f: &[SourceFrame]| f.last().is_some_and(|l| l.function.is_some());
                if frames[at].is_empty() || knows_more(&found) && !knows_more(&frames[at]) {
                    frames[at] = found;
                }
            }
        }
        let open: Vec<usize> = (0..wanted.len()).filter(|&at| frames[at].is_empty()).collect();
        match listed.rest.take().filter(|_| !open.is_empty()) {
            Some(known) => work = units::from_roots(file, &module, &known, wanted, &open),
            None => return (frames, is_damaged),
        }
    }
}

/// The frames of one unit at the addresses that it covers.
fn unit_frames<'a>(
    module: &ModuleDwarf<'a>,
    names: &Names<'_, 'a>,
    split: &SplitFiles,
    offset: gimli::DebugInfoOffset,
    wanted: &[u64],
) -> gimli::Result<Vec<Vec<SourceFrame>>> {
    let dwarf = &module.dwarf;
    let unit = dwarf.unit(dwarf.debug_info.header_from_offset(offset)?)?;
    let main = UnitRef::new(dwarf, &unit);
    let rows = lines::rows(main, module.lowest_code, wanted)?;
    let lowest = module.lowest_code;
    if unit.dwo_id.is_some()
        && let Some(found) = split
            .with_unit(dwarf, offset, |main, code, names| combine(main, code, names, &rows, lowest, wanted))
    {
        return found;
    }
    combine(main, main, names, &rows, lowest, wanted)
}

/// Puts functions and lines together. `code` is the unit with the functions, `main` the one with the
/// lines: they differ for split DWARF.
fn combine<'a>(
    main: UnitRef<Reader<'a>>,
    code: UnitRef<Reader<'a>>,
    names: &Names<'_, 'a>,
    rows: &[Option<lines::Row>],
    lowest_code: u64,
    wanted: &[u64],
) -> gimli::Result<Vec<Vec<SourceFrame>>> {
    let places = functions::find(code, lowest_code, wanted)?;
    let frames = wanted.iter().zip(places).zip(rows).map(|((&address, function), row)| {
        let innermost = row.map(|row| lines::location(main, row)).unwrap_or_default();
        match function {
            Some(function) => functions::frames(code, main, names, function, address, innermost),
            None if innermost.line.is_some() => Ok(vec![innermost]),
            None => Ok(Vec::new()),
        }
    });
    frames.collect()
}
