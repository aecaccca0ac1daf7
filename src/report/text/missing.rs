//! What the report does not say: no finding, gaps, inputs that failed.

use std::io;

use super::layout::{Page, Style, Text};
use super::words;
use crate::report::View;
use crate::report::document::Document;
use crate::waits::State;

/// Gaps of a snapshot that are shown without `--all`.
const SHOWN: usize = 8;
/// Snapshots whose gaps are shown without `--all`.
const SNAPSHOTS: usize = 3;

/// The answer where there is no finding. It claims no more than was looked at.
pub fn no_finding(document: &Document<'_>, page: &mut Page<'_>) -> io::Result<()> {
    let failed = document.failed_inputs().count();
    let inputs = document.inputs.len();
    let (dumps, say) = match document.snapshots.len() {
        0 | 1 => ("this dump", "does not say"),
        _ => ("these dumps", "do not say"),
    };
    let has_gaps = document.snapshots.iter().any(|s| !s.gaps.is_empty() || !s.threads.complete);
    let of = |state| document.snapshots.iter().filter_map(|s| s.threads.states.get(&state)).sum::<u64>();
    let (waiting, unknown) = (of(State::LockWait), of(State::Unknown));
    let total: u64 = document.snapshots.iter().map(|s| s.threads.total).sum();
    let noun = document.snapshots.first().map_or("thread", |s| s.threads.unit.noun());
    let answer = if document.snapshots.is_empty() {
        match failed {
            0 => "nothing was analyzed: there is no process in what was read".to_owned(),
            _ => {
                format!("nothing was analyzed: {failed} of {} failed", words::counted(inputs as u64, "input"))
            }
        }
    } else if failed > 0 {
        format!("no finding in what could be read, but {failed} of {inputs} inputs were not analyzed")
    } else if waiting > 0 {
        let threads = words::counted(waiting, "thread");
        let (wait, they) = if waiting == 1 { ("waits for a lock", "it") } else { ("wait for locks", "they") };
        let read = if has_gaps { "what could be read of " } else { "" };
        format!("no finding: {threads} {wait}, and nothing in {read}{dumps} says that {they} will not get on")
    } else if unknown * 2 > total {
        let threads = words::counted(total, noun);
        let they = if unknown == 1 { "it does" } else { "they do" };
        format!("no finding, but of {} of {threads} {dumps} {say} what {they}", words::count(unknown))
    } else if has_gaps {
        format!("no finding: nothing in what could be read of {dumps} says that threads are stuck")
    } else {
        format!("no finding: nothing in {dumps} says that threads are stuck")
    };
    page.blank()?;
    page.paragraph(Text::from("  "), &Text::new().styled(Style::Bold, answer))?;
    if document.snapshots.is_empty() {
        return Ok(());
    }
    let states = words::states(&document.snapshots).unwrap_or_default();
    let colon = if states.is_empty() { "" } else { ": " };
    let said = format!("{}{colon}{}", words::counted(total, noun), states);
    page.paragraph(Text::from("  "), &Text::from(said))
}

/// What could not be read.
pub fn gaps(document: &Document<'_>, view: &View, page: &mut Page<'_>) -> io::Result<()> {
    let with_gaps = |n: &usize| !document.snapshots[*n].gaps.is_empty();
    let snapshots: Vec<usize> = (0..document.snapshots.len()).filter(with_gaps).collect();
    let shown = if view.show_all { snapshots.len() } else { SNAPSHOTS.min(snapshots.len()) };
    for &n in &snapshots[..shown] {
        let gaps = &document.snapshots[n].gaps;
        page.blank()?;
        let place =
            if document.snapshots.len() > 1 { format!("snapshot {}: ", n + 1) } else { String::new() };
        let heading = Text::from("  ").styled(Style::Bold, "GAPS").plain("  ");
        page.paragraph(heading, &Text::from(format!("{place}what could not be read or was not understood")))?;
        let shown = if view.show_all { gaps.len() } else { SHOWN.min(gaps.len()) };
        for gap in &gaps[..shown] {
            let first = gap.offset.map(|at| format!("the first at byte {}", words::count(at)));
            let times = (gap.count > 1).then(|| format!("{} times", words::count(gap.count)));
            let place = gap.offset.map(|at| format!("at byte {}", words::count(at)));
            let behind = match (times, first, place) {
                (Some(times), Some(first), _) => format!(" ({times}, {first})"),
                (Some(times), None, _) => format!(" ({times})"),
                (None, _, Some(place)) => format!(" ({place})"),
                (None, ..) => String::new(),
            };
            let kind = Text::from("  ").styled(Style::Yellow, words::id_of(&gap.kind)).padded(20).plain("  ");
            page.paragraph(kind, &Text::from(gap.message).styled(Style::Dim, behind))?;
        }
        let rest = &gaps[shown..];
        if !rest.is_empty() {
            let times = words::counted(rest.iter().map(|g| g.count).sum(), "place");
            let more = words::counted(rest.len() as u64, "more gap");
            page.paragraph(
                Text::from("  "),
                &Text::from(format!("… and {more} ({times}): --all shows them")),
            )?;
        }
    }
    let rest = &snapshots[shown..];
    if rest.is_empty() {
        return Ok(());
    }
    let gaps = rest.iter().map(|&n| document.snapshots[n].gaps.len() as u64).sum();
    let more = words::counted(rest.len() as u64, "more snapshot");
    let gaps = words::counted(gaps, "gap");
    page.blank()?;
    page.paragraph(Text::from("  "), &Text::from(format!("… and {gaps} of {more}: --all shows them")))
}

/// The inputs that say nothing here.
pub fn failed_inputs(document: &Document<'_>, page: &mut Page<'_>) -> io::Result<()> {
    let failed: Vec<_> = document.failed_inputs().collect();
    if failed.is_empty() {
        return Ok(());
    }
    page.blank()?;
    let heading = Text::from("  ").styled(Style::Red, "NOT ANALYZED").plain("  ");
    let inputs = words::counted(document.inputs.len() as u64, "input");
    page.paragraph(heading, &Text::from(format!("{} of {inputs}", failed.len())))?;
    for input in failed {
        let said = Text::new()
            .styled(Style::Bold, input.path)
            .plain(format!(": {}", input.error.unwrap_or("failed")));
        page.paragraph(Text::from("  "), &said)?;
    }
    Ok(())
}
