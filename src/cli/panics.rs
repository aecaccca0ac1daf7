//! A panic is a bug of this program: one line says so, instead of Rust's message and backtrace.

use std::panic::{self, AssertUnwindSafe, PanicHookInfo};
use std::sync::atomic::{AtomicBool, Ordering};

use super::exit::ExitCode;
use super::terminal::complain;

/// Does the work; a panic in it, or in one of its workers, is a failure.
pub(super) fn catch(work: impl FnOnce() -> ExitCode) -> ExitCode {
    // What a panic left behind is not looked at any more.
    panic::catch_unwind(AssertUnwindSafe(work)).unwrap_or(ExitCode::Failed)
}

/// Makes panics report themselves, the first one only: the other workers fall with it. With
/// `RUST_BACKTRACE` set, Rust's own message comes too.
pub(super) fn install_hook() {
    static HAS_REPORTED: AtomicBool = AtomicBool::new(false);
    let default = panic::take_hook();
    let wants_backtrace = std::env::var_os("RUST_BACKTRACE").is_some_and(|v| v != "0");
    panic::set_hook(Box::new(move |info| {
        if !HAS_REPORTED.swap(true, Ordering::Relaxed) {
            complain(message(info));
        }
        if wants_backtrace {
            default(info);
        }
    }));
}

fn message(info: &PanicHookInfo<'_>) -> String {
    let place = info.location().map(|l| format!(" at {}:{}", l.file(), l.line())).unwrap_or_default();
    let payload = info.payload();
    let what = payload.downcast_ref::<&str>().copied();
    let what = what.or_else(|| Some(payload.downcast_ref::<String>()?.as_str())).unwrap_or("panic");
    format!(
        "internal error{place}: {what}; this is a bug: please report it with this line and, where you may, the dump"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_an_internal_error() {
        assert_eq!(catch(|| ExitCode::NotAnalyzed), ExitCode::NotAnalyzed);
        assert_eq!(catch(|| panic!("a bug, for the test")), ExitCode::Failed);
        let in_worker = || rayon::join(|| (), || panic!("a bug in a worker, for the test"));
        assert_eq!(catch(|| (in_worker(), ExitCode::Analyzed).1), ExitCode::Failed);
    }
}
