//! What holds for the table.

use serde_json::{Value, json};

use super::{sample, written};
use crate::model::Listing;
use crate::report::{REPORTERS, View, find};

#[test]
fn ids_are_unique_and_found() {
    for reporter in REPORTERS {
        assert_eq!(REPORTERS.iter().filter(|r| r.id == reporter.id).count(), 1);
        assert!(find(reporter.id).is_ok_and(|found| found.id == reporter.id));
        assert!(!reporter.about.is_empty());
    }
}

#[test]
fn a_misspelt_id_gets_a_suggestion() {
    let error = find("jsom").err().expect("no such reporter");
    assert_eq!(error.nearest, Some("json"));
    assert!(error.to_string().contains("did you mean 'json'?"), "{error}");
    assert_eq!(find("spreadsheet").err().and_then(|e| e.nearest), None);
}

/// Every reporter copes with a dump that lists no threads, and names none.
#[test]
fn profiles_count_and_name_nobody() {
    for (listing, noun) in [(Listing::Groups, "threads"), (Listing::Samples, "samples")] {
        let diagnosis = sample::counted(listing);
        for reporter in REPORTERS {
            let text = written(reporter.id, &diagnosis, &View { show_all: true, ..View::default() });
            assert!(!text.contains("worker-3"), "{} names a thread", reporter.id);
        }
        let report: Value =
            serde_json::from_str(&written("json", &diagnosis, &View::default())).expect("JSON");
        let snapshot = &report["snapshots"][0];
        assert_eq!(snapshot["threads"]["total"], 3_502);
        assert_eq!(snapshot["threads"]["unit"], noun);
        assert_eq!(snapshot["thread_list"], json!([]));
        assert_eq!(snapshot["clusters"][0]["count"], 3_000);
        assert_eq!(snapshot["clusters"][0]["threads"], json!([]));
        assert_eq!(snapshot["locks"][0]["waiters"], json!({ "count": 3_000, "ids": [] }));
        assert_eq!(report["findings"][0]["threads"], json!({ "count": 3_000, "share": 0.8567, "ids": [] }));
        let page = written("text", &diagnosis, &View::default());
        assert!(page.contains(&format!("3,502 {noun}")), "{page}");
    }
}
