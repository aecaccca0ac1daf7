use super::*;
use crate::formats::testing::read;
use crate::model::{FailureKind, LockId, ReportedOwner, ReportedState, ThreadIx, WaitMode};

fn header_of(line: &str) -> (String, String, Option<ReportedState>) {
    let thread = header::read(line).unwrap_or_else(|| panic!("a header: {line}")).thread;
    (thread.name.as_deref().unwrap_or_default().to_owned(), thread.id.to_string(), thread.reported)
}

pub(super) fn functions(snapshot: &Snapshot, n: usize) -> Vec<String> {
    let frames = snapshot.stacks.frames_of(snapshot.threads[n].stack).iter();
    frames.map(|f| snapshot.stacks.get(*f).function.as_deref().unwrap_or("?").to_owned()).collect()
}

#[test]
fn headers_of_all_ages() {
    use ReportedState::{Running, Uninterruptible};
    for (line, name, pid, state) in [
        (
            "task:logd            state:D stack:0     pid:470   tgid:470   ppid:430    task_flags:0x400100 flags:0x00004002",
            "logd",
            "470",
            Uninterruptible,
        ),
        (
            "task:rcu sched:x     state:R  running task on cpu   0   stack:    0 pid:   11 ppid:     2 flags:0x00004000",
            "rcu sched:x",
            "11",
            Running,
        ),
        ("log writer 4    D28024  3875   2582 0x00000004", "log writer 4", "3875", Uninterruptible),
        ("kworker/u12:5   D21864  1980      2 0x80000000", "kworker/u12:5", "1980", Uninterruptible),
        ("bash            R  running task    13208  2441   2440 0x00000008", "bash", "2441", Running),
        (
            "logd            D ffff8801bc073040 27144 15720   2030 0x00000004",
            "logd",
            "15720",
            Uninterruptible,
        ),
        ("logd            D    0 15720   2030 0x00000004", "logd", "15720", Uninterruptible),
        (
            "logd          D ffff880e46c08840     0 445664 445662    0 0x00000000",
            "logd",
            "445664",
            Uninterruptible,
        ),
        ("CPU: 3 PID: 1054 Comm: rs:main Q:Reg Not tainted 4.20.0-next #5", "rs:main Q:Reg", "1054", Running),
        (
            "CPU: 9 UID: 7 PID: 62 Comm: qemu-s39 Kdump: loaded Not tainted 6.16.0 #79 NONE",
            "qemu-s39",
            "62",
            Running,
        ),
        ("CPU: 0 UID: 0 PID: 29 Comm: a Tainted: G        W          6.11.0 #0", "a", "29", Running),
    ] {
        assert_eq!(header_of(line), (name.to_owned(), pid.to_owned(), Some(state)), "{line}");
    }
    assert_eq!(header_of("==> /proc/94/task/95/stack <==").1, "95");
    for line in
        [" S      khungtaskd    34      3029.239359         6   120", "x 0x00000004", "mask 12 13 0xffffffff"]
    {
        assert!(header::read(line).is_none(), "{line}");
    }
    // The next version: a state and a field that nobody knows.
    let task =
        header::read("task:a  state:Q stack:0 pid:1 tgid:1 ppid:0 colour:7 flags:0x0").expect("a header");
    assert_eq!((task.thread.reported, task.unknown.as_deref()), (None, Some("state:Q")));
}

