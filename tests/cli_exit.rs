//! What the program says and how it ends.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, Output, Stdio};

fn logjam() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_logjam"));
    command.stdin(Stdio::null()).env_remove("RUST_BACKTRACE");
    command
}

fn run<S: AsRef<OsStr>>(args: impl IntoIterator<Item = S>) -> Output {
    logjam().args(args).output().expect("started")
}

fn code(output: &Output) -> i32 {
    output.status.code().unwrap_or_else(|| panic!("killed: {output:?}"))
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("UTF-8")
}

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("a temporary folder")
}

fn write(path: &Path, content: &[u8]) {
    fs::write(path, content).expect("written");
}

#[test]
fn help_and_version_are_no_errors_and_no_arguments_are_one() {
    let help = run(["--help"]);
    assert_eq!(code(&help), 0);
    assert!(String::from_utf8_lossy(&help.stdout).contains("Exit codes:"));
    assert_eq!(code(&run(["--version"])), 0);
    let nothing = run([""; 0]);
    assert_eq!(code(&nothing), 2);
    assert!(nothing.stdout.is_empty() && stderr(&nothing).contains("Usage:"));
    assert_eq!(code(&run(["--no-such-option", "core"])), 2);
    assert_eq!(code(&run(["explain", "no-such-rule"])), 2);
    assert_eq!(code(&run(["explain"])), 0);
}

#[test]
fn an_input_that_is_no_dump_is_one_line_and_code_3() {
    let folder = folder();
    let path = folder.path().join("notes.txt");
    write(&path, b"nothing of a dump");
    let output = run([&path]);
    assert_eq!(code(&output), 3);
    let said = stderr(&output);
    assert_eq!(said.lines().count(), 1, "{said}");
    assert!(said.starts_with("logjam: ") && said.contains("notes.txt"), "{said}");
    assert!(said.contains("looked for") && said.contains("an ELF core"), "{said}");
    assert!(output.stdout.is_empty(), "no report for people where there is nothing to report");
}

#[test]
fn each_input_that_fails_is_one_line() {
    let folder = folder();
    let at = |name: &str| folder.path().join(name);
    write(&at("empty"), b"");
    write(&at("zip"), b"PK\x03\x04");
    fs::create_dir(at("folder")).expect("made");
    write(&at("folder/notes"), b"notes");
    let program = env!("CARGO_BIN_EXE_logjam").into();
    let output = run([at("empty"), at("zip"), at("folder"), at("missing"), program]);
    assert_eq!(code(&output), 3);
    let said = stderr(&output);
    let lines: Vec<_> = said.lines().collect();
    assert_eq!(lines.len(), 5, "{said}");
    assert!(lines[0].contains("is empty"), "{said}");
    assert!(lines[1].contains("a zip archive"), "{said}");
    assert!(lines[2].contains("no dump in") && lines[2].contains("looked for"), "{said}");
    assert!(lines[3].contains("No such file or directory"), "{said}");
    assert!(!cfg!(target_os = "linux") || lines[4].contains("an ELF program"), "{said}");
}

#[test]
fn the_document_is_printed_with_code_3_too() {
    let output = run(["--format", "json", "/no/such/core"]);
    assert_eq!(code(&output), 3);
    let document: serde_json::Value = serde_json::from_slice(&output.stdout).expect("a document");
    assert_eq!(document["schema_version"], 1);
    assert_eq!(document["inputs"][0]["path"], "/no/such/core");
    assert_eq!(document["inputs"][0]["status"], "failed");
    assert!(document["inputs"][0]["error"].as_str().is_some_and(|e| e.contains("No such file")));
}

#[test]
fn nothing_of_a_file_name_steers_the_terminal() {
    let name = "core\x1b]0;owned\x07\n\u{202e}";
    let output = run([name]);
    assert_eq!(code(&output), 3);
    let said = stderr(&output);
    assert_eq!(said.lines().count(), 1, "{said:?}");
    assert!(said.contains("core\\x1b]0;owned\\x07\\n\\u{202e}"), "{said:?}");
    let output = run(["--form\x1b[31mat", "core"]);
    assert_eq!(code(&output), 2);
    assert!(!stderr(&output).contains('\x1b'), "{output:?}");
}

#[test]
fn standard_input_is_an_input() {
    let empty = run(["-"]);
    assert_eq!(code(&empty), 3);
    assert!(stderr(&empty).starts_with("logjam: - is empty"), "{empty:?}");
    let folder = folder();
    let path = folder.path().join("notes");
    write(&path, b"notes");
    let from_file = logjam().arg("-").stdin(File::open(&path).expect("opened")).output().expect("started");
    assert_eq!(code(&from_file), 3);
    assert!(stderr(&from_file).starts_with("logjam: - is no dump"), "{from_file:?}");
}

