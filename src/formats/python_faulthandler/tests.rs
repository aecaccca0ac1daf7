use super::super::testing::{functions, read_bytes, read_one, survives_logs, threads};
use crate::model::{FailureKind, ReportedState, StackEnd, ThreadId, ThreadIx};

const DUMP: &str = "Fatal Python error: Segmentation fault

Current thread 0x00007f0311704001 (most recent call first):
  File \"/srv/shop/orders.py\", line 97 in read_header
  File \"/srv/shop/orders.py\", line 101 in parse_frame

Thread 0x00007f0311704002 [pool ] (most recent call first): 1] (most recent call first):
  File \"/usr/lib/python3.14/threading.py\", line 1044 in _bootstrap

Thread 0x00007f0311704003 (most recent call first):
  Garbage-collecting
  File ???, line ??? in ???
  ...

Thread 0x00007f0311704004 (most recent call first):
  <no Python frame>

Thread 0x00007f0311704005 (most recent call first):
  File \"/srv/shop/orders.py\", line 256 in <module>

Current thread's C stack trace (most recent call first):
  Binary file \"/opt/python\", at _Py_DumpStack+0x42 [0x5b27d4e0]
  <truncated rest of calls>

Extension modules: numpy.core._multiarray_umath (total: 1)
";

#[test]
fn a_crash_with_all_that_a_dump_may_have() {
    let snapshot = read_one(DUMP);
    let signal = snapshot.process.signal.as_ref().unwrap();
    assert_eq!((&*signal.name, signal.thread), ("SIGSEGV", Some(ThreadIx(0))));
    assert_eq!(snapshot.threads.len(), 5);
    assert_eq!(functions(&snapshot, ThreadIx(0)), ["read_header", "parse_frame"]);
    assert_eq!(snapshot.threads[0].handle, Some(0x7f03_1170_4001));
    assert_eq!(snapshot.threads[1].name.as_deref(), Some("pool ] (most recent call first): 1"));
    assert_eq!(snapshot.threads[2].reported, Some(ReportedState::Runtime));
    assert_eq!(snapshot.threads[2].stack_end, StackEnd::DepthLimit);
    assert_eq!(functions(&snapshot, ThreadIx(2)), ["??"]);
    assert!(functions(&snapshot, ThreadIx(3)).is_empty());
    let gaps: Vec<_> = snapshot.gaps.iter().map(|g| g.message.as_str()).collect();
    assert_eq!(gaps, ["frames of deep stacks were left out by the producer"]);
}

#[test]
fn the_message_stands_behind_what_a_test_runner_wrote() {
    let threads = DUMP.split_once("\n\n").unwrap().1;
    for before in [
        "collecting ... ",
        "tests/test_till.py ..FsX",
        "tests/test_till.py ",
        "tests/test_till.py::Till::test_pay[a-1] ",
        "....",
        "test_pay (tests.test_till.Till.test_pay) ... ",
        "(Till pid=344) ",
        "(pid=344, ip=10.0.0.7) ",
    ] {
        let of = |message: &str| {
            let text = format!("till 7 opened\n{before}{message}\n\n{threads}");
            read_one(&text).process
        };
        let signal = of("Fatal Python error: Segmentation fault").signal;
        assert_eq!(signal.map(|s| s.name.to_string()), Some("SIGSEGV".into()), "{before}");
        let failure = of("Windows fatal exception: access violation").failure.unwrap();
        assert_eq!((failure.kind, &*failure.message), (FailureKind::System, "access violation"), "{before}");
    }
    for before in
        ["I wonder why it says ", "It hangs ... ", "see tests/test_till.py ", "# ", "(my pid=?) ", "(pid=7 "]
    {
        let text = format!("{before}Fatal Python error: Segmentation fault\n\n{threads}");
        assert!(read_one(&text).process.signal.is_none(), "{before}");
    }
}

#[test]
fn frames_that_lost_their_indentation() {
    let text = "Thread 0x00007f0311704002 (most recent call first):
File \"/usr/lib/python3.12/threading.py\", line 359 in wait
File \"/srv/till/drawer.py\", line 98 in take

Current thread 0x00007f0311704003 (most recent call first):
File \"/srv/till/main.py\", line 14 in <module>
File \"/srv/till/main.py\", line 15, in of_another_form
";
    let snapshot = read_one(text);
    assert_eq!(functions(&snapshot, ThreadIx(0)), ["wait", "take"]);
    assert_eq!(functions(&snapshot, ThreadIx(1)), ["<module>"]);
}

#[test]
fn in_logs_and_damaged() {
    survives_logs(DUMP);
}

#[test]
fn one_log_with_several_dumps() {
    let dump = |id: &str| {
        format!(
            "Thread 0x{id} (most recent call first):\n  File \"a.py\", line 3 in work\n\n\
             Current thread 0x00aa (most recent call first):\n  File \"a.py\", line 9 in <module>\n"
        )
    };
    let text = format!("{}{}Timeout (0:00:05)!\n{}", dump("01"), dump("02"), dump("02"));
    let ids: Vec<Vec<String>> =
        read_bytes(text.as_bytes()).iter().map(|s| threads(s).into_iter().map(|t| t.0).collect()).collect();
    assert_eq!(ids, [["0x01", "0x00aa"], ["0x02", "0x00aa"], ["0x02", "0x00aa"]]);
    // `Current` is whoever the signal reached.
    assert!(read_bytes(text.as_bytes()).iter().all(|s| s.threads.iter().all(|t| !t.is_running)));
}

