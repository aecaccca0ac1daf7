//! Findings that never fail a check: for a reason, and until a day.

use super::date::Date;
use crate::diagnosis::Matcher;

/// An entry of the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ignore {
    /// What it is about.
    pub matcher: Matcher,
    /// Why, for those who ask later.
    pub reason: Option<String>,
    /// The last day on which it counts.
    pub expires: Option<Date>,
}
