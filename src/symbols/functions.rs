//! The function that covers an address, and the chain of functions inlined there.

use gimli::{AttributeValue, EntriesRaw, UnitOffset, UnitRef};

use super::dwarf::Reader;
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
    fn each(&self, unit: UnitRef<Reader>, mut each: impl FnMut(gimli::Range)) -> gimli::Result<bool> {
        if let Some(list) = self.list {
            let mut ranges = unit.ranges(list)?;
            while let Some(range) = ranges.next()? {
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

    /// Whether it covers the address; `None` where it states no addresses.
    fn covers(&self, unit: UnitRef<Reader>, address: u64) -> gimli::Result<Option<bool>> {
        let mut covers = false;
        let states = self.each(unit, |r| covers |= (r.begin..r.end).contains(&address))?;
        Ok(states.then_some(covers))
    }
}

/// The entry of the function that covers each wanted address.
pub fn find(
    unit: UnitRef<Reader>,
    lowest_code: u64,
    wanted: &[u64],
) -> gimli::Result<Vec<Option<UnitOffset>>> {
    let mut found = vec![None; wanted.len()];
    scan(unit, lowest_code, wanted, true, &mut found)?;
    if found.contains(&None) {
        // Functions inside of functions and types: GNU C's nested functions.
        scan(unit, lowest_code, wanted, false, &mut found)?;
    }
    Ok(found)
}

/// One pass over the entries of the unit. A fast one jumps over what functions and types contain, where
/// the compiler says where that ends (GCC does; clang and rustc do not, and Rust's types contain
/// functions).
fn scan(
    unit: UnitRef<Reader>,
    lowest_code: u64,
    wanted: &[u64],
    is_fast: bool,
    found: &mut [Option<UnitOffset>],
) -> gimli::Result<()> {
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
            ranges.each(unit, |range| {
                if range.begin >= lowest_code {
                    add_covered(&mut covered, wanted, range);
                }
            })?;
        }
        for &at in &covered {
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
struct Inlined<'a> {
    origin: Origin<'a>,
    call_file: Option<u64>,
    call_line: Option<u32>,
}

/// The frames at `address` in the function at `function`, innermost first. `code` is the unit with the
/// functions, `main` the one with the lines: they differ for split DWARF.
pub fn frames<'a>(
    code: UnitRef<Reader<'a>>,
    main: UnitRef<Reader>,
    names: &Names<'_, 'a>,
    function: UnitOffset,
    address: u64,
    innermost: SourceFrame,
) -> gimli::Result<Vec<SourceFrame>> {
    let mut entries = code.entries_raw(Some(function))?;
    let mut origin = Origin::new(function);
    if let Some(abbrev) = entries.read_abbreviation()? {
        for spec in abbrev.attributes() {
            origin.take(&entries.read_attribute(*spec)?);
        }
    }
    let inlined = inlined_at(code, entries, address)?;
    let mut frames = Vec::with_capacity(inlined.len() + 1);
    let mut here = innermost;
    for call in inlined.into_iter().rev() {
        frames.push(SourceFrame { function: names.name(code, call.origin), is_inlined: true, ..here });
        here = lines::call_location(main, call.call_file, call.call_line);
    }
    frames.push(SourceFrame { function: names.name(code, origin), ..here });
    Ok(frames)
}

/// The inlined calls around the address, outermost first. `entries` stands at the function's children.
fn inlined_at<'a>(
    unit: UnitRef<Reader<'a>>,
    mut entries: EntriesRaw<Reader<'a>>,
    address: u64,
) -> gimli::Result<Vec<Inlined<'a>>> {
    let mut chain = Vec::new();
    while entries.next_depth() > 0 && !entries.is_empty() && chain.len() < MAX_INLINED {
        let depth = entries.next_depth();
        let Some(abbrev) = entries.read_abbreviation()? else { continue };
        let tag = abbrev.tag();
        let is_inlined = tag == gimli::DW_TAG_inlined_subroutine;
        if !is_inlined && tag != gimli::DW_TAG_lexical_block {
            entries.skip_attributes(abbrev.attributes())?;
            if tag == gimli::DW_TAG_subprogram {
                skip_children(&mut entries, depth)?;
            }
            continue;
        }
        let mut ranges = Ranges::default();
        let mut call = Inlined { origin: Origin::default(), call_file: None, call_line: None };
        for spec in abbrev.attributes() {
            let attr = entries.read_attribute(*spec)?;
            ranges.take(unit, &attr)?;
            call.origin.take(&attr);
            match attr.name() {
                gimli::DW_AT_call_file => call.call_file = file_index(attr.value()),
                gimli::DW_AT_call_line => {
                    call.call_line = attr.udata_value().and_then(|l| u32::try_from(l).ok())
                }
                _ => {}
            }
        }
        match ranges.covers(unit, address)? {
            Some(true) if is_inlined => chain.push(call),
            // A block without addresses of its own may contain calls.
            Some(true) | None if !is_inlined => {}
            _ => skip_children(&mut entries, depth)?,
        }
    }
    Ok(chain)
}

fn file_index(value: AttributeValue<Reader>) -> Option<u64> {
    match value {
        AttributeValue::FileIndex(ix) => Some(ix),
        other => other.udata_value(),
    }
}

/// Goes on behind the children of the entry at `depth` that was just read.
fn skip_children(entries: &mut EntriesRaw<Reader>, depth: isize) -> gimli::Result<()> {
    while entries.next_depth() > depth && !entries.is_empty() {
        if let Some(abbrev) = entries.read_abbreviation()? {
            entries.skip_attributes(abbrev.attributes())?;
        }
    }
    Ok(())
}
