//! Cores made by [`encoder`]; what they are is written there.

mod encoder;
mod hostile;
mod layouts;
mod producers;
mod whole;

use crate::model::{GapKind, Snapshot};

fn tids(snapshot: &Snapshot) -> Vec<u32> {
    snapshot.threads.iter().filter_map(|t| t.tid).collect()
}

fn messages(snapshot: &Snapshot, kind: GapKind) -> Vec<&str> {
    snapshot.gaps.iter().filter(|g| g.kind == kind).map(|g| g.message.as_str()).collect()
}
