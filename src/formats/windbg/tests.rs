use crate::formats::testing::{cut_everywhere, names, read};
use crate::model::{FrameKind, LockId, StackEnd, ThreadIx, Trust};

const NATIVE: &str = "Loading Dump File [c:\\dumps\\shop.dmp]
Debug session time: Fri Sep 23 17:46:06.000 2016 (UTC - 7:00)
0:000> ~*kn

.  0  Id: 1a2c.1b30 Suspend: 1 Teb: 000000d7`2a0ff000 Unfrozen \"main \"x\"\"
 # Child-SP          RetAddr               Call Site
00 000000d7`29dff8a8 00007ffb`0e6c2b4e     ntdll!NtWaitForSingleObject+0x14
01 (Inline Function) --------`--------     shop!Lock+0x3 [d:\\src\\x.cpp @ 12]
02 000000d7`29dff900 00007ffb`0e6c2b4f     shop!std::map<int,int>::find+0x1c [d:\\src\\my log.cpp @ 40]
WARNING: Stack unwind information not available. Following frames may be wrong.
03 000000d7`29dff910 00000000`00000000     other+0x1234

   1  Id: 1a2c.cb0 Suspend: 1 Teb: 000000d7`2a0ff000 Unfrozen
 # Child-SP          RetAddr               Call Site
00 000000d7`29dff8a8 00007ffb`0e6c2b4e     ntdll!ZwDelayExecution+0x14
0:000> !runaway
 User Mode Time
  Thread       Time
   1:cb0       0 days 0:00:01.250
   0:1b30      1 days 0:00:00.000
0:000> q
";

#[test]
fn threads_frames_and_times() {
    let snapshots = read(NATIVE);
    let [snapshot] = snapshots.as_slice() else { panic!("one dump") };
    let ids: Vec<_> = snapshot.threads.iter().map(|t| (t.id.to_string(), t.tid)).collect();
    assert_eq!(ids, [("1b30".into(), Some(0x1b30)), ("cb0".into(), Some(0xcb0))]);
    let first = &snapshot.threads[0];
    assert_eq!((first.name.as_deref(), first.stack_end), (Some("main \"x\""), StackEnd::Reported));
    assert_eq!((first.cpu_us, snapshot.threads[1].cpu_us), (Some(86_400_000_000), Some(1_250_000)));
    assert_eq!(names(snapshot, 0), ["NtWaitForSingleObject", "Lock", "std::map<int,int>::find", "?"]);
    let frames = snapshot.stacks.frames_of(first.stack);
    let frame = |n: usize| snapshot.stacks.get(frames[n]);
    assert_eq!((frame(1).kind, frame(1).line), (FrameKind::Inlined, Some(12)));
    assert_eq!(
        (frame(2).module.as_deref(), frame(2).file.as_deref()),
        (Some("shop"), Some("d:\\src\\my log.cpp"))
    );
    assert_eq!((frame(3).module.as_deref(), frame(3).module_offset), (Some("other"), Some(0x1234)));
    assert!(snapshot.gaps.is_empty(), "{:?}", snapshot.gaps);
}

const SECTIONS: &str = "0:001> ~*kv
   0  Id: 10.88 Suspend: 1 Teb: 7ffdd000 Unfrozen
ChildEBP RetAddr  Args to Child
0556fc44 77f79c20 00000110 00000000 77fa4700 ntdll!ZwWaitForSingleObject+0xb (FPO: [3,0,0])
0556fcb0 77f71048 5ffa91b4 5feb4f7e 5ffa91b4 ntdll!RtlpWaitForCriticalSection+0x31
0556fcb8 5feb4f7e 5ffa91b4 0556fd70 77f71000 ntdll!RtlEnterCriticalSection+0x48 (CONV: stdcall)
0556fcf4 5fef0b76 01302005 00000000 fffffff4 shop!Log::write(char * text = 0x01 \"x\")+0x14
#  1  Id: 10.6d Suspend: 1 Teb: 7ffdd000 Unfrozen
ChildEBP RetAddr  Args to Child
01ecfeb4 5fecd0d7 00000086 00000000 7f5738e0 shop!flush+0xd
0:001> !cs -l
-----------------------------------------
DebugInfo          = 0x7c99e9e0
Critical section   = 0x5ffa91b4 (shop!g_log+0x0)
LOCKED
LockCount          = 0x1
WaiterWoken        = No
OwningThread       = 0x0000006d
RecursionCount     = 0x1
LockSemaphore      = 0x2C
SpinCount          = 0x00000000
CritSec shop!g_gone+10 at 5ffa9000
LockCount          0
OwningThread       77
*** Locked
";

#[test]
fn critical_sections_with_owner_and_waiters() {
    let snapshot = &read(SECTIONS)[0];
    let wait = snapshot.threads[0].reported_wait.unwrap();
    let lock = &snapshot.named_locks[wait.lock.at()];
    assert_eq!((lock.id.clone(), lock.name.as_deref()), (LockId::Address(0x5ffa_91b4), Some("shop!g_log")));
    assert_eq!(names(snapshot, 0)[3], "Log::write(char * text = 0x01 \"x\")");
    let (start, end) = snapshot.threads[1].holds;
    assert_eq!(
        snapshot.holds[start as usize..end as usize].iter().map(|h| h.lock).collect::<Vec<_>>(),
        [wait.lock]
    );
    // Its owner is none of the threads, all of which are listed.
    assert_eq!(
        snapshot.reported_locks.last().unwrap().owner,
        crate::model::ReportedOwner::NotListed(crate::model::ThreadNumber::Hex(0x77))
    );
    assert!(snapshot.gaps.is_empty(), "{:?}", snapshot.gaps);
}

#[test]
fn arguments_of_64_bits_count_only_where_the_section_was_printed() {
    let text = "0:000> kv\nChild-SP          RetAddr           : Args to Child                                                           : Call Site\n000000d7`29dff8a8 00007ffb`0e6c2b4e : 000000d7`00001000 00000000`00000000 00000000`00000000 00000000`00000005 : ntdll!NtWaitForAlertByThreadId+0x14\n000000d7`29dff8b0 00007ffb`0e6c2b4f : 000000d7`00001000 00000000`00000000 00000000`00000007 00000000`00000000 : ntdll!RtlpEnterCriticalSectionContended+0x9\n000000d7`29dff8c0 00000000`00000000 : 00000000`00000001 00000000`00000000 00000000`00000007 00000000`00000000 : shop!f+0x9\n";
    assert!(read(text)[0].threads[0].reported_wait.is_none());
    let with = format!(
        "{text}0:000> !locks\nCritSec shop!g_log+0 at 000000d700001000\nLockCount 2\nOwningThread 9\n*** Locked\n"
    );
    let snapshot = &read(&with)[0];
    assert!(snapshot.threads[0].reported_wait.is_some());
    assert_eq!(snapshot.threads[0].id.to_string(), "0");
    // One stack says nothing of the other threads.
    assert_eq!(snapshot.reported_locks[0].owner, crate::model::ReportedOwner::NotShown("thread 9".into()));
}

#[test]
fn stacks_of_the_current_thread_are_one_thread() {
    let text = "(304.cb0): Access violation - code c0000005 (!!! second chance !!!)\nshop!f+0x1b:\n00000001`3f4975db 8b11            mov     edx,dword ptr [rcx] ds:fffe2b2b`2b2fffe8=????????\n0:000> !analyze -v\nExceptionAddress: 000000013f4975db (shop!f+0x1b)\n   ExceptionCode: c0000005 (Access violation)\nAttempt to read from address 0000000000000010\nPROCESS_NAME:  shop.exe\nSTACK_TEXT:  \n00000000`0040bc40 00000001`3f4fc95e : 00000000`0707b2a0 00000000`0040dbfa 00000000`0040bfa8 00000000`00000000 : shop!f+0x1b\n00000000`0040bc80 00000000`00000000 : 00000001`4073c8e8 00000000`00000000 00000000`0667b040 00000000`0040bd90 : shop!main+0xe\n\nSYMBOL_NAME:  shop!f+1b\n0:000> kc\n # Call Site\n00 ntdll!NtWaitForMultipleObjects\n01 kernel32!UnhandledExceptionFilter\n02 shop!f\n03 shop!main\n";
    let snapshots = read(text);
    let [snapshot] = snapshots.as_slice() else { panic!("one dump") };
    assert_eq!((snapshot.threads.len(), snapshot.threads[0].id.to_string()), (1, "cb0".into()));
    assert_eq!(names(snapshot, 0), ["f", "main"], "what !analyze prints begins at the fault");
    let signal = snapshot.process.signal.clone().unwrap();
    assert_eq!((&*signal.name, signal.address), ("EXCEPTION_ACCESS_VIOLATION", Some(0x10)));
    assert_eq!((signal.thread, snapshot.process.name.as_deref()), (Some(ThreadIx(0)), Some("shop.exe")));
    let attached = "(7.8): Break instruction exception - code 80000003 (first chance)\n0:004> k\nChildEBP RetAddr\n0556fc44 77f79c20 ntdll!DbgBreakPoint\n";
    assert!(read(attached)[0].process.signal.is_none());
}

const OWNERS: &str = "0:000:x86> kb
ChildEBP RetAddr  Args to Child
0030f5ac 779cebd6 00000104 00000000 00000000 ntdll_77980000!NtWaitForSingleObject+0x15
0030f638 779b6d3b 77a820c0 7602cb12 0030f6f4 ntdll_77980000!RtlEnterCriticalSection+0x150
0:000:x86> !cs -l -o
-----------------------------------------
DebugInfo          = 0x77a84380
Critical section   = 0x77a820c0 (shop!g_list+0x0)
LOCKED
LockCount          = 0x1
OwningThread       = 0x00000548
RecursionCount     = 0x1
OwningThread DbgId = ~12s
OwningThread Stack =
\tChildEBP RetAddr      Args to Child
\t020eefac 779cebd6     0000017c 00000000 00000000 ntdll_77980000!NtWaitForSingleObject+0x15 (FPO: [3,0,0])
\t020ef038 763cc44d     00299ebc 00299e98 020ef178 ntdll_77980000!RtlEnterCriticalSection+0x150 (FPO: [Non-Fpo])

-----------------------------------------
DebugInfo          = 0x77a84390
Critical section   = 0x00299ebc (shop!g_log+0x0)
LOCKED
OwningThread       = 0x000005f4
OwningThread DbgId = ~0s
OwningThread Stack =
";

#[test]
fn owners_of_sections_with_their_stacks() {
    let snapshots = read(OWNERS);
    let [snapshot] = snapshots.as_slice() else { panic!("one dump") };
    let ids: Vec<_> = snapshot.threads.iter().map(|t| (t.id.to_string(), t.tid)).collect();
    assert_eq!(ids, [("5f4".into(), Some(0x5f4)), ("548".into(), Some(0x548))]);
    let owners: Vec<_> = snapshot.reported_locks.iter().map(|l| (l.address, l.owner.clone())).collect();
    let of = |address, n| (Some(address), crate::model::ReportedOwner::Thread(ThreadIx(n)));
    assert_eq!(owners, [of(0x77a8_20c0, 1), of(0x0029_9ebc, 0)]);
    assert!(snapshot.threads.iter().all(|t| t.reported_wait.is_some()));
    cut_everywhere(OWNERS);
}

#[test]
fn the_lock_of_the_loader_is_one() {
    let text = "0:000> ~*k
.  0  Id: b10.dac Suspend: 1 Teb: 00007ff6`64a4e000 Unfrozen
 # Child-SP          RetAddr           Call Site
