use super::*;
use crate::formats::testing::{is_found, names, read, read_one, survives_logs};
use crate::model::{LockId, ReportedLockKind, ReportedOwner, ReportedState, ThreadIx, WaitMode};

fn is_none(text: &str) -> bool {
    !is_found(FORMAT.id, text)
}

const ONE: &str = "0SECTION       TITLE subcomponent dump routine
1TISIGINFO     Dump Event \"gpf\" (00002000) received
1TIDATETIME    Date: 2026/03/07 at 11:42:10:204
0SECTION       GPINFO subcomponent dump routine
2XHOSLEVEL     OS Level         : Linux 6.1.0
1XHEXCPCODE    Signal_Number: 0000000B
0SECTION       ENVINFO subcomponent dump routine
1CIJAVAVERSION JRE 17 Linux amd64-64
1CIPROCESSID   Process ID: 7410 (0x1CF2)
0SECTION       LOCKS subcomponent dump routine
2LKREGMON          Thread global lock (0x00000000007A7210): owner \"main\" (J9VMThread:0x0000000000A10000), entry count 1
3LKWAITERQ            Waiting to enter:
3LKWAITER                \"b\" (J9VMThread:0x0000000000A10100)
0SECTION       THREADS subcomponent dump routine
1XMCURTHDINFO  Current thread
3XMTHREADINFO      \"main\" J9VMThread:0x0000000000A10000, omrthread_t:0x1, java/lang/Thread:0x2, state:R, prio=5
3XMTHREADINFO1            (native thread ID:0x4CFD, native priority:0x5, vmstate:R, vm thread flags:0x00001020)
3XMCPUTIME               CPU usage total: 3.654896026 secs, current category=\"Application\"
3XMTHREADINFO3           Java callstack:
4XESTACKTRACE                at java/io/FileInputStream.readBytes(Native Method)
4XESTACKTRACE                at org/example/Main.main(Main.java:12(Compiled Code))
5XESTACKTRACE                   (entered lock: java/lang/Object@0x00000000E0A0B0C0, entry count: 1)
3XMTHREADINFO3           Native callstack:
4XENATIVESTACK               read+0x8 (0x00007F1 [libc.so.6+0x1])
4XENATIVESTACK               Java_java_io_FileInputStream_readBytes+0x1d (0x00007F2 [libjava.so+0xb1d])
4XENATIVESTACK               (0x00007F3 [libj9vm29.so+0x6c38b])
1XMTHDINFO     Thread Details
3XMTHREADINFO      \"b\" J9VMThread:0x0000000000A10100, omrthread_t:0x1, java/lang/Thread:0x2, state:B, prio=5
3XMTHREADINFO1            (native thread ID:0x4CFE, native priority:0x5)
3XMTHREADBLOCK     Blocked on: java/lang/Object@0x00000000E0A0B0C0 Owned by: \"main\" (J9VMThread:0x0000000000A10000, java/lang/Thread:0x2)
4XESTACKTRACE                at org/example/Main.other(Bytecode PC:29)
3XMTHREADINFO      \"main\" J9VMThread:0x0000000000A10000, omrthread_t:0x1, java/lang/Thread:0x2, state:R, prio=5
3XMTHREADINFO1            (native thread ID:0x4CFD, native priority:0x5)
3XMTHREADINFO      Anonymous native thread
3XMTHREADINFO1            (native thread ID:0x4CFF, native priority: 0x0, native policy:UNKNOWN)
0SECTION       CLASSES subcomponent dump routine
";

