//! The text that a format reads: of a whole file, without the prefixes of its lines and without what other
//! formats claim.

use std::borrow::Cow;

use super::anchor_set::AnchorSet;
use super::prefix::Prefix;
use super::site::{contains, first_line};
use crate::formats::detect::Header;
use crate::model::Str;

/// How many lines after a header are looked at for the same prefix.
const LINES_LOOKED_AT: usize = 4;

/// The text that a format reads.
pub struct Section<'a> {
    /// The input, as the user named it.
    pub path: &'a Str,
    /// Its size in bytes, unpacked.
    pub bytes: u64,
    /// The text.
    pub text: Cow<'a, [u8]>,
    /// Where pieces of the text begin, and where each began in the decoded input. Empty: both are one.
    places: Vec<(usize, usize)>,
    /// The same of the text without prefixes, where it was taken out of what carried it.
    carried: &'a [(usize, usize)],
    /// Where in the text the first header's line begins.
    pub first: usize,
    /// The format's anchors, and which of them stand in the text, where that is known.
    anchors: Option<(AnchorSet, &'static [&'static str])>,
}

impl<'a> Section<'a> {
    /// Of a decoded text. `foreign`: where header lines of other formats begin, ascending.
    pub fn new(path: &'a Str, bytes: u64, text: &'a [u8], headers: &[Header], foreign: Vec<usize>) -> Self {
        let first = headers.first().map_or(0, |h| h.line);
        if foreign.is_empty() && headers.iter().all(|h| h.line == h.start) {
            let text = Cow::Borrowed(text);
            return Self { path, bytes, text, places: Vec::new(), carried: &[], first, anchors: None };
        }
        let (stripped, places) = own_text(text, headers, &foreign);
        let at = places.partition_point(|(_, original)| *original < first);
        let first = places.get(at).map_or(0, |(start, _)| *start);
        Self { path, bytes, text: Cow::Owned(stripped), places, carried: &[], first, anchors: None }
    }

    /// The same of a text that was taken out of another one. `places`: where its pieces begin, and where each began in the
    /// decoded input.
    pub fn carried_by(self, places: &'a [(usize, usize)]) -> Self {
        Self { carried: places, ..self }
    }

    /// The same with another text, for a format that takes more away than prefixes. `places`: where pieces of it
    /// begin, ascending, and where each began in the text before.
    pub fn rewritten(&self, text: Vec<u8>, places: Vec<(usize, usize)>) -> Section<'a> {
        let is_in = |(_, before): &&(usize, usize)| *before >= self.first;
        let first = places.iter().filter(is_in).map(|(start, _)| *start).min().unwrap_or(0);
        let places = match self.places.is_empty() {
            true => places,
            false => {
                places.into_iter().map(|(start, before)| (start, original(&self.places, before))).collect()
            }
        };
        let text = Cow::Owned(text);
        Section {
            path: self.path,
            bytes: self.bytes,
            text,
            places,
            carried: self.carried,
            first,
            anchors: None,
        }
    }

    /// The same with what is known of the format's anchors in the whole text.
    pub fn with_anchors(self, anchors: Option<(AnchorSet, &'static [&'static str])>) -> Self {
        // What was taken away may have stood within an anchor.
        let anchors = anchors.filter(|_| matches!(self.text, Cow::Borrowed(_)));
        Self { anchors, ..self }
    }

    /// Whether this stands in the text. Costs nothing where it is one of the format's anchors.
    pub fn has(&self, what: &str) -> bool {
        let number = |list: &[&str]| list.iter().position(|anchor| *anchor == what);
        match self.anchors.and_then(|(set, list)| Some(set.has(number(list)?))) {
            Some(is_there) => is_there,
            None => contains(&self.text, what.as_bytes()),
        }
    }

    /// Where in the decoded input this place of the text is.
    pub fn offset(&self, at: usize) -> u64 {
        original(self.carried, original(&self.places, at)) as u64
    }
}

/// Where a place of a text is in the one that its pieces were taken from.
pub fn original(places: &[(usize, usize)], at: usize) -> usize {
    let after = places.partition_point(|(start, _)| *start <= at);
    match after.checked_sub(1).and_then(|n| places.get(n)) {
        Some((start, original)) => original + (at - start),
        None => at,
    }
}

/// The lines of this format without their prefixes, and where each began.
fn own_text(text: &[u8], headers: &[Header], foreign: &[usize]) -> (Vec<u8>, Vec<(usize, usize)>) {
    let mut out = Vec::with_capacity(text.len());
    let mut places = Vec::new();
    // What stands before the first header may belong to it: it has the same prefix.
    let mut prefix = headers.first().and_then(|h| prefix_at(text, h, line_end(text, h.line)));
    let mut headers = headers.iter().peekable();
    let mut foreign = foreign.iter().peekable();
    let mut is_foreign = false;
    let mut at = 0;
    while at < text.len() {
        let rest = text.get(at..).unwrap_or_default();
        let line = first_line(rest);
        let next = at + line.len() + 1;
        let own = headers.next_if(|h| h.line == at);
        let other = foreign.next_if(|line| **line == at).is_some();
        is_foreign = own.is_none() && (is_foreign || other);
        if !is_foreign {
            places.push((out.len(), at));
            if let Some(header) = own.filter(|h| !fits(prefix.as_ref(), line, h)) {
                prefix = prefix_at(text, header, next);
            }
            let content = prefix.as_ref().and_then(|p| p.content(line));
            match (content, own) {
                (Some(content), _) => out.extend_from_slice(&content),
                (None, Some(header)) => {
                    out.extend_from_slice(text.get(header.start..next - 1).unwrap_or_default())
                }
                (None, None) => out.extend_from_slice(line),
            }
            if next <= text.len() {
                out.push(b'\n');
            }
        }
        at = next;
    }
    (out, places)
}

