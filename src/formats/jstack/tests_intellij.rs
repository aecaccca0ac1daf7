//! What the IDEs of JetBrains write when they freeze.

use super::FORMAT;
use super::testing::{token, wait};
use crate::formats::testing::{functions, is_found, read, read_one, survives_logs};
use crate::model::{ReportedOwner, ReportedState, Snapshot, ThreadId, ThreadIx, WaitMode};

/// A ring of two, one behind it, one that waits to be notified, and two with one name.
const FREEZE: &str = "\"AWT-EventQueue-0\" prio=0 tid=0x0 nid=0x0 blocked
     java.lang.Thread.State: BLOCKED
 on shop.ide.Index@5f5c2 owned by \"pooled \"3\"\" Id=278
\tat shop.ide.Editor.paint(Editor.java:20)
\tat java.desktop@17.0.5/java.awt.EventQueue.dispatchEvent(EventQueue.java:728)

\"process reaper\" prio=0 tid=0x0 nid=0x0 runnable
     java.lang.Thread.State: RUNNABLE
 (in native)
\tat java.lang.UNIXProcess.waitForProcessExit(Native Method)
\tat java.lang.Thread.run(Thread.java:745)

\"process reaper\" prio=0 tid=0x0 nid=0x0 runnable
     java.lang.Thread.State: RUNNABLE

\tat java.lang.UNIXProcess.waitForProcessExit(Native Method)
\tat java.lang.Thread.run(Thread.java:745)

\"pooled \"3\"\" prio=0 tid=0x0 nid=0x0 waiting on condition
     java.lang.Thread.State: TIMED_WAITING
 on shop.ide.WriteLock@1caee107 owned by \"AWT-EventQueue-0\" Id=22 (suspended) (in native)
\tat java.base@17.0.5/jdk.internal.misc.Unsafe.park(Native Method)
\tat shop.ide.Index.build(Index.java:40)

\"Timer-2\" prio=0 tid=0x0 nid=0x0 waiting on condition
     java.lang.Thread.State: WAITING
 on java.util.TaskQueue@69ec1a80
\tat java.lang.Object.wait(Native Method)
\tat java.util.TimerThread.run(Timer.java:505)

\"Signal Dispatcher\" prio=0 tid=0x0 nid=0x0 runnable
     java.lang.Thread.State: RUNNABLE

";

#[test]
fn threads_without_ids_are_one_dump() {
    assert!(is_found(FORMAT.id, FREEZE));
    let snapshot = read_one(FREEZE);
    let names: Vec<_> = snapshot.threads.iter().filter_map(|t| t.name.as_deref()).collect();
    assert_eq!(
        names,
        [
            "AWT-EventQueue-0",
            "process reaper",
            "process reaper",
            "pooled \"3\"",
            "Timer-2",
            "Signal Dispatcher"
        ]
    );
    assert_eq!(snapshot.threads[3].id, ThreadId::Text("pooled \"3\"".into()));
    assert!(snapshot.threads.iter().all(|t| (t.tid, t.handle) == (None, None)));
    use ReportedState::{Entering, Idle, RunningOrNative, Waiting};
    let states: Vec<_> = snapshot.threads.iter().filter_map(|t| t.reported).collect();
    assert_eq!(states, [Entering, RunningOrNative, RunningOrNative, Waiting, Waiting, Idle]);
    assert_eq!(wait(&snapshot, 0), Some((token("shop.ide.Index@5f5c2"), WaitMode::Enter)));
    // Its class says nothing; its stack says that it parks.
    assert_eq!(wait(&snapshot, 3), Some((token("shop.ide.WriteLock@1caee107"), WaitMode::Park)));
    assert_eq!(wait(&snapshot, 4), Some((token("java.util.TaskQueue@69ec1a80"), WaitMode::Notify)));
    let owners: Vec<_> =
        snapshot.reported_locks.iter().map(|l| (l.token.as_deref(), l.owner.clone())).collect();
    assert_eq!(
        owners,
        [
            (Some("shop.ide.Index@5f5c2"), ReportedOwner::Thread(ThreadIx(3))),
            (Some("shop.ide.WriteLock@1caee107"), ReportedOwner::Thread(ThreadIx(0))),
        ]
    );
    assert_eq!(
        functions(&snapshot, ThreadIx(0)),
        ["shop.ide.Editor.paint", "java.awt.EventQueue.dispatchEvent"]
    );
    assert!(snapshot.gaps.is_empty() && snapshot.is_complete, "{:?}", snapshot.gaps);
    survives_logs(FREEZE);
}

#[test]
fn the_next_dump_begins_with_the_thread_with_which_this_one_began() {
    let threads: Vec<_> = read(&FREEZE.repeat(3)).iter().map(|snapshot| snapshot.threads.len()).collect();
    assert_eq!(threads, [6, 6, 6]);
}

fn thread(name: &str, state: &str, depth: usize) -> String {
    let words = if state == "RUNNABLE" { "runnable" } else { "waiting on condition" };
    let frames: String =
        (0..depth).rev().map(|n| format!("\tat shop.ide.Index.step{n}(Index.java:{n})\n")).collect();
    format!("\"{name}\" prio=0 tid=0x0 nid=0x0 {words}\n     java.lang.Thread.State: {state}\n\n{frames}\n")
}

fn names(text: &str) -> Vec<Vec<String>> {
    let of = |s: &Snapshot| s.threads.iter().filter_map(|t| t.name.as_ref().map(|n| n.to_string())).collect();
    read(text).iter().map(of).collect()
}

