//! What functions mean, as data: one file a family, one row a name, a source for each.
//!
//! A name is looked up in normalized form: first among the exact names, then among the patterns,
//! the longest first.

pub mod row;

mod abort;
mod abseil_folly;
mod allocator;
mod bases;
#[cfg(test)]
mod check;
pub mod classes;
mod cxx;
mod dotnet;
mod glibc;
mod go;
mod io;
mod java;
mod kernel;
mod logging;
mod macos;
mod musl;
mod node;
mod pools;
mod python;
mod ruby;
mod rust;
pub mod test_calls;
pub mod tests;
mod windows;
mod wrappers;

use std::sync::LazyLock;

use rustc_hash::FxHashMap;

use row::{Pattern, Row, Scope, Source};

/// All families.
pub static TABLES: &[(&str, &[Source])] = &[
    ("glibc", glibc::TABLE),
    ("musl", musl::TABLE),
    ("io", io::TABLE),
    ("abort", abort::TABLE),
    ("bases", bases::TABLE),
    ("rust", rust::TABLE),
    ("cxx", cxx::TABLE),
    ("abseil_folly", abseil_folly::TABLE),
    ("wrappers", wrappers::TABLE),
    ("allocator", allocator::TABLE),
    ("pools", pools::TABLE),
    ("logging", logging::TABLE),
    ("python", python::TABLE),
    ("ruby", ruby::TABLE),
    ("java", java::TABLE),
    ("node", node::TABLE),
    ("go", go::TABLE),
    ("dotnet", dotnet::TABLE),
    ("windows", windows::TABLE),
    ("macos", macos::TABLE),
    ("kernel", kernel::TABLE),
    ("tests", tests::TABLE),
];

/// Families whose names occur with more underscores and suffixes than the row has.
const ALIASED: [&str; 6] = ["glibc", "musl", "io", "abort", "bases", "windows"];

/// A row and where it holds.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// The row.
    pub row: &'static Row,
    /// Where the name has to stand.
    pub scope: Scope,
}

#[derive(Default)]
struct Index {
    exact: FxHashMap<&'static str, Vec<Entry>>,
    /// Patterns by how they begin: by [`HEAD`] bytes where they have as many. The longest first.
    by_head: FxHashMap<&'static [u8], Vec<Entry>>,
    /// Patterns with a shorter beginning, by its first byte.
    by_first_byte: FxHashMap<u8, Vec<Entry>>,
    anywhere: Vec<Entry>,
    /// Those of them that a C identifier may match.
    anywhere_in_c: Vec<Entry>,
    public: FxHashMap<&'static str, PublicName>,
}

/// Enough to tell most families apart, so that few patterns are compared with a name.
const HEAD: usize = 12;

static INDEX: LazyLock<Index> = LazyLock::new(Index::build);

impl Index {
    fn build() -> Self {
        let mut index = Self::default();
        for (family, sources) in TABLES {
            for source in *sources {
                for row in source.rows {
                    index.add(Entry { row, scope: source.scope }, ALIASED.contains(family));
                }
            }
        }
        let may_be_in_c = |entry: &&Entry| match entry.row.pattern {
            Pattern::Suffix(text) | Pattern::Contains(text) => is_c_identifier(text),
            _ => true,
        };
        index.anywhere_in_c = index.anywhere.iter().filter(may_be_in_c).copied().collect();
        for entries in index.by_first_byte.values_mut().chain(index.by_head.values_mut()) {
            entries.sort_by_key(|e| std::cmp::Reverse(weight(e.row.pattern)));
        }
        // Where a name means two things, the one that is tied to a place is asked first.
        for entries in index.exact.values_mut() {
            entries.sort_by_key(|e| matches!(e.scope, Scope::Anywhere));
        }
        index
    }

    fn add(&mut self, entry: Entry, is_aliased: bool) {
        match entry.row.pattern {
            Pattern::Exact(name) => {
                self.exact.entry(name).or_default().push(entry);
                if is_aliased && is_c_identifier(name) {
                    let public = PublicName { name, is_word: entry.scope != Scope::Anywhere };
                    self.public.entry(name.trim_start_matches('_')).or_insert(public);
                }
            }
            Pattern::Prefix(text) | Pattern::Glob(text, _) => match text.as_bytes() {
                head if head.len() >= HEAD => self.by_head.entry(&head[..HEAD]).or_default().push(entry),
                [first, ..] => self.by_first_byte.entry(*first).or_default().push(entry),
                [] => self.anywhere.push(entry),
            },
            Pattern::Suffix(_) | Pattern::Contains(_) => self.anywhere.push(entry),
        }
    }
}

