//! The text as the rest reads it: without the kernel's prefixes, each line whole, each stack with a header.
//!
//! Pieces are cleaned by themselves, each from a task's header on: nothing before one has to do with what follows. Only a
//! text whose lines say who printed them is one piece: what belongs together may stand far apart there.

use std::borrow::Cow;
use std::ops::Range;

use rayon::prelude::*;

use super::line::{self, Line};
use super::{header, last_frame, plain, stand_in, wrapped};
use crate::formats::text::{LONGEST_LINE, first_line};
use crate::model::lossy;

/// A text, or a piece of one, without the kernel's prefixes, in the order in which its lines belong together, with a
/// header before stacks of `/proc` that have none.
#[derive(Default)]
pub(super) struct Cleaned {
    pub text: Vec<u8>,
    /// Where pieces of it begin, and where each began in the text before.
    pub places: Vec<(usize, usize)>,
    /// The kernel's version.
    pub version: Option<String>,
    /// How many headers had to be made up.
    numbers: Numbers,
    has_callers: bool,
}

/// How many stacks and tasks nothing named.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Numbers {
    stacks: usize,
    tasks: usize,
}

impl Numbers {
    fn and(self, other: Self) -> Self {
        Self { stacks: self.stacks + other.stacks, tasks: self.tasks + other.tasks }
    }
}

/// How much of a text is looked at first for who printed its lines, bytes.
const LOOKED_AT: usize = 1 << 14;

/// How much text one worker cleans in one go, bytes.
const PIECE: usize = 1 << 20;

/// The whole text, cleaned.
pub(super) fn cleaned(text: &[u8]) -> Cleaned {
    cleaned_in_pieces(text, PIECE)
}

fn cleaned_in_pieces(text: &[u8], size: usize) -> Cleaned {
    let begin = text.get(..text.len().min(LOOKED_AT)).unwrap_or_default();
    let has_callers = line::has_callers(&line::lines_in(begin, 0..begin.len()));
    let ranges = cut(text, if has_callers { text.len() } else { size });
    let mut pieces: Vec<Cleaned> =
        ranges.par_iter().map(|range| clean(text, range.clone(), Numbers::default())).collect();
    if pieces.len() > 1 && pieces.iter().any(|piece| piece.has_callers) {
        pieces = vec![clean(text, 0..text.len(), Numbers::default())];
    }
    // Numbers count through the whole text.
    let mut before = Numbers::default();
    let mut again: Vec<(usize, Numbers)> = Vec::new();
    for (n, piece) in pieces.iter().enumerate() {
        if before != Numbers::default() && piece.numbers != Numbers::default() {
            again.push((n, before));
        }
        before = before.and(piece.numbers);
    }
    let renumbered =
        again.par_iter().filter_map(|&(n, before)| Some((n, clean(text, ranges.get(n)?.clone(), before))));
    for (n, piece) in renumbered.collect::<Vec<_>>() {
        if let Some(known) = pieces.get_mut(n) {
            *known = piece;
        }
    }
    let mut whole = joined(pieces);
    if !text.ends_with(b"\n") {
        whole.text.pop();
    }
    whole
}

/// Pieces of about this size, which begin with the header of a task.
fn cut(text: &[u8], size: usize) -> Vec<Range<usize>> {
    let mut pieces = Vec::new();
    let mut from = 0;
    while from < text.len() {
        let to = next_header(text, from + size.max(1)).unwrap_or(text.len());
        pieces.push(from..to);
        from = to;
    }
    pieces
}

/// The first line behind this place that is a task's header.
fn next_header(text: &[u8], at: usize) -> Option<usize> {
    let mut at = at + first_line(text.get(at..)?).len() + 1;
    while at < text.len() {
        let whole = first_line(text.get(at..)?);
        let line = whole.get(line::prefix(whole).0..).unwrap_or_default();
        if header::may_begin(line) && header::read(&lossy(line)).is_some() {
            return Some(at);
        }
        at += whole.len() + 1;
    }
    None
}

