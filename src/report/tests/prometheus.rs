//! The metrics, read back.

use std::collections::{BTreeMap, BTreeSet};

use regex::Regex;

use super::{sample, written};
use crate::diagnosis::{Diagnosis, InputStatus};
use crate::report::View;

/// Samples by name and labels. Fails where a line is none, a sample is there twice, or a metric has no type.
fn samples(diagnosis: &Diagnosis) -> BTreeMap<String, f64> {
    let text = written("prometheus", diagnosis, &View::default());
    let label = r#"[a-z_]+="(?:[^"\\]|\\[\\"n])*""#;
    let line = Regex::new(&format!(r"^([a-z_]+)(?:\{{{label}(?:,{label})*\}})? ([0-9.]+)$")).unwrap();
    let (mut samples, mut types) = (BTreeMap::new(), BTreeSet::new());
    for text in text.lines() {
        if let Some(kind) = text.strip_prefix("# TYPE ") {
            let name = kind.strip_suffix(" gauge").expect("a gauge");
            assert!(types.insert(name.to_owned()), "{name} twice");
        } else if !text.starts_with("# HELP ") {
            let found = line.captures(text).unwrap_or_else(|| panic!("no sample: {text}"));
            assert!(types.contains(&found[1]), "{} has no type", &found[1]);
            let (sample, value) = text.rsplit_once(' ').unwrap();
            assert!(samples.insert(sample.to_owned(), value.parse().unwrap()).is_none(), "{sample} twice");
        }
    }
    samples
}

const OF: &str = r#"input="core.zst",snapshot="0",pid="4332",process="logserver""#;

#[test]
fn the_incident_in_numbers() {
    let samples = samples(&sample::incident(4499));
    let value = |name: &str| samples.get(name).copied();
    assert_eq!(value(&format!("logjam_threads{{{OF},state=\"lock-wait\"}}")), Some(4499.0));
    assert_eq!(value(&format!("logjam_threads{{{OF},state=\"spinning\"}}")), Some(0.0), "none is said");
    let all = samples.iter().filter(|(name, _)| name.starts_with("logjam_threads{"));
    assert_eq!(all.map(|(_, value)| value).sum::<f64>(), 5001.0);
    assert_eq!(value(&format!("logjam_blocked_threads{{{OF}}}")), Some(4499.0));
    let found = format!("logjam_findings{{{OF},rule=\"lock-contention\",severity=\"critical\"}}");
    assert_eq!(value(&found), Some(1.0));
    assert_eq!(value("logjam_verdict_severity"), Some(5.0));
    assert_eq!(value("logjam_input_failed{input=\"core.zst\"}"), Some(0.0));
    assert!(!samples.keys().any(|name| name.contains("oldest_wait")), "the dump does not say it");
    let lock = samples.iter().find(|(name, _)| name.starts_with("logjam_finding_threads{")).unwrap();
    assert!(lock.0.contains("fingerprint=\"lj1:0123456789abcdef\",lock=\"g_log_mutex\"}"), "{}", lock.0);
    assert_eq!(*lock.1, 4499.0);
}

#[test]
fn what_has_the_same_labels_is_one_sample() {
    let mut twice = sample::incident(10);
    let again = twice.findings[0].clone();
    twice.findings.push(again);
    twice.inputs = vec![("a".into(), InputStatus::Failed("no".into())), ("b".into(), InputStatus::Partial)];
    let more = sample::incident(10).snapshots;
    twice.snapshots.extend(more);
    let samples = samples(&twice);
    let found = format!("logjam_findings{{{OF},rule=\"lock-contention\",severity=\"critical\"}}");
    assert_eq!(samples.get(&found), Some(&2.0));
    assert_eq!(samples.get("logjam_input_failed{input=\"a\"}"), Some(&1.0));
    assert_eq!(samples.get("logjam_input_failed{input=\"b\"}"), Some(&0.0));
    let blocked: Vec<_> = samples.keys().filter(|name| name.starts_with("logjam_blocked_threads")).collect();
    assert_eq!(blocked.len(), 2, "two snapshots of one process are two");
}

#[test]
fn the_oldest_wait_is_the_greatest() {
    let mut diagnosis = sample::incident(3);
    diagnosis.snapshots[0].snapshot.threads[1].waited_us = Some(2_500_000);
    diagnosis.snapshots[0].snapshot.threads[2].waited_us = Some(620_000_000);
    let document = crate::report::Document::of(&diagnosis);
    let mut out = Vec::new();
    (crate::report::find("prometheus").unwrap().write)(&document, &View::default(), &mut out).unwrap();
    let text = String::from_utf8(out).unwrap();
    assert!(text.contains(&format!("logjam_oldest_wait_seconds{{{OF}}} 620\n")), "{text}");
}

#[test]
fn labels_hold_hostile_text() {
    let hostile = samples(&sample::hostile());
    assert_eq!(hostile.get("logjam_verdict_severity"), Some(&5.0));
    let mut quoted = sample::quiet();
    quoted.inputs = vec![("a\"b\\c\nd".into(), InputStatus::Ok)];
    assert!(samples(&quoted).contains_key(r#"logjam_input_failed{input="a\"b\\c\\nd"}"#));
    assert_eq!(samples(&Diagnosis::default()).len(), 2, "the version and the verdict");
}
