//! Cuts the text into pieces that can be read independently.

use std::ops::Range;

use super::header;

/// Cuts at thread headers, or, in a text without headers, at first frames. Where it is cut does not change what is read.
pub(super) struct Cutter<'t> {
    text: &'t [u8],
    next: fn(&[u8], usize) -> Option<usize>,
}

impl<'t> Cutter<'t> {
    pub fn of(text: &'t [u8]) -> Self {
        let has_headers = next_header(text, 0).is_some();
        Self { text, next: if has_headers { next_header } else { next_first_frame } }
    }

    /// Where a piece ends that begins at `from` and has about so many bytes.
    pub fn end_of(&self, from: usize, size: usize) -> usize {
        (self.next)(self.text, from.saturating_add(size.max(1))).unwrap_or(self.text.len())
    }

    /// Pieces of about so many bytes, which follow each other.
    pub fn cut(&self, range: Range<usize>, size: usize) -> Vec<Range<usize>> {
        let mut pieces = Vec::new();
        let mut start = range.start;
        while start < range.end {
            let end = self.end_of(start, size).min(range.end);
            pieces.push(start..end);
            start = end;
        }
        pieces
    }
}

/// The first header at a line's start, at `from` or after.
fn next_header(text: &[u8], from: usize) -> Option<usize> {
    if from == 0 && header::is_header(text) {
        return Some(0);
    }
    let base = from.saturating_sub(1);
    memchr::memmem::find_iter(text.get(base..)?, b"\nThread ")
        .map(|found| base + found + 1)
        .find(|at| text.get(*at..).is_some_and(header::is_header))
}

fn next_first_frame(text: &[u8], from: usize) -> Option<usize> {
    let base = from.saturating_sub(1);
    memchr::memmem::find(text.get(base..)?, b"\n#0 ").map(|found| base + found + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chunks(text: &[u8], size: usize) -> Vec<Range<usize>> {
        Cutter::of(text).cut(0..text.len(), size)
    }

    #[test]
    fn cuts_at_headers() {
        let text = b"x\nThread 3 (LWP 1):\n#0  f ()\nThread 2 (LWP 2):\n#0  f ()\nThread 1 (LWP 3):\n";
        assert_eq!(chunks(text, 1), [0..2, 2..29, 29..56, 56..74]);
        assert_eq!(chunks(text, 1000).len(), 1);
        assert!(chunks(b"", 5).is_empty());
    }

    #[test]
    fn cuts_at_first_frames_without_headers() {
        assert_eq!(chunks(b"#0  f ()\n#1  g ()\n#0  f ()\n", 1), [0..18, 18..27]);
    }
}
