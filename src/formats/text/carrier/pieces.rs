//! Lines that were cut because they are long: the pieces of each stream, until the last one is there.

use super::Carried;

/// Streams have few names: `stdout`, `stderr`.
const MOST_STREAMS: usize = 64;

/// Pieces that wait for the next one.
#[derive(Debug, Default)]
pub(super) struct Pieces {
    /// Of each stream, with the places where they began.
    open: Vec<(Vec<u8>, Carried)>,
}

impl Pieces {
    /// Adds a piece that began at `at` to its line, and the line to the text if it is the last one.
    pub fn add(&mut self, out: &mut Carried, stream: &[u8], piece: &[u8], at: usize, is_last: bool) {
        let open = self.open.iter().position(|(name, _)| name == stream);
        match (open, is_last) {
            (None, false) if self.open.len() < MOST_STREAMS => {
                let mut line = Carried::default();
                line.add(piece, at);
                self.open.push((stream.to_vec(), line));
            }
            (None, _) => out.add_line(piece, at),
            (Some(n), false) => {
                if let Some((_, line)) = self.open.get_mut(n) {
                    line.add(piece, at);
                }
            }
            (Some(n), true) => {
                let (_, mut line) = self.open.swap_remove(n);
                line.add(piece, at);
                close(out, &line);
            }
        }
    }

    /// Ends the lines whose last pieces never came, in the order in which they began.
    pub fn end(mut self, out: &mut Carried) {
        self.open.sort_by_key(|(_, line)| line.places.first().copied());
        self.open.iter().for_each(|(_, line)| close(out, line));
    }
}

fn close(out: &mut Carried, line: &Carried) {
    let begin = out.text.len();
    out.places.extend(line.places.iter().map(|(start, at)| (begin + start, *at)));
    out.text.extend_from_slice(&line.text);
    if !line.text.ends_with(b"\n") {
        out.text.push(b'\n');
    }
}
