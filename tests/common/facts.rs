//! Hand-written facts about a dump, held against its JSON report.
//!
//! A matcher is an object whose keys are paths into the JSON (`lock.name`, `holder.thread.id`); a
//! value is a literal, `[low, high]` for a number, `{"in": […]}`, `{"not": […]}`, `{"re": "…"}` or `{"exists": bool}`.
//! The key `frames` is a list of patterns that the functions of the frames match in this order,
//! with others allowed in between. In a finding `lock` is followed into the snapshot's locks, and
//! lists of thread indexes become the threads.

use regex::Regex;
use serde_json::{Map, Value};

/// All that differs between a report and the facts.
pub fn differences(report: &Value, expect: &Value) -> Vec<String> {
    let mut wrong = Vec::new();
    let report = &resolved(report);
    let snapshots = list(&report["snapshots"]);
    let first = snapshots.first().cloned().unwrap_or_default();
    let mut one = |name: &str, want: &Value, got: Option<&Value>| {
        if !same(want, got) {
            wrong.push(format!("{name} is {}, not {want}", got.unwrap_or(&Value::Null)));
        }
    };
    let expect = expect.as_object().expect("facts are an object");
    for (key, want) in expect {
        match key.as_str() {
            "format" => one(key, want, walk(&first, "source.format")),
            "snapshots" => one(key, want, Some(&Value::from(snapshots.len()))),
            "threads" => one(key, want, walk(&first, "threads.total")),
            "complete" => one(key, want, walk(&first, "threads.complete")),
            "states" => {
                for (state, count) in want.as_object().expect("states are an object") {
                    let zero = Value::from(0);
                    let got = walk(&first, &format!("threads.states.{state}")).unwrap_or(&zero);
                    one(&format!("state {state}"), count, Some(got));
                }
            }
            _ => {}
        }
    }
    let all = |part: &str| -> Vec<Value> { snapshots.iter().flat_map(|s| list(&s[part])).collect() };
    let findings = list(&report["findings"]);
    for (key, want) in expect {
        let want = list(want);
        match key.as_str() {
            "largest_cluster" => {
                let largest: Vec<Value> = list(&first["clusters"]).into_iter().take(1).collect();
                some("largest cluster", std::slice::from_ref(&expect[key]), &largest, &mut wrong);
            }
            "top" => {
                let top: Vec<Value> = findings.iter().take(1).cloned().collect();
                some("top finding", std::slice::from_ref(&expect[key]), &top, &mut wrong);
            }
            "clusters" => some("cluster", &want, &all("clusters"), &mut wrong),
            "locks" => some("lock", &want, &all("locks"), &mut wrong),
            "modules" => some("module", &want, &all("modules"), &mut wrong),
            "any" => some("finding", &want, &findings, &mut wrong),
            "never" => never(&want, &findings, &mut wrong),
            "thread_ids" => thread_ids(&want, &first, &mut wrong),
            "quiet" if expect[key] == Value::Bool(true) => {
                never(&[serde_json::json!({"severity": {"not": ["info"]}})], &findings, &mut wrong);
            }
            "cycle" => cycle(&want, &findings, &mut wrong),
            "tests" => tests(&want, &findings, &mut wrong),
            "exit" | "format" | "snapshots" | "threads" | "states" | "complete" => {}
            other => wrong.push(format!("the facts have the unknown key {other}")),
        }
    }
    wrong
}

fn never(want: &[Value], findings: &[Value], wrong: &mut Vec<String>) {
    for matcher in want {
        for finding in findings.iter().filter(|f| mismatches(matcher, f).is_empty()) {
            wrong.push(format!("a false finding like {matcher}: {}", finding["title"]));
        }
    }
}

fn thread_ids(want: &[Value], first: &Value, wrong: &mut Vec<String>) {
    let clusters = list(&first["clusters"]);
    let seen: Vec<Value> =
        clusters.iter().flat_map(|c| list(&c["threads"])).map(|t| t["id"].clone()).collect();
    for id in want.iter().filter(|id| !seen.contains(id)) {
        wrong.push(format!("thread {id} is in no cluster"));
    }
}

fn cycle(want: &[Value], findings: &[Value], wrong: &mut Vec<String>) {
    let links = findings.first().map(|f| list(&f["cycle"])).unwrap_or_default();
    let mut got: Vec<String> = links.iter().map(|l| l["thread"]["id"].to_string()).collect();
    let mut want: Vec<String> = want.iter().map(Value::to_string).collect();
    got.sort();
    want.sort();
    if got != want {
        wrong.push(format!("the cycle is {got:?}, not {want:?}"));
    }
}

