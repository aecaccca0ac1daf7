use super::*;
use crate::formats::testing::{is_found, names, read};

fn is_none(text: &str) -> bool {
    !is_found(FORMAT.id, text)
}

use crate::model::{ReportedOwner, ReportedState, ThreadIx, ThreadNumber};

const SPINDUMP: &str = "Date/Time:        2026-03-07 11:42:10.204 +0100
OS Version:       macOS 14.4 (Build 23E214)
Steps:            101 (10ms sampling interval)

Process:          Desk [7410]
Architecture:     arm64
Note:             3 idle work queue threads omitted

  Thread 0x9e0    DispatchQueue \"com.apple.main-thread\"(1)    Thread name \"a \"b\"\"    101 samples (1-101)    priority 31 (base 31)    cpu time 0.650s (1.2M cycles)
  101  start + 2432 (dyld + 25360) [0x7ff806675310]
    101  ??? (Desk + 25552) [0x10bd063d0]
      101  __psynch_mutexwait + 10 (libsystem_kernel.dylib + 5794) [0x7ff8069676a2]
       *101  psynch_mtxcontinue + 0 (pthread + 11285) [0xffffff8003753c15] (blocked by turnstile waiting for Desk [7410] thread 0x9e1)

  Thread 0x9e1,0x9e2    101 samples (1-101)    priority 46 (base 46)
  60   run + 4 (main.c:12,7 in Desk + 4096) [0x10bd063d0]
    41   write + 10 (libsystem_kernel.dylib + 1) [0x7ff8] (running)
    19   other + 1 (Desk + 1) [0x1]
  41   idle + 1 (Desk + 1) [0x1]

  Thread 0x9e2    1 sample (25)    priority 31 (base 31)
  1  start_wqthread + 15 (libsystem_pthread.dylib + 7271) [0x7ff8069a1c67]

  Binary Images:
           0x10bd00000 -        0x10c393fff  Desk (3201.19.2)             <072957A7>  /Desk

Process:          other [7]

  Thread 0xa1    5 samples (1-5)    priority 46 (base 46)
 *5  thread_continue + 0 (kernel + 4096) [0xffffff8000388040]
";

#[test]
fn trees_of_spindump() {
    let snapshots = read(SPINDUMP);
    let [desk, other] = snapshots.as_slice() else { panic!("two processes") };
    let ids: Vec<_> = desk.threads.iter().map(|t| t.id.to_string()).collect();
    assert_eq!(ids, ["0x9e0", "0x9e1", "0x9e2"], "each once");
    assert_eq!((desk.threads[0].name.as_deref(), desk.threads[0].cpu_us), (Some("a \"b\""), Some(650_000)));
    // What the kernel does for it is no part of its stack.
    assert_eq!(names(desk, 0), ["__psynch_mutexwait", "?", "start"]);
    assert_eq!(desk.reported_locks[0].owner, ReportedOwner::Thread(ThreadIx(1)));
    // In less than half of its samples it was in write().
    assert_eq!(
        (names(desk, 1), desk.threads[1].reported),
        (vec!["write".into(), "run".into()], Some(ReportedState::Running))
    );
    let run = desk.stacks.get(desk.stacks.frames_of(desk.threads[1].stack)[1]);
    assert_eq!(
        (run.file.as_deref(), run.line, run.module.as_deref()),
        (Some("main.c"), Some(12), Some("Desk"))
    );
    assert!(!desk.is_complete && desk.gaps.has(GapKind::Limit), "{:?}", desk.gaps);
    assert_eq!((other.process.pid, other.process.os.as_deref()), (Some(7), Some("macos")));
    assert_eq!(names(other, 0), ["thread_continue"]);
}

#[test]
fn ranges_gaps_and_threads_that_are_not_counted() {
    let text = "Process:          Desk [7410]

  Thread 0xf1970    DispatchQueue \"com.apple.main-thread\"(1)
  60  ??? (<9D233F9C-ABAB-3B54-B675-07FAF65FBFB9> + 3439660) [0x109853c2c]
   *60  ??? (<84FA5857-FE25-36F6-ACB0-828CE29EC10F> + 4970440) [0xfffffff0081f57c8] (blocked by turnstile waiting for Desk [7410] thread 0xf1aeb)

  Thread 0xf1aeb    Thread name \"writer\"    60 samples (1-60)    priority 4 (base 4)
  <thread QoS default (requested default), timers tier 5 (throttled)>
  60  thread_start + 8 (libsystem_pthread.dylib + 8444) [0x193d730fc] 1-60
    60  <patched truncated backtrace> 1-60
      60  read + 8 (libsystem_kernel.dylib + 3924) [0x193d36f54] 1-60
       *60  ??? (kernel.release + 194824) [0xfffffe0008737908] (running) 1-60
";
    let snapshot = &read(text)[0];
    let ids: Vec<_> = snapshot.threads.iter().map(|t| (t.id.to_string(), t.reported)).collect();
    use ReportedState::{Asleep, Running};
    assert_eq!(ids, [("0xf1970".into(), Some(Asleep)), ("0xf1aeb".into(), Some(Running))]);
    assert_eq!(names(snapshot, 1), ["read", "thread_start"]);
    assert!(snapshot.gaps.is_empty(), "{:?}", snapshot.gaps);
    assert_eq!(snapshot.reported_locks[0].owner, ReportedOwner::Thread(ThreadIx(1)));
}

