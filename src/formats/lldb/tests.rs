use crate::formats::testing::{cut_everywhere, names, read};
use crate::model::{FrameKind, ThreadIx};

const SESSION: &str = "(lldb) target create \"shop\" --core \"core\"
Core file '/srv/core' (x86_64) was loaded.
(lldb) thread list
Process 77 stopped
* thread #1: tid = 9931, 0x00007f09 libc.so.6`raise(sig=6) at raise.c:44:76, name = 'shop', stop reason = signal SIGABRT
  thread #2: tid = 9932, 0x00007f092d2e912b libc.so.6`__GI___lll_lock_wait at futex-internal.h:146:13, stop reason = signal 0
(lldb) bt all
* thread #1, name = 'shop', stop reason = signal SIGABRT
  * frame #0: 0x00007f092d2e0eec libc.so.6`raise(sig=6) at raise.c:44:76
    frame #1: 0x000055b685e01234 shop`main(argc=1, argv=0x00007ffd55b0) at shop.c:3:1
  thread #2, stop reason = signal 0
    frame #0: 0x00007f092d2e912b libc.so.6`__GI___lll_lock_wait(futex=0x000055b685e051c0, private=0) at lowlevellock.c:49:7
    frame #1: 0x000055b685e01cfb shop`std::thread::_M_run() const [inlined] __gthread_mutex_lock(__mutex=0x0000000000011240) at gthr-default.h:749:41
    frame #2: 0x000055b685e01cfb shop`Log::write(this=0x000055b685e05000, text=\"a, (b=0x5\", c='(') const at log.cpp:7:1 [opt]
    frame #3: 0x00007f092d2e61f5 libstdc++.so.6`___lldb_unnamed_symbol7808 + 19
    frame #4: 0x00007f092d2e61f6 libc.so.6 at futex-internal.h:146:13
";

#[test]
fn one_stop_printed_three_times_is_one_dump() {
    let snapshots = read(SESSION);
    let [snapshot] = snapshots.as_slice() else { panic!("one dump") };
    let ids: Vec<_> = snapshot.threads.iter().map(|t| t.id.to_string()).collect();
    assert_eq!(ids, ["9931", "9932"]);
    let signal = snapshot.process.signal.clone().unwrap();
    assert_eq!((&*signal.name, signal.thread), ("SIGABRT", Some(ThreadIx(0))));
    assert_eq!(names(snapshot, 0), ["raise", "main"]);
    assert_eq!(
        names(snapshot, 1),
        [
            "__GI___lll_lock_wait",
            "__gthread_mutex_lock",
            "Log::write const",
            "___lldb_unnamed_symbol7808",
            "?"
        ]
    );
    let frames = snapshot.stacks.frames_of(snapshot.threads[1].stack);
    let frame = |n: usize| snapshot.stacks.get(frames[n]);
    assert_eq!((frame(1).kind, frame(1).line), (FrameKind::Inlined, Some(749)));
    assert_eq!((frame(2).file.as_deref(), frame(2).line), (Some("log.cpp"), Some(7)));
    assert_eq!((frame(4).module.as_deref(), frame(4).line), (Some("libc.so.6"), Some(146)));
}

#[test]
fn an_address_of_the_file_is_no_lock() {
    let snapshot = &read(SESSION)[0];
    let thread = &snapshot.threads[1];
    let values = snapshot.values.of(thread.values);
    assert_eq!(values, [0x55b6_85e0_51c0, 0, 0x55b6_85e0_5000]);
    // A program that is not position-independent has its data there.
    let low = SESSION.replace("0x000055b685e01cfb", "0x0000000000401cfb");
    let snapshot = &read(&low)[0];
    let thread = &snapshot.threads[1];
    assert_eq!(snapshot.values.of(thread.values)[1], 0x11240);
}

#[test]
fn a_page_took_the_backticks_away() {
    let text = "* thread #1, stop reason = signal SIGSTOP
  * frame #0: 0x00007fff8a1b2136 libsystem_kernel.dylib__psynch_mutexwait + 10
    frame #1: 0x00000001000112df app log_write(log=0x00000001000a0000, text=\"a b\") at log.c:6:3
    frame #2: 0x00000001000112e0 app -[Log write:] + 12 at Log.m:8:1
    frame #3: 0x00007fccb465612b libc.so.6 at futex-internal.h:146:13
    frame #4: 0x00007fccb465612c libc.so.6
";
    let snapshots = read(text);
    let stacks = &snapshots[0].stacks;
    let frames = stacks.frames_of(snapshots[0].threads[0].stack).iter().map(|frame| stacks.get(*frame));
    let said: Vec<_> = frames.map(|f| (f.function.as_deref(), f.module.as_deref(), f.line)).collect();
    assert_eq!(
        said,
        [
            (Some("__psynch_mutexwait"), Some("libsystem_kernel.dylib"), None),
            (Some("log_write"), Some("app"), Some(6)),
            (Some("-[Log write:]"), Some("app"), Some(8)),
            (None, Some("libc.so.6"), Some(146)),
            (None, Some("libc.so.6"), None),
        ]
    );
}

#[test]
fn groups_of_one_stack() {
    let text = "3 thread(s) #4 #11 #94 \n    frame #0: 0x00007fccb4655f16 libc.so.6`poll at poll.c:5:1\n* thread #2 #3 \n    frame #0: 0x00007fccb4655f17 libc.so.6`read at read.c:5:1\n";
    let snapshots = read(text);
    let ids: Vec<_> = snapshots[0].threads.iter().map(|t| t.id.to_string()).collect();
    assert_eq!(ids, ["4", "11", "94", "2", "3"]);
    assert_eq!(
        (names(&snapshots[0], 2), names(&snapshots[0], 4)),
        (vec!["poll".to_owned()], vec!["read".to_owned()])
    );
}

