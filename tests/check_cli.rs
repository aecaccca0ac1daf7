//! `logjam check` as a CI job uses it: exit codes, baselines, limits, several reports.

mod common;

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use common::fixtures;
use serde_json::Value;

struct Job {
    folder: tempfile::TempDir,
}

impl Job {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        fs::create_dir(folder.path().join("sysroot")).expect("a folder");
        fs::create_dir(folder.path().join("dumps")).expect("a folder");
        Self { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Puts a dump into the folder `dumps`.
    fn dump(&self, fixture: &str) {
        let from = fixtures().join(fixture);
        fs::copy(&from, self.path("dumps").join(from.file_name().expect("a name"))).expect("copied");
    }

    fn run<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Output {
        Command::new(env!("CARGO_BIN_EXE_logjam"))
            .arg("check")
            .arg("--sysroot")
            .arg(self.path("sysroot"))
            .arg(self.path("dumps"))
            .args(args)
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .output()
            .expect("logjam starts")
    }

    #[track_caller]
    fn code(&self, args: &[&str]) -> i32 {
        self.run(args).status.code().expect("an exit code")
    }

    #[track_caller]
    fn json(&self, args: &[&str]) -> Value {
        let output = self.run([args, &["--format", "json"]].concat());
        serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("{e}: {output:?}"))
    }
}

/// How the findings stand that are worse than `info`.
fn standings(report: &Value) -> Vec<&str> {
    let findings = report["findings"].as_array().expect("findings");
    findings
        .iter()
        .filter(|f| f["severity"] != "info")
        .map(|f| f["baseline"].as_str().unwrap_or("-"))
        .collect()
}

/// Two findings, both at or above `high`: the jam, and the abort that made the dump.
const JAM: &str = "cores/mutex-64.core.zst";
/// One finding, of severity `info`: it was ended from outside.
const HEALTHY: &str = "cores/healthy-pool.core.zst";

#[test]
fn a_finding_at_the_threshold_fails_and_one_below_does_not() {
    let job = Job::new();
    job.dump(HEALTHY);
    assert_eq!(job.code(&[]), 0);
    assert_eq!(job.code(&["--fail-on", "info"]), 1);
    job.dump(JAM);
    assert_eq!(job.code(&[]), 1);
    let report = job.json(&[]);
    assert_eq!(report["check"]["passed"], false);
    assert_eq!(report["check"]["fail_on"], "high");
    assert_eq!(report["check"]["failing"], serde_json::json!([0, 1]));
}

#[test]
fn a_known_finding_passes_and_one_that_is_gone_is_told() {
    let job = Job::new();
    job.dump(JAM);
    assert_eq!(job.code(&["--baseline", "known.json"]), 2, "there is none yet");
    assert!(!job.path("known.json").exists());
    assert_eq!(job.code(&["--baseline", "known.json", "--update-baseline"]), 0);
    assert_eq!(job.code(&["--baseline", "known.json"]), 0);
    let report = job.json(&["--baseline", "known.json"]);
    assert_eq!(standings(&report), ["known", "known"]);
    assert_eq!(report["check"]["known"], 2);

    job.dump("cores/crash-null.core.zst");
    assert_eq!(job.code(&["--baseline", "known.json"]), 1, "a new one");
    assert!(standings(&job.json(&["--baseline", "known.json"])).contains(&"new"));

    fs::remove_dir_all(job.path("dumps")).expect("removed");
    fs::create_dir(job.path("dumps")).expect("a folder");
    job.dump(HEALTHY);
    let report = job.json(&["--baseline", "known.json"]);
    let gone: Vec<&str> = report["check"]["gone"]
        .as_array()
        .expect("gone findings")
        .iter()
        .map(|g| g["rule"].as_str().expect("a rule"))
        .collect();
    assert_eq!(report["check"]["passed"], true);
    assert_eq!(gone.len(), 2);
    assert!(gone.contains(&"lock-contention") && gone.contains(&"crash"), "{gone:?}");
}

#[test]
fn a_finding_that_is_ignored_neither_fails_nor_gets_into_the_baseline() {
    let job = Job::new();
    job.dump(JAM);
    let report = job.json(&[]);
    let print = |n: usize| report["findings"][n]["fingerprint"].as_str().expect("a fingerprint").to_owned();
    assert_eq!(job.code(&["--ignore", &print(0)]), 1);
    assert_eq!(job.code(&["--ignore", &print(0), "--ignore", &print(1)]), 0);
    let args = ["--ignore", &print(0), "--baseline", "known.json", "--update-baseline"];
    assert_eq!(standings(&job.json(&args)), ["ignored", "-"]);
    let known = fs::read_to_string(job.path("known.json")).expect("the baseline");
    assert!(known.contains(&print(1)) && !known.contains(&print(0)), "{known}");
}

