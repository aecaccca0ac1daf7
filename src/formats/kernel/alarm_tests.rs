//! Alarms of the kernel as people bring them: of other processors, without the lines between, cut by a mailer.

use super::tests::functions;
use crate::formats::testing::read;
use crate::model::{FailureKind, GapKind, LockId, ReportedOwner, ReportedState, Snapshot, ThreadIx, Trust};

fn only(text: &str) -> Snapshot {
    let mut snapshots = read(text);
    assert_eq!(snapshots.len(), 1, "{text}");
    snapshots.remove(0)
}

/// How the kernel died, and the name of the task and its functions.
fn death(text: &str) -> (FailureKind, String, String, Vec<String>) {
    let snapshot = only(text);
    let failure = snapshot.process.failure.clone().unwrap_or_else(|| panic!("a failure: {text}"));
    let at = failure.thread.unwrap_or_else(|| panic!("a task: {text}")).at();
    let name = snapshot.threads[at].name.as_deref().unwrap_or_default().to_owned();
    (failure.kind, failure.message.to_string(), name, functions(&snapshot, at))
}

fn ids(snapshot: &Snapshot) -> Vec<String> {
    snapshot.threads.iter().map(|thread| thread.id.to_string()).collect()
}

#[test]
fn oopses_of_other_processors() {
    let cpu = "CPU: 0 UID: 0 PID: 73 Comm: log writer Not tainted 6.14.0 #3\n";
    let riscv = format!(
        "Unable to handle kernel paging request at virtual address 0000000000000508\nOops [#1]\nModules linked in: applog\n{cpu}epc : log_flush+0x94/0xa6 [applog]\n ra : log_append+0x54/0xa6 [applog]\n t1 : 00000000000007e0 t2 : 0000000000000000\n[<ffffffff01590e98>] log_flush+0x94/0xa6 [applog]\n[<ffffffff015943a6>] log_append+0x56/0x90 [applog]\n"
    );
    let arm = format!(
        "8<--- cut here ---\nUnable to handle kernel paging request at virtual address 00000508 when read\n[00000508] *pgd=00000000\nInternal error: Oops: 5 [#1] SMP ARM\n{cpu}PC is at log_flush+0x44/0x64\nLR is at 0xffffffff\npc : [<c080ac48>]    lr : [<ffffffff>]    psr: 000f0093\nStack: (0xf0829a28 to 0xf082a000)\n9a20:                   c0b13875 f0829af4\n log_flush from log_append+0x4c/0x64\nCode: e5c03000\n"
    );
    let mips = format!(
        "CPU 0 Unable to handle kernel paging request at virtual address 00000508, epc == 80244654, ra == 80244654\nOops[#1]:\n{cpu}$28   : 834bc000 834bdac8 00000005 80244654\nepc   : 80244654 log_flush+0x20/0x38\nra    : 80244654 log_append+0x20/0x38\nCall Trace:\n[<80244654>] log_flush+0x20/0x38\n[<80208d7c>] log_append+0x16c/0x2d8\n"
    );
    for text in [riscv, arm, mips] {
        let (kind, message, name, functions) = death(&text);
        assert_eq!((kind, &*name), (FailureKind::Kernel, "log writer"), "{text}");
        assert!(message.starts_with("Unable to handle kernel paging request"), "{message}");
        assert_eq!(functions, ["log_flush", "log_append"], "{text}");
    }
}

