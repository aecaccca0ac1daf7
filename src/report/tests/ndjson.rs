//! A line an object.

use serde_json::Value;

use super::{sample, written};
use crate::diagnosis::Diagnosis;
use crate::report::{Document, View};

fn lines(diagnosis: &Diagnosis, threads: bool) -> Vec<Value> {
    let text = written("ndjson", diagnosis, &View { threads, ..View::default() });
    assert!(text.lines().all(|line| line.starts_with("{\"type\":\"")), "the type comes first");
    text.lines().map(|line| serde_json::from_str(line).expect("an object")).collect()
}

fn of_type<'v>(lines: &'v [Value], kind: &str) -> Vec<&'v Value> {
    lines.iter().filter(|line| line["type"] == kind).collect()
}

#[test]
fn a_finding_stands_alone() {
    let lines = lines(&sample::incident(4499), false);
    let findings = of_type(&lines, "finding");
    assert_eq!((lines.len(), findings.len()), (2, 1));
    let finding = findings[0];
    assert_eq!(finding["rule"], "lock-contention");
    assert_eq!(finding["snapshot_source"], "core.zst");
    assert_eq!(finding["process"]["pid"], 4332);
    assert_eq!((&finding["lock"]["id"], &finding["lock"]["name"]), (&"l1".into(), &"g_log_mutex".into()));
    assert_eq!(finding["threads"]["count"], 4499);
    let ids = finding["threads"]["ids"].as_array().unwrap();
    assert_eq!((ids.len(), &ids[0]["id"], &ids[0]["name"]), (4499, &"4332".into(), &"worker-0".into()));
}

#[test]
fn what_a_reader_looks_for_comes_first() {
    let text = written("ndjson", &sample::incident(2), &View::default());
    let finding = text.lines().find(|line| line.contains("\"finding\"")).unwrap();
    let start = "{\"type\":\"finding\",\"rule\":\"lock-contention\",\"severity\":\"critical\",";
    assert!(finding.starts_with(start), "{finding}");
}

#[test]
fn a_finding_has_every_field_of_the_json_report() {
    let zoo = sample::zoo();
    let report = serde_json::to_value(Document::of(&zoo)).unwrap();
    let lines = lines(&zoo, false);
    let findings = of_type(&lines, "finding");
    assert_eq!(findings.len(), 5);
    for (whole, line) in report["findings"].as_array().unwrap().iter().zip(findings) {
        for (name, value) in whole.as_object().unwrap() {
            match name.as_str() {
                "lock" => assert_eq!(&line["lock"]["id"], value),
                "threads" => assert_eq!(line["threads"]["count"], value["count"]),
                _ => assert_eq!(&line[name], value, "{name}"),
            }
        }
    }
}

#[test]
fn threads_are_lines_if_asked_for() {
    let diagnosis = sample::incident(3);
    assert!(of_type(&lines(&diagnosis, false), "thread").is_empty());
    let lines = lines(&diagnosis, true);
    let threads = of_type(&lines, "thread");
    assert_eq!(threads.len(), 505);
    assert_eq!((&threads[0]["id"], &threads[0]["state"]), (&"4332".into(), &"lock-wait".into()));
    assert_eq!(threads[0]["signature"], "log_message ← handle ← worker");
    assert_eq!(threads[0]["waits_for_lock"]["name"], "g_log_mutex");
    assert_eq!((&threads[0]["snapshot"], &threads[0]["snapshot_source"]), (&0.into(), &"core.zst".into()));
    assert!(threads[503].get("waits_for_lock").is_none());
    assert_eq!(threads[503]["holds"], serde_json::json!(["l1"]));
}

#[test]
fn every_input_is_a_line_and_hostile_text_stays_in_it() {
    let zoo = lines(&sample::zoo(), false);
    let inputs: Vec<_> = of_type(&zoo, "input").iter().map(|i| i["status"].as_str().unwrap()).collect();
    assert_eq!(inputs, ["ok", "failed", "partial"]);
    assert_eq!(of_type(&zoo, "input")[1]["error"], "no format recognizes it");
    let hostile = lines(&sample::hostile(), true);
    assert_eq!((of_type(&hostile, "input").len(), of_type(&hostile, "thread").len()), (1, 10));
    let path = of_type(&hostile, "thread")[0]["snapshot_source"].as_str().unwrap();
    assert!(path.starts_with(sample::EVIL), "text is kept as it was");
    assert!(lines(&Diagnosis::default(), true).is_empty());
}
