//! gdb's text through the public door. The texts are what gdb 13.1 printed for small programs, cut
//! to a few threads; where another version is meant, it is named.

use bytes::Bytes;
use logjam::formats::{self, detect};
use logjam::model::{FrameKind, GapKind, ReportedOwner, Snapshot, StackEnd, Thread, ThreadId};

/// `gdb -batch -p PID -ex 'thread apply all bt'`: a mutex, its holder, a signal handler.
const LIVE: &str = r#"[New LWP 22103]
[New LWP 22112]
[New LWP 22135]
[Thread debugging using libthread_db enabled]
Using host libthread_db library "/lib/x86_64-linux-gnu/libthread_db.so.1".
0x00007f40e5763df2 in __libc_pause () at ../sysdeps/unix/sysv/linux/pause.c:29
29	../sysdeps/unix/sysv/linux/pause.c: No such file or directory.

Thread 4 (Thread 0x7f40e16846c0 (LWP 22135) "jam"):
#0  0x00007f40e5763df2 in __libc_pause () at ../sysdeps/unix/sysv/linux/pause.c:29
#1  0x00005601bb3b43be in on_usr (s=10) at jam.c:21
#2  <signal handler called>
#3  __pthread_kill_implementation (threadid=<optimized out>, signo=signo@entry=10, no_tid=no_tid@entry=0) at ./nptl/pthread_kill.c:44
#4  0x00007f40e571af4f in __pthread_kill_internal (signo=10, threadid=<optimized out>) at ./nptl/pthread_kill.c:78
#5  0x00007f40e56cbfb2 in __GI_raise (sig=10) at ../sysdeps/posix/raise.c:26
#6  0x00005601bb3b43e0 in rec (n=0, f=0x5601bb3b43ae <on_usr>) at jam.c:22
#7  0x00005601bb3b43fb in rec (n=1, f=0x5601bb3b43ae <on_usr>) at jam.c:22
#8  0x00005601bb3b4422 in sig (a=0x0) at jam.c:23
#9  0x00007f40e57191f5 in start_thread (arg=<optimized out>) at ./nptl/pthread_create.c:442
#10 0x00007f40e57998ec in clone3 () at ../sysdeps/unix/sysv/linux/x86_64/clone3.S:81

Thread 3 (Thread 0x7f40e4e8b6c0 (LWP 22112) "a"b (LWP 1)]"):
#0  futex_wait (private=0, expected=2, futex_word=0x5601bb3b70a0 <g_log_mutex>) at ../sysdeps/nptl/futex-internal.h:146
#1  __GI___lll_lock_wait (futex=futex@entry=0x5601bb3b70a0 <g_log_mutex>, private=0) at ./nptl/lowlevellock.c:49
#2  0x00007f40e571c482 in lll_mutex_lock_optimized (mutex=0x5601bb3b70a0 <g_log_mutex>) at ./nptl/pthread_mutex_lock.c:48
#3  ___pthread_mutex_lock (mutex=0x5601bb3b70a0 <g_log_mutex>) at ./nptl/pthread_mutex_lock.c:93
#4  0x00005601bb3b421b in log_message (msg=0x7f40e4e8ae80 "msg \"1\" (LWP 7) at x, y", level=-1, p=..., neg=-1000) at jam.c:14
#5  0x00005601bb3b4359 in worker (a=0x1) at jam.c:18
#6  0x00007f40e57191f5 in start_thread (arg=<optimized out>) at ./nptl/pthread_create.c:442
#7  0x00007f40e57998ec in clone3 () at ../sysdeps/unix/sysv/linux/x86_64/clone3.S:81

