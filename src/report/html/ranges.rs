//! Ids of threads, briefly: `4332–8830, 8832`. One by one, 30,000 ids would be the largest part of the page.

use std::fmt::Write;

/// The ids as ranges, and how many did not fit into `most` bytes. Ids that are no numbers are listed.
pub fn of(ids: impl Iterator<Item = String>, most: usize) -> (String, usize) {
    let mut numbers = Vec::new();
    let mut texts = Vec::new();
    for id in ids {
        match id.parse::<u64>() {
            Ok(number) => numbers.push(number),
            Err(_) => texts.push(id),
        }
    }
    numbers.sort_unstable();
    let mut out = String::new();
    let mut left_out = 0;
    let mut at = 0;
    while at < numbers.len() {
        let mut end = at;
        while end + 1 < numbers.len() && numbers[end].checked_add(1) == Some(numbers[end + 1]) {
            end += 1;
        }
        let part = match end - at {
            0 => numbers[at].to_string(),
            1 => format!("{}, {}", numbers[at], numbers[end]),
            _ => format!("{}–{}", numbers[at], numbers[end]),
        };
        left_out += add(&mut out, &part, most, end - at + 1);
        at = end + 1;
    }
    for text in &texts {
        left_out += add(&mut out, text, most, 1);
    }
    (out, left_out)
}

/// Adds a part that stands for `threads` threads, or says that they did not fit.
fn add(out: &mut String, part: &str, most: usize, threads: usize) -> usize {
    let comma = if out.is_empty() { "" } else { ", " };
    if !out.is_empty() && out.len() + part.len() > most {
        return threads;
    }
    // Writing to a `String` does not fail.
    let _ = write!(out, "{comma}{part}");
    0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ranges(ids: &[&str]) -> String {
        of(ids.iter().map(|id| (*id).to_owned()), usize::MAX).0
    }

    #[test]
    fn neighbours_are_one_range() {
        assert_eq!(ranges(&["12", "7", "8", "9", "10", "1"]), "1, 7–10, 12");
        assert_eq!(ranges(&["7", "8"]), "7, 8");
        assert_eq!(ranges(&["7", "7", "0x7f"]), "7, 7, 0x7f");
        assert_eq!(ranges(&["18446744073709551615", "0"]), "0, 18446744073709551615");
        assert_eq!(ranges(&[]), "");
    }

    #[test]
    fn what_does_not_fit_is_counted() {
        let odd = (0..1000).map(|n| (2 * n + 1).to_string());
        let (shown, left_out) = of(odd, 100);
        assert!(shown.len() <= 110 && shown.starts_with("1, 3, 5"));
        assert_eq!(shown.split(", ").count() + left_out, 1000);
    }
}
