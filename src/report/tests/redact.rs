//! Redaction before every reporter: what is removed, what stays, and that hostile text does it no harm.

use super::sample::{EVIL, hostile, incident, zoo};
use super::written;
use crate::check::{Baseline, Date, Judgement, Policy, judge};
use crate::diagnosis::{Diagnosis, InputStatus, Matcher, Runbook};
use crate::model::{Evidence, GapKind, Str};
use crate::redact::{Kind, Kinds, redact};
use crate::report::{Document, REPORTERS, View};
use crate::waits::LockIx;

fn redacted(mut diagnosis: Diagnosis, kinds: Kinds) -> Diagnosis {
    redact(&mut diagnosis, None, kinds);
    diagnosis
}

/// One text as the first evidence, redacted.
fn said(text: &str, kinds: Kinds) -> String {
    let mut d = incident(4);
    d.inputs[0].0 = "/srv/dumps/core.1".into();
    d.snapshots[0].snapshot.source.path = "/srv/dumps/core.1".into();
    d.snapshots[0].snapshot.process.command_line = Some("/home/eve/logserver --key=k3y-1 1 -v".into());
    d.snapshots[0].snapshot.threads[0].name = Some("threads".into());
    d.snapshots[0].snapshot.threads[1].name = Some("disk flusher/7".into());
    d.findings[0].finding.evidence[0] = Evidence::read(text.to_owned());
    redacted(d, kinds).findings[0].finding.evidence[0].text.to_string()
}

#[test]
fn texts_stay_readable() {
    for stays in [
        "1 of 500 threads wait in worker, 90 % of them in log_message",
        "its __owner field holds 4340",
        "thread 4340 is blocked in write under log_sink_write, for read/write or I/O",
        "echo 0x3f > /proc/PID/coredump_filter",
        "logserver+0x12345 in libc.so.6, at 0x18",
    ] {
        assert_eq!(said(stays, Kinds::all()), stays);
    }
}

#[test]
fn what_is_known_and_what_looks_so_goes() {
    for (text, left) in [
        ("named \"threads\"", "named \"<string-1>\""),
        ("in disk flusher/7, then", "in <thread-1>-1, then"),
        ("in disk flusher/77", "in disk flusher/77"),
        ("key k3y-1.", "key <argument-2>."),
        ("of eve, in /home/eve/x.c:7", "of <user-1>, in <path-1>/x.c:7"),
        ("fd 7 at 0x55f0ce1aa140 and 0x55F0CE1AA140", "fd <argument-1> at <address-1> and <address-1>"),
        ("core.1 in /srv/dumps", "<input-1> in <path-1>"),
        ("beside /srv/dumps/lib/x.so", "beside <path-1>/x.so"),
        ("from eve@db01, db01.example.com:80", "from <user-1>@<host-1>, <host-2>:80"),
    ] {
        assert_eq!(said(text, Kinds::all()), left, "{text}");
    }
    let threads: Kinds = [Kind::Threads].into_iter().collect();
    assert_eq!(said("named \"threads\", /a/b", threads), "named \"<thread-1>\", /a/b");
    assert_eq!(said("/a/b of eve at 0x55f0ce1aa140, fd 7", threads), "/a/b of eve at 0x55f0ce1aa140, fd 7");
}

/// Compilers write paths into names; the rest of the name stays, in the frame as in sentences about it.
#[test]
fn a_function_keeps_its_name_without_the_paths_in_it() {
    let mut d = incident(4);
    let name: Str = "Worker.run (/home/eve/app/x.js)".into();
    d.snapshots[0].meanings.rename(|_| name.clone());
    d.snapshots[0].clusters.clusters[0].signature = vec![name.clone(), "eve::run".into()];
    d.findings[0].finding.summary = format!("most of them in {name}.");
    let d = redacted(d, Kinds::all());
    let document = Document::of(&d);
    let frame = document.snapshots[0].clusters[0].frames.get(0).unwrap().function;
    assert!(frame.starts_with("Worker.run (<path-") && frame.ends_with(">/x.js)"), "{frame}");
    assert_eq!(document.findings[0].summary, format!("most of them in {frame}."));
    assert_eq!(document.snapshots[0].clusters[0].signature, format!("{frame} ← eve::run"));
}

#[test]
fn words_of_a_command_line_go_with_it() {
    let commands: Kinds = [Kind::Commands].into_iter().collect();
    assert_eq!(said("key k3y-1 of /home/eve", commands), "key <argument-1> of /home/eve");
}

#[test]
fn nothing_is_changed_where_nothing_is_asked_for() {
    for reporter in REPORTERS {
        let plain = written(reporter.id, &zoo(), &View::default());
        assert_eq!(
            written(reporter.id, &redacted(zoo(), Kinds::NONE), &View::default()),
            plain,
            "{}",
            reporter.id
        );
    }
}

#[test]
fn keys_and_counts_stay() {
    let (plain, d) = (zoo(), redacted(zoo(), Kinds::all()));
    let keys = |d: &Diagnosis| {
        let document = Document::of(d);
        let locks = document.snapshots[0].locks.iter().map(|lock| lock.fingerprint.clone());
        let clusters =
            document.snapshots[0].clusters.iter().map(|c| format!("{} {}", c.fingerprint, c.count));
        let findings =
            document.findings.iter().map(|f| format!("{} {} {}", f.fingerprint, f.score, f.threads.count));
        locks.chain(clusters).chain(findings).collect::<Vec<_>>()
    };
    assert_eq!(keys(&plain), keys(&d));
    assert!(keys(&d).len() > 8);
}