#[test]
fn owners_elsewhere_rings_and_oneself() {
    let of = |whom: &str| read(&SPINDUMP.replace("Desk [7410] thread 0x9e1", whom)).remove(0);
    assert_eq!(
        of("printd [310] thread 0x7c1").reported_locks[0].owner,
        ReportedOwner::OtherProcess { pid: 310, thread: ThreadNumber::Hex(0x7c1) }
    );
    assert_eq!(of("this thread").reported_locks[0].owner, ReportedOwner::Thread(ThreadIx(0)));
    assert!(of("this thread - part of a deadlock").reported_locks.is_empty());
    assert!(of("tccd").threads[0].reported_wait.is_some());
    let ring = SPINDUMP.replace("Desk [7410] thread 0x9e1", "this thread - part of a deadlock").replace(
        "[0x7ff8069a1c67]",
        "[0x7ff8069a1c67] (blocked by turnstile waiting for this thread - part of a deadlock)",
    );
    let ring = read(&ring.replace("0x9e1,0x9e2", "0x9e1")).remove(0);
    assert_eq!(ring.rings[0].threads, [ThreadIx(0), ThreadIx(2)]);
}

#[test]
fn processes_with_their_unique_numbers() {
    let text = SPINDUMP.replace("[7410]", "[7410] [unique pid 112195]");
    let desk = &read(&text)[0];
    assert_eq!((desk.process.name.as_deref(), desk.process.pid), (Some("Desk"), Some(7410)));
    assert_eq!(desk.reported_locks[0].owner, ReportedOwner::Thread(ThreadIx(1)));
}

#[test]
fn what_does_not_respond() {
    for note in ["Unresponsive", "Unresponsive for 9 seconds before sampling"] {
        let text = SPINDUMP.replace("3 idle work queue threads omitted", note);
        assert_eq!(read(&text)[0].process.unresponsive, Some(ThreadIx(0)), "{note}");
    }
}

const SAMPLE: &str = "Analysis of sampling rg (pid 64751) every 1 millisecond
Process:         rg [64751]
Code Type:       X86-64

Call graph:
    825 Thread_15758523   DispatchQueue_1: com.apple.main-thread  (serial)
    + 825 start  (in libdyld.dylib) + 1  [0x7fff737cf3d5]
    +   794 work  (in rg) + 1035,30,...  [0x10393278b,0x1,...]  Log.m:12
    +   ! 618 +[NSThread sleep:]  (in rg) + 127  [0x103749bdf]
    +   ! 176 ???  (in rg)  load address 0x103746000 + 0x1234  [0x103747234]
    +   31 ???  (in rg)  load address 0x103746000 + 0x1234  [0x103747234]
    825 Thread_15758535: log writer

Total number in stack (recursive counted multiple, when >=5):
        5       start  (in libdyld.dylib)

Sort by top of stack, same collapsed (when >= 5):
        write  (in libsystem_kernel.dylib)        825
";

#[test]
fn trees_of_sample() {
    let snapshots = read(&format!("{SAMPLE}\nlog\n{}", SAMPLE.replace('\n', "\r\n")));
    assert_eq!(snapshots.len(), 2);
    let snapshot = &snapshots[0];
    assert_eq!((snapshot.process.pid, snapshot.process.name.as_deref()), (Some(64751), Some("rg")));
    let threads: Vec<_> = snapshot.threads.iter().map(|t| (t.id.to_string(), t.name.as_deref())).collect();
    assert_eq!(
        threads,
        [("15758523".into(), Some("com.apple.main-thread")), ("15758535".into(), Some("log writer"))]
    );
    assert_eq!(names(snapshot, 0), ["+[NSThread sleep:]", "work", "start"]);
    let work = snapshot.stacks.get(snapshot.stacks.frames_of(snapshot.threads[0].stack)[1]);
    assert_eq!((work.file.as_deref(), work.line, work.address), (Some("Log.m"), Some(12), Some(0x10393278b)));
    assert!(snapshot.gaps.is_empty(), "{:?}", snapshot.gaps);
}

