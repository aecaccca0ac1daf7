//! Dumps in what carries them, from the bytes to the threads.

use serde_json::json;

use crate::formats::testing::{holds, read, read_one, threads};
use crate::model::Snapshot;

const PY_SPY: &str = "Thread 0x7F768F77C740 (idle): \"MainThread\"
    wait (threading.py:295)
    run (ledger.py:13)
Thread 0x7F76848B4700 (active): \"Thread-6\"
    poll (ledger.py:76)
";

const JSTACK: &str = "Full thread dump OpenJDK 64-Bit Server VM (17.0.9+9 mixed mode):

\"closing\" #21 prio=5 os_prio=0 tid=0x00007f1a08001000 nid=0x4d15 runnable [0x00007f1a0c5fe000]
   java.lang.Thread.State: RUNNABLE
\tat app.Ledger.close(Ledger.java:20)
\t- locked <0x00000000d6098c30> (a app.Ledger)
\tat app.Main.run(Main.java:7)

\"page-1\" #22 prio=5 os_prio=0 tid=0x00007f1a08002000 nid=0x4d16 waiting for monitor entry [0x00007f1a0c4fe000]
   java.lang.Thread.State: BLOCKED (on object monitor)
\tat app.Ledger.open(Ledger.java:9)
\t- waiting to lock <0x00000000d6098c30> (a app.Ledger)
\tat app.Main.run(Main.java:8)

";

const GO: &str = "goroutine 7 [semacquire, 3 minutes]:
sync.(*Mutex).Lock(0xc0000104c8)
\t/usr/local/go/src/sync/mutex.go:90 +0x25
main.work(0x1)
\t/src/main.go:15 +0x30

goroutine 8 [select]:
main.serve()
\t/src/main.go:21 +0x5a

";

fn same(carried: &str, plain: &str) -> Snapshot {
    let snapshot = read_one(carried);
    let plain = read_one(plain);
    assert_eq!(threads(&snapshot), threads(&plain), "{carried}");
    let gaps = |s: &Snapshot| s.gaps.iter().map(|gap| gap.message.clone()).collect::<Vec<_>>();
    assert_eq!(gaps(&snapshot), gaps(&plain), "{carried}");
    snapshot
}

#[test]
fn under_whatever_key_a_line_stands() {
    for plain in [PY_SPY, JSTACK, GO] {
        for key in ["log", "msg", "message", "textPayload"] {
            let line = |text: &str| format!("{}\n", json!({"k": {"pod": "x"}, key: text, "level": "info"}));
            let log: String = plain.lines().map(line).collect();
            same(&log, plain);
            let coloured: String = plain.lines().map(|l| line(&format!("\u{1b}[36m{l}\u{1b}[0m"))).collect();
            same(&coloured, plain);
            // A log of a container with a logger's in it.
            let twice: String = log
                .lines()
                .map(|l| format!("{}\n", json!({"log": format!("{l}\n"), "stream": "stdout"})))
                .collect();
            same(&twice, plain);
            same(&line(plain), plain);
        }
    }
}

#[test]
fn a_cut_line_is_one_line() {
    let long = JSTACK.replace("app.Ledger.open(", &format!("app.{}.open(", "a".repeat(3000)));
    let pieces = |line: &str| -> Vec<(String, bool)> {
        let parts: Vec<&[u8]> = line.as_bytes().chunks(1400).collect();
        let text = |part: &&[u8]| String::from_utf8(part.to_vec()).unwrap();
        match parts.as_slice() {
            [] => vec![(String::new(), true)],
            [first @ .., last] => {
                first.iter().map(|p| (text(p), false)).chain([(text(last), true)]).collect()
            }
        }
    };
    let all: Vec<(String, bool)> = long.lines().flat_map(pieces).collect();
    assert!(all.iter().any(|(_, is_last)| !is_last));
    let docker = |(text, is_last): &(String, bool)| {
        let end = if *is_last { "\n" } else { "" };
        format!(
            "{}\n",
            json!({"log": format!("{text}{end}"), "stream": "stdout", "time": "2026-05-01T10:00:00Z"})
        )
    };
    same(&all.iter().map(docker).collect::<String>(), &long);
    let cri = |(text, is_last): &(String, bool)| {
        format!("2026-05-01T10:00:00.000000000Z stdout {} {text}\n", if *is_last { "F" } else { "P" })
    };
    same(&all.iter().map(cri).collect::<String>(), &long);
}

