//! A text that ends within a stack: whoever copied it took no more, or a tracker allows no more.
//!
//! ```text
//! Thread 0x00007f0311704002 (most recent call first):
//!   File "/usr/lib/python3.9/threading.py", line 318 in wait
//!   File "/usr/lib/pyth
//! ```
//!
//! The thread that failed may be one of those that are missing: it has no place of its own among the others.

use crate::formats::python;
use crate::model::lossy;

/// What is said of such a text.
pub(super) const MESSAGE: &str = "the text breaks off in the middle of a stack";

/// Where the line of the frame begins that lacks its end, if the text ends with it, or the block of Markdown.
pub(super) fn place(text: &[u8]) -> Option<usize> {
    let at = memchr::memmem::rfind(text, b"File \"")?;
    if !goes_on_a_stack(text.get(..at)?) {
        return None;
    }
    let mut lines = text.get(at..)?.split(|b| *b == b'\n').map(<[u8]>::trim_ascii_end);
    let frame = lossy(lines.next()?).into_owned();
    let next = lines.find(|line| !line.is_empty());
    let is_last = next.is_none_or(|line| line.starts_with(b"```"));
    (is_last && is_cut(&frame)).then_some(at)
}

/// Whether what stands above a line, and before it in the line itself, is a header or a frame of such a stack: a log has
/// files in its lines, and tracebacks of its own.
fn goes_on_a_stack(before: &[u8]) -> bool {
    let line = |text: &[u8]| memchr::memrchr(b'\n', text).map_or(0, |n| n + 1);
    let (above, own) = before.split_at(line(before));
    let above = above.trim_ascii_end();
    let above = lossy(above.get(line(above)..).unwrap_or_default());
    own.trim_ascii().is_empty() && (super::header(&above).is_some() || super::frame(&above).is_some())
}

fn is_cut(frame: &str) -> bool {
    match python::place(frame) {
        Some(place) => [" in ", ", in "].iter().any(|all| all.trim_end().starts_with(place.rest)),
        None => !frame.contains("\", line ?"),
    }
}

#[cfg(test)]
mod tests {
    use crate::formats::testing::read_one;
    use crate::model::GapKind;

    #[test]
    fn the_text_ends_within_a_stack() {
        let begin = "Fatal Python error: Segmentation fault\n\n\
                     Thread 0x00007f0311704002 (most recent call first):\n  File \"/srv/a.py\", line 3 in work\n";
        let whole = "  File \"/srv/shop/log.py\", line 318 in wait";
        for length in ["  File \"".len(), 14, 27, 30, whole.len() - 7, whole.len() - 5] {
            for after in ["", "\n", "\n\n```\nThis happens once a day.\n"] {
                let text = format!("{begin}{}{after}", &whole[..length]);
                let snapshot = read_one(&text);
                assert!(snapshot.gaps.has(GapKind::Truncated) && !snapshot.is_complete, "{text}");
            }
        }
        for text in [
            format!("{begin}{whole}\n"),
            format!("{begin}  File \"/srv/sh\nshop: 3 orders\n"),
            format!("{begin}  File \"/srv/sh\n{whole}\n"),
            format!("{begin}{whole}\nshop: cannot open File \"/srv/sh\n"),
            format!("{begin}{whole}\nTraceback (most recent call last):\n  File \"/srv/sh\n"),
        ] {
            assert!(!read_one(&text).gaps.has(GapKind::Truncated), "{text}");
        }
    }
}
