//! All clusters: a table to sort and to search, each with its stack.

use super::markup::Html;
use super::{finding, ranges, stack, words};
use crate::report::document::{Cluster, Snapshot};
use crate::waits::State;

/// Bytes that the ids of one cluster's threads may take.
const IDS: usize = 60_000;
/// Patterns of thread names that are listed.
const NAMES: usize = 12;
/// The least that a cluster takes without its stack: keeps room for some lines.
const BRIEF: usize = 5;

/// The clusters of a snapshot in not much more than `room` bytes: the first with their stacks, further ones
/// without, and the rest as a count.
pub fn write(snapshot: &Snapshot<'_>, number: usize, room: usize, html: &mut Html) {
    html.raw("<section class=\"clusters\" id=\"s")
        .show(number)
        .raw("-clusters\">\n<h2>Clusters <span class=\"count\">");
    html.text(words::count(snapshot.clusters.len() as u64)).raw("</span></h2>\n");
    html.raw("<p class=\"dim\">Threads that do the same thing and wait for the same thing.</p>\n");
    if snapshot.clusters.is_empty() {
        html.raw("</section>\n");
        return;
    }
    tools(snapshot, number, html);
    html.raw(
        "<table>\n<caption class=\"unseen\">Clusters of threads, the largest first</caption>\n<thead><tr>",
    );
    for (key, name) in
        [("n", "Threads"), ("state", "State"), ("what", "Doing"), ("lock", "Waits for"), ("id", "Id")]
    {
        html.raw("<th scope=\"col\" data-key=\"").raw(key).raw("\">").raw(name).raw("</th>");
    }
    html.raw("</tr></thead>\n<tbody>\n");
    let start = html.len();
    let with_stacks = room.saturating_sub(room / BRIEF);
    let mut shown = 0;
    let mut without_stack = 0;
    for cluster in &snapshot.clusters {
        let used = html.len() - start;
        if used > room {
            break;
        }
        let has_stack = used <= with_stacks;
        row(cluster, snapshot, number, has_stack, html);
        shown += 1;
        without_stack += u64::from(!has_stack);
    }
    html.raw("</tbody>\n</table>\n");
    left_out(snapshot, shown, without_stack, html);
    html.raw("</section>\n");
}

/// The page has a size to keep to; what does not fit is counted.
fn left_out(snapshot: &Snapshot<'_>, shown: usize, without_stack: u64, html: &mut Html) {
    let rest = &snapshot.clusters[shown..];
    if without_stack == 0 && rest.is_empty() {
        return;
    }
    html.raw("<p class=\"left-out\">");
    if without_stack > 0 {
        html.raw("Without their stacks: the last ").text(words::counted(without_stack, "cluster"));
        html.raw(" of the table. ");
    }
    if !rest.is_empty() {
        html.raw("Not on this page: ").text(words::counted(rest.len() as u64, "more cluster")).raw(" with ");
        html.text(words::counted(rest.iter().map(|c| c.count).sum(), snapshot.threads.unit.noun())).raw(". ");
    }
    html.raw("<code>--all</code> shows everything.</p>\n");
}

/// What only a script can do: shown by it.
fn tools(snapshot: &Snapshot<'_>, number: usize, html: &mut Html) {
    html.raw("<div class=\"tools\" hidden>\n<label>Search <input type=\"search\" autocomplete=\"off\" ");
    html.raw("spellcheck=\"false\" placeholder=\"function, file, lock, thread\"></label>\n");
    html.raw("<label>State <select><option value=\"\">all</option>");
    for state in State::ALL {
        if snapshot.threads.states.get(&state).is_some_and(|count| *count > 0) {
            html.raw("<option>").raw(state.id()).raw("</option>");
        }
    }
    html.raw("</select></label>\n<button type=\"button\" class=\"open\">Open all</button>\n");
    html.raw("<output aria-live=\"polite\" id=\"s").show(number).raw("-shown\"></output>\n</div>\n");
}

