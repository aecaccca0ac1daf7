//! Numbered placeholders: the same text has the same number, in the order in which texts appear.

use rustc_hash::FxHashMap;

use crate::model::Str;
use crate::normalize::thread_name_pattern;

/// The placeholders of one kind of text: `<path-1>`, `<path-2>`.
#[derive(Debug)]
pub(super) struct Tokens {
    noun: &'static str,
    numbers: FxHashMap<Box<str>, usize>,
}

impl Tokens {
    pub fn new(noun: &'static str) -> Self {
        Self { noun, numbers: FxHashMap::default() }
    }

    /// The placeholder of a text.
    pub fn of(&mut self, text: &str) -> String {
        let next = self.numbers.len() + 1;
        let number = match self.numbers.get(text) {
            Some(&known) => known,
            None => *self.numbers.entry(text.into()).or_insert(next),
        };
        format!("<{}-{number}>", self.noun)
    }
}

/// The placeholders of thread names. Names that differ in their numbers only are of one kind of thread, and stay
/// so: `http-exec-7` and `http-exec-9` are `<thread-1>-1` and `<thread-1>-2`, all of them `<thread-1>-*`.
#[derive(Debug)]
pub(super) struct ThreadTokens {
    kinds: Tokens,
    /// For each pattern the names in the order in which they appear.
    names: FxHashMap<Str, FxHashMap<Str, usize>>,
}

impl Default for ThreadTokens {
    fn default() -> Self {
        Self { kinds: Tokens::new("thread"), names: FxHashMap::default() }
    }
}

impl ThreadTokens {
    /// The placeholder of a name.
    pub fn name(&mut self, name: &str) -> String {
        let pattern = thread_name_pattern(name);
        let kind = self.kinds.of(&pattern);
        if pattern == name {
            return kind;
        }
        let names = self.names.entry(pattern.into()).or_default();
        let next = names.len() + 1;
        let number = *names.entry(name.into()).or_insert(next);
        format!("{kind}-{number}")
    }

    /// The placeholder of all names of a pattern.
    pub fn pattern(&mut self, pattern: &str) -> String {
        let kind = self.kinds.of(pattern);
        if pattern.contains('*') { format!("{kind}-*") } else { kind }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_text_has_the_same_number() {
        let mut paths = Tokens::new("path");
        assert_eq!(paths.of("/a"), "<path-1>");
        assert_eq!(paths.of("/b"), "<path-2>");
        assert_eq!(paths.of("/a"), "<path-1>");
    }

    #[test]
    fn a_pool_stays_a_pool() {
        let mut threads = ThreadTokens::default();
        assert_eq!(threads.name("http-7"), "<thread-1>-1");
        assert_eq!(threads.name("main"), "<thread-2>");
        assert_eq!(threads.name("http-12"), "<thread-1>-2");
        assert_eq!(threads.name("http-7"), "<thread-1>-1");
        assert_eq!(threads.pattern("http-*"), "<thread-1>-*");
        assert_eq!(threads.pattern("main"), "<thread-2>");
    }
}
