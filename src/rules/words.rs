//! Numbers in words, and what a case offers to all rules.

use super::Case;
use crate::model::{FrameIx, Thread, ThreadIx};
use crate::waits::{Lock, LockRow, State, Words};

/// The row of a lock's kind.
pub(super) fn row(lock: &Lock) -> &'static LockRow {
    crate::waits::row(lock.kind)
}

impl Case<'_> {
    /// Whether any thread runs a test.
    pub fn has_tests(&self) -> bool {
        self.readings.distinct().any(|reading| reading.test.is_some())
    }

    /// `1 thread`, `12 samples`: what the dump counts.
    pub fn counted(&self, count: u64) -> String {
        of_noun(count, self.snapshot.listing.noun())
    }

    /// How many threads or samples are in one of these states.
    pub fn count_in(&self, is_meant: impl Fn(State) -> bool) -> u64 {
        self.states.count(is_meant)
    }

    /// The words for this case.
    pub fn words(&self) -> Words<'_> {
        Words { snapshot: self.snapshot, meanings: self.meanings, readings: self.readings, waits: self.waits }
    }

    /// Whether the producer calls the frames of a thread guesses, down to the outermost.
    pub fn is_guessed(&self, thread: &Thread) -> bool {
        self.snapshot.stacks.is_guessed(thread.stack)
    }

    /// The innermost frame of a thread that means something.
    pub fn first_meaningful(&self, thread: ThreadIx) -> Option<FrameIx> {
        self.words().first_meaningful(thread)
    }

    /// The frame from which a thread waits: the function of the program that locks, reads, sleeps.
    pub fn caller(&self, thread: ThreadIx) -> Option<FrameIx> {
        self.words().caller(thread)
    }
}

/// A number with thousands apart: `4,499`.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (n, digit) in digits.chars().enumerate() {
        if n > 0 && (digits.len() - n).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A share in percent, rounded as the reports round theirs: `90 %`. Only all is 100 % and only none is 0 %.
pub fn percent(part: u64, whole: u64) -> String {
    let rounded = part.saturating_mul(200).checked_div(whole).map_or(0, |halves| halves.div_ceil(2));
    match rounded {
        0 if part > 0 => "<1 %".into(),
        100 if part < whole => ">99 %".into(),
        share => format!("{share} %"),
    }
}

/// `1 thread`, `12 threads`.
pub fn threads(count: u64) -> String {
    of_noun(count, "thread")
}

fn of_noun(count: u64, noun: &str) -> String {
    match count {
        1 => format!("1 {noun}"),
        n => format!("{} {noun}s", grouped(n)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        assert_eq!(grouped(5), "5");
        assert_eq!(grouped(4_499), "4,499");
        assert_eq!(grouped(1_234_567), "1,234,567");
        assert_eq!(
            ["0 %", "<1 %", "90 %", ">99 %", "100 %", "50 %", "33 %"],
            [(0, 9), (1, 1_000), (4_499, 5_001), (29_998, 30_000), (7, 7), (1, 2), (1, 3)]
                .map(|(part, whole)| percent(part, whole))
        );
        assert_eq!(percent(0, 0), "0 %");
    }
}
