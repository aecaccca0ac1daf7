//! Words that many formats write alike.

use crate::model::Str;

/// A hexadecimal number, with or without `0x`, its halves parted by a backtick or not.
pub fn hex(word: &str) -> Option<u64> {
    let digits = word.strip_prefix("0x").or_else(|| word.strip_prefix("0X")).unwrap_or(word);
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_hexdigit() || b == b'`') {
        return None;
    }
    if digits.contains('`') {
        return u64::from_str_radix(&digits.replace('`', ""), 16).ok();
    }
    u64::from_str_radix(digits, 16).ok()
}

/// The digits at the begin of a text as a number, and what follows.
pub fn number(text: &str) -> Option<(u64, &str)> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    Some((text.get(..digits)?.parse().ok()?, text.get(digits..)?))
}

/// `FILE:LINE` or `FILE:LINE:COLUMN`; the file may hold blanks and colons.
pub fn place(text: &str) -> Option<(Str, u32)> {
    let cut = |text: &str| {
        let (file, digits) = text.rsplit_once(':')?;
        let is_number = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
        is_number.then(|| (file.to_owned(), digits.parse::<u32>().ok()))
    };
    let (file, last) = cut(text)?;
    match cut(&file) {
        Some((file, Some(line))) => Some((file.into(), line)),
        _ => Some((file.into(), last?)),
    }
}

/// As [`str::split_once`], which prepares each search for more than one letter as for a long text; headers are short and
/// many.
pub fn split_once<'t>(text: &'t str, mark: &str) -> Option<(&'t str, &'t str)> {
    let at = memchr::memmem::find(text.as_bytes(), mark.as_bytes())?;
    Some((text.get(..at)?, text.get(at + mark.len()..)?))
}

/// The same at the last place.
pub fn rsplit_once<'t>(text: &'t str, mark: &str) -> Option<(&'t str, &'t str)> {
    let last = *mark.as_bytes().last()?;
    let mut end = text.len();
    loop {
        end = memchr::memrchr(last, text.as_bytes().get(..end)?)?;
        let before = text.as_bytes().get(..end + 1)?;
        if before.ends_with(mark.as_bytes()) {
            let at = end + 1 - mark.len();
            return Some((text.get(..at)?, text.get(end + 1..)?));
        }
    }
}

/// The same for one byte of ASCII at its first place: words of headers have a few letters.
pub fn split_byte(text: &str, mark: u8) -> Option<(&str, &str)> {
    let at = text.bytes().position(|b| b == mark)?;
    Some((text.get(..at)?, text.get(at + 1..)?))
}

/// The same at its last place.
pub fn rsplit_byte(text: &str, mark: u8) -> Option<(&str, &str)> {
    let at = text.bytes().rposition(|b| b == mark)?;
    Some((text.get(..at)?, text.get(at + 1..)?))
}

/// The last part of a path.
pub fn file_name(path: &str) -> &str {
    path.rsplit(['/', '\\']).next().unwrap_or(path)
}

/// Where the group in round brackets begins that ends with the text.
pub fn last_group(text: &str) -> Option<usize> {
    let inside = text.strip_suffix(')')?;
    let mut depth = 0usize;
    inside.bytes().enumerate().rev().find_map(|(at, byte)| match byte {
        b')' => {
            depth += 1;
            None
        }
        b'(' if depth == 0 => Some(at),
        b'(' => {
            depth -= 1;
            None
        }
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words() {
        assert_eq!(hex("00007ffb`0e6c2b4e"), Some(0x7ffb_0e6c_2b4e));
        assert_eq!((hex("0x1f"), hex("x"), hex("")), (Some(0x1f), None, None));
        assert_eq!(place("a b/c.h:12:7"), Some(("a b/c.h".into(), 12)));
        assert_eq!(place("C:\\x.cpp:12"), Some(("C:\\x.cpp".into(), 12)));
        assert_eq!(place("x.cpp"), None);
        assert_eq!(last_group("f(int (*)(x)) (1, (2))"), Some(14));
        assert_eq!(number("12ab"), Some((12, "ab")));
        for text in ["", "a", " (", "f (a) (b", "f (", "é (ü)", "f((a", " ( ("] {
            assert_eq!(split_once(text, " ("), text.split_once(" ("), "{text}");
            assert_eq!(rsplit_once(text, " ("), text.rsplit_once(" ("), "{text}");
            assert_eq!(rsplit_once(text, "(("), text.rsplit_once("(("), "{text}");
        }
    }
}
