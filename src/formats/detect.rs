//! Which dumps a file holds: one pass finds the literal anchors of all text formats, and each format confirms its
//! own. A file may hold several dumps of several kinds, with anything between them.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind, packed};
use bytes::Bytes;
use rayon::prelude::*;

use super::text::{self, Section, Site};
use super::{FORMATS, Format, Reader};
use crate::model::{GapKind, Snapshot, Str};

/// How much text one worker looks through at a time.
const PIECE: usize = 4 << 20;

/// What a file holds.
pub enum Content<'b> {
    /// One binary dump.
    Binary(&'static Format),
    /// Text with dumps of these formats.
    Text(TextContent<'b>),
}

/// A text with the headers that were found in it.
pub struct TextContent<'b> {
    text: Cow<'b, [u8]>,
    found: Vec<Found>,
}

/// The headers of one format.
struct Found {
    format: &'static Format,
    headers: Vec<Header>,
    /// Other formats that fit as well.
    ties: Vec<&'static Format>,
}

/// A header line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Where its line begins.
    pub line: usize,
    /// Where in the line the format's own text begins.
    pub start: usize,
}

/// All anchors. An anchor that has another one in it is looked for where that one is found: so none hides another.
struct Anchors {
    /// Groups of patterns, small enough for the vector search.
    groups: Vec<Group>,
    longest: usize,
}

/// Patterns that are looked for together.
struct Group {
    scanner: Scanner,
    /// For each pattern what may stand around it.
    around: Vec<Vec<Anchor>>,
}

enum Scanner {
    /// By vectors: several bytes of each pattern at once.
    Packed(packed::Searcher),
    /// On processors without them.
    Automaton(AhoCorasick),
}

/// An anchor of a format.
struct Anchor {
    format: usize,
    text: &'static str,
    /// Where in it the scanner's pattern stands.
    at: usize,
}

/// So many patterns the vector search takes without looking at too many places that are none.
const PATTERNS_A_GROUP: usize = 28;

/// All groups look at a part of the text before the next part: it stays in the cache meanwhile.
const PART: usize = 128 << 10;

