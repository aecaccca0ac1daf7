//! Threads as Hadoop prints them.

use super::FORMAT;
use super::testing::{token, wait};
use crate::formats::testing::{functions, is_found, read, read_one, survives_logs};
use crate::model::{GapKind, ReportedOwner, ReportedState, StackEnd, ThreadId, ThreadIx, WaitMode};

const STACKS: &str = "Process Thread Dump: jsp requested
5 active threads
Thread 31 (handler (3) Thread 8020):
  State: BLOCKED
  Blocked count: 12
  Waited count: 5
  Blocked on shop.Names@69d6a7cd
  Blocked by 45 (handler 7 on 8020)
  Stack:
    shop.Names.lookup(Names.java:31)
    java.lang.Thread.run(Thread.java:748)
Thread 45 (handler 7 on 8020):
  State: WAITING
  Blocked count: 1
  Waited count: 9
  Waiting on shop.Gate@1b2c
  Stack:
    sun.misc.Unsafe.park(Native Method)
    shop.Names$$Lambda$109/344158696.run(Unknown Source)
    java.lang.Thread.run(Thread.java:748)
  Inactive
Thread 12 (Timer-0):
  State: WAITING
  Blocked count: 0
  Waited count: 1
  Waiting on java.util.TaskQueue@3162743f
  Stack:
    java.lang.Object.wait(Native Method)
    java.util.TimerThread.run(Timer.java:505)
Thread 5 (Signal Dispatcher):
  State: RUNNABLE
  Blocked count: 0
  Waited count: 0
  Stack:
";

#[test]
fn threads_states_locks_and_owners() {
    assert!(is_found(FORMAT.id, STACKS));
    let snapshot = read_one(STACKS);
    let threads: Vec<_> =
        snapshot.threads.iter().map(|t| (t.id.clone(), t.name.as_deref(), t.reported)).collect();
    use ReportedState::{Entering, Idle, Waiting};
    let thread = |id, name, state| (ThreadId::Number(id), Some(name), Some(state));
    assert_eq!(
        threads,
        [
            thread(31, "handler (3) Thread 8020", Entering),
            thread(45, "handler 7 on 8020", Waiting),
            thread(12, "Timer-0", Waiting),
            thread(5, "Signal Dispatcher", Idle),
        ]
    );
    assert_eq!(wait(&snapshot, 0), Some((token("shop.Names@69d6a7cd"), WaitMode::Enter)));
    assert_eq!(wait(&snapshot, 1), Some((token("shop.Gate@1b2c"), WaitMode::Park)));
    assert_eq!(wait(&snapshot, 2), Some((token("java.util.TaskQueue@3162743f"), WaitMode::Notify)));
    assert_eq!(wait(&snapshot, 3), None);
    let owners: Vec<_> =
        snapshot.reported_locks.iter().map(|l| (l.token.as_deref(), l.owner.clone())).collect();
    assert_eq!(owners, [(Some("shop.Names@69d6a7cd"), ReportedOwner::Thread(ThreadIx(1)))]);
    let stack = ["sun.misc.Unsafe.park", "shop.Names$$Lambda.run", "java.lang.Thread.run"];
    assert_eq!(functions(&snapshot, ThreadIx(1)), stack);
    assert_eq!(functions(&snapshot, ThreadIx(0)), ["shop.Names.lookup", "java.lang.Thread.run"]);
    // One of the five was gone when its turn came.
    assert!(snapshot.gaps.is_empty() && snapshot.is_complete, "{:?}", snapshot.gaps);
    survives_logs(STACKS);
}

#[test]
fn threads_that_are_counted_and_not_there() {
    let snapshot = read_one(&STACKS.replace("5 active", "202 active"));
    assert!(!snapshot.is_complete);
    let gaps: Vec<_> = snapshot.gaps.iter().map(|g| (g.kind, g.count)).collect();
    assert_eq!(gaps, [(GapKind::Truncated, 197)]);
    // Without its first lines nothing is counted.
    let (_, rest) = STACKS.split_once("threads\n").unwrap();
    assert!(read_one(rest).is_complete);
}

