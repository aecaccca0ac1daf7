//! What other JVMs, tools and editors make of a thread dump.

use super::FORMAT;
use super::testing::wait;
use crate::formats::testing::{functions, holds, is_found, read, read_one, survives_logs};
use crate::model::{LockId, ReportedOwner, ReportedState, Snapshot, ThreadId, ThreadIx, WaitMode};

fn names(snapshot: &Snapshot) -> Vec<&str> {
    snapshot.threads.iter().map(|t| t.name.as_deref().unwrap_or("?")).collect()
}

/// Who owns locks, as the text says.
fn owners(snapshot: &Snapshot) -> Vec<(u64, ReportedOwner)> {
    snapshot.reported_locks.iter().map(|l| (l.address.unwrap_or(0), l.owner.clone())).collect()
}

const JROCKIT: &str = "===== FULL THREAD DUMP ===============
Tue Mar 04 10:11:12 2014
Oracle JRockit(R) R28.1.3-11-141760-1.6.0_24-20110301-1432-linux-x86_64

\"Main Thread\" id=1 idx=0x4 tid=4101 prio=5 alive, in native, waiting
    -- Waiting for notification on: app/Server@0x5a10[fat lock]
    at jrockit/vm/Threads.waitForNotifySignal(JLjava/lang/Object;)Z(Native Method)
    at java/lang/Object.wait(J)V(Native Method)
    at app/Server.run(Server.java:19)
    ^-- Lock released while waiting: app/Server@0x5a10[fat lock]
    -- end of trace

\"(GC Worker Thread 1)\" id=? idx=0x10 tid=4102 prio=5 alive, in native, daemon

\"teller-1\" id=12 idx=0x30 tid=4103 prio=5 alive, in native, blocked, daemon
    -- Blocked trying to get lock: app/Account@0x5a20[thin lock]
    at jrockit/vm/Locks.monitorEnter(Locks.java:2455)[optimized]
    at app/Teller.move(Teller.java:8)
    ^-- Holding lock: app/Account@0x5a30[thin lock]
    -- end of trace

\"teller-2\" id=13 idx=0x34 tid=4104 prio=5 alive, in native, parked
    -- Parking to wait for: java/util/concurrent/locks/ReentrantLock$NonfairSync@0x5a40
    at jrockit/vm/Locks.park0(J)V(Native Method)
    ^-- Waits in a way of a made-up next version: x
    -- end of trace

Blocked lock chains
===================
Chain 2:
\"teller-1\" id=12 idx=0x30 tid=4103 waiting for app/Account@0x5a20 held by:
\"teller-2\" id=13 idx=0x34 tid=4104 (active)

===== END OF THREAD DUMP ===============
";

#[test]
fn jrockit() {
    let snapshot = read_one(JROCKIT);
    assert_eq!(names(&snapshot), ["Main Thread", "(GC Worker Thread 1)", "teller-1", "teller-2"]);
    assert_eq!(snapshot.process.captured_at.as_deref(), Some("Tue Mar 04 10:11:12 2014"));
    assert!(snapshot.process.runtime.as_deref().is_some_and(|vm| vm.starts_with("Oracle JRockit(R)")));
    assert_eq!(wait(&snapshot, 0), Some((LockId::Address(0x5a10), WaitMode::Notify)));
    assert!(holds(&snapshot, 0).is_empty());
    assert_eq!(snapshot.threads[1].reported, Some(ReportedState::Idle));
    assert_eq!(snapshot.threads[1].tid, Some(4102));
    assert_eq!(snapshot.threads[2].reported, Some(ReportedState::Entering));
    assert_eq!(wait(&snapshot, 2), Some((LockId::Address(0x5a20), WaitMode::Enter)));
    assert_eq!(holds(&snapshot, 2), [LockId::Address(0x5a30)]);
    assert_eq!(functions(&snapshot, ThreadIx(2)), ["jrockit.vm.Locks.monitorEnter", "app.Teller.move"]);
    assert_eq!(wait(&snapshot, 3), Some((LockId::Address(0x5a40), WaitMode::Park)));
    let gaps: Vec<_> = snapshot.gaps.iter().map(|g| (g.count, g.message.as_str())).collect();
    assert!(gaps.len() == 1 && gaps[0].0 == 1 && gaps[0].1.contains("made-up"), "{gaps:?}");
    survives_logs(JROCKIT);
}

