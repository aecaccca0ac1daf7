//! What people and other tools make of gdb's text.
use crate::formats::testing::{cut_everywhere, is_found, names, read, read_one, survives_logs};
use crate::model::{FrameKind, ThreadIx};

const ROWS: &str = "  Id   Target Id         Frame
* 1    Thread 0x7f40000b7700 (LWP 3101) \"desk\" 0x00007f2d1a5e1f4d in __lll_lock_wait () from /lib64/libpthread.so.0
  2    Thread 0x7f40000a6700 (LWP 3102) \"writer\" 0x00007f2d1a5e1f4e in accept
    () from /lib64/libc.so.6
  13   Thread 0x7f4000095700 (LWP 3113) \"reader\" poll (n=1) at poll.c:29
";

#[test]
fn rows_of_info_threads_behind_prefixes() {
    survives_logs(ROWS);
    // Without its heading, and with the heading of the tool that quotes it.
    let bare: String = ROWS.lines().skip(1).map(|line| format!("\t{line}\n")).collect();
    for text in [bare.clone(), format!("see:\n\n\t(gdb) info thr\n{bare}")] {
        let snapshot = read_one(&text);
        let ids: Vec<_> = snapshot.threads.iter().map(|t| t.tid).collect();
        assert_eq!(ids, [Some(3101), Some(3102), Some(3113)], "{text}");
        assert_eq!(names(&snapshot, 1), ["accept"], "{text}");
    }
    for talk in [
        "      see that  2 Thread 0x7f40000a6700 (LWP 3102) exited\n",
        "    [New Thread 0x7f40000a6700 (LWP 3102)]\n",
        "    Id   Target Id         Frame\n    nothing\n",
    ] {
        assert!(!is_found(super::FORMAT.id, talk), "{talk}");
    }
}

#[test]
fn an_error_of_gdb_is_no_frame() {
    let text = "(gdb) info thread
  Id   Target Id          Frame
  1    Thread 5024.0x10fc error return ../../gdb-11.1/gdb/windows-nat.c:609 was 31
0x0000000000000000 in ?? ()
  2    Thread 5024.0x1978 error return ../../gdb-11.1/gdb/windows-nat.c:609 was 31
0x00007fff30ad6a64 in ntdll!ZwDelayExecution () from C:\\Windows\\SYSTEM32\\ntdll.dll
* 3    Thread 5024.0x18a8 0x00007fff30ad69c4 in poll_all ()
";
    let snapshot = read_one(text);
    assert_eq!(snapshot.threads.len(), 3);
    assert_eq!(names(&snapshot, 0), Vec::<String>::new());
    assert_eq!(names(&snapshot, 1), ["ntdll!ZwDelayExecution"]);
    assert_eq!(names(&snapshot, 2), ["poll_all"]);
}

const REPORT: &str = "Application: Letter Desk (letterdesk), signal: Segmentation fault
Using host libthread_db library \"/usr/lib/libthread_db.so.1\".
[Current thread is 1 (Thread 0x7f10059e8800 (LWP 3086))]

Thread 3 (Thread 0x7f0ff3fff700 (LWP 3544)):
[KCrash Handler]
#5  0x00007f0ff77ca8f6 in  () at /usr/lib/qt/qml/letters/libletters.so
#6  0x00007f0ff77cd669 in Letters::sort() () at /usr/lib/qt/qml/letters/libletters.so
#7 0x00007f0fff764ac2 in QObject::event(QEvent*) () at /usr/lib/libQt5Core.so.5

Thread 2 (Thread 0x7f0ff2fff700 (LWP 3545)):
#0  0x00007f1003c0844d in poll () from /usr/lib/libc.so.6
#1  0x00007f10036f7e72 in ?? () from /usr/lib/libxcb.so.1

Thread 1 (Thread 0x7f10059e8800 (LWP 3086)):
#0  0x00007f1003c0844d in poll () from /usr/lib/libc.so.6
#1  0x00007f1003c0844e in main () at main.cpp:7
";

#[test]
fn the_crash_handler_of_kde() {
    let snapshot = read_one(REPORT);
    let process = &snapshot.process;
    assert_eq!(process.name.as_deref(), Some("letterdesk"));
    let signal = process.signal.clone().expect("a signal");
    // Not the thread that gdb had selected.
    assert_eq!((&*signal.name, signal.number, signal.thread), ("SIGSEGV", Some(11), Some(ThreadIx(0))));
    assert_eq!(
        names(&snapshot, 0),
        ["<signal handler called>", "?", "Letters::sort()", "QObject::event(QEvent*)"]
    );
    let newest = snapshot.stacks.frames_of(snapshot.threads[0].stack)[0];
    assert_eq!(snapshot.stacks.get(newest).kind, FrameKind::SignalHandler);
    assert!(snapshot.gaps.is_empty(), "{:?}", snapshot.gaps);
    survives_logs(REPORT);
    cut_everywhere(REPORT);
    let aborted = read_one(&REPORT.replace("Segmentation fault", "Aborted")).process.signal.clone();
    assert_eq!(aborted.map(|s| s.name.to_string()).as_deref(), Some("SIGABRT"));
    // Two of them are two crashes.
    assert_eq!(read(&format!("{REPORT}\n{REPORT}")).len(), 2);
}

