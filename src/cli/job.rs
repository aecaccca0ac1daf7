//! The main job: analyze the inputs, say which could not be, write the report.

use std::path::{Path, PathBuf};
use std::time::Instant;

use crate::diagnosis::Diagnosis;
use crate::input::{NoProgress, Progress};
use crate::pipeline::{self, Options};
use crate::redact::redact;
use crate::report::text::{ThreadError, write_thread};
use crate::report::{Document, View};

use super::args::{FileArgs, LimitArgs, ReportArgs, options};
use super::exit::ExitCode;
use super::outputs::Outputs;
use super::progress::Shown;
use super::settings::Settings;
use super::terminal::complain;
use super::{fingerprints, output, stacks};

/// The stack of a worker: deep recursion is bounded by counting, this leaves room for the count.
const WORKER_STACK: usize = 16 << 20;

/// Analyzes and reports.
pub(super) fn report(args: &ReportArgs) -> ExitCode {
    let (outputs, settings) =
        match (Outputs::plan(&args.job.form, &args.job.inputs), Settings::load(&args.job.config)) {
            (Ok(outputs), Ok(settings)) => (outputs, settings),
            (Err(why), _) | (_, Err(why)) => {
                complain(why);
                return ExitCode::Usage;
            }
        };
    let started = Instant::now();
    let options = settings.options(&args.job);
    let shown = Shown::new(&args.job.form);
    let Some(mut diagnosis) = analyze(&args.job.inputs, options, &args.job.limits, &shown) else {
        return ExitCode::Failed;
    };
    shown.report("reporting", 0, 0);
    shown.finish();
    let elapsed_ms = u64::try_from(started.elapsed().as_millis()).ok();
    let code = complain_of_inputs(&diagnosis);
    if code == ExitCode::NotAnalyzed && !outputs.has_report_for_programs() && diagnosis.snapshots.is_empty() {
        return code;
    }
    let mut redaction = redact(&mut diagnosis, None, settings.redact(&args.job.form));
    let path = outputs.planned.first().and_then(|p| p.path);
    if args.explain_fingerprint {
        return code
            .max(end(diagnosis, |diagnosis| output::write(path, |out| fingerprints::write(diagnosis, out))));
    }
    if let Some(id) = &args.thread {
        let view = outputs.view(path, elapsed_ms);
        // A name of the dump is another one by now; that of the report is right as it is.
        let is_number = id.bytes().all(|b| b.is_ascii_digit());
        let redacted = (!diagnosis.redacted.is_empty() && !is_number).then(|| redaction.thread(id));
        let ids: Vec<&str> = redacted.iter().map(String::as_str).chain([&**id]).collect();
        return code.max(end(diagnosis, |diagnosis| one_thread(diagnosis, &ids, &view, path)));
    }
    code.max(end(diagnosis, |diagnosis| {
        let document = Document::of(diagnosis);
        let code = outputs.write(&document, elapsed_ms, &shown);
        std::mem::forget(document);
        code
    }))
}

/// Shows one thread, by the first of these names that there is. One that is not there is a wrong command line.
fn one_thread(diagnosis: &Diagnosis, ids: &[&str], view: &View, output: Option<&Path>) -> ExitCode {
    let mut is_unknown = false;
    let code = output::write(output, |out| match write_thread(diagnosis, ids, view, out) {
        Ok(()) => Ok(()),
        Err(ThreadError::Io(e)) => Err(e),
        Err(unknown) => {
            complain(unknown);
            is_unknown = true;
            Ok(())
        }
    });
    if is_unknown { ExitCode::Usage } else { code }
}

/// Prints stacks, for development.
pub(super) fn stacks(input: PathBuf, files: &FileArgs, limits: &LimitArgs) -> ExitCode {
    let Some(diagnosis) = analyze(&[input], options(files, limits), limits, &NoProgress) else {
        return ExitCode::Failed;
    };
    let code = complain_of_inputs(&diagnosis);
    code.max(end(diagnosis, |diagnosis| output::write(None, |out| stacks::write(diagnosis, out))))
}

/// Runs the pipeline in a pool with deep stacks and the wished number of workers, which is there for the report as well. A
/// process does this once.
pub(super) fn analyze(
    inputs: &[PathBuf],
    options: Options,
    limits: &LimitArgs,
    progress: &dyn Progress,
) -> Option<Diagnosis> {
    let started = rayon::ThreadPoolBuilder::new()
        .num_threads(limits.jobs.map_or(0, usize::from))
        .stack_size(WORKER_STACK)
        .build_global();
    match started {
        Ok(()) => Some(rayon::scope(|_| pipeline::analyze(inputs, &options, progress))),
        Err(e) => {
            complain(format_args!("cannot start the workers: {e}; try a smaller number with --jobs"));
            None
        }
    }
}

/// One line for each input that could not be analyzed.
pub(super) fn complain_of_inputs(diagnosis: &Diagnosis) -> ExitCode {
    let mut code = ExitCode::Analyzed;
    for (_, status) in &diagnosis.inputs {
        if let Some(why) = status.error() {
            complain(why);
            code = ExitCode::NotAnalyzed;
        }
    }
    code
}

/// Does the last work with a diagnosis and leaves it in memory: the program ends, and freeing
/// millions of small things would only take time.
fn end<T>(diagnosis: Diagnosis, work: impl FnOnce(&Diagnosis) -> T) -> T {
    let result = work(&diagnosis);
    std::mem::forget(diagnosis);
    result
}
