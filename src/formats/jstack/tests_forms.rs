//! What stands in some dumps and not in others.

use crate::formats::testing::{functions, read, read_one};
use crate::model::{GapKind, ReportedLockKind, ReportedState, StackEnd, ThreadIx};

const JVM: &str = "Full thread dump OpenJDK 64-Bit Server VM (17.0.15+6 mixed mode):

\"a\" #20 prio=5 os_prio=0 tid=0x01 nid=0x11 runnable  [0x21]
   java.lang.Thread.State: RUNNABLE
\tat app.Jobs.take(Jobs.java:8)

\"VM Thread\" os_prio=0 tid=0x02 nid=0x12 runnable

";

const PROGRAM: &str = "\"a\" Id=1 RUNNABLE\n\tat app.Jobs.take(Jobs.java:8)\n\n\"b\" Id=2 RUNNABLE\n\tat app.Jobs.put(Jobs.java:9)\n\n";

#[test]
fn a_dump_of_the_program_below_one_of_the_jvm() {
    let counts = |text: &str| read(text).iter().map(|snapshot| snapshot.threads.len()).collect::<Vec<_>>();
    assert_eq!(counts(&format!("{JVM}2026 INFO hello\n{PROGRAM}")), [2, 2]);
    assert_eq!(counts(&format!("{PROGRAM}{JVM}")), [2, 2]);
    assert_eq!(counts(JVM), [2]);
}

#[test]
fn a_thread_that_waits_inside_the_jvm_for_the_agent() {
    let dump = |state: &str| {
        read_one(&format!(
            "\"a\" #26 daemon prio=5 tid=0x00007fa4 nid=0x71a9 runnable [0x00007fa4]
   java.lang.Thread.State: RUNNABLE
   JavaThread state: {state}
 - app.Jobs.take() @bci=3, line=17 (Interpreted frame)
"
        ))
    };
    let state = |words: &str| dump(words).threads[0].reported;
    assert_eq!(state("_thread_blocked"), Some(ReportedState::Asleep));
    assert_eq!(state("_thread_in_java"), Some(ReportedState::RunningOrNative));
}

#[test]
fn synchronizers_are_no_monitors() {
    let snapshot = read_one(
        "\"a\" - Thread t@331
   java.lang.Thread.State: RUNNABLE
\tat app.Jobs.take(Jobs.java:8)
\t- locked <4a5b6c7> (a app.Jobs)

   Locked ownable synchronizers:
\t- locked <1b2c3d> (a java.util.concurrent.locks.ReentrantLock$NonfairSync)
",
    );
    let kinds: Vec<_> = snapshot.named_locks.iter().map(|lock| lock.kind).collect();
    assert_eq!(kinds, [ReportedLockKind::JavaMonitor, ReportedLockKind::JavaSynchronizer]);
}

#[test]
fn dots_of_thread_info_and_of_an_author() {
    let dump = |frames: usize, dots: &str| {
        let frames = "\tat app.Jobs.take(Jobs.java:8)\n".repeat(frames);
        let snapshot = read_one(&format!("\"a\" Id=1 RUNNABLE\n{frames}{dots}\n\n"));
        (snapshot.threads[0].stack_end, snapshot.gaps.has(GapKind::Truncated), snapshot.is_complete)
    };
    assert_eq!(dump(8, "\t..."), (StackEnd::DepthLimit, false, true));
    for dots in ["\t...", "...", "\t[...]"] {
        assert_eq!(dump(2, dots), (StackEnd::NoRule, true, false), "{dots}");
    }
}

#[test]
fn virtual_threads_that_no_thread_carries() {
    let is_complete = |text: &str| {
        let snapshot = read_one(text);
        assert_eq!(snapshot.is_complete, !snapshot.gaps.has(GapKind::Limit));
        assert_eq!(functions(&snapshot, ThreadIx(0)), ["app.Jobs.take"]);
        snapshot.is_complete
    };
    assert!(is_complete(JVM));
    assert!(!is_complete(&JVM.replace("VM Thread\"", "VirtualThread-unparker\" #30 daemon")));
    let mounted = "   Mounted virtual thread #35\n\tat app.Jobs.put(Jobs.java:9)\n";
    assert!(!is_complete(&JVM.replace("\n\"VM", &format!("{mounted}\n\"VM"))));
}
