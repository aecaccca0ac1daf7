//! The Markdown report and tickets: what they say, and that they keep to their limits. Whether hostile text stays
//! text is for a parser to say: with `LOGJAM_DUMP_MARKDOWN=FOLDER` they are written there for
//! tests/foreign/markdown.py.

use std::collections::BTreeSet;

use serde_json::Value;

use super::builder::ranked;
use super::sample;
use crate::diagnosis::{Diagnosis, InputStatus};
use crate::model::{Evidence, GapKind};
use crate::report::document::{Series, SeriesCluster, SeriesProcess, SeriesThreads};
use crate::report::{Document, LEAST_CHARS, Preset, View, find};

fn written(id: &str, document: &Document<'_>, view: &View) -> String {
    let mut out = Vec::new();
    (find(id).unwrap().write)(document, view, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn markdown(diagnosis: &Diagnosis, view: &View) -> String {
    written("markdown", &Document::of(diagnosis), view)
}

fn tickets(diagnosis: &Diagnosis, view: &View) -> Vec<Value> {
    let lines = written("ticket", &Document::of(diagnosis), view);
    lines.lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect()
}

fn at_most(max_chars: usize) -> View {
    View { max_chars: Some(max_chars), ..View::default() }
}

fn units(text: &str) -> usize {
    text.encode_utf16().count()
}

#[track_caller]
fn has_lines(text: &str, lines: &[&str]) {
    for line in lines {
        assert!(text.lines().any(|l| l == *line), "no line {line:?} in\n{text}");
    }
}

/// Text that means something to a parser of Markdown or to what trackers do afterwards.
fn nasty() -> Vec<String> {
    let long = "`x` ".repeat(2000) + &"y".repeat(100_000);
    let lines = [
        "[x](http://evil.example) ![i](http://evil.example/i.png) <http://evil.example> [x]: http://evil.example",
        "http://evil.example www.evil.example me@evil.example @octocat @team/x #12 GH-12 o/r#1 :bug: $x$ PROJ-1",
        "<script>alert(1)</script><img src=x onerror=alert(1)> <!-- x --> &lt;b&gt; <b>",
        "x\n# heading\n- item\n\n| a | b |\n|---|---|\n| c | d |\n```\ncode\n~~~\n> quote\n---\n===\n",
        "# heading",
        "- item",
        "1. item",
        "`` ` ```` \\` \\\\` a`b``c",
        "a | b \\| c || d",
        "**bold** *em* _em_ ~~gone~~ __x__ [^1] [ ] [x] - [ ] todo",
        "` `` ```",
        // Out of a code span that has one, two or three marks.
        "x`<b>y</b>`z",
        "x` @octocat [a](http://evil.example) `y",
        "x``[a](http://evil.example)``<i>y</i>``` @octocat ```z",
        "    code",
    ];
    lines.into_iter().map(str::to_owned).chain([sample::EVIL.to_owned(), long]).collect()
}

/// The hostile sample, with this text wherever it matters to Markdown.
fn hostile(text: &str) -> Diagnosis {
    let mut d = sample::hostile();
    text.clone_into(&mut d.headline);
    d.inputs = vec![(text.to_owned(), InputStatus::Failed(text.to_owned()))];
    let analyzed = &mut d.snapshots[0];
    analyzed.snapshot.source.path = text.into();
    analyzed.snapshot.process.name = Some(text.into());
    analyzed.snapshot.gaps.add(GapKind::SkippedText, text.to_owned(), None);
    analyzed.waits.locks[0].name = Some(text.into());
    analyzed.waits.locks[0].place = Some(text.to_owned());
    for cluster in &mut analyzed.clusters.clusters {
        cluster.signature = vec![text.into(), text.into()];
    }
    for thread in &mut analyzed.snapshot.threads {
        thread.name = Some(text.into());
    }
    for finding in d.findings.iter_mut().map(|ranked| &mut ranked.finding) {
        (finding.title, finding.summary) = (text.to_owned(), format!("{text}."));
        finding.evidence = vec![Evidence::read(text.to_owned()), Evidence::inferred(text.to_owned())];
        finding.advice = vec![text.to_owned(), text.to_owned()];
        finding.tests.iter_mut().for_each(|test| test.name = text.into());
    }
    d
}

/// With `LOGJAM_SHOW=1` and `--nocapture`: for the eye.
#[test]
fn show() {
    if std::env::var_os("LOGJAM_SHOW").is_some() {
        for diagnosis in [sample::incident(4499), sample::zoo(), sample::quiet()] {
            println!("{}\n{}", "=".repeat(80), markdown(&diagnosis, &View::default()));
        }
        println!("{}\n{}", "=".repeat(80), markdown(&sample::zoo(), &at_most(2000)));
    }
}

/// For a parser that is not ours.
#[test]
fn dump_for_a_foreign_parser() {
    let Some(folder) = std::env::var_os("LOGJAM_DUMP_MARKDOWN").map(std::path::PathBuf::from) else { return };
    let samples = [sample::incident(4499), sample::zoo(), sample::quiet(), sample::hostile()];
    for (n, diagnosis) in samples.into_iter().chain(nasty().iter().map(|text| hostile(text))).enumerate() {
        for view in [View::default(), at_most(4096), View { show_all: true, ..View::default() }] {
            let name = format!("{n:02}-{}-{}", view.max_chars.unwrap_or(0), view.show_all);
            std::fs::write(folder.join(format!("{name}.md")), markdown(&diagnosis, &view)).unwrap();
            for (m, ticket) in tickets(&diagnosis, &view).iter().enumerate() {
                let body = ticket["body"].as_str().unwrap();
                std::fs::write(folder.join(format!("{name}-ticket-{m}.md")), body).unwrap();
            }
        }
    }
}

#[test]
fn the_answer_is_first_and_the_rest_is_there() {
    let text = markdown(&sample::incident(4499), &View::default());
    assert!(text.starts_with("## CRITICAL: 4499 of 5001 threads (90 %) wait for the mutex `g_log_mutex`\n"));
    has_lines(
        &text,
        &[
            "`core.zst` · ELF core, x86-64 · `logserver[4332]`, died of SIGABRT · 5,001 threads",
            "### `lock-contention`: critical, certain",
            "- **lock:** pthread mutex `g_log_mutex`, `0x55f0ce1aa140` in logserver `.bss`",
            "- **holder:** thread 9331 `worker-4999` (*read*), blocked in `write(fd 7)` under `log_sink_write`",
            "- **waiters:** 4,499 of 5,001 threads, in `log_message` ← `handle` ← `worker`",
            "- **blocked:** 4,500 threads with those that wait behind the waiters",
            "- **where:** `log_message` at `src/logserver.c:19`",
            "- *read:* its `__owner` field holds 4340",
            "- *inferred:* the holder is inside the critical section, blocked in a system call",
            "2. Move the write out of the critical section: copy the line under the lock, write it after.",
            "Guide: `logjam explain lock-contention`",
            "Fingerprint `lj1:0123456789abcdef`, detail `lj1:fedcba9876543210`",
            "| 4,499 | 90 % | lock-wait | `log_message` ← `handle` ← `worker` | `g_log_mutex` |",
            "| 1 | <1 % | join-wait | `main` |  |",
        ],
    );
    assert_eq!(text.matches("4499 of 5001 threads").count(), 1, "the answer is not said twice");
}

#[test]
fn every_kind_of_finding_is_told() {
    let text = markdown(&sample::zoo(), &View::default());
    has_lines(
        &text,
        &[
            "**1 of 3 inputs could not be analyzed.**",
            "### 2. `deadlock`: critical, certain",
            "**2 threads wait for each other in a ring**",
            "1. thread 4332 `worker-0` waits for `g_log_mutex` (*read*), which thread 4333 `worker-1` holds",
            "2. thread 4333 `worker-1` waits for the end of a child process (*read*)",
            "It ends at thread 4333 `worker-1` (lock-wait).",
            "- **holder:** not known: two threads are inside the critical section",
            "  - perhaps thread 4332 `worker-0` (5 points: its stack holds the address)",
            "- **crash:** SIGSEGV (`SEGV_MAPERR`) at address `0x0` in thread 4332 `worker-0`: null dereference",
            "### 5. `thread-explosion`: medium, likely",
            "- missing-module: `libfoo.so.1` was not found: its functions have no names",
            "- incomplete-stack: a stack ends where memory is missing (12 times, the first at byte 4,096)",
            "- `other.txt`: no format recognizes it",
        ],
    );
}

#[test]
fn without_a_finding_the_headline_says_so() {
    let text = markdown(&sample::quiet(), &View::default());
    assert!(text.starts_with("## no finding: nothing says that threads are stuck\n"), "{text}");
    has_lines(&text, &["### 42 threads in 2 clusters", "| 40 | 95 % | idle | `event_loop` |  |"]);
    assert!(tickets(&sample::quiet(), &View::default()).is_empty());
    assert!(markdown(&Diagnosis::default(), &View::default()).starts_with("## no finding"));
}

#[test]
fn what_is_not_shown_is_counted() {
    let text = markdown(&sample::many(25), &View::default());
    has_lines(&text, &["… and 15 more clusters (120 threads): `--all` shows them"]);
    let all = markdown(&sample::many(25), &View { show_all: true, ..View::default() });
    assert!(!all.contains("--all") && all.lines().filter(|l| l.starts_with("| ")).count() == 26, "{all}");
    let deep = Diagnosis { findings: sample::zoo().findings, ..sample::deep(70_000) };
    let mut crash = deep.findings[3].finding.clone();
    crash.threads = vec![crate::model::ThreadIx(0)];
    let deep = Diagnosis { findings: vec![ranked(crash, 1.0)], ..deep };
    let body = tickets(&deep, &View::default())[0]["body"].as_str().unwrap().to_owned();
    has_lines(&body, &["**Stack of 1 thread**", "… and 69,964 more frames: --all shows them"]);
}

#[test]
fn a_process_over_time_is_a_table() {
    let d = sample::quiet();
    let mut document = Document::of(&d);
    let threads = |count| SeriesThreads { count, ids: Vec::new() };
    document.series = vec![Series {
        process: SeriesProcess { pid: Some(7), name: Some("log|server") },
        snapshots: vec![0, 1],
        stuck: threads(1200),
        progressed: threads(3),
        clusters: vec![SeriesCluster {
            fingerprint: "lj1:0",
            signature: "a|b ← main",
            counts: vec![0, 1200],
        }],
    }];
    has_lines(
        &written("markdown", &document, &View::default()),
        &[
            "### Over time: `log|server[7]`",
            "1,200 threads with the same stack and lock in every snapshot, 3 moved.",
            "| threads | snapshot 1 | snapshot 2 |",
            "| `a\\|b ← main` | 0 | 1,200 |",
        ],
    );
}

#[test]
fn a_ticket_has_what_a_tracker_asks_for() {
    let tickets = tickets(&sample::zoo(), &View::default());
    assert_eq!(tickets.len(), 5);
    let ticket = &tickets[0];
    assert_eq!(ticket["key"], "lj1:0123456789abcdef");
    assert_eq!(ticket["detail"], "lj1:fedcba9876543210");
    assert_eq!(ticket["title"], "logserver: 4499 of 5001 threads (90 %) wait for the mutex g_log_mutex");
    assert_eq!(ticket["severity"], "critical");
    assert_eq!(ticket["confidence"], "certain");
    assert_eq!(ticket["rule"], "lock-contention");
    assert_eq!(ticket["labels"], serde_json::json!(["logjam", "lock-contention", "critical"]));
    assert!(ticket.get("left_out").is_none());
    let body = ticket["body"].as_str().unwrap();
    assert!(body.starts_with("**CRITICAL** (certain): 4499 of 5001 threads (90 %) wait for the mutex"));
    let sections = [
        "**Evidence**",
        "**Threads**",
        "**What to do**",
        "Guide: ",
        "**Stack of the holder**",
        "**Stack of 4,499 waiters**",
        "**Gaps in the dump**",
        "Fingerprint `lj1:0123456789abcdef`",
    ];
    let places: Vec<_> =
        sections.iter().map(|s| body.find(s).unwrap_or_else(|| panic!("{s}: {body}"))).collect();
    assert!(places.is_sorted(), "{body}");
    has_lines(body, &["#2  log_message at src/logserver.c:19"]);
}

#[test]
fn the_class_of_the_lock_is_a_label() {
    let mut d = sample::incident(9);
    d.snapshots[0].waits.locks[0].class = Some(crate::normalize::ResourceClass::Logging);
    assert_eq!(tickets(&d, &View::default())[0]["labels"][3], "logging");
}

#[test]
fn titles_are_cut_behind_a_word_and_plain() {
    let mut d = sample::incident(9);
    d.findings[0].finding.title = "threads wait for ".to_owned() + &"a_mutex and ".repeat(20);
    let ticket = &tickets(&d, &View::default())[0];
    let title = ticket["title"].as_str().unwrap();
    assert!(title.chars().count() <= 120 && title.ends_with(" a_mutex…"), "{title}");
    assert!(
        ticket["body"].as_str().unwrap().contains(&"`a_mutex` and ".repeat(19)),
        "the body has all of it"
    );
    for text in nasty() {
        for ticket in tickets(&hostile(&text), &View::default()) {
            let title = ticket["title"].as_str().unwrap();
            assert!(title.chars().count() <= 120 && !title.chars().any(char::is_control), "{title:?}");
        }
    }
}

/// Every limit is kept by every text, and what is missing is in the text and in the JSON.
#[test]
fn limits_are_kept_and_what_is_missing_is_said() {
    let limits = Preset::ALL.iter().map(|preset| preset.max_chars());
    let diagnoses: Vec<_> = [sample::zoo(), sample::hostile()]
        .into_iter()
        .chain(nasty().iter().map(|text| hostile(text)))
        .collect();
    let limits: Vec<usize> = limits.chain([LEAST_CHARS]).collect();
    for d in &diagnoses {
        let whole = units(&markdown(d, &View::default()));
        for &limit in &limits {
            let text = markdown(d, &at_most(limit));
            assert!(units(&text) <= limit, "{} > {limit}", units(&text));
            assert_eq!(text.contains("\n*Left out, to keep to "), whole > limit, "{text}");
            for ticket in tickets(d, &at_most(limit)) {
                let body = ticket["body"].as_str().unwrap();
                assert!(units(body) <= limit, "{} > {limit}", units(body));
                assert_eq!(body.contains("\n*Left out, to keep to "), ticket.get("left_out").is_some());
                assert!(body.contains("Fingerprint `lj1:0123456789abcdef`"), "{body}");
            }
        }
    }
}

#[test]
fn a_short_body_keeps_the_answer_the_strongest_evidence_and_the_first_advice() {
    let ticket = &tickets(&sample::zoo(), &at_most(1100))[0];
    let body = ticket["body"].as_str().unwrap();
    for kept in ["**CRITICAL**", "the futex word of all 4499", "1. The holder writes", "Guide: "] {
        assert!(body.contains(kept), "{kept} in {body}");
    }
    assert!(!body.contains("Stack of") && !body.contains("2. Move the write"), "{body}");
    let parts: BTreeSet<_> =
        ticket["left_out"].as_array().unwrap().iter().map(|part| part["part"].as_str().unwrap()).collect();
    assert!(parts.is_superset(&BTreeSet::from(["gaps", "stacks", "evidence", "advice"])), "{parts:?}");
    assert!(body.ends_with(".*\n") && body.contains("2 gaps, 2 stacks"), "{body}");
}

/// Nothing is looked at again and again, however long a word or a line is.
#[test]
fn long_text_takes_little_time() {
    let started = std::time::Instant::now();
    for text in ["`x` ".repeat(100_000), ")".repeat(400_000), "(".repeat(400_000), "a(b ".repeat(100_000)] {
        let mut d = sample::quiet();
        d.headline = text;
        assert!(markdown(&d, &View::default()).len() > 100);
    }
    assert!(started.elapsed() < std::time::Duration::from_secs(20), "{:?}", started.elapsed());
}
