//! The namespaces and classes around an entry. Functions of internal linkage (templates over lambdas, for
//! example) have no linkage name, and their own name is bare: `__invoke_impl<…>` of `std`.

use gimli::{AttributeValue, DwTag, UnitOffset, UnitRef};

use super::dwarf::Reader;
use super::effort::Effort;

/// Entries that are looked at for one name. GCC says where an entry's children end, so that it takes some
/// thousands; other compilers give these functions linkage names.
const MAX_ENTRIES: usize = 50_000;

/// An entry around the wanted one.
struct Around<'a> {
    depth: isize,
    tag: DwTag,
    name: Option<Reader<'a>>,
}

/// `std::thread` for an entry in that class; empty at the top level and in C.
pub fn prefix(unit: UnitRef<Reader>, target: UnitOffset, effort: &Effort) -> String {
    match around(unit, target, effort) {
        Ok(around) => joined(&around),
        Err(_) => String::new(),
    }
}

fn joined(around: &[Around]) -> String {
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
            (gimli::DW_TAG_compile_unit | gimli::DW_TAG_partial_unit | gimli::DW_TAG_module, _) => {}
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

/// The entries around the target, outermost first.
fn around<'a>(
    unit: UnitRef<Reader<'a>>,
    target: UnitOffset,
    effort: &Effort,
) -> gimli::Result<Vec<Around<'a>>> {
    let mut around: Vec<Around> = Vec::new();
    let mut entries = unit.entries_raw(None)?;
    // A cursor that was set anew counts its depth from 0.
    let mut base = 0;
    for _ in 0..MAX_ENTRIES {
        effort.step()?;
        let depth = base + entries.next_depth();
        if entries.is_empty() || entries.next_offset() >= target {
            around.retain(|a| a.depth < depth);
            return Ok(around);
        }
        let Some(abbrev) = entries.read_abbreviation()? else { continue };
        if !abbrev.has_children() {
            entries.skip_attributes(abbrev.attributes())?;
            continue;
        }
        let (mut name, mut sibling) = (None, None);
        for spec in abbrev.attributes() {
            let attr = entries.read_attribute(*spec)?;
            match (attr.name(), attr.value()) {
                (gimli::DW_AT_name, value) => name = Some(value),
                (gimli::DW_AT_language, AttributeValue::Language(language)) if !has_scopes(language) => {
                    return Ok(Vec::new());
                }
                (gimli::DW_AT_sibling, AttributeValue::UnitRef(offset)) => sibling = Some(offset),
                _ => {}
            }
        }
        if let Some(next) = sibling.filter(|s| *s <= target && *s > entries.next_offset()) {
            entries = unit.entries_raw(Some(next))?;
            base = depth;
            continue;
        }
        around.retain(|a| a.depth < depth);
        let name = name.and_then(|value| unit.attr_string(value).ok());
        around.push(Around { depth, tag: abbrev.tag(), name });
    }
    Ok(Vec::new())
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