#[test]
fn cut_anywhere_and_talk() {
    for text in [SPINDUMP, SAMPLE] {
        for end in 0..text.len() {
            let bytes = bytes::Bytes::copy_from_slice(&text.as_bytes()[..end]);
            if let Some(content) = crate::formats::detect::detect(&bytes, None) {
                crate::formats::detect::read(&content, &bytes, &"dump".into());
            }
        }
    }
    for text in
        ["we took 101 samples (1-101) of it\n", "in Thread_1 it waits\n", "Thread 0x1: 5 samples (of 7)\n"]
    {
        assert!(is_none(text), "{text}");
    }
}

#[test]
fn threads_that_served_a_queue_in_turn() {
    let several = "    52 Thread_<multiple>   DispatchQueue_279: Letters  (serial)
    + 52 start_wqthread  (in libsystem_pthread.dylib) + 13  [0x7fff8c19e341]
    7 Thread_<multiple>   DispatchQueue_280: Stamps  (serial)
    + 7 start_wqthread  (in libsystem_pthread.dylib) + 13  [0x7fff8c19e341]
";
    let text = SAMPLE.replace("Total number in stack", &format!("{several}\nTotal number in stack"));
    let snapshots = read(&text);
    let threads: Vec<_> =
        snapshots[0].threads.iter().map(|t| (t.id.to_string(), t.name.as_deref())).collect();
    assert_eq!(
        threads.get(2..),
        Some(&[("multiple 279".into(), Some("Letters")), ("multiple 280".into(), Some("Stamps"))][..])
    );
    assert_eq!(names(&snapshots[0], 2), ["start_wqthread"]);
}

/// OS X 10.9 counts no samples in the headers.
const MAVERICKS: &str = "Date/Time:       2014-04-10 10:56:10 +0100
OS Version:      10.9.2 (Build 13C64)
Architecture:    x86_64
Report Version:  18

Command:         Desk
Path:            /Applications/Desk.app/Contents/MacOS/Desk

Process:         Desk [747]
Path:            /Applications/Desk.app/Contents/MacOS/Desk

  Thread 0xaccef1   DispatchQueue 1          priority 46        
  16 start + 52 (Desk + 7972) [0x10b941f24]
    16 -[Desk wait] + 940 (AppKit) [0x7fff870fe913]
     *16 semaphore_wait_continue + 0 (mach_kernel + 11285) [0xffffff8000353c15]

  Thread 0xaccf02             priority 46        
  16 thread_start + 13 (libsystem_pthread.dylib) [0x7fff8c19e341]
    16 poll + 10 (libsystem_kernel.dylib) [0x7fff8ca4e5e2]
";

#[test]
fn spindumps_without_counts_in_their_headers() {
    for text in [MAVERICKS.to_owned(), MAVERICKS.lines().map(|line| format!("> {line}\n")).collect()] {
        let snapshots = read(&text);
        let [snapshot] = snapshots.as_slice() else { panic!("one dump") };
        assert_eq!((snapshot.process.pid, snapshot.process.os.as_deref()), (Some(747), Some("macos")));
        let ids: Vec<_> = snapshot.threads.iter().map(|t| t.id.to_string()).collect();
        assert_eq!(ids, ["0xaccef1", "0xaccf02"]);
        assert_eq!(names(snapshot, 0), ["-[Desk wait]", "start"]);
        assert_eq!(names(snapshot, 1), ["poll", "thread_start"]);
    }
    for talk in [
        "a thread of DispatchQueue 1 waits\n",
        "  Thread 0x1 of DispatchQueue \"x\"\n",
        "in Thread_<multiple>\n",
    ] {
        assert!(is_none(talk), "{talk}");
    }
}

/// What two writers wrote into one file is read as if each had its own.
#[test]
fn lines_of_a_log_in_between() {
    let facts = |text: &str| {
        let snapshots = read(text);
        let threads = |snapshot: &Snapshot| {
            let names: Vec<_> = (0..snapshot.threads.len()).map(|n| names(snapshot, n)).collect();
            (snapshot.process.name.clone(), names)
        };
        snapshots.iter().map(threads).collect::<Vec<_>>()
    };
    let log = "2024-01-02 10:00:00,010 INFO [http-1] GET /health 200 1ms";
    for whole in [SPINDUMP, SAMPLE] {
        let lines: Vec<&str> = whole.lines().collect();
        for at in 1..lines.len() {
            let text = [&lines[..at], &[log], &lines[at..]].concat().join("\n") + "\n";
            assert_eq!(facts(&text), facts(whole), "before line {at}: {}", lines[at]);
        }
    }
    let inside = SAMPLE.replace("\n    +   794", "\n2024-01-02 10:00:00 INFO: done\n    +   794");
    let gaps: Vec<_> = read(&inside)[0].gaps.iter().map(|gap| gap.message.clone()).collect();
    assert!(gaps.iter().any(|gap| gap.contains("lines in stacks")), "{gaps:?}");
}
