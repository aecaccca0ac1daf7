//! The test cases of a document, as plain text.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use super::xml::legal;
use crate::report::document::{Baseline, Document, Finding, Input, Snapshot, Status};
use crate::report::{View, text};

/// One dump.
pub struct Case {
    /// The path of the dump, with the process where the file holds several.
    pub name: String,
    /// `logjam.<format>`: what CI systems group by.
    pub class: String,
    /// What became of it.
    pub outcome: Outcome,
    /// What does not fail it: how the process is, findings that are known or mild, gaps.
    pub output: String,
}

/// What became of a dump.
pub enum Outcome {
    /// Nothing at or above the threshold.
    Passed,
    /// There was no process in it.
    Skipped { why: String },
    /// Findings at or above the threshold.
    Failure { rule: &'static str, message: String, text: String },
    /// It could not be analyzed.
    Error { why: String },
}

/// Why a finding does not fail its dump.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Excuse {
    Known,
    Ignored,
    Mild,
}

impl Excuse {
    const ALL: [Self; 3] = [Self::Known, Self::Ignored, Self::Mild];

    fn of(finding: &Finding<'_>, view: &View) -> Option<Self> {
        match finding.baseline {
            Some(Baseline::Known) => Some(Self::Known),
            Some(Baseline::Ignored) => Some(Self::Ignored),
            Some(Baseline::New) | None => (finding.severity < view.fail_on).then_some(Self::Mild),
        }
    }

    fn heading(self, view: &View) -> String {
        match self {
            Self::Known => "known: in the baseline, does not fail".into(),
            Self::Ignored => "ignored: does not fail".into(),
            Self::Mild => format!("below the threshold ({}): does not fail", text::id_of(&view.fail_on)),
        }
    }
}

/// All cases, in the order of the inputs.
pub fn of(document: &Document<'_>, view: &View) -> io::Result<Vec<Case>> {
    let mut snapshots: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (n, snapshot) in document.snapshots.iter().enumerate() {
        snapshots.entry(snapshot.source.path).or_default().push(n);
    }
    let with_snapshots: BTreeSet<&str> = snapshots.keys().copied().collect();
    let mut maker = Maker { document, view, findings: by_snapshot(document), names: BTreeMap::new() };
    let mut cases = Vec::new();
    for input in &document.inputs {
        if input.status == Status::Failed || !with_snapshots.contains(input.path) {
            cases.push(maker.input(input));
        }
        // A second input of the same name finds its snapshots told.
        cases.extend(maker.snapshots(&snapshots.remove(input.path).unwrap_or_default())?);
    }
    for (_, rest) in snapshots {
        cases.extend(maker.snapshots(&rest)?);
    }
    Ok(cases)
}

/// For each snapshot the findings that it shows, the worst first.
fn by_snapshot<'d, 'a>(document: &'d Document<'a>) -> Vec<Vec<&'d Finding<'a>>> {
    let mut findings = vec![Vec::new(); document.snapshots.len()];
    for finding in &document.findings {
        let shown_by: BTreeSet<usize> = finding.snapshots.iter().copied().chain([finding.snapshot]).collect();
        for n in shown_by {
            if let Some(list) = findings.get_mut(n) {
                list.push(finding);
            }
        }
    }
    findings
}

struct Maker<'d, 'a> {
    document: &'d Document<'a>,
    view: &'d View,
    findings: Vec<Vec<&'d Finding<'a>>>,
    /// How often each name was given, with its class: readers take two of a name for one.
    names: BTreeMap<(String, String), usize>,
}

impl Maker<'_, '_> {
    fn input(&mut self, input: &Input<'_>) -> Case {
        let outcome = match (input.status, input.error) {
            (Status::Failed, why) => Outcome::Error { why: line(why.unwrap_or("failed")) },
            (Status::Ok | Status::Partial, _) => Outcome::Skipped { why: "there is no process in it".into() },
        };
        let (name, class) = self.unique(line(input.path), "logjam.input".into());
        Case { name, class, outcome, output: String::new() }
    }

    /// The snapshots of one file.
    fn snapshots(&mut self, list: &[usize]) -> io::Result<Vec<Case>> {
        list.iter().map(|&n| self.snapshot(n, list.len() > 1)).collect()
    }

    fn snapshot(&mut self, n: usize, is_one_of_several: bool) -> io::Result<Case> {
        let snapshot = &self.document.snapshots[n];
        let mut name = line(snapshot.source.path);
        if let (true, Some(process)) = (is_one_of_several, text::process(snapshot)) {
            name = format!("{name} {}", line(&process));
        }
        let (name, class) = self.unique(name, format!("logjam.{}", snapshot.source.format.id()));
        let (excused, failing): (Vec<&Finding<'_>>, Vec<&Finding<'_>>) =
            self.findings[n].iter().copied().partition(|finding| Excuse::of(finding, self.view).is_some());
        let mut output = summary(snapshot);
        for excuse in Excuse::ALL {
            let excused: Vec<_> =
                excused.iter().copied().filter(|f| Excuse::of(f, self.view) == Some(excuse)).collect();
            if !excused.is_empty() {
                let findings = text::counted(excused.len() as u64, "finding");
                output += &format!("\n{findings} {}\n{}", excuse.heading(self.view), self.text(&excused)?);
            }
        }
        Ok(Case { name, class, outcome: self.outcome(&failing)?, output: legal(&output).into_owned() })
    }

    fn outcome(&self, failing: &[&Finding<'_>]) -> io::Result<Outcome> {
        let Some(worst) = failing.first() else { return Ok(Outcome::Passed) };
        let more = match failing.len() - 1 {
            0 => String::new(),
            more => format!(" (and {})", text::counted(more as u64, "more finding")),
        };
        let text = legal(&self.text(failing)?).into_owned();
        Ok(Outcome::Failure { rule: worst.rule.id(), message: line(worst.title) + &more, text })
    }

    fn text(&self, findings: &[&Finding<'_>]) -> io::Result<String> {
        findings.iter().map(|finding| text::finding(finding, self.document, self.view)).collect()
    }

    fn unique(&mut self, name: String, class: String) -> (String, String) {
        let times = self.names.entry((class.clone(), name.clone())).or_insert(0);
        *times += 1;
        (if *times > 1 { format!("{name} ({times})") } else { name }, class)
    }
}

/// How the process is, and what of it could not be read.
fn summary(snapshot: &Snapshot<'_>) -> String {
    let mut said = format!("{}\n", text::of_snapshot(snapshot));
    if let Some(states) = text::states([snapshot]) {
        said += &format!("{states}\n");
    }
    for gap in &snapshot.gaps {
        let times =
            if gap.count > 1 { format!(" ({} times)", text::count(gap.count)) } else { String::new() };
        said += &format!("gap: {}{times}\n", text::one_line(gap.message));
    }
    said
}

/// A text of a dump as one line of an attribute.
fn line(text: &str) -> String {
    legal(&text::one_line(text)).into_owned()
}
