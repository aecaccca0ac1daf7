//! One name for one function: without parameters, template arguments, versions and the marks
//! that compilers and producers add.

use std::borrow::Cow;
use std::sync::LazyLock;

use memchr::memmem::Finder;

use super::scan;
use super::tables;

/// The name of a function as it is shown, compared and looked up. Names of the C library in all
/// their disguises (`__GI___libc_write`, `___pthread_mutex_lock`, `__futex_abstimed_wait_common64`)
/// become the public name; the underscores of other programs stay.
pub fn normalize(function: &str) -> Cow<'_, str> {
    let name = clean(function);
    match tables::public_name(&name) {
        Some(known) if known.name != name.as_ref() => Cow::Borrowed(known.name),
        _ => name,
    }
}

/// The same without the aliases of the C library.
pub(super) fn clean(function: &str) -> Cow<'_, str> {
    let text = without_linker_mark(without_root(bounded(function.trim())));
    if is_plain(text) {
        return Cow::Borrowed(text);
    }
    if is_path(text) {
        return Cow::Borrowed(without_marks(text));
    }
    if let Some(readable) = demangled(text) {
        return Cow::Owned(clean_readable(&readable));
    }
    if is_marker(text) || is_objective_c(text) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(clean_readable(text))
}

/// `::__futex_wait_ex(volatile void *, …)`: lldb puts the root before a function of C++ that is in no name space.
fn without_root(text: &str) -> &str {
    text.strip_prefix("::").filter(|rest| !rest.is_empty()).unwrap_or(text)
}

/// What the functions of the C library that Android's linker has in it begin with (bionic linker/Android.bp,
/// `prefix_symbols`): `__dl__ZL33__pthread_mutex_lock_with_timeout…`, `__dl_syscall`. glibc has names that begin so as well.
const LINKER: &str = "__dl_";

fn without_linker_mark(text: &str) -> &str {
    let Some(rest) = text.strip_prefix(LINKER) else { return text };
    let is_of_library = || tables::public_name(rest).is_some_and(|known| !known.is_word);
    if rest.starts_with("_Z") || is_of_library() { rest } else { text }
}

/// Longer names are cut: no compiler makes them, and reading one costs time.
const MAX_NAME: usize = 64 << 10;

fn bounded(text: &str) -> &str {
    let mut end = text.len().min(MAX_NAME);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

/// A C identifier on which nothing has to be done: most names of a dump.
fn is_plain(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') && !has_first_mark(text)
}

/// What mangled names and those of the C library begin with.
fn has_first_mark(text: &str) -> bool {
    ["_Z", "__Z", "_R", "__GI_", "_GI_"].iter().any(|p| text.starts_with(p))
}

/// What has these in its name is read letter by letter. The searches are prepared once.
static CHANGED: LazyLock<[Finder<'static>; 3]> =
    LazyLock::new(|| ["operator", "Accessor", LTS].map(|part| Finder::new(part.as_bytes())));

/// What the name space of a release of Abseil begins with: `absl::lts_20200923::Mutex::Lock`.
///
/// Source: abseil-cpp absl/base/config.h, options.h `ABSL_OPTION_INLINE_NAMESPACE_NAME`.
const LTS: &str = "absl::lts_";

/// `com.example.Shop.buy`, `example.com/shop.(*Server).handle`, `tokio::runtime::park`: nothing stands in it that
/// [`clean_readable`] leaves out but for marks at its end. Most names of Java, Go and Rust; reading them letter by letter
/// takes ten times as long.
fn is_path(text: &str) -> bool {
    let bytes = text.as_bytes();
    let (mut is_open, mut has_module) = (false, false);
    for (at, &b) in bytes.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|before| bytes.get(before));
        match b {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'.' | b'-' => {}
            b'_' if before != Some(&b':') => {}
            b':' => {}
            b'/' => has_module = true,
            b'(' if !is_open && before == Some(&b'.') => is_open = true,
            b'*' if before == Some(&b'(') => {}
            b')' if is_open => is_open = false,
            _ => return false,
        }
    }
    let is_of_java = || ["java.", "jdk.", "app//", "platform//"].iter().any(|p| text.starts_with(p));
    let is_changed = has_first_mark(text) || CHANGED.iter().any(|part| part.find(bytes).is_some());
    !(is_open || is_changed || has_module && is_of_java())
}

