//! The report for the terminal: what it says, and that it fits.

use unicode_width::UnicodeWidthStr;

use super::{sample, written};
use crate::diagnosis::{Diagnosis, InputStatus};
use crate::model::GapKind;
use crate::report::text::write_thread;
use crate::report::{Document, View, find};

pub fn text(diagnosis: &Diagnosis, view: &View) -> String {
    let mut out = Vec::new();
    (find("text").unwrap().write)(&Document::of(diagnosis), view, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

pub fn thread(diagnosis: &Diagnosis, id: &str, view: &View) -> String {
    let mut out = Vec::new();
    write_thread(diagnosis, &[id], view, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn at_80(diagnosis: &Diagnosis) -> String {
    text(diagnosis, &View::default())
}

/// With `LOGJAM_SHOW=1` and `--nocapture`: for the eye.
#[test]
fn show() {
    if std::env::var_os("LOGJAM_SHOW").is_none() {
        return;
    }
    for width in [80, 140] {
        let view = View { width, elapsed_ms: Some(38), ..View::default() };
        for diagnosis in [sample::incident(4499), sample::zoo(), sample::quiet()] {
            println!("{}\n{}", "=".repeat(width), text(&diagnosis, &view));
        }
        for diagnosis in [sample::zoo(), sample::deep(70_000)] {
            for id in ["4332", "9331"] {
                println!("{}\n{}", "=".repeat(width), thread(&diagnosis, id, &view));
            }
        }
    }
    println!("{}\n{}", "=".repeat(80), text(&sample::zoo(), &View { show_all: true, ..View::default() }));
}

#[test]
fn the_first_line_under_the_header_is_the_answer() {
    let text = at_80(&sample::incident(4499));
    let lines: Vec<&str> = text.lines().collect();
    let blank = lines.iter().position(|line| line.is_empty()).unwrap();
    assert!(lines[0].starts_with("logjam  core.zst · ELF core, x86-64 · logserver[4332] died of SIGABRT"));
    assert!(lines[blank + 1].starts_with("  CRITICAL  lock-contention"));
    assert!(lines[blank + 1].ends_with("certain"));
    assert_eq!(lines[blank + 1].width(), 80);
    assert_eq!(lines[blank + 2], "  4499 of 5001 threads (90 %) wait for the mutex g_log_mutex");
}

#[test]
fn the_block_tells_lock_holder_waiters_evidence_and_advice() {
    let text = at_80(&sample::incident(4499));
    for line in [
        "    lock      pthread mutex g_log_mutex, 0x55f0ce1aa140 in logserver .bss",
        "    holder    thread 9331 \"worker-4999\" (read), blocked in write(fd 7) under",
        "    waiters   4,499   log_message ← handle ← worker",
        "    blocked   4,500 threads with those that wait behind the waiters",
        "    where     log_message at src/logserver.c:19",
        "    because   read      the futex word of all 4499 waiters is g_log_mutex",
        "              inferred  the holder is inside the critical section, blocked in a",
        "    next      1. The holder writes to fd 7 while it holds the lock: find out who",
        "                 reads the other end, with ls -l /proc/4332/fd/7 on the machine,",
        "    guide     logjam explain lock-contention · lj1:0123456789abcdef",
        "  90 %  4,499  lock-wait  log_message ← handle ← worker  on g_log_mutex",
        "  <1 %      1  join-wait  main",
    ] {
        assert!(text.lines().any(|l| l == line), "no line {line:?} in\n{text}");
    }
}

#[test]
fn time_is_shown_only_where_it_is_given() {
    let d = sample::quiet();
    assert!(!at_80(&d).contains(" ms"));
    assert!(text(&d, &View { elapsed_ms: Some(1234), ..View::default() }).contains("· 1,234 ms"));
}

#[test]
fn the_tests_that_a_finding_stops_stand_first_and_are_counted() {
    let diagnosis = sample::zoo();
    let text = at_80(&diagnosis);
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let title = lines.iter().position(|l| l.contains("wait for each other")).expect("the deadlock");
    let test = lines.iter().position(|l| l.starts_with("test ")).expect("its tests");
    assert!(test > title && lines[title + 1..test].iter().all(|l| l.is_empty()), "{text}");
    assert!(lines[test].contains("Orders.Ship0 (googletest)"), "{text}");
    assert!(text.contains("Orders.Ship9 ") && !text.contains("Orders.Ship10"), "{text}");
    assert!(text.contains("… and 3 more tests: --all shows them"), "{text}");
    let all = View { show_all: true, ..View::default() };
    let whole = written("text", &diagnosis, &all);
    assert!(whole.contains("Orders.Ship12") && !whole.contains("more tests"), "{whole}");
    for reporter in ["markdown", "html", "junit", "sarif", "github", "ticket", "json", "ndjson"] {
        let shown = written(reporter, &diagnosis, &View::default());
        assert!(shown.contains("Orders.Ship0"), "{reporter}");
    }
}

#[test]
fn without_a_finding_the_answer_says_so_and_no_more() {
    let answer =
        |d: &Diagnosis| at_80(d).lines().skip_while(|l| !l.is_empty()).nth(1).unwrap().trim().to_owned();
    let mut quiet = sample::quiet();
    assert_eq!(answer(&quiet), "no finding: nothing in this dump says that threads are stuck");
    assert!(at_80(&quiet).contains("\n  42 threads: 40 idle, 2 running\n"));
    let mut unknown = sample::quiet();
    let clusters = &mut unknown.snapshots[0].clusters.clusters;
    clusters.iter_mut().for_each(|cluster| cluster.state = crate::waits::State::Unknown);
    let say_nothing = "no finding, but of 42 of 42 threads this dump does not say what they do";
    assert_eq!(answer(&unknown), say_nothing);
    assert_eq!(crate::diagnosis::headline(&[], &unknown.snapshots), say_nothing);
    quiet.snapshots[0].snapshot.gaps.add(GapKind::Truncated, "the file ends early", None);
    assert!(answer(&quiet).starts_with("no finding: nothing in what could be read of this dump says"));
    let failed = ("b".to_owned(), InputStatus::Failed("no such file".into()));
    quiet.inputs.push(failed.clone());
    assert!(
        answer(&quiet).starts_with("no finding in what could be read, but 1 of 2 inputs were not analyzed")
    );
    assert!(at_80(&quiet).contains("  NOT ANALYZED  1 of 2 inputs\n  b: no such file\n"));
    let nothing = Diagnosis { inputs: vec![failed], ..Diagnosis::default() };
    assert_eq!(answer(&nothing), "nothing was analyzed: 1 of 1 input failed");
    assert!(at_80(&nothing).contains("b: no such file"));
    assert!(answer(&Diagnosis::default()).starts_with("nothing was analyzed"));
}

/// Findings, clusters, gaps and snapshots that are not shown are counted; `--all` shows them.
#[test]
fn nothing_is_left_out_without_a_count() {
    let mut d = sample::many(25);
    d.findings.extend(sample::zoo().findings);
    let all = text(&d, &View { show_all: true, ..View::default() });
    let short = at_80(&d);
    assert!(short.contains("2 more findings: --all shows them in full"), "{short}");
    assert!(short.contains("… and 15 more clusters (120 threads): --all shows them"), "{short}");
    assert!(!all.contains("--all"), "{all}");
    assert_eq!(all.matches("  guide ").count(), 5);
    let shown: u64 = (16..=25).sum();
    assert_eq!(shown + 120, d.snapshots[0].snapshot.threads.len() as u64);

    let mut several = Diagnosis::default();
    for _ in 0..7 {
        several.snapshots.push(sample::many(2).snapshots.remove(0));
    }
    let short = at_80(&several);
    assert!(short.starts_with("logjam  7 snapshots · 21 threads\n"), "{short}");
    assert!(short.contains("… and 2 more snapshots (6 threads): --all shows them"));
    assert!(short.contains("… and 4 more snapshots (12 threads in 8 clusters): --all shows them"));
}

#[test]
fn every_line_fits_whatever_the_width() {
    for width in [1, 40, 53, 80, 140] {
        for show_all in [false, true] {
            let view = View { width, show_all, ..View::default() };
            for d in [
                sample::incident(4499),
                sample::zoo(),
                sample::quiet(),
                sample::hostile(),
                Diagnosis::default(),
            ] {
                let mut lines = text(&d, &view);
                for id in ["4332", "4333"] {
                    if d.snapshots.iter().any(|s| !s.snapshot.threads.is_empty()) && !d.findings.is_empty() {
                        lines += &thread(&d, id, &view);
                    }
                }
                for line in lines.lines() {
                    assert!(line.width() <= width.max(40), "{} > {width}: {line}", line.width());
                    assert!(line.trim_end() == line, "spaces at the end: {line:?}");
                }
            }
        }
    }
}

#[test]
fn hostile_text_never_reaches_the_terminal_raw() {
    let d = sample::hostile();
    for width in [40, 80, 200] {
        for show_all in [false, true] {
            let view = View { width, show_all, ..View::default() };
            let shown = text(&d, &view) + &thread(&d, "4332", &view);
            assert!(shown.contains("\\x1b["), "it is visible that something was there");
            for c in shown.chars().filter(|c| *c != '\n') {
                assert!(!c.is_control() && !"\u{202e}\u{200f}\u{2066}\u{200b}\u{2028}".contains(c), "{c:?}");
            }
            assert!(
                !shown.lines().any(|line| line.starts_with("FORGED")),
                "a newline of the dump makes no line"
            );
        }
    }
    let error = write_thread(&d, &["\u{1b}[2J"], &View::default(), &mut Vec::new()).unwrap_err();
    assert!(!error.to_string().contains('\u{1b}'), "{error}");
}

#[test]
fn colour_is_an_argument_and_changes_nothing_else() {
    let codes = regex::Regex::new("\u{1b}\\[[0-9;]*m").unwrap();
    for d in [sample::zoo(), sample::quiet(), sample::hostile()] {
        let plain = at_80(&d);
        let colored = text(&d, &View { color: true, ..View::default() });
        assert!(!plain.contains('\u{1b}'));
        assert!(colored.contains("\u{1b}["));
        assert_eq!(codes.replace_all(&colored, ""), plain);
    }
    let colored = text(&sample::incident(3), &View { color: true, ..View::default() });
    assert!(colored.contains("\u{1b}[1;31mCRITICAL\u{1b}[0m"));
}

#[test]
fn one_thread_is_shown_whole() {
    let shown = thread(&sample::zoo(), "4332", &View::default());
    for line in [
        "  thread 4332 \"worker-0\"",
        "    state     lock-wait",
        "    waits for pthread mutex g_log_mutex, 0x55f0ce1aa140 in logserver .bss (read)",
        "    held by   thread 9331 \"worker-4999\" (read), blocked in write(fd 7) under",
        "    call      futex(0x55f0ce1aa140, 0x80, 0x2, 0x0, 0x0, 0x0)",
        "  STACK  6 frames, newest first",
    ] {
        assert!(shown.lines().any(|l| l == line), "no line {line:?} in\n{shown}");
    }
    assert_eq!(shown.lines().filter(|l| l.starts_with("  #")).count(), 6);
}

#[test]
fn a_recursion_is_one_line_and_counted() {
    let shown = thread(&sample::deep(70_000), "9331", &View::default());
    assert!(shown.contains("69,999 more times the same frame, up to #70001: --all shows them"), "{shown}");
    assert!(shown.ends_with("  the stack is deeper: a limit on the depth was reached\n"));
    let all = thread(&sample::deep(50), "9331", &View { show_all: true, ..View::default() });
    assert_eq!(all.lines().filter(|l| l.starts_with("  #")).count(), 54);
}

#[test]
fn an_unknown_thread_gets_the_nearest_ids() {
    let error = |d: &Diagnosis, id| {
        write_thread(d, &[id], &View::default(), &mut Vec::new()).unwrap_err().to_string()
    };
    let said = error(&sample::quiet(), "43321");
    assert!(
        said.starts_with("no thread has the id, kernel id or name '43321'; the nearest ids are 4332, "),
        "{said}"
    );
    assert!(error(&Diagnosis::default(), "1").contains("there are no threads"));
    assert!(thread(&sample::quiet(), "worker-3", &View::default()).contains("thread 4335 \"worker-3\""));
}
