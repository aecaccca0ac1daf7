//! What a rule says.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use super::RuleId;
use crate::cluster::ClusterIx;
use crate::model::{Evidence, FrameIx, Str, ThreadIx};
use crate::normalize::TestFramework;
use crate::waits::{Holder, LockIx, Target};

/// How bad it is for the process. Ordered from the mildest to the worst.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing.
    Info,
    /// A smell.
    Low,
    /// Slows the process.
    Medium,
    /// Stops part of the process.
    High,
    /// Stops the process.
    Critical,
}

/// How sure the finding is. Ordered from the weakest to the strongest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Confidence {
    /// Look at it.
    Possible,
    /// Probably.
    Likely,
    /// No link of the claim is inferred.
    Certain,
}

/// What kind of contention it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Pattern {
    /// The holder runs or is in I/O.
    SlowHolder,
    /// The holder waits itself.
    Chained,
    /// Many waiters, a holder in user code: throughput, not a hang.
    Convoy,
    /// Nobody holds it.
    Nobody,
}

/// Threads that wait for a lock, and all that wait behind them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Blocked {
    /// That wait for this lock.
    pub direct: u64,
    /// That wait for this lock or for a thread that does, directly or not.
    pub transitive: u64,
}

/// One link of a chain or ring.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// Who waits.
    pub thread: ThreadIx,
    /// For what.
    pub waits_for: Target,
    /// How that is known.
    pub certainty: crate::model::Certainty,
    /// Who has it.
    pub held_by: Option<ThreadIx>,
}

/// Who holds the lock of a finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FindingHolder {
    /// Who.
    pub holder: Holder,
    /// What it does, in words: `blocked in write(fd 4) under log_sink_write`.
    pub doing: Option<String>,
    /// Its cluster.
    pub cluster: Option<ClusterIx>,
}

/// The facts of a crash.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CrashFacts {
    /// `SIGSEGV`.
    pub signal: Option<String>,
    /// `SEGV_MAPERR`, or the number where it has no name.
    pub code: Option<String>,
    /// The fault address.
    pub address: Option<u64>,
    /// Who died.
    pub thread: Option<ThreadIx>,
    /// Why, in words.
    pub reason: String,
    /// The frame to open first.
    pub frame: Option<FrameIx>,
}

/// The place in the program that a person would open first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Location {
    /// The frame.
    pub frame: FrameIx,
}

/// A test that the finding stops.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoppedTest {
    /// Its framework.
    pub framework: TestFramework,
    /// Its name.
    pub name: Str,
    /// The test's own frame: its line is where the test stands.
    pub frame: FrameIx,
    /// The thread that runs it.
    pub thread: ThreadIx,
}

/// One finding of one snapshot.
#[derive(Clone, Debug)]
pub struct Finding {
    /// The rule that found it.
    pub rule: RuleId,
    /// How bad it is.
    pub severity: Severity,
    /// How sure.
    pub confidence: Confidence,
    /// One line that can stand alone.
    pub title: String,
    /// Two to four plain sentences.
    pub summary: String,
    /// The threads that it is about, ascending.
    pub threads: Vec<ThreadIx>,
    /// Victims, for lock findings.
    pub blocked: Option<Blocked>,
    /// The lock.
    pub lock: Option<LockIx>,
    /// Its holder.
    pub holder: Option<FindingHolder>,
    /// What kind of contention.
    pub pattern: Option<Pattern>,
    /// From the waiters to the root blocker, where the holder waits itself.
    pub chain: Vec<Link>,
    /// The thread at the end of the chain.
    pub root: Option<ThreadIx>,
    /// The ring of a deadlock.
    pub cycle: Vec<Link>,
    /// The clusters that show it.
    pub clusters: Vec<ClusterIx>,
    /// Where to look first.
    pub location: Option<Location>,
    /// The tests whose threads it stops. Rules leave it empty: it follows from the rest.
    pub tests: Vec<StoppedTest>,
    /// For `crash` and `stack-overflow`.
    pub crash: Option<CrashFacts>,
    /// Each fact that it stands on, the strongest first.
    pub evidence: Vec<Evidence>,
    /// What to do next.
    pub advice: Vec<String>,
    /// What goes into the fingerprint: the cause.
    pub cause: Vec<String>,
    /// What goes into `fingerprint_detail` besides: what the holder does.
    pub cause_detail: Vec<String>,
}

impl Finding {
    /// A finding with nothing but its claim.
    pub fn new(rule: RuleId, severity: Severity, confidence: Confidence, title: String) -> Self {
        Self {
            rule,
            severity,
            confidence,
            title,
            summary: String::new(),
            threads: Vec::new(),
            blocked: None,
            lock: None,
            holder: None,
            pattern: None,
            chain: Vec::new(),
            root: None,
            cycle: Vec::new(),
            clusters: Vec::new(),
            location: None,
            crash: None,
            evidence: Vec::new(),
            advice: Vec::new(),
            cause: Vec::new(),
            cause_detail: Vec::new(),
            tests: Vec::new(),
        }
    }
}
