//! Logs as people publish them: of old kernels and other processors, as a serial console and Markdown leave them.

use super::FORMAT;
use super::tests::functions;
use crate::formats::testing::{is_found, read, read_one};
use crate::model::{FailureKind, GapKind, ReportedState, Snapshot};

fn ids(snapshot: &Snapshot) -> Vec<String> {
    snapshot.threads.iter().map(|thread| thread.id.to_string()).collect()
}

/// What the kernel says of its end, and the task in which it was.
fn end(snapshot: &Snapshot) -> (FailureKind, String, Option<String>) {
    let failure = snapshot.process.failure.clone().expect("an end");
    let task = failure.thread.map(|ix| snapshot.threads[ix.at()].id.to_string());
    (failure.kind, failure.message.to_string(), task)
}

/// An RCU stall with the stack of the thread that should have ended it, which sleeps.
const STARVED: &str = "\
[  103.1] rcu: INFO: rcu_sched detected stalls on CPUs/tasks:
[  103.2] rcu: rcu_sched kthread starved for 38227 jiffies! g-1127 f0x0 RCU_GP_WAIT_FQS(5) ->state=0x402 ->cpu=1
[  103.3] rcu_sched       I15016    11      2 0x80004000
[  103.4] Call Trace:
[  103.5]  __schedule+0x288/0x600
[  103.6]  rcu_gp_kthread+0x4f6/0xd40
";

#[test]
fn a_blank_behind_a_header_invents_no_task() {
    let lockup = "[  1.0] watchdog: BUG: soft lockup - CPU#1 stuck for 22s! [pump:854]\n[  1.1] pump            R  running task        0   854      2 0x00000804\n[  1.2] Call Trace:\n[  1.3]  log_drain+0x1/0x2\n[  1.5]  kthread+0x1/0x2\n";
    for end_of_line in ["\n", "\r\n", " \n", " \r\n"] {
        let snapshot = read_one(&STARVED.replace('\n', end_of_line));
        assert_eq!(ids(&snapshot), ["11"], "{end_of_line:?}");
        assert_eq!(functions(&snapshot, 0), ["__schedule", "rcu_gp_kthread"]);
        // Whoever sleeps is not the one that is stuck.
        let message = "rcu_sched detected stalls on CPUs/tasks".to_owned();
        assert_eq!(end(&snapshot), (FailureKind::Stall, message, None));
        let snapshot = read_one(&lockup.replace('\n', end_of_line));
        assert_eq!((ids(&snapshot), functions(&snapshot, 0).len()), (vec!["854".to_owned()], 2));
    }
}

#[test]
fn tasks_of_2_6_18_with_their_relatives() {
    let snapshot = read_one(
        "INFO: task logd/dm-9:762 blocked for more than 120 seconds.\n\"echo 0 > /proc/sys/kernel/hung_task_timeout_secs\" disables this message.\nlogd/dm-9     D ffff81043e0a1420     0   762    585           763   748 (L-TLB)\n ffff81041daa7d60 0000000000000046 ffff81041daa7d00 ffffffff8008cf5f\nCall Trace:\n [<ffffffff88582f6d>] :applog:log_commit+0x191/0x1068\n [<ffffffff80032974>] kthread+0xfe/0x132\n\nKernel panic - not syncing: hung_task: blocked tasks\n",
    );
    assert_eq!(ids(&snapshot), ["762"]);
    assert_eq!(functions(&snapshot, 0), ["log_commit", "kthread"]);
    let frame = snapshot.stacks.frames_of(snapshot.threads[0].stack)[0];
    assert_eq!(snapshot.stacks.get(frame).module.as_deref(), Some("applog"));
    assert_eq!(snapshot.threads[0].reported, Some(ReportedState::Uninterruptible));
    // The machine ended on it, and the task is not the one that did.
    assert_eq!(end(&snapshot), (FailureKind::GaveUp, "hung_task: blocked tasks".to_owned(), None));
    assert!(!snapshot.gaps.has(GapKind::SkippedText), "{:?}", snapshot.gaps);
}

