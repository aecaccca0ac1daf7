//! Whether a file on this machine is the one that ran. Wrong symbols are worse than none.

use super::elf_file::ElfFile;
use super::headers::{Headers, PT_DYNAMIC};
use super::known::{KnownModule, Range};
use super::{ModuleMatch, identify};

/// What a comparison of a file with a module of the dump gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// How far they agree.
    pub matched: ModuleMatch,
    /// The module's bias with this file, wrapping.
    pub bias: u64,
    /// The build id of the file.
    pub file_id: Option<Box<[u8]>>,
}

/// Compares a file with a module: by build id where both have one, else by geometry.
pub fn compare(module: &KnownModule, file: &ElfFile, page: u64) -> Verdict {
    let file_id = identify::of_file(file);
    let fitting = bias(module, &file.headers, page);
    let matched = match (&module.build_id, &file_id, fitting) {
        (Some(a), Some(b), Some(_)) if a == b => ModuleMatch::Verified,
        (Some(_), Some(_), _) | (_, _, None) => ModuleMatch::Mismatch,
        _ if fits(module, file, fitting.unwrap_or(0), page) => ModuleMatch::Compatible,
        _ => ModuleMatch::Mismatch,
    };
    Verdict { matched, bias: fitting.unwrap_or(0), file_id }
}

/// The module's bias: known from memory, or from the place of its lowest mapping.
fn bias(module: &KnownModule, headers: &Headers, page: u64) -> Option<u64> {
    module.bias.or_else(|| {
        let lowest = module.ranges.iter().min_by_key(|r| r.file_offset)?;
        headers.loads().find_map(|p| {
            let covers = (round_down(p.offset, page)..p.offset.saturating_add(p.file_size))
                .contains(&lowest.file_offset);
            let address = lowest.file_offset.wrapping_add(p.address.wrapping_sub(p.offset));
            covers.then(|| lowest.start.wrapping_sub(address))
        })
    })
}

/// Whether everything that the dump says of the module agrees with the file's program headers.
/// At least one thing must be known.
fn fits(module: &KnownModule, file: &ElfFile, bias: u64, page: u64) -> bool {
    let headers = &file.headers;
    let mut checks = Vec::new();
    if let Some(known) = &module.headers {
        checks.push(if known.machine == 0 {
            known.loads().eq(headers.loads())
        } else {
            known.same_layout(headers)
        });
    }
    if let Some(dynamic) = module.dynamic {
        checks.push(headers.first(PT_DYNAMIC).is_some_and(|p| bias.wrapping_add(p.address) == dynamic));
    }
    if let Some(entry) = module.entry {
        checks.push(bias.wrapping_add(headers.entry) == entry);
    }
    if !module.ranges.is_empty() {
        checks.push(ranges_fit(&module.ranges, headers, bias, page));
    }
    !checks.is_empty() && checks.into_iter().all(|ok| ok)
}

/// Each range lies where a segment of the file puts it, and all code is mapped.
fn ranges_fit(ranges: &[Range], headers: &Headers, bias: u64, page: u64) -> bool {
    let places = |range: &Range| {
        headers.loads().any(|p| {
            let offsets = round_down(p.offset, page)..round_up(p.offset.saturating_add(p.file_size), page);
            let address = range.file_offset.wrapping_add(p.address.wrapping_sub(p.offset));
            offsets.contains(&range.file_offset) && bias.wrapping_add(address) == range.start
        })
    };
    let is_mapped = |address: u64| ranges.iter().any(|r| (r.start..r.end).contains(&address));
    ranges.iter().all(places)
        && headers.loads().filter(|p| p.is_executable() && p.file_size > 0).all(|p| {
            is_mapped(bias.wrapping_add(p.address))
                && is_mapped(bias.wrapping_add(p.address).wrapping_add(p.file_size - 1))
        })
}

/// The multiple of `page` at or below `value`.
pub fn round_down(value: u64, page: u64) -> u64 {
    value & !(page - 1)
}

/// The multiple of `page` at or above `value`.
pub fn round_up(value: u64, page: u64) -> u64 {
    value.checked_next_multiple_of(page).unwrap_or(u64::MAX)
}
