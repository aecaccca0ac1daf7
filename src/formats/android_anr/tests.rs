use super::*;
use crate::formats::testing::{holds, is_found, names, read, read_one};
use crate::model::{LockId, ReportedOwner, ThreadIx, WaitMode};

fn is_none(text: &str) -> bool {
    !is_found(FORMAT.id, text)
}

const ONE: &str = "----- pid 7410 at 2026-03-07 11:42:10 -----
Cmd line: org.example.invoices
ABI: 'arm64'
Heap: 40% free

DALVIK THREADS (3):
\"main\" prio=5 tid=1 Blocked
  | group=\"main\" sCount=1 obj=0x72a985e0 self=0xb4
  | sysTid=7410 nice=-10 cgrp=top-app handle=0x7deceb74f8
  | state=S schedstat=( 324804784 183300334 997 ) utm=23 stm=8 core=3 HZ=100
  at org.example.Journal.append(Journal.java:41)
  - waiting to lock <0x0b3c91e7> (a org.example.Journal)
  held by thread 9

\"writer\" daemon prio=5 tid=9 Sleeping
  | sysTid=7411 nice=0
  | utm=150 stm=50 core=3 HZ=100
  at java.lang.Thread.sleep(Native method)
  - sleeping on <0x01> (a java.lang.Object)
  at java.lang.Thread.sleep(Thread.java:450)
  - locked <0x01> (a java.lang.Object)
  at org.example.Journal.append(Journal.java:44)
  - locked <0x0b3c91e7> (a org.example.Journal)

\"native\" prio=5 (not attached)
  | sysTid=7412 nice=0
  native: #00 pc 0004bc1c  /system/lib/libc.so (__ioctl+8)
  native: #01 pc 000000000003f998  /data/app/base.apk (offset 1c3000)
----- end 7410 -----
";

#[test]
fn threads_states_times_and_owners() {
    let snapshots = read(ONE);
    let [snapshot] = snapshots.as_slice() else { panic!("one dump") };
    let process = &snapshot.process;
    assert_eq!(
        (process.pid, process.arch, process.os.as_deref()),
        (Some(7410), Some(Arch::Aarch64), Some("android"))
    );
    assert_eq!(process.captured_at.as_deref(), Some("2026-03-07 11:42:10"));
    let [main, writer, native] = snapshot.threads.as_slice() else { panic!("three threads") };
    assert_eq!((main.id.to_string(), main.tid, main.cpu_us), ("1".into(), Some(7410), Some(324_804)));
    assert_eq!(writer.cpu_us, Some(2_000_000));
    assert_eq!((native.id.to_string(), native.tid), ("7412".into(), Some(7412)));
    assert_eq!(
        snapshot.reported_locks[0].owner,
        crate::model::ReportedOwner::Thread(crate::model::ThreadIx(1))
    );
    // What it sleeps on is no lock of anybody.
    assert_eq!(writer.holds.1 - writer.holds.0, 1);
    assert_eq!(names(snapshot, 2), ["__ioctl", "?"]);
    assert!(snapshot.gaps.is_empty(), "{:?}", snapshot.gaps);
}

#[test]
fn headers_of_every_age() {
    for (line, id, state) in [
        ("\"main\" prio=5 tid=1 Native", "1", None),
        ("\"main\" prio=5 tid=1 MONITOR", "1", Some(ReportedState::Entering)),
        ("\"Signal Catcher\" daemon prio=10 tid=6 Runnable", "6", Some(ReportedState::Running)),
        ("\"perfetto\" prio=10 tid=7 Native (still starting up)", "7", None),
        ("\"main\" tid=1 TimedWaiting", "1", Some(ReportedState::Waiting)),
        (
            "\"a \"b\" prio=5 tid=3 Native\" daemon prio=5 tid=12 Sleeping",
            "12",
            Some(ReportedState::Sleeping),
        ),
        ("\"samples.android\" sysTid=9955", "9955", None),
    ] {
        let head = header::read(line, b"").unwrap_or_else(|| panic!("no header: {line}"));
        assert_eq!((head.thread.id.to_string().as_str(), head.thread.reported), (id, state), "{line}");
        assert_eq!(head.unknown, None, "{line}");
    }
    let head = header::read("\"a", b"b\" prio=5 tid=3 Native\n  | x=1\n").unwrap();
    assert_eq!((head.thread.name.as_deref(), head.more), (Some("a\nb"), 23));
}