static ANCHORS: LazyLock<Option<Anchors>> = LazyLock::new(|| {
    let mut all: Vec<(usize, &'static str)> = Vec::new();
    for (n, format) in FORMATS.iter().enumerate() {
        if let Reader::Text { anchors, .. } = &format.reader {
            all.extend(anchors.iter().map(|anchor| (n, *anchor)));
        }
    }
    let mut patterns: Vec<&'static str> = all
        .iter()
        .map(|(_, text)| *text)
        .filter(|text| !all.iter().any(|(_, other)| other != text && text.contains(other)))
        .collect();
    // Patterns that begin alike are looked for together.
    patterns.sort_unstable();
    patterns.dedup();
    let groups: Option<Vec<Group>> = patterns
        .chunks(PATTERNS_A_GROUP)
        .map(|patterns| {
            let around = patterns.iter().map(|pattern| {
                let anchors = all.iter().filter_map(|&(format, text)| {
                    // The anchor's first pattern only: it is there wherever the anchor is.
                    Some(Anchor { format, text, at: text.find(pattern)? })
                });
                anchors.collect()
            });
            Some(Group { around: around.collect(), scanner: Scanner::of(patterns)? })
        })
        .collect();
    let longest = all.iter().map(|(_, text)| text.len()).max()?;
    Some(Anchors { groups: groups?, longest })
});

impl Scanner {
    fn of(patterns: &[&str]) -> Option<Self> {
        let config = packed::Config::new().match_kind(packed::MatchKind::LeftmostFirst).to_owned();
        match config.builder().extend(patterns).build() {
            Some(searcher) => Some(Self::Packed(searcher)),
            None => AhoCorasick::builder()
                .match_kind(MatchKind::LeftmostFirst)
                .kind(Some(AhoCorasickKind::DFA))
                .build(patterns)
                .ok()
                .map(Self::Automaton),
        }
    }

    /// The first pattern in this part of the text: which, and where it begins.
    fn find(&self, text: &[u8], span: Range<usize>) -> Option<(usize, usize)> {
        let hit = match self {
            Self::Packed(searcher) => searcher.find_in(text, span.into()),
            Self::Automaton(automaton) => automaton.find(aho_corasick::Input::new(text).range(span)),
        };
        hit.map(|hit| (hit.pattern().as_usize(), hit.start()))
    }
}

impl Anchors {
    /// The anchors in a piece of the text, as the format and where in the text each begins, in the order of the text.
    /// They may overlap.
    fn find(&self, text: &[u8], piece: Range<usize>, mut found: impl FnMut(usize, usize)) {
        let mut hits: Vec<(usize, usize)> = Vec::new();
        let mut start = piece.start;
        while start < piece.end.min(text.len()) {
            let part = start..piece.end.min(start + PART);
            for group in &self.groups {
                group.find(text, part.clone(), self.longest, &mut hits);
            }
            hits.sort_unstable();
            // An anchor with two patterns in it is found twice.
            hits.dedup();
            for (at, format) in hits.drain(..) {
                found(format, at);
            }
            start = part.end;
        }
    }
}

impl Group {
    /// Where anchors stand of which a pattern begins in this part.
    fn find(&self, text: &[u8], part: Range<usize>, longest: usize, hits: &mut Vec<(usize, usize)>) {
        let end = text.len().min(part.end + longest);
        let mut from = part.start;
        while let Some((pattern, at)) = self.scanner.find(text, from..end) {
            if at >= part.end {
                return;
            }
            for anchor in self.around.get(pattern).into_iter().flatten() {
                let is_there =
                    |at: &usize| text.get(*at..).is_some_and(|t| t.starts_with(anchor.text.as_bytes()));
                if let Some(at) = at.checked_sub(anchor.at).filter(is_there) {
                    hits.push((at, anchor.format));
                }
            }
            from = at + 1;
        }
    }
}

/// What these bytes hold; `None` if no format knows them. `forced`: the only format that is asked.
pub fn detect<'b>(bytes: &'b Bytes, forced: Option<&'static Format>) -> Option<Content<'b>> {
    let is_asked = |format: &Format| forced.is_none_or(|only| only.id == format.id);
    for format in FORMATS.iter().filter(|f| is_asked(f)) {
        if let Reader::Binary { recognize, .. } = &format.reader
            && (forced.is_some() || recognize(bytes))
        {
            return Some(Content::Binary(format));
        }
    }
    if forced.is_none() && is_program(bytes) {
        return None;
    }
    let text = text::clean(bytes);
    let mut found = headers(&text, is_asked);
    if found.is_empty() {
        found.extend(FORMATS.iter().filter(|f| is_asked(f)).find_map(|format| lines(format, &text)));
    }
    if let (Some(format), true) = (forced, found.is_empty()) {
        found.push(Found { format, headers: Vec::new(), ties: Vec::new() });
    }
    (!found.is_empty()).then_some(Content::Text(TextContent { text, found }))
}

/// The first line of a format without headers.
fn lines(format: &'static Format, text: &[u8]) -> Option<Found> {
    let Reader::Lines { recognize, .. } = &format.reader else { return None };
    recognize(text).map(|header| Found { format, headers: vec![header], ties: Vec::new() })
}

/// Programs hold texts that they print: `goroutine `, `Thread `.
fn is_program(bytes: &[u8]) -> bool {
    [b"\x7fELF".as_slice(), b"MZ", b"!<arch>\n", b"\xcf\xfa\xed\xfe"]
        .iter()
        .any(|magic| bytes.starts_with(magic))
}

/// The confirmed headers of each format, in the order of [`FORMATS`]; where two formats claim a line, those of
/// the one that has more.
fn headers(text: &[u8], is_asked: impl Fn(&Format) -> bool + Sync) -> Vec<Found> {
    let Some(anchors) = ANCHORS.as_ref() else { return Vec::new() };
    let pieces: Vec<usize> = (0..text.len()).step_by(PIECE).collect();
    let hits: Vec<Vec<(usize, Header)>> = pieces
        .into_par_iter()
        .map(|from| {
            let mut hits = Vec::new();
            anchors.find(text, from..from + PIECE, |n, at| {
                hits.extend(confirmed(n, &Site { text, at }, &is_asked).map(|header| (n, header)));
            });
            hits
        })
        .collect();
    let mut of_format: Vec<Vec<Header>> = vec![Vec::new(); FORMATS.len()];
    for (n, header) in hits.into_iter().flatten() {
        if let Some(list) = of_format.get_mut(n) {
            list.push(header);
        }
    }
    for list in &mut of_format {
        list.sort_by_key(|header| header.line);
        list.dedup_by_key(|header| header.line);
    }
    resolve(of_format)
}

fn confirmed(n: usize, site: &Site<'_>, is_asked: &impl Fn(&Format) -> bool) -> Option<Header> {
    let format = FORMATS.get(n).filter(|f| is_asked(f))?;
    let Reader::Text { confirm, .. } = &format.reader else { return None };
    let before = site.before()?;
    let start = confirm(site)?;
    // Inside a JSON string the text of a dump begins with the string.
    let start = site.string_start().unwrap_or(start);
    Some(Header { line: site.at - before.len(), start: start.max(site.at - before.len()) })
}

/// Drops the headers of formats of which another one claims the same lines and has more of them.
fn resolve(of_format: Vec<Vec<Header>>) -> Vec<Found> {
    let mut found: Vec<Found> = FORMATS
        .iter()
        .zip(of_format)
        .filter(|(_, headers)| !headers.is_empty())
        .map(|(format, headers)| Found { format, headers, ties: Vec::new() })
        .collect();
    found.sort_by_key(|f| std::cmp::Reverse(f.headers.len()));
    let mut kept: Vec<Found> = Vec::new();
    for mut next in found {
        for better in &mut kept {
            let before = next.headers.len();
            next.headers.retain(|h| better.headers.binary_search_by_key(&h.line, |b| b.line).is_err());
            if next.headers.is_empty() && before == better.headers.len() {
                better.ties.push(next.format);
            }
        }
        if !next.headers.is_empty() {
            kept.push(next);
        }
    }
    kept
}

/// How many headers each format has in these bytes, for messages and tests.
pub fn counts(bytes: &Bytes) -> Vec<(&'static Format, usize)> {
    match detect(bytes, None) {
        Some(Content::Text(text)) => text.found.iter().map(|f| (f.format, f.headers.len())).collect(),
        Some(Content::Binary(format)) => vec![(format, 1)],
        None => Vec::new(),
    }
}

/// Reads all dumps of a file, in the order in which they stand in it. An empty list: nothing was understood.
pub fn read(content: &Content<'_>, bytes: &Bytes, path: &Str) -> Vec<Snapshot> {
    match content {
        Content::Binary(format) => match &format.reader {
            Reader::Binary { parse, .. } => parse(bytes, path),
            Reader::Text { .. } | Reader::Lines { .. } => Vec::new(),
        },
        Content::Text(text) => text.read(bytes.len() as u64, path),
    }
}

impl Content<'_> {
    /// What the file begins like, for a message.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Binary(format) => format.name,
            Self::Text(text) => text.found.first().map_or("a text", |f| f.format.name),
        }
    }
}

