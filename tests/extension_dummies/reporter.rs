//! The dummy report: one line a snapshot.

use std::io::{self, Write};

use super::{Document, Reporter, View};

/// The row of this reporter.
pub const REPORTER: Reporter =
    Reporter { id: "dummy-report", about: "a line for each process", is_for_programs: false, write };

fn write(document: &Document<'_>, _: &View, out: &mut dyn Write) -> io::Result<()> {
    for snapshot in &document.snapshots {
        writeln!(out, "dummy: {} threads in {}", snapshot.threads.total, snapshot.source.format.id())?;
    }
    Ok(())
}
