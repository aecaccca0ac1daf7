//! Every fixture against its hand-written truth, and every report against the contract: its own
//! promises, and the published schema by a validator that is not ours.

mod common;

use std::path::{Path, PathBuf};

use common::{facts, fixtures, invariants, isolated, json};
use logjam::formats::FORMATS;
use serde_json::Value;

#[test]
fn every_fixture_gets_the_diagnosis_that_its_truth_says() {
    let schema: Value = serde_json::from_str(include_str!("../docs/report.schema.json")).expect("a schema");
    let schema = jsonschema::validator_for(&schema).expect("a valid schema");
    let options = isolated();
    let truths = truths();
    assert!(truths.len() >= 60, "only {} truths were found", truths.len());
    let mut failures = Vec::new();
    for path in &truths {
        let truth: Value =
            serde_json::from_slice(&std::fs::read(path).expect("a readable truth")).expect("JSON");
        let folder = path.parent().expect("a folder");
        let inputs: Vec<PathBuf> = facts::list(&truth["input"])
            .iter()
            .map(|name| folder.join(name.as_str().expect("a file name")))
            .collect();
        assert!(
            facts::list(&truth["args"]).is_empty(),
            "{}: arguments are not supported here",
            path.display()
        );
        let report = json(&inputs, &options);
        let mut wrong = invariants::broken(&report);
        wrong.extend(schema.iter_errors(&report).map(|e| format!("schema: {e} at {}", e.instance_path())));
        wrong.extend(facts::differences(&report, &truth["expect"]));
        if !wrong.is_empty() {
            failures.push(format!("{}:\n    {}", name(path), wrong.join("\n    ")));
        }
    }
    assert!(failures.is_empty(), "{} of {} fixtures:\n{}", failures.len(), truths.len(), failures.join("\n"));
}

/// Dumps cost space in every clone. The cores and the files that ran take most of it; 26 MB since there are texts of
/// thirty formats.
#[test]
fn fixtures_stay_small() {
    fn size(path: &Path) -> u64 {
        if path.is_dir() {
            std::fs::read_dir(path).expect("a folder").map(|e| size(&e.expect("an entry").path())).sum()
        } else {
            path.metadata().map_or(0, |m| m.len())
        }
    }
    let bytes = size(&fixtures());
    assert!(bytes < 26_000_000, "the fixtures have {bytes} bytes");
}

/// The truths of cores, of gdb's texts, and of each format of `fixtures/text`.
fn truths() -> Vec<PathBuf> {
    let mut folders = vec![fixtures().join("cores"), fixtures().join("gdb")];
    for format in FORMATS {
        folders.push(fixtures().join("text").join(format.id.id()));
    }
    let mut found = Vec::new();
    for folder in folders.iter().filter(|folder| folder.is_dir()) {
        for entry in std::fs::read_dir(folder).expect("a folder of fixtures") {
            let path = entry.expect("an entry").path();
            if path.to_string_lossy().ends_with(".truth.json") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

fn name(path: &Path) -> String {
    path.strip_prefix(fixtures()).unwrap_or(path).to_string_lossy().into_owned()
}