/// The pieces as one.
fn joined(mut pieces: Vec<Cleaned>) -> Cleaned {
    if pieces.len() < 2 {
        return pieces.pop().unwrap_or_default();
    }
    let mut whole =
        Cleaned { text: vec![0; pieces.iter().map(|piece| piece.text.len()).sum()], ..Cleaned::default() };
    whole.places.reserve(pieces.iter().map(|piece| piece.places.len()).sum());
    whole.version = pieces.iter_mut().find_map(|piece| piece.version.take());
    let mut start = 0;
    for piece in &pieces {
        whole.places.extend(piece.places.iter().map(|(at, before)| (start + at, *before)));
        start += piece.text.len();
    }
    let mut rest = whole.text.as_mut_slice();
    let mut parts = Vec::with_capacity(pieces.len());
    for piece in &pieces {
        let Some((part, behind)) = std::mem::take(&mut rest).split_at_mut_checked(piece.text.len()) else {
            break;
        };
        parts.push((part, &piece.text));
        rest = behind;
    }
    parts.into_par_iter().for_each(|(part, text)| part.copy_from_slice(text));
    whole
}

/// Cleans a piece. `before`: what was numbered in the pieces before.
fn clean(text: &[u8], piece: Range<usize>, before: Numbers) -> Cleaned {
    let lines = line::lines_in(text, piece.clone());
    let has_callers = line::has_callers(&lines);
    let lines = line::in_order(lines, text);
    let mut out = Vec::with_capacity(piece.len());
    let mut places = Vec::with_capacity(lines.len());
    let mut numbers = Numbers::default();
    let mut last_pid = None;
    // Whether the line before is a frame of `/proc`.
    let mut is_of_proc = false;
    // Where in it the line before begins.
    let mut last = 0;
    let mut next = 0;
    while let Some(line) = lines.get(next) {
        let shown_of = |line: &Line| line.shown(text);
        let (whole, count) = match line.kind {
            Some(kind) => wrapped::whole(kind, lines.iter().skip(next).map(shown_of)),
            None => (Cow::Borrowed(line.shown(text)), 1),
        };
        let from = line.text.start;
        let header = || {
            let (before_it, behind) = (lines.iter().take(next).rev(), lines.iter().skip(next + count));
            let behind = behind.map(shown_of).chain(behind_piece(text, piece.end));
            let number = before.tasks + numbers.tasks + 1;
            stand_in::header(before_it.map(shown_of), &whole, behind, number)
        };
        if let Some(header) = line.begins_stack.then(header).flatten() {
            numbers.tasks += usize::from(header.starts_with(header::UNNAMED));
            places.push((out.len(), from));
            out.extend_from_slice(header.as_bytes());
            out.push(b'\n');
        }
        let mut shown: &[u8] = &whole;
        places.push((out.len(), from));
        let of_file = split_path(shown);
        if let Some((pid, rest)) = of_file {
            if last_pid != Some(pid) {
                out.extend_from_slice(format!("{}{pid}\n", header::PROC).as_bytes());
                places.push((out.len(), from));
            }
            last_pid = Some(pid);
            shown = rest;
            is_of_proc = false;
        } else {
            last_pid = None;
            let line_before = out.get(last..).unwrap_or_default().trim_ascii_end();
            let begins_plain = || {
                let above = lines.iter().take(next).rev().map(shown_of);
                line.is_bare && plain::begins(above, shown, lines.get(next + count).map(shown_of))
            };
            let is_first = (is_stack(shown) || begins_plain()) && !is_header_of_stack(line_before);
            let is_frame = is_stack(shown) || plain::is_frame(shown);
            let is_next = || is_of_proc && is_frame && last_frame::parts(line_before, shown);
            let begins = is_first || is_next();
            is_of_proc = is_frame && (begins || is_of_proc || line_before.ends_with(b" <=="));
            if begins {
                numbers.stacks += 1;
                let end = line_before.get(line_before.len().saturating_sub(LONGEST_NAME)..);
                let name = pid_of(end.unwrap_or_default()).map_or_else(
                    || format!("stack {}", before.stacks + numbers.stacks),
                    |pid| pid.to_string(),
                );
                out.extend_from_slice(format!("{}{name}\n", header::PROC).as_bytes());
                places.push((out.len(), from));
            }
        }
        last = out.len();
        out.extend_from_slice(shown);
        out.push(b'\n');
        next += count;
    }
    Cleaned { version: version(&out), text: out, places, numbers, has_callers }
}

/// The lines behind a piece.
fn behind_piece(text: &[u8], end: usize) -> impl Iterator<Item = &[u8]> {
    let mut at = end;
    std::iter::from_fn(move || {
        let (line, next) = line::at(text, at)?;
        at = next;
        text.get(line.text)
    })
}

