//! Headers of threads.

use super::header::read;
use crate::formats::text::Head;

fn head(line: &str) -> Head {
    read(line, b"").unwrap_or_else(|| panic!("no header: {line}"))
}

#[test]
fn every_age() {
    for (line, id, tid, name) in [
        (
            "\"n\" daemon prio=10 tid=0x00007f01 nid=0x34e8 waiting for monitor entry [0x00007f02]",
            "0x34e8",
            Some(0x34e8),
            "n",
        ),
        (
            "\"m 1\" #20 daemon prio=6 os_prio=0 tid=0x01 nid=0x2a43 waiting on condition [0x02]",
            "0x2a43",
            Some(0x2a43),
            "m 1",
        ),
        (
            "\"mon-0\" #12 daemon prio=5 os_prio=0 cpu=0.36ms elapsed=3.66s tid=0x7f nid=0xf8bd waiting for monitor entry  [0x7f]",
            "0xf8bd",
            Some(0xf8bd),
            "mon-0",
        ),
        (
            "\"main\" #3 [94776] prio=5 os_prio=0 cpu=47.00ms elapsed=3.58s tid=0x7f nid=94776 waiting on condition  [0x7f]",
            "94776",
            Some(94776),
            "main",
        ),
        (
            "\"F-1\" #24 [94814] daemon prio=5 os_prio=0 cpu=1.00ms elapsed=1.00s tid=0x7f  [0x7f]",
            "94814",
            Some(94814),
            "F-1",
        ),
        (
            "\"a \"quoted\" #7 name\" #9 prio=5 os_prio=0 tid=0x7f nid=0x9 runnable",
            "0x9",
            Some(9),
            "a \"quoted\" #7 name",
        ),
        ("\"n\" - Thread t@332", "332", None, "n"),
        (
            "\"pool-1-thread-2\" Id=76 WAITING on java.lang.Object@5a679233 owned by \"x\" Id=3",
            "76",
            None,
            "pool-1-thread-2",
        ),
    ] {
        let head = head(line);
        assert_eq!((head.thread.id.to_string(), head.thread.tid), (id.to_owned(), tid), "{line}");
        assert_eq!(head.thread.name.as_deref(), Some(name), "{line}");
        assert_eq!(head.unknown, None, "{line}");
    }
    assert_eq!(
        head("\"main\" #1 prio=5 os_prio=0 cpu=47.00ms elapsed=3s tid=0x1 nid=0x2 runnable").thread.cpu_us,
        Some(47_000)
    );
    assert_eq!(head("\"x\" #1 prio=5 shiny=3 tid=0x1 nid=0x2 runnable").unknown.as_deref(), Some("shiny=3"));
}

/// Of JetBrains' IDEs, which know no ids; a JVM that knows no id of the kernel's yet.
#[test]
fn an_id_of_0_is_none() {
    let below = b"     java.lang.Thread.State: BLOCKED\n on app.Log@5f5c2 owned by \"t\" Id=8\n";
    let ide = read("\"Timer #2\" prio=0 tid=0x0 nid=0x0 blocked", below).unwrap();
    assert_eq!(
        (ide.thread.id.to_string(), ide.thread.tid, ide.thread.handle),
        ("Timer #2".into(), None, None)
    );
    assert_eq!(ide.thread.name.as_deref(), Some("Timer #2"));
    assert!(ide.event.is_some());
    let jvm = head("\"n\" #20 prio=6 os_prio=0 tid=0x7f01 nid=0x0 runnable");
    assert_eq!(
        (jvm.thread.id.to_string(), jvm.thread.tid, jvm.thread.handle),
        ("#20".into(), None, Some(0x7f01))
    );
    assert!(jvm.event.is_none());
}

#[test]
fn rules_of_the_mixed_mode() {
    let java = b"\"a\" #12 prio=5 tid=0x1 nid=0x2beb runnable\n   java.lang.Thread.State: RUNNABLE\n";
    let head = read("----------------- 11243 -----------------", java).unwrap();
    assert_eq!((head.thread.tid, head.thread.name.as_deref(), head.more), (Some(11243), Some("a"), 43));
    let of_jvm =
        read("----------------- 11188 -----------------", b"0x00007f41b5143f16\tfutex + 0xc6\n").unwrap();
    assert_eq!((of_jvm.thread.tid, of_jvm.thread.name, of_jvm.more), (Some(11188), None, 0));
    assert!(read("----- 12 -----", b"GET /\n").is_none(), "a log");
    assert!(read("-----------------  lwp# 1 / thread# 1  -----", java).is_none(), "pstack of Solaris");
}

#[test]
fn a_name_with_a_line_break() {
    let more = b"b\" #12 prio=5 os_prio=0 tid=0x1 nid=0x2 runnable\n\tat x\n";
    let head = read("\"a", more).unwrap();
    assert_eq!((head.thread.name.as_deref(), head.more), (Some("a\nb"), 49));
    assert!(read("\"a", b"b\":\n").is_none());
    assert!(read("\"dl2\":", b"  waiting\n").is_none());
}

#[test]
fn a_name_that_has_fields_of_its_own() {
    let below =
        b"name\" #12 daemon prio=5 os_prio=0 cpu=7.00ms tid=0x7f01 nid=0x7196 runnable  [0x02]\n\tat x\n";
    let whole = read("\"a \"b\" tid=0x1", below).unwrap();
    assert_eq!(whole.thread.name.as_deref(), Some("a \"b\" tid=0x1\nname"));
    assert_eq!((whole.thread.tid, whole.thread.cpu_us, whole.more), (Some(0x7196), Some(7_000), 84));
    // The next thread is another one, and so is prose.
    let next = b"\"name\" #12 prio=5 os_prio=0 tid=0x7f01 nid=0x7196 runnable\n";
    assert_eq!(read("\"a\" os_prio=0 tid=0x1 nid=0x2 runnable", next).unwrap().more, 0);
    assert_eq!(read("\"a\" os_prio=0 tid=0x1 nid=0x2 runnable", b"who is \"a\" #1?\n").unwrap().more, 0);
}
