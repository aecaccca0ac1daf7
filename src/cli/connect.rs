//! Where the command line meets the other stages: which reporters and rules there are. Nothing else
//! in `cli` names their tables.

use clap::builder::PossibleValue;

use super::lists::Row;
use crate::formats::{FORMATS, Format};
use crate::report::{self, LEAST_CHARS, Preset, REPORTERS, Reporter, UnknownReporter};
use crate::rules::RULES;
use crate::waits::{LOCKS, LockRow};

/// The id of the reporter that is used when none is asked for.
pub(super) fn default_reporter() -> &'static str {
    REPORTERS.first().map_or("", |r| r.id)
}

/// The ids of the reporters, for the command line.
pub(super) fn reporter_ids() -> impl Iterator<Item = PossibleValue> {
    REPORTERS.iter().map(|r| PossibleValue::new(r.id).help(r.about))
}

/// The reporter with this id.
pub(super) fn reporter(id: &str) -> Result<&'static Reporter, UnknownReporter> {
    report::find(id)
}

/// A number of characters, or the limit of those who take such texts.
pub(super) fn max_chars(text: &str) -> Result<usize, String> {
    let number = match text.parse() {
        Ok(number) => number,
        Err(_) => Preset::find(text).map(Preset::max_chars).ok_or_else(|| {
            let names: Vec<&str> = Preset::ALL.iter().map(|preset| preset.id()).collect();
            format!("it is a number, or one of {}", names.join(", "))
        })?,
    };
    if number < LEAST_CHARS { Err(format!("it is {LEAST_CHARS} at least")) } else { Ok(number) }
}

/// The ids of the rules, for the command line.
pub(super) fn rule_ids() -> impl Iterator<Item = PossibleValue> {
    RULES.iter().map(|r| PossibleValue::new(r.id.id()))
}

/// The ids of the kinds of dumps, for the command line.
pub(super) fn format_ids() -> impl Iterator<Item = PossibleValue> {
    FORMATS.iter().map(|f| PossibleValue::new(f.id.id()))
}

/// The rules, as a list.
pub(super) fn rules() -> Vec<Row> {
    let first = |guide: &str| guide.lines().find(|l| !l.is_empty() && !l.starts_with('#')).map(str::to_owned);
    let row = |(id, guide): (&str, &str)| Row::new(id, first(guide).unwrap_or_default());
    guides().map(row).collect()
}

/// The kinds of dumps, as a list.
pub(super) fn formats() -> Vec<Row> {
    let row = |f: &'static Format| Row {
        details: vec![
            ("written by", f.about.producer),
            ("read", f.about.reads),
            ("never said", f.about.never),
        ],
        ..Row::new(f.id.id(), format!("{}: {}", f.name, f.looked_for))
    };
    FORMATS.iter().map(row).collect()
}

/// The kinds of locks, as a list.
pub(super) fn locks() -> Vec<Row> {
    let about = |row: &LockRow| {
        let holder = if row.has_holder { "" } else { ", which nobody holds" };
        format!("{}{holder}", row.noun)
    };
    let row =
        |row: &LockRow| Row { source: Some(row.source), ..Row::new(&report::id_of(&row.kind), about(row)) };
    LOCKS.iter().map(row).collect()
}

/// The kinds of reports, as a list.
pub(super) fn reporters() -> Vec<Row> {
    REPORTERS.iter().map(|r| Row::new(r.id, r.about.to_owned())).collect()
}

/// The guides: id and text.
pub(super) fn guides() -> impl Iterator<Item = (&'static str, &'static str)> {
    RULES.iter().map(|r| (r.id.id(), r.guide))
}
