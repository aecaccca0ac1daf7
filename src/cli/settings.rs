//! What is in force: the options of the command line, then `logjam.toml`, then what is built in.

use std::path::{Path, PathBuf};
use std::{env, fs, io};

use crate::check::{Date, Ignore, Policy};
use crate::config::{Config, FILE_NAME, by_id};
use crate::diagnosis::{Matcher, Runbook};
use crate::formats;
use crate::normalize::UserRole;
use crate::pipeline::Options;
use crate::redact::Kinds;
use crate::rules::Pool;

use super::args::{CheckArgs, ConfigArgs, FormArgs, JobArgs, options};

/// No configuration of people is larger.
const MAX_BYTES: u64 = 1 << 20;

/// The configuration, and where it was found.
pub(super) struct Settings {
    /// The file, where there is one.
    pub path: Option<PathBuf>,
    /// What it says.
    pub config: Config,
}

impl Settings {
    /// Reads the file that the command line names, else the nearest one from the working folder upwards. One line
    /// says what is wrong.
    pub(super) fn load(args: &ConfigArgs) -> Result<Self, String> {
        let path = match &args.config {
            Some(path) => Some(path.clone()),
            None if args.no_config => None,
            None => env::current_dir().ok().and_then(|folder| nearest_file(&folder)),
        };
        let config = path.as_deref().map(read).transpose()?.unwrap_or_default();
        Ok(Self { path, config })
    }

    /// What the pipeline is told.
    pub(super) fn options(&self, job: &JobArgs) -> Options {
        let mut options = options(&job.files, &job.limits);
        let args = &job.config;
        options.format = job.input_format.as_deref().and_then(formats::find);
        options.limits.max_threads = self.max_threads(job);
        options.limits.pools = args.pool.iter().chain(&self.config.pools).cloned().collect();
        options.roles = args.role.iter().chain(&self.config.roles).cloned().collect();
        options.runbooks = args.runbook.iter().chain(&self.config.runbooks).cloned().collect();
        options
    }

    /// Kinds of text that are removed from reports.
    pub(super) fn redact(&self, form: &FormArgs) -> Kinds {
        form.redact.or(self.config.redact).unwrap_or(Kinds::NONE)
    }

    fn max_threads(&self, job: &JobArgs) -> Option<u64> {
        job.limits.max_threads.or(self.config.max_threads)
    }

    /// The file of known findings.
    pub(super) fn baseline(&self, args: &CheckArgs) -> Option<PathBuf> {
        let beside_config = |path: &PathBuf| match self.path.as_deref().and_then(Path::parent) {
            Some(folder) => folder.join(path),
            None => path.clone(),
        };
        args.baseline.clone().or_else(|| self.config.baseline.as_ref().map(beside_config))
    }

    /// Whether a folder without dumps fails.
    pub(super) fn requires_dumps(&self, args: &CheckArgs) -> bool {
        args.require_dumps || self.config.require_dumps.unwrap_or(false)
    }

    /// What fails a check; without its baseline.
    pub(super) fn policy(&self, args: &CheckArgs, today: Date) -> Policy {
        let of_option = |fingerprint: &String| Ignore {
            matcher: Matcher { fingerprint: Some(fingerprint.clone()), ..Matcher::default() },
            reason: None,
            expires: None,
        };
        Policy {
            fail_on: args.fail_on.or(self.config.fail_on).unwrap_or(Policy::FAIL_ON),
            max_threads: self.max_threads(&args.job),
            max_blocked: args.max_blocked.or(self.config.max_blocked),
            baseline: None,
            ignore: args.ignore.iter().map(of_option).chain(self.config.ignore.iter().cloned()).collect(),
            today,
        }
    }
}

fn nearest_file(folder: &Path) -> Option<PathBuf> {
    folder.ancestors().map(|folder| folder.join(FILE_NAME)).find(|path| path.is_file())
}

fn read(path: &Path) -> Result<Config, String> {
    let place = path.display();
    let text = match fs::metadata(path) {
        Ok(m) if !m.is_file() => Err(io::Error::other("it is no file")),
        Ok(m) if m.len() > MAX_BYTES => Err(io::Error::other("it is too large")),
        Ok(_) => fs::read_to_string(path),
        Err(e) => Err(e),
    };
    let text = text.map_err(|e| format!("cannot read the configuration {place}: {e}"))?;
    Config::parse(&text).map_err(|e| format!("{place}: {e}"))
}

/// `RULE=LINK` of the command line.
pub(super) fn runbook(text: &str) -> Result<Runbook, String> {
    let (rule, link) = text.split_once('=').ok_or("it is given as RULE=LINK")?;
    let matcher = Matcher { rule: Some(by_id(rule)?), ..Matcher::default() };
    Runbook::new(matcher, link).map_err(|e| e.to_string())
}

/// `ROLE=FUNCTION` of the command line.
pub(super) fn role(text: &str) -> Result<UserRole, String> {
    let (role, function) = text.split_once('=').ok_or("it is given as ROLE=FUNCTION")?;
    UserRole::new(function, by_id(role)?).map_err(|e| e.to_string())
}

/// `THREADS=SIZE` of the command line.
pub(super) fn pool(text: &str) -> Result<Pool, String> {
    let (threads, size) = text.rsplit_once('=').ok_or("it is given as THREADS=SIZE, such as http-*=64")?;
    let size = size.parse().map_err(|_| format!("'{size}' is no number of threads"))?;
    Ok(Pool { threads: Some(threads.into()), frame: None, size })
}