#[test]
fn frames_of_all_ages() {
    for (line, function, module) in [
        (" __mutex_lock+0x75f/0xeb0", "__mutex_lock", None),
        ("[<0>] fuse_dev_do_read+0xa29/0xa50 [fuse]", "fuse_dev_do_read", Some("fuse")),
        (" [<ffffffff82a350bb>] schedule+0x9b/0x1c0", "schedule", None),
        (" <EOE>  [<ffffffff8b5d4df8>] _raw_spin_lock_irq+0x28/0x30", "_raw_spin_lock_irq", None),
        (" <<EOE>>  [<ffffffff8b5d4df8>] _raw_spin_lock_irq+0x28/0x30", "_raw_spin_lock_irq", None),
        (" <EOI>  log_poll+0x28/0x30", "log_poll", None),
        (" ext4_sync_file+0x1/0x2 [ext4 5bd0c9ac]", "ext4_sync_file", Some("ext4")),
        ("RIP: 0010:smp_call_function_single+0x192/0x4f0", "smp_call_function_single", None),
        ("pc : refcount_warn_saturate+0xf4/0x148", "refcount_warn_saturate", None),
        ("epc   : 80244654 log_write+0x20/0x38", "log_write", None),
        ("  ERA: 90000000037a5f0c log_write+0x30/0x94", "log_write", None),
        ("Krnl PSW : 0704c00180000000 000000000026552c (log_write+0x2c4/0x33c)", "log_write", None),
        ("  IAOQ[0]: log_write+0xe0/0x4b0", "log_write", None),
        (" context_switch kernel/sched/core.c:2844 [inline]", "context_switch", Some("vmlinux")),
        (" __schedule (kernel/sched/core.c:3515)", "__schedule", Some("vmlinux")),
        (" get_user+0x1/0x2 (T)", "get_user", None),
    ] {
        let Some(StackLine::Frame(frame, _) | StackLine::Counter(frame, _)) = frame::read(line) else {
            panic!("{line}")
        };
        assert_eq!((frame.function.as_deref(), frame.module.as_deref()), (Some(function), module), "{line}");
    }
    let stale = frame::read(" ? kmem_cache_free+0x15/0x310");
    assert!(matches!(stale, Some(StackLine::Stale(_, "kmem_cache_free+0x15/0x310"))), "{stale:?}");
    assert_eq!(frame::read("RIP: 0033:0x4576a9"), Some(StackLine::User));
    for line in [
        "      Not tainted 5.2.0+ #97",
        "net_ratelimit: 20 callbacks suppressed",
        "a+b/c",
        "",
        "Stack: (0xf0829a28 to 0xf082a000)",
        "called from here",
        " ra : log_write+0x54/0xa6",
        "epc : ffffffff01590e98 ra : ffffffff01590e58 sp : ffff8f80001f39b0",
    ] {
        assert_eq!(frame::read(line), None, "{line}");
    }
}

#[test]
fn stacks_of_callers_and_of_registers() {
    let stack = |text: &str| -> Vec<String> {
        let frames = frame::stack(text.lines().filter_map(frame::read));
        frames.iter().map(|(f, place)| format!("{} {place}", f.function.as_deref().unwrap_or("?"))).collect()
    };
    let old = "\
[<c0997424>] (__schedule) from [<c0997a94>] (schedule+0x50/0xa8)
[<c0997a94>] (schedule) from [<c0998fa0>] (__mutex_lock+0x1a8/0x590)
[<c0998fa0>] (__mutex_lock) from [<c08109d0>] (log_append+0x54/0xd0)
";
    let new = " __schedule from schedule+0x50/0xa8\n schedule from __mutex_lock+0x1a8/0x590\n __mutex_lock from log_append+0x54/0xd0\n";
    let wanted = ["__schedule ", "schedule schedule+0x50/0xa8", "__mutex_lock __mutex_lock+0x1a8/0x590"];
    for text in [old, new] {
        assert_eq!(stack(text), [&wanted[..], &["log_append log_append+0x54/0xd0"]].concat());
    }
    // With lines: what the compiler inlined stands between a function and its caller.
    let inlined = "\
[<819be41c>] (log_flush) from [<819beff4>] (log_pump kernel/log.c:68 [inline])
[<819be41c>] (log_flush) from [<819beff4>] (log_append+0x2c/0xfc kernel/log.c:60)
[<819bf3d8>] (log_append) from [<819c2014>] (log_write+0x2e8/0xae0 kernel/log.c:74)
";
    let names = ["log_flush ", "log_pump log_pump", "log_append log_append+0x2c/0xfc"];
    assert_eq!(stack(inlined), [&names[..], &["log_write log_write+0x2e8/0xae0"]].concat());
    // What the registers say is the first frame, which some processors print twice.
    let twice = "PC is at log_flush+0x44/0x64\n log_flush from log_append+0x4c/0x64\n";
    assert_eq!(stack(twice), ["log_flush log_flush+0x44/0x64", "log_append log_append+0x4c/0x64"]);
    let twice = "epc : log_flush+0x44/0x64\n[<ffffffff01590e98>] log_flush+0x44/0x64\n[<ffffffff01590e00>] log_flush+0x44/0x64\n 0xffff80000fe83d4c\n";
    assert_eq!(
        stack(twice),
        ["log_flush log_flush+0x44/0x64"; 2].into_iter().chain(["? 0xffff80000fe83d4c"]).collect::<Vec<_>>()
    );
}

