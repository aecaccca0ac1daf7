//! A file of the process: the executable or a library.

use object::{Object, ObjectSection};
use schemars::JsonSchema;
use serde::Serialize;

use super::ids::{BuildId, Hex};
use crate::modules::{self, ElfFile, ModuleMatch};

/// How far the file that was found is the one that ran.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Match {
    /// The build ids are equal.
    Verified,
    /// One side has no build id; ranges and segments fit.
    Compatible,
    /// The build ids or the geometry differ: the file is not used.
    Mismatch,
    /// No file was found, or the dump names none.
    Missing,
}

/// What names the file can give.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Symbols {
    /// Debug information: functions, inlined functions, lines.
    Debug,
    /// A symbol table: functions.
    Table,
    /// None.
    None,
}

/// One file of the process.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Module<'a> {
    /// File name without folder: `libc.so.6`.
    pub name: &'a str,
    /// Its path in the process.
    pub path: &'a str,
    /// The file that was used in its place on this machine.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<&'a str>,
    /// Its build id: that of the dump, else that of the file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub build_id: Option<BuildId<'a>>,
    /// Its lowest address in the process.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base: Option<Hex>,
    /// How far the file that was found is the one that ran.
    pub r#match: Match,
    /// What names it gave.
    pub symbols: Symbols,
}

impl<'a> Module<'a> {
    pub(super) fn of(module: &'a modules::Module) -> Self {
        Self {
            name: &module.name,
            path: &module.path,
            file: module.file.as_ref().map(|file| &*file.path),
            build_id: module.build_id.as_deref().filter(|id| !id.is_empty()).map(BuildId),
            // Nothing lies at 0: it is not known, or was removed.
            base: Some(module.base).filter(|&base| base > 0).map(Hex),
            r#match: match module.matched {
                ModuleMatch::Verified => Match::Verified,
                ModuleMatch::Compatible => Match::Compatible,
                ModuleMatch::Mismatch => Match::Mismatch,
                ModuleMatch::Missing => Match::Missing,
            },
            symbols: module
                .file
                .iter()
                .chain(&module.debug_file)
                .map(symbols)
                .min_by_key(|s| *s as u8)
                .unwrap_or(Symbols::None),
        }
    }
}

/// Looks at the section headers only: unpacking debug information to learn that it is there costs seconds.
fn symbols(file: &ElfFile) -> Symbols {
    let Ok(elf) = object::File::parse(&*file.bytes) else { return Symbols::None };
    let has = |wanted: &[&str]| {
        elf.sections().any(|s| s.name().is_ok_and(|name| wanted.contains(&name)) && s.size() > 0)
    };
    if has(&[".debug_info", ".zdebug_info"]) {
        Symbols::Debug
    } else if has(&[".symtab", ".dynsym"]) {
        Symbols::Table
    } else {
        Symbols::None
    }
}
