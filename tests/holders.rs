//! Who is named as the holder of a lock that names nobody, and who is not: a wrong name costs more than none.

mod common;

use common::{report_of as report, rules};
use serde_json::Value;

/// The holder of the first finding.
fn holder(report: &Value) -> Option<&str> {
    report["findings"][0]["holder"]["thread"]["id"].as_str()
}

/// A goroutine in a method of a ledger, which locks the mutex in it in line 9.
fn goroutine(id: u32, state: &str, calls: &str, ledger: &str, line: u32) -> String {
    format!(
        "goroutine {id} [{state}]:\n{calls}main.(*Ledger).Open({ledger}, {{0x4b0f2a, 0x3}})\n\t/src/ledger.go:{line} +0x5a\nmain.clerk(0x1)\n\t/src/main.go:15 +0x30\ncreated by main.main in goroutine 1\n\t/src/main.go:40 +0x9c\n\n"
    )
}

fn waits(id: u32, ledger: &str, mutex: &str) -> String {
    let calls = format!(
        "internal/sync.(*Mutex).lockSlow({mutex})\n\t/usr/local/go/src/internal/sync/mutex.go:149 +0x15d\nsync.(*Mutex).Lock(...)\n\t/usr/local/go/src/sync/mutex.go:46\n"
    );
    goroutine(id, "sync.Mutex.Lock, 3 minutes", &calls, ledger, 9)
}

fn reads(id: u32, ledger: &str, line: u32) -> String {
    let calls = "net.(*conn).Read(0xc000010008, {0xc000134000?, 0x0?, 0x0?})\n\t/usr/local/go/src/net/net.go:189 +0x45\n";
    goroutine(id, "IO wait, 3 minutes", calls, ledger, line)
}

const ONE: (&str, &str) = ("0xc0000104c0", "0xc0000104c8");
const OTHER: (&str, &str) = ("0xc0000208c0", "0xc0000208c8");

fn queue() -> String {
    waits(20, ONE.0, ONE.1) + &waits(21, ONE.0, ONE.1) + &waits(22, ONE.0, ONE.1)
}

#[test]
fn who_is_past_the_call_holds_the_lock() {
    let report = report(&(queue() + &reads(41, ONE.0, 12)));
    assert_eq!((rules(&report), holder(&report)), (vec!["lock-contention"], Some("41")));
}

#[test]
fn who_is_not_yet_at_the_call_does_not() {
    let report = report(&(queue() + &reads(41, ONE.0, 7)));
    assert_eq!((rules(&report), holder(&report)), (vec!["lock-contention"], None));
}

/// The mutex is a part of the ledger: who is in the method of another ledger has another mutex.
#[test]
fn who_is_past_the_call_for_another_object_does_not() {
    let report = report(&(queue() + &reads(41, OTHER.0, 12)));
    assert_eq!((rules(&report), holder(&report)), (vec!["lock-contention"], None));
}

/// Two locks of one class, and a waiter of each in the same line: neither is past its call.
#[test]
fn waiters_in_the_same_call_do_not_wait_for_each_other() {
    let two = report(&(waits(20, ONE.0, ONE.1) + &waits(40, OTHER.0, OTHER.1)));
    assert!(!rules(&two).contains(&"deadlock"), "{:?}", rules(&two));
    let many = report(&(queue() + &waits(40, OTHER.0, OTHER.1)));
    assert_eq!((rules(&many)[0], holder(&many)), ("lock-contention", None));
}

/// A thread of gdb's text in `conn_loop`.
fn thread(number: u32, calls: &str, place: &str) -> String {
    format!("Thread {number} (Thread 0x7f{number} (LWP 10{number}) \"conn\"):\n{calls}{place}\n")
}

#[test]
fn lines_and_addresses_say_who_is_past_the_call() {
    let locks = "#0  0x00007f34ef8c1f10 in __lll_lock_wait (futex=0x404040 <g_m>, private=0) at lowlevellock.c:52\n#1  0x00007f34ef8b9482 in pthread_mutex_lock (mutex=0x404040 <g_m>) at pthread_mutex_lock.c:80\n";
    let recv =
        "#0  0x00007f34ef8c5a12 in recv () from /lib64/libc.so.6\n#1  0x0000000000400f00 in fill (c=0x1)";
    let with = |waits: &str, reads: &str| {
        let waits = format!("#2  {waits}");
        let reads = format!("#2  {reads}");
        let recv = if reads.contains(" at ") { format!("{recv} at s.c:200\n") } else { format!("{recv}\n") };
        let text = thread(4, locks, &waits) + &thread(3, locks, &waits) + &thread(2, &recv, &reads);
        holder(&report(&text)).map(str::to_owned)
    };
    let line = |address: &str, line: u32| format!("0x{address} in conn_loop (c=0x1) at s.c:{line}");
    assert_eq!(with(&line("0000000000400950", 50), &line("0000000000400990", 58)).as_deref(), Some("102"));
    assert_eq!(with(&line("0000000000400950", 50), &line("0000000000400930", 30)), None);
    let bare = |address: &str| format!("0x{address} in conn_loop ()");
    assert_eq!(with(&bare("0000000000400950"), &bare("0000000000400990")).as_deref(), Some("102"));
    assert_eq!(with(&bare("0000000000400950"), &bare("0000000000400930")), None);
}