#[test]
fn owners_and_lists() {
    let told = |line: &str| {
        let blocker = locks::blocker(line).unwrap_or_else(|| panic!("{line}"));
        (blocker.pid, blocker.mode, blocker.owner.map(|(name, pid)| (name.to_string(), pid)))
    };
    assert_eq!(
        told("INFO: task a b:470 is blocked on a mutex likely owned by task c:d:471."),
        (470, WaitMode::Enter, Some(("c:d".into(), 471)))
    );
    assert_eq!(
        told(
            "INFO: task cat:28631 <reader> blocked on an rw-semaphore likely owned by task cat:28630 <writer>"
        ),
        (28631, WaitMode::Read, Some(("cat".into(), 28630)))
    );
    assert_eq!(
        told("INFO: task m:2342 is blocked on an rw-semaphore, but the owner is not found."),
        (2342, WaitMode::Enter, None)
    );
    let list = locks::list("3 locks held by kworker/0:0/5:").expect("a list");
    assert_eq!((&*list.name, list.pid), ("kworker/0:0", 5));
    let entry = |line| locks::entry(line).expect("an entry").1;
    let hashed = entry(" #2: 000000009930efbd (rtnl_mutex){+.+.}, at: rtnl_lock+0x17/0x20").expect("a lock");
    assert_eq!(
        (hashed.id, &*hashed.at),
        (Some(LockId::Token("000000009930efbd".into())), "rtnl_lock+0x17/0x20")
    );
    let real = entry(" #0: ffff000080ff80f8 (&dev->mutex){....}-{4:4}, at: f+0x19c/0x2c0").expect("a lock");
    assert_eq!(real.id, Some(LockId::Address(0xffff_0000_80ff_80f8)));
    let old =
        entry(" #0:  (rtnl_mutex){+.+.+.}, at: [<ffffffff8154a4c7>] rtnl_lock+0x17/0x20").expect("a lock");
    assert_eq!((old.id, &*old.at), (Some(LockId::Token("rtnl_mutex".into())), "rtnl_lock+0x17/0x20"));
    assert!(
        entry(" #0: 00000000ca2a6787 ((wq_completion)events){+.+.}, at: process_one_work+0x88b/0x1740")
            .is_none()
    );
}

/// 71 holds the mutex and writes; 72 and 73 wait; 74 is in the list only.
const JAM: &str = "\
INFO: task logd:71 blocked for more than 122 seconds.
      Not tainted 5.10.0 #1
task:logd            state:D stack:    0 pid:   71 ppid:     1 flags:0x00004000
Call Trace:
 __schedule+0x2a/0x100
 schedule+0x46/0xb0
 io_schedule+0x42/0x70
 log_flush+0x30/0x90 [applog]
 log_append+0x55/0xb0 [applog]
INFO: task shop worker:72 blocked for more than 122 seconds.
task:shop worker     state:D stack:    0 pid:   72 ppid:     1 flags:0x00004000
Call Trace:
 __schedule+0x2a/0x100
 schedule+0x46/0xb0
 __mutex_lock+0x200/0x400
 log_append+0x21/0xb0 [applog]
INFO: task shop worker:73 blocked for more than 122 seconds.
task:shop worker     state:D stack:    0 pid:   73 ppid:     1 flags:0x00004000
Call Trace:
 __schedule+0x2a/0x100
 schedule+0x46/0xb0
 __mutex_lock+0x200/0x400
 log_append+0x21/0xb0 [applog]