#[test]
fn words_that_can_be_no_calls_make_a_stack_of_guesses() {
    let stack = |words: &[&str]| -> Snapshot {
        let words = words.iter().map(|word| format!(" [<ffffffff8008cf5f>] {word}\n")).collect::<String>();
        let header = "logd          D ffff81043e0a1420     0    71    585           763   748 (L-TLB)";
        read_one(&format!(
            "INFO: task logd:71 blocked for more than 120 seconds.\n{header}\nCall Trace:\n{words}"
        ))
    };
    // What is above the call that leaves the processor is left over.
    let snapshot = stack(&[
        "log_time+0x30/0xb6",
        "io_schedule+0x36/0x59",
        "log_wake+0x0/0x33",
        "log_flush+0x33/0x58",
        "log_wake+0x0/0x33",
        "log_append+0x62/0x6a",
    ]);
    assert_eq!(functions(&snapshot, 0), ["io_schedule", "log_flush", "log_append"]);
    assert!(snapshot.gaps.has(GapKind::IncompleteStack));
    // One may be the function that prints, or that starts a thread.
    let snapshot = stack(&["log_print+0x0/0x140", "log_flush+0x33/0x58", "log_start+0x0/0x4"]);
    assert_eq!(functions(&snapshot, 0), ["log_print", "log_flush", "log_start"]);
    assert!(!snapshot.gaps.has(GapKind::IncompleteStack));
    let file = "PID = 301\n[<ffffffffb3839bd0>] sys_log+0x3a0/0x3a0\n[<ffffffffb383197e>] log_flush+0x5e/0x90\n[<ffffffffffffffff>] 0xffffffffffffffff\n";
    assert_eq!(functions(&read_one(file), 0), ["log_flush"]);
}

#[test]
fn the_watchdog_of_blocked_tasks_is_not_who_failed() {
    let hung = "INFO: task logd:71 blocked for more than 122 seconds.\ntask:logd            state:D stack:    0 pid:   71 ppid:     1 flags:0x00004000\nCall Trace:\n schedule+0x46/0xb0\n log_append+0x55/0xb0\n";
    let panic = "Kernel panic - not syncing: hung_task: blocked tasks\nCPU: 0 PID: 30 Comm: khungtaskd Not tainted 5.10.0 #1\nCall Trace:\n dump_stack+0x1/0x2\n panic+0x1/0x2\n watchdog+0x1/0x2\n";
    let snapshot = read_one(&format!("{hung}{panic}"));
    assert_eq!(ids(&snapshot), ["71"]);
    assert_eq!(end(&snapshot), (FailureKind::GaveUp, "hung_task: blocked tasks".to_owned(), None));
    // The machine that lives on did not end.
    assert_eq!(read_one(hung).process.failure, None);
}

#[test]
fn tasks_of_kernels_with_32_bits() {
    let stack = "[<8051b27c>] (__schedule) from [<8051b7f4>] (schedule+0x50/0xa8)\n[<8051b7f4>] (schedule) from [<8041bb38>] (log_claim+0xb8/0x1cc)\n";
    let hung = format!(
        "INFO: task logd/u8:2:20304 blocked for more than 120 seconds.\n      Not tainted 4.4.16-v7+ #899\nlogd/u8:2       D 8051b27c     0 20304      2 0x00000000\nWorkqueue: log log_rescan\n{stack}"
    );
    let snapshot = read_one(&hung);
    assert_eq!(ids(&snapshot), ["20304"]);
    assert_eq!(functions(&snapshot, 0), ["__schedule", "schedule", "log_claim"]);
    // Nothing but the columns says what it is.
    let sysrq = |before: &str| {
        format!(
            "{before}SysRq : Show Blocked State\n{before}  task                PC stack   pid father\n{before}logd/u8:2       D 80512270     0 20304      2 0x00000000\n{}",
            stack.lines().map(|line| format!("{before}{line}\n")).collect::<String>()
        )
    };
    for before in ["", "[  240.250049] ", "Mar 14 02:26:53 shop-3 kernel: [  240.250049] "] {
        let snapshot = read_one(&sysrq(before));
        assert_eq!(ids(&snapshot), ["20304"], "{before}");
        assert_eq!(functions(&snapshot, 0), ["__schedule", "schedule", "log_claim"], "{before}");
        assert!(!snapshot.gaps.has(GapKind::SkippedText), "{:?}", snapshot.gaps);
    }
    assert!(!is_found(
        FORMAT.id,
        "press SysRq : Show Blocked State\nand look at 80512270 0 20304 2 0x00000000\n"
    ));
}

