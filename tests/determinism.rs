//! The same bytes give the same report: with one worker and with eight, twice, and with the threads
//! of a core in another order.

mod common;

use std::path::PathBuf;

use common::core_file::shuffle_threads;
use common::{fixtures, isolated, json_bytes, text_bytes, unpacked, with_workers};

const DUMPS: &[&str] = &[
    "text/go/jam-debug2-5000.txt.zst",
    "text/jstack/jam-monitor-3000.txt.zst",
    "cores/logging-mutex-5000.core.zst",
    "cores/spin-24.core.zst",
    "cores/two-mutexes-opposite-order.core.zst",
    "cores/var-two-jams.core.zst",
    "cores/var-rust-static.core.zst",
    "cores/gallery.core.zst",
    "cores/stack-overflow.core.zst",
    "gdb/logging-mutex-5000.txt.zst",
    "gdb/healthy-pool.txt.zst",
];

/// Several files are analyzed at the same time; their order is that of the folder.
#[test]
fn a_folder_is_reported_in_its_order() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let names = ["healthy-pool", "mutex-64", "crash-null", "spin-24", "gcore-mutex", "rwlock-readers"];
    for (n, name) in names.iter().enumerate() {
        let from = fixtures().join(format!("cores/{name}.core.zst"));
        std::fs::copy(from, folder.path().join(format!("{}-{name}.core.zst", names.len() - n)))
            .expect("copied");
    }
    let options = isolated();
    let report = |workers| with_workers(workers, || json_bytes(&[folder.path().into()], &options));
    let one = report(1);
    for workers in [2, 8] {
        assert!(one == report(workers), "one worker and {workers}");
    }
    let report: serde_json::Value = serde_json::from_slice(&one).expect("JSON");
    let paths: Vec<&str> = report["inputs"]
        .as_array()
        .expect("inputs")
        .iter()
        .filter_map(|i| i["path"].as_str()?.rsplit('/').next()?.get(2..)?.strip_suffix(".core.zst"))
        .collect();
    assert_eq!(paths, names.iter().rev().copied().collect::<Vec<_>>());
}

#[test]
fn workers_and_runs_do_not_change_a_byte() {
    let options = isolated();
    for name in DUMPS {
        let inputs = [fixtures().join(name)];
        let reports = |workers| {
            with_workers(workers, || (json_bytes(&inputs, &options), text_bytes(&inputs, &options)))
        };
        let one = reports(1);
        assert!(one.0.len() > 1000, "{name} was not analyzed: {}", String::from_utf8_lossy(&one.0));
        assert!(one == reports(8), "{name}: one worker and eight");
        assert!(one == reports(8), "{name}: two runs");
    }
}

#[test]
fn the_order_of_threads_in_a_core_does_not_change_a_byte() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    // The report names the path, so the shuffled core takes the place of the other one.
    let path: PathBuf = folder.path().join("core");
    let mut options = isolated();
    options.search.debug_dirs.push(fixtures().join("cores"));
    for name in DUMPS.iter().filter(|name| name.starts_with("cores/")) {
        let core = unpacked(name);
        std::fs::write(&path, &core).expect("room for a core");
        let original = json_bytes(std::slice::from_ref(&path), &options);
        for seed in [3, 71] {
            let shuffled = shuffle_threads(&core, seed);
            assert!(shuffled != core, "{name}: nothing was shuffled");
            std::fs::write(&path, &shuffled).expect("room for a core");
            let report = json_bytes(std::slice::from_ref(&path), &options);
            assert!(report == original, "{name}: threads in the order of seed {seed}");
        }
    }
}
