//! What was probably meant by an id that does not exist.

/// The most that a text may have for an edit distance: more is no typing error.
const LONGEST: usize = 64;

/// The candidate with the fewest edits from `wanted`, where that is a third of it or less; the first of equals.
pub fn nearest<T: AsRef<str>>(wanted: &str, candidates: impl IntoIterator<Item = T>) -> Option<T> {
    let most = wanted.chars().count().div_ceil(3);
    let near = candidates.into_iter().map(|c| (distance(wanted, c.as_ref()), c)).filter(|(d, _)| *d <= most);
    near.min_by_key(|(d, _)| *d).map(|(_, c)| c)
}

/// Edits (insert, remove, replace a character, ignoring case) from one text to the other.
pub fn distance(a: &str, b: &str) -> usize {
    let letters =
        |text: &str| text.chars().flat_map(char::to_lowercase).take(LONGEST + 1).collect::<Vec<_>>();
    let (a, b) = (letters(a), letters(b));
    if a.len().max(b.len()) > LONGEST {
        return usize::MAX;
    }
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}