#[test]
fn a_stall_on_power_is_where_the_interrupt_came_in() {
    let text = |interrupt: &str| {
        format!(
            "[  253.1] INFO: rcu_sched self-detected stall on CPU\n[  253.2] Task dump for CPU 101:\n[  253.3] pump            R  running task        0   854      2 0x00000804\n[  253.4] Call Trace:\n[  253.5] [c000002fc621f0a0] [c00000000007c6f0] sched_show_task+0x10c/0x118 (unreliable)\n[  253.6] [c000002fc621f110] [c00000000009eda8] rcu_dump_cpu_stacks+0xa0/0xd0\n[  253.7] [c000002fc621f280] [c0000000000a44e0] update_process_times+0x3c/0x74\n[  253.8] [c000002fc621f4d0] [c00000000000995c] restore_check_irq_replay+0x54/0x70\n{interrupt}"
        )
    };
    let interrupt = "[  253.9] --- interrupt: 901 at log_irq_restore+0x5c/0x80\n[  253.9]     LR = log_irq_restore+0x5c/0x80\n[  254.0] [c000002fc621f7e0] [c000000000059534] log_drain+0xe0/0x2b4\n";
    let snapshot = read_one(&text(interrupt));
    assert_eq!(functions(&snapshot, 0), ["log_irq_restore", "log_drain"]);
    assert!(!snapshot.gaps.has(GapKind::SkippedText), "{:?}", snapshot.gaps);
    // Cut before it, and an interrupt of a program: nothing of the task's own is there.
    for rest in ["", "[  253.9] --- interrupt: c00 at 0x7fff8b0f6b54\n"] {
        let snapshot = read_one(&text(rest));
        assert!(functions(&snapshot, 0).is_empty(), "{rest}");
        assert_eq!(end(&snapshot).2.as_deref(), Some("854"));
    }
}

#[test]
fn stalls_on_arm_before_4_9() {
    let stall = "[ 1017.1] INFO: rcu_sched self-detected stall on CPU\n[ 1017.2] Task dump for CPU 1:\n[ 1017.3] swapper/1       R running      0     0      1 0x00000002\n[ 1017.4] Backtrace: \n";
    let frames = "[ 1017.5] [<80012940>] (dump_backtrace) from [<80012b38>] (show_stack+0x18/0x1c)\n[ 1017.6]  r6:80000193 r5:8053b980 r4:b6062640 r3:00000000\n[ 1017.7] [<80012b20>] (show_stack) from [<8003f97c>] (sched_show_task+0xac/0x100)\n[ 1017.8] [<8003f8d0>] (sched_show_task) from [<800630e0>] (rcu_dump_cpu_stacks+0x94/0xd0)\n";
    let snapshot = read_one(&format!("{stall}{frames}"));
    assert_eq!(
        (ids(&snapshot), snapshot.threads[0].name.as_deref()),
        (vec!["0".to_owned()], Some("swapper/1"))
    );
    assert!(functions(&snapshot, 0).is_empty());
    let message = "rcu_sched self-detected stall on CPU".to_owned();
    assert_eq!(end(&snapshot), (FailureKind::Stall, message, Some("0".to_owned())));
    // Found by its stack alone.
    let oops = "Unable to handle kernel NULL pointer dereference at virtual address 00000028\nBacktrace: \n[<7f4a1618>] (log_pages [applog]) from [<8021e284>] (log_write+0x30/0x8c)\n";
    assert_eq!(functions(&read_one(oops), 0), ["log_pages", "log_write"]);
    assert!(!is_found(
        FORMAT.id,
        "Backtrace:\n0: std::rt::begin at src/rt.rs:7\n1: ./shop(main+0x12) [0x4005d0]\n"
    ));
}

#[test]
fn a_caller_of_a_module_goes_on_in_the_next_line() {
    let text = "INFO: task logd:5 blocked for more than 120 seconds.\nlogd            D    0     5      2 0x00000000\n[<8051b27c>] (schedule) from [<7f4a1618>] (log_pages+0x80/0xe4 [applog])\n[<7f4a1618>] (log_pages [applog]) from [<8021e284>] (log_write+0x30/0x8c)\n";
    let snapshot = read_one(text);
    assert_eq!(functions(&snapshot, 0), ["schedule", "log_pages", "log_write"]);
    assert!(!snapshot.gaps.has(GapKind::SkippedText), "{:?}", snapshot.gaps);
}

