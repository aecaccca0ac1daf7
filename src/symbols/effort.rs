//! A bound on the work for one unit. DWARF can say the same thing over and over: ranges that many entries
//! share, functions inside of functions. Real units are read about twice.

use std::cell::Cell;

/// Steps that are left: entries and ranges.
pub struct Effort(Cell<u64>);

impl Effort {
    /// For a unit of this size: an entry has at least one byte.
    pub fn for_unit(bytes: usize) -> Self {
        Self(Cell::new((bytes as u64).saturating_mul(16).saturating_add(50_000)))
    }

    /// Takes one step. The error stands for "this DWARF is not one that a compiler wrote".
    pub fn step(&self) -> gimli::Result<()> {
        let left = self.0.get().checked_sub(1).ok_or(gimli::Error::TooManyIterations)?;
        self.0.set(left);
        Ok(())
    }
}
