//! Which test a stack runs. Stacks are written newest first, `function` or `function @ file:line`, as the
//! producers that are named print them.

use logjam::model::{Frame, StackTable};
use logjam::normalize::{Meanings, StackMeaning, WaitKind, read};

struct Read {
    frames: Vec<Frame>,
    meaning: StackMeaning,
}

fn stack(frames: &[&str]) -> Read {
    let mut stacks = StackTable::default();
    let frames: Vec<Frame> = frames
        .iter()
        .map(|text| {
            let (function, place) = text.split_once(" @ ").map_or((*text, None), |(f, at)| (f, Some(at)));
            let (file, line) = place.and_then(|p| p.rsplit_once(':')).unzip();
            Frame {
                function: (function != "??").then(|| function.into()),
                file: file.map(Into::into),
                line: line.map(|line| line.parse().expect("a line")),
                ..Frame::default()
            }
        })
        .collect();
    let ixs: Vec<_> = frames.iter().map(|frame| stacks.frame(frame, std::iter::empty())).collect();
    let meanings = Meanings::of(&stacks);
    Read { frames, meaning: read(&ixs, &stacks, &meanings) }
}

impl Read {
    /// `framework name line`, or nothing.
    fn test(&self) -> String {
        let Some(test) = &self.meaning.test else { return String::new() };
        let line = self.frames[test.frame].line.unwrap_or(0);
        format!("{} {} {line}", test.framework.id(), test.name)
    }
}

/// jstack of OpenJDK 17: what reflection puts between.
const REFLECTION: [&str; 4] = [
    "jdk.internal.reflect.NativeMethodAccessorImpl.invoke0 @ NativeMethodAccessorImpl.java:0",
    "jdk.internal.reflect.NativeMethodAccessorImpl.invoke @ NativeMethodAccessorImpl.java:77",
    "jdk.internal.reflect.DelegatingMethodAccessorImpl.invoke @ DelegatingMethodAccessorImpl.java:43",
    "java.lang.reflect.Method.invoke @ Method.java:569",
];

fn java(test: &[&'static str], framework: &[&'static str]) -> String {
    let frames: Vec<&str> = test.iter().chain(&REFLECTION).chain(framework).copied().collect();
    stack(&frames).test()
}

/// jstack of JUnit 3 (junit4.jar), 4.13.2 and 5.9.2, and TestNG 6.9.12, run with OpenJDK 17.
#[test]
fn tests_of_java() {
    let body = "shop.Hang.lock @ Hang.java:8";
    let vintage = [
        "org.junit.runners.model.FrameworkMethod$1.runReflectiveCall @ FrameworkMethod.java:59",
        "org.junit.internal.runners.model.ReflectiveCallable.run @ ReflectiveCallable.java:12",
        "org.junit.runners.model.FrameworkMethod.invokeExplosively @ FrameworkMethod.java:61",
        "org.junit.internal.runners.statements.InvokeMethod.evaluate @ InvokeMethod.java:17",
        "org.junit.internal.runners.statements.FailOnTimeout$CallableStatement.call @ FailOnTimeout.java:299",
        "java.util.concurrent.FutureTask.run @ FutureTask.java:264",
        "java.lang.Thread.run @ Thread.java:840",
    ];
    assert_eq!(java(&[body, "shop.Hang4.limited @ Hang4.java:6"], &vintage), "junit shop.Hang4.limited 6");
    let jupiter = [
        "org.junit.platform.commons.util.ReflectionUtils.invokeMethod @ ReflectionUtils.java:727",
        "org.junit.jupiter.engine.execution.MethodInvocation.proceed @ MethodInvocation.java:60",
        "org.junit.jupiter.engine.extension.TimeoutExtension.intercept @ TimeoutExtension.java:156",
        "org.junit.jupiter.engine.descriptor.TestMethodTestDescriptor$$Lambda$177/0x00007fcc0009e200.apply",
        "org.junit.jupiter.engine.execution.InvocationInterceptorChain.invoke @ InvocationInterceptorChain.java:37",
    ];
    assert_eq!(java(&[body, "shop.Hang.plain @ Hang.java:10"], &jupiter), "junit shop.Hang.plain 10");
    let old = [
        "junit.framework.TestCase.runTest @ TestCase.java:177",
        "junit.framework.TestCase.runBare @ TestCase.java:142",
        "junit.framework.TestResult$1.protect @ TestResult.java:122",
        "junit.textui.TestRunner.main @ TestRunner.java:137",
    ];
    assert_eq!(java(&[body, "shop.Hang3.testOld @ Hang3.java:3"], &old), "junit shop.Hang3.testOld 3");
    let testng = [
        "org.testng.internal.MethodInvocationHelper.invokeMethod @ MethodInvocationHelper.java:100",
        "org.testng.internal.Invoker.invokeMethod @ Invoker.java:646",
        "org.testng.TestNG.runSuitesSequentially @ TestNG.java:1264",
    ];
    assert_eq!(java(&[body, "shop.HangNg.orders @ HangNg.java:4"], &testng), "testng shop.HangNg.orders 4");
    // The test is a lambda in a thread of its own.
    let preemptive = [
        body,
        "shop.Hang.lambda$preemptive$1 @ Hang.java:12",
        "shop.Hang$$Lambda$375/0x00007f989c0ddc28.execute",
        "org.junit.jupiter.api.AssertTimeoutPreemptively.lambda$assertTimeoutPreemptively$0 @ AssertTimeoutPreemptively.java:48",
        "org.junit.jupiter.api.AssertTimeoutPreemptively$$Lambda$376/0x00007f989c0de6b8.get",
        "java.util.concurrent.FutureTask.run @ FutureTask.java:264",
    ];
    assert_eq!(stack(&preemptive).test(), "junit shop.Hang.preemptive 12");
}