#[test]
fn limits_are_told() {
    let one = "Thread 0x01 (most recent call first):\n  File \"a.py\", line 3 in work\n...\n";
    let text = format!("{one}{}", one.replace("0x01", "0x02"));
    let snapshots = read_bytes(text.as_bytes());
    assert_eq!(snapshots.len(), 2);
    assert!(!snapshots[0].is_complete && !snapshots[1].is_complete);
}

#[test]
fn messages_of_the_end() {
    let failure = |line: &str| {
        let text = format!(
            "{line}\n\nCurrent thread 0x01 (most recent call first):\n  File \"a.py\", line 3 in work\n"
        );
        read_one(&text).process.failure.map(|f| (f.kind, f.message.to_string(), f.thread))
    };
    let first = Some(ThreadIx(0));
    assert_eq!(
        failure("Windows fatal exception: code 0xc0000374"),
        Some((FailureKind::System, "code 0xc0000374: the heap is damaged".into(), first))
    );
    assert_eq!(
        failure("Fatal Python error: PyEval_RestoreThread: NULL tstate"),
        Some((FailureKind::FatalError, "PyEval_RestoreThread: NULL tstate".into(), first))
    );
    // COM and RPC: somebody catches them.
    assert_eq!(failure("Windows fatal exception: code 0x8001010d"), None);
    assert_eq!(failure("Timeout (0:00:05)!"), None);
}

