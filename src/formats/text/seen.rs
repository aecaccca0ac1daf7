//! Which threads a dump has had so far: in most formats one that comes again begins the next dump.

use rustc_hash::FxHashSet;

use crate::model::{Str, ThreadId};

/// Ids of threads. Numbers by themselves: a dump may have hundreds of thousands, which one worker looks up.
#[derive(Default)]
pub struct SeenIds {
    numbers: FxHashSet<u64>,
    texts: FxHashSet<Str>,
}

impl SeenIds {
    /// Adds an id; whether it is a new one.
    pub fn insert(&mut self, id: &ThreadId) -> bool {
        match id {
            ThreadId::Number(number) => self.numbers.insert(*number),
            ThreadId::Text(text) => !self.texts.contains(text) && self.texts.insert(text.clone()),
        }
    }

    /// Whether the id was added before.
    pub fn contains(&self, id: &ThreadId) -> bool {
        match id {
            ThreadId::Number(number) => self.numbers.contains(number),
            ThreadId::Text(text) => self.texts.contains(text),
        }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.numbers.len() + self.texts.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Forgets all.
    pub fn clear(&mut self) {
        self.numbers.clear();
        self.texts.clear();
    }
}