Showing all locks held in the system:
1 lock held by khungtaskd/30:
 #0: 00000000d40ce8f7 (rcu_read_lock){....}-{1:2}, at: debug_show_all_locks+0x52/0x296
1 lock held by logd/71:
 #0: 000000006fdd818f (log_mutex){+.+.}-{3:3}, at: log_append+0x21/0xb0 [applog]
1 lock held by shop worker/72:
 #0: 000000006fdd818f (log_mutex){+.+.}-{3:3}, at: log_append+0x21/0xb0 [applog]
1 lock held by shop worker/73:
 #0: 000000006fdd818f (log_mutex){+.+.}-{3:3}, at: log_append+0x21/0xb0 [applog]
1 lock held by shop worker/74:
 #0: 000000006fdd818f (log_mutex){+.+.}-{3:3}, at: log_append+0x21/0xb0 [applog]
2 locks held by getty/99:
 #0: 00000000c5ff7047 (&tty->ldisc_sem){++++}-{0:0}, at: ldsem_down_read+0x33/0x40

=============================================
";

#[test]
fn who_is_past_the_call_holds_and_who_stands_in_it_waits() {
    let snapshots = read(JAM);
    let [snapshot] = snapshots.as_slice() else { panic!("one dump") };
    let ids: Vec<String> = snapshot.threads.iter().map(|t| t.id.to_string()).collect();
    assert_eq!(ids, ["71", "72", "73", "74"]);
    let holds: Vec<bool> = snapshot.threads.iter().map(|t| t.holds.0 < t.holds.1).collect();
    let waits: Vec<bool> = snapshot.threads.iter().map(|t| t.reported_wait.is_some()).collect();
    assert_eq!((holds, waits), (vec![true, false, false, false], vec![false, true, true, true]));
    assert_eq!(snapshot.threads[1].waited_us, Some(122_000_000));
    assert_eq!(functions(snapshot, 0)[3..], ["log_flush", "log_append"]);
    assert_eq!(snapshot.source.producer.as_deref(), Some("Linux 5.10.0"));
    assert!(!snapshot.is_complete);
}

#[test]
fn prefixes_callers_and_line_ends_do_not_matter() {
    let with = |prefix: &dyn Fn(usize) -> String| -> String {
        JAM.lines().enumerate().map(|(n, line)| format!("{}{line}\n", prefix(n))).collect()
    };
    let texts = [
        with(&|n| format!("[  125.{n:06}][  T140] ")),
        with(&|n| format!("<6>[99999.{n:06}] ")),
        with(&|n| format!("[1{n}.{n:06}][T12345] ")),
        with(&|_| "[Mon Mar 14 02:26:53 2025] ".into()),
        with(&|n| format!("Mar 14 02:26:{:02} shop-3 kernel: [ 1432.{n:06}] ", n % 60)),
        with(&|n| format!("2025-03-14T02:26:{:02}+0000 shop-3 kernel: ", n % 60)),
        JAM.replace('\n', "\r\n"),
    ];
    for text in texts {
        let snapshots = read(&text);
        assert_eq!(snapshots.len(), 1, "{}", &text[..200]);
        assert_eq!(snapshots[0].threads.len(), 4, "{}", &text[..200]);
        assert_eq!(functions(&snapshots[0], 0)[3..], ["log_flush", "log_append"], "{}", &text[..200]);
        let end = snapshots[0].source.offset as usize;
        assert!(text[end..].starts_with("INFO: task logd") || text[..end + 200].contains("INFO: task logd"));
    }
}