/// `<signal handler called>`, `<module>`: the name is the mark.
fn is_marker(text: &str) -> bool {
    text.starts_with('<') && scan::angle_end(text, 0) == Some(text.len()) && !text.contains(" as ")
}

/// `-[NSLock lock]`, `__52-[Foo(Bar) baz:]_block_invoke`.
fn is_objective_c(text: &str) -> bool {
    let rest = text.trim_start_matches('_').trim_start_matches(|c: char| c.is_ascii_digit());
    rest.starts_with("-[") || rest.starts_with("+[")
}

/// Producers that print the symbol as it is: `_ZN14QWaitCondition4waitEP6QMutex` (systemd-coredump).
fn demangled(text: &str) -> Option<String> {
    let symbol = text.split(['@', ' ']).next()?;
    if symbol.starts_with("_R") {
        let name = rustc_demangle::try_demangle(symbol).ok()?;
        return Some(format!("{name:#}"));
    }
    let itanium = symbol.strip_prefix("__Z").map_or(symbol, |_| &symbol[1..]);
    if !itanium.starts_with("_Z") {
        return None;
    }
    // A legacy Rust symbol is a valid C++ symbol: its hash tells it apart.
    if let Ok(name) = rustc_demangle::try_demangle(itanium) {
        return Some(format!("{name:#}"));
    }
    let mut name = Limited(String::new());
    let options = cpp_demangle::DemangleOptions::new();
    cpp_demangle::Symbol::new(itanium).ok()?.structured_demangle(&mut name, &options).ok()?;
    Some(name.0)
}

/// Stops a symbol that refers to itself until it fills the memory.
struct Limited(String);

impl std::fmt::Write for Limited {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        if self.0.len() + text.len() > MAX_NAME {
            return Err(std::fmt::Error);
        }
        self.0.push_str(text);
        Ok(())
    }
}

fn clean_readable(text: &str) -> String {
    let text = without_module(text);
    let text = match memchr::memchr(b' ', text.as_bytes()) {
        Some(_) => [" [clone ", " [with ", " (."].into_iter().fold(text, before),
        None => text,
    };
    let text = without_offset(without_version(text));
    let text = without_java_lambda(text);
    let mut name = scan::without_arguments(&text);
    without_inline_namespaces(&mut name);
    name.truncate(without_marks(&name).len());
    for mark in ["__GI_", "_GI_"] {
        if name.len() > mark.len() && name.starts_with(mark) {
            name.drain(..mark.len());
        }
    }
    if name.contains('%') { name.replace("%2e", ".") } else { name }
}

/// What stands before the mark, or everything.
fn before<'a>(text: &'a str, mark: &str) -> &'a str {
    memchr::memmem::find(text.as_bytes(), mark.as_bytes()).map_or(text, |at| &text[..at])
}

/// `ntdll!NtWaitForSingleObject`, `java.base@17.0.9/java.lang.Object.wait`, `app//Main.main`.
fn without_module(text: &str) -> &str {
    if let Some((module, rest)) = text.split_once('!') {
        let is_module =
            !module.is_empty() && module.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-+".contains(&b));
        if is_module && !module.ends_with("operator") && !rest.is_empty() {
            return rest;
        }
    }
    if let Some(rest) = text.strip_prefix("app//").or_else(|| text.strip_prefix("platform//")) {
        return rest;
    }
    if let Some((module, rest)) = text.split_once('/') {
        let is_java = module.contains('@') || module.starts_with("java.") || module.starts_with("jdk.");
        if is_java && !module.contains(['$', '(', '<', ':', ' ']) && rest.contains('.') {
            return rest;
        }
    }
    text
}

