use super::*;
use crate::formats::testing::{cut_everywhere, names, read};

const VERBOSE: &str = "PID 91453 - process
TID 91453:
#0  0x00007f5dd32a412b     futex_wait - /usr/lib/x86_64-linux-gnu/libc.so.6
    ../sysdeps/nptl/futex-internal.h:146:13
#1  0x00007f5dd32a412b     __GI___lll_lock_wait - /usr/lib/x86_64-linux-gnu/libc.so.6
    [93ac61ec5a8eb1396f9fbd350e3169a558528a40]@0x7f5dd321e000+0x8612b
#2  0x00007f5dd32aa482 - 1 log_message(char const*) - /srv/my app/shopd
    /src/log - new.c:27:5
#10 0x00007f5dd34d44a3 - /usr/lib/x86_64-linux-gnu/libstdc++.so.6.0.30
#11 0x00007f5dd34d44a4
TID 91454:
#0  0x00007fb61cef045e read
eu-stack: tid 91454: shown max number of frames (256, use -n 0 for unlimited)
TID 91455:
eu-stack: dwfl_thread_getframes tid 91455 at 0x7fb6 in <unknown>: no matching address range
";

#[test]
fn frames_with_all_that_options_print() {
    let snapshots = read(VERBOSE);
    let [snapshot] = snapshots.as_slice() else { panic!("one dump") };
    assert_eq!(snapshot.process.pid, Some(91453));
    assert_eq!(
        names(snapshot, 0),
        ["futex_wait", "__GI___lll_lock_wait", "log_message(char const*)", "?", "?"]
    );
    let frames = snapshot.stacks.frames_of(snapshot.threads[0].stack);
    let frame = |n: usize| snapshot.stacks.get(frames[n]);
    assert_eq!((frame(0).kind, frame(1).kind), (FrameKind::Inlined, FrameKind::Normal));
    assert_eq!((frame(0).line, frame(1).module_offset), (Some(146), Some(0x8612b)));
    assert_eq!(frame(2).module.as_deref(), Some("/srv/my app/shopd"));
    assert_eq!((frame(2).file.as_deref(), frame(2).line), (Some("/src/log - new.c"), Some(27)));
    assert_eq!(frame(3).module.as_deref(), Some("/usr/lib/x86_64-linux-gnu/libstdc++.so.6.0.30"));
    let ends: Vec<_> = snapshot.threads.iter().map(|t| t.stack_end).collect();
    assert_eq!(ends, [StackEnd::Complete, StackEnd::DepthLimit, StackEnd::Reported]);
}

#[test]
fn two_processes_prefixes_and_next_versions() {
    let two = format!("{VERBOSE}\nlater\n{}", VERBOSE.replace("91453", "5"));
    assert_eq!(read(&two).iter().map(|s| s.process.pid).collect::<Vec<_>>(), [Some(91453), Some(5)]);
    // Without the line of the process a repeated id tells that another one begins.
    let bare: String = two.lines().filter(|l| !l.starts_with("PID ")).map(|l| format!("{l}\r\n")).collect();
    assert_eq!(read(&bare).len(), 2);
    let logged: String = VERBOSE.lines().map(|l| format!("web_1  | {l}\n")).collect();
    assert_eq!(read(&logged)[0].threads.len(), 3);
    let next = VERBOSE.replace("TID 91454:", "TID 91454 [flusher]:\nSTATE blocked");
    let snapshots = read(&next);
    assert_eq!(snapshots[0].threads[1].name.as_deref(), Some("flusher"));
    assert!(snapshots[0].gaps.has(crate::model::GapKind::SkippedText));
}

/// `eu-stack -q`: nothing is known of what the threads do.
#[test]
fn addresses_alone() {
    let text = "PID 91451 - core\nTID 91451:\n#0  0x00007f5dd32a412b\n#1  0x00007f5dd32a412f\n";
    assert!(read(text)[0].gaps.has(crate::model::GapKind::MissingModule));
    assert!(!read(VERBOSE)[0].gaps.has(crate::model::GapKind::MissingModule));
}

#[test]
fn cuts_and_talk() {
    cut_everywhere(VERBOSE);
    let cut = read(VERBOSE.split_at(VERBOSE.find("a558528").unwrap()).0);
    assert!(!cut[0].is_complete);
    for talk in ["the PID 7 - process died\n", "TID 7: gone\n", "TID 7:\nnothing\n"] {
        assert!(read(talk).is_empty(), "{talk}");
    }
}
