use super::*;
use crate::formats::testing::{cut_everywhere, names, read};

const FILE: &str = "*** *** *** *** *** *** *** *** *** *** *** *** *** *** *** ***
Build fingerprint: 'acme/door/door:14/UP1A/1:user/release-keys'
Revision: '0'
ABI: 'arm64'
Timestamp: 2024-05-01 10:00:00.123456789+0200
Process uptime: 12s
Cmdline: com.acme.door --now
pid: 2455, tid: 2482, name: Log >>> writer  >>> com.acme.door <<<
uid: 10082
tagged_addr_ctrl: 0000000000000001 (PR_TAGGED_ADDR_ENABLE)
signal 11 (SIGSEGV), code 1 (SEGV_MAPERR), fault addr 0x0000000000000024 (write)
Cause: null pointer dereference
Abort message: 'line one
line two'
    x0  0000000000000000  x1  0123456789abcdef
backtrace:
  NOTE: Function names are missing
      #00 pc 000000000000902c  /data/app/door.apk!libdoor.so (offset 0x580000) (Door::write(char const*)+24) (BuildId: 5308d97a)
      #01 pc 0000000000007891  /system/lib64/libc++.so (BuildId: 5308d97a)
      #02 pc 0000000000001234  [anon:dalvik-classes.dex extracted] (deleted) (com.acme.Door.open+10)
      #03 pc 0000000000000004  <unknown>
stack:
    #00  fff78428  fff78498
memory map (3 entries): (fault address prefixed with --->)
    00000055'00000000-00000055'00001fff r--         0      2000  /system/bin/door
--- --- --- --- --- --- --- --- --- --- --- --- --- --- --- ---
pid: 2455, tid: 2455, name: door  >>> com.acme.door <<<
    x0  0000000000000000
backtrace:
      #00 pc 00000000000a33b8  /apex/com.android.runtime/lib64/bionic/libc.so (__epoll_pwait+8)
";

#[test]
fn a_file_with_all_its_sections() {
    let snapshots = read(FILE);
    let [snapshot] = snapshots.as_slice() else { panic!("one dump") };
    let process = &snapshot.process;
    assert_eq!((process.pid, process.arch), (Some(2455), Some(Arch::Aarch64)));
    assert_eq!(process.command_line.as_deref(), Some("com.acme.door --now"));
    let signal = process.signal.clone().unwrap();
    assert_eq!((&*signal.name, signal.code, signal.address), ("SIGSEGV", Some(1), Some(0x24)));
    assert_eq!(signal.thread, Some(ThreadIx(0)));
    assert_eq!(&*process.failure.clone().unwrap().message, "line one\nline two");
    let ids: Vec<_> = snapshot.threads.iter().map(|t| (t.tid, t.name.clone().unwrap().to_string())).collect();
    assert_eq!(ids, [(Some(2482), "Log >>> writer".into()), (Some(2455), "door".into())]);
    assert_eq!(names(snapshot, 0), ["Door::write(char const*)", "?", "com.acme.Door.open", "?"]);
    let frames = snapshot.stacks.frames_of(snapshot.threads[0].stack);
    let frame = |n: usize| snapshot.stacks.get(frames[n]);
    assert_eq!(frame(0).module.as_deref(), Some("/data/app/door.apk!libdoor.so"));
    assert_eq!((frame(1).module_offset, frame(3).module.as_deref()), (Some(0x7891), None));
    assert!(snapshot.is_complete);
}

#[test]
fn logcat_has_the_crashed_thread_only() {
    let head: String = FILE.split("stack:").next().unwrap().to_owned();
    let logcat = |pid: u32| -> String {
        let of = head.replace("2455", &pid.to_string());
        of.lines().map(|l| format!("05-01 10:00:00.572 28556 12681 F DEBUG   : {l}\n")).collect()
    };
    let snapshots =
        read(&format!("{}05-01 10:00:00.6  123  123 I other   : hello\n{}", logcat(7), logcat(8)));
    assert_eq!(snapshots.iter().map(|s| s.process.pid).collect::<Vec<_>>(), [Some(7), Some(8)]);
    assert!(snapshots.iter().all(|s| s.threads.len() == 1 && !s.is_complete));
    assert_eq!(names(&snapshots[1], 0).len(), 4);
}

#[test]
fn an_abort_is_its_own_and_a_watchdog_is_not() {
    let signal = |line: &str| {
        let text = FILE.replace(
            "signal 11 (SIGSEGV), code 1 (SEGV_MAPERR), fault addr 0x0000000000000024 (write)",
            line,
        );
        read(&text)[0].process.signal.clone().unwrap()
    };
    let own = signal("signal 6 (SIGABRT), code -1 (SI_QUEUE), fault addr --------");
    assert_eq!((&*own.name, own.code, own.address), ("SIGABRT", None, None));
    let own = signal("signal 6 (SIGABRT), code -6 (SI_TKILL from pid 2455, uid 10082), fault addr --------");
    assert_eq!((own.code, own.sender_pid), (None, None));
    let sent = signal("signal 6 (SIGABRT), code 0 (SI_USER from pid 1200, uid 1000), fault addr --------");
    assert_eq!((sent.code, sent.sender_pid), (Some(0), Some(1200)));
}

