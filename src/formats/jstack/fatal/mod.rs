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

/// Whether a line begins a report, for whoever else reads the text.
pub(super) fn begins(line: &str) -> bool {
    banner::is_first(banner::text(line).unwrap_or(line))
}

/// What ends one.
pub(super) const END: &str = "END.";

/// How a report without its banner is found.
pub(super) const CURRENT: &str = threads::CURRENT;

/// What is in the headings of a stack, by which one is found that stands alone.
pub(super) const FRAMES: &str = "Java code, ";

/// The headings, up to that.
static STACKS: &[&str] = &["Native frames: (J=compiled ", "Java frames: (J=compiled "];

/// How many lines below a place are looked at for what has to be there.
const LINES_LOOKED_AT: usize = 12;

/// What stands below a current thread.
static BELOW_CURRENT: &[&str] = &["Stack: [", "siginfo:", "Registers:", "Current CompileTask:"];

/// Whether a report stands at an anchor.
pub(super) fn confirm(site: &Site<'_>) -> Option<usize> {
    let before = site.before()?;
    if site.rest().starts_with(FRAMES.as_bytes()) {
        let heading = STACKS.iter().find(|heading| before.ends_with(heading.as_bytes()))?;
        let is_frame = |line: std::borrow::Cow<'_, str>| frame::read(line.trim()).is_some();
        return site.following_text(2).any(is_frame).then(|| site.at - heading.len());
    }
    if site.rest().starts_with(CURRENT.as_bytes()) {
        threads::read(&lossy(site.line()))?;
        let is_below = |line: std::borrow::Cow<'_, str>| {
            Part::of(&line).is_some_and(|part| matches!(part, Part::Native | Part::Java))
                || BELOW_CURRENT.iter().any(|below| line.contains(below))
        };
        return site.following_text(LINES_LOOKED_AT).any(is_below).then_some(site.at);
    }
    let line = [before, site.line()].concat();
    let line = lossy(&line);
    let is_marked = line.contains('#');
    let is_reason = |line: std::borrow::Cow<'_, str>| match (is_marked, line.split_once('#')) {
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

/// Of which banner lines are read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum In {
    None,
    /// As the JVM wrote it.
    Marked,
    /// One that lost its marks: so many lines may be its own.
    Bare(usize),
}

/// All reports of a text.
pub(super) fn read(section: &Section<'_>, format: FormatId) -> Vec<Snapshot> {
    if ![RUNTIME, CURRENT, FRAMES].iter().any(|anchor| section.has(anchor)) {
        return Vec::new();
    }
    let mut reports: Vec<Report> = Vec::new();
    // The last one of them is being read.
    let mut is_open = false;
    let mut banner = In::None;
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
                (is_open, banner) = (true, In::Marked);
            } else if banner == In::Marked {
                reports.last_mut().into_iter().for_each(|report| report.banner_line(said));
            } else if !is_open && banner::is_signal_or_error(said) {
                // It was pasted without its first line.
                let mut report = Report::headless(offset);
                report.banner_line(said);
                reports.push(report);
                (is_open, banner) = (true, In::Marked);
            }
            mark = Some(offset).filter(|_| said.is_empty());
            continue;
        }
        mark = None;
        if banner::is_first(&text) && is_bare(section.text.get(at..).unwrap_or_default()) {
            reports.push(Report::new(&text, offset));
            (is_open, banner) = (true, In::Bare(LINES_LOOKED_AT));
            continue;
        }
        banner = match banner {
            In::Bare(left) if left > 0 && !Report::ends_banner(&text) => {
                reports.last_mut().into_iter().for_each(|report| report.banner_line(text.trim()));
                In::Bare(left - 1)
            }
            // Other threads write between the lines, with line breaks where they may.
            In::Marked if text.is_empty() || text.starts_with("[thread ") => In::Marked,
            _ => In::None,
        };
        if banner != In::None {
            continue;
        }
        is_open &= text != END && !text.starts_with("Full thread dump ");
        let is_another = !is_open || reports.last().is_some_and(Report::has_thread);
        let is_stack = matches!(Part::of(&text), Some(Part::Native | Part::Java));
        if text.starts_with(CURRENT) && is_another || is_stack && !is_open {
            reports.push(Report::headless(offset));
            is_open = true;
        }
        if let Some(report) = reports.last_mut().filter(|_| is_open) {
            report.line(&text, offset);
        }
    }
    let mut dumps = Dumps::new(section, format);
    without_copies(reports).into_iter().for_each(|report| report.settle(&mut dumps));
    dumps.snapshots()
}

/// The reports that say something. Of two neighbours that tell of one end the one that says more.
fn without_copies(reports: Vec<Report>) -> Vec<Report> {
    let mut kept: Vec<Report> = Vec::with_capacity(reports.len());
    for report in reports.into_iter().filter(Report::says_something) {
        if kept.last().is_some_and(|before| report.is_copy_of(before)) {
            continue;
        }
        kept.pop_if(|before| before.is_copy_of(&report));
        kept.push(report);
    }
    kept
}

/// Whether lines below a first line without its mark are those of a banner.
fn is_bare(below: &[u8]) -> bool {
    let mut lines = below.split(|b| *b == b'\n').take(LINES_LOOKED_AT);
    lines.any(|line| banner::is_reason(lossy(line).trim()))
}

#[cfg(test)]
mod tests;
