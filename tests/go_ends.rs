//! How processes of Go end: the place that is named, and what is advised.

mod common;

use common::{invariants, isolated, json};
use serde_json::Value;

/// The findings of a text.
fn findings(text: &str) -> Vec<Value> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("go.log");
    std::fs::write(&file, text).expect("a file");
    let report = json(&[file], &isolated());
    let broken = invariants::broken(&report);
    assert!(broken.is_empty(), "{broken:#?}");
    report["findings"].as_array().expect("findings").clone()
}

/// The finding of this rule: its title and its advice.
fn told(text: &str, rule: &str) -> (String, String) {
    let all = findings(text);
    let finding = all.iter().find(|f| f["rule"] == rule).unwrap_or_else(|| panic!("no {rule}: {all:#?}"));
    (finding["title"].as_str().expect("a title").to_owned(), finding["advice"].to_string())
}

#[test]
fn a_map_of_two_goroutines_is_the_fault_of_whoever_calls_the_runtime() {
    let tops = [
        "runtime.throw(0x6df750, 0x15)\n\t/usr/local/go/src/runtime/panic.go:605 +0x95\n\
         runtime.mapassign_faststr(0x685f40, 0xc420078ea0)\n\t/usr/local/go/src/runtime/hashmap_fast.go:685 +0x4da\n",
        "internal/runtime/maps.fatal({0x5b2d3c?, 0x0?})\n\t/usr/local/go/src/runtime/panic.go:1058 +0x18\n",
        "internal/runtime/maps.fatal({0x5b2d3c?, 0x0?})\n\t/usr/local/go/src/runtime/panic.go:1058 +0x18\n\
         internal/runtime/maps.(*Map).PutSlot(0xc0, 0xc1)\n\t/usr/local/go/src/internal/runtime/maps/map.go:5 +0x1\n\
         runtime.mapassign_faststr(0x51e2c0, 0xc00007c0c0)\n\t/usr/local/go/src/runtime/map_swiss.go:263 +0x2b\n",
    ];
    for top in tops {
        let text = format!(
            "fatal error: concurrent map writes\n\ngoroutine 35 [running]:\n{top}\
             main.book(0x1)\n\t/src/till/main.go:12 +0x65\ncreated by main.main\n\t/src/till/main.go:20 +0x3c\n"
        );
        let (title, advice) = told(&text, "crash");
        assert!(title.contains("in main.book: fatal error: concurrent map writes"), "{title}");
        assert!(advice.contains("mutex") && advice.contains("-race"), "{advice}");
    }
}

#[test]
fn a_nil_pointer_is_looked_for_at_its_line() {
    let text = "panic: runtime error: invalid memory address or nil pointer dereference
[signal SIGSEGV: segmentation violation code=0x1 addr=0xa0 pc=0x4d0ca6]

goroutine 7 [running]:
main.(*Till).Close(0x0)
\t/src/till/main.go:45 +0x26
main.main()
\t/src/till/main.go:15 +0x2f
";
    let (title, advice) = told(text, "crash");
    assert!(title.contains("in main.(*Till).Close"), "{title}");
    assert!(advice.contains("what is nil") && !advice.contains("sanitize"), "{advice}");
    // A fault in C is one of C.
    let in_c = "SIGSEGV: segmentation violation
PC=0x1a2c29c20 m=16 sigcode=2
signal arrived during cgo execution

goroutine 21 [syscall]:
runtime.cgocall(0x104abe4ac, 0x1400246ff28)
\t/usr/local/go/src/runtime/cgocall.go:157 +0x44
main.read(0x1)
\t/src/till/main.go:9 +0x44
";
    assert!(told(in_c, "crash").1.contains("sanitize"));
}

#[test]
fn where_all_are_asleep_each_is_looked_at() {
    let text = "fatal error: all goroutines are asleep - deadlock!

goroutine 1 [semacquire]:
sync.runtime_SemacquireMutex(0xc0000564c8, 0x0)
\t/usr/local/go/src/runtime/sema.go:71 +0x44
sync.(*Mutex).Lock(0xc0000564c4)
\t/usr/local/go/src/sync/mutex.go:134 +0x110
example.com/till.(*Drawer).Open(0xc0000564c0)
\t/src/till/drawer.go:118 +0x41
example.com/till.(*Drawer).Open(0xc0000564c0)
\t/src/till/drawer.go:120 +0x89
main.main()
\t/src/main.go:12 +0xea
";
    let (_, advice) = told(text, "crash");
    assert!(advice.contains("Every goroutine waits"), "{advice}");
    assert!(!advice.contains("does not say in which thread"), "{advice}");
    let (_, advice) = told(text, "self-deadlock");
    assert!(!advice.contains("Restart"), "it has ended: {advice}");
    let asked = text.replace("fatal error: all goroutines are asleep - deadlock!", "SIGQUIT: quit");
    assert!(told(&asked, "self-deadlock").1.contains("Restart the process"));
}

#[test]
fn what_cgo_said_is_the_reason() {
    let text = "runtime/cgo: pthread_create failed: Resource temporarily unavailable
SIGABRT: abort
PC=0x7f0a12c4e54c m=4 sigcode=18446744073709551610

goroutine 1 [select (no cases), 12 minutes]:
main.main()
\t/src/till/main.go:31 +0xdd3
";
    let (title, advice) = told(text, "crash");
    assert!(
        title.ends_with("runtime/cgo: pthread_create failed: Resource temporarily unavailable"),
        "{title}"
    );
    assert!(advice.contains("ulimit -u"), "{advice}");
}
