//! The icicle graph: the stacks of all clusters as one tree, the oldest call on top. Here its data is made; the
//! script draws it, because only a script can zoom.

use std::collections::BTreeMap;

use serde::Serialize;

use super::markup::Html;
use super::words;
use crate::model::escape_terminal;
use crate::report::document::{Cluster, Frames, Snapshot};
use crate::waits::State;

/// Calls of a stack that are drawn, the newest left out first.
const DEPTH: usize = 100;
/// Calls of all stacks together; the clusters of further ones are drawn as one.
const MOST: usize = 4000;
/// Characters of a function's name.
const NAME: usize = 120;

/// The data, in short: the script unfolds it.
#[derive(Debug, Default, Serialize)]
pub struct Icicle {
    /// Names of functions, each once.
    names: Vec<String>,
    /// States, in the order of their numbers.
    states: Vec<&'static str>,
    /// Boxes from the top down, each before those under it: depth, name, threads, and for the end of a stack
    /// state and cluster (from 1 on).
    boxes: Vec<Vec<u64>>,
    /// Threads of clusters that are not in it.
    left_out: u64,
}

/// A call, and what it called.
#[derive(Debug, Default)]
struct Call {
    threads: u64,
    called: BTreeMap<usize, Call>,
    ends: Vec<(State, u64, u64)>,
}

/// The section; the script shows it.
pub fn write(snapshot: &Snapshot<'_>, number: usize, html: &mut Html) {
    if snapshot.clusters.is_empty() {
        return;
    }
    html.raw("<section class=\"icicle\" id=\"s").show(number).raw("-icicle\">\n<h2>Stacks</h2>\n");
    html.raw(
        "<noscript><p>The icicle graph needs JavaScript; the table has the same clusters.</p></noscript>\n",
    );
    html.raw("<div class=\"canvas\" hidden></div>\n<script type=\"application/json\">");
    html.verbatim(&json(&of(&snapshot.clusters))).raw("</script>\n</section>\n");
}

/// JSON that neither ends its element nor begins a comment in it.
fn json(icicle: &Icicle) -> String {
    // Numbers and text always serialize.
    let json = serde_json::to_string(icicle).unwrap_or_else(|_| "{}".into());
    json.replace('<', "\\u003c")
}

/// The tree of all stacks.
pub fn of(clusters: &[Cluster<'_>]) -> Icicle {
    let mut icicle = Icicle { states: State::ALL.map(State::id).to_vec(), ..Icicle::default() };
    let mut known: BTreeMap<String, usize> = BTreeMap::new();
    let mut root = Call::default();
    let mut calls = 0;
    for cluster in clusters {
        let stack = calls_of(&cluster.frames);
        calls += stack.len();
        if calls > MOST {
            icicle.left_out += cluster.count;
            continue;
        }
        root.threads += cluster.count;
        let mut call = &mut root;
        for name in stack {
            let next = known.len();
            let at = *known.entry(name).or_insert(next);
            call = call.called.entry(at).or_default();
            call.threads += cluster.count;
        }
        call.ends.push((cluster.state, u64::from(cluster.id.0.0) + 1, cluster.count));
    }
    let mut names: Vec<(String, usize)> = known.into_iter().collect();
    names.sort_by_key(|(_, at)| *at);
    icicle.names = names.into_iter().map(|(name, _)| name).collect();
    unfold(&root, 0, &mut icicle.boxes);
    icicle
}

/// No deeper than [`DEPTH`].
fn unfold(call: &Call, depth: u64, boxes: &mut Vec<Vec<u64>>) {
    for (state, cluster, threads) in &call.ends {
        let state = State::ALL.iter().position(|known| known == state).unwrap_or_default();
        boxes.push(vec![depth, 0, *threads, state as u64, *cluster]);
    }
    let mut called: Vec<_> = call.called.iter().collect();
    called.sort_by_key(|(name, call)| (std::cmp::Reverse(call.threads), **name));
    for (name, call) in called {
        boxes.push(vec![depth, *name as u64, call.threads]);
        unfold(call, depth + 1, boxes);
    }
}

/// The names of a stack's calls, the oldest first. A recursion is one call.
fn calls_of(frames: &Frames<'_>) -> Vec<String> {
    let mut calls: Vec<(&str, u64)> = Vec::new();
    for frame in frames.iter().rev() {
        let is_full = calls.len() == DEPTH;
        match calls.last_mut() {
            Some((name, times)) if *name == frame.function => *times += 1,
            _ if is_full => break,
            _ => calls.push((frame.function, 1)),
        }
    }
    let said = |(name, times): (&str, u64)| {
        let name = words::shortened(&escape_terminal(name), NAME);
        if times > 1 { format!("{name} × {}", words::count(times)) } else { name }
    };
    calls.into_iter().map(said).collect()
}
