//! The answer: what is wrong, how bad it is, with which process, in which dump.

use std::collections::BTreeMap;

use super::markup::Html;
use super::words;
use crate::report::View;
use crate::report::document::{Document, Snapshot, VerdictSeverity};
use crate::waits::State;

/// The first block of the page.
pub fn write(document: &Document<'_>, view: &View, html: &mut Html) {
    let severity = document.verdict.severity;
    html.raw("<section class=\"answer ").raw(severity_class(severity)).raw("\" aria-label=\"The answer\">\n");
    html.raw("<p class=\"verdict\"><span class=\"sev\">").raw(severity_word(severity)).raw("</span>");
    if let Some(worst) = document.findings.first() {
        html.raw(" <code>").raw(worst.rule.id()).raw("</code> <span>");
        html.text(words::id_of(&worst.confidence)).raw("</span>");
    }
    html.raw("</p>\n<h1>").text(words::shortened(&document.verdict.headline, 400)).raw("</h1>\n");
    if let Some(worst) = document.findings.first().filter(|worst| !worst.summary.is_empty()) {
        html.raw("<div class=\"summary\">").long(worst.summary).raw("</div>\n");
    }
    match &document.snapshots[..] {
        [] => {}
        [only] => facts(only, view, html),
        several => overview(several, html),
    }
    states(&document.snapshots, html);
    html.raw("</section>\n");
}

/// The class of a severity.
pub fn severity_class(severity: VerdictSeverity) -> &'static str {
    match severity {
        VerdictSeverity::Critical => "critical",
        VerdictSeverity::High => "high",
        VerdictSeverity::Medium => "medium",
        VerdictSeverity::Low => "low",
        VerdictSeverity::Info => "info",
        VerdictSeverity::None => "none",
    }
}

fn severity_word(severity: VerdictSeverity) -> &'static str {
    match severity {
        VerdictSeverity::None => "no finding",
        other => severity_class(other),
    }
}

/// What is known of the process and of its dump.
pub fn facts(snapshot: &Snapshot<'_>, view: &View, html: &mut Html) {
    let (process, source) = (&snapshot.process, &snapshot.source);
    let who = match (process.name, process.pid) {
        (Some(name), Some(pid)) => Some(format!("{name}, pid {pid}")),
        (Some(name), None) => Some(name.to_owned()),
        (None, pid) => pid.map(|pid| format!("pid {pid}")),
    };
    let format = crate::report::text::words::format_name(source.format);
    let size = (source.bytes > 0).then(|| bytes(source.bytes));
    let at = (source.offset > 0).then(|| format!("from byte {}", words::count(source.offset)));
    let dump: Vec<String> =
        [Some(format.to_owned()), process.arch.clone(), size, at].into_iter().flatten().collect();
    let threads = match (snapshot.threads.total, snapshot.threads.complete) {
        (total, true) => words::count(total),
        (0, false) => "none shown".to_owned(),
        (total, false) => format!("at least {}", words::count(total)),
    };
    let rows: [(&str, Option<String>); 10] = [
        ("Process", who),
        ("Died of", process.signal.clone()),
        ("Threads", Some(threads)),
        ("Dump", Some(source.path.to_owned())),
        ("Format", Some(dump.join(", "))),
        ("Made by", source.producer.map(str::to_owned)),
        ("Captured", process.captured_at.map(str::to_owned)),
        ("Runtime", process.runtime.map(str::to_owned)),
        ("Command", process.command_line.map(str::to_owned)),
        ("Analyzed in", view.elapsed_ms.map(|ms| format!("{} ms", words::count(ms)))),
    ];
    html.raw("<dl class=\"facts\">\n");
    for (name, value) in rows {
        let Some(value) = value else { continue };
        html.raw("<div><dt>").text(name).raw("</dt><dd>").long(&value).raw("</dd></div>\n");
    }
    html.raw("</dl>\n");
}

/// `42.0 MB`.
fn bytes(n: u64) -> String {
    const UNITS: [(u64, &str); 3] = [(1_000_000_000, "GB"), (1_000_000, "MB"), (1_000, "kB")];
    match UNITS.iter().find(|(size, _)| n >= *size) {
        Some((size, unit)) => format!("{:.1} {unit}", n as f64 / *size as f64),
        None => words::counted(n, "byte"),
    }
}

fn overview(snapshots: &[Snapshot<'_>], html: &mut Html) {
    let threads = snapshots.iter().map(|s| s.threads.total).sum();
    html.raw("<p class=\"dim\">").text(words::counted(snapshots.len() as u64, "snapshot")).raw(", ");
    html.text(words::counted(threads, "thread")).raw("</p>\n");
}

/// What all threads do, as a bar and in words.
pub fn states(snapshots: &[Snapshot<'_>], html: &mut Html) {
    let mut counts: BTreeMap<State, u64> = BTreeMap::new();
    for (state, count) in snapshots.iter().flat_map(|s| &s.threads.states) {
        *counts.entry(*state).or_insert(0) += count;
    }
    let mut counts: Vec<_> = counts.into_iter().filter(|(_, count)| *count > 0).collect();
    counts.sort_by_key(|(state, count)| (std::cmp::Reverse(*count), *state));
    let total: u64 = counts.iter().map(|(_, count)| count).sum();
    if total == 0 {
        return;
    }
    html.raw(
        "<div class=\"states\">\n<svg class=\"strip\" viewBox=\"0 0 1000 10\" preserveAspectRatio=\"none\" ",
    );
    html.raw("aria-hidden=\"true\">");
    let mut x = 0.0;
    for (state, count) in &counts {
        let width = *count as f64 / total as f64 * 1000.0;
        html.raw("<rect class=\"").raw(state.id()).raw("\" x=\"").show(format_args!("{x:.1}"));
        html.raw("\" width=\"").show(format_args!("{:.1}", width.max(1.5))).raw("\" height=\"10\"/>");
        x += width;
    }
    html.raw("</svg>\n<ul>");
    for (state, count) in &counts {
        html.raw("<li><span class=\"state ").raw(state.id()).raw("\">").raw(state.id()).raw("</span> ");
        html.text(words::count(*count)).raw(" <span class=\"dim\">");
        html.text(words::percent(*count as f64 / total as f64)).raw("</span></li>\n");
    }
    html.raw("</ul>\n</div>\n");
}
