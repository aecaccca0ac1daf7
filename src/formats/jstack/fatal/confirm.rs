//! Where in a text reports are: an anchor alone may stand in prose.

use std::borrow::Cow;

use super::parts::Part;
use super::{CURRENT, FRAMES, LINES_LOOKED_AT, TID, banner, frame, threads};
use crate::formats::text::Site;
use crate::model::lossy;

/// The headings of a stack, up to their anchor.
static STACKS: &[&str] = &["Native frames: (J=compiled ", "Java frames: (J=compiled "];

/// What stands below a current thread.
static BELOW_CURRENT: &[&str] = &["Stack: [", "siginfo:", "Registers:", "Current CompileTask:"];

/// How far above the pid the first line of 5 begins at most, bytes. A line on what there was no memory for may be between.
const ABOVE_PID: usize = 1024;

/// Where a report begins at whose anchor the site stands.
pub(in super::super) fn confirm(site: &Site<'_>) -> Option<usize> {
    let is_at = |anchor: &str| site.rest().starts_with(anchor.as_bytes());
    if is_at(FRAMES) {
        stack(site)
    } else if is_at(CURRENT) {
        current(site)
    } else if is_at(TID) {
        pid_of_5(site)
    } else {
        first_line(site)
    }
}

/// `Native frames: (J=compiled Java code, j=interpreted, Vv=VM code, C=native code)`
fn stack(site: &Site<'_>) -> Option<usize> {
    let before = site.before()?;
    let heading = STACKS.iter().find(|heading| before.ends_with(heading.as_bytes()))?;
    let is_frame = |line: Cow<'_, str>| frame::read(line.trim()).is_some();
    site.following_text(2).any(is_frame).then(|| site.at - heading.len())
}

/// `Current thread (0x00007f4de412b730):  JavaThread "pricing-3" [_thread_in_vm, id=3926, …]`
fn current(site: &Site<'_>) -> Option<usize> {
    let line = lossy(site.line());
    threads::read(&threads::unwrapped(&line, site.following_text(threads::MOST_WRAPPED)).0)?;
    let is_below = |line: Cow<'_, str>| {
        Part::of(&line).is_some_and(|part| matches!(part, Part::Native | Part::Java))
            || BELOW_CURRENT.iter().any(|below| line.contains(below))
    };
    site.following_text(LINES_LOOKED_AT).any(is_below).then_some(site.at)
}

/// `#  SIGSEGV (0xb) at pc=0x4003f5d9, pid=5210, tid=1085233632`
fn pid_of_5(site: &Site<'_>) -> Option<usize> {
    let before = site.before()?;
    let line = [before, site.line()].concat();
    let mark = before.iter().rposition(|b| *b == b'#');
    let said = line.get(mark.map_or(0, |at| at + 1)..)?.trim_ascii();
    banner::pid(&lossy(said))?;
    let start = site.at - before.len();
    let above = site.text.get(start.saturating_sub(ABOVE_PID)..start)?;
    let blanks = before.len() - before.trim_ascii_start().len();
    memchr::memmem::find(above, banner::FIRST_OF_5.as_bytes()).map(|_| start + mark.unwrap_or(blanks))
}

/// `# A fatal error has been detected by the Java Runtime Environment:`
fn first_line(site: &Site<'_>) -> Option<usize> {
    let before = site.before()?;
    let line = [before, site.line()].concat();
    let line = lossy(&line);
    let is_marked = line.contains('#');
    let is_reason = |line: Cow<'_, str>| match (is_marked, line.split_once('#')) {
        (true, Some((_, text))) => banner::is_reason(text.trim()),
        (false, None) => banner::is_reason(line.trim()),
        _ => false,
    };
    if !is_marked {
        let is_banner = banner::is_first(&line) && site.following_text(LINES_LOOKED_AT).any(is_reason);
        let blanks = before.len() - before.trim_ascii_start().len();
        return is_banner.then_some(site.at - before.len() + blanks);
    }
    let start = line.rfind('#')?;
    let is_banner = banner::is_first(banner::text(line.get(start..)?)?);
    let at = before.iter().rposition(|b| *b == b'#')?;
    if !is_banner || !site.following_text(LINES_LOOKED_AT).any(is_reason) {
        return None;
    }
    let start = site.at - (before.len() - at);
    // The line above is a mark and nothing else.
    let above = site.text.get(..start).filter(|above| above == b"#\n" || above.ends_with(b"\n#\n"));
    Some(above.map_or(start, |above| above.len() - 2))
}