#[test]
fn limits_fail_whatever_the_findings_are() {
    let job = Job::new();
    job.dump(JAM);
    let lenient = ["--fail-on", "critical", "--ignore"];
    let print = job.json(&[])["findings"][0]["fingerprint"].as_str().expect("a fingerprint").to_owned();
    let with = |limit: &[&str]| job.code(&[&lenient[..], &[&print], limit].concat());
    assert_eq!(with(&[]), 0);
    assert_eq!(with(&["--max-threads", "74"]), 0);
    assert_eq!(with(&["--max-threads", "73"]), 1);
    assert_eq!(with(&["--max-blocked", "64"]), 0);
    assert_eq!(with(&["--max-blocked", "63"]), 1);
}

#[test]
fn a_folder_without_dumps_passes_unless_dumps_are_required() {
    let job = Job::new();
    fs::write(job.path("dumps").join("build.log"), "all tests passed\n").expect("a file");
    let output = job.run([""; 0]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stderr).contains("--require-dumps"));
    assert_eq!(job.code(&["--require-dumps"]), 3);
}

/// 3 wins over 1, and every report is written.
#[test]
fn a_dump_that_cannot_be_read_fails_and_the_others_are_reported() {
    let job = Job::new();
    job.dump(JAM);
    let packed = fs::read(fixtures().join("cores/crash-null.core.zst")).expect("a dump");
    fs::write(job.path("dumps").join("torn.core.zst"), [&packed[..4], &[0xff; 400]].concat())
        .expect("a file");
    assert_eq!(job.code(&["-o", "json=a.json", "--baseline", "known.json", "--update-baseline"]), 3);
    assert!(!job.path("known.json").exists(), "what the torn dump would have shown is not known");
    let report: Value =
        serde_json::from_slice(&fs::read(job.path("a.json")).expect("the report")).expect("JSON");
    assert_eq!(standings(&report), ["-", "-"]);
    assert_eq!(report["inputs"][1]["status"], "failed");
}

#[test]
fn a_baseline_that_is_damaged_is_left_alone() {
    let job = Job::new();
    job.dump(JAM);
    for content in [
        "",
        "{}",
        "[]",
        r#"{"logjam_baseline": 2, "findings": []}"#,
        r#"{"logjam_baseline": 1, "findings": [{"fingerprint": "x", "rule": "r", "title": "t"}]}"#,
        r#"{"logjam_baseline": 1, "findings": [{"rule": "r"}]}"#,
        r#"{"logjam_baseline": 1, "findings": ["#,
    ] {
        fs::write(job.path("known.json"), content).expect("a file");
        for more in [&[][..], &["--update-baseline"]] {
            assert_eq!(job.code(&[&["--baseline", "known.json"], more].concat()), 2, "{content}");
        }
        assert_eq!(fs::read_to_string(job.path("known.json")).expect("the file"), content);
    }
}

#[test]
fn a_baseline_that_cannot_be_written_is_an_error() {
    let job = Job::new();
    job.dump(JAM);
    assert_eq!(job.code(&["--baseline", "no/such/folder/known.json", "--update-baseline"]), 4);
}

#[test]
fn several_reports_are_written_of_one_analysis() {
    let job = Job::new();
    job.dump(JAM);
    let output = job.run(["-o", "json=a.json", "-o", "text=b.txt"]);
    assert_eq!(output.status.code(), Some(1));
    let written = |name: &str| fs::read_to_string(job.path(name)).expect("the report");
    assert!(serde_json::from_str::<Value>(&written("a.json")).is_ok());
    assert!(written("b.txt").contains("CHECK  failed: 2 findings at or above high"));
    assert!(String::from_utf8_lossy(&output.stdout).contains("CHECK  failed"), "text goes to the terminal");

    let output = job.run(["-o", "json=-"]);
    assert!(serde_json::from_slice::<Value>(&output.stdout).is_ok(), "only one report goes there");
    let output = job.run(["-o", "only.txt"]);
    assert!(output.stdout.is_empty());
    for args in [&["-o", "a", "-o", "json=a"][..], &["-o", "json=-", "-o", "-"]] {
        assert_eq!(job.code(args), 2, "{args:?}");
    }
}

