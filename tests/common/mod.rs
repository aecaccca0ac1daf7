//! What the integration tests share: analyzing a dump as a user would, and holding the report
//! against hand-written facts.
#![allow(dead_code, reason = "each test uses a part of it")]

pub mod core_file;
pub mod facts;
pub mod invariants;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
pub mod live;

use std::path::{Path, PathBuf};

use logjam::input::NoProgress;
use logjam::report::{self, Document, View};
use logjam::{Options, analyze};
use serde_json::Value;

/// The folder of the fixtures.
pub fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures")
}

/// Options that let only the files beside the dump be used: the same answers on every machine.
pub fn isolated() -> Options {
    let nothing = tempfile::tempdir().expect("a temporary folder").keep();
    let mut options = Options::default();
    options.search.sysroot = Some(nothing);
    options
}

/// The JSON report of some inputs, as bytes.
pub fn json_bytes(inputs: &[PathBuf], options: &Options) -> Vec<u8> {
    let diagnosis = analyze(inputs, options, &NoProgress);
    let mut out = Vec::new();
    let reporter = report::find("json").expect("there is a JSON report");
    (reporter.write)(&Document::of(&diagnosis), &View::default(), &mut out).expect("memory can be written");
    out
}

/// The JSON report of some inputs.
pub fn json(inputs: &[PathBuf], options: &Options) -> Value {
    serde_json::from_slice(&json_bytes(inputs, options)).expect("the report is JSON")
}

/// The report of one text.
pub fn report_of(text: &str) -> Value {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("dump.txt");
    std::fs::write(&path, text).expect("a file");
    json(&[path], &isolated())
}

/// The rules of its findings, in their order.
pub fn rules(report: &Value) -> Vec<&str> {
    let findings = report["findings"].as_array().expect("findings");
    findings.iter().filter_map(|finding| finding["rule"].as_str()).collect()
}

/// The text report of some inputs at 80 columns.
pub fn text_bytes(inputs: &[PathBuf], options: &Options) -> Vec<u8> {
    let diagnosis = analyze(inputs, options, &NoProgress);
    let mut out = Vec::new();
    let reporter = report::find("text").expect("there is a text report");
    (reporter.write)(&Document::of(&diagnosis), &View::default(), &mut out).expect("memory can be written");
    out
}

/// A fixture, unpacked where it is packed.
pub fn unpacked(name: &str) -> Vec<u8> {
    let bytes = std::fs::read(fixtures().join(name)).expect("the fixture is there");
    if name.ends_with(".zst") { zstd::decode_all(&*bytes).expect("the fixture is whole") } else { bytes }
}

/// Does the work with so many workers.
pub fn with_workers<T: Send>(workers: usize, work: impl FnOnce() -> T + Send) -> T {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(workers).stack_size(16 << 20).build();
    pool.expect("workers").install(work)
}
