//! What people write for lines that they leave out of a dump.

use crate::model::StackEnd;

static WORDS: &[&str] = &["...", "…", "[...]"];

/// What is said of lines that are not in the text.
pub const LEFT_OUT: &str = "lines were cut out of the text: `...` stands in their place";

/// How a stack ends in which such a line stands.
pub const CUT: StackEnd = StackEnd::NoRule;

/// Whether a line stands for others.
pub fn is_left_out(line: &str) -> bool {
    WORDS.contains(&line.trim())
}
