use crate::formats::testing::{functions, read, survives_logs};
use crate::model::{FailureKind, GapKind, Snapshot, ThreadIx};

const AT_START: &str = "fatal error: runtime: cannot allocate heap metadata

runtime stack:
runtime.throw({0x4a1c60, 0x2a})
\t/usr/local/go/src/runtime/panic.go:1023 +0x5c
runtime.mallocinit()
\t/usr/local/go/src/runtime/malloc.go:441 +0x1d2
runtime.schedinit()
\t/usr/local/go/src/runtime/proc.go:785 +0x99
";

const LATER: &str = "fatal error: unexpected signal during runtime execution
[signal SIGSEGV: segmentation violation code=0x1 addr=0x10 pc=0x46ab01]

runtime stack:
runtime.throw({0x4a1c60, 0x2a})
\t/usr/local/go/src/runtime/panic.go:1023 +0x5c
runtime.sigpanic()
\t/usr/local/go/src/runtime/signal_unix.go:895 +0x285
";

const GOROUTINE: &str = "
goroutine 7 [running]:
main.pay(...)
\t/src/till/main.go:31
main.main()
\t/src/till/main.go:12 +0x20
";

/// Why each of them ended, whether a goroutine did it, and how many threads it has.
fn ends(snapshots: &[Snapshot]) -> Vec<(Option<String>, Option<ThreadIx>, usize)> {
    let end = |s: &Snapshot| {
        let failure = s.process.failure.as_ref();
        (failure.map(|f| f.message.to_string()), failure.and_then(|f| f.thread), s.threads.len())
    };
    snapshots.iter().map(end).collect()
}

fn of(message: &str, thread: Option<ThreadIx>) -> (Option<String>, Option<ThreadIx>, usize) {
    (Some(message.to_owned()), thread, 1)
}

const METADATA: &str = "runtime: cannot allocate heap metadata";
const SIGNAL: &str = "unexpected signal during runtime execution";

#[test]
fn the_next_process_has_its_own_panic() {
    for (first, message) in [(AT_START, METADATA), (LATER, SIGNAL)] {
        let text = format!("{first}till 7 opened\npanic: no drawer\n{GOROUTINE}exit status 2\n");
        let snapshots = read(&text);
        assert_eq!(ends(&snapshots), [of(message, None), of("no drawer", Some(ThreadIx(0)))]);
        assert_eq!(snapshots[1].process.failure.as_ref().map(|f| f.kind), Some(FailureKind::Panic));
        assert_eq!(functions(&snapshots[1], ThreadIx(0)), ["main.pay", "main.main"]);
        assert!(!snapshots[1].gaps.has(GapKind::Truncated));
        assert_eq!(functions(&snapshots[0], ThreadIx(0))[0], "runtime.throw");
        assert!(!snapshots[0].is_complete && snapshots[0].gaps.has(GapKind::Truncated));
        let at = text.find("goroutine 7").unwrap() as u64;
        assert_eq!(snapshots[1].source.offset, at);
    }
}

#[test]
fn whoever_is_asked_later_did_not_fail() {
    let asked = format!("SIGQUIT: quit\nPC=0x46ab01 m=0 sigcode=0\n{GOROUTINE}");
    let snapshots = read(&format!("{LATER}{asked}"));
    assert_eq!(ends(&snapshots), [of(SIGNAL, None), (None, None, 1)]);
    assert_eq!(snapshots[0].process.signal.as_ref().map(|s| &*s.name), Some("SIGSEGV"));
    assert_eq!(snapshots[1].process.signal.as_ref().map(|s| &*s.name), Some("SIGQUIT"));
    // Of a process that had no goroutine yet there is none to come.
    assert_eq!(ends(&read(&format!("{AT_START}{GOROUTINE}"))), [of(METADATA, None), (None, None, 1)]);
}

#[test]
fn fatal_errors_one_after_the_other() {
    let asleep = "all goroutines are asleep - deadlock!";
    let second = format!("fatal error: {asleep}\n{}", GOROUTINE.replace("running", "chan receive"));
    let both = [of(SIGNAL, None), of(asleep, None)];
    assert_eq!(ends(&read(&format!("{LATER}{second}"))), both);
    // Each with a stack of its own.
    let text = format!("{AT_START}{AT_START}{LATER}{GOROUTINE}");
    let last = of(SIGNAL, Some(ThreadIx(0)));
    assert_eq!(ends(&read(&text)), [of(METADATA, None), of(METADATA, None), last]);
    // After `go run` has said that the process is over, another one follows.
    let memory = format!("fatal error: out of memory\n{GOROUTINE}");
    let both = [of(SIGNAL, None), of("out of memory", Some(ThreadIx(0)))];
    assert_eq!(ends(&read(&format!("{LATER}exit status 2\n{memory}"))), both);
    // And one at the end of a text.
    let text = format!("panic: no drawer\n{GOROUTINE}exit status 2\n{AT_START}");
    assert_eq!(ends(&read(&text)), [of("no drawer", Some(ThreadIx(0))), of(METADATA, None)]);
}

