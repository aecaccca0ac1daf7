//! The guide of a rule is the doc comment of its file: `docs/rules/RULE.md` and what `logjam explain RULE`
//! prints are the same text. `LOGJAM_BLESS=1 cargo test --test rule_docs` writes the Markdown anew.

use std::fs;
use std::path::{Path, PathBuf};

use logjam::rules::{RULES, Rule};

/// The headings of every guide, in this order.
const HEADINGS: &[&str] = &[
    "What it finds",
    "Why it matters",
    "What counts as proof",
    "Confirm",
    "Mitigate",
    "Escalate",
    "False alarms",
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn source_of(rule: &Rule) -> PathBuf {
    root().join("src/rules").join(format!("{}.rs", rule.id.id().replace('-', "_")))
}

fn page_of(rule: &Rule) -> PathBuf {
    root().join("docs/rules").join(format!("{}.md", rule.id.id()))
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// The text of the `//!` lines at the top of a file.
fn doc_comment(source: &str) -> String {
    let lines = source.lines().map_while(|line| line.strip_prefix("//!"));
    lines.map(|line| format!("{}\n", line.strip_prefix(' ').unwrap_or(line))).collect()
}

#[test]
fn every_guide_is_the_doc_comment_of_its_rule() {
    let is_blessing = std::env::var_os("LOGJAM_BLESS").is_some_and(|v| v == "1");
    for rule in RULES {
        let (source, page) = (source_of(rule), page_of(rule));
        let doc = doc_comment(&read(&source));
        assert!(!doc.is_empty(), "{} does not begin with its guide", source.display());
        if is_blessing {
            fs::write(&page, &doc).unwrap_or_else(|e| panic!("{}: {e}", page.display()));
            // The program has the text of the time when it was compiled.
            continue;
        }
        let help = "run LOGJAM_BLESS=1 cargo test --test rule_docs";
        assert!(read(&page) == doc, "{} is not what {} says; {help}", page.display(), source.display());
        assert!(rule.guide == doc, "`explain {}` prints another text than its file has", rule.id.id());
    }
}

#[test]
fn every_guide_has_the_same_headings() {
    for rule in RULES {
        let doc = doc_comment(&read(&source_of(rule)));
        let mut lines = doc.lines();
        assert_eq!(lines.next(), Some(format!("# {}", rule.id.id()).as_str()));
        let headings: Vec<&str> = lines.filter_map(|line| line.strip_prefix("## ")).collect();
        assert_eq!(headings, HEADINGS, "{}", rule.id.id());
    }
}

#[test]
fn no_page_is_left_of_a_rule_that_is_gone() {
    let pages = fs::read_dir(root().join("docs/rules")).expect("docs/rules");
    for page in pages.map(|page| page.expect("an entry").path()) {
        assert!(RULES.iter().any(|rule| page_of(rule) == page), "{} belongs to no rule", page.display());
    }
}
