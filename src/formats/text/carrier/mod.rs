//! What carries a dump line by line: the JSON lines of a container's log, lines that a container engine cut, the lines of
//! several services in one text. A text is taken out of it before anybody reads a line, and is then as its producer wrote
//! it; what is carried may carry something itself.
//!
//! Looked for where the first headers stand. A text in which there are none is asked by its first lines.

mod cri;
mod json_lines;
mod pieces;
mod streams;

use crate::formats::detect::Header;

pub use streams::are_mixed;

/// A text that was taken out of what carried it.
#[derive(Debug, Default)]
pub struct Carried {
    /// The text.
    pub text: Vec<u8>,
    /// Where pieces of it begin, ascending, and where each began in the text that carried it.
    pub places: Vec<(usize, usize)>,
}

impl Carried {
    /// Adds what began at `at`.
    fn add(&mut self, piece: &[u8], at: usize) {
        self.places.push((self.text.len(), at));
        self.text.extend_from_slice(piece);
    }

    /// Adds a line that began at `at`, which may have its end.
    fn add_line(&mut self, line: &[u8], at: usize) {
        self.add(line, at);
        if !line.ends_with(b"\n") {
            self.text.push(b'\n');
        }
    }
}

/// What a text may carry: the texts in it, for each way in which it may be meant. `near`: the first header of each format
/// that was found.
pub fn carried(text: &[u8], near: &[Header]) -> impl Iterator<Item = Vec<Carried>> {
    let parted = std::iter::once_with(move || streams::parted(text, near)).flatten();
    let joined = std::iter::once_with(move || cri::joined(text, near)).flatten().map(|text| vec![text]);
    let keys = std::iter::once_with(move || json_lines::keys(text, near)).flatten();
    let unwrapped = keys.map(move |key| vec![json_lines::unwrapped(text, &key)]);
    parted.chain(joined).chain(unwrapped)
}

/// The lines of a text, without their ends, and where each begins.
fn lines(text: &[u8]) -> impl Iterator<Item = (usize, &[u8])> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let rest = text.get(at..).filter(|rest| !rest.is_empty())?;
        let line = super::first_line(rest);
        let begin = at;
        at += line.len() + 1;
        Some((begin, line))
    })
}

/// The line in which a header stands, as much of it as is looked at.
fn line_of<'t>(text: &'t [u8], header: &Header) -> &'t [u8] {
    let rest = text.get(header.line..).unwrap_or_default();
    super::first_line(rest.get(..super::LONGEST_LINE).unwrap_or(rest))
}

#[cfg(test)]
mod tests;
