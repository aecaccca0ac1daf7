//! Excerpts as people paste them, through the whole program: what is concluded from them, how surely, and what is not.

mod common;

use common::{report_of as report, rules};
use serde_json::Value;

#[test]
fn a_stack_in_abort_is_a_crash_that_no_line_announced() {
    let stack = "#0  __pthread_kill_implementation (threadid=<optimized out>, signo=6) at pthread_kill.c:44
#1  0x00007ffff504bba0 in __GI_raise (sig=6) at ../sysdeps/posix/raise.c:26
#2  0x00007ffff5033582 in __GI_abort () at abort.c:73
#3  0x0000000000401200 in close_ledger (l=0x0) at ledger.c:40
#4  0x0000000000401300 in main () at ledger.c:60
";
    let bare = report(stack);
    let finding = &bare["findings"][0];
    assert_eq!((finding["rule"].as_str(), finding["confidence"].as_str()), (Some("crash"), Some("likely")));
    assert_eq!(finding["location"]["function"], "close_ledger");
    let said = "terminate called after throwing an instance of 'LedgerError'
  what():  no such page

Program received signal SIGABRT, Aborted.
";
    let finding = &report(&format!("{said}{stack}"))["findings"][0];
    assert_eq!(finding["confidence"], "certain");
    assert_eq!(finding["crash"]["reason"], "an exception that nobody caught: LedgerError: no such page");
    let idle = stack.replace("__GI_abort", "wait_for_page");
    assert!(rules(&report(&idle)).is_empty());
}

/// A core of gdb with a signal, whose first thread has this stack.
fn died(signal: &str, stack: &str) -> Value {
    let text = format!(
        "Program terminated with signal {signal}.\n{}[Current thread is 1 (Thread 0x7f2d08a1d6c0 (LWP 30321))]\n\nThread 2 (Thread 0x7f2d0821d6c0 (LWP 30322)):\n#0  0x00007f2d08b0 in poll () from /lib64/libc.so.6\n#1  0x0000558efcd67300 in loop () at srv.c:12\n\nThread 1 (Thread 0x7f2d08a1d6c0 (LWP 30321)):\n{stack}",
        stack.split_inclusive('\n').next().unwrap()
    );
    let report = report(&text);
    let crash = report["findings"].as_array().unwrap().iter().find(|finding| finding["rule"] == "crash");
    crash.unwrap_or_else(|| panic!("no crash in {text}")).clone()
}

/// systemd's watchdog sends `SIGABRT` to a process that hangs: it did not end itself.
#[test]
fn an_abort_without_a_function_that_aborts_was_sent() {
    let waits = "#0  0x00007f034f1b4334 in epoll_wait () from /lib64/libc.so.6\n#1  0x0000000000469a4e in run_main ()\n";
    let crash = died("SIGABRT, Aborted", waits);
    let reason = crash["crash"]["reason"].as_str().unwrap();
    assert_eq!(reason, "it was sent or raised, and no abort stands in the stack of the thread");
    assert_eq!(crash["severity"], "medium");
    assert!(crash["advice"][0].as_str().unwrap().contains("watchdog"));
    let aborts = "#0  0x00007f034f1b4334 in raise () from /lib64/libc.so.6\n#1  0x00007f034f1b5334 in abort () from /lib64/libc.so.6\n#2  0x0000000000469a4e in check ()\n";
    let crash = died("SIGABRT, Aborted", aborts);
    assert_eq!(crash["crash"]["reason"], "the process ended itself (abort)");
    for unclear in [
        "#0  0x00007f034f1b4334 in ?? ()\n#1  0x0000000000469a4e in ?? ()\n",
        "#0  0x00007f03 in engine_abort ()\n#1  0x0469 in main ()\n",
    ] {
        let crash = died("SIGABRT, Aborted", unclear);
        assert!(crash["crash"]["reason"].as_str().unwrap().ends_with("the stack does not say"), "{crash}");
    }
}

