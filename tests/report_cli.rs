//! Reports of real dumps through the program: inputs of all kinds, exit codes, pipes, single threads.

mod common;

use std::ffi::OsStr;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use common::{fixtures, invariants, unpacked};
use serde_json::Value;

/// The program, with an empty system root: only what lies beside a dump is used.
struct Logjam {
    folder: tempfile::TempDir,
}

impl Logjam {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        fs::create_dir(folder.path().join("sysroot")).expect("a folder");
        Self { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, content: &[u8]) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(&path, content).expect("a file");
        path
    }

    fn command<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_logjam"));
        command.arg("--sysroot").arg(self.path("sysroot")).args(args).stdin(Stdio::null());
        command
    }

    fn run<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Output {
        self.command(args).output().expect("logjam starts")
    }

    /// The JSON report and the exit code.
    #[track_caller]
    fn json(&self, inputs: &[&Path]) -> (Value, Option<i32>) {
        let args = inputs.iter().map(|p| p.as_os_str()).chain(["--format".as_ref(), "json".as_ref()]);
        let output = self.run(args);
        let report: Value =
            serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("{e}: {output:?}"));
        let broken = invariants::broken(&report);
        assert!(broken.is_empty(), "{broken:#?}");
        (report, output.status.code())
    }
}

fn fixture(name: &str) -> PathBuf {
    fixtures().join(name)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("UTF-8")
}

fn statuses(report: &Value) -> Vec<&str> {
    let inputs = report["inputs"].as_array().expect("inputs");
    inputs.iter().map(|input| input["status"].as_str().expect("a status")).collect()
}

#[test]
fn a_jam_is_code_0_and_the_first_lines_say_it() {
    let logjam = Logjam::new();
    let mut command = logjam.command(["mutex-64.core.zst"]);
    let output = command.current_dir(fixture("cores")).output().expect("logjam starts");
    assert_eq!(output.status.code(), Some(0), "a finding is no failure");
    assert!(output.stderr.is_empty(), "{}", text(&output.stderr));
    let report = text(&output.stdout);
    let (head, rest) = report.split_once("\n\n").expect("a header and the findings");
    assert!(head.contains("ELF core") && head.contains("74 threads"), "{head}");
    let answer: Vec<&str> = rest.lines().take(2).collect();
    assert!(answer[0].contains("lock-contention") && answer[0].contains("certain"), "{answer:#?}");
    assert!(answer[1].contains("64 of 74") && answer[1].contains("g_trace_lock"), "{answer:#?}");
    assert!(!report.contains('\x1b') && report.lines().all(|line| line.chars().count() <= 80), "{report}");
}

#[test]
fn a_bad_input_among_good_ones_is_code_3_and_the_others_are_reported() {
    let logjam = Logjam::new();
    let (notes, core) = (logjam.write("notes", b"notes"), fixture("cores/mutex-64.core.zst"));
    let (report, code) = logjam.json(&[&notes, &core, Path::new("/no/such/core")]);
    assert_eq!(code, Some(3));
    assert_eq!(statuses(&report), ["failed", "ok", "failed"]);
    assert_eq!(report["snapshots"].as_array().map(Vec::len), Some(1));
    assert_eq!(report["findings"][0]["rule"], "lock-contention");
    let output = logjam.run([&notes, &core]);
    assert_eq!(output.status.code(), Some(3));
    assert!(text(&output.stdout).contains("g_trace_lock"), "the text report has the other input");
    assert_eq!(text(&output.stderr).lines().count(), 1);
}

#[test]
fn an_executable_a_cut_header_and_an_empty_file_are_code_3() {
    let logjam = Logjam::new();
    let empty = logjam.write("empty", b"");
    let header = logjam.write("header", &unpacked("cores/mutex-64.core.zst")[..16]);
    for input in [&empty, &header, &fixture("cores/mutex-64"), Path::new("/dev/null")] {
        let (report, code) = logjam.json(&[input]);
        assert_eq!((code, statuses(&report)), (Some(3), vec!["failed"]), "{}", input.display());
        assert_eq!(report["verdict"]["severity"], "none");
        let output = logjam.run([input]);
        assert_eq!(output.status.code(), Some(3));
        assert_eq!(text(&output.stderr).lines().count(), 1, "one line that says what was looked for");
        assert!(output.stdout.is_empty());
    }
}

#[test]
fn a_cut_core_is_partial_and_code_0() {
    let logjam = Logjam::new();
    let core = unpacked("cores/mutex-64.core.zst");
    let cut = logjam.write("core", &core[..core.len() / 2]);
    let (report, code) = logjam.json(&[&cut]);
    assert_eq!((code, statuses(&report)), (Some(0), vec!["partial"]));
    assert_eq!(report["snapshots"][0]["threads"]["total"], 74);
    let rules: Vec<&Value> =
        report["findings"].as_array().expect("findings").iter().map(|f| &f["rule"]).collect();
    assert!(rules.contains(&&Value::from("incomplete-dump")), "{rules:?}");
}

