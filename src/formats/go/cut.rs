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
//! ...                                                 whoever copied it left lines out
//! --                                                  between the hits of `grep -C`
//!     /src/till/store.go:236 +0x1d7
//! ```
//!
//! Source: Go 1.5-1.25 src/runtime/panic.go (`dopanic_m`), traceback.go (`traceback1`); GNU grep src/grep.c
//! (`group_separator`).

use std::ops::Range;

use super::header::parts;
use super::{ANCHOR, frame};
use crate::formats::text::{CUT, Dumps, LEFT_OUT, Site};
use crate::model::{GapKind, Snapshot, StackEnd, lossy};

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
    memchr::memmem::find_iter(text, ANCHOR.as_bytes()).any(|at| is_goroutine(&Site { text, at }))
}

/// Where the last header of a goroutine stands in this part of a text.
pub(super) fn last_goroutine(text: &[u8], range: Range<usize>) -> Option<usize> {
    let part = text.get(range.clone())?;
    let mut found = memchr::memmem::rfind_iter(part, ANCHOR.as_bytes()).map(|n| range.start + n);
    found.find(|&at| is_goroutine(&Site { text, at }))
}

/// Whether the header of a goroutine stands here, at the begin of a line.
pub(super) fn is_goroutine(site: &Site<'_>) -> bool {
    let is_begin = site.at.checked_sub(1).is_none_or(|n| site.text.get(n) == Some(&b'\n'));
    is_begin && site.rest().starts_with(ANCHOR.as_bytes()) && parts(&lossy(site.line())).is_some()
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

/// Tells of the stacks in which lines were left out.
pub(super) fn tell_left_out(snapshot: &mut Snapshot) {
    let mut count = 0;
    for thread in snapshot.threads.iter_mut().filter(|thread| thread.stack_end == CUT) {
        count += 1;
        // What comes after the creator is no part of the stack.
        if thread.creator.is_some() {
            thread.stack_end = StackEnd::Complete;
        }
    }
    if count > 0 {
        snapshot.gaps.add_many(GapKind::Truncated, LEFT_OUT, count, None);
        snapshot.is_complete = false;
    }
}

/// What grep writes between hits that do not follow each other.
pub(super) const PARTED: &str = "--";

/// Whether a line is one of a stack.
pub(super) fn is_of_stack(line: &str) -> bool {
    frame::is_place(line) || frame::is_call(line) || line.starts_with("created by ")
}

/// Tells that lines are missing behind the last goroutine.
pub(super) fn tell_parted(dumps: &mut Dumps, offset: u64) {
    let Some(building) = dumps.open() else { return };
    let snapshot = &mut building.snapshot;
    let message = "the text is what grep found: lines between its hits are missing";
    snapshot.gaps.add(GapKind::Truncated, message, Some(offset));
    snapshot.is_complete = false;
}

#[cfg(test)]
mod tests {
    use crate::formats::testing::{functions, read_bytes, read_one, survives_logs};
    use crate::model::{GapKind, StackEnd, ThreadIx, ThreadKind};

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

    fn gaps(text: &str) -> Vec<(GapKind, u64)> {
        read_one(text).gaps.iter().map(|gap| (gap.kind, gap.count)).collect()
    }

    /// Bare dots are nobody's but those of whoever copied the text.
    #[test]
    fn dots_in_the_place_of_lines() {
        let text = "goroutine 7 [select]:
main.wait(0xc0000a2000)
\t/src/till/store.go:79 +0x5d
...
main.serve(0xc0000a2000)
\t/src/till/main.go:31 +0x45

goroutine 8 [running]:
main.weigh(0x7)
\t...
created by main.main
\t/src/till/main.go:12 +0xfc
...
";
        let snapshot = read_one(text);
        assert_eq!(functions(&snapshot, ThreadIx(0)), ["main.wait", "main.serve"]);
        assert_eq!(functions(&snapshot, ThreadIx(1)), ["main.weigh"]);
        let ends: Vec<_> = snapshot.threads.iter().map(|t| (t.stack_end, t.frames_left_out)).collect();
        assert_eq!(ends, [(StackEnd::NoRule, 0), (StackEnd::Complete, 0)]);
        assert_eq!(gaps(text), [(GapKind::Truncated, 2)]);
        assert!(!snapshot.is_complete);
    }

    #[test]
    fn what_the_runtime_leaves_out_is_no_cut() {
        for (line, count) in [("...additional frames elided...", 1), ("...23 frames elided...", 23)] {
            let text = format!("{GOROUTINE}{line}\ncreated by main.main\n\t/src/till/main.go:12 +0xfc\n");
            assert_eq!(gaps(&text), [(GapKind::Limit, count)], "{line}");
            assert_eq!(read_one(&text).threads[0].stack_end, StackEnd::DepthLimit);
        }
    }

    #[test]
    fn what_grep_found() {
        let text = format!(
            "{GOROUTINE}--
\t/src/till/store.go:236 +0x1d7
main.clean()
\t/src/till/store.go:79 +0x5d
created by main.main
\t/src/till/main.go:12 +0xfc
"
        );
        let snapshot = read_one(&text);
        assert_eq!(functions(&snapshot, ThreadIx(0)), ["main.serve"]);
        assert_eq!(snapshot.threads[0].creator, None, "it is another goroutine's");
        assert_eq!(gaps(&text), [(GapKind::Truncated, 1)]);
        assert!(!snapshot.is_complete);
        let headers = format!("{GOROUTINE}--\n{}", GOROUTINE.trim_start().replace('7', "8"));
        assert_eq!(gaps(&headers), [(GapKind::Truncated, 1)]);
        assert_eq!(read_one(&headers).threads.len(), 2);
        // Below it somebody signs.
        let signed = read_one(&format!("{GOROUTINE}--\nThe till team\n"));
        assert!(signed.is_complete && !signed.gaps.has(GapKind::Truncated));
    }
}
