//! The parts of a finding: who waits for whom, what died, which tests are stopped, what it stands on.

use schemars::JsonSchema;
use serde::Serialize;

use super::frame::Frame;
use super::ids::Hex;
use super::resolve::Resolver;
use super::thread_record::{ThreadRef, WaitsFor};
use crate::model::Certainty;
use crate::rules;

/// One link of a chain or ring: a thread, what it waits for, and who has that.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Link<'a> {
    /// Who waits.
    pub thread: ThreadRef<'a>,
    /// For what.
    pub waits_for: WaitsFor<'a>,
    /// Who has it, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub held_by: Option<ThreadRef<'a>>,
}

impl<'a> Link<'a> {
    pub(super) fn list(links: &'a [rules::Link], names: Resolver<'a>) -> Vec<Self> {
        let resolve = |link: &'a rules::Link| {
            Some(Self {
                thread: names.thread(link.thread)?,
                waits_for: WaitsFor::of(&link.waits_for, link.certainty, names),
                held_by: link.held_by.and_then(|thread| names.thread(thread)),
            })
        };
        links.iter().filter_map(resolve).collect()
    }
}

/// Threads that wait, directly or behind others.
#[derive(Clone, Copy, Debug, Serialize, JsonSchema)]
pub struct Blocked {
    /// Threads that wait for this lock.
    pub direct: u64,
    /// Threads that wait for this lock, or for a thread that does, directly or not.
    pub transitive: u64,
}

/// Why the process died.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Crash<'a> {
    /// The signal: `SIGSEGV`.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub signal: &'a str,
    /// Its code: `SEGV_MAPERR`, or the number where it has no name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<&'a str>,
    /// The fault address, where the signal has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<Hex>,
    /// The thread that died.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub thread: Option<ThreadRef<'a>>,
    /// Why, in words.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub reason: &'a str,
    /// The frame to open first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub frame: Option<Frame<'a>>,
}

impl<'a> Crash<'a> {
    /// The signal, or that there was none.
    pub fn what(&self) -> &'a str {
        if self.signal.is_empty() { "ended" } else { self.signal }
    }

    pub(super) fn of(facts: &'a rules::CrashFacts, names: Resolver<'a>) -> Self {
        Self {
            signal: facts.signal.as_deref().unwrap_or_default(),
            code: facts.code.as_deref(),
            address: facts.address.map(Hex),
            thread: facts.thread.and_then(|thread| names.thread(thread)),
            reason: &facts.reason,
            frame: facts.frame.map(|frame| names.frame(frame)),
        }
    }
}

/// A test whose thread the finding stops, where frames of a test framework say so.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Test<'a> {
    /// The framework: `googletest`, `pytest`.
    pub framework: &'a str,
    /// The test's name.
    pub name: &'a str,
    /// Its source file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<&'a str>,
    /// The line in it, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    /// The thread that runs it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub thread: Option<ThreadRef<'a>>,
}

impl<'a> Test<'a> {
    pub(super) fn list(tests: &'a [rules::StoppedTest], names: Resolver<'a>) -> Vec<Self> {
        let resolve = |test: &'a rules::StoppedTest| {
            let frame = names.frame(test.frame);
            Self {
                framework: test.framework.id(),
                name: &test.name,
                file: frame.file,
                line: frame.line,
                thread: names.thread(test.thread),
            }
        };
        tests.iter().map(resolve).collect()
    }
}

/// One fact that a finding stands on.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Evidence<'a> {
    /// How it is known.
    pub certainty: Certainty,
    /// The fact, a sentence fragment.
    pub text: &'a str,
    /// The frame that shows it, where one does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub frame: Option<Frame<'a>>,
    /// Where in the input it stands, in bytes, where known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offset: Option<u64>,
}
