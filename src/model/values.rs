//! Values of printed arguments, in the pieces in which they were read: of a large text they are a good part of all memory,
//! and putting them together would need it twice.

use std::fmt;
use std::sync::Arc;

/// All values of a snapshot, numbered from 0 on. A thread's values stand in one piece.
#[derive(Clone, Default)]
pub struct Values {
    /// By their first numbers, ascending.
    parts: Vec<Part>,
    /// Whether single values may be added to the last piece: it was not read as a whole.
    is_open: bool,
}

#[derive(Clone)]
struct Part {
    first: u32,
    /// Several snapshots of one text may have it.
    values: Arc<Vec<u64>>,
}

impl Values {
    /// The values with these numbers, from the first to the one before the second: those of one thread. None if they are not
    /// there.
    pub fn of(&self, (start, end): (u32, u32)) -> &[u64] {
        let after = self.parts.partition_point(|part| part.first <= start);
        let part = after.checked_sub(1).and_then(|n| self.parts.get(n));
        let values = part.and_then(|part| {
            part.values.get((start - part.first) as usize..end.checked_sub(part.first)? as usize)
        });
        values.unwrap_or_default()
    }

    /// How many there are.
    pub fn len(&self) -> u32 {
        self.parts.last().map_or(0, |part| part.first.saturating_add(number(part.values.len())))
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Adds a piece as it is; the number of its first value.
    pub fn share(&mut self, values: Arc<Vec<u64>>) -> u32 {
        let first = self.len();
        self.parts.push(Part { first, values });
        self.is_open = false;
        first
    }

    /// Adds the values of one thread; their numbers.
    pub fn add(&mut self, values: impl ExactSizeIterator<Item = u64>) -> (u32, u32) {
        let start = self.len();
        if values.len() == 0 {
            return (start, start);
        }
        let last =
            self.parts.last_mut().filter(|_| self.is_open).and_then(|part| Arc::get_mut(&mut part.values));
        let room = last.as_ref().map_or(0, |open| open.capacity() - open.len());
        match last {
            Some(open) if room >= values.len() => open.extend(values),
            // One that grows would be copied: a new piece, larger than the one before.
            last => {
                let room = (last.map_or(0, |full| full.len()) * 2).clamp(FEWEST, MOST);
                let mut piece = Vec::with_capacity(room.max(values.len()));
                piece.extend(values);
                self.parts.push(Part { first: start, values: Arc::new(piece) });
                self.is_open = true;
            }
        }
        (start, self.len())
    }
}

/// For how many values there is room in a new piece.
const FEWEST: usize = 16;
const MOST: usize = 1 << 16;

fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// How many there are: what they are is shown by [`Values::of`], and in which pieces they stand is nobody's concern.
impl fmt::Debug for Values {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Values").field("len", &self.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_thread_finds_its_own_in_whatever_piece_they_stand() {
        let mut values = Values::default();
        assert_eq!(
            (values.add([].into_iter()), values.of((0, 0)), values.is_empty()),
            ((0, 0), &[][..], true)
        );
        assert_eq!((values.add([1, 2].into_iter()), values.add([3].into_iter())), ((0, 2), (2, 3)));
        let piece = Arc::new(vec![4, 5, 6]);
        assert_eq!(values.share(piece.clone()), 3);
        // What is shared does not grow.
        assert_eq!((values.add([7].into_iter()), values.add([8, 9].into_iter())), ((6, 7), (7, 9)));
        assert_eq!(*piece, [4, 5, 6]);
        let mut copy = values.clone();
        assert_eq!((copy.add([10].into_iter()), values.add([11].into_iter())), ((9, 10), (9, 10)));
        assert_eq!((copy.of((9, 10)), values.of((9, 10))), (&[10][..], &[11][..]));
        for (range, expected) in [
            ((0, 2), &[1, 2][..]),
            ((2, 3), &[3]),
            ((4, 6), &[5, 6]),
            ((7, 9), &[8, 9]),
            ((3, 3), &[]),
            // Beyond the end, backwards, and of two pieces.
            ((9, 12), &[]),
            ((20, 21), &[]),
            ((5, 4), &[]),
            ((2, 4), &[]),
        ] {
            assert_eq!(values.of(range), expected, "{range:?}");
        }
    }

    /// What was added stays where it is, however much follows.
    #[test]
    fn a_full_piece_is_followed_by_another_one() {
        let mut values = Values::default();
        for n in 0..100_000u64 {
            assert_eq!(values.add([n, n + 1, n + 2].into_iter()), (3 * n as u32, 3 * n as u32 + 3));
        }
        assert!((2..32).contains(&values.parts.len()), "{}", values.parts.len());
        assert!(values.parts.iter().all(|part| part.values.capacity() <= MOST));
        for n in [0, 4, 5, 21_845, 99_999] {
            assert_eq!(values.of((3 * n, 3 * n + 3)), [0, 1, 2].map(|more| u64::from(n) + more));
        }
        let many = 2 * MOST as u64;
        let range = values.add((0..many).collect::<Vec<_>>().into_iter());
        assert_eq!(values.of(range).len() as u64, many, "a thread's are in one piece");
    }
}
