use crate::formats::testing::{names, read};

const TWO: &str = "core 'core' of 5591:\t/opt/shop/bin/shopd -v
-----------------  lwp# 1 / thread# 1  --------------------
 fed44f95 lwp_park (0, 0, 0)
 fed3e2f8 mutex_lock_impl (8061234, 0) + 1a
 fed3e3aa mutex_lock (8061234) + 10
 08051234 log_message (1, 8047f10) + 35
 0001a4cc main     (0, ffbef144, ffbef14c, 5f320, 0, 0) + 160
 00014a38 _start   (0, 0, 0, 0, 0, 0) + 5c
--------------------- thread# 2 / lwp# 3 [flusher] ----------------------
 fe8e4a74 SYS#77   (0, 0, 0)
 fe482aa4 ???????? (d6490, fe482a6c)
 8092b7f0 * java/lang/Object.wait()V+1
 fed44f95 libc.so.1`read (7, 8046fff, 1)
 fffffd7fff2a1b9a lwp_park () + a
 --- called from signal handler with signal 18 (SIGCLD) ---
 ** zombie (exited, not detached, not yet joined) **
";

#[test]
fn lwps_names_frames_and_locks() {
    let snapshots = read(TWO);
    let [snapshot] = snapshots.as_slice() else { panic!("one dump") };
    assert_eq!(snapshot.process.pid, Some(5591));
    assert_eq!(snapshot.process.name.as_deref(), Some("shopd"));
    let [first, second] = snapshot.threads.as_slice() else { panic!("two threads") };
    assert_eq!((first.tid, second.tid, second.name.as_deref()), (Some(1), Some(3), Some("flusher")));
    assert_eq!(
        names(snapshot, 0),
        ["lwp_park", "mutex_lock_impl", "mutex_lock", "log_message", "main", "_start"]
    );
    assert_eq!(snapshot.values.of(first.values), [0x806_1234, 0x806_1234]);
    assert_eq!(names(snapshot, 1), ["SYS#77", "?", "java/lang/Object.wait()V+1", "read", "lwp_park", "?"]);
    let frames = snapshot.stacks.frames_of(second.stack);
    assert_eq!(snapshot.stacks.get(frames[3]).module.as_deref(), Some("libc.so.1"));
    assert_eq!(snapshot.stacks.get(frames[0]).address, Some(0xfe8e_4a74));
    assert!(snapshot.gaps.is_empty());
}

#[test]
fn one_thread_has_no_rule() {
    let text = "see below\n1234:   /bin/cat\n fed44f95 read     (0, 8046fff, 1)\n 0001a4cc main     (0, ffbef144) + 160\n 00014a38 _start   (0, 0) + 5c\n1235:\tsh\n-----------------  lwp# 9  --------------------------------\n fed44f95 read     (0)\n";
    let snapshots = read(text);
    let threads: Vec<_> = snapshots.iter().map(|s| (s.process.pid, s.threads.len())).collect();
    assert_eq!(threads, [(Some(1234), 1), (Some(1235), 1)]);
}

#[test]
fn logs_next_versions_and_talk() {
    let logged: String =
        TWO.lines().map(|line| format!("Nov  3 10:22:00 web watchdog[7]: {line}\r\n")).collect();
    assert_eq!(read(&logged)[0].threads.len(), 2);
    let next = TWO.replace(" fed3e3aa", " @ fiber 7\n fed3e3aa").replace("lwp# 3 [", "lwp# 3 prio# 9 [");
    let snapshots = read(&next);
    assert_eq!((snapshots[0].threads.len(), names(&snapshots[0], 0).len()), (2, 6));
    assert!(!snapshots[0].gaps.is_empty());
    for talk in
        ["the lwp# 3 hangs\n", "---- lwp# ----\n", "thread# 7 is stuck\n", " 00014a38 _start   (0, 0)\n"]
    {
        assert!(read(talk).is_empty(), "{talk}");
    }
}
