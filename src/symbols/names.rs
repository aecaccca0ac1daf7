//! The name of a function's entry: its own, or that of the entry that it refers to.

use std::sync::{Arc, Mutex, OnceLock};

use gimli::{AttributeValue, DebugInfoOffset, Dwarf, Unit, UnitHeader, UnitOffset, UnitRef};
use rustc_hash::FxHashMap;

use super::demangle::demangle;
use super::dwarf::Reader;
use super::effort::Effort;
use super::scope::Scopes;
use crate::model::Str;

/// Concrete instance → abstract instance → declaration is three; dwz and LTO add some.
const MAX_REFERENCES: usize = 16;

/// What the attributes of an entry say of its name.
#[derive(Clone, Copy, Default)]
pub struct Origin<'a> {
    linkage: Option<AttributeValue<Reader<'a>>>,
    name: Option<AttributeValue<Reader<'a>>>,
    /// Where the entry with the name is, for the namespace around it.
    at: Option<UnitOffset>,
    reference: Option<AttributeValue<Reader<'a>>>,
}

impl<'a> Origin<'a> {
    /// Nothing is known yet of the entry at this offset.
    pub fn new(at: UnitOffset) -> Self {
        Self { linkage: None, name: None, at: Some(at), reference: None }
    }

    /// Takes the attribute if it is about the name.
    pub fn take(&mut self, attr: &gimli::Attribute<Reader<'a>>) {
        match attr.name() {
            gimli::DW_AT_linkage_name | gimli::DW_AT_MIPS_linkage_name => self.linkage = Some(attr.value()),
            gimli::DW_AT_name => self.name = Some(attr.value()),
            gimli::DW_AT_abstract_origin | gimli::DW_AT_specification => self.reference = Some(attr.value()),
            _ => {}
        }
    }
}

/// Follows references between entries, units, and the supplement.
pub struct Names<'d, 'a> {
    main: Units<'d, 'a>,
    supplement: Option<Units<'d, 'a>>,
    scopes: Scopes<'a>,
}

/// The units of one file.
struct Units<'d, 'a> {
    dwarf: &'d Dwarf<Reader<'a>>,
    headers: OnceLock<Vec<UnitHeader<Reader<'a>>>>,
    parsed: Mutex<FxHashMap<usize, Arc<Unit<Reader<'a>>>>>,
}

impl<'d, 'a> Names<'d, 'a> {
    /// Nothing is read yet.
    pub fn new(dwarf: &'d Dwarf<Reader<'a>>) -> Self {
        Self { main: Units::new(dwarf), supplement: dwarf.sup().map(Units::new), scopes: Scopes::default() }
    }

    /// The name of an entry of `unit`: its linkage name as people write it, else its plain name.
    pub fn name(&self, unit: UnitRef<Reader<'a>>, origin: Origin<'a>, effort: &Effort) -> Option<Str> {
        let mut found = Found { effort, linkage: None, plain: None, prefix: String::new() };
        self.follow(&self.main, unit, origin, MAX_REFERENCES, &mut found);
        let text = |reader: Reader<'a>| Some(reader.to_string_lossy()).filter(|t| !t.is_empty());
        let plain = found.plain.and_then(text).map(|name| match &*found.prefix {
            "" => name,
            prefix => format!("{prefix}::{name}").into(),
        });
        let demangled = found.linkage.and_then(text).map(|l| demangle(&l).into_owned());
        // What cannot be demangled is better called by its plain name.
        let is_mangled = |name: &str| name.starts_with("_Z") || name.starts_with("_R");
        match (demangled, plain) {
            (Some(linkage), Some(plain)) if is_mangled(&linkage) => Some(plain.as_ref().into()),
            (Some(linkage), _) => Some(linkage.into()),
            (None, plain) => Some(plain?.as_ref().into()),
        }
    }

