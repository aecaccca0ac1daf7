//! Whether a text is folded, which no header tells.

use super::ahead;
use super::line::{is_name, stack};
use crate::formats::detect::Header;
use crate::formats::text;
use crate::model::lossy;

/// Lines that are looked at to tell whether a text is folded.
const LOOKED_AT: usize = 400;

/// So many lines of a log that are folded, one below the other, are no chance.
const FEWEST: usize = 3;

/// Whether a text is folded: most of its lines are, or lines of a log that stand together, or those of a block of Markdown.
/// Tables, cookies and prose have lines with semicolons and a number as well, but do not begin alike: stacks are sorted, and
/// have few roots, or the name of each thread and below it what all threads begin with.
pub(super) fn recognize(text: &[u8]) -> Option<Header> {
    let mut seen = Seen::default();
    let (mut at, mut looked_at, mut is_fenced) = (0usize, 0usize, false);
    while at < text.len() && (looked_at < LOOKED_AT || (seen.folded == 0 && looked_at < LOOKED_AT * 25)) {
        let whole = text::first_line(text.get(at..)?);
        let line = lossy(whole.get(..whole.len().min(text::LONGEST_LINE))?);
        looked_at += usize::from(!line.trim().is_empty());
        if line.starts_with(FENCE) {
            is_fenced = !is_fenced;
            match seen.folded {
                // What stands before a block is about it.
                0 => seen = Seen::default(),
                _ if !is_fenced => break,
                _ => {}
            }
        } else if let Some((start, value)) = ahead::json(&line) {
            value.lines().for_each(|line| seen.add(line, |_| Header { line: at, start: at + start }));
        } else {
            seen.add(&line, |start| Header { line: at, start: at + start });
        }
        at += whole.len() + 1;
    }
    seen.header()
}

/// What encloses a block of Markdown.
const FENCE: &str = "```";

/// What the lines were that were looked at.
#[derive(Default)]
struct Seen {
    first: Option<Header>,
    /// The root and its call of the stack before.
    before: [Option<String>; 2],
    folded: usize,
    others: usize,
    /// Of those that are folded: lines of a log, lines that begin as the one before, lines whose names are code.
    in_log: usize,
    alike: usize,
    code: usize,
    /// Whether other lines stand between the folded ones.
    is_apart: bool,
    has_gap: bool,
}

impl Seen {
    /// Adds a line; `header`: where it is, and where in it the frames begin.
    fn add(&mut self, line: &str, header: impl Fn(usize) -> Header) {
        let Some((frames, _)) = stack(line) else {
            if !line.trim().is_empty() && !line.starts_with('#') {
                self.others += 1;
                self.has_gap = self.folded > 0;
            }
            return;
        };
        self.folded += 1;
        self.is_apart |= self.has_gap;
        let start = ahead::length(frames);
        self.in_log += usize::from(start > 0);
        let own = frames.get(start..).unwrap_or_default();
        self.code += usize::from(is_code(own));
        let mut names = own.split(';').map(str::to_owned);
        let begin = [names.next(), names.next()];
        self.alike += usize::from(begin.iter().zip(&self.before).any(|(name, before)| name == before));
        self.before = begin;
        self.first.get_or_insert_with(|| header(start));
    }

    /// The first line of a profile.
    fn header(self) -> Option<Header> {
        let Self { folded, others, in_log, alike, code, is_apart, .. } = self;
        let is_alike = alike * 2 >= folded.saturating_sub(1);
        let is_profile = folded > others && (is_alike && folded > 1 || others == 0 && code == folded);
        let is_logged = in_log >= FEWEST && in_log == folded && is_alike && !is_apart;
        self.first.filter(|_| is_profile || is_logged)
    }
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
