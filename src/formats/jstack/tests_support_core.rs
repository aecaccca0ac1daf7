//! Thread dumps of Jenkins' support bundles.

use super::FORMAT;
use crate::formats::testing::{is_found, read, read_one};
use crate::model::{LockId, ReportedOwner, ReportedState, Snapshot, ThreadId, ThreadIx, WaitMode};

/// Two threads that each have what the other one wants, and one that waits to be notified.
const BUNDLE: &str = "Master
======

\"Executor #1 for master : executing shop #7\" id=21 (0x15) state=BLOCKED cpu=83%
    - waiting to lock <0x0a139a55> (a hudson.model.Queue)
     owned by Executor #2 for master id=22
    at hudson.model.Queue.cancel(Queue.java:712)
    at hudson.model.Executor.interrupt(Executor.java:190)
      - locked java.lang.Object@7699a589
    at hudson.model.Executor.run(Executor.java:427)

\"Executor #2 for master\" id=22 (0x16) state=WAITING cpu=0% time=13972ms
    - waiting on <0x3f1f8b0d> (a java.util.concurrent.locks.ReentrantLock$NonfairSync)
    - locked <0x3f1f8b0d> (a java.util.concurrent.locks.ReentrantLock$NonfairSync)
     owned by Executor #1 for master : executing shop #7 id=21
    at sun.misc.Unsafe.park(Native Method)
    at java.util.concurrent.locks.LockSupport.park(LockSupport.java:175)
    at hudson.model.Queue.save(Queue.java:350)
      - locked hudson.model.Queue@a139a55

\"jenkins.util.Timer [#1]\" id=30 (0x1e) state=TIMED_WAITING cpu=100%
    - waiting on <0x49bd11ee> (a java.lang.ref.ReferenceQueue$Lock)
    - locked <0x49bd11ee> (a java.lang.ref.ReferenceQueue$Lock) (suspended)
    at java.lang.Object.wait(Native Method)
    at java.lang.ref.ReferenceQueue.remove(ReferenceQueue.java:143)

    Locked synchronizers: count = 1
      - java.util.concurrent.ThreadPoolExecutor$Worker@1b2c3d4

\"main\" id=1 (0x1) state=RUNNABLE cpu=50% (running in native)
    at java.io.FileOutputStream.writeBytes(Native Method)
    at winstone.Launcher.main(Launcher.java:9)

 Deadlock Found 
hudson.model.Queue.cancel(Queue.java:712)
sun.misc.Unsafe.park(Native Method)
";

fn lock(snapshot: &Snapshot, thread: usize) -> Option<(String, WaitMode)> {
    let wait = snapshot.threads[thread].reported_wait?;
    match &snapshot.named_locks[wait.lock.at()].id {
        LockId::Token(token) => Some((token.to_string(), wait.mode)),
        LockId::Address(_) => None,
    }
}

fn held(snapshot: &Snapshot, thread: usize) -> Vec<String> {
    let (start, end) = snapshot.threads[thread].holds;
    let holds = &snapshot.holds[start as usize..end as usize];
    let token = |lock: &LockId| match lock {
        LockId::Token(token) => token.to_string(),
        LockId::Address(address) => format!("{address:#x}"),
    };
    holds.iter().map(|hold| token(&snapshot.named_locks[hold.lock.at()].id)).collect()
}

#[test]
fn hashes_and_tokens_are_one_lock() {
    assert!(is_found(FORMAT.id, BUNDLE));
    let snapshot = read_one(BUNDLE);
    let ids: Vec<_> = snapshot.threads.iter().map(|t| t.id.clone()).collect();
    assert_eq!(ids, [21, 22, 30, 1].map(ThreadId::Number));
    assert_eq!(snapshot.threads[0].name.as_deref(), Some("Executor #1 for master : executing shop #7"));
    let states: Vec<_> = snapshot.threads.iter().filter_map(|t| t.reported).collect();
    let waits = ReportedState::Waiting;
    assert_eq!(states, [ReportedState::Entering, waits, waits, ReportedState::RunningOrNative]);
    let queue = "hudson.model.Queue@a139a55".to_owned();
    let sync = "java.util.concurrent.locks.ReentrantLock$NonfairSync@3f1f8b0d".to_owned();
    assert_eq!(lock(&snapshot, 0), Some((queue.clone(), WaitMode::Enter)));
    assert_eq!(lock(&snapshot, 1), Some((sync.clone(), WaitMode::Park)));
    let notified = "java.lang.ref.ReferenceQueue$Lock@49bd11ee".to_owned();
    assert_eq!(lock(&snapshot, 2), Some((notified, WaitMode::Notify)));
    // What a thread waits for it does not hold, whatever the line says.
    assert_eq!(held(&snapshot, 0), ["java.lang.Object@7699a589"]);
    assert_eq!(held(&snapshot, 1).join(" "), queue);
    assert_eq!(held(&snapshot, 2), ["java.util.concurrent.ThreadPoolExecutor$Worker@1b2c3d4"]);
    let owners: Vec<_> = snapshot
        .reported_locks
        .iter()
        .map(|lock| (lock.address, lock.token.as_deref().unwrap_or_default(), lock.owner.clone()))
        .collect();
    assert_eq!(
        owners,
        [
            (None, &*queue, ReportedOwner::Thread(ThreadIx(1))),
            (None, &*sync, ReportedOwner::Thread(ThreadIx(0)))
        ]
    );
    assert!(snapshot.gaps.is_empty(), "{:?}", snapshot.gaps);
}

#[test]
fn a_name_may_be_like_a_header_and_fields_may_be_new() {
    let text = BUNDLE
        .replace("\"main\" id=1 (0x1)", "\"a\" id=7 (0x7) state=x\" id=1 (0x1)")
        .replace("cpu=50%", "heat=3");
    let snapshot = read_one(&text);
    assert_eq!(snapshot.threads[3].name.as_deref(), Some("a\" id=7 (0x7) state=x"));
    assert_eq!(snapshot.gaps.iter().count(), 1, "{:?}", snapshot.gaps);
    // The two numbers are one, the state is one of Java.
    for talk in ["\"a\" id=7 (0x8) state=BLOCKED\n    at a.B.c(B.java:1)\n", "\"a\" id=7 (0x7) state=ok\n"] {
        assert!(read(talk).is_empty(), "{talk}");
    }
}
