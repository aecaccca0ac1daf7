//! The traceback of a group of exceptions: its own lines behind one bar, those of its parts behind two.
//!
//! ```text
//!   + Exception Group Traceback (most recent call last):
//!   |   File "/srv/app.py", line 11, in <module>
//!   |     main()
//!   | ExceptionGroup: unhandled errors in a TaskGroup (2 sub-exceptions)
//!   +-+---------------- 1 ----------------
//!     | Traceback (most recent call last):
//!     |   File "/srv/app.py", line 1, in load
//!     | ValueError: bad value
//!     +---------------- 2 ----------------
//!     | KeyError: 'x'
//!     +------------------------------------
//! ```
//!
//! Source: CPython 3.11-3.14 Lib/traceback.py (`_ExceptionPrintContext`, `TracebackException.format`).

use super::traceback::{HEADER, Traceback, is_exception};

/// What stands before the header.
pub(super) const MARK: &str = "  + Exception Group ";

/// How many parts are told.
const MOST_PARTS: usize = 4;

/// Reads the lines after the header.
pub(super) fn read(lines: impl Iterator<Item = String>) -> Option<Traceback> {
    let mut own = Vec::new();
    let mut parts = Vec::new();
    let mut is_in_stack = false;
    let mut lines = lines.peekable();
    while let Some(line) = lines.next_if(|line| is_of_group(line)) {
        if let Some(text) = line.strip_prefix("  |") {
            own.push(text.strip_prefix(' ').unwrap_or(text).to_owned());
            continue;
        }
        // A part: its last line behind the frames, or the only one of an exception without a traceback.
        let text = line.trim_start();
        let Some(text) = text.strip_prefix("| ") else {
            is_in_stack = true;
            continue;
        };
        if text.starts_with(' ') || text.starts_with(HEADER) {
            is_in_stack = true;
        } else if is_in_stack && is_exception(text) && !text.contains(" sub-exception") {
            is_in_stack = false;
            parts.push(text.to_owned());
        }
    }
    parts.truncate(MOST_PARTS);
    Traceback::read(own.into_iter().chain(lines), parts)
}

/// Lines with a bar, and those that part one from the next.
fn is_of_group(line: &str) -> bool {
    let text = line.trim_start();
    text.len() < line.len() && (text.starts_with('|') || text.starts_with("+-"))
}