#[test]
fn stacks_of_alarms_without_a_header() {
    let lockup = "watchdog: BUG: soft lockup - CPU#0 stuck for 22s! [irq/26-log:247]\n";
    let stack = "Call trace:\n log_poll+0x7c/0xa0\n irq_thread+0x128/0x210\n";
    let panic = "Kernel panic - not syncing: softlockup: hung tasks\n";
    let (kind, message, name, functions) = death(&format!("{lockup}{stack}{panic}"));
    assert_eq!(
        (kind, &*message, &*name),
        (FailureKind::Kernel, "softlockup: hung tasks: soft lockup - CPU#0 stuck for 22s", "irq/26-log")
    );
    // A machine that lives on.
    let (kind, message, ..) = death(&format!("{lockup}{stack}"));
    assert_eq!((kind, &*message), (FailureKind::Stall, "soft lockup - CPU#0 stuck for 22s"));
    assert_eq!(functions, ["log_poll", "irq_thread"]);
    let (kind, _, name, functions) =
        death(&format!("Unable to handle kernel NULL pointer dereference at virtual address 28\n{stack}"));
    assert_eq!((kind, &*name), (FailureKind::Kernel, ""));
    assert_eq!(functions, ["log_poll", "irq_thread"]);
    // Lines alone name tasks too.
    let lines = format!("> [19.984249] {lockup}> [20.1] {}> [41.98] {lockup}", lockup.replace("247", "318"));
    let snapshot = only(&lines);
    assert_eq!(ids(&snapshot), ["247", "318"]);
    assert_eq!(snapshot.threads[1].reported, Some(ReportedState::Running));
}

#[test]
fn hung_tasks_of_which_only_the_line_is_there() {
    let snapshot = only(
        "[10.1] INFO: task logd:71 blocked for more than 120 seconds.\n[10.2]       Not tainted 5.10.0 #1\n[10.3] INFO: task shop:72 blocked for more than 120 seconds.\n",
    );
    assert_eq!(ids(&snapshot), ["71", "72"]);
    let thread = &snapshot.threads[1];
    assert_eq!(
        (thread.reported, thread.waited_us),
        (Some(ReportedState::Uninterruptible), Some(120_000_000))
    );
    let owned = "\
INFO: task Runner:11290 blocked for more than 368 seconds.
INFO: task Runner:11290 <reader> blocked on an rw-semaphore likely owned by task Log::Engine:46249 <writer>
INFO: task shop:13672 <writer> blocked on an rw-semaphore likely owned by task Log::Engine:46249 <writer>
";
    let snapshot = only(owned);
    assert_eq!(ids(&snapshot), ["11290", "46249", "13672"]);
    let waits: Vec<bool> = snapshot.threads.iter().map(|t| t.reported_wait.is_some()).collect();
    assert_eq!(waits, [true, false, true]);
    assert!(snapshot.reported_locks.iter().all(|lock| lock.owner == ReportedOwner::Thread(ThreadIx(1))));
}

#[test]
fn an_owner_that_is_shown_twice_is_one_event() {
    let task = |pid: u32, call: &str| {
        format!(
            "task:shop            state:D stack:28288 pid:{pid} tgid:70 ppid:1 flags:0x00000006\nCall Trace:\n __schedule+0x1/0x2\n {call}+0x1/0x2\n"
        )
    };
    let hung = |pid: u32| format!("INFO: task shop:{pid} blocked for more than 64 seconds.\n");
    let round = format!(
        "{}{}INFO: task shop:71 is blocked on a mutex likely owned by task shop:72.\n{}{}{}",
        hung(71),
        task(71, "__mutex_lock"),
        task(72, "folio_wait_bit_common"),
        hung(72),
        task(72, "folio_wait_bit_common"),
    );
    let snapshot = only(&round);
    assert_eq!(ids(&snapshot), ["71", "72"]);
    assert_eq!(snapshot.threads[1].waited_us, Some(64_000_000));
    // The next round is another one.
    assert_eq!(read(&format!("{round}{round}")).len(), 2);
}

