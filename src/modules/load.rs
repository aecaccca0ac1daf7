//! Merges what the sources say of the modules, then finds a file for each.

use rayon::prelude::*;

use super::known::{KnownModule, file_name, is_file_name};
use super::module::LazyFiles;
use super::open::open_elf;
use super::range_index::RangeIndex;
use super::search::SearchPaths;
use super::verify::{self, round_down, round_up};
use super::{Module, ModuleMatch, aux, debug_files, identify, link_map, nt_file, vdso};
use crate::model::{AuxKey, GapKind, Gaps, ProcessImage};

/// More than any process loads.
const MAX_MODULES: usize = 20_000;

/// All modules that the dump knows of, best source first.
pub fn known_modules(image: &ProcessImage, gaps: &mut Gaps) -> Vec<KnownModule> {
    let mut known = nt_file::modules(image);
    mark_executable(image, &mut known);
    merge_link_map(image, &mut known);
    if let Some(linker) = aux::dynamic_linker(image) {
        add_unless_known(&mut known, linker, aux::page_size(image));
    }
    if image.mappings.is_empty() {
        add_headers_in_memory(image, &mut known);
    }
    if known.len() > MAX_MODULES {
        let more = known.len() - MAX_MODULES;
        gaps.add(
            GapKind::Limit,
            format!("{more} modules beyond the first {MAX_MODULES} were not looked at"),
            None,
        );
        known.truncate(MAX_MODULES);
    }
    known
}

/// The executable is the module with the program headers that the kernel told the process of.
fn mark_executable(image: &ProcessImage, known: &mut Vec<KnownModule>) {
    let page = aux::page_size(image);
    let place = image.aux(AuxKey::Phdr).or_else(|| aux::entry(image));
    let from_aux = aux::executable(image);
    let found = place.and_then(|at| known.iter_mut().find(|m| m.contains(at, page)));
    match (found, from_aux) {
        (Some(module), from_aux) => {
            module.is_executable = true;
            module.entry = aux::entry(image);
            if let Some(from_aux) = from_aux {
                module.bias = module.bias.or(from_aux.bias);
                module.headers = module.headers.take().or(from_aux.headers);
            }
        }
        (None, Some(from_aux)) => known.push(from_aux),
        (None, None) => {}
    }
}

/// Adds what only the dynamic linker's list knows, and its biases.
fn merge_link_map(image: &ProcessImage, known: &mut Vec<KnownModule>) {
    let entries = link_map::entries(image);
    if entries.is_empty() {
        return;
    }
    let index = index_of(known, aux::page_size(image));
    let vdso = image.aux(AuxKey::Vdso).and_then(|at| image.memory.segment_at(at));
    for entry in entries {
        if let Some(module) = index.at(entry.dynamic).and_then(|n| known.get_mut(n as usize)) {
            module.dynamic = Some(entry.dynamic);
            module.bias = module.bias.or(Some(entry.bias));
            if module.path.is_empty() {
                module.path = entry.name;
            }
        } else if image.memory.segment_at(entry.dynamic).is_none() {
            // Garbage: a dynamic section outside of the process.
        } else if !vdso.is_some_and(|s| (s.start..s.end()).contains(&entry.dynamic)) && !entry.name.is_empty()
        {
            known.push(link_map::module(image, entry));
        }
    }
}

fn add_unless_known(known: &mut Vec<KnownModule>, module: KnownModule, page: u64) {
    let start = module.headers.iter().flat_map(|h| h.loads()).map(|p| p.address).min();
    let Some(start) = start.and_then(|s| Some(module.bias?.wrapping_add(s))) else { return };
    if !known.iter().any(|m| m.contains(start, page)) {
        known.push(module);
    }
}

