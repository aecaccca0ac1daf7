//! The section of a deadlock, alone and with the list of threads.

use crate::formats::testing::{functions, holds, read, read_one, survives_logs};
use crate::model::{LockId, ReportedOwner, Snapshot, ThreadIx};

const SECTION: &str = "Found one Java-level deadlock:
=============================
\"adder\":
  waiting to lock monitor 0x00007f8388 (object 0x05fb, a app.Settings),
  which is held by \"task-5\"
\"task-5\":
  waiting to lock monitor 0x00007f8374 (object 0x05fc, a app.Appender),
  which is held by \"pool \"a\" of
1\"
\"pool \"a\" of
1\":
  waiting to lock monitor 0x00007f8388 (object 0x05fb, a app.Settings),
  which is held by \"task-5\"
";

const STACKS: &str = "
Java stack information for the threads listed above:
===================================================
\"adder\":
\tat app.Settings.get(Settings.java:42)
\t- waiting to lock <0x05fb> (a app.Settings)
\tat app.Pool.add(Pool.java:7)
\"task-5\":
\tat app.Appender.append(Appender.java:11)
\t- waiting to lock <0x05fc> (a app.Appender)
\tat app.Settings.each(Settings.java:50)
\t- locked <0x05fb> (a app.Settings)

Found 1 deadlock.
";

fn names(snapshot: &Snapshot) -> Vec<&str> {
    snapshot.threads.iter().map(|t| t.name.as_deref().unwrap_or("?")).collect()
}

fn waits_for(snapshot: &Snapshot, thread: usize) -> LockId {
    let wait = snapshot.threads[thread].reported_wait.unwrap();
    snapshot.named_locks[wait.lock.at()].id.clone()
}

#[test]
fn the_section_alone() {
    let snapshot = read_one(SECTION);
    assert_eq!(names(&snapshot), ["adder", "task-5", "pool \"a\" of\n1"]);
    assert_eq!(waits_for(&snapshot, 1), LockId::Address(0x5fc));
    assert_eq!(waits_for(&snapshot, 2), LockId::Address(0x5fb));
    let owners: Vec<_> = snapshot.reported_locks.iter().map(|l| (l.address, l.owner.clone())).collect();
    assert!(owners.contains(&(Some(0x5fc), ReportedOwner::Thread(ThreadIx(2)))), "{owners:?}");
    // The first one is behind the ring, and not in it.
    assert_eq!(snapshot.rings[0].threads, [ThreadIx(1), ThreadIx(2)]);
    assert!(!snapshot.is_complete);
    survives_logs(SECTION);
}

#[test]
fn with_the_stacks_that_follow() {
    let snapshot = read_one(&format!("{SECTION}{STACKS}"));
    assert_eq!(functions(&snapshot, ThreadIx(0)), ["app.Settings.get", "app.Pool.add"]);
    assert_eq!(holds(&snapshot, 1), [LockId::Address(0x5fb)]);
    assert_eq!(snapshot.threads.len(), 3);
    // Markdown makes a title of the lines that end with a colon.
    let quoted = format!("{SECTION}{STACKS}").replace("\nJava stack", "\n# Java stack");
    let marked = read_one(&format!("# {quoted}"));
    assert_eq!(functions(&marked, ThreadIx(0)), functions(&snapshot, ThreadIx(0)));
}

#[test]
fn without_its_title() {
    let (_, members) = SECTION.split_once("=\n").unwrap();
    let snapshot = read_one(&members.replace(" of\n1", " of 1"));
    assert_eq!((names(&snapshot).len(), snapshot.rings.len()), (3, 0));
    assert!(read("the lock which is held by \"us\"\n").is_empty());
    assert!(read("Found one Java-level deadlock:\nand then we went home\n").is_empty());
}

#[test]
fn members_that_the_list_lacks() {
    let list = "Full thread dump OpenJDK 64-Bit Server VM (17 mixed mode):

\"adder\" #1 prio=5 os_prio=0 tid=0x00007f01 nid=0x1 waiting for monitor entry [0x00007f02]
   java.lang.Thread.State: BLOCKED (on object monitor)
\tat app.Settings.get(Settings.java:42)
\t- waiting to lock <0x05fb> (a app.Settings)

";
    let snapshot = read_one(&format!("{list}{SECTION}{STACKS}"));
    assert_eq!(names(&snapshot), ["adder", "task-5", "pool \"a\" of\n1"]);
    let gaps: Vec<_> = snapshot.gaps.iter().map(|g| g.count).collect();
    assert_eq!(gaps, [2]);
}

const SAP: &str =
    "\"sweeper\" cpu=3.32 [reset 3.32] ms allocated=21024 B (20.53 kB) [reset 21024 B (20.53 kB)]
io= file i/o: 0/0 B, net i/o: 0/0 B, files opened:0
prio=5 tid=0x8000000100bb nid=0x4aaf7b / 4894587  pthread-id=19 waiting on condition  [0x800003ffad]
   java.lang.Thread.State: TIMED_WAITING (sleeping)
