//! The log of a container as containerd and CRI-O write it. Each line has a tag: `P` is a piece of a line that goes on in
//! the next line of the same stream, `F` the last piece or a whole line.
//!
//! Source: Kubernetes pkg/kubelet/kuberuntime/logs; containerd cuts after 16 KiB, conmon after 8.
//!
//! ```text
//! 2024-05-01T10:00:00.000000000Z stderr P {"threads": [{"threadName": "http-nio-1", …
//! 2024-05-01T10:00:00.000000000Z stderr F …, "stackTrace": []}]}
//! ```

use super::pieces::Pieces;
use super::{Carried, line_of, lines};
use crate::formats::detect::Header;
use crate::formats::text::{contains, first_line};

/// The text with the pieces of its lines put together, if some of them were cut.
pub(super) fn joined(text: &[u8], near: &[Header]) -> Option<Carried> {
    let is_there = match near {
        [] => entry(first_line(text)).is_some(),
        near => near.iter().any(|header| entry(line_of(text, header)).is_some()),
    };
    let is_cut = is_there && [b" stdout P".as_slice(), b" stderr P"].iter().any(|tag| contains(text, tag));
    if !is_cut {
        return None;
    }
    let mut out = Carried::default();
    let mut pieces = Pieces::default();
    for (at, line) in lines(text) {
        match entry(line) {
            Some(Entry { stream, text, is_last }) => pieces.add(&mut out, stream, text, at, is_last),
            None => out.add_line(line, at),
        }
    }
    pieces.end(&mut out);
    Some(out)
}

/// What a line of the log says.
struct Entry<'l> {
    stream: &'l [u8],
    text: &'l [u8],
    is_last: bool,
}

/// Reads a line: `TIME STREAM TAGS TEXT`, tags with `:` between them.
fn entry(line: &[u8]) -> Option<Entry<'_>> {
    let mut words = line.splitn(4, |b| *b == b' ');
    let (time, stream, tags) = (words.next()?, words.next()?, words.next()?);
    let is_time = time.get(..5)?.ends_with(b"-") && time.get(10) == Some(&b'T') && time.contains(&b':');
    let is_stream = matches!(stream, b"stdout" | b"stderr");
    let tag = tags.split(|b| *b == b':').next()?.trim_ascii_end();
    let is_last = match tag {
        b"F" => true,
        b"P" => false,
        _ => return None,
    };
    (is_time && is_stream).then(|| Entry { stream, text: words.next().unwrap_or_default(), is_last })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_of_each_stream_are_put_together() {
        let log = "2024-05-01T10:00:00.0Z stdout F whole\n\
                   2024-05-01T10:00:00.1Z stderr P one \n\
                   2024-05-01T10:00:00.2Z stdout F between\n\
                   other\n\
                   2024-05-01T10:00:00.3Z stderr P two \n\
                   2024-05-01T10:00:00.4Z stderr F three\n\
                   2024-05-01T10:00:00.5Z stdout F\n\
                   2024-05-01T10:00:00.6Z stderr P the end";
        let carried = joined(log.as_bytes(), &[]).unwrap();
        let text = String::from_utf8(carried.text).unwrap();
        assert_eq!(text, "whole\nbetween\nother\none two three\n\nthe end\n");
        let at = |line: &str| log[..log.find(line).unwrap()].rfind('\n').unwrap() + 1;
        let places: Vec<usize> = carried.places.iter().map(|(_, at)| *at).collect();
        let expected = ["between", "other", "P one", "P two", "F three", "00.5Z", "P the"].map(at);
        assert_eq!(places.get(1..), Some(expected.as_slice()));
        assert!(joined(log.replace(" P ", " F ").as_bytes(), &[]).is_none(), "nothing was cut");
    }
}
