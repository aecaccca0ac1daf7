//! Blocks that were there before, compared as a whole.
//!
//! Threads that do the same print the same lines but for some numbers, and most threads of a large dump do the same.
//! So a block is first compared with the one before and with the one that followed that one last time: as bytes, with
//! holes where its numbers are. What is found so is what its lines would give one by one. Numbers that were the same in
//! all blocks so far, as the address of a lock for which all wait, are compared together with what stands around them.

use std::ops::Range;
use std::sync::Arc;

use rustc_hash::FxHashMap;

/// What may stand in a hole.
pub trait Hole: Copy {
    /// Reads what begins at this place of the text, and where it ends. Its value, if it has one, is pushed. `None`: it is
    /// something else.
    fn read(self, text: &[u8], at: usize, values: &mut Vec<u64>) -> Option<usize>;
}

/// The blocks of a text that may be recognized as a whole. Blocks have numbers that are the caller's.
#[derive(Clone, Debug)]
pub struct Repeats<H> {
    seen: Vec<Seen<H>>,
    /// What always stands in the holes of which that is known: few, and most holes are small without it.
    steady: Vec<Steady>,
    seen_of: FxHashMap<u32, usize>,
    /// The one that was seen last.
    last: Option<usize>,
}

impl<H> Default for Repeats<H> {
    fn default() -> Self {
        Self { seen: Vec::new(), steady: Vec::new(), seen_of: FxHashMap::default(), last: None }
    }
}

/// A hole, and where it stands in its block.
#[derive(Clone, Copy, Debug)]
struct Place<H> {
    start: u32,
    end: u32,
    hole: H,
    /// Whether always the same stands there.
    state: HoleState,
}

/// What is known of a hole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum HoleState {
    /// Nothing yet, or that it varies.
    Open,
    /// What stands there in all blocks: a place in [`Repeats::steady`].
    Steady(u32),
}

/// What always stands in a hole.
#[derive(Clone, Copy, Debug)]
struct Steady {
    /// Its value, if it has one.
    value: Option<u64>,
}

/// A block, and where it stands.
#[derive(Clone, Debug)]
struct Seen<H> {
    block: u32,
    text: Range<usize>,
    /// Its holes. Each piece of the text knows those of the first one: they are copied where one of them learns more.
    holes: Arc<[Place<H>]>,
    /// The one that followed last time.
    next: usize,
    /// How many times it was found again, up to one more than [`OPEN_FOR`].
    found: u32,
}

impl<H: Hole> Repeats<H> {
    /// Keeps a new block for those that follow. `holes`: from its first byte on, ascending; where two touch each other,
    /// the block is not kept.
    pub fn keep(&mut self, block: u32, text: Range<usize>, holes: &[(Range<usize>, H)]) {
        let is_small = u32::try_from(text.len()).is_ok();
        if !is_small || !holes.is_sorted_by(|(a, _), (b, _)| a.end < b.start) {
            self.forget();
            return;
        }
        let place = |(at, hole): &(Range<usize>, H)| Place {
            start: at.start as u32,
            end: at.end as u32,
            hole: *hole,
            state: HoleState::Open,
        };
        let next = self.seen.len();
        self.seen.push(Seen { block, text, holes: holes.iter().map(place).collect(), next, found: 0 });
        self.seen_of.insert(block, next);
        self.follows(next);
    }

    /// A known block, which was read line by line.
    pub fn again(&mut self, block: u32) {
        match self.seen_of.get(&block) {
            Some(&known) => self.follows(known),
            None => self.forget(),
        }
    }

    /// A block that cannot be recognized as a whole.
    pub fn forget(&mut self) {
        self.last = None;
    }

    /// The block that begins at `at`, where it is one of those before, and where it ends. Its values are pushed.
    pub fn find(&mut self, text: &[u8], at: usize, values: &mut Vec<u64>) -> Option<(u32, usize)> {
        let last = self.last?;
        let after = self.seen.get(last)?.next;
        let mark = values.len();
        for candidate in [after, last] {
            if let Some(end) = self.matches(candidate, text, at, values) {
                self.follows(candidate);
                return Some((self.seen.get(candidate)?.block, end));
            }
            values.truncate(mark);
        }
        None
    }

