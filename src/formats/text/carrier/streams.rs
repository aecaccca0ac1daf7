//! The lines of several services in one text, each with the name of its service before it. What one of them wrote is read
//! as if it stood alone: in between stand lines of the others, and each would end the stacks of the other.

use rustc_hash::{FxHashMap, FxHashSet};

use super::{Carried, line_of, lines};
use crate::formats::detect::Header;
use crate::formats::text::prefix::Prefix;

/// A way to put a name before each line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Label {
    /// `app-1  | text` of Docker Compose, `0|app  | text` of pm2, `10:00:00 web.1  | text` of foreman.
    Bar,
    /// `[pod/web-7d4b9c8f6-x2x9z/app] text` of `kubectl logs --prefix`.
    Pod,
    /// `web-7d4b9c8f6-x2x9z app text` of stern.
    Stern,
    /// `May  1 10:00:00 host app[123]: text`, `2025-05-01T10:00:00.123Z host kernel: text` of syslog and journald. These
    /// stay: formats know some of the names.
    Process,
}

const ALL: [Label; 4] = [Label::Bar, Label::Pod, Label::Stern, Label::Process];

/// A text with more names has them for something else.
const MOST_STREAMS: usize = 256;

/// The longest name.
const LONGEST_LABEL: usize = 160;

/// How far below a header a line with its name stands.
const NEAR: usize = 64;

impl Label {
    /// The name before a line, and where the line itself begins.
    fn of(self, line: &[u8]) -> Option<(&[u8], usize)> {
        let begin = line.get(..LONGEST_LABEL).unwrap_or(line);
        match self {
            Self::Bar => {
                let bar = memchr::memmem::find(begin, b"| ").or(begin.strip_suffix(b"|").map(<[u8]>::len))?;
                let name = begin.get(..bar)?.trim_ascii_end();
                // foreman has the time before it.
                let name = name.rsplit(|b| *b == b' ').next()?;
                let is_time = |before: &[u8]| before.iter().all(|b| b.is_ascii_digit() || b": ".contains(b));
                let before = begin.get(..bar)?.trim_ascii_end().strip_suffix(name)?;
                (is_name(name, b"-_./@|") && is_time(before)).then_some((name, line.len().min(bar + 2)))
            }
            Self::Pod => {
                let inner = begin.strip_prefix(b"[pod/")?;
                let end = memchr::memchr(b']', inner)?;
                let name = inner.get(..end).filter(|name| is_name(name, b"-_./"))?;
                let rest = b"[pod/]".len() + end;
                (line.get(rest).is_none_or(|b| *b == b' ')).then_some((name, line.len().min(rest + 1)))
            }
            Self::Stern => {
                let mut words = begin.splitn(3, |b| *b == b' ');
                let (pod, container) = (words.next()?, words.next()?);
                // The end of a pod's name was made by Kubernetes: `-x2x9z`, `-0`.
                let has_end = memchr::memrchr(b'-', pod)
                    .is_some_and(|at| at > 0 && pod.iter().skip(at).any(u8::is_ascii_digit));
                let is_low = |word: &[u8]| is_name(word, b"-.") && !word.iter().any(u8::is_ascii_uppercase);
                let length = pod.len() + 1 + container.len();
                let name = begin.get(..length).filter(|_| has_end && is_low(pod) && is_low(container))?;
                Some((name, line.len().min(length + 1)))
            }
            Self::Process => {
                let after = time_length(begin)?;
                let rest = begin.get(after..)?;
                let end = memchr::memmem::find(rest, b": ").or(rest.strip_suffix(b":").map(<[u8]>::len))?;
                let name = rest.get(..end)?;
                (name.split(|b| *b == b' ').count() == 2).then_some((name, 0))
            }
        }
    }

    /// How far a header may have nothing but the name before it.
    fn fits(self, text: &[u8], header: &Header) -> bool {
        let line = line_of(text, header);
        self.of(line).is_some_and(|(_, begin)| header.line + begin <= header.start)
    }
}

/// Whether this is a name: letters, digits and some more.
fn is_name(name: &[u8], more: &[u8]) -> bool {
    name.iter().any(u8::is_ascii_alphabetic)
        && name.iter().all(|b| b.is_ascii_alphanumeric() || more.contains(b) || !b.is_ascii())
}

