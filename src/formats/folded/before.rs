//! What a stack has in common with the one before: profiles are sorted, and deep stacks end alike.

use std::ops::Range;

/// A stack as it stands in the text, to compare the next one with.
#[derive(Default)]
pub(super) struct Before<'t> {
    frames: &'t str,
    /// Where in it each name begins.
    starts: Vec<usize>,
}

/// Which names of the stack before a stack has.
pub(super) struct Common {
    /// So many of its first ones.
    pub first: usize,
    /// So many of its last ones.
    pub last: usize,
    /// Where the others stand in the new stack, one at least.
    pub between: Range<usize>,
}

impl Common {
    /// Nothing is known of the stack before.
    pub fn none(frames: &str) -> Self {
        Self { first: 0, last: 0, between: 0..frames.len() }
    }
}

impl<'t> Before<'t> {
    /// What these frames have in common with it.
    pub fn common(&self, frames: &str) -> Common {
        let (old, new) = (self.frames.as_bytes(), frames.as_bytes());
        // A name is the same where the semicolon behind it is too.
        let same = same_start(old, new);
        let first = self.starts.partition_point(|&start| start <= same).saturating_sub(1);
        let from = self.starts.get(first).copied().unwrap_or(0);
        let rest = |bytes| -> &[u8] { <[u8]>::get(bytes, from..).unwrap_or_default() };
        // And of the last ones the semicolon before.
        let different = old.len() - same_end(rest(old), rest(new));
        let at = self.starts.partition_point(|&start| start <= different);
        let last = self.starts.len() - at;
        let behind = self.starts.get(at).map_or(0, |start| old.len() + 1 - start);
        Common { first, last, between: from..new.len() - behind }
    }

    /// How many names it has.
    pub fn len(&self) -> usize {
        self.starts.len()
    }

    /// These frames are the ones before from now on.
    pub fn replace(&mut self, frames: &'t str, common: &Common) {
        let behind = self.starts.len() - common.last;
        for start in self.starts.iter_mut().skip(behind) {
            *start = *start + frames.len() - self.frames.len();
        }
        let between = frames.as_bytes().get(common.between.clone()).unwrap_or_default();
        let next = memchr::memchr_iter(b';', between).map(|at| common.between.start + at + 1);
        self.starts.splice(common.first..behind, std::iter::once(common.between.start).chain(next));
        self.frames = frames;
    }

    /// What comes next has nothing to be compared with.
    pub fn clear(&mut self) {
        *self = Self::default();
    }
}

/// Bytes that are compared at once.
const AT_ONCE: usize = 32;

/// How many bytes two texts begin with that are the same.
fn same_start(a: &[u8], b: &[u8]) -> usize {
    let whole = a.as_chunks::<AT_ONCE>().0.iter().zip(b.as_chunks::<AT_ONCE>().0);
    let done = whole.take_while(|(a, b)| a == b).count() * AT_ONCE;
    let rest = a.iter().skip(done).zip(b.iter().skip(done));
    done + rest.take_while(|(a, b)| a == b).count()
}

/// How many bytes two texts end with that are the same.
fn same_end(a: &[u8], b: &[u8]) -> usize {
    let whole = a.as_rchunks::<AT_ONCE>().1.iter().rev().zip(b.as_rchunks::<AT_ONCE>().1.iter().rev());
    let done = whole.take_while(|(a, b)| a == b).count() * AT_ONCE;
    let rest = a.iter().rev().skip(done).zip(b.iter().rev().skip(done));
    done + rest.take_while(|(a, b)| a == b).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The names that a stack shares with the one before, and the others.
    fn shared(before: &mut Before<'static>, frames: &'static str) -> (usize, &'static str, usize) {
        let common = before.common(frames);
        let between = &frames[common.between.clone()];
        before.replace(frames, &common);
        let starts: Vec<usize> =
            std::iter::once(0).chain(frames.match_indices(';').map(|(at, _)| at + 1)).collect();
        assert_eq!(before.starts, starts, "{frames}");
        (common.first, between, common.last)
    }

    #[test]
    fn names_are_shared_whole() {
        let mut before = Before::default();
        for (frames, expected) in [
            ("a;b;c", (0, "a;b;c", 0)),
            ("a;b;c", (2, "c", 0)),
            ("a;b;c;d", (2, "c;d", 0)),
            ("a;bb;c;d", (1, "bb", 2)),
            ("x;bb;c;d", (0, "x", 3)),
            ("x;bb;c;dd", (3, "dd", 0)),
            ("x;cc;dd", (1, "cc", 1)),
            ("x;dd", (1, "dd", 0)),
            ("dd", (0, "dd", 0)),
            ("e;dd", (0, "e;dd", 0)),
            ("e;e;dd", (1, "e;dd", 0)),
            ("e;;dd", (1, "", 1)),
            ("", (0, "", 0)),
            ("e;ö;dd", (0, "e;ö;dd", 0)),
            ("e;ü;dd", (1, "ü", 1)),
        ] {
            assert_eq!(shared(&mut before, frames), expected, "{frames}");
        }
    }

    #[test]
    fn long_ones_too() {
        let long: &'static str = Box::leak("f".repeat(100).into_boxed_str());
        let all = |middle: &str| -> &'static str {
            Box::leak(format!("r;{long};{middle};{long}").into_boxed_str())
        };
        let mut before = Before::default();
        shared(&mut before, all("x"));
        assert_eq!(shared(&mut before, all("y")), (2, "y", 1));
        assert_eq!(shared(&mut before, all(long)), (2, long, 1));
        assert_eq!(shared(&mut before, all("y;z")), (2, "y;z", 1));
    }
}
