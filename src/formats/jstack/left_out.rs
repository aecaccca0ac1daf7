//! Stacks of a dump of which somebody left lines out. The JVM says of what it leaves out what it is, but for
//! `ThreadInfo.toString`, which ends each stack of more frames than it prints with dots.

use crate::formats::text::{CUT, LEFT_OUT};
use crate::model::{GapKind, Snapshot};

/// Says of a dump how many of its stacks have such lines.
pub(super) fn tell(snapshot: &mut Snapshot) {
    let count = snapshot.threads.iter().filter(|thread| thread.stack_end == CUT).count();
    if count > 0 {
        snapshot.gaps.add_many(GapKind::Truncated, LEFT_OUT, count as u64, None);
        snapshot.is_complete = false;
    }
}
