use super::super::testing::{functions, read_bytes, read_one, threads};
use crate::model::{Arch, FailureKind, ReportedState, ThreadIx};

const REPORT: &str = r#"{
  "header": {
    "reportVersion": 4,
    "event": "Exception",
    "trigger": "Exception",
    "dumpEventTime": "2026-11-28T19:51:30Z",
    "processId": 31516,
    "threadId": 0,
    "commandLine": ["/usr/bin/node", "service.js", "it's \"{\" here"],
    "nodejsVersion": "v20.20.2",
    "wordSize": "64 bit",
    "arch": "arm64",
    "platform": "darwin"
  },
  "javascriptStack": {
    "message": "TypeError: Cannot read properties of undefined (reading 'length')",
    "stack": ["at parseOrder (/srv/app/service.js:34:22)", "at loadOrders (/srv/app/service.js:38:10)"],
    "errorProperties": {}
  },
  "nativeStack": [{"pc": "0x0000000000d59a08", "symbol": "node::TriggerNodeReport(v8::Isolate*) [node]"}],
  "uvthreadResourceUsage": {"userCpuSeconds": 0.5, "kernelCpuSeconds": 0.25},
  "libuv": [{"type": "async", "is_active": true}],
  "workers": [
    {
      "header": {
        "threadId": 2,
        "nodejsVersion": "v20.20.2"
      },
      "javascriptStack": {"message": "No stack.", "stack": ["Unavailable."]}
    },
    {
      "header": {
        "threadId": 3,
        "nodejsVersion": "v20.20.2"
      },
      "javascriptStack": {"message": "API", "stack": ["at lockLog (/srv/app/applog.js:16:13)"]}
    },
    5
  ],
  "madeUp": {"next": 1}
}
"#;

#[test]
fn threads_and_the_exception() {
    let snapshot = read_one(REPORT);
    let process = &snapshot.process;
    assert_eq!((process.pid, process.name.as_deref()), (Some(31516), Some("node")));
    assert_eq!((process.os.as_deref(), process.arch), (Some("macos"), Some(Arch::Aarch64)));
    assert_eq!(process.runtime.as_deref(), Some("Node.js v20.20.2"));
    let failure = process.failure.as_ref().unwrap();
    assert_eq!((failure.kind, failure.thread), (FailureKind::UncaughtException, Some(ThreadIx(0))));
    assert!(failure.message.starts_with("TypeError: Cannot read"));
    let ids: Vec<_> = threads(&snapshot).into_iter().map(|t| t.0).collect();
    assert_eq!(ids, ["0", "2", "3"]);
    assert_eq!(functions(&snapshot, ThreadIx(0)), ["parseOrder", "loadOrders"]);
    assert_eq!(snapshot.threads[0].cpu_us, Some(750_000));
    assert_eq!(snapshot.threads[1].reported, Some(ReportedState::Idle));
    assert_eq!(functions(&snapshot, ThreadIx(2)), ["lockLog"]);
    assert_eq!(snapshot.gaps.iter().map(|g| g.count).collect::<Vec<_>>(), [1]);
}

#[test]
fn a_report_that_was_asked_for_is_no_failure() {
    let asked = REPORT.replace("\"Exception\"", "\"JavaScript API\"");
    assert!(read_one(&asked).process.failure.is_none());
    let full =
        REPORT.replace("\"trigger\": \"Exception\"", "\"trigger\": \"OOMError\"").replace("\"at ", "\"");
    let snapshot = read_one(&full);
    assert_eq!(snapshot.process.failure.as_ref().unwrap().kind, FailureKind::FatalError);
    let heap = "Allocation failed - JavaScript heap out of memory";
    let oom = full.replace("\"event\": \"Exception\"", &format!("\"event\": \"{heap}\""));
    assert_eq!(read_one(&oom).process.failure.unwrap().thread, None, "no place of the program is to blame");
    assert_eq!(functions(&snapshot, ThreadIx(0)), ["node::TriggerNodeReport(v8::Isolate*)"]);
    // The writer of the report is not what failed.
    let from = "{\"pc\": \"0x0000000000b78d67\", \"symbol\": \"node::OOMErrorHandler(char const*) [node]\"}";
    let full = full.replace(
        "node::TriggerNodeReport(v8::Isolate*) [node]\"}",
        &format!("node::TriggerNodeReport(v8::Isolate*) [node]\"}}, {from}"),
    );
    assert_eq!(functions(&read_one(&full), ThreadIx(0)), ["node::OOMErrorHandler(char const*)"]);
}

#[test]
fn in_logs_and_cut() {
    let plain = threads(&read_one(REPORT));
    let logged: String =
        REPORT.lines().map(|line| format!("2026-11-24T04:07:06Z web node[7]: {line}\n")).collect();
    assert_eq!(threads(&read_one(&logged)), plain);
    let compact: String = REPORT.lines().map(str::trim).collect();
    assert_eq!(threads(&read_one(&compact)), plain);
    let mixed = REPORT.replace("  \"libuv\"", "queue depth 23\n  \"libuv\"");
    assert_eq!(threads(&read_one(&format!("ready\n{mixed}done\n"))), plain);
    assert_eq!(read_bytes(format!("{REPORT}{REPORT}").as_bytes()).len(), 2);
    let cut = read_one(&REPORT[..REPORT.find("lockLog").unwrap()]);
    assert!(!cut.is_complete);
    for at in 0..REPORT.len() {
        read_bytes(&REPORT.as_bytes()[..at]);
    }
}

#[test]
fn talk_is_no_report() {
    for text in [
        "\"nodejsVersion\": \"v20\"\n",
        "{\"nodejsVersion\": \"v20\"}\n",
        "the key \"nodejsVersion\" is new\n",
    ] {
        assert!(read_bytes(text.as_bytes()).is_empty(), "{text}");
    }
}
