//! Where the command line meets the other stages: which reporters and rules there are, and how
//! inputs become a diagnosis. Nothing else in `cli` names a stage.

use std::io::{self, Write};
use std::path::PathBuf;

use clap::builder::PossibleValue;

use crate::diagnosis::{Diagnosis, InputStatus};
use crate::formats::{FORMATS, Format};
use crate::input::{self, Found, Input, InputError, Progress};
use crate::pipeline::Options;
use crate::rules::RULES;

/// How the report is to look.
#[derive(Clone, Debug, Default)]
#[expect(dead_code, reason = "the reporters read it")]
pub(super) struct View {
    /// The most columns of a line.
    pub(super) width: usize,
    /// Whether the output understands colours.
    pub(super) color: bool,
    /// Everything, where a report would show the first few of many.
    pub(super) show_all: bool,
    /// The thread to show.
    pub(super) thread: Option<String>,
    /// How long the analysis took, in milliseconds.
    pub(super) elapsed_ms: Option<u64>,
}

/// One kind of report.
pub(super) struct Reporter {
    /// Its id on the command line.
    pub(super) id: &'static str,
    /// What it is for: one line for the help.
    pub(super) about: &'static str,
    /// Whether a program reads it, so that it is written even where no input could be analyzed.
    pub(super) is_for_programs: bool,
    /// Writes it.
    pub(super) write: fn(&Diagnosis, &View, &mut dyn Write) -> io::Result<()>,
}

/// All reporters. The first is the default.
pub(super) static REPORTERS: &[Reporter] = &[
    Reporter { id: "text", about: "for people", is_for_programs: false, write: write_text },
    Reporter { id: "json", about: "for scripts: one document", is_for_programs: true, write: write_json },
];

/// The reporter with this id.
pub(super) fn find(id: &str) -> Option<&'static Reporter> {
    REPORTERS.iter().find(|r| r.id == id)
}

/// The ids of the reporters, for the command line.
pub(super) fn reporter_ids() -> impl Iterator<Item = PossibleValue> {
    REPORTERS.iter().map(|r| PossibleValue::new(r.id).help(r.about))
}

/// The ids of the rules, for the command line.
pub(super) fn rule_ids() -> impl Iterator<Item = PossibleValue> {
    RULES.iter().map(|r| PossibleValue::new(r.id.id()))
}

/// The guides: id and text.
pub(super) fn guides() -> impl Iterator<Item = (&'static str, &'static str)> {
    RULES.iter().map(|r| (r.id.id(), r.guide))
}

/// Reads and analyzes inputs.
pub(super) fn analyze(names: &[PathBuf], options: &Options, progress: &dyn Progress) -> Diagnosis {
    let mut diagnosis = Diagnosis::default();
    for name in names {
        for (path, result) in open(name, options, progress) {
            let status = match result {
                Ok((input, _format)) if input.is_cut_compressed => InputStatus::Partial,
                Ok(_) => InputStatus::Ok,
                Err(e) => InputStatus::Failed(e.to_string()),
            };
            diagnosis.inputs.push((path, status));
        }
    }
    diagnosis
}

type Opened = Result<(Input, &'static Format), InputError>;

/// The dumps that a name stands for. Files of a folder that are no dumps are passed over; a folder
/// without any dump is an error.
fn open(name: &PathBuf, options: &Options, progress: &dyn Progress) -> Vec<(String, Opened)> {
    let listing = input::find(name);
    let files = listing.found.len();
    let mut opened = Vec::new();
    for found in listing.found {
        match found {
            Err(e) => opened.push((listing.path.to_string(), Err(e))),
            Ok(found) => match open_file(&found, options, progress) {
                Err(e) if found.from_folder && e.is_no_dump() => {}
                result => opened.push((found.path.to_string(), result)),
            },
        }
    }
    if listing.is_folder && opened.iter().all(|(_, r)| r.is_err()) {
        let path = listing.path.clone();
        let error = InputError::NoDumps { path, files, links: listing.links, looked_for: looked_for() };
        opened.push((listing.path.to_string(), Err(error)));
    }
    opened
}

fn open_file(found: &Found, options: &Options, progress: &dyn Progress) -> Opened {
    let input = input::read(found, &options.input, progress)?;
    let best = FORMATS.iter().map(|f| ((f.recognize)(&input.bytes), f)).max_by_key(|(headers, _)| *headers);
    match best {
        Some((1.., format)) => Ok((input, format)),
        _ => Err(InputError::NotADump {
            path: found.path.clone(),
            looks_like: input::looks_like(&input.bytes),
            looked_for: looked_for(),
        }),
    }
}

/// What a dump is recognized by.
fn looked_for() -> String {
    let each: Vec<_> = FORMATS.iter().map(|f| format!("{} ({})", f.name, f.looked_for)).collect();
    each.join(", ")
}

fn write_text(diagnosis: &Diagnosis, _view: &View, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{}", diagnosis.headline)
}

fn write_json(diagnosis: &Diagnosis, _view: &View, out: &mut dyn Write) -> io::Result<()> {
    let inputs: Vec<_> = diagnosis
        .inputs
        .iter()
        .map(|(path, status)| match status {
            InputStatus::Ok => serde_json::json!({"path": path, "status": "ok"}),
            InputStatus::Partial => serde_json::json!({"path": path, "status": "partial"}),
            InputStatus::Failed(error) => {
                serde_json::json!({"path": path, "status": "failed", "error": error})
            }
        })
        .collect();
    serde_json::to_writer_pretty(&mut *out, &serde_json::json!({"schema_version": 1, "inputs": inputs}))?;
    writeln!(out)
}
