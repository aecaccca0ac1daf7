//! The source of the program as text, for tests of its architecture.

use std::fs;
use std::path::{Path, PathBuf};

/// One source file.
pub struct SourceFile {
    /// Relative to the repository, with `/`: `src/waits/spin.rs`.
    pub path: String,
    /// As it is.
    pub text: String,
    /// The same lines without comments, string contents and tests, so that words found in it are code.
    pub code: String,
}

impl SourceFile {
    /// The folder or file below `src` that it belongs to: `waits`, `pipeline`.
    pub fn stage(&self) -> &str {
        let inside = self.path.strip_prefix("src/").unwrap_or(&self.path);
        inside.split(['/', '.']).next().unwrap_or_default()
    }

    /// The lines of code that contain a word, with their numbers, unless a comment on the line or on the one
    /// before says why that `cannot` or will `never` matter.
    pub fn uses<'a>(&'a self, words: &'a [&'a str]) -> impl Iterator<Item = String> + 'a {
        let excused = |n: usize| {
            let comment = |n: usize| {
                let (_, comment) = self.text.lines().nth(n)?.split_once("// ")?;
                Some(comment.contains("cannot") || comment.contains("never"))
            };
            comment(n) == Some(true) || n.checked_sub(1).and_then(comment) == Some(true)
        };
        let lines = self.code.lines().enumerate();
        let found = lines.filter(move |(n, line)| words.iter().any(|w| has_word(line, w)) && !excused(*n));
        found.map(|(n, line)| format!("{}:{}: {}", self.path, n + 1, line.trim()))
    }
}

/// Whether the word stands in the line, not as the end of a longer one.
fn has_word(line: &str, word: &str) -> bool {
    line.match_indices(word).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        !word.starts_with(char::is_alphanumeric) || !before.is_some_and(|c| c.is_alphanumeric() || c == '_')
    })
}

/// All files below `src`, without those that are only compiled for tests.
pub fn all() -> Vec<SourceFile> {
    let mut files = everything();
    let tests: Vec<String> = files.iter().flat_map(test_modules).collect();
    let is_of = |path: &str, module: &String| {
        path.strip_prefix(module.as_str()).is_some_and(|rest| rest == ".rs" || rest.starts_with('/'))
    };
    files.retain(|file| !tests.iter().any(|module| is_of(&file.path, module)));
    files
}

/// All files below `src`.
pub fn everything() -> Vec<SourceFile> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut paths = Vec::new();
    collect(&root.join("src"), &mut paths);
    paths.sort();
    let name = |path: &Path| {
        let inside = path.strip_prefix(root).expect("below the repository");
        inside.to_str().expect("a plain name").replace('\\', "/")
    };
    paths
        .iter()
        .map(|path| {
            let text = fs::read_to_string(path).expect("readable source");
            SourceFile { path: name(path), code: without_tests(&without_comments(&text)), text }
        })
        .collect()
}

fn collect(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a readable folder") {
        let path = entry.expect("an entry").path();
        match path.is_dir() {
            true => collect(&path, found),
            false if path.extension().is_some_and(|e| e == "rs") => found.push(path),
            false => {}
        }
    }
}

/// The paths without `.rs` of modules that stand as `#[cfg(test)] mod name;` in a file.
fn test_modules(file: &SourceFile) -> Vec<String> {
    let own = file.path.strip_suffix(".rs").expect("a source file");
    let folder = own.strip_suffix("/mod").or(own.strip_suffix("/lib")).unwrap_or(own);
    let mut lines = file.text.lines().map(str::trim);
    let mut found = Vec::new();
    while let Some(line) = lines.next() {
        if line != "#[cfg(test)]" {
            continue;
        }
        let declared =
            lines.next().unwrap_or_default().trim_start_matches("pub ").trim_start_matches("pub(super) ");
        if let Some(name) = declared.strip_prefix("mod ").and_then(|rest| rest.strip_suffix(';')) {
            found.push(format!("{folder}/{name}"));
        }
    }
    found
}

/// Code up to the tests at the end of a file; the lines stay as many.
fn without_tests(code: &str) -> String {
    let at = code
        .match_indices("#[cfg(test)]\nmod ")
        .find(|(at, _)| code[*at..].lines().nth(1).is_some_and(|line| line.ends_with('{')));
    at.map_or(code, |(at, _)| &code[..at]).to_owned()
}

/// The same lines with comments and the contents of string literals left out.
fn without_comments(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let length = match c {
            '/' if rest.starts_with("//") => rest.find('\n').unwrap_or(rest.len()),
            '/' if rest.starts_with("/*") => rest.find("*/").map_or(rest.len(), |at| at + 2),
            '"' => string_length(rest),
            'r' if rest.starts_with("r\"") || rest.starts_with("r#\"") => {
                let is_raw = !out.ends_with(|c: char| c.is_alphanumeric() || c == '_') || out.ends_with('b');
                let end = if rest.starts_with("r#") { "\"#" } else { "\"" };
                let from = rest.find('"').expect("it starts with one") + 1;
                match is_raw {
                    true => rest[from..].find(end).map_or(rest.len(), |at| from + at + end.len()),
                    false => 1,
                }
            }
            '\'' => char_length(rest),
            _ => {
                out.push(c);
                rest = &rest[c.len_utf8()..];
                continue;
            }
        };
        out.extend(rest[..length].chars().filter(|&c| c == '\n'));
        rest = &rest[length..];
    }
    out
}

fn string_length(text: &str) -> usize {
    let bytes = text.as_bytes();
    let mut at = 1;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += 2,
            b'"' => return at + 1,
            _ => at += 1,
        }
    }
    bytes.len()
}

/// The length of a character literal, or 1 for the quote of a lifetime.
fn char_length(text: &str) -> usize {
    let mut chars = text.char_indices().skip(1);
    match chars.next() {
        Some((_, '\\')) => text[3..].find('\'').map_or(1, |at| at + 4),
        _ => match chars.next() {
            Some((at, '\'')) => at + 1,
            _ => 1,
        },
    }
}

#[test]
fn only_code_is_left() {
    let text = "let a = \"unsafe \\\" x\"; // unsafe\nlet b = r#\"unsafe \" x\"#; /* unsafe\n */ let c: &'static str;\nlet d = ['\"', '\\'', '\\u{1b}', 'u'];\n";
    let code = without_comments(text);
    assert!(!code.contains("unsafe"), "{code}");
    assert!(code.contains("let c: &static str;") && code.contains("let d = [, , , ];"), "{code}");
    assert_eq!(code.lines().count(), 4);
}
