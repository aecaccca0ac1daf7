//! Names for unique addresses: symbol tables, DWARF, inlined functions, demangling.

mod data;
mod demangle;
mod dwarf;
mod effort;
mod functions;
mod lines;
mod names;
mod plt;
mod rounds;
mod scope;
mod split;
mod stacks;
mod table;
mod units;

use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;

use crate::model::{GapKind, Gaps, Str};
use crate::modules::{ModuleIx, ModuleSet};

pub use data::{address_in, address_of, data_places};
pub use demangle::demangle;
pub use stacks::name_stacks;

/// One function at an address; several where functions were inlined.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SourceFrame {
    /// The function, demangled, without its parameters. `None`: no symbol covers the address.
    pub function: Option<Str>,
    /// Other names of the same function, of the frame that is not inlined only.
    pub aliases: Vec<Str>,
    /// Source file as DWARF has it.
    pub file: Option<Str>,
    /// Source line.
    pub line: Option<u32>,
    /// Whether it was inlined into the next one.
    pub is_inlined: bool,
}

/// Where a data address lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DataPlace {
    /// The module's file name.
    pub module: Str,
    /// The section, `.bss`, where the file says so.
    pub section: Option<Str>,
    /// The object that covers it, demangled, and the offset in it.
    pub symbol: Option<(Str, u64)>,
}

/// Unpacks the debug sections of the modules in which these addresses (avma) lie. [`resolve`] does so when
/// it needs them; where they are compressed, done beside other work it is not waited for.
pub fn unpack(modules: &ModuleSet, addresses: impl Iterator<Item = u64>) {
    let wanted: BTreeSet<ModuleIx> = addresses.filter_map(|avma| modules.at(avma)).collect();
    wanted.into_iter().filter_map(|ix| modules.get(ix).dwarf_file()).for_each(dwarf::unpack);
}

/// Resolves code addresses (avma; the caller has subtracted one from return addresses). The
/// result has one entry for each, in their order: the functions from the innermost inlined one
/// to the one that has the code, at least one.
pub fn resolve(modules: &ModuleSet, addresses: &[u64], gaps: &mut Gaps) -> Vec<Vec<SourceFrame>> {
    let mut frames = vec![vec![SourceFrame::default()]; addresses.len()];
    let groups = by_module(modules, addresses);
    let resolved: Vec<(Vec<Vec<SourceFrame>>, bool)> =
        groups.par_iter().map(|(ix, _, wanted)| resolve_in_module(modules, *ix, wanted)).collect();
    for ((ix, positions, _), (resolved, is_damaged)) in groups.into_iter().zip(resolved) {
        if is_damaged {
            let name = &modules.get(ix).name;
            gaps.add(
                GapKind::Damaged,
                format!("a part of the debug information of {name} cannot be read"),
                None,
            );
        }
        for (position, at) in positions {
            frames[position] = resolved[at].clone();
        }
    }
    frames
}

/// The frames at each svma of one module; `wanted` is sorted and unique.
fn resolve_in_module(modules: &ModuleSet, ix: ModuleIx, wanted: &[u64]) -> (Vec<Vec<SourceFrame>>, bool) {
    let module = modules.get(ix);
    let (names, (mut frames, is_damaged)) =
        rayon::join(|| table::function_names(module, wanted), || dwarf::frames(modules, ix, wanted));
    for ((frames, names), &svma) in frames.iter_mut().zip(names).zip(wanted) {
        if frames.is_empty() {
            frames.push(SourceFrame::default());
        }
        if let Some(physical) = frames.last_mut() {
            add_table_names(physical, names);
            if physical.function.is_none() {
                let stub = module.file.as_ref().and_then(|file| plt::called(file, svma));
                physical.function = stub.map(|s| format!("{}@plt", demangle::demangle(s)).into());
            }
        }
    }
    (frames, is_damaged)
}

/// The name from DWARF stands (as in gdb); those of the table are its aliases.
fn add_table_names(frame: &mut SourceFrame, names: table::TableNames) {
    let mut all: Vec<Str> =
        names.best.into_iter().chain(names.aliases).map(|n| demangle::demangle(n).as_ref().into()).collect();
    if frame.function.is_none() && !all.is_empty() {
        frame.function = Some(all.remove(0));
    }
    // A function without linkage (in an anonymous namespace, say) has no linkage name in DWARF, and
    // its plain one says nothing of its scope: `await_reply` for `registry::await_reply`.
    let is_scoped = |name: &&Str| {
        let plain = frame.function.as_deref().unwrap_or_default();
        name.strip_suffix(plain).is_some_and(|scope| scope.ends_with("::"))
    };
    if let Some(scoped) = all.iter().find(is_scoped) {
        frame.function = Some(scoped.clone());
    }
    let mut seen: Vec<&Str> = frame.function.iter().collect();
    let mut aliases = Vec::new();
    for name in &all {
        if !seen.contains(&name) {
            seen.push(name);
            aliases.push(name.clone());
        }
    }
    frame.aliases = aliases;
}

/// Addresses of one module: which, `(position in the list, index in wanted)`, wanted svmas sorted and unique.
type ModuleAddresses = (ModuleIx, Vec<(usize, usize)>, Vec<u64>);

fn by_module(modules: &ModuleSet, addresses: &[u64]) -> Vec<ModuleAddresses> {
    let mut groups: BTreeMap<ModuleIx, Vec<(u64, usize)>> = BTreeMap::new();
    for (position, &avma) in addresses.iter().enumerate() {
        if let Some(ix) = modules.at(avma) {
            groups.entry(ix).or_default().push((modules.get(ix).svma(avma), position));
        }
    }
    groups
        .into_iter()
        .map(|(ix, mut places)| {
            places.sort_unstable();
            let mut wanted: Vec<u64> = Vec::new();
            let mut positions = Vec::with_capacity(places.len());
            for (svma, position) in places {
                if wanted.last() != Some(&svma) {
                    wanted.push(svma);
                }
                positions.push((position, wanted.len() - 1));
            }
            (ix, positions, wanted)
        })
        .collect()
}
