//! Names as people write them: Rust without its hash, C++ without parameters and return type.
//! Everything else stays as it is.

use std::borrow::Cow;
use std::fmt::{self, Write};

use cpp_demangle::{DemangleOptions, ParseOptions};

/// Longer mangled names are kept as they are. Template libraries make names of some KiB.
const MAX_MANGLED: usize = 16 << 10;
/// The most text that a name may become: substitutions let a short name grow without end.
const MAX_DEMANGLED: usize = 64 << 10;
/// Depth of a name's grammar. Real ones stay below 50.
const MAX_RECURSION: u32 = 96;

/// The name of a symbol as people write it, without a version (`write@@GLIBC_2.2.5`).
pub fn demangle(symbol: &str) -> Cow<'_, str> {
    let symbol = unversioned(symbol);
    if symbol.len() > MAX_MANGLED
        || !(symbol.starts_with("_Z") || symbol.starts_with("_R") || symbol.starts_with("__Z"))
    {
        return Cow::Borrowed(symbol);
    }
    // Rust first: its legacy names are C++ names with a hash.
    rust(symbol).or_else(|| cpp(symbol)).map_or(Cow::Borrowed(symbol), Cow::Owned)
}

/// `pthread_spin_lock@@GLIBC_2.34` → `pthread_spin_lock`.
pub fn unversioned(symbol: &str) -> &str {
    match symbol.find('@') {
        Some(at) if at > 0 => &symbol[..at],
        _ => symbol,
    }
}

fn rust(symbol: &str) -> Option<String> {
    let name = rustc_demangle::try_demangle(symbol).ok()?;
    let mut out = Bounded(String::new());
    write!(out, "{name:#}").ok()?;
    Some(out.0)
}

fn cpp(symbol: &str) -> Option<String> {
    // `_ZN3fooEv.cold`, `.part.0`, `.constprop.1`: pieces of one function.
    let symbol = symbol.split('.').next()?;
    let parse = ParseOptions::default().recursion_limit(MAX_RECURSION);
    let options = DemangleOptions::new().no_params().no_return_type().recursion_limit(MAX_RECURSION);
    let parsed = cpp_demangle::BorrowedSymbol::with_tail_and_options(symbol.as_bytes(), &parse).ok()?;
    let mut out = Bounded(String::new());
    parsed.0.structured_demangle(&mut Plain(&mut out), &options).ok()?;
    Some(out.0).filter(|name| !name.is_empty())
}

struct Bounded(String);

impl fmt::Write for Bounded {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if self.0.len() + text.len() > MAX_DEMANGLED {
            return Err(fmt::Error);
        }
        self.0.push_str(text);
        Ok(())
    }
}

struct Plain<'a>(&'a mut Bounded);

impl cpp_demangle::DemangleWrite for Plain<'_> {
    fn write_string(&mut self, text: &str) -> fmt::Result {
        self.0.write_str(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_as_gdb_shows_them() {
        for (symbol, name) in [
            ("write@@GLIBC_2.2.5", "write"),
            ("g_log_mutex", "g_log_mutex"),
            ("_ZN3foo3barEiPKc", "foo::bar"),
            ("_ZNSt6vectorIiSaIiEE9push_backERKi", "std::vector<int, std::allocator<int> >::push_back"),
            ("_Z3maxIiET_S0_S0_", "max<int>"),
            ("_ZN3foo3barEi.cold", "foo::bar"),
            ("_ZZ4mainE7g_mutex", "main::g_mutex"),
            ("_ZN4core3ptr13drop_in_place17h0123456789abcdefE", "core::ptr::drop_in_place"),
            ("_RNvCs1234_7mycrate3foo", "mycrate::foo"),
        ] {
            assert_eq!(demangle(symbol), name, "{symbol}");
        }
    }

    #[test]
    fn hostile_names_stay_small_and_do_not_overflow_the_stack() {
        let deep = format!("_Z{}3foo", "N".repeat(MAX_MANGLED - 10));
        let pointers = format!("_Z1f{}i", "P".repeat(10_000));
        let mut bomb = "_Z1fI1A".to_owned();
        for n in 0..30 {
            let s =
                if n == 0 { "S_".to_owned() } else { format!("S{}_", char::from_digit(n - 1, 36).unwrap()) };
            bomb += &format!("1XI{s}{s}{s}E");
        }
        bomb += "Evv";
        for name in [deep, pointers, bomb, "_Z".repeat(5000), "_RNv".repeat(3000)] {
            assert!(demangle(&name).len() <= MAX_DEMANGLED);
        }
    }
}
