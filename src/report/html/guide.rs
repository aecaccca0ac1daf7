//! A rule's guide, whole. Guides are ours and plain Markdown: see [`explain`](crate::report::explain).

use super::markup::Html;
use crate::report::explain::{Block, blocks, inline};
use crate::rules::{self, RuleId};

/// The guide, folded.
pub fn write(rule: RuleId, html: &mut Html) {
    let Some(row) = rules::find(rule.id()) else { return };
    html.raw("<details class=\"guide\" id=\"guide-").raw(rule.id()).raw("\"><summary>Guide: ").raw(rule.id());
    html.raw("</summary>\n");
    let blocks = blocks(row.guide);
    // The list that is open: an item without one begins it, any other block ends it.
    let mut open: Option<&'static str> = None;
    for block in &blocks {
        let wanted = match block {
            Block::Item(mark, _) if mark == "-" => Some("ul"),
            Block::Item(..) => Some("ol"),
            _ => None,
        };
        if open != wanted {
            close(open, html);
            match wanted {
                Some("ul") => drop(html.raw("<ul>\n")),
                Some(_) => drop(html.raw("<ol>\n")),
                None => {}
            }
            open = wanted;
        }
        match block {
            // The summary has the guide's title.
            Block::Heading(1, _) => {}
            Block::Heading(_, text) => drop(html.raw("<h4>").text(text).raw("</h4>\n")),
            Block::Paragraph(text) => drop(html.raw("<p>").styled(&inline(text)).raw("</p>\n")),
            Block::Item(_, text) => drop(html.raw("<li>").styled(&inline(text)).raw("</li>\n")),
            Block::Code(lines) => {
                html.raw("<pre tabindex=\"0\">");
                for line in lines {
                    html.text(line).raw("\n");
                }
                html.raw("</pre>\n");
            }
        }
    }
    close(open, html);
    html.raw("</details>\n");
}

fn close(open: Option<&'static str>, html: &mut Html) {
    match open {
        Some("ul") => drop(html.raw("</ul>\n")),
        Some(_) => drop(html.raw("</ol>\n")),
        None => {}
    }
}