#[test]
fn two_processors_take_turns() {
    let text = "\
[    1.000001][  T30] INFO: task logd:71 blocked for more than 122 seconds.
[    1.000002][  T30] task:logd            state:D stack:    0 pid:   71 ppid:     1 flags:0x00004000
[    1.000003][  T30] Call Trace:
[    1.000004][  T30]  __schedule+0x2a/0x100
[    1.000005][    C1] NMI backtrace for cpu 1
[    1.000005][    C1] CPU: 1 PID: 80 Comm: busy Not tainted 5.10.0 #1
[    1.000006][  T30]  log_flush+0x30/0x90[    1.000007][    C1] RIP: 0010:spin+0x1/0x2
[    1.000008][  T30]  log_append+0x55/0xb0
[    1.000009][    C1] Call Trace:
[    1.000010][    C1]  compute+0x1/0x2
";
    let snapshots = read(text);
    assert_eq!(functions(&snapshots[0], 0), ["__schedule", "log_flush", "log_append"]);
    assert_eq!(functions(&snapshots[0], 1), ["spin", "compute"]);
}

#[test]
fn an_owner_that_the_watchdog_names() {
    let text = "\
INFO: task cat:28631 blocked for more than 122 seconds.
task:cat             state:D stack:0     pid:28631 tgid:28631 ppid:501    task_flags:0x400000 flags:0x00004000
Call Trace:
 <TASK>
 __schedule+0x2a/0x100
 __mutex_lock.constprop.0+0x200/0x400
 read_dummy+0x23/0x70 [hung_task]
 </TASK>
INFO: task cat:28631 is blocked on a mutex likely owned by task tail:28630.
";
    let snapshots = read(text);
    let snapshot = &snapshots[0];
    assert_eq!(snapshot.threads.iter().map(|t| t.id.to_string()).collect::<Vec<_>>(), ["28631", "28630"]);
    assert_eq!(snapshot.reported_locks[0].owner, ReportedOwner::Thread(ThreadIx(1)));
    let selfish = read(&text.replace("tail:28630", "cat:28631"));
    assert_eq!(selfish[0].reported_locks[0].owner, ReportedOwner::Thread(ThreadIx(0)));
}

#[test]
fn stacks_of_proc() {
    let stack = "[<0>] fuse_dev_do_read+0xa29/0xa50 [fuse]\n[<0>] vfs_read+0x23f/0x310\n";
    let by_tail = format!("==> /proc/94/stack <==\n{stack}\n==> /proc/95/stack <==\n{stack}");
    let by_grep: String = [94, 95]
        .iter()
        .flat_map(|pid| stack.lines().map(move |line| format!("/proc/{pid}/stack:{line}\n")))
        .collect();
    let by_hand = format!("94\n{stack}\nPID 95:\n{stack}");
    for text in [by_tail, by_grep, by_hand] {
        let snapshots = read(&text);
        let ids: Vec<String> = snapshots[0].threads.iter().map(|t| t.id.to_string()).collect();
        assert_eq!(ids, ["94", "95"], "{text}");
        assert_eq!(functions(&snapshots[0], 1), ["fuse_dev_do_read", "vfs_read"]);
    }
    assert_eq!(read(stack)[0].threads.len(), 1);
}

#[test]
fn stacks_of_proc_with_their_addresses() {
    let stack = "[<ffffffffc04d6bcd>] log_commit+0x95d/0xaf0 [applog]\n[<ffffffffb50abea3>] kthread+0x113/0x130\n[<ffffffffffffffff>] 0xffffffffffffffff\n";
    let by_tail = format!("==> /proc/94/stack <==\n{stack}\n==> /proc/95/stack <==\n{stack}");
    let by_grep: String = [94, 95]
        .iter()
        .flat_map(|pid| stack.lines().map(move |line| format!("/proc/{pid}/stack:{line}\n")))
        .collect();
    let by_hand = format!("PID = 94\n{stack}\n$ cat /proc/95/stack\n{stack}");
    for text in [by_tail, by_grep, by_hand] {
        let snapshots = read(&text);
        let ids: Vec<String> = snapshots[0].threads.iter().map(|t| t.id.to_string()).collect();
        assert_eq!((snapshots.len(), ids), (1, vec!["94".to_owned(), "95".to_owned()]), "{text}");
        assert_eq!(functions(&snapshots[0], 1), ["log_commit", "kthread"]);
        assert_eq!(snapshots[0].threads[1].reported, Some(ReportedState::Asleep));
    }
    assert_eq!(read(stack)[0].threads.len(), 1);
    // In a report they are frames of its task, blanks before them or not.
    let oops = |blank: &str| {
        format!(
            "BUG: unable to handle kernel paging request at 0000000000001258\nCPU: 1 PID: 63 Comm: pump Not tainted 4.4.0 #8\nCall Trace:\n{}",
            stack.lines().map(|line| format!("{blank}{line}\n")).collect::<String>()
        )
    };
    for text in [oops(" "), oops("")] {
        let snapshots = read(&text);
        assert_eq!((snapshots.len(), snapshots[0].threads.len()), (1, 1), "{text}");
        assert_eq!(functions(&snapshots[0], 0), ["log_commit", "kthread"]);
    }
    let lone = bytes::Bytes::from_static(
        b"see [<ffffffffc04d6bcd>] log_commit+0x95d/0xaf0\n[<ffffffffb50abea3>] kthread+0x113/0x130 is it\n",
    );
    assert!(crate::formats::detect::detect(&lone, None).is_none());
}

