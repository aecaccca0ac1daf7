//! What a process writes while gdb prints, which threads a user chose, and stacks that say nothing.
use crate::formats::testing::{names, read, read_one};
use crate::model::GapKind;

const LINE: &str = "2024-01-02 10:00:00,010 INFO [http-1] GET /health 200 1ms";

const STACKS: &str = "Thread 3 (Thread 0x7f5 (LWP 5795)):
#0  0x00007f034f1b4334 in __lll_lock_wait (futex=0x6010a0 <g_log>, private=0) at l.c:40
#1  0x00007f034f1b4352 in pthread_mutex_lock (mutex=0x6010a0 <g_log>) at l.c:40
#2  0x0000000000469a4e in log_line () at a.c:3

Thread 2 (Thread 0x7f4 (LWP 5794)):
#0  0x00007f034f1b4334 in __lll_lock_wait (futex=0x6010a0 <g_log>, private=0) at l.c:40
#1  0x00007f034f1b4352 in pthread_mutex_lock (mutex=0x6010a0 <g_log>) at l.c:40
#2  0x0000000000469a4e in log_line () at a.c:3

Thread 1 (Thread 0x7f033f5fc700 (LWP 5793)):
#0  0x00007f034f1b4334 in pthread_join (threadid=140454, thread_return=0x0) at j.c:90
#1  0x0000000000469a8e in main () at main.c:50
";

#[test]
fn a_line_of_a_log_within_a_stack_does_not_end_it() {
    let lines: Vec<&str> = STACKS.lines().collect();
    for (at, next) in lines.iter().enumerate() {
        let said = [LINE, "Fri May  1 10:00:00 UTC 2025", "Assertion failed: held (lock.c:9)"];
        // Elsewhere a session of gdb begins with it.
        let starts = "Starting program: the nightly one";
        let is_below_a_frame = next.starts_with('#') && !next.starts_with("#0");
        for noise in said.into_iter().chain(is_below_a_frame.then_some(starts)) {
            let mut with = lines.clone();
            with.insert(at, noise);
            // Twice, with a blank line between.
            with.splice(at..at, [noise, ""]);
            let snapshot = read_one(&(with.join("\n") + "\n"));
            let depths: Vec<usize> = (0..3).map(|thread| names(&snapshot, thread).len()).collect();
            let between = !next.starts_with('#');
            assert_eq!((snapshot.threads.len(), depths), (3, vec![3, 3, 2]), "{noise} before {next}");
            assert!(between || snapshot.gaps.has(GapKind::SkippedText), "{noise} before {next}");
        }
    }
}

#[test]
fn a_time_before_another_stack_ends_the_one_before() {
    let one = "#0  0x00007f034f1b4334 in poll () from /lib64/libc.so.6\n#1  0x0000000000469a4e in loop () at a.c:3\n";
    let other = one.replace("loop", "serve");
    let snapshots = read(&format!("{one}{LINE}\n{other}"));
    let all: Vec<_> = snapshots.iter().flat_map(|s| (0..s.threads.len()).map(|t| names(s, t))).collect();
    assert_eq!(all, [["poll", "loop"], ["poll", "serve"]]);
    assert_eq!(snapshots[1].process.captured_at.as_deref(), Some("2024-01-02 10:00:00,010"));
}

const SESSION: &str = "(gdb) thread 7
[Switching to thread 7 (Thread 0x7f750caf7700 (LWP 3159380))]
#0  syscall () at ../sysdeps/unix/sysv/linux/x86_64/syscall.S:38
38      in ../sysdeps/unix/sysv/linux/x86_64/syscall.S
(gdb) bt
#0  syscall () at ../sysdeps/unix/sysv/linux/x86_64/syscall.S:38
#1  0x0000000001282d96 in Futex::WaitUntil (v=0x7f750ed3e650, val=0) at waiter.cc:115
#2  0x000000000127ebd3 in user_call () at u.cc:3
(gdb) thread 8
[Switching to thread 8 (Thread 0x7f750caf8700 (LWP 3159381))]#0  0x00007f13 in epoll_wait () from /lib64/libc.so.6
(gdb) bt
#0  0x00007f13 in epoll_wait () from /lib64/libc.so.6
#1  0x000000000127ebd3 in serve () at u.cc:3
";

fn ids(text: &str) -> Vec<String> {
    read_one(text).threads.iter().map(|thread| thread.id.to_string()).collect()
}

#[test]
fn the_thread_that_the_user_chose() {
    let snapshot = read_one(SESSION);
    let tids: Vec<_> = snapshot.threads.iter().map(|thread| thread.tid).collect();
    assert_eq!(tids, [Some(3159380), Some(3159381)]);
    assert_eq!((names(&snapshot, 0).len(), names(&snapshot, 1).len()), (3, 2));
    // A script prints no prompts.
    let script: String = SESSION.lines().filter(|l| !l.starts_with('(')).map(|l| format!("{l}\n")).collect();
    assert_eq!(ids(&script), ["3159380", "3159381"]);
    // Beside threads with headers.
    let listed = format!(
        "Thread 1 (Thread 0x7f7 (LWP 3159300)):\n#0  0x00007f12 in pause () from /lib64/libc.so.6\n{SESSION}"
    );
    assert_eq!(ids(&listed), ["3159300", "3159380", "3159381"]);
    // Who was looked at is not who received the signal.
    let died = format!("Program terminated with signal SIGSEGV, Segmentation fault.\n{SESSION}");
    assert_eq!(read_one(&died).process.signal.and_then(|signal| signal.thread), None);
}

/// `thread apply all -q bt` lists all threads, whichever was chosen before.
#[test]
fn a_list_is_not_of_the_thread_that_was_chosen() {
    let bt = |caller: &str| {
        format!(
            "#0  0x00007f13 in epoll_wait () from /lib64/libc.so.6\n#1  0x000000000127ebd3 in {caller} () at u.cc:3\n"
        )
    };
    let (shown, _) = SESSION.split_once("(gdb) thread 8").unwrap();
    let chosen = &shown[..shown.find("(gdb) bt").unwrap()];
    let list = bt("serve") + &bt("serve") + &bt("accept");
    let text = format!("{chosen}(gdb) thread apply all -q bt\n{list}");
    // Where its first threads stand at the same place.
    let top = "#0  syscall () at ../sysdeps/unix/sysv/linux/x86_64/syscall.S:38";
    let alike = list.replace("#0  0x00007f13 in epoll_wait () from /lib64/libc.so.6", top);
    let alike = format!("{chosen}(gdb) thread apply all -q bt\n{alike}");
    assert_eq!(ids(&alike), ["stack 1", "stack 2", "stack 3"]);
    assert!(
        ids(&text).ends_with(&["stack 2".into(), "stack 3".into(), "stack 4".into()]),
        "{:?}",
        ids(&text)
    );
}

#[test]
fn stacks_without_names_say_nothing() {
    let bare = "Thread 2 (LWP 30325):\n#0  0x00007f2d08a9a117 in ?? ()\nThread 1 (LWP 30324):\n#0  0x00007f2d08a9a118 in ?? ()\n";
    assert!(read_one(bare).gaps.has(GapKind::MissingModule));
    assert!(!read_one(&bare.replacen("??", "poll", 1)).gaps.has(GapKind::MissingModule));
}
