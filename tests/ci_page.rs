//! The shell lines of `docs/ci.md` and of `action.yml`, run by a shell as the CI system would.

mod common;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use common::fixtures;

const PAGE: &str = include_str!("../docs/ci.md");

/// A folder in which tests fail, with the dump of a jam where the kernel left it, and what the lines of a recipe call.
struct Job(tempfile::TempDir);

impl Job {
    fn new(dump: &str) -> Self {
        let job = Self(tempfile::tempdir().expect("a temporary folder"));
        let dump = job.path(dump);
        fs::create_dir_all(dump.parent().expect("a folder")).expect("a folder");
        fs::create_dir(job.path("bin")).expect("a folder");
        fs::copy(fixtures().join("cores/mutex-64.core.zst"), dump).expect("copied");
        job.program("run-tests", "exit 7");
        job.program("bin/buildkite-agent", "cat > annotation.md");
        job
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn program(&self, name: &str, script: &str) {
        let path = self.path(name);
        fs::write(&path, format!("#!/bin/sh\n{script}\n")).expect("a file");
        #[cfg(unix)]
        fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o755)).expect("executable");
    }

    /// The exit code of these lines.
    fn shell(&self, shell: &str, lines: &str, variables: &[(&str, &str)]) -> Option<i32> {
        let program = Path::new(env!("CARGO_BIN_EXE_logjam")).parent().expect("a folder");
        let path = std::env::var("PATH").unwrap_or_default();
        Command::new(shell)
            .args(["-e", "-c", lines])
            .env("PATH", format!("{}:{}:{path}", program.display(), self.path("bin").display()))
            .env_remove("GITHUB_ACTIONS")
            .envs(variables.iter().copied())
            .current_dir(self.0.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .status()
            .expect("a shell")
            .code()
    }

    #[track_caller]
    fn has(&self, reports: &[&str]) {
        for report in reports {
            assert!(fs::metadata(self.path(report)).is_ok_and(|m| m.len() > 500), "{report}");
        }
    }
}

/// The part of the page under this heading.
fn section(heading: &str) -> &'static str {
    let (_, rest) = PAGE.split_once(&format!("\n## {heading}\n")).expect(heading);
    rest.split("\n## ").next().expect("a section")
}

/// The lines of a block that is indented more than `key`, its first line.
fn block(text: &str, key: &str) -> String {
    let mut lines = text.lines().skip_while(|line| !line.trim_start().starts_with(key));
    let depth = |line: &str| line.len() - line.trim_start().len();
    let first = lines.next().unwrap_or_else(|| panic!("{key} is not there"));
    let inside: Vec<&str> =
        lines.take_while(|line| line.is_empty() || depth(line) > depth(first)).map(str::trim).collect();
    assert!(!inside.is_empty(), "{key}");
    inside.join("\n")
}

/// The fences of `sh check`, as a reader would type them.
#[test]
fn the_lines_about_the_check() {
    let blocks: Vec<&str> =
        PAGE.split("```sh check\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    let job = Job::new("dumps/core.4332");
    let codes: Vec<_> = blocks.iter().map(|lines| job.shell("sh", lines, &[])).collect();
    // The dump has findings; all of them are known; the code is kept for later.
    assert_eq!(codes, [Some(1), Some(0), Some(0)]);
    job.has(&["logjam.xml", "logjam.sarif", "logjam.html"]);
}

#[test]
fn gitlab() {
    let job = Job::new("core.4332");
    let script: String = block(section("GitLab CI"), "script:")
        .lines()
        .map(|l| format!("{}\n", l.trim_start_matches("- ")))
        .collect();
    assert!(script.contains("./run-tests") && script.contains("logjam check"), "{script}");
    assert_eq!(job.shell("bash", &script, &[]), Some(1), "the check fails the job, as would the tests");
    job.has(&["logjam.xml", "logjam.md"]);
    fs::remove_file(job.path("dumps/core.4332")).expect("removed");
    assert_eq!(job.shell("bash", &script, &[]), Some(7), "without a dump it is the tests that fail it");
}

#[test]
fn jenkins() {
    let job = Job::new("core.4332");
    let steps: Vec<&str> = section("Jenkins")
        .lines()
        .filter_map(|line| line.trim().strip_prefix("sh '")?.strip_suffix('\''))
        .collect();
    let codes: Vec<_> = steps.iter().map(|step| job.shell("sh", step, &[])).collect();
    assert_eq!(
        codes,
        [Some(7), Some(0), Some(0)],
        "{steps:?}: the step has failed, what comes after it must not"
    );
    job.has(&["logjam.xml", "logjam.html"]);
}

#[test]
fn buildkite() {
    let job = Job::new("core.4332");
    // Buildkite puts variables in itself, but for `$$`.
    let script = block(section("Buildkite"), "- command:").replace("$$", "$");
    assert_eq!(job.shell("bash", &script, &[]), Some(1));
    job.has(&["logjam.md", "annotation.md"]);
}

#[test]
fn github() {
    let job = Job::new("dumps/core.4332");
    let run = block(section("GitHub Actions"), "run: |");
    // The setting of the kernel is not the test's to change.
    let (kernel, run): (Vec<&str>, Vec<&str>) = run.lines().partition(|line| line.contains("core_pattern"));
    assert_eq!(kernel.len(), 1);
    assert_eq!(job.shell("bash", &run.join("\n"), &[]), Some(7));

    let action = include_str!("../action.yml");
    let script = block(action, "run: |");
    let inputs = [("DUMPS", "dumps"), ("ARGS", ""), ("LOGJAM", "logjam"), ("SOURCE", "/nowhere")];
    assert_eq!(job.shell("bash", &script, &inputs), Some(1));
    job.has(&["logjam.sarif"]);
    let lenient =
        inputs.map(|(k, v)| (k, if k == "ARGS" { "-o junit=logjam.xml --max-threads 5000" } else { v }));
    assert_eq!(job.shell("bash", &script, &lenient), Some(1), "options are passed on");
    job.has(&["logjam.xml"]);
}