Thread 2 (Thread 0x7f40e568c6c0 (LWP 22103) "jam"):
#0  __GI___libc_read (nbytes=1, buf=0x7f40e568becf, fd=3) at ../sysdeps/unix/sysv/linux/read.c:26
#1  __GI___libc_read (fd=3, buf=0x7f40e568becf, nbytes=1) at ../sysdeps/unix/sysv/linux/read.c:24
#2  0x00005601bb3b43a7 in holder (a=0x0) at jam.c:20
#3  0x00007f40e57191f5 in start_thread (arg=<optimized out>) at ./nptl/pthread_create.c:442
#4  0x00007f40e57998ec in clone3 () at ../sysdeps/unix/sysv/linux/x86_64/clone3.S:81

Thread 1 (Thread 0x7f40e568d740 (LWP 22098) "jam"):
#0  0x00007f40e5763df2 in __libc_pause () at ../sysdeps/unix/sysv/linux/pause.c:29
#1  0x00005601bb3b44ee in main (c=1, v=0x7fff611c1798) at jam.c:26
[Inferior 1 (process 22098) detached]
"#;

/// The listing of [`LIVE`] without what stands around it.
fn listing() -> &'static str {
    let start = LIVE.find("\nThread 4").unwrap();
    &LIVE[start..LIVE.find("[Inferior").unwrap()]
}

fn parse(text: impl AsRef<[u8]>) -> Vec<Snapshot> {
    let bytes = Bytes::copy_from_slice(text.as_ref());
    let content = detect::detect(&bytes, formats::find("gdb")).expect("gdb's text");
    detect::read(&content, &bytes, &"dump.txt".into())
}

/// How many headers gdb has in a text.
fn headers(text: &[u8]) -> usize {
    let counts = detect::counts(&Bytes::copy_from_slice(text));
    counts.iter().find(|(format, _)| format.id.id() == "gdb").map_or(0, |(_, headers)| *headers)
}

fn one(text: impl AsRef<[u8]>) -> Snapshot {
    let mut snapshots = parse(text);
    assert_eq!(snapshots.len(), 1);
    snapshots.remove(0)
}

fn functions(snapshot: &Snapshot, thread: &Thread) -> Vec<String> {
    let frames = snapshot.stacks.frames_of(thread.stack).iter();
    frames.map(|ix| snapshot.stacks.get(*ix).function.as_deref().unwrap_or("??").to_owned()).collect()
}

/// `name=value symbol` of all slots of a thread.
fn values(snapshot: &Snapshot, thread: &Thread) -> Vec<String> {
    let slots = snapshot.stacks.frames_of(thread.stack).iter().flat_map(|ix| snapshot.stacks.slots(*ix));
    let values = snapshot.values.of(thread.values);
    assert_eq!(slots.clone().count(), values.len());
    let shown = |symbol: Option<&str>| symbol.map(|s| format!(" {s}")).unwrap_or_default();
    slots.zip(values).map(|(s, v)| format!("{}={v:#x}{}", s.name, shown(s.symbol.as_deref()))).collect()
}

type Shape = Vec<(ThreadId, Option<String>, Vec<String>, Vec<String>)>;

fn shape(snapshot: &Snapshot) -> Shape {
    let shape = |t: &Thread| {
        let name = t.name.as_deref().map(str::to_owned);
        (t.id.clone(), name, functions(snapshot, t), values(snapshot, t))
    };
    snapshot.threads.iter().map(shape).collect()
}

#[test]
fn a_live_process() {
    let snapshot = one(LIVE);
    assert!(headers(LIVE.as_bytes()) >= 4);
    let ids: Vec<_> = snapshot.threads.iter().map(|t| t.id.to_string()).collect();
    assert_eq!(ids, ["22135", "22112", "22103", "22098"]);
    let waiter = &snapshot.threads[1];
    assert_eq!((waiter.tid, waiter.handle), (Some(22112), Some(0x7f40e4e8b6c0)));
    assert_eq!(waiter.name.as_deref(), Some("a\"b (LWP 1)]"));
    assert_eq!(
        values(&snapshot, waiter),
        [
            "private=0x0",
            "expected=0x2",
            "futex_word=0x5601bb3b70a0 g_log_mutex",
            "futex=0x5601bb3b70a0 g_log_mutex",
            "private=0x0",
            "mutex=0x5601bb3b70a0 g_log_mutex",
            "mutex=0x5601bb3b70a0 g_log_mutex",
            "msg=0x7f40e4e8ae80",
            "level=0xffffffffffffffff",
            "neg=0xfffffffffffffc18",
            "a=0x1",
        ]
    );
    assert_eq!(snapshot.process.pid, Some(22098));
    assert_eq!(snapshot.process.os.as_deref(), Some("linux"));
    assert!(snapshot.process.signal.is_none());
    assert!(snapshot.is_complete && snapshot.gaps.is_empty());
}

