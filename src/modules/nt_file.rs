//! Modules from `NT_FILE`, the best source: every file mapping with its path.
//!
//! A library as the note shows it (gdb: `info proc mappings`); the first line has the ELF header,
//! the second the code:
//!
//! ```text
//! 0x7f1c5a200000 0x7f1c5a226000 offset 0x000000 /usr/lib/x86_64-linux-gnu/libc.so.6
//! 0x7f1c5a226000 0x7f1c5a37b000 offset 0x026000 /usr/lib/x86_64-linux-gnu/libc.so.6
//! 0x7f1c5a37b000 0x7f1c5a3ce000 offset 0x17b000 /usr/lib/x86_64-linux-gnu/libc.so.6
//! ```

use rustc_hash::FxHashMap;

use super::known::{KnownModule, Range, is_file_name};
use super::{aux, identify};
use crate::model::{FileMapping, ProcessImage};

/// The modules among the file mappings, in the order of their addresses. Files without an ELF
/// header in the dump and without an executable range are data.
pub fn modules(image: &ProcessImage) -> Vec<KnownModule> {
    let mut by_path: FxHashMap<&str, Vec<&FileMapping>> = FxHashMap::default();
    for mapping in image.mappings.iter().filter(|m| m.start < m.end) {
        by_path.entry(&mapping.path).or_default().push(mapping);
    }
    let mut modules: Vec<KnownModule> =
        by_path.into_values().flat_map(|m| modules_of_path(image, m)).collect();
    modules.sort_by_key(|m| m.ranges.first().map(|r| r.start));
    modules
}

/// The modules of one path. A file may be mapped twice: by the loader and, as data, by a
/// profiler or by the program itself; then the copies without code are not modules.
fn modules_of_path(image: &ProcessImage, mut mappings: Vec<&FileMapping>) -> Vec<KnownModule> {
    mappings.sort_by_key(|m| m.start);
    let page = aux::page_size(image);
    let mut found: Vec<(KnownModule, bool)> = Vec::new();
    for mapping in mappings {
        let range = Range { start: mapping.start, end: mapping.end, file_offset: mapping.file_offset };
        let has_code = has_code(image, mapping);
        match found.last_mut().filter(|(m, _)| continues(m, range, page)) {
            Some((module, code)) => {
                module.ranges.push(range);
                *code |= has_code;
            }
            None => {
                let module =
                    KnownModule { path: mapping.path.clone(), ranges: vec![range], ..Default::default() };
                let identity = identify::from_memory(&image.memory, mapping.start)
                    .filter(|i| identify::is_loadable(&i.headers));
                let original = found.first().filter(|_| identity.is_none());
                found.push(match original.and_then(|(original, _)| copy_of(original, range)) {
                    Some(copy) => (copy, true),
                    None => (module.identified(identity), has_code),
                });
            }
        }
    }
    let any_code = found.iter().any(|(_, code)| *code);
    found.retain(|(module, code)| {
        // Code without an ELF header under a name that is no file: a JIT's.
        let is_jit = module.headers.is_none() && !is_file_name(&module.path);
        (*code || (!any_code && module.headers.is_some())) && !is_jit
    });
    found.into_iter().map(|(module, _)| module).collect()
}

/// The module for a range in which a part of the original's code was mapped once more. V8 does so with its
/// builtins, so that code which it compiles can call them with a short jump:
///
/// ```text
///       0xb72000       0x25fe000 offset 0x0772000 /usr/bin/node
/// 0x7f301be40000  0x7f301bfd2000 offset 0x14c4000 /usr/bin/node
/// ```
fn copy_of(original: &KnownModule, range: Range) -> Option<KnownModule> {
    // Without a build id it cannot be told from any other use of the file.
    let (headers, _) = (original.headers.as_ref()?, original.build_id.as_ref()?);
    let code = headers.loads().filter(|p| p.is_executable()).find(|p| {
        let delta = range.file_offset.checked_sub(p.offset);
        delta.is_some_and(|delta| delta < p.file_size && range.end - range.start <= p.file_size - delta)
    })?;
    let address = code.address.checked_add(range.file_offset - code.offset)?;
    Some(KnownModule {
        ranges: vec![range],
        bias: Some(range.start.wrapping_sub(address)),
        is_copy: true,
        dynamic: None,
        ..original.clone()
    })
}

