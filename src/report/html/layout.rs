//! Where the boxes of a wait graph stand: what is awaited on the right of who waits; a ring in the middle as two
//! columns, with its bystanders on both sides.

use super::graph::Graph;

/// Width of a box.
pub const WIDTH: f64 = 236.0;
/// Height of a box.
pub const HEIGHT: f64 = 78.0;
/// Space between columns: an arrow and its words.
pub const GAP: f64 = 92.0;
/// Space between rows.
const ROW: f64 = 16.0;
/// Space between the rows of a ring.
const RING_ROW: f64 = 44.0;
/// Space between parts that do not hang together.
const PART: f64 = 30.0;
/// Around everything.
const MARGIN: f64 = 8.0;

/// Places of the boxes.
#[derive(Clone, Debug, Default)]
pub struct Drawing {
    /// Upper left corner of each box.
    pub at: Vec<(f64, f64)>,
    /// Width of all.
    pub width: f64,
    /// Height of all.
    pub height: f64,
}

/// Places for a graph.
pub fn of(graph: &Graph) -> Drawing {
    let tree = Tree::of(graph);
    let mut drawing = Drawing { at: vec![(0.0, 0.0); graph.nodes.len()], ..Drawing::default() };
    let mut top = MARGIN;
    for part in &tree.parts {
        let height = match part {
            Part::Root(root) => tree.root(*root, top, &mut drawing.at),
            Part::Ring(ring) => tree.ring(ring, top, &mut drawing.at),
        };
        top += height + PART;
    }
    let right = drawing.at.iter().map(|(x, _)| x + WIDTH).fold(0.0, f64::max);
    drawing.width = right + MARGIN;
    drawing.height = (top - PART).max(0.0) + MARGIN;
    drawing
}

/// What is laid out as one.
enum Part {
    /// A box that waits for nothing, and all behind it.
    Root(usize),
    /// A ring, and all behind it.
    Ring(Vec<usize>),
}

/// Each box behind one of those that it waits for.
struct Tree {
    behind: Vec<Vec<usize>>,
    parts: Vec<Part>,
}

impl Tree {
    fn of(graph: &Graph) -> Self {
        let count = graph.nodes.len();
        let mut waiters = vec![Vec::new(); count];
        let mut waits = vec![false; count];
        for edge in &graph.edges {
            waiters[edge.to].push(edge.from);
            waits[edge.from] = true;
        }
        let mut tree = Self { behind: vec![Vec::new(); count], parts: Vec::new() };
        let mut seen = vec![false; count];
        for ring in &graph.rings {
            if ring.len() > 1 && ring.iter().all(|&n| !seen[n]) {
                ring.iter().for_each(|&n| seen[n] = true);
                tree.grow(ring.clone(), &waiters, &mut seen);
                tree.parts.push(Part::Ring(ring.clone()));
            }
        }
        let last = (0..count).filter(|&n| !waits[n]);
        // Then boxes of rings that no finding names: any of them may be the last.
        for n in last.chain(0..count) {
            if !seen[n] {
                seen[n] = true;
                tree.grow(vec![n], &waiters, &mut seen);
                tree.parts.push(Part::Root(n));
            }
        }
        tree
    }

    /// Breadth first, so that each box is as near as it can be.
    fn grow(&mut self, mut row: Vec<usize>, waiters: &[Vec<usize>], seen: &mut [bool]) {
        while !row.is_empty() {
            let mut next = Vec::new();
            for n in row {
                for &waiter in &waiters[n] {
                    if !seen[waiter] {
                        seen[waiter] = true;
                        self.behind[n].push(waiter);
                        next.push(waiter);
                    }
                }
            }
            row = next;
        }
    }

    fn height(&self, n: usize) -> f64 {
        let behind: f64 = self.behind[n].iter().map(|&m| self.height(m)).sum();
        behind.max(HEIGHT + ROW)
    }

    fn depth(&self, n: usize) -> usize {
        self.behind[n].iter().map(|&m| self.depth(m) + 1).max().unwrap_or(0)
    }

    /// A box in the middle of its band, and those behind it further to one side.
    fn place(&self, n: usize, x: f64, top: f64, step: f64, at: &mut [(f64, f64)]) {
        let height = self.height(n);
        at[n] = (x, top + (height - ROW - HEIGHT) / 2.0);
        let behind: f64 = self.behind[n].iter().map(|&m| self.height(m)).sum();
        let mut top = top + (height - behind) / 2.0;
        for &m in &self.behind[n] {
            self.place(m, x + step, top, step, at);
            top += self.height(m);
        }
    }

