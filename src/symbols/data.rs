//! Where data addresses lie: the variable that covers them, the section, the module.

use super::table::{MAX_STEPS, STT_COMMON, STT_NOTYPE, STT_OBJECT, Symbol, symbols, tables};
use super::{DataPlace, demangle};
use crate::modules::{Module, ModuleSet};

/// Resolves data addresses (of locks, for example); one entry for each, `None` outside modules.
pub fn data_places(modules: &ModuleSet, addresses: &[u64]) -> Vec<Option<DataPlace>> {
    let mut places = vec![None; addresses.len()];
    for (ix, positions, wanted) in super::by_module(modules, addresses) {
        let module = modules.get(ix);
        let symbols = objects(module, &wanted);
        for (position, at) in positions {
            places[position] = Some(place(module, wanted[at], symbols[at]));
        }
    }
    places
}

fn place(module: &Module, svma: u64, symbol: Option<Symbol>) -> DataPlace {
    let section = module.files().find_map(|f| f.section_at(svma));
    let symbol = symbol.and_then(|s| Some((demangle::demangle(s.name()?).as_ref().into(), svma - s.address)));
    DataPlace { module: module.name.clone(), section: section.map(Into::into), symbol }
}

/// The variable that covers each address (svma; sorted, unique).
fn objects<'a>(module: &'a Module, wanted: &[u64]) -> Vec<Option<Symbol<'a>>> {
    let mut found: Vec<Option<Symbol>> = vec![None; wanted.len()];
    let mut steps = MAX_STEPS;
    for (file, table) in tables(module) {
        for symbol in symbols(file, table).filter(is_object) {
            let from = wanted.partition_point(|&w| w < symbol.address);
            for (state, &address) in found.iter_mut().zip(wanted).skip(from) {
                if address - symbol.address >= symbol.size || steps == 0 {
                    break;
                }
                steps -= 1;
                if state.is_none_or(|known| rank(&symbol) < rank(&known)) {
                    *state = Some(symbol);
                }
            }
        }
    }
    found
}

/// The innermost (last begun), then global before local, then the shortest name.
fn rank<'a>(symbol: &Symbol<'a>) -> (std::cmp::Reverse<u64>, u64, bool, usize, Option<&'a str>) {
    let name = symbol.name();
    (
        std::cmp::Reverse(symbol.address),
        symbol.size,
        symbol.is_local(),
        name.map_or(usize::MAX, str::len),
        name,
    )
}

fn is_object(symbol: &Symbol) -> bool {
    // Thread-local symbols have offsets, not addresses.
    matches!(symbol.kind, STT_OBJECT | STT_COMMON | STT_NOTYPE) && symbol.size > 0 && symbol.is_defined()
}

/// The address (avma) and size of a data symbol of any module: `_thread_db_pthread_tid`.
pub fn address_of(modules: &ModuleSet, name: &str) -> Option<(u64, u64)> {
    modules.iter().find_map(|(_, module)| address_in(module, name))
}

/// The address (avma) and size of a data symbol of this module.
pub fn address_in(module: &Module, name: &str) -> Option<(u64, u64)> {
    // The dynamic table first: it is small, and what other programs look up is there or in `.symtab`.
    let dynamic = module.file.as_ref().map(|f| (f, ".dynsym"));
    dynamic.into_iter().chain(tables(module)).find_map(|(file, table)| {
        symbols(file, table)
            .filter(|s| matches!(s.kind, STT_OBJECT | STT_COMMON | STT_NOTYPE) && s.is_defined())
            .find(|s| s.name().map(demangle::unversioned) == Some(name))
            .map(|s| (s.address.wrapping_add(module.bias), s.size))
    })
}
