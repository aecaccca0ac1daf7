//! How a test is called: the functions of each framework that call it, and which frame is the test's own.

use super::row::{Pattern, Scope};
use crate::normalize::TestFramework::{self, *};
use crate::normalize::test_name::NameForm;

/// Where the test's own frame is, below the one that calls it.
#[derive(Clone, Copy, Debug)]
pub enum OwnFrame {
    /// The first function of the program. A test that ends in a call may have given its frame to that one, where the
    /// compiler is allowed to: so this is for languages that do not, and for frameworks that leave the name to the user.
    FirstCalled,
    /// The outermost function of the program with such a name, whatever stands before it (decorators, plugins).
    Named(&'static [Pattern]),
}

/// The functions of a framework that call a test.
#[derive(Clone, Copy, Debug)]
pub struct TestCalls {
    /// The framework.
    pub framework: TestFramework,
    /// Where the names come from.
    #[cfg_attr(not(test), allow(dead_code))]
    pub from: &'static str,
    /// Where they have to stand.
    pub scope: Scope,
    /// The functions; their role is [`Role::Test`](crate::normalize::Role::Test).
    pub calls: &'static [Pattern],
    /// Which frame is the test's own.
    pub own: OwnFrame,
    /// How its function is named.
    pub name: NameForm,
}

impl TestCalls {
    const fn new(framework: TestFramework, from: &'static str, calls: &'static [Pattern]) -> Self {
        let (scope, own, name) = (Scope::Anywhere, OwnFrame::FirstCalled, NameForm::Function);
        Self { framework, from, scope, calls, own, name }
    }

    const fn only(mut self, scope: Scope) -> Self {
        self.scope = scope;
        self
    }

    const fn own(mut self, patterns: &'static [Pattern]) -> Self {
        self.own = OwnFrame::Named(patterns);
        self
    }

