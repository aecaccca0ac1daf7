//! Numbers in words, and what a case offers to all rules.

use super::Case;
use crate::model::{FrameIx, ThreadIx};
use crate::waits::{Lock, LockRow, Words};

/// The row of a lock's kind.
pub(super) fn row(lock: &Lock) -> &'static LockRow {
    crate::waits::row(lock.kind)
}

impl Case<'_> {
    /// The words for this case.
    pub fn words(&self) -> Words<'_> {
        Words { snapshot: self.snapshot, meanings: self.meanings, readings: self.readings, waits: self.waits }
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

/// A share in percent: `90 %`, `< 1 %`.
pub fn percent(part: u64, whole: u64) -> String {
    match part.saturating_mul(100).checked_div(whole) {
        Some(0) if part > 0 => "< 1 %".into(),
        Some(share) => format!("{share} %"),
        None => "0 %".into(),
    }
}

/// `1 thread`, `12 threads`.
pub fn threads(count: u64) -> String {
    match count {
        1 => "1 thread".into(),
        n => format!("{} threads", grouped(n)),
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
        assert_eq!(percent(1, 1_000), "< 1 %");
        assert_eq!(percent(4_499, 5_001), "89 %");
    }
}