#[test]
fn the_frame_without_address_holds_the_one_above() {
    let snapshot = one(LIVE);
    let frames = snapshot.stacks.frames_of(snapshot.threads[1].stack);
    let kinds: Vec<_> =
        frames.iter().map(|ix| snapshot.stacks.get(*ix)).map(|f| (f.kind, f.address)).collect();
    assert_eq!(
        kinds[..5],
        [
            (FrameKind::Inlined, None),
            (FrameKind::Normal, None),
            (FrameKind::Inlined, Some(0x7f40e571c482)),
            (FrameKind::Normal, Some(0x7f40e571c482)),
            (FrameKind::Normal, Some(0x5601bb3b421b)),
        ]
    );
    let signalled = snapshot.stacks.frames_of(snapshot.threads[0].stack);
    assert_eq!(snapshot.stacks.get(signalled[2]).kind, FrameKind::SignalHandler);
}

#[test]
fn what_editors_and_logs_make_of_it() {
    let expected = shape(&one(LIVE));
    let utf16: Vec<u8> = format!("\u{feff}{LIVE}").encode_utf16().flat_map(u16::to_le_bytes).collect();
    let mail: String = LIVE.lines().map(|l| format!("> {l}\n")).collect();
    let log = |(n, l): (usize, &str)| format!("2025-05-01T10:00:{:02}Z host gdb[77]: {l}\n", n % 60);
    let log: String = LIVE.lines().enumerate().map(log).collect();
    let json = |l: &str| format!("{}\n", serde_json::json!({"log": format!("{l}\n"), "stream": "stdout"}));
    let json: String = LIVE.lines().map(json).collect();
    let colours = LIVE.replace("log_message", "\x1b[33mlog_message\x1b[m").replace(" in ", "\x1b[m in ");
    let forms: [(&str, Vec<u8>); 6] = [
        ("CRLF", LIVE.replace('\n', "\r\n").into()),
        ("UTF-16", utf16),
        ("mail", mail.into()),
        ("log", log.into()),
        ("JSON", json.into()),
        ("colours", colours.into()),
    ];
    for (name, text) in forms {
        assert!(headers(&text) > 0, "{name}");
        assert_eq!(shape(&one(text)), expected, "{name}");
    }
}

/// A terminal's width: gdb wraps before arguments and places. The pager asks anywhere.
#[test]
fn wrapped_lines_and_a_pager() {
    let wrapped = LIVE
        .replace(", p=..., neg", ",\n    p=..., neg")
        .replace(" at ./nptl", "\n    at ./nptl")
        .replace(
            "#6  0x00007f40e57191f5",
            "---Type <return> to continue, or q <return> to quit---\n#6  0x00007f40e57191f5",
        )
        .replace("x=0x5601", "x=0x56--Type <RET> for more, q to quit, c to continue without paging--\n01");
    assert_eq!(shape(&one(wrapped)), shape(&one(LIVE)));
}

