//! The mission's cores, cut off as a full disk or a limit leaves them: most stacks are gone, the notes
//! with all registers are there.

mod common;

use std::path::PathBuf;

use common::{facts, fixtures, invariants, isolated, json, unpacked};
use serde_json::{Value, json};

/// The report of the first `percent` of a fixture, with the files that lie beside it.
fn report_of_cut(name: &str, percent: usize) -> Value {
    let whole = unpacked(&format!("cores/{name}.core.zst"));
    let folder = tempfile::tempdir().expect("a temporary folder");
    let core = folder.path().join("cut.core");
    std::fs::write(&core, &whole[..whole.len() * percent / 100]).expect("the cut core");
    let mut options = isolated();
    let cores: PathBuf = fixtures().join("cores");
    options.search.executable = Some(cores.join(name));
    options.search.debug_dirs = vec![cores];
    let report = json(&[core], &options);
    assert_eq!(invariants::broken(&report), Vec::<String>::new());
    report
}

fn holds(report: &Value, expected: &Value) {
    let wrong = facts::differences(report, expected);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_cut_dump_of_a_mutex_has_its_lock_owner_and_waiters() {
    for percent in [20, 60] {
        let report = report_of_cut("logging-mutex-5000", percent);
        assert_eq!(report["inputs"][0]["status"], "partial");
        holds(
            &report,
            &json!({
                "threads": 5001,
                "states": {"lock-wait": 4499, "spinning": 0},
                "top": {
                    "rule": "lock-contention", "confidence": "certain", "threads.count": 4499,
                    "lock.name": "g_log_mutex", "lock.class": "logging", "lock.address": "0x56297df7a1c0",
                    "holder.thread.id": "30585", "holder.certainty": "read",
                    "holder.doing": {"re": "write\\(fd 4\\)"},
                },
                "any": [{"rule": "incomplete-dump"}],
                "never": [{"rule": "deadlock"}, {"rule": "spin-wait"}, {"rule": "stack-overflow"}],
            }),
        );
    }
}

#[test]
fn a_cut_dump_of_a_spin_lock_names_no_holder_that_it_cannot_know() {
    let report = report_of_cut("logging-spin-5000", 60);
    assert_eq!(report["inputs"][0]["status"], "partial");
    holds(
        &report,
        &json!({
            "threads": 5000,
            "states": {"lock-wait": 0, "spinning": 4498},
            "top": {
                "rule": "spin-wait", "confidence": "likely", "threads.count": 4498,
                "lock.name": "g_log_spin", "holder.kind": "unknown",
                "holder.why": {"re": "cut off"},
            },
            "any": [{"rule": "incomplete-dump"}],
            "never": [{"rule": "deadlock"}, {"rule": "lock-contention"}, {"rule": "stack-overflow"}],
        }),
    );
}
