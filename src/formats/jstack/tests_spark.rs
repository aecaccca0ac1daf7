//! Threads of Spark's REST interface, and values that are dropped.

use super::testing::{token, wait};
use crate::formats::testing::{functions, holds, read_one};
use crate::model::{ReportedOwner, ReportedState, Snapshot, ThreadId, ThreadIx, WaitMode};

const TEXTS: &str = r#"[ {
  "threadId" : 61,
  "threadName" : "launch worker for task 12",
  "threadState" : "BLOCKED",
  "stackTrace" : "shop.Blocks.get(Blocks.scala:70)\nshop.Task.run(Task.scala:3) => holding Monitor(shop.Task@31})\njava.lang.Thread.run(Thread.java:748)",
  "blockedByThreadId" : 62,
  "blockedByLock" : "Lock(shop.Block@380286413})",
  "holdingLocks" : [ "Monitor(shop.Task@31})", "Lock(java.util.concurrent.ThreadPoolExecutor$Worker@-1})" ]
}, {
  "threadId" : 62,
  "threadName" : "launch worker for task 13",
  "threadState" : "WAITING",
  "stackTrace" : "sun.misc.Unsafe.park(Native Method)\nshop.Gate.pass(Gate.scala:8)",
  "blockedByLock" : "Lock(shop.Gate@255})",
  "holdingLocks" : [ "Monitor(shop.Block@380286413})" ]
}, {
  "threadId" : 63,
  "threadName" : "driver",
  "threadState" : "RUNNABLE",
  "stackTrace" : "",
  "blockedByLock" : "",
  "holdingLocks" : [ ]
} ]
"#;

fn gaps(snapshot: &Snapshot) -> Vec<(u64, &str)> {
    snapshot.gaps.iter().map(|g| (g.count, g.message.as_str())).collect()
}

#[track_caller]
fn check(snapshot: &Snapshot) {
    let ids: Vec<_> = snapshot.threads.iter().map(|t| (t.id.clone(), t.reported)).collect();
    let thread = |id, state| (ThreadId::Number(id), Some(state));
    use ReportedState::{Entering, RunningOrNative, Waiting};
    assert_eq!(ids, [thread(61, Entering), thread(62, Waiting), thread(63, RunningOrNative)]);
    let stack = ["shop.Blocks.get", "shop.Task.run", "java.lang.Thread.run"];
    assert_eq!(functions(snapshot, ThreadIx(0)), stack);
    // 380286413 is 0x16aab5cd.
    assert_eq!(wait(snapshot, 0), Some((token("shop.Block@16aab5cd"), WaitMode::Enter)));
    assert_eq!(wait(snapshot, 1), Some((token("shop.Gate@ff"), WaitMode::Park)));
    assert_eq!(wait(snapshot, 2), None);
    let worker = token("java.util.concurrent.ThreadPoolExecutor$Worker@ffffffff");
    assert_eq!(holds(snapshot, 0), [token("shop.Task@1f"), worker]);
    assert_eq!(holds(snapshot, 1), [token("shop.Block@16aab5cd")]);
    let owners: Vec<_> = snapshot.reported_locks.iter().map(|l| l.owner.clone()).collect();
    assert_eq!(owners, [ReportedOwner::Thread(ThreadIx(1))]);
    assert!(snapshot.gaps.is_empty(), "{:?}", snapshot.gaps);
}

/// The same as lists of texts.
fn lists(open: &str, close: &str) -> String {
    let text = |line: &str| {
        let Some((key, value)) = line.split_once("\"stackTrace\" : ") else { return format!("{line}\n") };
        let value = value.trim_end_matches(',').replace("\\n", "\", \"");
        format!("{key}\"stackTrace\" : {open}{value}{close},\n")
    };
    TEXTS.lines().map(text).collect()
}

#[test]
fn stacks_as_texts_and_lists() {
    let snapshot = read_one(TEXTS);
    check(&snapshot);
    let depths: Vec<_> = snapshot.holds.iter().map(|hold| hold.depth).collect();
    assert_eq!(depths, [Some(1), None, None]);
    check(&read_one(&lists("{ \"elems\" : [ ", " ] }")));
    check(&read_one(&lists("[ ", " ]")));
    check(&read_one(&TEXTS.lines().map(str::trim).collect::<String>()));
}

