//! Kinds of text that can be removed.

use serde::Deserialize;

/// A kind of text that can be removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Folders, and the names of inputs.
    Paths,
    /// Names of users.
    Users,
    /// Names and addresses of machines, and the names of inputs.
    Hosts,
    /// Values of arguments: of calls and of the command line.
    Arguments,
    /// Text in double quotes.
    Strings,
    /// Command lines.
    Commands,
    /// Addresses of the process.
    Addresses,
    /// Names of threads.
    Threads,
}

impl Kind {
    /// All kinds, in the order in which reports list them.
    pub const ALL: [Self; 8] = [
        Self::Paths,
        Self::Users,
        Self::Hosts,
        Self::Arguments,
        Self::Strings,
        Self::Commands,
        Self::Addresses,
        Self::Threads,
    ];

    /// The id on the command line, in the configuration and in reports.
    pub fn id(self) -> &'static str {
        match self {
            Self::Paths => "paths",
            Self::Users => "users",
            Self::Hosts => "hosts",
            Self::Arguments => "arguments",
            Self::Strings => "strings",
            Self::Commands => "commands",
            Self::Addresses => "addresses",
            Self::Threads => "threads",
        }
    }
}

/// Which kinds are removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Kinds(u8);

impl Kinds {
    /// Nothing is removed.
    pub const NONE: Self = Self(0);

    /// Everything is removed.
    pub fn all() -> Self {
        Kind::ALL.into_iter().collect()
    }

    /// Whether this kind is removed.
    pub fn has(self, kind: Kind) -> bool {
        self.0 & (1 << kind as u8) != 0
    }

    /// Whether nothing is removed.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The ids of the kinds.
    pub fn ids(self) -> Vec<&'static str> {
        Kind::ALL.into_iter().filter(|&kind| self.has(kind)).map(Kind::id).collect()
    }
}

impl FromIterator<Kind> for Kinds {
    fn from_iter<I: IntoIterator<Item = Kind>>(kinds: I) -> Self {
        Self(kinds.into_iter().fold(0, |all, kind| all | (1 << kind as u8)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_those_that_are_read() {
        for kind in Kind::ALL {
            let read: Kind = serde_json::from_value(kind.id().into()).expect("a kind");
            assert_eq!(read, kind);
        }
        assert_eq!(Kinds::all().ids().len(), Kind::ALL.len());
        let some: Kinds = [Kind::Threads, Kind::Paths].into_iter().collect();
        assert_eq!(some.ids(), ["paths", "threads"]);
        assert!(some.has(Kind::Paths) && !some.has(Kind::Users) && Kinds::NONE.is_empty());
    }
}
