//! `logjam check`: the dumps of a test run, for a CI job.

use std::path::PathBuf;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use crate::check::{self, Baseline, Date, Judgement, Policy};
use crate::diagnosis::{Diagnosis, InputStatus};
use crate::input::Progress as _;
use crate::redact::redact;
use crate::report::Document;

use super::args::CheckArgs;
use super::exit::ExitCode;
use super::outputs::Outputs;
use super::progress::Shown;
use super::settings::Settings;
use super::terminal::complain;
use super::{baseline, github, job};

/// Analyzes, judges, reports.
pub(super) fn run(args: &CheckArgs) -> ExitCode {
    let (outputs, settings, policy) = match plan(args) {
        Ok(plan) => plan,
        Err(why) => {
            complain(why);
            return ExitCode::Usage;
        }
    };
    let started = Instant::now();
    let options = settings.options(&args.job);
    let shown = Shown::new(&args.job.form);
    let Some(mut diagnosis) = job::analyze(&args.job.inputs, options, &args.job.limits, &shown) else {
        return ExitCode::Failed;
    };
    shown.report("reporting", 0, 0);
    shown.finish();
    if !settings.requires_dumps(args) {
        pass_without_dumps(&mut diagnosis);
    }
    let mut code = job::complain_of_inputs(&diagnosis);
    let mut judgement = check::judge(&diagnosis, &policy);
    tell_expired(&judgement, &policy);
    // Before the baseline too: its titles are read by people, and it lies in a repository.
    redact(&mut diagnosis, Some(&mut judgement), settings.redact(&args.job.form));
    if args.update_baseline {
        code = code.max(update_baseline(settings.baseline(args), &diagnosis, &judgement));
    } else if !judgement.passes() {
        code = code.max(ExitCode::CheckFailed);
    }
    let elapsed_ms = u64::try_from(started.elapsed().as_millis()).ok();
    let document = Document::judged(&diagnosis, Some(&judgement));
    code = code.max(outputs.write(&document, elapsed_ms, &shown));
    github::annotate(&document);
    // The program ends: see `job::end`.
    std::mem::forget(document);
    std::mem::forget(diagnosis);
    code
}

/// All that can be wrong before the work begins.
fn plan(args: &CheckArgs) -> Result<(Outputs<'_>, Settings, Policy), String> {
    let mut outputs = Outputs::plan(&args.job.form, &args.job.inputs)?;
    let settings = Settings::load(&args.job.config)?;
    let mut policy = settings.policy(args, args.today.unwrap_or_else(today));
    outputs.fail_on = policy.fail_on;
    policy.baseline = match settings.baseline(args) {
        Some(path) if args.update_baseline => baseline::read_if_there(&path)?,
        Some(path) => Some(baseline::read(&path)?),
        None if args.update_baseline => return Err("--update-baseline needs --baseline FILE".into()),
        None => None,
    };
    Ok((outputs, settings, policy))
}

/// The day in UTC.
fn today() -> Date {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs());
    Date::after_epoch(seconds / 86_400)
}

/// A run without a hang leaves no dump: that is what everybody hopes for.
fn pass_without_dumps(diagnosis: &mut Diagnosis) {
    for (path, status) in &mut diagnosis.inputs {
        if matches!(status, InputStatus::NoDumps(_)) {
            complain(format_args!(
                "{path}: there is no dump in it, which passes; with --require-dumps it fails"
            ));
            *status = InputStatus::Ok;
        }
    }
}

fn tell_expired(judgement: &Judgement, policy: &Policy) {
    for expired in &judgement.expired {
        let reason =
            policy.ignore.get(expired.entry).and_then(|i| i.reason.as_deref()).unwrap_or("no reason given");
        complain(format_args!(
            "an entry to ignore findings ended on {} and is not looked at: {reason}",
            expired.on
        ));
    }
}

/// Passes, whatever was found. Where an input could not be read, what it would have shown is not known, and the
/// baseline stays as it was.
fn update_baseline(path: Option<PathBuf>, diagnosis: &Diagnosis, judgement: &Judgement) -> ExitCode {
    let Some(path) = path else { return ExitCode::Analyzed };
    if diagnosis.inputs.iter().any(|(_, status)| status.error().is_some()) {
        complain("an input could not be analyzed: the baseline was left as it was");
        return ExitCode::NotAnalyzed;
    }
    match baseline::write(&path, &Baseline::of(diagnosis, judgement)) {
        Ok(()) => ExitCode::Analyzed,
        Err(why) => {
            complain(why);
            ExitCode::Failed
        }
    }
}
