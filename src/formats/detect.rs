//! Which dumps a file holds: one pass finds the literal anchors of all text formats, and each format confirms its
//! own. A file may hold several dumps of several kinds, with anything between them.

use std::borrow::Cow;

use bytes::Bytes;
use rayon::prelude::*;

use super::anchors::{ANCHORS, Hit};
use super::text::{self, AnchorSet, Carried, Section, Site};
use super::{FORMATS, Format, Reader};
use crate::model::{GapKind, Snapshot, Str};

/// How much text one worker looks through at a time.
const PIECE: usize = 1 << 20;

/// Room for so many headers in each.
const HEADERS_A_PIECE: usize = 512;

/// What a file holds.
pub enum Content<'b> {
    /// One binary dump.
    Binary(&'static Format),
    /// Texts with dumps: one, or those of the streams that one carries.
    Text(Vec<TextContent<'b>>),
}

/// A text with the headers that were found in it.
pub struct TextContent<'b> {
    text: Cow<'b, [u8]>,
    /// Where pieces of it begin, and where each began in the decoded input. Empty: both are one.
    places: Vec<(usize, usize)>,
    found: Vec<Found>,
}

/// The headers of one format.
struct Found {
    format: &'static Format,
    headers: Vec<Header>,
    /// Which of its anchors stand in the text, where they were looked for.
    anchors: Option<AnchorSet>,
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
    let mut texts = texts(text::decoded(bytes), is_asked, MOST_CARRIERS);
    if let [TextContent { text, found, .. }] = texts.as_mut_slice() {
        if found.is_empty() {
            found.extend(FORMATS.iter().filter(|f| is_asked(f)).find_map(|format| lines(format, text)));
        }
        if let (Some(format), true) = (forced, found.is_empty()) {
            found.push(Found { format, headers: Vec::new(), anchors: None, ties: Vec::new() });
        }
    }
    texts.retain(|text| !text.found.is_empty());
    (!texts.is_empty()).then_some(Content::Text(texts))
}

/// A container's log may hold that of a program, and the log of a cluster both.
const MOST_CARRIERS: usize = 3;

/// The text, or those that it carries, with their headers.
fn texts<'t>(
    text: Cow<'t, [u8]>,
    is_asked: impl Fn(&Format) -> bool + Sync + Copy,
    carriers: usize,
) -> Vec<TextContent<'t>> {
    let (mut found, mut text) = without_colours(text, is_asked);
    if carriers > 0 {
        let first = found.iter().filter_map(|found| found.headers.first().copied());
        let first: Vec<Header> = first.collect();
        let with_headers = |carried: Vec<Carried>| {
            let mut inner: Vec<TextContent<'t>> = Vec::new();
            for Carried { text, places } in carried {
                inner.extend(texts(Cow::Owned(text), is_asked, carriers - 1).into_iter().map(|mut inner| {
                    inner.places = match inner.places.is_empty() {
                        true => places.clone(),
                        false => {
                            let outer = |(start, at): (usize, usize)| (start, text::original(&places, at));
                            inner.places.into_iter().map(outer).collect()
                        }
                    };
                    inner
                }));
            }
            inner.retain(|text| !text.found.is_empty());
            inner
        };
        let carried = text::carried(&text, &first).map(with_headers).find(|inner| !inner.is_empty());
        if let Some(carried) = carried {
            return carried;
        }
    }
    let first = found.iter().filter_map(|f| f.headers.first()).map(|header| header.line).min();
    if first.is_none_or(|first| text::is_written(&text, first)) {
        let better = text::undone(&text, first.unwrap_or(0))
            .map(|undone| without_colours(Cow::Owned(undone), is_asked))
            .find(|(found, _)| !found.is_empty());
        if let Some(better) = better {
            (found, text) = better;
        }
    }
    vec![TextContent { text, places: Vec::new(), found }]
}

/// The headers in a text, and the text without terminal escapes.
fn without_colours<'t>(
    text: Cow<'t, [u8]>,
    is_asked: impl Fn(&Format) -> bool + Sync + Copy,
) -> (Vec<Found>, Cow<'t, [u8]>) {
    if let Some(found) = headers(&text, is_asked) {
        return (found, text);
    }
    let text: Cow<'t, [u8]> = Cow::Owned(text::without_escapes(&text));
    (headers(&text, is_asked).unwrap_or_default(), text)
}

/// The first line of a format without headers.
fn lines(format: &'static Format, text: &[u8]) -> Option<Found> {
    let Reader::Lines { recognize, .. } = &format.reader else { return None };
    let header = recognize(text)?;
    Some(Found { format, headers: vec![header], anchors: None, ties: Vec::new() })
}

