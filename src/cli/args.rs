//! The command line.

use std::path::PathBuf;

use clap::builder::{PathBufValueParser, PossibleValuesParser, TypedValueParser};
use clap::{Args as Group, Parser, Subcommand, ValueEnum};

use crate::input::InputOptions;
use crate::modules::SearchPaths;
use crate::normalize::UserRole;
use crate::pipeline::Options;
use crate::redact::Kinds;
use crate::rules::{Pool, Severity};

use super::lists::ListFormat;
use super::outputs::Output;
use super::{connect, settings, size};
use crate::check::Date;
use crate::config::{by_id, redact_kinds};
use crate::diagnosis::Runbook;

const EXAMPLES: &str = "\
Examples:
  logjam core.4332                        an ELF core
  logjam core.zst --exe ./logserver       a packed one, with the program that ran
  gdb -p 4332 -batch -ex 'thread apply all bt' | logjam -
  logjam dumps/ --format json -o jam.json a folder of dumps, for scripts
  logjam check dumps/ -o junit=jam.xml    fail a CI job, with a report for it
  logjam explain lock-contention          what a finding means and what to do

An input named like a subcommand is given as ./explain.

Exit codes:
  0  analyzed, whatever was found     3  an input could not be analyzed
  1  check: something fails it        4  a report could not be written, or an internal error
  2  the command line is wrong";

/// Says what the threads of a stuck process are stuck on, who holds it, and what to do next
#[derive(Debug, Parser)]
#[command(
    name = "logjam",
    version,
    after_help = EXAMPLES,
    arg_required_else_help = true,
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    disable_help_subcommand = true
)]
pub(super) struct Args {
    #[command(subcommand)]
    pub(super) command: Option<Command>,

    #[command(flatten)]
    pub(super) report: ReportArgs,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Explain a finding: what it means, how to confirm it, what to do
    Explain {
        /// The rule; without it all are listed
        #[arg(value_parser = PossibleValuesParser::new(connect::rule_ids()), hide_possible_values = true)]
        rule: Option<String>,
    },
    /// Check the dumps of a test run: exit code 1 where one of them shows what must not be
    Check(Box<CheckArgs>),
    /// List the rules: what is looked for
    Rules {
        #[command(flatten)]
        list: ListArgs,
    },
    /// List the kinds of dumps that are read
    Formats {
        #[command(flatten)]
        list: ListArgs,
    },
    /// List the kinds of locks that are known
    Locks {
        #[command(flatten)]
        list: ListArgs,
    },
    /// List the kinds of reports
    Reporters {
        #[command(flatten)]
        list: ListArgs,
    },
    /// Print what a shell completes command lines with
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Print the manual page of the program, or of a subcommand
    Man {
        /// The subcommand
        #[arg(value_parser = PossibleValuesParser::new(["check", "explain", "config"]))]
        subcommand: Option<String>,
    },
    /// Show which settings are in force, and from where
    Config {
        /// Show them
        #[arg(long, required = true)]
        show: bool,
        #[command(flatten)]
        config: ConfigArgs,
    },
    /// Print the stack of each thread as one line of JSON
    #[command(hide = true)]
    Stacks {
        /// The dump
        #[arg(value_name = "CORE")]
        input: PathBuf,
        #[command(flatten)]
        files: FileArgs,
        #[command(flatten)]
        limits: LimitArgs,
    },
}

/// The main job.
#[derive(Debug, Group)]
pub(super) struct ReportArgs {
    /// Show this thread: its stack, what it waits for, what it holds
    #[arg(long, value_name = "ID", help_heading = "Report", conflicts_with = "format")]
    pub(super) thread: Option<String>,

    /// Show the words that the fingerprint of each finding is made of
    #[arg(long, help_heading = "Report", conflicts_with_all = ["format", "thread"])]
    pub(super) explain_fingerprint: bool,

    #[command(flatten)]
    pub(super) job: JobArgs,
}