/// The more a pattern says, the earlier it is tried.
fn weight(pattern: Pattern) -> usize {
    match pattern {
        Pattern::Exact(text) | Pattern::Prefix(text) | Pattern::Suffix(text) | Pattern::Contains(text) => {
            text.len()
        }
        Pattern::Glob(start, end) => start.len() + end.len(),
    }
}

fn is_c_identifier(name: &str) -> bool {
    name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

/// The row for a name, among those whose scope is accepted.
pub fn find(name: &str, accepts: impl Fn(Scope) -> bool) -> Option<&'static Row> {
    let index = &*INDEX;
    if let Some(entry) = index.exact.get(name).and_then(|rows| rows.iter().find(|e| accepts(e.scope))) {
        return Some(entry.row);
    }
    let bytes = name.as_bytes();
    let by_head = bytes.get(..HEAD).and_then(|head| index.by_head.get(head));
    let by_first_byte = bytes.first().and_then(|first| index.by_first_byte.get(first));
    let patterns = by_head.into_iter().flatten().chain(by_first_byte.into_iter().flatten());
    let anywhere = if is_c_identifier(name) { &index.anywhere_in_c } else { &index.anywhere };
    patterns.chain(anywhere).find(|e| e.row.pattern.matches(name) && accepts(e.scope)).map(|e| e.row)
}

/// The name under which the C library's manual knows a function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PublicName {
    /// The name.
    pub name: &'static str,
    /// A word that other programs use too.
    pub is_word: bool,
}

/// What the C library puts before and behind its names.
const PREFIXES: [&str; 5] = ["libc_", "new_", "old_", "thr_", "sys_"];
const SUFFIXES: [&str; 8] =
    ["_nocancel", "_time64", "64_nocancel", "64_time64", "64", "_chk", "_2_0", "_internal"];
/// Words to which POSIX itself puts a 64.
const LARGE_FILE: [&str; 10] = [
    "pread64",
    "pwrite64",
    "preadv64",
    "pwritev64",
    "preadv64v2",
    "pwritev64v2",
    "open64",
    "openat64",
    "sendfile64",
    "fcntl64",
];

/// The public name of an alias: `__GI___lll_lock_wait` → `lll_lock_wait`. The name itself where it
/// is public already, `None` where it is the program's own.
pub fn public_name(name: &str) -> Option<PublicName> {
    if !is_c_identifier(name) {
        return None;
    }
    let index = &*INDEX;
    if index.exact.contains_key(name) {
        return index.public.get(name.trim_start_matches('_')).copied().filter(|p| p.name == name);
    }
    let bare = name.trim_start_matches('_');
    let underscores = name.len() - bare.len();
    let is_library_name = underscores >= 2 || LARGE_FILE.contains(&bare);
    let accepts = |known: &PublicName| {
        let own_underscores = known.name.starts_with('_');
        (!known.is_word || is_library_name) && (!own_underscores || underscores > 0)
    };
    let lookup = |stem: &str| index.public.get(stem).filter(|k| accepts(k)).copied();
    stems(bare).find_map(lookup).or_else(|| {
        // `ZwWaitForSingleObject`
        let rest = bare.strip_prefix("Zw").filter(|r| r.starts_with(|c: char| c.is_ascii_uppercase()))?;
        lookup(&format!("Nt{rest}"))
    })
}

/// The name without what may stand around it, the least changed first.
fn stems(bare: &str) -> impl Iterator<Item = &str> {
    // Nearly every name has none of them, as one byte tells.
    let begins = move |part: &&&str| part.bytes().next() == bare.bytes().next();
    let without_prefix = PREFIXES.iter().filter(begins).filter_map(move |p| bare.strip_prefix(p));
    std::iter::once(bare).chain(without_prefix).flat_map(|stem| {
        let ends = move |part: &&&str| part.bytes().next_back() == stem.bytes().next_back();
        std::iter::once(stem).chain(SUFFIXES.iter().filter(ends).filter_map(move |s| stem.strip_suffix(s)))
    })
}
