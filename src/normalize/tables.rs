//! What functions mean.

use super::{Meaning, Role};
use crate::model::Frame;

/// What a frame means.
pub fn meaning(frame: &Frame) -> Meaning {
    Meaning {
        name: frame.function.clone().unwrap_or_else(|| "??".into()),
        role: Role::User,
        wait: None,
        class: None,
    }
}
