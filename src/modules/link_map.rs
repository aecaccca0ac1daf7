//! Modules from the dynamic linker's own list: `DT_DEBUG` → `r_debug` → `link_map`.
//!
//! ```text
//!            r_version r_map r_brk r_state r_ldbase r_next (version 2, glibc ≥ 2.35: dlmopen)
//! 64-bit             0     8    16      24       32     40
//!            l_addr l_name l_ld l_next l_prev
//! 64-bit          0      8   16     24     32
//! ```
//!
//! 32-bit processes have half of each. The dump is hostile and often cut: every walk has a limit
//! and remembers where it was (gdb follows garbage here).

use rustc_hash::FxHashSet;

use super::aux;
use super::headers::{Numbers, PT_DYNAMIC};
use super::identify;
use super::known::KnownModule;
use crate::model::{Memory, ProcessImage, Str};

/// More modules than any process loads; the largest seen have some thousands.
const MAX_MODULES: usize = 20_000;
/// Namespaces of `dlmopen`: glibc allows 16.
const MAX_NAMESPACES: usize = 64;
/// Entries of a dynamic section: about 30, more with many `DT_NEEDED`.
const MAX_DYNAMIC: usize = 4096;
const DT_NULL: u64 = 0;
const DT_DEBUG: u64 = 21;

/// One entry of the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkMapEntry {
    /// `l_addr`: the bias.
    pub bias: u64,
    /// `l_name`: empty for the executable, else the path.
    pub name: Str,
    /// `l_ld`: address of the dynamic section.
    pub dynamic: u64,
}

/// The entries of all namespaces, in the order of the lists.
pub fn entries(image: &ProcessImage) -> Vec<LinkMapEntry> {
    let words = Words { memory: &image.memory, n: aux::numbers(image) };
    let Some(mut debug) = r_debug(image, &words) else { return Vec::new() };
    let mut entries = Vec::new();
    let mut seen = FxHashSet::default();
    for _ in 0..MAX_NAMESPACES {
        if debug == 0 || !seen.insert(debug) {
            break;
        }
        walk(&words, debug, &mut seen, &mut entries);
        let version = words.half(debug).unwrap_or(0);
        debug = if version >= 2 { words.at(debug, 5).unwrap_or(0) } else { 0 };
    }
    entries
}

fn walk(words: &Words, debug: u64, seen: &mut FxHashSet<u64>, entries: &mut Vec<LinkMapEntry>) {
    let mut map = words.at(debug, 1).unwrap_or(0);
    while map != 0 && entries.len() < MAX_MODULES && seen.insert(map) {
        let (Some(bias), Some(dynamic)) = (words.at(map, 0), words.at(map, 2)) else { return };
        let name = words.at(map, 1).and_then(|at| aux::string_at(words.memory, at)).unwrap_or_default();
        entries.push(LinkMapEntry { bias, name, dynamic });
        map = words.at(map, 3).unwrap_or(0);
    }
}

/// The address of `r_debug`, which the dynamic linker stores in the executable's `DT_DEBUG`.
fn r_debug(image: &ProcessImage, words: &Words) -> Option<u64> {
    let (programs, bias) = aux::executable_headers(image)?;
    let dynamic = programs.iter().find(|p| p.kind == PT_DYNAMIC)?;
    let start = bias.wrapping_add(dynamic.address);
    let value = (0..MAX_DYNAMIC as u64)
        .map_while(|n| Some((words.at(start, 2 * n)?, words.at(start, 2 * n + 1)?)))
        .take_while(|(tag, _)| *tag != DT_NULL)
        .find(|(tag, _)| *tag == DT_DEBUG)?
        .1;
    Some(value).filter(|&v| v != 0)
}

/// An entry as a module. The ELF header lies at `l_addr`, except in prelinked libraries and
/// executables with fixed addresses, which other sources give.
pub fn module(image: &ProcessImage, entry: LinkMapEntry) -> KnownModule {
    let identity = identify::from_memory(&image.memory, entry.bias);
    let module = KnownModule { path: entry.name, dynamic: Some(entry.dynamic), ..Default::default() };
    let mut module = module.identified(identity);
    module.bias = Some(entry.bias);
    module
}

struct Words<'a> {
    memory: &'a Memory,
    n: Numbers,
}

impl Words<'_> {
    /// The word at `address` plus `index` words.
    fn at(&self, address: u64, index: u64) -> Option<u64> {
        let size = self.n.word_size();
        let at = address.checked_add(index.checked_mul(size as u64)?)?;
        self.n.word(self.memory.slice(at, size)?, 0)
    }

    fn half(&self, address: u64) -> Option<u32> {
        self.n.u32(self.memory.slice(address, 4)?, 0)
    }
}