#[test]
fn a_warning_on_which_the_kernel_ends_is_why_it_died() {
    let cpu = "CPU: 0 PID: 148 Comm: logd Not tainted 5.4.61 #1\nCall Trace:\n";
    let warning = format!(
        "WARNING: CPU: 0 PID: 148 at kernel/log.c:839 log_stop+0x72/0x82\n{cpu} log_stop+0x72/0x82\n"
    );
    assert_eq!(death(&warning).0, FailureKind::Warning);
    let panic =
        |why: &str| format!("Kernel panic - not syncing: {why}\n{cpu} dump_stack+0x1/0x2\n panic+0x1/0x2\n");
    let (_, message, name, functions) = death(&format!("{warning}{}", panic("panic_on_warn set ...")));
    assert_eq!(message, "panic_on_warn set: WARNING: CPU: 0 PID: 148 at kernel/log.c:839 log_stop+0x72/0x82");
    assert_eq!((&*name, functions), ("logd", vec!["log_stop".to_owned()]));
    // Of another panic an older warning is not the reason; and a panic alone is one.
    assert_eq!(death(&format!("{warning}{}", panic("Fatal exception"))).1, "Fatal exception");
    assert_eq!(death(&panic("Hard LOCKUP")).1, "Hard LOCKUP");
    let watchdog = panic("hung_task: blocked tasks").replace("logd", "khungtaskd");
    assert_eq!(death(&watchdog).1, "hung_task: blocked tasks");
}

#[test]
fn stacks_of_the_memory_are_not_the_task_s_own() {
    let (_, message, _, functions) = death(
        "BUG: KASAN: slab-use-after-free in log_flush+0x2e/0x36\nRead of size 8 by task logd/186\n\nCPU: 1 PID: 186 Comm: logd Not tainted 6.6.0 #83\nCall Trace:\n dump_stack_lvl+0xc1/0x128\n print_report+0xc1/0x128\n kasan_report+0x21c/0x500\n log_flush+0x2e/0x36\n log_append+0x70/0x120\n\nAllocated by task 186:\n kasan_save_stack+0x16/0x20\n log_open+0x37/0xb0\n\nFreed by task 99:\n kfree+0x16/0x20\n",
    );
    assert_eq!(message, "KASAN: slab-use-after-free in log_flush+0x2e/0x36");
    assert_eq!(functions, ["log_flush", "log_append"]);
}

#[test]
fn watchdogs_of_power_and_of_work_queues() {
    let cpu = "CPU: 42 PID: 91 Comm: logd Not tainted 4.15.0 #16\n";
    let (kind, message, ..) = death(&format!(
        "Watchdog CPU:42 Hard LOCKUP\n{cpu}NIP [c0000000001d5364] log_poll+0x134/0x1c0\nLR [c0000000001d5340] log_poll+0x110/0x1c0\nCall Trace:\n[c000200dc242f360] [c0000000001d5340] log_write+0x110/0x1c0 (unreliable)\n"
    ));
    assert_eq!((kind, &*message), (FailureKind::Stall, "Watchdog CPU:42 Hard LOCKUP"));
    let (kind, message, name, _) = death(
        "BUG: workqueue lockup - pool cpus=0 node=0 flags=0x0 nice=0 stuck for 168s!\nShowing busy workqueues and worker pools:\nworkqueue events: flags=0x100\npool 2:\ntask:kworker/0:1     state:R  running task     stack:23976 pid:10    tgid:10    ppid:2      flags:0x00080000\nCall Trace:\n log_pump+0x17d9/0x56c0\n",
    );
    assert_eq!((kind, &*name), (FailureKind::Stall, "kworker/0:1"));
    assert_eq!(message, "workqueue lockup - pool cpus=0 node=0 flags=0x0 nice=0 stuck for 168s");
}

/// 72 waits in `log_append` for what it asked for last.
fn with_list(entries: &str) -> Snapshot {
    only(&format!(
        "INFO: task shop:72 blocked for more than 122 seconds.\ntask:shop            state:D stack:    0 pid:   72 ppid:     1 flags:0x00004000\nCall Trace:\n __schedule+0x2a/0x100\n schedule+0x46/0xb0\n __mutex_lock+0x200/0x400\n log_lock kernel/log.c:12 [inline]\n log_append+0x21/0xb0 kernel/log.c:20\n\nShowing all locks held in the system:\n2 locks held by shop/72:\n #0: 000000006fdd0001 (dir_mutex){{+.+.}}-{{3:3}}, at: log_open+0x1/0x2\n{entries}\n=============================================\n"
    ))
}

