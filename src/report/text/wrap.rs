//! Breaks text into lines between words, and words that are too long between characters.

use unicode_width::UnicodeWidthStr;

use super::layout::{Style, Text, head};

/// The fewest columns that a wrapped line gets.
pub const NARROWEST: usize = 16;

/// The no-break space.
const STAY: char = '\u{a0}';

/// A word may change its style inside.
type Word = Vec<(Style, String)>;

/// The lines of a text, none wider than `width`. Several spaces count as one, a no-break space is one that
/// stays inside its line; there is at least one line.
pub fn lines(text: &Text, width: usize) -> Vec<Text> {
    let mut lines = vec![Text::new()];
    let mut used = 0;
    for word in words(text) {
        let columns = width_of(&word);
        if used > 0 && used + 1 + columns > width {
            lines.push(Text::new());
            used = 0;
        }
        let mut word = word;
        while used == 0 && width_of(&word) > width {
            let (first, rest) = broken(word, width);
            append(&mut lines, first);
            lines.push(Text::new());
            word = rest;
        }
        if used > 0 {
            let before = lines.last().and_then(|line| line.0.last()).map(|(style, _)| *style);
            let is_inside = before == word.first().map(|(style, _)| *style);
            append(&mut lines, vec![(before.filter(|_| is_inside).unwrap_or(Style::Plain), " ".into())]);
            used += 1;
        }
        used += width_of(&word);
        append(&mut lines, word);
    }
    let pieces = lines.iter_mut().flat_map(|line| &mut line.0);
    for (_, piece) in pieces.filter(|(_, piece)| piece.contains(STAY)) {
        *piece = piece.replace(STAY, " ");
    }
    lines
}

fn append(lines: &mut [Text], word: Word) {
    let Some(line) = lines.last_mut() else { return };
    for (style, piece) in word {
        match line.0.last_mut() {
            Some((last, text)) if *last == style => text.push_str(&piece),
            _ => line.0.push((style, piece)),
        }
    }
}

fn width_of(word: &Word) -> usize {
    word.iter().map(|(_, piece)| piece.width()).sum()
}

/// The words of a text. A percent sign stays with its number, an arrow with the word behind it.
fn words(text: &Text) -> Vec<Word> {
    let mut words: Vec<Word> = Vec::new();
    let mut is_open = false;
    for (style, piece) in &text.0 {
        for (n, part) in piece.split(' ').enumerate() {
            is_open &= n == 0;
            if part.is_empty() {
                continue;
            }
            let sticks =
                part.starts_with('%') || words.last().is_some_and(|w| matches!(&w[..], [(_, a)] if a == "←"));
            match words.last_mut() {
                Some(word) if is_open => word.push((*style, part.to_owned())),
                Some(word) if sticks => {
                    word.push((Style::Plain, " ".into()));
                    word.push((*style, part.to_owned()));
                }
                _ => words.push(vec![(*style, part.to_owned())]),
            }
            is_open = true;
        }
        is_open &= !piece.ends_with(' ');
    }
    words
}

/// The head of a word that fits and the rest of it. Breaks behind punctuation where the last third of the
/// line has some.
fn broken(word: Word, width: usize) -> (Word, Word) {
    let whole: String = word.iter().map(|(_, piece)| piece.as_str()).collect();
    let fits = head(&whole, width);
    let seam = fits.rfind(['/', ':', ',', ';', '_', '-', '.', '>', '(', ' ']).map(|at| at + 1);
    let at = seam.filter(|&at| at * 3 > fits.len() * 2).unwrap_or(fits.len());
    let at = if at == 0 { whole.chars().next().map_or(whole.len(), char::len_utf8) } else { at };
    let (mut first, mut rest) = (Word::new(), Word::new());
    let mut left = at;
    for (style, mut piece) in word {
        let cut = left.min(piece.len());
        let tail = piece.split_off(cut);
        left -= cut;
        if !piece.is_empty() {
            first.push((style, piece));
        }
        if !tail.is_empty() {
            rest.push((style, tail));
        }
    }
    (first, rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrapped(text: Text, width: usize) -> Vec<String> {
        lines(&text, width)
            .into_iter()
            .map(|line| line.0.into_iter().map(|(_, piece)| piece).collect())
            .collect()
    }

    #[test]
    fn breaks_between_words_and_joins_styles_to_one_word() {
        let text =
            Text::from("4,499 threads (90 %) wait for ").styled(Style::Bold, "g_log").plain(", really");
        assert_eq!(wrapped(text, 19), ["4,499 threads", "(90 %) wait for", "g_log, really"]);
        assert_eq!(wrapped(Text::from("a ← b"), 3), ["a", "← b"]);
        assert_eq!(wrapped(Text::new(), 20), [""]);
    }

    #[test]
    fn long_words_are_broken_behind_punctuation_where_there_is_some() {
        assert_eq!(
            wrapped(Text::from("in /usr/lib/x86_64/libfoo.so"), 16),
            ["in", "/usr/lib/x86_64/", "libfoo.so"]
        );
        assert_eq!(wrapped(Text::from("aaaaaaaaaaaaaaaaaaaa b"), 8), ["aaaaaaaa", "aaaaaaaa", "aaaa b"]);
        assert_eq!(wrapped(Text::from("世世世"), 3), ["世", "世", "世"]);
    }
}