/// A thread of a JVM that parks for a lock, or reads inside the method that takes it; and what it owns.
fn java(id: u32, calls: &str, line: u32, owns: &str) -> String {
    format!(
        "\"clerk-{id}\" #{id} prio=5 os_prio=0 tid=0x00007f00000000{id} nid=0x{id} waiting on condition [0x00007f10000000{id}]\n   java.lang.Thread.State: {calls}\tat app.Ledger.open(Ledger.java:{line})\n\tat app.Clerk.run(Clerk.java:3)\n\n{owns}"
    )
}

/// With `-l` a JVM lists who owns what: a thread that owns nothing is no holder, wherever it stands.
#[test]
fn who_is_listed_as_no_owner_is_no_holder() {
    let parks = "WAITING (parking)\n\tat sun.misc.Unsafe.park(Native Method)\n\t- parking to wait for  <0x00000000e0000010> (a java.util.concurrent.locks.ReentrantLock$NonfairSync)\n\tat java.util.concurrent.locks.ReentrantLock.lock(ReentrantLock.java:285)\n";
    let reads = "RUNNABLE\n\tat java.net.SocketInputStream.socketRead0(Native Method)\n";
    let dump = |owns: &str| {
        let head = "2026-11-30 10:00:00\nFull thread dump OpenJDK 64-Bit Server VM (17.0.9+9 mixed mode, sharing):\n\n";
        let waits: String = (21..24).map(|id| java(id, parks, 9, owns)).collect();
        format!("{head}{waits}{}", java(41, reads, 12, owns))
    };
    assert_eq!(holder(&report(&dump(""))), Some("0x41"));
    let listed = report(&dump("   Locked ownable synchronizers:\n\t- None\n\n"));
    assert_eq!((rules(&listed)[0], holder(&listed)), ("lock-contention", None));
}

/// How many wait for each lock.
fn waiters(report: &Value) -> Vec<u64> {
    let locks = report["snapshots"][0]["locks"].as_array().unwrap();
    locks.iter().map(|lock| lock["waiters"]["count"].as_u64().unwrap()).collect()
}

/// What is called `lock` of some class says not which lock it takes: its argument does, else its caller.
#[test]
fn a_method_that_takes_any_lock_is_not_one_lock() {
    let wait = |method: &str, caller: &str| {
        format!(
            "#0  0x00007f34ef8c1f10 in __lll_lock_wait () from /lib64/libc.so.6\n#1  0x00007f34ef8b9482 in pthread_mutex_lock () from /lib64/libc.so.6\n#2  0x0000000000400950 in {method}\n#3  0x0000000000400a50 in {caller} (n=1)\n"
        )
    };
    let three = |method: [&str; 3], callers: [&str; 3]| {
        let all = (1..4).zip(method.iter().zip(callers));
        let text: String = all.map(|(n, (method, caller))| thread(n, &wait(method, caller), "")).collect();
        waiters(&report(&text))
    };
    let apart = ["read_page", "add_clerk", "close_ledger"];
    assert_eq!(three(["app::Mutex::Lock ()"; 3], apart), [1, 1, 1]);
    assert_eq!(three(["app::Mutex::Lock ()"; 3], ["read_page"; 3]), [3]);
    let of = |n: u32| format!("app::Mutex::Lock (this=0x1c8e0{n}8)");
    assert_eq!(three([&of(1), &of(2), &of(3)], ["read_page"; 3]), [1, 1, 1]);
    assert_eq!(three([&of(1), &of(1), &of(1)], apart), [3]);
}