#[test]
fn a_trap_is_a_crash_unless_a_debugger_made_it() {
    let traps = "#0  0x0000558efcd67344 in check (p=0x0) at srv.c:30\n#1  0x0000558efcd67400 in main () at main.c:3\n";
    assert_eq!(died("SIGTRAP, Trace/breakpoint trap", traps)["severity"], "critical");
    let waits = "#0  0x00007f034f1b4334 in epoll_wait () from /lib64/libc.so.6\n#1  0x0000000000469a4e in run_main ()\n";
    assert_eq!(died("SIGTRAP, Trace/breakpoint trap", waits)["severity"], "info");
}

#[test]
fn lldb_says_who_sent_a_signal() {
    let of = |before: &str, innermost: &str| {
        let text = format!(
            "{before}* thread #1, name = 'app', stop reason = signal SIGABRT: sent by tkill system call (sender pid=100, uid=1000)\n  * frame #0: 0x00007fb8afc4eeec libc.so.6`{innermost} + 10\n    frame #1: 0x00007fb8afc4eeed libc.so.6`abort + 20\n    frame #2: 0x0000000100003f5c app`main at main.c:12:3\n"
        );
        let text = if innermost == "raise" { text } else { text.replace("`abort", "`wait_for_all") };
        let report = report(&text);
        report["findings"][0]["crash"]["reason"].as_str().unwrap().to_owned()
    };
    assert_eq!(of("", "raise"), "the process ended itself (abort)");
    assert!(of("", "poll").starts_with("it was sent by process 100, and no abort stands"));
    assert_eq!(of("Process 7 stopped\n", "poll"), "SIGABRT was sent by process 100");
    assert_eq!(of("Process 100 stopped\n", "raise"), "the process ended itself (abort)");
}

#[test]
fn a_handler_that_allocates_waits_for_the_allocator_that_it_interrupted() {
    let text = "Thread 1 (Thread 0x7f6388d9f740 (LWP 4711) \"ledger\"):
#0  0x00007f6388d9fd1c in __lll_lock_wait_private () from /lib64/libc.so.6
#1  0x00007f6388d19383 in malloc () from /lib64/libc.so.6
#2  0x000000000048b6d7 in on_child (signal=<optimized out>) at ledger.c:561
#3  <signal handler called>
#4  0x00007f6388d16f93 in _int_malloc () from /lib64/libc.so.6
#5  0x00007f6388d19383 in malloc () from /lib64/libc.so.6
#6  0x0000000000401234 in main () at ledger.c:3
";
    assert_eq!(rules(&report(text)), ["self-deadlock"]);
    let elsewhere = text
        .replace("_int_malloc", "memcpy")
        .replace("#5  0x00007f6388d19383 in malloc", "#5  0x00007f6388d19383 in copy_page");
    assert!(!rules(&report(&elsewhere)).contains(&"self-deadlock"));
}

/// Two threads that wait for a monitor, in the words of a JVM; and the owner, whose stack was not copied.
#[test]
fn an_owner_that_is_not_shown_is_named() {
    let thread = |n: u32| {
        format!(
            "\"page-{n}\" Id={n} BLOCKED on app.Ledger@7b836878 owned by \"closing\" Id=9\n\tat app.Ledger.open(Ledger.java:20)\n\t-  blocked on app.Ledger@7b836878\n\tat app.Pages.run(Pages.java:7)\n\n"
        )
    };
    let report = report(&format!("{}{}", thread(31), thread(32)));
    let finding = &report["findings"][0];
    assert_eq!(finding["rule"], "lock-contention");
    assert_eq!(finding["holder"]["kind"], "unknown");
    let why = finding["holder"]["why"].as_str().unwrap();
    assert!(why.contains("holds it, and does not show that thread"), "{why}");
}

#[test]
fn one_waiter_is_enough_where_its_wait_was_measured() {
    let goroutine = |state: &str| {
        format!(
            "goroutine 7 [{state}]:\nsync.runtime_SemacquireMutex(0xc0000a2028, 0x0, 0x1)\n    /usr/local/go/src/runtime/sema.go:77 +0x25\nsync.(*Mutex).lockSlow(0xc0000a2028)\n    /usr/local/go/src/sync/mutex.go:171 +0x15d\nsync.(*Mutex).Lock(0xc0000a2028)\n    /usr/local/go/src/sync/mutex.go:90 +0x32\nexample.com/ledger.Open(0xc0000a2000)\n    /src/ledger.go:31 +0x45\n"
        )
    };
    assert_eq!(rules(&report(&goroutine("sync.Mutex.Lock, 9 minutes"))), ["lock-contention"]);
    let short = report(&goroutine("sync.Mutex.Lock"));
    assert!(rules(&short).is_empty());
    assert!(
        short["verdict"]["headline"].as_str().unwrap().starts_with("no finding: 1 thread waits for a lock")
    );
}

