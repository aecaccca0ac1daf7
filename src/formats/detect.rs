//! Which dumps a file holds: one pass finds the literal anchors of all text formats, and each format confirms its
//! own. A file may hold several dumps of several kinds, with anything between them.

use std::borrow::Cow;
use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, MatchKind};
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

/// All anchors, and the formats that want to see each.
struct Anchors {
    scanner: AhoCorasick,
    formats: Vec<Vec<usize>>,
    longest: usize,
}

static ANCHORS: LazyLock<Option<Anchors>> = LazyLock::new(|| {
    let mut patterns: Vec<&str> = Vec::new();
    let mut formats: Vec<Vec<usize>> = Vec::new();
    for (n, format) in FORMATS.iter().enumerate() {
        let Reader::Text { anchors, .. } = &format.reader else { continue };
        for anchor in *anchors {
            match patterns.iter().position(|known| known == anchor) {
                Some(at) => formats.get_mut(at)?.push(n),
                None => {
                    patterns.push(anchor);
                    formats.push(vec![n]);
                }
            }
        }
    }
    let longest = patterns.iter().map(|p| p.len()).max()?;
    let scanner = AhoCorasick::builder().match_kind(MatchKind::LeftmostFirst).build(&patterns).ok()?;
    Some(Anchors { scanner, formats, longest })
});

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
            let to = text.len().min(from + PIECE + anchors.longest - 1);
            let piece = text.get(from..to).unwrap_or_default();
            let mut hits = Vec::new();
            for hit in anchors.scanner.find_iter(piece).filter(|hit| hit.start() < PIECE) {
                let site = Site { text, at: from + hit.start() };
                for &n in anchors.formats.get(hit.pattern().as_usize()).into_iter().flatten() {
                    hits.extend(confirmed(n, &site, &is_asked).map(|header| (n, header)));
                }
            }
            hits
        })
        .collect();
    let mut of_format: Vec<Vec<Header>> = vec![Vec::new(); FORMATS.len()];
    for (n, header) in hits.into_iter().flatten() {
        if let Some(list) = of_format.get_mut(n)
            && list.last().is_none_or(|last| last.line != header.line)
        {
            list.push(header);
        }
    }
    resolve(of_format)
}

fn confirmed(n: usize, site: &Site<'_>, is_asked: &impl Fn(&Format) -> bool) -> Option<Header> {
    let format = FORMATS.get(n).filter(|f| is_asked(f))?;
    let Reader::Text { confirm, .. } = &format.reader else { return None };
    let before = site.before()?;
    let start = confirm(site)?;
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
    fn read(&self, size: u64, path: &Str) -> Vec<Snapshot> {
        let mut snapshots = Vec::new();
        for found in &self.found {
            let (Reader::Text { parse, .. } | Reader::Lines { parse, .. }) = &found.format.reader else {
                continue;
            };
            let others = self.found.iter().filter(|f| f.format.id != found.format.id);
            let mut foreign: Vec<usize> = others.flat_map(|f| &f.headers).map(|h| h.line).collect();
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
            snapshots.extend(parsed);
        }
        snapshots.sort_by_key(|snapshot| snapshot.source.offset);
        snapshots
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_anchor_hides_another() {
        let anchors: Vec<&str> = FORMATS
            .iter()
            .flat_map(|f| match &f.reader {
                Reader::Text { anchors, .. } => *anchors,
                Reader::Binary { .. } | Reader::Lines { .. } => &[],
            })
            .copied()
            .collect();
        for one in &anchors {
            assert!(one.len() >= 3, "{one:?} is no anchor");
            let hidden = anchors.iter().find(|other| other != &one && other.contains(one));
            assert_eq!(hidden, None, "{one:?} is part of another anchor");
        }
    }
}
