//! What the kernel puts before each line of its log, and which lines belong together.
//!
//! ```text
//! <6>[  703.530883][ T1054] Call Trace:        printk, with a level and the task that printed (CONFIG_PRINTK_CALLER)
//! [ 1432.308920][    C1] CPU: 1 PID: 5857 …    a processor in an interrupt
//! [Mon Mar 14 02:26:53 2025] INFO: task …      dmesg -T
//! /proc/94/stack:[<0>] vfs_read+0x23f/0x310    grep . /proc/*/stack
//! ```
//!
//! Source: Linux 4.4-6.18 kernel/printk/printk.c (`info_print_prefix`, `print_caller`).

use std::ops::Range;

use rustc_hash::FxHashMap;

use super::{stand_in, wrapped};
use crate::formats::text::first_line;

/// The longest date of `dmesg -T`, bytes.
const LONGEST_DATE: usize = 40;

/// A line of a kernel's log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line {
    /// Its text without the prefix: a place in the text.
    pub text: Range<usize>,
    /// Which task or processor printed it, where that is said.
    caller: Option<(u8, u64)>,
    /// It goes on with the line before: it has no prefix, and whoever printed the lines around it says so.
    pub is_bare: bool,
    /// What it lacks without its end.
    pub kind: Option<wrapped::Kind>,
    /// It may need a header before it: see [`stand_in`].
    pub begins_stack: bool,
}

impl Line {
    /// Its text without the prefix.
    pub fn shown<'t>(&self, text: &'t [u8]) -> &'t [u8] {
        text.get(self.text.clone()).unwrap_or_default()
    }
}

/// How many bytes of a line are the kernel's prefix, and who printed the line.
pub(super) fn prefix(line: &[u8]) -> (usize, Option<(u8, u64)>) {
    let mut at = 0;
    let mut caller = None;
    let rest = |at: usize| line.get(at..).unwrap_or_default();
    if let Some(length) = level(rest(at)) {
        at += length;
    }
    let has_time = if let Some((length, _)) = bracketed(rest(at)).filter(|(_, text)| is_time(text)) {
        at += length;
        true
    } else {
        false
    };
    if let Some((length, text)) = bracketed(rest(at))
        && let Some(id) = caller_id(text)
    {
        at += length;
        caller = Some(id);
    }
    if (has_time || caller.is_some()) && rest(at).first() == Some(&b' ') {
        at += 1;
    }
    (at, caller)
}

/// Where in what stands before an anchor the kernel's own prefix begins.
pub(super) fn own_start(before: &[u8]) -> usize {
    let starts = before.iter().enumerate().filter(|(_, b)| matches!(b, b'<' | b'[')).map(|(at, _)| at);
    let own = starts.into_iter().find(|&at| {
        let rest = before.get(at..).unwrap_or_default();
        let (length, _) = prefix(rest);
        length > 0 && rest.get(length..).unwrap_or_default().trim_ascii().is_empty()
    });
    own.unwrap_or(before.len())
}

/// `<6>`, `<14>`.
fn level(line: &[u8]) -> Option<usize> {
    let inside = line.strip_prefix(b"<")?;
    let digits = inside.iter().take_while(|b| b.is_ascii_digit()).count();
    ((1..=3).contains(&digits) && inside.get(digits) == Some(&b'>')).then_some(digits + 2)
}

/// `[ … ]` at the begin of a line: its length and what is in it.
fn bracketed(line: &[u8]) -> Option<(usize, &[u8])> {
    let inside = line.strip_prefix(b"[")?;
    let inside = inside.get(..inside.len().min(LONGEST_DATE)).unwrap_or_default();
    let end = memchr::memchr(b']', inside)?;
    Some((end + 2, inside.get(..end)?.trim_ascii()))
}

/// `703.530883`, `Mon Mar 14 02:26:53 2025`.
fn is_time(text: &[u8]) -> bool {
    let is_seconds = || {
        let mut parts = text.split(|b| *b == b'.');
        let (Some(whole), Some(part), None) = (parts.next(), parts.next(), parts.next()) else {
            return false;
        };
        [whole, part].iter().all(|digits| !digits.is_empty() && digits.iter().all(u8::is_ascii_digit))
    };
    let is_date = || {
        let is_part =
            |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b' ' | b':' | b'.' | b'+' | b'-' | b',');
        text.iter().filter(|b| **b == b':').count() == 2 && text.iter().all(is_part)
    };
    is_seconds() || is_date()
}

/// `T1054`, `C1`.
fn caller_id(text: &[u8]) -> Option<(u8, u64)> {
    let (kind, digits) = text.split_first()?;
    let is_id = matches!(kind, b'T' | b'C') && !digits.is_empty();
    let number = std::str::from_utf8(digits).ok()?.parse().ok()?;
    is_id.then_some((*kind, number))
}

