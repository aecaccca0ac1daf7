use super::line::{MOST, stack};
use super::*;
use crate::model::{Frame, ReportedState, Snapshot};

fn detected(text: &str) -> Option<Vec<Snapshot>> {
    let bytes = bytes::Bytes::copy_from_slice(text.as_bytes());
    let content = crate::formats::detect::detect(&bytes, None)?;
    Some(crate::formats::detect::read(&content, &bytes, &"dump".into()))
}

fn leaf(snapshot: &Snapshot) -> Frame {
    let frames = snapshot.stacks.frames_of(snapshot.threads[0].stack);
    snapshot.stacks.get(frames[0]).clone()
}

#[test]
fn lines() {
    assert_eq!(stack("a;b;c 42"), Some(("a;b;c", 42)));
    assert_eq!(stack("python3;std::map<int, long> ;f 27.5"), Some(("python3;std::map<int, long> ;f", 28)));
    assert_eq!(stack("a;b 3 5"), Some(("a;b", 5)));
    for line in ["a;b", "a 5", "1;2;3 4", "2024-01-01;;12 3", "x;y -3", "", "; 1"] {
        assert_eq!(stack(line), None, "{line}");
    }
}

#[test]
fn roots_and_annotations() {
    let snapshots =
        detected("iperf-27409/28741;[unknown];sys_recv_[k] 7\niperf-27409/28742;main;tiny_[i] 1\n")
            .expect("folded");
    let snapshot = &snapshots[0];
    assert_eq!((snapshot.listing, snapshot.total()), (Listing::Samples, 8));
    assert_eq!(snapshot.threads[0].name.as_deref(), Some("iperf"));
    let frame = leaf(snapshot);
    assert_eq!((frame.function.as_deref(), frame.module.as_deref()), (Some("sys_recv"), Some("[kernel]")));
}

#[test]
fn logs_cuts_and_talk() {
    let logged = "[2025-03-14 02:26:53,398] INFO  cache: 512 entries, 69 evicted\n[2025-03-14 02:28:16,550] ERROR a;b;c 45\n[2025-03-14 02:28:16,550] ERROR a;b;d 4\n[2025-03-14 02:28:16,551] ERROR a;b;e 1\n";
    assert_eq!(detected(logged).expect("folded")[0].total(), 50);
    let cut = detected("a;b;c 45\na;b;d 4\na;b").expect("folded");
    assert!(cut[0].gaps.has(GapKind::Truncated));
    let huge = detected("a;b 18446744073709551615\nc;d 99999999999999999999999\ne;f 1\n").expect("folded");
    assert!(huge[0].total() <= MOST);
    for text in ["a line\nanother; one\n", "x;y;z\n1;2;3 4\n", "one\ntwo\nthree;four 5\n", ""] {
        assert!(detected(text).is_none(), "{text}");
    }
}

/// Quoted, printed by containers, in JSON and in Markdown: the same stacks.
#[test]
fn what_stands_ahead_of_a_stack_is_no_frame() {
    let text = "main;run loop;write 30\nmain;run loop;lock 420\njava;run;inlined_[i] 12\n";
    let shown = |text: &str| {
        let snapshots = detected(text).unwrap_or_default();
        let Some(snapshot) = snapshots.first() else { return Vec::new() };
        let stack = |thread: &crate::model::Thread| {
            let frames = snapshot.stacks.frames_of(thread.stack).iter();
            frames.map(|f| snapshot.stacks.get(*f).function.clone()).collect::<Vec<_>>()
        };
        snapshot.threads.iter().map(|thread| (stack(thread), thread.weight)).collect::<Vec<_>>()
    };
    let expected = shown(text);
    assert_eq!(expected.len(), 3);
    let with = |form: &dyn Fn(&str) -> String| text.lines().map(form).collect::<Vec<_>>().join("\n") + "\n";
    let json = |line: &str| serde_json::to_string(line).unwrap_or_default();
    for written in [
        with(&|line| format!("> {line}")),
        with(&|line| format!(">> {line}")),
        with(&|line| format!("| {line}")),
        with(&|line| format!("web-1  | {line}")),
        with(&|line| format!("[pod/web-1/app] {line}")),
        with(&|line| format!("{{\"log\":{},\"stream\":\"stdout\"}}", json(&format!("{line}\n")))),
        with(&|line| format!("{{\"level\": \"info\", \"message\": {}}}", json(line))),
        format!("{{\"log\": {}}}", json(text)),
        format!("Here it is:\n\nas I said\n\n```\n{text}```\n\nthanks\n\nand bye\n"),
    ] {
        assert_eq!(shown(&written), expected, "{written}");
    }
}

