//! A table of the clusters: RFC 4180 with a header, one row a cluster. An input that could not be analyzed is a
//! row with its error, so that it is not missed.
//!
//! Two things are done to text, for what reads it. Control characters are written visibly (`\n`, `\x1b`), so that
//! a row is a line. And a spreadsheet would run a cell that begins like a formula, with `=`, `+`, `-` or `@`: such a
//! cell gets a `'` before it, and one that begins with `'` gets another, so that taking one away gives the text
//! again.

use std::borrow::Cow;
use std::io::{self, Write};

use super::View;
use super::document::{Cluster, Document, Snapshot};
use super::text::words;
use crate::model::escape_terminal;

/// Thread ids in a cell without `--all`: cells of spreadsheets have a limit, 32,767 characters.
const IDS: usize = 20;

/// What a spreadsheet takes for the beginning of a formula, full-width forms too, and the mark itself. Tab and
/// carriage return, which some skip, are escaped before.
const FORMULA: [char; 9] = ['=', '+', '-', '@', '＝', '＋', '－', '＠', '\''];

/// The columns.
const HEADER: [&str; 20] = [
    "input",
    "snapshot",
    "pid",
    "process",
    "cluster",
    "count",
    "share",
    "state",
    "lock",
    "lock_kind",
    "lock_address",
    "signature",
    "fingerprint",
    "variants",
    "cpu_total_s",
    "cpu_max_s",
    "waited_max_s",
    "thread_ids",
    "more_thread_ids",
    "error",
];

/// Writes the table.
pub fn write(document: &Document<'_>, view: &View, out: &mut dyn Write) -> io::Result<()> {
    let mut table = ::csv::WriterBuilder::new().terminator(::csv::Terminator::CRLF).from_writer(out);
    table.write_record(HEADER)?;
    let most = if view.show_all { usize::MAX } else { IDS };
    for (place, snapshot) in document.snapshots.iter().enumerate() {
        for cluster in &snapshot.clusters {
            table.write_record(row(place, snapshot, cluster, most).iter().map(|cell| cell.as_bytes()))?;
        }
    }
    for input in document.failed_inputs() {
        let mut row = vec![Cow::Borrowed(""); HEADER.len()];
        row[0] = text(input.path);
        row[HEADER.len() - 1] = text(input.error.unwrap_or_default());
        table.write_record(row.iter().map(|cell| cell.as_bytes()))?;
    }
    table.flush()
}

fn row<'a>(
    place: usize,
    snapshot: &'a Snapshot<'a>,
    cluster: &'a Cluster<'a>,
    most: usize,
) -> [Cow<'a, str>; HEADER.len()] {
    let lock = cluster.lock.and_then(|id| snapshot.lock(id));
    let threads = cluster.threads.0.iter().take(most);
    let ids: Vec<_> =
        threads.filter_map(|ix| snapshot.thread(*ix)).map(|thread| thread.id.to_string()).collect();
    [
        text(snapshot.source.path),
        number(Some(place)),
        number(snapshot.process.pid),
        text(snapshot.process.name.unwrap_or_default()),
        number(Some(cluster.id)),
        number(Some(cluster.count)),
        number(Some(cluster.share)),
        cluster.state.id().into(),
        lock.as_ref().map(|lock| owned(lock.name.or(lock.token).unwrap_or_default())).unwrap_or_default(),
        lock.as_ref().map(|lock| words::id_of(&lock.kind).into()).unwrap_or_default(),
        number(lock.and_then(|lock| lock.address)),
        text(&cluster.signature),
        text(cluster.fingerprint),
        number(Some(cluster.variants)),
        number(cluster.cpu_s.map(|cpu| cpu.total)),
        number(cluster.cpu_s.map(|cpu| cpu.max)),
        number(cluster.waited_s.map(|waited| waited.max)),
        owned(&ids.join(" ")),
        number(Some(cluster.count.saturating_sub(ids.len() as u64))),
        "".into(),
    ]
}

/// What is no text of a dump; empty where it is not known.
fn number<'a>(value: Option<impl ToString>) -> Cow<'a, str> {
    value.map(|value| value.to_string().into()).unwrap_or_default()
}

/// Text as a cell that no spreadsheet runs.
fn text(text: &str) -> Cow<'_, str> {
    let text = escape_terminal(text);
    if text.starts_with(FORMULA) { format!("'{text}").into() } else { text }
}

fn owned<'a>(of: &str) -> Cow<'a, str> {
    text(of).into_owned().into()
}
