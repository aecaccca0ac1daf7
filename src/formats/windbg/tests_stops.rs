//! Breakpoints, stops of the kernel, and tables without columns.
use crate::formats::testing::{cut_everywhere, names, read_one};
use crate::model::{FailureKind, ReportedState, ThreadIx};

/// `!analyze -v` of a process whose assertion failed.
const ASSERTED: &str = "Loading Dump File [c:\\dumps\\desk.dmp]
0:000> !analyze -v
EXCEPTION_RECORD:  ffffffff -- (.exr 0xffffffffffffffff)
ExceptionAddress: 01814577 (desk_dbg!Letters::sort+0x00000047)
   ExceptionCode: 80000003 (Break instruction exception)
  ExceptionFlags: 00000000
FAULTING_THREAD:  00000d9c

STACK_TEXT:
0034ef5c 0186f798 0925b3ec 08d12000 09061100 desk_dbg!Letters::sort+0x47 [c:\\desk\\letters.cpp @ 604]
0034efdc 01823483 09061100 09061100 08d12000 desk_dbg!main+0x788

FOLLOWUP_IP:
desk_dbg!Letters::sort+47
0:000> q
";

fn signal(text: &str) -> Option<(String, Option<ThreadIx>)> {
    read_one(text).process.signal.clone().map(|signal| (signal.name.to_string(), signal.thread))
}

#[test]
fn a_breakpoint_in_the_program_of_a_dump() {
    assert_eq!(signal(ASSERTED), Some(("EXCEPTION_BREAKPOINT".into(), Some(ThreadIx(0)))));
    // What `!analyze` says of a frame is no frame.
    assert_eq!(names(&read_one(ASSERTED), 0), ["Letters::sort", "main"]);
    let made = ASSERTED.replace("01814577 (desk_dbg!Letters::sort+0x00000047)", "1c2fbbb0");
    assert_eq!(signal(&made).map(|(name, _)| name).as_deref(), Some("EXCEPTION_BREAKPOINT"));
    cut_everywhere(ASSERTED);
}

#[test]
fn breakpoints_of_debuggers_are_no_crash() {
    for place in [
        "77f79c78 (ntdll!DbgBreakPoint)",
        "00007ffb0e6c2b4e (ntdll!DbgBreakPoint+0x0000000000000000)",
        "77e9016d (ntdll_77980000!LdrpDoDebuggerBreak+0x2c)",
        "77a5c7ec (ntdll+0x3c7ec)",
        "7567322c (KERNELBASE!DebugBreak+0x00000002)",
        "81a5c7ec (nt!RtlpBreakWithStatusInstruction)",
        "00007ffb0e6c2b4e (win32u!NtUserGetMessage+0x14)",
        "00000000",
    ] {
        assert_eq!(
            signal(&ASSERTED.replace("01814577 (desk_dbg!Letters::sort+0x00000047)", place)),
            None,
            "{place}"
        );
    }
    // A process in the debugger: its user may want to stop there.
    let live = ASSERTED.split_once('\n').unwrap().1;
    assert_eq!(signal(live), None);
}

