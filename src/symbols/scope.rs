//! The namespaces and classes around an entry. Functions of internal linkage (templates over lambdas, for
//! example) have no linkage name, and their own name is bare: `__invoke_impl<…>` of `std`.

use std::sync::{Arc, Mutex};

use gimli::{AttributeValue, DwTag, UnitOffset, UnitRef};
use rustc_hash::FxHashMap;

use super::dwarf::Reader;
use super::effort::Effort;

/// Scopes in scopes that are followed; compilers write some dozens.
const MOST_LEVELS: usize = 200;

/// An entry with children: what it is, and which entries lie in it.
#[derive(Clone, Copy)]
struct Scope<'a> {
    start: UnitOffset,
    end: UnitOffset,
    tag: DwTag,
    name: Option<Reader<'a>>,
}

/// The children of an entry that have children themselves, by offset.
type Children<'a> = Arc<[Scope<'a>]>;

/// File (by the address of its `Dwarf`), unit, entry.
type Key = (usize, usize, usize);

/// The scopes that were asked for: each entry's children are passed over once, and only of entries that
/// lie around a wanted one. A unit may have a million entries and hundreds of wanted names.
#[derive(Default)]
pub struct Scopes<'a>(Mutex<FxHashMap<Key, Children<'a>>>);

impl<'a> Scopes<'a> {
    /// `std::thread` for an entry in that class; empty at the top level and in C.
    pub fn prefix(&self, unit: UnitRef<Reader<'a>>, target: UnitOffset, effort: &Effort) -> String {
        match self.around(unit, target, effort) {
            Ok(around) => joined(&around),
            Err(_) => String::new(),
        }
    }

    /// The entries around the target, outermost first, without the unit itself.
    fn around(
        &self,
        unit: UnitRef<Reader<'a>>,
        target: UnitOffset,
        effort: &Effort,
    ) -> gimli::Result<Vec<Scope<'a>>> {
        let mut at = unit.entries_raw(None)?.next_offset();
        let mut around = Vec::new();
        if !is_scoped(unit)? {
            return Ok(around);
        }
        for _ in 0..MOST_LEVELS {
            let children = self.children(unit, at, effort)?;
            let after = children.partition_point(|scope| scope.start < target);
            let Some(scope) = after.checked_sub(1).and_then(|n| children.get(n)) else { break };
            if target >= scope.end {
                break;
            }
            around.push(*scope);
            at = scope.start;
        }
        Ok(around)
    }

    fn children(
        &self,
        unit: UnitRef<Reader<'a>>,
        of: UnitOffset,
        effort: &Effort,
    ) -> gimli::Result<Children<'a>> {
        let file = std::ptr::from_ref(unit.dwarf).addr();
        let in_file = unit.header.debug_info_offset().map_or(usize::MAX, |offset| offset.0);
        let key = (file, in_file, of.0);
        // A worker that failed inside leaves nothing half done in the map.
        let lock = || self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(known) = lock().get(&key) {
            return Ok(known.clone());
        }
        let found: Children = read_children(unit, of, effort)?.into();
        lock().insert(key, found.clone());
        Ok(found)
    }
}

/// Whether names have scopes in the language of this unit.
fn is_scoped(unit: UnitRef<Reader>) -> gimli::Result<bool> {
    let mut entries = unit.entries_raw(None)?;
    let Some(abbrev) = entries.read_abbreviation()? else { return Ok(false) };
    for spec in abbrev.attributes() {
        if let AttributeValue::Language(language) = entries.read_attribute(*spec)?.value() {
            return Ok(has_scopes(language));
        }
    }
    Ok(true)
}

/// Passes over the children of an entry. GCC says where an entry's own children end, so that these
/// need not be read.
fn read_children<'a>(
    unit: UnitRef<Reader<'a>>,
    of: UnitOffset,
    effort: &Effort,
) -> gimli::Result<Vec<Scope<'a>>> {
    let mut scopes: Vec<Scope> = Vec::new();
    let mut entries = unit.entries_raw(Some(of))?;
    let Some(parent) = entries.read_abbreviation()? else { return Ok(scopes) };
    entries.skip_attributes(parent.attributes())?;
    if !parent.has_children() {
        return Ok(scopes);
    }
    // A cursor that was set anew counts its depth from 0.
    let mut base = 0;
    let mut is_open = false;
    loop {
        effort.step()?;
        let (at, depth) = (entries.next_offset(), base + entries.next_depth());
        if is_open && depth <= 1 {
            is_open = false;
            if let Some(last) = scopes.last_mut() {
                last.end = at;
            }
        }
        if entries.is_empty() || depth < 1 {
            return Ok(scopes);
        }
        let Some(abbrev) = entries.read_abbreviation()? else { continue };
        if depth > 1 || !abbrev.has_children() {
            entries.skip_attributes(abbrev.attributes())?;
            continue;
        }
        let (mut name, mut sibling) = (None, None);
        for spec in abbrev.attributes() {
            let attr = entries.read_attribute(*spec)?;
            match (attr.name(), attr.value()) {
                (gimli::DW_AT_name, value) => name = unit.attr_string(value).ok(),
                (gimli::DW_AT_sibling, AttributeValue::UnitRef(offset)) => sibling = Some(offset),
                _ => {}
            }
        }
        let sibling = sibling.filter(|next| *next > entries.next_offset());
        scopes.push(Scope {
            start: at,
            end: sibling.unwrap_or(UnitOffset(usize::MAX)),
            tag: abbrev.tag(),
            name,
        });
        match sibling {
            Some(next) => {
                entries = unit.entries_raw(Some(next))?;
                base = 1;
            }
            None => is_open = true,
        }
    }
}

fn joined(around: &[Scope]) -> String {
    let mut prefix = String::new();
    for entry in around {
        match (entry.tag, entry.name) {
            (gimli::DW_TAG_namespace, None) => push(&mut prefix, "(anonymous namespace)"),
            (
                gimli::DW_TAG_namespace | gimli::DW_TAG_class_type | gimli::DW_TAG_structure_type,
                Some(name),
            ) => {
                push(&mut prefix, &name.to_string_lossy());
            }
            (gimli::DW_TAG_module, _) => {}
            // Types of functions, and types without a name: gdb shows the bare name.
            _ => prefix.clear(),
        }
    }
    prefix
}

fn push(prefix: &mut String, part: &str) {
    if !prefix.is_empty() {
        prefix.push_str("::");
    }
    prefix.push_str(part);
}

fn has_scopes(language: gimli::DwLang) -> bool {
    matches!(
        language,
        gimli::DW_LANG_C_plus_plus
            | gimli::DW_LANG_C_plus_plus_03
            | gimli::DW_LANG_C_plus_plus_11
            | gimli::DW_LANG_C_plus_plus_14
            | gimli::DW_LANG_C_plus_plus_17
            | gimli::DW_LANG_C_plus_plus_20
            | gimli::DW_LANG_Rust
    )
}