/// What every analysis is told.
#[derive(Debug, Group)]
pub(super) struct JobArgs {
    /// Dumps of any kind that `logjam formats` lists, packed or not; folders of them; - for standard input
    #[arg(value_name = "INPUT", required = true)]
    pub(super) inputs: Vec<PathBuf>,

    /// Read every input as this kind of dump, whatever it looks like: see `logjam formats`
    #[arg(long, value_name = "ID", help_heading = "Report",
        value_parser = PossibleValuesParser::new(connect::format_ids()))]
    pub(super) input_format: Option<String>,

    #[command(flatten)]
    pub(super) form: FormArgs,

    #[command(flatten)]
    pub(super) config: ConfigArgs,

    #[command(flatten)]
    pub(super) files: FileArgs,

    #[command(flatten)]
    pub(super) limits: LimitArgs,
}

/// How a list is written.
#[derive(Debug, Group)]
pub(super) struct ListArgs {
    /// How the list is written
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(super) format: ListFormat,
}

/// The check of a CI job.
#[derive(Debug, Group)]
pub(super) struct CheckArgs {
    /// A new finding of this severity or a worse one fails: critical, high, medium, low or info [default: high]
    #[arg(long, value_name = "SEVERITY", help_heading = "Check",
        value_parser = by_id::<Severity>)]
    pub(super) fail_on: Option<Severity>,

    /// A process of which more threads than this wait for locks fails
    #[arg(long, value_name = "N", help_heading = "Check")]
    pub(super) max_blocked: Option<u64>,

    /// Findings that are known and do not fail; one that no dump shows any more is told
    #[arg(long, value_name = "FILE", help_heading = "Check")]
    pub(super) baseline: Option<PathBuf>,

    /// Write what is found now to the baseline, and pass
    #[arg(long, help_heading = "Check")]
    pub(super) update_baseline: bool,

    /// A finding that does not fail, by its fingerprint; may be given several times
    #[arg(long, value_name = "FINGERPRINT", help_heading = "Check", value_parser = crate::check::fingerprint)]
    pub(super) ignore: Vec<String>,

    /// Fail where a folder has no dump
    #[arg(long, help_heading = "Check")]
    pub(super) require_dumps: bool,

    /// The day on which entries to ignore are held to their expiry
    #[arg(long, value_name = "YYYY-MM-DD", hide = true)]
    pub(super) today: Option<Date>,

    #[command(flatten)]
    pub(super) job: JobArgs,
}

/// What a project wants of its dumps.
#[derive(Debug, Group)]
pub(super) struct ConfigArgs {
    /// Settings; default: the nearest logjam.toml from this folder upwards
    #[arg(long, value_name = "FILE", help_heading = "Settings", conflicts_with = "no_config",
        value_parser = PathBufValueParser::new().try_map(existing_file))]
    pub(super) config: Option<PathBuf>,

    /// Read no logjam.toml
    #[arg(long, help_heading = "Settings")]
    pub(super) no_config: bool,

    /// The guide that findings of this rule name; may be given several times
    #[arg(long, value_name = "RULE=LINK", help_heading = "Settings", value_parser = settings::runbook)]
    pub(super) runbook: Vec<Runbook>,

    /// What functions are for: lock=acme::Gate::enter; lock, wait, spin, idle, io, sleep, logging, runtime,
    /// test or base; may be given several times
    #[arg(long, value_name = "ROLE=FUNCTION", help_heading = "Settings", value_parser = settings::role)]
    pub(super) role: Vec<UserRole>,

    /// The size of the pool whose threads have names like this, such as http-*=64; may be given several times
    #[arg(long, value_name = "THREADS=SIZE", help_heading = "Settings", value_parser = settings::pool)]
    pub(super) pool: Vec<Pool>,
}

