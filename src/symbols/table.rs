//! Function names from symbol tables: one linear pass over the table, each symbol tested against the
//! few addresses that are wanted. Nothing of the table is sorted, copied or demangled.

use crate::modules::headers::Numbers;
use crate::modules::{ElfFile, Module, c_string};

/// A symbol of a table.
#[derive(Clone, Copy, Debug)]
pub struct Symbol<'a> {
    /// Its name in the string table.
    name_at: u32,
    strings: &'a [u8],
    /// `STT_…`.
    pub kind: u8,
    /// `STB_…`.
    pub binding: u8,
    /// The section that it belongs to.
    pub section: u16,
    /// Its address (svma).
    pub address: u64,
    /// Its size; 0 where the assembler source gave none.
    pub size: u64,
}

/// No type: labels of assembler code, linker symbols.
pub const STT_NOTYPE: u8 = 0;
/// A variable.
pub const STT_OBJECT: u8 = 1;
/// A function.
pub const STT_FUNC: u8 = 2;
/// A variable in a common block.
pub const STT_COMMON: u8 = 5;
/// A function that chooses an implementation at start.
pub const STT_GNU_IFUNC: u8 = 10;
const STB_LOCAL: u8 = 0;
const SHN_UNDEF: u16 = 0;
const SHN_LORESERVE: u16 = 0xff00;
const SHN_XINDEX: u16 = 0xffff;

impl<'a> Symbol<'a> {
    /// Its name as it stands in the file.
    pub fn name(&self) -> Option<&'a str> {
        std::str::from_utf8(c_string(self.strings, self.name_at)?).ok().filter(|n| !n.is_empty())
    }

    /// Whether it is known in its file only.
    pub fn is_local(&self) -> bool {
        self.binding == STB_LOCAL
    }

    /// Whether it is defined here, at an address.
    pub fn is_defined(&self) -> bool {
        self.section != SHN_UNDEF && (self.section < SHN_LORESERVE || self.section == SHN_XINDEX)
    }
}

/// The symbols of one table, `.symtab` or `.dynsym`.
///
/// ```text
///               st_name st_info st_other st_shndx st_value st_size
/// 64-bit (24)         0       4        5        6        8      16
/// 32-bit (16)         0      12       13       14        4       8
/// ```
pub fn symbols<'a>(file: &'a ElfFile, table: &str) -> impl Iterator<Item = Symbol<'a>> + use<'a> {
    let found = file.section_headers().iter().position(|s| &*s.name == table.as_bytes());
    let (entries, strings) = found.and_then(|ix| parts(file, ix)).unwrap_or_default();
    entries.chunks_exact(entry_size(file)).filter_map(|entry| symbol(file.headers.numbers, entry, strings))
}

/// One symbol of the table with this section index.
pub fn symbol_at(file: &ElfFile, table: usize, ix: u64) -> Option<Symbol<'_>> {
    let (entries, strings) = parts(file, table)?;
    let from = usize::try_from(ix).ok()?.checked_mul(entry_size(file))?;
    symbol(file.headers.numbers, entries.get(from..)?.get(..entry_size(file))?, strings)
}

/// The entries of a symbol table and its strings.
fn parts(file: &ElfFile, table: usize) -> Option<(&[u8], &[u8])> {
    let strings = file.section_headers().get(table)?.link;
    Some((file.content(table)?, file.content(strings as usize)?))
}

fn entry_size(file: &ElfFile) -> usize {
    if file.headers.numbers.is_64 { 24 } else { 16 }
}

fn symbol<'a>(n: Numbers, e: &[u8], strings: &'a [u8]) -> Option<Symbol<'a>> {
    let (info, section, value, size) = if n.is_64 { (4, 6, 8, 16) } else { (12, 14, 4, 8) };
    Some(Symbol {
        name_at: n.u32(e, 0)?,
        strings,
        kind: e.get(info)? & 15,
        binding: e.get(info)? >> 4,
        section: n.u16(e, section)?,
        address: n.word(e, value)?,
        size: n.word(e, size)?,
    })
}

/// The tables of a module that have names of functions, best first: `.symtab` of the file, else of the
/// debug file, else what the dynamic linker needs and the packed symbols of a stripped file.
pub fn tables(module: &Module) -> Vec<(&ElfFile, &'static str)> {
    match module.files().find(|f| f.has_section(".symtab")) {
        Some(file) => vec![(file, ".symtab")],
        None => {
            let dynamic = module.files().find(|f| f.has_section(".dynsym")).map(|f| (f, ".dynsym"));
            dynamic.into_iter().chain(module.mini_debug_file().map(|f| (f, ".symtab"))).collect()
        }
    }
}

/// The names that a table has for one address.
#[derive(Clone, Debug, Default)]
pub struct TableNames<'a> {
    /// The best name, raw.
    pub best: Option<&'a str>,
    /// Other names of the same function, sorted, raw.
    pub aliases: Vec<&'a str>,
}