/// `pthread_cond_wait@@GLIBC_2.3.2`, `malloc@plt`, `_foo@8`.
fn without_version(text: &str) -> &str {
    match text.split_once('@') {
        Some((name, _)) if !name.is_empty() && name.bytes().all(is_symbol_byte) => name,
        _ => text,
    }
}

fn is_symbol_byte(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b == b'_' || b == b'.'
}

/// `schedule+0x77/0x1a0`, `_RtlEnterCriticalSection+0x48`; but `libfoo.so+0x1234` is all there is.
fn without_offset(text: &str) -> &str {
    if memchr::memchr(b'+', text.as_bytes()).is_none() {
        return text;
    }
    let Some((name, offset)) = text.rsplit_once("+0x") else { return text };
    let is_offset = offset.bytes().all(|b| b.is_ascii_hexdigit() || b == b'/' || b == b'x');
    let is_module = [".so", ".dll", ".exe", ".dylib"].iter().any(|e| name.contains(e)) || name.contains("??");
    if is_offset && !name.is_empty() && !is_module { name } else { text }
}

/// Names that the JVM makes while it runs: `Foo$$Lambda$14/0x0000000800c03000.run`,
/// `jdk.internal.reflect.GeneratedMethodAccessor12.invoke`, `$Proxy7.call`.
fn without_java_lambda(text: &str) -> Cow<'_, str> {
    let bytes = text.as_bytes();
    if memchr::memchr(b'$', bytes).is_none() && memchr::memmem::find(bytes, b"Accessor").is_none() {
        return Cow::Borrowed(text);
    }
    for mark in
        ["$$Lambda", "GeneratedMethodAccessor", "GeneratedConstructorAccessor", "$Proxy", "LambdaForm$"]
    {
        let Some(at) = text.find(mark) else { continue };
        let tail = &text[at + mark.len()..];
        let rest = tail.find('.').map_or("", |dot| &tail[dot..]);
        let mark = mark.trim_end_matches('$');
        return Cow::Owned(format!("{}{mark}{rest}", &text[..at]));
    }
    Cow::Borrowed(text)
}

/// libc++, Android's and Chromium's copies of it, and libstdc++'s new ABI name the same things.
const INLINE_NAMESPACES: [&str; 6] = ["__1::", "__ndk1::", "__cxx11::", "_V2::", "__cr::", "__y1::"];

fn without_inline_namespaces(name: &mut String) {
    without_release(name);
    if memchr::memmem::find(name.as_bytes(), b"::_").is_none() || !name.contains("std::") {
        return;
    }
    for inline in INLINE_NAMESPACES {
        let qualified = format!("::{inline}");
        if name.contains(&qualified) {
            *name = name.replace(&qualified, "::");
        }
    }
}

/// `absl::Mutex::Lock` of `absl::lts_2020_09_23::Mutex::Lock`.
fn without_release(name: &mut String) {
    let mut from = 0;
    while let Some(at) = name.get(from..).and_then(|rest| rest.find(LTS)).map(|at| from + at) {
        let release = at + "absl::".len();
        let Some(length) = name.get(release..).and_then(|rest| rest.find("::")) else { return };
        name.replace_range(release..release + length + "::".len(), "");
        from = release;
    }
}

/// What compilers append: `.isra.0`, `.part.3`, `.cold`, `.lto_priv.61`, `.llvm.123`, Rust's
/// `::h0123456789abcdef`, Go's `-fm`, `.gowrap1`.
fn without_marks(name: &str) -> &str {
    let mut name = name;
    loop {
        let shorter = without_one_mark(name);
        if shorter.len() == name.len() || shorter.is_empty() {
            return name;
        }
        name = shorter;
    }
}

