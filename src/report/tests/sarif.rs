//! SARIF: what the standard asks for that no schema says, and what stands where.

use serde_json::{Value, json};

use super::sample::{self, EVIL};
use crate::diagnosis::Diagnosis;
use crate::report::document::{Baseline, Document};
use crate::report::{View, find};
use crate::rules::RULES;

fn written(document: &Document<'_>) -> Value {
    let mut out = Vec::new();
    (find("sarif").unwrap().write)(document, &View::default(), &mut out).unwrap();
    let log: Value = serde_json::from_slice(&out).expect("valid JSON");
    assert_eq!(log["version"], "2.1.0");
    assert_eq!(log["runs"].as_array().unwrap().len(), 1);
    log["runs"][0].clone()
}

fn of(diagnosis: &Diagnosis) -> Value {
    written(&Document::of(diagnosis))
}

#[test]
fn the_incident_stands_at_the_lock_call_and_points_at_the_holder() {
    let run = of(&sample::incident(4499));
    let result = &run["results"][0];
    assert_eq!((&result["ruleId"], &result["level"]), (&json!("lock-contention"), &json!("error")));
    let place = &result["locations"][0];
    assert_eq!(
        place["physicalLocation"],
        json!({
            "artifactLocation": {"uri": "src/logserver.c"}, "region": {"startLine": 19}
        })
    );
    assert_eq!(place["logicalLocations"], json!([{"fullyQualifiedName": "log_message", "kind": "function"}]));
    let held = &result["relatedLocations"][0];
    let said = held["message"]["text"].as_str().unwrap();
    assert_eq!(
        said,
        "Holder: thread 9331 \"worker-4999\" (read), blocked in write(fd 7) under log_sink_write"
    );
    assert_eq!(held["logicalLocations"][0]["kind"], "function");
    assert_eq!(
        result["partialFingerprints"],
        json!({
            "logjam/v1": "lj1:0123456789abcdef", "logjamDetail/v1": "lj1:fedcba9876543210"
        })
    );
    assert_eq!((&result["rank"], &result["properties"]["blocked"]), (&json!(97.3), &json!(4500)));
    assert_eq!(result["analysisTarget"], json!({"uri": "core.zst", "index": 0}));
    let text = result["message"]["text"].as_str().unwrap();
    assert_eq!(text.lines().next(), Some("4499 of 5001 threads (90 %) wait for the mutex g_log_mutex"));
    assert!(text.contains("\nBecause: its __owner field holds 4340 (read)\n"), "{text}");
    assert!(result.get("baselineState").is_none() && result.get("suppressions").is_none());
    assert_eq!(run["invocations"], json!([{"executionSuccessful": true, "toolExecutionNotifications": []}]));
}

#[test]
fn rules_are_those_of_the_table_with_their_guides() {
    let run = of(&sample::zoo());
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    assert_eq!(rules.len(), RULES.len());
    for (rule, known) in rules.iter().zip(RULES) {
        assert_eq!(rule["id"], known.id.id());
        assert_eq!(rule["help"]["markdown"], known.guide);
        assert!(rule["help"]["text"].as_str().unwrap().contains("WHAT IT FINDS"), "as the terminal shows it");
        let short = rule["shortDescription"]["text"].as_str().unwrap();
        assert!(short.ends_with('.') && !short.contains('\n') && !short.contains('#'), "{short}");
    }
    for result in run["results"].as_array().unwrap() {
        assert_eq!(rules[result["ruleIndex"].as_u64().unwrap() as usize]["id"], result["ruleId"]);
    }
}

