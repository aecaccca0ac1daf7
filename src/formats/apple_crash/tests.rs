use super::*;
use crate::formats::testing::{is_found, names, read};

fn is_none(text: &str) -> bool {
    !is_found(FORMAT.id, text)
}

use crate::model::ThreadIx as Ix;

const ONE: &str = "Process:               Invoice Desk [7410]
Code Type:             ARM-64 (Native)
Date/Time:             2026-03-07 11:42:10.204 +0100
OS Version:            iPhone OS 14.4 (18D52)

Exception Type:  EXC_BAD_ACCESS (SIGSEGV)
Exception Subtype: KERN_INVALID_ADDRESS at 0x0000000000000010
Exception Codes: 0x0000000000000001, 0x0000000000000010
Termination Signal: Segmentation fault: 11
Termination Reason: Namespace SIGNAL, Code 0xb
Triggered by Thread:  5

Application Specific Information:
abort() called

Last Exception Backtrace:
0   CoreFoundation                0x00000001a0 __exceptionPreprocess + 220

Thread 0 name:  Dispatch queue: com.apple.main-thread
Thread 0:
0   libsystem_kernel.dylib        \t0x00000001c3e1a334 mach_msg_trap + 8
1   My App                        \t0x00000001e18a1a9c 0x1e189f000 + 10908

Thread 5 name:  printer
Thread 5 Crashed:
0   My App                        \t0x00000001e18a1a9c print(_:) + 12 (Print.swift:7)

Thread 5 crashed with ARM Thread State (64-bit):
    x0: 0x0000000000000000   sp: 0x000000016f00
Binary Images:
0x1e189f000 - 0x1e18affff My App arm64  <11111111> /My App
";

#[test]
fn threads_and_why() {
    let snapshots = read(ONE);
    let [snapshot] = snapshots.as_slice() else { panic!("one dump") };
    let threads: Vec<_> = snapshot
        .threads
        .iter()
        .map(|t| (t.id.to_string(), t.name.clone().unwrap_or_default().to_string()))
        .collect();
    assert_eq!(
        threads,
        [("0".into(), "com.apple.main-thread".into()), ("5".to_owned(), "printer".to_owned())]
    );
    let signal = snapshot.process.signal.clone().unwrap();
    assert_eq!(
        (&*signal.name, signal.number, signal.address, signal.thread),
        ("SIGSEGV", Some(11), Some(0x10), Some(Ix(1)))
    );
    assert_eq!(signal.stack_pointer, Some(0x16f00));
    assert_eq!(snapshot.process.failure, None);
    assert_eq!((snapshot.process.pid, snapshot.process.os.as_deref()), (Some(7410), Some("ios")));
    assert_eq!(names(snapshot, 0), ["mach_msg_trap", "?"]);
    assert_eq!(names(snapshot, 1), ["print(_:)"]);
    assert!(snapshot.gaps.is_empty(), "{:?}", snapshot.gaps);
}

#[test]
fn what_the_system_ended() {
    let text = ONE
        .replace("EXC_BAD_ACCESS (SIGSEGV)", "EXC_CRASH (SIGKILL)")
        .replace("Namespace SIGNAL, Code 0xb", "Namespace SPRINGBOARD, Code 0x8badf00d");
    let process = &read(&text)[0].process;
    let failure = process.failure.clone().unwrap();
    assert_eq!(
        (failure.kind, &*failure.message),
        (FailureKind::System, "Namespace SPRINGBOARD, Code 0x8badf00d")
    );
    let text =
        ONE.replace("abort() called", "*** Terminating app due to uncaught exception 'X', reason: 'y'");
    assert_eq!(read(&text)[0].process.failure.clone().unwrap().kind, FailureKind::UncaughtException);
}