    const fn named(mut self, name: NameForm) -> Self {
        self.name = name;
        self
    }
}

const fn p(text: &'static str) -> Pattern {
    Pattern::new(text)
}

/// The methods that both runners of Python take for tests.
const PYTHON_TESTS: &[Pattern] = &[p("test*"), p("*.test*")];

/// All frameworks. Of rows that mean one function the first counts.
pub static TABLE: &[TestCalls] = &[
    TestCalls::new(
        GoogleTest,
        "GoogleTest 1.12 googletest/src/gtest.cc: the body, and the constructor of its class",
        &[p("testing::Test::Run"), p("testing::TestInfo::Run")],
    )
    .own(&[p("*_Test::*"), p("*::TestBody"), p("*::SetUp"), p("*::TearDown")])
    .named(NameForm::GoogleTest),
    TestCalls::new(
        Catch2,
        "Catch2 2.13 catch.hpp, 3.4 src/catch2/internal/catch_test_case_registry_impl.cpp, catch_run_context.cpp",
        &[
            p("Catch::TestInvokerAsFunction::invoke"),
            p("Catch::TestInvokerAsMethod::invoke"),
            p("Catch::RunContext::invokeActiveTestCase"),
        ],
    )
    .own(&[p("*CATCH2_INTERNAL_T*"), p("*C_A_T_C_H_*")]),
    TestCalls::new(
        Doctest,
        "doctest 2.4.9 doctest.h: Context::run, DOCTEST_CREATE_AND_REGISTER_FUNCTION",
        &[p("doctest::Context::run")],
    )
    .own(&[p("*DOCTEST_ANON_*")]),
    TestCalls::new(
        BoostTest,
        "Boost 1.74 libs/test: BOOST_AUTO_TEST_CASE in unit_test_suite.hpp, execution_monitor.ipp",
        &[p("boost::unit_test::*"), p("boost::execution_monitor::*")],
    )
    .own(&[p("*::test_method")])
    .named(NameForm::Boost),
    TestCalls::new(
        CppUnit,
        "CppUnit 1.15 include/cppunit/TestCaller.h, src/cppunit/TestCase.cpp",
        &[p("CppUnit::TestCaller::runTest"), p("CppUnit::TestCaseMethodFunctor::operator()")],
    ),
    TestCalls::new(
        CppUTest,
        "CppUTest 4.0 src/CppUTest/Utest.cpp",
        &[p("UtestShell::runOneTestInCurrentProcess"), p("helperDoRunOneTestInCurrentProcess"), p("Utest::run")],
    )
    .named(NameForm::CppUTest),
    TestCalls::new(
        QtTest,
        "Qt 5.15 and 6.5 src/testlib/qtestcase.cpp",
        &[p("QTest::TestMethods::invokeTest*"), p("QTest::invokeMethod"), p("QTest::qInvokeTestMethod*")],
    ),
    TestCalls::new(
        Check,
        "Check 0.15 src/check_run.c",
        &[p("tcase_run_tfun_fork"), p("tcase_run_tfun_nofork")],
    ),
    TestCalls::new(
        Cmocka,
        "cmocka 1.1 src/cmocka.c",
        &[p("cmocka_run_one_test_or_fixture"), p("cmocka_run_one_tests")],
    ),
    TestCalls::new(GLib, "GLib 2.74 glib/gtestutils.c", &[p("test_case_run")])
        .only(Scope::File(&["glib/gtestutils.c"])),
    TestCalls::new(
        Libtest,
        "rustc 1.95 library/test/src/lib.rs",
        &[p("test::__rust_begin_short_backtrace"), p("test::run_test_in_process*")],
    )
    .named(NameForm::Rust),
    TestCalls::new(
        Go,
        "Go 1.24 src/testing/testing.go, benchmark.go, fuzz.go",
        &[p("testing.tRunner"), p("testing.(*B).runN"), p("testing.(*B).run1*"), p("testing.(*F).Fuzz*")],
    ),
    TestCalls::new(
        JUnit,
        "JUnit 3.8 junit/framework/TestCase.java; 4.13 FrameworkMethod.java; 5.9 ReflectionUtils.java, AssertTimeoutPreemptively.java",
        &[
            p("junit.framework.TestCase.runTest"),
            p("junit.framework.TestCase.runBare"),
            p("org.junit.runners.model.FrameworkMethod*"),
            p("org.junit.platform.commons.util.ReflectionUtils.invokeMethod"),
            p("org.junit.platform.commons.util.MethodInvokerUtils*"),
            p("org.junit.platform.commons.support.ReflectionSupport.invokeMethod"),
            p("org.junit.jupiter.api.AssertTimeout*"),
            p("org.junit.jupiter.api.AssertionTimeout*"),
        ],
    )
    .named(NameForm::Java),
    TestCalls::new(
        TestNg,
        "TestNG 6.9 and 7.8 org/testng/internal/MethodInvocationHelper.java",
        &[
            p("org.testng.internal.MethodInvocationHelper.*"),
            p("org.testng.internal.invokers.MethodInvocationHelper.*"),
        ],
    )
    .named(NameForm::Java),
    TestCalls::new(Pytest, "pytest 8 src/_pytest/python.py", &[p("pytest_pyfunc_call")])
        .only(Scope::File(&["_pytest/python.py"]))
        .own(PYTHON_TESTS),
    TestCalls::new(
        Unittest,
        "CPython 3.12 Lib/unittest/case.py; before 3.8 run() calls the method itself",
        &[p("_callTestMethod"), p("run")],
    )
    .only(Scope::File(&["unittest/case.py"]))
    .own(PYTHON_TESTS),
    TestCalls::new(
        XUnit,
        "xUnit.net 2.6 src/xunit.execution/Sdk/Frameworks/Runners/TestInvoker.cs; 3 XunitTestRunnerBase.cs",
        &[p("Xunit.Sdk.TestInvoker*"), p("Xunit.Sdk.XunitTestInvoker*"), p("Xunit.v3.XunitTestRunner*")],
    ),
    TestCalls::new(
        NUnit,
        "NUnit 4.0 src/NUnitFramework/framework/Internal/Reflect.cs, MethodWrapper.cs",
        &[p("NUnit.Framework.Internal.Reflect.InvokeMethod"), p("NUnit.Framework.Internal.MethodWrapper.Invoke")],
    ),
    TestCalls::new(
        MsTest,
        "MSTest 3.1 Adapter/MSTest.TestAdapter/Extensions/MethodInfoExtensions.cs",
        &[
            p("Microsoft.VisualStudio.TestPlatform.MSTest.TestAdapter.Extensions.MethodInfoExtensions.*"),
            p("Microsoft.VisualStudio.TestPlatform.MSTest.TestAdapter.Execution.TestMethodInfo.*"),
        ],
    ),
    TestCalls::new(
        XcTest,
        "Xcode 15 XCTestCore.framework, XCTestCase",
        &[p("-[XCTestCase invokeTest]"), p("*-[XCTestCase invokeTest]_block_invoke*")],
    ),
    TestCalls::new(Mocha, "Mocha 10 lib/runnable.js", &[p("callFn"), p("callFnAsync"), p("Runnable.run")])
        .only(Scope::File(&["mocha/lib/runnable.js"]))
        .named(NameForm::Written),
    TestCalls::new(
        Jest,
        "Jest 29 packages/jest-circus/src/utils.ts, jest-jasmine2/src/queueRunner.ts",
        &[p("callAsyncCircusFn"), p("_callCircusTest")],
    )
    .only(Scope::File(&["jest-circus/build/utils.js", "jest-circus/build/run.js"]))
        .named(NameForm::Written),
    TestCalls::new(
        RSpec,
        "RSpec 3.12 rspec-core/lib/rspec/core/example.rb, memoized_helpers.rb",
        &[p("run"), p("block in run"), p("RSpec::Core::Example#*"), p("block in RSpec::Core::Example#*")],
    )
    .only(Scope::File(&["rspec/core/example.rb"]))
        .named(NameForm::Written),
    TestCalls::new(
        Minitest,
        "minitest 5.20 lib/minitest/test.rb",
        &[p("block*in run"), p("block*in Minitest::Test#run")],
    )
    .only(Scope::File(&["minitest/test.rb"]))
    .own(&[p("test_*"), p("*#test_*")]),
];

/// Functions between a framework and a test that no other table has: reflection and generated code.
pub static TRAMPOLINES: &[Pattern] = &[
    // Go 1.24 src/reflect/value.go; testify 1.9 suite/suite.go
    p("reflect.*"),
    p("github.com/stretchr/testify/suite.*"),
    // libstdc++ 12 bits/std_function.h; libc++ __functional/function.h
    p("std::function::operator()"),
    p("std::_Function_handler*"),
    p("std::__function::*"),
    // Qt 5.15 src/corelib/kernel/qmetaobject.cpp, and what moc writes
    p("QMetaMethod::invoke*"),
    p("*::qt_static_metacall"),
    // .NET 8 System.Private.CoreLib
    p("System.RuntimeMethodHandle.*"),
    p("System.Reflection.*"),
    p("InvokeStub_*"),
    // OpenJDK 17: what calls a lambda
    p("*$$Lambda.*"),
    // macOS 14 CoreFoundation
    p("__invoking___"),
    p("-[NSInvocation *"),
    // Ruby 3.3
    p("instance_exec"),
    p("BasicObject#instance_exec"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::normalize::Role;
    use crate::normalize::tables;

    #[test]
    fn functions_that_call_a_test_are_of_a_test_framework() {
        for row in TABLE {
            assert!(row.from.len() > 10, "{:?} has no source", row.framework);
            for pattern in row.calls {
                // The shortest name that the pattern means.
                let name = match *pattern {
                    Pattern::Glob(start, end) => format!("{start}{end}"),
                    Pattern::Exact(text) | Pattern::Prefix(text) | Pattern::Suffix(text) => text.to_owned(),
                    Pattern::Contains(text) => text.to_owned(),
                };
                let accepts = |scope| match (scope, row.scope) {
                    (Scope::File(table), Scope::File(own)) => own.iter().all(|file| table.contains(file)),
                    (scope, _) => scope == Scope::Anywhere,
                };
                let found = tables::find(&name, accepts);
                assert_eq!(found.map(|r| r.role), Some(Role::Test), "{:?}: {name}", row.framework);
            }
        }
    }
}
