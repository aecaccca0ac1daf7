//! What `docs/ARCHITECTURE.md` says of the source as a whole, and mostly what is absent from it: data flows one
//! way, only named places touch the system, and no input can make the program panic by a shortcut.

#[path = "common/source.rs"]
mod source;

use std::path::Path;

use source::SourceFile;

/// The most lines of a file, its tests included.
const LINES: usize = 500;

/// Tables of data that are longer because knowledge is. None is so far.
const LONGER: &[&str] = &[];

/// Where bytes of strangers are read.
const READERS: &[&str] = &["arch", "formats", "input", "modules", "unwind", "symbols"];

#[test]
fn a_stage_sees_only_the_stages_before_it() {
    let stages = stages();
    let place = |name: &str| stages.iter().position(|stage| stage == name);
    let mut wrong = Vec::new();
    for file in sources() {
        let Some(own) = place(file.stage()) else {
            assert!(["lib", "main"].contains(&file.stage()), "{} is no stage of src/lib.rs", file.path);
            continue;
        };
        for seen in stages_in(&file.code) {
            if place(&seen).is_some_and(|seen| seen > own) {
                wrong.push(format!("{} uses {seen}, which comes after it", file.path));
            }
        }
    }
    none(&wrong);
}

#[test]
fn every_stage_is_declared_once_and_in_order() {
    let stages = stages();
    let flow = [
        "model",
        "input",
        "arch",
        "formats",
        "modules",
        "unwind",
        "symbols",
        "normalize",
        "waits",
        "cluster",
        "rules",
        "diagnosis",
        "check",
        "redact",
        "report",
        "pipeline",
        "config",
        "cli",
    ];
    assert_eq!(stages, flow, "the order of the data flow, as docs/ARCHITECTURE.md draws it");
}

#[test]
fn files_can_be_read_in_one_sitting() {
    let lines = |file: &SourceFile| file.text.lines().count();
    let long = |file: &&SourceFile| lines(file) > LINES && !LONGER.contains(&file.path.as_str());
    let wrong: Vec<String> = source::everything()
        .iter()
        .filter(long)
        .map(|file| format!("{} has {} lines, more than {LINES}", file.path, lines(file)))
        .collect();
    none(&wrong);
}

#[test]
fn unsafe_code_stands_where_files_are_mapped_and_the_allocator_is_chosen() {
    nobody_uses(&["unsafe"], |file| !["src/input/map.rs", "src/main.rs"].contains(&file.path.as_str()));
}

#[test]
fn only_the_command_line_prints() {
    let words = ["println!", "print!", "eprintln!", "eprint!", "dbg!", "stdout()", "stderr()"];
    nobody_uses(&words, |file| file.stage() != "cli");
}

#[test]
fn only_named_stages_touch_files() {
    let words = ["fs::", "std::fs", "File::open", "rustix::", "memmap2", "tempfile::"];
    nobody_uses(&words, |file| !["input", "modules", "cli"].contains(&file.stage()));
}

#[test]
fn nothing_is_run_and_nothing_is_fetched() {
    nobody_uses(&["process::Command", "Command::new", "std::net", "TcpStream", "UdpSocket"], |_| true);
}

/// Two runs over the same bytes could differ by these.
#[test]
fn no_clock_and_no_random_order_reaches_a_report() {
    nobody_uses(&["Instant::now", "SystemTime::now", "Instant;"], |file| file.stage() != "cli");
    nobody_uses(&["collections::HashMap", "collections::HashSet", "RandomState"], |file| {
        !file.path.starts_with("src/normalize/tables/")
    });
}

/// What a dump holds is unknown, so that there is nothing to unwrap: it is read, or it is a gap.
#[test]
fn nothing_is_asserted_about_bytes_of_strangers() {
    let words =
        [".unwrap()", ".expect(", "panic!", "todo!", "unimplemented!", "unreachable!", "unwrap_unchecked"];
    nobody_uses(&words, |file| READERS.contains(&file.stage()));
}

/// The stages, as `src/lib.rs` declares them.
fn stages() -> Vec<String> {
    let lib = include_str!("../src/lib.rs");
    let names = lib.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';'));
    names.map(str::to_owned).collect()
}

/// The first names of all paths that begin with `crate::`, groups in braces included.
fn stages_in(code: &str) -> Vec<String> {
    let mut seen = Vec::new();
    for (at, start) in code.match_indices("crate::") {
        let path = &code[at + start.len()..];
        let first =
            |text: &str| text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
        match path.strip_prefix('{') {
            None => seen.push(first(path)),
            Some(group) => {
                let mut depth = 0;
                let end = group.find(|c| {
                    depth += i32::from(c == '{') - i32::from(c == '}');
                    depth < 0
                });
                let mut depth = 0;
                let top = |c: char| {
                    depth += i32::from(c == '{') - i32::from(c == '}');
                    c == ',' && depth == 0
                };
                seen.extend(group[..end.unwrap_or(group.len())].split(top).map(|part| first(part.trim())));
            }
        }
    }
    seen
}

fn sources() -> Vec<SourceFile> {
    let files = source::all();
    assert!(files.len() > 100 && Path::new(env!("CARGO_MANIFEST_DIR")).join("src").is_dir());
    files
}

/// Fails with every line outside of tests that uses one of the words in a file that must not.
fn nobody_uses(words: &[&str], must_not: impl Fn(&SourceFile) -> bool) {
    let files = sources();
    let wrong: Vec<String> = files.iter().filter(|f| must_not(f)).flat_map(|f| f.uses(words)).collect();
    none(&wrong);
}

fn none(wrong: &[String]) {
    assert!(wrong.is_empty(), "{} places:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn groups_of_paths_are_seen() {
    let code = "use crate::{rules::{a, b}, waits};\nuse crate::model::X; crate::cli::run()";
    assert_eq!(stages_in(code), ["rules", "waits", "model", "cli"]);
}
