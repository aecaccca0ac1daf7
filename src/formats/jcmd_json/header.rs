//! Headers of threads in the text.
//!
//! ```text
//! #12 "Reference Handler" RUNNABLE 2026-11-28T19:58:56.225447014Z           25
//! #23 "vt-log-0" virtual BLOCKED 2026-11-24T04:07:06.740163595Z
//! #1 "main"                                                                 21 to 24
//! #19 "" virtual
//! ```
//!
//! Names are printed raw: they may hold quotes and line breaks.

use crate::formats::java;
use crate::formats::text::{Head, first_line};
use crate::model::{Thread, ThreadId, ThreadKind, lossy};

/// How many more lines a name may have.
const MOST_LINES: usize = 16;

/// Reads a header; `more` is the text after the line.
pub(super) fn read(line: &str, more: &[u8]) -> Option<Head> {
    let rest = line.strip_prefix('#')?;
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let id: u64 = rest.get(..digits)?.parse().ok()?;
    let inside = rest.get(digits..)?.strip_prefix(" \"")?;
    if let Some(head) = named(id, inside) {
        return Some(head);
    }
    let mut whole = inside.to_owned();
    let mut rest = more;
    for _ in 0..MOST_LINES {
        let next = first_line(rest);
        let text = lossy(next.get(..next.len().min(4096))?);
        if rest.is_empty() || text.starts_with("    ") || text.starts_with('#') {
            return None;
        }
        whole.push('\n');
        whole.push_str(text.trim_end());
        rest = rest.get(next.len() + 1..).unwrap_or_default();
        if let Some(head) = named(id, &whole) {
            return Some(Head { more: more.len() - rest.len(), ..head });
        }
    }
    None
}

/// A header of which the number and the name's first quote are gone.
fn named(id: u64, text: &str) -> Option<Head> {
    // What stands behind the name never holds a quote.
    let (name, fields) = text.rsplit_once('"')?;
    let mut thread = Thread::new(ThreadId::Number(id));
    thread.name = (!name.is_empty()).then(|| name.into());
    let mut head = Head::of(thread);
    if !fields.is_empty() && !fields.starts_with(' ') {
        return None;
    }
    let (mut new, mut has_time) = (Vec::new(), false);
    for field in fields.split_ascii_whitespace() {
        let is_time = field.starts_with(|c: char| c.is_ascii_digit()) && field.contains('T');
        has_time |= is_time;
        if field == "virtual" {
            head.thread.kind = ThreadKind::Virtual;
        } else if let Some(state) = java::state(field) {
            head.thread.reported = Some(state);
        } else if !is_time {
            new.push(field);
        }
    }
    // Words of a newer release stand beside those that are known; without any the line is somebody's talk, or jstack's.
    let is_known = has_time || head.thread.reported.is_some() || head.thread.kind == ThreadKind::Virtual;
    head.thread.reported = head.thread.reported.or(Some(java::UNTOLD));
    head.unknown = (!new.is_empty()).then(|| new.join(" "));
    (head.unknown.is_none() || is_known).then_some(head)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ReportedState;

    #[test]
    fn headers() {
        let read = |line: &str| {
            let head = read(line, b"").unwrap_or_else(|| panic!("no header: {line}"));
            (head.thread.id.to_string(), head.thread.name.map(|n| n.to_string()), head.thread.reported)
        };
        let text = |text: &str| Some(text.to_owned());
        // 21 to 24 tell no states: what is innermost does not run therefore.
        let untold = Some(ReportedState::Unclear);
        assert_eq!(read("#1 \"main\""), ("1".into(), text("main"), untold));
        assert_eq!(read("#19 \"\" virtual"), ("19".into(), None, untold));
        assert_eq!(
            read("#23 \"vt \"log\" 0\" virtual BLOCKED 2026-11-24T04:07:06.740163595Z"),
            ("23".into(), text("vt \"log\" 0"), Some(ReportedState::Entering))
        );
        // A made-up next version.
        assert_eq!(
            read("#23 \"x\" virtual WAITING pinned 2027-11-24T04:07:06Z").2,
            Some(ReportedState::Waiting)
        );
    }

    #[test]
    fn words_of_a_newer_release() {
        for (line, new, state) in [
            (
                "#2 \"x\" virtual BLOCKED 2026-11-24T04:07:06Z carrier=#3",
                "carrier=#3",
                ReportedState::Entering,
            ),
            ("#2 \"x\" virtual DOZING 2026-11-24T04:07:06Z", "DOZING", ReportedState::Unclear),
            ("#2 \"x\" daemon fiber BLOCKED 2026-11-24T04:07:06Z", "daemon fiber", ReportedState::Entering),
        ] {
            let head = read(line, b"").unwrap_or_else(|| panic!("no header: {line}"));
            assert_eq!((head.unknown.as_deref(), head.thread.reported), (Some(new), Some(state)), "{line}");
        }
    }

    #[test]
    fn names_with_line_breaks() {
        let head =
            read("#7 \"two", b"lines\" WAITING 2026-11-24T04:07:06Z\n    at a.B.c(B.java:1)\n").unwrap();
        assert_eq!((head.thread.name.as_deref(), head.more), (Some("two\nlines"), 36));
    }

    #[test]
    fn other_texts_are_none() {
        for line in [
            "#0  main () at \"x\"",
            "# comment \"main\"",
            "#12 \"main\" prio=5 os_prio=0 tid=0x1",
            "#1: \"main\" x",
        ] {
            assert!(read(line, b"").is_none(), "{line}");
        }
    }
}