#[test]
fn what_a_kernel_ended_and_what_it_only_found_asleep() {
    let killed = "pump invoked oom-killer: gfp_mask=0x100cca, order=0, oom_score_adj=0
CPU: 1 PID: 63 Comm: pump Not tainted 6.1.0 #8
Call Trace:
 dump_header+0x4a/0x1f4
 out_of_memory+0x100/0x300
Mem-Info:
Out of memory: Killed process 240 (ledger) total-vm:1540044kB, anon-rss:1284068kB
";
    let finding = &report(killed)["findings"][0];
    assert_eq!(finding["title"], "the kernel ended a process: Out of memory: Killed process 240 (ledger)");
    let asleep = |frame: &str| {
        format!(
            "INFO: task pump:63 blocked for more than 120 seconds.\n      Not tainted 6.1.0 #8\ntask:pump            state:D stack:    0 pid:   63 ppid:     2 flags:0x00004000\nCall Trace:\n __schedule+0x2eb/0x8d0\n schedule+0x5b/0xd0\n {frame}+0x12/0x40\n pump_drain+0x40/0x90\n kthread+0xe6/0x110\n"
        )
    };
    let known = &report(&asleep("io_schedule"))["findings"][0];
    assert_eq!((known["rule"].as_str(), known["confidence"].as_str()), (Some("stuck-io"), Some("certain")));
    let unknown = &report(&asleep("pump_wait"))["findings"][0];
    assert_eq!(
        (unknown["rule"].as_str(), unknown["confidence"].as_str()),
        (Some("stuck-io"), Some("possible"))
    );
}

#[test]
fn the_same_dump_within_other_writings() {
    let plain = "\"page-1\" #31 prio=5 os_prio=0 tid=0x00007f01 nid=0x31 waiting for monitor entry [0x00007f02]\n   java.lang.Thread.State: BLOCKED (on object monitor)\n\tat app.Ledger.open(Ledger.java:20)\n\t- waiting to lock <0x00000000d6098c30> (a app.Ledger)\n\n\"closing\" #9 prio=5 os_prio=0 tid=0x00007f03 nid=0x9 runnable [0x00007f04]\n   java.lang.Thread.State: RUNNABLE\n\tat app.Ledger.close(Ledger.java:40)\n\t- locked <0x00000000d6098c30> (a app.Ledger)\n\n";
    let locks = |text: &str| report(text)["snapshots"][0]["locks"].clone();
    let expected = locks(plain);
    assert_eq!(expected[0]["holder"]["thread"]["name"], "closing");
    let html = plain.replace('<', "&lt;").replace('>', "&gt;");
    let quoted = html.replace('"', "&quot;");
    let line = plain.replace('\n', "#012").replace('\t', "#011");
    let json = format!(
        "{{\"threads\":\"{}\"}}",
        plain.replace('"', "\\\"").replace('\n', "\\n").replace('\t', "\\t").replace('=', "\\u003d")
    );
    let coloured = quoted.replace("&quot;page-1&quot;", "&#27;[1m&quot;page-1&quot;&#27;[0m");
    for (writing, text) in
        [("colours", coloured), ("html", html), ("quotes", quoted), ("syslog", line), ("json", json)]
    {
        assert_eq!(locks(&text), expected, "{writing}: {text}");
    }
}

