//! Who waits for whom: chains to a root blocker and rings.

use std::io;

use super::finding::{certainty, field};
use super::layout::{Page, Style, Text};
use super::words;
use crate::report::View;
use crate::report::document::{Finding, Link, Snapshot, WaitsFor};

/// Links that are shown without `--all`. A ring is cut in its middle: its ends meet.
const SHOWN: usize = 8;

/// The chain and the ring of a finding.
pub fn write(f: &Finding<'_>, snapshot: &Snapshot<'_>, view: &View, page: &mut Page<'_>) -> io::Result<()> {
    list("chain", &f.chain, snapshot, view, page)?;
    if let Some(root) = &f.root {
        let doing = snapshot.state_of(root).map(|state| words::id_of(&state));
        let said = Text::new().styled(Style::Bold, words::thread(root)).plain(" is where it ends");
        let said = doing.map_or(said.clone(), |state| said.plain(format!(" ({state})")));
        field(page, if f.chain.is_empty() { "root" } else { "" }, &said)?;
    }
    list("cycle", &f.cycle, snapshot, view, page)
}

fn list(
    name: &str,
    links: &[Link<'_>],
    snapshot: &Snapshot<'_>,
    view: &View,
    page: &mut Page<'_>,
) -> io::Result<()> {
    let shown = if view.show_all || links.len() <= SHOWN { links.len() } else { SHOWN - 1 };
    let rest = links.len() - shown;
    for (n, link) in links.iter().enumerate() {
        if rest > 0 && n == shown - 1 {
            let more = words::counted(rest as u64, "more link");
            field(page, "", &Text::from(format!("… {more}: --all shows them")))?;
        }
        if n + 1 >= shown && n + 1 < links.len() {
            continue;
        }
        field(page, if n == 0 { name } else { "" }, &said(link, snapshot))?;
    }
    Ok(())
}

/// `thread 12 waits for g_a (read), which thread 13 holds`.
pub fn said(link: &Link<'_>, snapshot: &Snapshot<'_>) -> Text {
    let awaits_thread = link.waits_for.thread.is_some();
    let start = Text::new().styled(Style::Bold, words::thread(&link.thread)).plain(" waits for ");
    let start = start.plain(target(&link.waits_for, snapshot));
    let start = start.plain(" (").then(certainty(link.waits_for.certainty)).plain(")");
    let has = if link.waits_for.lock.is_some() { "holds" } else { "has" };
    match &link.held_by {
        Some(holder) if !awaits_thread => start.plain(format!(", which {} {has}", words::thread(holder))),
        _ => start,
    }
}

/// What a thread waits for, in words.
pub fn target(wait: &WaitsFor<'_>, snapshot: &Snapshot<'_>) -> String {
    let lock = wait.lock.and_then(|id| snapshot.lock(id));
    match (&lock, &wait.thread, wait.process, wait.what) {
        (Some(lock), ..) => words::lock_name(lock),
        (_, Some(thread), ..) => words::thread(thread),
        (_, _, Some(pid), _) => format!("process {pid}"),
        (.., Some(what)) => what.to_owned(),
        _ => "something".into(),
    }
}
