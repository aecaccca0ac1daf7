//! A process: who waits for whom, its clusters, what is missing.

use super::graph::Graph;
use super::markup::Html;
use super::{answer, clusters, header, icicle, layout, missing, svg};
use crate::report::View;
use crate::report::document::{Document, Snapshot};
use crate::report::wait_graph::{Detail, WaitGraph};

/// Bytes that the clusters of all snapshots together may take. Beside the rest this keeps a page of 32,767
/// threads below 1.5 MB, whatever they do.
const ROOM: usize = 800_000;
/// Bytes that each snapshot gets, however many there are.
const LEAST: usize = 20_000;

/// All snapshots.
pub fn list(document: &Document<'_>, view: &View, html: &mut Html) {
    let several = document.snapshots.len() > 1;
    if several {
        html.raw("<section id=\"snapshots\">\n<h2>Snapshots <span class=\"count\">");
        html.show(document.snapshots.len()).raw("</span></h2>\n");
    }
    let room = match view.show_all {
        true => usize::MAX,
        false => (ROOM / document.snapshots.len().max(1)).max(LEAST),
    };
    let worst = document.findings.first().map_or(0, |f| f.snapshot);
    for (n, snapshot) in document.snapshots.iter().enumerate() {
        if several {
            html.raw("<details class=\"snapshot\" id=\"s").show(n + 1);
            html.raw(if n == worst { "\" open><summary><h3>" } else { "\"><summary><h3>" })
                .show(n + 1)
                .raw(" ");
            html.text(header::of_snapshot(snapshot).join(" · ")).raw("</h3></summary>\n");
            answer::facts(snapshot, &View { elapsed_ms: None, ..*view }, html);
            answer::states(std::slice::from_ref(snapshot), html);
        }
        one(document, snapshot, n + 1, view, room, html);
        if several {
            html.raw("</details>\n");
        }
    }
    if several {
        html.raw("</section>\n");
    }
}

fn one(
    document: &Document<'_>,
    snapshot: &Snapshot<'_>,
    number: usize,
    view: &View,
    room: usize,
    html: &mut Html,
) {
    wait_graph(document, snapshot, number, view, html);
    clusters::write(snapshot, number, room, html);
    icicle::write(snapshot, number, html);
    missing::gaps(snapshot, number, html);
}

fn wait_graph(document: &Document<'_>, snapshot: &Snapshot<'_>, number: usize, view: &View, html: &mut Html) {
    let detail = if view.show_all { Detail::POSTER } else { Detail::PAGE };
    let waits = WaitGraph::of(document, number - 1, detail);
    let graph = Graph::of(&waits);
    html.raw("<section class=\"graph\" id=\"s").show(number).raw("-graph\">\n<h2>Wait graph</h2>\n");
    if graph.nodes.is_empty() {
        html.raw("<p>No thread waits for a lock or for a thread that is stuck.");
        left_out(&waits, html);
        html.raw("</p>\n</section>\n");
        return;
    }
    let drawing = layout::of(&graph);
    html.raw("<figure>\n<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Wait graph\">\n");
    svg::write(&graph, &drawing, number, html);
    html.raw(
        "</div>\n<figcaption>Who waits for whom: an arrow leads from who waits to what is awaited, and ",
    );
    html.raw("from a lock to its holder. Dashed: inferred.");
    left_out(&waits, html);
    html.raw("</figcaption>\n</figure>\n");
    svg::in_words(snapshot, number, html);
    html.raw("</section>\n");
}

fn left_out(waits: &WaitGraph<'_>, html: &mut Html) {
    if let Some(words) = waits.left_out() {
        html.raw(" ").text(words).raw(".");
    }
}
