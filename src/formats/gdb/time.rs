//! Times of day in lines that stand between stacks: of `date` in a script, or of a log.
//!
//! ```text
//! Thu May  1 10:00:00 UTC 2025                                    date
//! === 10:00:00 ===                                                a script
//! 2024-01-02 10:00:00,010 INFO [http-1] GET /health 200 1ms       a log
//! ```

/// The time in a line, with the date and the zone beside it.
pub(super) fn stamp(text: &str) -> Option<&str> {
    let (mut from, mut to) = moment(text)?;
    while let Some(word) = last_word(text.get(..from)?).filter(|word| is_date(word)) {
        from = at(text, word);
    }
    while let Some((word, end)) = zone(text, to) {
        to = end.max(to + word.len());
    }
    text.get(from..to)
}

/// Where `02:26:53,398` or `2024-01-02T03:04:05.010Z` stands.
fn moment(text: &str) -> Option<(usize, usize)> {
    let bytes = text.as_bytes();
    let is_time = |w: &[u8]| matches!(w, [a, b, b':', c, d, b':', e, f] if [a, b, c, d, e, f].iter().all(|x| x.is_ascii_digit()));
    // `00:1b:44:11:3a:b7` is an address of a network card.
    let goes_on = |b: Option<&u8>| b.is_some_and(|b| b.is_ascii_digit() || *b == b':');
    let start = bytes.windows(8).enumerate().find_map(|(n, w)| {
        let before = n.checked_sub(1).and_then(|n| bytes.get(n));
        (is_time(w) && !goes_on(before) && !goes_on(bytes.get(n + 8))).then_some(n)
    })?;
    let is_of_date = |b: &&u8| b.is_ascii_digit() || matches!(b, b'-' | b'/' | b'.');
    let parted = bytes.get(..start)?.strip_suffix(b"T").unwrap_or_default();
    let date = parted.iter().rev().take_while(is_of_date).count();
    let from = if date > 0 { parted.len() - date } else { start };
    let is_of_second = |b: &&u8| b.is_ascii_digit() || matches!(b, b'.' | b',');
    let second = bytes.get(start + 8..)?.iter().take_while(is_of_second).count();
    let to = start + 8 + second;
    let whole = text.get(..to)?.trim_end_matches(['.', ',']).len();
    Some((from, whole + offset(text.get(whole..)?)))
}

/// How long `Z` and `+02:00` are.
fn offset(text: &str) -> usize {
    if text.starts_with('Z') {
        return 1;
    }
    let Some(digits) = text.strip_prefix(['+', '-']) else { return 0 };
    let length = digits.bytes().take_while(|b| b.is_ascii_digit() || *b == b':').count();
    if (4..=5).contains(&length) { 1 + length } else { 0 }
}

/// The word that ends the text, without a bracket before it.
fn last_word(text: &str) -> Option<&str> {
    let word = text.trim_end().rsplit([' ', '[', '(']).next()?;
    (!word.is_empty() && text.len() - text.trim_end().len() <= 2).then_some(word)
}

/// Where a part of a text stands in it.
fn at(text: &str, part: &str) -> usize {
    part.as_ptr() as usize - text.as_ptr() as usize
}

/// The word behind `to` and where it ends, if it is a zone, a half of the day or a year.
fn zone(text: &str, to: usize) -> Option<(&str, usize)> {
    let words = |text: &str| -> Option<usize> {
        let rest = text.strip_prefix(' ')?;
        Some(1 + rest.find([' ', ']', ')']).unwrap_or(rest.len()))
    };
    let rest = text.get(to..)?;
    let length = words(rest)?;
    let word = rest.get(1..length)?;
    let next = rest.get(length..)?;
    let is_before_year =
        || words(next).is_some_and(|end| next.get(1..end).is_some_and(is_year)) && is_letters(word);
    let is_zone = matches!(word, "UTC" | "GMT" | "AM" | "PM") || offset(word) == word.len();
    (!word.is_empty() && (is_zone || is_year(word) || is_before_year())).then_some((word, to + length))
}

fn is_letters(word: &str) -> bool {
    (2..=5).contains(&word.len()) && word.bytes().all(|b| b.is_ascii_uppercase())
}

fn is_year(word: &str) -> bool {
    word.len() == 4
        && (word.starts_with("19") || word.starts_with("20"))
        && word.bytes().all(|b| b.is_ascii_digit())
}

/// `Thu`, `May`, `1`, `2025`, `2025-03-14`, `14/Mar/2025`
fn is_date(word: &str) -> bool {
    const NAMES: &[&str] = &[
        "mon", "tue", "wed", "thu", "fri", "sat", "sun", "jan", "feb", "mar", "apr", "may", "jun", "jul",
        "aug", "sep", "oct", "nov", "dec",
    ];
    let word = word.trim_end_matches([',', '.']);
    let is_name = NAMES.iter().any(|name| word.eq_ignore_ascii_case(name));
    let digits = word.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'-' | b'/' | b'.'));
    let has_parts = word.split(['-', '/', '.']).filter(|part| !part.is_empty()).count() == 3;
    let is_day = word.len() <= 2 && word.parse::<u8>().is_ok_and(|day| (1..=31).contains(&day));
    is_name || is_day || is_year(word) || digits && has_parts
}

#[cfg(test)]
mod tests {
    use super::stamp;

    #[test]
    fn only_the_time_of_a_line() {
        for (line, time) in [
            ("Thu May  1 10:00:00 UTC 2025", Some("Thu May  1 10:00:00 UTC 2025")),
            ("Thu  1 May 2025 10:00:00 AM CEST", Some("Thu  1 May 2025 10:00:00 AM")),
            ("=== 10:00:00 ===", Some("10:00:00")),
            ("2024-01-02 10:00:00,010 INFO [http-1] GET /health", Some("2024-01-02 10:00:00,010")),
            ("[2025-03-14 02:26:53,398] WARN late", Some("2025-03-14 02:26:53,398")),
            (
                "2024-01-02T03:04:05.000000026Z stderr F         ret = 1",
                Some("2024-01-02T03:04:05.000000026Z"),
            ),
            ("dump at 2024-01-02T03:04:05+02:00.", Some("2024-01-02T03:04:05+02:00")),
            ("Nov  3 10:22:00 web watchdog[7]: gone", Some("Nov  3 10:22:00")),
            ("INFO 5 10:22:00 2024", Some("5 10:22:00 2024")),
            ("eth0 is 00:11:22:33:44:55", None),
            ("10:00", None),
        ] {
            assert_eq!(stamp(line), time, "{line}");
        }
    }
}
