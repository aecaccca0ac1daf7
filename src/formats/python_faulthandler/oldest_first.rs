//! Stacks that were written with Python's `traceback`: the oldest frame first, each with its source below it.
//!
//! ```text
//!   File "/usr/lib/python3.11/threading.py", line 982, in run                 traceback.format_stack
//!     self._target(*self._args, **self._kwargs)
//! File: "/srv/shop/log.py", line 5, in write                                  written from extract_stack
//!   with log_lock:
//!   [Previous line repeated 994 more times]
//! ```
//!
//! Source: CPython 2.7-3.14 Lib/traceback.py (`format_stack`, `extract_stack`).

use crate::formats::python;
use crate::formats::text::{BlockLine, Body};
use crate::model::{Frame, StackEnd, Thread, ThreadId, lossy};

/// Whether a thread has such a stack: faulthandler's have ids in hexadecimal, or none.
pub(super) fn is_own(thread: &Thread) -> bool {
    matches!(thread.id, ThreadId::Number(_)) && thread.handle.is_some()
}

/// `  File "/srv/app.py", line 14, in rec`; faulthandler has no comma before `in`.
pub(super) fn frame(line: &str) -> Option<Frame> {
    let text = line.trim_start();
    let text = if text.starts_with("File: ") { text } else { line.strip_prefix(INDENT)? };
    let place = python::place(text)?;
    let function = place.rest.strip_prefix(", in ")?;
    Some(python::frame(function, place.file, place.line))
}

/// How the source below a frame is indented at least.
const INDENT: &str = "  ";

/// Frames left out of a recursion.
const REPEATED: &str = "  [Previous line repeated ";

/// Whether a line is one of a stack: a frame, or the source below it, where that says what the thread does.
pub(super) fn is_body(line: &str) -> bool {
    let says = || line.starts_with(INDENT) && python::source_says(line).is_some();
    frame(line).is_some() || line.starts_with(REPEATED) || says()
}

/// Whether a line is source that says nothing. In faulthandler's stacks there is none.
pub(super) fn is_source(line: &[u8]) -> bool {
    line.starts_with(INDENT.as_bytes()) && !line.starts_with(b"  File ") && !is_body(&lossy(line))
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
