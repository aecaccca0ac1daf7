use crate::formats::testing::{cut_everywhere, functions, read, read_one};
use crate::model::{FailureKind, GapKind, ReportedState, Snapshot, StackEnd, ThreadId, ThreadIx};

/// OpenJDK 8 on Windows, in a library of the program.
pub(super) const WINDOWS: &str = r#"#
# A fatal error has been detected by the Java Runtime Environment:
#
#  EXCEPTION_ACCESS_VIOLATION (0xc0000005) at pc=0x000000006d8c1a2b, pid=5712, tid=0x0000000000001f48
#
# JRE version: OpenJDK Runtime Environment (8.0_372-b07) (build 1.8.0_372-b07)
# Java VM: OpenJDK 64-Bit Server VM (25.372-b07 mixed mode windows-amd64 compressed oops)
# Problematic frame:
# C  [till.dll+0x1a2b]
#
# Failed to write core dump. Minidumps are not enabled by default on client versions of Windows
#

---------------  T H R E A D  ---------------

Current thread (0x0000000058aa8000):  JavaThread "till-7" daemon [_thread_in_native, id=8008, stack(0x000000005a2d0000,0x000000005a3d0000)]

siginfo: ExceptionCode=0xc0000005, reading address 0x0000000000000010

Registers:
RAX=0x0000000000000010, RBX=0x0000000000000000

Stack: [0x000000005a2d0000,0x000000005a3d0000],  sp=0x000000005a3cef10,  free space=1019k
Native frames: (J=compiled Java code, j=interpreted, Vv=VM code, C=native code)
C  [till.dll+0x1a2b]

Java frames: (J=compiled Java code, j=interpreted, Vv=VM code)
j  shop.Till.open0(J)V+0
J 1207 C2 shop.Till.open(I)Z (31 bytes) @ 0x00000000026d0a7f [0x00000000026d0a20+0x5f]
v  ~StubRoutines::call_stub

---------------  P R O C E S S  ---------------

Java Threads: ( => current thread )
=>0x0000000058aa8000 JavaThread "till-7" daemon [_thread_in_native, id=8008, stack(0x000000005a2d0000,0x000000005a3d0000)]
  0x0000000058a01000 JavaThread "main" [_thread_blocked, id=7712, stack(0x0000000002310000,0x0000000002410000)]

Other Threads:
  0x0000000057ab1800 VMThread [stack: 0x0000000058c60000,0x0000000058d60000] [id=6120]
  0x0000000058b1c000 WatcherThread [stack: 0x000000005a0d0000,0x000000005a1d0000] [id=2044]

VM state:not at safepoint (normal execution)

VM Mutex/Monitor currently owned by a thread:  ([mutex/lock_event])
[0x0000000000c1e2a0] Threads_lock - owner thread: 0x0000000057ab1800

Heap:
END.
"#;

pub(super) fn ids(snapshot: &Snapshot) -> Vec<String> {
    snapshot.threads.iter().map(|thread| thread.id.to_string()).collect()
}

#[test]
fn a_report_has_the_thread_that_failed_first() {
    let snapshot = read_one(WINDOWS);
    assert_eq!(ids(&snapshot), ["8008", "7712", "6120", "2044"]);
    // The list of machine code ends where Java begins.
    assert_eq!(
        functions(&snapshot, ThreadIx(0)),
        ["??", "shop.Till.open0", "shop.Till.open", "StubRoutines::call_stub"]
    );
    let signal = snapshot.process.signal.as_ref().unwrap();
    assert_eq!(
        (&*signal.name, signal.address, signal.thread),
        ("EXCEPTION_ACCESS_VIOLATION", Some(0x10), Some(ThreadIx(0)))
    );
    assert_eq!(snapshot.process.pid, Some(5712));
    let states: Vec<_> = snapshot.threads.iter().map(|t| t.reported).collect();
    let (native, asleep) = (ReportedState::RunningOrNative, ReportedState::Asleep);
    assert_eq!(states, [Some(native), Some(asleep), None, None]);
    assert_eq!(snapshot.threads[2].name.as_deref(), Some("VMThread"));
    let [lock] = snapshot.reported_locks.as_slice() else { panic!("one lock") };
    assert_eq!(lock.owner, crate::model::ReportedOwner::Thread(ThreadIx(2)));
    assert!(snapshot.gaps.has(GapKind::Limit) && !snapshot.is_complete);
    assert!(!snapshot.gaps.has(GapKind::SkippedText));
}

