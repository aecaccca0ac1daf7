//! What the terminal is, and messages to it.

use std::env;
use std::fmt::Display;
use std::io::{self, IsTerminal, Write};

use crate::model::escape_terminal;

use super::args::Color;

/// Columns where there is no terminal: the report is then the same on every machine.
const DEFAULT_WIDTH: usize = 80;

/// A message to the user: one line on standard error, whatever file names and dumps put into it.
pub(super) fn complain(message: impl Display) {
    // Whoever closed standard error does not want to hear it.
    let _ = writeln!(io::stderr(), "logjam: {}", escape_terminal(&message.to_string()));
}

/// A line on standard error for a user who asked to be told.
pub(super) fn tell(message: impl Display) {
    let _ = writeln!(io::stderr(), "{}", escape_terminal(&message.to_string()));
}

/// Columns of the report.
pub(super) fn width(wished: Option<u16>, is_to_stdout: bool) -> usize {
    let of_terminal = || {
        let (width, _) = terminal_size::terminal_size_of(io::stdout())?;
        Some(usize::from(width.0)).filter(|&w| w > 0)
    };
    match wished {
        Some(width) => width.into(),
        None if is_to_stdout && io::stdout().is_terminal() => of_terminal().unwrap_or(DEFAULT_WIDTH),
        None => DEFAULT_WIDTH,
    }
}

/// Whether the report has colours.
pub(super) fn has_color(choice: Color, is_to_stdout: bool) -> bool {
    let variable = |name: &str| env::var(name).ok().filter(|v| !v.is_empty());
    decide_color(choice, is_to_stdout && io::stdout().is_terminal(), variable)
}

/// <https://no-color.org> and <https://bixense.com/clicolors>: the option wins over the variables,
/// `NO_COLOR` over `CLICOLOR_FORCE`.
fn decide_color(choice: Color, is_terminal: bool, variable: impl Fn(&str) -> Option<String>) -> bool {
    match choice {
        Color::Always => true,
        Color::Never => false,
        Color::Auto if variable("NO_COLOR").is_some() => false,
        Color::Auto if variable("CLICOLOR_FORCE").is_some_and(|v| v != "0") => true,
        Color::Auto => is_terminal && variable("TERM").is_none_or(|t| t != "dumb"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn color_follows_the_option_then_the_variables_then_the_terminal() {
        let decide = |choice, is_terminal, set: &[(&str, &str)]| {
            let find = |name: &str| set.iter().find(|(n, _)| *n == name).map(|(_, v)| v.to_string());
            decide_color(choice, is_terminal, find)
        };
        assert!(decide(Color::Always, false, &[("NO_COLOR", "1")]));
        assert!(!decide(Color::Never, true, &[("CLICOLOR_FORCE", "1")]));
        assert!(decide(Color::Auto, true, &[]));
        assert!(!decide(Color::Auto, false, &[]));
        assert!(!decide(Color::Auto, true, &[("NO_COLOR", "1"), ("CLICOLOR_FORCE", "1")]));
        assert!(decide(Color::Auto, false, &[("CLICOLOR_FORCE", "1")]));
        assert!(!decide(Color::Auto, false, &[("CLICOLOR_FORCE", "0")]));
        assert!(!decide(Color::Auto, true, &[("TERM", "dumb")]));
    }

    #[test]
    fn a_wished_width_wins() {
        assert_eq!(width(Some(120), true), 120);
        assert_eq!(width(None, false), DEFAULT_WIDTH);
    }
}
