//! What the report does not say: gaps, inputs that failed.

use super::draft::{Draft, Part};
use super::escape::{code, prose};
use super::few;
use crate::report::View;
use crate::report::document::{Document, Gap, Snapshot};
use crate::report::text::words;

/// How many inputs failed: under the answer, because it may be no answer for them.
pub fn failed_count(document: &Document<'_>, draft: &mut Draft) {
    let failed = document.failed_inputs().count();
    if failed > 0 {
        let inputs = words::counted(document.inputs.len() as u64, "input");
        draft.add(
            Part::Answer,
            format!("\n**{} of {inputs} could not be analyzed.**\n", words::count(failed as u64)),
        );
    }
}

/// Which inputs failed, and why.
pub fn failed_inputs(document: &Document<'_>, draft: &mut Draft) {
    let lines = document.failed_inputs().map(|input| match input.error {
        Some(why) if why.contains(input.path) => format!("- {}\n", prose(why)),
        why => format!("- {}: {}\n", code(input.path), prose(why.unwrap_or("failed"))),
    });
    draft.list("\n### Not analyzed\n\n", Part::FailedInput, Part::FailedInput, lines);
}

/// What could not be read, of all snapshots.
pub fn gaps(document: &Document<'_>, view: &View, draft: &mut Draft) {
    for (n, snapshot) in document.snapshots.iter().enumerate() {
        let place =
            if document.snapshots.len() > 1 { format!(" in snapshot {}", n + 1) } else { String::new() };
        list(&format!("\n### Gaps{place}\n\n"), snapshot, view, draft);
    }
}

/// What could not be read of one snapshot: counts of it are lower bounds.
pub fn gaps_of_snapshot(snapshot: &Snapshot<'_>, view: &View, draft: &mut Draft) {
    list("\n**Gaps in the dump**\n\n", snapshot, view, draft);
}

fn list(heading: &str, snapshot: &Snapshot<'_>, view: &View, draft: &mut Draft) {
    let (shown, rest) = few(&snapshot.gaps, view);
    draft.list(heading, Part::Gap, Part::Gap, shown.iter().map(said));
    if !rest.is_empty() {
        let more = words::counted(rest.len() as u64, "more gap");
        draft.add_counted(Part::Gap, rest.len() as u64, format!("- … and {more}: `--all` shows them\n"));
    }
}

fn said(gap: &Gap<'_>) -> String {
    let times = (gap.count > 1).then(|| format!("{} times", words::count(gap.count)));
    let first = if gap.count > 1 { "the first at byte" } else { "at byte" };
    let place = gap.offset.map(|at| format!("{first} {}", words::count(at)));
    let behind: Vec<_> = times.into_iter().chain(place).collect();
    let behind = if behind.is_empty() { String::new() } else { format!(" ({})", behind.join(", ")) };
    format!("- {}: {}{behind}\n", words::id_of(&gap.kind), prose(gap.message))
}