/// Cores of GoogleTest 1.12, Catch2 2.13, doctest 2.4.9 and Boost 1.74; the rest after their sources.
#[test]
fn tests_of_cxx() {
    for (frames, test) in [
        (
            &[
                "std::thread::join",
                "Orders_ShipWhileLogging_Test::TestBody (this=0x55) @ orders.cc:18",
                "void testing::internal::HandleExceptionsInMethodIfSupported<testing::Test, void>(testing::Test*, void (testing::Test::*)(), char const*)",
                "testing::Test::Run",
                "testing::TestInfo::Run",
                "testing::UnitTest::Run",
                "RUN_ALL_TESTS",
                "main @ main.cc:3",
            ][..],
            "googletest Orders.ShipWhileLogging 18",
        ),
        (
            // The test ended in this call and gave it its frame.
            &["pthread_join", "shop::wait_for_all", "testing::Test::Run", "testing::TestInfo::Run", "main"],
            "",
        ),
        (
            &[
                "poll",
                "(anonymous namespace)::CATCH2_INTERNAL_TEST_4 @ orders.cc:21",
                "Catch::(anonymous namespace)::TestInvokerAsFunction::invoke",
                "Catch::RunContext::invokeActiveTestCase",
                "Catch::Session::run",
                "main",
            ],
            "catch2 (anonymous namespace)::CATCH2_INTERNAL_TEST_4 21",
        ),
        (
            &[
                "shop::close",
                "C_A_T_C_H_T_E_S_T_2 @ orders.cc:9",
                "Catch::RunContext::invokeActiveTestCase",
                "main",
            ],
            "catch2 C_A_T_C_H_T_E_S_T_2 9",
        ),
        (
            &["shop::close", "DOCTEST_ANON_FUNC_2 @ orders.cc:9", "doctest::Context::run", "main"],
            "doctest DOCTEST_ANON_FUNC_2 9",
        ),
        (
            &[
                "std::thread::join",
                "orders::ship_while_logging::test_method @ orders.cc:13",
                "orders::ship_while_logging_invoker @ orders.cc:10",
                "boost::detail::function::void_function_invoker0<void (*)(), void>::invoke",
                "boost::execution_monitor::catch_signals",
                "boost::unit_test::unit_test_monitor_t::execute_and_translate",
                "boost::unit_test::framework::run",
            ],
            "boost-test orders/ship_while_logging 13",
        ),
        (
            &[
                "shop::close",
                "TEST_Orders_Ship_Test::testBody @ o.cpp:4",
                "Utest::run",
                "helperDoRunOneTestInCurrentProcess",
            ],
            "cpputest Orders.Ship 4",
        ),
        (
            &[
                "shop::close",
                "OrdersTest::ships @ o.cpp:4",
                "OrdersTest::qt_static_metacall",
                "QMetaMethod::invoke(QObject*, Qt::ConnectionType) const",
                "QTest::TestMethods::invokeTest(int, char const*) const",
            ],
            "qt-test OrdersTest::ships 4",
        ),
        (
            &[
                "shop_close",
                "test_ships @ o.c:4",
                "cmocka_run_one_test_or_fixture",
                "_cmocka_run_group_tests",
                "main",
            ],
            "cmocka test_ships 4",
        ),
        (
            &["shop_close", "ships_fn @ o.c:4", "tcase_run_tfun_fork", "srunner_run_tagged", "main"],
            "check ships_fn 4",
        ),
    ] {
        assert_eq!(stack(frames).test(), test, "{frames:#?}");
    }
}

