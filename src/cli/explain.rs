//! `logjam explain`: the guides of the rules.

use crate::report::{self, View};

use super::args::Color;
use super::connect::guides;
use super::exit::ExitCode;
use super::output;
use super::terminal::{has_color, width};

/// Prints the guide of a rule, or the list of all rules.
pub(super) fn run(rule: Option<&str>) -> ExitCode {
    let view = View { width: width(None, true), color: has_color(Color::Auto, true), ..View::default() };
    output::write(None, |out| match rule {
        Some(rule) => {
            for (_, guide) in guides().filter(|(id, _)| *id == rule) {
                report::explain::render(guide, &view, out)?;
            }
            Ok(())
        }
        None => {
            let width = guides().map(|(id, _)| id.len()).max().unwrap_or(0);
            for (id, guide) in guides() {
                let first = guide.lines().find(|l| !l.is_empty() && !l.starts_with('#'));
                writeln!(out, "{id:width$}  {}", first.unwrap_or_default())?;
            }
            Ok(())
        }
    })
}
