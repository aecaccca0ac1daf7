//! Test frameworks: the functions that call a test.

use super::row::*;

/// All rows.
pub static TABLE: &[Source] = &[
    source(
        "GoogleTest 1.14, Catch2 3, doctest 2.4, Boost.Test 1.74, CppUnit, Check 0.15, Qt Test, CppUTest",
        &[
            test("testing::*"),
            test("RUN_ALL_TESTS"),
            test("Catch::*"),
            test("doctest::*"),
            test("boost::unit_test::*"),
            test("CppUnit::*"),
            test("srunner_run*"),
            test("QTest::*"),
            test("QTestPrivate::*"),
            test("g_test_run*"),
            test("_cmocka_run_*"),
        ],
    ),
    source(
        "rustc 1.95 library/test, cargo-nextest; Go 1.24 src/testing",
        &[
            test("test::*"),
            test("<test::*"),
            test("testing.tRunner"),
            test("testing.(*T).Run"),
            test("testing.(*M).Run"),
            test("testing.(*B).*"),
            test("testing.runTests"),
        ],
    ),
    source(
        "JUnit 4.13 and 5.10, TestNG 7, Surefire 3, Gradle 8; pytest 8, unittest; xUnit 2, NUnit 4, MSTest; XCTest; Jest",
        &[
            test("org.junit.*"),
            test("junit.framework.*"),
            test("org.testng.*"),
            test("org.apache.maven.surefire.*"),
            test("org.gradle.api.internal.tasks.testing.*"),
            test("org.gradle.process.internal.worker.*"),
            test("Xunit.*"),
            test("NUnit.*"),
            test("Microsoft.VisualStudio.TestPlatform.*"),
            test("Microsoft.TestPlatform.*"),
            test("-[XCTest*"),
            test("XCT*"),
        ],
    ),
    only(
        Scope::File(&[
            "_pytest/runner.py",
            "_pytest/python.py",
            "_pytest/main.py",
            "pluggy/_callers.py",
            "pluggy/_hooks.py",
            "pluggy/_manager.py",
            "unittest/case.py",
            "unittest/suite.py",
            "unittest/runner.py",
            "unittest/main.py",
        ]),
        "pytest 8 src/_pytest, pluggy 1.3, CPython 3.12 Lib/unittest",
        &[
            test("pytest_*"),
            test("_multicall"),
            test("_hookexec"),
            test("__call__"),
            test("call_and_report"),
            test("call_runtest_hook"),
            test("runtestprotocol"),
            test("runtest"),
            test("from_call"),
            test("run"),
            test("_callTestMethod"),
            test("_main"),
            test("wrap_session"),
            test("runTests"),
        ],
    ),
];
