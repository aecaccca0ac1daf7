//! What people make of a report when they copy it: mails and pages wrap its lines, authors leave some out.

use super::tests::{WINDOWS, ids};
use crate::formats::testing::{functions, read_one};
use crate::model::{GapKind, ReportedState, Snapshot, StackEnd, ThreadIx};

const CURRENT: &str = "Current thread (0x0000000058aa8000):  JavaThread \"till-7\" daemon [_thread_in_native, id=8008, stack(0x000000005a2d0000,0x000000005a3d0000)]\n";

fn gaps(snapshot: &Snapshot, kind: GapKind) -> Vec<u64> {
    snapshot.gaps.iter().filter(|gap| gap.kind == kind).map(|gap| gap.count).collect()
}

/// A line of a thread that was wrapped at each of its blanks and commas in turn.
fn wrapped(line: &str) -> Vec<String> {
    let breaks = line.match_indices([' ', ',']).map(|(at, _)| at + 1);
    breaks.map(|at| format!("{}\n{}", line[..at].trim_end(), line[at..].trim_start())).collect()
}

#[test]
fn the_current_thread_in_a_wrapped_line() {
    assert!(WINDOWS.contains(CURRENT));
    // What a mail has has no list of threads, in which its name stands again.
    let alone = &WINDOWS[..WINDOWS.find("---------------  P R O").unwrap()];
    let without_banner = &alone[alone.find("Current thread").unwrap()..];
    let mut lines = wrapped(CURRENT.trim_end());
    // Behind the address.
    lines.retain(|line| !line.starts_with("Current\n") && !line.starts_with("Current thread\n"));
    assert!(lines.len() > 6);
    lines.push(
        CURRENT.replace(":  J", ":\nJ").replace("daemon [", "daemon\n[").replace(", stack", ",\nstack"),
    );
    for line in lines {
        for text in [alone, without_banner] {
            let snapshot = read_one(&text.replace(CURRENT, &format!("{}\n", line.trim_end())));
            let thread = &snapshot.threads[0];
            assert_eq!(
                (ids(&snapshot), thread.name.as_deref()),
                (vec!["8008".to_owned()], Some("till-7")),
                "{line}"
            );
            assert_eq!(thread.reported, Some(ReportedState::RunningOrNative), "{line}");
            assert_eq!(functions(&snapshot, ThreadIx(0)).len(), 4);
            assert_eq!(gaps(&snapshot, GapKind::SkippedText), [0; 0], "{line}");
        }
    }
    let named = alone.replace("till-7", "till 7 (east)");
    let quoted: String =
        named.replace("till 7 (", "till 7\n(").lines().map(|line| format!("> {line}\n")).collect();
    assert_eq!(read_one(&quoted).threads[0].name.as_deref(), Some("till 7 (east)"));
}

#[test]
fn a_list_of_threads_in_wrapped_lines() {
    let (above, list) = WINDOWS.split_at(WINDOWS.find("Java Threads").unwrap());
    let list = list.replace(" [_thread", "\n[_thread").replace(" [id=", "\n[id=").replace(",0x0", ",\n0x0");
    let text = format!("{above}{list}");
    let snapshot = read_one(&text);
    assert_eq!(format!("{:?}", snapshot.threads), format!("{:?}", read_one(WINDOWS).threads));
    assert_eq!(gaps(&snapshot, GapKind::SkippedText), [0; 0]);
}

#[test]
fn what_is_no_rest_of_a_thread() {
    let (rest, thread) =
        (" [_thread_blocked, id=7712, stack(0x0000000002310000,0x0000000002410000)]", "\"main\" ");
    let text = WINDOWS.replace(&format!("{}{rest}", thread.trim_end()), thread.trim_end());
    assert_eq!(ids(&read_one(&text)), ["8008", "6120", "2044"], "the next part is none");
    let text =
        WINDOWS.replace("VMThread [stack: 0x0000000058c60000,0x0000000058d60000] [id=6120]", "VMThread");
    assert_eq!(ids(&read_one(&text)), ["8008", "7712", "2044"], "the next thread is none");
    // Where the line breaks off the report goes on.
    let text =
        WINDOWS.replace("id=8008, stack(0x000000005a2d0000,0x000000005a3d0000)]\n\nsig", "id=8008, sta\nsig");
    assert_ne!(text, WINDOWS);
    let snapshot = read_one(&text);
    assert_eq!((ids(&snapshot).len(), snapshot.process.signal.unwrap().address), (4, Some(0x10)));
}