/// What the watchdog says of a task with this stack.
fn hung(pid: u32, stack: &str) -> String {
    let header = format!(
        "INFO: task pump:{pid} blocked for more than 120 seconds.\n      Not tainted 6.1.0 #8\n\"echo 0 > /proc/sys/kernel/hung_task_timeout_secs\" disables this message.\n"
    );
    if stack.is_empty() {
        return header;
    }
    format!(
        "{header}task:pump            state:D stack:    0 pid:{pid:5} ppid:     2 flags:0x00004000\nCall Trace:\n __schedule+0x2eb/0x8d0\n schedule+0x5b/0xd0\n{stack} kthread+0xe6/0x110\n"
    )
}

#[test]
fn what_the_watchdog_reports_is_always_told() {
    let stack = " schedule_timeout+0x8b/0x140\n wait_for_completion+0x9c/0x100\n pump_drain+0x40/0x90\n pump_stop+0x4/0x9\n";
    let one = report(&hung(63, stack));
    let finding = &one["findings"][0];
    assert_eq!(
        finding["title"],
        "1 task is blocked for more than 120 s in wait_for_completion under pump_drain"
    );
    assert_eq!((finding["rule"].as_str(), finding["severity"].as_str()), (Some("stuck-io"), Some("high")));
    assert_eq!(finding["confidence"], "certain");
    assert_eq!(finding["location"]["function"], "pump_drain");
    // Frames that the kernel itself is not sure of.
    let guessed = hung(63, &stack.replace(" pump", " ? pump").replace(" wait", " ? wait"));
    let guessed = guessed.replace("\n schedule", "\n ? schedule").replace("\n __", "\n ? __");
    let guessed = report(&guessed.replace(" kthread", " ? kthread"));
    assert_eq!(guessed["findings"][0]["title"], finding["title"]);
    assert_eq!(guessed["findings"][0]["confidence"], "likely");
    let joins = report(&hung(63, " kthread_stop+0x9c/0x100\n pump_close+0x40/0x90\n"));
    assert_eq!(
        joins["findings"][0]["title"],
        "1 task is blocked for more than 120 s, waiting for a thread to end under pump_close"
    );
    // Each for what it waits for.
    let rcu = " __wait_rcu_gp+0x19d/0x1a0\n synchronize_rcu+0x6b/0xf0\n pump_free+0x40/0x90\n";
    let disk = " io_schedule+0x46/0x70\n pump_sync+0x40/0x90\n";
    let three = report(&format!("{}{}{}", hung(63, stack), hung(64, rcu), hung(65, disk)));
    let titles: Vec<_> =
        three["findings"].as_array().unwrap().iter().filter_map(|f| f["title"].as_str()).collect();
    assert!(titles.contains(&"2 tasks are blocked for more than 120 s and wait for no lock"), "{titles:?}");
    assert!(titles.contains(&"1 task is blocked in I/O for more than 120 s"), "{titles:?}");
}

#[test]
fn a_task_that_waits_for_another_is_told_only_where_the_watchdog_says_so() {
    let task = hung(63, " wait_for_completion+0x9c/0x100\n pump_drain+0x40/0x90\n");
    let (_, asleep) = task.split_once("message.\n").unwrap();
    let report = report(&format!("sysrq: Show Blocked State\n{asleep}"));
    assert!(!rules(&report).contains(&"stuck-io"), "{:?}", rules(&report));
}

#[test]
fn of_a_task_without_a_stack_no_reason_is_given() {
    let report = report(&format!("{}{}", hung(63, ""), hung(64, "")));
    let finding = &report["findings"][0];
    assert_eq!(finding["title"], "2 tasks are blocked for more than 120 s, what for is not known");
    assert_eq!(finding["confidence"], "possible");
    let text = finding.to_string();
    assert!(!text.contains("I/O") && !text.contains("device"), "{text}");
}

