//! The guides: every rule has one, they have one form, and they fit a terminal.

use std::path::{Path, PathBuf};

use serde_json::Value;
use unicode_width::UnicodeWidthStr;

use crate::report::{View, explain};
use crate::rules::RuleId;

/// The sections of a guide, in order.
const SECTIONS: [&str; 7] = [
    "What it finds",
    "Why it matters",
    "What counts as proof",
    "Confirm",
    "Mitigate",
    "Escalate",
    "False alarms",
];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/rules")
}

/// Every id of [`RuleId`], as the schema lists them.
fn ids() -> Vec<String> {
    let schema = schemars::schema_for!(RuleId).to_value();
    let Value::Array(choices) = &schema["oneOf"] else { panic!("{schema}") };
    choices.iter().map(|choice| choice["const"].as_str().unwrap().to_owned()).collect()
}

fn guide(id: &str) -> String {
    let path = folder().join(format!("{id}.md"));
    std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

fn rendered(markdown: &str, width: usize, color: bool) -> String {
    let mut out = Vec::new();
    explain::render(markdown, &View { width, color, ..View::default() }, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn each_rule_has_a_guide_and_each_guide_a_rule() {
    let mut known: Vec<String> = ids().iter().map(|id| format!("{id}.md")).collect();
    let names = std::fs::read_dir(folder()).unwrap().map(|f| f.unwrap().file_name().into_string().unwrap());
    let mut files: Vec<String> = names.collect();
    known.sort();
    files.sort();
    assert_eq!(known, files);
}

#[test]
fn guides_have_one_form() {
    for id in ids() {
        let text = guide(&id);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], format!("# {id}"));
        assert!(lines[1].is_empty() && !lines[2].is_empty(), "{id}: a summary");
        let sections: Vec<_> = lines.iter().filter_map(|line| line.strip_prefix("## ")).collect();
        assert_eq!(sections, SECTIONS, "{id}");
        assert!((40..=80).contains(&lines.len()), "{id}: {} lines", lines.len());
        for word in ["certain", "sh"] {
            assert!(text.contains(word), "{id}: {word}");
        }
    }
}

/// A guide is a doc comment too: rustdoc takes code of an unnamed language for Rust.
#[test]
fn code_names_its_language_and_fits_a_terminal() {
    for id in ids() {
        let mut is_code = false;
        for line in guide(&id).lines() {
            if let Some(language) = line.trim().strip_prefix("```") {
                assert_eq!(language, if is_code { "" } else { "sh" }, "{id}");
                is_code = !is_code;
            } else if is_code {
                assert!(line.width() <= 74, "{id}: {line}");
            } else {
                assert!(line.width() <= 110, "{id}: {line}");
            }
        }
        assert!(!is_code, "{id}: a block of code that does not end");
    }
}

#[test]
fn guides_fit_the_width_and_lose_no_word() {
    let bare = |text: &str| text.replace(['`', '*', '#'], "").to_lowercase();
    for id in ids() {
        let text = guide(&id);
        for width in [40, 80, 120] {
            let shown = rendered(&text, width, false);
            assert!(shown.lines().all(|line| line.width() <= width), "{id} at {width}");
            assert!(!shown.contains('\u{1b}') && !shown.contains("```"));
        }
        let shown = bare(&rendered(&text, 120, false));
        for word in bare(&text).split_whitespace().filter(|word| *word != "sh") {
            assert!(shown.contains(word), "{id}: {word}");
        }
        assert!(rendered(&text, 80, true).contains("\u{1b}[1mWHAT IT FINDS\u{1b}[0m"));
    }
}

#[test]
fn markdown_becomes_lines() {
    let markdown = "# a-rule\n\nOne *two*\nthree.\n\n## Confirm\n\n- an item that\n  goes on with `code`\n- 5 * 3\n\n\
                    1. first\n\n```sh\ngdb  -p 1\n```\nend";
    let expected = "a-rule\n\n  One two three.\n\nCONFIRM\n  - an item that goes on with code\n  - 5 * 3\n  \
                    1. first\n\n      gdb  -p 1\n\n  end\n";
    assert_eq!(rendered(markdown, 80, false), expected);
    assert_eq!(rendered("", 80, false), "");
    assert_eq!(rendered("a\u{1b}[2J", 80, false), "  a\\x1b[2J\n");
}

/// With `LOGJAM_SHOW=1` and `--nocapture`: for the eye.
#[test]
fn show() {
    if std::env::var_os("LOGJAM_SHOW").is_some() {
        println!("{}", rendered(&guide("lock-contention"), 80, false));
    }
}
