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
    // It did not end of an exception, whose backtrace is no thread's.
    let gaps: Vec<_> = snapshot.gaps.iter().map(|gap| (gap.kind, gap.count)).collect();
    assert_eq!(gaps, [(GapKind::SkippedText, 1)]);
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
    // The watchdog waits for the main thread.
    assert_eq!(process.unresponsive, Some(Ix(0)));
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

/// Mac OS X 10.4 has other fields.
const TIGER: &str = "Host Name:      desk
Date/Time:      2006-03-09 01:15:10.431 -0500
OS Version:     10.4.5 (Build 8H14)
Report Version: 4

Command: Invoice Desk
Path:    /Applications/Invoice Desk.app/Contents/MacOS/Invoice Desk
Parent:  WindowServer [63]

Version: 6.0.1 (6.0.1)
Build Version: 2

PID:    421
Thread: 1

Exception:  EXC_BAD_ACCESS (0x0001)
Codes:      KERN_PROTECTION_FAILURE (0x0002) at 0x00000012

Thread 0:
0   libSystem.B.dylib             \t0x9001db1c recvfrom + 12

Thread 1 Crashed:
0   <<00000000>>                  \t0x00000012 0 + 18
1   com.apple.Foundation          \t0x927de2cf NSPopAutoreleasePool + 530

Thread 1 crashed with PPC Thread State 64:
  srr0: 0x0000000000000012 srr1: 0x000000004000f030

Binary Images Description:
    0x1000 -   0x5e5fff com.acme.desk 6.0.1
";

#[test]
fn reports_of_mac_os_x_10_4() {
    let snapshots = read(&format!("{TIGER}**********\n\n{}", TIGER.replace("421", "422")));
    assert_eq!(snapshots.iter().map(|s| s.process.pid).collect::<Vec<_>>(), [Some(421), Some(422)]);
    let snapshot = &snapshots[0];
    let process = &snapshot.process;
    assert_eq!((process.name.as_deref(), process.os.as_deref()), (Some("Invoice Desk"), Some("macos")));
    let signal = process.signal.clone().unwrap();
    assert_eq!((&*signal.name, signal.address, signal.thread), ("EXC_BAD_ACCESS", Some(0x12), Some(Ix(1))));
    assert_eq!(process.failure, None);
    // `0 + 18` names no function, and there is no image.
    assert_eq!(names(snapshot, 1), ["?", "NSPopAutoreleasePool"]);
    let newest = snapshot.stacks.get(snapshot.stacks.frames_of(snapshot.threads[1].stack)[0]);
    assert_eq!((newest.module.as_deref(), newest.address), (None, Some(0x12)));
    assert!(snapshot.gaps.is_empty(), "{:?}", snapshot.gaps);
    let gone = TIGER.replace("KERN_PROTECTION_FAILURE (0x0002)", "KERN_INVALID_ADDRESS (0x0001)");
    assert_eq!(&*read(&gone)[0].process.signal.clone().unwrap().name, "SIGSEGV");
}

#[test]
fn words_of_a_message_are_no_fields() {
    let said = "Exception: the printer is gone\nThread: 0\nCodes: none\nPID: of nobody";
    let process = &read(&ONE.replace("abort() called", said))[0].process;
    let signal = process.signal.clone().unwrap();
    assert_eq!((&*signal.name, signal.address, signal.thread), ("SIGSEGV", Some(0x10), Some(Ix(1))));
    assert_eq!(process.pid, Some(7410));
}

#[test]
fn symbols_behind_two_slashes() {
    let read = |text: &str| super::frame::read(text).unwrap();
    let frame = read(
        "0       libsystem_kernel.dylib        \t0x18d5d2634 0x18d5cf000 + 0x3634\t// mach_msg_trap + 0x8",
    );
    assert_eq!((frame.function.as_deref(), frame.module_offset), (Some("mach_msg_trap"), None));
    let frame =
        read("8       Desk  \t0x18dbe40c4 0x18daac000 + 0x1380c4\t// -[Desk(Printing) print:] + 0x350");
    assert_eq!(frame.function.as_deref(), Some("-[Desk(Printing) print:]"));
    let frame = read("9       Desk  \t0x18dbe40c4 0x18daac000 + 0x1380c4");
    assert_eq!((frame.function, frame.module_offset), (None, Some(0x1380c4)));
    // What is no distance is part of the name.
    assert_eq!(read("0 Desk 0x18dbe40c4 operator + 0xZ").function.as_deref(), Some("operator + 0xZ"));
}

