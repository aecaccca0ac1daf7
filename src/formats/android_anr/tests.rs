use super::*;
use crate::formats::testing::{is_found, names, read};

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
        ("\"main\" prio=5 tid=1 MONITOR", "1", Some(ReportedState::Blocked)),
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
