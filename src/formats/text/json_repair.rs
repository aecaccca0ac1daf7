//! Documents that are not whole: cut, with lines of a log in them, or damaged in some place. What is whole of them is
//! kept.

/// A cut document without its last, unfinished element, and with its brackets closed.
pub(super) fn completed(bytes: &[u8]) -> Vec<u8> {
    let mut open: Vec<u8> = Vec::new();
    let mut safe = (0, 0);
    for (at, byte) in outside_texts(bytes) {
        match byte {
            b'{' | b'[' => {
                open.push(if byte == b'{' { b'}' } else { b']' });
                safe = (at + 1, open.len());
            }
            b'}' | b']' => {
                open.pop();
                safe = (at + 1, open.len());
            }
            b',' => safe = (at, open.len()),
            _ => {}
        }
    }
    let mut out = bytes.get(..safe.0).unwrap_or_default().to_vec();
    out.extend(open.get(..safe.1).unwrap_or_default().iter().rev());
    out
}

/// The bytes that stand in no text of the document, and where.
fn outside_texts(bytes: &[u8]) -> impl Iterator<Item = (usize, u8)> {
    let (mut is_in_text, mut is_escaped) = (false, false);
    bytes.iter().copied().enumerate().filter(move |(_, byte)| {
        if is_in_text {
            match byte {
                _ if is_escaped => is_escaped = false,
                b'\\' => is_escaped = true,
                b'"' => is_in_text = false,
                _ => {}
            }
            return false;
        }
        is_in_text = *byte == b'"';
        true
    })
}

/// A pretty-printed document whose first line begins at `line` and whose bracket stands at `start`, without the lines
/// that others wrote into the same stream meanwhile; how many these are, and where it ends: with the bracket that stands
/// below the first one.
pub(super) fn without_foreign(text: &[u8], line: usize, start: usize) -> (Vec<u8>, u64, usize) {
    let indent = start - line;
    let mut own = Vec::new();
    let mut foreign = 0;
    let mut at = line;
    while at < text.len() {
        let next = super::site::first_line(text.get(at..).unwrap_or_default());
        let content = next.trim_ascii();
        if is_of_document(content) {
            own.extend_from_slice(next.trim_ascii_end());
            own.push(b'\n');
        } else {
            // A bracket stays, whatever stands behind it.
            if matches!(content.first(), Some(b'}' | b']')) {
                let comma = usize::from(content.get(1) == Some(&b','));
                own.extend_from_slice(next.get(..blanks(next) + 1 + comma).unwrap_or_default());
                own.push(b'\n');
            }
            foreign += 1;
        }
        at += next.len() + 1;
        if blanks(next) == indent && matches!(content.first(), Some(b'}' | b']')) {
            break;
        }
    }
    (own, foreign, at.min(text.len()))
}

/// Whether a line may be one of a pretty-printed document: a key, a value, a bracket.
fn is_of_document(line: &[u8]) -> bool {
    let bare = line.strip_suffix(b",").unwrap_or(line);
    match bare.first() {
        None => true,
        Some(b'"') => {
            matches!(bare.last(), Some(b'"' | b'{' | b'[' | b'}' | b']' | b'e' | b'l' | b'0'..=b'9'))
        }
        Some(b'{' | b'[' | b'}' | b']') => {
            let inner = bare.get(1..).unwrap_or_default().trim_ascii_start();
            matches!(inner.first(), None | Some(b'"' | b'{' | b'[' | b'}' | b']' | b'-' | b'0'..=b'9'))
        }
        Some(_) => serde_json::from_slice::<serde_json::Value>(bare).is_ok(),
    }
}

fn blanks(line: &[u8]) -> usize {
    line.iter().take_while(|b| matches!(b, b' ' | b'\t')).count()
}

/// A pretty-printed document without the damaged elements of the list in which `error` stands, and how many these are. An
/// element of a list is an object whose brackets stand in lines of their own, indented alike:
///
/// ```text
///           {
///             "tid": "32",
///             "name": "http-exec-1",
///             "stack": [
///               "java.base/java.lang.Object.wait0(Native Met
///           },
///           {
/// ```
///
/// `None`: the error stands in no such element.
pub(super) fn without_damaged(own: &[u8], error: usize) -> Option<(Vec<u8>, u64)> {
    let indent = element_at(own, error)?;
    let mut kept: Vec<&[u8]> = Vec::new();
    let mut damaged = 0;
    let mut place = Place::Outside;
    for line in own.split(|b| *b == b'\n') {
        let content = line.trim_ascii();
        if content.is_empty() {
            continue;
        }
        let is_bracket = |bracket| blanks(line) == indent && content.first() == Some(&bracket);
        // A list ends with a bracket: whatever else is indented less was damaged.
        let is_outside = blanks(line) < indent && matches!(content.first(), Some(b']' | b'}'));
        if let Place::Element(begin) = place
            && (is_outside || is_bracket(b'{'))
        {
            kept.truncate(begin);
            damaged += 1;
            place = Place::Between;
        }
        if is_outside {
            place = Place::Outside;
        } else if is_bracket(b'{') && content == b"{" {
            place = Place::Element(kept.len());
        } else if matches!(place, Place::Between | Place::Lost) {
            // What is left of an element whose begin is gone.
            damaged += u64::from(place == Place::Between);
            place = Place::Lost;
            continue;
        }
        kept.push(line);
        if let Place::Element(begin) = place
            && is_bracket(b'}')
        {
            place = Place::Between;
            let element = kept.get(begin..).unwrap_or_default().join(&b'\n');
            let element = element.trim_ascii_end();
            let element = element.strip_suffix(b",").unwrap_or(element);
            if serde_json::from_slice::<serde::de::IgnoredAny>(element).is_err() {
                kept.truncate(begin);
                damaged += 1;
            }
        }
    }
    let whole = with_commas(&kept, indent);
    // Where only a comma was missing no element goes.
    (damaged > 0 || whole != without_blanks(own)).then_some((whole, damaged))
}