00 00000067`e0f3f278 00007ff8`8a192e2d ntdll!NtWaitForSingleObject+0xa
01 00000067`e0f3f350 00007ff8`8a192f58 ntdll!RtlpEnterCriticalSectionContended+0x93
02 00000067`e0f3f390 00007ff8`8a186784 ntdll!LdrpAcquireLoaderLock+0x2c
03 00000067`e0f3f3d0 00007ff8`8a18653b ntdll!LdrShutdownThread+0x54
   1  Id: b10.e2c Suspend: 1 Teb: 00007ff6`64a4c000 Unfrozen
 # Child-SP          RetAddr           Call Site
00 00000067`e11ff278 00007ff8`8a192e2d ntdll!RtlEnterCriticalSection+0xa
01 00000067`e11ff280 00007ff8`8a192803 ntdll!LdrLockLoaderLock+0xe1
02 00000067`e11ff280 00007ff8`8a192803 shop!load+0xe1
";
    let waits = |text: &str| {
        let snapshot = read(text).remove(0);
        let ids = snapshot
            .threads
            .iter()
            .map(|t| snapshot.named_locks[t.reported_wait.unwrap().lock.at()].id.clone());
        ids.collect::<Vec<_>>()
    };
    assert_eq!(
        waits(text),
        [LockId::Token("ntdll!LdrpLoaderLock".into()), LockId::Token("ntdll!LdrpLoaderLock".into())]
    );
    let printed = format!(
        "{text}0:000> !locks\nCritSec ntdll_77980000!LdrpLoaderLock+0 at 00007ff88a289980\nLockCount 2\nOwningThread dac\n*** Locked\n"
    );
    assert_eq!(waits(&printed), [LockId::Address(0x7ff8_8a28_9980), LockId::Address(0x7ff8_8a28_9980)]);
    // Whoever enters a section of its own inside the loader waits for that one.
    assert!(
        read(&text.replace("LdrLockLoaderLock", "LdrpFindOrMapDll"))[0].threads[1].reported_wait.is_none()
    );
}

#[test]
fn the_thread_that_was_analyzed() {
    let stack = "STACK_TEXT:\n004fee58 6cba1258 00000000 00000001 00240038 shop!parse+0xb\n";
    let analyzed = format!(
        "0:000> !analyze -v\n   ExceptionCode: c0000005 (Access violation)\nFAULTING_THREAD:  00000f88\n{stack}"
    );
    let kb =
        "0:000> kb\nChildEBP RetAddr\n004fee58 6cba1258 shop!parse+0xb\n004fee5c 6cba1258 shop!main+0xb\n";
    let ids = |text: &str| read(text)[0].threads.iter().map(|t| t.id.to_string()).collect::<Vec<_>>();
    assert_eq!(ids(&analyzed), ["f88"]);
    assert_eq!(ids(&format!("{analyzed}{kb}")), ["f88"]);
    // With -hang it is the thread to blame, and not the current one.
    assert_eq!(ids(&format!("{kb}{}", analyzed.replace("-v", "-v -hang"))), ["0", "f88"]);
}

#[test]
fn a_machine_that_was_stopped() {
    let stack = "STACK_TEXT:  \nffff980a`f9c7f350 fffff805`93b1ded4     : 00000000`00000050 fffff780`00001000 00000000`00000000 ffff980a`f9c7f5f0 : nt!KeBugCheckEx+0x107\nffff980a`f9c7f390 fffff805`93a7dff0     : 00000000`00000000 ffff8000`00000000 fffff780`00001000 0000007f`fffffff8 : disk!read+0x7a0\n";
    let message = |head: &str| {
        let snapshot = read(&format!("{head}\nFAULTING_THREAD:  ffff9901fcca3080\n{stack}")).remove(0);
        let failure = snapshot.process.failure?;
        assert_eq!((failure.kind, failure.thread), (crate::model::FailureKind::Kernel, Some(ThreadIx(0))));
        Some(failure.message.to_string())
    };
    let fault = Some("bugcheck 0x50: PAGE_FAULT_IN_NONPAGED_AREA".to_owned());
    assert_eq!(message("BUGCHECK_CODE:  50\n\nBUGCHECK_P1: fffff78000001000"), fault);
    assert_eq!(message("BugCheck 50, {fffff78000001000, 0, fffff80528f293cb, 2}"), fault);
    assert_eq!(message("PAGE_FAULT_IN_NONPAGED_AREA (50)"), fault);
    assert_eq!(message("BUGCHECK_STR:  0x5_2").as_deref(), Some("bugcheck 0x5"));
    for none in [
        "BUGCHECK_STR:  c0000005",
        "BUGCHECK_STR:  APPLICATION_HANG",
        "BugCheck E2, {0, 0, 0, 0}",
        "RETRIES (50)",
    ] {
        let stack = stack.replace("KeBugCheckEx", "KeStall");
        let text = format!("{none}\nFAULTING_THREAD:  ffff9901fcca3080\n{stack}");
        assert!(read(&text)[0].process.failure.is_none(), "{none}");
    }
    // That somebody wanted the dump says the code, whatever the function was called with.
    assert_eq!(message("BugCheck E2, {0, 0, 0, 0}"), None);
}

#[test]
fn stacks_that_sos_scans() {
    let text = "0:000> !EEStack
---------------------------------------------
Thread   8
Current frame: ntdll!NtWaitForSingleObject + 0x14
Child-SP         RetAddr          Caller, Callee
000000554eb3ee90 00007ff97c3e3b7f KERNELBASE!WaitForSingleObjectEx + 0x9f, calling ntdll!NtWaitForSingleObject
000000554eb3eea0 00007ff93e320f3b coreclr!Thread::DoAppropriateWaitWorker + 0x2c3 [e:\\src\\threads.cpp:3780], calling coreclr!Holder::~Holder [e:\\threads.h:7442]
000000554eb3eeb0 00007ff93e320f3b (MethodDesc 00007ff8dfa03a18 + 0x79 Shop.Log.Write(System.String)), calling coreclr!JIT_MonEnter
---------------------------------------------
Thread   9
Current frame: ntdll!NtDelayExecution + 0x14
Child-SP         RetAddr          Caller, Callee
000000554eb3ee90 00007ff97c3e3b7f KERNELBASE!SleepEx + 0x9f, calling ntdll!NtDelayExecution
";
    let snapshot = &read(text)[0];
    assert_eq!(snapshot.threads.iter().map(|t| t.id.to_string()).collect::<Vec<_>>(), ["8", "9"]);
    assert_eq!(
        names(snapshot, 0),
        [
            "NtWaitForSingleObject",
            "WaitForSingleObjectEx",
            "Thread::DoAppropriateWaitWorker",
            "Shop.Log.Write(System.String)"
        ]
    );
    assert_eq!(
        snapshot.stacks.get(snapshot.stacks.frames_of(snapshot.threads[0].stack)[1]).trust,
        Some(Trust::Scan)
    );
    assert!(snapshot.gaps.is_empty(), "{:?}", snapshot.gaps);
}

#[test]
fn threads_that_are_only_counted() {
    let text = "0:000> !uniqstack\nProcessing 5 threads, please wait\n\n.  0  Id: 1a2c.1b30 Suspend: 1 Teb: 7ffdd000 Unfrozen\n      Start: shop!mainCRTStartup (00401000)\n      Priority: 0  Priority class: 32\nChildEBP RetAddr\n0556fc44 77f79c20 ntdll!NtDelayExecution+0xc\n\nTotal threads: 5\nDuplicate callstacks: 4 (windbg thread #s follow):\n1, 2, \n3, 4\n0:000> q\n";
    let snapshot = &read(text)[0];
    assert_eq!((snapshot.threads.len(), snapshot.is_complete), (5, false));
    assert_eq!(names(snapshot, 0), ["NtDelayExecution"]);
}

#[test]
fn threads_of_the_kernel() {
    let text = "THREAD 87432520  Cid 0b10.0dd8  Teb: 7ff83000 Win32Thread: 00000000 WAIT: (Executive) KernelMode Non-Alertable\n    85e9ba00  Mutant - owning thread 866d63e8\nNot impersonating\nOwning Process            87581c78       Image:         shop.exe\nWait Start TickCount      4093415        Ticks: 659565 (0:02:51:45.703)\nChildEBP RetAddr  Args to Child\nb6438c10 8052f8a0 00000000 00000000 00000000 nt!KiSwapContext+0x2e\nb6438c20 00000000 00000000 00000000 00000000 nt!KeWaitForSingleObject+0x1\n\nTHREAD 866d63e8  Cid 0b10.00ec  Teb: 00000000 Win32Thread: 00000000 RUNNING on processor 1\nChildEBP RetAddr\nb6439c10 8052f8a0 shop!work+0x2e\n";
    let snapshot = &read(text)[0];
    let ids: Vec<_> = snapshot.threads.iter().map(|t| (t.id.to_string(), t.reported)).collect();
    use crate::model::ReportedState::{Running, Waiting};
    assert_eq!(ids, [("0dd8".into(), Some(Waiting)), ("00ec".into(), Some(Running))]);
    let wait = snapshot.threads[0].reported_wait.unwrap();
    assert_eq!(snapshot.named_locks[wait.lock.at()].id, LockId::Address(0x85e9_ba00));
    assert_eq!(snapshot.reported_locks[0].owner, crate::model::ReportedOwner::Thread(ThreadIx(1)));
    assert_eq!(names(snapshot, 0).len(), 2);
}

const WALKED: &str = "Operating system: Linux
                  0.0.0 Linux 5.4.0
CPU: amd64
Crash reason:  SIGSEGV / SEGV_MAPERR
Crash address: 0x24
Process uptime: 3 seconds

Thread 0  (crashed) - tid: 1304
 0  shop!Log::write(char const*) [log.cpp : 12 + 0x5]
    rax = 0x0000000000000000   rdx = 0x00007ffe00000000
    Found by: given as instruction pointer in context
 1  libc.so.6 + 0x2724a
    Found by: stack scanning
 2  0x7f12

Thread 1 writer - tid: 1305
 0  libc.so.6!poll + 0x4f
    Found by: given as instruction pointer in context

Loaded modules:
0x55d0 - 0x55d1  shop  ???  (main)
";

#[test]
fn text_of_minidump_stackwalk() {
    let snapshot = &read(WALKED)[0];
    let ids: Vec<_> = snapshot.threads.iter().map(|t| (t.id.to_string(), t.name.clone())).collect();
    assert_eq!(ids, [("1304".into(), None), ("1305".into(), Some("writer".into()))]);
    let signal = snapshot.process.signal.clone().unwrap();
    assert_eq!((&*signal.name, signal.address, signal.thread), ("SIGSEGV", Some(0x24), Some(ThreadIx(0))));
    assert_eq!(snapshot.process.os.as_deref(), Some("linux"));
    assert_eq!(names(snapshot, 0), ["Log::write(char const*)", "?", "?"]);
    let frames = snapshot.stacks.frames_of(snapshot.threads[0].stack);
    assert_eq!(snapshot.stacks.get(frames[0]).line, Some(12));
    assert_eq!(snapshot.stacks.get(frames[1]).trust, Some(Trust::Scan));
    let breakpad =
        WALKED.replace("0  (crashed) - tid: 1304", "0 (crashed)").replace("1 writer - tid: 1305", "1");
    let two = read(&format!("{breakpad}{breakpad}"));
    assert_eq!(two.iter().map(|s| s.threads.len()).collect::<Vec<_>>(), [2, 2]);
}

#[test]
fn prefixes_next_versions_cuts_and_talk() {
    let logged: String = SECTIONS.lines().map(|l| format!("2025-05-01 10:00:00 INFO cdb: {l}\r\n")).collect();
    let snapshots = read(&logged);
    assert_eq!((snapshots.len(), snapshots[0].threads.len()), (1, 2));
    assert!(snapshots[0].threads[0].reported_wait.is_some());
    let next = NATIVE
        .replace("Suspend: 1 Teb", "Suspend: 1 Fiber: 7 Teb")
        .replace("02 0", "   note of the future\n02 0");
    let snapshots = read(&next);
    assert_eq!((snapshots[0].threads.len(), names(&snapshots[0], 0).len()), (2, 4));
    assert!(!snapshots[0].gaps.is_empty());
    for text in [NATIVE, SECTIONS, WALKED] {
        cut_everywhere(text);
    }
    for talk in [
        "THREAD pool started\n",
        "Suspend: 3 jobs\n",
        "Found by: the night shift\n",
        "the ChildEBP is bad\n",
        "`0  Id: 1a2c.1b30 Suspend: …`, `Child-SP  RetAddr  Call Site`\n",
    ] {
        assert!(read(talk).is_empty(), "{talk}");
    }
}

/// A thread of 64 bits that enters a critical section, or does something else.
fn wide(number: u32, tid: &str, functions: &[&str]) -> String {
    let frames: String =
        functions.iter().map(|name| format!("00000000`00cff8c8 00007ffb`0e6a1234 {name}+0x14\n")).collect();
    format!(
        "   {number}  Id: 1a2c.{tid} Suspend: 1 Teb: 00000000`00e1f000 Unfrozen\nChild-SP          RetAddr           Call Site\n{frames}\n"
    )
}

