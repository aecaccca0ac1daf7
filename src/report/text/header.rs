//! The first line: what was looked at.

use std::io;

use super::layout::{Page, Style, Text};
use super::words;
use crate::report::View;
use crate::report::document::{Document, Snapshot};

/// Snapshots that the header lists.
const LISTED: usize = 5;
/// The most columns of a path.
const PATH: usize = 44;

/// `logjam  core.zst · ELF core, x86-64 · logserver[4332] died of SIGABRT · 5,001 threads · 38 ms`.
pub fn write(document: &Document<'_>, view: &View, page: &mut Page<'_>) -> io::Result<()> {
    let mut parts = match &document.snapshots[..] {
        [] => vec![words::counted(document.inputs.len() as u64, "input")],
        [only] => of_snapshot(only),
        several => {
            let threads = several.iter().map(|s| s.threads.total).sum();
            vec![words::counted(several.len() as u64, "snapshot"), words::counted(threads, "thread")]
        }
    };
    parts.extend(view.elapsed_ms.map(|ms| format!("{} ms", words::count(ms))));
    let prefix = Text::new().styled(Style::Bold, document.tool.name).plain("  ");
    page.paragraph(prefix, &items(&parts))?;
    removed(document, page)?;
    if document.snapshots.len() < 2 {
        return Ok(());
    }
    let shown = if view.show_all { document.snapshots.len() } else { LISTED };
    for (n, snapshot) in document.snapshots.iter().enumerate().take(shown) {
        let prefix = Text::new().styled(Style::Dim, format!("{:>6}  ", n + 1));
        page.paragraph(prefix, &items(&of_snapshot(snapshot)))?;
    }
    if let Some(rest) = document.snapshots.get(shown..).filter(|rest| !rest.is_empty()) {
        let threads = words::counted(rest.iter().map(|s| s.threads.total).sum(), "thread");
        let more = words::counted(rest.len() as u64, "more snapshot");
        page.paragraph(
            Text::from("        "),
            &Text::from(format!("… and {more} ({threads}): --all shows them")),
        )?;
    }
    Ok(())
}

/// `removed: paths, threads`.
pub fn removed(document: &Document<'_>, page: &mut Page<'_>) -> io::Result<()> {
    if document.redacted.is_empty() {
        return Ok(());
    }
    let said = format!("removed: {}", document.redacted.join(", "));
    page.paragraph(Text::from("        "), &Text::new().styled(Style::Dim, said))
}

/// Parts in a line that breaks between them.
pub fn items(parts: &[String]) -> Text {
    let whole: Vec<_> = parts.iter().map(|part| part.replace(' ', "\u{a0}")).collect();
    Text::from(whole.join("\u{a0}· "))
}

/// The parts of a snapshot's line.
pub fn of_snapshot(snapshot: &Snapshot<'_>) -> Vec<String> {
    let source = &snapshot.source;
    let mut parts = vec![words::shortened(source.path, PATH)];
    if source.offset > 0 {
        parts[0] += &format!(" from byte {}", words::count(source.offset));
    }
    let format = words::format_name(source.format);
    parts.push(match &snapshot.process.arch {
        Some(arch) => format!("{format}, {arch}"),
        None => format.to_owned(),
    });
    parts.extend(process(snapshot));
    let threads = &snapshot.threads;
    parts.push(words::in_all(threads.total, threads.complete, threads.unit.noun()));
    parts
}

/// `logserver[4332] died of SIGABRT`.
pub fn process(snapshot: &Snapshot<'_>) -> Option<String> {
    let process = &snapshot.process;
    let who = match (process.name, process.pid) {
        (Some(name), Some(pid)) => Some(format!("{name}[{pid}]")),
        (Some(name), None) => Some(name.to_owned()),
        (None, Some(pid)) => Some(format!("process {pid}")),
        (None, None) => None,
    };
    match (who, &process.signal) {
        (Some(who), Some(signal)) => Some(format!("{who} died of {signal}")),
        (None, Some(signal)) => Some(format!("died of {signal}")),
        (who, None) => who,
    }
}