fn holds_and_wait(snapshot: &Snapshot) -> (usize, Option<&str>) {
    let thread = &snapshot.threads[0];
    let wait = thread.reported_wait.and_then(|wait| snapshot.named_locks[wait.lock.at()].name.as_deref());
    ((thread.holds.1 - thread.holds.0) as usize, wait)
}

#[test]
fn the_last_lock_of_a_list_is_not_held_where_its_place_is_wrapped_cut_or_inlined() {
    let last = " #1: 000000006fdd818f (log_mutex){+.+.}-{3:3}, at:";
    let wrapped = with_list(&format!("{last}\nlog_append+0x21/0xb0"));
    assert_eq!(holds_and_wait(&wrapped), (1, Some("log_mutex")));
    let cut = with_list(last);
    assert_eq!(holds_and_wait(&cut), (1, None));
    let inlined = with_list(&format!(
        "{last} log_lock kernel/log.c:12 [inline]\n{last} log_append+0x21/0xb0 kernel/log.c:20"
    ));
    assert_eq!(holds_and_wait(&inlined), (1, Some("log_mutex")));
}

#[test]
fn lines_that_a_mailer_broke() {
    let text = "\
[  242.821407][ T1645] INFO: task logd:68 is blocked on a
mutex likely owned by task logd:58.
[  242.824739][ T1645] INFO: task logd:96 blocked for more
than 120 seconds.
[  242.828074][ T1645]       Not tainted 7.0.0 #6
[  242.829738][ T1645] \"echo 0 >
/proc/sys/kernel/hung_task_timeout_secs\" disables this message.
[  242.833313][ T1645] task:logd            state:D stack:0     pid:96
 tgid:96  ppid:50   task_flags:0x400140 flags:0x00000811
[  242.837101][ T1645] Call trace:
[  242.839050][ T1645]  __switch_to+0xdc/0x108 (T)
[  242.842921][ T1645]  schedule+0x58/0x118
[  242.846736][ T1645]  __mutex_lock+0x45c/0x820
[  242.850635][ T1645]  log_append+0x38/0x2b0
";
    let snapshot = only(text);
    let mut named = ids(&snapshot);
    named.sort();
    assert_eq!(named, ["58", "68", "96"]);
    let hung = snapshot.threads.iter().find(|t| t.id.to_string() == "96").map(|t| t.waited_us);
    assert_eq!(hung, Some(Some(120_000_000)));
    assert!(!snapshot.gaps.has(GapKind::SkippedText), "{:?}", snapshot.gaps);
}

#[test]
fn a_prompt_says_whose_stack_it_is() {
    let snapshot = only(
        "[root@shop ~]# cat /proc/142/stack\n[<0>] __switch_to+0x50/0x7f\n[<0>] log_flush+0x1/0x2\n\n$ sudo cat /proc/7/task/145/stack\n[<0>] __switch_to+0x50/0x7f\n[<0>] log_pump+0x1/0x2\n",
    );
    assert_eq!(ids(&snapshot), ["142", "145"]);
}

#[test]
fn a_lockup_in_the_strings_of_a_program_is_none() {
    for text in [
        "\t\t{\"watchdog: BUG: soft lockup - CPU#6 stuck for 23s! [VM Thread:4054]\", \"SoftLockup\"},\n",
        "    \"INFO: task logd:71 blocked for more than 120 seconds.\",\n",
        "expect('INFO: task logd:71 blocked for more than 120 seconds.')\n",
    ] {
        let bytes = bytes::Bytes::copy_from_slice(text.as_bytes());
        assert!(crate::formats::detect::detect(&bytes, None).is_none(), "{text}");
    }
    let json =
        "{\"level\":\"3\",\"message\":\"watchdog: BUG: soft lockup - CPU#6 stuck for 23s! [log d:54]\"}\n";
    assert_eq!(ids(&only(json)), ["54"]);
}