#[test]
fn threads_locks_and_the_signal() {
    let snapshots = read(ONE);
    let [snapshot] = snapshots.as_slice() else { panic!("one dump") };
    let ids: Vec<_> = snapshot.threads.iter().map(|t| (t.id.to_string(), t.tid)).collect();
    // The current thread stands there twice.
    assert_eq!(
        ids,
        [("0x4CFD".into(), Some(0x4CFD)), ("0x4CFE".into(), Some(0x4CFE)), ("0x4CFF".into(), Some(0x4CFF))]
    );
    assert_eq!(snapshot.threads[0].cpu_us, Some(3_654_896));
    // Of the native frames those that the innermost method called.
    assert_eq!(
        names(snapshot, 0),
        [
            "read",
            "Java_java_io_FileInputStream_readBytes",
            "java.io.FileInputStream.readBytes",
            "org.example.Main.main"
        ]
    );
    let wait = snapshot.threads[1].reported_wait.unwrap();
    assert_eq!(snapshot.named_locks[wait.lock.at()].id, crate::model::LockId::Address(0xE0A0B0C0));
    assert!(snapshot.reported_locks.iter().any(|lock| lock.address == Some(0xE0A0B0C0)
        && lock.owner == crate::model::ReportedOwner::Thread(crate::model::ThreadIx(0))));
    let signal = snapshot.process.signal.clone().unwrap();
    assert_eq!((&*signal.name, signal.thread), ("SIGSEGV", Some(crate::model::ThreadIx(0))));
    assert_eq!((snapshot.process.pid, snapshot.process.os.as_deref()), (Some(7410), Some("linux")));
    assert!(snapshot.gaps.is_empty(), "{:?}", snapshot.gaps);
}

#[test]
fn headers_of_every_age() {
    for (line, id, state) in [
        (
            "\"main\" TID:0x000CBD00, j9thread_t:0x00295524, state:R, prio=5",
            "0x000CBD00",
            Some(ReportedState::RunningOrNative),
        ),
        (
            "\"main\" (TID:0x100D10E8, sys_thread_t:0x8C6258, state:CW, native ID:0xA0) prio=5",
            "0xA0",
            Some(ReportedState::Asleep),
        ),
        (
            "\"a\" TID:0x1, b\" J9VMThread:0x2, omrthread_t:0x3, java/lang/Thread:0x4, state:P, prio=5",
            "0x2",
            Some(ReportedState::Waiting),
        ),
        ("Anonymous native thread", "?", None),
    ] {
        let head = header::read(&format!("3XMTHREADINFO      {line}"))
            .unwrap_or_else(|| panic!("no header: {line}"));
        assert_eq!((head.thread.id.to_string().as_str(), head.thread.reported), (id, state), "{line}");
        assert_eq!(head.unknown, None, "{line}");
    }
}

/// What stands of a signal in GPINFO, in place of its number alone.
const FAULT: &str = "1XHEXCPCODE    J9Generic_Signal_Number: 00000018
1XHEXCPCODE    Signal_Number: 0000000B
1XHEXCPCODE    Signal_Code: 00000001
1XHEXCPCODE    InaccessibleAddress: 0000000000000018
1XHEXCPMODULE  Module: /opt/shop/libprice.so
1XHEXCPMODULE  Module_base_address: 00007F5C00000000
2XHREGISTER      RIP: 00007F5C00001234
";

#[test]
fn the_place_and_the_address_of_a_fault() {
    let with = |fault: &str| read_one(&ONE.replace("1XHEXCPCODE    Signal_Number: 0000000B\n", fault));
    let snapshot = with(FAULT);
    let signal = snapshot.process.signal.clone().unwrap();
    assert_eq!((signal.number, signal.code, signal.address), (Some(11), Some(1), Some(0x18)));
    let frames = snapshot.stacks.frames_of(snapshot.threads[0].stack).to_vec();
    let top = snapshot.stacks.get(frames[0]);
    assert_eq!((top.module.as_deref(), top.module_offset), (Some("/opt/shop/libprice.so"), Some(0x1234)));
    assert_eq!(snapshot.stacks.get(frames[1]).function.as_deref(), Some("read"));
    // The frame that took the lock is one further down.
    let hold = snapshot.holds[snapshot.threads[0].holds.0 as usize];
    assert_eq!(names(&snapshot, 0)[hold.depth.unwrap() as usize], "org.example.Main.main");
    // Where the stack shows the function, the handler stands above it.
    let symbol = "1XHEXCPMODULE  Symbol: Java_java_io_FileInputStream_readBytes\n2XHREGISTER";
    let snapshot = with(&FAULT.replace("2XHREGISTER", symbol));
    assert_eq!(
        names(&snapshot, 0),
        [
            "Java_java_io_FileInputStream_readBytes",
            "java.io.FileInputStream.readBytes",
            "org.example.Main.main"
        ]
    );
    // The kernel that raises it itself knows no address.
    let kernel = with(&FAULT.replace("Signal_Code: 00000001", "Signal_Code: 00000080"));
    assert_eq!(kernel.process.signal.unwrap().address, None);
}