    /// Adds the blocks of what follows. `number`: how its blocks are numbered here.
    pub fn append(&mut self, next: Self, number: impl Fn(u32) -> Option<u32>) {
        let steady = self.steady.len() as u32;
        self.steady.extend(next.steady);
        let mut places = Vec::with_capacity(next.seen.len());
        let mut after = Vec::with_capacity(next.seen.len());
        for mut seen in next.seen {
            after.push(seen.next);
            let Some(block) = number(seen.block) else { return self.forget() };
            let new = self.seen.len();
            let place = *self.seen_of.entry(block).or_insert(new);
            if place == new {
                if steady > 0 && seen.holes.iter().any(|hole| hole.state != HoleState::Open) {
                    for hole in Arc::make_mut(&mut seen.holes) {
                        if let HoleState::Steady(at) = &mut hole.state {
                            *at += steady;
                        }
                    }
                }
                self.seen.push(Seen { block, next: new, ..seen });
            }
            places.push(place);
        }
        for (&place, after) in places.iter().zip(after) {
            if let (Some(own), Some(&after)) = (self.seen.get_mut(place), places.get(after)) {
                own.next = after;
            }
        }
        self.last = next.last.and_then(|last| places.get(last).copied());
    }

    fn steady_of(&self, place: &Place<H>) -> Option<Steady> {
        match place.state {
            HoleState::Open => None,
            HoleState::Steady(at) => self.steady.get(at as usize).copied(),
        }
    }

    fn follows(&mut self, next: usize) {
        if let Some(last) = self.last.and_then(|last| self.seen.get_mut(last)) {
            last.next = next;
        }
        self.last = Some(next);
    }

    /// Where the block at `at` ends, if it is this one but for its holes, whose values are pushed.
    fn matches(&mut self, candidate: usize, text: &[u8], at: usize, values: &mut Vec<u64>) -> Option<usize> {
        let found = self.seen.get(candidate)?.found;
        let mark = values.len();
        if found > OPEN_FOR {
            let is_open = |place: &Place<H>| place.state == HoleState::Open;
            if let Some(end) = self.matches_with(candidate, text, at, values, is_open, |_, _| {}) {
                return Some(end);
            }
            values.truncate(mark);
        }
        if found < OPEN_FOR {
            let end = self.matches_with(candidate, text, at, values, |_| true, |_, _| {})?;
            self.seen[candidate].found += 1;
            return Some(end);
        }
        let mut looked_at: Vec<(usize, Option<Steady>)> = Vec::new();
        let end = self.matches_with(
            candidate,
            text,
            at,
            values,
            |_| true,
            |n, steady| looked_at.push((n, steady)),
        )?;
        let seen = &mut self.seen[candidate];
        seen.found = OPEN_FOR + 1;
        // Most holes vary, and are open already.
        let is_new = |place: &Place<H>, steady: Option<Steady>| match steady {
            None => place.state != HoleState::Open,
            Some(_) => found == OPEN_FOR,
        };
        let changes =
            |(n, steady): &(usize, Option<Steady>)| seen.holes.get(*n).is_some_and(|p| is_new(p, *steady));
        if !looked_at.iter().any(changes) {
            return Some(end);
        }
        let holes = Arc::make_mut(&mut seen.holes);
        for (n, steady) in looked_at {
            let Some(place) = holes.get_mut(n) else { continue };
            match steady {
                None => place.state = HoleState::Open,
                Some(steady) if found == OPEN_FOR => {
                    place.state = HoleState::Steady(self.steady.len() as u32);
                    self.steady.push(steady);
                }
                // What has varied once stays open.
                Some(_) => {}
            }
        }
        Some(end)
    }