#[test]
fn a_lockup_of_a_task_without_a_stack_says_nothing_of_what_it_does() {
    let lockup = "BUG: soft lockup - CPU#1 stuck for 23s! [pump:346]\n";
    let bare = report(&format!("[7.1] {lockup}[7.2] Modules linked in: pumps\n"));
    let finding = &bare["findings"][0];
    assert_eq!(finding["title"], "soft lockup - CPU#1 stuck for 23s: thread 346");
    let text = finding.to_string();
    assert!(!text.contains("running") && !text.contains("by its stack"), "{text}");
    let shown = report(&format!(
        "{lockup}CPU: 1 PID: 346 Comm: pump Not tainted 6.1.0 #8\nCall Trace:\n pump_spin+0x1/0x20\n"
    ));
    assert_eq!(
        shown["findings"][0]["title"],
        "soft lockup - CPU#1 stuck for 23s: thread 346 is running in pump_spin"
    );
    let guessed = report(&format!(
        "{lockup}CPU: 1 PID: 346 Comm: pump Not tainted 3.16.0 #8\nCall Trace:\n [<ffffffff810a9800>] ? pump_spin+0x1/0x20\n"
    ));
    let finding = &guessed["findings"][0];
    assert_eq!(
        (finding["confidence"].as_str(), finding["evidence"][1]["certainty"].as_str()),
        (Some("likely"), Some("inferred"))
    );
}

#[test]
fn the_thread_that_failed_may_be_in_what_was_not_copied() {
    let whole = "Fatal Python error: ledger_check: page is damaged

Thread 0x00007f0311704002 (most recent call first):
  File \"/srv/ledger/pages.py\", line 98 in read
  File \"/srv/ledger/main.py\", line 12 in work
";
    let step = |text: &str| {
        let report = report(text);
        let finding = &report["findings"][0];
        assert_eq!(finding["rule"], "crash");
        finding["advice"].to_string()
    };
    assert!(step(whole).contains("does not say in which thread"), "{}", step(whole));
    let cut = step(whole.strip_suffix("ain.py\", line 12 in work\n").unwrap());
    assert!(cut.contains("may be in the part of the dump that is missing"), "{cut}");
    let cut = step(&format!("{}\n", whole.strip_suffix("ain.py\", line 12 in work\n").unwrap()));
    assert!(cut.contains("may be in the part of the dump that is missing"), "{cut}");
}

/// What `py-bt` says of three threads: one waits in a lock, one for the interpreter, one stands at a `with`.
#[test]
fn threads_of_python_that_gdb_shows() {
    let text = "Thread 3 (Thread 0x7fe5594496c0 (LWP 5180)):
Traceback (most recent call first):
  <built-in method acquire of _thread.lock object at remote 0x7fe55a0e40c0>
  File \"/srv/ledger/pages.py\", line 5, in read
    page_lock.acquire()

Thread 2 (Thread 0x7fe558c486c0 (LWP 5179)):
Traceback (most recent call first):
  Waiting for the GIL
  File \"/srv/ledger/pages.py\", line 9, in flush

Thread 1 (Thread 0x7fe55cc506c0 (LWP 5178)):
Traceback (most recent call first):
  File \"/srv/ledger/main.py\", line 11, in <module>
    with page_lock:
";
    let report = report(text);
    let snapshot = &report["snapshots"][0];
    assert_eq!(snapshot["source"]["format"], "gdb");
    let states: Vec<_> =
        snapshot["clusters"].as_array().unwrap().iter().filter_map(|c| c["state"].as_str()).collect();
    assert_eq!(states, ["lock-wait"; 3], "{snapshot:#}");
    assert_eq!(snapshot["gaps"].as_array().unwrap().len(), 0, "{snapshot:#}");
}

/// The main thread of an Android app waits for a monitor; who has it waits as `stack` says.
fn anr(state: &str, stack: &str) -> String {
    format!(
        "\"main\" prio=5 tid=1 Blocked\n  at app.Ledger.open(Ledger.java:20)\n  - waiting to lock <0x0b3c91e7> (a app.Ledger) held by thread 9\n  at app.Pages.show(Pages.java:7)\n\n\"closing\" prio=5 tid=9 {state}\n{stack}  at app.Closing.run(Closing.java:9)\n  - locked <0x0b3c91e7> (a app.Ledger)\n"
    )
}