#[test]
fn a_release_that_does_not_exist_yet() {
    let text = ONE
        .replace("tid=1 Blocked", "tid=1 weight=3 Blocked")
        .replace("tid=9 Sleeping", "tid=9 Dozing")
        .replace("  | utm=150", "  | energy=7\n  | utm=150")
        .replace("  - sleeping on", "  - leased <0x2> (a X)\n  - sleeping on");
    let snapshots = read(&text);
    assert_eq!(snapshots[0].threads.len(), 3);
    assert_eq!(snapshots[0].gaps.iter().map(|g| g.kind).collect::<Vec<_>>(), [GapKind::SkippedText; 2]);
}

#[test]
fn two_processes_cut_and_carriage_returns() {
    let text = format!("{ONE}\nlog line\n{}", ONE.replace("7410", "7500"));
    let snapshots = read(&text.replace('\n', "\r\n"));
    assert_eq!(
        snapshots.iter().map(|s| (s.process.pid, s.threads.len())).collect::<Vec<_>>(),
        [(Some(7410), 3), (Some(7500), 3)]
    );
    let cut = read(&ONE[..ONE.find("\"writer\"").unwrap()]);
    assert!(!cut[0].is_complete && cut[0].gaps.has(GapKind::Truncated));
    for end in 0..ONE.len() {
        let bytes = bytes::Bytes::copy_from_slice(&ONE.as_bytes()[..end]);
        if let Some(content) = crate::formats::detect::detect(&bytes, None) {
            crate::formats::detect::read(&content, &bytes, &"dump".into());
        }
    }
}

#[test]
fn talk_of_threads_is_no_dump() {
    for text in [
        "started \"main\" with tid=1 Native code\n",
        "sysTid=9955      futex_wait_queue_me\n",
        "\"main\" #1 prio=5 os_prio=0 tid=0x01 nid=0x2 runnable\n",
        "I/art: Thread[3,tid=7411,WaitingInMainSignalCatcherLoop]\n",
    ] {
        assert!(is_none(text), "{text}");
    }
}

#[test]
fn headers_that_the_play_console_writes_twice() {
    let text = "\"main\" tid=1 Blocked
\"main\" prio=5 tid=1 Blocked
  | sysTid=2384 nice=0
  at org.example.Journal.append (Journal.java:41)
- waiting to lock <0x0734e6> (a org.example.Journal) held by thread 5
\"Thread-5\" tid=5 Native
\"Thread-5\" prio=5 tid=5 Native
  | sysTid=2385 nice=0
  at org.example.Disk.open (Native method)
- locked <0x0734e6> (a org.example.Journal)
";
    let snapshot = read_one(text);
    let ids: Vec<_> = snapshot.threads.iter().map(|t| (t.id.to_string(), t.tid)).collect();
    assert_eq!(ids, [("1".to_owned(), Some(2384)), ("5".to_owned(), Some(2385))]);
    assert_eq!(snapshot.reported_locks[0].owner, ReportedOwner::Thread(ThreadIx(1)));
    assert!(snapshot.gaps.is_empty(), "{:?}", snapshot.gaps);
    // Two dumps, one behind the other.
    assert_eq!(read(&text.repeat(2)).len(), 2);
}

#[test]
fn parked_is_no_wait_for_the_object_of_the_thread() {
    for (top, of_object) in [
        ("wait!(Native method)\n  - waiting on <0x085f> (a java.lang.Object)", "parkFor$(Thread.java:2127)"),
        (
            "wait(Native Method)\n  - waiting on <0x085f> (a java.lang.VMThread) held by tid=1 (main)",
            "parkFor(Thread.java:1205)",
        ),
    ] {
        let snapshot = read_one(&format!(
            "\"main\" prio=5 tid=1 Waiting
  at java.lang.Object.{top}
  at java.lang.Thread.{of_object}
  - locked <0x085f> (a java.lang.Object)
  at sun.misc.Unsafe.park(Unsafe.java:325)
  at java.util.concurrent.locks.ReentrantLock.lock(ReentrantLock.java:286)
  at org.example.Journal.append(Journal.java:44)
  - locked <0x0b3c> (a org.example.Journal)
"
        ));
        assert_eq!(snapshot.threads[0].reported_wait, None);
        assert_eq!(holds(&snapshot, 0), [LockId::Address(0xb3c)]);
        assert!(snapshot.reported_locks.is_empty());
        assert_eq!(names(&snapshot, 0)[0], "java.lang.Object.wait");
    }
}

