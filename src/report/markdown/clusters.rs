//! What threads do: tables of clusters, stacks in full.

use super::draft::{Draft, Part};
use super::escape::{block, cell, code};
use super::finding::groups_of;
use super::{few, phrases};
use crate::report::View;
use crate::report::document::{Cluster, Document, Finding, Snapshot};
use crate::report::text::words;

/// Frames of a stack that are shown without `--all`.
const FRAMES: usize = 40;
/// Snapshots whose clusters are shown without `--all`.
const SNAPSHOTS: usize = 3;

const HEAD: &str = "| threads | share | state | top frames | lock |\n|---:|---:|---|---|---|\n";

/// The clusters of all snapshots.
pub fn all(document: &Document<'_>, view: &View, draft: &mut Draft) {
    let shown = if view.show_all { document.snapshots.len() } else { SNAPSHOTS };
    for (n, snapshot) in document.snapshots.iter().enumerate().take(shown) {
        let place =
            if document.snapshots.len() > 1 { format!("Snapshot {}: ", n + 1) } else { String::new() };
        let threads = words::counted(snapshot.threads.total, snapshot.threads.unit.noun());
        let clusters = words::counted(snapshot.clusters.len() as u64, "cluster");
        let heading = format!("\n### {place}{threads} in {clusters}\n\n");
        let (shown, rest) = few(&snapshot.clusters, view);
        let first = if n == 0 { Part::Cluster } else { Part::MoreCluster };
        let rows = shown.iter().map(|cluster| row(cluster.count, Some(cluster), snapshot));
        draft.list(&format!("{heading}{HEAD}"), first, Part::MoreCluster, rows);
        more(rest.len(), rest.iter().map(|cluster| cluster.count).sum(), draft);
    }
    if let Some(rest) = document.snapshots.get(shown..).filter(|rest| !rest.is_empty()) {
        let clusters = rest.iter().map(|snapshot| snapshot.clusters.len() as u64).sum();
        let snapshots = words::counted(rest.len() as u64, "more snapshot");
        let text =
            format!("\n… and {} of {snapshots}: `--all` shows them\n", words::counted(clusters, "cluster"));
        draft.add_counted(Part::MoreCluster, clusters, text);
    }
}

/// The clusters of a finding's threads, and that of the holder.
pub fn threads_of_finding(f: &Finding<'_>, snapshot: &Snapshot<'_>, view: &View, draft: &mut Draft) {
    let groups = groups_of(f, snapshot);
    let (shown, rest) = few(&groups, view);
    let rows = shown
        .iter()
        .map(|(id, count)| row(*count, id.and_then(|id| phrases::cluster_of(id, snapshot)), snapshot));
    draft.list(&format!("\n**Threads**\n\n{HEAD}"), Part::Cluster, Part::MoreCluster, rows);
    more(rest.len(), rest.iter().map(|(_, count)| count).sum(), draft);
}

/// The stacks that a person wants to see: of the holder or the thread that died, and of the largest group.
pub fn stacks(f: &Finding<'_>, snapshot: &Snapshot<'_>, view: &View, draft: &mut Draft) {
    let holder = f.holder.as_ref().filter(|holder| holder.thread.is_some()).and_then(|holder| holder.cluster);
    let groups = groups_of(f, snapshot);
    let largest = groups.first().and_then(|(id, _)| *id);
    let noun = if f.lock.is_some() { "waiter" } else { "thread" };
    if let Some(cluster) = holder.and_then(|id| phrases::cluster_of(id, snapshot)) {
        stack("the holder", cluster, view, draft);
    }
    if let Some(cluster) =
        largest.filter(|id| Some(*id) != holder).and_then(|id| phrases::cluster_of(id, snapshot))
    {
        stack(&words::counted(groups[0].1, noun), cluster, view, draft);
    }
}

fn stack(whose: &str, cluster: &Cluster<'_>, view: &View, draft: &mut Draft) {
    let shown = if view.show_all { cluster.frames.len() } else { FRAMES.min(cluster.frames.len()) };
    let frames = cluster.frames.iter().take(shown).enumerate();
    let mut lines: Vec<_> = frames.map(|(at, frame)| phrases::frame(at, &frame)).collect();
    let rest = cluster.frames.len() - shown;
    if rest > 0 {
        lines.push(format!("… and {}: --all shows them", words::counted(rest as u64, "more frame")));
    }
    if !lines.is_empty() {
        draft.add(Part::Stack, format!("\n**Stack of {whose}**\n\n{}", block(&lines)));
    }
}

/// ``| 4,499 | 90 % | lock-wait | `log_message` ← `handle` | `g_log_mutex` |``.
fn row(count: u64, cluster: Option<&Cluster<'_>>, snapshot: &Snapshot<'_>) -> String {
    let total = snapshot.threads.total.max(1) as f64;
    let state = cluster.map(|cluster| words::id_of(&cluster.state)).unwrap_or_default();
    let lock = cluster.and_then(|cluster| cluster.lock).and_then(|id| snapshot.lock(id));
    let lock = lock.map(|lock| phrases::lock_name(&lock)).unwrap_or_default();
    let cells =
        [words::count(count), words::percent(count as f64 / total), state, phrases::calls(cluster), lock];
    format!("| {} |\n", cells.map(|text| cell(&text)).join(" | "))
}

/// A line behind a table: a blank one stands between, or it would be a row.
fn more(clusters: usize, threads: u64, draft: &mut Draft) {
    if clusters > 0 {
        let more = words::counted(clusters as u64, "more cluster");
        let threads = words::counted(threads, "thread");
        let text = format!("\n… and {more} ({threads}): {} shows them\n", code("--all"));
        draft.add_counted(Part::MoreCluster, clusters as u64, text);
    }
}
