//! The file of known findings.
//!
//! ```json
//! {
//!   "logjam_baseline": 1,
//!   "findings": [
//!     {"fingerprint": "lj1:b405f43ec672f263", "rule": "lock-contention", "title": "…"}
//!   ]
//! }
//! ```

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::judge::{Judgement, Standing};
use crate::diagnosis::Diagnosis;
use crate::rules::Severity;

const VERSION: u64 = 1;

/// Findings that are known, by fingerprint.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Baseline {
    findings: BTreeMap<String, KnownFinding>,
}

/// A known finding. Rule and title are for people who read the file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownFinding {
    /// Its fingerprint.
    pub fingerprint: String,
    /// The rule that found it.
    pub rule: String,
    /// Its title when it was written down.
    pub title: String,
}

/// Why a file is no baseline.
#[derive(Debug, thiserror::Error)]
pub enum BaselineError {
    /// It is no JSON, or not of the form above.
    #[error("it is no baseline, or damaged: {0}")]
    Damaged(serde_json::Error),
    /// It is of another version of the program.
    #[error("it is a baseline of version {0}; this program reads version {VERSION}")]
    Version(u64),
    /// A fingerprint is none.
    #[error("it is damaged: {0}")]
    Fingerprint(#[from] FingerprintError),
}

#[derive(Serialize, Deserialize)]
struct File {
    logjam_baseline: u64,
    findings: Vec<KnownFinding>,
}

#[derive(Deserialize)]
struct Version {
    logjam_baseline: u64,
}

impl Baseline {
    /// Reads the content of a file.
    pub fn parse(content: &[u8]) -> Result<Self, BaselineError> {
        let version: Version = serde_json::from_slice(content).map_err(BaselineError::Damaged)?;
        if version.logjam_baseline != VERSION {
            return Err(BaselineError::Version(version.logjam_baseline));
        }
        let file: File = serde_json::from_slice(content).map_err(BaselineError::Damaged)?;
        let mut findings = BTreeMap::new();
        for finding in file.findings {
            fingerprint(&finding.fingerprint)?;
            findings.insert(finding.fingerprint.clone(), finding);
        }
        Ok(Self { findings })
    }

    /// What is to be known from now on: all that is worse than `info` and is not ignored.
    pub fn of(diagnosis: &Diagnosis, judgement: &Judgement) -> Self {
        let counts = diagnosis.findings.iter().zip(&judgement.standings).filter(|(ranked, standing)| {
            ranked.finding.severity > Severity::Info && !matches!(standing, Standing::Ignored { .. })
        });
        let known = counts.map(|(ranked, _)| KnownFinding {
            fingerprint: ranked.fingerprint.clone(),
            rule: ranked.finding.rule.id().into(),
            title: ranked.finding.title.clone(),
        });
        let mut findings = BTreeMap::new();
        for finding in known {
            // Of several with one fingerprint the worst gives the title: it comes first.
            findings.entry(finding.fingerprint.clone()).or_insert(finding);
        }
        Self { findings }
    }

    /// The content of its file: the same for the same findings.
    pub fn to_json(&self) -> String {
        let file = File { logjam_baseline: VERSION, findings: self.findings.values().cloned().collect() };
        // Strings and a number: nothing that JSON does not have.
        serde_json::to_string_pretty(&file).unwrap_or_default() + "\n"
    }

    /// Whether a finding is known.
    pub fn contains(&self, fingerprint: &str) -> bool {
        self.findings.contains_key(fingerprint)
    }

    /// The known findings, by fingerprint.
    pub fn iter(&self) -> impl Iterator<Item = &KnownFinding> {
        self.findings.values()
    }
}

/// What is no fingerprint.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is no fingerprint: one is lj1: and 16 hexadecimal digits, as the report shows it")]
pub struct FingerprintError(String);

/// A fingerprint of the user's.
pub fn fingerprint(text: &str) -> Result<String, FingerprintError> {
    let is_digit = |b: u8| matches!(b, b'0'..=b'9' | b'a'..=b'f');
    let is_right = text.strip_prefix("lj1:").is_some_and(|hex| hex.len() == 16 && hex.bytes().all(is_digit));
    if is_right { Ok(text.to_owned()) } else { Err(FingerprintError(text.to_owned())) }
}
