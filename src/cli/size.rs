//! Sizes on the command line: `10G`, `512MiB`, `1000000`.

/// Bytes from a number with a unit. `K` and `KiB` are 1024, `KB` is 1000, and so on, as coreutils
/// have it; case does not matter.
pub(super) fn parse(text: &str) -> Result<u64, SizeError> {
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    if number.is_empty() {
        return Err(SizeError::NoNumber);
    }
    let unit = unit.trim_start().to_ascii_lowercase();
    let (letter, base) = match unit.strip_suffix("ib") {
        Some(letter) => (letter, 1024_u64),
        None => match unit.strip_suffix('b') {
            Some(letter) => (letter, 1000),
            None => (unit.as_str(), 1024),
        },
    };
    let power = match letter {
        "" if base == 1024 && !unit.is_empty() => return Err(SizeError::UnknownUnit),
        "" => 0,
        "k" => 1,
        "m" => 2,
        "g" => 3,
        "t" => 4,
        _ => return Err(SizeError::UnknownUnit),
    };
    let number: u64 = number.parse().map_err(|_| SizeError::TooLarge)?;
    match number.checked_mul(base.pow(power)) {
        None => Err(SizeError::TooLarge),
        Some(0) => Err(SizeError::Zero),
        Some(bytes) => Ok(bytes),
    }
}

/// Why a text is no size.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum SizeError {
    #[error("a size begins with a whole number: 10G, 512MiB")]
    NoNumber,
    #[error("the units are K, M, G, T (of 1024), KB, MB, GB, TB (of 1000)")]
    UnknownUnit,
    #[error("it must be greater than 0")]
    Zero,
    #[error("it is too large")]
    TooLarge,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_numbers_with_units() {
        for (text, bytes) in [
            ("1", 1),
            ("1000000", 1_000_000),
            ("12B", 12),
            ("10G", 10 << 30),
            ("10g", 10 << 30),
            ("512MiB", 512 << 20),
            ("3 KiB", 3072),
            ("3kB", 3000),
            ("2TB", 2_000_000_000_000),
            ("1T", 1 << 40),
        ] {
            assert_eq!(parse(text), Ok(bytes), "{text}");
        }
        for (text, error) in [
            ("", SizeError::NoNumber),
            ("G", SizeError::NoNumber),
            ("-1", SizeError::NoNumber),
            ("1.5G", SizeError::UnknownUnit),
            ("1X", SizeError::UnknownUnit),
            ("1iB", SizeError::UnknownUnit),
            ("1GG", SizeError::UnknownUnit),
            ("0", SizeError::Zero),
            ("0G", SizeError::Zero),
            ("18446744073709551616", SizeError::TooLarge),
            ("99999999999T", SizeError::TooLarge),
        ] {
            assert_eq!(parse(text), Err(error), "{text}");
        }
    }
}