/// Who runs comes before who waits, and among them the deepest stack first.
fn whole(running: &[(&str, usize)], waiting: &[(&str, usize)]) -> String {
    let of = |list: &[(&str, usize)], state| {
        list.iter().map(|(name, depth)| thread(name, state, *depth)).collect::<String>()
    };
    of(running, "RUNNABLE") + &of(waiting, "WAITING")
}

#[test]
fn a_sorted_dump_ends_where_the_order_ends() {
    let reaper = ("process reaper", 5);
    let waiting = [("pooled 1", 9), ("pooled 2", 8), ("pooled 3", 7), reaper, reaper, ("Finalizer", 4)];
    let one = whole(&[("main", 40), ("BaseDataReader: git", 30), ("process reaper", 6)], &waiting);
    let two = whole(&[("pooled 617", 31), ("BaseDataReader: git", 30), ("process reaper", 6)], &waiting);
    let counts = |text: &str| names(text).iter().map(Vec::len).collect::<Vec<_>>();
    assert_eq!(counts(&format!("{one}{two}{one}")), [9, 9, 9]);
    assert_eq!(names(&format!("{one}{two}"))[1][0], "pooled 617", "which has not come before");
    // The thread of events comes first, whoever it is.
    let events = thread("AWT-EventQueue-1", "WAITING", 14);
    assert_eq!(counts(&format!("{one}{events}{one}{events}{two}")), [9, 10, 10]);
    survives_logs(&one);
}

#[test]
fn few_threads_in_another_order() {
    let one = whole(&[("main", 9)], &[("writer", 9)]);
    let other = whole(&[("writer", 9)], &[("main", 9)]);
    assert_eq!(names(&format!("{one}{other}")), [["main", "writer"], ["writer", "main"]]);
    assert_eq!(names(&format!("{one}{one}")), [["main", "writer"], ["main", "writer"]]);
}

#[test]
fn one_name_many_times_is_one_dump() {
    let git = ("BaseDataReader: git", 30);
    let reaper = ("process reaper", 6);
    for text in [
        whole(&[git, git, reaper, reaper], &[]),
        whole(&[git, ("BaseDataReader: nice", 30), git], &[git, ("main", 12), (git.0, 8), reaper]),
        // Somebody picked them.
        whole(&[], &[("pooled 1", 9), reaper, reaper]) + &whole(&[("main", 40), reaper], &[]),
    ] {
        assert_eq!(names(&text).len(), 1, "{text}");
    }
}

#[test]
fn coroutines_end_a_dump() {
    let coroutines = "---------- Coroutine dump (stripped) ----------\n\n- \"shop.ide\":Job{Active}\n\tat shop.ide.Index.build(Index.java:40)\n\n";
    let one = whole(&[("main", 9)], &[("writer", 9)]);
    let other = whole(&[("pooled 3", 9)], &[("main", 8)]);
    assert_eq!(
        names(&format!("{one}{coroutines}{other}{coroutines}")),
        [["main", "writer"], ["pooled 3", "main"]]
    );
}

#[test]
fn of_two_owners_with_one_name_none_is_named() {
    let snapshot = read_one(&FREEZE.replace("owned by \"AWT-EventQueue-0\"", "owned by \"process reaper\""));
    let owners: Vec<_> = snapshot.reported_locks.iter().map(|lock| lock.owner.clone()).collect();
    assert_eq!(owners, [ReportedOwner::Thread(ThreadIx(3))]);
    let gone = read_one(&FREEZE.replace("owned by \"AWT-EventQueue-0\"", "owned by \"Timer-9\""));
    assert_eq!(gone.reported_locks[1].owner, ReportedOwner::NotShown("thread \"Timer-9\"".into()));
}

#[test]
fn coroutines_are_no_threads() {
    let text = format!(
        "{FREEZE}---------- Coroutine dump ----------\n\n- \"shop.ide\":StandaloneCoroutine{{Active}} [Dispatchers.Default]
\tat shop.ide.Index.build(Index.java:40)\n\tat java.lang.Thread.run(Thread.java:745)\n"
    );
    let snapshot = read_one(&text);
    assert_eq!(format!("{:?}", snapshot.threads), format!("{:?}", read_one(FREEZE).threads));
    let gaps: Vec<_> = snapshot.gaps.iter().map(|g| (g.count, g.message.as_str())).collect();
    assert!(gaps.len() == 1 && gaps[0].0 == 3 && gaps[0].1.contains("StandaloneCoroutine"), "{gaps:?}");
}

#[test]
fn words_about_it_are_no_lock() {
    let snapshot = read_one(&FREEZE.replace(
        "\tat shop.ide.Editor.paint(Editor.java:20)\n",
        "on monday@noon we saw\non top of it\nowned by \"us\" Id=3\n\tat shop.ide.Editor.paint(Editor.java:20)\n",
    ));
    assert_eq!(wait(&snapshot, 0), Some((token("shop.ide.Index@5f5c2"), WaitMode::Enter)));
    assert_eq!(snapshot.gaps.iter().map(|g| g.count).sum::<u64>(), 3, "{:?}", snapshot.gaps);
    for talk in [
        "the header has tid=0x0 nid=0x0 and says blocked\n on java.lang.Object@5f5c2 owned by \"x\" Id=2\n",
        " on java.lang.Object@5f5c2\n (in native)\n",
    ] {
        assert!(!is_found(FORMAT.id, talk), "{talk}");
    }
}