#[test]
fn lines_that_an_author_left_out() {
    let frame = "j  shop.Till.open0(J)V+0\n";
    for line in ["...", "[...]", "…", "\t..."] {
        let snapshot = read_one(&WINDOWS.replace(frame, &format!("{frame}{line}\n")));
        assert_eq!(functions(&snapshot, ThreadIx(0)).len(), 4, "{line}");
        assert_eq!((snapshot.threads[0].stack_end, snapshot.is_complete), (StackEnd::NoRule, false));
        assert_eq!(gaps(&snapshot, GapKind::Truncated), [1], "{line}");
        assert_eq!(gaps(&snapshot, GapKind::SkippedText), [0; 0], "{line}");
    }
    // Several of them, in stacks and in lists, are told once.
    let native = "C  [till.dll+0x1a2b]\n\nJava";
    let text = WINDOWS
        .replace(native, &native.replace("\n\n", "\n...\n\n...\n\n"))
        .replace("\nOther Threads", "...\n\nOther Threads")
        .replace("RAX=", "...\nRAX=");
    let snapshot = read_one(&text);
    assert_eq!(snapshot.threads[0].stack_end, StackEnd::NoRule);
    assert_eq!(gaps(&snapshot, GapKind::Truncated), [3], "registers are not read");
    assert_eq!((ids(&snapshot).len(), gaps(&snapshot, GapKind::SkippedText)), (4, vec![]));
    // The JVM's own words are no cut.
    let snapshot = read_one(&WINDOWS.replace(frame, &format!("{frame}...<more frames>...\n")));
    assert_eq!(snapshot.threads[0].stack_end, StackEnd::DepthLimit);
    assert!(!snapshot.gaps.has(GapKind::Truncated) && !read_one(WINDOWS).gaps.has(GapKind::Truncated));
}

/// The collector's stack is whole, the one at which it was is not.
#[test]
fn lines_that_are_left_out_of_another_stack() {
    let text = WINDOWS.replace(
        "\nJava frames:",
        "\nJavaThread 0x0000000058a01000 (nid = 7712) was being processed\nJava frames:",
    );
    let ends = |text: &str| read_one(text).threads.iter().map(|thread| thread.stack_end).collect::<Vec<_>>();
    let (complete, cut) = (StackEnd::Complete, StackEnd::NoRule);
    assert_eq!(ends(&text), [complete; 4]);
    assert_eq!(ends(&text.replace("j  shop", "...\nj  shop")), [complete, cut, complete, complete]);
}

#[test]
fn lines_that_are_left_out_of_a_banner() {
    let banner = &WINDOWS[..WINDOWS.find("\n---").unwrap()];
    let (start, end) = (banner.find("# JRE").unwrap(), banner.find("# Problematic").unwrap());
    for line in ["# ...", "...", "#\n# ...\n#"] {
        let text = format!("{}{line}\n{}\nand so on\n...\n", &banner[..start], &banner[end..]);
        let snapshot = read_one(&text);
        assert_eq!(
            (ids(&snapshot), functions(&snapshot, ThreadIx(0))),
            (vec!["8008".into()], vec!["??".into()])
        );
        assert!(!snapshot.gaps.has(GapKind::Truncated), "it has no stack");
        let text = text.replace(
            "EXCEPTION_ACCESS_VIOLATION (0xc0000005) at pc=0x000000006d8c1a2b",
            "Internal Error (os.cpp:9)",
        );
        assert_eq!(&*read_one(&text).process.failure.unwrap().message, "Internal Error (os.cpp:9)", "{line}");
    }
}
