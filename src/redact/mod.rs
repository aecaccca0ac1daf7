//! Takes out of a diagnosis what must not leave the house, before any report is made of it. What was found stays:
//! clusters, counts, ranks and fingerprints are those of the whole diagnosis. `docs/redaction.md` is the rule.
//!
//! [`secrets`] collects what the dump itself calls a path, a thread, an argument; [`scan`] and [`machine`] find what
//! looks like an address, a path or a machine; [`scrubber`] replaces both in one text; [`diagnosis`], [`finding`] and
//! [`snapshot`] take apart every structure that has text. They name each field, so that a new one does not compile
//! before somebody has said what becomes of it.

mod diagnosis;
mod finding;
mod kind;
mod machine;
mod scan;
mod scrubber;
mod secrets;
mod snapshot;
mod tokens;

pub use kind::{Kind, Kinds};

use crate::check::Judgement;
use crate::diagnosis::{Analyzed, Diagnosis};
use scrubber::Scrubber;
use secrets::Secrets;

/// What was replaced by what.
pub struct Redaction {
    scrubber: Scrubber,
}

impl Redaction {
    /// The name under which a thread is now known.
    pub fn thread(&mut self, name: &str) -> String {
        self.scrubber.thread(name)
    }
}

/// Removes these kinds of text from a diagnosis, and from what a check said of it.
pub fn redact(diagnosis: &mut Diagnosis, judgement: Option<&mut Judgement>, kinds: Kinds) -> Redaction {
    if !kinds.is_empty() {
        diagnosis.snapshots.iter_mut().for_each(Analyzed::tell_quiet_locks);
    }
    let secrets = if kinds.is_empty() {
        Secrets::default()
    } else {
        Secrets::of(diagnosis, judgement.as_deref(), kinds)
    };
    let mut scrubber = Scrubber::new(kinds, secrets);
    if !kinds.is_empty() {
        diagnosis::redact(diagnosis, judgement, &mut scrubber);
    }
    Redaction { scrubber }
}