/// The thread that ends is in abort; the place is where the exception was thrown.
#[test]
fn exceptions_that_nobody_caught() {
    let last = "Last Exception Backtrace:
0   CoreFoundation                0x00000001a0 __exceptionPreprocess + 220
1   Desk                          0x00000001b0 -[Letter print] + 12 (Letter.m:7)
";
    let thrown = ONE.replace("EXC_BAD_ACCESS (SIGSEGV)", "EXC_CRASH (SIGABRT)").replace(
        "Last Exception Backtrace:\n0   CoreFoundation                0x00000001a0 __exceptionPreprocess + 220\n",
        last,
    );
    let snapshot = &read(&thrown)[0];
    assert_eq!(snapshot.threads.len(), 2);
    assert_eq!(names(snapshot, 1), ["__exceptionPreprocess", "-[Letter print]"]);
    assert_eq!(names(snapshot, 0), ["mach_msg_trap", "?"]);
    let gaps: Vec<_> = snapshot.gaps.iter().map(|gap| (gap.kind, gap.count)).collect();
    assert_eq!(gaps, [(GapKind::SkippedText, 1)], "where it ended is left out");
    // The name that macOS gives it, where a message says what was thrown; the first of several.
    let of_mac = thrown
        .replace("Last Exception Backtrace:", "Application Specific Backtrace 0:")
        .replace(
            "\n\nThread 0 name",
            "\n\nApplication Specific Backtrace 1:\n0   Desk   0x1 rethrown + 1\n\nThread 0 name",
        )
        .replace("abort() called", "*** Terminating app due to uncaught exception 'X', reason: 'y'");
    assert_eq!(names(&read(&of_mac)[0], 1), ["__exceptionPreprocess", "-[Letter print]"]);
    // Addresses alone say less than the stack of the thread.
    let bare = thrown
        .replace("CoreFoundation ", "??? ")
        .replace("Desk                          0x00000001b0", "??? 0x1b0");
    let bare = bare
        .replace("__exceptionPreprocess + 220", "0x0 + 1")
        .replace("-[Letter print] + 12 (Letter.m:7)", "0x0 + 2");
    assert_eq!(names(&read(&bare)[0], 1), ["print(_:)"]);
}

#[test]
fn ends_that_are_no_signals() {
    let end = |kind: &str, codes: &str| {
        let text = ONE.replace("EXC_BAD_ACCESS (SIGSEGV)", kind).replace(
            "Exception Subtype: KERN_INVALID_ADDRESS at 0x0000000000000010\nException Codes: 0x0000000000000001, 0x0000000000000010",
            codes,
        );
        let process = read(&text).remove(0).process;
        (
            process.signal.map(|signal| signal.name.to_string()),
            process.failure.map(|f| (f.message.to_string(), f.thread)),
        )
    };
    let told = |message: &str| Some((message.to_owned(), Some(Ix(1))));
    assert_eq!(end("EXC_GUARD", "Exception Codes: GUARD_TYPE_FD"), (None, told("EXC_GUARD: GUARD_TYPE_FD")));
    assert_eq!(end("00000020", "Exception Codes: 0x000000008badf00d"), (None, told("0x8badf00d (watchdog)")));
    let limit = "Exception Codes: \nException Subtype: CPU\nException Message: (Limit 50%) Observed 80%";
    assert_eq!(end("EXC_RESOURCE", limit), (None, told("EXC_RESOURCE: CPU: (Limit 50%) Observed 80%")));
    for note in
        ["NON-FATAL CONDITION (this is NOT a crash)", "SIMULATED (this is NOT a crash) requested by a"]
    {
        let harmless = format!("{limit}\nException Note:  {note}");
        assert_eq!(
            end("EXC_RESOURCE", &harmless),
            (None, told("EXC_RESOURCE: CPU: (Limit 50%) Observed 80%"))
        );
    }
    // PLCrashReporter.
    assert_eq!(end("SIGILL", "Exception Codes: ILL_NOOP at 0x1"), (Some("SIGILL".into()), None));
}

/// What two writers wrote into one file is read as if each had its own.
#[test]
fn lines_of_a_log_in_between() {
    let facts = |text: &str| {
        let snapshots = read(text);
        let [snapshot] = snapshots.as_slice() else { panic!("one report in {text}") };
        let threads: Vec<_> = (0..snapshot.threads.len())
            .map(|n| (snapshot.threads[n].name.clone(), names(snapshot, n)))
            .collect();
        let signal = snapshot.process.signal.clone();
        (threads, signal, snapshot.process.failure.clone())
    };
    let lines: Vec<&str> = ONE.lines().collect();
    for log in
        ["2024-01-02 10:00:00,010 INFO [http-1] GET /health 200 1ms", "I0102 10:00:00.010 7 a.cc:12] done: 1"]
    {
        for at in 1..lines.len() {
            let text = [&lines[..at], &[log], &lines[at..]].concat().join("\n") + "\n";
            assert_eq!(facts(&text), facts(ONE), "before line {at}: {}", lines[at]);
        }
    }
    let inside = ONE.replace("\n1   My App", "\n2024-01-02 10:00:00 INFO: done\n1   My App");
    let gaps: Vec<_> = read(&inside)[0].gaps.iter().map(|gap| gap.message.clone()).collect();
    assert!(gaps.iter().any(|gap| gap.contains("lines in stacks")), "{gaps:?}");
}