\tat java.lang.Thread.sleep(J)V(Native Method)

Threads (in)directly waiting on deadlocked thread \"A\" (tid=0x8000000100c2)
==========================================================================
\"behind\" (tid=0x8000000100c9):
  waiting for ownable synchronizer 0x8000030e10, (a java.util.concurrent.locks.ReentrantLock$NonfairSync),
  which is held by \"A\" (tid=0x8000000100c2)


Full thread dump SAP Java Server VM (6.1.036 19.1-b02 (mixed mode)):

\"other\" cpu=3.32 [reset 3.32] ms allocated=21024 B (20.53 kB) [reset 21024 B (20.53 kB)]
io= file i/o: 0/0 B, net i/o: 0/0 B, files opened:0
prio=5 tid=0x8000000100be nid=0x4aaf7c / 4894588  pthread-id=20 waiting on condition  [0x800003ffae]
   java.lang.Thread.State: TIMED_WAITING (sleeping)
\tat java.lang.Thread.sleep(J)V(Native Method)
";

#[test]
fn a_member_of_saps_does_not_swallow_the_next_dump() {
    let snapshots = read(SAP);
    let [first, second] = snapshots.as_slice() else { panic!("{} dumps", snapshots.len()) };
    assert_eq!(names(first), ["sweeper", "behind"]);
    assert_eq!(waits_for(first, 1), LockId::Address(0x80_0003_0e10));
    assert_eq!(names(second), ["other"]);
    assert!(second.process.runtime.is_some());
    assert_eq!(functions(second, ThreadIx(0)), ["java.lang.Thread.sleep"]);
}

/// A name with a quote at the end of its first line, which is a whole name as well where it stands.
const QUOTED: &str = "Found one Java-level deadlock:
=============================
\"pool \"a\"
of
1\":
  waiting to lock monitor 0x00007f8388 (object 0x05fb, a app.Settings),
  which is held by \"task-5\"
\"task-5\":
  waiting to lock monitor 0x00007f8374 (object 0x05fc, a app.Appender),
  which is held by \"pool \"a\"
of
1\"

Java stack information for the threads listed above:
===================================================
\"pool \"a\"
of
1\":
\tat app.Pool.add(Pool.java:7)
\t- waiting to lock <0x05fb> (a app.Settings)
\"task-5\":
\tat app.Appender.append(Appender.java:11)
\t- waiting to lock <0x05fc> (a app.Appender)
";

#[test]
fn a_name_that_goes_on_behind_a_quote() {
    let snapshot = read_one(QUOTED);
    assert_eq!(names(&snapshot), ["pool \"a\"\nof\n1", "task-5"]);
    let owners: Vec<_> = snapshot.reported_locks.iter().map(|l| (l.address, l.owner.clone())).collect();
    assert_eq!(
        owners,
        [
            (Some(0x5fb), ReportedOwner::Thread(ThreadIx(1))),
            (Some(0x5fc), ReportedOwner::Thread(ThreadIx(0))),
        ]
    );
    assert_eq!(snapshot.rings[0].threads.len(), 2);
    assert_eq!(functions(&snapshot, ThreadIx(0)), ["app.Pool.add"]);
    // Two lines are whole without what stands between them.
    let short = read_one(&QUOTED.replace("\nof\n", "\n"));
    assert_eq!(names(&short), ["pool \"a\"\n1", "task-5"]);
    assert_eq!(functions(&short, ThreadIx(0)), ["app.Pool.add"]);
    assert!(!short.gaps.has(crate::model::GapKind::SkippedText));
}

#[test]
fn an_owner_that_is_no_thread_of_java() {
    let text = QUOTED.replace("is held by \"task-5\"", "is held by UNKNOWN_owner_addr=0x00007ffb0dead000");
    let owner = &read_one(&text).reported_locks[0].owner;
    assert_eq!(*owner, ReportedOwner::NotShown("thread 0x7ffb0dead000".into()));
}

/// Two rings with threads of the same names: each owner is that of its own line.
#[test]
fn owners_of_one_name_in_two_rings() {
    let member = |name: &str, lock: &str, owner: &str| {
        format!(
            "\"{name}\":\n  waiting to lock monitor 0x00007f83{lock} (object 0x{lock}, a app.Page),\n  which is held by \"{owner}\"\n"
        )
    };
    let title = "Found one Java-level deadlock:\n=============================\n";
    let two = member("a", "11", "b") + &member("b", "12", "a");
    let three = member("a", "21", "b") + &member("b", "22", "c") + &member("c", "23", "a");
    let snapshot = read_one(&format!("{title}{two}\n{title}{three}\nFound 2 deadlocks.\n"));
    let c = snapshot.threads.iter().position(|t| t.name.as_deref() == Some("c")).map(|n| ThreadIx(n as u32));
    let of_c: Vec<_> = snapshot
        .reported_locks
        .iter()
        .filter(|lock| c.is_some_and(|c| lock.owner == ReportedOwner::Thread(c)))
        .map(|lock| lock.address)
        .collect();
    assert_eq!(of_c, [Some(0x22)]);
}