/// The locks that threads wait for, by name, in a session whose `!locks` printed these: name, owner and count.
fn waited_for(command: &str, sections: &[(&str, &str, u32)], end: &str) -> Vec<Option<String>> {
    let enters = [
        "ntdll!NtWaitForAlertByThreadId",
        "ntdll!RtlpWaitOnCriticalSection",
        "ntdll!RtlEnterCriticalSection",
    ];
    let waiter =
        |number, tid| wide(number, tid, &[enters.as_slice(), &["shop!log_write", "shop!work"]].concat());
    let mut text = format!("0:000> ~*k\n\n{}{}", waiter(0, "1b30"), waiter(1, "1b34"));
    text += &wide(2, "1b3c", &["ntdll!NtWriteFile", "shop!sink_flush"]);
    text += &format!("0:000> {command}\n\n");
    for (n, (name, owner, count)) in sections.iter().enumerate() {
        text += &format!(
            "CritSec {name}+0 at 00007ff65a2c5{n}00\nWaiterWoken        No\nLockCount          {count}\nRecursionCount     1\nOwningThread       {owner}\nEntryCount         0\nContentionCount    {count}\n*** Locked\n\n"
        );
    }
    text += end;
    let snapshot = &read(&text)[0];
    let lock = |thread: &crate::model::Thread| {
        let lock = snapshot.named_locks.get(thread.reported_wait?.lock.at())?;
        lock.name.as_ref().map(|name| name.to_string())
    };
    snapshot.threads.iter().map(lock).collect()
}