/// Without names there are still the ELF headers that the kernel dumped; a build id may find
/// the file.
fn add_headers_in_memory(image: &ProcessImage, known: &mut Vec<KnownModule>) {
    let index = index_of(known, aux::page_size(image));
    let vdso = image.aux(AuxKey::Vdso);
    for start in identify::headers_in_memory(&image.memory).take(MAX_MODULES) {
        if index.at(start).is_some() || vdso == Some(start) {
            continue;
        }
        let identity = identify::from_memory(&image.memory, start);
        if let Some(identity) =
            identity.filter(|i| i.build_id.is_some() && has_code(image, &i.headers, i.bias))
        {
            known.push(KnownModule::default().identified(Some(identity)));
        }
    }
}

fn has_code(image: &ProcessImage, headers: &super::headers::Headers, bias: u64) -> bool {
    headers
        .loads()
        .filter(|p| p.is_executable())
        .any(|p| image.memory.segment_at(bias.wrapping_add(p.address)).is_some_and(|s| s.is_executable))
}

/// Where the modules lie, as far as the dump alone says.
fn index_of(known: &[KnownModule], page: u64) -> RangeIndex {
    let mut sure = Vec::new();
    let mut stated = Vec::new();
    for (n, module) in (0..).zip(known) {
        sure.extend(module.ranges.iter().map(|r| (r.start, r.end, n)));
        if let (Some(headers), Some(bias), false) = (&module.headers, module.bias, module.is_copy) {
            stated.extend(load_ranges(headers, bias, page).map(|(s, e)| (s, e, n)));
        }
    }
    RangeIndex::new(sure, stated)
}

/// The addresses of the `PT_LOAD`s, whole pages.
fn load_ranges(headers: &super::headers::Headers, bias: u64, page: u64) -> impl Iterator<Item = (u64, u64)> {
    headers.loads().filter_map(move |p| {
        let start = bias.wrapping_add(p.address);
        Some((round_down(start, page), round_up(start.checked_add(p.memory_size)?, page)))
    })
}

/// Finds the files of the modules, and the index over their addresses.
pub fn with_files(
    image: &ProcessImage,
    known: Vec<KnownModule>,
    search: &SearchPaths,
    gaps: &mut Gaps,
) -> (Vec<Module>, RangeIndex) {
    let page = aux::page_size(image);
    let found: Vec<(Module, Gaps)> = known.par_iter().map(|k| with_file(k, search, page)).collect();
    let mut modules = Vec::new();
    let (mut sure, mut stated) = (Vec::new(), Vec::new());
    for (known, (module, its_gaps)) in known.iter().zip(found) {
        let n = modules.len() as u32;
        sure.extend(known.ranges.iter().map(|r| (r.start, r.end, n)));
        let headers = module.file.as_ref().map(|f| &f.headers).or(known.headers.as_ref());
        let headers = headers.filter(|_| !known.is_copy);
        stated.extend(
            headers.into_iter().flat_map(|h| load_ranges(h, module.bias, page)).map(|(s, e)| (s, e, n)),
        );
        modules.push(module);
        gaps.extend(its_gaps);
    }
    if let Some(vdso) = vdso::module(image) {
        let n = modules.len() as u32;
        let headers = vdso.file.as_ref().map(|f| &f.headers);
        stated.extend(
            headers.into_iter().flat_map(|h| load_ranges(h, vdso.bias, page)).map(|(s, e)| (s, e, n)),
        );
        modules.push(vdso);
    }
    sorted(modules, RangeIndex::new(sure, stated))
}

/// Sorts the modules by address; those without any address of their own (all of it claimed by others)
/// are dropped.
fn sorted(modules: Vec<Module>, mut index: RangeIndex) -> (Vec<Module>, RangeIndex) {
    let extents = index.extents(modules.len());
    let mut order: Vec<(u64, u64, usize, Module)> = modules
        .into_iter()
        .enumerate()
        .filter_map(|(n, m)| extents[n].map(|(start, end)| (start, end, n, m)))
        .collect();
    order.sort_by_key(|(start, _, n, _)| (*start, *n));
    let mut new_numbers = vec![0; extents.len()];
    for (new, (_, _, old, _)) in (0..).zip(&order) {
        new_numbers[*old] = new;
    }
    index.renumber(|old| new_numbers[old as usize]);
    let modules = order.into_iter().map(|(base, end, _, m)| Module { base, end, ..m }).collect();
    (modules, index)
}

