//! A ticket for each finding: one line of JSON, for scripts that file them. `key` is the same for the same
//! cause, so that a script updates the ticket that is open; docs/tickets.md has recipes.

use std::io::{self, BufWriter, Write};

use serde::Serialize;

use super::document::{Finding, Snapshot};
use super::markdown::{self, Draft, Groups, LeftOut, Part};
use super::text::words;
use super::{Document, View};
use crate::model::escape_terminal;
use crate::rules::{Confidence, RuleId, Severity};

/// The most characters of a title: what a list of tickets shows of it, and less than any tracker's limit.
const TITLE: usize = 120;

/// One ticket.
#[derive(Serialize)]
struct Ticket<'a> {
    /// The same for the same cause.
    key: &'a str,
    /// Differs for another activity of the holder too.
    #[serde(skip_serializing_if = "str::is_empty")]
    detail: &'a str,
    /// One line of plain text.
    title: String,
    /// GitHub-flavoured Markdown.
    body: String,
    severity: Severity,
    confidence: Confidence,
    rule: RuleId,
    labels: Vec<String>,
    /// What the limit on the body's length kept out of it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    left_out: Vec<LeftOut>,
}

/// Writes a line for each finding, and none where there is no finding.
pub fn write(document: &Document<'_>, view: &View, out: &mut dyn Write) -> io::Result<()> {
    let mut out = BufWriter::new(out);
    for finding in &document.findings {
        if let Some(snapshot) = document.snapshots.get(finding.snapshot) {
            serde_json::to_writer(&mut out, &ticket(finding, snapshot, document, view))?;
            out.write_all(b"\n")?;
        }
    }
    out.flush()
}

fn ticket<'a>(f: &Finding<'a>, snapshot: &Snapshot<'a>, document: &Document<'a>, view: &View) -> Ticket<'a> {
    let body = body(f, snapshot, document, view).fit(view.max_chars);
    Ticket {
        key: f.fingerprint,
        detail: f.fingerprint_detail,
        title: title(f, snapshot),
        body: body.text,
        severity: f.severity,
        confidence: f.confidence,
        rule: f.rule,
        labels: labels(f, snapshot),
        left_out: body.left_out,
    }
}

/// `logserver: 4,499 of 5,001 threads (90 %) wait for the mutex g_log_mutex`. In a list of tickets nothing else
/// says which program it was.
fn title(f: &Finding<'_>, snapshot: &Snapshot<'_>) -> String {
    let title = match snapshot.process.name {
        Some(name) => format!("{name}: {}", f.title),
        None => f.title.to_owned(),
    };
    markdown::clipped(&escape_terminal(&title), TITLE)
}

fn labels(f: &Finding<'_>, snapshot: &Snapshot<'_>) -> Vec<String> {
    let lock = f.lock.and_then(|id| snapshot.lock(id));
    let class = lock.and_then(|lock| lock.class).map(|class| words::id_of(&class));
    let own = ["logjam".to_owned(), f.rule.id().to_owned(), words::id_of(&f.severity)];
    own.into_iter().chain(class).collect()
}

fn body(f: &Finding<'_>, snapshot: &Snapshot<'_>, document: &Document<'_>, view: &View) -> Draft {
    let severity = words::id_of(&f.severity).to_uppercase();
    let confidence = words::id_of(&f.confidence);
    let mut draft = Draft::new(format!("**{severity}** ({confidence}): "), f.title, "\n");
    markdown::summary(f, &mut draft);
    dump(snapshot, &mut draft);
    markdown::facts(f, snapshot, Groups::InTable, view, &mut draft);
    markdown::links(f, snapshot, view, &mut draft);
    markdown::evidence(f, &mut draft);
    markdown::threads_of_finding(f, snapshot, view, &mut draft);
    markdown::advice(f, &mut draft);
    markdown::guide(f, &mut draft);
    markdown::stacks(f, snapshot, view, &mut draft);
    markdown::gaps_of_snapshot(snapshot, view, &mut draft);
    footer(f, document, &mut draft);
    draft
}

/// The keys stand in the body too: a tracker whose search sees text only finds the ticket by them.
fn footer(f: &Finding<'_>, document: &Document<'_>, draft: &mut Draft) {
    draft.add(Part::Answer, format!("\n{} · {}\n", markdown::keys(f), markdown::origin(document)));
}

/// Which process, in which dump.
fn dump(snapshot: &Snapshot<'_>, draft: &mut Draft) {
    draft.add(Part::Fact, format!("\n{}\n", markdown::snapshot(snapshot)));
}
