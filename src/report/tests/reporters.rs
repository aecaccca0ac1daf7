//! What holds for the table.

use crate::report::{REPORTERS, find};

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
