//! The file format of speedscope.app: a sampled profile for each snapshot, in which a cluster is a sample and
//! its threads are the weight. The innermost frame says the state and the lock, as in `folded`.

use std::collections::BTreeMap;
use std::io::{self, BufWriter, Write};

use serde::Serialize;

use super::document::{Document, Frame, Snapshot};
use super::{View, folded};

#[derive(Serialize)]
struct File<'a> {
    #[serde(rename = "$schema")]
    schema: &'static str,
    exporter: String,
    name: &'a str,
    shared: Shared<'a>,
    profiles: Vec<Profile>,
}

/// The frames of all profiles. Samples name them by their place.
#[derive(Default, Serialize)]
struct Shared<'a> {
    frames: Vec<Place<'a>>,
    #[serde(skip)]
    places: BTreeMap<Place<'a>, usize>,
}

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
struct Place<'a> {
    name: std::borrow::Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<u32>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Profile {
    #[serde(rename = "type")]
    kind: &'static str,
    name: String,
    unit: &'static str,
    start_value: u64,
    end_value: u64,
    samples: Vec<Vec<usize>>,
    weights: Vec<u64>,
}

/// Writes the file.
pub fn write(document: &Document<'_>, _view: &View, out: &mut dyn Write) -> io::Result<()> {
    let mut shared = Shared::default();
    let profiles = document.snapshots.iter().map(|snapshot| profile(snapshot, &mut shared)).collect();
    let file = File {
        schema: "https://www.speedscope.app/file-format-schema.json",
        exporter: format!("{} {}", document.tool.name, document.tool.version),
        name: &document.verdict.headline,
        shared,
        profiles,
    };
    let mut out = BufWriter::with_capacity(1 << 16, out);
    serde_json::to_writer(&mut out, &file)?;
    out.write_all(b"\n")?;
    out.flush()
}

fn profile<'a>(snapshot: &'a Snapshot<'a>, shared: &mut Shared<'a>) -> Profile {
    let samples = snapshot.clusters.iter().map(|cluster| {
        let leaf = Place { name: folded::leaf(cluster, snapshot).into(), file: None, line: None };
        let calls = cluster.frames.iter().rev().map(|frame| Place::of(&frame));
        calls.chain([leaf]).map(|place| shared.place(place)).collect()
    });
    Profile {
        kind: "sampled",
        name: name(snapshot),
        unit: "none",
        start_value: 0,
        samples: samples.collect(),
        weights: snapshot.clusters.iter().map(|cluster| cluster.count).collect(),
        end_value: snapshot.clusters.iter().map(|cluster| cluster.count).sum(),
    }
}

/// `logserver 4332 (dumps/core.4332)`: what speedscope lists the profiles by.
fn name(snapshot: &Snapshot<'_>) -> String {
    let process = &snapshot.process;
    let parts: Vec<String> =
        process.name.map(str::to_owned).into_iter().chain(process.pid.map(|pid| pid.to_string())).collect();
    match &parts[..] {
        [] => snapshot.source.path.to_owned(),
        parts => format!("{} ({})", parts.join(" "), snapshot.source.path),
    }
}

impl<'a> Shared<'a> {
    fn place(&mut self, place: Place<'a>) -> usize {
        let next = self.frames.len();
        *self.places.entry(place).or_insert_with_key(|place| {
            self.frames.push(place.clone());
            next
        })
    }
}

impl<'a> Place<'a> {
    fn of(frame: &Frame<'a>) -> Self {
        Self { name: frame.function.into(), file: frame.file, line: frame.line }
    }
}