/// What was pasted without its banner.
#[test]
fn a_report_without_its_begin() {
    let text = &WINDOWS[WINDOWS.find("Current thread").unwrap()..];
    let snapshot = read_one(text);
    assert_eq!(ids(&snapshot).first().map(String::as_str), Some("8008"));
    assert_eq!(snapshot.process.signal, None, "no name is made up");
    let failure = snapshot.process.failure.unwrap();
    assert_eq!((failure.kind, failure.thread), (FailureKind::Crashed, Some(ThreadIx(0))));
    let posix = text.replace(
        "ExceptionCode=0xc0000005, reading address",
        "si_signo: 11 (SIGSEGV), si_code: 2 (SEGV_ACCERR), si_addr:",
    );
    let signal = read_one(&posix).process.signal.unwrap();
    assert_eq!((&*signal.name, signal.code, signal.address), ("SIGSEGV", Some(2), Some(0x10)));
}

/// What people paste first.
#[test]
fn a_stack_alone_is_somebody_s() {
    let start = WINDOWS.find("Stack: [").unwrap();
    let stack = &WINDOWS[start..WINDOWS.find("---------------  P R O").unwrap()];
    for text in [stack.to_owned(), format!("till 7 is gone:\n\n    {}", stack.replace('\n', "\n    "))] {
        let snapshot = read_one(&text);
        assert_eq!(ids(&snapshot), ["stack 1"]);
        assert_eq!(functions(&snapshot, ThreadIx(0))[1..3], ["shop.Till.open0", "shop.Till.open"]);
        let failure = snapshot.process.failure.unwrap();
        assert_eq!((failure.kind, failure.thread), (FailureKind::Crashed, Some(ThreadIx(0))));
    }
    assert!(read("Native frames: (J=compiled Java code, j=interpreted) is what I looked for\n").is_empty());
}

#[test]
fn the_terminal_and_the_file_tell_of_one_end() {
    let banner = &WINDOWS[..WINDOWS.find("\n---").unwrap()];
    let both = format!("till 7 opens\n{banner}\n[error]\n{WINDOWS}");
    assert_eq!(ids(&read_one(&both)).len(), 4);
    let other = format!("{banner}\n{}", WINDOWS.replace("pid=5712", "pid=5713"));
    let snapshots = read(&other);
    assert_eq!(snapshots.iter().map(|s| s.threads.len()).collect::<Vec<_>>(), [1, 4]);
    let alone = &snapshots[0];
    assert_eq!(alone.threads[0].id, ThreadId::Number(0x1f48));
    assert_eq!(alone.threads[0].stack_end, StackEnd::Reported);
    assert_eq!(functions(alone, ThreadIx(0)), ["??"]);
}

#[test]
fn errors_of_the_jvm_itself() {
    let error = |lines: &str| {
        let first = "A fatal error has been detected by the Java Runtime Environment:";
        let text = format!("#\n# {first}\n#\n{lines}\n#\n# JRE version: (17)\n# Java VM: OpenJDK (17)\n#\n");
        let failure = read_one(&text).process.failure.unwrap();
        (failure.kind, failure.message.to_string())
    };
    for (lines, message) in [
        (
            "#  Internal Error (debug.cpp:362), pid=15504, tid=15526\n#  fatal error: OutOfMemory encountered: Java heap space",
            "OutOfMemory encountered: Java heap space (debug.cpp:362)",
        ),
        (
            "#  Internal Error (sharedRuntime.cpp:553), pid=1, tid=15526\n#  guarantee(cb != NULL) failed: no blob",
            "guarantee(cb != NULL) failed: no blob (sharedRuntime.cpp:553)",
        ),
        (
            "#  Internal Error (os.cpp:9), pid=1, tid=140201\n#  Error: ShouldNotReachHere()",
            "ShouldNotReachHere() (os.cpp:9)",
        ),
        ("#  Internal Error (os.cpp:9), pid=1, tid=140201", "Internal Error (os.cpp:9)"),
    ] {
        assert_eq!(error(lines), (FailureKind::FatalError, message.to_owned()));
    }
}

