use super::*;
use crate::formats::testing::read;

const SYSTEM: &str = "SIGQUIT: quit
PC=0x46ab01 m=0 sigcode=0

goroutine 20 gp=0xc0000061c0 m=nil [sync.Mutex.Lock, 34 minutes]:
internal/sync.(*Mutex).lockSlow(0xc0001040e8)
\t/usr/local/go/src/internal/sync/mutex.go:149 +0x15d
internal/sync.(*Mutex).Lock(...)
\t/usr/local/go/src/internal/sync/mutex.go:70
main.logWrite({0x0, 0x0, {0x4d5c8a, 0x5}}, 0x0?, {0xc00003c6f0, ...})
\t/src/main.go:7 +0x7c fp=0xc00003a7e0 sp=0xc00003a7c8 pc=0x481af9
created by main.main in goroutine 1
\t/src/main.go:6 +0xed

goroutine 21 [running]:
\tgoroutine running on other thread; stack unavailable
created by main.main
\t/src/main.go:6 +0xed
exit status 2
";

#[test]
fn goroutines_with_states_waits_and_creators() {
    let snapshots = read(SYSTEM);
    let [snapshot] = snapshots.as_slice() else { panic!("one dump") };
    let first = &snapshot.threads[0];
    assert_eq!((first.id.to_string(), first.reported), ("20".into(), Some(ReportedState::Blocked)));
    assert_eq!(first.waited_us, Some(34 * 60_000_000));
    let creator = snapshot.stacks.get(first.creator.unwrap());
    assert_eq!((creator.function.as_deref(), creator.line), (Some("main.main"), Some(6)));
    let names: Vec<_> = snapshot
        .stacks
        .frames_of(first.stack)
        .iter()
        .map(|f| snapshot.stacks.get(*f).function.clone().unwrap().to_string())
        .collect();
    assert_eq!(names, ["internal/sync.(*Mutex).lockSlow", "internal/sync.(*Mutex).Lock", "main.logWrite"]);
    let wait = first.reported_wait.unwrap();
    assert_eq!(snapshot.named_locks[wait.lock.at()].id, crate::model::LockId::Address(0xc0001040e8));
    assert_eq!(snapshot.threads[1].reported, Some(ReportedState::Running));
}

#[test]
fn a_repeated_id_begins_another_dump() {
    let one = "goroutine 1 [select]:\nmain.main()\n\t/a.go:1 +0x1\n\ngoroutine 0 [idle]:\nf.g()\n\t/a.go:1\n\ngoroutine 0 [idle]:\nf.g()\n\t/a.go:1\n";
    let snapshots = read(&format!("{one}log line\n{one}"));
    assert_eq!(snapshots.iter().map(|s| s.threads.len()).collect::<Vec<_>>(), [3, 3]);
}

#[test]
fn a_panic_is_told() {
    let text = "panic: assignment to entry in nil map\n\ngoroutine 1 [running]:\nmain.f(...)\n\t/src/p.go:9\nmain.main()\n\t/src/p.go:5 +0x20\nexit status 2\n";
    let snapshots = read(text);
    let failure = snapshots[0].process.failure.clone().unwrap();
    assert_eq!(&*failure.message, "assignment to entry in nil map");
    assert_eq!((failure.kind, failure.thread), (FailureKind::Panic, Some(ThreadIx(0))));
    assert!(!snapshots[0].is_complete);
}

#[test]
fn talk_of_goroutines_is_no_dump() {
    for text in ["started goroutine 5 [worker] for x\n", "goroutine leak: 7 [chan]\n", "in goroutine 1\n"] {
        let bytes = bytes::Bytes::copy_from_slice(text.as_bytes());
        assert!(crate::formats::detect::detect(&bytes, None).is_none(), "{text}");
    }
}
