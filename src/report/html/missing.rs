//! What the page does not know: gaps of a snapshot, inputs that were not analyzed.

use super::markup::Html;
use super::words;
use crate::report::document::{Document, Gap, Snapshot};

/// What could not be read of a snapshot.
pub fn gaps(snapshot: &Snapshot<'_>, number: usize, html: &mut Html) {
    if snapshot.gaps.is_empty() {
        return;
    }
    html.raw("<section class=\"gaps\" id=\"s").show(number).raw("-gaps\">\n<h3>Gaps</h3>\n");
    html.raw("<p class=\"dim\">What could not be read or was not understood.</p>\n<ul class=\"plain\">\n");
    for gap in &snapshot.gaps {
        html.raw("<li><span class=\"tag\">").text(words::id_of(&gap.kind)).raw("</span> <div>");
        html.long(gap.message).raw(" <span class=\"dim\">").text(times(gap)).raw("</span></div></li>\n");
    }
    html.raw("</ul>\n</section>\n");
}

/// `12 times, the first at byte 4,096`.
fn times(gap: &Gap<'_>) -> String {
    match (gap.count, gap.offset) {
        (0 | 1, None) => String::new(),
        (0 | 1, Some(at)) => format!("at byte {}", words::count(at)),
        (n, None) => format!("{} times", words::count(n)),
        (n, Some(at)) => format!("{} times, the first at byte {}", words::count(n), words::count(at)),
    }
}

/// The inputs of which nothing else on the page speaks.
pub fn failed_inputs(document: &Document<'_>, html: &mut Html) {
    let failed: Vec<_> = document.failed_inputs().collect();
    if failed.is_empty() {
        return;
    }
    html.raw("<section class=\"failed\" id=\"failed\">\n<h2>Not analyzed</h2>\n<p class=\"dim\">");
    html.show(failed.len()).raw(" of ").text(words::counted(document.inputs.len() as u64, "input"));
    html.raw("</p>\n<ul class=\"plain\">\n");
    for input in failed {
        html.raw("<li><div><b>").text(words::shortened(input.path, 200)).raw("</b></div> <div>");
        html.long(input.error.unwrap_or("failed")).raw("</div></li>\n");
    }
    html.raw("</ul>\n</section>\n");
}
