//! The text of a mail in quoted-printable (RFC 2045), copied as it was sent: lines of at most 76 characters, of which a `=`
//! at the end means that the line goes on, and `=3D` for each `=` of the text.
//!
//! ```text
//! "main" prio=3D5 tid=3D0x082f9c00 nid=3D0x34e8 waiting for monitor entry [0x=
//! b4b5f000]
//! ```

/// A line that is longer is none of such a mail.
const LONGEST: usize = 76;

/// So long are lines that are made to go on.
const CUT_FROM: usize = 60;

/// Whether a text is written so: no `=` stands for itself, and some are written.
pub(super) fn is_it(text: &[u8]) -> bool {
    const FEWEST: usize = 3;
    let (mut signs, mut cuts) = (0, 0);
    for at in memchr::memchr_iter(b'=', text) {
        let place = text.get(at..).unwrap_or_default();
        match (read(place), place) {
            (Some((Some(b'='), _)), _) => signs += 1,
            (Some((None, _)), _) => {
                let begin = memchr::memrchr(b'\n', text.get(..at).unwrap_or_default()).map_or(0, |n| n + 1);
                cuts += usize::from(at - begin >= CUT_FROM);
            }
            (Some(_), _) | (None, [_] | [_, _]) => {}
            (None, _) => return false,
        }
    }
    signs + cuts >= FEWEST && text.split(|b| *b == b'\n').all(|line| line.trim_ascii_end().len() <= LONGEST)
}

/// The text as it was.
pub(super) fn undone(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = memchr::memchr(b'=', rest) {
        out.extend_from_slice(rest.get(..at).unwrap_or_default());
        let place = rest.get(at..).unwrap_or_default();
        let (byte, length) = read(place).unwrap_or((Some(b'='), 1));
        out.extend(byte);
        rest = place.get(length..).unwrap_or_default();
    }
    out.extend_from_slice(rest);
    out
}

/// What is written at a `=`: a byte, or nothing where a line goes on; and how long it is.
fn read(place: &[u8]) -> Option<(Option<u8>, usize)> {
    match place {
        [_, b'\n', ..] => Some((None, 2)),
        [_, b'\r', b'\n', ..] => Some((None, 3)),
        [_, high, low, ..] => {
            let digit = |byte: &u8| match byte {
                b'0'..=b'9' => Some(byte - b'0'),
                b'A'..=b'F' => Some(byte - b'A' + 10),
                _ => None,
            };
            let byte = digit(high)? << 4 | digit(low)?;
            // What needs it, and what some mailers write so: blanks at a line's end, a dot or `From` at its begin.
            let is_written = matches!(byte, b'=' | b' ' | b'\t' | b'.' | b'F' | 0x80..);
            is_written.then_some((Some(byte), 3))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mail_is_told_from_a_dump() {
        let mail = b"x (a=3D1, b=3D=C3=A4)=20\ny (c=3D2=\r\n2)\n";
        assert!(is_it(mail));
        assert_eq!(undone(mail), "x (a=1, b=\u{e4}) \ny (c=22)\n".as_bytes());
        assert!(!is_it(b"x (a=3D1, b=3D2, c=3D3, d=10)\n"), "a sign stands for itself");
        assert!(!is_it(&[mail.as_slice(), &[b' '; 80], b"x"].concat()), "a line is too long");
        assert!(!is_it(b"=======\n=======\n=======\n"));
        assert!(!is_it(b"x (a=\ny (b=\nz (c=\n"), "gdb leaves out the values of pointers");
    }
}