    fn root(&self, n: usize, top: f64, at: &mut [(f64, f64)]) -> f64 {
        let x = MARGIN + self.depth(n) as f64 * (WIDTH + GAP);
        self.place(n, x, top, -(WIDTH + GAP), at);
        self.height(n) - ROW
    }

    /// Clockwise: the first box at the upper left, the second at the upper right, and back on the left side.
    fn ring(&self, ring: &[usize], top: f64, at: &mut [(f64, f64)]) -> f64 {
        let on_right = ring.len() / 2;
        let right = &ring[1..=on_right];
        let left: Vec<usize> = ring[..1].iter().chain(ring[on_right + 1..].iter().rev()).copied().collect();
        let depth = left.iter().map(|&n| self.depth(n)).max().unwrap_or(0);
        let x = MARGIN + depth as f64 * (WIDTH + GAP);
        let mut down = top;
        for row in 0..left.len().max(right.len()) {
            let band = |side: &[usize]| side.get(row).map_or(0.0, |&n| self.height(n));
            let height = band(&left).max(band(right));
            let middle = |n: usize| down + (height - self.height(n)) / 2.0;
            if let Some(&n) = left.get(row) {
                self.place(n, x, middle(n), -(WIDTH + GAP), at);
            }
            if let Some(&n) = right.get(row) {
                self.place(n, x + WIDTH + GAP, middle(n), WIDTH + GAP, at);
            }
            down += height + RING_ROW;
        }
        down - RING_ROW - ROW - top
    }
}

#[cfg(test)]
mod tests {
    use super::super::graph::{Edge, Kind, Node};
    use super::*;

    fn graph(count: usize, edges: &[(usize, usize)], rings: &[&[usize]]) -> Graph {
        let node = |n: usize| Node {
            kind: Kind::Thread,
            title: n.to_string(),
            lines: Vec::new(),
            state: None,
            in_ring: false,
        };
        let edge = |&(from, to): &(usize, usize)| Edge {
            from,
            to,
            says: "waits for",
            is_inferred: false,
            in_ring: false,
        };
        Graph {
            nodes: (0..count).map(node).collect(),
            edges: edges.iter().map(edge).collect(),
            rings: rings.iter().map(|ring| ring.to_vec()).collect(),
        }
    }

    fn no_two_boxes_touch(drawing: &Drawing) {
        for (n, a) in drawing.at.iter().enumerate() {
            assert!(
                a.0 >= 0.0 && a.1 >= 0.0 && a.0 + WIDTH <= drawing.width && a.1 + HEIGHT <= drawing.height
            );
            for b in &drawing.at[n + 1..] {
                assert!((a.0 - b.0).abs() >= WIDTH || (a.1 - b.1).abs() >= HEIGHT, "{a:?} {b:?}");
            }
        }
    }

    #[test]
    fn what_is_awaited_stands_on_the_right() {
        let drawing = of(&graph(5, &[(0, 3), (1, 3), (2, 3), (3, 4)], &[]));
        no_two_boxes_touch(&drawing);
        let x: Vec<f64> = drawing.at.iter().map(|at| at.0).collect();
        assert!(x[0] == x[1] && x[1] == x[2] && x[2] < x[3] && x[3] < x[4], "{x:?}");
        assert_eq!(drawing.at[1].1, drawing.at[3].1, "the middle waiter is level with the lock");
    }

    #[test]
    fn a_ring_is_a_rectangle_with_its_bystanders_outside() {
        let edges = [(0, 1), (1, 2), (2, 3), (3, 0), (4, 1), (5, 3)];
        let drawing = of(&graph(6, &edges, &[&[0, 1, 2, 3]]));
        no_two_boxes_touch(&drawing);
        let at = &drawing.at;
        assert!(at[0].0 == at[3].0 && at[1].0 == at[2].0 && at[0].0 < at[1].0);
        assert!(at[0].1 == at[1].1 && at[3].1 == at[2].1 && at[0].1 < at[3].1);
        assert!(at[4].0 > at[1].0 && at[5].0 < at[3].0);
    }

    #[test]
    fn rings_that_nobody_named_and_loops_have_an_end() {
        for edges in [&[(0, 1), (1, 0), (2, 0)][..], &[(0, 0), (1, 0), (2, 1)]] {
            no_two_boxes_touch(&of(&graph(3, edges, &[])));
        }
        for size in 1..9 {
            let ring: Vec<usize> = (0..size).collect();
            let edges: Vec<_> = ring.iter().map(|&n| (n, (n + 1) % size)).collect();
            no_two_boxes_touch(&of(&graph(size, &edges, &[&ring])));
        }
        assert_eq!(of(&Graph::default()).at.len(), 0);
    }
}