#[test]
fn dalvik_names_who_is_joined_behind_the_class() {
    let snapshot = read_one(
        "\"main\" prio=5 tid=1 WAIT
  at java.lang.Object.wait(Native Method)
  - waiting on <0x41f7> (a java.lang.VMThread) held by tid=16 (x (y))
  at java.lang.Thread.join(Thread.java:626)

\"x (y)\" prio=5 tid=16 MONITOR
  at org.example.Journal.append(Journal.java:44)
  - waiting to lock <0x41f8> (a org.example.Journal) held by tid=1 (main)
",
    );
    let locks: Vec<_> = snapshot.named_locks.iter().map(|l| l.name.as_deref()).collect();
    assert_eq!(locks, [Some("java.lang.VMThread"), Some("org.example.Journal")]);
    let owners: Vec<_> = snapshot.reported_locks.iter().map(|l| (l.address, l.owner.clone())).collect();
    assert_eq!(owners, [(Some(0x41f8), ReportedOwner::Thread(ThreadIx(0)))]);
}

#[test]
fn pasted_without_dashes() {
    let snapshot = read_one(
        "\"Binder_3\" prio=5 tid=17 Blocked

  | sysTid=3183 nice=-6

  at org.example.Links.set(Links.java:420)

  waiting to lock <0x0bed> (a org.example.Links) held by thread 1

  at android.os.Binder.execTransact(Binder.java:453)
",
    );
    let wait = snapshot.threads[0].reported_wait.unwrap();
    assert_eq!(
        (&snapshot.named_locks[wait.lock.at()].id, wait.mode),
        (&LockId::Address(0xbed), WaitMode::Enter)
    );
    assert_eq!(names(&snapshot, 0).len(), 2);
    assert!(snapshot.gaps.is_empty(), "{:?}", snapshot.gaps);
}

#[test]
fn fields_whose_indentation_is_gone() {
    let text = "----- pid 6945 at 2015-02-22 12:53:59 -----
Cmd line: org.example.invoices

DALVIK THREADS:
(mutexes: tll=0 tsl=0 tscl=0 ghl=0)

\"main\" prio=5 tid=1 MONITOR
| group=\"main\" sCount=1 dsCount=0 obj=0x417e3e40 self=0x417d2508
| sysTid=6945 nice=0 sched=0/0 cgrp=apps handle=1074463060
| state=S schedstat=( 0 0 0 ) utm=25 stm=3 core=0
at org.example.Journal.append(Journal.java:41)
- waiting to lock <0x430caa90> held by tid=26 (writer)
at org.example.Shop.buy(Shop.java:23)

NATIVE THREADS:
\"binder\" sysTid=7051 nice=-10 sched=0/0 cgrp=apps
| state=S schedstat=( 0 0 0 ) utm=0 stm=0 core=3

----- end 6945 -----
";
    let snapshot = read_one(text);
    let [main, binder] = snapshot.threads.as_slice() else { panic!("two threads") };
    assert_eq!((main.tid, main.cpu_us), (Some(6945), Some(280_000)));
    assert_eq!((binder.tid, binder.reported), (Some(7051), Some(ReportedState::Asleep)));
    assert_eq!(names(&snapshot, 0), ["org.example.Journal.append", "org.example.Shop.buy"]);
    assert!(snapshot.gaps.is_empty(), "{:?}", snapshot.gaps);
    // A table of Markdown is none.
    let table = text.replace("| state=S schedstat", "| a | b |\n| state=S schedstat");
    assert!(!read_one(&table).gaps.is_empty());
}

#[test]
fn the_newest_frame_in_the_header() {
    let text =
        "Thread 1 \"main\" tid=1 Blocked Main thread Blocked at org.example.Journal.close (SourceFile:1)
at org.example.Shop.close (SourceFile:2)
at android.app.ActivityThread.main (ActivityThread.java:8676)

Thread 44 \"writer\" tid=44 Waiting Holds a lock at sun.misc.Unsafe.park (Native method)
at java.util.concurrent.locks.LockSupport.park (LockSupport.java:190)

\"idle\" tid=45 Waiting at last
at org.example.Shop.rest (SourceFile:3)
";
    let snapshot = read_one(text);
    assert_eq!(
        names(&snapshot, 0),
        ["org.example.Journal.close", "org.example.Shop.close", "android.app.ActivityThread.main"]
    );
    assert_eq!(names(&snapshot, 1), ["sun.misc.Unsafe.park", "java.util.concurrent.locks.LockSupport.park"]);
    assert_eq!(names(&snapshot, 2), ["org.example.Shop.rest"]);
}

