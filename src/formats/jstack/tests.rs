use crate::formats::testing::{holds, read, read_one, survives_logs};
use crate::model::{LockId, ReportedLockKind, ThreadIx, WaitMode};

const DUMP: &str = "94221:
2026-11-24 04:07:06
Full thread dump OpenJDK 64-Bit Server VM (17.0.15+6-Debian-1deb12u1 mixed mode, sharing):

Threads class SMR info:
_java_thread_list=0x00007f0258001ec0, length=12, elements={
0x00007f0258016c20, 0x00007f02580d1230
}

\"mon-0\" #12 daemon prio=5 os_prio=0 cpu=0.36ms elapsed=3.66s tid=0x00007ffb0c0c0520 nid=0xf8bd waiting for monitor entry  [0x00007ffb10573000]
   java.lang.Thread.State: BLOCKED (on object monitor)
\tat applog.Logger.write(Logger.java:20)
\t- waiting to lock <0x00000000e0c67918> (a applog.Logger)
\tat Main.run(Main.java:5)

   Locked ownable synchronizers:
\t- None

\"hold\" #13 daemon prio=5 os_prio=0 cpu=0.36ms elapsed=3.66s tid=0x00007ffb0c0c0521 nid=0xf8be runnable  [0x00007ffb10573000]
   java.lang.Thread.State: RUNNABLE
\tat java.io.FileOutputStream.writeBytes(java.base@17.0.15/Native Method)
\tat applog.Logger.write(Logger.java:21)
\t- locked <0x00000000e0c67918> (a applog.Logger)
\t- leased <0x00000000e0c67919> (of a made-up next version)

\"VM Thread\" os_prio=0 cpu=1.00ms elapsed=1s tid=0x00007f02580a5a10 nid=0x99 runnable

JNI global refs: 17, weak refs: 0


Found one Java-level deadlock:
=============================
\"mon-0\":
  waiting to lock monitor 0x00007f02580d3a10 (object 0x00000000e0c67918, a applog.Logger),
  which is held by \"hold\"

Java stack information for the threads listed above:
===================================================
\"mon-0\":
\tat applog.Logger.write(Logger.java:20)

Found 1 deadlock.

";

#[test]
fn threads_locks_and_the_deadlock_section() {
    let snapshots = read(DUMP);
    let [snapshot] = snapshots.as_slice() else { panic!("{} dumps", snapshots.len()) };
    assert_eq!(snapshot.threads.len(), 3);
    assert_eq!(snapshot.process.pid, Some(94221));
    assert_eq!(snapshot.process.captured_at.as_deref(), Some("2026-11-24 04:07:06"));
    let wait = snapshot.threads[0].reported_wait.unwrap();
    let lock = &snapshot.named_locks[wait.lock.at()];
    assert_eq!((&lock.id, lock.name.as_deref()), (&LockId::Address(0xe0c67918), Some("applog.Logger")));
    let (start, end) = snapshot.threads[1].holds;
    assert_eq!(snapshot.holds[start as usize..end as usize][0].lock, wait.lock);
    assert_eq!(snapshot.rings[0].threads, [ThreadIx(0)]);
    assert_eq!(snapshot.reported_locks[0].owner, crate::model::ReportedOwner::Thread(ThreadIx(1)));
    let gaps: Vec<_> = snapshot.gaps.iter().map(|g| (g.count, g.message.as_str())).collect();
    assert_eq!(gaps.len(), 1, "{gaps:?}");
    assert!(gaps[0].0 == 1 && gaps[0].1.contains("- leased <0x"), "{gaps:?}");
}

#[test]
fn the_same_in_prefixed_lines() {
    let plain = format!("{:?}", read(DUMP)[0].threads);
    for prefix in ["> ", "2026-11-24T04:07:06.123Z web-1 java[77]: ", "\u{feff}"] {
        let text: String = match prefix {
            "\u{feff}" => format!("{prefix}{}", DUMP.replace('\n', "\r\n")),
            _ => DUMP.lines().map(|line| format!("{prefix}{line}\n")).collect(),
        };
        assert_eq!(format!("{:?}", read(&text)[0].threads), plain, "{prefix}");
    }
    let json: String = DUMP
        .lines()
        .map(|l| format!("{{\"log\":{},\"stream\":\"stdout\"}}\n", serde_json::json!(format!("{l}\n"))))
        .collect();
    assert_eq!(format!("{:?}", read(&json)[0].threads), plain);
}

const ACTUATOR: &str = r#"{"threads":[
  {"threadName":"http-1","threadId":31,"lockName":"applog.Logger@39065417","lockOwnerId":30,"lockOwnerName":"http-0",
   "threadState":"BLOCKED","madeUp":{"next":1},"stackTrace":[{"className":"applog.Logger","methodName":"write",
   "fileName":"Logger.java","lineNumber":20,"moduleName":null,"nativeMethod":false}],"lockedMonitors":[],
   "lockedSynchronizers":[],"lockInfo":{"className":"applog.Logger","identityHashCode":956716055}},
  {"threadName":"http-0","threadId":30,"lockOwnerId":-1,"threadState":"RUNNABLE","stackTrace":[],
   "lockedMonitors":[{"className":"applog.Logger","identityHashCode":956716055,"lockedStackDepth":1}],
   "lockedSynchronizers":[{"className":"x.Sync","identityHashCode":-1}]}, 7]}
