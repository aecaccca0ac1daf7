//! What every report promises, whatever the dump.

use std::collections::HashSet;

use serde_json::Value;

/// All promises that a report breaks.
pub fn broken(report: &Value) -> Vec<String> {
    let mut wrong = Vec::new();
    let (findings, snapshots) = (items(&report["findings"]), items(&report["snapshots"]));
    of_verdict(&report["verdict"], findings, &mut |what| wrong.push(what));
    for (n, snapshot) in snapshots.iter().enumerate() {
        of_snapshot(snapshot, &mut |what| wrong.push(format!("snapshot {n}: {what}")));
    }
    for (n, finding) in findings.iter().enumerate() {
        let mut wrong = |what: String| wrong.push(format!("finding {n}: {what}"));
        match finding["snapshot"].as_u64().and_then(|at| snapshots.get(at as usize)) {
            None => wrong("names no snapshot".into()),
            Some(snapshot) => of_finding(finding, &Known::of(snapshot), &mut wrong),
        }
    }
    wrong
}

type Wrong<'a> = &'a mut dyn FnMut(String);

fn items(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// The verdict is the first finding, and the findings are ranked.
fn of_verdict(verdict: &Value, findings: &[Value], wrong: Wrong<'_>) {
    let severity = findings.first().map_or("none", |f| f["severity"].as_str().unwrap_or(""));
    if verdict["severity"] != severity {
        wrong(format!("the verdict is {}, the first finding {severity}", verdict["severity"]));
    }
    if findings.first().is_some_and(|f| f["title"] != verdict["headline"]) {
        wrong(format!("the verdict is {}, not the title of the first finding", verdict["headline"]));
    }
    let order = ["critical", "high", "medium", "low", "info"];
    let rank = |f: &Value| order.iter().position(|s| f["severity"] == *s);
    let score = |f: &Value| f["score"].as_f64().unwrap_or(-1.0);
    let is_before = |a: &Value, b: &Value| match rank(a).cmp(&rank(b)) {
        std::cmp::Ordering::Equal => score(a) >= score(b),
        order => order.is_lt(),
    };
    if !findings.is_sorted_by(is_before) {
        wrong("the findings are not sorted by severity and score".into());
    }
    if findings.iter().any(|f| rank(f).is_none() || !(0.0..=100.0).contains(&score(f))) {
        wrong("a severity or score is out of range".into());
    }
}

/// The formats that show no single threads.
const COUNTING: &[&str] = &["go-pprof", "perf-script", "folded"];

/// What the references of a snapshot may name.
struct Known<'a> {
    threads: &'a [Value],
    /// Whether the format only counts threads.
    only_counts: bool,
    locks: HashSet<&'a str>,
    clusters: HashSet<&'a str>,
}

impl<'a> Known<'a> {
    fn of(snapshot: &'a Value) -> Self {
        let ids =
            |part: &str| items(&snapshot[part]).iter().filter_map(|thing| thing["id"].as_str()).collect();
        Self {
            threads: items(&snapshot["thread_list"]),
            only_counts: COUNTING.iter().any(|format| snapshot["source"]["format"] == *format),
            locks: ids("locks"),
            clusters: ids("clusters"),
        }
    }

    /// Every reference in a value, at any depth, names something that is there.
    fn resolves(&self, value: &Value, wrong: Wrong<'_>) {
        if let (Some(ix), false) = (value["ix"].as_u64(), value["id"].is_null()) {
            match self.threads.get(ix as usize) {
                Some(record) if record["id"] == value["id"] && record["name"] == value["name"] => {}
                Some(record) => wrong(format!("thread {value} is {} {}", record["id"], record["name"])),
                None => wrong(format!("thread {value} is not in the list")),
            }
        }
        for (key, value) in value.as_object().into_iter().flatten() {
            match key.as_str() {
                "lock" => self.id(&self.locks, value, wrong),
                "cluster" => self.id(&self.clusters, value, wrong),
                "holds" => items(value).iter().for_each(|id| self.id(&self.locks, id, wrong)),
                "clusters" => items(value).iter().for_each(|id| self.id(&self.clusters, id, wrong)),
                _ => self.resolves(value, wrong),
            }
        }
        items(value).iter().for_each(|value| self.resolves(value, wrong));
    }

    fn id(&self, known: &HashSet<&str>, id: &Value, wrong: Wrong<'_>) {
        if !id.as_str().is_some_and(|id| known.contains(id)) {
            wrong(format!("names the unknown {id}"));
        }
    }