#[test]
fn a_breakpoint_that_a_user_set_within_a_function_is_no_crash() {
    let begin = "Loading Dump File [c:\\dumps\\desk.dmp]\n";
    let with = |lines: &str| ASSERTED.replace(begin, &format!("{begin}{lines}"));
    let own = Some("EXCEPTION_BREAKPOINT".to_owned());
    let place = "desk_dbg!Letters::sort+0x47:\n";
    for (lines, expected) in [
        ("0:000> g\nBreakpoint 0 hit\nTime Travel Position: 2A51:314\n".to_owned(), None),
        (format!("{place}01814577 8b4d08          mov     ecx,dword ptr [ebp+8]\n"), None),
        (format!("{place}00000000`01814577 8b4d08          add     ecx,1\n"), None),
        (format!("{place}01814577 cc              int     3\n"), own.clone()),
        // That of another place, and what stands in memory.
        ("01814578 8b4d08          mov     ecx,dword ptr [ebp+8]\n".to_owned(), own.clone()),
        ("01814577  cc 8b 4d 08 00 00 00 00  ..M.....\n".to_owned(), own.clone()),
        ("01814577 084d8bcc 00000000 00000000\n".to_owned(), own.clone()),
        // It went on, and failed.
        ("Breakpoint 0 hit\n0:000> g\n(304.d9c): Break instruction exception - code 80000003 (!!! second chance !!!)\n".to_owned(), own),
    ] {
        assert_eq!(signal(&with(&lines)).map(|(name, _)| name), expected, "{lines}");
    }
    // What `!analyze` says of the place before the stack.
    let analyzed =
        "FAULTING_IP:\ndesk_dbg!Letters::sort+47\n01814577 8b4d08          mov     ecx,dword ptr [ebp+8]\n\n";
    let text = ASSERTED.replace("EXCEPTION_RECORD:", &format!("{analyzed}EXCEPTION_RECORD:"));
    assert_eq!(signal(&text), None);
    assert_eq!(names(&read_one(&text), 0), ["Letters::sort", "main"]);
}

const STOPPED: &str = "STACK_TEXT:
ffffd505`7e830838 fffff800`903d5669 : 00000000`0000000a 00000000`00000047 00000000`00000002 00000000`00000000 : nt!KeBugCheckEx
ffffd505`7e830840 fffff800`903d22eb : 00000000`00000000 00000000`00000000 00000000`00000000 fffff800`90b6edf5 : nt!KiBugCheckDispatch+0x69
ffffd505`7e830bb0 ffffc40b`12ae26a0 : ffffc40b`12ad34a8 ffffd505`7e830d02 ffffc40b`12ae2868 ffffc40b`12ae26a0 : desk_x64+0x83a7
";

#[test]
fn the_function_that_stops_the_machine_says_why() {
    let failure =
        |text: &str| read_one(text).process.failure.clone().map(|f| (f.kind, f.message.to_string()));
    let because = Some((FailureKind::Kernel, "bugcheck 0xa: IRQL_NOT_LESS_OR_EQUAL".to_owned()));
    assert_eq!(failure(STOPPED), because);
    let old = "STACK_TEXT:
f78d2ad4 804f9f13 0000000a 00000047 00000002 nt!KeBugCheckEx+0x1b
f78d2af0 80541683 f78d2b10 00000000 f78d2b28 nt!KiTrap0E+0x238
";
    assert_eq!(failure(old), because);
    // Somebody wanted the dump: the keyboard.
    assert_eq!(failure(&STOPPED.replace("`0000000a", "`000000e2")), None);
    // It is not the newest frame, or another module's.
    assert_eq!(failure(&STOPPED.replace(": nt!KeBugCheckEx", ": desk!KeBugCheckEx")), None);
    assert_eq!(failure(&STOPPED.replace(": nt!KeBugCheckEx", ": nt!KiSwapContext+0x76")), None);
}

const BARE: &str = "0: kd> !process ffffe000045ef940 7
PROCESS ffffe000045ef940
        THREAD ffffe000018d68c0  Cid 0a50.0a54  Teb: 00007ff6b661d000 Win32Thread: fffff90143635a90 WAIT: (WrUserRequest) UserMode Non-Alertable
            ffffe000046192c0  SynchronizationEvent
        nt!KiSwapContext+0x76
        nt!KeWaitForMultipleObjects+0x44e
        0xfffff960`0038bed0
        0x1
        THREAD ffffe000045f88c0  Cid 0a50.0a8c  Teb: 00007ff6b64ea000 Win32Thread: 0000000000000000 WAIT: (UserRequest) UserMode Non-Alertable
            ffffe000041c1830  SynchronizationEvent
        nt!KiSwapContext+0x76
        nt!KiSystemServiceCopyEnd+0x13 (TrapFrame @ ffffd000`248ebc40)
";