#[test]
fn a_report_that_cannot_be_written_does_not_keep_the_others() {
    if !Path::new("/dev/full").exists() {
        return;
    }
    let job = Job::new();
    job.dump(JAM);
    assert_eq!(job.code(&["-o", "json=/dev/full", "-o", "json=a.json"]), 4);
    assert!(fs::metadata(job.path("a.json")).is_ok_and(|m| m.len() > 1000));
}

#[test]
fn a_configuration_is_found_upwards_and_options_win_over_it() {
    let job = Job::new();
    job.dump(JAM);
    let config = |text: &str| fs::write(job.path("logjam.toml"), text).expect("a file");
    config("[check]\nfail-on = \"critical\"\nbaseline = \"known.json\"\n");
    assert_eq!(job.code(&["--update-baseline"]), 0);
    assert!(job.path("known.json").exists(), "beside the configuration");
    let in_dumps = |args: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_logjam"))
            .args(["check", "--sysroot", "../sysroot", "."])
            .args(args)
            .current_dir(job.path("dumps"))
            .output()
            .expect("logjam starts");
        output.status.code()
    };
    assert_eq!(in_dumps(&[]), Some(0));
    assert_eq!(in_dumps(&["--no-config"]), Some(1));

    config(
        "[check]\nmax-threads = 10\nfail-on = \"critical\"\n[[ignore]]\nrule = \"lock-contention\"\nreason = \"known\"\n",
    );
    assert_eq!(job.code(&[]), 1, "the limit");
    assert_eq!(job.code(&["--max-threads", "100"]), 0);
    assert_eq!(job.code(&["--max-threads", "100", "--fail-on", "high"]), 1);
    let report = job.json(&["--max-threads", "100"]);
    assert_eq!(report["check"]["ignored"], serde_json::json!([{"finding": 0, "reason": "known"}]));
}

#[test]
fn an_entry_whose_day_is_over_counts_no_more_and_that_is_told() {
    let job = Job::new();
    job.dump(JAM);
    let ignore = |rule: &str| {
        format!("[[ignore]]\nrule = \"{rule}\"\nreason = \"until March\"\nexpires = \"2027-03-31\"\n")
    };
    fs::write(job.path("logjam.toml"), ignore("lock-contention") + &ignore("crash")).expect("a file");
    assert_eq!(job.code(&["--today", "2027-03-31"]), 0);
    let output = job.run(["--today", "2027-04-01"]);
    assert_eq!(output.status.code(), Some(1));
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(told.contains("2027-03-31") && told.contains("until March"), "{told}");
}

#[test]
fn a_wrong_configuration_is_told_with_file_and_line_and_nothing_is_analyzed() {
    let job = Job::new();
    job.dump(JAM);
    for (text, words) in [
        ("[check]\nfial-on = \"high\"\n", "did you mean `fail-on`?"),
        ("[check]\nmax-threads = \"many\"\n", "max-threads"),
        ("\n[[runbook]]\nlink = \"x\"\n", "for no finding"),
    ] {
        fs::write(job.path("logjam.toml"), text).expect("a file");
        let output = job.run([""; 0]);
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{told}");
        assert!(told.contains("logjam.toml: line 2: ") && told.contains(words), "{told}");
        assert!(output.stdout.is_empty());
    }
}

#[test]
fn a_finding_names_the_guide_of_the_user_and_a_pool_its_size() {
    let job = Job::new();
    job.dump(JAM);
    // The program, which gives the frames their names.
    job.dump("cores/mutex-64");
    fs::write(
        job.path("logjam.toml"),
        "[[runbook]]\nrule = \"crash\"\nlink = \"https://wiki.example.com/crash\"\n\
         [[pool]]\nframe = \"render_*\"\nsize = 63\n",
    )
    .expect("a file");
    let report = job.json(&["--runbook", "lock-contention=ask Ada"]);
    let runbooks: Vec<(&str, &str)> = report["findings"]
        .as_array()
        .expect("findings")
        .iter()
        .map(|f| (f["rule"].as_str().expect("a rule"), f["runbook"].as_str().expect("a guide")))
        .collect();
    assert!(runbooks.contains(&("lock-contention", "ask Ada")), "{runbooks:?}");
    assert!(runbooks.contains(&("crash", "https://wiki.example.com/crash")), "{runbooks:?}");
    assert!(runbooks.contains(&("thread-explosion", "logjam explain thread-explosion")), "{runbooks:?}");
    let pool =
        report["findings"].as_array().expect("findings").iter().find(|f| f["rule"] == "thread-explosion");
    let title = pool.expect("the pool")["title"].as_str().expect("a title").to_owned();
    assert!(title.contains("render_*") && title.ends_with("its size is 63"), "{title}");
    fs::write(job.path("logjam.toml"), "[[pool]]\nframe = \"render_*\"\nsize = 100\n").expect("a file");
    let report = job.json(&[]);
    assert!(!report.to_string().contains("thread-explosion"), "it has its size");
}