#[test]
fn levels_are_those_of_the_severities_and_a_ring_shows_its_members() {
    let run = of(&sample::zoo());
    let results = run["results"].as_array().unwrap();
    let levels: Vec<_> = results.iter().map(|r| r["level"].as_str().unwrap()).collect();
    assert_eq!(levels, ["error", "error", "error", "error", "warning"]);
    let ring = results.iter().find(|r| r["ruleId"] == "deadlock").unwrap();
    let members: Vec<_> =
        ring["relatedLocations"].as_array().unwrap().iter().map(|l| &l["message"]["text"]).collect();
    assert_eq!(
        members,
        [
            "thread 4332 \"worker-0\" of the ring waits here",
            "thread 4333 \"worker-1\" of the ring waits here"
        ]
    );
    assert!(
        results.iter().all(|r| r["locations"][0]["physicalLocation"]["artifactLocation"]["uri"].is_string())
    );
    let nowhere = results.iter().find(|r| r["ruleId"] == "thread-explosion").unwrap();
    assert_eq!(
        nowhere["locations"][0]["physicalLocation"]["artifactLocation"]["uri"], "core.zst",
        "at its dump"
    );
}

#[test]
fn what_was_not_read_is_a_notification() {
    let run = of(&sample::zoo());
    assert_eq!(run["invocations"][0]["executionSuccessful"], false);
    let said = run["invocations"][0]["toolExecutionNotifications"].as_array().unwrap();
    let levels: Vec<_> = said.iter().map(|n| n["level"].as_str().unwrap()).collect();
    assert_eq!(levels, ["error", "warning", "warning"]);
    assert_eq!(said[0]["message"]["text"], "no format recognizes it");
    let at = &said[0]["locations"][0]["physicalLocation"]["artifactLocation"];
    assert_eq!(*at, json!({"uri": "other.txt", "index": 1}));
    let artifacts: Vec<_> =
        run["artifacts"].as_array().unwrap().iter().map(|a| &a["location"]["uri"]).collect();
    assert_eq!(artifacts, ["core.zst", "other.txt", "cut.core"]);
    assert_eq!(of(&sample::quiet())["results"], json!([]));
}

#[test]
fn the_baseline_is_told() {
    let d = sample::zoo();
    let mut document = Document::of(&d);
    for (finding, baseline) in
        document.findings.iter_mut().zip([Baseline::New, Baseline::Known, Baseline::Ignored])
    {
        finding.baseline = Some(baseline);
    }
    let run = written(&document);
    let states: Vec<_> = (0..3).map(|n| run["results"][n]["baselineState"].as_str().unwrap()).collect();
    assert_eq!(states, ["new", "unchanged", "unchanged"]);
    assert!(run["results"][1].get("suppressions").is_none());
    assert_eq!(run["results"][2]["suppressions"][0]["kind"], "external");
}

#[test]
fn hostile_text_is_text() {
    fn walk(at: &str, value: &Value) {
        match value {
            Value::String(text) if at.ends_with("uri") => {
                let is_uri = |b: u8| b.is_ascii_alphanumeric() || b"-._~/%:".contains(&b);
                assert!(text.bytes().all(is_uri), "{at}: {text}");
            }
            Value::String(text) => {
                let hidden =
                    |c: char| (c.is_control() && c != '\n') || "\u{202e}\u{200b}\u{2066}".contains(c);
                assert!(!text.chars().any(hidden), "{at}: {text:?}");
            }
            Value::Array(items) => items.iter().for_each(|item| walk(at, item)),
            Value::Object(members) => members.iter().for_each(|(key, member)| walk(key, member)),
            Value::Null => panic!("{at} is null"),
            Value::Bool(_) | Value::Number(_) => {}
        }
    }
    let mut d = sample::hostile();
    d.findings[0].finding.title = format!("[click](http://evil) {{0}} {EVIL}");
    let run = of(&d);
    walk("", &run);
    let text = run["results"][0]["message"]["text"].as_str().unwrap();
    assert!(text.starts_with("[click\\](http://evil) {{0}} \\x1b[2J"), "{text}");
}

#[test]
fn a_summary_that_begins_with_the_title_is_not_told_twice() {
    let mut d = sample::incident(3);
    let finding = &mut d.findings[0].finding;
    finding.title = "thread 7 died of SIGSEGV".into();
    finding.summary = "Thread 7 died of SIGSEGV. Open the frame.".into();
    let run = of(&d);
    let text = run["results"][0]["message"]["text"].as_str().unwrap();
    assert!(text.starts_with("Thread 7 died of SIGSEGV. Open the frame.\nLock: "), "{text}");
}