#[test]
fn without_addresses_a_symbol_is_still_an_identity() {
    let text = r#"
Thread 2 (Thread 0x7fe5594496c0 (LWP 5180) "jam"):
#0  futex_wait (private=0, expected=2, futex_word=<g_log_mutex>) at ../sysdeps/nptl/futex-internal.h:146
#1  __GI___lll_lock_wait (futex=futex@entry=<g_log_mutex>, private=0) at ./nptl/lowlevellock.c:49
#2  lll_mutex_lock_optimized (mutex=<g_log_mutex+40>) at ./nptl/pthread_mutex_lock.c:48
#3  worker (a=) at jam.c:18
"#;
    let snapshot = one(text);
    assert_eq!(
        values(&snapshot, &snapshot.threads[0]),
        [
            "private=0x0",
            "expected=0x2",
            "futex_word=0x0 g_log_mutex",
            "futex=0x0 g_log_mutex",
            "private=0x0",
            "mutex=0x0 g_log_mutex+40"
        ]
    );
    assert!(snapshot.stacks.all_frames().iter().all(|f| f.kind == FrameKind::Normal && f.address.is_none()));
}

/// `thread apply all -q bt` prints no headers.
#[test]
fn quiet_listings_have_stacks_without_ids() {
    let quiet: String = listing().lines().filter(|l| l.starts_with('#')).map(|l| format!("{l}\n")).collect();
    let snapshot = one(&quiet);
    assert_eq!(headers(quiet.as_bytes()), 4);
    let full = one(LIVE);
    let stacks = |s: &Snapshot| s.threads.iter().map(|t| functions(s, t)).collect::<Vec<_>>();
    assert_eq!(stacks(&snapshot), stacks(&full));
    assert_eq!(snapshot.threads[3].id, ThreadId::Text("stack 4".into()));
    // The table of threads names them, if it fits frame by frame.
    let table = r#"  Id   Target Id                               Frame
* 1    Thread 0x7f40e568d740 (LWP 22098) "jam" 0x00007f40e5763df2 in __libc_pause () at ../sysdeps/unix/sysv/linux/pause.c:29
  2    Thread 0x7f40e568c6c0 (LWP 22103) "jam" __GI___libc_read (nbytes=1, buf=0x7f40e568becf, fd=3) at ../sysdeps/unix/sysv/linux/read.c:26
  3    Thread 0x7f40e4e8b6c0 (LWP 22112) "a"b (LWP 1)]" futex_wait (private=0, expected=2, futex_word=0x5601bb3b70a0 <g_log_mutex>) at ../sysdeps/nptl/futex-internal.h:146
  4    Thread 0x7f40e16846c0 (LWP 22135) "jam" 0x00007f40e5763df2 in __libc_pause () at ../sysdeps/unix/sysv/linux/pause.c:29
"#;
    assert_eq!(shape(&one(format!("{table}{quiet}"))), shape(&full));
    let alone = one(table);
    assert_eq!(alone.threads.len(), 4);
    assert!(alone.threads.iter().all(|t| t.stack_end == StackEnd::DepthLimit));
    assert!(!alone.is_complete);
}

#[test]
fn one_moment_in_several_forms() {
    // `bt`, `bt full`, `thread apply all bt`, `thread apply all bt full`, as with -batch.
    let stack = listing().lines().skip(2).take_while(|l| l.starts_with('#'));
    let first: String = stack.map(|l| format!("{l}\n")).collect();
    let full = |text: &str| text.replace(" at jam.c:23\n", " at jam.c:23\n        x = {1, 2}\n");
    let text = format!("{first}{}{}{}", full(&first), listing(), full(listing()));
    assert_eq!(shape(&one(text)), shape(&one(listing())));
}

#[test]
fn several_moments_in_one_file() {
    let again = |between: &str| parse(format!("{}{between}{}", listing(), listing())).len();
    assert_eq!(again(""), 2);
    assert_eq!(again("Thu May  1 10:00:00 UTC 2025\n"), 2);
    assert_eq!(again("[New LWP 22103]\n"), 2);
    assert_eq!(again("GNU gdb (Debian 13.1-3) 13.1\n"), 2);
    assert_eq!(again("(gdb) thread apply all bt\n"), 2);
    let both = parse(format!("{LIVE}{}", LIVE.replace("22098", "33098")));
    assert_eq!(both.iter().map(|s| s.process.pid).collect::<Vec<_>>(), [Some(22098), Some(33098)]);
    assert!(both[1].source.offset >= LIVE.len() as u64 - 60);
}