#[test]
fn what_the_allocator_found() {
    let history = "\ndeallocated by thread 2482:\n      #00 pc 0000000000048970  /system/lib64/libc.so (free+80)\n\nallocated by thread 2482:\n      #00 pc 0000000000048971  /system/lib64/libc.so (malloc+80)\nstack:\n";
    let text = FILE
        .replace("null pointer dereference", "[GWP-ASan]: Use After Free on a 24-byte allocation at 0x24")
        .replace("Abort message: 'line one\nline two'\n", "")
        .replace("stack:\n", history);
    let snapshot = &read(&text)[0];
    let failure = snapshot.process.failure.clone().unwrap();
    assert_eq!(&*failure.message, "[GWP-ASan]: Use After Free on a 24-byte allocation at 0x24");
    assert_eq!((names(snapshot, 0).len(), snapshot.threads.len()), (4, 2));
    assert!(snapshot.gaps.is_empty(), "{:?}", snapshot.gaps);
    let play = "pid: 0, tid: 24 >>> com.acme.door <<<\n\nbacktrace:\n  #00  pc 0x000000000004f064  /apex/lib64/bionic/libc.so (abort+164)\n  #01  pc 0x0000000000042b00  /apex/lib64/bionic/libc.so (scudo::die()+8)\n  #02  pc 0x0000000000042b00  /apex/lib64/bionic/libc.so (scudo::reportInvalidChunkState(scudo::AllocatorAction, void*)+8)\n  #03  pc 0x00000000003f03d0  /data/libdoor.so (Door::free()+112)\n";
    let process = read(play)[0].process.clone();
    // That it aborts its stack says, and the rule tells it as such.
    assert_eq!((process.failure, process.name.as_deref()), (None, Some("com.acme.door")));
}

#[test]
fn what_libc_said_before_and_titles() {
    let fatal = "Fatal signal 6 (SIGABRT), code -1 (SI_QUEUE) in tid 24 (writer), pid 7 (com.acme.door)\n";
    let title = "pid: 7, tid: 24, name: writer >>> com.acme.door <<<\n      #00 pc 0000000000048970  /system/lib64/libc.so (read+80)\n";
    let snapshot = &read(&format!("{fatal}{title}"))[0];
    assert_eq!(&*snapshot.process.signal.clone().unwrap().name, "SIGABRT");
    assert_eq!(snapshot.threads[0].name.as_deref(), Some("writer"));
    assert_eq!(snapshot.process.name.as_deref(), Some("com.acme.door"));
    let other = fatal.replace("tid 24", "tid 25");
    assert!(read(&format!("{other}{title}"))[0].process.signal.is_none());
    assert!(read("it has `pid: 7, tid: 8, name: a  >>> b <<<`, and so on\n").is_empty());
}

#[test]
fn backtraces_of_debuggerd() {
    let text = "----- pid 9611 at 2016-07-19 08:23:16 -----\nCmd line: com.android.bluetooth\nABI: 'arm'\n\n\"droid.\" sysTid=1\" sysTid=9611\n  #00 pc 00049f8c  /system/lib/libc.so (__epoll_pwait+20)\n  #01 pc 00065f10  /system/lib/libutils.so (offset 0x65f000)\n\n\"Binder_1\" sysTid=9630\n  #00 pc 00049f8c  /system/lib/libc.so (__ioctl+8)\n\n----- end 9611 -----\n";
    let snapshots = read(text);
    let [snapshot] = snapshots.as_slice() else { panic!("one dump") };
    assert_eq!(snapshot.process.captured_at.as_deref(), Some("2016-07-19 08:23:16"));
    assert_eq!(snapshot.threads[0].name.as_deref(), Some("droid.\" sysTid=1"));
    assert_eq!(names(snapshot, 0), ["__epoll_pwait", "?"]);
    assert!(snapshot.is_complete && snapshot.process.signal.is_none());
}

#[test]
fn cuts_next_versions_and_talk() {
    cut_everywhere(FILE);
    let next = FILE.replace(
        "uid: 10082",
        "uid: 10082\nscheduler: fair\nsignal 11 (SIGSEGV), mode 3, code 1 (SEGV_MAPERR), fault addr 0x24",
    );
    assert_eq!(read(&next)[0].process.signal.clone().unwrap().address, Some(0x24));
    for talk in ["pid: 7, tid: 8 started\n", "stats pid: 7, tid: 8, cpu: 3\n", "  | sysTid=7 nice=-10\n"] {
        assert!(read(talk).is_empty(), "{talk}");
    }
}
