//! A wait graph as SVG, and the same in words.

use std::fmt::Write;

use unicode_width::UnicodeWidthStr;

use super::finding::cluster_link;
use super::graph::{Edge, Graph, Kind, Node};
use super::layout::{Drawing, HEIGHT, WIDTH};
use super::markup::Html;
use super::{said, threads, words};
use crate::model::escape_terminal;
use crate::report::document::{Lock, Snapshot};
use crate::report::text::head;

/// Characters of a box's first line.
const TITLE: usize = 26;
/// Characters of its further lines, which are smaller.
const LINE: usize = 31;
/// Locks that are listed.
const LOCKS: usize = 100;
/// Groups of waiters of a lock that are listed.
const GROUPS: usize = 6;

/// The drawing.
pub fn write(graph: &Graph, drawing: &Drawing, number: usize, html: &mut Html) {
    html.raw("<svg class=\"wait\" role=\"img\" aria-label=\"").text(spoken(graph)).raw("\" width=\"");
    html.show(drawing.width).raw("\" height=\"").show(drawing.height).raw("\" viewBox=\"0 0 ");
    html.show(drawing.width).raw(" ").show(drawing.height).raw("\">\n<defs>");
    for (id, class) in [("a", "tip"), ("r", "tip ring")] {
        html.raw("<marker id=\"").raw(id).show(number).raw("\" class=\"").raw(class);
        html.raw("\" viewBox=\"0 0 8 8\" refX=\"8\" refY=\"4\" markerWidth=\"8\" markerHeight=\"8\" ");
        html.raw("markerUnits=\"userSpaceOnUse\" orient=\"auto\"><path d=\"M0 0 8 4 0 8z\"/></marker>");
    }
    html.raw("</defs>\n");
    for edge in &graph.edges {
        arrow(edge, graph, drawing, number, html);
    }
    for (node, at) in graph.nodes.iter().zip(&drawing.at) {
        boxed(node, *at, html);
    }
    html.raw("</svg>\n");
}

/// The drawing in one sentence.
fn spoken(graph: &Graph) -> String {
    let of = |kind| graph.nodes.iter().filter(|n| n.kind == kind).count() as u64;
    let ring = match graph.rings.len() {
        0 => String::new(),
        _ => format!(" {} of them form a ring.", graph.nodes.iter().filter(|n| n.in_ring).count()),
    };
    format!(
        "{}, {} and {} of waiters.{ring} The list below says the same in words.",
        words::counted(of(Kind::Lock), "lock"),
        words::counted(of(Kind::Thread), "thread"),
        words::counted(of(Kind::Group), "group"),
    )
}

/// Where an arrow leaves a box or enters one, and the way it goes there.
struct Ends {
    from: (f64, f64),
    to: (f64, f64),
    is_upright: bool,
}

impl Ends {
    fn of(edge: &Edge, graph: &Graph, drawing: &Drawing) -> Self {
        let (a, b) = (drawing.at[edge.from], drawing.at[edge.to]);
        // Two boxes that wait for each other have two arrows, side by side.
        let is_double = graph.edges.iter().any(|other| (other.from, other.to) == (edge.to, edge.from));
        let aside = match is_double {
            true if edge.from < edge.to => -12.0,
            true => 12.0,
            false => 0.0,
        };
        let middle = |at: (f64, f64)| (at.0 + WIDTH / 2.0, at.1 + HEIGHT / 2.0);
        let (ma, mb) = (middle(a), middle(b));
        if (a.0 - b.0).abs() < WIDTH {
            let down = if b.1 >= a.1 { 1.0 } else { -1.0 };
            return Self {
                from: (ma.0 + aside, ma.1 + down * HEIGHT / 2.0),
                to: (mb.0 + aside, mb.1 - down * HEIGHT / 2.0),
                is_upright: true,
            };
        }
        let right = if b.0 > a.0 { 1.0 } else { -1.0 };
        Self {
            from: (ma.0 + right * WIDTH / 2.0, ma.1 + aside),
            to: (mb.0 - right * WIDTH / 2.0, mb.1 + aside),
            is_upright: false,
        }
    }
}

fn arrow(edge: &Edge, graph: &Graph, drawing: &Drawing, number: usize, html: &mut Html) {
    let Ends { from, to, is_upright } = Ends::of(edge, graph, drawing);
    let middle = ((from.0 + to.0) / 2.0, (from.1 + to.1) / 2.0);
    html.raw("<path class=\"arrow").raw(if edge.in_ring { " ring" } else { "" });
    html.raw(if edge.is_inferred { " inferred" } else { "" }).raw("\" marker-end=\"url(#");
    html.raw(if edge.in_ring { "r" } else { "a" }).show(number).raw(")\" d=\"M");
    html.show(from.0).raw(" ").show(from.1);
    if from.0 == to.0 || from.1 == to.1 {
        html.raw("L");
    } else {
        let (c, d) = match is_upright {
            true => ((from.0, middle.1), (to.0, middle.1)),
            false => ((middle.0, from.1), (middle.0, to.1)),
        };
        html.raw("C").show(c.0).raw(" ").show(c.1).raw(" ").show(d.0).raw(" ").show(d.1).raw(" ");
    }
    html.show(to.0).raw(" ").show(to.1).raw("\"/>\n");
    // The words stand at the box that waits: there arrows do not meet.
    let (x, y, anchor) = match is_upright {
        true => (middle.0 + 8.0, middle.1 + 4.0, "start"),
        false => (from.0 + (to.0 - from.0).signum() * 40.0, from.1 - 6.0, "middle"),
    };
    html.raw("<text class=\"says\" text-anchor=\"").raw(anchor).raw("\" x=\"").show(x).raw("\" y=\"").show(y);
    html.raw("\">").raw(edge.says).raw("</text>\n");
}

