//! What all threads do: the largest groups first.

use std::io;

use super::layout::{Page, Style, Text};
use super::words;
use crate::report::View;
use crate::report::document::{Cluster, Document, Snapshot};

/// Clusters of a snapshot that are shown without `--all`.
const SHOWN: usize = 10;
/// Snapshots whose clusters are shown without `--all`.
const SNAPSHOTS: usize = 3;
/// Threads that are named of a cluster with `--all`.
const MEMBERS: usize = 5;
/// The most columns of a lock's name.
const LOCK: usize = 24;

/// The clusters of all snapshots.
pub fn write(document: &Document<'_>, view: &View, page: &mut Page<'_>) -> io::Result<()> {
    let shown = if view.show_all { document.snapshots.len() } else { SNAPSHOTS };
    for (n, snapshot) in document.snapshots.iter().enumerate().take(shown) {
        let number = (document.snapshots.len() > 1).then_some(n + 1);
        of_snapshot(snapshot, number, view, page)?;
    }
    let Some(rest) = document.snapshots.get(shown..).filter(|rest| !rest.is_empty()) else { return Ok(()) };
    let threads = words::counted(rest.iter().map(|s| s.threads.total).sum(), "thread");
    let clusters = words::counted(rest.iter().map(|s| s.clusters.len() as u64).sum(), "cluster");
    let more = words::counted(rest.len() as u64, "more snapshot");
    page.blank()?;
    page.paragraph(
        Text::from("  "),
        &Text::from(format!("… and {more} ({threads} in {clusters}): --all shows them")),
    )
}

fn of_snapshot(
    snapshot: &Snapshot<'_>,
    number: Option<usize>,
    view: &View,
    page: &mut Page<'_>,
) -> io::Result<()> {
    page.blank()?;
    let threads = words::counted(snapshot.threads.total, snapshot.threads.unit.noun());
    let clusters = words::counted(snapshot.clusters.len() as u64, "cluster");
    let place = number.map(|n| format!("snapshot {n}: ")).unwrap_or_default();
    let heading = Text::from("  ").styled(Style::Bold, "CLUSTERS").plain("  ");
    page.paragraph(heading, &Text::from(format!("{place}{threads}, {clusters}")))?;
    let shown = if view.show_all { snapshot.clusters.len() } else { SHOWN.min(snapshot.clusters.len()) };
    let (shown, rest) = snapshot.clusters.split_at(shown);
    let columns = Columns::of(shown);
    for cluster in shown {
        columns.row(cluster, snapshot, page)?;
        if view.show_all {
            details(cluster, snapshot, page)?;
        }
    }
    if rest.is_empty() {
        return Ok(());
    }
    let more = words::counted(rest.len() as u64, "more cluster");
    let threads = words::counted(rest.iter().map(|c| c.count).sum(), snapshot.threads.unit.noun());
    page.paragraph(Text::from("  "), &Text::from(format!("… and {more} ({threads}): --all shows them")))
}

/// The widths of the table's columns.
struct Columns {
    share: usize,
    count: usize,
    state: usize,
}

impl Columns {
    fn of(clusters: &[Cluster<'_>]) -> Self {
        let widest = |of: &dyn Fn(&Cluster<'_>) -> usize| clusters.iter().map(of).max().unwrap_or(0);
        Self {
            share: widest(&|c| words::percent(c.share).len()),
            count: widest(&|c| words::count(c.count).len()),
            state: widest(&|c| words::id_of(&c.state).len()),
        }
    }

    /// `90 %  4,499  lock-wait  log_message ← handle ← worker  on g_log_mutex`.
    fn row(&self, cluster: &Cluster<'_>, snapshot: &Snapshot<'_>, page: &mut Page<'_>) -> io::Result<()> {
        let share = format!("{:>1$}", words::percent(cluster.share), self.share);
        let count = format!("{:>1$}", words::count(cluster.count), self.count);
        let state = format!("{:<1$}", words::id_of(&cluster.state), self.state);
        let start =
            Text::from(format!("  {share}  ")).styled(Style::Bold, count).plain(format!("  {state}  "));
        let lock = cluster.lock.and_then(|id| snapshot.lock(id));
        let lock = lock.map(|lock| format!("  on {}", words::shortened(&words::lock_name(&lock), LOCK)));
        let lock = Text::new().styled(Style::Dim, lock.unwrap_or_default());
        let room = page.width().saturating_sub(start.width() + lock.width()).max(8);
        let calls = match &*cluster.signature {
            "" => "no stack".to_owned(),
            signature => words::signature(signature),
        };
        page.line(start.then(Text::from(calls).clipped(room)).then(lock))
    }
}

/// The line under a cluster that only `--all` shows.
fn details(cluster: &Cluster<'_>, snapshot: &Snapshot<'_>, page: &mut Page<'_>) -> io::Result<()> {
    let ids = cluster.threads.0.iter().take(MEMBERS);
    let ids: Vec<_> = ids.filter_map(|ix| snapshot.thread(*ix)).map(|thread| thread.id.to_string()).collect();
    let rest = cluster.count - ids.len() as u64;
    let rest = if rest > 0 { format!(" and {} more", words::count(rest)) } else { String::new() };
    let mut parts = vec![cluster.id.to_string()];
    if !ids.is_empty() {
        let noun = if cluster.count == 1 { "thread" } else { "threads" };
        parts.push(format!("{noun} {}{rest}", ids.join(", ")));
    }
    parts.extend(cluster.thread_names.iter().map(|n| format!("{} ({})", n.pattern, words::count(n.count))));
    if cluster.variants > 1 {
        parts.push(format!("{} merged", words::counted(cluster.variants.into(), "different stack")));
    }
    if let Some(cpu) = cluster.cpu_s {
        parts.push(format!("CPU {}, at most {}", words::duration(cpu.total), words::duration(cpu.max)));
    }
    if let Some(waited) = cluster.waited_s {
        parts.push(format!("waiting for {}", words::waited(waited)));
    }
    page.paragraph(Text::from("        "), &Text::new().styled(Style::Dim, parts.join(" · ")))
}
