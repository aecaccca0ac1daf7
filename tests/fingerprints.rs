//! Fingerprints: one cause has one, whatever else differs; another cause has another.

mod common;

use std::collections::BTreeSet;

use common::{fixtures, isolated, json};
use serde_json::Value;

fn prints(report: &Value) -> (String, String) {
    let top = &report["findings"][0];
    let text = |field: &str| top[field].as_str().unwrap_or_else(|| panic!("{field} of {top}")).to_owned();
    (text("fingerprint"), text("fingerprint_detail"))
}

fn prints_of_fixture(name: &str) -> (String, String) {
    prints(&json(&[fixtures().join("cores").join(format!("{name}.core.zst"))], &isolated()))
}

#[test]
fn other_causes_have_other_fingerprints() {
    let causes = [
        "logging-mutex-5000",
        "logging-spin-5000",
        "mutex-64",
        "chained-holders",
        "rust-deadlock",
        "crash-null",
        "crash-bad-pointer-call",
        "owner-ended",
        "join-behind-lock",
    ];
    let all: BTreeSet<String> = causes.iter().map(|name| prints_of_fixture(name).0).collect();
    assert_eq!(all.len(), causes.len());
}

#[test]
fn the_words_that_are_hashed_can_be_seen() {
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_logjam"))
        .args(["--no-config", "--explain-fingerprint"])
        .arg(fixtures().join("cores/logging-mutex-5000.core.zst"))
        .output()
        .expect("logjam starts");
    let shown = String::from_utf8(output.stdout).expect("UTF-8");
    let (print, detail) = prints_of_fixture("logging-mutex-5000");
    let line =
        |start: &str| shown.lines().find(|l| l.starts_with(start)).unwrap_or_else(|| panic!("{shown}"));
    for word in ["lock-contention", "g_log_mutex", "log_message"] {
        assert!(line(&print).contains(word), "{shown}");
    }
    for word in ["io-wait", "log_sink_write"] {
        assert!(line(&detail).contains(word), "{shown}");
    }
}

#[test]
fn who_sent_the_signal_does_not_matter() {
    let report = json(&[fixtures().join("cores/join-behind-lock.core.zst")], &isolated());
    let crash = report["findings"].as_array().expect("findings").iter().find(|f| f["rule"] == "crash");
    let reason = crash.expect("a crash")["crash"]["reason"].as_str().expect("a reason");
    assert!(reason.contains("was sent by process "), "{reason}");
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_logjam"))
        .args(["--no-config", "--explain-fingerprint"])
        .arg(fixtures().join("cores/join-behind-lock.core.zst"))
        .output()
        .expect("logjam starts");
    let shown = String::from_utf8(output.stdout).expect("UTF-8");
    assert!(shown.contains("was sent |") && !shown.contains("by process"), "{shown}");
}

/// The addresses of a stripped program are all that is left of its names: they must not go in.
#[test]
fn the_text_of_a_process_has_the_fingerprint_of_its_core() {
    let text = json(&[fixtures().join("gdb/logging-mutex-5000.txt.zst")], &isolated());
    assert_eq!(prints(&text).0, prints_of_fixture("logging-mutex-5000").0);
}

#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod live {
    use super::*;
    use common::live::Live;

    /// The mission's program with `lines` more lines before everything.
    fn shifted(lines: usize) -> impl Fn(String) -> String {
        move |source| "\n".repeat(lines) + &source
    }

    #[test]
    fn counts_builds_and_line_numbers_do_not_matter() {
        let Some(live) = Live::new() else { return };
        let committed = prints_of_fixture("logging-mutex-5000");
        for (flags, lines, waiters) in [
            (&["-O0"][..], 0, "1000"),
            (&["-O2", "-fno-pie", "-no-pie"], 41, "1000"),
            (&["-O3", "-fno-omit-frame-pointer"], 7, "60"),
        ] {
            let program = live.build_changed("logging-mutex", shifted(lines), flags);
            let dumped = live.dump(&program, &[waiters, "20", "32"]);
            assert_eq!(prints(&live.report(&dumped.core, &[])), committed, "{flags:?}");
        }
    }

    /// What the holder does, and the system call in which the program waits for it to get there.
    const PLACES: [(&str, &str); 3] = [
        ("write(g_log_sink, line, length)", "await_blocked(1, SYS_write, (void *)(long)g_log_sink);"),
        ("(usleep(600000000), (ssize_t)length)", "pause_ms(300);"),
        ("poll(NULL, 0, -1)", "pause_ms(300);"),
    ];

    #[test]
    fn a_holder_that_does_something_else_differs_in_the_detail_only() {
        let Some(live) = Live::new() else { return };
        let (call, wait) = PLACES[0];
        let mut all = BTreeSet::new();
        let mut details = BTreeSet::new();
        for (other_call, other_wait) in PLACES {
            let change = |source: String| {
                assert!(source.contains(call) && source.contains(wait));
                let includes = "#include <poll.h>\n#include <unistd.h>\n";
                includes.to_owned() + &source.replace(call, other_call).replace(wait, other_wait)
            };
            let program = live.build_changed("logging-mutex", change, &["-O1", "-D_GNU_SOURCE"]);
            let dumped = live.dump(&program, &["60", "8", "32"]);
            let (print, detail) = prints(&live.report(&dumped.core, &[]));
            all.insert(print);
            details.insert(detail);
        }
        assert_eq!(all.len(), 1, "one cause");
        assert_eq!(details.len(), 3, "three incidents");
        assert_eq!(all.first(), Some(&prints_of_fixture("logging-mutex-5000").0));
    }
}
