//! Fields and states of a release that is not known: no thread is lost for them, and they are counted.

use crate::formats::testing::{functions, is_found, read_one};
use crate::model::{GapKind, ReportedState, Snapshot, ThreadIx};

/// States, and what was passed over.
fn said(snapshot: &Snapshot) -> (Vec<Option<ReportedState>>, Vec<(u64, String)>) {
    let states = snapshot.threads.iter().map(|thread| thread.reported).collect();
    let gaps = snapshot.gaps.iter().filter(|gap| gap.kind == GapKind::SkippedText);
    (states, gaps.map(|gap| (gap.count, gap.message.clone())).collect())
}

const RUNS: Option<ReportedState> = Some(ReportedState::RunningOrNative);
const UNTOLD: Option<ReportedState> = Some(ReportedState::Unclear);

#[test]
fn thread_info() {
    for (new, state) in [("DOZING on app.X@1", UNTOLD), ("pinned=3 RUNNABLE", RUNS)] {
        let snapshot = read_one(&format!(
            "\"a\" Id=20 RUNNABLE\n\tat app.A.a(A.java:9)\n\n\"b\" Id=21 {new}\n\tat app.A.b(A.java:9)\n\n"
        ));
        let (states, gaps) = said(&snapshot);
        assert_eq!((states, gaps.len()), (vec![RUNS, state], 1), "{new}: {gaps:?}");
        assert!(gaps[0].1.ends_with(new.split(' ').next().unwrap()), "{gaps:?}");
        assert_eq!(functions(&snapshot, ThreadIx(0)), ["app.A.a"], "{new}");
        assert!(!is_found(super::FORMAT.id, &format!("the thread \"b\" Id=21 {new}\n")), "prose: {new}");
    }
}

#[test]
fn visualvm() {
    let snapshot = read_one(
        "Full thread dump Java HotSpot(TM) 64-Bit Server VM (20.45-b01 mixed mode):

\"a\" - Thread t@332
   java.lang.Thread.State: RUNNABLE
\tat app.A.a(A.java:9)

\"b\" - Thread t@331 daemon
   java.lang.Thread.State: RUNNABLE
\tat app.A.b(A.java:9)

\"c\" - Thread t@333 pinned
   java.lang.Thread.State: RUNNABLE
\tat app.A.c(A.java:9)
",
    );
    let (states, gaps) = said(&snapshot);
    assert_eq!((states, gaps.len()), (vec![RUNS; 3], 1), "{gaps:?}");
    assert!(gaps[0].1.ends_with("pinned"), "{gaps:?}");
}

#[test]
fn hotspot() {
    let dump = |words: &str, state: &str| {
        read_one(&format!(
            "Full thread dump OpenJDK 64-Bit Server VM (35+1 mixed mode):

\"main\" #3 [94776] prio=5 os_prio=0 cpu=47.00ms tid=0x00007f00 nid=94776 {words}  [0x00007f01]
   java.lang.Thread.State: {state}
\tat app.Main.main(Main.java:3)
"
        ))
    };
    let (states, gaps) = said(&dump("dozing quietly", "DOZING (on a cloud)"));
    assert_eq!(states, [UNTOLD]);
    assert!(gaps.iter().any(|(_, text)| text.ends_with("the first: dozing quietly")), "{gaps:?}");
    assert!(gaps.iter().any(|(_, text)| text.ends_with("DOZING (on a cloud)")), "{gaps:?}");
    assert_eq!(said(&dump("dozing", "RUNNABLE")).0, [RUNS]);
    assert_eq!(said(&dump("runnable", "RUNNABLE")), (vec![RUNS], vec![]));
    assert_eq!(said(&dump("at breakpoint", "UNKNOWN")), (vec![UNTOLD], vec![]));
}

#[test]
fn json() {
    let thread = |name: &str, state: &str| {
        format!(r#"{{"threadName":"{name}","threadId":1,"threadState":"{state}","stackTrace":[]}}"#)
    };
    let text = format!("[{},{}]", thread("a", "DOZING"), thread("b", "RUNNABLE"));
    let (states, gaps) = said(&read_one(&text));
    assert_eq!((states, gaps.len()), (vec![UNTOLD, RUNS], 1), "{gaps:?}");
    assert!(gaps[0].1.ends_with("DOZING"), "{gaps:?}");
    assert!(!is_found(super::FORMAT.id, &text.replace("DOZING", "of no kind").replace("RUNNABLE", "either")));
}

#[test]
fn the_agent() {
    let text = "Thread 7: (state = BLOCKED)\n - app.Map.put() @bci=4, line=8 (Interpreted frame)\n\n";
    assert_eq!(said(&read_one(text)), (vec![Some(ReportedState::Asleep)], vec![]));
    let (states, gaps) = said(&read_one(&text.replace("BLOCKED", "IN_LIMBO")));
    assert_eq!((states, gaps.len()), (vec![UNTOLD], 1), "{gaps:?}");
}