const DEBUGGER: &str = "\"teller-1@701\" daemon prio=5 tid=0x21 nid=NA waiting for monitor entry
  java.lang.Thread.State: BLOCKED
\t blocks teller-2@705
\t waiting for teller-2@705 to release lock on <0x2e8> (a app.Account)
\t  at app.Teller.move(Teller.java:8)
\t  - locked <0x2e9> (a app.Account)

\"teller-2@705\" prio=5 tid=0x22 nid=NA waiting for monitor entry
  java.lang.Thread.State: BLOCKED
\t blocks teller-1@701
\t waiting for teller-1@701 to release lock on <0x2e9> (a app.Account)
\t  at app.Teller.move(Teller.java:8)
\t  - locked <0x2e8> (a app.Account)
";

#[test]
fn the_debugger_of_intellij() {
    let snapshot = read_one(DEBUGGER);
    assert_eq!(names(&snapshot), ["teller-1@701", "teller-2@705"]);
    assert_eq!(snapshot.threads[0].id, ThreadId::Number(0x21));
    assert_eq!(wait(&snapshot, 0), Some((LockId::Address(0x2e8), WaitMode::Enter)));
    assert_eq!(holds(&snapshot, 0), [LockId::Address(0x2e9)]);
    let all = owners(&snapshot);
    assert_eq!(
        all,
        [(0x2e8, ReportedOwner::Thread(ThreadIx(1))), (0x2e9, ReportedOwner::Thread(ThreadIx(0)))]
    );
    assert!(snapshot.gaps.is_empty(), "{:?}", snapshot.gaps);
    survives_logs(DEBUGGER);
    // Android Studio knows no number of a thread.
    let android = DEBUGGER.replace(" tid=0x21 nid=NA", "").replace(" tid=0x22 nid=NA", "");
    let snapshot = read_one(&android);
    assert_eq!(snapshot.threads[1].id, ThreadId::Text("teller-2@705".into()));
    assert_eq!(wait(&snapshot, 1), Some((LockId::Address(0x2e9), WaitMode::Enter)));
}

const VISUALVM: &str = "\"teller-1\" - Thread t@41
   java.lang.Thread.State: BLOCKED
\tat app.Teller.move(Teller.java:8)
\t- waiting to lock <4c1d70b2> (a app.Account) owned by \"teller-2\" t@42
\tat app.Teller.run(Teller.java:3)
\t- locked <6e09fa> (a app.Account)

   Locked ownable synchronizers:
\t- None

\"teller-2\" - Thread t@42
   java.lang.Thread.State: BLOCKED
\tat app.Teller.move(Teller.java:8)
\t- waiting to lock <6e09fa> (a app.Account) owned by \"teller-1\" t@41
\tat app.Teller.run(Teller.java:3)
\t- locked <4c1d70b2> (a app.Account)

   Locked ownable synchronizers:
\t- None

\"auditor\" - Thread t@43
   java.lang.Thread.State: WAITING
\tat sun.misc.Unsafe.park(Native Method)
\t- parking to wait for <19> (a java.util.concurrent.locks.ReentrantLock$NonfairSync) owned by \"teller-2\" t@42
\tat java.util.concurrent.locks.LockSupport.park(LockSupport.java:175)

   Locked ownable synchronizers:
\t- locked <3da8c1> (a java.util.concurrent.ThreadPoolExecutor$Worker)
";

#[test]
fn hashes_of_visualvm_have_no_0x() {
    let snapshot = read_one(VISUALVM);
    let token = |id: &str| LockId::Token(id.into());
    assert_eq!(wait(&snapshot, 0), Some((token("4c1d70b2"), WaitMode::Enter)));
    assert_eq!(holds(&snapshot, 0), [token("6e09fa")]);
    assert_eq!(wait(&snapshot, 1), Some((token("6e09fa"), WaitMode::Enter)));
    assert_eq!(wait(&snapshot, 2), Some((token("19"), WaitMode::Park)));
    assert_eq!(holds(&snapshot, 2), [token("3da8c1")]);
    let owners: Vec<_> = snapshot.reported_locks.iter().map(|l| l.owner.clone()).collect();
    let by = |thread| ReportedOwner::Thread(ThreadIx(thread));
    assert_eq!(owners, [by(1), by(0), by(1)]);
    assert!(snapshot.gaps.is_empty(), "{:?}", snapshot.gaps);
    survives_logs(VISUALVM);
    // What names no object names none without blanks either.
    let none = VISUALVM.replace("<4c1d70b2>", "<eliminated>");
    assert_eq!(wait(&read_one(&none), 0), None);
}

