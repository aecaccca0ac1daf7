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

use crate::model::{Thread, ThreadId};

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

/// The lines around the stacks, with any title.
pub(super) fn is_rule(line: &str) -> bool {
    (line.starts_with("+ ") || line.starts_with("++")) && line.ends_with('+')
        || (line.starts_with("~ ") || line.starts_with("~~")) && line.ends_with('~')
}

/// The line that begins and ends a dump.
pub(super) fn is_begin(line: &str) -> bool {
    is_rule(line) && line.trim_matches('+') == " Timeout "
}
