//! Functions, inlined functions and lines from DWARF, for the few addresses that are wanted.
//!
//! `addr2line` answers any address of a file, and reads every unit and all functions of a unit for that;
//! the addresses of a dump are known beforehand. So the units that cover them are found first
//! (`units`), then their functions (`functions`) and lines (`lines`), each in one pass that tests
//! against the wanted addresses and keeps nothing else.

use std::collections::BTreeMap;

use gimli::{DebugInfoOffset, EndianSlice, RunTimeEndian, Section as _, SectionId, UnitOffset, UnitRef};
use rayon::prelude::*;

use super::effort::Effort;
use super::functions::UnitView;
use super::names::Names;
use super::rounds::in_rounds;
use super::split::SplitFiles;
use super::units::UnitWork;
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
        unpack(file);
        let mut dwarf = load(file, |id| Some(id.name()));
        if let Some(supplement) = supplement {
            dwarf.set_sup(load(supplement, |id| Some(id.name())));
        }
        let code = file.headers.loads().filter(|p| p.is_executable()).map(|p| p.address);
        Self { dwarf, lowest_code: code.min().unwrap_or(0).max(1) }
    }
}

/// Unpacks the sections that are needed here, all at once: where they are compressed, that takes most of
/// the time. The file keeps them.
pub fn unpack(file: &ElfFile) {
    SECTIONS.par_iter().for_each(|id| {
        file.section_bytes(id.name());
    });
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
    let mut ask = |work: &[UnitWork], frames: &mut Vec<Vec<SourceFrame>>| {
        let units: Vec<Option<ParsedUnit>> =
            work.par_iter().map(|(unit, _)| module.unit(*unit).ok()).collect();
        let units = with_line_budget(&module, units);
        let found: Vec<Option<(Vec<Vec<SourceFrame>>, bool)>> = (work, units)
            .into_par_iter()
            .map(|((_, places), unit)| {
                let its_wanted: Vec<u64> = places.iter().map(|&at| wanted[at]).collect();
                unit_frames(&module, &names, &split, unit?, &its_wanted).ok()
            })
            .collect();
        is_damaged |= found.iter().any(|f| f.as_ref().is_none_or(|(_, damaged)| *damaged));
        for ((_, places), found) in work.iter().zip(found) {
            for (&at, found) in places.iter().zip(found.into_iter().flat_map(|(found, _)| found)) {
                let has_function = |f: &[SourceFrame]| f.last().is_some_and(|l| l.function.is_some());
                if frames[at].is_empty() || has_function(&found) && !has_function(&frames[at]) {
                    frames[at] = found;
                }
            }
        }
    };
    let listed = units::from_aranges(&module.dwarf, wanted);
    in_rounds(listed.covering, &mut frames, &mut ask);
    // What the index of addresses does not have is looked for in the units that it does not have.
    let open: Vec<usize> = (0..wanted.len()).filter(|&at| frames[at].is_empty()).collect();
    if !open.is_empty() {
        let covering = units::from_roots(file, &module, &listed.units, wanted, &open);
        in_rounds(covering, &mut frames, &mut ask);
    }
    (frames, is_damaged)
}

/// A unit of the file, at its offset.
struct ParsedUnit<'a> {
    offset: DebugInfoOffset,
    unit: gimli::Unit<Reader<'a>>,
    /// Whether its line program is run.
    has_lines: bool,
}

impl<'a> ModuleDwarf<'a> {
    fn unit(&self, offset: DebugInfoOffset) -> gimli::Result<ParsedUnit<'a>> {
        let unit = self.dwarf.unit(self.dwarf.debug_info.header_from_offset(offset)?)?;
        Ok(ParsedUnit { offset, unit, has_lines: true })
    }
}

/// Units of a hostile file may all name one huge line program. The first ones get theirs, as far as all of
/// `.debug_line` is long; decided before the work is shared out, so that the result is always the same.
fn with_line_budget<'a>(
    module: &ModuleDwarf,
    mut units: Vec<Option<ParsedUnit<'a>>>,
) -> Vec<Option<ParsedUnit<'a>>> {
    let mut left = module.dwarf.debug_line.reader().len().saturating_mul(2);
    for unit in units.iter_mut().flatten() {
        let size = unit.unit.line_program.as_ref().map_or(0, |p| p.header().raw_program_buf().len());
        unit.has_lines = size <= left;
        left = left.saturating_sub(size);
    }
    units
}

/// The frames of one unit at the addresses that it covers, and whether its lines are damaged.
fn unit_frames<'a>(
    module: &ModuleDwarf<'a>,
    names: &Names<'_, 'a>,
    split: &SplitFiles,
    parsed: ParsedUnit<'a>,
    wanted: &[u64],
) -> gimli::Result<(Vec<Vec<SourceFrame>>, bool)> {
    let dwarf = &module.dwarf;
    let lowest_code = module.lowest_code;
    let main = UnitRef::new(dwarf, &parsed.unit);
    let rows = match parsed.has_lines {
        true => lines::rows(main, lowest_code, wanted),
        false => Err(gimli::Error::TooManyIterations),
    };
    // Without lines there are still functions.
    let is_damaged = rows.is_err();
    let rows = rows.unwrap_or_else(|_| vec![None; wanted.len()]);
    if parsed.unit.dwo_id.is_some() {
        let found = split.with_unit(dwarf, parsed.offset, |main, code, names| {
            let effort = Effort::for_unit(code.header.length_including_self());
            combine(&UnitView { code, main, names, lowest_code, effort }, &rows, wanted)
        });
        if let Some(found) = found {
            return Ok((found?, is_damaged));
        }
    }
    let effort = Effort::for_unit(parsed.unit.header.length_including_self());
    Ok((combine(&UnitView { code: main, main, names, lowest_code, effort }, &rows, wanted)?, is_damaged))
}

/// Puts functions and lines together.
fn combine(
    view: &UnitView,
    rows: &[Option<lines::Row>],
    wanted: &[u64],
) -> gimli::Result<Vec<Vec<SourceFrame>>> {
    let place = |at: usize| rows[at].map(|row| lines::location(view.main, row)).unwrap_or_default();
    let mut frames = vec![Vec::new(); wanted.len()];
    // Addresses in one function are looked at together.
    let mut by_function: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (at, function) in functions::find(view, wanted)?.into_iter().enumerate() {
        match function {
            Some(function) => by_function.entry(function.0).or_default().push(at),
            None => frames[at].extend(Some(place(at)).filter(|p| p.line.is_some())),
        }
    }
    for (function, places) in by_function {
        let addresses: Vec<u64> = places.iter().map(|&at| wanted[at]).collect();
        let innermost = places.iter().map(|&at| place(at)).collect();
        let found = functions::frames(view, UnitOffset(function), &addresses, innermost)?;
        for (at, found) in places.into_iter().zip(found) {
            frames[at] = found;
        }
    }
    Ok(frames)
}
