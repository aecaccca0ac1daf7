//! Test frameworks: the functions that call a test.

use super::row::*;
use crate::normalize::WaitKind;

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
            test("boost::execution_monitor::*"),
            test("CppUnit::*"),
            test("srunner_run*"),
            test("tcase_run_tfun_*"),
            test("UtestShell::*"),
            test("Utest::run"),
            test("helperDoRunOneTestInCurrentProcess"),
            test("TestRegistry::runAllTests"),
            test("QTest::*"),
            test("QTestPrivate::*"),
            test("g_test_run*"),
            test("_cmocka_run_*"),
            test("cmocka_run_*"),
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
            test("testing.(*F).*"),
            test("testing.runTests*"),
            test("testing.runFuzz*"),
            test("testing.runExample*"),
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
            test("*-[XCTestCase invokeTest]_block_invoke*"),
            test("XCT*"),
        ],
    ),
    source(
        "Surefire 3.1 surefire-booter CommandReader.java, stream/CommandDecoder.java; Gradle 8 MessageHub.java, SocketConnection.java: \
         threads of a fork that read what the build tool says",
        &[
            work("org.apache.maven.surefire.booter.CommandReader*"),
            work("org.apache.maven.surefire.booter.stream.*"),
            work("org.apache.maven.surefire.booter.spi.*"),
            work("org.apache.maven.surefire.api.stream.*"),
            work("org.apache.maven.surefire.stream.*"),
            work("org.gradle.internal.remote.internal.*"),
        ],
    ),
    only(
        Scope::File(&["execnet/gateway_base.py"]),
        "execnet 2.0 src/execnet/gateway_base.py: the thread of a pytest-xdist worker that reads what the other side says",
        &[io("read", WaitKind::Read), work("from_io"), work("_thread_receiver")],
    ),
    only(
        Scope::File(&[
            "_pytest/runner.py",
            "_pytest/python.py",
            "_pytest/unittest.py",
            "_pytest/main.py",
            "pluggy/_callers.py",
            "pluggy/_caller.py",
            "pluggy/_execution.py",
            "pluggy/_hooks.py",
            "pluggy/_manager.py",
            "unittest/case.py",
            "unittest/suite.py",
            "unittest/runner.py",
            "unittest/main.py",
        ]),
        "pytest 8 and 9 src/_pytest, pluggy 1.3 and later, CPython 3.12 Lib/unittest",
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
            test("<lambda>"),
            test("run"),
            test("_callTestMethod"),
            test("_main"),
            test("wrap_session"),
            test("runTests"),
        ],
    ),
    only(Scope::File(&["glib/gtestutils.c"]), "GLib 2.74 glib/gtestutils.c", &[test("test_case_run")]),
    only(
        Scope::File(&["mocha/lib/runnable.js", "mocha/lib/runner.js"]),
        "Mocha 10 lib/runnable.js, runner.js",
        &[test("callFn"), test("callFnAsync"), test("Runnable.run"), test("Runner.*")],
    ),
    only(
        Scope::File(&["jest-circus/build/utils.js", "jest-circus/build/run.js"]),
        "Jest 29 packages/jest-circus/src",
        &[test("callAsyncCircusFn"), test("_callCircusTest"), test("_callCircusHook"), test("_run*")],
    ),
    only(
        Scope::File(&[
            "rspec/core/example.rb",
            "rspec/core/example_group.rb",
            "rspec/core/hooks.rb",
            "rspec/core/runner.rb",
        ]),
        "RSpec 3.12 rspec-core/lib/rspec/core",
        &[
            test("run*"),
            test("block in run"),
            test("with_around_*"),
            test("block in with_around_*"),
            test("RSpec::Core::*"),
            test("block in RSpec::Core::*"),
        ],
    ),
    only(
        Scope::File(&["minitest/test.rb", "minitest.rb"]),
        "minitest 5.20 lib",
        &[
            test("block*in run"),
            test("block*in Minitest::Test#run"),
            test("capture_exceptions"),
            test("run_one_method"),
        ],
    ),
];

/// Beginnings of the file names of libraries of test frameworks: their internal functions have no names.
pub static MODULES: &[&str] = &[
    // Debian 12: libboost-test1.74.0, libgtest, libcppunit-1.15, libcheck, libcmocka0, libqt5test5, libqt6test6
    "libboost_unit_test_framework",
    "libboost_prg_exec_monitor",
    "libgtest",
    "libgmock",
    "libcppunit",
    "libcheck.so",
    "libcmocka",
    "libQt5Test",
    "libQt6Test",
];