/// How the report looks, and where it goes.
#[derive(Debug, Group)]
pub(super) struct FormArgs {
    /// How the report is written
    #[arg(long, value_name = "FORMAT", help_heading = "Report", default_value = connect::default_reporter(),
        value_parser = PossibleValuesParser::new(connect::reporter_ids()))]
    pub(super) format: String,

    /// Show every cluster, not only the largest
    #[arg(long, help_heading = "Report")]
    pub(super) all: bool,

    /// The most characters of markdown and of a ticket's body: a number, or github-comment, jira, ci-annotation
    #[arg(long, value_name = "N", help_heading = "Report", value_parser = connect::max_chars)]
    pub(super) max_chars: Option<usize>,

    /// With ndjson: a line for each thread too
    #[arg(long, help_heading = "Report")]
    pub(super) threads: bool,

    /// Write the report to a file, or one more in another format: -o junit=report.xml; may be given
    /// several times
    #[arg(short, long, value_name = "[FORMAT=]FILE", help_heading = "Report")]
    pub(super) output: Vec<Output>,

    /// Remove what must not leave the house: all, or a list of paths, users, hosts, arguments, strings, commands,
    /// addresses, threads (docs/redaction.md)
    #[arg(long, value_name = "LIST", help_heading = "Report", num_args = 0..=1, require_equals = true,
        default_missing_value = "all", value_parser = redact_kinds)]
    pub(super) redact: Option<Kinds>,

    /// Colour the report; auto: on a terminal, unless NO_COLOR is set
    #[arg(long, value_name = "WHEN", help_heading = "Report", default_value = "auto")]
    pub(super) color: Color,

    /// Show no progress
    #[arg(short, long, help_heading = "Report")]
    pub(super) quiet: bool,

    /// Say on standard error when each step of the work begins, and what each report cost
    #[arg(short, long, help_heading = "Report", conflicts_with = "quiet")]
    pub(super) verbose: bool,

    /// Columns of the report, whatever the terminal has
    #[arg(long, value_name = "N", hide = true, value_parser = clap::value_parser!(u16).range(20..))]
    pub(super) width: Option<u16>,
}

/// Where module files are looked for.
#[derive(Debug, Group)]
pub(super) struct FileArgs {
    /// Look below this folder only for the files that a core names
    #[arg(long, value_name = "DIR", help_heading = "Program files", value_parser = PathBufValueParser::new().try_map(existing_folder))]
    sysroot: Option<PathBuf>,

    /// The program that ran
    #[arg(long, value_name = "FILE", help_heading = "Program files", value_parser = PathBufValueParser::new().try_map(existing_file))]
    exe: Option<PathBuf>,

    /// A folder with debug files or libraries, by build id or name; may be given several times
    #[arg(long = "debug-dir", value_name = "DIR", help_heading = "Program files", value_parser = PathBufValueParser::new().try_map(existing_folder))]
    debug_dirs: Vec<PathBuf>,
}

/// Limits.
#[derive(Debug, Group)]
pub(super) struct LimitArgs {
    /// Work with this many threads; default: as many as there are processors
    #[arg(short, long, value_name = "N", help_heading = "Limits", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(super) jobs: Option<u16>,

    /// The most bytes that one packed or piped input may have, such as 100G; default: 64G, or half
    /// of the free space for temporary files
    #[arg(long, value_name = "SIZE", help_heading = "Limits", value_parser = size::parse)]
    max_unpacked: Option<u64>,

    /// Report a process that has more threads than this
    #[arg(long, value_name = "N", help_heading = "Limits")]
    pub(super) max_threads: Option<u64>,
}

/// When the report has colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Color {
    Auto,
    Always,
    Never,
}

/// What the pipeline is told.
pub(super) fn options(files: &FileArgs, limits: &LimitArgs) -> Options {
    Options {
        input: InputOptions { max_unpacked: limits.max_unpacked },
        search: SearchPaths {
            sysroot: files.sysroot.clone(),
            executable: files.exe.clone(),
            debug_dirs: files.debug_dirs.clone(),
            ..SearchPaths::default()
        },
        ..Options::default()
    }
}

