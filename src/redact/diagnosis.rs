//! The diagnosis as a whole, and what a check said of it.

use super::kind::Kind;
use super::scrubber::Scrubber;
use super::{finding, snapshot};
use crate::check::{Judgement, KnownFinding, Standing};
use crate::diagnosis::{Analyzed, Diagnosis, InputStatus, Ranked};

/// In the order in which a report shows things, so that placeholders are numbered in it.
pub(super) fn redact(diagnosis: &mut Diagnosis, judgement: Option<&mut Judgement>, scrubber: &mut Scrubber) {
    let Diagnosis { inputs, snapshots, findings, headline, redacted } = diagnosis;
    for (path, status) in inputs {
        input(path, status, scrubber);
    }
    *headline = headline_of(headline, findings, snapshots, scrubber);
    for ranked in findings.iter_mut() {
        one(ranked, snapshots.get(ranked.snapshot), scrubber);
    }
    for analyzed in snapshots {
        snapshot::redact(analyzed, scrubber);
    }
    if let Some(judgement) = judgement {
        check(judgement, scrubber);
    }
    *redacted = scrubber.kinds.ids();
}

fn input(path: &mut String, status: &mut InputStatus, scrubber: &mut Scrubber) {
    match status {
        InputStatus::Ok | InputStatus::Partial => {}
        InputStatus::Failed(why) | InputStatus::NoDumps(why) => *why = scrubber.error_of(path, why),
    }
    *path = scrubber.path(path);
}

/// The headline is most often the title of the first finding, and is to be the same text then.
fn headline_of(
    headline: &str,
    findings: &[Ranked],
    snapshots: &[Analyzed],
    scrubber: &mut Scrubber,
) -> String {
    match findings.first().filter(|first| first.finding.title == headline) {
        Some(first) => finding::title(&first.finding, snapshots.get(first.snapshot), scrubber),
        None => scrubber.text(headline),
    }
}

fn one(ranked: &mut Ranked, analyzed: Option<&Analyzed>, scrubber: &mut Scrubber) {
    let Ranked { finding, snapshot: _, score: _, fingerprint: _, fingerprint_detail: _, runbook } = ranked;
    finding::redact(finding, analyzed, scrubber);
    // A link that leads into the house helps nobody outside: the built-in guide does.
    if runbook.as_ref().is_some_and(|link| scrubber.text(link) != **link) {
        *runbook = None;
    }
}

fn check(judgement: &mut Judgement, scrubber: &mut Scrubber) {
    let Judgement { fail_on: _, has_baseline: _, standings, failing: _, exceeded: _, gone, expired: _ } =
        judgement;
    for standing in standings {
        match standing {
            Standing::New | Standing::Known | Standing::Ignored { reason: None } => {}
            Standing::Ignored { reason: Some(reason) } => *reason = scrubber.about_files(reason),
        }
    }
    for KnownFinding { fingerprint: _, rule: _, title } in gone {
        *title = scrubber.text(title);
        // What the baseline says of threads that are not in this dump is known by nothing but its form.
        if scrubber.kinds.has(Kind::Threads)
            && let Some(rest) = title.strip_prefix("the pool ")
            && let Some(at) = rest.find(" has ")
        {
            *title = format!("the pool {}{}", scrubber.thread_pattern(&rest[..at]), &rest[at..]);
        }
    }
}