#[test]
fn a_fatal_error_below_a_stack_is_the_next_process_unless_something_says_otherwise() {
    let memory = format!("fatal error: out of memory\n{GOROUTINE}");
    let both = [of(SIGNAL, None), of("out of memory", Some(ThreadIx(0)))];
    for between in ["", "\n", "till 7 opened\n"] {
        assert_eq!(ends(&read(&format!("{LATER}{between}{memory}"))), both, "{between}");
        assert_eq!(ends(&read(&format!("{LATER}{between}{memory}{memory}"))).len(), 3, "{between}");
    }
    // Whoever has its turn tells of its signal.
    let (signal, _) = LATER.split_once("\n\n").unwrap();
    let text = format!("{LATER}{signal}\n{GOROUTINE}");
    assert_eq!(ends(&read(&text)), [of(SIGNAL, None), of(SIGNAL, Some(ThreadIx(0)))]);
    // A panic of the runtime is one failure with its fatal error, and cgo's with its signal.
    let panic = format!("panic: no drawer\nfatal error: panic holding locks\n{GOROUTINE}");
    assert_eq!(
        ends(&read(&format!("{LATER}{panic}"))),
        [of(SIGNAL, None), of("no drawer", Some(ThreadIx(0)))]
    );
    let cgo = "runtime/cgo: no room";
    let text = format!("{LATER}{cgo}\nSIGABRT: abort\nPC=0x1 m=4\n{GOROUTINE}");
    assert_eq!(ends(&read(&text)), [of(SIGNAL, None), of(cgo, Some(ThreadIx(0)))]);
    // Another thread of the process has its turn behind the goroutines.
    let elsewhere = "\ngoroutine 9 [running]:\n\tgoroutine running on other thread; stack unavailable\n";
    let own = "\ngoroutine 9 [running]:\nruntime.throw({0x4a1c60, 0x2a})\n\t/usr/local/go/src/runtime/panic.go:1023 +0x5c\n";
    let stack = LATER.split_once("\n\n").unwrap().1;
    for behind in [format!("{elsewhere}{own}"), format!("\n{stack}")] {
        let snapshots = read(&format!("{LATER}{memory}{behind}"));
        assert_eq!(snapshots[0].process.failure.as_ref().map(|f| &*f.message), Some(SIGNAL), "{behind}");
        assert_eq!(functions(&snapshots[0], ThreadIx(0)), ["main.pay", "main.main"], "{behind}");
    }
}

#[test]
fn one_process_stays_one() {
    let nested = "fatal error: unknown caller pc\npanic during panic\n";
    let stack = LATER.split_once("\n\n").unwrap().1;
    for text in [
        format!("{LATER}{GOROUTINE}"),
        format!("panic: a [recovered]\n\tpanic: b\n\n{stack}{GOROUTINE}"),
        format!("panic: a\nfatal error: panic holding locks\n\n{stack}{GOROUTINE}"),
        format!("{LATER}{nested}\n{stack}{GOROUTINE}"),
        format!("{LATER}panic during panic\nSIGSEGV: segmentation violation\nPC=0x1 m=0\n{GOROUTINE}"),
        // Another thread of the same process, before it waits for its turn.
        format!("{LATER}fatal error: unexpected signal during runtime execution\n{GOROUTINE}"),
        LATER.replace("runtime.sigpanic", "fatal error: out of memory\nruntime.sigpanic") + GOROUTINE,
        LATER.replace("()\n", "()\nfatal error: out of memory\n") + GOROUTINE,
        format!("{LATER}\n-----\n\nSIGQUIT: quit\nPC=0x1 m=1\n{GOROUTINE}"),
    ] {
        let snapshots = read(&text);
        assert_eq!(snapshots.len(), 1, "{text}");
        assert_eq!(functions(&snapshots[0], ThreadIx(0)), ["main.pay", "main.main"], "{text}");
        assert!(snapshots[0].process.failure.is_some());
        survives_logs(&text);
    }
}

/// A stack that is damaged makes the runtime fail while it prints the goroutines.
#[test]
fn what_fails_while_goroutines_are_printed_is_no_other_process() {
    let stack = LATER.split_once("\n\n").unwrap().1;
    let first = format!("fatal error: concurrent map writes\n{GOROUTINE}");
    let other = GOROUTINE.replace("7 [running]", "1 [chan receive]");
    for failed in [
        "runtime: g 7: unexpected return pc for main.pay called from 0x0\nfatal error: unknown caller pc\npanic during panic\n",
        "panic during panic\nSIGSEGV: segmentation violation\nPC=0x46ab01 m=0 sigcode=1\n",
    ] {
        let snapshots = read(&format!("{first}{failed}\n{stack}{other}"));
        let [snapshot] = snapshots.as_slice() else { panic!("{} dumps: {failed}", snapshots.len()) };
        let failure = snapshot.process.failure.as_ref().map(|f| (&*f.message, f.thread));
        assert_eq!(failure, Some(("concurrent map writes", Some(ThreadIx(0)))), "{failed}");
        assert_eq!((snapshot.threads.len(), &snapshot.process.signal), (2, &None), "{failed}");
        assert!(!snapshot.is_complete && snapshot.gaps.has(GapKind::Truncated), "{failed}");
    }
    // Without these words it is another one.
    assert_eq!(read(&format!("{first}fatal error: unknown caller pc\n{other}")).len(), 2);
}