/// A handler that allocates waits for the allocator that it interrupted, also where that was in a system call. A stream
/// lets its holder in again: a handler that prints waits for somebody else.
#[test]
fn a_handler_waits_for_the_allocator_that_it_interrupted() {
    let stack = |function: &str, inner: &str| {
        format!(
            "Thread 1 (Thread 0x7f6388d9f740 (LWP 4711) \"ledger\"):\n#0  0x00007f6388d9fd1c in __lll_lock_wait_private () from /lib64/libc.so.6\n#1  0x00007f6388d19383 in {function} () from /lib64/libc.so.6\n#2  0x000000000048b6d7 in on_child (signal=17) at ledger.c:561\n#3  <signal handler called>\n#4  0x00007f6388d16f93 in {inner} () from /lib64/libc.so.6\n#5  0x00007f6388d19383 in {function} () from /lib64/libc.so.6\n#6  0x0000000000401234 in main () at ledger.c:3\n"
        )
    };
    assert_eq!(rules(&report(&stack("malloc", "read"))), ["self-deadlock"]);
    assert!(!rules(&report(&stack("puts", "write"))).contains(&"self-deadlock"));
}

/// Tasks of a kernel that hides its addresses: where they are in a function, its offsets say.
fn tasks(offset_of_other: &str) -> String {
    let task = |pid: u32, calls: &[&str]| {
        let frames: String = calls.iter().map(|call| format!("[  100.000000]  {call}\n")).collect();
        format!(
            "[  100.000000] task:append{pid}       state:D stack:0     pid:{pid}   ppid:2      flags:0x00004000\n[  100.000000] Call Trace:\n[  100.000000]  <TASK>\n{frames}[  100.000000]  </TASK>\n"
        )
    };
    let of_log = |offset: &str| format!("log_append+{offset}/0x180 [logfs]");
    let waits = |pid| {
        let at = of_log("0x40");
        task(
            pid,
            &[
                "__schedule+0x2f3/0x950",
                "schedule+0x5e/0xd0",
                "schedule_preempt_disabled+0x15/0x30",
                "__mutex_lock.constprop.0+0x399/0x700",
                &at,
                "vfs_write+0xf3/0x440",
            ],
        )
    };
    let reads = task(
        41,
        &[
            "__schedule+0x2f3/0x950",
            "schedule+0x5e/0xd0",
            "io_schedule+0x46/0x80",
            "folio_wait_bit_common+0x13d/0x350",
            &of_log(offset_of_other),
            "vfs_write+0xf3/0x440",
        ],
    );
    waits(20) + &waits(21) + &waits(22) + &reads
}

#[test]
fn offsets_tell_who_is_not_yet_at_the_call() {
    let past = report(&tasks("0x90"));
    assert_eq!(holder(&past), Some("41"), "{past:#}");
    let before = report(&tasks("0x20"));
    assert_eq!(holder(&before), None, "{before:#}");
}

/// Two waiters for a read-write lock of Java, and what a JVM lists of owners.
fn readers(owners: &str) -> String {
    let reader = |n: u32| {
        format!(
            "\"reader-{n}\" #{n} prio=5 os_prio=0 tid=0x00007f00000{n}00 nid=0x{n} waiting on condition  [0x00007f0000000000]\n   java.lang.Thread.State: WAITING (parking)\n\tat jdk.internal.misc.Unsafe.park(java.base@17.0.15/Native Method)\n\t- parking to wait for  <0x000000068748b560> (a java.util.concurrent.locks.ReentrantReadWriteLock$NonfairSync)\n\tat java.util.concurrent.locks.LockSupport.park(java.base@17.0.15/LockSupport.java:211)\n\tat java.util.concurrent.locks.AbstractQueuedSynchronizer.acquire(java.base@17.0.15/AbstractQueuedSynchronizer.java:715)\n\tat java.util.concurrent.locks.ReentrantReadWriteLock$WriteLock.lock(java.base@17.0.15/ReentrantReadWriteLock.java:959)\n\tat Ledger.post(Ledger.java:11)\n{owners}\n"
        )
    };
    format!(
        "Full thread dump OpenJDK 64-Bit Server VM (17.0.15+6 mixed mode):\n\n{}{}",
        reader(31),
        reader(32)
    )
}

#[test]
fn how_to_find_an_owner_that_is_not_told() {
    let advice =
        |text: &str| report(text)["findings"][0]["advice"][0].as_str().unwrap_or_default().to_owned();
    let without = advice(&readers(""));
    assert!(without.contains("jstack -l"), "{without}");
    let listed = advice(&readers("\n   Locked ownable synchronizers:\n\t- None\n"));
    assert!(listed.contains("nobody owns this one"), "{listed}");
    let go = advice(&queue());
    assert!(go.contains("Go keeps no owner"), "{go}");
}

