//! Which test a stack runs, as the functions of a test framework in it say. The frameworks are data:
//! [`test_calls`](super::tables::test_calls).

use super::meaning::{applies, is_name};
use super::tables::row::Pattern;
use super::tables::test_calls::{OwnFrame, TABLE, TRAMPOLINES, TestCalls};
use super::test_name::{self, NameForm};
use super::{Meanings, Role};
use crate::model::{FrameIx, StackTable, Str};

/// A framework of tests. JUnit's versions are one: its older tests run under the engine of the newer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TestFramework {
    /// GoogleTest.
    GoogleTest,
    /// Catch2.
    Catch2,
    /// doctest.
    Doctest,
    /// Boost.Test.
    BoostTest,
    /// CppUnit.
    CppUnit,
    /// CppUTest.
    CppUTest,
    /// Qt Test.
    QtTest,
    /// Check.
    Check,
    /// cmocka.
    Cmocka,
    /// GLib's testing.
    GLib,
    /// Rust's own.
    Libtest,
    /// Go's `testing`.
    Go,
    /// JUnit 3 to 6.
    JUnit,
    /// TestNG.
    TestNg,
    /// pytest.
    Pytest,
    /// Python's `unittest`.
    Unittest,
    /// xUnit.net.
    XUnit,
    /// NUnit.
    NUnit,
    /// MSTest.
    MsTest,
    /// XCTest.
    XcTest,
    /// Mocha.
    Mocha,
    /// Jest.
    Jest,
    /// RSpec.
    RSpec,
    /// Minitest.
    Minitest,
}

impl TestFramework {
    /// The name in reports.
    pub fn id(self) -> &'static str {
        match self {
            Self::GoogleTest => "googletest",
            Self::Catch2 => "catch2",
            Self::Doctest => "doctest",
            Self::BoostTest => "boost-test",
            Self::CppUnit => "cppunit",
            Self::CppUTest => "cpputest",
            Self::QtTest => "qt-test",
            Self::Check => "check",
            Self::Cmocka => "cmocka",
            Self::GLib => "glib",
            Self::Libtest => "libtest",
            Self::Go => "go",
            Self::JUnit => "junit",
            Self::TestNg => "testng",
            Self::Pytest => "pytest",
            Self::Unittest => "unittest",
            Self::XUnit => "xunit",
            Self::NUnit => "nunit",
            Self::MsTest => "mstest",
            Self::XcTest => "xctest",
            Self::Mocha => "mocha",
            Self::Jest => "jest",
            Self::RSpec => "rspec",
            Self::Minitest => "minitest",
        }
    }
}

/// The test that a stack runs.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TestRun {
    /// Its framework.
    pub framework: TestFramework,
    /// The name by which the framework selects it, where the stack shows that; else its function.
    pub name: Str,
    /// The frame of the test itself, as a place in the stack: its line is where the test stands.
    pub frame: usize,
}

/// The test that a stack runs. The innermost framework has the word, as in a `TestCase` that pytest runs.
pub(super) fn of(stack: &[FrameIx], stacks: &StackTable, meanings: &Meanings) -> Option<TestRun> {
    let search = Search { stack, stacks, meanings };
    let is_framework = |at: &usize| meanings.get(stack[*at]).role == Role::Test;
    (0..stack.len()).filter(is_framework).find_map(|at| search.called_at(at))
}

struct Search<'a> {
    stack: &'a [FrameIx],
    stacks: &'a StackTable,
    meanings: &'a Meanings,
}

impl Search<'_> {
    fn name(&self, at: usize) -> &str {
        &self.meanings.get(self.stack[at]).name
    }

    /// The test that the function of a framework at this place called.
    fn called_at(&self, at: usize) -> Option<TestRun> {
        let frame = self.stacks.get(self.stack[at]);
        let is_meant = |row: &&TestCalls| {
            applies(row.scope, frame) && row.calls.iter().any(|pattern| pattern.matches(self.name(at)))
        };
        let row = TABLE.iter().find(is_meant)?;
        let outer = match row.own {
            OwnFrame::FirstCalled => self.first_of_the_program(at)?,
            OwnFrame::Named(patterns) => self.named(at, patterns)?,
        };
        let name = match row.name {
            NameForm::Written => self.stacks.get(self.stack[outer]).function.clone()?,
            form => test_name::of(self.name(outer), form).into(),
        };
        Some(TestRun { framework: row.framework, name, frame: self.innermost_of_the_same(outer, at) })
    }

    /// The outermost frame of the program under the framework's. A frame that nobody could name may be it,
    /// and then what it called must not be taken for it.
    fn first_of_the_program(&self, below: usize) -> Option<usize> {
        let is_passed = |at: &usize| {
            let meaning = self.meanings.get(self.stack[*at]);
            let is_plumbing = match meaning.role {
                Role::Test | Role::Base => true,
                Role::Runtime => meaning.class.is_none(),
                _ => false,
            };
            is_plumbing || TRAMPOLINES.iter().any(|pattern| pattern.matches(&meaning.name))
        };
        let at = (0..below).rev().find(|at| !is_passed(at))?;
        let function = self.stacks.get(self.stack[at]).function.as_deref();
        let is_program = self.meanings.get(self.stack[at]).role == Role::User;
        (is_program && function.is_some_and(is_name)).then_some(at)
    }

    fn named(&self, below: usize, patterns: &[Pattern]) -> Option<usize> {
        let is_own = |at: &usize| {
            let meaning = self.meanings.get(self.stack[*at]);
            meaning.role == Role::User && patterns.iter().any(|pattern| pattern.matches(&meaning.name))
        };
        (0..below).rev().find(is_own)
    }

    /// Rust calls a test through a closure, and an `async` test is one: its line is the one in the body.
    fn innermost_of_the_same(&self, outer: usize, below: usize) -> usize {
        let name = test_name::without_closures(self.name(outer));
        let is_same = |at: &usize| test_name::without_closures(self.name(*at)) == name;
        let is_closure = self.name(outer).len() > name.len();
        if is_closure { (0..below).find(is_same).unwrap_or(outer) } else { outer }
    }
}