#[test]
fn whoever_waits_with_a_lock_does_no_io_for_all_that() {
    let parked = "  at sun.misc.Unsafe.park (Native method)\n  at java.util.concurrent.locks.LockSupport.park (LockSupport.java:190)\n";
    let looper = "  at java.lang.Object.wait(Native method)\n  at android.os.HandlerThread.getLooper(HandlerThread.java:5)\n";
    let sleeper =
        "  at java.lang.Thread.sleep(Native method)\n  at java.lang.Thread.sleep(Thread.java:450)\n";
    let poll = "  native: #00 pc 000c1a88  /system/lib64/libc.so (__epoll_pwait+8)\n";
    for (state, stack, does, advice) in [
        ("Waiting", parked, "cond-wait", "waits for something else while it holds"),
        ("Waiting", looper, "cond-wait", "waits for something else while it holds"),
        ("Sleeping", sleeper, "sleeping", "sleeps while it holds"),
        ("Native", poll, "idle", "does I/O while it holds"),
    ] {
        let report = report(&anr(state, stack));
        let finding = &report["findings"][0];
        assert_eq!(finding["rule"], "lock-contention", "{stack}");
        let told = finding["advice"][0].as_str().unwrap();
        assert!(told.contains(advice), "{stack}: {told}");
        let clusters = report["snapshots"][0]["clusters"].as_array().unwrap();
        assert!(clusters.iter().any(|cluster| cluster["state"] == does), "{stack}: {clusters:?}");
    }
}

#[test]
fn a_monitor_that_no_line_names_is_no_mutex_of_pthreads() {
    let android =
        "\"main\" prio=5 tid=1 Blocked\n  at a.b.c(SourceFile:2)\n  at app.Pages.show(Pages.java:7)\n";
    let hotspot = "\"main\" #1 prio=5 os_prio=0 tid=0x00007f01 nid=0x31 waiting for monitor entry [0x00007f02]\n   java.lang.Thread.State: BLOCKED (on object monitor)\n\tat a.b.c(Unknown Source)\n\tat app.Pages.show(Unknown Source)\n";
    for text in [android, hotspot] {
        let report = report(text);
        let kinds: Vec<_> =
            report["snapshots"][0]["locks"].as_array().unwrap().iter().map(|lock| &lock["kind"]).collect();
        assert_eq!(kinds, ["java-monitor"], "{text}");
    }
}

/// Thousands that wait for a channel: who started them is told of all; in a worker's function they may be a pool.
#[test]
fn a_leak_names_all_who_started_it_and_a_pool_is_only_mentioned() {
    let dump = |function: &str| {
        let one = |n: u32| {
            format!(
                "goroutine {} [chan receive, 40 minutes]:\nmain.(*page).{function}(0xc0000a{n:04x})\n\t/src/page.go:51 +0x9f\ncreated by main.open{} in goroutine 1\n\t/src/page.go:9 +0x3e\n\n",
                n + 2,
                n % 2
            )
        };
        let head = "goroutine 1 [select]:\nmain.main()\n\t/src/main.go:20 +0xbf\n\n";
        report(&format!("{head}{}", (0..1200).map(one).collect::<String>()))
    };
    let leak = dump("answer");
    let finding = &leak["findings"][0];
    assert_eq!(
        (finding["severity"].as_str(), finding["confidence"].as_str()),
        (Some("medium"), Some("likely"))
    );
    let title = finding["title"].as_str().unwrap();
    assert!(title.contains("started by main.open0 and main.open1: most likely a leak"), "{title}");
    let pool = dump("worker");
    let finding = &pool["findings"][0];
    assert_eq!(
        (finding["severity"].as_str(), finding["confidence"].as_str()),
        (Some("info"), Some("possible"))
    );
}

/// Stacks without any name say nothing of what the threads do.
#[test]
fn stacks_without_names_do_not_run() {
    let text = "Thread 2 (Thread 0x7f2 (LWP 102)):\n#0  0x00007f2b4c0a1f10 in ?? ()\n#1  0x00007f2b4c0a2f10 in ?? ()\n\nThread 1 (Thread 0x7f1 (LWP 101)):\n#0  0x00007f2b4c0a3f10 in ?? ()\n";
    let unknown = report(text);
    assert_eq!(unknown["snapshots"][0]["threads"]["states"], serde_json::json!({"unknown": 2}));
    let title = unknown["findings"][0]["title"].as_str().unwrap();
    assert!(title.contains("symbols or files of the process were not found"), "{title}");
}
