//! The report for the terminal. The first line under the header is the answer: whoever reads only that is
//! not misled. What is not shown is counted.

mod check;
mod clusters;
pub(super) mod finding;
pub(super) mod header;
mod layout;
pub(super) mod links;
mod missing;
mod parts;
mod thread;
pub(super) mod words;
mod wrap;

use std::io::{self, BufWriter, Write};

pub(super) use header::process;
pub(super) use layout::{Page, Style, Text, head};
pub(super) use parts::{Kind, Part, of_finding, of_holder, of_snapshot, one_line};
pub use thread::{ThreadError, write_thread};
pub(super) use words::{count, counted, id_of, states, thread};

use super::{Document, View, document::Finding};

/// Findings that are shown in full.
const IN_FULL: usize = 3;

/// Writes the report.
pub fn write(document: &Document<'_>, view: &View, out: &mut dyn Write) -> io::Result<()> {
    let mut out = BufWriter::new(out);
    let mut page = Page::new(&mut out, view.width, view.color);
    header::write(document, view, &mut page)?;
    check::write(document, view, &mut page)?;
    let says_all = document.check.is_some() && document.snapshots.is_empty();
    if document.findings.is_empty() && !says_all {
        missing::no_finding(document, &mut page)?;
    }
    let in_full = if view.show_all { document.findings.len() } else { IN_FULL.min(document.findings.len()) };
    let (shown, more) = document.findings.split_at(in_full);
    for found in shown {
        finding::in_full(found, document, view, &mut page)?;
    }
    finding::in_brief(more, &mut page)?;
    clusters::write(document, view, &mut page)?;
    missing::gaps(document, view, &mut page)?;
    missing::failed_inputs(document, &mut page)?;
    out.flush()
}

/// One finding as the report shows it, for reports that carry plain text.
pub(super) fn finding(found: &Finding<'_>, document: &Document<'_>, view: &View) -> io::Result<String> {
    let mut out = Vec::new();
    finding::in_full(found, document, view, &mut Page::new(&mut out, view.width, false))?;
    Ok(String::from_utf8_lossy(&out).into_owned())
}