#[test]
fn an_alarm_that_names_its_task_says_more_than_one_that_was_cut() {
    let (_, message, name, _) = death(
        "[7.1] rcu: INFO: rcu_sched detected stalls on CPUs/tasks:\n[7.2] rcu: \t(detected by 0, t=28 jiffies, g=15, q=11)\n[8.1] watchdog: BUG: soft lockup - CPU#1 stuck for 22s! [logd:54]\n",
    );
    assert_eq!((&*message, &*name), ("soft lockup - CPU#1 stuck for 22s", "logd"));
}

#[test]
fn a_process_that_is_ended_for_lack_of_memory() {
    let text = "pump invoked oom-killer: gfp_mask=0x100cca, order=0, oom_score_adj=0
CPU: 1 PID: 63 Comm: pump Not tainted 6.1.0 #8
Call Trace:
 dump_header+0x4a/0x1f4
 out_of_memory+0x100/0x300
Mem-Info:
Out of memory: Killed process 240 (hungry (2)) total-vm:1540044kB, anon-rss:1284068kB
";
    let failure = crate::formats::testing::read(text).remove(0).process.failure.unwrap();
    assert_eq!((failure.kind, failure.thread), (FailureKind::Killed, None));
    assert_eq!(&*failure.message, "Out of memory: Killed process 240 (hungry (2))");
}

#[test]
fn frames_that_are_all_marked_as_stale_are_the_stack() {
    let text = |mark: &str| {
        format!(
            "INFO: task logd:71 blocked for more than 120 seconds.\nlogd            D ffff88007a2dd140     0 71   30 0x00000000\n ffff88007a2dd140 0000000000000086 0000000000000040 ffff8800081b81c0\nCall Trace:\n [<ffffffff810a97f7>] ? sleep_on_log+0x10/0x10\n [<ffffffff8135067c>] {mark}__mutex_lock_common+0xff/0x164\n [<ffffffff8135067c>] {mark}__mutex_lock_common+0xff/0x164\n [<ffffffff81104029>] {mark}log_append+0x1f4/0x406\n"
        )
    };
    let snapshot = only(&text("? "));
    assert_eq!(functions(&snapshot, 0), ["__mutex_lock_common", "log_append"]);
    let trust = |snapshot: &Snapshot| {
        let frames = snapshot.stacks.frames_of(snapshot.threads[0].stack);
        frames.first().and_then(|frame| snapshot.stacks.get(*frame).trust)
    };
    assert_eq!(trust(&snapshot), Some(Trust::Scan));
    assert!(snapshot.gaps.has(GapKind::IncompleteStack));
    // Where others are none, they are what was left over.
    let sure = only(&text(""));
    assert_eq!(functions(&sure, 0), ["__mutex_lock_common", "__mutex_lock_common", "log_append"]);
    assert_eq!((trust(&sure), sure.gaps.has(GapKind::IncompleteStack)), (None, false));
}

