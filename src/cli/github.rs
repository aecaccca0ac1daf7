//! What a check does by itself under GitHub Actions: annotations, and the summary of the step.
//!
//! <https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands>: the runner reads commands from
//! both streams. Here they go to standard error, since standard output carries the report alone.

use std::env;
use std::fs::OpenOptions;
use std::io::{self, Write};

use crate::report::{Document, View};

use super::connect::reporter;
use super::terminal::complain;

/// Writes both, where `GITHUB_ACTIONS` says that this is a job there. What cannot be written is told and fails nothing:
/// the report has it.
pub(super) fn annotate(document: &Document<'_>) {
    if env::var_os("GITHUB_ACTIONS").is_none_or(|v| v != "true") {
        return;
    }
    if let Ok(annotations) = reporter("github") {
        let _ = (annotations.write)(document, &View::default(), &mut io::stderr().lock());
    }
    let Some(summary) = env::var_os("GITHUB_STEP_SUMMARY").filter(|path| !path.is_empty()) else { return };
    let write = || -> io::Result<()> {
        let markdown = reporter("markdown").map_err(io::Error::other)?;
        let mut text = Vec::new();
        (markdown.write)(document, &View::default(), &mut text)?;
        OpenOptions::new().create(true).append(true).open(&summary)?.write_all(&text)
    };
    if let Err(e) = write() {
        complain(format_args!("cannot write the summary of the step: {e}"));
    }
}
