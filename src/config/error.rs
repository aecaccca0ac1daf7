//! What is wrong with a configuration, and where.

use std::ops::Range;

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

    /// What the parser says, with a suggestion for a name that it does not know:
    ///
    /// ```text
    /// unknown field `fial-on`, expected one of `fail-on`, `max-threads`
    /// ```
    pub(super) fn of_parser(text: &str, error: &toml::de::Error) -> Self {
        let said = error.message().replace('\n', ", ");
        let names: Vec<&str> = said.split('`').skip(1).step_by(2).collect();
        let meant = names.split_first().filter(|_| said.starts_with("unknown "));
        let meant = meant.and_then(|(wrong, allowed)| nearest(wrong, allowed));
        let suggestion = meant.map(|name| format!("; did you mean `{name}`?")).unwrap_or_default();
        let mut wrong = Self::at(text, error.span(), "");
        let key =
            text.lines().nth(wrong.line - 1).and_then(|line| line.split_once('=')).map(|(key, _)| key.trim());
        wrong.message = match key.filter(|_| said.starts_with("invalid ")) {
            Some(key) => format!("{key}: {}", said.replace("u64", "a whole number that is not negative")),
            None => format!("{said}{suggestion}"),
        };
        wrong
    }
}
