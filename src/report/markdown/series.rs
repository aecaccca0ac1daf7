//! Processes over time.

use super::draft::{Draft, Part};
use super::escape::{cell, code, code_within};
use crate::report::document::{Document, Series};
use crate::report::text::words;

/// The most columns of a cluster's calls.
const CALLS: usize = 120;

/// Each process that several snapshots show: what stood still, what grew.
pub fn write(document: &Document<'_>, draft: &mut Draft) {
    document.series.iter().for_each(|series| one(series, draft));
}

fn one(series: &Series<'_>, draft: &mut Draft) {
    let who = match (series.process.name, series.process.pid) {
        (Some(name), Some(pid)) => code(&format!("{name}[{pid}]")),
        (Some(name), None) => code(name),
        (None, Some(pid)) => format!("process {pid}"),
        (None, None) => "a process".to_owned(),
    };
    let stuck = words::counted(series.stuck.count, "thread");
    let moved = words::count(series.progressed.count);
    let mut text = format!(
        "\n### Over time: {who}\n\n{stuck} with the same stack and lock in every snapshot, {moved} moved.\n"
    );
    if !series.clusters.is_empty() {
        let numbers: Vec<_> = series.snapshots.iter().map(|n| format!("snapshot {}", n + 1)).collect();
        text += &format!("\n| threads | {} |\n|---|{}\n", numbers.join(" | "), "---:|".repeat(numbers.len()));
        for cluster in &series.clusters {
            let counts: Vec<_> = cluster.counts.iter().map(|n| words::count(*n)).collect();
            let calls = cell(&code_within(cluster.signature, CALLS));
            text += &format!("| {calls} | {} |\n", counts.join(" | "));
        }
    }
    draft.add(Part::Snapshot, text);
}