/// The tests that the first finding names, all of them.
fn tests(want: &[Value], findings: &[Value], wrong: &mut Vec<String>) {
    let tests = findings.first().map(|f| list(&f["tests"])).unwrap_or_default();
    let got: Vec<Value> = tests.iter().map(|test| test["name"].clone()).collect();
    if got != want {
        wrong.push(format!("the tests are {got:?}, not {want:?}"));
    }
}

fn some(name: &str, matchers: &[Value], things: &[Value], wrong: &mut Vec<String>) {
    for matcher in matchers {
        let tries: Vec<Vec<String>> = things.iter().map(|thing| mismatches(matcher, thing)).collect();
        if !tries.iter().any(Vec::is_empty) {
            let nearest = tries.into_iter().min_by_key(Vec::len).map(|t| t.join("; "));
            let nearest = nearest.unwrap_or_else(|| "there is none".into());
            wrong.push(format!("no {name} like {matcher}; the nearest differs: {nearest}"));
        }
    }
}

fn mismatches(matcher: &Value, thing: &Value) -> Vec<String> {
    let mut wrong = Vec::new();
    for (path, want) in matcher.as_object().expect("a matcher is an object") {
        if path == "frames" {
            if !in_order(&list(want), &list(&thing["frames"])) {
                wrong.push(format!("frames {want} are not in order"));
            }
            continue;
        }
        let got = walk(thing, path);
        if !same(want, got) {
            wrong.push(format!("{path} is {}, not {want}", got.unwrap_or(&Value::Null)));
        }
    }
    wrong
}

fn in_order(patterns: &[Value], frames: &[Value]) -> bool {
    let mut functions = frames.iter().map(|f| f["function"].as_str().unwrap_or(""));
    patterns.iter().all(|p| {
        let pattern = pattern(p.as_str().expect("a pattern is text"));
        functions.any(|function| pattern.is_match(function))
    })
}

fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("a pattern of the facts is a regular expression")
}

fn same(want: &Value, got: Option<&Value>) -> bool {
    match want {
        Value::Object(rule) if rule.contains_key("in") => got.is_some_and(|g| list(&rule["in"]).contains(g)),
        Value::Object(rule) if rule.contains_key("not") => {
            got.is_some_and(|g| !list(&rule["not"]).contains(g))
        }
        Value::Object(rule) if rule.contains_key("re") => {
            let pattern = pattern(rule["re"].as_str().expect("a pattern is text"));
            got.and_then(Value::as_str).is_some_and(|text| pattern.is_match(text))
        }
        Value::Object(rule) if rule.contains_key("exists") => {
            Value::Bool(got.is_some_and(|g| !g.is_null())) == rule["exists"]
        }
        Value::Array(range) if range.len() == 2 && got.is_some_and(Value::is_number) => {
            let number = |v: &Value| v.as_f64().expect("a range has numbers");
            let got = got.map(number).unwrap_or(f64::NAN);
            number(&range[0]) <= got && got <= number(&range[1])
        }
        want => got == Some(want),
    }
}

fn walk<'v>(value: &'v Value, path: &str) -> Option<&'v Value> {
    path.split('.').try_fold(value, |at, key| match at {
        Value::Object(map) => map.get(key),
        Value::Array(list) => list.get(key.parse::<usize>().ok()?),
        _ => None,
    })
}

pub fn list(value: &Value) -> Vec<Value> {
    value.as_array().cloned().unwrap_or_default()
}

/// The report with thread indexes replaced by threads and lock ids of findings by locks.
fn resolved(report: &Value) -> Value {
    let mut report = report.clone();
    let mut snapshots = list(&report["snapshots"]);
    for snapshot in &mut snapshots {
        let threads = list(&snapshot["thread_list"]);
        for part in ["clusters", "locks"] {
            for thing in snapshot[part].as_array_mut().into_iter().flatten() {
                let place =
                    if part == "clusters" { &mut thing["threads"] } else { &mut thing["waiters"]["ids"] };
                for thread in place.as_array_mut().into_iter().flatten() {
                    let ix = thread.as_u64().and_then(|ix| threads.get(ix as usize));
                    *thread = ix.cloned().unwrap_or(Value::Null);
                }
            }
        }
    }
    for finding in report["findings"].as_array_mut().into_iter().flatten() {
        let at = finding["snapshot"].as_u64().unwrap_or(0) as usize;
        let locks = snapshots.get(at).map(|s| list(&s["locks"])).unwrap_or_default();
        let finding: &mut Map<String, Value> = finding.as_object_mut().expect("a finding is an object");
        if let Some(id) = finding.get("lock").cloned() {
            let lock = locks.into_iter().find(|l| l["id"] == id);
            finding.insert("lock".into(), lock.unwrap_or(Value::Null));
        }
    }
    report["snapshots"] = snapshots.into();
    report
}
