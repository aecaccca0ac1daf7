//! Findings as results, failed inputs and gaps as notifications.

use std::collections::BTreeMap;

use super::log::{
    ArtifactLocation, Level, Location, LogicalLocation, Notification, PhysicalLocation, Properties, Region,
    SarifResult, Suppression,
};
use super::text::{message, message_of_lines};
use super::{Dumps, uri};
use crate::report::document::{self, Baseline, Document, Finding, Snapshot};
use crate::report::text::{of_finding, of_holder, one_line, thread};
use crate::rules::{RULES, Severity};

/// A finding.
pub fn result<'a>(f: &Finding<'a>, document: &Document<'a>, dumps: &Dumps<'a>) -> SarifResult<'a> {
    let snapshot = document.snapshots.get(f.snapshot);
    let dump = dumps.location(snapshot.map_or("", |s| s.source.path));
    let found = snapshot.and_then(|s| f.place(s));
    let has_file = found.as_ref().is_some_and(|place| place.file.is_some());
    let title = Some(one_line(f.title)).filter(|_| !is_first_sentence(f.title, f.summary));
    let parts = of_finding(f, document).into_iter().map(|part| part.text);
    let lines: Vec<_> = title.into_iter().chain(parts).collect();
    SarifResult {
        rule_id: f.rule.id(),
        rule_index: RULES.iter().position(|rule| rule.id == f.rule),
        level: level(f.severity),
        message: message_of_lines(&lines),
        locations: vec![place(found, &dump)],
        related_locations: snapshot.map(|s| related(f, s)).unwrap_or_default(),
        // Said only where the result does not stand there itself.
        analysis_target: has_file.then_some(dump),
        partial_fingerprints: fingerprints(f),
        baseline_state: f.baseline.map(|baseline| match baseline {
            Baseline::New => "new",
            Baseline::Known | Baseline::Ignored => "unchanged",
        }),
        suppressions: suppressions(f),
        rank: f.score.clamp(0.0, 100.0),
        properties: Properties {
            severity: f.severity,
            confidence: f.confidence,
            threads: f.threads.count,
            blocked: f.blocked.map(|b| b.transitive),
            runbook: one_line(&f.runbook),
        },
    }
}

/// Whether a summary begins with the title, as a sentence of its own.
fn is_first_sentence(title: &str, summary: &str) -> bool {
    let same = |a: char, b: char| a.to_lowercase().eq(b.to_lowercase());
    let mut rest = summary.chars();
    title.chars().all(|c| rest.next().is_some_and(|other| same(c, other))) && rest.next() == Some('.')
}

fn level(severity: Severity) -> Level {
    match severity {
        Severity::Critical | Severity::High => Level::Error,
        Severity::Medium => Level::Warning,
        Severity::Low | Severity::Info => Level::Note,
    }
}

fn fingerprints<'a>(f: &Finding<'a>) -> BTreeMap<&'static str, &'a str> {
    let both = [("logjam/v1", f.fingerprint), ("logjamDetail/v1", f.fingerprint_detail)];
    both.into_iter().filter(|(_, value)| !value.is_empty()).collect()
}

fn suppressions(f: &Finding<'_>) -> Vec<Suppression> {
    match f.baseline {
        Some(Baseline::Ignored) => {
            vec![Suppression { kind: "external", justification: "the user's list says to ignore it" }]
        }
        Some(Baseline::New | Baseline::Known) | None => Vec::new(),
    }
}

/// A place in the source, else the dump.
fn place(found: Option<document::Location<'_>>, dump: &ArtifactLocation) -> Location {
    let physical = found.as_ref().and_then(physical);
    let dump = || PhysicalLocation { artifact_location: dump.clone(), region: None };
    Location {
        id: None,
        physical_location: Some(physical.unwrap_or_else(dump)),
        logical_locations: found.iter().map(logical).collect(),
        message: None,
    }
}

fn physical(place: &document::Location<'_>) -> Option<PhysicalLocation> {
    Some(PhysicalLocation {
        artifact_location: ArtifactLocation { uri: uri::of_path(place.file?), index: None },
        region: place.line.filter(|&line| line > 0).map(|start_line| Region { start_line }),
    })
}

fn logical(place: &document::Location<'_>) -> LogicalLocation {
    LogicalLocation { fully_qualified_name: one_line(place.function), kind: "function" }
}

/// Where the holder is, or each member of a ring.
fn related(f: &Finding<'_>, snapshot: &Snapshot<'_>) -> Vec<Location> {
    let mut related: Vec<(document::Location<'_>, String)> = Vec::new();
    for link in &f.cycle {
        if let Some(frame) = snapshot.call_of(&link.thread) {
            related.push((frame.into(), format!("{} of the ring waits here", thread(&link.thread))));
        }
    }
    let holder = f.holder.as_ref().filter(|_| f.cycle.is_empty());
    if let Some((frame, holder)) = f.holder_frame(snapshot).zip(holder) {
        related.push((frame.into(), of_holder(holder)));
    }
    let location = |(id, (place, said)): (usize, (document::Location<'_>, String))| Location {
        id: Some(id),
        physical_location: physical(&place),
        logical_locations: vec![logical(&place)],
        message: Some(message(&said)),
    };
    related.into_iter().enumerate().map(location).collect()
}

/// Inputs that failed, then what could not be read of the others.
pub fn notifications<'a>(document: &Document<'a>, dumps: &Dumps<'a>) -> Vec<Notification> {
    let notification = |level, text: &str, path: &str| Notification {
        level,
        message: message(text),
        locations: vec![place(None, &dumps.location(path))],
    };
    let failed = document
        .failed_inputs()
        .map(|input| notification(Level::Error, input.error.unwrap_or("could not be analyzed"), input.path));
    let gaps = document.snapshots.iter().flat_map(|s| s.gaps.iter().map(move |gap| (gap, s.source.path)));
    let gaps = gaps.map(|(gap, path)| notification(Level::Warning, gap.message, path));
    failed.chain(gaps).collect()
}
