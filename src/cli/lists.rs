//! `logjam rules`, `formats`, `locks`, `reporters`: the tables of the program, and what makes shells and `man` know it.

use std::io::{self, Write};

use clap::{CommandFactory, ValueEnum};
use serde::Serialize;

use super::args::Args;
use super::exit::ExitCode;
use super::{connect, output, terminal};

/// A row of a list.
#[derive(Serialize)]
pub(super) struct Row {
    /// What the command line and reports call it.
    pub id: String,
    /// What it is, in one line.
    pub about: String,
    /// Where the program knows it from: a format's documentation, a library's source.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<&'static str>,
    /// More about it: what, and the words.
    #[serde(skip_serializing_if = "Vec::is_empty", serialize_with = "as_object")]
    pub details: Vec<(&'static str, &'static str)>,
}

impl Row {
    pub(super) fn new(id: &str, about: String) -> Self {
        Self { id: id.to_owned(), about, source: None, details: Vec::new() }
    }
}

/// Details as the fields of an object: `written_by`, `read`, `never_said`.
fn as_object<S: serde::Serializer>(details: &[(&str, &str)], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(details.iter().map(|(name, text)| (name.replace(' ', "_"), text)))
}

/// Which list.
#[derive(Clone, Copy, Debug)]
pub(super) enum List {
    Rules,
    Formats,
    Locks,
    Reporters,
}

/// How a list is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum ListFormat {
    Text,
    Json,
}

/// Prints a list.
pub(super) fn run(list: List, format: ListFormat) -> ExitCode {
    let rows = match list {
        List::Rules => connect::rules(),
        List::Formats => connect::formats(),
        List::Locks => connect::locks(),
        List::Reporters => connect::reporters(),
    };
    output::write(None, |out| match format {
        ListFormat::Text => text(&rows, out),
        ListFormat::Json => {
            serde_json::to_writer_pretty(&mut *out, &rows)?;
            writeln!(out)
        }
    })
}

fn text(rows: &[Row], out: &mut dyn Write) -> io::Result<()> {
    let widest = rows.iter().map(|row| row.id.len()).max().unwrap_or(0);
    let width = terminal::width(None, true);
    for row in rows {
        let source = row.source.map(|s| format!(" ({s})")).unwrap_or_default();
        writeln!(out, "{:widest$}  {}{source}", row.id, row.about)?;
        for (name, text) in &row.details {
            wrapped(&format!("{name}: {text}"), widest + 4, width, out)?;
        }
    }
    Ok(())
}

/// Writes a text in lines of a width, all of them indented.
fn wrapped(text: &str, indent: usize, width: usize, out: &mut dyn Write) -> io::Result<()> {
    let mut column = 0;
    for word in text.split(' ') {
        let length = word.chars().count();
        if column == 0 {
            write!(out, "{:indent$}{word}", "")?;
        } else if column + 1 + length > width {
            write!(out, "\n{:indent$}  {word}", "")?;
            column = indent + 2 + length;
            continue;
        } else {
            write!(out, " {word}")?;
        }
        column += if column == 0 { indent + length } else { 1 + length };
    }
    writeln!(out)
}

/// Prints what a shell completes the command line with.
pub(super) fn completions(shell: clap_complete::Shell) -> ExitCode {
    output::write(None, |mut out| {
        clap_complete::generate(shell, &mut Args::command(), "logjam", &mut out);
        Ok(())
    })
}

/// Prints the manual page: of the program, or of a subcommand.
pub(super) fn man(subcommand: Option<&str>) -> ExitCode {
    let mut program = Args::command();
    program.build();
    let page = match subcommand {
        Some(name) => program.find_subcommand(name).cloned().unwrap_or(program),
        None => program,
    };
    output::write(None, |mut out| clap_mangen::Man::new(page).render(&mut out))
}
