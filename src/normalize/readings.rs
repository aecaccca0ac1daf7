//! What each distinct stack means, read once; stacks that mean the same share it.

use std::hash::BuildHasher;

use hashbrown::HashTable;
use rayon::prelude::*;
use rustc_hash::FxBuildHasher;

use super::{Meanings, StackMeaning, read};
use crate::model::{StackIx, StackTable};

/// What each stack of a snapshot means. Most mean what others mean: a profile has a hundred thousand stacks, and some
/// dozens of meanings.
#[derive(Clone, Debug, Default)]
pub struct Readings {
    /// The place of each stack's meaning, by [`StackIx`].
    of: Vec<u32>,
    /// In the order of their first stacks.
    distinct: Vec<StackMeaning>,
}

/// Stacks that are read in one go.
const STACKS_A_PART: usize = 64;

impl Readings {
    /// Reads each distinct stack once.
    pub fn of(stacks: &StackTable, meanings: &Meanings) -> Self {
        let count = stacks.stack_count();
        let part = |part: usize| {
            let stacks_of_part = part * STACKS_A_PART..count.min((part + 1) * STACKS_A_PART);
            let mut distinct = Distinct::default();
            let of = stacks_of_part.map(|n| {
                let stack = stacks.frames_of(StackIx(n as u32));
                distinct.number(read(stack, stacks, meanings))
            });
            (of.collect::<Vec<u32>>(), distinct.all)
        };
        let parts: Vec<_> = (0..count.div_ceil(STACKS_A_PART)).into_par_iter().map(part).collect();
        let mut distinct = Distinct::default();
        let mut of = Vec::with_capacity(count);
        for (of_part, all) in parts {
            let numbers: Vec<u32> = all.into_iter().map(|meaning| distinct.number(meaning)).collect();
            of.extend(of_part.iter().filter_map(|&n| numbers.get(n as usize)));
        }
        Self { of, distinct: distinct.all }
    }

    /// Each meaning that a stack has.
    pub fn distinct(&self) -> impl Iterator<Item = &StackMeaning> {
        self.distinct.iter()
    }

    /// What this stack means.
    pub fn get(&self, stack: StackIx) -> &StackMeaning {
        &self.distinct[self.of[stack.at()] as usize]
    }
}

/// Meanings, each once.
#[derive(Default)]
struct Distinct {
    all: Vec<StackMeaning>,
    numbers: HashTable<u32>,
    /// The one before, as most stacks mean what the stack before means.
    last: u32,
}

impl Distinct {
    fn number(&mut self, meaning: StackMeaning) -> u32 {
        if self.all.get(self.last as usize) == Some(&meaning) {
            return self.last;
        }
        let hash = FxBuildHasher.hash_one(&meaning);
        let all = &self.all;
        let known = self.numbers.find(hash, |&n| all.get(n as usize) == Some(&meaning)).copied();
        self.last = match known {
            Some(known) => known,
            None => self.push(hash, meaning),
        };
        self.last
    }

    fn push(&mut self, hash: u64, meaning: StackMeaning) -> u32 {
        let next = self.all.len() as u32;
        self.all.push(meaning);
        let all = &self.all;
        let hash_of = |&n: &u32| all.get(n as usize).map_or(0, |known| FxBuildHasher.hash_one(known));
        self.numbers.insert_unique(hash, next, hash_of);
        next
    }
}