#[test]
fn alarms_alone_in_a_text() {
    for (text, message) in [
        (
            "NMI watchdog: Watchdog detected hard LOCKUP on cpu 2\nNMI watchdog: Watchdog detected hard LOCKUP on cpu 1\n",
            "Watchdog detected hard LOCKUP on cpu 2",
        ),
        (
            "[7.1] BUG: workqueue lockup - pool cpus=0 node=0 flags=0x0 nice=0 stuck for 101s!\n[7.2] workqueue events: flags=0x0\n[7.3]   pwq 0: cpus=0 node=0 flags=0x0 nice=0 active=1/256\n[7.4]     pending: log_rotate\n",
            "workqueue lockup - pool cpus=0 node=0 flags=0x0 nice=0 stuck for 101s",
        ),
        (
            "[7.1] rcu: INFO: rcu_sched detected stalls on CPUs/tasks:\n[7.2] \t(detected by 3, t=21010 jiffies, g=-93, c=-94, q=1)\n",
            "rcu_sched detected stalls on CPUs/tasks",
        ),
    ] {
        let snapshot = read_one(text);
        assert!(snapshot.threads.is_empty(), "nobody is made up: {text}");
        assert_eq!(end(&snapshot), (FailureKind::Stall, message.to_owned(), None));
        // Who it is, is not known: the list of tasks is not whole.
        assert!(!snapshot.is_complete);
    }
    // Where a task is known, it is the one.
    assert_eq!(ids(&read_one(STARVED)), ["11"]);
    for text in [
        "I get NMI watchdog: Watchdog detected hard LOCKUP on cpu 0\n",
        "Since then INFO: rcu_sched self-detected stall on CPU\n",
        "it says BUG: workqueue lockup - pool cpus=0 node=0 flags=0x0 nice=0 stuck for 101s! and stops\n",
    ] {
        assert!(read(text).is_empty() && !is_found(FORMAT.id, text), "{text}");
    }
}

#[test]
fn stacks_of_proc_that_markdown_moved() {
    let stack = |pid: u32| {
        format!(
            "$ sudo cat /proc/{pid}/stack\n[<ffffffffc04d6bcd>] log_commit+0x95d/0xaf0 [applog]\n[<ffffffffb50abea3>] kthread+0x113/0x130\n[<ffffffffffffffff>] 0xffffffffffffffff\n"
        )
    };
    for before in ["    ", "\t", "> "] {
        let both = [stack(301), stack(302)].concat();
        let moved: String = both.lines().map(|line| format!("{before}{line}\n")).collect();
        let snapshot = read_one(&format!("The stacks:\n\n{moved}"));
        assert_eq!(ids(&snapshot), ["301", "302"], "{before:?}");
        assert_eq!(functions(&snapshot, 1), ["log_commit", "kthread"], "{before:?}");
    }
    // Nothing says that these are the stack of a task.
    let bare = stack(301).lines().skip(1).map(|line| format!("    {line}\n")).collect::<String>();
    assert!(read(&bare).is_empty(), "{bare}");
}

#[test]
fn the_lock_of_a_socket_is_in_the_list_of_its_owner() {
    let task = |pid: u32, calls: &str| {
        format!(
            "INFO: task shop:{pid} blocked for more than 143 seconds.\ntask:shop            state:D stack:    0 pid:{pid:5} ppid:  1298 flags:0x00000004\nCall Trace:\n __schedule+0x6f7/0x1d30\n schedule+0xcd/0x2a0\n{calls} inet_recvmsg+0x96/0x660\n"
        )
    };
    let waits = " __lock_sock+0x13d/0x260\n lock_sock_nested+0xf6/0x120\n shop_recvmsg+0xe8/0x1710\n";
    let list = |pid: u32| {
        format!(
            "1 lock held by shop/{pid}:\n #0: ffff888012345678 (sk_lock-AF_INET){{+.+.}}-{{0:0}}, at: shop_recvmsg+0xe8/0x1710\n"
        )
    };
    let text = format!(
        "{}{}\nShowing all locks held in the system:\n{}{}\n=============================================\n",
        task(71, waits),
        task(72, " log_flush+0x1/0x2\n"),
        list(71),
        list(72),
    );
    let snapshot = read_one(&text);
    let of = |n: usize| (snapshot.threads[n].reported_wait.is_some(), snapshot.threads[n].holds);
    assert_eq!((of(0).0, of(1).0), (true, false));
    assert!(of(0).1.0 == of(0).1.1 && of(1).1.0 < of(1).1.1, "{:?} {:?}", of(0), of(1));
}

#[test]
fn a_watchdog_that_warns_shows_itself() {
    let snapshot = read_one(
        "[85.1] ------------[ cut here ]------------\n[85.2] WARNING: CPU: 1 PID: 317 at kernel/watchdog.c:265 watchdog_overflow_callback+0x98/0xc0()\n[85.3] Watchdog detected hard LOCKUP on cpu 1\n[85.4] CPU: 1 PID: 317 Comm: shop Not tainted 3.16.0-4-amd64 #1\n[85.5] Call Trace:\n[85.6]  <NMI>  [<ffffffff8150b4c5>] ? dump_stack+0x41/0x51\n[85.7]  [<ffffffff81067767>] ? warn_slowpath_common+0x77/0x90\n[85.8]  [<ffffffff810fccd8>] ? watchdog_overflow_callback+0x98/0xc0\n",
    );
    assert!(functions(&snapshot, 0).is_empty(), "{:?}", functions(&snapshot, 0));
    assert_eq!(end(&snapshot).2.as_deref(), Some("317"));
}
