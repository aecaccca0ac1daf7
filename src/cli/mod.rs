//! The command line: arguments, exit codes, progress.
//!
//! `args` is what the user may say, `job` what is done, `exit` what the code means; `connect` is
//! where the other stages are named. Everything that is said on standard error goes through
//! `terminal::complain`, one escaped line each.

mod args;
mod baseline;
mod check;
mod config;
mod connect;
mod exit;
mod explain;
mod fingerprints;
mod github;
mod job;
mod lists;
mod output;
mod outputs;
mod panics;
mod progress;
mod settings;
mod size;
mod stacks;
mod terminal;

use std::ffi::OsString;

use clap::Parser;

use args::{Args, Command};
use lists::List;
use terminal::complain;

pub use exit::ExitCode;

/// Runs the program.
pub fn run() -> std::process::ExitCode {
    panics::install_hook();
    panics::catch(|| run_with(std::env::args_os().collect())).into()
}

fn run_with(words: Vec<OsString>) -> ExitCode {
    let args = match Args::try_parse_from(&words) {
        Ok(args) => args,
        Err(e) => return explain_usage(&e, &words),
    };
    match args.command {
        Some(Command::Explain { rule }) => explain::run(rule.as_deref()),
        Some(Command::Stacks { input, files, limits }) => job::stacks(input, &files, &limits),
        Some(Command::Rules { list }) => lists::run(List::Rules, list.format),
        Some(Command::Formats { list }) => lists::run(List::Formats, list.format),
        Some(Command::Locks { list }) => lists::run(List::Locks, list.format),
        Some(Command::Reporters { list }) => lists::run(List::Reporters, list.format),
        Some(Command::Completions { shell }) => lists::completions(shell),
        Some(Command::Man { subcommand }) => lists::man(subcommand.as_deref()),
        Some(Command::Config { show: _, config }) => config::show(&config),
        Some(Command::Check(args)) => check::run(&args),
        None => job::report(&args.report),
    }
}

/// Shows the help, the version, or what is wrong with the command line.
fn explain_usage(error: &clap::Error, words: &[OsString]) -> ExitCode {
    let is_safe = |word: &OsString| {
        let word = word.to_string_lossy();
        matches!(crate::model::escape_terminal(&word), std::borrow::Cow::Borrowed(_))
    };
    if words.iter().all(is_safe) {
        // Where nobody reads it, there is nothing to be done.
        let _ = error.print();
    } else {
        // It repeats a word, perhaps a file name out of `*`, that would steer the terminal.
        for line in error.render().to_string().lines().filter(|l| !l.is_empty()) {
            complain(line);
        }
    }
    if error.use_stderr() { ExitCode::Usage } else { ExitCode::Analyzed }
}
