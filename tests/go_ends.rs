//! How processes of Go end: the place that is named, and what is advised.

mod common;

use common::{invariants, isolated, json};
use serde_json::Value;

/// The findings of a text.
fn findings(text: &str) -> Vec<Value> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("go.log");
    std::fs::write(&file, text).expect("a file");
    let report = json(&[file], &isolated());
    let broken = invariants::broken(&report);
    assert!(broken.is_empty(), "{broken:#?}");
    report["findings"].as_array().expect("findings").clone()
}

/// The finding of this rule: its title and its advice.
fn told(text: &str, rule: &str) -> (String, String) {
    let all = findings(text);
    let finding = all.iter().find(|f| f["rule"] == rule).unwrap_or_else(|| panic!("no {rule}: {all:#?}"));
    (finding["title"].as_str().expect("a title").to_owned(), finding["advice"].to_string())
}

#[test]
fn a_map_of_two_goroutines_is_the_fault_of_whoever_calls_the_runtime() {
    let tops = [
        "runtime.throw(0x6df750, 0x15)\n\t/usr/local/go/src/runtime/panic.go:605 +0x95\n\
         runtime.mapassign_faststr(0x685f40, 0xc420078ea0)\n\t/usr/local/go/src/runtime/hashmap_fast.go:685 +0x4da\n",
        "internal/runtime/maps.fatal({0x5b2d3c?, 0x0?})\n\t/usr/local/go/src/runtime/panic.go:1058 +0x18\n",
        "internal/runtime/maps.fatal({0x5b2d3c?, 0x0?})\n\t/usr/local/go/src/runtime/panic.go:1058 +0x18\n\
         internal/runtime/maps.(*Map).PutSlot(0xc0, 0xc1)\n\t/usr/local/go/src/internal/runtime/maps/map.go:5 +0x1\n\
         runtime.mapassign_faststr(0x51e2c0, 0xc00007c0c0)\n\t/usr/local/go/src/runtime/map_swiss.go:263 +0x2b\n",
    ];
    for top in tops {
        let text = format!(
            "fatal error: concurrent map writes\n\ngoroutine 35 [running]:\n{top}\
             main.book(0x1)\n\t/src/till/main.go:12 +0x65\ncreated by main.main\n\t/src/till/main.go:20 +0x3c\n"
        );
        let (title, _) = told(&text, "crash");
        assert!(title.contains("in main.book: fatal error: concurrent map writes"), "{title}");
    }
}
