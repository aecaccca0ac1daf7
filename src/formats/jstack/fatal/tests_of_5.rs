//! What JDK 5 and 6 say on the terminal.

use super::super::FORMAT;
use super::tests::{WINDOWS, ids};
use crate::formats::testing::{cut_everywhere, functions, is_found, read, read_one, survives_logs};
use crate::model::ThreadIx;

const BANNER: &str = "#
# An unexpected error has been detected by HotSpot Virtual Machine:
#
#  SIGSEGV (0xb) at pc=0x4003f5d9, pid=5210, tid=1085233632
#
# Java VM: Java HotSpot(TM) Client VM (1.5.0_06-b05 mixed mode, sharing)
# Problematic frame:
# V  [libjvm.so+0x1f5d9]
#
# An error report file with more information is saved as hs_err_pid5210.log
#
# If you would like to submit a bug report, please visit:
#   http://java.sun.com/webapps/bugreport/crash.jsp
#
";

fn bare(banner: &str) -> String {
    banner.replace("\n#", "\n").replacen('#', "", 1)
}

#[test]
fn a_banner_by_itself() {
    let of_6 = BANNER
        .replace("HotSpot Virtual Machine:", "Java Runtime Environment:")
        .replace("saved as hs", "saved as:\n# /srv/till/hs");
    for banner in [BANNER, &of_6, &bare(BANNER), &bare(&of_6)] {
        assert!(is_found(FORMAT.id, banner), "{banner}");
        let snapshot = read_one(banner);
        let signal = snapshot.process.signal.as_ref().map(|signal| &*signal.name);
        assert_eq!((signal, snapshot.process.pid), (Some("SIGSEGV"), Some(5210)), "{banner}");
        let runtime = snapshot.process.runtime.as_deref();
        assert_eq!(runtime, Some("Java HotSpot(TM) Client VM (1.5.0_06-b05 mixed mode, sharing)"));
        assert_eq!(
            (ids(&snapshot), functions(&snapshot, ThreadIx(0))),
            (vec!["1085233632".into()], vec!["??".into()])
        );
    }
    survives_logs(BANNER);
    cut_everywhere(BANNER);
}

#[test]
fn errors_in_banners() {
    let swap =
        "# java.lang.OutOfMemoryError: requested 32756 bytes for ChunkPool::allocate. Out of swap space?\n#";
    let error = "#  Internal Error (414C4C4F434154494F4E0E4350500065), pid=5210, tid=1085233632";
    let text = BANNER
        .replace("#  SIGSEGV (0xb) at pc=0x4003f5d9, pid=5210, tid=1085233632", &format!("{swap}\n{error}"));
    let failure = read_one(&text).process.failure.unwrap();
    assert_eq!(&*failure.message, "Internal Error (414C4C4F434154494F4E0E4350500065)");
}

/// Its first line stands above what it is found by, and seems to be a line of the dump before it.
#[test]
fn a_banner_among_others() {
    let go = "goroutine 7 [select]:\nmain.serve(0xc0000a2000)\n\t/src/till/main.go:31 +0x45\n\n";
    let other = BANNER.replace("5210", "5211");
    let text = format!("{go}till 7 opens\n{BANNER}\n{go}{other}{WINDOWS}");
    let pids: Vec<_> = read(&text).iter().map(|snapshot| snapshot.process.pid).collect();
    assert_eq!(pids, [None, Some(5210), None, Some(5211), Some(5712)]);
}

#[test]
fn talk_of_it_is_none() {
    let first = "# An unexpected error has been detected by HotSpot Virtual Machine:\n";
    let reason = "#  SIGSEGV (0xb) at pc=0x4003f5d9, pid=5210, tid=1085233632\n";
    for text in [
        first.to_owned(),
        reason.to_owned(),
        format!("{reason}{first}"),
        format!("{first}# till 7, pid=5210, tid=1085233632\n"),
        format!("{first}{}{reason}", "it is what people saw then\n".repeat(40)),
    ] {
        assert!(!is_found(FORMAT.id, &text) && read(&text).is_empty(), "{text}");
    }
}
