//! Which of a format's anchors stand in a text.

/// A set of places in a format's list of anchors.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AnchorSet(u64);

impl AnchorSet {
    /// So many anchors a format may have.
    pub const MOST: usize = 64;

    /// Adds the anchor at this place of the list.
    pub fn add(&mut self, number: usize) {
        self.0 |= 1 << (number % Self::MOST);
    }

    /// The anchors of both.
    #[must_use]
    pub fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether the anchor at this place of the list is there.
    pub fn has(self, number: usize) -> bool {
        self.0 & 1 << (number % Self::MOST) != 0
    }
}