#[test]
fn a_header_of_unknown_fields_is_a_thread() {
    let known = "3XMTHREADINFO      \"b\" J9VMThread:0x0000000000A10100,";
    for field in ["fibre:0x7, J9VMThread:0x0000000000A10100,", "[virtual] (J9VMThread:0x0000000000A10100),"] {
        let unknown = format!("3XMTHREADINFO      \"b\" {field}");
        let snapshot = read_one(&ONE.replacen(known, &unknown, 1));
        assert_eq!(snapshot.threads.len(), 3, "{unknown}");
        assert_eq!(snapshot.threads[1].name.as_deref(), Some("b"), "{unknown}");
        assert!(snapshot.gaps.has(crate::model::GapKind::SkippedText), "{unknown}");
    }
}

#[test]
fn nobody_runs_or_idles_by_a_state_that_does_not_say_so() {
    use ReportedState::{Asleep, Unclear};
    for (word, is_known, state) in [("Q", false, Unclear), ("Z", true, Asleep), ("?", true, Unclear)] {
        let line = format!(
            "3XMTHREADINFO      \"a\" J9VMThread:0x2, omrthread_t:0x3, java/lang/Thread:0x4, state:{word}, prio=5"
        );
        let head = header::read(&line).unwrap();
        assert_eq!(head.thread.reported, Some(state), "{word}");
        assert_eq!(head.unknown, (!is_known).then(|| format!("state:{word}")));
    }
}

#[test]
fn locks_of_ibms_first_releases_name_threads_by_another_address() {
    let text = "0SECTION       XM subcomponent dump routine
1XMTHDINFO     All Thread Details
3XMTHREADINFO      \"main\" (TID:0x100D10E8, sys_thread_t:0x8C6258, state:R, native ID:0xA0) prio=5
4XESTACKTRACE          at shop.Till.main(Till.java:1)
3XMTHREADINFO      \"till 1\" (TID:0x100D10F0, sys_thread_t:0x8C6358, state:MW, native ID:0xA1) prio=5
4XESTACKTRACE          at shop.Till.sell(Till.java:9)
0SECTION       LK subcomponent dump routine
2LKMONINUSE      sys_mon_t:0x8C7000 infl_mon_t: 0x8C7100:
3LKMONOBJECT       shop.Stock@10CF0000/10CF0008: owner \"main\" (0x8C6258), entry count 1
3LKWAITERQ            Waiting to enter:
3LKWAITER                \"till 1\" (0x8C6358)
";
    let snapshot = read_one(text);
    assert_eq!(snapshot.threads.iter().map(|t| t.id.to_string()).collect::<Vec<_>>(), ["0xA0", "0xA1"]);
    assert!(snapshot.is_complete && snapshot.threads[1].reported_wait.is_some());
    assert_eq!(snapshot.reported_locks[0].owner, ReportedOwner::Thread(ThreadIx(0)));
}

#[test]
fn a_release_that_does_not_exist_yet() {
    let text = ONE
        .replace("state:B, prio=5", "state:Q, fibre:0x7, prio=5")
        .replace("3XMTHREADBLOCK", "3XMTHREADMOOD      calm\n3XMTHREADBLOCK");
    let snapshots = read(&text.replace('\n', "\r\n"));
    assert_eq!(snapshots[0].threads.len(), 3);
    assert!(snapshots[0].gaps.has(crate::model::GapKind::SkippedText));
}

#[test]
fn two_dumps_a_cut_one_and_talk() {
    let snapshots = read(&format!("{ONE}log line\n{ONE}"));
    assert_eq!(snapshots.iter().map(|s| s.threads.len()).collect::<Vec<_>>(), [3, 3]);
    for end in 0..ONE.len() {
        let bytes = bytes::Bytes::copy_from_slice(&ONE.as_bytes()[..end]);
        if let Some(content) = crate::formats::detect::detect(&bytes, None) {
            crate::formats::detect::read(&content, &bytes, &"dump".into());
        }
    }
    assert!(is_none("look for 3XMTHREADINFO in the file\n3XMTHREADINFO1 (native thread ID:0x1)\n"));
}

