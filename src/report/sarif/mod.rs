//! SARIF 2.1.0 for code scanning: each finding is a result at the line of source where its waiters take the
//! lock. A finding without a line stands at its dump: readers drop results that stand nowhere.

mod log;
mod results;
mod text;
mod uri;

use std::collections::BTreeMap;
use std::io::{self, BufWriter, Write};

use self::log::{
    Artifact, ArtifactLocation, Driver, Invocation, Log, Message, ReportingDescriptor, Run, RunProperties,
    Tool,
};
use super::{Document, View, explain};
use crate::rules::{RULES, Rule};

const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

/// Writes the document and a newline.
pub fn write(document: &Document<'_>, _view: &View, out: &mut dyn Write) -> io::Result<()> {
    let dumps = Dumps::of(document);
    let log = Log {
        schema: SCHEMA,
        version: "2.1.0",
        runs: [Run {
            tool: Tool {
                driver: Driver {
                    name: document.tool.name,
                    version: document.tool.version,
                    semantic_version: document.tool.version,
                    rules: RULES.iter().map(descriptor).collect::<io::Result<_>>()?,
                },
            },
            invocations: [Invocation {
                execution_successful: document.failed_inputs().next().is_none(),
                tool_execution_notifications: results::notifications(document, &dumps),
            }],
            results: document.findings.iter().map(|f| results::result(f, document, &dumps)).collect(),
            artifacts: dumps.artifacts(),
            properties: (!document.redacted.is_empty())
                .then(|| RunProperties { redacted: document.redacted.clone() }),
        }],
    };
    let mut out = BufWriter::new(out);
    serde_json::to_writer(&mut out, &log)?;
    out.write_all(b"\n")?;
    out.flush()
}

/// A rule with its guide: as the terminal shows it, and as the Markdown that it is.
fn descriptor(rule: &Rule) -> io::Result<ReportingDescriptor> {
    let mut help = Vec::new();
    explain::render(rule.guide, &View::default(), &mut help)?;
    let paragraph = rule.guide.split("\n\n").nth(1).unwrap_or_default();
    Ok(ReportingDescriptor {
        id: rule.id.id(),
        short_description: Message { text: paragraph.replace('\n', " ").replace('`', ""), markdown: None },
        help: Message {
            text: String::from_utf8_lossy(&help).into_owned(),
            markdown: Some(rule.guide.to_owned()),
        },
    })
}

/// The dumps as artifacts: each path once, in the order of the inputs.
struct Dumps<'a> {
    places: BTreeMap<&'a str, usize>,
    paths: Vec<&'a str>,
}

impl<'a> Dumps<'a> {
    fn of(document: &Document<'a>) -> Self {
        let mut dumps = Self { places: BTreeMap::new(), paths: Vec::new() };
        let inputs = document.inputs.iter().map(|input| input.path);
        for path in inputs.chain(document.snapshots.iter().map(|s| s.source.path)) {
            if let std::collections::btree_map::Entry::Vacant(place) = dumps.places.entry(path) {
                place.insert(dumps.paths.len());
                dumps.paths.push(path);
            }
        }
        dumps
    }

    fn location(&self, path: &str) -> ArtifactLocation {
        ArtifactLocation { uri: uri::of_path(path), index: self.places.get(path).copied() }
    }

    fn artifacts(&self) -> Vec<Artifact> {
        let artifact = |path: &&str| Artifact { location: self.location(path), roles: ["analysisTarget"] };
        self.paths.iter().map(artifact).collect()
    }
}