#[test]
fn a_selected_thread_is_not_a_new_moment() {
    let thread = listing().find("Thread 3").unwrap();
    let end = listing().find("\nThread 2").unwrap();
    let selected = &listing()[thread..end];
    let text = format!("(gdb) thread apply 3 bt\n\n{selected}(gdb) thread apply all bt\n{}", listing());
    assert_eq!(one(text).threads.len(), 4);
    // `frame 4` prints a frame by itself.
    let frame = "(gdb) frame 4\n#4  0x00005601bb3b421b in log_message (level=-1) at jam.c:14\n14\tlock\n";
    assert_eq!(shape(&one(format!("{LIVE}{frame}"))), shape(&one(LIVE)));
}

/// gdb 13 on a core of `abort()`; the names of threads are not in cores.
const CORE: &str = r#"[New LWP 30321]
[New LWP 30322]
Core was generated by `/usr/bin/logserver --port 80'.
Program terminated with signal SIGABRT, Aborted.
#0  __pthread_kill_implementation (threadid=<optimized out>, signo=signo@entry=6, no_tid=no_tid@entry=0) at ./nptl/pthread_kill.c:44
44	./nptl/pthread_kill.c: No such file or directory.
[Current thread is 1 (Thread 0x7f2d08e6c740 (LWP 30321))]

Thread 2 (Thread 0x7f2d08a1d6c0 (LWP 30322)):
warning: Section `.reg-xstate/39307' in core file too small.
#0  0x00007f2d08a9412b in read () from /lib/x86_64-linux-gnu/libc.so.6
#1  0x0000000000000000 in ?? ()

Thread 1 (Thread 0x7f2d08e6c740 (LWP 30321)):
#0  __pthread_kill_implementation (threadid=<optimized out>, signo=signo@entry=6, no_tid=no_tid@entry=0) at ./nptl/pthread_kill.c:44
#1  0x00007f2d08b14f4f in __GI_abort () at ./stdlib/abort.c:79
#2  0x00007f2d08cd44a3 in ?? () from /usr/bin/logserver
Backtrace stopped: previous frame identical to this frame (corrupt stack?)
"#;

#[test]
fn a_core_names_signal_and_thread() {
    let snapshot = one(CORE);
    let signal = snapshot.process.signal.clone().unwrap();
    assert_eq!((signal.name.as_ref(), signal.number), ("SIGABRT", Some(6)));
    assert_eq!(signal.thread.map(|t| t.at()), Some(1));
    assert_eq!(snapshot.process.name.as_deref(), Some("logserver"));
    assert_eq!(snapshot.process.command_line.as_deref(), Some("/usr/bin/logserver --port 80"));
    assert_eq!(functions(&snapshot, &snapshot.threads[0]), ["read"]);
    assert_eq!(snapshot.threads[1].stack_end, StackEnd::Reported);
    let frame = snapshot.stacks.frames_of(snapshot.threads[1].stack)[2];
    assert_eq!(snapshot.stacks.get(frame).module.as_deref(), Some("logserver"));
    assert!(!snapshot.gaps.has(GapKind::SkippedText));
}

/// The only thread on its way to die is the one that got the signal.
#[test]
fn a_core_without_the_current_thread() {
    let is_said = |l: &str| l.starts_with("[Current") || l.starts_with("44\t");
    let mut lines: Vec<&str> = CORE.lines().filter(|l| !is_said(l)).collect();
    lines.remove(4);
    let snapshot = one(lines.join("\n"));
    assert_eq!(snapshot.process.signal.unwrap().thread.map(|t| t.at()), Some(1));
    // A debugger's stop is no crash.
    let ended = "Program terminated with signal SIGABRT, Aborted";
    let stopped = CORE.replace(ended, "Program received signal SIGTRAP, Trace/breakpoint trap");
    assert!(one(stopped).process.signal.is_none());
    let trapped = CORE.replace(ended, "Program terminated with signal SIGTRAP, Trace/breakpoint trap");
    assert_eq!(&*one(trapped).process.signal.unwrap().name, "SIGTRAP");
}

