//! What holds for every page; what it looks like is for `tests/foreign/html.mjs`.

use crate::diagnosis::Diagnosis;
use crate::report::tests::sample::{hostile, incident, quiet, zoo};
use crate::report::wait_graph::{Detail, WaitGraph};
use crate::report::{Document, View};

fn page(diagnosis: &Diagnosis) -> String {
    let mut out = Vec::new();
    super::write(&Document::of(diagnosis), &View::default(), &mut out).expect("memory can be written");
    String::from_utf8(out).expect("UTF-8")
}

#[test]
fn the_answer_stands_in_the_page_without_a_script() {
    let page = page(&incident(4499));
    let before_script = page.split("<script").next().expect("a page");
    for word in ["4,499", "g_log_mutex", "blocked in write(fd 7)", "log_message", "lj1:0123456789abcdef"] {
        assert!(before_script.contains(word), "{word}");
    }
    assert!(self::page(&quiet()).contains("no finding"));
}

/// Two threads that wait for each other over one lock, as the finding says.
#[test]
fn a_ring_is_drawn_in_its_order() {
    let diagnosis = zoo();
    let document = Document::of(&diagnosis);
    let graph = super::graph::Graph::of(&WaitGraph::of(&document, 0, Detail::PAGE));
    let [ring] = &graph.rings[..] else { panic!("{:?}", graph.rings) };
    let arrow =
        |from: usize, to: usize| graph.edges.iter().any(|e| e.in_ring && (e.from, e.to) == (from, to));
    assert!(ring.len() > 1, "{ring:?}");
    for (n, &from) in ring.iter().enumerate() {
        assert!(arrow(from, ring[(n + 1) % ring.len()]), "{ring:?} {:?}", graph.edges);
        assert!(graph.nodes[from].in_ring);
    }
    assert!(graph.nodes.iter().any(|node| !node.in_ring), "bystanders are outside");
}

#[test]
fn a_page_asks_for_nothing() {
    for diagnosis in [incident(40), zoo(), quiet(), hostile()] {
        let page = page(&diagnosis);
        assert!(
            page.contains("Content-Security-Policy") && page.contains("default-src &#39;none&#39;")
                || page.contains("default-src 'none'")
        );
        for request in ["src=\"http", "href=\"http", "url(http", "@import", "<iframe", "<img"] {
            assert!(!page.contains(request), "{request}");
        }
    }
}

#[test]
fn hostile_text_is_shown_and_not_obeyed() {
    let page = page(&hostile());
    for raw in ['\u{1b}', '\u{7}', '\u{9b}', '\u{0}', '\u{202e}', '\u{2066}'] {
        assert!(!page.contains(raw), "{raw:?}");
    }
    let mut marked = incident(3);
    marked.findings[0].finding.title = "</title><script>alert(1)</script><img src=x onerror=alert(2)>".into();
    marked.headline = marked.findings[0].finding.title.clone();
    let page = self::page(&marked);
    assert!(!page.contains("<script>alert") && !page.contains("<img src=x"), "markup out of a dump");
    assert!(page.contains("&lt;script&gt;alert(1)"), "it is shown");
}

#[test]
fn a_page_of_the_largest_process_stays_small() {
    let page = page(&incident(32_767 - 502));
    assert!(page.len() < 1_500_000, "{} bytes", page.len());
}