#[test]
fn where_one_critical_section_is_left_it_is_the_one() {
    let log = ("shop!g_log", "1b3c", 2);
    let both = [Some("shop!g_log".to_owned()), Some("shop!g_log".to_owned()), None];
    let none = [None, None, None];
    let end = "Scanned 120 critical sections\n";
    assert_eq!(waited_for("!locks", &[log], end), both);
    assert_eq!(waited_for("!cs -l", &[log], "0:000> q\n"), both);
    for cut in ["", "Stopped scanning because of problem reading critical section debug info\n0:000> q\n"] {
        assert_eq!(waited_for("!cs -l", &[log], cut), none, "the list breaks off");
        assert_eq!(waited_for("!locks", &[log], cut), none, "the list breaks off");
    }
    assert_eq!(
        waited_for("!locks", &[log, ("shop!g_idle", "1b3c", 0)], end),
        both,
        "one that nobody waits for"
    );
    assert_eq!(waited_for("!locks", &[log, ("shop!g_other", "1b3c", 1)], end), none, "which of the two?");
    assert_eq!(waited_for("!critsec 7ff65a2c5000", &[log], ""), none, "there may be others");
    assert_eq!(waited_for("!locks", &[("shop!g_log", "1b3c", 1)], end), none, "two wait, and one is counted");
    // Nobody waits for what it owns.
    let own = waited_for("!locks", &[("shop!g_log", "1b30", 1), ("shop!g_other", "1b3c", 1)], end);
    assert_eq!(own, [Some("shop!g_other".to_owned()), Some("shop!g_log".to_owned()), None]);
}
