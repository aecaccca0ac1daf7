//! Metrics in Prometheus' text exposition, for the node exporter's textfile collector or a push gateway. Rules
//! that raise an alarm from them, with a link to the guide, are in `docs/prometheus`.
//!
//! `snapshot` is the place of the snapshot in the report: an input can hold several processes. No metric has a
//! label that changes from dump to dump of the same jam (addresses, thread ids, counts).

use std::collections::BTreeMap;
use std::io::{self, BufWriter, Write};

use super::View;
use super::document::{Document, Finding, Snapshot, Status};
use super::text::words;
use crate::model::escape_terminal;
use crate::waits::State;

/// One metric: all of them are gauges.
struct Metric {
    name: &'static str,
    help: &'static str,
    /// Its samples: labels and value. Samples with the same labels are added up.
    samples: fn(&Document<'_>) -> Vec<(Labels, f64)>,
}

/// Names and values; those without a value mean nothing to Prometheus and are left out.
type Labels = Vec<(&'static str, String)>;

const METRICS: &[Metric] = &[
    Metric {
        name: "logjam_build_info",
        help: "1, with the version of logjam as a label.",
        samples: |document| vec![(vec![("version", document.tool.version.to_owned())], 1.0)],
    },
    Metric {
        name: "logjam_input_failed",
        help: "1 for an input that could not be analyzed, 0 for one that could.",
        samples: |document| {
            let failed = |status| if status == Status::Failed { 1.0 } else { 0.0 };
            let inputs = document.inputs.iter();
            inputs.map(|input| (vec![("input", input.path.to_owned())], failed(input.status))).collect()
        },
    },
    Metric {
        name: "logjam_verdict_severity",
        help: "Severity of the worst finding: 0 none, 1 info, 2 low, 3 medium, 4 high, 5 critical.",
        samples: |document| vec![(Vec::new(), f64::from(document.verdict.severity as u8))],
    },
    Metric {
        name: "logjam_threads",
        help: "Threads of a process by state.",
        samples: |document| {
            let states = |(place, snapshot)| {
                State::ALL.map(|state| {
                    (with(place, snapshot, [("state", state.id().to_owned())]), threads(snapshot, state))
                })
            };
            document.snapshots.iter().enumerate().flat_map(states).collect()
        },
    },
    Metric {
        name: "logjam_blocked_threads",
        help: "Threads of a process that wait for a lock, asleep or burning CPU.",
        samples: |document| {
            let blocked = |(place, snapshot): (usize, &Snapshot<'_>)| {
                (with(place, snapshot, []), snapshot.threads.blocked() as f64)
            };
            document.snapshots.iter().enumerate().map(blocked).collect()
        },
    },
    Metric {
        name: "logjam_oldest_wait_seconds",
        help: "The longest that a thread of a process has been waiting. Only where the dump says so.",
        samples: |document| {
            let oldest = |(place, snapshot)| Some((with(place, snapshot, []), oldest_wait(snapshot)?));
            document.snapshots.iter().enumerate().filter_map(oldest).collect()
        },
    },
    Metric {
        name: "logjam_findings",
        help: "Findings by rule and severity. A rule that found nothing has no sample.",
        samples: |document| of_findings(document, |finding| (kind(finding).to_vec(), 1)),
    },
    Metric {
        name: "logjam_finding_threads",
        help: "Threads that a finding is about, for a lock its waiters, by what is the same in each dump of it.",
        samples: |document| {
            of_findings(document, |finding| {
                let mut labels = kind(finding).to_vec();
                labels.push(("fingerprint", finding.fingerprint.to_owned()));
                labels.extend(lock_name(finding, document).map(|name| ("lock", name.to_owned())));
                (labels, finding.threads.count)
            })
        },
    },
];

/// Writes all metrics. One without samples is left out.
pub fn write(document: &Document<'_>, _view: &View, out: &mut dyn Write) -> io::Result<()> {
    let mut out = BufWriter::new(out);
    for metric in METRICS {
        let mut samples: BTreeMap<Labels, f64> = BTreeMap::new();
        for (labels, value) in (metric.samples)(document) {
            *samples.entry(labels).or_default() += value;
        }
        if samples.is_empty() {
            continue;
        }
        writeln!(out, "# HELP {} {}", metric.name, metric.help)?;
        writeln!(out, "# TYPE {} gauge", metric.name)?;
        for (labels, value) in samples {
            let labels: Vec<_> = labels
                .iter()
                .filter(|(_, value)| !value.is_empty())
                .map(|(name, value)| format!("{name}=\"{}\"", escaped(value)))
                .collect();
            let braces = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
            writeln!(out, "{}{braces} {value}", metric.name)?;
        }
    }
    out.flush()
}

/// The labels of a snapshot, and more.
fn with<const N: usize>(place: usize, snapshot: &Snapshot<'_>, more: [(&'static str, String); N]) -> Labels {
    let process = &snapshot.process;
    let own = [
        ("input", snapshot.source.path.to_owned()),
        ("snapshot", place.to_string()),
        ("pid", process.pid.map(|pid| pid.to_string()).unwrap_or_default()),
        ("process", process.name.unwrap_or_default().to_owned()),
    ];
    own.into_iter().chain(more).collect()
}

/// A sample for each finding: its labels behind those of its snapshot, and its value.
fn of_findings(
    document: &Document<'_>,
    sample: impl Fn(&Finding<'_>) -> (Labels, u64),
) -> Vec<(Labels, f64)> {
    let snapshot =
        |finding: &Finding<'_>| Some((finding.snapshot, document.snapshots.get(finding.snapshot)?));
    let sample = |finding| {
        let (place, snapshot) = snapshot(finding)?;
        let (more, value) = sample(finding);
        Some((with(place, snapshot, []).into_iter().chain(more).collect(), value as f64))
    };
    document.findings.iter().filter_map(sample).collect()
}

fn kind(finding: &Finding<'_>) -> [(&'static str, String); 2] {
    [("rule", finding.rule.id().to_owned()), ("severity", words::id_of(&finding.severity))]
}

/// A lock's name, which is the same in each dump; an address is not.
fn lock_name<'a>(finding: &Finding<'_>, document: &Document<'a>) -> Option<&'a str> {
    document.snapshots.get(finding.snapshot)?.lock(finding.lock?)?.name
}

fn threads(snapshot: &Snapshot<'_>, state: State) -> f64 {
    snapshot.threads.states.get(&state).copied().unwrap_or_default() as f64
}

fn oldest_wait(snapshot: &Snapshot<'_>) -> Option<f64> {
    let of_threads = snapshot.thread_list.iter().filter_map(|thread| thread.waited_s);
    let of_clusters = snapshot.clusters.iter().filter_map(|cluster| Some(cluster.waited_s?.max));
    of_threads.chain(of_clusters).reduce(f64::max)
}

/// A label's value: control characters visibly, then the three escapes of the format.
fn escaped(value: &str) -> String {
    escape_terminal(value).replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}