#[test]
fn lockups_of_work_queues_without_a_stack() {
    let lockup = "[7.1] BUG: workqueue lockup - pool cpus=3 node=0 flags=0x1 nice=0 stuck for 31s!\n";
    let list = "[7.2] Showing busy workqueues and worker pools:\n[7.3] workqueue events: flags=0x0\n[7.4]   pwq 6: cpus=3 node=0 flags=0x1 nice=0 active=2/256 refcnt=16\n[7.5]     in-flight: 14164:log_drain, 29532:log_flush [applog]\n[7.6]     pending: log_rotate\n";
    let snapshot = only(&format!("{lockup}{list}"));
    assert_eq!(ids(&snapshot), ["14164", "29532"]);
    let failure = snapshot.process.failure.unwrap();
    assert_eq!((failure.kind, failure.thread), (FailureKind::Stall, None));
    assert_eq!(
        &*failure.message,
        "workqueue lockup - pool cpus=3 node=0 flags=0x1 nice=0 stuck for 31s; in flight: 14164:log_drain, 29532:log_flush"
    );
    assert!(!snapshot.gaps.has(GapKind::SkippedText), "{:?}", snapshot.gaps);
    // The line alone: somebody is stuck there, and nobody is made up.
    let bare = only(lockup);
    assert!(bare.threads.is_empty());
    assert!(bare.process.failure.is_some_and(|failure| failure.message.ends_with("stuck for 31s")));
    for text in [
        "talk of BUG: workqueue lockup - pools are no cure\n",
        "    \"BUG: workqueue lockup - pool cpus=3 node=0 flags=0x1 nice=0 stuck for 31s!\",\n",
    ] {
        let bytes = bytes::Bytes::copy_from_slice(text.as_bytes());
        assert!(crate::formats::detect::detect(&bytes, None).is_none(), "{text}");
    }
}

#[test]
fn how_long_a_processor_is_stuck_is_no_time_of_its_task() {
    let snapshot = only(
        "[  125.1] watchdog: BUG: soft lockup - CPU#1 stuck for 23s! [pump:247]\n[  125.1] CPU: 1 PID: 247 Comm: pump Not tainted 6.1.0 #1\n[  125.1] RIP: 0010:queue_drain+0x69/0x2d0\n[  125.1] Call Trace:\n[  125.1]  <TASK>\n[  125.1]  pump_events+0x29/0x30\n[  125.1]  </TASK>\n[  126.1] watchdog: BUG: soft lockup - CPU#2 stuck for 23s! [logd:248]\n",
    );
    let times: Vec<_> = snapshot.threads.iter().map(|t| (t.id.to_string(), t.cpu_us, t.waited_us)).collect();
    assert_eq!(times, [("247".to_owned(), None, None), ("248".to_owned(), None, None)]);
    let failure = snapshot.process.failure.expect("a failure");
    assert_eq!(&*failure.message, "soft lockup - CPU#1 stuck for 23s");
}

#[test]
fn who_took_a_semaphore_last_is_not_its_owner() {
    let text = |what: &str| {
        format!(
            "INFO: task logd:71 blocked for more than 143 seconds.\ntask:logd            state:D stack:25736 pid:71    tgid:71    ppid:1      flags:0x00004000\nCall Trace:\n <TASK>\n __schedule+0x16a2/0x4cb0\n {what}+0x80/0xd0\n log_open+0x33/0x40\n </TASK>\n"
        )
    };
    let waits = |text: &str| {
        let snapshot = only(text);
        let wait = snapshot.threads[0].reported_wait.expect("a wait");
        (snapshot.named_locks[wait.lock.at()].id.clone(), snapshot.reported_locks.len())
    };
    let semaphore =
        text("down") + "INFO: task logd:71 blocked on a semaphore likely last held by task pump:72\n";
    assert_eq!(waits(&semaphore), (LockId::Token("semaphore likely last held by pump:72".into()), 0));
    let mutex =
        text("__mutex_lock") + "INFO: task logd:71 is blocked on a mutex likely owned by task pump:72.\n";
    assert_eq!(waits(&mutex), (LockId::Token("mutex of pump:72".into()), 1));
}

#[test]
fn who_has_ended_is_not_at_rest() {
    let snapshot = only(
        "[  100.0] sysrq: Show State\n[  100.0] task:logd            state:Z stack:    0 pid:  901 ppid:     1 flags:0x00000000\n[  100.0] Call Trace:\n[  100.0]  do_exit+0x2d9/0x8b0\n",
    );
    assert_eq!(snapshot.threads[0].reported, Some(ReportedState::Asleep));
}
