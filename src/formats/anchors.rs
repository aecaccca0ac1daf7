//! The literal anchors of all text formats, and where in a text they stand: one pass finds them all.

use std::ops::Range;
use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind, packed};
use rustc_hash::{FxHashMap, FxHashSet};

use super::{FORMATS, text};

/// All anchors. Each is looked for by its rarest bytes, and where these stand the anchor is compared as a whole: the
/// vector search stops at each place that might be a pattern.
pub(super) struct Anchors {
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
    format: u16,
    /// Its place in the format's list.
    number: u16,
    text: &'static str,
    /// Where in it the scanner's pattern stands.
    at: usize,
}

/// So many patterns the vector search takes without looking at too many places that are none.
const PATTERNS_A_GROUP: usize = 32;

/// All groups look at a part of the text before the next part: it stays in the cache meanwhile.
const PART: usize = 128 << 10;

/// Those of [`FORMATS`].
pub(super) static ANCHORS: LazyLock<Option<Anchors>> = LazyLock::new(|| {
    let mut all: Vec<(u16, u16, &'static str)> = Vec::new();
    for (n, format) in (0u16..).zip(FORMATS) {
        all.extend((0u16..).zip(format.anchors()).map(|(number, anchor)| (n, number, *anchor)));
    }
    let chosen = patterns(all.iter().map(|(.., text)| *text));
    // One that has another one in it is found with that one: so none hides another.
    let has_other = |text: &str| parts(text).any(|(_, part)| part != text && chosen.contains(part));
    let mut patterns: Vec<&'static str> = chosen.iter().copied().filter(|text| !has_other(text)).collect();
    // Patterns whose bytes are alike are looked for together. The vector search compares as many bytes as the shortest
    // pattern of a group has: one of three bytes with the others would have it stop ten times as often.
    patterns.sort_unstable_by_key(|text| (text.bytes().map(|b| b >> 4).collect::<Vec<u8>>(), *text));
    // Each anchor with the first place of each pattern in it: that one is there wherever the anchor is.
    let mut around: FxHashMap<&str, Vec<Anchor>> =
        patterns.iter().map(|pattern| (*pattern, Vec::new())).collect();
    for &(format, number, text) in &all {
        for (at, part) in parts(text) {
            let Some(anchors) = around.get_mut(part) else { continue };
            if anchors.last().is_none_or(|last| (last.format, last.number) != (format, number)) {
                anchors.push(Anchor { format, number, text, at });
            }
        }
    }
    let (long, short): (Vec<_>, Vec<_>) = patterns.into_iter().partition(|text| text.len() == LOOKED_AT);
    let groups: Option<Vec<Group>> = evenly(&long)
        .chain(evenly(&short))
        .map(|patterns| {
            let patterns = dealt(patterns);
            let around = patterns.iter().map(|pattern| around.remove(pattern).unwrap_or_default());
            Some(Group { around: around.collect(), scanner: Scanner::of(&patterns)? })
        })
        .collect();
    let longest = all.iter().map(|(.., text)| text.len()).max()?;
    Some(Anchors { groups: groups?, longest })
});

/// Patterns in groups of one size.
fn evenly<'p>(patterns: &'p [&'static str]) -> impl Iterator<Item = &'p [&'static str]> {
    let groups = patterns.len().div_ceil(PATTERNS_A_GROUP);
    patterns.chunks(patterns.len().div_ceil(groups.max(1)).max(1))
}

/// As much of an anchor as the vector search looks at, bytes.
const LOOKED_AT: usize = 4;

/// And of the shortest ones, which are patterns as a whole.
const SHORTEST: usize = 3;

/// Parts of the anchors, of which each anchor has one: few, since each group of patterns is one more pass over the text.
fn patterns(anchors: impl Iterator<Item = &'static str>) -> FxHashSet<&'static str> {
    let mut anchors: Vec<&'static str> = anchors.collect();
    // Short ones have the least choice.
    anchors.sort_unstable_by_key(|text| (text.len(), *text));
    let mut chosen = FxHashSet::default();
    for anchor in anchors {
        // One that is looked for anyway costs nothing: `Thread ` is in many.
        if !parts(anchor).any(|(_, part)| chosen.contains(part)) {
            chosen.insert(rarest(anchor));
        }
    }
    chosen
}

/// The parts of an anchor that may be patterns, and where they begin: there are hundreds of anchors, and looking for each
/// pattern in each of them takes as long as reading a short dump.
fn parts(anchor: &str) -> impl Iterator<Item = (usize, &str)> {
    let part = |(at, length): (usize, usize)| Some((at, anchor.get(at..at + length)?));
    (0..anchor.len()).flat_map(|at| [(at, SHORTEST), (at, LOOKED_AT)]).filter_map(part)
}

/// The part of an anchor that stands least often in dumps.
fn rarest(anchor: &'static str) -> &'static str {
    let parts = (0..anchor.len()).filter_map(|at| anchor.get(at..at + LOOKED_AT));
    parts.min_by_key(|part| part.bytes().map(commonness).sum::<u32>()).unwrap_or(anchor)
}

/// Patterns in the order in which neighbours come into one bucket: the vector search puts them into eight by their
/// number, and the less the patterns of a bucket differ, the fewer places look like one of them. Only its speed depends
/// on that.
fn dealt(patterns: &[&'static str]) -> Vec<&'static str> {
    const BUCKETS: usize = 8;
    let (rows, more) = (patterns.len() / BUCKETS, patterns.len() % BUCKETS);
    let begin = |bucket: usize| bucket * rows + bucket.min(more);
    let row = |row: usize| {
        let of_bucket = move |bucket: usize| (begin(bucket)..begin(bucket + 1)).nth(row);
        (0..BUCKETS).filter_map(of_bucket).filter_map(|n| patterns.get(n).copied())
    };
    (0..=rows).flat_map(row).collect()
}

/// How often a byte stands in dumps, roughly: paths, names of functions, numbers.
fn commonness(byte: u8) -> u32 {
    match byte {
        b' ' | b'.' | b'/' | b'0' | b'a' | b'c' | b'd' | b'e' | b'i' | b'l' | b'n' | b'o' | b'r' | b's'
        | b't' => 6,
        b'a'..=b'z' | b'0'..=b'9' | b'(' | b')' | b':' | b',' | b'=' | b'_' => 4,
        b'A'..=b'Z' | b'-' | b'<' | b'>' => 2,
        _ => 1,
    }
}

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

/// Where in a text an anchor stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Hit {
    /// Where it begins.
    pub at: usize,
    /// Whose it is: a place in [`FORMATS`].
    pub format: u16,
    /// Which of that format's.
    pub number: u16,
}

impl Hit {
    /// By which hits are sorted: there are millions of them, and one number is compared faster than three.
    fn key(&self) -> u64 {
        (self.at as u64) << 24 | u64::from(self.format & 0xfff) << 12 | u64::from(self.number & 0xfff)
    }
}

impl Anchors {
    /// The anchors in a piece of the text, in its order. They may overlap. False: there is a terminal escape, and the rest
    /// was not looked at.
    pub fn find(&self, text: &[u8], piece: Range<usize>, mut found: impl FnMut(Hit)) -> bool {
        let mut hits: Vec<Hit> = Vec::new();
        let mut start = piece.start;
        while start < piece.end.min(text.len()) {
            let part = start..piece.end.min(start + PART);
            let bytes = text.get(start..part.end.min(text.len())).unwrap_or_default();
            if text::has_escapes(bytes) {
                return false;
            }
            for group in &self.groups {
                group.find(text, part.clone(), self.longest, &mut hits);
            }
            hits.sort_unstable_by_key(Hit::key);
            // An anchor with two patterns in it is found twice.
            hits.dedup();
            hits.drain(..).for_each(&mut found);
            start = part.end;
        }
        true
    }
}

impl Group {
    /// Where anchors stand of which a pattern begins in this part.
    fn find(&self, text: &[u8], part: Range<usize>, longest: usize, hits: &mut Vec<Hit>) {
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
                    hits.push(Hit { at, format: anchor.format, number: anchor.number });
                }
            }
            from = at + 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::Format;

    fn anchors() -> Vec<(u16, &'static str)> {
        let of = |(n, format): (u16, &'static Format)| format.anchors().iter().map(move |text| (n, *text));
        (0u16..).zip(FORMATS).flat_map(of).collect()
    }

    #[test]
    fn the_rarest_part_is_looked_for() {
        assert_eq!(rarest("the lines Q#W% of it"), "Q#W%");
        assert_eq!(rarest("#0 "), "#0 ", "a short anchor is looked for as a whole");
    }

    /// Each group is one more pass over the text: an anchor that needs another one has to be worth it.
    #[test]
    fn few_passes_find_all_anchors() {
        let groups: Vec<usize> =
            ANCHORS.as_ref().unwrap().groups.iter().map(|group| group.around.len()).collect();
        assert!(groups.len() <= 4, "{groups:?}");
    }

    #[test]
    fn dealing_loses_no_pattern() {
        let all: Vec<&'static str> = anchors().iter().map(|(_, text)| *text).collect();
        for count in 0..all.len() {
            let mut dealt = dealt(&all[..count]);
            dealt.sort_unstable();
            let mut same = all[..count].to_vec();
            same.sort_unstable();
            assert_eq!(dealt, same);
        }
    }

    #[test]
    fn every_anchor_is_found_whatever_stands_beside_it() {
        let scanner = ANCHORS.as_ref().unwrap();
        let all = anchors();
        assert!(all.iter().all(|(_, text)| text.len() >= 3), "two letters are no anchor");
        assert!(FORMATS.iter().all(|format| format.anchors().len() <= text::AnchorSet::MOST));
        for (format, text) in &all {
            for (_, other) in &all {
                let line = format!("{other}{text}{other}");
                let mut found = Vec::new();
                scanner.find(line.as_bytes(), 0..line.len(), |hit| found.push((hit.format, hit.at)));
                assert!(found.contains(&(*format, other.len())), "{text:?} beside {other:?}");
            }
        }
    }
}
