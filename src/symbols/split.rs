//! Split DWARF.

use crate::modules::{ModuleIx, ModuleSet};

/// The `.dwo` files and the `.dwp` package of one module.
pub struct SplitFiles;

impl SplitFiles {
    /// Nothing is opened yet.
    pub fn new(_modules: &ModuleSet, _ix: ModuleIx) -> Self {
        Self
    }
}
