//! Where the waiters of a lock stand in the functions that take it.

use super::Scene;
use crate::model::{FrameIx, StackIx};

/// Different places that take one lock; of more only the names count.
const MOST_SECTIONS: usize = 64;

/// Where waiters of a lock stand in a function that takes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Section {
    pub frame: FrameIx,
    /// What it called is the slow path of a lock that is inlined.
    pub is_slow_path: bool,
}

/// What slow paths are called: `lock_contended`, `lockSlow`, `__lll_lock_wait`.
const SLOW_PATHS: [&str; 4] = ["slow", "contended", "wait", "futex"];

/// Where the waiters of a lock stand in the functions that take it. Empty: too many places.
pub(super) fn sections(stacks: &[StackIx], scene: Scene<'_>) -> Vec<Section> {
    let Scene { snapshot, meanings, .. } = scene;
    let mut sections: Vec<Section> = stacks
        .iter()
        .filter_map(|&stack| {
            let at = scene.sections.of(stack)?;
            let frames = snapshot.stacks.frames_of(stack);
            let called = at.checked_sub(1).and_then(|called| frames.get(called));
            let name = called.map(|&frame| meanings.get(frame).name.to_ascii_lowercase());
            let is_slow_path = name.is_some_and(|name| SLOW_PATHS.iter().any(|word| name.contains(word)));
            Some(Section { frame: *frames.get(at)?, is_slow_path })
        })
        .collect();
    sections.sort_unstable();
    sections.dedup();
    if sections.len() > MOST_SECTIONS { Vec::new() } else { sections }
}