/// A client that is made once: who makes it is inside of `Do`, and the others wait there.
#[test]
fn who_runs_what_is_done_once_has_its_lock() {
    let goroutine = |id: u32, state: &str, calls: &str| {
        format!(
            "goroutine {id} [{state}, 3 minutes]:\n{calls}sync.(*Once).Do(...)\n\t/usr/local/go/src/sync/once.go:65\nmain.getClient()\n\t/src/client.go:13 +0x2c\ncreated by main.main in goroutine 1\n\t/src/main.go:40 +0x9c\n\n"
        )
    };
    let waits = |id| {
        goroutine(
            id,
            "sync.Mutex.Lock",
            "sync.(*Mutex).lockSlow(0x883a14)\n\t/usr/local/go/src/sync/mutex.go:171 +0x15d\nsync.(*Mutex).Lock(...)\n\t/usr/local/go/src/sync/mutex.go:90\nsync.(*Once).doSlow(0x883a10, 0x6a0fd8)\n\t/usr/local/go/src/sync/once.go:70 +0x53\n",
        )
    };
    let makes = goroutine(
        41,
        "IO wait",
        "net.(*conn).Read(0xc000010008, {0xc000134000?, 0x0?, 0x0?})\n\t/usr/local/go/src/net/net.go:189 +0x45\nmain.connect()\n\t/src/client.go:31 +0x77\nsync.(*Once).doSlow(0x883a10, 0x6a0fd8)\n\t/usr/local/go/src/sync/once.go:74 +0xc2\n",
    );
    let stuck = report(&(waits(20) + &waits(21) + &makes + &waits(22)));
    assert_eq!((rules(&stuck), holder(&stuck)), (vec!["lock-contention"], Some("41")), "{stuck:#}");
    let alone = report(&(waits(20) + &waits(21) + &waits(22)));
    assert_eq!(holder(&alone), None);
}

/// Readers of a read-write mutex: the runtime doubts its address (`?`), the object of their method speaks for it.
fn rw_readers(doubted: &str) -> String {
    let reader = |id: u32| {
        let calls = format!(
            "sync.runtime_SemacquireRWMutexR({doubted}?, 0x0?, 0x0?)\n\t/usr/local/go/src/runtime/sema.go:100 +0x25\nsync.(*RWMutex).RLock(...)\n\t/usr/local/go/src/sync/rwmutex.go:74\n"
        );
        goroutine(id, "sync.RWMutex.RLock, 3 minutes", &calls, "0xc000010000", 9)
    };
    let writer = goroutine(
        30,
        "sync.RWMutex.Lock, 3 minutes",
        "sync.(*RWMutex).Lock(0xc000010020)\n\t/usr/local/go/src/sync/rwmutex.go:153 +0x6a\n",
        "0xc000010000",
        19,
    );
    (20..26).map(reader).collect::<String>() + &writer
}

#[test]
fn a_doubted_address_counts_where_it_lies_in_the_object_of_the_caller() {
    let one = report(&rw_readers("0xc00001002c"));
    assert_eq!(
        one["snapshots"][0]["locks"][0]["address"], "0xc000010020",
        "{:#}",
        one["snapshots"][0]["locks"]
    );
    assert_eq!(one["findings"][0]["blocked"]["direct"], 7);
    assert_eq!(one["findings"][0]["confidence"], "likely", "what is doubted is not read");
    // Stale: it lies elsewhere.
    let other = report(&rw_readers("0xc0000f002c"));
    let addresses: Vec<_> =
        other["snapshots"][0]["locks"].as_array().unwrap().iter().map(|l| &l["address"]).collect();
    assert_eq!(addresses, [&Value::Null, &Value::from("0xc000010020")]);
}

/// What gdb knows of a mutex of glibc, no other debugger of another system does.
#[test]
fn advice_speaks_of_the_tool_that_wrote_the_text() {
    let solaris: String = (1..5)
        .map(|n| {
            format!(
                "-----------------  lwp# {n} / thread# {n}  --------------------\n d2b17c50 lwp_park (0, 0, 0)\n d2b11c1a mutex_lock_impl (8069a40, 0) + f2\n d2b11d63 mutex_lock (8069a40) + 1b\n 0805123{n} log_line (8047d10) + 24\n"
            )
        })
        .collect();
    let report = report(&format!("4711:\t/opt/shopd/bin/shopd\n{solaris}"));
    let advice = report["findings"][0]["advice"][0].as_str().unwrap_or_default();
    assert!(!advice.is_empty() && !advice.contains("__owner"), "{report:#}");
}
