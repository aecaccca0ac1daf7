//! `NT_AUXV`: what the kernel told the program at its start, pairs of words, in no order.

use super::reader::Reader;

const AT_NULL: u64 = 0;

/// The pairs before the closing one.
pub(super) fn read(note: &Reader) -> Vec<(u64, u64)> {
    let word = note.encoding.word_size();
    (0..note.len() / (2 * word))
        .map_while(|i| Some((note.word(i * 2 * word)?, note.word((i * 2 + 1) * word)?)))
        .take_while(|(key, _)| *key != AT_NULL)
        .collect()
}
