//! What the exit code means: the contract's table.

/// How the program ends. Ordered: of two that apply, the greater wins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum ExitCode {
    /// All inputs were analyzed, whatever was found in them.
    Analyzed = 0,
    /// `check` only: a finding at or above the threshold, or a limit exceeded.
    CheckFailed = 1,
    /// The command line is wrong, or a file that tells the program what to do.
    Usage = 2,
    /// An input could not be analyzed: unreadable, unknown, or nothing in it was understood. The
    /// report for the others was written.
    NotAnalyzed = 3,
    /// The report could not be written whole, or an internal error.
    Failed = 4,
}

impl From<ExitCode> for std::process::ExitCode {
    fn from(code: ExitCode) -> Self {
        Self::from(code as u8)
    }
}