/// Lines of texts in turns.
fn in_turns(texts: &[(&str, &str)]) -> String {
    let most = texts.iter().map(|(_, text)| text.lines().count()).max().unwrap();
    let line = |n: usize| {
        texts.iter().filter_map(move |(name, text)| Some(format!("{name}{}\n", text.lines().nth(n)?)))
    };
    (0..most).flat_map(line).collect()
}

#[test]
fn services_in_turns_are_read_one_by_one() {
    let forms = [
        ["app-1  | ", "db     | "],
        ["[pod/app-7d-x2/app] ", "[pod/web-5c-z9/web] "],
        ["app-7d-x2 app ", "web-5c-z9 web "],
        ["May  1 10:00:00 host app[12]: ", "May  1 10:00:00 host web[7]: "],
        ["\u{1b}[36mapp-1  | \u{1b}[0m", "\u{1b}[33mweb-1  | \u{1b}[0m"],
    ];
    for [app, web] in forms {
        let log = in_turns(&[(app, JSTACK), (web, GO)]);
        let both = read(&log);
        let [java, go] = both.as_slice() else { panic!("{} dumps in {log}", both.len()) };
        assert_eq!(threads(java), threads(&read_one(JSTACK)), "{log}");
        assert_eq!(threads(go), threads(&read_one(GO)), "{log}");
        assert_eq!(holds(java, 0).len(), 1);
        assert!(java.is_complete && go.is_complete && java.gaps.is_empty() && go.gaps.is_empty(), "{log}");
        if !app.starts_with('\u{1b}') {
            assert!(log[java.source.offset as usize..].starts_with(app), "{}", java.source.offset);
            assert!(log[go.source.offset as usize..].starts_with(web), "{}", go.source.offset);
        }
    }
    // Two of one format, and lines of a logger behind the names.
    let json = |text: &str| text.lines().map(|l| format!("{}\n", json!({"msg": l}))).collect::<String>();
    let other = GO.replace("goroutine 7", "goroutine 9");
    let log = in_turns(&[("a-1  | ", &json(GO)), ("b-1  | ", &json(&other))]);
    let both: Vec<_> = read(&log).iter().map(threads).collect();
    assert_eq!(both, [threads(&read_one(GO)), threads(&read_one(&other))]);
    let alone = in_turns(&[("a-1  | ", &json(PY_SPY))]);
    assert_eq!(threads(&read_one(&alone)), threads(&read_one(PY_SPY)));
}

#[test]
fn streams_that_cannot_be_told_apart_are_a_gap() {
    let log = in_turns(&[("{app} 7 INFO ", JSTACK), ("{web} 7 INFO ", GO)]);
    let all = read(&log);
    assert!(!all.is_empty());
    assert!(
        all.iter()
            .any(|s| !s.is_complete && s.gaps.iter().any(|gap| gap.message.contains("several streams")))
    );
    let alone = in_turns(&[("{app} 7 INFO ", JSTACK)]);
    assert!(read_one(&alone).is_complete);
}

/// A traceback that a logger was given is none of a process that ended.
#[test]
fn what_a_logger_tells_of_was_caught() {
    let traceback = "Traceback (most recent call last):\n  File \"/srv/app.py\", line 3, in <module>\n    main()\nKeyError: 7";
    assert_eq!(read(traceback).len(), 1);
    let record = json!({"levelname": "ERROR", "message": format!("task failed\n{traceback}")});
    assert!(read(&format!("{record}\n")).is_empty());
    let record = json!({"level": "error", "msg": traceback});
    assert!(read(&format!("{record}\n")).is_empty());
    let record = json!({"message": "task failed", "exc_info": traceback});
    assert!(read(&format!("{record}\n")).is_empty());
}

#[test]
fn a_mail_and_a_page_are_undone() {
    let mail: String = JSTACK
        .replace('=', "=3D")
        .lines()
        .flat_map(|line| {
            let parts: Vec<String> =
                line.as_bytes().chunks(70).map(|p| String::from_utf8_lossy(p).into_owned()).collect();
            [parts.join("=\n"), "\n".into()]
        })
        .collect();
    // No cut within `=3D`.
    assert!(!mail.contains("=\n3D") && !mail.contains("=3=\nD"));
    same(&mail, JSTACK);
    let colours: String =
        JSTACK.lines().map(|l| format!("#033[36m{}#033[0m#012", l.replace('\t', "#011"))).collect();
    same(&format!("May  1 10:00:00 host app[12]: {colours}\n"), JSTACK);
}