/// The banner of a JVM that the system gives no memory; the file goes on with reasons and an error.
#[test]
fn no_memory() {
    let banner = "#
# There is insufficient memory for the Java Runtime Environment to continue.
# Native memory allocation (mmap) failed to map 65536 bytes for committing reserved memory.
# An error report file with more information is saved as:
# /srv/till/hs_err_pid23.log
";
    let snapshot = read_one(banner);
    let failure = snapshot.process.failure.unwrap();
    let message = "Native memory allocation (mmap) failed to map 65536 bytes for committing reserved memory";
    assert_eq!((failure.kind, &*failure.message), (FailureKind::OutOfMemory, message));
    assert!(snapshot.threads.is_empty(), "nobody is made up");
    let file = banner.replace("# An error", "# Possible reasons:\n#   The system is out of physical RAM\n#\n#  Out of Memory Error (os_linux.cpp:2787), pid=23, tid=24\n# An error");
    let snapshot = read_one(&file);
    assert_eq!(&*snapshot.process.failure.as_ref().unwrap().message, message);
    assert_eq!((snapshot.process.pid, ids(&snapshot)), (Some(23), vec!["24".to_owned()]));
}

#[test]
fn a_thread_that_the_jvm_does_not_know_has_the_stack() {
    let start = WINDOWS.find("Current thread (").unwrap();
    let end = start + WINDOWS[start..].find('\n').unwrap();
    let text =
        WINDOWS.replace(&WINDOWS[start..end], "Current thread is native thread").replace("=>0x", "  0x");
    let snapshot = read_one(&text);
    // The banner has its id, and so has the list.
    assert_eq!(ids(&snapshot), ["8008", "7712", "6120", "2044"]);
    assert_eq!(functions(&snapshot, ThreadIx(0)).len(), 4);
}

#[test]
fn a_stack_on_which_the_jvm_failed() {
    let frames = "C  [till.dll+0x1a2b]\n";
    let failed = "V  [jvm.dll+0x1]  f+0x1\n[error occurred during error reporting (printing native stack (with source info)), id 0xb, SIGSEGV (0xb) at pc=0x1]\n\nRetrying call stack printing without source information...\n";
    let snapshot =
        read_one(&WINDOWS.replacen(&format!("code)\n{frames}"), &format!("code)\n{failed}{frames}"), 1));
    assert_eq!(functions(&snapshot, ThreadIx(0)).len(), 4, "the stack that was printed again");
    let more = "...<more frames>...\n~~ what is this\n";
    let snapshot =
        read_one(&WINDOWS.replacen(&format!("code)\n{frames}"), &format!("code)\n{frames}{more}"), 1));
    assert_eq!(snapshot.threads[0].stack_end, StackEnd::DepthLimit);
    let skipped = snapshot.gaps.iter().find(|gap| gap.kind == GapKind::SkippedText).unwrap();
    assert_eq!(skipped.count, 1);
}