#[test]
fn printed_locks_have_owners() {
    let printed = "$1 = {__data = {__lock = 2, __count = 0, __owner = 22103, __nusers = 1}, __align = 2}\n";
    let text = format!("{}\n(gdb) p g_log_mutex\n{printed}", listing());
    let snapshot = one(&text);
    let lock = &snapshot.reported_locks[0];
    assert_eq!((lock.symbol.as_deref(), &lock.owner), (Some("g_log_mutex"), &ReportedOwner::Tid(22103)));
    assert!(text[lock.offset as usize..].starts_with("$1 = "));
}

#[test]
fn skipped_text_is_counted_where_it_stands() {
    let text = LIVE.replace("\nThread 2", "what is this\nand this\n\nThread 2");
    let text = text.replace("[Inferior", "good bye\n[Inferior");
    let snapshot = one(&text);
    assert_eq!(shape(&snapshot), shape(&one(LIVE)));
    let gap = snapshot.gaps.iter().next().unwrap();
    assert_eq!((gap.kind, gap.count), (GapKind::SkippedText, 2));
    assert!(text[gap.offset.unwrap() as usize..].starts_with("what is this"));
}

#[test]
fn bytes_that_are_no_text() {
    let mut text = LIVE.replace("\"jam\"", "\"?\"").into_bytes();
    for at in 0..text.len() {
        if text[at] == b'?' || text[at..].starts_with(b"7) at x, y") {
            text[at] = 0xff;
        }
    }
    let snapshot = one(text);
    assert_eq!(snapshot.threads.len(), 4);
    assert_eq!(snapshot.threads[0].name.as_deref(), Some("\u{fffd}"));
}

#[test]
fn every_prefix_parses() {
    for end in 0..LIVE.len() {
        let headers = LIVE[..end].matches("\nThread ").count();
        let snapshots = parse(&LIVE[..end]);
        let threads: usize = snapshots.iter().map(|s| s.threads.len()).sum();
        assert!(threads <= headers, "{end}: {threads} of {headers}");
        // As long as a whole header is to come, something is missing.
        if let Some(snapshot) = snapshots.first().filter(|s| s.threads.len() < 4) {
            assert!(!snapshot.is_complete, "{end}");
        }
    }
}

#[test]
fn every_suffix_and_every_lost_line_parses() {
    for (start, _) in LIVE.match_indices('\n') {
        assert!(parse(&LIVE[start..]).len() <= 1, "{start}");
    }
    let lines: Vec<&str> = LIVE.lines().collect();
    for lost in 0..lines.len() {
        let kept = lines.iter().enumerate().filter(|(n, _)| *n != lost);
        let snapshot = one(kept.map(|(_, l)| format!("{l}\n")).collect::<String>());
        assert!((3..=5).contains(&snapshot.threads.len()), "{}", lines[lost]);
    }
}

#[test]
fn hostile_lines_end() {
    for piece in ["(", "{", "<", "\"", "'", "0x1 <", " (", "\\", "=@0x1: {", "__lock = 1, __owner = 1, "] {
        let text = format!("Thread 1 (LWP 7):\n#0  f (a={}\n", piece.repeat(1 << 15));
        assert_eq!(one(text).threads.len(), 1, "{piece}");
    }
    let lines = [
        "#1 f (\n",
        "#0 f (\n (\n",
        "    (\n",
        "(gdb) (gdb)\n",
        "--Type <RET>\n",
        "Thread 1 (LWP 7):\n",
        "#0 {\n__owner = 1\n",
    ];
    for line in lines {
        parse(format!("Thread 1 (LWP 7):\n{}", line.repeat(1 << 12)));
    }
}