/// Where a line stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// In no list.
    Outside,
    /// In an element, which begins there among the lines that are kept.
    Element(usize),
    /// Between two elements.
    Between,
    /// The same, behind lines that are none.
    Lost,
}

/// How far the elements of the innermost list are indented in which a place stands.
fn element_at(own: &[u8], place: usize) -> Option<usize> {
    let mut open: Vec<usize> = Vec::new();
    for (at, byte) in outside_texts(own.get(..place.min(own.len()))?) {
        match byte {
            b'{' | b'[' => open.push(at),
            b'}' | b']' => drop(open.pop()),
            _ => {}
        }
    }
    let indent = |at: &usize| {
        let start = memchr::memrchr(b'\n', own.get(..*at)?).map_or(0, |n| n + 1);
        let line = super::site::first_line(own.get(start..)?);
        let below = super::site::first_line(own.get(start + line.len() + 1..)?);
        match line.trim_ascii() {
            // The document itself is no element.
            b"{" if start > 0 => Some(blanks(line)),
            list if list.ends_with(b"[") && below.trim_ascii() == b"{" => Some(blanks(below)),
            _ => None,
        }
    };
    open.iter().rev().find_map(indent)
}

/// The same lines without what stands at their ends.
fn without_blanks(own: &[u8]) -> Vec<u8> {
    let lines = own.split(|b| *b == b'\n').map(<[u8]>::trim_ascii_end).filter(|line| !line.is_empty());
    lines.flat_map(|line| [line, b"\n"].concat()).collect()
}

/// The lines, with a comma between the elements that are indented so far.
fn with_commas(lines: &[&[u8]], indent: usize) -> Vec<u8> {
    let mut out = Vec::new();
    for (n, line) in lines.iter().enumerate() {
        let bare = line.trim_ascii_end();
        let is_end = blanks(line) == indent && bare.trim_ascii_start().starts_with(b"}");
        if is_end {
            let mut below = lines.iter().skip(n + 1).map(|line| line.trim_ascii()).filter(|l| !l.is_empty());
            let is_last = below.next().is_none_or(|next| matches!(next.first(), Some(b']' | b'}')));
            out.extend_from_slice(bare.strip_suffix(b",").unwrap_or(bare));
            out.extend_from_slice(if is_last { b"\n" } else { b",\n" });
        } else {
            out.extend_from_slice(bare);
            out.push(b'\n');
        }
    }
    out
}

/// Where in a document an error stands.
pub(super) fn offset_of(bytes: &[u8], error: &serde_json::Error) -> usize {
    let lines = error.line().saturating_sub(1);
    let start = match lines.checked_sub(1) {
        Some(n) => memchr::memchr_iter(b'\n', bytes).nth(n).map_or(bytes.len(), |at| at + 1),
        None => 0,
    };
    (start + error.column().saturating_sub(1)).min(bytes.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: &str = "{\n  \"all\": [\n    {\n      \"a\": 1,\n      \"of\": {\n        \"b\": 2\n      }\n    },\n    {\n      \"a\": 2\n    },\n    {\n      \"a\": 3\n    }\n  ],\n  \"z\": 0\n}\n";

    /// Where a document breaks, whatever is changed in it: the other elements are there.
    #[test]
    fn only_the_damaged_elements_go() {
        for (from, to, left) in [
            ("\"a\": 2", "\"a\" 2", vec![1, 3]),
            ("\"a\": 3", "\"a", vec![1, 2]),
            ("\"b\": 2", "\"b\": 2\u{fffd}", vec![2, 3]),
            // An end is gone, and with it the begin of the next one: both are one.
            ("    },\n    {\n      \"a\": 2\n", "      \"a\": 2\n", vec![3]),
            ("      \"a\": 3\n    }\n", "", vec![1, 2]),
            ("    },\n    {\n      \"a\": 3\n", "    {\n      \"a\": 3\n", vec![1, 3]),
            // The begin of a line is gone.
            ("      \"a\": 2", "\": 2", vec![1, 3]),
            // A comma is gone.
            ("},\n    {\n      \"a\": 3", "}\n    {\n      \"a\": 3", vec![1, 2, 3]),
            // A begin is gone.
            ("    {\n      \"a\": 2", "      \"a\": 2", vec![1, 3]),
            ("    {\n      \"a\": 3", "      \"a\": 3", vec![1, 2]),
        ] {
            let text = LIST.replacen(from, to, 1);
            assert_ne!(text, LIST);
            let error = serde_json::from_str::<serde_json::Value>(&text).unwrap_err();
            let at = offset_of(text.as_bytes(), &error);
            let (own, damaged) = without_damaged(text.as_bytes(), at).unwrap_or_else(|| panic!("{text}"));
            let value: serde_json::Value = serde_json::from_slice(&own).unwrap();
            let all: Vec<i64> =
                value["all"].as_array().unwrap().iter().filter_map(|v| v["a"].as_i64()).collect();
            let gone = u64::from(left.len() < 3);
            assert_eq!((all, damaged, &value["z"]), (left, gone, &serde_json::json!(0)), "{text}");
        }
    }

    #[test]
    fn what_is_in_no_element_is_not_repaired() {
        let text = LIST.replace("\"z\": 0", "\"z\" 0");
        let error = serde_json::from_str::<serde_json::Value>(&text).unwrap_err();
        assert_eq!(without_damaged(text.as_bytes(), offset_of(text.as_bytes(), &error)), None);
        assert_eq!(without_damaged(b"", 5), None);
    }
}