const JENKINS: &str = "\"Executor #1\" Id=31 Group=main BLOCKED on app.Queue@4c1d70b2 owned by \"Executor #2\" Id=44
\tat app.Build.start(Build.java:12)
\t-  blocked on app.Queue@4c1d70b2
\tat app.Build.run(Build.java:7)
\t-  locked app.Node@6e09fa

\"Executor #2\" Id=44 Group=Web and mail WAITING on java.util.concurrent.locks.ReentrantLock$NonfairSync@54ea owned by \"Executor #1\" Id=31
\tat sun.misc.Unsafe.park(Native Method)
\t-  waiting on java.util.concurrent.locks.ReentrantLock$NonfairSync@54ea

\"main\" Id=1 Group=main RUNNABLE (in native)
\tat java.net.PlainSocketImpl.socketAccept(Native Method)
";

#[test]
fn jenkins_names_thread_groups() {
    let snapshot = read_one(JENKINS);
    assert_eq!(names(&snapshot), ["Executor #1", "Executor #2", "main"]);
    let states: Vec<_> = snapshot.threads.iter().filter_map(|t| t.reported).collect();
    use ReportedState::{Entering, RunningOrNative, Waiting};
    assert_eq!(states, [Entering, Waiting, RunningOrNative]);
    let queue = LockId::Token("app.Queue@4c1d70b2".into());
    assert_eq!(wait(&snapshot, 0), Some((queue, WaitMode::Enter)));
    assert_eq!(holds(&snapshot, 0), [LockId::Token("app.Node@6e09fa".into())]);
    assert_eq!(wait(&snapshot, 1).map(|(_, mode)| mode), Some(WaitMode::Park));
    let owners: Vec<_> = snapshot.reported_locks.iter().map(|l| l.owner.clone()).collect();
    let by = |thread| ReportedOwner::Thread(ThreadIx(thread));
    assert_eq!(owners, [by(1), by(0)]);
    assert!(snapshot.gaps.is_empty(), "{:?}", snapshot.gaps);
    survives_logs(JENKINS);
}

const GEODE: &str = "\"pool-3-thread-2\" tid=0x26 owned by \"pool-3-thread-1\" tid=0x25
   - locked synchronizer <0x153f5a29> (a java.util.concurrent.ThreadPoolExecutor$Worker)
   java.lang.Thread.State: BLOCKED
\tat app.Teller.move(Teller.java:8)
\t- waiting to lock <0x7ca484> (a app.Account)
\t- locked <0x13a57a> (a app.Account)

\"pool-3-thread-1\" tid=0x25
   java.lang.Thread.State: RUNNABLE
\tat app.Teller.move(Teller.java:9)
\t- locked <0x7ca484> (a app.Account)
";

#[test]
fn geode() {
    let snapshot = read_one(GEODE);
    assert_eq!(names(&snapshot), ["pool-3-thread-2", "pool-3-thread-1"]);
    assert_eq!(snapshot.threads[0].id, ThreadId::Number(0x26));
    assert_eq!(snapshot.threads[1].id, ThreadId::Number(0x25));
    assert_eq!(holds(&snapshot, 0), [LockId::Address(0x153f5a29), LockId::Address(0x13a57a)]);
}

const LOST_INDENTATION: &str =
    "\"Timer-7\" daemon prio=6 tid=0x0000000009eec0 nid=0x2b71 in Object.wait() [0x00000dab]
java.lang.Thread.State: WAITING (on object monitor)
at java.lang.Object.wait(Native Method)

*   waiting on <0x00000000f786d2> (a java.util.TaskQueue)
    at java.util.TimerThread.mainLoop(Timer.java:526)
*   locked <0x00000000f786d2> (a java.util.TaskQueue)

\"w\" #12 prio=5 os_prio=0 tid=0x00007f03 nid=0x4cf8 waiting for monitor entry [0x00007f04]
java.lang.Thread.State: BLOCKED (on object monitor)
at app.Jobs.take(Jobs.java:18)
- waiting to lock <0x69ec1a> (a app.Jobs)
- waiting for the release is what we did
at first we thought of (nothing)
";