fn boxed(node: &Node, (x, y): (f64, f64), html: &mut Html) {
    let class = match node.kind {
        Kind::Lock => "lock",
        Kind::Thread => "thread",
        Kind::Group => "many",
        Kind::Note => "note",
    };
    html.raw("<g class=\"box ").raw(class).raw(if node.in_ring { " ring" } else { "" });
    html.raw("\" transform=\"translate(").show(x).raw(" ").show(y).raw(")\"><title>").text(&node.title);
    for line in &node.lines {
        html.raw("\n").text(line);
    }
    html.raw("</title>");
    if node.kind == Kind::Group {
        html.raw("<path class=\"back\" d=\"M6 82H240V6\"/><path class=\"back\" d=\"M3 80H238V3\"/>");
    }
    let round = if node.kind == Kind::Lock { "14" } else { "3" };
    html.raw("<rect width=\"236\" height=\"78\" rx=\"").raw(round).raw("\"/>");
    if let Some(state) = node.state {
        html.raw("<rect class=\"edge ").raw(state.id()).raw("\" width=\"6\" height=\"78\" rx=\"2\"/>");
    }
    let mut indent = 14.0;
    if node.kind == Kind::Lock {
        html.raw("<path class=\"padlock\" d=\"M14 34v-4a5 5 0 0 1 10 0v4M11 34h16v12H11z\"/>");
        indent = 36.0;
    }
    let narrower = if node.kind == Kind::Lock { 3 } else { 0 };
    let first = words::shortened(&node.title, TITLE - narrower);
    html.raw("<text class=\"title\" x=\"").show(indent).raw("\" y=\"20\">").text(first).raw("</text>");
    let lines = broken(&node.lines, LINE - narrower, 3);
    for (line, y) in lines.iter().zip([37, 52, 68]) {
        html.raw("<text x=\"").show(indent).raw("\" y=\"").show(y).raw("\">").text(line).raw("</text>");
    }
    html.raw("</g>\n");
}

/// Lines of a box: broken between words, and the last one cut where there is more.
fn broken(texts: &[String], width: usize, most: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for text in texts {
        let text = escape_terminal(text);
        let mut open = false;
        for word in text.split(' ').map(|word| words::shortened(word, width)) {
            match lines.last_mut().filter(|line| open && line.width() + 1 + word.width() <= width) {
                Some(line) => drop(write!(line, " {word}")),
                None => lines.push(word),
            }
            open = true;
        }
    }
    if lines.len() > most {
        lines.truncate(most);
        if let Some(last) = lines.last_mut() {
            *last = format!("{} …", head(last, width - 2).trim_end());
        }
    }
    lines
}

/// The locks with waiters and holders, as a list: for whoever does not see the drawing, and to copy from.
pub fn in_words(snapshot: &Snapshot<'_>, number: usize, html: &mut Html) {
    let locks: Vec<Lock<'_>> = snapshot.locks.iter().filter(|lock| lock.waiters.count > 0).collect();
    if locks.is_empty() {
        return;
    }
    html.raw("<details class=\"words\"><summary>In words: ").text(words::counted(locks.len() as u64, "lock"));
    html.raw("</summary>\n<ul class=\"locks\">\n");
    for lock in locks.iter().take(LOCKS) {
        html.raw("<li><div class=\"sym\"><b>").text(lock.id.to_string()).raw("</b> ");
        match lock.name {
            Some(name) if words::lock_name(lock) != name => drop(html.long(name).raw(" ")),
            _ => {}
        }
        html.text(words::lock(lock)).raw("</div>\n<div>Held by ").styled(&said::who_holds(&lock.holder));
        if lock.holders.len() > 1 {
            html.raw(" and ").text(words::counted(lock.holders.len() as u64 - 1, "other thread"));
        }
        html.raw("</div>\n");
        let groups = threads::by_cluster(lock.waiters.ids, snapshot);
        for (id, count) in groups.iter().take(GROUPS) {
            html.raw("<div>").text(words::counted(*count, "thread"));
            html.raw(if *count == 1 { " waits: " } else { " wait: " });
            id.iter().for_each(|id| cluster_link(*id, number - 1, snapshot, html));
            html.raw("</div>\n");
        }
        if let Some(rest) = groups.get(GROUPS..).filter(|rest| !rest.is_empty()) {
            let count = rest.iter().map(|(_, count)| count).sum();
            html.raw("<div>").text(words::counted(count, "thread")).raw(" more in ");
            html.text(words::counted(rest.len() as u64, "group")).raw("</div>\n");
        }
        html.raw("</li>\n");
    }
    html.raw("</ul>\n");
    if let Some(rest) = locks.get(LOCKS..).filter(|rest| !rest.is_empty()) {
        html.raw("<p class=\"dim\">… and ").text(words::counted(rest.len() as u64, "more lock"));
        html.raw(": the JSON report has them.</p>\n");
    }
    html.raw("</details>\n");
}
