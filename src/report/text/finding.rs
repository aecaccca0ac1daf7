//! A finding: what is wrong, on what it stands, what to do.

use std::io;

use super::layout::{Page, Style, Text};
use super::{header, links, words};
use crate::model::Certainty;
use crate::report::View;
use crate::report::document::{ClusterId, Document, Finding, Holder, HolderKind, Lock, Snapshot};
use crate::rules::{Confidence, Severity};

/// Groups of waiters, candidates and the like that are shown without `--all`.
const FEW: usize = 3;
/// The column where the values of fields begin.
const VALUES: usize = 14;

/// A field of a finding: its name, and behind it a paragraph.
pub fn field(page: &mut Page<'_>, name: &str, value: &Text) -> io::Result<()> {
    page.paragraph(Text::from("    ").styled(Style::Dim, name).padded(VALUES), value)
}

/// The whole block.
pub fn in_full(f: &Finding<'_>, document: &Document<'_>, view: &View, page: &mut Page<'_>) -> io::Result<()> {
    let Some(snapshot) = document.snapshots.get(f.snapshot) else { return Ok(()) };
    page.blank()?;
    let name = Text::from("  ").then(severity(f.severity)).plain("  ");
    let name = name.styled(Style::Bold, words::id_of(&f.rule)).styled(Style::Dim, standing(f));
    page.spread(name, &confidence(f.confidence))?;
    page.paragraph(Text::from("  "), &Text::new().styled(Style::Bold, f.title))?;
    page.blank()?;
    if document.snapshots.len() > 1 {
        let place = format!("snapshot {}: {}", f.snapshot + 1, header::of_snapshot(snapshot).join(" · "));
        field(page, "in", &Text::from(place))?;
    }
    tests(f, view, page)?;
    let speaks_for_itself =
        f.lock.is_some() || f.crash.is_some() || !f.cycle.is_empty() || !f.chain.is_empty();
    if !speaks_for_itself && !f.summary.is_empty() {
        page.paragraph(Text::from("    "), &Text::from(f.summary))?;
    }
    let lock = f.lock.and_then(|id| snapshot.lock(id));
    if let Some(lock) = lock {
        lock_field(&lock, page)?;
    }
    if let Some(holder) = &f.holder {
        holder_field(holder, f, snapshot, view, page)?;
    }
    threads(f, snapshot, view, page)?;
    links::write(f, snapshot, view, page)?;
    details(f, page)?;
    because(f, page)?;
    next(f, page)
}

/// More tests than these are counted.
pub const LISTED_TESTS: usize = 10;

/// The tests that it stops: in the dump of a test run, what a person looks for first.
fn tests(f: &Finding<'_>, view: &View, page: &mut Page<'_>) -> io::Result<()> {
    let shown = if view.show_all { f.tests.len() } else { LISTED_TESTS };
    for (n, test) in f.tests.iter().take(shown).enumerate() {
        let said = Text::from("").styled(Style::Bold, test.name).plain(format!(" ({})", test.framework));
        let said = match (test.file, test.line) {
            (Some(file), Some(line)) => said.plain(format!(" at {file}:{line}")),
            (Some(file), None) => said.plain(format!(" at {file}")),
            (None, _) => said,
        };
        field(page, if n == 0 { "test" } else { "" }, &said)?;
    }
    if let Some(rest) = f.tests.len().checked_sub(shown).filter(|&rest| rest > 0) {
        let rest = words::counted(rest as u64, "more test");
        field(page, "", &Text::from(format!("… and {rest}: --all shows them")))?;
    }
    Ok(())
}

/// How it stands to what is known, where that was asked.
fn standing(f: &Finding<'_>) -> String {
    f.baseline.map(|b| format!("  {}", words::id_of(&b))).unwrap_or_default()
}

