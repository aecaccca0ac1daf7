//! The function that covers an address, and the chain of functions inlined there.

use gimli::{AttributeValue, EntriesRaw, UnitOffset, UnitRef};

use super::dwarf::Reader;
use super::effort::Effort;
use super::names::{Names, Origin};
use super::units::add_covered;
use super::{SourceFrame, lines};

/// Deeper inlining is no program's; hostile DWARF nests without end.
const MAX_INLINED: usize = 512;

/// Addresses of an entry, as far as its attributes give them.
#[derive(Default)]
struct Ranges {
    low: Option<u64>,
    high: Option<u64>,
    size: Option<u64>,
    list: Option<gimli::RangeListsOffset>,
    sibling: Option<UnitOffset>,
}

impl Ranges {
    /// Takes the attribute if it is about addresses.
    fn take<'a>(
        &mut self,
        unit: UnitRef<Reader<'a>>,
        attr: &gimli::Attribute<Reader<'a>>,
    ) -> gimli::Result<()> {
        match attr.name() {
            gimli::DW_AT_low_pc => self.low = unit.attr_address(attr.value())?,
            gimli::DW_AT_high_pc => match attr.value() {
                AttributeValue::Udata(size) => self.size = Some(size),
                other => self.high = unit.attr_address(other)?,
            },
            gimli::DW_AT_ranges => self.list = unit.attr_ranges_offset(attr.value())?,
            gimli::DW_AT_sibling => {
                if let AttributeValue::UnitRef(offset) = attr.value() {
                    self.sibling = Some(offset);
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Calls `each` with every range; whether there was one.
    fn each(&self, view: &UnitView, mut each: impl FnMut(gimli::Range)) -> gimli::Result<bool> {
        if let Some(list) = self.list {
            let mut ranges = view.code.ranges(list)?;
            while let Some(range) = ranges.next()? {
                view.effort.step()?;
                each(range);
            }
            return Ok(true);
        }
        let end = self.high.or_else(|| self.low?.checked_add(self.size?));
        if let (Some(begin), Some(end)) = (self.low, end) {
            each(gimli::Range { begin, end });
        }
        Ok(self.low.is_some())
    }
}

/// A unit, and what is needed to name and place its functions.
pub struct UnitView<'u, 'a> {
    /// The unit with the functions.
    pub code: UnitRef<'u, Reader<'a>>,
    /// The unit with the lines: another one for split DWARF.
    pub main: UnitRef<'u, Reader<'a>>,
    /// Names of its entries.
    pub names: &'u Names<'u, 'a>,
    /// The lowest address of code.
    pub lowest_code: u64,
    /// The work that it may still make.
    pub effort: Effort,
}

/// The entry of the function that covers each wanted address.
pub fn find(view: &UnitView, wanted: &[u64]) -> gimli::Result<Vec<Option<UnitOffset>>> {
    let mut found = vec![None; wanted.len()];
    scan(view, wanted, true, &mut found)?;
    if found.contains(&None) {
        // Functions inside of functions and types: GNU C's nested functions.
        scan(view, wanted, false, &mut found)?;
    }
    Ok(found)
}

/// One pass over the entries of the unit. A fast one jumps over what functions and types contain, where
/// the compiler says where that ends (GCC does; clang and rustc do not, and Rust's types contain
/// functions).
fn scan(
    view: &UnitView,
    wanted: &[u64],
    is_fast: bool,
    found: &mut [Option<UnitOffset>],
) -> gimli::Result<()> {
    let unit = view.code;
    let mut entries = unit.entries_raw(None)?;
    let mut covered = Vec::new();
    while !entries.is_empty() {
        let offset = entries.next_offset();
        let Some(abbrev) = entries.read_abbreviation()? else { continue };
        let is_function = abbrev.tag() == gimli::DW_TAG_subprogram;
        let is_jumped = is_fast && abbrev.has_children() && (is_function || contains_no_code(abbrev.tag()));
        if !is_function && !is_jumped {
            entries.skip_attributes(abbrev.attributes())?;
            continue;
        }
        let mut ranges = Ranges::default();
        for spec in abbrev.attributes() {
            let attr = entries.read_attribute(*spec)?;
            ranges.take(unit, &attr)?;
        }
        covered.clear();
        if is_function {
            ranges.each(view, |range| {
                if range.begin >= view.lowest_code {
                    add_covered(&mut covered, wanted, range);
                }
            })?;
        }
        for &at in &covered {
            view.effort.step()?;
            // The innermost comes last.
            found[at] = Some(offset);
        }
        if let Some(next) =
            ranges.sibling.filter(|s| is_jumped && covered.is_empty() && *s > entries.next_offset())
        {
            entries = unit.entries_raw(Some(next))?;
        }
    }
    Ok(())
}

fn contains_no_code(tag: gimli::DwTag) -> bool {
    matches!(
        tag,
        gimli::DW_TAG_structure_type
            | gimli::DW_TAG_class_type
            | gimli::DW_TAG_union_type
            | gimli::DW_TAG_enumeration_type
            | gimli::DW_TAG_array_type
            | gimli::DW_TAG_subroutine_type
    )
}

/// A call that was inlined.
#[derive(Clone, Copy)]
struct Inlined<'a> {
    depth: isize,
    origin: Origin<'a>,
    call_file: Option<u64>,
    call_line: Option<u32>,
}

/// The frames at each of the wanted addresses, all in the function at `function`, innermost first. `places` are
/// frames of which only the place of the innermost is known.
pub fn frames(
    view: &UnitView,
    function: UnitOffset,
    wanted: &[u64],
    places: Vec<SourceFrame>,
) -> gimli::Result<Vec<Vec<SourceFrame>>> {
    let mut entries = view.code.entries_raw(Some(function))?;
    let mut origin = Origin::new(function);
    if let Some(abbrev) = entries.read_abbreviation()? {
        for spec in abbrev.attributes() {
            origin.take(&entries.read_attribute(*spec)?);
        }
    }
    let name = view.names.name(view.code, origin, &view.effort);
    let chains = inlined(view, entries, wanted)?;
    let frames = chains.into_iter().zip(places).map(|(chain, innermost)| {
        let mut frames = Vec::with_capacity(chain.len() + 1);
        let mut here = innermost;
        for call in chain.into_iter().rev() {
            let function = view.names.name(view.code, call.origin, &view.effort);
            frames.push(SourceFrame { function, is_inlined: true, ..here });
            here = lines::call_location(view.main, call.call_file, call.call_line);
        }
        frames.push(SourceFrame { function: name.clone(), ..here });
        frames
    });
    Ok(frames.collect())
}

/// The inlined calls around each of the addresses, outermost first. `entries` stands at the function's children.
fn inlined<'a>(
    view: &UnitView<'_, 'a>,
    mut entries: EntriesRaw<Reader<'a>>,
    wanted: &[u64],
) -> gimli::Result<Vec<Vec<Inlined<'a>>>> {
    let mut chains = vec![Vec::new(); wanted.len()];
    let mut covered = Vec::new();
    while entries.next_depth() > 0 && !entries.is_empty() {
        view.effort.step()?;
        let depth = entries.next_depth();
        let Some(abbrev) = entries.read_abbreviation()? else { continue };
        let tag = abbrev.tag();
        let is_inlined = tag == gimli::DW_TAG_inlined_subroutine;
        if !is_inlined && tag != gimli::DW_TAG_lexical_block {
            entries.skip_attributes(abbrev.attributes())?;
            if tag == gimli::DW_TAG_subprogram {
                skip_children(view, &mut entries, depth)?;
            }
            continue;
        }
        let mut ranges = Ranges::default();
        let mut call = Inlined { depth, origin: Origin::default(), call_file: None, call_line: None };
        for spec in abbrev.attributes() {
            let attr = entries.read_attribute(*spec)?;
            ranges.take(view.code, &attr)?;
            call.origin.take(&attr);
            match attr.name() {
                gimli::DW_AT_call_file => call.call_file = file_index(attr.value()),
                gimli::DW_AT_call_line => {
                    call.call_line = attr.udata_value().and_then(|l| u32::try_from(l).ok());
                }
                _ => {}
            }
        }
        covered.clear();
        let states_addresses = ranges.each(view, |range| add_covered(&mut covered, wanted, range))?;
        for &at in covered.iter().filter(|_| is_inlined) {
            view.effort.step()?;
            let chain: &mut Vec<Inlined> = &mut chains[at];
            // An entry that does not contain this one, and claims the address all the same.
            chain.truncate(chain.partition_point(|c| c.depth < depth));
            if chain.len() < MAX_INLINED {
                chain.push(call);
            }
        }
        // A block without addresses of its own may contain calls.
        if covered.is_empty() && (is_inlined || states_addresses) {
            skip_children(view, &mut entries, depth)?;
        }
    }
    Ok(chains)
}

fn file_index(value: AttributeValue<Reader>) -> Option<u64> {
    match value {
        AttributeValue::FileIndex(ix) => Some(ix),
        other => other.udata_value(),
    }
}

/// Goes on behind the children of the entry at `depth` that was just read.
fn skip_children(view: &UnitView, entries: &mut EntriesRaw<Reader>, depth: isize) -> gimli::Result<()> {
    while entries.next_depth() > depth && !entries.is_empty() {
        view.effort.step()?;
        if let Some(abbrev) = entries.read_abbreviation()? {
            entries.skip_attributes(abbrev.attributes())?;
        }
    }
    Ok(())
}
