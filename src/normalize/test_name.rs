//! How a framework calls a test whose function has this name.

use std::borrow::Cow;

/// How the name of a test follows from that of its function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameForm {
    /// It is the function's.
    Function,
    /// It is the function's as the producer wrote it: `block (2 levels) in <top (required)>`.
    Written,
    /// `Suite_Name_Test::TestBody` is `Suite.Name`, for `--gtest_filter`.
    GoogleTest,
    /// `TEST_Group_Name_Test::testBody` is `Group.Name`, for `-t`.
    CppUTest,
    /// `suite::name::test_method` is `suite/name`, for `--run_test`.
    Boost,
    /// `crate::module::name::{{closure}}` is `module::name`, for `cargo test`.
    Rust,
    /// `com.example.FooTest.lambda$bar$0` is in `com.example.FooTest.bar`.
    Java,
}

/// The name of a test. Where the function does not show it without doubt, the function.
pub(super) fn of(function: &str, form: NameForm) -> Cow<'_, str> {
    let found = match form {
        NameForm::Function | NameForm::Written => None,
        NameForm::GoogleTest => suite_and_name(function, "").map(Cow::Owned),
        NameForm::CppUTest => suite_and_name(function, "TEST_").map(Cow::Owned),
        NameForm::Boost => function.strip_suffix("::test_method").map(|path| path.replace("::", "/").into()),
        NameForm::Rust => rust(function).map(Cow::Borrowed),
        NameForm::Java => java(function).map(Cow::Owned),
    };
    found.unwrap_or(Cow::Borrowed(function))
}

/// The class says both, with an underscore between them that neither may have in it: where they have
/// one, nobody can tell where the suite ends.
fn suite_and_name(function: &str, start: &str) -> Option<String> {
    let (class, _) = function.rsplit_once("::")?;
    let (outer, class) = class.rsplit_once("::").unwrap_or(("", class));
    let outer = outer.rsplit_once("::").map_or(outer, |(_, outer)| outer);
    if let Some(suite) = outer.strip_prefix("gtest_suite_").and_then(|suite| suite.strip_suffix('_')) {
        // The tests of TYPED_TEST_P.
        return Some(format!("{suite}.{class}"));
    }
    let (suite, name) = class.strip_prefix(start)?.strip_suffix("_Test")?.split_once('_')?;
    let is_whole = !suite.is_empty() && !name.is_empty() && !name.contains('_');
    is_whole.then(|| format!("{suite}.{name}"))
}

fn rust(function: &str) -> Option<&str> {
    let (_crate, path) = without_closures(function).split_once("::")?;
    (!function.starts_with('<')).then_some(path)
}

/// `name::{{closure}}::{closure#1}` is a part of `name`.
pub(super) fn without_closures(function: &str) -> &str {
    let mut name = function;
    while let Some((outer, last)) = name.rsplit_once("::") {
        if !matches!(last, "{{closure}}") && !last.starts_with("{closure") {
            break;
        }
        name = outer;
    }
    name
}

fn java(function: &str) -> Option<String> {
    let (class, method) = function.rsplit_once('.')?;
    let (method, number) = method.strip_prefix("lambda$")?.rsplit_once('$')?;
    number.bytes().all(|b| b.is_ascii_digit()).then(|| format!("{class}.{method}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tests_have_the_names_that_their_frameworks_select_them_by() {
        for (function, form, name) in [
            ("Orders_ShipWhileLogging_Test::TestBody", NameForm::GoogleTest, "Orders.ShipWhileLogging"),
            ("shop::(anonymous namespace)::Orders_Ship_Test::TestBody", NameForm::GoogleTest, "Orders.Ship"),
            ("shop::gtest_suite_Orders_::Ship::TestBody", NameForm::GoogleTest, "Orders.Ship"),
            ("My_Suite_Does_It_Test::TestBody", NameForm::GoogleTest, "My_Suite_Does_It_Test::TestBody"),
            ("OrdersTest::SetUp", NameForm::GoogleTest, "OrdersTest::SetUp"),
            ("TEST_Orders_Ship_Test::testBody", NameForm::CppUTest, "Orders.Ship"),
            ("orders::ship::test_method", NameForm::Boost, "orders/ship"),
            ("ship::test_method", NameForm::Boost, "ship"),
            ("shop::orders::tests::ship", NameForm::Rust, "orders::tests::ship"),
            ("shop::orders::tests::ship::{{closure}}::{{closure}}", NameForm::Rust, "orders::tests::ship"),
            ("shop::ship::{closure#0}", NameForm::Rust, "ship"),
            ("com.example.FooTest.bar", NameForm::Java, "com.example.FooTest.bar"),
            ("com.example.FooTest.lambda$bar$0", NameForm::Java, "com.example.FooTest.bar"),
            ("CATCH2_INTERNAL_TEST_0", NameForm::Function, "CATCH2_INTERNAL_TEST_0"),
        ] {
            assert_eq!(of(function, form), name);
        }
    }
}
