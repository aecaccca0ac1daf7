use super::*;
use crate::formats::testing::{cut_everywhere, names, read};

const INFO: &str = "           PID: 23316 (shop) of user 9)
        Signal: 11 (SEGV)
     Timestamp: Sat 2026-11-28 19:51:06 UTC (582ms ago)
  Command Line: /srv/bin/shop --all
    Executable: /srv/bin/shop
       Storage: /var/lib/systemd/coredump/core.shop.zst (truncated)
       Message: Process 23316 (shop) of user 9) of user 33 dumped core.
                
                Module libfoo.so from rpm foo-1.0-1.x86_64
                Stack trace of thread 23329:
                #0  0x00005555555552b9 render_cell (shop + 0x12b9)
                #1  0x00007fb8acb391ca n/a (/usr/lib64/libpthread-2.28.so)
                
                Stack trace of thread 23316:
                #0  0x00007ffff7e5af16 _ZN3Log5writeEv (libc.so.6 + 0x85f16)
                ELF object binary architecture: AMD x86-64
";

#[test]
fn fields_threads_and_frames() {
    let snapshots = read(INFO);
    let [snapshot] = snapshots.as_slice() else { panic!("one dump") };
    let process = &snapshot.process;
    assert_eq!((process.pid, process.name.as_deref()), (Some(23316), Some("shop) of user 9")));
    assert_eq!(process.captured_at.as_deref(), Some("Sat 2026-11-28 19:51:06 UTC"));
    assert_eq!(
        (process.command_line.as_deref(), process.arch),
        (Some("/srv/bin/shop --all"), Some(Arch::X86_64))
    );
    let signal = process.signal.clone().unwrap();
    assert_eq!((&*signal.name, signal.thread), ("SIGSEGV", Some(ThreadIx(0))));
    assert_eq!(names(snapshot, 0), ["render_cell", "?"]);
    let frame = snapshot.stacks.get(snapshot.stacks.frames_of(snapshot.threads[0].stack)[0]);
    assert_eq!((frame.module.as_deref(), frame.module_offset), (Some("shop"), Some(0x12b9)));
    assert!(!snapshot.is_complete, "the core was cut");
}

#[test]
fn a_journal_names_no_signal() {
    let journal: String = INFO
        .lines()
        .skip(6)
        .enumerate()
        .map(|(n, l)| match n {
            0 => format!(
                "Nov 28 19:51:05 host systemd-coredump[42]: [🡕] {}\n",
                l.trim().trim_start_matches("Message: ")
            ),
            _ => format!("                             {}\n", l.trim()),
        })
        .collect();
    let snapshots = read(&format!("{journal}Nov 28 19:51:06 host conmon[1]: bye\n{journal}"));
    assert_eq!(snapshots.iter().map(|s| s.threads.len()).collect::<Vec<_>>(), [2, 2]);
    let failure = snapshots[1].process.failure.clone().unwrap();
    assert_eq!((failure.kind, failure.thread), (FailureKind::DumpedCore, Some(ThreadIx(0))));
    let newer = format!(
        "Nov 28 host systemd-coredump[42]: Process 23316 (shop) of user 33 terminated abnormally with signal 6/ABRT, processing...\n{journal}"
    );
    assert_eq!(&*read(&newer)[0].process.signal.clone().unwrap().name, "SIGABRT");
}

#[test]
fn lines_of_others_between_frames_take_nothing_away() {
    let mixed = INFO.replace("                #1 ", "retrying the mail for order 7\n                #1 ");
    assert_eq!(names(&read(&mixed)[0], 0), ["render_cell", "?"]);
}

#[test]
fn limits_json_cuts_and_talk() {
    let mut many = String::from("Process 7 (x) of user 0 dumped core.\n");
    for thread in 1..=64 {
        many.push_str(&format!("\n  Stack trace of thread {thread}:\n"));
        for frame in 0..64 {
            many.push_str(&format!("  #{frame}  0x00007ffff7e5af16 f (x + 0x1)\n"));
        }
    }
    let snapshot = &read(&many)[0];
    assert_eq!((snapshot.threads.len(), snapshot.is_complete), (64, false));
    assert_eq!(snapshot.threads[0].stack_end, StackEnd::DepthLimit);
    let message = INFO.split_once("Message: ").unwrap().1;
    let json = format!("{{\"MESSAGE\":{},\"_PID\":\"7\"}}\n", serde_json::json!(message));
    assert_eq!(read(&json)[0].threads.len(), 2);
    cut_everywhere(INFO);
    assert!(read("a Stack trace of thread 7: see the log\n").is_empty());
}

/// The message names no signal, the fields of the journal beside it do.
#[test]
fn fields_of_the_journal() {
    let message = INFO.split_once("Message: ").unwrap().1.trim_start();
    let signals = |text: &str| -> Vec<_> {
        let snapshots = read(text);
        snapshots
            .iter()
            .map(|s| s.process.signal.clone().map(|signal| (signal.name.to_string(), signal.thread)))
            .collect()
    };
    let told = |name: &str| Some((name.to_owned(), Some(ThreadIx(0))));
    let pid = "    COREDUMP_PID=23316\n";
    let entry = |before: &str, behind: &str| {
        format!("Sat 2026-11-28 19:51:06 UTC [s=1]\n{before}    MESSAGE={message}{behind}\n")
    };
    let segv = entry("    COREDUMP_SIGNAL=11\n", pid);
    let abort = entry(&format!("{pid}    COREDUMP_SIGNAL_NAME=SIGABRT\n"), "    COREDUMP_SIGNAL=6\n");
    assert_eq!(signals(&segv), [told("SIGSEGV")]);
    assert_eq!(signals(&format!("{segv}{abort}{}", entry("", ""))), [told("SIGSEGV"), told("SIGABRT"), None]);
    assert_eq!(signals(&segv.replace("COREDUMP_PID=23316", "COREDUMP_PID=7")), [None], "of another process");
    // Where the message stands far behind in its line.
    let json = |signal: &str| {
        let message = serde_json::json!(message);
        format!(
            "{{\"__CURSOR\":\"{}\",\"COREDUMP_SIGNAL\":\"{signal}\",\"MESSAGE\":{message},\"COREDUMP_PID\":\"23316\"}}",
            "s".repeat(300)
        )
    };
    assert_eq!(signals(&json("11")), [told("SIGSEGV")]);
}