/// Whether a header's line has the prefix in force, as far as indentation that may be its own does not matter.
fn fits(prefix: Option<&Prefix>, line: &[u8], header: &Header) -> bool {
    let own = line.get(header.start - header.line..).unwrap_or_default().trim_ascii_start();
    match prefix {
        Some(prefix) => prefix.content(line).is_some_and(|c| c.trim_ascii_start() == own),
        None => header.start == header.line,
    }
}

/// Where the line after the one that begins at `line` begins.
fn line_end(text: &[u8], line: usize) -> usize {
    line + first_line(text.get(line..).unwrap_or_default()).len() + 1
}

/// What stands before a header, if lines after it have the like, or if it is the begin of a JSON string.
fn prefix_at(text: &[u8], header: &Header, next: usize) -> Option<Prefix> {
    let prefix = Prefix::of(text.get(header.line..header.start)?)?;
    if matches!(prefix, Prefix::Json(_)) {
        return Some(prefix);
    }
    let mut rest = text.get(next..).unwrap_or_default();
    for _ in 0..LINES_LOOKED_AT {
        let line = first_line(rest);
        if !line.trim_ascii().is_empty() && prefix.content(line).is_some() {
            return Some(prefix);
        }
        rest = rest.get(line.len() + 1..)?;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: &str =
        "Thread 2 (LWP 91455):\n#0  poll () at x.c:1\n        pd = 1\n\nThread 1 (LWP 7):\n#0  main ()\n";

    fn headers_in(text: &str) -> Vec<Header> {
        let line_of = |at: usize| text[..at].rfind('\n').map_or(0, |n| n + 1);
        text.match_indices("Thread ").map(|(at, _)| Header { line: line_of(at), start: at }).collect()
    }

    fn without(text: &str) -> String {
        let path = "dump".into();
        let section = Section::new(&path, 0, text.as_bytes(), &headers_in(text), Vec::new());
        String::from_utf8(section.text.into_owned()).unwrap()
    }

    fn with(prefix: impl Fn(usize) -> String) -> String {
        PLAIN.lines().enumerate().map(|(n, l)| format!("{}{l}\n", prefix(n))).collect()
    }

    #[test]
    fn plain_text_is_not_copied() {
        let path = "dump".into();
        let section = Section::new(&path, 0, PLAIN.as_bytes(), &headers_in(PLAIN), Vec::new());
        assert!(matches!(section.text, Cow::Borrowed(_)));
        assert_eq!(section.offset(7), 7);
    }

    #[test]
    fn prefixes_of_logs_and_mail() {
        assert_eq!(without(&with(|_| "> ".into())), PLAIN);
        assert_eq!(without(&with(|_| "    ".into())), PLAIN);
        assert_eq!(without(&with(|_| "web_1  | ".into())), PLAIN);
        assert_eq!(without(&with(|n| format!("<6>[  125.{n}][  T{}] ", 140 + n))), PLAIN);
        assert_eq!(without(&with(|n| format!("2025-05-01T10:00:0{n}.123Z host gdb[77]: "))), PLAIN);
        assert_eq!(without(&with(|n| format!("02-03 13:05:40.57{n} 28556 12681 F DEBUG   : "))), PLAIN);
    }

    #[test]
    fn blank_lines_may_have_lost_their_blanks() {
        let mailed = with(|_| "> ".into()).replace("> \n", ">\n");
        assert_eq!(without(&mailed), PLAIN);
        let indented = with(|_| "    ".into()).replace("\n    \n", "\n\n");
        assert_eq!(without(&indented), PLAIN);
    }

    #[test]
    fn json_of_containers() {
        let json: String = PLAIN
            .lines()
            .map(|l| format!("{{\"log\":{},\"stream\":\"stdout\"}}\n", serde_json::json!(format!("{l}\n"))))
            .collect();
        assert_eq!(without(&json), PLAIN);
        let one = format!("{{\"message\":{}}}\n", serde_json::json!(PLAIN));
        let only_first = vec![Header { line: 0, start: one.find("Thread ").unwrap() }];
        let path = "dump".into();
        let section = Section::new(&path, 0, one.as_bytes(), &only_first, Vec::new());
        assert_eq!(&*section.text, PLAIN.as_bytes());
    }

    #[test]
    fn interleaved_lines_stay_and_foreign_ones_go() {
        let mixed = with(|_| "gdb: ".into()).replace("gdb: \n", "GET /index 200\ngdb: \n");
        assert!(without(&mixed).contains("GET /index 200\n"));
        let text = format!("{PLAIN}goroutine 1 [running]:\nmain.main()\n{PLAIN}");
        let path = "dump".into();
        let foreign = vec![PLAIN.len()];
        let section = Section::new(&path, 0, text.as_bytes(), &headers_in(&text), foreign);
        assert_eq!(String::from_utf8_lossy(&section.text), PLAIN.repeat(2));
        assert_eq!(section.offset(PLAIN.len()), text.rfind("Thread 2").unwrap() as u64);
    }
}