/// `CPU: 1 PID: 7 Comm: sh Not tainted 6.10.0 #1`: the first version that a text names.
fn version(text: &[u8]) -> Option<String> {
    memchr::memmem::find_iter(text, b"ainted").find_map(|at| {
        let start = memchr::memrchr(b'\n', text.get(..at)?).map_or(0, |n| n + 1);
        let line = first_line(text.get(start..)?);
        let line = lossy(line.get(..line.len().min(LONGEST_LINE))?);
        header::version(&line).map(|version| format!("Linux {version}"))
    })
}

/// A frame of `/proc/PID/stack`.
fn is_stack(line: &[u8]) -> bool {
    line.trim_ascii_start().starts_with(b"[<0>] ")
}

/// Whether a frame of `/proc/PID/stack` behind this line has a header.
fn is_header_of_stack(line: &[u8]) -> bool {
    is_stack(line) || line.ends_with(b" <==") || line.trim_ascii_start().starts_with(b"Call ")
}

/// `/proc/94/stack:[<0>] …`: the pid, and what stands behind.
fn split_path(line: &[u8]) -> Option<(u64, &[u8])> {
    let at = memchr::memchr(b':', line.get(..line.len().min(64))?)?;
    if !line.starts_with(b"/proc/") {
        return None;
    }
    Some((header::proc_pid(std::str::from_utf8(line.get(..at)?).ok()?)?, line.get(at + 1..)?))
}

/// A line before a stack that says whose it is: `94`, `PID 94`, `94:`, `PID = 94`, `/proc/94/stack`, `# cat /proc/94/stack`.
pub(super) fn pid_of(line: &[u8]) -> Option<u64> {
    let line = std::str::from_utf8(line).ok()?.trim();
    let command = line.rsplit(' ').next().filter(|_| line.matches("/proc/").count() == 1);
    if let Some(pid) = command.and_then(header::proc_pid) {
        return Some(pid);
    }
    let line = line.trim_end_matches(':').trim_matches(['=', '-', '#', ' ']);
    let number = line.rsplit_once([' ', ':', '=']).map_or(line, |(word, number)| {
        let word = word.trim_end_matches([' ', ':', '=']).trim_start();
        if matches!(word.to_ascii_lowercase().as_str(), "pid" | "tid" | "task" | "thread") {
            number
        } else {
            line
        }
    });
    number.parse().ok().or_else(|| header::proc_pid(line))
}

/// As much of a line before a stack as may name its task, bytes.
const LONGEST_NAME: usize = 120;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_piece_or_many() {
        let mut text = String::new();
        for n in 0..40 {
            text += &format!(
                "[   33.{n:06}] task:w{n}       state:D stack:0     pid:{n}     ppid:0      flags:0x0\n"
            );
            text += &format!(
                "[   33.{n:06}] Call Trace:\n[   33.{n:06}]  lock+0x1/0x2\n[   33.{n:06}]  f{n}+0x5/0x9\n"
            );
            match n % 5 {
                0 => {
                    text += "watchdog: BUG: soft lockup - CPU#0 stuck for 22s! [irq/9-pump:247]\nCall trace:\n g+0x1/0x2\n"
                }
                1 => {
                    text += "Unable to handle kernel paging request at virtual address 28\n\nCall trace:\n h+0x1/0x2\n"
                }
                2 => text += "[<0>] read+0x1/0x2\nthat was all\n[<0>] write+0x1/0x2\n",
                3 => text += "Oops: 0000 [#1] SMP\nEIP is at pump+0x1/0x2\nds: 0018\n",
                _ => {
                    text += "CPU: 1 PID: 4 Comm: b Not tainted 6.10.1 #1\nCall Trace:\n i+0x1/0x2\nProcess pump (pid: 63, ti=c798c000 task=c7994338)\n"
                }
            }
        }
        for text in [text.as_str(), text.trim_end(), &text.replace("] task:", "][   T7] task:")] {
            assert!(cut(text.as_bytes(), 100).len() > 10);
            let whole = cleaned_in_pieces(text.as_bytes(), usize::MAX >> 1);
            for size in [1, 100, 1000] {
                let pieces = cleaned_in_pieces(text.as_bytes(), size);
                assert!(lossy(&pieces.text) == lossy(&whole.text), "{size}");
                assert_eq!((&pieces.places, &pieces.version), (&whole.places, &whole.version), "{size}");
            }
        }
    }
}