    /// The same, where what stands in a hole is read if it `is_open`, and has to be the same otherwise. `looked_at` is told
    /// of each open hole what stands in it, if it is the same.
    fn matches_with(
        &self,
        candidate: usize,
        text: &[u8],
        at: usize,
        values: &mut Vec<u64>,
        is_open: impl Fn(&Place<H>) -> bool,
        mut looked_at: impl FnMut(usize, Option<Steady>),
    ) -> Option<usize> {
        let seen = self.seen.get(candidate)?;
        let known = text.get(seen.text.clone())?;
        let (mut from, mut at) = (0, at);
        for (n, place) in seen.holes.iter().enumerate() {
            if !is_open(place) {
                values.extend(self.steady_of(place).and_then(|steady| steady.value));
                continue;
            }
            let (start, end) = (place.start as usize, place.end as usize);
            let literal = known.get(from..start)?;
            if !text.get(at..)?.starts_with(literal) {
                return None;
            }
            let (begin, mark) = (at + literal.len(), values.len());
            at = place.hole.read(text, begin, values)?;
            // A number that goes on behind its hole is another one: something has to stand there that is compared.
            let is_same = text.get(begin..at) == known.get(start..end) && end < known.len();
            looked_at(n, is_same.then(|| Steady { value: values.get(mark).copied() }));
            from = end;
        }
        let literal = known.get(from..)?;
        text.get(at..)?.starts_with(literal).then_some(at + literal.len())
    }
}

/// So many times a block is found again before its numbers are asked which of them are always the same.
const OPEN_FOR: u32 = 4;

#[cfg(test)]
mod tests {
    use super::*;

    /// A decimal number.
    #[derive(Clone, Copy)]
    struct Number;

    impl Hole for Number {
        fn read(self, text: &[u8], at: usize, values: &mut Vec<u64>) -> Option<usize> {
            let digits = text.get(at..)?.iter().take_while(|b| b.is_ascii_digit()).count();
            values.push(std::str::from_utf8(text.get(at..at + digits)?).ok()?.parse().ok()?);
            Some(at + digits)
        }
    }

    #[test]
    fn a_block_is_known_again_whatever_its_numbers_are() {
        let text = b"f 1\ng 2\nh\nf 31\ng 7\nf 4\ng 5\nh\n";
        let mut repeats = Repeats::default();
        let mut values = vec![9];
        assert_eq!(repeats.find(text, 0, &mut values), None);
        repeats.keep(3, 0..8, &[(2..3, Number), (6..7, Number)]);
        repeats.keep(5, 8..10, &[]);
        // After 5 came nothing yet: 5 is expected again.
        assert_eq!(repeats.find(text, 10, &mut values), None);
        repeats.again(3);
        assert_eq!((repeats.find(text, 10, &mut values), &values[..]), (Some((3, 19)), &[9, 31, 7][..]));
        assert_eq!(repeats.find(text, 19, &mut values), Some((3, 27)));
        // 5 followed 3 once.
        repeats.again(5);
        repeats.again(3);
        assert_eq!(repeats.find(text, 27, &mut values), Some((5, 29)));
        assert_eq!(values, [9, 31, 7, 4, 5]);
        // Cut in the middle.
        repeats.again(3);
        assert_eq!((repeats.find(&text[..26], 19, &mut values), values.len()), (None, 5));
    }

    #[test]
    fn what_never_varied_is_compared_and_varies_from_then_on() {
        let block = |a: u64, b: u64| format!("f {a} {b}\n");
        let mut numbers: Vec<(u64, u64)> = (0..10).map(|n| (7, n)).collect();
        numbers.extend([(71, 3), (7, 3), (8, 30)]);
        let mut text: String = numbers.iter().map(|(a, b)| block(*a, *b)).collect();
        text += "f 7x 3\nf 7\n";
        let mut repeats = Repeats::default();
        repeats.keep(0, 0..6, &[(2..3, Number), (4..5, Number)]);
        let (mut values, mut at) = (Vec::new(), 6);
        for (n, (a, b)) in numbers.iter().enumerate().skip(1) {
            let (found, end) = repeats.find(text.as_bytes(), at, &mut values).unwrap();
            assert_eq!((found, values.split_off(0)), (0, vec![*a, *b]));
            let steady: Vec<bool> =
                repeats.seen[0].holes.iter().map(|place| repeats.steady_of(place).is_some()).collect();
            assert_eq!(steady, [(5..10).contains(&n), false], "{n}");
            at = end;
        }
        assert_eq!((repeats.find(text.as_bytes(), at, &mut values), values.len()), (None, 0));
    }

    #[test]
    fn holes_that_touch_are_none() {
        let mut repeats = Repeats::default();
        repeats.keep(0, 0..4, &[(0..2, Number), (2..3, Number)]);
        assert_eq!(repeats.find(b"123\n123\n", 4, &mut Vec::new()), None);
    }
}
