//! Which reports go where: `-o report.json`, `-o junit=report.xml`, and standard output.

use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Instant;

use crate::check::Policy;
use crate::report::{Document, Reporter, View};
use crate::rules::Severity;

use super::args::FormArgs;
use super::connect::reporter;
use super::exit::ExitCode;
use super::output;
use super::progress::Shown;
use super::terminal::{has_color, width};

/// What one `-o` says.
#[derive(Clone)]
pub(super) struct Output {
    /// That of `--format` where it names none.
    reporter: Option<&'static Reporter>,
    /// `None`: standard output.
    path: Option<PathBuf>,
}

impl std::fmt::Debug for Output {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?}={:?}", self.reporter.map(|r| r.id), self.path)
    }
}

impl FromStr for Output {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        // What could be an id before the first `=` is one: `./a=b` is a file.
        let could_be_id =
            |id: &str| !id.is_empty() && id.bytes().all(|b| b.is_ascii_lowercase() || b == b'-');
        let (reporter, path) = match text.split_once('=') {
            Some((id, path)) if could_be_id(id) => {
                let found =
                    reporter(id).map_err(|e| format!("{e}; a file of this name is given as ./{text}"))?;
                (Some(found), path)
            }
            _ => (None, text),
        };
        match path {
            "" => Err("no file is named".into()),
            "-" => Ok(Self { reporter, path: None }),
            _ => Ok(Self { reporter, path: Some(path.into()) }),
        }
    }
}

/// One report to be written.
pub(super) struct Planned<'a> {
    pub reporter: &'static Reporter,
    /// `None`: standard output.
    pub path: Option<&'a Path>,
}

/// All reports to be written.
pub(super) struct Outputs<'a> {
    form: &'a FormArgs,
    pub planned: Vec<Planned<'a>>,
    /// From which severity on a finding is a failed test, where a report has tests.
    pub fail_on: Severity,
}

impl<'a> Outputs<'a> {
    /// What the command line asks for: the report of `--format` goes to standard output, unless it has a file,
    /// or another report goes there. One line says what is wrong.
    pub(super) fn plan(form: &'a FormArgs, inputs: &[PathBuf]) -> Result<Self, String> {
        let default = reporter(&form.format).map_err(|e| e.to_string())?;
        let mut planned = Vec::new();
        if form.output.iter().all(|o| o.reporter.is_some() && o.path.is_some()) {
            planned.push(Planned { reporter: default, path: None });
        }
        for output in &form.output {
            let path = output.path.as_deref();
            if let Some(input) = path.and_then(|path| output::overwritten(path, inputs)) {
                return Err(format!("the report would overwrite the input {}", input.display()));
            }
            if planned.iter().any(|p: &Planned<'_>| p.path == path) {
                let place = path.map_or("standard output".into(), |p| p.display().to_string());
                return Err(format!("two reports would be written to {place}"));
            }
            planned.push(Planned { reporter: output.reporter.unwrap_or(default), path });
        }
        Ok(Self { form, planned, fail_on: Policy::FAIL_ON })
    }

    /// Whether anything is worth writing where no input could be analyzed.
    pub(super) fn has_report_for_programs(&self) -> bool {
        self.planned.iter().any(|p| p.reporter.is_for_programs)
    }

    /// How a report that goes there looks.
    pub(super) fn view(&self, path: Option<&Path>, elapsed_ms: Option<u64>) -> View {
        View {
            width: width(self.form.width, path.is_none()),
            color: has_color(self.form.color, path.is_none()),
            show_all: self.form.all,
            threads: self.form.threads,
            max_chars: self.form.max_chars,
            fail_on: self.fail_on,
            elapsed_ms,
        }
    }

    /// Writes all of them. One that cannot be written does not keep the others from it.
    pub(super) fn write(&self, document: &Document<'_>, elapsed_ms: Option<u64>, shown: &Shown) -> ExitCode {
        let nothing_analyzed = document.snapshots.is_empty() && document.failed_inputs().next().is_some();
        let mut code = ExitCode::Analyzed;
        for Planned { reporter, path } in &self.planned {
            if nothing_analyzed && !reporter.is_for_programs {
                continue;
            }
            let view = self.view(*path, elapsed_ms);
            let begun = Instant::now();
            code = code.max(output::write(*path, |out| (reporter.write)(document, &view, out)));
            shown.wrote(reporter.id, begun.elapsed());
        }
        code
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_output_names_a_format_or_a_file() {
        let parsed = |text: &str| {
            let output: Output = text.parse().expect("an output");
            (output.reporter.map(|r| r.id), output.path)
        };
        assert_eq!(parsed("a.json"), (None, Some("a.json".into())));
        assert_eq!(parsed("json=a=b.json"), (Some("json"), Some("a=b.json".into())));
        assert_eq!(parsed("./json=a"), (None, Some("./json=a".into())));
        assert_eq!(parsed("json=-"), (Some("json"), None));
        assert_eq!(parsed("-"), (None, None));
        assert_eq!(parsed("A=b"), (None, Some("A=b".into())));
        let error = "jsom=a".parse::<Output>().expect_err("no such format");
        assert!(error.contains("did you mean 'json'?") && error.contains("./jsom=a"), "{error}");
        assert!("json=".parse::<Output>().is_err());
    }
}