    /// A list of thread indexes, each once and ascending, as many as are counted.
    fn counts(&self, what: &str, count: &Value, ids: &Value, wrong: Wrong<'_>) {
        let ids: Vec<u64> = items(ids).iter().filter_map(Value::as_u64).collect();
        if self.only_counts && ids.is_empty() {
            return;
        }
        if count.as_u64() != Some(ids.len() as u64) {
            wrong(format!("{what}: {count} are counted and {} listed", ids.len()));
        }
        if !ids.is_sorted_by(|a, b| a < b) || ids.last().is_some_and(|&ix| ix >= self.threads.len() as u64) {
            wrong(format!("{what}: not ascending places in the list of threads"));
        }
    }
}

fn of_snapshot(snapshot: &Value, wrong: Wrong<'_>) {
    let known = Known::of(snapshot);
    let clusters = items(&snapshot["clusters"]);
    let total = snapshot["threads"]["total"].as_u64().unwrap_or(u64::MAX);
    let in_clusters: u64 = clusters.iter().filter_map(|c| c["count"].as_u64()).sum();
    let states = snapshot["threads"]["states"].as_object();
    let in_states: u64 = states.map_or(0, |s| s.values().filter_map(Value::as_u64).sum());
    let records = if known.only_counts { total } else { known.threads.len() as u64 };
    if known.only_counts && !known.threads.is_empty() {
        wrong("a format that only counts lists threads".into());
    }
    if [records, in_clusters, in_states] != [total; 3] {
        wrong(format!(
            "{total} threads, {records} records, {in_clusters} in clusters, {in_states} in states"
        ));
    }
    let mut members: Vec<u64> =
        clusters.iter().flat_map(|c| items(&c["threads"])).filter_map(Value::as_u64).collect();
    members.sort_unstable();
    if !known.only_counts && members != (0..total).collect::<Vec<_>>() {
        wrong("not every thread is in exactly one cluster".into());
    }
    for cluster in clusters {
        let name = format!("cluster {}", cluster["id"]);
        known.counts(&name, &cluster["count"], &cluster["threads"], wrong);
        known.resolves(cluster, wrong);
        for ix in items(&cluster["threads"]).iter().filter_map(Value::as_u64) {
            let record = known.threads.get(ix as usize);
            if record.is_some_and(|r| r["cluster"] != cluster["id"] || r["state"] != cluster["state"]) {
                wrong(format!("thread {ix} says another cluster or state than {name}"));
            }
        }
    }
    if !clusters.is_sorted_by_key(|c| std::cmp::Reverse(c["count"].as_u64())) {
        wrong("the largest cluster is not the first".into());
    }
    for (n, record) in known.threads.iter().enumerate() {
        if record["ix"].as_u64() != Some(n as u64) {
            wrong(format!("record {n} has ix {}", record["ix"]));
        }
        known.resolves(record, wrong);
    }
    for lock in items(&snapshot["locks"]) {
        let waiters = &lock["waiters"];
        // A text may count waiters that it does not show.
        let listed = items(&waiters["ids"]).len() as u64;
        if waiters["count"].as_u64().is_none_or(|count| count <= listed) {
            known.counts(&format!("lock {}", lock["id"]), &waiters["count"], &waiters["ids"], wrong);
        }
        known.resolves(lock, wrong);
    }
}

fn of_finding(finding: &Value, known: &Known<'_>, wrong: Wrong<'_>) {
    known.resolves(finding, wrong);
    known.counts("threads", &finding["threads"]["count"], &finding["threads"]["ids"], wrong);
    if !finding["threads"]["share"].as_f64().is_some_and(|share| (0.0..=1.0).contains(&share)) {
        wrong(format!("a share of {}", finding["threads"]["share"]));
    }
    if !finding["lock"].is_null() && finding["holder"].is_null() {
        wrong("a lock without a holder".into());
    }
    for key in ["fingerprint", "fingerprint_detail"] {
        let text = finding[key].as_str().unwrap_or("");
        let is_digit = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
        if !text.strip_prefix("lj1:").is_some_and(|hex| hex.len() == 16 && hex.bytes().all(is_digit)) {
            wrong(format!("the {key} is {text:?}"));
        }
    }
    let cycle_and_chain = || items(&finding["cycle"]).iter().chain(items(&finding["chain"]));
    let is_inferred = finding["holder"]["certainty"] == "inferred"
        || cycle_and_chain().any(|link| link["waits_for"]["certainty"] == "inferred");
    if is_inferred && finding["confidence"] == "certain" {
        wrong("certain, with an inferred link".into());
    }
    if finding["evidence"].as_array().is_none_or(Vec::is_empty) {
        wrong("no evidence".into());
    }
    for key in ["title", "summary"] {
        if finding[key].as_str().is_none_or(str::is_empty) {
            wrong(format!("no {key}"));
        }
    }
}
