//! How long a text may be where people post it.

/// A place with a limit on the length of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Preset {
    /// A comment or the body of an issue on GitHub.
    GithubComment,
    /// A description or comment in Jira.
    Jira,
    /// An annotation of a CI run.
    CiAnnotation,
}

impl Preset {
    /// All of them.
    pub const ALL: &[Self] = &[Self::GithubComment, Self::Jira, Self::CiAnnotation];

    /// Its id on the command line.
    pub const fn id(self) -> &'static str {
        match self {
            Self::GithubComment => "github-comment",
            Self::Jira => "jira",
            Self::CiAnnotation => "ci-annotation",
        }
    }

    /// The most characters that the place takes.
    pub const fn max_chars(self) -> usize {
        match self {
            // What its API answers to a longer one: `body is too long (maximum is 65536 characters)`.
            Self::GithubComment => 65_536,
            // The default of Jira's `jira.text.field.character.limit`.
            Self::Jira => 32_767,
            // `_maxIssueMessageLength` in `ExecutionContext.cs` of GitHub's runner, which cuts a longer one.
            Self::CiAnnotation => 4_096,
        }
    }

    /// The preset with this id.
    pub fn find(id: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|preset| preset.id() == id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn presets_are_found_by_their_ids() {
        assert_eq!(Preset::find("jira").map(Preset::max_chars), Some(32_767));
        assert_eq!(Preset::find("github-comment").map(Preset::max_chars), Some(65_536));
        assert_eq!(Preset::find("ci-annotation").map(Preset::max_chars), Some(4_096));
        assert_eq!(Preset::find("github"), None);
    }
}
