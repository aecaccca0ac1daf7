//! Programs built, run and dumped on this machine, with its compiler, libc and kernel.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

use super::{fixtures, invariants};

/// The compiler and the folder of one test. The folder is removed in the end, with its cores.
pub struct Live {
    folder: tempfile::TempDir,
}

/// A program that died, or was dumped.
pub struct Dumped {
    /// The core.
    pub core: PathBuf,
    /// What it printed: `fact NAME VALUE`.
    pub facts: BTreeMap<String, String>,
}

impl Live {
    /// Nothing where programs cannot be built and dumped here; why is printed.
    pub fn new() -> Option<Self> {
        match unfit() {
            None => Some(Self { folder: tempfile::tempdir().expect("a temporary folder") }),
            Some(why) => {
                println!("skipped: {why}");
                None
            }
        }
    }

    /// A place in the folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Builds a program of the fixtures.
    pub fn build(&self, program: &str, flags: &[&str]) -> PathBuf {
        self.build_source(program, &fixtures().join("programs").join(format!("{program}.c")), flags)
    }

    /// Builds a program out of a changed source of a fixture.
    pub fn build_changed(&self, program: &str, change: impl Fn(String) -> String, flags: &[&str]) -> PathBuf {
        let programs = fixtures().join("programs");
        let source = fs::read_to_string(programs.join(format!("{program}.c"))).expect("the source");
        let changed = self.path(&format!("{program}.c"));
        fs::write(&changed, change(source)).expect("the changed source");
        let include = format!("-I{}", programs.display());
        self.build_source(program, &changed, &[&[include.as_str()], flags].concat())
    }

    fn build_source(&self, program: &str, source: &Path, flags: &[&str]) -> PathBuf {
        let executable = self.path(program);
        let mut cc = Command::new("cc");
        cc.args(["-g", "-O2", "-pthread", "-Wl,--build-id"])
            .args(flags)
            .arg("-o")
            .arg(&executable)
            .arg(source);
        done(&mut cc);
        executable
    }

    /// Runs a program that ends by dumping core.
    pub fn dump(&self, executable: &Path, args: &[&str]) -> Dumped {
        // The limit on the size of cores is raised by the shell; the pid stays that of the program.
        let output = Command::new("sh")
            .args(["-c", "ulimit -c unlimited && exec \"$0\" \"$@\""])
            .arg(executable)
            .args(args)
            .current_dir(self.folder.path())
            .output()
            .expect("a shell");
        let core = fs::read_dir(self.folder.path())
            .expect("the folder")
            .map(|entry| entry.expect("an entry").path())
            .find(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("core")));
        let core = core.unwrap_or_else(|| panic!("no core: {}", shown(&output)));
        let taken = self.path("taken.dump");
        fs::rename(core, &taken).expect("the core can be renamed");
        Dumped { core: taken, facts: facts(&String::from_utf8_lossy(&output.stdout)) }
    }

    /// The program's own JSON report.
    pub fn report(&self, core: &Path, args: &[&str]) -> Value {
        let output = Command::new(env!("CARGO_BIN_EXE_logjam"))
            .arg(core)
            .args(["--format", "json"])
            .args(args)
            .output()
            .expect("logjam starts");
        assert!(output.status.success(), "{}", shown(&output));
        let report: Value = serde_json::from_slice(&output.stdout).expect("JSON");
        let broken = invariants::broken(&report);
        assert!(broken.is_empty(), "{broken:#?}");
        report
    }
}

/// Why programs cannot be built, run and dumped here.
fn unfit() -> Option<String> {
    if Command::new("cc").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_err() {
        return Some("there is no C compiler (cc)".into());
    }
    let pattern = fs::read_to_string("/proc/sys/kernel/core_pattern").unwrap_or_default();
    if !pattern.starts_with("core") || pattern.contains('/') {
        let pattern = pattern.trim();
        return Some(format!(
            "kernel.core_pattern is {pattern:?}: dumps are not files in the current folder"
        ));
    }
    let limit = Command::new("sh").args(["-c", "ulimit -H -c"]).output().expect("a shell");
    let limit = String::from_utf8_lossy(&limit.stdout).trim().to_owned();
    (limit != "unlimited").then(|| format!("the hard limit on the size of cores is {limit}"))
}

/// What a program printed: `fact NAME VALUE`.
pub fn facts(printed: &str) -> BTreeMap<String, String> {
    let facts = printed.lines().filter_map(|line| line.strip_prefix("fact ")?.split_once(' '));
    facts.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// Runs a command that must succeed.
pub fn done(command: &mut Command) {
    let output = command.output().unwrap_or_else(|e| panic!("{command:?}: {e}"));
    assert!(output.status.success(), "{command:?}: {}", shown(&output));
}

/// What a command printed, for messages.
pub fn shown(output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    format!("{}\n{}{}", output.status, text(&output.stdout), text(&output.stderr))
}
