//! `logjam.toml`: what a project wants of its dumps. This stage reads the text and makes of it what the other stages
//! ask for; the command line finds the file, and its options win over it.
//!
//! ```toml
//! redact = "paths,users,hosts"
//!
//! [check]
//! fail-on = "high"
//! max-threads = 2000
//! max-blocked = 100
//! baseline = "logjam-baseline.json"   # beside this file
//! require-dumps = true
//!
//! [[runbook]]
//! rule = "lock-contention"
//! class = "logging"
//! link = "https://wiki.example.com/slow-logging"
//!
//! [[role]]
//! function = "acme::Gate::enter*"
//! role = "lock"
//!
//! [[pool]]
//! threads = "http-exec-*"
//! size = 64
//!
//! [[ignore]]
//! fingerprint = "lj1:b405f43ec672f263"
//! reason = "the vendor's release of March mends it"
//! expires = "2027-03-31"
//! ```

mod error;
mod text;

#[cfg(test)]
mod tests;

pub use error::{ConfigError, by_id, redact_kinds};

use std::path::PathBuf;

use crate::check::Ignore;
use crate::diagnosis::Runbook;
use crate::normalize::UserRole;
use crate::redact::Kinds;
use crate::rules::{Pool, Severity};

/// The name of the file.
pub const FILE_NAME: &str = "logjam.toml";

/// What a file says. What it does not say is `None`, or an empty list.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Config {
    /// The severity from which on findings fail a check.
    pub fail_on: Option<Severity>,
    /// More threads than this are a finding, and fail a check.
    pub max_threads: Option<u64>,
    /// More threads than this that wait for locks fail a check.
    pub max_blocked: Option<u64>,
    /// The file of known findings, as the text has it: relative to the configuration's folder.
    pub baseline: Option<PathBuf>,
    /// Whether a folder without dumps fails a check.
    pub require_dumps: Option<bool>,
    /// Kinds of text that are removed from every report.
    pub redact: Option<Kinds>,
    /// Guides of the user.
    pub runbooks: Vec<Runbook>,
    /// What functions are for.
    pub roles: Vec<UserRole>,
    /// Pools and their sizes.
    pub pools: Vec<Pool>,
    /// Findings that never fail a check.
    pub ignore: Vec<Ignore>,
}

impl Config {
    /// Reads the text of a file.
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        text::parse(text)
    }
}
