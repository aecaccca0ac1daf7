//! Who waits for whom, as a Mermaid flowchart: GitHub, GitLab and many wikis draw it from a code block. Each
//! snapshot is a subgraph. Red is a deadlock's ring; a dashed line is inferred or possible.
//!
//! Mermaid refuses a diagram with more than 500 edges or 50,000 characters. Snapshots for which there is no room
//! are drawn with less detail, then left out and counted.

use std::io::{self, Write};

use super::View;
use super::document::{Document, Snapshot};
use super::text::words;
use super::wait_graph::{Detail, Edge, EdgeKind, Node, WaitGraph, color, failed_inputs};
use crate::model::{Certainty, escape_terminal};
use crate::waits::State;

/// The most characters: Mermaid's limit, less what the last lines need.
const CHARS: usize = 46_000;
/// The most edges: Mermaid's limit.
const EDGES: usize = 500;

/// Writes the flowchart.
pub fn write(document: &Document<'_>, view: &View, out: &mut dyn Write) -> io::Result<()> {
    let most = if view.show_all { Detail::POSTER } else { Detail::PAGE };
    let mut chart = Chart { text: "flowchart LR\n".to_owned(), edges: 0, ring: Vec::new() };
    let mut left_out = 0;
    for (place, snapshot) in document.snapshots.iter().enumerate() {
        let fits = [most, Detail::PAGE, Detail::SKETCH]
            .into_iter()
            .find_map(|detail| chart.with(place, snapshot, &WaitGraph::of(document, place, detail)));
        match fits {
            Some(larger) => chart = larger,
            None => left_out += 1,
        }
    }
    chart.note("more", left_out_note(left_out));
    chart.note("failed", failed_inputs(document));
    chart.styles();
    out.write_all(chart.text.as_bytes())?;
    out.flush()
}

/// What is written so far.
#[derive(Clone)]
struct Chart {
    text: String,
    edges: usize,
    /// The edges of rings, by number.
    ring: Vec<usize>,
}

impl Chart {
    /// The chart with one snapshot more, if there is room for it.
    fn with(&self, place: usize, snapshot: &Snapshot<'_>, graph: &WaitGraph<'_>) -> Option<Self> {
        let mut chart = self.clone();
        chart.line(format_args!("  subgraph s{place}[{}]", quoted(&graph.heading(snapshot))));
        if graph.nodes.is_empty() {
            chart.line(format_args!("    s{place}n[\"no thread waits for another\"]"));
        }
        for (n, node) in graph.nodes.iter().enumerate() {
            let (open, close) = match node {
                Node::Thread { .. } => ("(", ")"),
                Node::Group { .. } | Node::MoreThreads { .. } => ("[[", "]]"),
                Node::Lock(_) | Node::MoreLocks { .. } => ("{{", "}}"),
                Node::Outside { .. } => ("[", "]"),
            };
            let class = node.state().map(|state| format!(":::{}", class(state))).unwrap_or_default();
            chart.line(format_args!("    s{place}n{n}{open}{}{close}{class}", quoted(&node.label())));
        }
        for edge in &graph.edges {
            chart.edge(place, edge, graph);
        }
        chart.line(format_args!("  end"));
        (chart.edges <= EDGES && chart.text.len() <= CHARS).then_some(chart)
    }

    fn edge(&mut self, place: usize, edge: &Edge, graph: &WaitGraph<'_>) {
        let is_sure = edge.certainty != Certainty::Inferred && edge.kind != EdgeKind::PerhapsHeldBy;
        let arrow = match (edge.is_in_ring, is_sure) {
            (true, true) => "==>",
            (false, true) => "-->",
            (_, false) => "-.->",
        };
        if edge.is_in_ring {
            self.ring.push(self.edges);
        }
        self.edges += 1;
        let label = quoted(&[edge.label(graph)]);
        self.line(format_args!("    s{place}n{} {arrow}|{label}| s{place}n{}", edge.from, edge.to));
    }

    /// A box that stands alone.
    fn note(&mut self, id: &str, lines: Vec<String>) {
        if !lines.is_empty() {
            self.line(format_args!("  {id}[/{}/]", quoted(&lines)));
        }
    }

    fn styles(&mut self) {
        for state in State::ALL {
            let (name, fill) = (class(state), color(Some(state)));
            if self.text.contains(&format!(":::{name}\n")) {
                self.line(format_args!("  classDef {name} fill:{fill},stroke:#555555,color:#111111"));
            }
        }
        if !self.ring.is_empty() {
            let edges: Vec<_> = self.ring.iter().map(usize::to_string).collect();
            self.line(format_args!("  linkStyle {} stroke:#c00000,stroke-width:3px", edges.join(",")));
        }
    }

    fn line(&mut self, line: std::fmt::Arguments<'_>) {
        self.text += &format!("{line}\n");
    }
}

fn left_out_note(snapshots: u64) -> Vec<String> {
    let said = |n| format!("… and {}: there is no room to draw them", words::counted(n, "more snapshot"));
    (snapshots > 0).then(|| said(snapshots)).into_iter().collect()
}

/// The name of a state's class: one without a hyphen, which Mermaid could take for a part of an arrow.
fn class(state: State) -> String {
    state.id().replace('-', "_")
}

/// Lines as one label. Whatever could mean something to Mermaid, Markdown or HTML is a numbered entity.
fn quoted(lines: &[String]) -> String {
    let mut label = String::from("\"");
    for (n, line) in lines.iter().enumerate() {
        if n > 0 {
            label += "<br/>";
        }
        for (at, c) in escape_terminal(line).chars().enumerate() {
            // A hyphen at the start would be a list.
            if is_plain(c) || c == '-' && at > 0 {
                label.push(c);
            } else {
                label += &format!("#{};", u32::from(c));
            }
        }
    }
    label.push('"');
    label
}

/// Whether a character means only itself. `ﬂ` and `ß` are what Mermaid marks entities with inside.
fn is_plain(c: char) -> bool {
    (c.is_alphanumeric() && !matches!(c, 'ﬂ' | 'ß'))
        || matches!(c, ' ' | '_' | '.' | ',' | '(' | ')' | '/' | '←' | '…')
}
