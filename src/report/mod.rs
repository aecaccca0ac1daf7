//! From the diagnosis to bytes: one file a reporter, [`REPORTERS`] is the table. Reporters read one resolved
//! view, the [`Document`], and neither filter nor decide.

mod csv;
pub mod document;
mod dot;
pub mod explain;
mod folded;
mod github;
mod html;
mod json;
mod junit;
mod markdown;
mod mermaid;
mod ndjson;
mod nearest;
mod preset;
mod prometheus;
mod sarif;
mod speedscope;
pub mod text;
mod ticket;
pub mod wait_graph;

#[cfg(test)]
mod tests;

use std::io::{self, Write};

pub use document::Document;
pub use markdown::LEAST_CHARS;
pub use nearest::nearest;
pub use preset::Preset;
pub use text::words::id_of;

use crate::rules::Severity;

/// How a report is to look. Everything that could differ between two runs is an argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct View {
    /// The most columns of a line.
    pub width: usize,
    /// Whether the output understands colours.
    pub color: bool,
    /// Everything, where a report would show the first few of many.
    pub show_all: bool,
    /// A record of each thread too, in reports that can have one.
    pub threads: bool,
    /// How long the analysis took, in milliseconds; not shown where it is not given.
    pub elapsed_ms: Option<u64>,
    /// The most characters of a text that is posted somewhere: of the `markdown` report, of a ticket's body. The
    /// least important parts are left out, and the text says so. Less than [`LEAST_CHARS`] is taken for that.
    pub max_chars: Option<usize>,
    /// Findings of this severity and worse make a dump a failed test, where a report has tests.
    pub fail_on: Severity,
}

impl Default for View {
    fn default() -> Self {
        Self {
            width: 80,
            color: false,
            show_all: false,
            threads: false,
            elapsed_ms: None,
            max_chars: None,
            fail_on: Severity::High,
        }
    }
}

/// One kind of report.
pub struct Reporter {
    /// Its id on the command line.
    pub id: &'static str,
    /// What it is for: one line for the help.
    pub about: &'static str,
    /// Whether a program reads it, so that it is written even where no input could be analyzed.
    pub is_for_programs: bool,
    /// Writes it.
    pub write: fn(&Document<'_>, &View, &mut dyn Write) -> io::Result<()>,
}

/// All reporters. The first is the default.
pub static REPORTERS: &[Reporter] = &[
    Reporter {
        id: "text",
        about: "the diagnosis, for a person at a terminal",
        is_for_programs: false,
        write: text::write,
    },
    Reporter {
        id: "json",
        about: "everything, for scripts: one JSON document (docs/report.schema.json)",
        is_for_programs: true,
        write: json::write,
    },
    Reporter {
        id: "ndjson",
        about: "for scripts, line by line: inputs and findings, with --threads each thread",
        is_for_programs: true,
        write: ndjson::write,
    },
    Reporter {
        id: "csv",
        about: "a table of the clusters, for spreadsheets",
        is_for_programs: true,
        write: csv::write,
    },
    Reporter {
        id: "folded",
        about: "folded stacks, for flame graphs",
        is_for_programs: true,
        write: folded::write,
    },
    Reporter {
        id: "speedscope",
        about: "a profile of the threads, for speedscope.app",
        is_for_programs: true,
        write: speedscope::write,
    },
    Reporter {
        id: "dot",
        about: "who waits for whom, for Graphviz",
        is_for_programs: true,
        write: dot::write,
    },
    Reporter {
        id: "mermaid",
        about: "who waits for whom, for Markdown that understands Mermaid",
        is_for_programs: true,
        write: mermaid::write,
    },
    Reporter {
        id: "prometheus",
        about: "metrics, for Prometheus' textfile collector",
        is_for_programs: true,
        write: prometheus::write,
    },
    Reporter {
        id: "markdown",
        about: "the diagnosis as Markdown, for a post-mortem or a comment",
        is_for_programs: true,
        write: markdown::write,
    },
    Reporter {
        id: "ticket",
        about: "a ticket for each finding, for scripts: a line of JSON with title, body and key (docs/tickets.md)",
        is_for_programs: true,
        write: ticket::write,
    },
    Reporter {
        id: "junit",
        about: "a test case for each dump, for CI systems: JUnit XML",
        is_for_programs: true,
        write: junit::write,
    },
    Reporter {
        id: "sarif",
        about: "findings at their lines of source, for code scanning: SARIF 2.1.0",
        is_for_programs: true,
        write: sarif::write,
    },
    Reporter {
        id: "github",
        about: "annotations of a GitHub Actions run: a workflow command for each finding",
        is_for_programs: true,
        write: github::write,
    },
    Reporter {
        id: "html",
        about: "a page for a browser: one file that asks for nothing, with the wait graph and all clusters",
        is_for_programs: false,
        write: html::write,
    },
];

/// An id that no reporter has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no report format '{id}'{}; there are: {}", did_you_mean(*.nearest), ids())]
pub struct UnknownReporter {
    /// What was asked for.
    pub id: String,
    /// The id that was probably meant.
    pub nearest: Option<&'static str>,
}

/// The reporter with this id.
pub fn find(id: &str) -> Result<&'static Reporter, UnknownReporter> {
    REPORTERS.iter().find(|r| r.id == id).ok_or_else(|| UnknownReporter {
        id: id.to_owned(),
        nearest: nearest(id, REPORTERS.iter().map(|r| r.id)),
    })
}

fn did_you_mean(nearest: Option<&str>) -> String {
    nearest.map(|id| format!(", did you mean '{id}'?")).unwrap_or_default()
}

fn ids() -> String {
    REPORTERS.iter().map(|r| r.id).collect::<Vec<_>>().join(", ")
}
