//! The report as GitHub-flavoured Markdown: for a post-mortem, for a comment on a pull request. The first line is
//! the answer. Text of a dump goes through [`escape`] and so makes no markup of its own.

mod clusters;
mod draft;
mod escape;
mod finding;
mod missing;
mod phrases;
mod series;

use std::io::{self, Write};

pub(super) use clusters::{stacks, threads_of_finding};
pub use draft::LEAST_CHARS;
pub(super) use draft::{Draft, LeftOut, Part, clipped};
pub(super) use finding::{Groups, advice, evidence, facts, guide, keys, links, summary};
pub(super) use missing::gaps_of_snapshot;
pub(super) use phrases::snapshot;

use super::document::{Finding, VerdictSeverity};
use super::text::words;
use super::{Document, View};

/// Things of one kind that are told without `--all`.
const FEW: usize = 10;

/// Writes the report.
pub fn write(document: &Document<'_>, view: &View, out: &mut dyn Write) -> io::Result<()> {
    let severity = match document.verdict.severity {
        VerdictSeverity::None => String::new(),
        severity => format!("{}: ", words::id_of(&severity).to_uppercase()),
    };
    let mut draft = Draft::new(format!("## {severity}"), &document.verdict.headline, "\n");
    missing::failed_count(document, &mut draft);
    header(document, view, &mut draft);
    for (n, found) in document.findings.iter().enumerate() {
        finding(n, found, document, view, &mut draft);
    }
    clusters::all(document, view, &mut draft);
    series::write(document, &mut draft);
    missing::gaps(document, view, &mut draft);
    missing::failed_inputs(document, &mut draft);
    draft.add(Part::Answer, format!("\nMade by {}\n", origin(document)));
    out.write_all(draft.fit(view.max_chars).text.as_bytes())
}

/// The first few of many, and the rest.
fn few<'a, T>(items: &'a [T], view: &View) -> (&'a [T], &'a [T]) {
    items.split_at(if view.show_all { items.len() } else { FEW.min(items.len()) })
}

/// What was looked at.
fn header(document: &Document<'_>, view: &View, draft: &mut Draft) {
    let several = match &document.snapshots[..] {
        [] => return,
        [only] => return draft.add(Part::Snapshot, format!("\n{}\n", phrases::snapshot(only))),
        several => several,
    };
    let total = words::counted(several.iter().map(|s| s.threads.total).sum(), "thread");
    let snapshots = words::counted(several.len() as u64, "snapshot");
    draft.add(Part::Answer, format!("\n{snapshots}, {total}\n\n"));
    let (shown, rest) = few(several, view);
    for (n, snapshot) in shown.iter().enumerate() {
        draft.add(Part::Snapshot, format!("{}. {}\n", n + 1, phrases::snapshot(snapshot)));
    }
    if !rest.is_empty() {
        let more = words::counted(rest.len() as u64, "more snapshot");
        let text = format!("\n… and {more}: `--all` shows them\n");
        draft.add_counted(Part::Snapshot, rest.len() as u64, text);
    }
}

/// What wrote it, and what was removed from it.
pub(super) fn origin(document: &Document<'_>) -> String {
    let tool = format!("{} {}", document.tool.name, document.tool.version);
    match &document.redacted[..] {
        [] => tool,
        kinds => format!("{tool} · removed: {}", escape::prose(&kinds.join(", "))),
    }
}

/// A finding under a heading of its own. Of those behind the first, all but the first lines stay or go as one.
fn finding(n: usize, f: &Finding<'_>, document: &Document<'_>, view: &View, draft: &mut Draft) {
    let heading = heading(n, f, document);
    if n == 0 {
        draft.add(Part::Answer, heading);
        if *document.verdict.headline != *f.title {
            draft.add(Part::Fact, title(f));
        }
        finding_in_full(f, document, view, draft);
    } else {
        let mut own = Draft::new(String::new(), "", "");
        finding_in_full(f, document, view, &mut own);
        draft.add(Part::Finding, heading + &title(f));
        draft.add(Part::FindingInFull, own.into_parts());
    }
}

/// ``### 1. `lock-contention`: critical, certain``.
fn heading(n: usize, f: &Finding<'_>, document: &Document<'_>) -> String {
    let number = if document.findings.len() > 1 { format!("{}. ", n + 1) } else { String::new() };
    let severity = words::id_of(&f.severity);
    let confidence = words::id_of(&f.confidence);
    let baseline = f.baseline.map(|b| format!(", {}", words::id_of(&b))).unwrap_or_default();
    format!("\n### {number}{}: {severity}, {confidence}{baseline}\n", escape::code(f.rule.id()))
}

fn title(f: &Finding<'_>) -> String {
    match escape::prose(f.title) {
        title if title.is_empty() => String::new(),
        title => format!("\n**{title}**\n"),
    }
}

fn finding_in_full(f: &Finding<'_>, document: &Document<'_>, view: &View, draft: &mut Draft) {
    let Some(snapshot) = document.snapshots.get(f.snapshot) else { return };
    summary(f, draft);
    if document.snapshots.len() > 1 {
        let path = escape::code(snapshot.source.path);
        draft.add(Part::Fact, format!("\nIn snapshot {}, {path}\n", f.snapshot + 1));
    }
    facts(f, snapshot, Groups::Told, view, draft);
    links(f, snapshot, view, draft);
    evidence(f, draft);
    advice(f, draft);
    guide(f, draft);
    draft.add(Part::Answer, format!("\n{}\n", keys(f)));
}
