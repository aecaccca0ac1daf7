//! The JSON report: against its schema, with a validator that is not ours, and against the contract's promises.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{builder, sample};
use crate::diagnosis::{Diagnosis, InputStatus};
use crate::model::ThreadIx;
use crate::report::{Document, View, document::schema, find};
use crate::rules::{RuleId, Severity};

const SCHEMA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/report.schema.json");

fn written(diagnosis: &Diagnosis) -> Vec<u8> {
    let mut out = Vec::new();
    (find("json").unwrap().write)(&Document::of(diagnosis), &View::default(), &mut out).unwrap();
    out
}

fn report(diagnosis: &Diagnosis) -> Value {
    serde_json::from_slice(&written(diagnosis)).expect("valid JSON")
}

/// With `LOGJAM_BLESS=1` the file is written; without it a difference fails.
#[test]
fn the_schema_in_docs_is_that_of_the_types() {
    let generated = serde_json::to_string_pretty(&schema()).unwrap() + "\n";
    if std::env::var_os("LOGJAM_BLESS").is_some_and(|v| v == "1") {
        std::fs::write(SCHEMA, &generated).unwrap();
    }
    let known = std::fs::read_to_string(SCHEMA).expect("docs/report.schema.json");
    assert!(known == generated, "docs/report.schema.json is stale: run the tests with LOGJAM_BLESS=1");
}

#[test]
fn reports_are_valid_by_the_published_schema() {
    let schema: Value = serde_json::from_slice(&std::fs::read(SCHEMA).unwrap()).unwrap();
    let validator = jsonschema::draft202012::new(&schema).expect("a schema of draft 2020-12");
    for diagnosis in [sample::incident(20), sample::zoo(), sample::quiet(), Diagnosis::default()] {
        let report = report(&diagnosis);
        let errors: Vec<_> =
            validator.iter_errors(&report).map(|e| format!("{}: {e}", e.instance_path())).collect();
        assert!(errors.is_empty(), "{errors:#?}");
    }
    let mut wrong = report(&sample::quiet());
    wrong["schema_version"] = 2.into();
    assert!(!validator.is_valid(&wrong));
}

/// The schema is not only names: every field that we publish has a sentence.
#[test]
fn every_field_of_the_schema_is_described() {
    fn walk(at: &str, value: &Value, missing: &mut Vec<String>) {
        if let Some(Value::Object(properties)) = value.get("properties") {
            for (name, property) in properties {
                if property.get("description").is_none() {
                    missing.push(format!("{at}.{name}"));
                }
            }
        }
        if let Value::Object(members) = value {
            members.iter().for_each(|(key, member)| walk(&format!("{at}.{key}"), member, missing));
        }
    }
    let mut missing = Vec::new();
    walk("", &schema(), &mut missing);
    assert!(missing.is_empty(), "{missing:#?}");
}

#[test]
fn nothing_is_null_or_empty_text() {
    fn walk(at: &str, value: &Value) {
        match value {
            Value::Null => panic!("{at} is null"),
            Value::String(text) => assert!(!text.is_empty(), "{at} is empty text"),
            Value::Array(items) => items.iter().for_each(|item| walk(at, item)),
            Value::Object(members) => {
                members.iter().for_each(|(key, member)| walk(&format!("{at}.{key}"), member))
            }
            _ => {}
        }
    }
    for diagnosis in [sample::zoo(), sample::quiet(), Diagnosis::default()] {
        walk("", &report(&diagnosis));
    }
}

#[test]
fn the_incident_reads_as_the_contract_says() {
    let report = report(&sample::incident(4499));
    assert_eq!(report["schema_version"], 1);
    assert_eq!(report["verdict"]["severity"], "critical");
    let finding = &report["findings"][0];
    assert_eq!(finding["rule"], "lock-contention");
    assert_eq!(finding["score"], 97.3);
    assert_eq!(finding["lock"], "l1");
    assert_eq!(finding["clusters"], json!(["c1"]));
    assert_eq!(finding["pattern"], "slow-holder");
    assert_eq!(finding["threads"]["count"], 4499);
    assert_eq!(finding["threads"]["share"], 0.8996);
    assert_eq!(finding["holder"]["kind"], "thread");
    assert_eq!(finding["holder"]["thread"], json!({"ix": 4999, "id": "9331", "name": "worker-4999"}));
    assert_eq!(finding["holder"]["certainty"], "read");
    assert_eq!(finding["location"]["line"], 19);
    assert_eq!(finding["runbook"], "logjam explain lock-contention");
    let snapshot = &report["snapshots"][0];
    assert_eq!(snapshot["locks"][0]["address"], "0x55f0ce1aa140");
    assert_eq!(snapshot["locks"][0]["waiters"]["count"], 4499);
    assert_eq!(snapshot["thread_list"][4999]["holds"], json!(["l1"]));
    assert_eq!(snapshot["thread_list"][0]["waits_for"], json!({"lock": "l1", "certainty": "read"}));
    assert_eq!(snapshot["process"]["signal"], "SIGABRT");
    assert_eq!(report["series"], json!([]));
    assert!(snapshot.get("modules").is_none());
}

