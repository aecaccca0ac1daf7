//! `logjam explain`: the guides of the rules.

use super::connect::guides;
use super::exit::ExitCode;
use super::output;

/// Prints the guide of a rule, or the list of all rules.
pub(super) fn run(rule: Option<&str>) -> ExitCode {
    output::write(None, |out| match rule {
        Some(rule) => {
            for (_, guide) in guides().filter(|(id, _)| *id == rule) {
                writeln!(out, "{}", guide.trim_end())?;
            }
            Ok(())
        }
        None => {
            let width = guides().map(|(id, _)| id.len()).max().unwrap_or(0);
            for (id, guide) in guides() {
                let first = guide.lines().map(|l| l.trim_start_matches('#').trim()).find(|l| !l.is_empty());
                writeln!(out, "{id:width$}  {}", first.unwrap_or_default())?;
            }
            Ok(())
        }
    })
}