    fn follow(
        &self,
        file: &Units<'d, 'a>,
        unit: UnitRef<Reader<'a>>,
        origin: Origin<'a>,
        left: usize,
        found: &mut Found<'_, 'a>,
    ) {
        let text = |value: Option<AttributeValue<Reader<'a>>>| unit.attr_string(value?).ok();
        found.linkage = text(origin.linkage);
        let own = text(origin.name).filter(|_| found.plain.is_none());
        found.plain = found.plain.or(own);
        if left > 0 && found.linkage.is_none() {
            self.follow_reference(file, unit, origin.reference, left - 1, found);
        }
        if own.is_some() && found.linkage.is_none() {
            found.prefix = origin.at.map(|at| self.scopes.prefix(unit, at, found.effort)).unwrap_or_default();
        }
    }

    fn follow_reference(
        &self,
        file: &Units<'d, 'a>,
        unit: UnitRef<Reader<'a>>,
        reference: Option<AttributeValue<Reader<'a>>>,
        left: usize,
        found: &mut Found<'_, 'a>,
    ) {
        match reference {
            Some(AttributeValue::UnitRef(offset)) => {
                if let Some(origin) = origin_at(unit, offset) {
                    self.follow(file, unit, origin, left, found);
                }
            }
            Some(AttributeValue::DebugInfoRef(offset)) => self.follow_into(file, offset, left, found),
            Some(AttributeValue::DebugInfoRefSup(offset)) => {
                if let Some(supplement) = &self.supplement {
                    self.follow_into(supplement, offset, left, found);
                }
            }
            _ => {}
        }
    }

    fn follow_into(
        &self,
        file: &Units<'d, 'a>,
        offset: DebugInfoOffset,
        left: usize,
        found: &mut Found<'_, 'a>,
    ) {
        let Some(unit) = file.unit_at(offset) else { return };
        let unit = UnitRef::new(file.dwarf, &unit);
        if let Some(origin) = offset.to_unit_offset(&unit.header).and_then(|o| origin_at(unit, o)) {
            self.follow(file, unit, origin, left, found);
        }
    }
}

/// What was found on the way.
struct Found<'e, 'a> {
    effort: &'e Effort,
    linkage: Option<Reader<'a>>,
    plain: Option<Reader<'a>>,
    prefix: String,
}

fn origin_at<'a>(unit: UnitRef<Reader<'a>>, offset: UnitOffset) -> Option<Origin<'a>> {
    let mut entries = unit.entries_raw(Some(offset)).ok()?;
    let abbrev = entries.read_abbreviation().ok()??;
    let mut origin = Origin::new(offset);
    for spec in abbrev.attributes() {
        origin.take(&entries.read_attribute(*spec).ok()?);
    }
    Some(origin)
}

impl<'d, 'a> Units<'d, 'a> {
    fn new(dwarf: &'d Dwarf<Reader<'a>>) -> Self {
        Self { dwarf, headers: OnceLock::new(), parsed: Mutex::default() }
    }

    /// The unit that contains the offset.
    fn unit_at(&self, offset: DebugInfoOffset) -> Option<Arc<Unit<Reader<'a>>>> {
        let headers = self.headers.get_or_init(|| {
            let mut headers = Vec::new();
            let mut iter = self.dwarf.units();
            while let Ok(Some(header)) = iter.next() {
                headers.push(header);
            }
            headers
        });
        let start = |h: &UnitHeader<Reader>| h.debug_info_offset().map_or(usize::MAX, |o| o.0);
        let after = headers.partition_point(|h| start(h) <= offset.0);
        let header = headers.get(after.checked_sub(1)?)?;
        let mut parsed = self.parsed.lock().ok()?;
        if let Some(known) = parsed.get(&start(header)) {
            return Some(known.clone());
        }
        let unit = Arc::new(self.dwarf.unit(*header).ok()?);
        parsed.insert(start(header), unit.clone());
        Some(unit)
    }
}