/// Markdown takes the marks away, and a page of JDK 5 has words of its own.
#[test]
fn banners_of_other_forms() {
    let banner = &WINDOWS[..WINDOWS.find("\n---").unwrap()];
    let first = "A fatal error has been detected by the Java Runtime Environment:";
    let bare = banner.replace("\n#", "\n").replacen('#', "", 1);
    assert!(bare.contains(&format!("\n {first}")));
    let old = WINDOWS.replace(first, "An unexpected error has been detected by HotSpot Virtual Machine:");
    let glued = banner.replace(&format!("# {first}"), &format!("[thread 7 also had an error]# {first}\n"));
    let headless = WINDOWS.replace(&format!("# {first}\n#\n"), "");
    let indented: String = old.lines().map(|line| format!("    {line}\n")).collect();
    for text in [&format!("It says:\n{bare}\nand so on\n"), &old, &glued, &headless, &indented] {
        let snapshot = read_one(text);
        let name = snapshot.process.signal.as_ref().map(|signal| &*signal.name);
        assert_eq!((name, snapshot.process.pid), (Some("EXCEPTION_ACCESS_VIOLATION"), Some(5712)), "{text}");
        assert_eq!(ids(&snapshot).first().map(String::as_str), Some("8008"));
        assert_eq!(functions(&snapshot, ThreadIx(0)).first().map(String::as_str), Some("??"));
    }
}

#[test]
fn copies_are_one_report() {
    let banner = &WINDOWS[..WINDOWS.find("\n---").unwrap()];
    assert_eq!(ids(&read_one(&format!("{banner}\nAborted\n{banner}"))), ["8008"]);
    assert_eq!(ids(&read_one(&format!("{WINDOWS}\n{banner}"))).len(), 4);
    let memory = "#\n# There is insufficient memory for the Java Runtime Environment to continue.\n# Cannot create worker GC thread. Out of system resources.\n";
    let told = "# Possible reasons:\n#   The system is out of physical RAM\n#\n#  Out of Memory Error (workerManager.hpp:64), pid=7, tid=8\n#\n";
    let screen = format!("{memory}# Can not save log file, dump to screen..\n{memory}{told}");
    let saved = format!(
        "{memory}# An error report file with more information is saved as:\n# /srv/hs_err_pid7.log\n\n{memory}{told}"
    );
    for text in [screen, saved] {
        let snapshot = read_one(&text);
        let message = &snapshot.process.failure.as_ref().unwrap().message;
        assert_eq!(&**message, "Cannot create worker GC thread. Out of system resources");
        assert_eq!((snapshot.process.pid, ids(&snapshot)), (Some(7), vec!["8".to_owned()]));
    }
}

/// A fence ends what is quoted; more of the report may come in another one, and prose is no part of it.
#[test]
fn quoted_in_pieces() {
    let (banner, rest) = WINDOWS.split_at(WINDOWS.find("\n---").unwrap());
    let text = format!("```\n{banner}```\nThe stack is:\n```\n{rest}```\nSee above.\n");
    let snapshot = read_one(&text);
    assert_eq!((snapshot.process.pid, ids(&snapshot).len()), (Some(5712), 4));
    assert!(!snapshot.gaps.has(GapKind::SkippedText));
    let stack = rest.find("Native frames").unwrap()..rest.rfind("\n-----").unwrap();
    let indented: String = rest[stack].lines().map(|line| format!("  {line}\n")).collect();
    let snapshot = read_one(&format!("{banner}\n{indented}"));
    assert_eq!((ids(&snapshot), functions(&snapshot, ThreadIx(0)).len()), (vec!["8008".to_owned()], 4));
    assert_eq!(snapshot.threads[0].name, None, "nobody says it");
}

/// Registers come between: up to 8 the stack is far below.
#[test]
fn a_report_without_its_begin_and_its_end() {
    let start = WINDOWS.find("Current thread").unwrap();
    let end = WINDOWS.find("Stack: [").unwrap();
    assert_eq!(ids(&read_one(&WINDOWS[start..end])), ["8008"]);
    let text = WINDOWS[start..]
        .replace("siginfo: ExceptionCode=0xc0000005, reading address 0x0000000000000010\n", "");
    let failure = read_one(&text).process.failure.unwrap();
    assert_eq!((failure.kind, failure.thread), (FailureKind::Crashed, Some(ThreadIx(0))));
}

