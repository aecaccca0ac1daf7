//! From a diagnosis to pass or fail: what a CI job asks. Knows thresholds, a baseline of known findings, and
//! findings to be ignored; changes no finding and opens no file.

mod baseline;
mod date;
mod ignore;
mod judge;

pub use baseline::{Baseline, BaselineError, FingerprintError, KnownFinding, fingerprint};
pub use date::{Date, DateError};
pub use ignore::Ignore;
pub use judge::{Exceeded, Expired, Judgement, Limit, Standing, judge};

use crate::rules::Severity;

/// What fails a check.
#[derive(Clone, Debug)]
pub struct Policy {
    /// A new finding of this severity or a worse one fails.
    pub fail_on: Severity,
    /// A process with more threads than this fails.
    pub max_threads: Option<u64>,
    /// A process of which more threads than this wait for locks fails.
    pub max_blocked: Option<u64>,
    /// Findings that are known: they do not fail.
    pub baseline: Option<Baseline>,
    /// Findings that never fail.
    pub ignore: Vec<Ignore>,
    /// The day on which the check is made: entries of `ignore` may expire.
    pub today: Date,
}

impl Policy {
    /// The severity that fails where nobody says otherwise.
    pub const FAIL_ON: Severity = Severity::High;

    /// Nothing but severities counts.
    pub fn on(today: Date) -> Self {
        Self {
            fail_on: Self::FAIL_ON,
            max_threads: None,
            max_blocked: None,
            baseline: None,
            ignore: Vec::new(),
            today,
        }
    }
}
