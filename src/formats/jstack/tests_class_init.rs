//! Threads that wait for a class to be initialized.

use super::testing::{token, wait};
use crate::formats::testing::read_one;
use crate::model::{ReportedOwner, ReportedState, Snapshot, ThreadIx, WaitMode};

const DUMP: &str = "Full thread dump OpenJDK 64-Bit Server VM (17.0.15+6 mixed mode):

\"a\" #20 prio=5 os_prio=0 tid=0x01 nid=0x11 in Object.wait()  [0x21]
   java.lang.Thread.State: RUNNABLE
\tat app.Registry.<clinit>(Registry.java:5)
\t- waiting on the Class initialization monitor for app.Config
\tat app.Main.a(Main.java:20)

\"b\" #21 prio=5 os_prio=0 tid=0x02 nid=0x12 in Object.wait()  [0x22]
   java.lang.Thread.State: RUNNABLE
\tat shop//app.Config.<clinit>(Config.java:9)
\t- waiting on the Class initialization monitor for app.Registry
\tat app.Main.b(Main.java:30)

\"c\" #22 prio=5 os_prio=0 tid=0x03 nid=0x13 in Object.wait()  [0x23]
   java.lang.Thread.State: RUNNABLE
\tat app.Main.c(Main.java:31)
\t- waiting on the Class initialization monitor for app.Other
";

/// The owner of each class that has one.
fn owners(snapshot: &Snapshot) -> Vec<(String, ReportedOwner)> {
    let locks = snapshot.reported_locks.iter();
    locks.map(|lock| (lock.token.as_deref().unwrap_or("?").to_owned(), lock.owner.clone())).collect()
}

fn owner(class: &str, thread: u32) -> (String, ReportedOwner) {
    (format!("class {class}"), ReportedOwner::Thread(ThreadIx(thread)))
}

#[test]
fn whoever_is_in_the_static_initializer_has_the_class() {
    let snapshot = read_one(DUMP);
    assert_eq!(wait(&snapshot, 0), Some((token("class app.Config"), WaitMode::Enter)));
    assert_eq!(owners(&snapshot), [owner("app.Config", 1), owner("app.Registry", 0)]);
}

#[test]
fn of_two_initializers_nobody_knows_which_is_meant() {
    let two = format!(
        "{DUMP}\n\"d\" #23 prio=5 os_prio=0 tid=0x04 nid=0x14 runnable  [0x24]\n   java.lang.Thread.State: RUNNABLE\n\
         \tat app.Config.<clinit>(Config.java:10)\n"
    );
    assert_eq!(owners(&read_one(&two)), [owner("app.Registry", 0)]);
    // A class of the same name of another loader: nobody waits for himself.
    let itself = DUMP.replace("monitor for app.Config", "monitor for app.Registry");
    assert_eq!(owners(&read_one(&itself)), []);
}

#[test]
fn who_waits_inside_the_jvm_does_not_run() {
    let old = DUMP.lines().filter(|line| !line.contains("- waiting on the Class"));
    let snapshot = read_one(&old.collect::<Vec<_>>().join("\n"));
    assert!(snapshot.threads.iter().all(|t| t.reported == Some(ReportedState::Waiting)));
    assert!(snapshot.reported_locks.is_empty());
    let runs = DUMP.replace("in Object.wait()", "runnable");
    assert!(read_one(&runs).threads.iter().all(|t| t.reported == Some(ReportedState::RunningOrNative)));
}