fn row(cluster: &Cluster<'_>, snapshot: &Snapshot<'_>, number: usize, has_stack: bool, html: &mut Html) {
    html.raw("<tr id=\"s").show(number).raw("-").show(cluster.id).raw("\" data-n=\"").show(cluster.count);
    html.raw("\" data-id=\"").show(cluster.id.0.0).raw("\" data-state=\"").raw(cluster.state.id()).raw("\">");
    html.raw("<td class=\"num\"><b>").text(words::count(cluster.count)).raw("</b> <span class=\"dim\">");
    html.text(words::percent(cluster.share)).raw("</span>");
    html.raw("<svg class=\"share\" viewBox=\"0 0 100 4\" preserveAspectRatio=\"none\" aria-hidden=\"true\">");
    html.raw("<rect class=\"").raw(cluster.state.id()).raw("\" width=\"");
    html.show(format_args!("{:.1}", (cluster.share * 100.0).max(1.0))).raw("\" height=\"4\"/></svg></td>");
    html.raw("<td><span class=\"state ").raw(cluster.state.id()).raw("\">").raw(cluster.state.id());
    html.raw("</span></td><td class=\"what\">");
    let calls = finding::signature(&cluster.signature);
    if has_stack {
        html.raw("<details><summary class=\"sym\">").text(calls).raw("</summary>\n");
        stack::write(&cluster.frames, html);
        facts(cluster, snapshot, html);
        html.raw("</details>");
    } else {
        html.raw("<span class=\"sym\">").text(calls).raw("</span>");
    }
    html.raw("</td><td class=\"on sym\">");
    if let Some(lock) = cluster.lock.and_then(|id| snapshot.lock(id)) {
        html.text(words::lock_name(&lock));
    }
    html.raw("</td><td class=\"id\">").show(cluster.id).raw("</td></tr>\n");
}

/// Who the threads are.
fn facts(cluster: &Cluster<'_>, snapshot: &Snapshot<'_>, html: &mut Html) {
    html.raw("<dl class=\"kv\">");
    let ids = cluster.threads.0.iter().filter_map(|ix| snapshot.thread(*ix));
    let (ids, left_out) = ranges::of(ids.map(|thread| thread.id.to_string()), IDS);
    if !ids.is_empty() {
        html.raw("<dt>thread ids</dt><dd><div class=\"ids\">").long(&ids);
        if left_out > 0 {
            html.raw(" and ").text(words::counted(left_out as u64, "more thread"));
        }
        html.raw("</div></dd>\n");
    }
    if !cluster.thread_names.is_empty() {
        html.raw("<dt>names</dt><dd>");
        for name in cluster.thread_names.iter().take(NAMES) {
            html.raw("<div>").long(name.pattern).raw(" <span class=\"dim\">");
            html.text(words::count(name.count)).raw("</span></div>");
        }
        if let Some(rest) = cluster.thread_names.get(NAMES..).filter(|rest| !rest.is_empty()) {
            let threads = rest.iter().map(|name| name.count).sum();
            html.raw("<div class=\"dim\">… and ").text(words::counted(rest.len() as u64, "more pattern"));
            html.raw(" of ").text(words::counted(threads, "thread")).raw("</div>");
        }
        html.raw("</dd>\n");
    }
    if cluster.variants > 1 {
        html.raw("<dt>merged</dt><dd>").text(words::counted(cluster.variants.into(), "different stack"));
        html.raw("; one of them is shown</dd>\n");
    }
    if let Some(cpu) = cluster.cpu_s {
        html.raw("<dt>CPU</dt><dd>").text(words::duration(cpu.total)).raw(", at most ");
        html.text(words::duration(cpu.max)).raw(" of one thread</dd>\n");
    }
    if let Some(waited) = cluster.waited_s {
        html.raw("<dt>waiting</dt><dd>").text(words::duration(waited.min)).raw(" to ");
        html.text(words::duration(waited.max)).raw("</dd>\n");
    }
    html.raw("<dt>key</dt><dd><code>").text(cluster.fingerprint).raw("</code></dd></dl>\n");
}