/// How long the time before a syslog line is, with the blank behind it.
fn time_length(line: &[u8]) -> Option<usize> {
    // `May  1 10:00:00 `
    let is_bsd = line.get(..3).is_some_and(|month| month.iter().all(u8::is_ascii_alphabetic))
        && line.get(3) == Some(&b' ')
        && line.get(9) == Some(&b':')
        && line.get(15) == Some(&b' ');
    if is_bsd {
        return Some(16);
    }
    // `2025-05-01T10:00:00.123Z `
    let end = memchr::memchr(b' ', line)?;
    let is_iso = line.get(10) == Some(&b'T') && line.first()?.is_ascii_digit() && line.get(13) == Some(&b':');
    is_iso.then_some(end + 1)
}

/// The streams of a text, in the order in which they begin, if lines of several ones alternate in it.
pub(super) fn parted(text: &[u8], near: &[Header]) -> Option<Vec<Carried>> {
    ALL.into_iter().find_map(|label| {
        let (is_there, is_carrier) = match near {
            [] => (matches!(label, Label::Bar | Label::Pod) && begins_so(text, label), true),
            near => {
                let own: Vec<&Header> = near.iter().filter(|header| label.fits(text, header)).collect();
                let goes_on = own.iter().any(|header| returns(text, label, header));
                (goes_on, own.iter().any(|header| carries_json(text, label, header)))
            }
        };
        let is_carrier = is_carrier && label != Label::Process;
        (is_there && (alternate(text, label) || is_carrier)).then(|| streams(text, label))?
    })
}

/// Whether the first lines have names.
fn begins_so(text: &[u8], label: Label) -> bool {
    const LINES: usize = 32;
    lines(text).take(LINES).filter(|(_, line)| label.of(line).is_some()).count() > 1
}

/// Whether the name of a header's line stands before another line below it: else each line has its own.
fn returns(text: &[u8], label: Label, header: &Header) -> bool {
    let mut below = lines(text.get(header.line..).unwrap_or_default()).map(|(_, line)| label.of(line));
    let own = below.next().flatten();
    below.take(NEAR).flatten().any(|(name, _)| own.is_some_and(|(own, _)| own == name))
}

/// Whether a line behind its name is JSON again.
fn carries_json(text: &[u8], label: Label, header: &Header) -> bool {
    let line = line_of(text, header);
    label.of(line).and_then(|(_, begin)| line.get(begin..)).is_some_and(|rest| rest.starts_with(b"{"))
}

/// Whether a name stands before a line again after another one did.
fn alternate(text: &[u8], label: Label) -> bool {
    let mut seen: FxHashSet<&[u8]> = FxHashSet::default();
    let mut last: Option<&[u8]> = None;
    for (name, _) in lines(text).filter_map(|(_, line)| label.of(line)) {
        // Most lines have the name of the line before.
        let is_new_or_back = last.replace(name) != Some(name);
        if is_new_or_back && !seen.insert(name) {
            return true;
        }
        if seen.len() > MOST_STREAMS {
            return false;
        }
    }
    false
}

/// The text of each name. Lines without a name go on with what stands before them.
fn streams(text: &[u8], label: Label) -> Option<Vec<Carried>> {
    let mut numbers: FxHashMap<&[u8], usize> = FxHashMap::default();
    let mut streams = vec![Carried::default()];
    let mut current = 0;
    for (at, line) in lines(text) {
        let mut begin = 0;
        if let Some((name, from)) = label.of(line) {
            begin = from;
            let next = numbers.len();
            current = *numbers.entry(name).or_insert(next);
            if current == streams.len() {
                streams.push(Carried::default());
            }
        }
        if current >= MOST_STREAMS {
            return None;
        }
        streams.get_mut(current)?.add_line(line.get(begin..)?, at);
    }
    Some(streams)
}

/// Whether the lines below some header have names before them that alternate in one column: a text of several streams.
pub fn are_mixed(text: &[u8], headers: &[Header]) -> Option<usize> {
    const HEADERS: usize = 16;
    let step = headers.len().div_ceil(HEADERS).max(1);
    headers.iter().step_by(step).find(|header| is_mixed(text, header)).map(|header| header.line)
}

fn is_mixed(text: &[u8], header: &Header) -> bool {
    const LINES: usize = 12;
    const CHANGES: usize = 3;
    let Some(prefix) = text.get(header.line..header.start).and_then(Prefix::of) else { return false };
    let below = lines(text.get(header.line..).unwrap_or_default()).take(LINES);
    let names: Vec<Vec<&[u8]>> = below.filter_map(|(_, line)| prefix.of_line(line).map(words)).collect();
    let Some(first) = names.first().filter(|first| !first.is_empty()) else { return false };
    let changes = names.windows(2).filter(|pair| matches!(pair, [a, b] if a != b)).count();
    changes >= CHANGES && names.iter().filter(|name| *name == first).count() > 1
}