/// What the pass has found for one wanted address.
#[derive(Clone, Debug, Default)]
struct Covering<'a> {
    /// Symbols with a size that cover it, of those the ones that begin last.
    sized: Vec<Symbol<'a>>,
    /// The highest address at which a symbol begins, above the wanted address before and not above this one.
    nearest: Option<u64>,
    /// Whether a symbol with a size begins there: then what lies behind its end has no name.
    nearest_is_sized: bool,
    /// Symbols without a size that begin there.
    unsized_here: Vec<Symbol<'a>>,
}

/// More aliases than any function has; hostile tables have millions.
const MAX_ALIASES: usize = 64;

/// Pairs of a symbol and an address that it covers; in a hostile table every symbol covers all.
pub const MAX_STEPS: usize = 100_000_000;

/// Names for `wanted`, which are svmas, sorted and unique.
pub fn function_names<'a>(module: &'a Module, wanted: &[u64]) -> Vec<TableNames<'a>> {
    let mut found = vec![Covering::default(); wanted.len()];
    let mut names = vec![TableNames::default(); wanted.len()];
    let mut steps = MAX_STEPS;
    for (file, table) in tables(module) {
        let is_code: Vec<bool> = file.section_headers().iter().map(|s| s.is_executable()).collect();
        for symbol in symbols(file, table) {
            let is_function = matches!(symbol.kind, STT_FUNC | STT_GNU_IFUNC)
                || symbol.kind == STT_NOTYPE && is_code.get(usize::from(symbol.section)) == Some(&true);
            if is_function && symbol.is_defined() {
                offer(&mut found, wanted, symbol, &mut steps);
            }
        }
        let mut before = None;
        for ((state, &address), names) in found.iter().zip(wanted).zip(&mut names) {
            if state.nearest.is_some() {
                before = Some(state);
            }
            let in_section = |s: &&Symbol| {
                file.section_headers().get(usize::from(s.section)).is_some_and(|h| h.covers(address))
            };
            if !state.sized.is_empty() {
                *names = choose(state.sized.iter());
            } else if let Some(nearest) = before.filter(|n| names.best.is_none() && !n.nearest_is_sized) {
                *names = choose(nearest.unsized_here.iter().filter(in_section));
            }
        }
    }
    names
}

/// Tests one symbol against the wanted addresses.
fn offer<'a>(found: &mut [Covering<'a>], wanted: &[u64], symbol: Symbol<'a>, steps: &mut usize) {
    let from = wanted.partition_point(|&w| w < symbol.address);
    let Some(first) = found.get_mut(from) else { return };
    if first.nearest.is_none_or(|n| n <= symbol.address) {
        if first.nearest != Some(symbol.address) {
            first.unsized_here.clear();
            first.nearest_is_sized = false;
        }
        first.nearest = Some(symbol.address);
        first.nearest_is_sized |= symbol.size > 0;
        if symbol.size == 0 && first.unsized_here.len() < MAX_ALIASES {
            first.unsized_here.push(symbol);
        }
    }
    for (state, &address) in found.iter_mut().zip(wanted).skip(from) {
        if address - symbol.address >= symbol.size || *steps == 0 {
            break;
        }
        *steps -= 1;
        let begins = state.sized.first().map(|s| s.address);
        if begins.is_none_or(|b| b < symbol.address) {
            state.sized.clear();
        } else if begins != Some(symbol.address) || state.sized.len() >= MAX_ALIASES {
            continue;
        }
        state.sized.push(symbol);
    }
}

/// The best of the names of one address, and the rest.
fn choose<'s, 'a: 's>(symbols: impl Iterator<Item = &'s Symbol<'a>>) -> TableNames<'a> {
    let mut names: Vec<(&'a str, bool)> = symbols
        .filter_map(|s| Some((super::demangle::unversioned(s.name()?), s.binding == STB_LOCAL)))
        .filter(|(name, _)| !is_label(name))
        .collect();
    names.sort_unstable();
    names.dedup_by_key(|(name, _)| *name);
    let underscores = |name: &str| name.bytes().take_while(|&b| b == b'_').count();
    let best = names.iter().min_by_key(|(name, is_local)| {
        // Mangled names begin with an underscore that says nothing.
        let hidden = if name.starts_with("_Z") || name.starts_with("_R") { 0 } else { underscores(name) };
        (*is_local, hidden, name.len())
    });
    let best = best.map(|(name, _)| *name);
    let aliases = names.iter().map(|(name, _)| *name).filter(|name| Some(*name) != best).collect();
    TableNames { best, aliases }
}

/// Labels that assemblers leave: `.L12`, `$x` (Arm's mapping symbols).
fn is_label(name: &str) -> bool {
    name.starts_with(".L") || name.starts_with('$')
}
