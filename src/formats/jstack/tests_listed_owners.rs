//! Dumps that list who owns synchronizers.

use crate::formats::testing::read;

/// A thread that parks, with what stands below its stack.
fn dump(below: &str) -> String {
    format!(
        "Full thread dump OpenJDK 64-Bit Server VM (17.0.15+6 mixed mode):

\"a\" #20 prio=5 os_prio=0 tid=0x01 nid=0x11 waiting on condition  [0x21]
   java.lang.Thread.State: WAITING (parking)
\tat jdk.internal.misc.Unsafe.park(java.base@17.0.15/Native Method)
\t- parking to wait for  <0xe1> (a java.util.concurrent.locks.ReentrantLock$NonfairSync)
\tat app.Jobs.take(Jobs.java:8)
{below}
"
    )
}

fn lists_owners(text: &str) -> Vec<bool> {
    read(text).iter().map(|snapshot| snapshot.lists_owners).collect()
}

const NONE: &str = "\n   Locked ownable synchronizers:\n\t- None\n";

#[test]
fn each_dump_for_itself() {
    assert_eq!(lists_owners(&format!("{}{}{}", dump(""), dump(NONE), dump(""))), [false, true, false]);
    assert_eq!(lists_owners(&dump(NONE).lines().map(|l| format!("> {l}\n")).collect::<String>()), [true]);
    let talk = dump("").replace("\"a\"", "\"locks the synchronizers\"");
    assert_eq!(lists_owners(&talk), [false]);
}

#[test]
fn what_a_virtual_thread_owns_is_not_listed() {
    let carrier = "
\"ForkJoinPool-1-worker-1\" #24 [94814] daemon prio=5 os_prio=0 cpu=1.00ms elapsed=1.00s tid=0x7f  [0x7f]
   Carrying virtual thread #35
\tat jdk.internal.vm.Continuation.run(java.base@21/Continuation.java:251)
   Mounted virtual thread #35
\tat app.Jobs.put(Jobs.java:9)
";
    assert_eq!(lists_owners(&dump(&format!("{NONE}{carrier}"))), [false]);
}

#[test]
fn lists_of_thread_info() {
    let jmx = "\"a\" Id=1 RUNNABLE\n\tat app.Main.main(Main.java:1)\n\n";
    let held = "\tNumber of locked synchronizers = 1\n\t- app.WriteSync@1b\n\n";
    assert_eq!([lists_owners(jmx), lists_owners(&format!("{jmx}{held}"))], [[false], [true]]);
    let json = |more: &str| {
        format!(r#"[{{"threadName":"a","threadId":1,"threadState":"RUNNABLE","stackTrace":[]{more}}}]"#)
    };
    let of = |more: &str| lists_owners(&json(more));
    assert_eq!(of(""), [false]);
    assert_eq!(of(r#","lockedSynchronizers":null"#), [false]);
    assert_eq!(of(r#","lockedSynchronizers":[]"#), [true]);
    assert_eq!(of(r#","holdingLocks":[]"#), [true]);
}