#[test]
fn a_text_that_lost_its_indentation() {
    let snapshot = read_one(LOST_INDENTATION);
    assert_eq!(names(&snapshot), ["Timer-7", "w"]);
    assert_eq!(wait(&snapshot, 0), Some((LockId::Address(0xf786d2), WaitMode::Notify)));
    assert_eq!(functions(&snapshot, ThreadIx(0)).len(), 2);
    assert_eq!(snapshot.threads[0].reported, Some(ReportedState::Waiting));
    assert_eq!(wait(&snapshot, 1), Some((LockId::Address(0x69ec1a), WaitMode::Enter)));
    let gaps: Vec<_> = snapshot.gaps.iter().map(|g| g.count).collect();
    assert_eq!(gaps, [2], "prose is no part of a stack");
}

fn waiter(state: &str, below: &str) -> Snapshot {
    read_one(&format!(
        "\"taker\" prio=10 tid=0x00002b0a nid=0xa5d in Object.wait() [0x00002b0b]
   java.lang.Thread.State: {state} (on object monitor)
\tat java.lang.Object.wait(Native Method)
\tat java.lang.Object.wait(Object.java:485)
\tat app.Jobs.take(Jobs.java:72)
{below}\tat app.Worker.run(Worker.java:9)
\t- locked <0x77> (a app.Worker)
"
    ))
}

#[test]
fn who_waits_to_be_notified_holds_nothing_of_it() {
    let lock = "\t- locked <0x41> (a app.Jobs)\n";
    let notified = waiter("BLOCKED", lock);
    assert_eq!(wait(&notified, 0), Some((LockId::Address(0x41), WaitMode::Reenter)));
    assert_eq!(holds(&notified, 0), [LockId::Address(0x77)]);
    let waiting = waiter("WAITING", lock);
    assert_eq!((wait(&waiting, 0), holds(&waiting, 0)), (None, vec![LockId::Address(0x77)]));
    let either = waiter("BLOCKED", &format!("{lock}\t- locked <0x42> (a app.Log)\n"));
    assert_eq!((wait(&either, 0), holds(&either, 0)), (None, vec![LockId::Address(0x77)]));
}

const AGENT: &str = "Attaching to process ID 20311, please wait...
Debugger attached successfully.
Server compiler detected.
JVM version is 17.0.15+6
Deadlock Detection:

Found one Java-level deadlock:
=============================

\"t2\":
  waiting to lock Monitor@0x00007f8800 (Object@0x0000a800, a app/Account),
  which is held by \"t1\"
\"t1\":
  waiting to lock Monitor@0x00007f8840 (Object@0x0000a810, a app/Account),
  which is held by \"t2\"

Found a total of 1 deadlock.

\"t1\" #12 prio=5 tid=0x00007f8920 nid=0x4ced waiting for monitor entry [0x00007f88]
   java.lang.Thread.State: BLOCKED (on object monitor)
   JavaThread state: _thread_blocked
 - app.Teller.move() @bci=18, line=6 (Interpreted frame)
\t- locked <0x0000a800> (a app.Account)
\t- locked <0x0000a810> (a app.Account)
 - app.Teller$$Lambda$1+0x00007f88a0.run() @bci=0 (Interpreted frame)

Locked ownable synchronizers:
    - None

\"t2\" #13 prio=5 tid=0x00007f8930 nid=0x4cee waiting for monitor entry [0x00007f89]
   java.lang.Thread.State: BLOCKED (on object monitor)
   JavaThread state: _thread_blocked
 - app.Teller.move() @bci=18, line=6 (Interpreted frame)
\t- locked <0x0000a810> (a app.Account)
\t- locked <0x0000a800> (a app.Account)

\"t3\" #14 prio=5 tid=0x00007f8940 nid=0x4cef waiting for monitor entry [0x00007f8a]
   java.lang.Thread.State: BLOCKED (on object monitor)
   JavaThread state: _thread_blocked
 - app.Log.write() @bci=8, line=3 (Interpreted frame)
\t- locked <0x0000a900> (a app.Log)
 - app.Log.flush() @bci=8, line=9 (Interpreted frame)
\t- locked <0x0000a910> (a app.Buffer)
";

