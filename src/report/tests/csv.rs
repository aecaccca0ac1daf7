//! The table of clusters, read back.

use std::collections::BTreeMap;

use super::builder::{Builder, activity};
use super::{sample, written};
use crate::diagnosis::Diagnosis;
use crate::report::{Document, View};
use crate::waits::State;

fn rows(diagnosis: &Diagnosis, view: &View) -> Vec<BTreeMap<String, String>> {
    let text = written("csv", diagnosis, view);
    let mut reader = ::csv::Reader::from_reader(text.as_bytes());
    reader.deserialize().map(|row| row.expect("a row with all cells")).collect()
}

#[test]
fn a_cluster_is_a_row_and_counts_add_up() {
    let rows = rows(&sample::incident(4499), &View::default());
    assert_eq!(rows.len(), 4);
    assert_eq!(rows.iter().map(|row| row["count"].parse::<u64>().unwrap()).sum::<u64>(), 5001);
    let first = &rows[0];
    let expected = [
        ("input", "core.zst"),
        ("snapshot", "0"),
        ("pid", "4332"),
        ("process", "logserver"),
        ("cluster", "c1"),
        ("count", "4499"),
        ("share", "0.8996"),
        ("state", "lock-wait"),
        ("lock", "g_log_mutex"),
        ("lock_kind", "pthread-mutex"),
        ("lock_address", "0x55f0ce1aa140"),
        ("signature", "log_message ← handle ← worker"),
        ("error", ""),
    ];
    for (column, value) in expected {
        assert_eq!(first[column], value, "{column}");
    }
    assert_eq!(rows[1]["lock"], "", "what is not known is empty");
}

#[test]
fn threads_that_are_not_named_are_counted() {
    for (show_all, named) in [(false, 20), (true, 4499)] {
        let rows = rows(&sample::incident(4499), &View { show_all, ..View::default() });
        let ids: Vec<&str> = rows[0]["thread_ids"].split(' ').collect();
        assert_eq!((ids.len(), ids[0]), (named, "4332"));
        assert_eq!(rows[0]["more_thread_ids"], (4499 - named).to_string());
        assert_eq!((&*rows[2]["thread_ids"], &*rows[2]["more_thread_ids"]), ("9331", "0"));
    }
}

#[test]
fn an_input_that_failed_is_a_row() {
    let rows = rows(&sample::zoo(), &View::default());
    let failed: Vec<_> = rows.iter().filter(|row| !row["error"].is_empty()).collect();
    assert_eq!(failed.len(), 1);
    assert_eq!((&*failed[0]["input"], &*failed[0]["cluster"]), ("other.txt", ""));
    assert_eq!(failed[0]["error"], "no format recognizes it");
}

#[test]
fn no_cell_begins_like_a_formula_and_the_text_can_be_had_again() {
    let bad = ["=1+1", "+1", "-1", "@SUM(1)", "'=1", "＝1", "\t=1", "\r=1", "\n=1"];
    let mut b = Builder::new("=core");
    for function in bad {
        b.group(1, &[function], 1, &activity(State::Running, None, ""));
    }
    let diagnosis = Diagnosis { snapshots: vec![b.done()], ..Diagnosis::default() };
    let rows = rows(&diagnosis, &View::default());
    for (row, function) in rows.iter().zip(bad) {
        assert_eq!(row["input"], "'=core");
        let cell = &row["signature"];
        assert!(!cell.starts_with(['=', '+', '-', '@', '＝', '\t', '\r', '\n']), "{cell}");
        let plain = cell.strip_prefix('\'').unwrap_or(cell);
        assert_eq!(plain, crate::model::escape_terminal(function));
    }
}

#[test]
fn hostile_text_leaves_one_line_a_row() {
    let diagnosis = sample::hostile();
    let text = written("csv", &diagnosis, &View { show_all: true, ..View::default() });
    assert!(!text.replace("\r\n", "").contains(char::is_control));
    let document = Document::of(&diagnosis);
    let clusters: usize = document.snapshots.iter().map(|s| s.clusters.len()).sum();
    assert_eq!(text.lines().count(), 1 + clusters + 1, "the header, the clusters, the failed input");
    assert_eq!(rows(&diagnosis, &View::default()).len(), clusters + 1);
}

#[test]
fn an_empty_document_is_the_header() {
    assert_eq!(written("csv", &Diagnosis::default(), &View::default()).lines().count(), 1);
}
