//! Whether a text is folded, which no header tells.

use super::line::{is_name, stack};
use crate::formats::detect::Header;
use crate::formats::text;
use crate::model::lossy;

/// Lines that are looked at to tell whether a text is folded.
const LOOKED_AT: usize = 400;

/// So many lines of a log that are folded, one below the other, are no chance.
const FEWEST: usize = 3;

/// Whether a text is folded: most of its lines are, or lines of a log that stand together. Tables, cookies and prose
/// have lines with semicolons and a number as well, but do not begin alike: stacks are sorted, and have few roots, or
/// the name of each thread and below it what all threads begin with.
pub(super) fn recognize(text: &[u8]) -> Option<Header> {
    let mut first = None;
    let mut before = [None, None];
    let (mut folded, mut others, mut at) = (0usize, 0usize, 0usize);
    let (mut in_log, mut alike, mut code) = (0usize, 0usize, 0usize);
    // Whether other lines stand between the folded ones.
    let (mut is_apart, mut has_gap) = (false, false);
    while at < text.len() && (folded + others < LOOKED_AT || (folded == 0 && others < LOOKED_AT * 25)) {
        let whole = text::first_line(text.get(at..)?);
        let line = lossy(whole.get(..whole.len().min(text::LONGEST_LINE))?);
        if let Some((frames, _)) = stack(&line) {
            folded += 1;
            is_apart |= has_gap;
            let start = own_start(frames);
            in_log += usize::from(start > 0);
            let own = frames.get(start..).unwrap_or_default();
            code += usize::from(is_code(own));
            let mut names = own.split(';').map(str::to_owned);
            let begin = [names.next(), names.next()];
            alike += usize::from(begin.iter().zip(&before).any(|(name, before)| name == before));
            before = begin;
            first.get_or_insert(Header { line: at, start: at + start });
        } else if !line.trim().is_empty() && !line.starts_with('#') {
            others += 1;
            has_gap = folded > 0;
        }
        at += whole.len() + 1;
    }
    let is_alike = alike * 2 >= folded.saturating_sub(1);
    let is_profile = folded > others && (is_alike && folded > 1 || others == 0 && code == folded);
    let is_logged = in_log >= FEWEST && in_log == folded && is_alike && !is_apart;
    first.filter(|_| is_profile || is_logged)
}

/// Whether the names have no blanks but within brackets: words of a table do, `void f(int, char)` does not.
fn is_code(frames: &str) -> bool {
    let mut depth = 0usize;
    let is_open_blank = |b: u8| {
        match b {
            b'(' | b'<' | b'[' | b'{' => depth += 1,
            b')' | b'>' | b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        b == b' ' && depth == 0
    };
    is_name(root(frames)) && !frames.bytes().any(is_open_blank)
}

fn root(frames: &str) -> &str {
    frames.split(';').next().unwrap_or_default()
}

/// Where the frames begin in a line of a log: behind the time and the words after it.
fn own_start(frames: &str) -> usize {
    let root = root(frames);
    let digits = root.as_bytes();
    let has_time = digits
        .windows(5)
        .any(|w| matches!(w, [a, b, b':', c, d] if [a, b, c, d].iter().all(|x| x.is_ascii_digit())));
    if !has_time {
        return 0;
    }
    root.rfind(' ').map_or(0, |at| at + 1)
}