#[test]
fn frames_without_columns() {
    let snapshot = read_one(BARE);
    let tids: Vec<_> = snapshot.threads.iter().map(|t| (t.tid, t.reported)).collect();
    assert_eq!(tids, [(Some(0xa54), Some(ReportedState::Idle)), (Some(0xa8c), Some(ReportedState::Waiting))]);
    assert_eq!(names(&snapshot, 0), ["KiSwapContext", "KeWaitForMultipleObjects", "?", "?"]);
    assert_eq!(names(&snapshot, 1), ["KiSwapContext", "KiSystemServiceCopyEnd"]);
    assert!(snapshot.gaps.is_empty(), "{:?}", snapshot.gaps);
    cut_everywhere(BARE);
    let kc = "0:000> ~*kc

.  0  Id: 1a2c.1b30 Suspend: 1 Teb: 000000b2`c1d4e000 Unfrozen
Call Site
ntdll!NtWaitForSingleObject
desk!Letters::sort
kernel32!BaseThreadInitThunk
0:000> q
";
    let snapshot = read_one(kc);
    assert_eq!(names(&snapshot, 0), ["NtWaitForSingleObject", "Letters::sort", "BaseThreadInitThunk"]);
}

const PLAIN: &str = "0:000> ~*kc

.  0  Id: 1a2c.1b30 Suspend: 1 Teb: 000000b2`c1d4e000 Unfrozen
Call Site
ntdll!NtWaitForSingleObject
desk!Letters::sort
kernel32!BaseThreadInitThunk
0:000> q
";

#[test]
fn numbers_below_a_table_are_no_frames_and_are_told() {
    let told = |text: &str| {
        let snapshot = read_one(text);
        let count: u64 =
            snapshot.gaps.iter().filter(|g| g.message.contains("numbers below")).map(|g| g.count).sum();
        (names(&snapshot, 0), count)
    };
    let all: Vec<String> =
        ["NtWaitForSingleObject", "Letters::sort", "BaseThreadInitThunk"].map(Into::into).into();
    assert_eq!(told(PLAIN), (all.clone(), 0));
    // A note behind a table that has no addresses; the blank line between may be there or not.
    for note in ["0x1234\n", "\n0x00007ff6`12345678\n", "0x1234\n0x1235\n"] {
        assert_eq!(told(&PLAIN.replace("0:000> q", note)), (all.clone(), 1), "{note}");
    }
    // Code that was made at run time has no name.
    let made = PLAIN.replace("desk!Letters::sort", "0x00007ff6`12345678\n0x1");
    let (frames, count) = told(&made);
    assert_eq!(
        (frames.iter().map(String::as_str).collect::<Vec<_>>(), count),
        (vec!["NtWaitForSingleObject", "?", "?", "BaseThreadInitThunk"], 0)
    );
    // A table with columns has them in all of its rows, whether these have offsets or not.
    let table = "ChildEBP RetAddr\n0556fc44 77f79c20 ntdll!NtWaitForSingleObject\n0556fcb0 77f71048 desk!Letters::sort\n\
                 0556fcb8 5feb4f7e kernel32!BaseThreadInitThunk\n";
    for table in [table.to_owned(), table.replace("sort\n", "sort+0x47\n")] {
        assert_eq!(told(&format!("0:000> k\n{table}0x77f71048\n0:000> q\n")), (all.clone(), 1));
    }
    cut_everywhere(&PLAIN.replace("0:000> q", "0x1234"));
}

#[test]
fn talk_is_no_frame() {
    for line in [
        "Thank you!",
        "wow! it works",
        "ntdll!NtWaitForSingleObject+0xb:",
        "app!f is the one.",
        "    0x12, 0x13",
        "0x",
    ] {
        assert_eq!(super::columns::plain(line), None, "{line}");
    }
    for line in [
        "    0x12",
        "0xfffff960`0038bed0",
        "nt!KiSwapContext+0x76",
        "ntdll!NtWaitForSingleObject",
        "a!~Log+0x1",
    ] {
        assert!(super::columns::plain(line).is_some(), "{line}");
    }
}
