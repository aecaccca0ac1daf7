use super::super::testing::{functions, holds, read_bytes, read_one, survives_logs, threads};
use crate::model::{FrameKind, LockId, ReportedState, StackEnd, ThreadIx};

const DUMP: &str = "Core file information:
state: t zombie: True niceness: 0
pid: 570 ppid: 1 sid: 1
uid: 0 gid: 0 pgrp: 570
executable: python3.11 arguments: python3.11 shop.py

The process died due a segmentation fault accessing address: 0x75bcd15
Traceback for thread 570 (shop (x) [y]) [Has the GIL,Garbage collecting] (most recent call last):
    (C) File \"???\", line 0, in _start ()
    (Python) File \"/srv/shop/service.py\", line 15, in rec
        rec(n-1)
      Arguments:
        n: 3
      Locals:
        with_lock: \"(Python) File\"
    (C) File \"Modules/gcmodule.c\", line 495, in std::f(int (*)(int)) (inlined) (/usr/lib/libpython3.8.so.1.0)

Traceback for thread 571 [Waiting for the GIL] (most recent call last):
    (Python) File \"/srv/shop/service.py\", line 20, in run
        time.sleep(1)
* - Unable to merge native stack due to insufficient native information - *

Traceback for thread 572 (InterpreterPool) (most recent call last):
  In the main interpreter []
    (Python) File \"/srv/shop/service.py\", line 20, in run
        ctx.run(f)
  In interpreter 2 [Has the GIL]
    (Python) File \"/srv/shop/applog.py\", line 23, in log_message
        with _log_lock:

The frame stack for thread 573 is empty
";

#[test]
fn threads_flags_and_frames() {
    let snapshot = read_one(DUMP);
    assert_eq!(snapshot.process.pid, Some(570));
    assert_eq!(snapshot.process.name.as_deref(), Some("python3.11"));
    let signal = snapshot.process.signal.as_ref().unwrap();
    assert_eq!((&*signal.name, signal.address), ("SIGSEGV", Some(0x75b_cd15)));
    let got = threads(&snapshot);
    assert_eq!(got.len(), 4);
    assert_eq!(got[0].1.as_deref(), Some("shop (x) [y]"));
    assert_eq!(got[0].2, ["std::f(int (*)(int))", "rec", "_start"]);
    let top = snapshot.stacks.get(snapshot.stacks.frames_of(snapshot.threads[0].stack)[0]);
    assert_eq!((top.kind, top.module.as_deref()), (FrameKind::Inlined, Some("/usr/lib/libpython3.8.so.1.0")));
    assert_eq!(snapshot.threads[0].reported, Some(ReportedState::Runtime));
    assert_eq!(holds(&snapshot, 0), [LockId::Token("GIL".into())]);
    assert_eq!(snapshot.threads[1].reported, Some(ReportedState::Runtime));
    assert_eq!(snapshot.threads[1].stack_end, StackEnd::Reported);
    // The source line says what leaves no frame.
    assert_eq!(functions(&snapshot, ThreadIx(2)), ["log_message", "run"]);
    assert_eq!(snapshot.threads[2].reported, Some(ReportedState::Blocked));
    assert_eq!(snapshot.gaps.iter().map(|g| g.message.clone()).collect::<Vec<_>>(), Vec::<String>::new());
}

#[test]
fn in_logs_and_damaged() {
    survives_logs(DUMP);
}

#[test]
fn a_debugger_stopped_it() {
    let text = DUMP.replace("a segmentation fault accessing address: 0x75bcd15", "receiving signal SIGSTOP");
    assert!(read_one(&text).process.signal.is_none());
    let text = text.replace("SIGSTOP", "SIGBUS sent by pid 1");
    assert_eq!(&*read_one(&text).process.signal.unwrap().name, "SIGBUS");
}

#[test]
fn how_it_died_without_the_core_above_it() {
    let (_, died) = DUMP.split_once("\n\n").unwrap();
    let signal = read_one(died).process.signal.unwrap();
    assert_eq!((&*signal.name, signal.address), ("SIGSEGV", Some(0x75b_cd15)));
    // Of the next report, and not of the one above it.
    let (_, threads) = died.split_once('\n').unwrap();
    let signals: Vec<_> = read_bytes(format!("{threads}\n{died}").as_bytes())
        .iter()
        .map(|s| s.process.signal.is_some())
        .collect();
    assert_eq!(signals, [false, true]);
}

#[test]
fn reports_one_after_the_other() {
    let one = "$ pystack remote 5\nTraceback for thread 5 (x) [] (most recent call last):\n    (Python) File \"a.py\", line 1, in f\n        f()\n";
    assert_eq!(read_bytes(format!("{one}\n{one}").as_bytes()).len(), 2);
    let next = one.replace("[]", "[Parked by the made-up scheduler]");
    assert!(read_one(&next).gaps.iter().any(|g| g.message.contains("Parked by")));
}

/// What a newer release adds to a header is counted, and each thread keeps its own frames.
#[test]
fn what_is_new_in_a_header_is_counted() {
    let dump = |second: &str| {
        format!(
            "Traceback for thread 5 (till) [Has the GIL] (most recent call last):\n    (Python) File \"a.py\", line 1, in f\n\n\
             Traceback for thread 6{second}\n    (Python) File \"a.py\", line 2, in g\n"
        )
    };
    for (second, name, state, unknown) in [
        (
            " (till) [Waiting for the GIL] {core 3} (most recent call last):",
            "till",
            ReportedState::Runtime,
            "{core 3}",
        ),
        (" (a) b) #3 [Waiting for the GIL] (most recent call last):", "a) b", ReportedState::Runtime, "#3"),
        (" (till) [Waiting for the GIL] (oldest first):", "till", ReportedState::Runtime, "(oldest first):"),
        (" (till) [Dozing] (most recent call last):", "till", ReportedState::Unclear, "Dozing"),
    ] {
        let snapshot = read_one(&dump(second));
        let got: Vec<_> = threads(&snapshot).into_iter().map(|(id, _, frames)| (id, frames)).collect();
        assert_eq!(got, [("5".into(), vec!["f".to_owned()]), ("6".into(), vec!["g".into()])], "{second}");
        assert_eq!(snapshot.threads[1].name.as_deref(), Some(name), "{second}");
        assert_eq!(snapshot.threads[1].reported, Some(state), "{second}");
        let gaps: Vec<_> = snapshot.gaps.iter().map(|g| (g.count, g.message.ends_with(unknown))).collect();
        assert_eq!(gaps, [(1, true)], "{second}: {:?}", snapshot.gaps);
    }
    // Where every header has it.
    let all =
        dump(" (till) [] {core 1} (most recent call last):").replace("(till) [Has the GIL]", "{core 2}");
    assert_eq!(read_one(&all).threads.len(), 2);
    // The source line says more than a word that is not known.
    let text = dump(" (till) [Dozing] (most recent call last):") + "        with order_lock:\n";
    assert_eq!(read_one(&text).threads[1].reported, Some(ReportedState::Blocked));
}

#[test]
fn talk_is_no_dump() {
    for text in ["Traceback for thread 5 was asked\n", "Traceback for thread x (most recent call last):\n"] {
        assert!(read_bytes(text.as_bytes()).is_empty(), "{text}");
    }
}
