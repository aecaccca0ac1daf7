//! Findings that never fail a check: for a reason, and until a day.

use super::date::Date;
use crate::diagnosis::{Analyzed, Ranked};
use crate::normalize::ResourceClass;
use crate::rules::RuleId;

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

/// What a finding must be for an entry to be about it: all that is given must agree. One that gives nothing is
/// about no finding.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Matcher {
    /// Its fingerprint, or that of its detail.
    pub fingerprint: Option<String>,
    /// Its rule.
    pub rule: Option<RuleId>,
    /// The name of its lock; `*` stands for any text.
    pub lock: Option<String>,
    /// The class of its lock.
    pub class: Option<ResourceClass>,
    /// Its title; `*` stands for any text.
    pub title: Option<String>,
}

impl Matcher {
    /// Whether a finding is meant.
    pub fn is_about(&self, ranked: &Ranked, analyzed: Option<&Analyzed>) -> bool {
        let lock = ranked.finding.lock.and_then(|ix| analyzed?.waits.locks.get(ix.at()));
        let name = lock.and_then(|l| l.name.as_deref());
        let checks = [
            self.fingerprint.as_ref().map(|f| *f == ranked.fingerprint || *f == ranked.fingerprint_detail),
            self.rule.map(|rule| rule == ranked.finding.rule),
            self.lock.as_ref().map(|pattern| name.is_some_and(|name| is_like(pattern, name))),
            self.class.map(|class| lock.is_some_and(|l| l.class == Some(class))),
            self.title.as_ref().map(|pattern| is_like(pattern, &ranked.finding.title)),
        ];
        checks.iter().any(Option::is_some) && checks.iter().flatten().all(|&holds| holds)
    }
}

/// Whether a text is like a pattern in which `*` stands for any text.
pub fn is_like(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    let parts: Vec<&str> = parts.collect();
    let Some((last, middle)) = parts.split_last() else { return rest.is_empty() };
    for part in middle {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::is_like;

    #[test]
    fn a_star_stands_for_any_text() {
        for (pattern, text) in [
            ("a", "a"),
            ("*", ""),
            ("a*", "abc"),
            ("*c", "abc"),
            ("a*c*e", "abcde"),
            ("*b*", "abc"),
            ("a**c", "abc"),
        ] {
            assert!(is_like(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in [("a", "ab"), ("a*b*b", "ab"), ("*x*", "abc"), ("", "a"), ("ab*ba", "aba")] {
            assert!(!is_like(pattern, text), "{pattern} {text}");
        }
    }
}
