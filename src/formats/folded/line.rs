//! A line of a folded text.

/// More samples than this are not counted: numbers of a report stay exact in every reader.
pub(super) const MOST: u64 = 1 << 53;

/// A line of a stack: its frames, root first, and how many samples it stands for.
pub(super) fn stack(line: &str) -> Option<(&str, u64)> {
    let (frames, count) = split(line)?;
    let may_be_html = may_be_html(frames);
    let mut named = 0;
    for (n, name) in names(frames).enumerate() {
        if is_other(name, n > 0, may_be_html) {
            return None;
        }
        named += usize::from(named < FEWEST_NAMES && is_name(name));
    }
    (named == FEWEST_NAMES).then_some((frames, count))
}

/// What would be the frames of a line, and how many samples it would stand for.
pub(super) fn split(line: &str) -> Option<(&str, u64)> {
    let (frames, count) = split_last(line.trim_end())?;
    let count = number(count)?;
    // A differential profile has two counts.
    let frames = match split_last(frames) {
        Some((before, first))
            if number(first).is_some() && before.contains(';') && !before.ends_with(',') =>
        {
            before
        }
        _ => frames,
    };
    Some((frames, count))
}

/// Whether what stands between two semicolons is no frame: prose, or HTML, which writes semicolons of its own.
pub(super) fn is_other(name: &str, is_called: bool, may_be_html: bool) -> bool {
    is_called && (name.is_empty() || name.starts_with(' ')) || may_be_html && is_entity(name)
}

pub(super) fn may_be_html(frames: &str) -> bool {
    memchr::memchr(b'&', frames.as_bytes()).is_some()
}

/// What stands before the last blank, and behind it.
fn split_last(text: &str) -> Option<(&str, &str)> {
    let at = memchr::memrchr(b' ', text.as_bytes())?;
    Some((text.get(..at)?, text.get(at + 1..)?))
}

/// The names of a stack's frames, root first.
pub(super) fn names(frames: &str) -> impl Iterator<Item = &str> {
    let mut start = 0;
    memchr::memchr_iter(b';', frames.as_bytes()).chain([frames.len()]).map(move |end| {
        let name = frames.get(start..end).unwrap_or_default();
        start = end + 1;
        name
    })
}

/// One name and a number are a list, a semicolon or not.
pub(super) const FEWEST_NAMES: usize = 2;

pub(super) fn is_name(frame: &str) -> bool {
    frame.chars().any(|c| c.is_alphabetic())
}

/// `frame #&#8203;1`, `Total&nbsp;items`: HTML, which writes a semicolon behind each of its own.
fn is_entity(frame: &str) -> bool {
    let name = frame.rsplit_once('&').map(|(_, name)| name.strip_prefix('#').unwrap_or(name));
    name.is_some_and(|name| !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric()))
}

/// `42`, `42.5`
fn number(text: &str) -> Option<u64> {
    if let (Ok(count), false) = (text.parse::<u64>(), text.starts_with('+')) {
        return Some(count.min(MOST));
    }
    let is_number = !text.is_empty()
        && text.bytes().all(|b| b.is_ascii_digit() || b == b'.')
        && text.bytes().any(|b| b.is_ascii_digit());
    let value: f64 = if is_number { text.parse().ok()? } else { return None };
    // What is not exact is too much anyway.
    Some((value.round() as u64).min(MOST))
}