/// Whether a further mapping of a path belongs to the module before it. A new copy begins at
/// offset 0, except that small files have segments that share the first page.
fn continues(module: &KnownModule, range: Range, page: u64) -> bool {
    match (&module.headers, module.bias) {
        (Some(_), Some(_)) => module.contains(range.start, page),
        _ => range.file_offset != 0,
    }
}

fn has_code(image: &ProcessImage, mapping: &FileMapping) -> bool {
    image.memory.segment_at(mapping.start).is_some_and(|s| s.is_executable)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::modules::testing::{image, mapping, segment};

    #[test]
    fn data_files_are_no_modules() {
        let image = image(
            vec![segment(0x1000, 0x1000, "r"), segment(0x5000, 0x1000, "rx")],
            vec![
                mapping(0x1000, 0x2000, 0, "/usr/lib/locale/C.utf8"),
                mapping(0x5000, 0x6000, 0, "/lib/a.so"),
            ],
        );
        let found = modules(&image);
        assert_eq!(found.len(), 1);
        assert_eq!(&*found[0].path, "/lib/a.so");
    }

    #[test]
    fn a_second_mapping_of_the_file_as_data_is_no_module() {
        let image = image(
            vec![segment(0x1000, 0x1000, "r"), segment(0x2000, 0x1000, "rx"), segment(0x8000, 0x2000, "r")],
            vec![
                mapping(0x1000, 0x2000, 0, "/lib/a.so"),
                mapping(0x2000, 0x3000, 0x1000, "/lib/a.so"),
                mapping(0x8000, 0xa000, 0, "/lib/a.so"),
            ],
        );
        let found = modules(&image);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].ranges.len(), 2);
    }

    #[test]
    fn code_of_a_jit_is_no_module() {
        let image = image(
            vec![segment(0x1000, 0x1000, "rx")],
            vec![mapping(0x1000, 0x2000, 0, "/memfd:doublemapper (deleted)")],
        );
        assert!(modules(&image).is_empty());
    }

    /// The headers of the running test, as a module that lies at `bias`.
    fn original(bias: u64) -> KnownModule {
        let program = std::fs::read(std::env::current_exe().expect("this program")).expect("its file");
        let at = |offset: u64, length: usize| program.get(usize::try_from(offset).ok()?..)?.get(..length);
        let headers = super::super::headers::Headers::read(at).expect("ELF headers");
        let build_id = Some([1, 2, 3].into());
        KnownModule { bias: Some(bias), headers: Some(headers), build_id, ..Default::default() }
    }

    #[test]
    fn code_that_is_mapped_once_more_is_a_copy_with_a_bias_of_its_own() {
        let original = original(0x5555_0000_0000);
        let headers = original.headers.clone().expect("headers");
        let code = headers.loads().find(|p| p.is_executable()).expect("code");
        let range =
            Range { start: 0x7f00_0000_0000, end: 0x7f00_0000_2000, file_offset: code.offset + 0x1000 };
        let copy = copy_of(&original, range).expect("a copy");
        assert_eq!(copy.bias, Some(range.start.wrapping_sub(code.address + 0x1000)));
        assert!(copy.contains(range.start, 4096) && copy.contains(range.end - 1, 4096));
        let beside = copy.bias.expect("a bias").wrapping_add(code.address);
        assert!(!copy.contains(beside, 4096), "only the range is there");
        let data = headers.loads().find(|p| !p.is_executable()).expect("data");
        assert_eq!(copy_of(&original, Range { file_offset: data.offset, ..range }), None);
        let unnamed = KnownModule { build_id: None, ..original };
        assert_eq!(copy_of(&unnamed, range), None, "nothing proves what it is");
    }
}