"#;

#[test]
fn thread_infos_as_json() {
    let snapshots = read(ACTUATOR);
    let [snapshot] = snapshots.as_slice() else { panic!("{} dumps", snapshots.len()) };
    assert_eq!(snapshot.threads.len(), 2);
    let wait = snapshot.threads[0].reported_wait.unwrap();
    assert_eq!(snapshot.named_locks[wait.lock.at()].id, LockId::Token("applog.Logger@39065417".into()));
    let (start, end) = snapshot.threads[1].holds;
    let held: Vec<_> = snapshot.holds[start as usize..end as usize].iter().map(|h| h.lock).collect();
    assert_eq!(held[0], wait.lock);
    assert_eq!(snapshot.named_locks[held[1].at()].id, LockId::Token("x.Sync@ffffffff".into()));
    assert_eq!(snapshot.reported_locks[0].owner, crate::model::ReportedOwner::Thread(ThreadIx(1)));
    // Version 1 of Spring Boot, Jolokia, a log, and one line.
    let list = ACTUATOR.replace("{\"threads\":", "").replace(", 7]}", ", 7]");
    let jolokia = ACTUATOR.replace("{\"threads\":", "{\"status\":200,\"value\":");
    let logged: String = ACTUATOR.lines().map(|line| format!("web_1  | {line}\n")).collect();
    let one_line: String = format!("10:00 INFO dump {}\n", ACTUATOR.lines().collect::<String>());
    // Keys in snake_case.
    let mut snake = list.clone();
    for key in [
        "thread name",
        "thread id",
        "thread state",
        "lock name",
        "lock owner id",
        "lock info",
        "stack trace",
        "class name",
        "method name",
        "file name",
        "line number",
        "locked monitors",
        "locked synchronizers",
        "identity hash code",
        "locked stack depth",
    ] {
        let upper = |word: &str| word[..1].to_uppercase() + &word[1..];
        let mut words = key.split(' ');
        let camel: String = words.next().map(str::to_owned).into_iter().chain(words.map(upper)).collect();
        snake = snake.replace(&format!("\"{camel}\":"), &format!("\"{}\":", key.replace(' ', "_")));
    }
    assert!(snake.contains("\"thread_state\":\"BLOCKED\"") && snake.contains("\"identity_hash_code\""));
    for text in [list, jolokia, logged, one_line, snake] {
        assert_eq!(format!("{:?}", read(&text)[0].threads), format!("{:?}", snapshot.threads), "{text}");
    }
    for at in 0..ACTUATOR.len() {
        let bytes = bytes::Bytes::copy_from_slice(&ACTUATOR.as_bytes()[..at]);
        if let Some(content) = crate::formats::detect::detect(&bytes, None) {
            crate::formats::detect::read(&content, &bytes, &"dump".into());
        }
    }
}

/// As plain text: synchronizers are held with a capital.
const SPRING: &str = "2026-11-24 04:07:06
Full thread dump OpenJDK 64-Bit Server VM (21.0.5+11 mixed mode, sharing):

\"http-1\" - Thread t@41
   java.lang.Thread.State: RUNNABLE
\tat java.base@21.0.5/sun.nio.ch.Net.accept(Native Method)
\t- locked <5b7e9c8d> (a shop.Accounts)
\tat app//shop.Teller.run(Teller.java:3)

   Locked ownable synchronizers:
\t- Locked <2a64b059> (a java.util.concurrent.locks.ReentrantLock$NonfairSync)

\"http-2\" - Thread t@42
   java.lang.Thread.State: WAITING
\tat java.base@21.0.5/jdk.internal.misc.Unsafe.park(Native Method)
\t- waiting to lock <2a64b059> (a java.util.concurrent.locks.ReentrantLock$NonfairSync) owned by \"http-1\" t@41

   Locked ownable synchronizers:
\t- None
";

#[test]
fn spring_boot_as_plain_text() {
    let snapshot = read_one(SPRING);
    let token = |id: &str| LockId::Token(id.into());
    assert_eq!(holds(&snapshot, 0), [token("5b7e9c8d"), token("2a64b059")]);
    let kinds: Vec<_> = snapshot.named_locks.iter().map(|lock| lock.kind).collect();
    assert_eq!(kinds, [ReportedLockKind::JavaMonitor, ReportedLockKind::JavaSynchronizer]);
    let wait = snapshot.threads[1].reported_wait.unwrap();
    assert_eq!(snapshot.named_locks[wait.lock.at()].id, token("2a64b059"));
    assert_eq!(wait.mode, WaitMode::Park, "who is parked enters no monitor");
    assert!(holds(&snapshot, 1).is_empty() && snapshot.gaps.is_empty(), "{:?}", snapshot.gaps);
    survives_logs(SPRING);
    assert!(read("We had Locked <2a64b059> (a door) - Locked again.\n").is_empty());
}