#[test]
fn names_with_line_breaks_and_quotes() {
    let text = "* thread #1, name = 'a', b\nc', queue = 'q', stop reason = signal SIGSTOP\n    frame #0: 0x00007fccb4655f16 libc.so.6`poll + 3\n  thread #2, name = 'x'\n    frame #0: 0x00007fccb4655f16 libc.so.6`poll + 3\n";
    let threads = &read(text)[0].threads;
    assert_eq!((threads[0].name.as_deref(), threads[1].name.as_deref()), (Some("a', b\nc"), Some("x")));
}

#[test]
fn old_headers_of_macos() {
    let text = "* thread #1: tid = 0x1c03, 0x9f8b7312 libsystem_kernel.dylib`__psynch_cvwait + 10, name = 'main', queue = 'com.apple.main-thread', stop reason = EXC_BAD_ACCESS (code=1, address=0x24)\n    frame #0: 0x9f8b7312 libsystem_kernel.dylib`__psynch_cvwait + 10\n    frame #1: 0x000a1b2c App`-[Log write:] + 12 at Log.m:8\n";
    let snapshot = &read(text)[0];
    assert_eq!(snapshot.threads[0].id.to_string(), "7171");
    assert_eq!(names(snapshot, 0), ["__psynch_cvwait", "-[Log write:]"]);
    let signal = snapshot.process.signal.clone().unwrap();
    assert_eq!((&*signal.name, signal.address), ("SIGSEGV", Some(0x24)));
}

#[test]
fn what_a_reason_says_of_the_signal() {
    let stack = "  * frame #0: 0x0000000100003f1c app`deref(p=0x0000000000000000) at main.c:5:10\n    frame #1: 0x0000000100003f5c app`main at main.c:12:3\n";
    for (reason, name, address, code, sender) in [
        (
            "signal SIGSEGV: address not mapped to object (fault address: 0x18)",
            "SIGSEGV",
            Some(0x18),
            None,
            None,
        ),
        (
            "signal SIGSEGV: invalid address (fault address: 0x20, lower bound: 0x1)",
            "SIGSEGV",
            Some(0x20),
            None,
            None,
        ),
        (
            "signal SIGABRT: sent by tkill system call (sender pid=100, uid=1000)",
            "SIGABRT",
            None,
            Some(-6),
            Some(100),
        ),
        ("signal SIGABRT: sent by kill system call (sender pid=7, uid=0)", "SIGABRT", None, Some(0), Some(7)),
        ("EXC_BREAKPOINT (code=1, subcode=0x1a2b3c4d)", "SIGTRAP", None, None, None),
        ("EXC_GUARD (code=0, subcode=0x0)", "EXC_GUARD", None, None, None),
    ] {
        let text = format!("* thread #1, name = 'app', stop reason = {reason}\n{stack}");
        let signal = read(&text)[0].process.signal.clone().unwrap();
        let said = (&*signal.name, signal.address, signal.code, signal.sender_pid);
        assert_eq!(said, (name, address, code, sender), "{reason}");
        assert_eq!(signal.thread, Some(ThreadIx(0)));
    }
}

/// Source: what LLDB makes of a block of Objective-C.
#[test]
fn a_block_is_named_without_its_argument() {
    let text = "* thread #1\n  * frame #0: 0x000000010059d293 app`__9-[Log add:]_block_invoke(.block_descriptor=0x0000600000cf2340) at Log.m:357\n";
    assert_eq!(names(&read(text)[0], 0), ["__9-[Log add:]_block_invoke"]);
}

#[test]
fn a_debuggers_stop_is_no_crash_and_a_run_begins_another_dump() {
    let stop = "* thread #1, name = 'x', stop reason = breakpoint 1.1\n  * frame #0: 0x00007fccb4655f16 x`f + 3\n    frame #1: 0x00007fccb4655f17 x`g + 3\n  thread #2\n    frame #0: 0x00007fccb4655f16 x`f + 3\n    frame #1: 0x00007fccb4655f17 x`h + 3\n";
    let snapshots =
        read(&format!("(lldb) bt all\n{stop}(lldb) c\nProcess 7 resuming\nProcess 7 stopped\n{stop}"));
    assert_eq!(snapshots.len(), 2);
    assert!(snapshots.iter().all(|s| s.process.signal.is_none() && s.threads.len() == 2));
    assert_eq!(read(&format!("{stop}10:01 again:\n{stop}")).len(), 2);
}

#[test]
fn prefixes_next_versions_cuts_and_talk() {
    let logged: String =
        SESSION.lines().map(|l| format!("Nov  3 10:22:00 web watchdog[7]: {l}\r\n")).collect();
    let snapshots = read(&logged);
    assert_eq!((snapshots.len(), snapshots[0].threads.len()), (1, 2));
    let next = SESSION
        .replace("  thread #2, stop", "  thread #2, fiber = 7, stop")
        .replace("    frame #1", "    note: x\n    frame #1");
    let snapshots = read(&next);
    assert_eq!((snapshots[0].threads.len(), names(&snapshots[0], 1).len()), (2, 5));
    assert!(!snapshots[0].gaps.is_empty());
    cut_everywhere(SESSION);
    for talk in ["worker thread #4 started\n", "see thread #1, it hangs\n", "thread #1\nframe #0 is gone\n"] {
        assert!(read(talk).is_empty(), "{talk}");
    }
}