#[test]
fn tables_and_prose_are_no_stacks() {
    for text in [
        // An access log with `%D`.
        "10.0.0.1 - - [12/Mar/2024:10:11:12 +0000] \"GET / HTTP/1.1\" 200 612 \"-\" \"Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:15.0) Gecko/20100101 Firefox/15.0\" 1234\n",
        "Date;Purpose;Amount EUR\n01.02.2024;Rent February;Account 12\n03.02.2024;Food Market;Branch 445\n",
        "&nbsp;&nbsp;Team A 23\n&nbsp;&nbsp;Team B 17\n",
        "frame #&#8203;0: 0x0000000000400754 a.out`step_out_of_here() + 4\nframe #&#8203;1: 0x0000000000400764 a.out`main + 23\n",
        "2024-03-12 10:11:12 WARN  cookie JSESSIONID=abc; Path=/; HttpOnly; Max-Age 3600\n",
        "Via: SIP/2.0/UDP host;branch=z9hG4bK776;rport 5060\nContact: <sip:bob@x;transport=udp>;expires 3600\n",
        "\tmovl\t$0, %eax\t; frame 0\n\tpushq\t%rbp ; slot 8\n",
        "for (i = 0; i < n; i++) return 1\n",
        "2024-03-12 10:11:12 INFO  job import; rows read; errors 3\n2024-03-12 10:11:13 INFO  job export; rows written; errors 0\n",
    ] {
        assert!(detected(text).is_none(), "{text}");
    }
    for text in [
        "a;b 1\nc;d 2\ne;f 3\n",
        "java;std::map<int, long>::f(int, char);g 2\n",
        "# a comment\nmain thread;f g;h 3\nmain thread;f g 1\n",
    ] {
        assert!(detected(text).is_some(), "{text}");
    }
}

#[test]
fn one_piece_or_many() {
    let mut text = String::new();
    for n in 0..60 {
        text += &format!("swapper-{n}/7;main;f{};g 3\nw;main;h;g{} 2\n", n % 7, n % 5);
        text += if n % 9 == 4 { "no stack\n" } else { "" };
    }
    let path = "x".into();
    let section = Section::new(&path, text.len() as u64, text.as_bytes(), &[], Vec::new());
    let shown = |size: usize| {
        let snapshots = parse_in_pieces(&section, size);
        let one = |s: &Snapshot| {
            let stacks: Vec<_> = s.threads.iter().map(|t| s.stacks.frames_of(t.stack)).collect();
            format!("{:?}{stacks:?}{:?}{:?}", s.threads, s.stacks.all_frames(), s.gaps)
        };
        (snapshots.iter().map(Snapshot::total).sum::<u64>(), snapshots.iter().map(one).collect::<String>())
    };
    let whole = shown(1 << 20);
    assert_eq!(whole.0, 60 * 5);
    for size in [1, 100, 500] {
        assert!(piece::cut(text.as_bytes(), size).len() > 2);
        assert!(shown(size) == whole, "{size}");
    }
}

/// One stack of several commands, of a thread that waits, and of the idle task are several records.
#[test]
fn a_record_is_a_stack_a_command_and_a_state() {
    let text = "a-1;x;y 3\nb-1;x;y 1\na-2/7;x;y 4\nx;y 2\nx;y;[lock-wait m] 5\nx;y 1\nswapper-0;x;y 6\nx;[running] 9\n";
    let snapshot = &detected(text).expect("folded")[0];
    let told: Vec<_> = snapshot
        .threads
        .iter()
        .map(|thread| (thread.name.as_deref(), thread.reported, thread.weight, thread.stack))
        .collect();
    let (running, stack) = (Some(ReportedState::Running), snapshot.threads[0].stack);
    let other = snapshot.threads[5].stack;
    assert_eq!(
        told,
        [
            (Some("a"), running, 7, stack),
            (Some("b"), running, 1, stack),
            (None, running, 3, stack),
            (None, None, 5, stack),
            (Some("swapper"), None, 6, stack),
            (None, None, 9, other),
        ]
    );
    assert_eq!((snapshot.stacks.frames_of(stack).len(), snapshot.stacks.frames_of(other).len()), (2, 1));
    assert_eq!(snapshot.stacks.all_frames().len(), 2, "commands and states are no calls");
}
