//! What differs from thread to thread in an argument list: numbers and quoted text. One token of
//! it is what a template leaves open.

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum TokenKind {
    /// `0x55d9…`, at most 64 bits.
    Hex,
    /// `-7`: a decimal number that fits into 64 bits.
    Decimal,
    /// Numbers that no slot can hold: `1.5e+10`, 128-bit integers.
    Number,
    /// `"a \"quoted\" text"`, `'\000'`.
    Text,
}

impl TokenKind {
    /// Whether the token has a value that a slot can hold.
    pub fn has_value(self) -> bool {
        matches!(self, Self::Hex | Self::Decimal)
    }
}

/// One token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Token {
    /// Its kind.
    pub kind: TokenKind,
    /// Where it begins in the line.
    pub start: usize,
    /// The index after its last byte.
    pub end: usize,
    /// Its value, 0 where it has none; negative numbers as two's complement.
    pub value: u64,
}

/// Whether the byte belongs to an identifier; a digit after one is no number.
pub(super) fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'$' || byte >= 0x80
}

/// The value of a hexadecimal digit, 255 for anything else.
static HEX: [u8; 256] = {
    let mut table = [255; 256];
    let mut n = 0;
    while n < 10 {
        table[b'0' as usize + n] = n as u8;
        n += 1;
    }
    let mut n = 0;
    while n < 6 {
        table[b'a' as usize + n] = 10 + n as u8;
        table[b'A' as usize + n] = 10 + n as u8;
        n += 1;
    }
    table
};

/// The token that begins at `start`, which must be what [`begins_token`] says begins one.
pub(super) fn token_at(line: &[u8], start: usize) -> Option<Token> {
    match line.get(start)? {
        b'"' => text(line, start),
        b'\'' => character(line, start),
        b'0'..=b'9' | b'-' => number(line, start),
        _ => None,
    }
}

/// Whether a token begins at `start`, which follows `before`. A sign belongs to its number where
/// a value may stand: `timeout=-1`, `{-1, 2}`, but not `<buf-8>`.
pub(super) fn begins_token(line: &[u8], start: usize, before: u8) -> bool {
    match line.get(start) {
        Some(b'"' | b'\'') => true,
        Some(b'0'..=b'9') => !is_word(before) && before != b'.',
        Some(b'-') => {
            matches!(before, b'=' | b' ' | b'{' | b'(' | b',' | b':')
                && line.get(start + 1).is_some_and(u8::is_ascii_digit)
        }
        _ => false,
    }
}

/// The value of a [`TokenKind::Hex`], and the index after it.
pub(super) fn hex_at(line: &[u8], start: usize) -> Option<(u64, usize)> {
    let digits = line.get(start..)?.strip_prefix(b"0x")?;
    let mut value = 0u64;
    let mut length = 0;
    for &byte in digits {
        let digit = HEX[byte as usize];
        if digit == 255 {
            break;
        }
        value = (value << 4) | u64::from(digit);
        length += 1;
    }
    let follows = digits.get(length).copied().unwrap_or(b' ');
    ((1..=16).contains(&length) && !is_word(follows)).then_some((value, start + 2 + length))
}

/// The value of a [`TokenKind::Decimal`], and the index after it.
pub(super) fn decimal_at(line: &[u8], start: usize) -> Option<(u64, usize)> {
    let text = line.get(start..)?;
    let digits = text.strip_prefix(b"-");
    let is_negative = digits.is_some();
    let digits = digits.unwrap_or(text);
    let mut value = 0u64;
    let mut length = 0;
    for &byte in digits {
        if !byte.is_ascii_digit() {
            break;
        }
        value = value.checked_mul(10)?.checked_add(u64::from(byte - b'0'))?;
        length += 1;
    }
    let follows = digits.get(length).copied().unwrap_or(b' ');
    let has_part = follows == b'.' && digits.get(length + 1).is_some_and(u8::is_ascii_digit);
    let value = if is_negative { value.wrapping_neg() } else { value };
    (!is_word(follows) && !has_part).then_some((value, start + usize::from(is_negative) + length))
}