#[test]
fn why_the_system_ended_it() {
    let text = ONE.replace("EXC_BAD_ACCESS (SIGSEGV)", "EXC_CRASH (SIGKILL)").replace(
        "Namespace SIGNAL, Code 0xb",
        "FRONTBOARD 2343432205\n<RBSTerminateContext| domain:10 code:0x8BADF00D explanation:scene-create watchdog transgression: application<com.acme.desk>:7 exhausted CPU time allowance of 3.40 seconds\nProcessVisibility: Background\nWatchdogCPUStatistics: (\n\"Elapsed total CPU time (seconds): 8\"\n)",
    );
    let snapshot = &read(&text)[0];
    assert_eq!(
        &*snapshot.process.failure.clone().unwrap().message,
        "FRONTBOARD 0x8badf00d: scene-create watchdog transgression: application<com.acme.desk>:7 exhausted CPU time allowance of 3.40 seconds"
    );
    assert_eq!(snapshot.process.failure.clone().unwrap().thread, Some(Ix(1)));
    let thrown = ONE.replace("EXC_BAD_ACCESS (SIGSEGV)", "EXC_CRASH (SIGABRT)");
    assert_eq!(read(&thrown)[0].process.failure.clone().unwrap().kind, FailureKind::UncaughtException);
}

#[test]
fn a_report_without_its_begin() {
    let cut = &ONE[ONE.find("Thread 0:").unwrap()..];
    let snapshot = &read(&cut.replace("Thread 5 Crashed:", "Thread 5:"))[0];
    let failure = snapshot.process.failure.clone().unwrap();
    assert_eq!((failure.kind, failure.thread), (FailureKind::Crashed, Some(Ix(1))));
    assert!(snapshot.gaps.has(GapKind::Truncated));
    // The header of the thread says so as well.
    let header = read(&cut.replace("crashed with", "with"))[0].process.failure.clone().unwrap();
    assert_eq!((header.kind, header.thread), (FailureKind::Crashed, Some(Ix(1))));
    for other in ["Thread 5:", "Thread 5 Highlighted:"] {
        let shown = cut.replace("crashed with", "with").replace("Thread 5 Crashed:", other);
        assert!(read(&shown)[0].process.failure.is_none(), "{other}");
    }
}

#[test]
fn headers() {
    for (line, more, number, name, crashed) in [
        (
            "Thread 0 Crashed:: Dispatch queue: com.apple.main-thread",
            "",
            0,
            Some("com.apple.main-thread"),
            true,
        ),
        ("Thread 3:: JavaScriptCore: scavenger", "", 3, Some("JavaScriptCore: scavenger"), false),
        ("Thread 7 name:", "Thread 7 Crashed:\n", 7, None, true),
        ("Thread 4:", "", 4, None, false),
        ("Thread 12 name:  a", "0   x  0x1 f + 1\n", 12, Some("a"), false),
    ] {
        let head = header::read(line, more.as_bytes()).unwrap_or_else(|| panic!("no header: {line}"));
        let thread = head.thread;
        assert_eq!(
            (thread.id, thread.name.as_deref(), thread.is_running),
            (ThreadId::Number(number), name, crashed),
            "{line}"
        );
    }
    assert!(header::read("Thread 0 crashed with ARM Thread State:", b"").is_none());
    assert!(header::read("Thread 0 was slow: it waited", b"").is_none());
}

#[test]
fn two_reports_cut_anywhere_and_talk() {
    let snapshots = read(&format!("{ONE}\nlog\n{}", ONE.replace('\n', "\r\n")));
    assert_eq!(snapshots.iter().map(|s| s.threads.len()).collect::<Vec<_>>(), [2, 2]);
    assert!(snapshots.iter().all(|s| s.process.signal.is_some()));
    for end in 0..ONE.len() {
        let bytes = bytes::Bytes::copy_from_slice(&ONE.as_bytes()[..end]);
        if let Some(content) = crate::formats::detect::detect(&bytes, None) {
            crate::formats::detect::read(&content, &bytes, &"dump".into());
        }
    }
    for text in [
        "Thread 3: done\nThread 4: done\n",
        "Thread 1 (LWP 7):\n#0  main ()\n",
        "Thread 0 Crashed:\nsee the log\n",
    ] {
        assert!(is_none(text), "{text}");
    }
}
