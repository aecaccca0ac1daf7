//! A finding in plain paragraphs, for formats that wrap text themselves or have a limit on it. As everything
//! that goes through [`Text`], they are escaped: what is hidden in a text of a dump is visible here.

use super::layout::Text;
use super::{finding, header, words};
use crate::report::document::{Document, Finding, Holder, Snapshot};

/// What a paragraph says, the most important first: where room is short, the last are left out first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// What is wrong.
    Summary,
    /// Which test it stops.
    Test,
    /// Which dump shows it.
    Dump,
    /// Where to read on.
    Guide,
    /// Who holds the lock.
    Holder,
    /// Which lock.
    Lock,
    /// What to do.
    Advice,
    /// What the finding stands on.
    Evidence,
}

/// One paragraph.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// What it says.
    pub kind: Kind,
    /// The paragraph: one line, escaped.
    pub text: String,
}

/// The paragraphs in the order in which they are read. The title is not among them.
pub fn of_finding(f: &Finding<'_>, document: &Document<'_>) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut add = |kind, text: Text| parts.push(Part { kind, text: text.into_string() });
    if !f.summary.is_empty() {
        add(Kind::Summary, Text::from(f.summary));
    }
    for test in f.tests.iter().take(finding::LISTED_TESTS) {
        let said = Text::from("Test: ").plain(test.name).plain(format!(" ({})", test.framework));
        let place = test.file.map(|file| (file, test.line));
        add(
            Kind::Test,
            match place {
                Some((file, Some(line))) => said.plain(" at ").plain(file).plain(format!(":{line}")),
                Some((file, None)) => said.plain(" at ").plain(file),
                None => said,
            },
        );
    }
    if let Some(rest) = f.tests.len().checked_sub(finding::LISTED_TESTS).filter(|&rest| rest > 0) {
        add(Kind::Test, Text::from(format!("… and {}", words::counted(rest as u64, "more test"))));
    }
    let snapshot = document.snapshots.get(f.snapshot);
    let lock = f.lock.zip(snapshot).and_then(|(id, s)| s.lock(id));
    if let Some(lock) = lock {
        add(Kind::Lock, Text::from("Lock: ").plain(words::lock(&lock)));
    }
    if let Some(holder) = &f.holder {
        add(Kind::Holder, Text::from("Holder: ").then(finding::who_holds(holder)));
    }
    for fact in &f.evidence {
        let how = finding::certainty(fact.certainty);
        add(Kind::Evidence, Text::from("Because: ").plain(fact.text).plain(" (").then(how).plain(")"));
    }
    // A short summary is often its title and the advice.
    for advice in f.advice.iter().filter(|advice| !f.summary.contains(advice.as_str())) {
        add(Kind::Advice, Text::from("Next: ").plain(advice));
    }
    if let Some(snapshot) = snapshot {
        add(Kind::Dump, Text::from("Dump: ").plain(of_snapshot(snapshot)));
    }
    add(Kind::Guide, Text::from("Guide: ").plain(&f.runbook).plain(" · ").plain(f.fingerprint));
    parts
}

/// `Holder: thread 9331 (read), blocked in write(fd 7) under log_sink_write`.
pub fn of_holder(holder: &Holder<'_>) -> String {
    Text::from("Holder: ").then(finding::who_holds(holder)).into_string()
}

/// `core.zst, ELF core, x86-64, logserver[4332] died of SIGABRT, 5,001 threads`, the path in full.
pub fn of_snapshot(snapshot: &Snapshot<'_>) -> String {
    let mut parts = header::of_snapshot(snapshot);
    if let Some(first) = parts.first_mut() {
        *first = snapshot.source.path.to_owned();
    }
    one_line(&parts.join(", "))
}

/// A text of a dump as one line in which nothing is hidden.
pub fn one_line(text: &str) -> String {
    Text::from(text).into_string()
}
