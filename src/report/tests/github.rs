//! Workflow commands, read back by the documented grammar.

use super::sample::{self, EVIL};
use crate::diagnosis::{Diagnosis, InputStatus};
use crate::model::Evidence;
use crate::report::document::{Baseline, Document};
use crate::report::{View, find};

/// A command's name, properties and message.
type Command = (String, Vec<(String, String)>, String);

fn written(document: &Document<'_>) -> Vec<Command> {
    let mut out = Vec::new();
    (find("github").unwrap().write)(document, &View::default(), &mut out).unwrap();
    String::from_utf8(out).unwrap().lines().map(command).collect()
}

fn command(line: &str) -> Command {
    let (head, data) = line.strip_prefix("::").and_then(|l| l.split_once("::")).expect(line);
    let (name, properties) = head.split_once(' ').expect(head);
    let pair = |pair: &str| {
        let (key, value) = pair.split_once('=').expect(pair);
        (key.to_owned(), unescaped(value).replace("%3A", ":").replace("%2C", ",").replace("%25", "%"))
    };
    (name.into(), properties.split(',').map(pair).collect(), unescaped(data).replace("%25", "%"))
}

fn unescaped(text: &str) -> String {
    let is_code =
        |at: usize| ["%25", "%0D", "%0A", "%3A", "%2C"].contains(&text.get(at..at + 3).unwrap_or_default());
    assert!(text.match_indices('%').all(|(at, _)| is_code(at)), "{text}");
    text.replace("%0D", "\r").replace("%0A", "\n")
}

fn of(diagnosis: &Diagnosis) -> Vec<Command> {
    written(&Document::of(diagnosis))
}

#[test]
fn the_incident_is_an_error_at_the_lock_call() {
    let all = of(&sample::incident(4499));
    let [(name, properties, message)] = &all[..] else { panic!("{all:?}") };
    assert_eq!(name, "error");
    let title = "lock-contention: 4499 of 5001 threads (90 %) wait for the mutex g_log_mutex";
    let wanted = [("file", "src/logserver.c"), ("line", "19"), ("title", title)];
    assert_eq!(*properties, wanted.map(|(key, value)| (key.to_owned(), value.to_owned())));
    let lines: Vec<_> = message.lines().collect();
    assert_eq!(lines[0], "Nearly all workers wait for the log mutex. Its holder is blocked in write.");
    assert!(
        lines.iter().any(|l| l.starts_with("Lock: pthread mutex g_log_mutex, 0x55f0ce1aa140")),
        "{message}"
    );
    assert!(lines.contains(&"Because: its __owner field holds 4340 (read)"), "{message}");
    assert_eq!(lines.last(), Some(&"Guide: logjam explain lock-contention · lj1:0123456789abcdef"));
}

#[test]
fn levels_follow_severity_and_the_baseline() {
    let levels = |all: &[Command]| all.iter().map(|(name, ..)| name.clone()).collect::<Vec<_>>();
    let d = sample::zoo();
    let mut document = Document::of(&d);
    // The failed input, then critical, critical, high, high, medium.
    assert_eq!(levels(&written(&document)), ["error", "error", "error", "error", "error", "warning"]);
    document.findings[0].baseline = Some(Baseline::Known);
    document.findings[1].baseline = Some(Baseline::Ignored);
    document.findings[2].baseline = Some(Baseline::New);
    let all = written(&document);
    assert_eq!(levels(&all), ["error", "notice", "notice", "error", "error", "warning"]);
    let title = |n: usize| &all[n].1.iter().find(|(key, _)| key == "title").unwrap().1;
    assert!(
        title(1).starts_with("lock-contention (known): ") && title(2).starts_with("deadlock (ignored): ")
    );
}

#[test]
fn a_failed_input_says_which_and_why() {
    let failed = |path: &str, why: &str| (path.to_owned(), InputStatus::Failed(why.to_owned()));
    let d = Diagnosis {
        inputs: vec![
            failed("a.core", "no format recognizes it"),
            failed("b.core", "cannot read b.core: gone"),
        ],
        ..Diagnosis::default()
    };
    let all = of(&d);
    assert_eq!(
        all.iter().map(|c| &*c.2).collect::<Vec<_>>(),
        ["a.core: no format recognizes it", "cannot read b.core: gone"]
    );
    assert!(all.iter().all(|(name, ..)| name == "error"));
    assert!(of(&sample::quiet()).is_empty());
}

#[test]
fn long_messages_lose_whole_parts_and_say_so() {
    let mut d = sample::incident(5);
    let finding = &mut d.findings[0].finding;
    finding.evidence = (0..200).map(|n| Evidence::read(format!("fact {n} {}", "x".repeat(40)))).collect();
    finding.evidence.insert(0, Evidence::read("N".repeat(100_000)));
    finding.title = "t".repeat(300);
    let all = of(&d);
    let (_, properties, message) = &all[0];
    assert!(message.encode_utf16().count() <= 4096 && message.len() > 3500, "{}", message.len());
    assert!(message.starts_with(&format!("lock-contention: {}\n", "t".repeat(300))), "{message}");
    assert_eq!(properties.last().unwrap().1, "lock-contention");
    let shown = message.lines().filter(|line| line.starts_with("Because: fact")).count();
    let note = format!("({} parts do not fit in here: the text report has everything)", 201 - shown);
    assert_eq!(message.lines().last(), Some(&*note));
    assert!(
        message.contains("\nNext: ") && message.contains("\nGuide: logjam explain"),
        "advice outlives evidence"
    );
    for line in message.lines().filter(|line| line.starts_with("Because: ")) {
        assert!(line.ends_with("x (read)"), "{line} is whole");
    }
}

#[test]
fn one_part_that_is_too_long_takes_no_other_with_it() {
    let mut d = sample::incident(5);
    d.findings[0].finding.summary = "N".repeat(100_000);
    let message = &of(&d)[0].2;
    assert!(message.starts_with("Lock: ") && message.contains("\nBecause: its __owner"), "{message}");
    assert!(
        message.ends_with("\n(1 part does not fit in here: the text report has everything)"),
        "{message}"
    );
}

#[test]
fn hostile_text_makes_no_command_of_its_own() {
    let mut d = sample::hostile();
    for ranked in &mut d.findings {
        ranked.finding.title = format!("\r\n::error::forged,file=a:b%0A{EVIL}");
    }
    let all = of(&d);
    assert_eq!(all.len(), 6, "five findings and one input");
    for (name, properties, message) in &all {
        assert!(["error", "warning"].contains(&&**name));
        assert!(
            properties.iter().all(|(key, _)| ["file", "line", "title"].contains(&&**key)),
            "{properties:?}"
        );
        let shown = format!("{message}{properties:?}");
        assert!(shown.contains("\\x1b[2J"), "{shown}");
        assert!(!shown.chars().any(|c| (c.is_control() && c != '\n') || "\u{202e}\u{200b}".contains(c)));
    }
    let title = &all[1].1.last().unwrap().1;
    assert!(title.starts_with("lock-contention: \\r\\n::error::forged,file=a:b%0A"), "{title}");
}
