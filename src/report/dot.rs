//! Who waits for whom, for Graphviz: `logjam … --format dot | dot -Tsvg`. Each snapshot is a cluster. Red is a
//! deadlock's ring, dashed is inferred, dotted is possible.

use std::borrow::Cow;
use std::io::{self, BufWriter, Write};

use super::View;
use super::document::Document;
use super::wait_graph::{Detail, Edge, EdgeKind, Node, WaitGraph, color, failed_inputs, heading};
use crate::model::{Certainty, escape_terminal};

const HEAD: &str = "\
digraph logjam {
  graph [rankdir=LR, fontname=\"Helvetica,Arial,sans-serif\", fontsize=13, labelloc=t, labeljust=l,
    nodesep=0.3, ranksep=0.7];
  node [fontname=\"Helvetica,Arial,sans-serif\", fontsize=11, color=\"#555555\", fillcolor=\"#ffffff\"];
  edge [fontname=\"Helvetica,Arial,sans-serif\", fontsize=10, color=\"#555555\", fontcolor=\"#333333\"];
";

/// Writes the graph.
pub fn write(document: &Document<'_>, view: &View, out: &mut dyn Write) -> io::Result<()> {
    let mut out = BufWriter::new(out);
    let detail = if view.show_all { Detail::POSTER } else { Detail::PAGE };
    out.write_all(HEAD.as_bytes())?;
    writeln!(out, "  label={};", lines(&heading(&document.verdict.headline), "\\l"))?;
    // Graphviz draws what stands first at the bottom.
    for (place, snapshot) in document.snapshots.iter().enumerate().rev() {
        let graph = WaitGraph::of(document, place, detail);
        writeln!(out, "  subgraph cluster_{place} {{")?;
        writeln!(out, "    style=rounded; color=\"#aaaaaa\"; fontsize=12;")?;
        writeln!(out, "    label={};", lines(&graph.heading(snapshot), "\\l"))?;
        if graph.nodes.is_empty() {
            writeln!(out, "    s{place} [shape=plaintext, label=\"no thread waits for another\"];")?;
        }
        for (n, node) in graph.nodes.iter().enumerate() {
            write_node(place, n, node, &graph, &mut out)?;
        }
        for edge in &graph.edges {
            write_edge(place, edge, &graph, &mut out)?;
        }
        writeln!(out, "  }}")?;
    }
    let failed = failed_inputs(document);
    if !failed.is_empty() {
        writeln!(out, "  failed [shape=note, color=\"#c00000\", label={}];", lines(&failed, "\\l"))?;
    }
    writeln!(out, "}}")?;
    out.flush()
}

fn write_node(
    snapshot: usize,
    n: usize,
    node: &Node<'_>,
    graph: &WaitGraph<'_>,
    out: &mut impl Write,
) -> io::Result<()> {
    let is_in_ring = graph.edges.iter().any(|edge| edge.is_in_ring && (edge.from == n || edge.to == n));
    let look = match node {
        Node::Thread { .. } => "shape=box, style=\"filled,rounded\"",
        Node::Group { .. } | Node::MoreThreads { .. } => "shape=box, style=filled, peripheries=2",
        Node::Lock(_) => "shape=hexagon, style=filled, margin=\"0.05,0.02\"",
        Node::MoreLocks { .. } => "shape=hexagon, style=filled, peripheries=2",
        Node::Outside { .. } => "shape=box, style=\"filled,dashed\"",
    };
    let ring = if is_in_ring { ", color=\"#c00000\", penwidth=2.5" } else { "" };
    writeln!(
        out,
        "    s{snapshot}n{n} [label={}, tooltip={}, {look}, fillcolor=\"{}\"{ring}];",
        lines(&node.label(), "\\n"),
        lines(&node.full_label(), "\\n"),
        color(node.state()),
    )
}

fn write_edge(snapshot: usize, edge: &Edge, graph: &WaitGraph<'_>, out: &mut impl Write) -> io::Result<()> {
    let style = match (edge.kind, edge.certainty) {
        (EdgeKind::PerhapsHeldBy, _) => "dotted",
        (_, Certainty::Inferred) => "dashed",
        _ => "solid",
    };
    let (style, ring) = match edge.is_in_ring {
        true => (format!("{style},bold"), ", color=\"#c00000\", fontcolor=\"#c00000\", penwidth=2.5"),
        false => (style.to_owned(), ""),
    };
    let label = quoted(&edge.label(graph));
    let (from, to) = (edge.from, edge.to);
    writeln!(out, "    s{snapshot}n{from} -> s{snapshot}n{to} [label={label}, style=\"{style}\"{ring}];")
}

/// Lines as one label; `end` is Graphviz's line end, which says how they are justified as well.
fn lines(lines: &[String], end: &str) -> String {
    let mut label: String = lines.iter().flat_map(|line| [escaped(line), end.into()]).collect();
    if end == "\\n" {
        label.truncate(label.len().saturating_sub(end.len()));
    }
    format!("\"{label}\"")
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", escaped(text))
}

/// Text of a label: Graphviz resolves backslashes and HTML entities in it, and SVG allows no control characters.
fn escaped(text: &str) -> Cow<'_, str> {
    let text = escape_terminal(text);
    if text.contains(['"', '\\', '&']) {
        text.replace('\\', "\\\\").replace('"', "\\\"").replace('&', "&amp;").into()
    } else {
        text
    }
}
