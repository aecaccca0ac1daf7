use super::*;
use crate::formats::testing::{is_found, read};
use crate::model::{FailureKind, GapKind, ThreadIx};

fn is_none(text: &str) -> bool {
    !is_found(FORMAT.id, text)
}

const ONE: &str = "{\"app_name\":\"Desk\",\"bug_type\":\"309\"}
{
  \"pid\" : 7410, \"procName\" : \"Desk\", \"cpuType\" : \"ARM-64\", \"faultingThread\" : 1,
  \"osVersion\" : {\"train\" : \"iPhone OS 17.1\"},
  \"exception\" : {\"codes\":\"0x0000000000000001, 0x0000000000000010\",\"type\":\"EXC_BAD_ACCESS\",\"signal\":\"SIGSEGV\"},
  \"termination\" : {\"namespace\":\"SIGNAL\",\"code\":11},
  \"asi\" : {\"libsystem_c.dylib\":[\"abort() called\"]},
  \"newField\" : [1, {\"a\": null}],
  \"threads\" : [
    {\"id\": 90001, \"queue\": \"com.apple.main-thread\", \"frames\": [{\"imageOffset\": 4096, \"imageIndex\": 0}]},
    {\"triggered\": true, \"id\": 90002, \"name\": \"printer\", \"threadState\": {\"sp\": {\"value\": 4660}},
     \"frames\": [{\"imageOffset\": 8, \"symbol\": \"inner\", \"inline\": true, \"sourceFile\": \"a.c\", \"sourceLine\": 7, \"imageIndex\": 9},
                {\"imageOffset\": \"16\", \"symbol\": \"outer\", \"imageIndex\": 0}]}, 17
  ],
  \"usedImages\" : [{\"base\": 4294967296, \"name\": \"libx.dylib\"}, null]
}
";

#[test]
fn a_report() {
    let snapshots = read(ONE);
    let [snapshot] = snapshots.as_slice() else { panic!("one report") };
    let threads: Vec<_> =
        snapshot.threads.iter().map(|t| (t.id.to_string(), t.tid, t.name.as_deref())).collect();
    assert_eq!(
        threads,
        [
            ("0".into(), Some(90001), Some("com.apple.main-thread")),
            ("1".into(), Some(90002), Some("printer"))
        ]
    );
    let signal = snapshot.process.signal.clone().unwrap();
    assert_eq!((&*signal.name, signal.address, signal.thread), ("SIGSEGV", Some(0x10), Some(ThreadIx(1))));
    assert_eq!(signal.stack_pointer, Some(4660));
    assert_eq!((snapshot.process.os.as_deref(), snapshot.process.failure.clone()), (Some("ios"), None));
    let frames = snapshot.stacks.frames_of(snapshot.threads[1].stack);
    let inner = snapshot.stacks.get(frames[0]);
    assert_eq!((inner.kind, inner.line, inner.module.clone()), (FrameKind::Inlined, Some(7), None));
    assert_eq!(snapshot.stacks.get(frames[1]).module.as_deref(), Some("libx.dylib"));
    let nameless = snapshot.stacks.get(snapshot.stacks.frames_of(snapshot.threads[0].stack)[0]);
    assert_eq!((nameless.module_offset, nameless.address), (Some(4096), Some(4294971392)));
    assert!(snapshot.gaps.has(GapKind::SkippedText), "the thread of an unknown shape");
}

#[test]
fn why_the_system_ended_it() {
    let message = |end: &str| {
        let text = ONE.replace("{\"namespace\":\"SIGNAL\",\"code\":11}", end);
        read(&text)[0].process.failure.clone().map(|failure| failure.message.to_string())
    };
    let watchdog = message(
        r#"{"code":2343432205,"namespace":"FRONTBOARD","reasons":["<RBSTerminateContext| code:0x8BADF00D explanation:scene-update watchdog transgression: exhausted time","ProcessVisibility: Background"]}"#,
    );
    assert_eq!(
        watchdog.as_deref(),
        Some("FRONTBOARD: 0x8badf00d: scene-update watchdog transgression: exhausted time")
    );
    let library = message(
        r#"{"code":1,"namespace":"DYLD","indicator":"Library missing","details":["(ignore backtrace)"],"reasons":["Library not loaded: /usr/lib/x.dylib","Referenced from: /x"]}"#,
    );
    assert_eq!(library.as_deref(), Some("DYLD: Library missing: Library not loaded: /usr/lib/x.dylib"));
    let detail = message(r#"{"code":1,"namespace":"DYLD","details":["(ignore backtrace)"]}"#);
    assert_eq!(detail.as_deref(), Some("DYLD: (ignore backtrace)"));
    let thrown =
        ONE.replace("\"SIGSEGV\"", "\"SIGABRT\"").replace("\"newField\"", "\"lastExceptionBacktrace\"");
    assert!(read(&thrown)[0].process.failure.is_some());
}

#[test]
fn two_reports_cut_anywhere_and_other_documents() {
    assert_eq!(read(&format!("log\n{ONE}log {{x}}\n{ONE}")).len(), 2);
    for end in 0..ONE.len() {
        let bytes = bytes::Bytes::copy_from_slice(&ONE.as_bytes()[..end]);
        if let Some(content) = crate::formats::detect::detect(&bytes, None) {
            crate::formats::detect::read(&content, &bytes, &"dump".into());
        }
    }
    assert!(is_none("{\"app_name\":\"x\",\"bug_type\":\"109\"}\nIncident Identifier: 1\n"));
    let other = bytes::Bytes::from_static(b"{\n  \"usedImages\" : 3,\n  \"threads\" : []\n}\n");
    let content = crate::formats::detect::detect(&other, None).expect("a header");
    assert!(crate::formats::detect::read(&content, &other, &"x".into()).is_empty());
}

/// The thread that ends is in abort; the place is where the exception was thrown.
#[test]
fn exceptions_that_nobody_caught() {
    let names = |backtrace: &str| {
        let text = ONE
            .replace("\"SIGSEGV\"", "\"SIGABRT\"")
            .replace("abort() called", "*** Terminating app due to uncaught exception 'X', reason: 'y'")
            .replace("\"newField\" : [1, {\"a\": null}]", backtrace);
        crate::formats::testing::names(&read(&text)[0], 1)
    };
    let thrown = ["objc_exception_throw", "-[Letter print]"];
    let last = r#""lastExceptionBacktrace":[{"imageOffset":1,"symbol":"objc_exception_throw","imageIndex":0},{"imageOffset":2,"symbol":"-[Letter print]","imageIndex":0}]"#;
    assert_eq!(names(last), thrown);
    let text = r#""asiBacktraces":["0   libobjc.A.dylib   0x00007ff813a12bc3 objc_exception_throw + 48\n1   Desk   0x000000010bbb1de3 -[Letter print] + 58"]"#;
    assert_eq!(names(text), thrown);
    assert_eq!(names("\"newField\" : 1"), ["inner", "outer"]);
}

#[test]
fn limits_and_guards() {
    let process = |more: &str| {
        let exception =
            format!(r#""exception" : {{"type":"EXC_GUARD","subtype":"GUARD_TYPE_FD"}}{more}, "was""#);
        read(&ONE.replace("\"exception\"", &exception)).remove(0).process
    };
    let failure = process("").failure.unwrap();
    assert_eq!((&*failure.message, failure.thread), ("EXC_GUARD: GUARD_TYPE_FD", Some(ThreadIx(1))));
    for harmless in ["isNonFatal", "isSimulated"] {
        let noted = process(&format!(r#", "{harmless}":1"#));
        assert_eq!(noted.failure.map(|failure| failure.kind), Some(FailureKind::Noted), "{harmless}");
        assert_eq!(noted.signal, None);
    }
}

/// The time of a log may have a comma.
#[test]
fn behind_the_times_of_a_log() {
    for time in [
        "2024-01-02T10:00:00Z ",
        "2024-01-02 10:00:00,010 INFO ",
        "2024-01-02T10:00:00.010+01:00 host app[7]: ",
    ] {
        let text: String = ONE.lines().map(|line| format!("{time}{line}\n")).collect();
        let snapshots = read(&text);
        assert_eq!(snapshots.iter().map(|s| s.threads.len()).collect::<Vec<_>>(), [2], "{time}");
        assert_eq!(snapshots[0].process.pid, Some(7410));
    }
}
