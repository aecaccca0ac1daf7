//! Shows a rule's guide at a terminal. The guides are plain Markdown: headings, paragraphs, lists, blocks of
//! code, and inside a line `code`, **strong** and *emphasized* text. Anything else is shown as it is.

use std::io::{self, BufWriter, Write};

use super::View;
use super::text::{Page, Style, Text};

/// A block of the guide.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Block {
    /// Its level and text.
    Heading(usize, String),
    /// Lines joined by spaces.
    Paragraph(String),
    /// Its mark (`-`, `2.`) and lines joined by spaces.
    Item(String, String),
    /// Lines as they are.
    Code(Vec<String>),
}

/// Writes a guide. Code is not wrapped unless it is wider than the page: it is there to be copied.
pub fn render(markdown: &str, view: &View, out: &mut dyn Write) -> io::Result<()> {
    let mut out = BufWriter::new(out);
    let mut page = Page::new(&mut out, view.width, view.color);
    let blocks = blocks(markdown);
    for (n, block) in blocks.iter().enumerate() {
        let before = n.checked_sub(1).map(|n| &blocks[n]);
        let is_list = matches!((before, block), (Some(Block::Item(..)), Block::Item(..)));
        let is_under_heading = matches!(before, Some(Block::Heading(level, _)) if *level > 1);
        if before.is_some() && !is_list && !is_under_heading {
            page.blank()?;
        }
        match block {
            Block::Heading(1, text) => page.paragraph(Text::new(), &Text::new().styled(Style::Bold, text))?,
            Block::Heading(_, text) => {
                page.paragraph(Text::new(), &Text::new().styled(Style::Bold, text.to_uppercase()))?;
            }
            Block::Paragraph(text) => page.paragraph(Text::from("  "), &inline(text))?,
            Block::Item(mark, text) => page.paragraph(Text::from(format!("  {mark} ")), &inline(text))?,
            Block::Code(lines) => code(lines, &mut page)?,
        }
    }
    out.flush()
}

fn code(lines: &[String], page: &mut Page<'_>) -> io::Result<()> {
    for line in lines {
        let text = Text::from("      ").styled(Style::Cyan, line);
        match text.width() <= page.width() {
            true => page.line(text)?,
            false => page.paragraph(Text::from("      "), &Text::new().styled(Style::Cyan, line))?,
        }
    }
    Ok(())
}

/// The blocks of a guide.
pub(super) fn blocks(markdown: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut lines = markdown.lines();
    let mut is_open = false;
    while let Some(line) = lines.next() {
        let text = line.trim();
        let hashes = text.bytes().take_while(|&b| b == b'#').count();
        if text.starts_with("```") {
            let code = lines.by_ref().take_while(|line| line.trim() != "```").map(str::to_owned);
            blocks.push(Block::Code(code.collect()));
            is_open = false;
        } else if text.is_empty() {
            is_open = false;
        } else if (1..=6).contains(&hashes) && text[hashes..].starts_with(' ') {
            blocks.push(Block::Heading(hashes, text[hashes..].trim().to_owned()));
            is_open = false;
        } else if let Some((mark, rest)) = item(text) {
            blocks.push(Block::Item(mark.to_owned(), rest.to_owned()));
            is_open = true;
        } else {
            match blocks.last_mut() {
                Some(Block::Paragraph(known) | Block::Item(_, known)) if is_open => {
                    known.push(' ');
                    known.push_str(text);
                }
                _ => blocks.push(Block::Paragraph(text.to_owned())),
            }
            is_open = true;
        }
    }
    blocks
}

/// `- text` and `2. text`: the mark and the text.
fn item(line: &str) -> Option<(&str, &str)> {
    let (mark, rest) = line.split_once(' ')?;
    let is_number =
        mark.strip_suffix('.').is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()));
    (mark == "-" || is_number).then_some((mark, rest))
}

/// The styles inside a line. A mark without its twin is text.
pub(super) fn inline(text: &str) -> Text {
    let mut out = Text::new();
    let mut rest = text;
    while let Some(at) = rest.find(['`', '*']) {
        let (before, marked) = rest.split_at(at);
        let (mark, style) = match marked.as_bytes() {
            [b'`', ..] => ("`", Style::Cyan),
            [b'*', b'*', ..] => ("**", Style::Bold),
            _ => ("*", Style::Bold),
        };
        let inside = &marked[mark.len()..];
        let Some((inside, after)) = inside.split_once(mark).filter(|(inside, _)| !inside.is_empty()) else {
            out = out.plain(&rest[..at + mark.len()]);
            rest = inside;
            continue;
        };
        out = out.plain(before).styled(style, inside);
        rest = after;
    }
    out.plain(rest)
}
