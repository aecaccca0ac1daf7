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
mod confirm;
mod frame;
mod parts;
mod reader;
mod report;
mod threads;

use crate::formats::text::{Dumps, Section};
use crate::model::{FormatId, Snapshot};
pub(super) use banner::{RUNTIME, TID};
pub(super) use confirm::confirm;
use reader::Reader;
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

/// By what reports are found.
static ANCHORS: [&str; 4] = [RUNTIME, CURRENT, FRAMES, TID];

/// Whether an anchor at which a text stands is one of a report.
pub(super) fn is_anchor(text: &str) -> bool {
    ANCHORS.iter().any(|anchor| text.starts_with(anchor))
}

/// How many lines below a place are looked at for what has to be there.
const LINES_LOOKED_AT: usize = 12;

/// All reports of a text.
pub(super) fn read(section: &Section<'_>, format: FormatId) -> Vec<Snapshot> {
    // Logs of any program have what one of 5 is found by.
    let is_there = |anchor: &str| section.has(anchor) && (anchor != TID || section.has(banner::FIRST_OF_5));
    if !ANCHORS.iter().any(|anchor| is_there(anchor)) {
        return Vec::new();
    }
    let mut dumps = Dumps::new(section, format);
    without_copies(Reader::read(section)).into_iter().for_each(|report| report.settle(&mut dumps));
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

#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_copied;
#[cfg(test)]
mod tests_of_5;