/// A lock without a name whose place names a folder has the key that it had.
#[test]
fn the_key_of_a_lock_is_that_of_its_texts_before() {
    let with = |kinds| {
        let mut d = incident(4);
        let lock = &mut d.snapshots[0].waits.locks[0];
        (lock.name, lock.place) = (None, Some("in /home/eve/x.so .bss".into()));
        let d = redacted(d, kinds);
        let place = d.snapshots[0].waits.lock(LockIx(0)).place.clone();
        (Document::of(&d).snapshots[0].locks.iter().next().unwrap().fingerprint, place)
    };
    let (plain, redacted) = (with(Kinds::NONE), with(Kinds::all()));
    assert_eq!(plain.0, redacted.0);
    assert_eq!(redacted.1.as_deref(), Some("in <path-2>/x.so .bss"));
}

#[test]
fn a_lock_is_known_by_a_token_where_its_address_is_gone() {
    let mut d = zoo();
    d.findings[0].finding.evidence[0] = Evidence::read("over 0x55f0ce1aa140");
    let d = redacted(d, Kinds::all());
    let document = Document::of(&d);
    let lock = document.snapshots[0].locks.iter().nth(1).unwrap();
    assert_eq!((lock.address, lock.name, lock.token), (None, None, Some("<address-1>")));
    assert_eq!(document.findings[0].evidence[0].text, "over <address-1>");
    assert!(written("text", &d, &View { show_all: true, ..View::default() }).contains("<address-1>"));
}

#[test]
fn people_are_told_what_was_removed() {
    let some: Kinds = [Kind::Paths, Kind::Threads].into_iter().collect();
    let d = redacted(incident(4), some);
    for id in ["text", "markdown", "ticket", "html"] {
        assert!(written(id, &d, &View::default()).contains("paths, threads"), "{id}");
    }
    for id in ["json", "ndjson", "sarif"] {
        let report = written(id, &d, &View::default());
        let plain = report.replace([' ', '\n'], "");
        assert!(plain.contains(r#""redacted":["paths","threads"]"#), "{id}: {plain}");
    }
}

#[test]
fn hostile_text_is_replaced_whole() {
    let d = redacted(hostile(), Kinds::all());
    let snapshot = &d.snapshots[0].snapshot;
    assert!(
        snapshot
            .threads
            .iter()
            .all(|thread| thread.name.as_deref().is_some_and(|n| n.starts_with("<thread-")))
    );
    assert_eq!(snapshot.process.command_line.as_deref(), Some("<command-1>"));
    assert_eq!(d.inputs[0].0, "<input-1>");
    assert!(!d.snapshots[0].clusters.clusters[0].thread_names[0].0.contains(EVIL));
    for reporter in REPORTERS {
        assert!(!written(reporter.id, &d, &View::default()).is_empty(), "{}", reporter.id);
    }
}

#[test]
fn errors_and_gaps_name_no_path() {
    let mut d = incident(4);
    d.inputs = vec![
        ("in".into(), InputStatus::Failed("cannot read in: no dump in it".into())),
        ("a b/c d".into(), InputStatus::Failed("cannot keep a b/c d in /tmp/eve: no room".into())),
        ("-".into(), InputStatus::Failed("- is empty".into())),
    ];
    let gap = "lib/sub/x.so is not the file that ran as /opt/eve/x.so (build id 12)";
    d.snapshots[0].snapshot.gaps.add(GapKind::MismatchedModule, gap, None);
    let d = redacted(d, Kinds::all());
    let errors: Vec<_> = d.inputs.iter().map(|(path, status)| (path.as_str(), status.error())).collect();
    assert_eq!(errors[0], ("<input-1>", Some("cannot read <input-1>: no dump in it")));
    assert!(errors[1].1.is_some_and(|e| e.starts_with("cannot keep <input-2> in <path-")), "{errors:?}");
    assert_eq!(errors[2], ("-", Some("- is empty")));
    let gaps: Vec<_> = d.snapshots[0].snapshot.gaps.iter().map(|gap| gap.message.as_str()).collect();
    let [gap] = gaps[..] else { panic!("{gaps:?}") };
    assert!(gap.starts_with("<path-") && gap.contains(">/x.so is not the file that ran as <path-"), "{gap}");
    assert!(!gap.contains("eve") && !gap.contains("sub"));
}

#[test]
fn links_into_the_house_give_way_to_the_guide() {
    let link = |link: &str, kinds| {
        let mut d = incident(4);
        let runbook = Runbook::new(Matcher::default(), link).unwrap();
        d.findings[0].runbook = Some(runbook.link);
        Document::of(&redacted(d, kinds)).findings[0].runbook.clone()
    };
    let wiki = "https://wiki.corp.example/logging";
    assert_eq!(link(wiki, Kinds::all()), "logjam explain lock-contention");
    assert_eq!(link(wiki, [Kind::Paths].into_iter().collect()), wiki);
    assert_eq!(link("see the guide of logging", Kinds::all()), "see the guide of logging");
}

#[test]
fn what_a_check_says_is_redacted_too() {
    let baseline = r#"{"logjam_baseline": 1, "findings": [{"fingerprint": "lj1:1111111111111111", "rule": "crash",
        "title": "call to 0x55f0ce1aa140 in /home/eve/x.so"}]}"#;
    let policy = Policy {
        baseline: Some(Baseline::parse(baseline.as_bytes()).unwrap()),
        ..Policy::on(Date::after_epoch(20_000))
    };
    let mut d = incident(4);
    let mut judgement: Judgement = judge(&d, &policy);
    let failing = judgement.failing.clone();
    redact(&mut d, Some(&mut judgement), Kinds::all());
    assert_eq!(judgement.gone[0].title, "call to <address-1> in <path-2>/x.so");
    assert_eq!(
        (judgement.gone[0].fingerprint.as_str(), judgement.failing),
        ("lj1:1111111111111111", failing)
    );
}
