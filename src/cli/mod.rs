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
mod job;
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