/// Marks that carry a number.
const NUMBERED: [&str; 9] =
    ["isra", "part", "constprop", "cold", "lto_priv", "llvm", "clone", "__uniq", "extracted"];
/// Marks that stand alone.
const ALONE: [&str; 6] = ["cold", "lto_priv", "localalias", "isra", "constprop", "part"];

/// Length of `::h0123456789abcdef`.
const RUST_HASH: usize = 19;

fn without_one_mark(name: &str) -> &str {
    let hash_at = name.len().saturating_sub(RUST_HASH);
    let is_hash =
        |tail: &str| tail.strip_prefix("::h").is_some_and(|h| h.bytes().all(|b| b.is_ascii_hexdigit()));
    if name.get(hash_at..).is_some_and(is_hash) && hash_at > 0 {
        return &name[..hash_at];
    }
    if let Some(head) = name.strip_suffix("-fm") {
        return head;
    }
    let Some((head, tail)) = name.rsplit_once('.') else { return name };
    let is_number = !tail.is_empty() && tail.bytes().all(|b| b.is_ascii_digit());
    if is_number {
        return match head.rsplit_once('.') {
            Some((function, mark)) if NUMBERED.contains(&mark) => function,
            _ => name,
        };
    }
    for go in ["gowrap", "deferwrap"] {
        if tail.strip_prefix(go).is_some_and(|n| n.bytes().all(|b| b.is_ascii_digit())) {
            return head;
        }
    }
    // `com.example.Door.part` is a Java method: only C and C++ names lose a mark without number.
    let is_dotted =
        || head.contains('.') && !head.contains("::") && !NUMBERED.iter().any(|m| head.contains(m));
    if ALONE.contains(&tail) && !is_dotted() { head } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_what_reading_it_letter_by_letter_gives() {
        let words = [
            "com",
            "Foo_",
            "_x",
            "std",
            "__1",
            "operator",
            "operatorX",
            "h0123456789abcdef",
            "part",
            "isra",
            "0",
            "cold",
            "gowrap1",
            "(*Server)",
            "(*a.B)",
            "(x",
            "*p",
            "java",
            "jdk",
            "app",
            "Accessor12",
            "x-fm",
            "",
        ];
        let separators = [".", "::", "/", ":", "//"];
        let mut paths = 0;
        let mut check = |name: &str| {
            if is_path(name) {
                paths += 1;
                assert_eq!(without_marks(name), clean_readable(name), "{name}");
            }
        };
        for a in words {
            for s in separators {
                for b in words {
                    check(&format!("{a}{s}{b}"));
                    for t in separators {
                        words.iter().for_each(|c| check(&format!("{a}{s}{b}{t}{c}")));
                    }
                }
            }
        }
        assert!(paths > 50_000, "{paths} of the names are paths");
    }

    #[test]
    fn marks_before_a_name() {
        for (function, name) in [
            ("::__futex_wait_ex(volatile void *, bool, int, const timespec *)", "futex_wait_ex"),
            ("::", "::"),
            (
                "__dl__ZL33__pthread_mutex_lock_with_timeoutP24pthread_mutex_internal_tbPK8timespec",
                "pthread_mutex_lock_with_timeout",
            ),
            ("__dl_pthread_mutex_lock", "pthread_mutex_lock"),
            ("absl::lts_2020_09_23::Mutex::Lock", "absl::Mutex::Lock"),
            (
                "absl::lts_20230802::Mutex::AwaitCommon(absl::lts_20230802::Condition const&)",
                "absl::Mutex::AwaitCommon",
            ),
            ("__dl__ZL24debuggerd_signal_handleriP7siginfoPv", "debuggerd_signal_handler"),
            // glibc's own.
            ("__dl_iterate_phdr", "dl_iterate_phdr"),
            ("__dl_read", "__dl_read"),
            ("__dl_acme_open", "__dl_acme_open"),
        ] {
            assert_eq!(normalize(function), name, "{function}");
        }
    }
}