#[test]
fn config_shows_what_is_in_force_and_from_where() {
    let job = Job::new();
    fs::write(
        job.path("logjam.toml"),
        "[check]\nmax-threads = 2000\n[[pool]]\nthreads = \"http-*\"\nsize = 64\n",
    )
    .expect("a file");
    let show = |args: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_logjam"))
            .args(["config", "--show"])
            .args(args)
            .current_dir(job.folder.path())
            .output()
            .expect("logjam starts");
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let shown = show(&[]);
    let line = |start: &str| shown.lines().find(|l| l.starts_with(start)).unwrap_or_default().to_owned();
    assert!(line("check.max-threads").contains("2000  (logjam.toml)"), "{shown}");
    assert!(line("check.fail-on").contains("high  (default)"), "{shown}");
    assert!(line("pool").contains("threads http-*: 64 at most  (logjam.toml)"), "{shown}");
    assert!(show(&["--no-config"]).contains("no limit  (default)"));
}

/// A thread that waits for work in a function that no table knows is idle once the user says so.
#[test]
fn a_function_is_what_the_user_says_it_is() {
    let job = Job::new();
    fs::write(
        job.path("dumps/threads.txt"),
        "Thread 2 (Thread 0x7f1 (LWP 11)):\n#0  0x1 in acme_gate (g=0x5000) at gate.c:1\n#1  0x2 in acme_enter () at e.c:2\n\
         #2  0x3 in start_thread ()\n\n\
         Thread 1 (Thread 0x7f0 (LWP 10)):\n#0  0x4 in work () at w.c:1\n#1  0x5 in main () at w.c:9\n",
    )
    .expect("a file");
    let state = |args: &[&str]| {
        let report = job.json(args);
        let threads = report["snapshots"][0]["thread_list"].as_array().expect("threads").clone();
        threads.iter().find(|t| t["id"] == "11").expect("the thread")["state"]
            .as_str()
            .expect("a state")
            .to_owned()
    };
    assert_eq!(state(&[]), "running");
    assert_eq!(state(&["--role", "idle=acme_g*"]), "idle");
    fs::write(job.path("logjam.toml"), "[[role]]\nfunction = \"acme_gate\"\nrole = \"lock\"\n")
        .expect("a file");
    assert_eq!(state(&[]), "lock-wait");
    assert_eq!(state(&["--role", "sleep=acme_gate"]), "sleeping", "options come first");
}

/// Under GitHub Actions annotations go to standard error and the summary into its file; nowhere else.
#[test]
fn github_actions_gets_annotations_and_a_summary() {
    let job = Job::new();
    job.dump(JAM);
    let check = |is_action: &str| {
        let output = Command::new(env!("CARGO_BIN_EXE_logjam"))
            .args(["check", "--no-config", "--sysroot", "sysroot", "dumps", "--format", "json"])
            .env("GITHUB_ACTIONS", is_action)
            .env("GITHUB_STEP_SUMMARY", job.path("summary.md"))
            .current_dir(job.folder.path())
            .stdin(Stdio::null())
            .output()
            .expect("logjam starts");
        assert_eq!(output.status.code(), Some(1));
        assert!(serde_json::from_slice::<Value>(&output.stdout).is_ok(), "the report alone");
        String::from_utf8(output.stderr).expect("UTF-8")
    };
    assert!(!check("false").contains("::error") && !job.path("summary.md").exists());
    fs::write(job.path("summary.md"), "what the step wrote\n").expect("a file");
    let told = check("true");
    assert!(told.lines().any(|l| l.starts_with("::error ") && l.contains("lock-contention")), "{told}");
    let summary = fs::read_to_string(job.path("summary.md")).expect("the summary");
    assert!(summary.starts_with("what the step wrote\n") && summary.contains("lock-contention"), "{summary}");
}
