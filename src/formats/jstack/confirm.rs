//! Where in a text dumps of Java are: an anchor alone may stand in prose.

use super::{actuator, deadlocks, fatal, hadoop, header, java, watchdog};
use crate::formats::text::{Head, LONGEST_LINE, Site};
use crate::model::lossy;

/// Where the dump's own text begins in the line of an anchor.
pub(super) fn confirm(site: &Site<'_>) -> Option<usize> {
    if actuator::is_key(site) {
        return actuator::confirm(site);
    }
    let line = lossy(site.line());
    let before = site.before()?;
    if fatal::is_anchor(&line) {
        return fatal::confirm(site);
    }
    match line.get(..5)? {
        "Full " => line.trim_end().ends_with(':').then_some(site.at),
        "FULL " => before.ends_with(b"===== ").then(|| site.at - "===== ".len()),
        "java." => {
            let state = line.strip_prefix("java.lang.Thread.State: ")?;
            java::state(state)?;
            // It begins where the header above begins.
            let quote = above(site).and_then(|above| memchr::memchr(b'"', above));
            let begin = quote.filter(|at| before.get(*at..).is_some_and(|b| b.iter().all(|b| *b == b' ')));
            Some(begin.map_or(site.indented(3), |at| site.at - (before.len() - at)))
        }
        "Found" | "Java " => Some(site.at),
        // Below a line that says for what: `  which is held by "a"`.
        "which" => {
            let above = lossy(above(site)?);
            let wait = above.get(before.len().saturating_sub(2)..)?;
            deadlocks::is_wait(wait).then(|| site.indented(2))
        }
        "Curre" => {
            let below = site.following_text(1).next()?;
            watchdog::second(&below).map(|_| site.at)
        }
        "Block" => hadoop::confirm(site),
        // `"main" #1 prio=5 RUNNABLE`, where no line below it has the state.
        " prio" => bare_header(site),
        // `"main" id=1 (0x1) state=RUNNABLE cpu=83%`
        ") sta" => header_in(site, "\"", |_| true),
        // `Thread 12345: (state = BLOCKED)`
        "(stat" => header_in(site, "Thread ", |_| true),
        // `"pool-1-thread-2" Id=76 WAITING on …`
        _ => header_in(site, "\"", |head| head.unknown.is_none()),
    }
}

/// The line before.
fn above<'t>(site: &Site<'t>) -> Option<&'t [u8]> {
    let end = (site.at - site.before()?.len()).checked_sub(1)?;
    let from = end.saturating_sub(LONGEST_LINE);
    let window = site.text.get(from..end)?;
    window.get(memchr::memrchr(b'\n', window).map_or(0, |n| n + 1)..)
}

/// Where a header begins that has neither an address nor an id, and a frame below it.
fn bare_header(site: &Site<'_>) -> Option<usize> {
    // Most headers have one of these behind the priority.
    let line = site.line();
    if [&b"tid="[..], b"Id="].iter().any(|id| memchr::memmem::find(line, id).is_some()) {
        return None;
    }
    let below = site.following_text(1).next()?;
    let at = below.find("at ")?;
    java::frame(below.get(at + 3..)?)?;
    let (begin, text) = site.whole_line()?;
    let start = text.find('"').filter(|_| !text.contains("tid="))?;
    let head = header::read(text.get(start..)?, below.get(at..)?.as_bytes())?;
    head.unknown.is_none().then_some(begin + start)
}

/// Where in a line the header begins that begins so. Among threads a new word makes no other line of a header, in prose
/// it may be prose.
fn header_in(site: &Site<'_>, begins: &str, is_meant: impl Fn(&Head) -> bool) -> Option<usize> {
    let (line, text) = site.whole_line()?;
    let start = text.find(begins)?;
    let head = header::read(text.get(start..)?, b"")?;
    is_meant(&head).then_some(line + start)
}
