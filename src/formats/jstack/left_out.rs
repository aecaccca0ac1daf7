//! What people write for lines that they leave out of a dump. The JVM says of what it leaves out what it is, but for
//! `ThreadInfo.toString`, which ends each stack of more frames than it prints with dots.

use crate::model::{GapKind, Snapshot, StackEnd};

static WORDS: &[&str] = &["...", "…", "[...]"];

/// What is said of lines that are not in the text.
pub(super) const MESSAGE: &str = "lines were cut out of the text: `...` stands in their place";

/// How a stack ends in which such a line stands.
pub(super) const CUT: StackEnd = StackEnd::NoRule;

/// Whether a line stands for others.
pub(super) fn is_left_out(line: &str) -> bool {
    WORDS.contains(&line.trim())
}

/// Says of a dump how many of its stacks have such lines.
pub(super) fn tell(snapshot: &mut Snapshot) {
    let count = snapshot.threads.iter().filter(|thread| thread.stack_end == CUT).count();
    if count > 0 {
        snapshot.gaps.add_many(GapKind::Truncated, MESSAGE, count as u64, None);
        snapshot.is_complete = false;
    }
}
