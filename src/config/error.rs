//! What is wrong with a configuration, and where.

use std::ops::Range;

use serde::de::value::{Error as ValueError, StrDeserializer};
use serde::de::{DeserializeOwned, IntoDeserializer};

use crate::redact::{Kind, Kinds};
use crate::report::nearest;

/// What is wrong with a configuration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {message}")]
pub struct ConfigError {
    /// The line, from 1 on.
    pub line: usize,
    /// What is wrong, and what is allowed.
    pub message: String,
}

impl ConfigError {
    pub(super) fn at(text: &str, place: Option<Range<usize>>, message: impl Into<String>) -> Self {
        let before = text.get(..place.map_or(0, |p| p.start)).unwrap_or_default();
        Self { line: before.matches('\n').count() + 1, message: message.into() }
    }

    /// What the parser says, with the key of a wrong value.
    pub(super) fn of_parser(text: &str, error: &toml::de::Error) -> Self {
        let said = error.message().replace('\n', ", ");
        let mut wrong = Self::at(text, error.span(), "");
        let key =
            text.lines().nth(wrong.line - 1).and_then(|line| line.split_once('=')).map(|(key, _)| key.trim());
        wrong.message = match key.filter(|_| said.starts_with("invalid ")) {
            Some(key) => format!("{key}: {}", said.replace("u64", "a whole number that is not negative")),
            None => with_suggestion(said),
        };
        wrong
    }
}

/// A value of a closed list by its id, on the command line as in the file. What is wrong says what there is.
pub fn by_id<T: DeserializeOwned>(id: &str) -> Result<T, String> {
    let id: StrDeserializer<'_, ValueError> = id.into_deserializer();
    T::deserialize(id).map_err(|e| with_suggestion(e.to_string()))
}

/// The kinds of text to be removed from reports: ids apart by commas, `all` or `none`.
pub fn redact_kinds(list: &str) -> Result<Kinds, String> {
    match list.trim() {
        "all" => Ok(Kinds::all()),
        "none" => Ok(Kinds::NONE),
        list => list.split(',').map(|id| by_id::<Kind>(id.trim())).collect(),
    }
}

/// With the name that was probably meant, where the parser says which ones it knows:
///
/// ```text
/// unknown field `fial-on`, expected one of `fail-on`, `max-threads`
/// ```
fn with_suggestion(said: String) -> String {
    let names: Vec<&str> = said.split('`').skip(1).step_by(2).collect();
    let meant = names.split_first().filter(|_| said.starts_with("unknown "));
    match meant.and_then(|(wrong, allowed)| nearest(wrong, allowed)) {
        Some(name) => format!("{said}; did you mean `{name}`?"),
        None => said,
    }
}
