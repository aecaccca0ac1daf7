//! The wait graph, and how Graphviz and Mermaid get it.

use super::builder::{Builder, activity};
use super::{sample, written};
use crate::diagnosis::Diagnosis;
use crate::model::{Certainty, ThreadIx, ThreadNumber};
use crate::report::wait_graph::{Detail, Edge, EdgeKind, Node, WaitGraph};
use crate::report::{Document, View};
use crate::waits::{Holder, LockIx, State, Target};

const DETAILS: [Detail; 3] = [Detail::SKETCH, Detail::PAGE, Detail::POSTER];

/// `count` locks, each with a holder that works and two waiters, in `clusters` clusters.
fn crowd(locks: u32, clusters: u32) -> Diagnosis {
    let mut b = Builder::new("crowd.core");
    for n in 0..locks {
        let function = format!("work_{}", n % clusters);
        let wait = activity(State::LockWait, Some((Target::Lock(LockIx(n)), Certainty::Read)), "");
        let first = b.group(2, &["lock", &function], 2, &wait);
        let holder = b.group(1, &["write", &function], 2, &activity(State::IoWait, None, "in write"));
        let held = Holder::Thread { thread: holder, certainty: Certainty::Read };
        b.lock(&format!("g_{n}"), 0x1000 + u64::from(n) * 8, held, first.0..first.0 + 2);
    }
    Diagnosis { snapshots: vec![b.done()], ..Diagnosis::default() }
}

fn with_text(node: &Node<'_>, text: &str) -> bool {
    node.full_label().iter().any(|line| line.contains(text))
}

fn place(graph: &WaitGraph<'_>, text: &str) -> usize {
    graph.nodes.iter().position(|node| with_text(node, text)).unwrap_or_else(|| panic!("{text}: {graph:#?}"))
}

fn edge(graph: &WaitGraph<'_>, from: &str, to: &str) -> Edge {
    let (from, to) = (place(graph, from), place(graph, to));
    *graph.edges.iter().find(|e| (e.from, e.to) == (from, to)).expect("an edge")
}

#[test]
fn waiters_are_one_node_with_a_count() {
    let diagnosis = sample::incident(4499);
    let document = Document::of(&diagnosis);
    let graph = WaitGraph::of(&document, 0, Detail::PAGE);
    // The thread that main joins is one of the waiters.
    let waits = edge(&graph, "4,498 threads", "g_log_mutex");
    assert_eq!((waits.kind, waits.count, waits.is_in_ring), (EdgeKind::WaitsFor, 4498, false));
    let held = edge(&graph, "g_log_mutex", "thread 9331");
    assert_eq!((held.kind, held.certainty), (EdgeKind::HeldBy, Certainty::Read));
    let joined = edge(&graph, "thread 9332", "thread 4332");
    assert_eq!((joined.kind, joined.certainty), (EdgeKind::WaitsFor, Certainty::Inferred));
    assert_eq!((graph.nodes.len(), graph.edges.len()), (5, 4));
    assert_eq!((graph.idle, graph.apart), (500, 0));
    assert!(with_text(&graph.nodes[held.to], "blocked in write(fd 7) under log_sink_write"));
}

#[test]
fn a_ring_is_marked_and_nothing_else() {
    let diagnosis = sample::zoo();
    let document = Document::of(&diagnosis);
    let graph = WaitGraph::of(&document, 0, Detail::PAGE);
    let ring: Vec<_> = graph.edges.iter().filter(|e| e.is_in_ring).collect();
    assert_eq!(ring.len(), 4, "two threads, two edges each");
    for thread in ["thread 4332", "thread 4333"] {
        assert!(
            edge(&graph, thread, "g_log_mutex").is_in_ring && edge(&graph, "g_log_mutex", thread).is_in_ring
        );
    }
    assert!(!edge(&graph, "threads", "g_log_mutex").is_in_ring);
    assert!(!edge(&graph, "g_log_mutex", "thread 9331").is_in_ring);
}

#[test]
fn each_thread_is_in_one_node_or_counted() {
    let many = [sample::incident(4499), sample::zoo(), sample::quiet(), sample::hostile(), crowd(3000, 700)];
    for diagnosis in many {
        let document = Document::of(&diagnosis);
        for detail in DETAILS {
            let graph = WaitGraph::of(&document, 0, detail);
            let drawn: u64 = graph.nodes.iter().map(Node::threads).sum();
            assert_eq!(drawn + graph.idle + graph.apart, document.snapshots[0].threads.total, "{detail:?}");
            assert!(graph.edges.iter().all(|e| e.from < graph.nodes.len() && e.to < graph.nodes.len()));
            assert!(graph.edges.iter().all(|e| e.count > 0));
        }
    }
}

