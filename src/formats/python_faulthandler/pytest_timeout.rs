//! What pytest-timeout prints of each thread when a test takes too long: tracebacks, the oldest frame first.
//!
//! ```text
//! +++++++++++++++++++++++++++++++++++ Timeout ++++++++++++++++++++++++++++++++++++
//! ~~~~~~~~~~~~~~~~~~~~~~~ Stack of writer (140466794051264) ~~~~~~~~~~~~~~~~~~~~~~~
//!   File "/usr/lib/python3.11/threading.py", line 982, in run
//!     self._target(*self._args, **self._kwargs)
//!   File "/srv/shop/tests/test_order.py", line 5, in write
//!     log_lock.acquire()
//! +++++++++++++++++++++++++++++++++++ Timeout ++++++++++++++++++++++++++++++++++++
//! ```
//!
//! Source: pytest-timeout 1.3 to 2.4 pytest_timeout.py (`dump_stacks`, `timeout_timer`), CPython Lib/traceback.py
//! (`format_stack`).

use crate::formats::python;
use crate::formats::text::{BlockLine, Body};
use crate::model::{StackEnd, Thread, ThreadId, lossy};

/// What stands in each header.
pub(super) const TITLE: &str = "~ Stack of ";

/// Reads a header.
pub(super) fn header(line: &str) -> Option<Thread> {
    let inside = line.trim_start_matches('~').strip_prefix(" Stack of ")?;
    let inside = inside.trim_end_matches('~').strip_suffix(") ").filter(|_| line.ends_with('~'))?;
    let (name, ident) = inside.rsplit_once(" (")?;
    let ident: u64 = ident.parse().ok()?;
    let mut thread = Thread::new(ThreadId::Number(ident));
    thread.handle = Some(ident);
    // Of a thread that Python did not begin.
    thread.name = (name != "<unknown>").then(|| name.into());
    Some(thread)
}

/// Whether a thread is of such a dump: faulthandler's have ids in hexadecimal, or none.
pub(super) fn is_own(thread: &Thread) -> bool {
    matches!(thread.id, ThreadId::Number(_)) && thread.handle.is_some()
}

/// The lines around the stacks, with any title.
pub(super) fn is_rule(line: &str) -> bool {
    (line.starts_with("+ ") || line.starts_with("++")) && line.ends_with('+')
        || (line.starts_with("~ ") || line.starts_with("~~")) && line.ends_with('~')
}

/// The line that begins and ends a dump.
pub(super) fn is_begin(line: &str) -> bool {
    is_rule(line) && line.trim_matches('+') == " Timeout "
}

/// `  File "/srv/app.py", line 14, in rec`; faulthandler has no comma before `in`.
fn frame(line: &str) -> Option<crate::model::Frame> {
    let place = python::place(line.strip_prefix("  ")?)?;
    let function = place.rest.strip_prefix(", in ")?;
    Some(python::frame(function, place.file, place.line))
}

/// Frames left out of a recursion.
const REPEATED: &str = "  [Previous line repeated ";

/// Whether a line is one of a stack: a frame, or the source below it, where that says what the thread does.
pub(super) fn is_body(line: &str) -> bool {
    let says = || line.starts_with(SOURCE) && python::source_says(line).is_some();
    frame(line).is_some() || line.starts_with(REPEATED) || says()
}

/// How the source below a frame is indented.
const SOURCE: &str = "    ";

/// Whether a line is source that says nothing. In faulthandler's stacks there is none.
pub(super) fn is_source(line: &[u8]) -> bool {
    line.starts_with(SOURCE.as_bytes()) && !is_body(&lossy(line))
}

/// Reads a stack; `None`: it is none of these.
pub(super) fn body(block: &[BlockLine<'_>]) -> Option<Body> {
    let mut body = Body::default();
    for line in block {
        if let Some(frame) = frame(line.text) {
            body.frames.push(frame.into());
            body.state = None;
        } else if let Some(count) = line.text.strip_prefix(REPEATED) {
            body.left_out += count.split(' ').next().and_then(|n| n.parse().ok()).unwrap_or(1);
            body.end = StackEnd::DepthLimit;
        } else {
            // Of the last frame it counts: a call that blocks leaves no frame of its own.
            body.state = python::source_says(line.text);
        }
    }
    body.frames.reverse();
    (!body.frames.is_empty()).then_some(body)
}
