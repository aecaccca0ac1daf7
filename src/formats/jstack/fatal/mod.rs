//! What HotSpot writes when it ends itself: `hs_err_pid*.log`, and the banner of it on the terminal.
//!
//! ```text
//! # A fatal error has been detected by the Java Runtime Environment:                       `banner`
//! #  SIGSEGV (0xb) at pc=0x00007f4dec6d27f4, pid=3906, tid=3926
//! ---------------  T H R E A D  ---------------
//! Current thread (0x00007f4de412b730):  JavaThread "pricing-3" [_thread_in_vm, id=3926, …]  `threads`
//! Native frames: (J=compiled Java code, j=interpreted, Vv=VM code, C=native code)
//! V  [libjvm.so+0xed27f4]  Unsafe_PutInt+0x124                                            `frame`
//!
//! Java frames: (J=compiled Java code, j=interpreted, Vv=VM code)
//! siginfo: si_signo: 11 (SIGSEGV), si_code: 1 (SEGV_MAPERR), si_addr: 0x0000000000000000
//! Java Threads: ( => current thread )
//!   0x00007f4de4027460 JavaThread "Finalizer" daemon [_thread_blocked, id=3917, …]
//!
//! Other Threads:
//! VM Mutex/Monitor currently owned by a thread:  ([mutex/lock_event])
//! [0x00007f2b8c006d40] Threads_lock - owner thread: 0x00007f2b8c01a800
//! END.
//! ```
//!
//! Nothing of registers, memory, the heap, flags and libraries is read: it is hundreds of lines of any form.
//!
//! Source: OpenJDK 6-25 utilities/vmError.cpp `VMError::report`; os_posix.cpp `os::print_siginfo`; runtime/mutex.cpp.

mod banner;
mod frame;
mod parts;
mod report;
mod threads;

use crate::formats::text::{Dumps, Section, Site};
use crate::model::{FormatId, Snapshot, lossy};
pub(super) use banner::RUNTIME;
use parts::Part;
use report::Report;

/// What begins a report, and ends one, for whoever else reads the text.
pub(super) const BEGIN: &[&str] =
    &["# A fatal error has been detected by the Java", "# There is insufficient memory for the Java"];
pub(super) const END: &str = "END.";

/// How a report without its banner is found.
pub(super) const CURRENT: &str = threads::CURRENT;

/// How many lines below a place are looked at for what has to be there.
const LINES_LOOKED_AT: usize = 12;

/// Whether a report stands at an anchor.
pub(super) fn confirm(site: &Site<'_>) -> Option<usize> {
    let before = site.before()?;
    if site.rest().starts_with(CURRENT.as_bytes()) {
        threads::read(&lossy(site.line()))?;
        let is_stack = |line: std::borrow::Cow<'_, str>| {
            Part::of(&line).is_some_and(|part| matches!(part, Part::Native | Part::Java))
                || line.contains("Stack: [")
        };
        return site.following_text(LINES_LOOKED_AT).any(is_stack).then_some(site.at);
    }
    let line = [before, site.line()].concat();
    let line = lossy(&line);
    let start = line.rfind('#')?;
    let is_reason = |line: std::borrow::Cow<'_, str>| {
        line.split_once('#').is_some_and(|(_, text)| banner::is_reason(text.trim()))
    };
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

/// All reports of a text.
pub(super) fn read(section: &Section<'_>, format: FormatId) -> Vec<Snapshot> {
    if !section.has(RUNTIME) && !section.has(CURRENT) {
        return Vec::new();
    }
    let mut reports: Vec<Report> = Vec::new();
    // The last one of them is being read.
    let mut is_open = false;
    let mut is_in_banner = false;
    // Where the line above begins, if it is a `#` alone: so begins what stands above the first line.
    let mut mark = None;
    let mut at = 0;
    for line in section.text.split(|b| *b == b'\n') {
        let (offset, text) = (section.offset(at), lossy(line.trim_ascii_end()));
        at += line.len() + 1;
        if let Some(said) = banner::text(&text) {
            if banner::is_first(said) {
                let offset = mark.unwrap_or(offset);
                reports.push(Report::new(said, offset));
                (is_open, is_in_banner) = (true, true);
            } else if let Some(report) = reports.last_mut().filter(|_| is_in_banner) {
                report.banner_line(said);
            }
            mark = Some(offset).filter(|_| said.is_empty());
            continue;
        }
        is_in_banner = false;
        mark = None;
        is_open &= text != END && !text.starts_with("Full thread dump ");
        if text.starts_with(CURRENT) && (!is_open || reports.last().is_some_and(Report::has_thread)) {
            reports.push(Report::headless(offset));
            is_open = true;
        }
        if let Some(report) = reports.last_mut().filter(|_| is_open) {
            report.line(&text, offset);
        }
    }
    let mut dumps = Dumps::new(section, format);
    let mut reports = reports.into_iter().filter(Report::says_something).peekable();
    while let Some(report) = reports.next() {
        if !reports.peek().is_some_and(|next| report.is_begin_of(next)) {
            report.settle(&mut dumps);
        }
    }
    dumps.snapshots()
}

#[cfg(test)]
mod tests;