/// A core of rustc 1.95; tokio, Go 1.24 and testify 1.9 after their sources.
#[test]
fn tests_of_rust_and_go() {
    for (frames, test) in [
        (
            &[
                "std::sync::poison::mutex::Mutex<T>::lock",
                "shop::transfer @ src/lib.rs:16",
                "shop::tests::both_ways @ src/lib.rs:40",
                "shop::tests::both_ways::{{closure}} @ src/lib.rs:32",
                "core::ops::function::FnOnce::call_once @ core/src/ops/function.rs:250",
                "test::__rust_begin_short_backtrace",
                "test::run_test::{{closure}}",
                "std::sys::backtrace::__rust_begin_short_backtrace",
                "<std::thread::lifecycle::spawn_unchecked<F>::{{closure}} as core::ops::function::FnOnce<()>>::call_once::{shim:vtable#0}",
                "std::sys::thread::unix::Thread::new::thread_start",
            ][..],
            "libtest tests::both_ways 40",
        ),
        (
            // #[tokio::test]: the body is a closure inside of the runtime.
            &[
                "std::thread::park",
                "shop::fetch @ src/lib.rs:7",
                "shop::tests::fetches::{{closure}} @ src/lib.rs:61",
                "tokio::runtime::runtime::Runtime::block_on",
                "shop::tests::fetches @ src/lib.rs:60",
                "shop::tests::fetches::{{closure}} @ src/lib.rs:59",
                "core::ops::function::FnOnce::call_once",
                "test::__rust_begin_short_backtrace",
            ],
            "libtest tests::fetches 61",
        ),
        (
            // The runner.
            &[
                "std::sync::mpsc::Receiver<T>::recv",
                "test::run_tests",
                "test::console::run_tests_console",
                "test::test_main",
            ],
            "",
        ),
        (
            &[
                "sync.(*Mutex).Lock",
                "example.com/shop/orders.(*Journal).Append @ /src/journal.go:9",
                "example.com/shop/orders.TestShip @ /src/orders_test.go:31",
                "testing.tRunner @ /usr/local/go/src/testing/testing.go:1792",
            ],
            "go example.com/shop/orders.TestShip 31",
        ),
        (
            &["example.com/shop/orders.TestShip.func1 @ /src/orders_test.go:35", "testing.tRunner"],
            "go example.com/shop/orders.TestShip.func1 35",
        ),
        (
            &[
                "example.com/shop/orders.(*Suite).TestShip @ /src/suite_test.go:12",
                "reflect.Value.call",
                "reflect.Value.Call",
                "github.com/stretchr/testify/suite.Run.func1",
                "testing.tRunner",
            ],
            "go example.com/shop/orders.(*Suite).TestShip 12",
        ),
        (
            &[
                "testing.(*T).Run",
                "testing.runTests.func1",
                "testing.tRunner",
                "testing.runTests",
                "main.main",
            ],
            "",
        ),
    ] {
        assert_eq!(stack(frames).test(), test, "{frames:#?}");
    }
}

/// faulthandler of CPython 3.11 with pytest 9.2; Ruby and JavaScript after the sources of RSpec 3.12, minitest 5.20
/// and Mocha 10.
#[test]
fn tests_of_scripts() {
    let pytest = [
        "pytest_pyfunc_call @ /venv/lib/python3.11/site-packages/_pytest/python.py:187",
        "_multicall @ /venv/lib/python3.11/site-packages/pluggy/_execution.py:147",
        "_hookexec @ /venv/lib/python3.11/site-packages/pluggy/_manager.py:183",
        "__call__ @ /venv/lib/python3.11/site-packages/pluggy/_caller.py:197",
        "runtest @ /venv/lib/python3.11/site-packages/_pytest/python.py:1798",
        "pytest_runtest_call @ /venv/lib/python3.11/site-packages/_pytest/runner.py:184",
    ];
    let under = |frames: &[&'static str]| {
        let all: Vec<&str> = frames.iter().chain(&pytest).copied().collect();
        stack(&all).test()
    };
    assert_eq!(
        under(&["append @ shop/journal.py:9", "test_ships @ tests/test_orders.py:31"]),
        "pytest test_ships 31"
    );
    // A decorator stands before it.
    assert_eq!(
        under(&[
            "test_ships @ tests/test_orders.py:31",
            "patched @ /usr/lib/python3.11/unittest/mock.py:1375"
        ]),
        "pytest test_ships 31"
    );
    // The coroutine of an asynchronous test is not on the stack.
    assert_eq!(
        under(&[
            "select @ /usr/lib/python3.11/selectors.py:468",
            "inner @ /venv/lib/pytest_asyncio/plugin.py:532"
        ]),
        ""
    );
    for (frames, test) in [
        (
            &[
                "append @ shop/journal.py:9",
                "test_ships @ tests/test_orders.py:14",
                "_callTestMethod @ /usr/lib/python3.11/unittest/case.py:579",
                "run @ /usr/lib/python3.11/unittest/case.py:623",
                "__call__ @ /usr/lib/python3.11/unittest/case.py:678",
                "runtest @ /venv/lib/_pytest/unittest.py:408",
            ][..],
            "unittest test_ships 14",
        ),
        (&["read @ shop/x.py:3", "run @ shop/case.py:8"], ""),
        (
            &[
                "Shop::Journal#append @ lib/journal.rb:4",
                "test_ships @ test/orders_test.rb:12",
                "block (3 levels) in run @ /gems/minitest-5.20.0/lib/minitest/test.rb:94",
                "capture_exceptions @ /gems/minitest-5.20.0/lib/minitest/test.rb:194",
            ],
            "minitest test_ships 12",
        ),
        (
            &[
                "append @ lib/journal.rb:4",
                "block (2 levels) in <top (required)> @ spec/orders_spec.rb:12",
                "instance_exec @ /gems/rspec-core-3.12.2/lib/rspec/core/example.rb:263",
                "block in run @ /gems/rspec-core-3.12.2/lib/rspec/core/example.rb:263",
            ],
            "rspec block (2 levels) in <top (required)> 12",
        ),
        (
            &[
                "append @ lib/journal.js:4",
                "Context.<anonymous> @ test/orders.js:12",
                "callFn @ /app/node_modules/mocha/lib/runnable.js:366",
                "Runnable.run @ /app/node_modules/mocha/lib/runnable.js:354",
            ],
            "mocha Context.<anonymous> 12",
        ),
    ] {
        assert_eq!(stack(frames).test(), test, "{frames:#?}");
    }
}