const DEADLOCK: &str = "NULL
1LKDEADLOCK    Deadlock detected !!!
NULL           ---------------------
2LKDEADLOCKTHR  Thread \"teller 1\" (0x94501D00)
3LKDEADLOCKWTR    is waiting for:
4LKDEADLOCKMON      sys_mon_t:0x08C2B344 infl_mon_t: 0x08C2B384:
4LKDEADLOCKOBJ      org/example/Account@0xB5666698
3LKDEADLOCKOWN    which is owned by:
2LKDEADLOCKTHR  Thread \"teller 2\" (0x94507500)
3LKDEADLOCKWTR    which is waiting for:
4LKDEADLOCKOBJ      java/util/concurrent/locks/ReentrantLock$NonfairSync@0xB5666678
3LKDEADLOCKOWN    which is owned by:
2LKDEADLOCKTHR  Thread \"teller 1\" (0x94501D00)
";

#[test]
fn the_section_of_a_deadlock_alone() {
    let snapshot = read_one(DEADLOCK);
    let named: Vec<_> = snapshot.threads.iter().map(|t| (t.name.as_deref(), t.handle)).collect();
    assert_eq!(named, [(Some("teller 1"), Some(0x9450_1D00)), (Some("teller 2"), Some(0x9450_7500))]);
    let waits: Vec<_> = snapshot.threads.iter().map(|t| t.reported_wait.unwrap()).collect();
    assert_eq!((waits[0].mode, waits[1].mode), (WaitMode::Enter, WaitMode::Park));
    let owners: Vec<_> = snapshot.reported_locks.iter().map(|l| (l.address, l.owner.clone())).collect();
    assert_eq!(
        owners,
        [
            (Some(0xB566_6698), ReportedOwner::Thread(ThreadIx(1))),
            (Some(0xB566_6678), ReportedOwner::Thread(ThreadIx(0)))
        ]
    );
    assert_eq!(snapshot.rings[0].threads, [ThreadIx(0), ThreadIx(1)]);
    assert!(!snapshot.is_complete);
    survives_logs(DEADLOCK);
    assert!(read("the tag 1LKDEADLOCK says so\n").is_empty());
}

#[test]
fn waiters_whose_threads_were_left_out() {
    let text = "0SECTION       LOCKS subcomponent dump routine
3LKMONOBJECT       org/example/Journal@0xB56658D8: Flat locked by \"writer\" (J9VMThread:0x92A3EC00), entry count 1
3LKWAITERQ            Waiting to enter:
3LKWAITER                \"reader 1\" (J9VMThread:0x92703F00)
3LKWAITER                \"reader 2\" (J9VMThread:0x92709C00)
3LKNOTIFYQ            Waiting to be notified:
3LKWAITNOTIFY            \"sweeper\" (J9VMThread:0x92710A00)

3XMTHREADINFO      \"writer\" J9VMThread:0x92A3EC00, omrthread_t:0x92A3C280, java/lang/Thread:0xB56668B8, state:CW, prio=5
3XMTHREADINFO1            (native thread ID:0x511F, native priority:0x5, vmstate:CW)
4XESTACKTRACE                at java/lang/Thread.sleep(Native Method)
";
    let snapshot = read_one(text);
    let named: Vec<_> = snapshot.threads.iter().map(|t| t.name.as_deref().unwrap()).collect();
    assert_eq!(named, ["writer", "reader 1", "reader 2"]);
    assert_eq!(snapshot.threads[2].reported, Some(ReportedState::Blocked));
    assert_eq!(snapshot.reported_locks[0].owner, ReportedOwner::Thread(ThreadIx(0)));
    assert_eq!(snapshot.gaps.iter().map(|g| g.count).collect::<Vec<_>>(), [2]);
}