/// A folder that is there: a misspelled one would only show as missing names.
fn existing_folder(path: PathBuf) -> Result<PathBuf, &'static str> {
    if path.is_dir() { Ok(path) } else { Err("there is no such folder") }
}

fn existing_file(path: PathBuf) -> Result<PathBuf, &'static str> {
    if path.is_file() { Ok(path) } else { Err("there is no such file") }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    fn parsed(args: &[&str]) -> Args {
        Args::try_parse_from([&["logjam"], args].concat()).expect("a right command line")
    }

    fn rejected(args: &[&str]) -> clap::Error {
        Args::try_parse_from([&["logjam"], args].concat()).expect_err("a wrong command line")
    }

    #[test]
    fn the_definition_is_consistent() {
        Args::command().debug_assert();
    }

    #[test]
    fn help_fits_a_terminal() {
        let help = Args::command().term_width(100).render_help().to_string();
        assert!(help.lines().all(|l| l.chars().count() <= 100), "{help}");
        for heading in ["Report:", "Program files:", "Limits:", "Examples:", "Exit codes:"] {
            assert!(help.contains(heading), "{heading}");
        }
        assert!(!help.contains("stacks") && !help.contains("--width"), "for development only");
    }

    #[test]
    fn reads_the_main_job() {
        let args =
            parsed(&["a", "-", "dir/", "--format", "json", "--all", "-j", "2", "--max-unpacked", "10G"]);
        assert!(args.command.is_none());
        assert_eq!(args.report.job.inputs, [PathBuf::from("a"), "-".into(), "dir/".into()]);
        assert_eq!(args.report.job.form.format, "json");
        assert!(args.report.job.form.all);
        assert_eq!(args.report.job.limits.jobs, Some(2));
        let options = options(&args.report.job.files, &args.report.job.limits);
        assert_eq!(options.input.max_unpacked, Some(10 << 30));
    }

    #[test]
    fn an_input_may_be_named_like_a_subcommand() {
        for args in [&["./explain"][..], &["core", "explain"], &["help"]] {
            let args = parsed(args);
            assert!(args.command.is_none());
            assert!(!args.report.job.inputs.is_empty());
        }
        assert!(matches!(parsed(&["explain"]).command, Some(Command::Explain { rule: None })));
        assert!(matches!(parsed(&["stacks", "core"]).command, Some(Command::Stacks { .. })));
    }

    #[test]
    fn wrong_command_lines_are_usage_errors() {
        for args in [
            &[][..],
            &["--all"],
            &["core", "--format", "xml"],
            &["core", "-j", "0"],
            &["core", "--max-unpacked", "lots"],
            &["core", "--sysroot", "/no/such/folder"],
            &["core", "--exe", "/"],
            &["core", "--no-such-option"],
            &["explain", "no-such-rule"],
            &["core", "-o", "jsom=a.json"],
            &["core", "--max-chars", "12"],
            &["core", "--max-chars", "jria"],
            &["core", "-o", ""],
            &["core", "--redact=path"],
            &["core", "--redact="],
            &["check"],
            &["check", "dumps", "--fail-on", "bad"],
            &["core", "--runbook", "crash"],
            &["core", "--runbook", "crahs=x"],
            &["core", "--role", "lok=f"],
            &["core", "--role", "lock"],
            &["core", "--pool", "http"],
            &["core", "--pool", "http=many"],
            &["core", "--config", "/no/such/file"],
            &["config"],
            &["check", "dumps", "--ignore", "lj1:123"],
            &["check", "dumps", "--today", "tomorrow"],
            &["stacks"],
        ] {
            assert_eq!(rejected(args).exit_code(), 2, "{args:?}");
        }
        assert_eq!(rejected(&["--help"]).exit_code(), 0);
        assert_eq!(rejected(&["--version"]).exit_code(), 0);
    }
}