fn number(line: &[u8], start: usize) -> Option<Token> {
    if let Some((value, end)) = hex_at(line, start) {
        return Some(Token { kind: TokenKind::Hex, start, end, value });
    }
    if let Some((value, end)) = decimal_at(line, start) {
        return Some(Token { kind: TokenKind::Decimal, start, end, value });
    }
    // `1.5000000000000001e+10`, `-nan(0x8…)`, `12abc`: everything that hangs together.
    let mut end = start + usize::from(line.get(start) == Some(&b'-'));
    end += line.get(end..)?.iter().take_while(|b| b.is_ascii_digit()).count();
    while let Some(&byte) = line.get(end) {
        let is_exponent = matches!(byte, b'+' | b'-') && matches!(line.get(end - 1), Some(b'e' | b'E'));
        if !is_word(byte) && byte != b'.' && !is_exponent {
            break;
        }
        end += 1;
    }
    Some(Token { kind: TokenKind::Number, start, end, value: 0 })
}

/// `"msg \"7\" (LWP 7) at x"`; `None` where no quote closes it.
fn text(line: &[u8], start: usize) -> Option<Token> {
    let mut at = start + 1;
    loop {
        let rest = line.get(at..)?;
        let found = memchr::memchr2(b'"', b'\\', rest)?;
        at += found;
        if line.get(at) == Some(&b'"') {
            return Some(Token { kind: TokenKind::Text, start, end: at + 1, value: 0 });
        }
        at += 2;
    }
}

/// How long a quoted character may be: `'\000'`, `'\\'`, a raw UTF-8 sequence.
const LONGEST_CHARACTER: usize = 8;

/// `'\000'`, `'"'`; `None` for an apostrophe that quotes nothing (`&'a str`).
fn character(line: &[u8], start: usize) -> Option<Token> {
    let mut at = start + 1;
    while at <= start + LONGEST_CHARACTER {
        match line.get(at)? {
            b'\\' => at += 2,
            b'\'' if at > start + 1 => {
                return Some(Token { kind: TokenKind::Text, start, end: at + 1, value: 0 });
            }
            _ => at += 1,
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(text: &str) -> (TokenKind, usize, u64) {
        let t = token_at(text.as_bytes(), 0).unwrap();
        (t.kind, t.end, t.value)
    }

    #[test]
    fn numbers() {
        assert_eq!(token("0x7f2d <m>"), (TokenKind::Hex, 6, 0x7f2d));
        assert_eq!(token("0xffffffffffffffff"), (TokenKind::Hex, 18, u64::MAX));
        assert_eq!(token("0x1ffffffffffffffff, "), (TokenKind::Number, 19, 0));
        assert_eq!(token("-1,"), (TokenKind::Decimal, 2, u64::MAX));
        assert_eq!(token("1.5e+10)"), (TokenKind::Number, 7, 0));
        assert_eq!(token("1567697671."), (TokenKind::Decimal, 10, 1567697671));
        assert_eq!(token("99999999999999999999999 "), (TokenKind::Number, 23, 0));
        assert_eq!(token("0x)"), (TokenKind::Number, 2, 0));
    }

    #[test]
    fn quoted() {
        assert_eq!(token(r#""a \" (b" x"#), (TokenKind::Text, 9, 0));
        assert_eq!(token(r"'\000' <repeats"), (TokenKind::Text, 6, 0));
        assert_eq!(token(r"'\'' "), (TokenKind::Text, 4, 0));
        assert_eq!(token_at(b"\"open", 0), None);
        assert_eq!(token_at(b"'a str, b", 0), None);
    }

    #[test]
    fn digits_of_identifiers_are_no_numbers() {
        assert!(!begins_token(b"i0=", 1, b'i'));
        assert!(begins_token(b"=0", 1, b'='));
        assert!(begins_token(b"=-1", 1, b'='));
        assert!(!begins_token(b"<b-8", 2, b'b'));
    }
}
