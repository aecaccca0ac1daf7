//! What it costs to add a format, a kind of lock, a rule and a reporter: one file, and its row (with its
//! `mod`) in one table. A dummy of each kind is added to a copy of the source in just that way; the copy is built
//! and does what the dummies say.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// One file and the lines in the file of its table.
struct Addition {
    /// The new file, and the dummy that becomes it.
    file: &'static str,
    dummy: &'static str,
    /// The file of the table.
    table: &'static str,
    /// A line of that file, and what is written after it.
    declaration: (&'static str, &'static str),
    row: (&'static str, &'static str),
}

const ADDITIONS: [Addition; 4] = [
    Addition {
        file: "src/formats/dummy.rs",
        dummy: include_str!("extension_dummies/format.rs"),
        table: "src/formats/mod.rs",
        declaration: ("\npub mod gdb;\n", "pub mod dummy;\n"),
        row: ("\npub static FORMATS: &[Format] = &[", "dummy::FORMAT, "),
    },
    Addition {
        file: "src/waits/locks/dummy.rs",
        dummy: include_str!("extension_dummies/lock.rs"),
        table: "src/waits/locks/mod.rs",
        declaration: ("\nmod futex;\n", "mod dummy;\n"),
        row: ("\nlock_table! {\n", "    /// A dummy.\n    DummyLock = dummy::ROW,\n"),
    },
    Addition {
        file: "src/rules/dummy_rule.rs",
        dummy: include_str!("extension_dummies/rule.rs"),
        table: "src/rules/mod.rs",
        declaration: ("\nmod deadlock;\n", "mod dummy_rule;\n"),
        row: ("\nrule_table! {\n", "    /// A dummy.\n    DummyRule \"dummy-rule\" = dummy_rule::RULE,\n"),
    },
    Addition {
        file: "src/report/dummy.rs",
        dummy: include_str!("extension_dummies/reporter.rs"),
        table: "src/report/mod.rs",
        declaration: ("\nmod json;\n", "mod dummy;\n"),
        // The row of the last reporter ends here.
        row: ("        write: json::write,\n    },\n", "    dummy::REPORTER,\n"),
    },
];

#[test]
fn a_format_a_lock_a_rule_and_a_reporter_are_one_file_and_one_row_each() {
    let copy = Path::new(env!("CARGO_TARGET_TMPDIR")).join("extension");
    copy_source(&copy);
    for addition in &ADDITIONS {
        add(addition, &copy);
    }
    // The guide of a rule is the comment at the top of its file; the page is made from it.
    let comment = ADDITIONS[2].dummy.lines().map_while(|line| line.strip_prefix("//!"));
    let page: String = comment.map(|line| format!("{}\n", line.strip_prefix(' ').unwrap_or(line))).collect();
    write(&copy.join("docs/rules/dummy-rule.md"), &page);
    let program = build(&copy);

    let run = |args: &[&str]| {
        let output = Command::new(&program).args(args).output().expect("the program starts");
        assert!(output.status.success(), "{args:?}: {}", shown(&output));
        String::from_utf8(output.stdout).expect("UTF-8")
    };
    let dump = copy.join("dummy.txt");
    write(&dump, "dummy dump\n17 read take_order main\n18 poll wait_for_order main\n");
    let dump = dump.to_str().expect("a plain path");
    assert!(run(&["explain"]).contains("dummy-rule"));
    assert!(run(&["explain", "dummy-rule"]).contains("Any dump."));
    assert_eq!(run(&[dump, "--format", "dummy-report"]), "dummy: 2 threads in dummy-format\n");
    assert!(run(&[dump]).contains("there are 2 threads"));

    let core = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/cores/mutex-64.core.zst");
    let nothing = tempfile::tempdir().expect("a temporary folder");
    let sysroot = nothing.path().to_str().expect("a plain path");
    let report = run(&[core.to_str().expect("a plain path"), "--format", "json", "--sysroot", sysroot]);
    let report: serde_json::Value = serde_json::from_str(&report).expect("JSON");
    let has = |list: &serde_json::Value, key: &str, value: &str| {
        list.as_array().is_some_and(|list| list.iter().any(|thing| thing[key] == value))
    };
    assert!(
        has(&report["snapshots"][0]["locks"], "kind", "dummy-lock"),
        "{:#}",
        report["snapshots"][0]["locks"]
    );
    assert!(has(&report["findings"], "rule", "dummy-rule"), "{:#}", report["verdict"]);
}

/// Adds a file and its lines, and nothing else.
fn add(addition: &Addition, copy: &Path) {
    write(&copy.join(addition.file), addition.dummy);
    let table = copy.join(addition.table);
    let mut text = fs::read_to_string(&table).expect("the file of the table");
    for (after, new) in [addition.declaration, addition.row] {
        let at =
            text.find(after).unwrap_or_else(|| panic!("no {after:?} in {}", addition.table)) + after.len();
        text.insert_str(at, new);
    }
    write(&table, &text);
}

/// The source without its tests, as a package whose program has a name of its own: it is built beside this one.
fn copy_source(copy: &Path) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    if copy.exists() {
        fs::remove_dir_all(copy).expect("an old copy can be removed");
    }
    for folder in ["src", "docs/rules"] {
        copy_folder(&root.join(folder), &copy.join(folder));
    }
    let lock = fs::read_to_string(root.join("Cargo.lock")).expect("Cargo.lock");
    write(&copy.join("Cargo.lock"), &lock);
    let manifest = fs::read_to_string(root.join("Cargo.toml")).expect("Cargo.toml");
    let program = "[[bin]]\nname = \"logjam\"";
    assert!(manifest.contains(program));
    write(&copy.join("Cargo.toml"), &manifest.replace(program, "[[bin]]\nname = \"logjam-extended\""));
}

fn copy_folder(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).expect("a folder of the source") {
        let path = entry.expect("an entry").path();
        let target = to.join(path.file_name().expect("a name"));
        match path.is_dir() {
            true => copy_folder(&path, &target),
            false => write(&target, &fs::read_to_string(&path).expect("a text file")),
        }
    }
}

fn write(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().expect("a folder")).expect("a folder can be made");
    fs::write(path, text).expect("a file can be written");
}

/// Builds the copy with the dependencies that are built already, and nothing from the network.
fn build(copy: &Path) -> PathBuf {
    // A folder of its own: the copy is the same package, and must not take the place of the real one.
    let target = &Path::new(env!("CARGO_TARGET_TMPDIR")).join("extension-target");
    let output = Command::new(env!("CARGO"))
        .args(["build", "--offline", "--locked", "--bin", "logjam-extended", "--manifest-path"])
        .arg(copy.join("Cargo.toml"))
        .arg("--target-dir")
        .arg(target)
        .output()
        .expect("cargo starts");
    assert!(output.status.success(), "{}", shown(&output));
    target.join("debug/logjam-extended").with_extension(std::env::consts::EXE_EXTENSION)
}

fn shown(output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    format!("{}\n{}{}", output.status, text(&output.stdout), text(&output.stderr))
}
