//! Sequences, each kept once: one place in memory for all of them, an integer for each.

use std::fmt;
use std::hash::{BuildHasher, Hash};
use std::sync::Arc;

use hashbrown::HashTable;
use rustc_hash::FxBuildHasher;

/// Sequences of `T`, numbered from 0 on in the order in which they came.
#[derive(Clone)]
pub struct Pool<T> {
    /// Those that are shared: its first ones.
    base: Option<Arc<Pool<T>>>,
    items: Vec<T>,
    /// Where in `items` each sequence ends.
    ends: Vec<usize>,
    hashes: Vec<u64>,
    numbers: HashTable<u32>,
}

/// Without the tables by which sequences are found: their order depends on the room that was made for them.
impl<T: fmt::Debug> fmt::Debug for Pool<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { base, items, ends, hashes: _, numbers: _ } = self;
        f.debug_struct("Pool").field("base", base).field("items", items).field("ends", ends).finish()
    }
}

impl<T> Default for Pool<T> {
    fn default() -> Self {
        Self {
            base: None,
            items: Vec::new(),
            ends: Vec::new(),
            hashes: Vec::new(),
            numbers: HashTable::new(),
        }
    }
}

impl<T: Copy + Eq + Hash> Pool<T> {
    /// The same sequences for this pool and all that are cloned from it: none of them copies what was there until now.
    pub fn share(&mut self) {
        if !self.ends.is_empty() {
            *self = Self { base: Some(Arc::new(std::mem::take(self))), ..Self::default() };
        }
    }

    /// Makes room for so many sequences more, which have so many items.
    pub fn reserve(&mut self, sequences: usize, items: usize) {
        self.items.reserve(items);
        self.ends.reserve(sequences);
        self.hashes.reserve(sequences);
        let hashes = &self.hashes;
        self.numbers.reserve(sequences, |&n| hashes.get(n as usize).copied().unwrap_or_default());
    }

    /// How many of its sequences are shared.
    fn shared(&self) -> usize {
        self.base.as_ref().map_or(0, |base| base.len())
    }

    /// The number of a sequence.
    pub fn find(&self, sequence: &[T]) -> Option<u32> {
        self.find_hashed(FxBuildHasher.hash_one(sequence), sequence)
    }

    fn find_hashed(&self, hash: u64, sequence: &[T]) -> Option<u32> {
        if let Some(known) = self.base.as_ref().and_then(|base| base.find_hashed(hash, sequence)) {
            return Some(known);
        }
        let is_it =
            |&n: &u32| self.hashes.get(n as usize) == Some(&hash) && self.own(n as usize) == Some(sequence);
        self.numbers.find(hash, is_it).map(|n| self.shared() as u32 + n)
    }

    /// The number of a sequence, which is added where it is new.
    pub fn add(&mut self, sequence: &[T]) -> u32 {
        self.add_hashed(FxBuildHasher.hash_one(sequence), sequence)
    }

    /// The number here of a sequence of another pool.
    pub fn add_of(&mut self, other: &Self, number: u32) -> Option<u32> {
        let hash = other.hash(number as usize)?;
        Some(self.add_hashed(hash, other.get(number)?))
    }

    fn add_hashed(&mut self, hash: u64, sequence: &[T]) -> u32 {
        if let Some(known) = self.find_hashed(hash, sequence) {
            return known;
        }
        let n = self.ends.len() as u32;
        self.items.extend_from_slice(sequence);
        self.ends.push(self.items.len());
        self.hashes.push(hash);
        let hashes = &self.hashes;
        self.numbers.insert_unique(hash, n, |&n| hashes.get(n as usize).copied().unwrap_or_default());
        self.shared() as u32 + n
    }

    /// The sequence with this number.
    pub fn get(&self, number: u32) -> Option<&[T]> {
        let n = number as usize;
        match &self.base {
            Some(base) if n < base.len() => base.get(number),
            Some(base) => self.own(n - base.len()),
            None => self.own(n),
        }
    }

    fn hash(&self, n: usize) -> Option<u64> {
        match &self.base {
            Some(base) if n < base.len() => base.hash(n),
            Some(base) => self.hashes.get(n - base.len()).copied(),
            None => self.hashes.get(n).copied(),
        }
    }

    /// The `n`th of those that are not shared.
    fn own(&self, n: usize) -> Option<&[T]> {
        let end = *self.ends.get(n)?;
        let start = n.checked_sub(1).and_then(|before| self.ends.get(before)).copied().unwrap_or(0);
        self.items.get(start..end)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.shared() + self.ends.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Pool<u32> {
    /// Adds all sequences of another pool, whose items have other numbers here; what the sequences are numbered here.
    pub fn append(&mut self, next: &Self, numbers: &[u32]) -> Vec<u32> {
        let mut sequence = Vec::new();
        (0..next.len() as u32)
            .map(|ix| {
                sequence.clear();
                let own = next.get(ix).unwrap_or_default().iter();
                sequence.extend(own.filter_map(|&item| numbers.get(item as usize)));
                self.add(&sequence)
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_sequences_have_one_number() {
        let mut pool: Pool<u8> = Pool::default();
        let texts = [&b"ab"[..], b"", b"abc", b"ab", b"c", b""];
        assert_eq!(texts.map(|text| pool.add(text)), [0, 1, 2, 0, 3, 1]);
        assert_eq!([0, 1, 2, 3].map(|n| pool.get(n).unwrap()), [&b"ab"[..], b"", b"abc", b"c"]);
        assert_eq!((pool.find(b"c"), pool.find(b"b"), pool.get(4), pool.len()), (Some(3), None, None, 4));
    }

    #[test]
    fn what_is_shared_stays_as_it_was() {
        let mut first: Pool<u8> = Pool::default();
        assert_eq!([&b"a"[..], b"bc"].map(|text| first.add(text)), [0, 1]);
        first.share();
        let mut pool = first.clone();
        assert_eq!((first.add(b"x"), first.get(2)), (2, Some(&b"x"[..])));
        assert_eq!([&b"bc"[..], b"d", b"a", b"ef", b"d"].map(|text| pool.add(text)), [1, 2, 0, 3, 2]);
        assert_eq!([0, 1, 2, 3].map(|n| pool.get(n).unwrap()), [&b"a"[..], b"bc", b"d", b"ef"]);
        assert_eq!((pool.find(b"ef"), pool.find(b"x"), pool.get(4)), (Some(3), None, None));
        assert_eq!((pool.len(), pool.shared()), (4, 2));
        pool.share();
        assert_eq!([&b"g"[..], b"ef", b"a"].map(|text| pool.add(text)), [4, 3, 0]);
        let mut other = Pool::default();
        assert_eq!([3, 0, 5].map(|n| other.add_of(&pool, n)), [Some(0), Some(1), None]);
    }

    #[test]
    fn numbers_of_another_pool_are_translated() {
        let (mut one, mut other) = (Pool::default(), Pool::default());
        for n in 0..1000u32 {
            one.add(&[n, n / 2]);
            other.add(&[999 - n, (999 - n) / 2]);
        }
        let all: Vec<u32> = (0..1000).filter_map(|n| one.add_of(&other, n)).collect();
        assert!(all.iter().rev().copied().eq(0..1000));
        assert_eq!(one.len(), 1000);
    }
}