const NEWER: &str = r#"[ {
  "threadId" : 61,
  "threadName" : "launch worker for task 12",
  "threadState" : "BLOCKED",
  "stackTrace" : { "elems" : [ "shop.Blocks.get(Blocks.scala:70)\n\t-  blocked on shop.Block@16aab5cd\n", "shop.Task.run(Task.scala:3)\n\t-  locked shop.Task@1f\n", "java.lang.Thread.run(Thread.java:748)\n" ] },
  "blockedByThreadId" : 62,
  "blockedByLock" : "Lock(shop.Block@16aab5cd)",
  "holdingLocks" : [ "java.util.concurrent.ThreadPoolExecutor$Worker@ffffffff", "shop.Task@1f" ],
  "synchronizers" : [ "java.util.concurrent.ThreadPoolExecutor$Worker@ffffffff" ],
  "monitors" : [ "shop.Task@1f" ],
  "lockName" : "shop.Block@16aab5cd",
  "lockOwnerName" : "launch worker for task 13",
  "suspended" : false, "inNative" : false, "isDaemon" : true, "priority" : 5
}, {
  "threadId" : 62,
  "threadName" : "launch worker for task 13",
  "threadState" : "WAITING",
  "stackTrace" : { "elems" : [ "sun.misc.Unsafe.park(Native Method)\n\t-  waiting on shop.Gate@ff\n", "shop.Gate.pass(Gate.scala:8)\n\t-  locked shop.Block@16aab5cd\n" ] },
  "blockedByThreadId" : null,
  "blockedByLock" : "Lock(shop.Gate@ff)",
  "holdingLocks" : [ "shop.Block@16aab5cd" ], "synchronizers" : [ ], "monitors" : [ "shop.Block@16aab5cd" ],
  "lockName" : "shop.Gate@ff", "lockOwnerName" : null
}, {
  "threadId" : 63,
  "threadName" : "driver",
  "threadState" : "RUNNABLE",
  "stackTrace" : { "elems" : [ ] },
  "blockedByLock" : "", "holdingLocks" : [ ], "synchronizers" : [ ], "monitors" : [ ]
} ]
"#;

#[test]
fn locks_below_their_frames() {
    check(&read_one(NEWER));
}

#[test]
fn what_is_dropped_is_a_gap() {
    let odd = TEXTS
        .replace("shop.Gate.pass(Gate.scala:8)", "and so on")
        .replace("\"Lock(shop.Gate@255})\"", "\"Lock(shop.Gate)\"")
        .replace("\"stackTrace\" : \"\"", "\"stackTrace\" : 7");
    let snapshot = read_one(&odd);
    assert_eq!(functions(&snapshot, ThreadIx(1)), ["sun.misc.Unsafe.park"]);
    let gaps = gaps(&snapshot);
    assert_eq!(gaps.len(), 2, "{gaps:?}");
    assert!(
        gaps[0].0 == 2
            && gaps[0].1.contains("values of another form")
            && gaps[0].1.ends_with("blockedByLock")
    );
    assert!(gaps[1].0 == 1 && gaps[1].1.ends_with("and so on"), "{gaps:?}");
}

#[test]
fn what_thread_info_has_in_another_form_is_a_gap() {
    let text = r#"[{"threadName":"http-1","threadId":31,"threadState":"BLOCKED","stackTrace":[
  {"className":"shop.Log","methodName":"write","lineNumber":"20"},{"className":"shop.Log"},
  {"className":"shop.Main","methodName":"main","fileName":null,"lineNumber":-2}],
  "lockName":{"name":"shop.Log@1f"},"lockInfo":null,"lockedMonitors":[{"className":"shop.Log"}],
  "lockedSynchronizers":"none"}]"#;
    let snapshot = read_one(text);
    assert_eq!(functions(&snapshot, ThreadIx(0)), ["shop.Log.write", "shop.Main.main"]);
    let gaps = gaps(&snapshot);
    // Of two frames, of the lock's name, of the synchronizers, and the hash of the monitor.
    assert!(gaps.len() == 1 && gaps[0].0 == 5 && gaps[0].1.ends_with("lockName"), "{gaps:?}");
}
