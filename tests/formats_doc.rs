//! `docs/formats.md` is made of the table of formats: `LOGJAM_BLESS=1 cargo test --test formats_doc` writes it anew.

use std::fmt::Write;
use std::path::Path;

use logjam::formats::{FORMATS, Format, Reader};

#[test]
fn the_page_says_what_the_table_says() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/formats.md");
    let page = page();
    if std::env::var_os("LOGJAM_BLESS").is_some_and(|v| v == "1") {
        std::fs::write(&path, &page).expect("docs/formats.md");
    }
    let written = std::fs::read_to_string(&path).expect("docs/formats.md");
    assert!(
        written == page,
        "docs/formats.md is out of date: run LOGJAM_BLESS=1 cargo test --test formats_doc"
    );
}

#[test]
fn every_format_says_what_it_cannot() {
    for (n, format) in FORMATS.iter().enumerate() {
        let about = &format.about;
        for text in [about.producer, about.reads, about.never, about.capture, format.name, format.looked_for]
        {
            assert!(text.len() > 3 && !text.ends_with('.'), "{}: {text:?}", format.id.id());
        }
        assert!(FORMATS[n + 1..].iter().all(|other| other.id != format.id), "{} twice", format.id.id());
    }
}

fn page() -> String {
    let mut page = String::from(INTRODUCTION);
    page.push_str("| id | what it is | known by |\n|---|---|---|\n");
    for format in FORMATS {
        let (id, name, looked_for) = (format.id.id(), format.name, cell(format.looked_for));
        writeln!(page, "| [`{id}`](#{id}) | {name} | {looked_for} |").expect("a text");
    }
    for format in FORMATS {
        section(&mut page, format);
    }
    page
}

fn section(page: &mut String, format: &Format) {
    let about = &format.about;
    let place = match format.reader {
        Reader::Binary { .. } => "The whole file is one dump.",
        Reader::Lines { .. } => "The whole file, without anything else in it: it has no header.",
        Reader::Text { .. } => "Anywhere in a file, behind prefixes, several of them too.",
    };
    writeln!(
        page,
        "\n## {}\n\n**Written by** {}. {place}\n\n**Read:** {}.\n\n**Never said:** {}.\n\n**To make one:** {}.",
        format.id.id(),
        about.producer,
        about.reads,
        about.never,
        about.capture
    )
    .expect("a text");
}

/// A text as a cell of a table.
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

const INTRODUCTION: &str = "\
# Formats

What logjam reads. This page is made of the table in `src/formats/mod.rs`; `logjam formats` prints the same, and
`logjam formats --format json` gives it to a program.

A format is known by what stands in a file and never by a file's name. One pass over the file finds the headers of
all text formats, so a log may hold several dumps of several kinds, each behind the time stamps of a log, the quotes of a
mail or in the JSON lines of a container, in UTF-8 or UTF-16, with CRLF and with the colours of a terminal. Where two
formats claim the same lines, the one with more headers has them, and where both have as many the report says so.
`--input-format ID` reads every input as one format.

What a text says is *reported*, never *read*. Lines and fields that are not known (of a newer release, or of a log in between)
are passed over, counted, and the first is shown among the gaps of the report.

";
