//! What a check says: pass or fail, and why.
//!
//! ```text
//!   CHECK  failed: 2 findings at or above high
//!   known    1 finding of the baseline
//!   gone     lj1:b405f43ec672f263 lock-contention: 31 of 40 threads wait for the mutex queue
//! ```

use std::io;

use super::layout::{Page, Style, Text};
use super::words;
use crate::report::View;
use crate::report::document::{Check, Document, ExceededLimit, LimitKind, Status};

/// Findings of the baseline that are listed without `--all`.
const SHOWN: usize = 5;
/// Columns of the words before each line.
const LABEL: usize = 9;

/// The verdict of the check, where there was one.
pub fn write(document: &Document<'_>, view: &View, page: &mut Page<'_>) -> io::Result<()> {
    let Some(check) = &document.check else { return Ok(()) };
    let failed_inputs = document.inputs.iter().filter(|i| i.status == Status::Failed).count();
    let (style, answer) = if check.passed && failed_inputs == 0 {
        let nothing = if document.snapshots.is_empty() { "there is no dump" } else { "nothing fails it" };
        (Style::Bold, format!("passed: {nothing}"))
    } else {
        (Style::Alarm, format!("failed: {}", reasons(check, failed_inputs)))
    };
    page.blank()?;
    page.paragraph(
        Text::from("  ").styled(Style::Bold, "CHECK").plain("  "),
        &Text::new().styled(style, answer),
    )?;
    for exceeded in &check.exceeded {
        line("limit", &limit(exceeded, document), page)?;
    }
    if check.known > 0 {
        line("known", &format!("{} of the baseline", words::counted(check.known as u64, "finding")), page)?;
    }
    for ignored in &check.ignored {
        let title = document.findings.get(ignored.finding).map_or("", |f| f.title);
        let reason = ignored.reason.map(|r| format!(" ({r})")).unwrap_or_default();
        line("ignored", &format!("{title}{reason}"), page)?;
    }
    let shown = if view.show_all { check.gone.len() } else { SHOWN.min(check.gone.len()) };
    for gone in &check.gone[..shown] {
        line("gone", &format!("{} {}: {}", gone.fingerprint, gone.rule, gone.title), page)?;
    }
    match check.gone.len() - shown {
        0 => Ok(()),
        more => line("", &format!("… and {more} more that are gone: --all shows them"), page),
    }
}

fn line(label: &str, text: &str, page: &mut Page<'_>) -> io::Result<()> {
    page.paragraph(Text::from(format!("    {label:LABEL$}")), &Text::from(text))
}

/// What fails it, in one line.
fn reasons(check: &Check<'_>, failed_inputs: usize) -> String {
    let mut reasons = Vec::new();
    if !check.failing.is_empty() {
        let findings = words::counted(check.failing.len() as u64, "finding");
        reasons.push(format!("{findings} at or above {}", words::id_of(&check.fail_on)));
    }
    if !check.exceeded.is_empty() {
        reasons.push(format!("{} exceeded", words::counted(check.exceeded.len() as u64, "limit")));
    }
    if failed_inputs > 0 {
        reasons.push(format!("{} not analyzed", words::counted(failed_inputs as u64, "input")));
    }
    reasons.join(", ")
}

fn limit(exceeded: &ExceededLimit, document: &Document<'_>) -> String {
    let what = match exceeded.limit {
        LimitKind::Threads => "threads",
        LimitKind::Blocked => "threads that wait for a lock",
    };
    let path = document.snapshots.get(exceeded.snapshot).map_or("", |s| s.source.path);
    format!(
        "{} {what} in {path}, {} are allowed",
        words::count(exceeded.found),
        words::count(exceeded.allowed)
    )
}