#[test]
fn counts_add_up_and_references_resolve() {
    for diagnosis in [sample::incident(77), sample::zoo(), sample::quiet()] {
        let report = report(&diagnosis);
        for snapshot in report["snapshots"].as_array().unwrap() {
            let total = snapshot["threads"]["total"].as_u64().unwrap();
            let sum =
                |values: &mut dyn Iterator<Item = &Value>| values.map(|v| v.as_u64().unwrap()).sum::<u64>();
            assert_eq!(sum(&mut snapshot["threads"]["states"].as_object().unwrap().values()), total);
            assert_eq!(sum(&mut snapshot["threads"]["by_kind"].as_object().unwrap().values()), total);
            assert_eq!(sum(&mut snapshot["clusters"].as_array().unwrap().iter().map(|c| &c["count"])), total);
            let mut seen = vec![0; total as usize];
            for cluster in snapshot["clusters"].as_array().unwrap() {
                for ix in cluster["threads"].as_array().unwrap() {
                    let ix = ix.as_u64().unwrap() as usize;
                    assert_eq!(snapshot["thread_list"][ix]["cluster"], cluster["id"]);
                    seen[ix] += 1;
                }
            }
            assert!(seen.iter().all(|&times| times == 1));
        }
        for finding in report["findings"].as_array().unwrap() {
            let snapshot = &report["snapshots"][finding["snapshot"].as_u64().unwrap() as usize];
            if let Some(lock) = finding.get("lock") {
                assert!(snapshot["locks"].as_array().unwrap().iter().any(|l| &l["id"] == lock));
                assert!(finding.get("holder").is_some());
            }
        }
    }
}

/// A lock without a told holder gets the one that the lock names; an index that leads nowhere does no harm.
#[test]
fn a_finding_with_holes_is_still_a_report() {
    let mut diagnosis = sample::incident(3);
    let finding = &mut diagnosis.findings[0].finding;
    finding.holder = None;
    finding.root = Some(ThreadIx(u32::MAX));
    let mut lost = builder::ranked(builder::finding(RuleId::Crash, Severity::Low, "lost"), 1.0);
    lost.snapshot = 9;
    diagnosis.findings.push(lost);
    let report = report(&diagnosis);
    assert_eq!(report["findings"][0]["holder"]["kind"], "thread");
    assert!(report["findings"][0].get("root").is_none());
    assert_eq!(report["findings"].as_array().unwrap().len(), 1);
}

#[test]
fn failed_inputs_are_listed_with_the_reason() {
    let why = InputStatus::Failed("no such file".into());
    let diagnosis = Diagnosis { inputs: vec![("a\u{1b}[2J".into(), why)], ..Diagnosis::default() };
    let bytes = written(&diagnosis);
    assert!(!bytes.contains(&0x1b), "the JSON writer escapes control characters");
    let report = report(&diagnosis);
    assert_eq!(
        report["inputs"],
        json!([{"path": "a\u{1b}[2J", "status": "failed", "error": "no such file"}])
    );
    assert_eq!(report["verdict"]["severity"], "none");
    assert!(report["verdict"]["headline"].as_str().unwrap().contains("1 of 1 inputs"));
}

/// ≈15 ms in release (1 to build the document, 13 to write 6 MB); the bound is for debug builds on a busy machine.
#[test]
fn thirty_three_thousand_threads_are_quick() {
    let diagnosis = sample::incident(33_000);
    let start = Instant::now();
    let bytes = written(&diagnosis);
    let took = start.elapsed();
    eprintln!("{} bytes of JSON for 33,502 threads in {took:?}", bytes.len());
    assert!(took < Duration::from_secs(10), "{took:?}");
}