impl TextContent<'_> {
    /// Reads each format's own lines. A format that finds nothing in what looked like its own has no lines: then the
    /// others are read again with them.
    fn read(&self, size: u64, path: &Str) -> Vec<Snapshot> {
        let mut is_there = vec![true; self.found.len()];
        let mut parsed: Vec<Vec<Snapshot>> = Vec::new();
        for _ in 0..MOST_ROUNDS {
            let read = (0..self.found.len()).map(|n| match parsed.get_mut(n) {
                // What was read with the lines of all others has what it needs.
                Some(known) if !known.is_empty() => std::mem::take(known),
                _ => self.parse(n, &is_there, size, path),
            });
            let read: Vec<Vec<Snapshot>> = read.collect();
            let before = std::mem::replace(&mut is_there, read.iter().map(|s| !s.is_empty()).collect());
            parsed = read;
            if before == is_there {
                break;
            }
        }
        let mut snapshots: Vec<Snapshot> = parsed.into_iter().flatten().collect();
        snapshots.sort_by_key(|snapshot| snapshot.source.offset);
        snapshots
    }

    /// Reads the dumps of one format, without the lines of the others that are there.
    fn parse(&self, n: usize, is_there: &[bool], size: u64, path: &Str) -> Vec<Snapshot> {
        let Some(found) = self.found.get(n) else { return Vec::new() };
        let (Reader::Text { parse, .. } | Reader::Lines { parse, .. }) = &found.format.reader else {
            return Vec::new();
        };
        let others = self.found.iter().zip(is_there).enumerate();
        let others = others.filter(|(other, (_, is_there))| *other != n && **is_there);
        let mut foreign: Vec<usize> =
            others.flat_map(|(_, (found, _))| &found.headers).map(|header| header.line).collect();
        foreign.sort_unstable();
        let section = Section::new(path, size, &self.text, &found.headers, foreign);
        let mut parsed = parse(&section);
        parsed.retain(|snapshot| !snapshot.threads.is_empty());
        if let (Some(first), false) = (parsed.first_mut(), found.ties.is_empty()) {
            let others: Vec<&str> = found.ties.iter().map(|f| f.id.id()).collect();
            let message = format!(
                "the text fits {} as well as {}; --input-format says which it is",
                others.join(", "),
                found.format.id.id()
            );
            first.gaps.add(GapKind::Unsupported, message, None);
        }
        parsed
    }
}

/// How many times a text is read again because a format had no lines in it after all.
const MOST_ROUNDS: usize = 3;

#[cfg(test)]
mod tests {
    use super::*;

    fn anchors() -> Vec<(usize, &'static str)> {
        let of = |(n, format): (usize, &'static Format)| match &format.reader {
            Reader::Text { anchors, .. } => anchors.iter().map(|anchor| (n, *anchor)).collect(),
            Reader::Binary { .. } | Reader::Lines { .. } => Vec::new(),
        };
        FORMATS.iter().enumerate().flat_map(of).collect()
    }

    #[test]
    fn every_anchor_is_found_whatever_stands_beside_it() {
        let scanner = ANCHORS.as_ref().unwrap();
        let all = anchors();
        assert!(all.iter().all(|(_, text)| text.len() >= 3), "two letters are no anchor");
        for (format, text) in &all {
            for (_, other) in &all {
                let line = format!("{other}{text}{other}");
                let mut found = Vec::new();
                scanner.find(line.as_bytes(), 0..line.len(), |n, at| found.push((n, at)));
                assert!(found.contains(&(*format, other.len())), "{text:?} beside {other:?}");
            }
        }
    }
}