/// The words of a prefix that may be a name.
fn words(prefix: &[u8]) -> Vec<&[u8]> {
    const LEVELS: &[&[u8]] =
        &[b"trace", b"debug", b"info", b"notice", b"warn", b"warning", b"error", b"err", b"fatal", b"crit"];
    const SHORTEST: usize = 3;
    let words = prefix.split(|b| !b.is_ascii_alphanumeric() && *b != b'_');
    let is_name = |word: &&[u8]| {
        word.len() >= SHORTEST
            && word.first().is_some_and(u8::is_ascii_alphabetic)
            && !LEVELS.iter().any(|level| level.eq_ignore_ascii_case(word))
    };
    words.filter(is_name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(label: Label, line: &str) -> Option<(&str, &str)> {
        let (name, begin) = label.of(line.as_bytes())?;
        Some((std::str::from_utf8(name).unwrap(), &line[begin..]))
    }

    #[test]
    fn names_before_lines() {
        assert_eq!(of(Label::Bar, "app-1  |     at a.b"), Some(("app-1", "    at a.b")));
        assert_eq!(of(Label::Bar, "db     |"), Some(("db", "")));
        assert_eq!(of(Label::Bar, "0|app  | x | y"), Some(("0|app", "x | y")));
        assert_eq!(of(Label::Bar, "10:00:00 web.1  | x"), Some(("web.1", "x")));
        for none in ["| a | b |", "a b | c", "  |  +--Unused", "Thread 1 | x"] {
            assert_eq!(of(Label::Bar, none), None, "{none}");
        }
        assert_eq!(of(Label::Pod, "[pod/web-1/app] x"), Some(("web-1/app", "x")));
        assert_eq!(of(Label::Pod, "[pod/web-1/app]"), Some(("web-1/app", "")));
        assert_eq!(of(Label::Stern, "web-7d4b-x2x9z app x y"), Some(("web-7d4b-x2x9z app", "x y")));
        assert_eq!(of(Label::Stern, "main loop started"), None);
        let line = "May  1 10:00:00 host app[12]: x: y";
        assert_eq!(of(Label::Process, line), Some(("host app[12]", line)));
        let line = "2025-05-01T10:00:00.1Z host kernel: x";
        assert_eq!(of(Label::Process, line), Some(("host kernel", line)));
    }

    /// Three lines of each of two services, in turns.
    const LOG: &str = "a-1  | one\nb-1  | eins\na-1  | two\n  more\nb-1  | zwei\na-1  | three\nb-1  | drei\n";

    fn parts(log: &str, start: usize) -> Option<Vec<String>> {
        let streams = parted(log.as_bytes(), &[Header { line: 0, start }])?;
        Some(streams.into_iter().map(|stream| String::from_utf8(stream.text).unwrap()).collect())
    }

    #[test]
    fn each_stream_is_a_text() {
        assert_eq!(parts(LOG, 7).unwrap(), ["one\ntwo\n  more\nthree\n", "eins\nzwei\ndrei\n"]);
        let streams = parted(LOG.as_bytes(), &[Header { line: 0, start: 7 }]).unwrap();
        assert_eq!(
            streams[1].places,
            [(0, 11), (5, LOG.find("b-1  | zwei").unwrap()), (10, LOG.find("b-1  | drei").unwrap())]
        );
        // One after the other, a name for each line, and a table behind the header: all are one text.
        assert_eq!(parts("a-1  | one\na-1  | two\nb-1  | three\nb-1  | four\n", 7), None);
        assert_eq!(parts("a-1  | one\na-2  | two\na-3  | three\na-4  | four\n", 7), None);
        assert_eq!(parts(LOG, 0), None);
    }

    #[test]
    fn names_of_another_form_are_seen_to_alternate() {
        let line =
            |n: usize| format!("{{{}}} 10:00:0{n} INFO x\n", if n.is_multiple_of(2) { "app" } else { "web" });
        let log: String = (0..8).map(line).collect();
        let header = Header { line: 0, start: log.find("x\n").unwrap() };
        assert_eq!(are_mixed(log.as_bytes(), &[header]), Some(0));
        let one = log.replace("web", "app");
        assert_eq!(are_mixed(one.as_bytes(), &[header]), None);
        let levels = one.replacen("INFO", "WARN", 1).replace("03 INFO", "03 WARN");
        assert_eq!(are_mixed(levels.as_bytes(), &[header]), None);
    }
}