#[test]
fn the_report_may_go_to_a_file_but_not_over_an_input() {
    let folder = folder();
    let input = folder.path().join("notes");
    write(&input, b"notes");
    let report = folder.path().join("report.json");
    let args = |to: &Path| {
        let words = [input.as_os_str(), "--format".as_ref(), "json".as_ref(), "-o".as_ref(), to.as_os_str()];
        words.map(OsStr::to_owned)
    };
    let output = run(args(&report));
    assert_eq!(code(&output), 3);
    assert!(output.stdout.is_empty());
    assert!(fs::read_to_string(&report).expect("a report").contains("schema_version"));
    let output = run(args(&input));
    assert_eq!(code(&output), 2);
    assert_eq!(fs::read(&input).expect("the input"), b"notes");
    let output = run(args(&folder.path().join("no/such/folder")));
    assert_eq!(code(&output), 4);
    assert!(stderr(&output).contains("cannot write the report to"), "{output:?}");
}

#[cfg(unix)]
mod unix {
    use std::os::unix::fs::PermissionsExt;
    use std::os::unix::process::CommandExt;

    use super::*;

    #[test]
    #[cfg(target_os = "linux")]
    fn a_report_that_cannot_be_written_is_code_4() {
        let full = File::options().write(true).open("/dev/full").expect("opened");
        let output =
            logjam().args(["--format", "json", "/no/such/core"]).stdout(full).output().expect("started");
        assert_eq!(code(&output), 4);
        assert!(stderr(&output).contains("cannot write the report to standard output"), "{output:?}");
    }

    #[test]
    fn a_reader_that_went_away_is_no_failure() {
        let (reader, writer) = std::io::pipe().expect("a pipe");
        drop(reader);
        let output =
            logjam().args(["--format", "json", "/no/such/core"]).stdout(writer).output().expect("started");
        assert_eq!(code(&output), 3, "the code of the analysis");
        assert!(!stderr(&output).contains("write"), "{output:?}");
        let (reader, writer) = std::io::pipe().expect("a pipe");
        drop(reader);
        let output = logjam().arg("explain").stdout(writer).output().expect("started");
        assert_eq!(code(&output), 0);
    }

    #[test]
    fn what_may_not_be_read_is_said() {
        let folder = folder();
        let public = |path: &Path, mode| {
            fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("changed");
        };
        public(folder.path(), 0o755);
        let program = folder.path().join("logjam");
        fs::copy(env!("CARGO_BIN_EXE_logjam"), &program).expect("copied");
        public(&program, 0o755);
        let dumps = folder.path().join("dumps");
        fs::create_dir_all(dumps.join("private")).expect("made");
        public(&dumps, 0o755);
        write(&dumps.join("secret"), b"a dump");
        public(&dumps.join("secret"), 0);
        public(&dumps.join("private"), 0);
        let mut command = Command::new(&program);
        if is_root() {
            // Nothing is forbidden to root: be nobody.
            command.uid(65534).gid(65534);
        }
        let output = command.arg(&dumps).stdin(Stdio::null()).output().expect("started");
        public(&dumps.join("private"), 0o755);
        assert_eq!(code(&output), 3);
        let said = stderr(&output);
        let denied = |name| said.lines().any(|l| l.contains(name) && l.contains("Permission denied"));
        assert!(denied("dumps/private") && denied("dumps/secret"), "{said}");
    }

    /// Whether this process is root: a file that it makes belongs to it.
    fn is_root() -> bool {
        let file = tempfile::tempfile().expect("a temporary file");
        std::os::unix::fs::MetadataExt::uid(&file.metadata().expect("metadata")) == 0
    }
}

#[test]
fn the_tables_can_be_listed() {
    for (list, id) in [
        ("rules", "lock-contention"),
        ("formats", "elf-core"),
        ("locks", "pthread-mutex"),
        ("reporters", "json"),
    ] {
        let text = run([list]);
        assert_eq!(code(&text), 0, "{list}");
        let lines = String::from_utf8(text.stdout).expect("UTF-8");
        assert!(lines.lines().any(|l| l.split(' ').next() == Some(id)), "{lines}");
        let rows: Vec<serde_json::Value> =
            serde_json::from_slice(&run([list, "--format", "json"]).stdout).expect("JSON");
        // Details of a row are indented.
        assert_eq!(rows.len(), lines.lines().filter(|line| !line.starts_with(' ')).count());
        assert!(rows.iter().any(|r| r["id"] == id && r["about"].as_str().is_some_and(|a| !a.is_empty())));
    }
    assert_eq!(code(&run(["rules", "--format", "xml"])), 2);
}

#[test]
fn shells_and_man_know_the_command_line() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = run(["completions", shell]);
        assert_eq!(code(&script), 0);
        let script = String::from_utf8(script.stdout).expect("UTF-8");
        assert!(script.contains("max-blocked") && script.contains("explain"), "{shell}");
    }
    let page = String::from_utf8(run(["man"]).stdout).expect("UTF-8");
    assert!(page.starts_with(".ie") || page.contains(".TH logjam"), "{page}");
    let page = String::from_utf8(run(["man", "check"]).stdout).expect("UTF-8");
    assert!(page.contains("update\\-baseline"), "{page}");
    assert_eq!(code(&run(["man", "no-such-command"])), 2);
}
