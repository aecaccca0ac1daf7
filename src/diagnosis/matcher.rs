//! Which findings the user means: for a runbook of their own, or to be ignored.

use super::{Analyzed, Ranked};
use crate::model::is_like;
use crate::normalize::ResourceClass;
use crate::rules::{Finding, Pattern, RuleId};

/// What a finding must be to be meant: all that is given must agree. One that gives nothing means no finding.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Matcher {
    /// Its fingerprint, or that of its detail.
    pub fingerprint: Option<String>,
    /// Its rule.
    pub rule: Option<RuleId>,
    /// The name of its lock; `*` stands for any text.
    pub lock: Option<String>,
    /// What its lock guards.
    pub class: Option<ResourceClass>,
    /// What kind of contention it is.
    pub pattern: Option<Pattern>,
    /// Its title; `*` stands for any text.
    pub title: Option<String>,
}

impl Matcher {
    /// Whether a finding is meant.
    pub fn means(&self, ranked: &Ranked, analyzed: &Analyzed) -> bool {
        let prints = [ranked.fingerprint.as_str(), ranked.fingerprint_detail.as_str()];
        self.means_finding(&ranked.finding, prints, analyzed)
    }

    pub(super) fn means_finding(&self, finding: &Finding, prints: [&str; 2], analyzed: &Analyzed) -> bool {
        let lock = finding.lock.and_then(|ix| analyzed.waits.locks.get(ix.at()));
        let name = lock.and_then(|l| l.name.as_deref());
        let checks = [
            self.fingerprint.as_ref().map(|f| prints.contains(&f.as_str())),
            self.rule.map(|rule| rule == finding.rule),
            self.lock.as_ref().map(|pattern| name.is_some_and(|name| is_like(pattern, name))),
            self.class.map(|class| lock.is_some_and(|l| l.class == Some(class))),
            self.pattern.map(|pattern| finding.pattern == Some(pattern)),
            self.title.as_ref().map(|pattern| is_like(pattern, &finding.title)),
        ];
        checks.iter().any(Option::is_some) && checks.iter().flatten().all(|&holds| holds)
    }
}

/// A guide of the user for the findings that they mean.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Runbook {
    /// Which findings.
    pub matcher: Matcher,
    /// Where the guide is: a link, or what to type.
    pub link: String,
}

impl Runbook {
    /// The guide at this link.
    pub fn new(matcher: Matcher, link: &str) -> Result<Self, LinkError> {
        let link = link.trim();
        if link.is_empty() || link.chars().any(char::is_control) {
            return Err(LinkError);
        }
        Ok(Self { matcher, link: link.into() })
    }
}

/// What is no link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a link is one line of text")]
pub struct LinkError;
