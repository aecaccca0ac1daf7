//! Names for unique addresses: symbol tables, DWARF, inlined functions, demangling.

use crate::model::{Gaps, Str};
use crate::modules::ModuleSet;

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

/// Resolves code addresses (avma; the caller has subtracted one from return addresses). The
/// result has one entry for each, in their order: the functions from the innermost inlined one
/// to the one that has the code, at least one.
pub fn resolve(_modules: &ModuleSet, addresses: &[u64], _gaps: &mut Gaps) -> Vec<Vec<SourceFrame>> {
    vec![vec![SourceFrame::default()]; addresses.len()]
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

/// Resolves data addresses (of locks, for example); one entry for each, `None` outside modules.
pub fn data_places(_modules: &ModuleSet, addresses: &[u64]) -> Vec<Option<DataPlace>> {
    vec![None; addresses.len()]
}

/// The address (avma) and size of a data symbol of any module: `_thread_db_pthread_tid`.
pub fn address_of(_modules: &ModuleSet, _name: &str) -> Option<(u64, u64)> {
    None
}
