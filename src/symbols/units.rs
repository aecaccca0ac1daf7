//! Which units of a file cover the wanted addresses, without parsing more than their first entry.

use std::sync::Arc;

use gimli::{Abbreviations, DebugAbbrev, DebugInfoOffset, EndianSlice, Reader as _, UnitHeader, UnitType};
use rustc_hash::{FxHashMap, FxHashSet};

use super::dwarf::{ModuleDwarf, Reader};
use crate::modules::ElfFile;

/// An address is claimed by every unit that has the inline function it lies in: thousands, for some hundred
/// addresses. Hostile files claim more.
const MAX_CLAIMS: usize = 8_000_000;

/// A unit and the indexes of the wanted addresses that it covers.
pub type UnitWork = (DebugInfoOffset, Vec<usize>);

/// What `.debug_aranges` says.
pub struct Listed {
    /// Units that cover wanted addresses, in the order of their offsets.
    pub covering: Vec<UnitWork>,
    /// All units that it lists.
    pub units: FxHashSet<usize>,
}

/// Looks the addresses up in `.debug_aranges`, which GCC writes and clang does not.
pub fn from_aranges(dwarf: &gimli::Dwarf<Reader>, wanted: &[u64]) -> Listed {
    let mut covering = Vec::new();
    let mut claims = 0;
    let mut known = FxHashSet::default();
    let mut headers = dwarf.debug_aranges.headers();
    while let Ok(Some(header)) = headers.next() {
        let unit = header.debug_info_offset();
        known.insert(unit.0);
        let mut entries = header.entries();
        let mut places = Vec::new();
        // The iterator ends itself after an error.
        while let Some(entry) = entries.next().unwrap_or(None) {
            add_covered(&mut places, wanted, entry.range());
        }
        claims += places.len();
        if !places.is_empty() && claims < MAX_CLAIMS {
            covering.push((unit, places));
        }
    }
    Listed { covering: merged(covering), units: known }
}

/// Looks in the first entry of every unit that is not `known` for the addresses that are still `open`.
pub fn from_roots(
    file: &ElfFile,
    module: &ModuleDwarf,
    known: &FxHashSet<usize>,
    wanted: &[u64],
    open: &[usize],
) -> Vec<UnitWork> {
    let addresses: Vec<u64> = open.iter().map(|&at| wanted[at]).collect();
    let mut claims = 0;
    let mut roots = Roots::new(file);
    let mut covering = Vec::new();
    let mut headers = module.dwarf.units();
    // Ends itself after an error.
    while let Ok(Some(header)) = headers.next() {
        let Some(offset) = header.debug_info_offset().filter(|o| !known.contains(&o.0)) else { continue };
        if !matches!(header.type_(), UnitType::Compilation | UnitType::Skeleton(_)) {
            continue;
        }
        let mut places = Vec::new();
        let is_read = roots.covered(module, header, &addresses, &mut places).is_some();
        claims += places.len();
        if is_read && !places.is_empty() && claims < MAX_CLAIMS {
            covering.push((offset, places.into_iter().map(|at| open[at]).collect()));
        }
    }
    merged(covering)
}

/// One entry for each unit, in the order of their offsets.
fn merged(mut work: Vec<UnitWork>) -> Vec<UnitWork> {
    work.sort_by_key(|(unit, _)| unit.0);
    let mut merged: Vec<UnitWork> = Vec::new();
    for (unit, places) in work {
        match merged.last_mut().filter(|(last, _)| *last == unit) {
            Some((_, known)) => known.extend(places),
            None => merged.push((unit, places)),
        }
    }
    for (_, places) in &mut merged {
        places.sort_unstable();
        places.dedup();
    }
    merged
}

/// Adds the indexes of the addresses that the range covers.
pub fn add_covered(places: &mut Vec<usize>, wanted: &[u64], range: gimli::Range) {
    // Ranges that overlap add an address twice; one that does so without end is not followed.
    if places.len() > wanted.len().saturating_mul(4) {
        return;
    }
    let from = wanted.partition_point(|&w| w < range.begin);
    let covered = wanted.iter().skip(from).take_while(|&&w| w < range.end).count();
    places.extend(from..from + covered);
}

/// Reads the first entries of units. A file has thousands of units, and parsing the abbreviations
/// and the line table of each takes longer than all the rest: here only the one abbreviation is read.
struct Roots<'a> {
    info: &'a [u8],
    abbrev: &'a [u8],
    endian: gimli::RunTimeEndian,
    /// Abbreviations by table and code: units that one compiler run wrote share them.
    known: FxHashMap<(usize, u64), Arc<Abbreviations>>,
    /// Bytes of abbreviations that may still be read: each unit has its own table, or all share one.
    left: usize,
}

