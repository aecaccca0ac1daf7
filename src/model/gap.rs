//! What was left out, could not be read, or was not understood.

use schemars::JsonSchema;
use serde::Serialize;

/// The kind of a gap.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum GapKind {
    /// The file ends before its own headers say it should, or a text dump breaks off.
    Truncated,
    /// A header or note contradicts itself or the file and was passed over.
    Damaged,
    /// Memory that the producer left out of the dump (filters, `p_filesz` < `p_memsz`).
    NotDumped,
    /// A file that the dump names was not found, so its functions have no names.
    MissingModule,
    /// A file was found, but it is not the one that was running; it was not used.
    MismatchedModule,
    /// Something that this version does not read: an architecture, a note, a compression.
    Unsupported,
    /// Text inside a dump that was not understood and was skipped.
    SkippedText,
    /// A stack that could not be followed to its end.
    IncompleteStack,
    /// A limit of the producer or of this program cut something off.
    Limit,
    /// The input changed while it was read.
    Changed,
}

/// One gap. Several of one kind and message are one gap with a count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gap {
    /// What kind of gap it is.
    pub kind: GapKind,
    /// What is missing and what that means, one sentence.
    pub message: String,
    /// How many times.
    pub count: u64,
    /// Where in the input (bytes from its start) the first of them is, where known.
    pub offset: Option<u64>,
}

/// A list of gaps that merges repeats.
#[derive(Clone, Debug, Default)]
pub struct Gaps(Vec<Gap>);

impl Gaps {
    /// Adds a gap, or counts it when one of that kind and message is there.
    pub fn add(&mut self, kind: GapKind, message: impl Into<String>, offset: Option<u64>) {
        self.add_many(kind, message, 1, offset);
    }

    /// Adds `count` gaps of one kind and message.
    pub fn add_many(&mut self, kind: GapKind, message: impl Into<String>, count: u64, offset: Option<u64>) {
        let message = message.into();
        if count == 0 {
            return;
        }
        match self.0.iter_mut().find(|g| g.kind == kind && g.message == message) {
            Some(known) => {
                known.count += count;
                known.offset = match (known.offset, offset) {
                    (Some(a), Some(b)) => Some(a.min(b)),
                    (a, b) => a.or(b),
                };
            }
            None => self.0.push(Gap { kind, message, count, offset }),
        }
    }

    /// Adds gaps of one kind of which the message quotes the first: `…; the first: - leased <0x1>`.
    pub fn add_many_like(&mut self, kind: GapKind, message: &str, count: u64, sample: &str, offset: u64) {
        match self.0.iter_mut().find(|g| g.kind == kind && g.message.starts_with(message)) {
            Some(known) => known.count += count,
            None => self.add_many(kind, format!("{message}; the first: {sample}"), count, Some(offset)),
        }
    }

    /// Adds a gap of which the message quotes the first of its like.
    pub fn add_like(&mut self, kind: GapKind, message: &str, sample: &str, offset: u64) {
        self.add_many_like(kind, message, 1, sample, offset);
    }

    /// Takes over another list.
    pub fn extend(&mut self, other: Gaps) {
        for gap in other.0 {
            self.add_many(gap.kind, gap.message, gap.count, gap.offset);
        }
    }

    /// Words the messages differently; gaps whose messages become equal are one.
    pub fn reword(&mut self, mut word: impl FnMut(&str) -> String) {
        for gap in std::mem::take(&mut self.0) {
            self.add_many(gap.kind, word(&gap.message), gap.count, gap.offset);
        }
    }

    /// The gaps, in the order in which they were found.
    pub fn iter(&self) -> impl Iterator<Item = &Gap> {
        self.0.iter()
    }

    /// Whether nothing was missed.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether there is a gap of this kind.
    pub fn has(&self, kind: GapKind) -> bool {
        self.0.iter().any(|g| g.kind == kind)
    }
}
