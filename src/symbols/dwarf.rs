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

/// After so many units that claimed an address and did not know it, all others are asked at once.
const MAX_ROUNDS: usize = 8;

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
    let resolve = |work: &[units::UnitWork], frames: &mut Vec<Vec<SourceFrame>>| {
        let found: Vec<Option<Vec<Vec<SourceFrame>>>> = work
            .par_iter()
            .map(|(unit, places)| {
                let its_wanted: Vec<u64> = places.iter().map(|&at| wanted[at]).collect();
                unit_frames(&module, &names, &split, *unit, &its_wanted).ok()
            })
            .collect();
        let is_damaged = found.contains(&None);
        for ((_, places), found) in work.iter().zip(found) {
            for (&at, found) in places.iter().zip(found.into_iter().flatten()) {
                let has_function = |f: &[SourceFrame]| f.last().is_some_and(|l| l.function.is_some());
                if frames[at].is_empty() || has_function(&found) && !has_function(&frames[at]) {
                    frames[at] = found;
                }
            }
        }
        is_damaged
    };
    let listed = units::from_aranges(&module.dwarf, wanted);
    let mut is_damaged = in_rounds(listed.covering, &mut frames, resolve);
    // What the index of addresses does not have is looked for in the units that it does not have.
    let open: Vec<usize> = (0..wanted.len()).filter(|&at| frames[at].is_empty()).collect();
    if !open.is_empty() {
        let covering = units::from_roots(file, &module, &listed.units, wanted, &open);
        is_damaged |= in_rounds(covering, &mut frames, resolve);
    }
    (frames, is_damaged)
}

/// Several units may claim an address: GNU ld keeps one copy of an inline function and lets the DWARF of
/// all its copies point to it. The first that claims an address is asked first, the others only where that
/// one knows nothing.
fn in_rounds(
    mut work: Vec<units::UnitWork>,
    frames: &mut Vec<Vec<SourceFrame>>,
    resolve: impl Fn(&[units::UnitWork], &mut Vec<Vec<SourceFrame>>) -> bool,
) -> bool {
    let mut is_damaged = false;
    let mut round = 0;
    while !work.is_empty() {
        round += 1;
        let now = if round < MAX_ROUNDS {
            first_claims(&mut work, frames.len())
        } else {
            std::mem::take(&mut work)
        };
        is_damaged |= resolve(&now, frames);
        work.retain_mut(|(_, places)| {
            places.retain(|&at| frames[at].is_empty());
            !places.is_empty()
        });
    }
    is_damaged
}

/// Takes each address out of the work of the first unit that claims it.
fn first_claims(work: &mut [units::UnitWork], addresses: usize) -> Vec<units::UnitWork> {
    let mut is_taken = vec![false; addresses];
    let mut first = Vec::new();
    for (unit, places) in work {
        let mut mine = Vec::new();
        places.retain(|&at| {
            let was_taken = std::mem::replace(&mut is_taken[at], true);
            if !was_taken {
                mine.push(at);
            }
            was_taken
        });
        if !mine.is_empty() {
            first.push((*unit, mine));
        }
    }
    first
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
