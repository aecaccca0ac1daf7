//! All reporters are tested on the same diagnoses: see [`sample`].

mod builder;
mod csv;
mod explain;
mod folded;
mod github;
mod graph;
mod json;
mod junit;
mod markdown;
mod ndjson;
mod prometheus;
mod redact;
mod reporters;
pub mod sample;
mod sarif;
mod speedscope;
mod text;

use super::{Document, View, find};
use crate::diagnosis::Diagnosis;

/// What the reporter with this id writes.
fn written(id: &str, diagnosis: &Diagnosis, view: &View) -> String {
    let mut out = Vec::new();
    (find(id).unwrap().write)(&Document::of(diagnosis), view, &mut out).unwrap();
    String::from_utf8(out).expect("UTF-8")
}
