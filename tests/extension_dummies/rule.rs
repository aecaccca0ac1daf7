//! # dummy-rule
//!
//! There are threads.
//!
//! ## What it finds
//!
//! Any dump.

use super::finding::{Confidence, Finding, RuleId, Severity};
use super::{Case, Rule};
use crate::model::{Evidence, ThreadIx};

/// The row of this rule.
pub const RULE: Rule =
    Rule { id: RuleId::DummyRule, guide: include_str!("../../docs/rules/dummy-rule.md"), check };

fn check(case: &Case<'_>) -> Vec<Finding> {
    let count = case.snapshot.threads.len();
    vec![Finding {
        rule: RuleId::DummyRule,
        severity: Severity::Info,
        confidence: Confidence::Certain,
        title: format!("there are {count} threads"),
        summary: "A dummy found them.".into(),
        threads: (0..count as u32).map(ThreadIx).collect(),
        blocked: None,
        lock: None,
        holder: None,
        pattern: None,
        chain: Vec::new(),
        root: None,
        cycle: Vec::new(),
        clusters: Vec::new(),
        location: None,
        crash: None,
        evidence: vec![Evidence::reported("the dump lists them")],
        advice: Vec::new(),
        cause: vec![RuleId::DummyRule.id().into()],
        cause_detail: Vec::new(),
        tests: Vec::new(),
    }]
}