#[test]
fn no_memory_is_no_end() {
    let text = ONE.replace(
        "Dump Event \"gpf\" (00002000) received",
        "Dump Event \"systhrow\" (00040000) Detail \"java/lang/OutOfMemoryError\" \"native memory exhausted\" received",
    );
    let text = text.replace("1XHEXCPCODE    Signal_Number: 0000000B\n", "");
    let process = read_one(&text).process;
    let failure = process.failure.unwrap();
    assert_eq!((failure.kind, &*failure.message), (FailureKind::OutOfMemory, "native memory exhausted"));
    assert_eq!((failure.thread, process.signal), (Some(ThreadIx(0)), None));
}

/// Two threads, each of which initializes the class that the other one needs.
const CLASSES: &str = "0SECTION       LOCKS subcomponent dump routine
2LKMONINUSE      sys_mon_t:0x00007F11A0 infl_mon_t: 0x00007F1218:
3LKMONOBJECT       java/lang/J9VMInternals$ClassInitializationLock@0x00000000E0A1B0C0: <unowned>
3LKNOTIFYQ            Waiting to be notified:
3LKWAITNOTIFY            \"till 1\" (J9VMThread:0x0000000000A10000)
0SECTION       THREADS subcomponent dump routine
1XMTHDINFO     Thread Details
3XMTHREADINFO      \"till 1\" J9VMThread:0x0000000000A10000, omrthread_t:0x1, java/lang/Thread:0x2, state:CW, prio=5
3XMTHREADINFO1            (native thread ID:0x4CFD, native priority:0x5)
3XMTHREADBLOCK     Waiting on: java/lang/J9VMInternals$ClassInitializationLock@0x00000000E0A1B0C0 Owned by: <unowned> Initializing thread: \"till 2\"
4XESTACKTRACE                at org/example/Drawer.<clinit>(Drawer.java:12)
3XMTHREADINFO      \"till 2\" J9VMThread:0x0000000000A10100, omrthread_t:0x1, java/lang/Thread:0x2, state:CW, prio=5
3XMTHREADINFO1            (native thread ID:0x4CFE, native priority:0x5)
3XMTHREADBLOCK     Waiting on: java/lang/J9VMInternals$ClassInitializationLock@0x00000000E0A1B0F0 Owned by: <unowned> Initializing thread: \"till 1\"
4XESTACKTRACE                at org/example/Scale.<clinit>(Scale.java:20)
";

#[test]
fn the_thread_that_initializes_a_class_has_it() {
    let snapshot = read_one(CLASSES);
    let waits: Vec<_> = snapshot.threads.iter().map(|t| t.reported_wait.unwrap()).collect();
    assert_eq!((waits[0].mode, waits[1].mode), (WaitMode::Enter, WaitMode::Enter));
    let locks: Vec<_> = snapshot.named_locks.iter().map(|l| (l.id.clone(), l.kind, l.name.clone())).collect();
    let class = |address| (LockId::Address(address), ReportedLockKind::ClassInit, None);
    assert_eq!(locks, [class(0xE0A1_B0C0), class(0xE0A1_B0F0)]);
    let owners: Vec<_> = snapshot.reported_locks.iter().map(|l| (l.address, l.owner.clone())).collect();
    assert_eq!(
        owners,
        [
            (Some(0xE0A1_B0C0), ReportedOwner::Thread(ThreadIx(1))),
            (Some(0xE0A1_B0F0), ReportedOwner::Thread(ThreadIx(0)))
        ]
    );
    assert!(snapshot.gaps.is_empty(), "{:?}", snapshot.gaps);
}

#[test]
fn who_initializes_a_class_is_not_said_up_to_0_34() {
    let text = CLASSES
        .replace(" Initializing thread: \"till 2\"", "")
        .replace(" Initializing thread: \"till 1\"", "");
    let snapshot = read_one(&text);
    assert!(snapshot.reported_locks.is_empty(), "nobody has the monitor, somebody has the class");
    assert!(snapshot.named_locks.iter().all(|lock| lock.kind == ReportedLockKind::ClassInit));
    // A monitor on which threads wait is none.
    let other = CLASSES.replace("J9VMInternals$ClassInitializationLock", "Object");
    assert!(read_one(&other).named_locks.iter().all(|lock| lock.kind == ReportedLockKind::JavaMonitor));
}