#[test]
fn a_title_that_says_no_signal_is_no_crash() {
    for other in ["signal: Unknown", "version: 5"] {
        let text = REPORT.replace("signal: Segmentation fault", other).replace("[KCrash Handler]\n", "");
        assert_eq!(read_one(&text).process.signal, None, "{other}");
    }
}

const RAISED: &str = "#0  __pthread_kill_implementation (threadid=<optimized out>, signo=signo@entry=11, no_tid=no_tid@entry=0) at pthread_kill.c:44
#1  0x00007fb75829f2d3 in __pthread_kill_internal (signo=11, threadid=<optimized out>) at pthread_kill.c:78
#2  0x00007fb75824fa08 in __GI_raise (sig=11) at ../sysdeps/posix/raise.c:26
#3  0x00007fb75824fab0 in <signal handler called> () at /usr/lib/libc.so.6
#4  0x00007fb736b6cccc in Letters::pinch(void*) () at /usr/lib/libletters.so
#5  0x00007fb736b6cccd in main () at main.cpp:7
";

#[test]
fn a_handler_that_raises_its_signal_again() {
    let signal = |text: &str| read_one(text).process.signal.clone().map(|s| (s.name.to_string(), s.thread));
    assert_eq!(signal(RAISED), Some(("SIGSEGV".to_owned(), Some(ThreadIx(0)))));
    // Below a function of the handler as well.
    let own = RAISED.replace("#3 ", "#3  0x00007fb75824fab1 in on_fault (sig=11) at fault.c:3\n#4 ");
    assert_eq!(signal(&own).map(|(name, _)| name).as_deref(), Some("SIGSEGV"));
    // A signal that is no fault; no signal that came before; a handler that only has the number.
    assert_eq!(signal(&RAISED.replace("11", "15")), None);
    assert_eq!(signal(&RAISED.replace("<signal handler called>", "on_error")), None);
    let handles = format!("#0  on_fault (sig=11) at fault.c:3\n#1 {}", RAISED.split_once("#3 ").unwrap().1);
    assert_eq!(signal(&handles), None);
}

#[test]
fn a_blank_behind_the_mark_of_a_frame() {
    let text = "Thread 117 (Thread 0x7faf6ec59700 (LWP 8257)):
# 0  0x000000386200e264 in __lll_lock_wait () from /lib64/libpthread.so.0
# 1  0x00000038620093d7 in pthread_mutex_lock () from /lib64/libpthread.so.0
# 2  lock_letters (box=0x209de50) at box.c:117
";
    survives_logs(text);
    let snapshot = read_one(text);
    assert_eq!(names(&snapshot, 0), ["__lll_lock_wait", "pthread_mutex_lock", "lock_letters"]);
    // A title of Markdown is no frame.
    let titled = format!("{text}# 3 What I tried\n");
    assert_eq!(names(&read_one(&titled), 0).len(), 3);
}

#[test]
fn the_frame_of_the_stop_and_its_stack_with_other_arguments() {
    let text = "Program terminated with signal 11, Segmentation fault.
#0  Letters::mark (this=0x7fc33ef5a060, trc=0x3538be0)
    at /srv/letters.cpp:4081
4081        if (clasp->trace)
Loading pretty-printers.
#0  Letters::mark (this=(Letters * const) 0x7fc33ef5a060 Cannot access memory at address 0x4949494949494949, trc=0x3538be0) at /srv/letters.cpp:4081
#1  0x00000000004e11e3 in main () at /srv/main.cpp:1323
";
    let snapshot = read_one(text);
    assert_eq!(names(&snapshot, 0), ["Letters::mark", "main"]);
    assert_eq!(snapshot.process.signal.as_ref().and_then(|s| s.thread), Some(ThreadIx(0)));
    assert_eq!(snapshot.threads.len(), 1);
    // Another line is another thread; and so is one that no stop stands above.
    let other = text.replacen("4081\n4081", "4082\n4082", 1);
    assert_eq!(read_one(&other).threads.len(), 2);
    let quiet = text.split_once('\n').unwrap().1;
    assert_eq!(read_one(quiet).threads.len(), 2);
}