#[test]
fn the_collector_of_android_5_waits_for_a_request() {
    let text = |method: &str| {
        format!(
            "\"GCDaemon\" daemon prio=5 tid=8 Blocked
  #00  pc 000000000000f618  /system/lib/libc.so (syscall+28)
  #01  pc 00000000000a8fc7  /system/lib/libart.so (art::ConditionVariable::Wait(art::Thread*)+82)
  at dalvik.system.VMRuntime.{method}(Native method)
  at java.lang.Daemons$GCDaemon.run(Daemons.java:350)
"
        )
    };
    let state = |method: &str| read_one(&text(method)).threads[0].reported;
    assert_eq!(state("waitForConcurrentGCRequest"), Some(ReportedState::Idle));
    assert_eq!(state("concurrentGC"), Some(ReportedState::Entering));
}

const CHANNELS: &str = "Subject: Input dispatching timed out (no focused window)
libdebuggerd_client: unexpected registration response from server: 2
----- Waiting Channels: pid 7410 at 2026-03-07 11:42:10.204 -----
Cmd line: com.acme.desk
sysTid=7410      futex_wait_queue_me
sysTid=7415      do_epoll_wait
sysTid=7416      0
----- end 7410 -----
";

/// The process gave no stacks.
#[test]
fn waiting_channels_alone() {
    let snapshot = &read(CHANNELS)[0];
    let process = &snapshot.process;
    assert_eq!((process.pid, process.command_line.as_deref()), (Some(7410), Some("com.acme.desk")));
    assert_eq!(process.unresponsive, Some(ThreadIx(0)));
    assert_eq!(
        snapshot.threads.iter().map(|t| t.tid).collect::<Vec<_>>(),
        [Some(7410), Some(7415), Some(7416)]
    );
    let functions: Vec<_> = (0..3).map(|n| names(snapshot, n)).collect();
    assert_eq!(functions, [vec!["futex_wait_queue_me".to_owned()], vec!["do_epoll_wait".to_owned()], vec![]]);
    assert!(snapshot.gaps.has(GapKind::Limit), "{:?}", snapshot.gaps);
    let in_log: String =
        CHANNELS.lines().map(|line| format!("11:42:10.204 1000 I am_anr: {line}\n")).collect();
    assert_eq!(read(&in_log)[0].threads.len(), 3);
}

/// Beside the stacks of a process its channels say nothing new.
#[test]
fn waiting_channels_beside_stacks() {
    let stacks = "----- pid 7410 at 2026-03-07 11:42:10.204 -----\n\"main\" prio=5 tid=1 Native\n  | sysTid=7410 nice=0\n  at a.B.c(B.java:7)\n----- end 7410 -----\n";
    let both = read(&format!("{stacks}{CHANNELS}"));
    assert_eq!(both.iter().map(|s| s.threads.len()).collect::<Vec<_>>(), [1]);
    let before = read(&format!("{CHANNELS}\n{stacks}"));
    assert_eq!(before.iter().map(|s| s.threads.len()).collect::<Vec<_>>(), [1]);
    let other = read(&format!("{}{CHANNELS}", stacks.replace("7410", "7")));
    assert_eq!(other.iter().map(|s| s.threads.len()).collect::<Vec<_>>(), [1, 3]);
}

#[test]
fn fields_below_headers_of_other_threads() {
    let text = |header: &str| {
        format!(
            "\"a\" prio=5 tid=1 Native\n  | sysTid=11 nice=0\n  | state=S schedstat=( 1000000 1 1 ) utm=0 stm=0 core=3 HZ=100\n  at a.B.c(B.java:7)\n\n{header}\n  | sysTid=12 nice=0\n  | state=S schedstat=( 5000000 1 1 ) utm=0 stm=0 core=3 HZ=100\n  native: #00 pc 00000000000a33b8  /a/libc.so (__epoll_pwait+8)\n"
        )
    };
    let snapshot = &read(&text("\"n\" (not attached)"))[0];
    let threads: Vec<_> = snapshot.threads.iter().map(|t| (t.name.as_deref(), t.tid, t.cpu_us)).collect();
    assert_eq!(threads, [(Some("a"), Some(11), Some(1000)), (Some("n"), Some(12), Some(5000))]);
    assert_eq!(names(snapshot, 1), ["__epoll_pwait"]);
    // One that is not known takes nothing from the thread above it.
    let snapshot = &read(&text("\"n\" of a kind that nobody knows"))[0];
    let threads: Vec<_> = snapshot.threads.iter().map(|t| (t.name.as_deref(), t.tid, t.cpu_us)).collect();
    assert_eq!(threads, [(Some("a"), Some(11), Some(1000))]);
    assert_eq!(names(snapshot, 0), ["a.B.c"]);
    assert!(snapshot.gaps.has(GapKind::SkippedText));
}
