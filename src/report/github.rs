//! Annotations of a GitHub Actions run: a workflow command for each finding, the worst first, because a step
//! shows ten of each level, and one for each input that could not be analyzed.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::{self, Write};

use super::document::{Baseline, Document, Finding, Input, Location};
use super::text::{Part, of_finding, one_line};
use super::{View, text};
use crate::rules::Severity;

/// The most UTF-16 units of a message: the runner cuts what is longer.
const MESSAGE: usize = 4096;
/// The most UTF-16 units of a title that the interface takes.
const TITLE: usize = 255;

/// Writes the commands.
pub fn write(document: &Document<'_>, _view: &View, out: &mut dyn Write) -> io::Result<()> {
    for input in document.failed_inputs() {
        Annotation::of_input(input).write(out)?;
    }
    for finding in &document.findings {
        Annotation::of_finding(finding, document).write(out)?;
    }
    Ok(())
}

/// How loud an annotation is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Level {
    Error,
    Warning,
    Notice,
}

impl Level {
    fn command(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Notice => "notice",
        }
    }

    /// What is in the baseline is not news.
    fn of(finding: &Finding<'_>) -> Self {
        match (finding.baseline, finding.severity) {
            (Some(Baseline::Known | Baseline::Ignored), _) => Self::Notice,
            (_, Severity::Critical | Severity::High) => Self::Error,
            (_, Severity::Medium) => Self::Warning,
            (_, Severity::Low | Severity::Info) => Self::Notice,
        }
    }
}

/// One command. The runner takes no place but a file, with or without a line.
struct Annotation<'a> {
    level: Level,
    place: Option<Location<'a>>,
    title: String,
    parts: Vec<Part>,
}

impl<'a> Annotation<'a> {
    fn of_finding(finding: &Finding<'a>, document: &Document<'a>) -> Self {
        let snapshot = document.snapshots.get(finding.snapshot);
        let known = match finding.baseline {
            Some(Baseline::Known) => " (known)",
            Some(Baseline::Ignored) => " (ignored)",
            Some(Baseline::New) | None => "",
        };
        let rule = finding.rule.id();
        Self {
            level: Level::of(finding),
            place: snapshot.and_then(|snapshot| finding.place(snapshot)),
            title: format!("{rule}{known}: {}", one_line(finding.title)),
            parts: of_finding(finding, document),
        }
        .with_short_title(&format!("{rule}{known}"))
    }

    fn of_input(input: &Input<'_>) -> Self {
        let why = one_line(input.error.unwrap_or("failed"));
        let text = if why.contains(&one_line(input.path)) {
            why
        } else {
            format!("{}: {why}", one_line(input.path))
        };
        Self {
            level: Level::Error,
            place: None,
            title: "logjam: a dump could not be analyzed".into(),
            parts: vec![Part { kind: text::Kind::Summary, text }],
        }
    }

    /// A title that is too long becomes the first paragraph.
    fn with_short_title(mut self, short: &str) -> Self {
        if units(&self.title) > TITLE {
            let text = std::mem::replace(&mut self.title, short.to_owned());
            self.parts.insert(0, Part { kind: text::Kind::Summary, text });
        }
        self
    }

    fn write(self, out: &mut dyn Write) -> io::Result<()> {
        let mut properties = String::new();
        if let Some(file) = self.place.as_ref().and_then(|place| place.file) {
            // Writing to a `String` does not fail.
            let _ = write!(properties, "file={},", property(&one_line(file)));
            if let Some(line) = self.place.and_then(|place| place.line).filter(|&line| line > 0) {
                let _ = write!(properties, "line={line},");
            }
        }
        let (command, title) = (self.level.command(), property(&self.title));
        writeln!(out, "::{command} {properties}title={title}::{}", data(&bounded(&self.parts)))
    }
}

/// The paragraphs as one message that the runner takes whole: the most important that fit, the rest counted.
fn bounded(parts: &[Part]) -> String {
    let whole = joined(parts.iter().map(|part| &*part.text));
    if units(&whole) <= MESSAGE {
        return whole;
    }
    let mut by_importance: Vec<usize> = (0..parts.len()).collect();
    by_importance.sort_by_key(|&n| (parts[n].kind, n));
    let mut room = MESSAGE - units(&left_out(parts.len()));
    let mut kept = BTreeSet::new();
    for n in by_importance {
        let needed = units(&parts[n].text) + 1;
        if needed <= room {
            room -= needed;
            kept.insert(n);
        }
    }
    let note = left_out(parts.len() - kept.len());
    joined(kept.iter().map(|&n| &*parts[n].text).chain([&*note]))
}

fn joined<'t>(lines: impl Iterator<Item = &'t str>) -> String {
    lines.collect::<Vec<_>>().join("\n")
}

fn left_out(count: usize) -> String {
    let parts = if count == 1 { "1 part does".to_owned() } else { format!("{count} parts do") };
    format!("({parts} not fit in here: the text report has everything)")
}

fn units(text: &str) -> usize {
    text.encode_utf16().count()
}

/// Escapes the message of a command.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// Escapes a property of a command.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
