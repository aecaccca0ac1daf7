//! The wait graph as boxes and arrows: what each says, and the rings in their order.

use crate::model::Certainty;
use crate::report::wait_graph::{self, EdgeKind, WaitGraph};
use crate::waits::State;

/// What a box is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A lock.
    Lock,
    /// One thread.
    Thread,
    /// Several threads.
    Group,
    /// An owner that is no thread of the dump.
    Note,
}

/// A box.
#[derive(Clone, Debug)]
pub struct Node {
    /// What it is.
    pub kind: Kind,
    /// Its first line.
    pub title: String,
    /// Further lines, broken where they are too long.
    pub lines: Vec<String>,
    /// What the threads were doing.
    pub state: Option<State>,
    /// Whether it is part of a ring.
    pub in_ring: bool,
}

/// An arrow: from who waits to what is awaited, and from a lock to its holder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edge {
    /// Where it begins: a place in `nodes`.
    pub from: usize,
    /// Where it ends.
    pub to: usize,
    /// `waits for`, `held by`.
    pub says: &'static str,
    /// Whether it was concluded, not read.
    pub is_inferred: bool,
    /// Whether it is part of a ring.
    pub in_ring: bool,
}

/// The drawing, before the boxes have places.
#[derive(Clone, Debug, Default)]
pub struct Graph {
    /// The boxes.
    pub nodes: Vec<Node>,
    /// The arrows.
    pub edges: Vec<Edge>,
    /// The boxes of each ring, in its order.
    pub rings: Vec<Vec<usize>>,
}

impl Graph {
    /// The boxes and arrows of a wait graph.
    pub fn of(graph: &WaitGraph<'_>) -> Self {
        let rings = rings(graph);
        let is_in_ring = |n: usize| rings.iter().any(|ring| ring.contains(&n));
        let nodes = graph.nodes.iter().enumerate().map(|(n, node)| boxed(node, is_in_ring(n))).collect();
        let edge = |edge: &wait_graph::Edge| Edge {
            from: edge.from,
            to: edge.to,
            says: match edge.kind {
                // The whole would not fit between two boxes.
                EdgeKind::PerhapsHeldBy => "perhaps",
                kind => kind.says(),
            },
            is_inferred: edge.certainty == Certainty::Inferred,
            in_ring: edge.is_in_ring,
        };
        Self { nodes, edges: graph.edges.iter().map(edge).collect(), rings }
    }
}

fn boxed(node: &wait_graph::Node<'_>, in_ring: bool) -> Node {
    let kind = match node {
        wait_graph::Node::Lock(_) | wait_graph::Node::MoreLocks { .. } => Kind::Lock,
        wait_graph::Node::Thread { .. } => Kind::Thread,
        wait_graph::Node::Group { .. } | wait_graph::Node::MoreThreads { .. } => Kind::Group,
        wait_graph::Node::Outside { .. } => Kind::Note,
    };
    let mut lines = node.full_label();
    // Of a lock its kind comes first, and then its name.
    let title = usize::from(matches!(node, wait_graph::Node::Lock(_))).min(lines.len().saturating_sub(1));
    let title = if lines.is_empty() { String::new() } else { lines.remove(title) };
    Node { kind, title, lines, state: node.state(), in_ring }
}

/// The rings: from each box the arrow of the ring leads to the next.
fn rings(graph: &WaitGraph<'_>) -> Vec<Vec<usize>> {
    let next = |n: usize| graph.edges.iter().find(|e| e.is_in_ring && e.from == n).map(|e| e.to);
    let mut seen = vec![false; graph.nodes.len()];
    let mut rings = Vec::new();
    for start in 0..graph.nodes.len() {
        let mut ring = Vec::new();
        let mut at = Some(start).filter(|&n| next(n).is_some());
        while let Some(n) = at.filter(|&n| !seen[n]) {
            seen[n] = true;
            ring.push(n);
            at = next(n);
        }
        // A way that leads into another ring is none itself.
        if at == Some(start) && !ring.is_empty() {
            rings.push(ring);
        }
    }
    rings
}