#[test]
fn however_many_there_are_the_graph_stays_small_and_counts_them() {
    let diagnosis = crowd(3000, 700);
    let document = Document::of(&diagnosis);
    for (detail, most) in DETAILS.into_iter().zip([40, 150, 500]) {
        let graph = WaitGraph::of(&document, 0, detail);
        assert!(graph.nodes.len() <= most, "{} nodes", graph.nodes.len());
        let more = graph.nodes.iter().find_map(|node| match node {
            Node::MoreLocks { count } => Some(*count),
            _ => None,
        });
        assert_eq!(more, Some(3000 - detail.locks as u64));
        let waits = graph.edges.iter().filter(|e| e.kind == EdgeKind::WaitsFor);
        assert_eq!(waits.map(|e| e.count).sum::<u64>(), 6000, "each wait is in an edge");
        let held = graph.edges.iter().filter(|e| e.kind == EdgeKind::HeldBy);
        assert_eq!(held.map(|e| e.count).sum::<u64>(), 3000, "each hold is in an edge");
    }
}

#[test]
fn owners_outside_and_candidates_are_told_apart() {
    let mut b = Builder::new("core");
    let wait = |n| activity(State::LockWait, Some((Target::Lock(LockIx(n)), Certainty::Read)), "");
    for n in 0..4 {
        b.group(5, &["lock", ["a", "b", "c", "d"][n as usize]], 2, &wait(n));
    }
    b.group(1, &["write"], 1, &activity(State::IoWait, None, ""));
    b.lock(
        "g_ended",
        8,
        Holder::EndedThread { owner: Some(ThreadNumber::Decimal(77)), certainty: Certainty::Read },
        0..5,
    );
    b.lock("g_free", 16, Holder::Free, 5..10);
    let candidate = |n| crate::waits::Candidate { thread: ThreadIx(n), points: 3, reasons: Vec::new() };
    let candidates = vec![candidate(20), candidate(0)];
    b.lock("g_unknown", 24, Holder::Unknown { why: "two".into(), candidates }, 10..15);
    let not_listed =
        Holder::EndedThread { owner: Some(ThreadNumber::Hex(0x78)), certainty: Certainty::Inferred };
    b.lock("g_not_listed", 32, not_listed, 15..20);
    let diagnosis = Diagnosis { snapshots: vec![b.done()], ..Diagnosis::default() };
    let document = Document::of(&diagnosis);
    let graph = WaitGraph::of(&document, 0, Detail::PAGE);
    assert_eq!(edge(&graph, "g_ended", "thread 77, no longer in the process").kind, EdgeKind::HeldBy);
    let not_listed = "thread 0x78, not in the list of threads";
    assert_eq!(edge(&graph, "g_not_listed", not_listed).kind, EdgeKind::HeldBy);
    assert!(with_text(&graph.nodes[place(&graph, "g_free")], "free: nobody holds it"));
    assert!(with_text(&graph.nodes[place(&graph, "g_unknown")], "holder not known, 2 candidates"));
    assert_eq!(edge(&graph, "g_unknown", "thread 4352").kind, EdgeKind::PerhapsHeldBy);
    let waits = edge(&graph, "thread 4332", "g_ended");
    assert_eq!((waits.count, edge(&graph, "4 threads", "g_ended").count), (1, 4), "a candidate stands alone");
}

#[test]
fn labels_are_short_and_lose_no_text_silently() {
    let long = format!("{}::run", "std::vector<int>".repeat(20));
    let mut b = Builder::new(&"p/".repeat(300));
    let wait = activity(State::LockWait, Some((Target::Lock(LockIx(0)), Certainty::Read)), "");
    b.group(5, &[&long, "b", "c"], 3, &wait);
    b.lock(&long, 8, Holder::Free, 0..5);
    let diagnosis = Diagnosis { snapshots: vec![b.done()], ..Diagnosis::default() };
    let document = Document::of(&diagnosis);
    let graph = WaitGraph::of(&document, 0, Detail::PAGE);
    for node in &graph.nodes {
        let label = node.label();
        assert!(label.iter().all(|line| line.chars().count() <= 41) && label.len() <= 8, "{label:?}");
        assert!(label.iter().any(|line| line.contains('…')), "{label:?}");
    }
    let heading = graph.heading(&document.snapshots[0]);
    assert!(heading.iter().all(|line| line.chars().count() <= 113), "{heading:?}");
}

