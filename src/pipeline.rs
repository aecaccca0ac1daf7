//! Every stage, in order.

use crate::diagnosis::Diagnosis;
use crate::input::InputOptions;
use crate::modules::SearchPaths;
use crate::rules::Limits;

/// What the user may choose.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// How inputs are read.
    pub input: InputOptions,
    /// Where module files may be looked for.
    pub search: SearchPaths,
    /// Limits for the rules.
    pub limits: Limits,
}

/// Analyzes inputs: files, folders, `-`.
pub fn analyze(_inputs: &[String], _options: &Options) -> Diagnosis {
    Diagnosis::default()
}