#[test]
fn the_agent_calls_locked_what_a_thread_is_about_to_enter() {
    let snapshot = read_one(AGENT);
    assert_eq!(names(&snapshot), ["t1", "t2", "t3"]);
    assert_eq!(wait(&snapshot, 0), Some((LockId::Address(0xa810), WaitMode::Enter)));
    assert_eq!(wait(&snapshot, 1), Some((LockId::Address(0xa800), WaitMode::Enter)));
    assert!(holds(&snapshot, 0).is_empty() && holds(&snapshot, 1).is_empty());
    let second = ReportedOwner::Thread(ThreadIx(1));
    assert!(owners(&snapshot).contains(&(0xa810, second)), "{:?}", owners(&snapshot));
    assert_eq!(wait(&snapshot, 2), Some((LockId::Address(0xa900), WaitMode::Enter)));
    assert_eq!(holds(&snapshot, 2), [LockId::Address(0xa910)]);
    assert_eq!(functions(&snapshot, ThreadIx(0)), ["app.Teller.move", "app.Teller$$Lambda.run"]);
    assert!(snapshot.gaps.is_empty() && snapshot.rings.len() == 1, "{:?}", snapshot.gaps);
    assert_eq!(read(&AGENT.repeat(2)).len(), 2);
}

/// Programs that print their own threads leave out what only the JVM knows.
#[test]
fn headers_with_neither_address_nor_id() {
    let text = "\"teller-1 | north\" #56
   java.lang.Thread.State: BLOCKED
        at app.Teller.move(Teller.java:8)
        - waiting to lock app.Account@4c1d70b2
        at app.Teller.run(Teller.java:3)
        - locked on app.Account@6e09fa

\"teller-2\" #59 daemon prio=5
   java.lang.Thread.State: BLOCKED
        at app.Teller.move(Teller.java:8)
        - waiting to lock app.Account@6e09fa
        at app.Teller.run(Teller.java:3)
        - locked on app.Account@4c1d70b2
";
    let snapshot = read_one(text);
    assert_eq!(names(&snapshot), ["teller-1 | north", "teller-2"]);
    assert_eq!(snapshot.threads[0].id, ThreadId::Text("#56".into()));
    assert_eq!(snapshot.threads[1].reported, Some(ReportedState::Entering));
    let token = |token: &str| LockId::Token(token.into());
    assert_eq!(wait(&snapshot, 0), Some((token("app.Account@4c1d70b2"), WaitMode::Enter)));
    assert_eq!(holds(&snapshot, 0), [token("app.Account@6e09fa")]);
    assert!(snapshot.gaps.is_empty(), "{:?}", snapshot.gaps);
    survives_logs(text);
    // The state in the header, and none below.
    let text = "\"main\" #1 prio=5 RUNNABLE
\tat app.Teller.count(Teller.java:18)
\tat app.Main.main(Main.java:3)

\"teller-3\" prio=5
\tat app.Teller.move(Teller.java:8)
";
    let snapshot = read_one(text);
    assert_eq!(names(&snapshot), ["main", "teller-3"]);
    assert_eq!(snapshot.threads[0].reported, Some(ReportedState::RunningOrNative));
    assert_eq!(functions(&snapshot, ThreadIx(0)), ["app.Teller.count", "app.Main.main"]);
    survives_logs(text);
}

#[test]
fn a_group_in_quotes() {
    let snapshot = read_one(
        "\"Executor #1\" Id=31 in group \"main\" BLOCKED on app.Account@42d2 owned by \"Executor #2\" Id=44
\tat app.Teller.move(Teller.java:8)
\t-  blocked on app.Account@42d2

\"Executor #2\" Id=44 in group \"web workers\" RUNNABLE
\tat app.Teller.run(Teller.java:3)
\t-  locked app.Account@42d2
",
    );
    assert_eq!(names(&snapshot), ["Executor #1", "Executor #2"]);
    assert_eq!(snapshot.threads[0].reported, Some(ReportedState::Entering));
    let lock = LockId::Token("app.Account@42d2".into());
    assert_eq!(wait(&snapshot, 0), Some((lock, WaitMode::Enter)));
}

#[test]
fn quoted_words_with_a_priority_are_no_thread() {
    for text in [
        "started \"teller-3\" with prio=5\n\tat app.Teller.move(Teller.java:8)\n",
        "\"teller-3\" prio=high\n\tat app.Teller.move(Teller.java:8)\n",
        "\"teller-3\" prio=5 was started\n\tat app.Teller.move(Teller.java:8)\n",
        "\"teller-3\" #5 prio=5\nopened app.Teller.move(Teller.java:8)\n",
        "\"teller-3\" #5 prio=5\n",
        "rule \"night shift\" prio=5 matched\nexecuted at noon\n",
    ] {
        assert!(!is_found(FORMAT.id, text), "{text}");
    }
}