/// Outside of its strings a graph of Graphviz has no quote, and in them no bare one.
fn assert_is_quoted(dot: &str) {
    for line in dot.lines() {
        let bare = line.replace("\\\\", "").replace("\\\"", "");
        assert!(bare.matches('"').count().is_multiple_of(2), "{line}");
        assert!(!line.contains(char::is_control), "{line:?}");
    }
}

#[test]
fn graphviz_gets_clusters_rings_and_failed_inputs() {
    let mut diagnosis = sample::zoo();
    diagnosis.snapshots.extend(sample::quiet().snapshots);
    let dot = written("dot", &diagnosis, &View::default());
    assert!(dot.starts_with("digraph logjam {\n") && dot.ends_with("}\n"));
    assert_eq!(dot.matches("subgraph cluster_").count(), 2);
    assert_eq!(dot.matches("style=\"solid,bold\", color=\"#c00000\"").count(), 4, "{dot}");
    assert!(dot.contains("4,497 threads\\nlock-wait\\nlog_message ← handle ← worker"), "{dot}");
    assert!(dot.contains("other.txt: no format recognizes it"));
    assert!(
        dot.contains("no thread waits for another") && dot.contains("40 idle threads and 2 other threads")
    );
    assert_is_quoted(&dot);
}

#[test]
fn hostile_text_stays_in_its_label() {
    for show_all in [false, true] {
        let view = View { show_all, ..View::default() };
        let dot = written("dot", &sample::hostile(), &view);
        assert_is_quoted(&dot);
        assert!(dot.contains("FORGED") && !dot.contains('\u{202e}'));
        let chart = written("mermaid", &sample::hostile(), &view);
        assert!(chart.contains("FORGED") && !chart.contains(|c: char| c.is_control() && c != '\n'));
    }
    let mut b = Builder::new("a\"];b & \\");
    let name = "\"]; %%{init: {}}%% `x` <script>&amp;#35; ﬂ°°60¶ß";
    let wait = activity(State::LockWait, Some((Target::Lock(LockIx(0)), Certainty::Read)), "");
    b.group(5, &["f"], 1, &wait);
    b.lock(name, 8, Holder::Free, 0..5);
    let diagnosis = Diagnosis { snapshots: vec![b.done()], ..Diagnosis::default() };
    let dot = written("dot", &diagnosis, &View::default());
    assert_is_quoted(&dot);
    assert!(dot.contains("label=\"a\\\"];b &amp; \\\\\\l5 threads"), "{dot}");
    let chart = written("mermaid", &diagnosis, &View::default());
    let label = chart.lines().find(|line| line.contains("init")).unwrap();
    assert!(!label.replace("<br/>", "").contains(['%', '<', '`', '&', 'ﬂ', '°', '¶']), "{label}");
    assert!(label.contains("#60;script#62;"), "{label}");
}

#[test]
fn mermaid_gets_the_same_graph() {
    let chart = written("mermaid", &sample::zoo(), &View::default());
    assert!(chart.starts_with("flowchart LR\n  subgraph s0[\"core.zst<br/>"));
    assert!(
        chart.contains("[[\"4,497 threads<br/>lock-wait<br/>log_message ← handle ← worker\"]]:::lock_wait")
    );
    assert_eq!(chart.matches(" ==>|").count(), 4);
    let style = chart.lines().find(|line| line.trim().starts_with("linkStyle ")).expect("the ring is red");
    assert_eq!(style.matches(',').count() - 1, 3, "{style}");
    assert!(chart.contains("other.txt#58; no format recognizes it"));
}

#[test]
fn mermaid_stays_within_its_limits_and_counts_the_rest() {
    let mut diagnosis = crowd(300, 90);
    for _ in 0..40 {
        diagnosis.snapshots.extend(crowd(40, 9).snapshots);
        diagnosis.snapshots.extend(sample::hostile().snapshots);
    }
    for show_all in [false, true] {
        let chart = written("mermaid", &diagnosis, &View { show_all, ..View::default() });
        assert!(chart.len() < 50_000, "{} bytes", chart.len());
        let edges =
            [" -->|", " -.->|", " ==>|"].iter().map(|arrow| chart.matches(arrow).count()).sum::<usize>();
        assert!(edges <= 500, "{edges} edges");
        let drawn = chart.matches("  subgraph ").count();
        let rest = format!("… and {} more snapshots", 81 - drawn);
        assert!(drawn > 1 && chart.contains(&rest), "{drawn}\n{chart}");
    }
}