#[test]
fn a_panic_and_a_lockup() {
    let panic = "Kernel panic - not syncing: sysrq triggered crash\nCPU: 2 PID: 145 Comm: crasher Not tainted 6.1.0 #1\nCall Trace:\n panic+0x118/0x2f4\n sysrq_handle_crash+0x16/0x20\n";
    let snapshots = read(panic);
    let failure = snapshots[0].process.failure.clone().expect("a failure");
    assert_eq!(
        (failure.kind, &*failure.message, failure.thread),
        (FailureKind::Kernel, "sysrq triggered crash", Some(ThreadIx(0)))
    );
    let lockup = "watchdog: BUG: soft lockup - CPU#1 stuck for 23s! [log writer:16813]\nCPU: 1 PID: 16813 Comm: log writer Not tainted 5.8.0 #0\nRIP: 0010:spin+0x192/0x4f0\nCall Trace:\n flush+0x1/0x2\nKernel panic - not syncing: softlockup: hung tasks\nCPU: 1 PID: 16813 Comm: log writer Not tainted 5.8.0 #0\nCall Trace:\n panic+0x1/0x2\n";
    let snapshots = read(lockup);
    assert_eq!((snapshots.len(), snapshots[0].threads.len()), (1, 1));
    let failure = snapshots[0].process.failure.clone().expect("a failure");
    assert_eq!((failure.kind, failure.thread), (FailureKind::Kernel, Some(ThreadIx(0))));
    assert_eq!(&*failure.message, "softlockup: hung tasks: soft lockup - CPU#1 stuck for 23s");
    assert_eq!(functions(&snapshots[0], 0), ["spin", "flush"]);
}

#[test]
fn a_task_that_is_shown_again_begins_another_dump() {
    let sysrq = "sysrq: Show State\ntask:a state:S stack:0 pid:1 ppid:0 flags:0x0\nCall Trace:\n f+0x1/0x2\ntask:b state:S stack:0 pid:2 ppid:0 flags:0x0\nCall Trace:\n f+0x1/0x2\n";
    let snapshots = read(&format!("{sysrq}net: link up\n{sysrq}"));
    assert_eq!(snapshots.iter().map(|s| s.threads.len()).collect::<Vec<_>>(), [2, 2]);
}

#[test]
fn talk_is_no_dump_and_a_cut_is_told() {
    for text in [
        "INFO: task 5 blocked for review\n",
        "Call Trace: see below\nnothing\n",
        "task: write the state: of the union\n",
        "the owner of task:7 state:done\n",
    ] {
        let bytes = bytes::Bytes::copy_from_slice(text.as_bytes());
        assert!(crate::formats::detect::detect(&bytes, None).is_none(), "{text}");
    }
    for end in 0..JAM.len() {
        let bytes = bytes::Bytes::copy_from_slice(&JAM.as_bytes()[..end]);
        if let Some(content) = crate::formats::detect::detect(&bytes, None) {
            crate::formats::detect::read(&content, &bytes, &"dump".into());
        }
    }
}
