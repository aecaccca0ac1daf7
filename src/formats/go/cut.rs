//! Texts of which a part is gone.
//!
//! ```text
//! fatal error: stack overflow
//!
//! runtime stack:                                      and nothing more: the goroutines were not copied
//! runtime.throw({0x170f829, 0x20f4e60})
//!     /usr/local/go/src/runtime/panic.go:1198 +0x71
//!
//! main.bookOrder(0xc0000a2000)                        the first line: the header was not copied
//!     /src/till/main.go:40 +0x7f
//! ```
//!
//! Source: Go 1.5-1.25 src/runtime/panic.go (`dopanic_m`), traceback.go (`traceback1`).

use super::{ANCHOR, frame, parts};
use crate::formats::text::Site;
use crate::model::lossy;

/// What stands above the stack on which the runtime itself ran when it failed.
pub(super) const RUNTIME: &str = "runtime stack:";

/// What is said of a text that begins with the frames of a goroutine.
pub(super) const HEADLESS: &str = "the text begins within a stack: whose it is was cut away";

/// What is said of a text that shows the stack of the runtime alone.
pub(super) const NO_GOROUTINE: &str = "the text shows the runtime's own stack and no goroutine";

/// Whether a stack of the runtime begins at this site.
pub(super) fn is_runtime_stack(site: &Site<'_>) -> bool {
    let Some(before) = site.before() else { return false };
    // What a log puts before the header stands before each line.
    let prefix = if site.string_start().is_some() { 0 } else { before.len() };
    let mut lines = site.following_text(2);
    let mut next =
        |is: fn(&str) -> bool| lines.next().and_then(|line| line.get(prefix..).map(is)) == Some(true);
    site.line() == RUNTIME.as_bytes() && next(frame::is_call) && next(frame::is_place)
}

/// Whether a goroutine has a header in this text.
pub(super) fn has_goroutine(text: &[u8]) -> bool {
    memchr::memmem::find_iter(text, ANCHOR.as_bytes()).any(|at| {
        let is_begin = at.checked_sub(1).is_none_or(|n| text.get(n) == Some(&b'\n'));
        is_begin && parts(&lossy(Site { text, at }.line())).is_some()
    })
}

/// Whether the first line of a text is one of a stack.
pub(super) fn begins_within_a_stack(text: &[u8]) -> bool {
    let begin = lossy(text.get(..text.len().min(LOOKED_AT)).unwrap_or_default());
    let mut lines =
        begin.lines().map(str::trim_end).filter(|line| !line.is_empty() && !line.starts_with("```"));
    let is_place = |line: &str| frame::is_place(line) && line.contains(" +0x");
    let Some(first) = lines.next() else { return false };
    let is_headed_by = frame::is_call(first) || first.starts_with("created by ");
    is_place(first) || is_headed_by && lines.next().is_some_and(is_place)
}

/// How much of the begin of a text is looked at, bytes.
const LOOKED_AT: usize = 4096;

#[cfg(test)]
mod tests {
    use crate::formats::testing::{functions, read_bytes, read_one, survives_logs};
    use crate::model::{GapKind, ThreadIx, ThreadKind};

    const OVERFLOW: &str = "runtime: goroutine stack exceeds 1000000000-byte limit
fatal error: stack overflow

runtime stack:
runtime.throw({0x170f829, 0x20f4e60})
\t/usr/local/go/src/runtime/panic.go:1198 +0x71
runtime.newstack()
\t/usr/local/go/src/runtime/stack.go:1088 +0x5ac
";

    const GOROUTINE: &str = "
goroutine 7 [select]:
main.serve(0xc0000a2000)
\t/src/till/main.go:31 +0x45
";

    #[test]
    fn the_stack_of_the_runtime_alone() {
        let snapshot = read_one(OVERFLOW);
        assert_eq!(functions(&snapshot, ThreadIx(0)), ["runtime.throw", "runtime.newstack"]);
        assert_eq!(snapshot.threads[0].kind, ThreadKind::Os);
        let failure = snapshot.process.failure.as_ref().unwrap();
        assert_eq!((&*failure.message, failure.thread), ("stack overflow", None));
        assert!(!snapshot.is_complete && snapshot.gaps.has(GapKind::Truncated));
        survives_logs(OVERFLOW);
        // With goroutines it is none of them.
        let snapshot = read_one(&format!("{OVERFLOW}{GOROUTINE}"));
        assert_eq!(snapshot.threads.len(), 1);
        assert_eq!(functions(&snapshot, ThreadIx(0)), ["main.serve"]);
        for text in ["runtime stack:\n", "the runtime stack:\nmain.f(1)\nis deep\n", "runtime stack: 8 MB\n"]
        {
            assert!(read_bytes(text.as_bytes()).is_empty(), "{text}");
        }
    }

    #[test]
    fn what_stands_above_the_first_header_is_told() {
        let cut = |text: &str| read_one(text).gaps.has(GapKind::Truncated);
        let frames = "main.bookOrder(0xc0000a2000)\n\t/src/till/main.go:40 +0x7f\n";
        assert!(cut(&format!("{frames}{GOROUTINE}")));
        assert!(cut(&format!("```\n\t/src/till/main.go:40 +0x7f\n{frames}{GOROUTINE}")));
        assert!(cut(&format!("created by main.main\n\t/src/till/main.go:6 +0xed\n{GOROUTINE}")));
        assert!(!cut(&format!("till.open(7)\nready\n{GOROUTINE}")));
        assert!(!cut(GOROUTINE));
    }
}