/// Programs hold texts that they print: `goroutine `, `Thread `.
fn is_program(bytes: &[u8]) -> bool {
    [b"\x7fELF".as_slice(), b"MZ", b"!<arch>\n", b"\xcf\xfa\xed\xfe"]
        .iter()
        .any(|magic| bytes.starts_with(magic))
}

/// What was found in a piece of a text. Formats by their places in [`FORMATS`].
struct InPiece {
    headers: Vec<(usize, Header)>,
    anchors: Vec<AnchorSet>,
}

/// The confirmed headers of each format, in the order of [`FORMATS`]; where two formats claim a line, those of
/// the one that has more. `None`: there are terminal escapes in the text.
fn headers(text: &[u8], is_asked: impl Fn(&Format) -> bool + Sync) -> Option<Vec<Found>> {
    let anchors = ANCHORS.as_ref()?;
    let pieces: Vec<usize> = (0..text.len()).step_by(PIECE).collect();
    let of_piece = |from: usize| {
        let mut piece = InPiece {
            headers: Vec::with_capacity(HEADERS_A_PIECE),
            anchors: vec![AnchorSet::default(); FORMATS.len()],
        };
        let found = |Hit { at, format, number }| {
            let (format, number) = (usize::from(format), usize::from(number));
            piece.anchors[format].add(number);
            piece
                .headers
                .extend(confirmed(format, &Site { text, at }, &is_asked).map(|header| (format, header)));
        };
        anchors.find(text, from..from + PIECE, found).then_some(piece)
    };
    // One by one: some have many headers, and whoever has none left shall have something to do.
    let pieces = pieces.into_par_iter().with_max_len(1);
    let of_pieces: Vec<InPiece> = pieces.map(of_piece).collect::<Option<_>>()?;
    let new = |format| Found { format, headers: Vec::new(), anchors: None, ties: Vec::new() };
    let mut found: Vec<Found> = FORMATS.iter().map(new).collect();
    let mut counts = vec![0; FORMATS.len()];
    of_pieces.iter().flat_map(|piece| &piece.headers).for_each(|(n, _)| counts[*n] += 1);
    found.iter_mut().zip(counts).for_each(|(found, count)| found.headers.reserve(count));
    for InPiece { headers, anchors } in of_pieces {
        for (n, header) in headers {
            found[n].headers.push(header);
        }
        for (found, there) in found.iter_mut().zip(anchors) {
            found.anchors = Some(found.anchors.unwrap_or_default().with(there));
        }
    }
    for found in &mut found {
        found.headers.sort_by_key(|header| header.line);
        found.headers.dedup_by_key(|header| header.line);
    }
    Some(resolve(found))
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
fn resolve(mut found: Vec<Found>) -> Vec<Found> {
    found.retain(|found| !found.headers.is_empty());
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
        Some(Content::Text(texts)) => {
            texts.iter().flat_map(|text| &text.found).map(|f| (f.format, f.headers.len())).collect()
        }
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
        Content::Text(texts) => {
            let mut snapshots: Vec<Snapshot> =
                texts.iter().flat_map(|text| text.read(bytes.len() as u64, path)).collect();
            snapshots.sort_by_key(|snapshot| snapshot.source.offset);
            snapshots
        }
    }
}

impl Content<'_> {
    /// What the file begins like, for a message.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Binary(format) => format.name,
            Self::Text(texts) => {
                texts.iter().find_map(|text| text.found.first()).map_or("a text", |f| f.format.name)
            }
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
        parsed.into_iter().flatten().collect()
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
        let anchors = found.anchors.map(|set| (set, found.format.anchors()));
        let section = Section::new(path, size, &self.text, &found.headers, foreign)
            .with_anchors(anchors)
            .carried_by(&self.places);
        let mut parsed = parse(&section);
        parsed.retain(Snapshot::says_something);
        if let (Some(first), false) = (parsed.first_mut(), found.ties.is_empty()) {
            let others: Vec<&str> = found.ties.iter().map(|f| f.id.id()).collect();
            let message = format!(
                "the text fits {} as well as {}; --input-format says which it is",
                others.join(", "),
                found.format.id.id()
            );
            first.gaps.add(GapKind::Unsupported, message, None);
        }
        let mixed = text::are_mixed(&self.text, &found.headers);
        if let (Some(first), Some(line)) = (parsed.first_mut(), mixed) {
            let message = "lines of several streams stand in turns here, and cannot be told apart: threads may be missing";
            first.gaps.add(GapKind::Damaged, message, Some(text::original(&self.places, line) as u64));
            first.is_complete = false;
        }
        parsed
    }
}

/// How many times a text is read again because a format had no lines in it after all.
const MOST_ROUNDS: usize = 3;