#[test]
fn a_folder_stands_for_its_dumps_and_without_any_it_is_code_3() {
    let logjam = Logjam::new();
    for name in ["gdb/self-deadlock.txt", "gdb/mutex-64-quiet.txt"] {
        logjam.write(&format!("dumps/{name}"), &unpacked(name));
    }
    logjam.write("dumps/notes.txt", b"no dump");
    let (report, code) = logjam.json(&[&logjam.path("dumps")]);
    assert_eq!((code, statuses(&report)), (Some(0), vec!["ok", "ok"]));
    let path = |n: usize| report["inputs"][n]["path"].as_str().expect("a path");
    assert!(
        path(0).ends_with("mutex-64-quiet.txt") && path(1).ends_with("self-deadlock.txt"),
        "sorted by name"
    );
    logjam.write("none/notes.txt", b"no dump");
    fs::create_dir(logjam.path("hollow")).expect("a folder");
    for folder in ["none", "hollow"] {
        let (report, code) = logjam.json(&[&logjam.path(folder)]);
        assert_eq!((code, statuses(&report)), (Some(3), vec!["failed"]), "{folder}");
    }
}

#[test]
fn a_pipe_gives_the_same_findings_as_the_file() {
    let logjam = Logjam::new();
    for name in ["gdb/two-mutexes-opposite-order.txt", "cores/two-mutexes-opposite-order.core.zst"] {
        let modules = fixture("cores");
        let args = ["-", "--format", "json", "--debug-dir", modules.to_str().expect("a plain path")];
        let mut child =
            logjam.command(args).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("started");
        let bytes = fs::read(fixture(name)).expect("a fixture");
        child.stdin.take().expect("a pipe").write_all(&bytes).expect("logjam reads its input");
        let output = child.wait_with_output().expect("logjam ends");
        assert_eq!(output.status.code(), Some(0));
        let piped: Value = serde_json::from_slice(&output.stdout).expect("JSON");
        let (report, _) = logjam.json(&[&fixture(name)]);
        assert_eq!(piped["findings"], report["findings"], "{name}");
        assert_eq!(piped["inputs"][0]["path"], "-");
    }
}

/// `logjam core | head -1`.
#[test]
#[cfg(unix)]
fn a_reader_that_stops_reading_is_no_failure() {
    let logjam = Logjam::new();
    for format in ["text", "json"] {
        let core = fixture("cores/logging-mutex-5000.core.zst");
        let args = [core.as_os_str(), "--all".as_ref(), "--format".as_ref(), format.as_ref()];
        let (reader, writer) = std::io::pipe().expect("a pipe");
        drop(reader);
        let output = logjam.command(args).stdout(writer).output().expect("logjam starts");
        assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), String::new()), "{format}");
    }
}

#[test]
fn one_thread_is_shown_and_an_unknown_one_is_a_wrong_command_line() {
    let logjam = Logjam::new();
    let core = fixture("cores/mutex-64.core.zst");
    let (report, _) = logjam.json(&[&core]);
    let holder = &report["findings"][0]["holder"]["thread"]["id"];
    let holder = holder.as_str().expect("a holder");
    let shown = logjam.run([core.as_os_str(), "--thread".as_ref(), holder.as_ref()]);
    assert_eq!(shown.status.code(), Some(0));
    let shown = text(&shown.stdout);
    assert!(
        shown.contains(holder) && shown.contains("trace_emit") && shown.contains("g_trace_lock"),
        "{shown}"
    );
    let unknown = logjam.run([core.as_os_str(), "--thread".as_ref(), "999999999".as_ref()]);
    assert_eq!(unknown.status.code(), Some(2));
    assert!(unknown.stdout.is_empty() && text(&unknown.stderr).lines().count() == 1, "{unknown:?}");
}

#[test]
fn a_limit_on_unpacked_bytes_is_held() {
    let core = fixture("cores/mutex-64.core.zst");
    let args = [core.as_os_str(), "--max-unpacked".as_ref(), "100k".as_ref()];
    let output = Logjam::new().run(args);
    assert_eq!(output.status.code(), Some(3), "{output:?}");
    assert!(text(&output.stderr).contains("--max-unpacked"), "{output:?}");
}

#[test]
fn every_rule_is_explained() {
    let explain = |rule: Option<&str>| {
        let words = ["explain"].into_iter().chain(rule);
        Command::new(env!("CARGO_BIN_EXE_logjam")).args(words).output().expect("logjam starts")
    };
    let list = text(&explain(None).stdout);
    for rule in logjam::rules::RULES {
        assert!(list.contains(rule.id.id()), "{list}");
        let guide = explain(Some(rule.id.id()));
        assert_eq!(guide.status.code(), Some(0));
        assert!(text(&guide.stdout).lines().count() > 20, "{}", rule.id.id());
    }
}

#[test]
fn verbose_tells_the_steps_and_what_each_report_cost_on_standard_error_only() {
    let logjam = Logjam::new();
    let dump = logjam.write("dump.txt", &unpacked("gdb/self-deadlock.txt"));
    let (csv, dump) =
        (format!("csv={}", logjam.path("out.csv").display()), dump.to_str().expect("a plain path"));
    let told = logjam.run(["-v", "--format", "json", "-o", &csv, dump]);
    let silent = logjam.run(["--format", "json", dump]);
    assert_eq!(told.stdout, silent.stdout);
    assert!(silent.stderr.is_empty(), "{silent:?}");
    let steps: Vec<String> = text(&told.stderr)
        .lines()
        .map(|line| line.split_once(" ms  ").unwrap_or_else(|| panic!("a time first: {line}")).1.to_owned())
        .collect();
    let place = |start: &str| {
        steps.iter().position(|s| s.starts_with(start)).unwrap_or_else(|| panic!("{start}: {steps:?}"))
    };
    let order =
        ["finding locks", "grouping threads", "reporting", "json was written in", "csv was written in"]
            .map(place);
    assert!(order.is_sorted(), "{steps:?}");
}