/// One line for each: what is not shown in full.
pub fn in_brief(findings: &[Finding<'_>], page: &mut Page<'_>) -> io::Result<()> {
    if findings.is_empty() {
        return Ok(());
    }
    page.blank()?;
    let heading =
        format!("{}: --all shows them in full", words::counted(findings.len() as u64, "more finding"));
    page.line(Text::from("  ").styled(Style::Bold, heading))?;
    let widest = findings.iter().map(|f| words::id_of(&f.rule).len()).max().unwrap_or(0);
    for f in findings {
        let rule = Text::from(words::id_of(&f.rule)).padded(widest + 2);
        let prefix = Text::from("  ").then(severity(f.severity).padded(10)).then(rule);
        let sure = Text::from(" (").then(confidence(f.confidence)).plain(")").plain(standing(f));
        page.paragraph(prefix, &Text::from(f.title).then(sure))?;
    }
    Ok(())
}

fn severity(severity: Severity) -> Text {
    let style = match severity {
        Severity::Critical => Style::Alarm,
        Severity::High => Style::Red,
        Severity::Medium => Style::Yellow,
        Severity::Low => Style::Cyan,
        Severity::Info => Style::Dim,
    };
    Text::new().styled(style, words::id_of(&severity).to_uppercase())
}

/// `certain`, `likely` or `possible`, as a coloured label.
pub fn confidence(confidence: Confidence) -> Text {
    let style = match confidence {
        Confidence::Certain => Style::Green,
        Confidence::Likely => Style::Yellow,
        Confidence::Possible => Style::Dim,
    };
    Text::new().styled(style, words::id_of(&confidence))
}

/// `read`, `reported` or `inferred`, as a coloured label.
pub fn certainty(certainty: Certainty) -> Text {
    let style = match certainty {
        Certainty::Read => Style::Green,
        Certainty::Reported => Style::Cyan,
        Certainty::Inferred => Style::Yellow,
    };
    Text::new().styled(style, words::id_of(&certainty))
}

fn lock_field(lock: &Lock<'_>, page: &mut Page<'_>) -> io::Result<()> {
    let mut said = Text::from(words::lock(lock));
    if lock.identity == crate::waits::Identity::Site {
        said = said.plain(". It is known by its place in the code only: several locks may be merged");
    }
    field(page, "lock", &said)
}

fn holder_field(
    holder: &Holder<'_>,
    f: &Finding<'_>,
    snapshot: &Snapshot<'_>,
    view: &View,
    page: &mut Page<'_>,
) -> io::Result<()> {
    field(page, "holder", &who_holds(holder))?;
    let calls = holder.cluster.and_then(|id| cluster_signature(id, snapshot));
    if let (HolderKind::Thread, Some(calls)) = (holder.kind, calls) {
        field(page, "", &Text::new().styled(Style::Dim, calls))?;
    }
    let shown = if view.show_all { usize::MAX } else { FEW };
    if f.holders.len() > 1 {
        let names: Vec<_> =
            f.holders.iter().filter_map(|h| h.thread.as_ref()).take(shown).map(words::thread).collect();
        let all = words::counted(f.holders.len() as u64, "thread");
        let rest = f.holders.len() - names.len();
        let rest =
            if rest > 0 { format!(", … and {} more", words::count(rest as u64)) } else { String::new() };
        field(page, "holders", &Text::from(format!("{all}: {}{rest}", names.join(", "))))?;
    }
    for candidate in holder.candidates.iter().take(shown) {
        let reasons = candidate.reasons.join(", ");
        let points = words::counted(candidate.points.unsigned_abs().into(), "point");
        let sign = if candidate.points < 0 { "-" } else { "" };
        let said = format!("perhaps {} ({sign}{points}: {reasons})", words::thread(&candidate.thread));
        field(page, "", &Text::from(said))?;
    }
    if let Some(rest) = holder.candidates.len().checked_sub(shown).filter(|&n| n > 0) {
        field(
            page,
            "",
            &Text::from(format!("… and {}: --all shows them", words::counted(rest as u64, "more candidate"))),
        )?;
    }
    Ok(())
}

/// `thread 4340 "flusher" (read), blocked in write(fd 7)`.
pub fn who_holds(holder: &Holder<'_>) -> Text {
    let owner = || holder.owner.map(|id| format!("thread {id}")).unwrap_or_else(|| "a thread".into());
    let elsewhere = || holder.pid.map_or("another".to_owned(), |pid| format!("process {pid}"));
    let mut said = match (holder.kind, &holder.thread) {
        (HolderKind::Thread, Some(thread)) => Text::new().styled(Style::Bold, words::thread(thread)),
        (HolderKind::Thread, None) => Text::from("a thread of this process"),
        (HolderKind::EndedThread, _) => {
            Text::new().styled(Style::Bold, owner()).plain(format!(", which is {}", holder.gone()))
        }
        (HolderKind::OtherProcess, _) => Text::new()
            .styled(Style::Bold, owner())
            .plain(format!(", which is not in this process but in {}", elsewhere())),
        (HolderKind::NotAThread, _) => Text::from("no thread: a transaction or an interrupt"),
        (HolderKind::Runtime, _) => Text::from("the runtime itself"),
        (HolderKind::Free, _) => Text::from("nobody at this moment"),
        (HolderKind::Unknown, _) => Text::from("not known"),
    };
    if let Some(known) = holder.certainty {
        said = said.plain(" (").then(certainty(known)).plain(")");
    }
    if let Some(doing) = holder.doing {
        said = said.plain(", ").plain(doing);
    }
    if let Some(why) = &holder.why {
        said = said.plain(": ").plain(why);
    }
    said
}

fn cluster_signature(id: ClusterId, snapshot: &Snapshot<'_>) -> Option<String> {
    let cluster = snapshot.cluster(id)?;
    (!cluster.signature.is_empty()).then(|| words::signature(&cluster.signature))
}

/// The finding's threads by what they do, and all whom it stops. A ring names its members itself.
fn threads(f: &Finding<'_>, snapshot: &Snapshot<'_>, view: &View, page: &mut Page<'_>) -> io::Result<()> {
    let ring_is_all = f.threads.count <= f.cycle.len() as u64;
    if !ring_is_all {
        groups(f, snapshot, view, page)?;
    }
    if let Some(blocked) = f.blocked.filter(|b| b.transitive > b.direct) {
        let all = words::counted(blocked.transitive, snapshot.threads.unit.noun());
        field(page, "blocked", &Text::from(format!("{all} with those that wait behind the waiters")))?;
    }
    Ok(())
}

/// Their counts add up to that of the finding.
fn groups(f: &Finding<'_>, snapshot: &Snapshot<'_>, view: &View, page: &mut Page<'_>) -> io::Result<()> {
    let groups = f.groups(snapshot);
    let noun = snapshot.threads.unit.noun();
    let plural = format!("{noun}s");
    let plural = plural.as_str();
    let widest = groups.first().map_or(0, |(_, count)| words::count(*count).len());
    let shown = if view.show_all { groups.len() } else { FEW };
    for (n, (id, count)) in groups.iter().take(shown).enumerate() {
        let name = match (n, f.lock) {
            (0, Some(_)) => "waiters",
            (0, None) => plural,
            _ => "",
        };
        let calls = id.and_then(|id| cluster_signature(id, snapshot)).unwrap_or_else(|| "no stack".into());
        let prefix = Text::from("    ").styled(Style::Dim, name).padded(VALUES);
        page.paragraph(prefix.plain(format!("{:>widest$}   ", words::count(*count))), &Text::from(calls))?;
    }
    if let Some(rest) = groups.get(shown..).filter(|rest| !rest.is_empty()) {
        let threads = words::counted(rest.iter().map(|(_, count)| count).sum(), noun);
        let groups = words::counted(rest.len() as u64, "more group");
        field(page, "", &Text::from(format!("… and {groups} ({threads}): --all shows them")))?;
    }
    Ok(())
}

fn details(f: &Finding<'_>, page: &mut Page<'_>) -> io::Result<()> {
    if let Some(crash) = &f.crash {
        let mut said = crash.what().to_owned();
        if let Some(code) = crash.code {
            said += &format!(" ({code})");
        }
        if let Some(address) = crash.address {
            said += &format!(" at address {address}");
        }
        if let Some(thread) = &crash.thread {
            said += &format!(" in {}", words::thread(thread));
        }
        if !crash.reason.is_empty() {
            said += &format!(": {}", crash.reason);
        }
        field(page, "crash", &Text::from(said))?;
        if let (Some(frame), None) = (&crash.frame, &f.location) {
            field(page, "where", &Text::from(words::location(&frame.clone().into())))?;
        }
    }
    if let Some(place) = &f.location {
        field(page, "where", &Text::from(words::location(place)))?;
    }
    if let Some(waited) = f.waited_s {
        field(page, "waited", &Text::from(words::waited(waited)))?;
    }
    Ok(())
}

fn because(f: &Finding<'_>, page: &mut Page<'_>) -> io::Result<()> {
    for (n, fact) in f.evidence.iter().enumerate() {
        let name = Text::from("    ").styled(Style::Dim, if n == 0 { "because" } else { "" }).padded(VALUES);
        page.paragraph(name.then(certainty(fact.certainty).padded(10)), &Text::from(fact.text))?;
    }
    Ok(())
}

fn next(f: &Finding<'_>, page: &mut Page<'_>) -> io::Result<()> {
    for (n, advice) in f.advice.iter().enumerate() {
        let mut name = Text::from("    ").styled(Style::Dim, if n == 0 { "next" } else { "" }).padded(VALUES);
        if f.advice.len() > 1 {
            name = name.plain(format!("{}. ", n + 1));
        }
        page.paragraph(name, &Text::from(advice))?;
    }
    field(page, "guide", &Text::new().plain(&f.runbook).styled(Style::Dim, format!(" · {}", f.fingerprint)))
}