impl<'a> Roots<'a> {
    fn new(file: &'a ElfFile) -> Self {
        Self {
            info: file.section_bytes(".debug_info"),
            abbrev: file.section_bytes(".debug_abbrev"),
            endian: file.endian(),
            known: FxHashMap::default(),
            left: file.section_bytes(".debug_abbrev").len().saturating_mul(4).saturating_add(1 << 20),
        }
    }

    fn covered(
        &mut self,
        module: &ModuleDwarf,
        header: UnitHeader<Reader>,
        wanted: &[u64],
        places: &mut Vec<usize>,
    ) -> Option<()> {
        let abbreviations = self.abbreviation(&header)?;
        let dwarf = &module.dwarf;
        let unit = gimli::Unit::new_with_abbreviations(dwarf, header, abbreviations).ok()?;
        let mut ranges = dwarf.unit_ranges(&unit).ok()?;
        let mut has_range = false;
        while let Some(range) = ranges.next().ok()? {
            has_range = true;
            if range.begin >= module.lowest_code {
                add_covered(places, wanted, range);
            }
        }
        // A unit that states no ranges may cover anything.
        if !has_range {
            places.extend(0..wanted.len());
        }
        Some(())
    }

    /// The abbreviation of the first entry, as a table of its own.
    fn abbreviation(&mut self, header: &UnitHeader<Reader>) -> Option<Arc<Abbreviations>> {
        let root = header.debug_info_offset()?.0.checked_add(header.header_size())?;
        let mut entry = EndianSlice::new(self.info.get(root..)?, self.endian);
        let code = entry.read_uleb128().ok()?;
        let key = (header.debug_abbrev_offset().0, code);
        if let Some(known) = self.known.get(&key) {
            return Some(known.clone());
        }
        let table = self.abbrev.get(key.0..)?;
        let table = &table[..table.len().min(self.left)];
        let mut input = EndianSlice::new(table, self.endian);
        let single = single_abbreviation(&mut input, code);
        self.left -= table.len() - input.slice().len();
        let table = single?;
        let abbreviations =
            DebugAbbrev::new(&table, self.endian).abbreviations(gimli::DebugAbbrevOffset(0)).ok()?;
        let abbreviations = Arc::new(abbreviations);
        self.known.insert(key, abbreviations.clone());
        Some(abbreviations)
    }
}

/// Copies the declaration of one code out of an abbreviation table: code, tag, has-children, then pairs
/// of name and form up to 0 0, `DW_FORM_implicit_const` with a value behind it. Attributes that cost time
/// and say nothing of addresses get a name that nobody reads.
fn single_abbreviation(input: &mut Reader, wanted: u64) -> Option<Vec<u8>> {
    const UNREAD: u64 = 0x3ffe;
    loop {
        let code = input.read_uleb128().ok().filter(|&c| c != 0)?;
        let tag = input.read_uleb128().ok()?;
        let children = input.read_u8().ok()?;
        let mut copy = Vec::new();
        uleb(&mut copy, code);
        uleb(&mut copy, tag);
        copy.push(children);
        loop {
            let name = input.read_uleb128().ok()?;
            let form = input.read_uleb128().ok()?;
            let is_unread =
                [gimli::DW_AT_stmt_list, gimli::DW_AT_name, gimli::DW_AT_comp_dir, gimli::DW_AT_producer]
                    .iter()
                    .any(|at| u64::from(at.0) == name);
            uleb(&mut copy, if is_unread { UNREAD } else { name });
            uleb(&mut copy, form);
            if form == u64::from(gimli::DW_FORM_implicit_const.0) {
                let before = input.slice();
                input.read_sleb128().ok()?;
                copy.extend_from_slice(&before[..before.len() - input.slice().len()]);
            }
            if name == 0 && form == 0 {
                break;
            }
        }
        if code == wanted {
            copy.push(0);
            return Some(copy);
        }
    }
}

fn uleb(out: &mut Vec<u8>, mut value: u64) {
    loop {
        let byte = (value & 0x7f) as u8;
        value >>= 7;
        if value == 0 {
            out.push(byte);
            return;
        }
        out.push(byte | 0x80);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_the_one_abbreviation() {
        // 2: variable, no children, DW_AT_decl_file implicit_const -1; 1: unit, DW_AT_stmt_list, DW_AT_low_pc.
        let table = [2, 0x34, 0, 0x3a, 0x21, 0x7f, 0, 0, 1, 0x11, 1, 0x10, 0x17, 0x11, 1, 0, 0, 0];
        let single = |table: &[u8], code| {
            single_abbreviation(&mut EndianSlice::new(table, gimli::RunTimeEndian::Little), code)
        };
        let expected = [1, 0x11, 1, 0xfe, 0x7f, 0x17, 0x11, 1, 0, 0, 0];
        assert_eq!(single(&table, 1).unwrap(), expected);
        assert_eq!(single(&table, 2).unwrap(), [2, 0x34, 0, 0x3a, 0x21, 0x7f, 0, 0, 0]);
        assert_eq!(single(&table, 3), None);
        assert_eq!(single(&table[..7], 1), None);
    }
}