const TRACEBACK: &str = "Traceback (most recent call last):
  File \"/srv/shop/service.py\", line 256, in <module>
    main()
    ~~~~^^
  File \"/srv/shop/service.py\", line 110, in resolve
    return resolve(name + \".parent\", depth + 1)
  [Previous line repeated 994 more times]
RecursionError: maximum recursion depth exceeded
";

#[test]
fn the_traceback_that_ends_a_process() {
    let snapshot = read_one(TRACEBACK);
    assert_eq!(functions(&snapshot, ThreadIx(0)), ["resolve", "<module>"]);
    assert_eq!(snapshot.threads[0].id, ThreadId::Number(0));
    assert_eq!(snapshot.threads[0].frames_left_out, 994);
    let failure = snapshot.process.failure.unwrap();
    assert_eq!(failure.kind, FailureKind::UncaughtException);
    assert_eq!(&*failure.message, "RecursionError: maximum recursion depth exceeded");
    for after in
        ["", "\n", "shop_1 exited with code 1\n", "systemd[1]: shop.service: Main process exited, status=1\n"]
    {
        assert_eq!(read_bytes(format!("{TRACEBACK}{after}").as_bytes()).len(), 1, "{after}");
    }
    let logged: String = TRACEBACK.lines().map(|line| format!("web_1  | {line}\n")).collect();
    assert_eq!(threads(&read_one(&logged)), threads(&read_one(TRACEBACK)));
    let cut = &TRACEBACK[..TRACEBACK.find("[Prev").unwrap()];
    assert!(read_one(cut).process.failure.is_none());
}

#[test]
fn a_traceback_in_a_block_of_markdown() {
    let chain = format!("{GROUP}\n{DURING}\n\n{GROUP}");
    for (text, exception) in
        [(TRACEBACK, "RecursionError"), (GROUP, "ExceptionGroup"), (&chain, "ExceptionGroup")]
    {
        for after in ["```\n", "```", "\n```\n\nAny idea?\n2026-11-24 INFO no log of it\n"] {
            let text = format!("I get:\n\n```\n{text}{after}");
            let message = read_one(&text).process.failure.unwrap().message;
            assert!(message.starts_with(exception), "{text}: {message}");
        }
        // Within the block the log goes on.
        let text = format!("I get:\n\n```\n{text}2026-11-24 INFO request served\n```\n");
        assert!(read_bytes(text.as_bytes()).is_empty(), "{text}");
    }
}

#[test]
fn tracebacks_that_somebody_survived_are_no_dumps() {
    for text in [
        format!("{TRACEBACK}2026-11-24 INFO request served\n"),
        format!("{TRACEBACK}request served\n"),
        format!("Exception in thread Thread-3 (worker):\n{TRACEBACK}"),
        format!("Exception ignored in: <function f>\n{TRACEBACK}"),
        "the log says Traceback (most recent call last): and no more\n".into(),
        "Thread 0x12 was started\nStack of plates\nThread 0xzz (most recent call first):\n".into(),
    ] {
        assert!(read_bytes(text.as_bytes()).is_empty(), "{text}");
    }
    // Ctrl-C shows where it hung.
    let stopped = TRACEBACK.replace("RecursionError: maximum recursion depth exceeded", "KeyboardInterrupt");
    assert!(read_one(&stopped).process.failure.is_none());
}

#[test]
fn what_was_caught_and_logged_ended_nothing() {
    for above in [
        "[2026-03-01 10:00:00,348: ERROR/MainProcess] Task handler raised error: Ended(15)",
        "2026-03-01 10:00:00 shop WARNING no stock",
        "time=10:00 level=error msg=\"no stock\"",
        "10:00:00 [error    ] no stock",
    ] {
        assert!(read_bytes(format!("{above}\n{TRACEBACK}").as_bytes()).is_empty(), "{above}");
        let chain = format!("{above}\n{TRACEBACK}\n{}\n\n{TRACEBACK}", DURING);
        assert!(read_bytes(chain.as_bytes()).is_empty(), "{above}");
    }
    // It goes back to who caught it, and not to what the interpreter ran.
    let inner = TRACEBACK.replace("<module>", "inner");
    assert!(read_bytes(format!("Internal Server Error: /carts/\n{inner}").as_bytes()).is_empty());
    for above in ["10:00:00 INFO shop: ready", "listening on :8080", "Exceptional errors: 0"] {
        assert!(read_one(&format!("{above}\n{TRACEBACK}")).process.failure.is_some(), "{above}");
    }
    let child = TRACEBACK.replace("<module>", "_bootstrap");
    assert!(read_one(&format!("Process Process-3:\n{child}")).process.failure.is_some());
}

const DURING: &str = "During handling of the above exception, another exception occurred:";

const GROUP: &str = "  + Exception Group Traceback (most recent call last):
  |   File \"/srv/shop/service.py\", line 11, in <module>
  |     main()
  |   File \"/srv/shop/service.py\", line 10, in gather
  |     raise ExceptionGroup(\"orders failed\", errors)
  | ExceptionGroup: orders failed (2 sub-exceptions)
  +-+---------------- 1 ----------------
    | Traceback (most recent call last):
    |   File \"/srv/shop/service.py\", line 3, in load
    |     raise OSError(\"no such order\")
    | OSError: no such order
    +---------------- 2 ----------------
    | KeyError: 'price'
    +------------------------------------
";

#[test]
fn a_group_of_exceptions_that_nobody_caught() {
    let logged: String = GROUP.lines().map(|line| format!("web_1  | {line}\n")).collect();
    for text in [GROUP, &logged] {
        let snapshot = read_one(text);
        assert_eq!(functions(&snapshot, ThreadIx(0)), ["gather", "<module>"]);
        assert_eq!(
            &*snapshot.process.failure.unwrap().message,
            "ExceptionGroup: orders failed (2 sub-exceptions); OSError: no such order; KeyError: 'price'"
        );
    }
    assert!(read_bytes(format!("{GROUP}10:00 INFO next order\n").as_bytes()).is_empty());
    for end in 0..GROUP.len() {
        read_bytes(&GROUP.as_bytes()[..end]);
    }
}

const PYTEST: &str = "+++++++++++++++++++++++ Timeout ++++++++++++++++++++++++
~~~~~~~~~~~~~~~~~~~~~ Captured stdout ~~~~~~~~~~~~~~~~~~~~~~
~~~~~~~~~~~~ Stack of MainThread (140466836179840) ~~~~~~~~~~~~
  File \"/usr/lib/python3.11/runpy.py\", line 1, in <module>
    main()
  File \"/srv/shop/tests/test_order.py\", line 6, in test_order
    ready.wait()
~~~~~~~~~~~~ Stack of log writer (2) (140466794051264) ~~~~~~~~~~~~
  File \"/usr/lib/python3.11/threading.py\", line 982, in run
    self._target(*self._args, **self._kwargs)
  File \"/srv/shop/log.py\", line 5, in write
    with log_lock:
+++++++++++++++++++++++ Timeout ++++++++++++++++++++++++
";

#[test]
fn stacks_of_pytest_timeout() {
    let snapshot = read_one(PYTEST);
    let [(_, main, own), (id, name, writes)] = &threads(&snapshot)[..] else { panic!("two threads") };
    assert_eq!((main.as_deref(), own.join(" ")), (Some("MainThread"), "test_order <module>".into()));
    assert_eq!((id.as_str(), name.as_deref()), ("140466794051264", Some("log writer (2)")));
    assert_eq!(writes, &["write", "run"]);
    assert_eq!(snapshot.threads[1].reported, Some(ReportedState::Blocked));
    assert!(snapshot.gaps.is_empty(), "{:?}", snapshot.gaps);
    survives_logs(PYTEST);
    assert_eq!(read_bytes(format!("{PYTEST}FAILED\n{PYTEST}").as_bytes()).len(), 2);
    assert!(read_bytes(b"~ Stack of plates (7) falls ~\n").is_empty());
}

#[test]
fn of_a_chain_the_last_one_counts() {
    let chain = format!(
        "{}\nDuring handling of the above exception, another exception occurred:\n\n{TRACEBACK}",
        TRACEBACK.replace("RecursionError", "KeyError")
    );
    assert!(read_one(&chain).process.failure.unwrap().message.starts_with("RecursionError"));
}