#[test]
fn each_title_begins_a_dump() {
    let logged = format!("12:00:00 INFO http.HttpServer2: {STACKS}");
    let other = STACKS.replace("Thread 31 ", "Thread 32 ").replace("5 active", "9 active");
    let snapshots = read(&format!("{logged}12:00:10 INFO http.HttpServer2: {other}"));
    let complete: Vec<_> =
        snapshots.iter().map(|s| (s.threads.len(), s.is_complete, s.gaps.iter().count())).collect();
    assert_eq!(complete, [(4, true, 0), (4, false, 1)]);
}

#[test]
fn times_of_contention_and_an_owner_that_is_gone() {
    let text = STACKS
        .replace("  Waited count: 5\n", "  Waited count: 5\n  Blocked time: 120\n  Waited time: -1\n")
        .replace("Blocked by 45 (handler 7 on 8020)", "Blocked by -1");
    let snapshot = read_one(&text);
    assert_eq!(wait(&snapshot, 0), Some((token("shop.Names@69d6a7cd"), WaitMode::Enter)));
    assert!(snapshot.reported_locks.is_empty() && snapshot.gaps.is_empty(), "{:?}", snapshot.gaps);
    let other = read_one(&STACKS.replace("Blocked by 45 (handler 7 on 8020)", "Blocked by 99 (handler 9)"));
    assert_eq!(other.reported_locks[0].owner, ReportedOwner::NotShown("thread 99".into()));
    let free = read_one(&STACKS.replace("on shop.Names@69d6a7cd", "on null"));
    assert_eq!(wait(&free, 0), None);
}

#[test]
fn a_stack_of_20_frames_was_cut() {
    let deep = |frames: usize| {
        let frames: String = (0..frames).map(|n| format!("    shop.Tree.walk{n}(Tree.java:{n})\n")).collect();
        let text = STACKS.replace("    shop.Names.lookup(Names.java:31)\n", &frames);
        read_one(&text.replacen("    java.lang.Thread.run(Thread.java:748)\n", "", 1)).threads[0].stack_end
    };
    assert_eq!([deep(19), deep(20)], [StackEnd::Complete, StackEnd::DepthLimit]);
    let whole = STACKS
        .replace("    shop.Names.lookup(Names.java:31)\n", &"    shop.Tree.walk(Tree.java:1)\n".repeat(19));
    assert_eq!(read_one(&whole).threads[0].stack_end, StackEnd::Complete);
}

#[test]
fn a_field_of_a_newer_release_is_a_gap() {
    let snapshot = read_one(&STACKS.replace("  Stack:\n    shop", "  Pinned by 3 (x)\n  Stack:\n    shop"));
    let gaps: Vec<_> = snapshot.gaps.iter().map(|g| (g.count, g.message.as_str())).collect();
    assert!(gaps.len() == 1 && gaps[0].0 == 1 && gaps[0].1.contains("Pinned by 3"), "{gaps:?}");
}

#[test]
fn words_about_it_are_no_dump() {
    for talk in [
        "2023-11-27 INFO http.HttpServer2: Process Thread Dump: jsp requested\n",
        "Process Thread Dump: jsp requested\n47 active threads\n",
        "below its State: BLOCKED\nstands a\nBlocked count: 3\n",
        "Thread 31 (handler):\n\n  State: BLOCKED\n  Blocked count: 3\n",
        "Thread 31 (handler):\n  State: TIRED\n  Blocked count: 3\n",
        "Thread 31 (handler):\n  State: BLOCKED\n  Blocked count: many\n",
        "Thread pool (handler):\n  State: BLOCKED\n  Blocked count: 3\n",
    ] {
        assert!(!is_found(FORMAT.id, talk) && read(talk).is_empty(), "{talk}");
    }
}