/// Lines in an order in which what belongs together stands together: two processors that print at once take turns, within
/// lines too (`0000000000120018[  703.530883] net_ratelimit: …`).
pub(super) fn in_order(lines: Vec<Line>, text: &[u8]) -> Vec<Line> {
    match has_callers(&lines) {
        true => together(lines, text),
        // They are in order as they are.
        false => lines,
    }
}

/// Whether some of the lines say who printed them.
pub(super) fn has_callers(lines: &[Line]) -> bool {
    lines.iter().any(|line| line.caller.is_some())
}

/// The line that begins at this place of a text, and where the next one does.
pub(super) fn at(text: &[u8], at: usize) -> Option<(Line, usize)> {
    let rest = text.get(at..).filter(|rest| !rest.is_empty())?;
    let end = at + first_line(rest).len();
    let (line, inner) = line_in(text, at, end);
    Some((line, inner.unwrap_or(end + 1)))
}

/// The lines of a piece of a text, which begins and ends with one.
pub(super) fn lines_in(text: &[u8], piece: Range<usize>) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut at = piece.start;
    while at < piece.end {
        let end = at + first_line(text.get(at..).unwrap_or_default()).len();
        let mut from = Some(at);
        while let Some(start) = from {
            let (line, inner) = line_in(text, start, end);
            lines.push(line);
            from = inner;
        }
        at = end + 1;
    }
    lines
}

/// The first line in a line that ends at `end`, and where one begins that was printed into it.
fn line_in(text: &[u8], from: usize, end: usize) -> (Line, Option<usize>) {
    let rest = text.get(from..end).unwrap_or_default();
    let (length, caller) = prefix(rest);
    let inner = inner_prefix(rest.get(length..).unwrap_or_default()).map(|inner| from + length + inner);
    let range = from + length..inner.unwrap_or(end);
    let shown = text.get(range.clone()).unwrap_or_default();
    let line = Line {
        kind: wrapped::Kind::of(shown),
        begins_stack: stand_in::begins(shown),
        text: range,
        caller,
        is_bare: length == 0,
    };
    (line, inner)
}

/// Lines with their callers, each behind the line that it goes on with.
fn together(lines: Vec<Line>, text: &[u8]) -> Vec<Line> {
    // The callers of segments of lines, and the segment of each line.
    let mut callers: Vec<Option<(u8, u64)>> = Vec::new();
    let mut segment_of: Vec<usize> = Vec::with_capacity(lines.len());
    let mut last_of: FxHashMap<Option<(u8, u64)>, usize> = FxHashMap::default();
    for line in &lines {
        let caller = line.caller;
        let newest = callers.len().checked_sub(1).filter(|n| callers.get(*n) == Some(&caller));
        let last = segment_of.last().copied();
        let known = match newest {
            // A mailer broke the line before.
            _ if line.is_bare && last.is_some() => last,
            Some(newest) => Some(newest),
            None if caller.is_some() && goes_on(line.shown(text)) => last_of.get(&caller).copied(),
            None => None,
        };
        segment_of.push(known.unwrap_or_else(|| {
            last_of.insert(caller, callers.len());
            callers.push(caller);
            callers.len() - 1
        }));
    }
    if segment_of.is_sorted() {
        return lines;
    }
    let mut lines: Vec<(usize, Line)> = segment_of.into_iter().zip(lines).collect();
    lines.sort_by_key(|(segment, _)| *segment);
    lines.into_iter().map(|(_, line)| line).collect()
}

/// Where in the text of a line another line begins, which was printed into it.
fn inner_prefix(text: &[u8]) -> Option<usize> {
    let mut from = 1;
    while let Some(found) = memchr::memchr(b'[', text.get(from..)?) {
        let at = from + found;
        let is_line = |rest: &[u8]| {
            let time =
                bracketed(rest).filter(|(_, text)| text.len() >= 8 && text.contains(&b'.') && is_time(text));
            time.is_some_and(|(length, _)| matches!(rest.get(length), Some(b' ' | b'[')))
        };
        if is_line(text.get(at..)?) {
            return Some(at);
        }
        from = at + 1;
    }
    None
}

/// Whether a line goes on with what its caller printed before: a frame, registers, an entry of a list.
fn goes_on(text: &[u8]) -> bool {
    const STARTS: [&[u8]; 12] = [
        b"Call Trace:",
        b"Call trace:",
        b"RIP:",
        b"RSP:",
        b"RAX:",
        b"RDX:",
        b"RBP:",
        b"R10:",
        b"R13:",
        b"Code:",
        b"Hardware name:",
        b"Workqueue:",
    ];
    text.first() == Some(&b' ') || text.is_empty() || STARTS.iter().any(|start| text.starts_with(start))
}
