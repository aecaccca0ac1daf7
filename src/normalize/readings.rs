//! What each distinct stack means, read once.

use rayon::prelude::*;

use super::{Meanings, StackMeaning, read};
use crate::model::{StackIx, StackTable};

/// What each stack of a snapshot means, by [`StackIx`].
#[derive(Clone, Debug, Default)]
pub struct Readings(Vec<StackMeaning>);

impl Readings {
    /// Reads each distinct stack once.
    pub fn of(stacks: &StackTable, meanings: &Meanings) -> Self {
        let all = (0..stacks.stack_count() as u32).into_par_iter().with_min_len(64);
        Self(all.map(|n| read(stacks.frames_of(StackIx(n)), stacks, meanings)).collect())
    }

    /// What each stack means, in the order of the stacks.
    pub fn all(&self) -> impl Iterator<Item = &StackMeaning> {
        self.0.iter()
    }

    /// What this stack means.
    pub fn get(&self, stack: StackIx) -> &StackMeaning {
        &self.0[stack.at()]
    }
}