#[test]
fn the_thread_that_a_collector_is_at_has_its_own_stack() {
    let text = WINDOWS
        .replace("\nJava frames:", "\nThe last pc belongs to newarray (printed below).\nJavaThread 0x0000000058a01000 (nid = 7712) was being processed\nJava frames:")
        .replace("=>0x0000000058aa8000 JavaThread \"till-7\" daemon [_thread_in_native, id=8008, stack(0x000000005a2d0000,0x000000005a3d0000)]\n", "")
        .replace("\nVM state:", "\n=>0x0000000058aa8000 (exited) GCTaskThread [stack: 0x1,0x2] [id=8008]\n\n[error occurred during error reporting (printing all threads), id 0xc0000005]\nVM state:")
        .replace("[0x0000000000c1e2a0]", "[0x0000000000c1e2a0/0x0000000000c1e2c0]");
    let snapshot = read_one(&text);
    assert_eq!(ids(&snapshot), ["8008", "7712", "6120", "2044"]);
    assert_eq!(functions(&snapshot, ThreadIx(0)), ["??"]);
    assert_eq!(functions(&snapshot, ThreadIx(1)).len(), 3);
    assert_eq!(snapshot.threads[1].name.as_deref(), Some("main"));
    assert_eq!(snapshot.reported_locks.len(), 1);
    assert!(!snapshot.gaps.has(GapKind::SkippedText), "{:?}", snapshot.gaps.iter().collect::<Vec<_>>());
}

#[test]
fn who_sent_a_signal() {
    let signal = |info: &str| {
        let text = WINDOWS
            .replace("EXCEPTION_ACCESS_VIOLATION (0xc0000005)", "SIGSEGV (0xb)")
            .replace(" ExceptionCode=0xc0000005, reading address 0x0000000000000010", info);
        let signal = read_one(&text).process.signal.unwrap();
        (signal.code, signal.sender_pid, signal.address)
    };
    for (info, said) in [
        (" si_signo: 11 (SIGSEGV), si_code: 0 (SI_USER), si_pid: 77, si_uid: 0", (Some(0), Some(77), None)),
        // macOS
        (" si_signo: 11 (SIGSEGV), si_code: 0 (unknown), si_addr: 0x0000000000000000", (None, None, None)),
        (
            "si_signo=SIGSEGV: si_errno=0, si_code=-6 (FPE_FLTOVF), si_addr=0x00001650",
            (Some(-6), Some(5712), None),
        ),
        (
            "si_signo=SIGSEGV: si_errno=0, si_code=1 (SEGV_MAPERR), si_addr=0x00001650",
            (Some(1), None, Some(0x1650)),
        ),
    ] {
        assert_eq!(signal(info), said, "{info}");
    }
}

/// What `pthread_self` gave is no id of the kernel's.
#[test]
fn ids_that_are_none_of_the_kernel() {
    let banner = &WINDOWS[..WINDOWS.find("\n---").unwrap()];
    let of = |tid: &str| read_one(&banner.replace("0x0000000000001f48", tid)).threads[0].tid;
    assert_eq!((of("8008"), of("1793150464"), of("0x00007f4dc0e9e700")), (Some(8008), None, None));
}

#[test]
fn talk_of_a_fatal_error_is_none() {
    for text in [
        "# A fatal error has been detected by the Java Runtime Environment:\n",
        "we saw: # A fatal error has been detected by the Java Runtime Environment:\n# and nothing else\n",
        "There is insufficient memory for the Java Runtime Environment to continue.\n",
        "A fatal error has been detected by the Java Runtime Environment:\nis what it says then\n",
        "There is insufficient memory for the Java Runtime Environment to continue.\nPossible reasons:\n",
        "Current thread (0x12): JavaThread \"a\" [_thread_blocked, id=1]\nwas seen\n",
        "the Java Runtime Environment\n#  SIGSEGV (0xb) at pc=0x1, pid=1, tid=2\n",
    ] {
        assert!(read(text).is_empty(), "{text}");
    }
}

#[test]
fn cut_anywhere() {
    cut_everywhere(WINDOWS);
}