/// Looks for the file of one module in all places until one is the right one.
fn with_file(known: &KnownModule, search: &SearchPaths, page: u64) -> (Module, Gaps) {
    let mut module = bare_module(known);
    let mut differing = Vec::new();
    let mut compatible = None;
    for place in search.module_files(known, known.build_id.as_deref()) {
        let Some(file) = open_elf(&place).filter(|f| !f.is_debug_only()) else { continue };
        let verdict = verify::compare(known, &file, page);
        match verdict.matched {
            ModuleMatch::Verified => {
                compatible = Some((file, verdict));
                break;
            }
            // The name of a deleted file is that of another one now, unless the build id says no.
            ModuleMatch::Compatible if compatible.is_none() && !known.is_deleted() => {
                compatible = Some((file, verdict));
                if known.build_id.is_none() {
                    break;
                }
            }
            _ => differing.push((file.path, verdict.file_id)),
        }
    }
    let mut gaps = Gaps::default();
    if let Some((file, verdict)) = compatible {
        module.matched = verdict.matched;
        module.bias = verdict.bias;
        module.build_id = module.build_id.or(verdict.file_id);
        // Where the dump has lost the name, that of the file that is proved to be it will do.
        if known.path.is_empty() && verdict.matched == ModuleMatch::Verified {
            module.name = file_name(&file.path).into();
        }
        module.file = Some(file);
    } else if !differing.is_empty() {
        module.matched = ModuleMatch::Mismatch;
    }
    let id = module.build_id.as_deref();
    module.debug_file = debug_files::find(search, known.undecorated_path(), module.file.as_ref(), id);
    if module.file.is_none() {
        add_gaps(known, &module, &differing, &mut gaps);
    }
    (module, gaps)
}

fn bare_module(known: &KnownModule) -> Module {
    let name = match (file_name(known.undecorated_path()), &known.build_id) {
        ("", Some(id)) => format!("[build id {}]", identify::hex(id)).into(),
        ("", None) => "[unnamed]".into(),
        (name, _) => name.into(),
    };
    Module {
        name,
        path: known.path.clone(),
        base: 0,
        end: 0,
        bias: known
            .bias
            .unwrap_or_else(|| known.ranges.first().map_or(0, |r| r.start.wrapping_sub(r.file_offset))),
        build_id: known.build_id.clone(),
        matched: ModuleMatch::Missing,
        file: None,
        debug_file: None,
        is_executable: known.is_executable,
        lazy: LazyFiles::default(),
    }
}

fn add_gaps(
    known: &KnownModule,
    module: &Module,
    differing: &[(crate::model::Str, Option<Box<[u8]>>)],
    gaps: &mut Gaps,
) {
    let named = if known.path.is_empty() { &module.name } else { &known.path };
    let shown = |id: &Option<Box<[u8]>>| id.as_ref().map_or("none".to_owned(), |id| identify::hex(id));
    for (path, id) in differing {
        let message = format!(
            "{path} is not the file that ran as {named} and was not used: its build id is {}, that of the dump {}",
            shown(id),
            shown(&known.build_id)
        );
        gaps.add(GapKind::MismatchedModule, message, None);
    }
    if differing.is_empty() {
        let why = match (known.is_deleted(), is_file_name(known.undecorated_path())) {
            (true, _) => "it was deleted or replaced while the process ran",
            (_, false) => "it has no path",
            _ => "no file was found",
        };
        let without = match module.debug_file {
            Some(_) => "its code and unwind tables are missing; names come from its debug file",
            None => "its functions have no names and frames in it are guessed",
        };
        let message = format!("{named} (build id {}): {why}; {without}", shown(&known.build_id));
        gaps.add(GapKind::MissingModule, message, None);
    }
}
