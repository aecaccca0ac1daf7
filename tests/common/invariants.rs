//! What every report promises, whatever the dump.

use std::collections::HashSet;

use serde_json::Value;

use super::facts::list;

/// All promises that a report breaks.
pub fn broken(report: &Value) -> Vec<String> {
    let mut wrong = Vec::new();
    let findings = list(&report["findings"]);
    let snapshots = list(&report["snapshots"]);
    let severity = findings.first().map_or(Value::from("none"), |f| f["severity"].clone());
    if report["verdict"]["severity"] != severity {
        wrong.push("the verdict has another severity than the first finding".into());
    }
    for (n, snapshot) in snapshots.iter().enumerate() {
        of_snapshot(snapshot, &mut |what| wrong.push(format!("snapshot {n}: {what}")));
    }
    for (n, finding) in findings.iter().enumerate() {
        let at = finding["snapshot"].as_u64().unwrap_or(u64::MAX) as usize;
        match snapshots.get(at) {
            None => wrong.push(format!("finding {n} names no snapshot")),
            Some(snapshot) => {
                of_finding(finding, snapshot, &mut |what| wrong.push(format!("finding {n}: {what}")))
            }
        }
    }
    let order = ["critical", "high", "medium", "low", "info"];
    let rank = |f: &Value| order.iter().position(|s| f["severity"] == *s);
    if !findings.is_sorted_by_key(rank) {
        wrong.push("the findings are not sorted by severity".into());
    }
    wrong
}

fn of_snapshot(snapshot: &Value, wrong: &mut dyn FnMut(String)) {
    let total = snapshot["threads"]["total"].as_u64().unwrap_or(0);
    let threads = list(&snapshot["thread_list"]);
    let clusters = list(&snapshot["clusters"]);
    let in_clusters: u64 = clusters.iter().filter_map(|c| c["count"].as_u64()).sum();
    let states = snapshot["threads"]["states"].as_object();
    let in_states: u64 = states.map_or(0, |s| s.values().filter_map(Value::as_u64).sum());
    if in_clusters != total || in_states != total || threads.len() as u64 != total {
        wrong(format!(
            "{total} threads, {} records, {in_clusters} in clusters, {in_states} in states",
            threads.len()
        ));
    }
    let mut members: Vec<u64> =
        clusters.iter().flat_map(|c| list(&c["threads"])).filter_map(|t| t.as_u64()).collect();
    members.sort_unstable();
    if members != (0..total).collect::<Vec<_>>() {
        wrong("not every thread is in exactly one cluster".into());
    }
    let locks: HashSet<Value> = list(&snapshot["locks"]).iter().map(|l| l["id"].clone()).collect();
    let cluster_ids: HashSet<Value> = clusters.iter().map(|c| c["id"].clone()).collect();
    for cluster in clusters.iter().filter(|c| !c["lock"].is_null() && !locks.contains(&c["lock"])) {
        wrong(format!("cluster {} names an unknown lock", cluster["id"]));
    }
    for thread in &threads {
        let lock = &thread["waits_for"]["lock"];
        if !lock.is_null() && !locks.contains(lock) {
            wrong(format!("thread {} waits for an unknown lock", thread["ix"]));
        }
        if !cluster_ids.contains(&thread["cluster"]) {
            wrong(format!("thread {} is in an unknown cluster", thread["ix"]));
        }
    }
    for lock in list(&snapshot["locks"]) {
        if lock["waiters"]["count"].as_u64() != Some(list(&lock["waiters"]["ids"]).len() as u64) {
            wrong(format!("lock {} counts its waiters wrongly", lock["id"]));
        }
    }
}

fn of_finding(finding: &Value, snapshot: &Value, wrong: &mut dyn FnMut(String)) {
    let has = |part: &str, id: &Value| list(&snapshot[part]).iter().any(|thing| thing["id"] == *id);
    if !finding["lock"].is_null() {
        if !has("locks", &finding["lock"]) {
            wrong(format!("unknown lock {}", finding["lock"]));
        }
        if finding["holder"].is_null() {
            wrong("a lock without a holder".into());
        }
    }
    for cluster in list(&finding["clusters"]).iter().filter(|c| !has("clusters", c)) {
        wrong(format!("unknown cluster {cluster}"));
    }
    let fingerprint = finding["fingerprint"].as_str().unwrap_or("");
    let digits = fingerprint.strip_prefix("lj1:").unwrap_or("");
    if digits.len() != 16 || !digits.bytes().all(|b| b.is_ascii_hexdigit() && !b.is_ascii_uppercase()) {
        wrong(format!("the fingerprint is {fingerprint:?}"));
    }
    let inferred = finding["holder"]["certainty"] == "inferred"
        || list(&finding["cycle"]).iter().any(|link| link["waits_for"]["certainty"] == "inferred");
    if inferred && finding["confidence"] == "certain" {
        wrong("certain, with an inferred link".into());
    }
}
