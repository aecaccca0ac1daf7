use crate::formats::testing::{cut_everywhere, names, read};
use crate::model::ThreadIx;

const REPORT: &str = r#"{   "signal": 11
,   "executable": "/usr/bin/shop"
,   "from_the_future": [1, {"x": "}"}]
,   "stacktrace":
      [ {   "crash_thread": true, "frames":
              [ { "address": 140598631418400, "build_id_offset": 850464, "function_name": "Log::write", "file_name": "/usr/lib64/liblog.so", "source_file": "log.c", "line_number": 12 }
              , { "address": "93917296833631", "build_id": "34b2", "file_name": "/usr/bin/shop", "new": {} } ] }
      , { "frames": [ { "address": 1, "function_name": "??" } ] } ]
}
"#;

#[test]
fn threads_frames_and_the_crash() {
    let snapshots = read(&format!("report:\n{REPORT}end\n"));
    let [snapshot] = snapshots.as_slice() else { panic!("one dump") };
    assert_eq!(snapshot.process.name.as_deref(), Some("shop"));
    let signal = snapshot.process.signal.clone().unwrap();
    assert_eq!((&*signal.name, signal.thread), ("SIGSEGV", Some(ThreadIx(0))));
    assert_eq!(names(snapshot, 0), ["Log::write", "?"]);
    let frame = snapshot.stacks.get(snapshot.stacks.frames_of(snapshot.threads[0].stack)[1]);
    assert_eq!((frame.address, frame.module.as_deref()), (Some(93_917_296_833_631), Some("/usr/bin/shop")));
    assert!(snapshot.gaps.iter().any(|gap| gap.message.contains("from_the_future")));
}

#[test]
fn reports_of_one_line_and_in_a_report() {
    let one = serde_json::from_str::<serde_json::Value>(REPORT).unwrap();
    let outer = serde_json::json!({"ureport_version": 2, "reason": "killed by SIGSEGV", "problem": one});
    let text = format!("2026-05-01 abrt: {one}\n{outer}\n");
    assert_eq!(read(&text).iter().map(|s| s.threads.len()).collect::<Vec<_>>(), [2, 2]);
}

#[test]
fn cuts_and_other_documents() {
    cut_everywhere(REPORT);
    let cut = read(REPORT.split_at(REPORT.find("\"new\"").unwrap()).0);
    assert_eq!((cut[0].threads.len(), cut[0].is_complete), (1, false));
    for other in [
        "{\"signal\": 11, \"stacktrace\": \"at Foo.bar(Foo.java:1)\"}\n",
        "{\"stacktrace\": {\"frames\": [{\"function\": \"f\", \"lineno\": 3}]}}\n",
        "{\"signal\": \"SIGTERM\"}\n",
    ] {
        assert!(read(other).is_empty(), "{other}");
    }
}
