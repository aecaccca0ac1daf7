//! How a fact is known: a type, so that nothing inferred can be shown as read.

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::Serialize;

/// How a fact is known. Ordered from the weakest to the strongest, so that the certainty of a
/// chain is the minimum over its links.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Certainty {
    /// Concluded by a rule, which the evidence names.
    Inferred,
    /// The producer of a text dump said so: `held by`, `mutex=0x…`.
    Reported,
    /// Read from memory or registers of the dump.
    Read,
}

/// One fact that a wait, a holder or a finding stands on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// How it is known.
    pub certainty: Certainty,
    /// The fact, a sentence fragment in lower case.
    pub text: Cow<'static, str>,
}

impl Evidence {
    /// A fact from memory or registers.
    pub fn read(text: impl Into<Cow<'static, str>>) -> Self {
        Self { certainty: Certainty::Read, text: text.into() }
    }

    /// A fact that the producer of the dump printed.
    pub fn reported(text: impl Into<Cow<'static, str>>) -> Self {
        Self { certainty: Certainty::Reported, text: text.into() }
    }

    /// A conclusion.
    pub fn inferred(text: impl Into<Cow<'static, str>>) -> Self {
        Self { certainty: Certainty::Inferred, text: text.into() }
    }

    /// A fact of the given certainty.
    pub fn new(certainty: Certainty, text: impl Into<Cow<'static, str>>) -> Self {
        Self { certainty, text: text.into() }
    }
}