/// A framework without a test, a test that nobody could name, and names that only look like it.
#[test]
fn no_test_is_invented() {
    for frames in [
        &["pthread_mutex_lock", "??", "testing::Test::Run", "main"][..],
        &["shop::close", "??", "boost::unit_test::framework::run"],
        &["pthread_cond_wait", "testing::internal::UnitTestImpl::RunAllTests", "main"],
        &[
            "shop.Orders.close",
            "??",
            "java.lang.reflect.Method.invoke",
            "org.junit.platform.commons.util.ReflectionUtils.invokeMethod",
        ],
        &["Orders_Ship_Test::TestBody", "main"],
        &["shop::tests::both_ways", "main"],
        &["test_ships @ tests/test_orders.py:31", "pytest_pyfunc_call @ shop/python.py:3"],
    ] {
        assert_eq!(stack(frames).test(), "", "{frames:#?}");
    }
}

/// A runner's own threads wait for what there is to do. jstack of a Surefire 3 fork and of a Gradle 8 worker,
/// after their sources.
#[test]
fn threads_of_runners_are_idle() {
    for frames in [
        &[
            "java.io.FileInputStream.readBytes",
            "java.io.FileInputStream.read",
            "java.io.BufferedInputStream.fill",
            "java.io.BufferedInputStream.read",
            "org.apache.maven.surefire.api.stream.AbstractStreamDecoder.read",
            "org.apache.maven.surefire.booter.stream.CommandDecoder.decode",
            "org.apache.maven.surefire.booter.spi.CommandChannelDecoder.decode",
            "org.apache.maven.surefire.booter.CommandReader$CommandRunnable.run",
            "java.lang.Thread.run",
        ][..],
        &[
            "sun.nio.ch.EPoll.wait",
            "sun.nio.ch.EPollSelectorImpl.doSelect",
            "sun.nio.ch.SelectorImpl.lockAndDoSelect",
            "sun.nio.ch.SelectorImpl.select",
            "org.gradle.internal.remote.internal.inet.SocketConnection$SocketInputStream.read",
            "com.esotericsoftware.kryo.io.Input.fill",
            "org.gradle.internal.remote.internal.hub.MessageHub$ConnectionReceive.run",
        ],
        &[
            "jdk.internal.misc.Unsafe.park",
            "java.util.concurrent.locks.LockSupport.park",
            "java.util.concurrent.locks.AbstractQueuedSynchronizer$ConditionObject.await",
            "org.gradle.internal.remote.internal.hub.MessageHub$Handler.run",
        ],
        &[
            "read @ /venv/lib/execnet/gateway_base.py:534",
            "from_io @ /venv/lib/execnet/gateway_base.py:567",
            "_thread_receiver @ /venv/lib/execnet/gateway_base.py:1160",
        ],
    ] {
        let read = stack(frames);
        let is_idle =
            read.meaning.is_idle_pool || matches!(read.meaning.wait, Some(WaitKind::Poll | WaitKind::Work));
        assert!(is_idle && read.meaning.test.is_none(), "{frames:#?}: {:?}", read.meaning);
    }
}
