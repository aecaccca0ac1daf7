//! A key that survives another run, machine, address, id and thread count.

/// Hashes words to `lj1:` and 16 hex digits: FNV-1a with 64 bits, each word ended by a zero byte,
/// so that two words never read as one. The prefix is the version of what goes in.
/// Keys are in the order of their texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fingerprint(u64);

impl Default for Fingerprint {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Fingerprint {
    /// Adds a word.
    #[must_use]
    pub fn with(mut self, word: &str) -> Self {
        for byte in word.bytes().chain([0]) {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
        self
    }

    /// Adds several words.
    #[must_use]
    pub fn with_all<'a>(self, words: impl IntoIterator<Item = &'a str>) -> Self {
        words.into_iter().fold(self, Self::with)
    }

    /// The key.
    pub fn key(self) -> String {
        format!("lj1:{:016x}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_do_not_run_together() {
        let one = Fingerprint::default().with("ab").with("c").key();
        let other = Fingerprint::default().with("a").with("bc").key();
        assert_ne!(one, other);
        assert_eq!(one.len(), 20);
    }
}
