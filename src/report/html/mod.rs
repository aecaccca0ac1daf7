//! The page: one file for a browser, which asks for nothing. The answer first, the findings with what they stand
//! on, then each process: who waits for whom, its clusters as a table and as an icicle graph, and what is missing.
//!
//! Without JavaScript the page is whole but for sorting, searching and the icicle graph. The
//! Content-Security-Policy names the style sheet and the script by their hash: nothing else on the page can run,
//! even if text of a dump should find a way around the escaping of [`markup`].

mod answer;
mod clusters;
mod evidence;
mod finding;
mod graph;
mod guide;
mod icicle;
mod layout;
mod markup;
mod missing;
mod ranges;
mod snapshot;
mod stack;
mod svg;
mod threads;

#[cfg(test)]
mod tests;

use std::io::{self, Write};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

use super::text::{finding as said, header, links, words};
use super::{Document, View};
use markup::Html;

/// The style sheet.
const STYLE: &str = include_str!("page.css");
/// The script: sorting, searching, the icicle graph, the theme.
const SCRIPT: &str = include_str!("page.js");

/// Writes the page.
pub fn write(document: &Document<'_>, view: &View, out: &mut dyn Write) -> io::Result<()> {
    let mut html = Html::new();
    head(document, &mut html);
    html.raw("<body>\n<a class=\"skip\" href=\"#findings\">Skip to the findings</a>\n<div class=\"page\">\n");
    bar(document, &mut html);
    html.raw("<main>\n");
    answer::write(document, view, &mut html);
    finding::list(document, view, &mut html);
    snapshot::list(document, view, &mut html);
    missing::failed_inputs(document, &mut html);
    html.raw("</main>\n");
    foot(document, &mut html);
    html.raw("</div>\n<script>").verbatim(SCRIPT).raw("</script>\n</body>\n</html>\n");
    out.write_all(html.as_str().as_bytes())?;
    out.flush()
}

fn head(document: &Document<'_>, html: &mut Html) {
    html.raw("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n");
    html.raw("<meta http-equiv=\"Content-Security-Policy\" content=\"");
    html.raw("default-src 'none'; img-src data:; base-uri 'none'; form-action 'none'; style-src 'sha256-");
    html.text(hash(STYLE)).raw("'; script-src 'sha256-").text(hash(SCRIPT)).raw("'\">\n");
    html.raw("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n");
    html.raw("<meta name=\"color-scheme\" content=\"light dark\">\n<meta name=\"referrer\" content=\"no-referrer\">\n");
    // Without an icon of its own a page on a server asks for /favicon.ico.
    html.raw("<link rel=\"icon\" href=\"data:,\">\n<title>");
    html.text(words::shortened(&document.verdict.headline, 120)).raw(" · ").text(document.tool.name);
    html.raw("</title>\n<style>").verbatim(STYLE).raw("</style>\n</head>\n");
}

fn hash(text: &str) -> String {
    STANDARD.encode(Sha256::digest(text))
}

/// What stays in sight: the tool, the ways into the page, the theme.
fn bar(document: &Document<'_>, html: &mut Html) {
    html.raw("<header class=\"bar\">\n<p class=\"brand\">").text(document.tool.name);
    html.raw(" <span class=\"dim\">").text(document.tool.version).raw("</span></p>\n");
    html.raw("<nav aria-label=\"Parts of the page\"><ul>\n<li><a href=\"#findings\">Findings</a></li>\n");
    if let Some(first) = document.snapshots.first() {
        if document.snapshots.len() > 1 {
            html.raw("<li><a href=\"#snapshots\">Snapshots</a></li>\n");
        } else {
            html.raw("<li><a href=\"#s1-graph\">Wait graph</a></li>\n");
            html.raw("<li><a href=\"#s1-clusters\">Clusters</a></li>\n");
            html.raw("<li><a href=\"#s1-icicle\">Stacks</a></li>\n");
            if !first.gaps.is_empty() {
                html.raw("<li><a href=\"#s1-gaps\">Gaps</a></li>\n");
            }
        }
    }
    html.raw("</ul></nav>\n<button type=\"button\" id=\"theme\" hidden>Dark</button>\n</header>\n");
}

fn foot(document: &Document<'_>, html: &mut Html) {
    html.raw("<footer>\n<p>Made by ").text(document.tool.name).raw(" ").text(document.tool.version);
    html.raw(". This file is complete: it loads nothing and sends nothing. ");
    html.raw("All threads one by one are in the JSON report (<code>--format json</code>).</p>\n");
    if !document.redacted.is_empty() {
        html.raw("<p>Removed from this report: ").text(document.redacted.join(", ")).raw(".</p>\n");
    }
    html.raw("</footer>\n");
}
